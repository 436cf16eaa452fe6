"""Outputs of nodes and what they are connected to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kette.domain.actions import STAGE_KINDS, Stage
from kette.n8n_runtime.node_conventions import BASE, KETTE, KETTE_TRIGGER, STICKY_NOTE
from kette.n8n_runtime.workflow_files import Workflow

_TWO_OUTPUTS = ("bundle", "ingest", "next")


def edges(workflow: Workflow) -> list[tuple[str, str, int]]:
    return [
        (source, target["node"], index)
        for source, kinds in workflow["connections"].items()
        for index, targets in enumerate(kinds.get("main", ()))
        for target in targets or ()
    ]


def output_count(node: Mapping[str, Any]) -> int:
    parameters, kind = node["parameters"], node["type"]
    count = 1
    if kind == STICKY_NOTE:
        return 0
    if kind == f"{BASE}if" or (kind == KETTE and parameters.get("operation") in _TWO_OUTPUTS):
        count = 2
    elif kind == f"{BASE}switch":
        has_fallback = parameters.get("options", {}).get("fallbackOutput") == "extra"
        count = len(parameters["rules"]["values"]) + int(has_fallback)
    elif kind == KETTE_TRIGGER or parameters.get("outputMode") == "byKind":
        count = len(STAGE_KINDS[Stage(parameters.get("stage", "intake"))]) + 1
    return count + int(node.get("onError") == "continueErrorOutput")
