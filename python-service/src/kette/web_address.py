"""Whether a client can call a web address at all: its host and port, by the rules of the net."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

# Underscores are no part of a host's name by the RFCs, but container networks have them.
_HOST = re.compile(r"(?=.{1,253}\.?\Z)[a-z0-9_][a-z0-9_-]{0,62}(\.[a-z0-9_][a-z0-9_-]{0,62})*\.?")


def fault_of_address(url: str) -> str:
    """What is wrong with host or port of an absolute URL; empty when nothing is.

    >>> [fault_of_address(url) for url in ("http://n8n:5678/x", "https://[::1]/", "http://a..b/")]
    ['', '', 'has no host that can be called']
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = parts.port
    except ValueError:
        return "has no host and port that can be read"
    if port == 0:
        return "has port 0, which nobody can call"
    try:
        if ":" in host:
            ipaddress.IPv6Address(host)
        else:
            host = host.encode("idna").decode("ascii").lower()
    except ValueError:
        host = ""
    return "" if ":" in host or _HOST.fullmatch(host) else "has no host that can be called"
