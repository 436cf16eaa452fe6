"""The committed workflows in a real n8n: installed, published, unchanged by a second run, exported
as the same bytes, upgraded without touching what a merchant changed."""

from __future__ import annotations

import copy
import json
import shutil
import zlib
from pathlib import Path
from typing import Any

import pytest
from kette.n8n_runtime.deploy import DeployError, Outcome, Step, deploy, export
from kette.n8n_runtime.process import N8n
from kette.n8n_runtime.project import Project
from kette.n8n_runtime.rest import N8nApi
from kette.n8n_runtime.workflow_files import load_manifest, rewrite
from support.workflows import call, credential, start, workflow, write_folder


def steps(outcomes: list[Outcome]) -> dict[str, Step]:
    return {outcome.entry.id: outcome.step for outcome in outcomes}


@pytest.fixture
def api(bare_n8n: N8n) -> N8nApi:
    return bare_n8n.api


@pytest.fixture
def committed(project: Project, tmp_path: Path) -> Path:
    """A copy of the committed workflows that a test may change."""
    return shutil.copytree(
        project.workflows, tmp_path / "workflows", ignore=shutil.ignore_patterns("runtime")
    )


def test_the_first_run_installs_and_publishes_everything(
    installed: list[Outcome], api: N8nApi
) -> None:
    assert set(steps(installed).values()) == {Step.CREATE}
    for outcome in installed:
        found = api.workflow(outcome.entry.id)
        assert found is not None
        assert found["active"] is outcome.entry.publish, outcome.entry.name
        assert found["activeVersionId"] == found["versionId"]


@pytest.mark.usefixtures("installed")
def test_a_second_run_changes_nothing(api: N8nApi, project: Project) -> None:
    ids = [entry.id for entry in load_manifest(project.workflows).entries]
    before = [api.workflow(workflow_id) for workflow_id in ids]

    outcomes = deploy(api, project.workflows)
    upgraded = deploy(api, project.workflows, upgrading=True)

    assert set(steps(outcomes).values()) == {Step.NOTHING}
    assert set(steps(upgraded).values()) == {Step.NOTHING}
    assert [api.workflow(workflow_id) for workflow_id in ids] == before


@pytest.mark.usefixtures("installed")
def test_an_export_writes_the_committed_bytes(api: N8nApi, committed: Path) -> None:
    files = [entry.file for entry in load_manifest(committed).entries]
    before = {file: file.read_bytes() for file in files}
    for file in files:
        content = json.loads(file.read_text())
        file.write_text(json.dumps({**content, "meta": {"from": "nowhere"}}))

    written = export(api, committed)

    assert {file.name for file in written} == {file.name for file in files}
    assert {file: file.read_bytes() for file in files} == before


@pytest.mark.usefixtures("installed")
def test_an_unpublished_workflow_is_published_again(api: N8nApi, project: Project) -> None:
    entry = load_manifest(project.workflows).entries[-1]
    api.unpublish(entry.id)

    outcomes = steps(deploy(api, project.workflows))

    assert outcomes.pop(entry.id) is Step.PUBLISH
    assert set(outcomes.values()) == {Step.NOTHING}
    found = api.workflow(entry.id)
    assert found is not None
    assert found["active"]


# --- with small workflows of the test's own ---------------------------------------------------


class Merchant:
    """A merchant's n8n with a chain workflow and a connector of the test's own."""

    def __init__(self, api: N8nApi, folder: Path, prefix: str) -> None:
        self.api = api
        self.folder = folder
        self.chain_id = f"{prefix}Chain"
        self.connector_id = f"{prefix}Connector"

    def ship(self, version: str, *connector_nodes: dict[str, Any]) -> None:
        """Write a version of both workflows, keeping the digests of the version before."""
        connector = workflow(self.connector_id, start(), *connector_nodes)
        chain = workflow(self.chain_id, start(), call(f"Call {version}", self.connector_id))
        if not (self.folder / "manifest.json").exists():
            write_folder(
                self.folder, [connector, chain], connectors=[self.connector_id], version=version
            )
            return
        manifest = json.loads((self.folder / "manifest.json").read_text())
        for item, content in zip(manifest["workflows"], (connector, chain), strict=True):
            item["version"] = version
            (self.folder / item["file"]).write_text(json.dumps(content))
        (self.folder / "manifest.json").write_text(json.dumps(manifest))
        rewrite(self.folder)

    def change(self, workflow_id: str, node: dict[str, Any]) -> None:
        """Change a workflow as a person does in the editor."""
        found = self.api.workflow(workflow_id)
        assert found is not None
        body = {key: copy.deepcopy(found[key]) for key in ("name", "connections", "settings")}
        self.api.update_workflow(workflow_id, {**body, "nodes": [*found["nodes"], node]})

    def node_names(self, workflow_id: str) -> list[str]:
        found = self.api.workflow(workflow_id)
        assert found is not None
        assert found["active"]
        return [node["name"] for node in found["nodes"]]


