"""Bring the committed workflows into an n8n and make sure that they run there.

Deploying compares contents first and imports only what is missing or older, so a second run
changes nothing. A connector is a merchant's to change: it is replaced only while its content is one
that was shipped. n8n answers 200 even where publishing failed, so every state is checked.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from kette.n8n_runtime.credentials import CredentialRef
from kette.n8n_runtime.packages import build_package
from kette.n8n_runtime.rest import N8nApi, N8nApiError
from kette.n8n_runtime.workflow_files import (
    Entry,
    Manifest,
    Workflow,
    canonical_text,
    credential_uses,
    digest,
    load_manifest,
)

N8N_VERSION = "2.40.7"
CONNECTOR = "connector"


class DeployError(Exception):
    """Workflows could not be brought in; the message names each and what to do."""


class Step(StrEnum):
    """What deploying does with one workflow."""

    CREATE = "installed"
    UPDATE = "upgraded"
    REPLACE = "replaced a local change (it stays in n8n's version history)"
    PUBLISH = "published"
    NOTHING = "unchanged"
    KEEP_OLDER = "left at another version, run: kette workflows upgrade"
    KEEP_CHANGED = "kept, changed by its owner"


_IMPORTED = {Step.CREATE, Step.UPDATE, Step.REPLACE}


@dataclass(frozen=True)
class Outcome:
    """What was done with one workflow."""

    entry: Entry
    step: Step


def variant(manifest: Manifest, entry: Entry, existing: Workflow | None, use: Set[str]) -> Entry:
    """Return entry, or the alternative of it that use names or n8n already runs."""
    for alternative in manifest.alternatives:
        if alternative.id != entry.id:
            continue
        if alternative.file.relative_to(manifest.folder).as_posix() in use:
            return alternative
        if existing is not None and not use and alternative.is_ours(digest(existing)):
            return alternative
    return entry


def plan_step(entry: Entry, existing: Workflow | None, *, upgrading: bool) -> Step:
    """Return what to do with a workflow, given what n8n holds; see the module's rule."""
    if existing is None or existing.get("isArchived"):
        return Step.CREATE
    found = digest(existing)
    if found == entry.digest:
        needs_publishing = entry.publish and not _is_published(existing)
        return Step.PUBLISH if needs_publishing else Step.NOTHING
    if not upgrading:
        return Step.KEEP_OLDER if entry.is_ours(found) else Step.KEEP_CHANGED
    if entry.is_ours(found):
        return Step.UPDATE
    return Step.KEEP_CHANGED if entry.kind == CONNECTOR else Step.REPLACE


def _is_published(workflow: Workflow) -> bool:
    live = workflow.get("activeVersionId")
    return live is not None and live == workflow.get("versionId")


def deploy(
    api: N8nApi,
    folder: Path,
    *,
    template: str | None = None,
    upgrading: bool = False,
    use: Set[str] = frozenset(),
) -> list[Outcome]:
    """Install the workflows of folder in n8n and publish them; return what was done with each.

    upgrading also replaces older versions; use names files of alternatives to take. Raises
    DeployError when a credential or node is missing or a workflow could not be published.
    """
    manifest = load_manifest(folder)
    selected = manifest.select(template)
    if template is not None:
        use = use | manifest.template(template).use
    existing = {entry.id: api.workflow(entry.id) for entry in selected}
    chosen = [variant(manifest, entry, existing[entry.id], use) for entry in selected]
    outcomes = [
        Outcome(entry, plan_step(entry, existing[entry.id], upgrading=upgrading))
        for entry in chosen
    ]
    imported = [outcome.entry for outcome in outcomes if outcome.step in _IMPORTED]
    if imported:
        bindings = _bind_credentials(manifest, imported, existing, list(api.credentials()))
        _import(api, imported, bindings)
    for outcome in outcomes:
        if outcome.step is Step.PUBLISH:
            _publish(api, outcome.entry)
    return outcomes


