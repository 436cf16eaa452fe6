"""The manifest tells the truth about the files, and each of its rules can tell when it does not."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from kette.n8n_runtime.conventions import MANIFEST_RULES, WorkflowFile, check_manifest

Files = dict[str, WorkflowFile]


def test_manifest_fits_the_workflows(workflow_files: Files, manifest: dict[str, Any]) -> None:
    assert [str(p) for p in check_manifest(manifest, workflow_files)] == []


def entry(manifest: dict[str, Any], workflow_id: str) -> dict[str, Any]:
    found: dict[str, Any] = next(w for w in manifest["workflows"] if w["id"] == workflow_id)
    return found


BROKEN_MANIFESTS: list[tuple[str, Callable[[dict[str, Any]], object]]] = [
    ("every_file_is_listed_once", lambda m: m["workflows"].pop(0)),
    ("every_file_is_listed_once", lambda m: m["workflows"].append(m["workflows"][0])),
    (
        "entries_tell_the_truth",
        lambda m: entry(m, "ketteMailSend").update(digest="sha256:0"),
    ),
    ("entries_tell_the_truth", lambda m: entry(m, "ketteMailSend").update(name="Mail")),
    (
        "entries_tell_the_truth",
        lambda m: m["alternatives"][0].update(digest="sha256:0"),
    ),
    ("callees_come_first", lambda m: m["workflows"].reverse()),
    ("callees_come_first", lambda m: m["workflows"].remove(entry(m, "ketteMailSend"))),
    ("credentials_are_listed", lambda m: m["credentials"].pop()),
    (
        "credentials_are_listed",
        lambda m: m["credentials"].append({"id": "x", "name": "X", "type": "x"}),
    ),
    (
        "templates_are_whole",
        lambda m: m["templates"][0]["workflows"].remove("ketteMailSend"),
    ),
    (
        "templates_are_whole",
        lambda m: m["templates"][0]["workflows"].append("ketteNothing"),
    ),
    (
        "templates_are_whole",
        lambda m: m["templates"][1]["use"].append("connectors/shop/nothing.json"),
    ),
    ("templates_are_whole", lambda m: m["templates"][1]["use"].clear()),
    (
        "templates_are_whole",
        lambda m: m["templates"][3]["place"].update(ketteShopNoteWoo="connectors/nothing.json"),
    ),
    ("templates_are_whole", lambda m: m["templates"][3]["place"].pop("ketteShopNoteWoo")),
    ("alternatives_fit", lambda m: m["alternatives"][0].update(id="ketteArchiveS3")),
]


@pytest.mark.parametrize(
    ("rule", "breaker"),
    BROKEN_MANIFESTS,
    ids=[f"{i}-{row[0]}" for i, row in enumerate(BROKEN_MANIFESTS)],
)
def test_each_manifest_rule_finds_its_fault(
    workflow_files: Files,
    manifest: dict[str, Any],
    rule: str,
    breaker: Callable[[dict[str, Any]], object],
) -> None:
    broken = copy.deepcopy(manifest)
    breaker(broken)
    assert rule in {p.rule for p in check_manifest(broken, workflow_files)}


def test_every_manifest_rule_has_a_broken_example() -> None:
    assert {rule.__name__ for rule in MANIFEST_RULES} == {row[0] for row in BROKEN_MANIFESTS}
