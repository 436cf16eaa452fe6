"""Small workflows and folders with a manifest, for tests of the code that deploys them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kette.n8n_runtime.workflow_files import canonical_text, rewrite

Workflow = dict[str, Any]


def node(name: str, kind: str, **parameters: Any) -> dict[str, Any]:
    return {
        "id": f"id-{name}",
        "name": name,
        "parameters": parameters,
        "position": [0, 0],
        "type": f"n8n-nodes-base.{kind}",
        "typeVersion": 1,
    }


def call(name: str, workflow_id: str) -> dict[str, Any]:
    """A node that runs another workflow."""
    target = {"__rl": True, "mode": "list", "value": workflow_id}
    return {**node(name, "executeWorkflow", workflowId=target), "typeVersion": 1.3}


def start() -> dict[str, Any]:
    """The trigger of a workflow that others call."""
    return {
        **node("Start", "executeWorkflowTrigger", inputSource="passthrough"),
        "typeVersion": 1.1,
    }


def credential(name: str, credential_id: str = "ours", label: str = "Ours") -> dict[str, Any]:
    """A node that uses a credential."""
    used = {"httpBasicAuth": {"id": credential_id, "name": label}}
    return {**node(name, "httpRequest", url="http://127.0.0.1:9"), "credentials": used}


def workflow(workflow_id: str, *nodes: dict[str, Any], **more: Any) -> Workflow:
    return {
        "id": workflow_id,
        "name": f"Test {workflow_id}",
        "nodes": list(nodes),
        "connections": {},
        "settings": {"executionOrder": "v1"},
        **more,
    }


def write_folder(
    folder: Path,
    workflows: Sequence[Workflow],
    *,
    connectors: Sequence[str] = (),
    templates: Sequence[dict[str, Any]] = (),
    alternatives: Sequence[Workflow] = (),
    version: str = "1.0.0",
) -> Path:
    """Write workflow files and a manifest with their digests; connectors names those by id."""
    listed = []
    for item in workflows:
        kind = "connector" if item["id"] in connectors else "chain"
        listed.append(_write(folder, item, f"{kind}/{item['id']}.json", kind, version))
    others = [
        _write(folder, item, f"connector/{item['id']}-other.json", "connector", version)
        for item in alternatives
    ]
    manifest = {
        "format": 1,
        "version": version,
        "credentials": [],
        "workflows": listed,
        "alternatives": others,
        "templates": list(templates),
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    rewrite(folder)
    return folder


def _write(folder: Path, item: Workflow, name: str, kind: str, version: str) -> dict[str, Any]:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(canonical_text(item))
    return {"id": item["id"], "file": name, "kind": kind, "version": version}
