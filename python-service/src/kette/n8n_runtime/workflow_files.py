"""Workflow files and their manifest: one canonical text per workflow, and what identifies it.

n8n returns more than it was given (versions, owners, dates). A committed file holds only what a
person decided, with sorted keys, so that an export of an unchanged workflow is the same bytes.
`python -m kette.n8n_runtime.workflow_files` rewrites the files canonically and fills the digests.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from kette.n8n_runtime.credentials import CredentialRef
from kette.n8n_runtime.project import find_project

Workflow = dict[str, Any]  # n8n's own shape

_KEPT = ("id", "name", "description", "nodes", "connections", "nodeGroups", "settings")
_LEFT_OUT_WHEN_EMPTY = {"description", "nodeGroups"}
_CALLER = "n8n-nodes-base.executeWorkflow"
_STICKY_NOTE = "n8n-nodes-base.stickyNote"


class ManifestError(Exception):
    """The manifest and the workflow files do not fit together."""


@dataclass(frozen=True)
class Entry:
    """One workflow of the manifest with its content."""

    id: str
    file: Path
    kind: str
    version: str
    publish: bool
    earlier_digests: frozenset[str]
    workflow: Workflow

    @property
    def name(self) -> str:
        return str(self.workflow["name"])

    @property
    def digest(self) -> str:
        return digest(self.workflow)

    def is_ours(self, other_digest: str) -> bool:
        """Return whether a content with this digest was ever shipped as this workflow."""
        return other_digest == self.digest or other_digest in self.earlier_digests


@dataclass(frozen=True)
class Template:
    """A bundle for one kind of shop, or for several. use: files of the alternatives that it takes.

    place: id -> file, for connectors that stand under another id than their own because a workflow
    that routes between shops has taken it.
    """

    workflows: tuple[str, ...]
    use: frozenset[str]
    place: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Manifest:
    """All workflows in the order of the manifest, and the credentials they name.

    alternatives: workflows with the id of an entry that may stand in its place, such as the archive
    on S3 instead of in a folder.
    """

    folder: Path
    version: str
    entries: tuple[Entry, ...]
    alternatives: tuple[Entry, ...]
    credentials: tuple[CredentialRef, ...]
    templates: dict[str, Template]

    def template(self, name: str) -> Template:
        if name not in self.templates:
            known = ", ".join(sorted(self.templates)) or "none"
            raise ManifestError(f"There is no template {name!r}. Known templates: {known}.")
        return self.templates[name]

    def select(self, template: str | None) -> tuple[Entry, ...]:
        """Return the entries of one template with everything they call, or all entries."""
        if template is None:
            return self.entries
        bundle = self.template(template)
        by_id = {entry.id: entry for entry in self.entries}
        by_id |= {
            alternative.id: alternative
            for alternative in self.alternatives
            if self._name(alternative) in bundle.use
        }
        placed = {
            workflow_id: self._placed(workflow_id, file)
            for workflow_id, file in bundle.place.items()
        }
        by_id |= placed
        standard = {entry.id: entry for entry in self.entries} | placed
        wanted = _callees_first(bundle.workflows, by_id)
        ranks = {entry.id: rank for rank, entry in enumerate(self.entries)}
        if not placed:
            wanted = sorted(wanted, key=lambda workflow_id: ranks[workflow_id])
        return tuple(standard[workflow_id] for workflow_id in wanted)

    def _name(self, entry: Entry) -> str:
        return entry.file.relative_to(self.folder).as_posix()

    def _placed(self, workflow_id: str, file: str) -> Entry:
        """The workflow of a file under another id."""
        for entry in (*self.entries, *self.alternatives):
            if self._name(entry) == file:
                moved = {**entry.workflow, "id": workflow_id}
                return replace(entry, id=workflow_id, workflow=moved)
        raise ManifestError(f"A template places {file}, which manifest.json does not list.")


def _callees_first(wanted: Iterable[str], by_id: Mapping[str, Entry]) -> list[str]:
    """Ids of the wanted workflows and all that they call, each after those that it calls: n8n
    publishes no caller before its callee."""
    found: dict[str, None] = {}

    def take(workflow_id: str) -> None:
        if workflow_id in found or workflow_id not in by_id:
            return
        for called in called_workflows(by_id[workflow_id].workflow):
            if called != workflow_id:
                take(called)
        found[workflow_id] = None

    for workflow_id in wanted:
        take(workflow_id)
    return list(found)


def load_manifest(folder: Path) -> Manifest:
    """Read manifest.json and its workflow files. Raises ManifestError naming the file at fault."""
    raw = _read_json(folder / "manifest.json")
    entries = tuple(_entry(folder, item) for item in raw["workflows"])
    ids = [entry.id for entry in entries]
    twice = sorted({workflow_id for workflow_id in ids if ids.count(workflow_id) > 1})
    if twice:
        raise ManifestError(f"manifest.json lists twice: {', '.join(twice)}.")
    return Manifest(
        folder=folder,
        version=raw["version"],
        entries=entries,
        alternatives=tuple(_entry(folder, item) for item in raw.get("alternatives", ())),
        credentials=tuple(
            CredentialRef(item["id"], item["name"], item["type"]) for item in raw["credentials"]
        ),
        templates={
            item["id"]: Template(
                tuple(item["workflows"]), frozenset(item.get("use", ())), item.get("place", {})
            )
            for item in raw.get("templates", [])
        },
    )


def _entry(folder: Path, item: dict[str, Any]) -> Entry:
    file = folder / item["file"]
    workflow = _read_json(file)
    if workflow.get("id") != item["id"]:
        raise ManifestError(
            f"{item['file']} holds workflow {workflow.get('id')!r}, "
            f"manifest.json says {item['id']!r}."
        )
    return Entry(
        id=item["id"],
        file=file,
        kind=item["kind"],
        version=item["version"],
        publish=item.get("publish", True),
        earlier_digests=frozenset(item.get("earlier_digests", ())),
        workflow=normalise(workflow),
    )


def _read_json(file: Path) -> dict[str, Any]:
    try:
        parsed: dict[str, Any] = json.loads(file.read_text())
    except FileNotFoundError as error:
        raise ManifestError(f"{file} is missing.") from error
    except ValueError as error:
        raise ManifestError(f"{file} is not JSON: {error}") from error
    return parsed


def normalise(workflow: Workflow) -> Workflow:
    """Return what a person decided about a workflow, without what n8n adds."""
    kept = {key: workflow[key] for key in _KEPT if key in workflow}
    for key in _LEFT_OUT_WHEN_EMPTY:
        if not kept.get(key):
            kept.pop(key, None)
    tags = [{"id": tag["id"], "name": tag["name"]} for tag in workflow.get("tags") or ()]
    if tags:
        kept["tags"] = sorted(tags, key=lambda tag: str(tag["name"]))
    return kept


def canonical_text(workflow: Workflow) -> str:
    """Return the bytes of a committed file: sorted keys, two spaces, a newline at the end."""
    text = json.dumps(normalise(workflow), indent=2, sort_keys=True, ensure_ascii=False)
    return f"{text}\n"


def digest(workflow: Workflow) -> str:
    """Return the identity of a workflow's content.

    Which credential of a type a node uses is a merchant's setting, not content, as are tags; the id
    says where it stands.
    """
    content = normalise(workflow)
    content.pop("tags", None)
    content.pop("id", None)
    content["nodes"] = [
        {**node, "credentials": sorted(node["credentials"])} if node.get("credentials") else node
        for node in content["nodes"]
    ]
    compact = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(compact.encode()).hexdigest()}"


def called_workflows(workflow: Workflow) -> list[str]:
    """Return the ids of the workflows that must be published before this one."""
    called = []
    for node in workflow["nodes"]:
        target = node["parameters"].get("workflowId")
        if node["type"] == _CALLER and target:
            called.append(target["value"] if isinstance(target, dict) else target)
    error_workflow = workflow.get("settings", {}).get("errorWorkflow")
    if error_workflow and error_workflow != workflow["id"]:
        called.append(error_workflow)
    return list(dict.fromkeys(called))


def node_types(workflow: Workflow) -> set[tuple[str, float]]:
    """Return type and version of each node that n8n must know."""
    return {
        (node["type"], node["typeVersion"])
        for node in workflow["nodes"]
        if node["type"] != _STICKY_NOTE
    }


def credential_uses(workflow: Workflow) -> Iterator[tuple[str, CredentialRef]]:
    """Yield node id and credential for each credential a node names."""
    for node in workflow["nodes"]:
        for kind, named in (node.get("credentials") or {}).items():
            yield node["id"], CredentialRef(str(named["id"]), str(named["name"]), kind)


def out_of_date(folder: Path) -> list[str]:
    """Return what `python -m kette.n8n_runtime.workflow_files` would rewrite, one line per file."""
    raw = _read_json(folder / "manifest.json")
    problems = []
    for item in [*raw["workflows"], *raw.get("alternatives", ())]:
        file = folder / item["file"]
        workflow = _read_json(file)
        if file.read_text() != canonical_text(workflow):
            problems.append(f"{item['file']}: not in canonical form, run: make workflows-manifest")
        if item.get("digest") != digest(workflow):
            problems.append(f"{item['file']}: digest is old, run: make workflows-manifest")
    return problems


def rewrite(folder: Path) -> list[str]:
    """Write every workflow canonically and its digest into the manifest; return what changed.

    The digest of a version already shipped is kept in earlier_digests, by which an upgrade tells a
    merchant's change from an older version of ours.
    """
    changed = []
    file = folder / "manifest.json"
    raw = _read_json(file)
    for item in [*raw["workflows"], *raw.get("alternatives", ())]:
        workflow_file = folder / item["file"]
        workflow = _read_json(workflow_file)
        text = canonical_text(workflow)
        if workflow_file.read_text() != text:
            workflow_file.write_text(text)
            changed.append(item["file"])
        new, old = digest(workflow), item.get("digest")
        shipped_as = item.get("digest_version", item["version"])
        if old and old != new and shipped_as != item["version"]:
            item["earlier_digests"] = sorted({*item.get("earlier_digests", ()), old} - {new})
        item["digest"], item["digest_version"] = new, item["version"]
    text = f"{json.dumps(raw, indent=2, ensure_ascii=False)}\n"
    if file.read_text() != text:
        file.write_text(text)
        changed.append(file.name)
    return changed


def main() -> int:
    for name in rewrite(find_project().workflows):
        print(f"written: {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
