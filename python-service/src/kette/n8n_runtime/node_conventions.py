"""Rules of a single node: type and version, place, name, secrets, calls to vendors, expressions.

Each rule takes a node as n8n stores it and yields what to do. The tables at the top are the whole
vocabulary: a new node type or expression form is added there on purpose, never by the way.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from kette.n8n_runtime.credentials import (
    KETTE_API,
    MAIL,
    SENDCLOUD,
    SHOPIFY,
    SHOPWARE,
    STRIPE,
    WOOCOMMERCE,
)

Node = Mapping[str, Any]
NodeRule = Callable[[Node], Iterator[str]]

BASE = "n8n-nodes-base."
KETTE = "n8n-nodes-kette.kette"
KETTE_TRIGGER = "n8n-nodes-kette.ketteTrigger"
HTTP = f"{BASE}httpRequest"
STICKY_NOTE = f"{BASE}stickyNote"

# Versions as they exist in the tested n8n; n8n keeps old versions, so a pinned one stays valid.
# The newest comes first; older ones of our own nodes stay where no newer output is needed.
TYPE_VERSIONS: dict[str, float | tuple[float, ...]] = {
    KETTE: (2, 1),
    KETTE_TRIGGER: (2, 1.1),
    HTTP: 4.5,
    STICKY_NOTE: 1,
    f"{BASE}emailSend": 2.1,
    f"{BASE}errorTrigger": 1,
    f"{BASE}executeWorkflow": 1.3,
    f"{BASE}executeWorkflowTrigger": 1.2,
    f"{BASE}if": 2.3,
    f"{BASE}readWriteFile": 1.1,
    f"{BASE}respondToWebhook": 1.5,
    f"{BASE}s3": 1,
    f"{BASE}scheduleTrigger": 1.4,
    f"{BASE}set": 3.5,
    f"{BASE}splitOut": 1,
    f"{BASE}switch": 3.4,
    f"{BASE}wait": 1.1,
    f"{BASE}webhook": 2.1,
}
# Nodes that touch something outside n8n: what fails there must go to the error output.
VENDOR_TYPES = frozenset({HTTP, f"{BASE}emailSend", f"{BASE}readWriteFile", f"{BASE}s3"})
CODE_TYPES = frozenset(
    BASE + name
    for name in ("code", "function", "functionItem", "executeCommand", "ssh", "aiTransform")
)
WEBHOOK_TYPES = frozenset({f"{BASE}webhook", f"{BASE}wait", KETTE_TRIGGER})
CREDENTIALS = {
    (ref.type, ref.id, ref.name)
    for ref in (KETTE_API, WOOCOMMERCE, SHOPIFY, SHOPWARE, STRIPE, SENDCLOUD, MAIL)
} | {("s3", "ketteS3000000001", "S3 Archive")}

GRID = (240, 160)
VERBS = """Add Archive Ask Bundle Cancel Check Confirm Create Download Hand Hold Issue Lease Look
Mail Read Receive Record Refund Refuse Release Report Route Send Set Split Store Take Update Upload
Wait Write"""
FIRST_WORDS = frozenset(VERBS.split()) | {"Every", "When", "About", "Why"}
NAME = re.compile(r"[A-Z][A-Za-z]*( [A-Za-z]+)+\??")
LITERAL_HOST = re.compile(
    r"(?i)\b(?:https?|smtps?|ftps?)://[^\s{}\"']+|\b\d{1,3}(?:\.\d{1,3}){3}\b"
)
SECRET = re.compile(
    r"(?i)(sk|rk|pk)_(live|test)_\w+|whsec_\w+|\bck_[0-9a-f]{8,}|\bcs_[0-9a-f]{8,}|kette_[A-Za-z0-9]{16,}"
    r"|Bearer\s+\S+|Basic\s+[A-Za-z0-9+/=]{12,}|-----BEGIN"
)
SECRET_KEYS = frozenset({"password", "apikey", "secret", "token", "authorization"})

TIMEOUT_MS = (1_000, 60_000)
MAX_TRIES = 5
REPEATABLE_METHODS = frozenset({"GET", "HEAD", "PUT", "DELETE"})
IDEMPOTENCY_HEADER = "idempotency-key"

# Expressions pick or rename: fields of the item or of the action it belongs to, and these calls;
# map and join put the requests of a bundle together.
EXPRESSIONS_PER_NODE = 14
EXPRESSION_LENGTH = 900
ALLOWED_ROOTS = frozenset({"$json", "$"})
ALLOWED_CALLS = frozenset({"$", "replace", "every", "find", "assign", "map", "join"})
FORBIDDEN_WORDS = re.compile(
    r"\b(new|function|return|while|for|if|eval|require|process|Date)\b|[;`]"
)


def type_is_known_and_pinned(node: Node) -> Iterator[str]:
    kind, version = node["type"], node.get("typeVersion")
    if kind.startswith("CUSTOM."):
        yield "was saved by an n8n that loads the nodes from a folder; use n8n-nodes-kette."
    elif kind in CODE_TYPES:
        yield "runs code; move the rule into the service"
    elif kind not in TYPE_VERSIONS:
        yield f"has type {kind}, which is not in TYPE_VERSIONS; use one that is, or add it there"
    else:
        pinned = TYPE_VERSIONS[kind]
        allowed = pinned if isinstance(pinned, tuple) else (pinned,)
        if version not in allowed:
            shown = " or ".join(str(one) for one in allowed)
            yield f"has typeVersion {version}, pinned is {shown}"


def node_is_enabled(node: Node) -> Iterator[str]:
    if node.get("disabled"):
        yield "is switched off; remove it"


def name_is_a_verb_phrase(node: Node) -> Iterator[str]:
    name = node["name"]
    is_question = name.endswith("?")
    first = name.split(" ")[0]
    if not NAME.fullmatch(name) or not (is_question or first in FIRST_WORDS):
        yield "needs a name that says what it does ('Create Parcel', 'Is the Note Missing?')"


def id_is_readable(node: Node) -> Iterator[str]:
    if not re.fullmatch(r"[a-z][a-z0-9-]{2,35}", str(node.get("id", ""))):
        yield "needs a fixed id of small letters, digits and dashes"


def webhook_id_is_fixed(node: Node) -> Iterator[str]:
    if node["type"] not in WEBHOOK_TYPES:
        return
    try:
        uuid.UUID(str(node.get("webhookId")))
    except ValueError:
        yield "needs a fixed uuid as webhookId, else its address changes with each import"


def position_is_on_the_grid(node: Node) -> Iterator[str]:
    x, y = node["position"]
    if x % GRID[0] or y % GRID[1] or x < 0:
        yield f"lies at {x}, {y}; move it to the grid of {GRID[0]} x {GRID[1]}, from 0 to the right"


def no_secret_no_host(node: Node) -> Iterator[str]:
    if node["type"] == STICKY_NOTE:
        return
    for path, value in _strings(node["parameters"]):
        if LITERAL_HOST.search(value):
            yield f"{path} names a host; take the address from the action or the credential"
        if SECRET.search(value):
            yield f"{path} looks like a secret; put it into a credential"
        if path.rsplit(".", 1)[-1].lower() in SECRET_KEYS and value:
            yield f"{path} holds a value; put it into a credential"


def credentials_are_ours(node: Node) -> Iterator[str]:
    for kind, named in (node.get("credentials") or {}).items():
        if set(named) != {"id", "name"} or (kind, named["id"], named["name"]) not in CREDENTIALS:
            yield f"must name its {kind} credential by the fixed id and name"
    if node["type"] in (KETTE, KETTE_TRIGGER) and "ketteApi" not in (node.get("credentials") or {}):
        yield "must name the credential Kette API"


def calls_are_bounded(node: Node) -> Iterator[str]:
    """A retry of n8n repeats the node with ALL items, so only what may be repeated is retried."""
    if node["type"] == HTTP:
        timeout = node["parameters"].get("options", {}).get("timeout", 0)
        if not TIMEOUT_MS[0] <= timeout <= TIMEOUT_MS[1]:
            yield f"needs a timeout of {TIMEOUT_MS[0]} to {TIMEOUT_MS[1]} ms"
    if node["type"] in VENDOR_TYPES | {KETTE} and "retryOnFail" not in node:
        yield "must say whether it is retried (retryOnFail)"
    if node.get("retryOnFail") and not 2 <= node.get("maxTries", 0) <= MAX_TRIES:
        yield f"needs maxTries of 2 to {MAX_TRIES}"


def only_repeatable_calls_are_retried(node: Node) -> Iterator[str]:
    if not node.get("retryOnFail") or node["type"] not in VENDOR_TYPES:
        return
    if node["type"] != HTTP:
        yield "must not be retried by n8n, which repeats all items; the service tries again"
        return
    parameters = node["parameters"]
    headers = parameters.get("headerParameters", {}).get("parameters", ())
    has_key = any(header["name"].lower() == IDEMPOTENCY_HEADER for header in headers)
    if parameters.get("method", "GET") not in REPEATABLE_METHODS and not has_key:
        yield "creates something; send an Idempotency-Key or switch retryOnFail off"


def failures_are_caught(node: Node) -> Iterator[str]:
    if node["type"] in VENDOR_TYPES and node.get("onError") not in (
        "continueErrorOutput",
        "continueRegularOutput",
    ):
        yield "must go on with the other items when one fails (onError)"


def expressions_only_pick(node: Node) -> Iterator[str]:
    found = [(p, v) for p, v in _strings(node["parameters"]) if v.startswith("=")]
    if len(found) > EXPRESSIONS_PER_NODE:
        yield f"has {len(found)} expressions, at most {EXPRESSIONS_PER_NODE}"
    for path, value in found:
        for problem in _expression_problems(value):
            yield f"{path} {problem}; expressions only pick or rename fields"


def _expression_problems(value: str) -> Iterator[str]:
    code = " ".join(re.findall(r"\{\{(.*?)\}\}(?!\s*\})", value, re.DOTALL)) or value[1:]
    bare = re.sub(r"'[^']*'", "''", code)
    if len(value) > EXPRESSION_LENGTH:
        yield f"is {len(value)} characters long"
    roots = set(re.findall(r"\$\w*", bare)) - ALLOWED_ROOTS
    if roots:
        yield f"uses {', '.join(sorted(roots))}"
    calls = set(re.findall(r"([\w$]+)\(", bare)) - ALLOWED_CALLS
    if calls:
        yield f"calls {', '.join(sorted(calls))}"
    if FORBIDDEN_WORDS.search(bare):
        yield "contains a program"
    if re.search(r"[*%]|(?<![=!<>])[<>](?!=)(?<!=>)", bare.replace("=>", "")):
        yield "computes"


def _strings(value: object, path: str = "parameters") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _strings(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from _strings(inner, f"{path}.{position}")


NODE_RULES: tuple[NodeRule, ...] = (
    type_is_known_and_pinned,
    node_is_enabled,
    name_is_a_verb_phrase,
    id_is_readable,
    webhook_id_is_fixed,
    position_is_on_the_grid,
    no_secret_no_host,
    credentials_are_ours,
    calls_are_bounded,
    only_repeatable_calls_are_retried,
    failures_are_caught,
    expressions_only_pick,
)
