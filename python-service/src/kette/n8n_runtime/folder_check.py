"""Read a workflow folder and hold every file in it against the conventions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kette.n8n_runtime.conventions import Problem, WorkflowFile, check_manifest, check_workflow


def read_workflows(folder: Path) -> dict[str, WorkflowFile]:
    """Return every workflow file below folder by its path; runtime/ holds n8n, not workflows."""
    found = {}
    for place in ("chain", "connectors", "templates"):
        for file in sorted((folder / place).rglob("*.json")):
            text = file.read_text()
            path = file.relative_to(folder).as_posix()
            found[path] = WorkflowFile(path, text, json.loads(text))
    return found


def check_folder(folder: Path) -> list[str]:
    """One line per problem, naming file, node and what to do."""
    files = read_workflows(folder)
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    problems: list[Problem] = []
    for file in files.values():
        problems += check_workflow(file)
    return [str(problem) for problem in [*problems, *check_manifest(manifest, files)]]
