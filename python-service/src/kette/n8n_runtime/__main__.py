"""`python -m kette.n8n_runtime`: install what the demo and the end-to-end tests need."""

from __future__ import annotations

import sys
import time

from kette.n8n_runtime.install import ensure_n8n, ensure_node_package, link_node_tools
from kette.n8n_runtime.node import NodeMissingError
from kette.n8n_runtime.project import ProjectNotFoundError, find_project
from kette.n8n_runtime.steps import StepFailedError


def main() -> int:
    """Install n8n and build the node package; return the exit code."""
    started = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - started:5.0f} s] {text}", flush=True)

    try:
        project = find_project()
        say(f"n8n is ready in {ensure_n8n(project, say)}")
        link_node_tools(project, say)
        say(f"The node package is ready: {ensure_node_package(project, say)}")
    except (NodeMissingError, ProjectNotFoundError, StepFailedError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
