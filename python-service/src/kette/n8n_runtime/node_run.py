"""`python -m kette.n8n_runtime.node_run SCRIPT`: run an npm script of node-specs with our Node."""

from __future__ import annotations

import subprocess
import sys

from kette.n8n_runtime.install import link_node_tools
from kette.n8n_runtime.node import find_node
from kette.n8n_runtime.project import find_project


def main(scripts: list[str]) -> int:
    """Run each script until one fails; return its exit code."""
    project, node = find_project(), find_node()
    link_node_tools(project, print)
    for script in scripts:
        code = subprocess.run(
            node.npm("run", "--silent", script),
            cwd=project.node_specs,
            env=node.environment(),
            check=False,
        ).returncode
        if code:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
