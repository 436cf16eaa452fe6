"""Workflow files: one canonical text, one digest, and a manifest that fits the files."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from kette.n8n_runtime.workflow_files import (
    ManifestError,
    called_workflows,
    canonical_text,
    digest,
    load_manifest,
    out_of_date,
    rewrite,
)
from support.workflows import call, credential, workflow, write_folder

# What n8n adds to a workflow that it returns.
ADDED_BY_N8N: dict[str, Any] = {
    "active": True,
    "activeVersionId": "b",
    "createdAt": "2026-01-01T00:00:00.000Z",
    "isArchived": False,
    "meta": None,
    "nodeGroups": [],
    "pinData": None,
    "shared": [],
    "staticData": {"secret": "x"},
    "triggerCount": 1,
    "updatedAt": "2026-01-01T00:00:00.000Z",
    "versionId": "b",
}


def test_an_unchanged_workflow_comes_back_as_the_same_bytes() -> None:
    mine = workflow("a", tags=[{"id": "t1", "name": "kette"}])
    returned = {**ADDED_BY_N8N, **copy.deepcopy(mine)}
    returned["tags"] = [{"id": "t1", "name": "kette", "createdAt": "2026"}]

    assert canonical_text(returned) == canonical_text(mine)
    assert digest(returned) == digest(mine)


def test_the_canonical_text_has_sorted_keys_and_readable_letters() -> None:
    text = canonical_text({"nodes": [], "name": "Kette · Übergabe", "id": "a", "connections": {}})
    assert text == (
        '{\n  "connections": {},\n  "id": "a",\n  "name": "Kette · Übergabe",\n  "nodes": []\n}\n'
    )


@pytest.mark.parametrize("change", [{"id": "other"}, {"name": "Live"}])
def test_which_credential_a_node_uses_is_a_setting_and_no_content(change: dict[str, str]) -> None:
    mine = workflow("a", credential("Call Shop"))
    theirs = copy.deepcopy(mine)
    theirs["nodes"][0]["credentials"]["httpBasicAuth"].update(change)
    assert digest(theirs) == digest(mine)


def test_another_type_of_credential_changes_the_digest() -> None:
    mine = workflow("a", credential("Call Shop"))
    theirs = copy.deepcopy(mine)
    named = theirs["nodes"][0]["credentials"]
    named["httpHeaderAuth"] = named.pop("httpBasicAuth")
    assert digest(theirs) != digest(mine)


@pytest.mark.parametrize("key", ["parameters", "position", "typeVersion", "name", "disabled"])
def test_a_changed_node_changes_the_digest(key: str) -> None:
    mine = workflow("a", call("Call Connector", "b"))
    theirs = copy.deepcopy(mine)
    theirs["nodes"][0][key] = {"other": 1} if key == "parameters" else [9, 9]
    assert digest(theirs) != digest(mine)


def test_called_workflows_are_found_in_both_notations_and_with_the_error_workflow() -> None:
    listed = call("Call Listed", "b")
    plain = call("Call Plain", "c")
    plain["parameters"]["workflowId"] = "c"
    caller = workflow("a", listed, plain, settings={"errorWorkflow": "errors"})
    assert called_workflows(caller) == ["b", "c", "errors"]


def test_an_error_workflow_does_not_wait_for_itself() -> None:
    assert called_workflows(workflow("errors", settings={"errorWorkflow": "errors"})) == []


def test_a_template_takes_along_what_it_calls(tmp_path: Path) -> None:
    write_folder(
        tmp_path,
        [workflow("errors"), workflow("b"), workflow("a", call("Call", "b")), workflow("other")],
        templates=[{"id": "small", "workflows": ["a", "errors"]}],
    )

    selected = load_manifest(tmp_path).select("small")

    assert [entry.id for entry in selected] == ["errors", "b", "a"]


def test_an_unknown_template_is_told_with_the_known_ones(tmp_path: Path) -> None:
    write_folder(tmp_path, [workflow("a")], templates=[{"id": "small", "workflows": ["a"]}])
    with pytest.raises(ManifestError, match=r"no template 'large'.*small"):
        load_manifest(tmp_path).select("large")


def test_a_file_that_holds_another_workflow_is_refused(tmp_path: Path) -> None:
    write_folder(tmp_path, [workflow("a")])
    (tmp_path / "chain" / "a.json").write_text(json.dumps(workflow("b")))
    with pytest.raises(ManifestError, match=r"chain/a\.json holds workflow 'b'"):
        load_manifest(tmp_path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    write_folder(tmp_path, [workflow("a")])
    (tmp_path / "chain" / "a.json").unlink()
    with pytest.raises(ManifestError, match=r"a\.json is missing"):
        load_manifest(tmp_path)


def test_rewriting_twice_changes_nothing_the_second_time(tmp_path: Path) -> None:
    write_folder(tmp_path, [workflow("a")])
    (tmp_path / "chain" / "a.json").write_text(json.dumps(workflow("a")))
    assert out_of_date(tmp_path) == [
        "chain/a.json: not in canonical form, run: make workflows-manifest"
    ]

    assert rewrite(tmp_path) == ["chain/a.json"]
    assert rewrite(tmp_path) == []
    assert out_of_date(tmp_path) == []


def test_a_new_version_remembers_the_digest_of_the_shipped_one(tmp_path: Path) -> None:
    first = workflow("a")
    write_folder(tmp_path, [first])
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    manifest["workflows"][0]["version"] = "1.1.0"
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    (tmp_path / "chain" / "a.json").write_text(canonical_text(workflow("a", call("New", "b"))))

    rewrite(tmp_path)

    entry = load_manifest(tmp_path).entries[0]
    assert entry.version == "1.1.0"
    assert entry.is_ours(digest(first))
    assert entry.digest != digest(first)


def test_work_on_an_unshipped_version_leaves_no_digests_behind(tmp_path: Path) -> None:
    first = workflow("a")
    write_folder(tmp_path, [first])
    (tmp_path / "chain" / "a.json").write_text(canonical_text(workflow("a", call("New", "b"))))

    rewrite(tmp_path)

    assert not load_manifest(tmp_path).entries[0].is_ours(digest(first))