def _import(api: N8nApi, entries: Sequence[Entry], bindings: Mapping[str, str]) -> None:
    options = {
        "workflowConflictPolicy": "new-version",
        "workflowIdPolicy": "source",
        "workflowPublishingPolicy": "match-source",
        "credentialMatchingMode": "id-only",
        "credentialMissingMode": "must-preexist",
        "missingNodeTypeMode": "fail",
        "bindings": json.dumps({"credentials": dict(bindings)}),
    }
    try:
        answer = api.import_package(build_package(entries, N8N_VERSION), options)
    except N8nApiError as error:
        raise DeployError(
            f"{error}\nNothing was imported. A node type that n8n does not know means that the "
            "package n8n-nodes-kette or a newer n8n must be installed first."
        ) from error
    states = {item["localId"]: item["publishing"] for item in answer["workflows"]}
    failed = [
        f"{entry.name} ({entry.id}): {_publishing_problem(states.get(entry.id))}"
        for entry in entries
        if entry.publish and (states.get(entry.id) or {}).get("state") != "published"
    ]
    if failed:
        raise DeployError(
            "Imported, but not published:\n  "
            + "\n  ".join(failed)
            + "\nRepair the cause in n8n and run the command again; it continues where it stopped."
        )


def _publishing_problem(publishing: Mapping[str, Any] | None) -> str:
    if publishing is None:
        return "n8n's answer does not mention it"
    known = ("error", "blockedReason", "skippedPublishReason")
    return "; ".join(str(publishing[key]) for key in known if publishing.get(key)) or str(
        publishing
    )


def _publish(api: N8nApi, entry: Entry) -> None:
    try:
        api.publish(entry.id)
    except N8nApiError as error:
        raise DeployError(f"{entry.name} ({entry.id}) could not be published: {error}") from error


def _bind_credentials(
    manifest: Manifest,
    entries: Iterable[Entry],
    existing: Mapping[str, Workflow | None],
    present: Sequence[Mapping[str, Any]],
) -> dict[str, str]:
    """Return our credential id -> the one to use in this n8n, keeping what a merchant chose.

    Order: the credential the installed workflow uses, the same id, the same name and type, the only
    one of the type.
    """
    chosen: dict[str, str] = {}
    users: dict[CredentialRef, list[str]] = {}
    ids = {str(item["id"]) for item in present}
    for entry in entries:
        in_use = {
            (node_id, ref.type): ref.id
            for node_id, ref in credential_uses(existing.get(entry.id) or {"nodes": []})
        }
        for node_id, ref in credential_uses(entry.workflow):
            users.setdefault(ref, []).append(entry.name)
            kept = in_use.get((node_id, ref.type))
            if kept in ids:
                chosen.setdefault(ref.id, str(kept))
    missing = []
    for ref, workflow_names in users.items():
        found = chosen.get(ref.id) or _matching(ref, present)
        if found is None:
            names = ", ".join(sorted(set(workflow_names)))
            missing.append(f"{ref.name!r} (type {ref.type}), used by {names}")
        else:
            chosen[ref.id] = found
    if missing:
        raise DeployError(
            "Credentials are missing in n8n:\n  "
            + "\n  ".join(missing)
            + "\nCreate them in n8n under Credentials with exactly these names and run again."
        )
    return chosen


def _matching(ref: CredentialRef, present: Sequence[Mapping[str, Any]]) -> str | None:
    same_type = [item for item in present if item["type"] == ref.type]
    same_name = [item for item in same_type if item["name"] == ref.name]
    if any(item["id"] == ref.id for item in same_type):
        return ref.id
    for candidates in (same_name, same_type):
        if len(candidates) == 1:
            return str(candidates[0]["id"])
    return None


def export(api: N8nApi, folder: Path) -> list[Path]:
    """Write the workflows of the manifest as n8n holds them; return the files that changed."""
    written = []
    manifest = load_manifest(folder)
    for standard in manifest.entries:
        workflow = api.workflow(standard.id)
        if workflow is None:
            raise DeployError(f"{standard.name} ({standard.id}) is not in this n8n; install it.")
        entry = variant(manifest, standard, workflow, frozenset())
        text = canonical_text(_with_our_credentials(workflow, entry.workflow))
        if entry.file.read_text() != text:
            entry.file.write_text(text)
            written.append(entry.file)
    return written


def _with_our_credentials(workflow: Workflow, committed: Workflow) -> Workflow:
    """Put back the fixed credential ids, where n8n holds a merchant's own of the same type."""
    ours = {(node_id, ref.type): ref for node_id, ref in credential_uses(committed)}
    nodes = []
    for node in workflow["nodes"]:
        named = {
            kind: {"id": ref.id, "name": ref.name}
            if (ref := ours.get((node["id"], kind)))
            else value
            for kind, value in (node.get("credentials") or {}).items()
        }
        nodes.append({**node, "credentials": named} if named else node)
    return {**workflow, "nodes": nodes}
