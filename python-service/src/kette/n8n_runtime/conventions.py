"""What every committed workflow keeps to, as checks that need no n8n.

A check is a pure function of the parsed files; it names the file, the node and what to do. The
rules of one node and of the connections between nodes are in node_conventions and
flow_conventions. Not checked here: whether n8n accepts the workflow; the end-to-end tests prove it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kette.n8n_runtime.canvas_conventions import CANVAS_RULES
from kette.n8n_runtime.flow_conventions import FLOW_RULES
from kette.n8n_runtime.node_conventions import NODE_RULES
from kette.n8n_runtime.workflow_files import (
    Workflow,
    called_workflows,
    canonical_text,
    credential_uses,
    digest,
)

ERROR_HANDLER = "ketteChain00Errors"
TOP_KEYS = frozenset({"id", "name", "nodes", "connections", "settings", "tags"})
INSTANCE_KEYS = frozenset({"pinData", "meta", "staticData", "versionId", "active", "shared"})
WORKFLOW_ID = re.compile(r"kette[A-Za-z0-9]{1,16}")
CHAIN_NAME = re.compile(r"Kette (\d\d) · [A-Z].*")
CONNECTOR_NAME = re.compile(r"Kette · [A-Z][a-z]+: [A-Z].*")
ABOUT_PARTS = ("**Trigger:**", "**Input:**", "**Output:**", "**On failure:**", "**Doc:**")
SAVE_SETTINGS = ("saveDataSuccessExecution", "saveDataErrorExecution", "saveExecutionProgress")
ENTRY_NUMBER = "05"


@dataclass(frozen=True)
class Problem:
    """One thing that breaks a convention. `file` is relative to the workflow folder."""

    rule: str
    file: str
    node: str
    advice: str

    def __str__(self) -> str:
        place = f"{self.file}, node {self.node!r}" if self.node else self.file
        return f"{place}: {self.advice} [{self.rule}]"


@dataclass(frozen=True)
class WorkflowFile:
    """A workflow file as committed: its path in the folder, its bytes as text, its content."""

    path: str
    text: str
    workflow: Workflow

    @property
    def is_chain(self) -> bool:
        return self.path.startswith("chain/")

    @property
    def is_connector(self) -> bool:
        return self.path.startswith("connectors/")


Advice = tuple[str, str]  # node name or "", what to do
WorkflowRule = Callable[[WorkflowFile], Iterator[Advice]]
ManifestRule = Callable[[Mapping[str, Any], Mapping[str, WorkflowFile]], Iterator[tuple[str, str]]]


def check_workflow(file: WorkflowFile) -> list[Problem]:
    """Return everything in one file that breaks a rule."""
    found = [
        Problem(rule.__name__, file.path, node, advice)
        for rule in WORKFLOW_RULES
        for node, advice in rule(file)
    ]
    for flow_rule in (*FLOW_RULES, *CANVAS_RULES):
        for node, advice in flow_rule(file.workflow, is_connector=file.is_connector):
            found.append(Problem(flow_rule.__name__, file.path, node, advice))
    for node_rule in NODE_RULES:
        for content in file.workflow["nodes"]:
            for advice in node_rule(content):
                found.append(Problem(node_rule.__name__, file.path, content["name"], advice))
    return found


def check_manifest(manifest: Mapping[str, Any], files: Mapping[str, WorkflowFile]) -> list[Problem]:
    """Return everything in which the manifest and the files (by path) do not fit together."""
    return [
        Problem(rule.__name__, path, "", advice)
        for rule in MANIFEST_RULES
        for path, advice in rule(manifest, files)
    ]


# -- rules of one file ----------------------------------------------------------------------------
def file_is_canonical(file: WorkflowFile) -> Iterator[Advice]:
    if file.text != canonical_text(file.workflow):
        yield "", "is not in canonical form; run: python -m kette.n8n_runtime.workflow_files"


def nothing_of_an_instance(file: WorkflowFile) -> Iterator[Advice]:
    extra = sorted((set(file.workflow) - TOP_KEYS) | (_all_keys(file.workflow) & INSTANCE_KEYS))
    if extra:
        yield "", f"holds {', '.join(extra)}, which belongs to one n8n; remove it"


def _all_keys(value: object) -> set[str]:
    if isinstance(value, dict):
        return set(value).union(*(_all_keys(inner) for inner in value.values()))
    if isinstance(value, list):
        return set().union(*(_all_keys(inner) for inner in value))
    return set()


def id_is_fixed_and_short(file: WorkflowFile) -> Iterator[Advice]:
    if not WORKFLOW_ID.fullmatch(str(file.workflow["id"])):
        yield "", "needs an id of letters and digits that begins with kette, at most 21 long"


def name_fits_file(file: WorkflowFile) -> Iterator[Advice]:
    name = str(file.workflow["name"])
    if file.is_connector:
        if not CONNECTOR_NAME.fullmatch(name):
            yield "", "needs a name like 'Kette · Shop: Add note in WooCommerce'"
        return
    match = CHAIN_NAME.fullmatch(name)
    number = match.group(1) if match else ""
    steps_by_ten = number.endswith("0") or number == ENTRY_NUMBER
    if not match or not steps_by_ten or not Path(file.path).name.startswith(f"{number}-"):
        yield "", "needs a name like 'Kette 10 · Order intake' and its number before the file name"


def settings_are_explicit(file: WorkflowFile) -> Iterator[Advice]:
    settings = file.workflow["settings"]
    wanted = {"executionOrder": "v1", "timezone": "Europe/Berlin"}
    for key, value in wanted.items():
        if settings.get(key) != value:
            yield "", f"settings.{key} must be {value!r}"
    for key in ("callerPolicy", *SAVE_SETTINGS):
        if key not in settings:
            yield "", f"settings.{key} must be set, the default differs between n8n instances"
    if not 0 < settings.get("executionTimeout", 0) <= 3600:
        yield "", "settings.executionTimeout must be set, at most an hour"


def error_handler_is_named(file: WorkflowFile) -> Iterator[Advice]:
    named = file.workflow["settings"].get("errorWorkflow")
    if file.workflow["id"] == ERROR_HANDLER:
        if named:
            yield "", "the error handler must not name an error workflow, it would call itself"
    elif named != ERROR_HANDLER:
        yield "", f"settings.errorWorkflow must be {ERROR_HANDLER!r}"


def canvas_says_what_it_is(file: WorkflowFile) -> Iterator[Advice]:
    notes = [n for n in file.workflow["nodes"] if n["type"] == "n8n-nodes-base.stickyNote"]
    about = [n for n in notes if n["name"] == "About This Workflow"]
    if len(about) != 1:
        yield "", "needs one sticky note 'About This Workflow'"
        return
    text = about[0]["parameters"].get("content", "")
    for part in (f"## {file.workflow['name']}\n", *ABOUT_PARTS):
        if part not in text:
            yield "About This Workflow", f"must contain {part.strip()}"
    top = min(n["position"][1] for n in file.workflow["nodes"])
    if about[0]["position"][1] != top:
        yield "About This Workflow", "must be at the top"


def names_and_ids_are_unique(file: WorkflowFile) -> Iterator[Advice]:
    for key in ("name", "id"):
        values = [str(node[key]) for node in file.workflow["nodes"]]
        for value in sorted({v for v in values if values.count(v) > 1}):
            yield value, f"another node has the same {key}"


def places_are_unique(file: WorkflowFile) -> Iterator[Advice]:
    seen: dict[tuple[int, int], str] = {}
    for node in file.workflow["nodes"]:
        place = (node["position"][0], node["position"][1])
        if place in seen:
            yield node["name"], f"lies on {seen[place]!r}; move one of them"
        seen[place] = node["name"]


def fast_path_has_no_expressions(file: WorkflowFile) -> Iterator[Advice]:
    """One expression costs an entry two thirds of its throughput (a sandbox is built per run). What
    reads from the vendor waits for the vendor far longer, and cannot do without."""
    nodes = file.workflow["nodes"]
    reading = ("handInReading", "next")
    reads = any(node["parameters"].get("operation") in reading for node in nodes)
    if file.is_chain and not reads and Path(file.path).name.startswith(f"{ENTRY_NUMBER}-"):
        for node in file.workflow["nodes"]:
            if '"=' in canonical_json(node["parameters"]):
                yield node["name"], "an entry must not use expressions; use static values"


def canonical_json(value: object) -> str:
    """Compact JSON, so that a string value that is an expression begins with the two bytes \"=."""
    return json.dumps(value, ensure_ascii=False)