@pytest.fixture
def merchant(api: N8nApi, tmp_path: Path, request: pytest.FixtureRequest) -> Merchant:
    made = Merchant(api, tmp_path / "shipped", f"t{zlib.crc32(request.node.name.encode()):08x}")
    made.ship("1.0.0", credential("Call Shop", "ketteSendcl000001", "Sendcloud"))
    deploy(api, made.folder)
    return made


def test_an_upgrade_replaces_what_was_shipped(merchant: Merchant) -> None:
    merchant.ship("1.1.0", credential("Call New Shop", "ketteSendcl000001", "Sendcloud"))

    assert set(steps(deploy(merchant.api, merchant.folder)).values()) == {Step.KEEP_OLDER}
    outcomes = steps(deploy(merchant.api, merchant.folder, upgrading=True))

    assert set(outcomes.values()) == {Step.UPDATE}
    assert merchant.node_names(merchant.connector_id) == ["Start", "Call New Shop"]
    assert merchant.node_names(merchant.chain_id) == ["Start", "Call 1.1.0"]


def test_an_upgrade_keeps_a_connector_that_a_merchant_changed(merchant: Merchant) -> None:
    merchant.change(merchant.connector_id, credential("My Shop", "ketteSendcl000001"))
    merchant.change(merchant.chain_id, call("My Call", merchant.connector_id))
    merchant.ship("1.1.0", credential("Call New Shop", "ketteSendcl000001", "Sendcloud"))

    outcomes = steps(deploy(merchant.api, merchant.folder, upgrading=True))

    assert outcomes == {
        merchant.connector_id: Step.KEEP_CHANGED,
        merchant.chain_id: Step.REPLACE,
    }
    assert merchant.node_names(merchant.connector_id) == ["Start", "Call Shop", "My Shop"]
    assert merchant.node_names(merchant.chain_id) == ["Start", "Call 1.1.0"]


def test_an_upgrade_keeps_the_credential_that_a_merchant_chose(merchant: Merchant) -> None:
    own = merchant.api.create_credential(
        "Second Account", "httpBasicAuth", {"user": "a", "password": "b"}
    )
    found = merchant.api.workflow(merchant.connector_id)
    assert found is not None
    nodes = copy.deepcopy(found["nodes"])
    nodes[1]["credentials"]["httpBasicAuth"] = {"id": own, "name": "Second Account"}
    body = {key: found[key] for key in ("name", "connections", "settings")}
    merchant.api.update_workflow(merchant.connector_id, {**body, "nodes": nodes})
    # The node keeps its id, so the upgrade can tell which credential belongs to it.
    merchant.ship(
        "1.1.0",
        credential("Call Shop", "ketteSendcl000001", "Sendcloud"),
        credential("Call Again", "ketteSendcl000001", "Sendcloud"),
    )

    outcomes = steps(deploy(merchant.api, merchant.folder, upgrading=True))

    assert outcomes[merchant.connector_id] is Step.UPDATE
    upgraded = merchant.api.workflow(merchant.connector_id)
    assert upgraded is not None
    assert upgraded["nodes"][1]["credentials"]["httpBasicAuth"]["id"] == own


def test_a_missing_credential_is_named_with_the_workflow(api: N8nApi, tmp_path: Path) -> None:
    unknown = credential("Call Shop")
    unknown["credentials"] = {"httpDigestAuth": {"id": "nowhere", "name": "Shop Login"}}
    folder = write_folder(tmp_path, [workflow("tMissingCredential", start(), unknown)])

    with pytest.raises(DeployError, match=r"(?s)Shop Login.*httpDigestAuth.*Test tMissingCred"):
        deploy(api, folder)

    assert api.workflow("tMissingCredential") is None


def test_a_node_type_that_n8n_does_not_know_stops_the_import(api: N8nApi, tmp_path: Path) -> None:
    unknown = {**start(), "type": "n8n-nodes-nowhere.thing", "id": "x", "name": "Thing"}
    folder = write_folder(tmp_path, [workflow("tMissingNode", start(), unknown)])

    with pytest.raises(DeployError, match=r"(?s)Nothing was imported.*must be installed"):
        deploy(api, folder)

    assert api.workflow("tMissingNode") is None


def test_a_workflow_that_cannot_be_published_is_named(api: N8nApi, tmp_path: Path) -> None:
    # Its callee is in no n8n, so n8n refuses to publish the caller.
    folder = write_folder(tmp_path, [workflow("tLonely", start(), call("Call", "tNobodyHere"))])

    with pytest.raises(DeployError, match="tLonely"):
        deploy(api, folder)
