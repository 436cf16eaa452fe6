"""What deploying does with a workflow, for every state it may be in: a merchant's work is safe."""

from __future__ import annotations

import copy
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from kette.n8n_runtime.deploy import Step, plan_step, variant
from kette.n8n_runtime.packages import build_package
from kette.n8n_runtime.workflow_files import Entry, digest, load_manifest
from support.workflows import call, credential, workflow, write_folder

SHIPPED = workflow("a", call("Call", "b"))
OLDER = workflow("a", call("Call Old", "b"))
CHANGED = workflow("a", call("Call My Own", "c"))


def entry(tmp_path: Path, kind: str) -> Entry:
    return Entry(
        id="a",
        file=tmp_path / "a.json",
        kind=kind,
        version="1.1.0",
        publish=True,
        earlier_digests=frozenset({digest(OLDER)}),
        workflow=SHIPPED,
    )


def in_n8n(content: dict[str, Any], **state: Any) -> dict[str, Any]:
    return {**copy.deepcopy(content), "versionId": "v2", "activeVersionId": "v2", **state}


@pytest.mark.parametrize("kind", ["chain", "connector"])
@pytest.mark.parametrize(
    ("existing", "installing", "upgrading"),
    [
        pytest.param(None, Step.CREATE, Step.CREATE, id="missing"),
        pytest.param(in_n8n(SHIPPED), Step.NOTHING, Step.NOTHING, id="equal"),
        pytest.param(
            in_n8n(SHIPPED, activeVersionId=None), Step.PUBLISH, Step.PUBLISH, id="not published"
        ),
        pytest.param(
            in_n8n(SHIPPED, activeVersionId="v1"),
            Step.PUBLISH,
            Step.PUBLISH,
            id="old one published",
        ),
        pytest.param(in_n8n(SHIPPED, isArchived=True), Step.CREATE, Step.CREATE, id="archived"),
        pytest.param(in_n8n(OLDER), Step.KEEP_OLDER, Step.UPDATE, id="older"),
    ],
)
def test_what_was_shipped_is_brought_up_to_date(
    kind: str,
    existing: dict[str, Any] | None,
    installing: Step,
    upgrading: Step,
    tmp_path: Path,
) -> None:
    mine = entry(tmp_path, kind)
    assert plan_step(mine, existing, upgrading=False) is installing
    assert plan_step(mine, existing, upgrading=True) is upgrading


@pytest.mark.parametrize(
    ("kind", "upgrading", "step"),
    [
        ("connector", False, Step.KEEP_CHANGED),
        ("connector", True, Step.KEEP_CHANGED),
        ("chain", False, Step.KEEP_CHANGED),
        ("chain", True, Step.REPLACE),
    ],
)
def test_a_connector_that_a_merchant_changed_is_never_overwritten(
    kind: str, upgrading: bool, step: Step, tmp_path: Path
) -> None:
    assert plan_step(entry(tmp_path, kind), in_n8n(CHANGED), upgrading=upgrading) is step


def test_an_alternative_is_taken_when_named_and_kept_when_installed(tmp_path: Path) -> None:
    other = workflow("a", call("Call S3", "b"))
    folder = write_folder(tmp_path, [SHIPPED], connectors=["a"], alternatives=[other])
    manifest = load_manifest(folder)
    standard, alternative = manifest.entries[0], manifest.alternatives[0]
    named = frozenset({"connector/a-other.json"})

    assert variant(manifest, standard, None, frozenset()) is standard
    assert variant(manifest, standard, None, named) is alternative
    assert variant(manifest, standard, in_n8n(other), frozenset()) is alternative
    assert variant(manifest, standard, in_n8n(SHIPPED), frozenset()) is standard


def unpacked(package: bytes) -> dict[str, Any]:
    with tarfile.open(fileobj=io.BytesIO(package)) as archive:
        files = {member.name: archive.extractfile(member) for member in archive.getmembers()}
        return {name: json.load(file) for name, file in files.items() if file is not None}


def test_the_same_workflows_give_the_same_package(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, [workflow("b"), SHIPPED])
    entries = load_manifest(folder).entries
    assert build_package(entries, "2.40.7") == build_package(entries, "2.40.7")


def test_a_package_says_who_calls_whom_and_who_needs_which_credential(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, [workflow("b", credential("Ask Shop")), SHIPPED])

    manifest = unpacked(build_package(load_manifest(folder).entries, "2.40.7"))["manifest.json"]

    assert manifest["requirements"]["workflows"] == [{"id": "b", "usedByWorkflows": ["a"]}]
    assert manifest["requirements"]["credentials"] == [
        {"id": "ours", "name": "Ours", "type": "httpBasicAuth", "usedByWorkflows": ["b"]}
    ]


def test_only_what_is_to_be_published_names_a_published_version(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, [workflow("b"), SHIPPED])
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["workflows"][0]["publish"] = False
    (folder / "manifest.json").write_text(json.dumps(manifest))

    files = unpacked(build_package(load_manifest(folder).entries, "2.40.7"))

    assert files["workflows/b/workflow-metadata.json"] == {"publishedVersionId": None}
    assert files["workflows/a/workflow-metadata.json"] == {
        "publishedVersionId": files["workflows/a/workflow.json"]["versionId"]
    }