WORKFLOW_RULES: tuple[WorkflowRule, ...] = (
    file_is_canonical,
    nothing_of_an_instance,
    id_is_fixed_and_short,
    name_fits_file,
    settings_are_explicit,
    error_handler_is_named,
    canvas_says_what_it_is,
    names_and_ids_are_unique,
    places_are_unique,
    fast_path_has_no_expressions,
)


# -- rules of the manifest -------------------------------------------------------------------------
def every_file_is_listed_once(
    manifest: Mapping[str, Any], files: Mapping[str, WorkflowFile]
) -> Iterator[tuple[str, str]]:
    listed = [item["file"] for item in _items(manifest)]
    for path in sorted(set(files) - set(listed)):
        yield path, "is not in manifest.json"
    for path in sorted(set(listed) - set(files)):
        yield "manifest.json", f"lists {path}, which does not exist"
    for path in sorted({p for p in listed if listed.count(p) > 1}):
        yield "manifest.json", f"lists {path} twice"
    ids = [item["id"] for item in manifest["workflows"]]
    for workflow_id in sorted({i for i in ids if ids.count(i) > 1}):
        yield "manifest.json", f"uses the id {workflow_id} twice"


def entries_tell_the_truth(
    manifest: Mapping[str, Any], files: Mapping[str, WorkflowFile]
) -> Iterator[tuple[str, str]]:
    for item in _items(manifest):
        if item["file"] not in files:
            continue
        workflow = files[item["file"]].workflow
        error_handler = workflow["settings"].get("errorWorkflow")
        truth = {
            "id": workflow["id"],
            "name": workflow["name"],
            "digest": digest(workflow),
            "calls": sorted(set(called_workflows(workflow)) - {error_handler}),
            "credentials": sorted({ref.id for _, ref in credential_uses(workflow)}),
        }
        for key, value in truth.items():
            if item.get(key) != value:
                yield item["file"], f"manifest.json must give its {key} as {value}"


