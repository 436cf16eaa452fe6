"""The committed workflows, read once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from kette.n8n_runtime.conventions import WorkflowFile
from kette.n8n_runtime.folder_check import read_workflows

FOLDER = Path(__file__).parents[2] / "n8n-workflows"


@pytest.fixture(scope="session")
def workflow_files() -> dict[str, WorkflowFile]:
    return read_workflows(FOLDER)


@pytest.fixture(scope="session")
def manifest() -> dict[str, Any]:
    content: dict[str, Any] = json.loads((FOLDER / "manifest.json").read_text())
    return content
