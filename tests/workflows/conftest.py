"""The committed workflows, read once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from kette.n8n_runtime.conventions import WorkflowFile

FOLDER = Path(__file__).parents[2] / "n8n-workflows"


def read_workflows(folder: Path) -> dict[str, WorkflowFile]:
    """Return every workflow file below folder by its path; runtime/ holds n8n, not workflows."""
    found = {}
    for place in ("chain", "connectors", "templates"):
        for file in sorted((folder / place).rglob("*.json")):
            text = file.read_text()
            path = file.relative_to(folder).as_posix()
            found[path] = WorkflowFile(path, text, json.loads(text))
    return found


@pytest.fixture(scope="session")
def workflow_files() -> dict[str, WorkflowFile]:
    return read_workflows(FOLDER)


@pytest.fixture(scope="session")
def manifest() -> dict[str, Any]:
    content: dict[str, Any] = json.loads((FOLDER / "manifest.json").read_text())
    return content
