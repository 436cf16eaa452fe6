"""The node package and the service agree.

calls.json and outputs.json are not descriptions of the node: the node builds its requests from the
one and its outputs from the other, and refuses a field that calls.json does not name. Both are
compared here with what the service itself prints.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from kette.domain.actions import STAGE_KINDS

ROOT = Path(__file__).parents[2]
SHARED = ROOT / "node-specs" / "shared"
CALLS: dict[str, dict[str, Any]] = json.loads((SHARED / "calls.json").read_text())
OUTPUTS: dict[str, dict[str, Any]] = json.loads((SHARED / "outputs.json").read_text())

Json = dict[str, Any]


@cache
def openapi() -> Json:
    """Return the document that `kette openapi` prints."""
    kette = Path(sys.executable).parent / "kette"
    printed = subprocess.run(
        [str(kette), "openapi"], check=True, capture_output=True, text=True, timeout=120
    ).stdout
    document: Json = json.loads(printed)
    return document


def resolve(document: Json, schema: Json) -> Json:
    """Return the schema behind a $ref, and the one that matters of `X or null`."""
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    options = [entry for entry in schema.get("anyOf", ()) if entry.get("type") != "null"]
    return resolve(document, options[0]) if options else schema


def operation_of(document: Json, method: str, path: str) -> Json | None:
    """Return the operation that serves the node's path; placeholders may be called differently."""
    example = re.sub(r"\{\w+\}", "x", path)
    for template, operations in document["paths"].items():
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))
        if re.fullmatch(pattern, example) and method.lower() in operations:
            operation: Json = operations[method.lower()]
            return operation
    return None


def body_schema(document: Json, operation: Json) -> Json | None:
    content = operation.get("requestBody", {}).get("content", {})
    return resolve(document, content["application/json"]["schema"]) if content else None


def has_field(document: Json, schema: Json, path: str) -> bool:
    """Return whether a field such as `results[].key` is a property that the schema names."""
    name, _, rest = path.partition(".")
    found = resolve(document, schema).get("properties", {}).get(name.removesuffix("[]"))
    if found is None:
        return False
    inner = resolve(document, found)
    if name.endswith("[]"):
        if inner.get("type") != "array":
            return False
        inner = inner["items"]
    return has_field(document, inner, rest) if rest else True


def disagreements(document: Json, calls: dict[str, Json]) -> list[str]:
    """Return one line per call, query or body field of the node that the service does not know."""
    problems = []
    for name, call in calls.items():
        operation = operation_of(document, call["method"], call["path"])
        if operation is None:
            problems.append(f"{name}: no {call['method']} {call['path']}")
            continue
        known = {
            entry["name"] for entry in operation.get("parameters", ()) if entry["in"] == "query"
        }
        problems += [
            f"{name}: no query field {field}" for field in call["query"] if field not in known
        ]
        problems += body_disagreements(document, name, call["body"], operation)
    return problems


def body_disagreements(document: Json, name: str, sent: list[str], operation: Json) -> list[str]:
    schema = body_schema(document, operation)
    if schema is None:
        # Raw bytes: the vendor's document, or a report of n8n's under the same route.
        return [] if sent in ([], ["*"]) else [f"{name}: the service reads no JSON body"]
    problems = [
        f"{name}: no body field {field}" for field in sent if not has_field(document, schema, field)
    ]
    first_names = {re.split(r"[.\[]", field)[0] for field in sent}
    missing = set(schema.get("required", ())) - first_names
    return problems + [f"{name}: the service requires {field}" for field in sorted(missing)]


@pytest.mark.parametrize("name", CALLS)
def test_the_service_knows_each_call_of_the_node(name: str) -> None:
    assert disagreements(openapi(), {name: CALLS[name]}) == []


def test_the_outputs_of_the_trigger_are_the_kinds_of_the_service() -> None:
    latest = OUTPUTS[max(OUTPUTS, key=int)]
    expected = {stage.value: list(kinds) for stage, kinds in STAGE_KINDS.items()}
    assert latest["stages"] == expected, (
        "A new kind goes into a new major version of the nodes: copy the last table of "
        "outputs.json under the next number and append it there."
    )


def test_a_later_version_of_the_outputs_only_appends() -> None:
    tables = [OUTPUTS[version] for version in sorted(OUTPUTS, key=int)]
    for earlier, later in pairwise(tables):
        for stage, kinds in earlier["stages"].items():
            assert later["stages"][stage][: len(kinds)] == kinds
        assert later["events"][: len(earlier["events"])] == earlier["events"]


def test_the_events_of_the_trigger_are_those_that_can_be_subscribed_to() -> None:
    operation = operation_of(openapi(), "POST", "/v1/subscriptions")
    assert operation is not None
    schema = body_schema(openapi(), operation)
    assert schema is not None
    events = resolve(openapi(), schema["properties"]["events"])
    offered = resolve(openapi(), events["items"])["enum"]
    assert sorted(OUTPUTS[max(OUTPUTS, key=int)]["events"]) == sorted(offered)


# The check itself, on a small document: a check that finds nothing proves nothing.

DOCUMENT: Json = {
    "paths": {
        "/v1/things/{thing_id}": {
            "get": {"parameters": [{"name": "limit", "in": "query"}]},
            "post": {
                "requestBody": {
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/In"}}}
                }
            },
        },
        "/v1/raw/{system}": {"post": {}},
    },
    "components": {
        "schemas": {
            "In": {
                "required": ["rows"],
                "properties": {
                    "rows": {
                        "type": "array",
                        "items": {"$ref": "#/components/schemas/Row"},
                    },
                    "note": {
                        "anyOf": [
                            {"$ref": "#/components/schemas/Row"},
                            {"type": "null"},
                        ]
                    },
                },
            },
            "Row": {"properties": {"key": {"type": "string"}}},
        }
    },
}


def call(
    method: str,
    path: str,
    query: list[str] | None = None,
    body: list[str] | None = None,
) -> Json:
    return {"method": method, "path": path, "query": query or [], "body": body or []}


THING = "/v1/things/{id}"


@pytest.mark.parametrize(
    ("checked", "problems"),
    [
        (call("GET", THING, ["limit"]), []),
        (call("GET", "/v1/things/{number}.pdf"), []),
        (call("POST", THING, [], ["rows[].key", "note.key"]), []),
        (call("POST", "/v1/raw/{id}", [], ["*"]), []),
        (call("GET", "/v1/other/{id}"), ["c: no GET /v1/other/{id}"]),
        (call("DELETE", THING), [f"c: no DELETE {THING}"]),
        (call("GET", THING, ["color"]), ["c: no query field color"]),
        (call("POST", THING, [], ["rows[].kee"]), ["c: no body field rows[].kee"]),
        (call("POST", THING, [], ["rows[].key", "extra"]), ["c: no body field extra"]),
        (
            call("POST", THING, [], ["rows[].key", "note[].key"]),
            ["c: no body field note[].key"],
        ),
        (call("POST", THING, [], ["note.key"]), ["c: the service requires rows"]),
        (call("POST", THING, [], ["rows[].key", "*"]), ["c: no body field *"]),
        (
            call("POST", "/v1/raw/{id}", [], ["key"]),
            ["c: the service reads no JSON body"],
        ),
    ],
)
def test_the_check_finds_each_kind_of_disagreement(checked: Json, problems: list[str]) -> None:
    assert disagreements(DOCUMENT, {"c": checked}) == problems
