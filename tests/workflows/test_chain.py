"""The chain as a whole: pushed and swept actions go the same way, the canvas names real pages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from kette.domain.actions import STAGE_KINDS, Stage
from kette.n8n_runtime.conventions import WorkflowFile

Files = dict[str, WorkflowFile]


def node(workflow: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(n for n in workflow["nodes"] if n["name"] == name)
    return found


@pytest.mark.parametrize(
    "stage",
    [
        Stage.INTAKE,
        Stage.PAYMENT,
        Stage.FULFILLMENT,
        Stage.ACCOUNTING,
        Stage.CUSTOMER,
        Stage.EXCEPTIONS,
    ],
)
def test_push_and_sweep_bring_a_kind_to_the_same_place(workflow_files: Files, stage: Stage) -> None:
    """The order of the trigger's outputs is that of STAGE_KINDS; the switch says each kind
    aloud."""
    workflow = next(
        file.workflow
        for file in workflow_files.values()
        for n in file.workflow["nodes"]
        if n["type"] == "n8n-nodes-kette.ketteTrigger" and n["parameters"]["stage"] == stage.value
    )
    rules = node(workflow, "Route by Kind")["parameters"]["rules"]["values"]
    named = tuple(rule["conditions"]["conditions"][0]["rightValue"] for rule in rules)
    assert named == STAGE_KINDS[stage]
    connections = workflow["connections"]
    assert connections["Receive Due Actions"]["main"] == connections["Route by Kind"]["main"]


def test_doc_pages_named_on_the_canvas_exist(workflow_files: Files) -> None:
    root = Path(__file__).parents[2]
    named = {
        file.path: re.findall(
            r"docs/workflows/\S+\.md",
            node(file.workflow, "About This Workflow")["parameters"]["content"],
        )
        for file in workflow_files.values()
    }
    missing = {
        path: pages
        for path, pages in named.items()
        if not pages or not all((root / page).is_file() for page in pages)
    }
    assert missing == {}
