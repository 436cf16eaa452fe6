"""Build the package file that n8n imports: a .n8np, a gzipped tar of a small tree.

The same workflows give the same bytes, and a workflow's version id follows from its content.
"""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kette.n8n_runtime.workflow_files import (
    Entry,
    Workflow,
    called_workflows,
    credential_uses,
    digest,
    node_types,
)

# n8n 2.40 reads only this format.
_FORMAT_VERSION = "1"
_SOURCE_ID = "kette"
# n8n wants a time; a real one would make equal packages differ.
_EXPORTED_AT = "2026-01-01T00:00:00.000Z"
_NAMESPACE = uuid.UUID("3f0b7e0c-7a55-5d0e-9a11-0f6f6b657474")


def build_package(entries: Sequence[Entry], n8n_version: str) -> bytes:
    """Return the package of entries; those with publish set are published on import."""
    files: dict[str, Any] = {}
    listed, tags = [], {}
    for entry in entries:
        target = f"workflows/{entry.id}"
        version_id = str(uuid.uuid5(_NAMESPACE, digest(entry.workflow)))
        listed.append({"id": entry.id, "name": entry.name, "target": target})
        files[f"{target}/workflow.json"] = _serialized(entry.workflow, version_id)
        files[f"{target}/workflow-metadata.json"] = {
            "publishedVersionId": version_id if entry.publish else None
        }
        tags.update({tag["id"]: tag["name"] for tag in entry.workflow.get("tags", ())})
    for tag_id, name in tags.items():
        files[f"tags/{tag_id}/tag.json"] = {"id": tag_id, "name": name}
    manifest = {
        "packageFormatVersion": _FORMAT_VERSION,
        "exportedAt": _EXPORTED_AT,
        "sourceN8nVersion": n8n_version,
        "sourceId": _SOURCE_ID,
        "workflows": listed,
        "tags": [
            {"id": tag_id, "name": name, "target": f"tags/{tag_id}"}
            for tag_id, name in tags.items()
        ],
        "requirements": _requirements(entries),
    }
    return _packed({"manifest.json": manifest, **files})


def _serialized(workflow: Workflow, version_id: str) -> dict[str, Any]:
    body = {key: value for key, value in workflow.items() if key != "tags"}
    tag_ids = [tag["id"] for tag in workflow.get("tags", ())]
    return {
        **body,
        "versionId": version_id,
        "parentFolderId": None,
        "isArchived": False,
        **({"tagIds": tag_ids} if tag_ids else {}),
    }


def _requirements(entries: Iterable[Entry]) -> dict[str, list[dict[str, Any]]]:
    """Say who uses what; by it n8n checks nodes and credentials and publishes callees first."""
    called: Mapping[str, set[str]] = defaultdict(set)
    types: Mapping[tuple[str, float], set[str]] = defaultdict(set)
    credentials: dict[str, dict[str, Any]] = {}
    tags: dict[str, dict[str, Any]] = {}
    for entry in entries:
        for callee in called_workflows(entry.workflow):
            called[callee].add(entry.id)
        for node_type in node_types(entry.workflow):
            types[node_type].add(entry.id)
        for _, ref in credential_uses(entry.workflow):
            users = credentials.setdefault(
                ref.id, {"id": ref.id, "name": ref.name, "type": ref.type, "users": set()}
            )
            users["users"].add(entry.id)
        for tag in entry.workflow.get("tags", ()):
            tags.setdefault(tag["id"], {**tag, "users": set()})["users"].add(entry.id)
    return {
        "workflows": [
            {"id": callee, "usedByWorkflows": sorted(users)}
            for callee, users in sorted(called.items())
        ],
        "nodeTypes": [
            {"type": name, "typeVersion": version, "usedByWorkflows": sorted(users)}
            for (name, version), users in sorted(types.items())
        ],
        "credentials": [_with_users(item) for _, item in sorted(credentials.items())],
        "tags": [_with_users(item) for _, item in sorted(tags.items())],
    }


def _with_users(item: dict[str, Any]) -> dict[str, Any]:
    return {
        **{key: value for key, value in item.items() if key != "users"},
        "usedByWorkflows": sorted(item["users"]),
    }


def _packed(files: Mapping[str, Any]) -> bytes:
    buffer = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w") as archive,
    ):
        for name, value in files.items():
            content = json.dumps(value, ensure_ascii=False).encode()
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()
