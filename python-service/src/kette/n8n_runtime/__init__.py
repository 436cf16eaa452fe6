"""Everything that installs, starts and speaks to a real n8n.

Node and n8n are installed from lock files into a cache folder and used in place; nothing is taken
from the machine's own Node. The service itself never needs this package, only the command line,
the demo and the end-to-end tests do.
"""