def callees_come_first(
    manifest: Mapping[str, Any], files: Mapping[str, WorkflowFile]
) -> Iterator[tuple[str, str]]:
    """n8n publishes in the manifest's order and refuses a caller whose callee is not published."""
    published: set[str] = set()
    every_id = {item["id"] for item in manifest["workflows"]}
    for item in manifest["workflows"]:
        file = files.get(item["file"])
        for called in called_workflows(file.workflow) if file else ():
            if called not in every_id:
                yield item["file"], f"calls {called}, which manifest.json does not list"
            elif called not in published:
                yield item["file"], f"must come after {called} in manifest.json"
        published.add(item["id"])


def credentials_are_listed(
    manifest: Mapping[str, Any], files: Mapping[str, WorkflowFile]
) -> Iterator[tuple[str, str]]:
    listed = {(c["id"], c["name"], c["type"]) for c in manifest["credentials"]}
    used = {
        (ref.id, ref.name, ref.type)
        for file in files.values()
        for _, ref in credential_uses(file.workflow)
    }
    for credential in sorted(used - listed):
        yield "manifest.json", f"must list the credential {' / '.join(credential)}"
    for credential in sorted(listed - used):
        yield "manifest.json", f"lists {' / '.join(credential)}, which no workflow uses"


def templates_are_whole(
    manifest: Mapping[str, Any], files: Mapping[str, WorkflowFile]
) -> Iterator[tuple[str, str]]:
    alternatives = {item["file"]: item for item in manifest.get("alternatives", ())}
    for template in manifest["templates"]:
        by_id = {item["id"]: item for item in manifest["workflows"]}
        for name in template.get("use", ()):
            if name not in alternatives:
                yield "manifest.json", f"template {template['id']} uses {name}, unknown"
                continue
            by_id[alternatives[name]["id"]] = alternatives[name]
        by_file = {item["file"]: item for item in _items(manifest)}
        for workflow_id, name in template.get("place", {}).items():
            if name not in by_file:
                yield "manifest.json", f"template {template['id']} places {name}, unknown"
                continue
            by_id[workflow_id] = by_file[name]
        wanted = set(template["workflows"])
        for workflow_id in template["workflows"]:
            file = files.get(by_id[workflow_id]["file"]) if workflow_id in by_id else None
            if file is None:
                yield "manifest.json", f"template {template['id']} names {workflow_id}, unknown"
                continue
            for called in sorted(set(called_workflows(file.workflow)) - wanted):
                yield "manifest.json", f"template {template['id']} lacks {called}"


def alternatives_fit(
    manifest: Mapping[str, Any], files: Mapping[str, WorkflowFile]
) -> Iterator[tuple[str, str]]:
    """A swap-in keeps the id, so that the chain calls it without being touched."""
    by_file = {item["file"]: item for item in manifest["workflows"]}
    for item in manifest.get("alternatives", ()):
        replaced = by_file.get(item["replaces"])
        if replaced is None or replaced["id"] != item["id"]:
            yield item["file"], f"must have the id of {item['replaces']}, which it replaces"


def _items(manifest: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [*manifest["workflows"], *manifest.get("alternatives", ())]


MANIFEST_RULES: tuple[ManifestRule, ...] = (
    every_file_is_listed_once,
    entries_tell_the_truth,
    callees_come_first,
    credentials_are_listed,
    templates_are_whole,
    alternatives_fit,
)
