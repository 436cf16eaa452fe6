"""What vendors may answer, put before the connectors in a real n8n: each action of a batch ends in
one report, and the one that fits, whatever the vendor says to the others.

The vendor is a small server whose path says what it answers. The actions are made up, so the
service knows none of them; which report they reach is read from n8n's record of the run.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from kette.n8n_runtime.deploy import deploy
from kette.n8n_runtime.world import World
from support.workflows import node, workflow, write_folder

Json = dict[str, Any]
CALLER, PATH = "ketteTestVendorSays", "test-vendor-says"
UNREAD, FAILED = "Report Unread Look Up", "Report Failed Look Up"
WANTED = ("cancelled", "processing", "completed", "on_hold", "refunded", "")


def _shopware(state: str) -> Json:
    delivery = {
        "id": "d1",
        "shippingCosts": {"totalPrice": 3},
        "stateMachineState": {"technicalName": "open"},
    }
    order = {"id": "o1", "stateMachineState": {"technicalName": state}, "deliveries": [delivery]}
    return {"data": [order]}


def _shopify(*, is_open: bool = False, is_held: bool = False) -> Json:
    parts = {"open": is_open, "held": is_held}
    rows = {name: {"nodes": [{"id": "gid://f/1"}] * wanted} for name, wanted in parts.items()}
    return {"data": {"order": {"id": "gid://o/77", **rows}}}


# What the vendor says at a path: status, content type, body.
JSON_TYPE = "application/json"
ANSWERS: dict[str, tuple[int, str, bytes]] = {
    "refuses": (400, JSON_TYPE, b'{"message": "no"}'),
    "breaks": (500, "text/html", b"<h1>Error</h1>"),
    "page": (200, "text/html", b"<h1>Welcome</h1>"),
    "cut": (200, JSON_TYPE, b'{"data": ['),
    "empty": (200, JSON_TYPE, b""),
    "null": (200, JSON_TYPE, b"null"),
    "nothing": (200, JSON_TYPE, b"{}"),
    **{
        name: (200, JSON_TYPE, json.dumps(said).encode())
        for name, said in {
            "note": [{"id": 1, "note": "N"}],
            "other-note": [{"id": 1, "note": "other"}],
            "wc-refund": [{"id": 1, "reason": "R"}],
            "stripe-refund": {"data": [{"id": "re_1", "metadata": {"kette_key": "stripe-refund"}}]},
            "no-list": {"data": []},
            "shopify-refund": {"data": {"order": {"refunds": [{"id": "1", "note": "R"}]}}},
            "parcel": {"parcels": [{"id": 4}]},
            "no-parcel": {"parcels": []},
            "sw-open": _shopware("open"),
            "sw-cancelled": _shopware("cancelled"),
            "sf-open": _shopify(is_open=True),
            "sf-held": _shopify(is_held=True),
            "sf-gone": {"data": {"order": None}},
            "wc-open": {"id": 77, "status": "processing"},
            "wc-cancelled": {"id": 77, "status": "cancelled"},
        }.items()
    },
}


class Vendor(BaseHTTPRequestHandler):
    """Answers as the first part of the path says."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, kind, body = ANSWERS[self.path.split("/")[1]]
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_PUT = do_PATCH = do_POST  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:
        """Keep the tests' output clean."""


@pytest.fixture(scope="module")
def vendor() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Vendor)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


@pytest.fixture(scope="module")
def caller(world: World, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a workflow that calls the one that is named, with the actions it is sent."""
    target = {"__rl": True, "mode": "id", "value": "={{ $('Hook').first().json.body.workflow }}"}
    hook = {
        **node("Hook", "webhook", path=PATH, httpMethod="POST", responseMode="lastNode"),
        "typeVersion": 2.1,
        "webhookId": "5b0f3d1e-58a5-4a4c-9f9c-2c8a1d3f5e77",
    }
    split = node("Split", "splitOut", fieldToSplitOut="body.actions", options={})
    run = {**node("Call", "executeWorkflow", workflowId=target, options={}), "typeVersion": 1.1}
    lines = {"Hook": "Split", "Split": "Call"}
    connections = {
        source: {"main": [[{"index": 0, "node": goal, "type": "main"}]]}
        for source, goal in lines.items()
    }
    made = workflow(CALLER, hook, split, run, connections=connections)
    folder: Path = write_folder(tmp_path_factory.mktemp("caller"), [made])
    deploy(world.n8n.api, folder)
    world.n8n.wait_triggers([CALLER])
    return f"{world.n8n_url}/webhook/{PATH}"


def action(vendor: str, says: str, *, key: str, attempt: int, status: str) -> Json:
    system = {"id": "vendor", "base_url": f"{vendor}/{says}"}
    amount = {"amount": "10.00", "currency": "EUR"}
    return {
        "key": key,
        "kind": "test",
        "attempt": attempt,
        "idempotency_key": key,
        "lease_id": "lease",
        "order_id": "order",
        "system": system,
        "shop": {**system, "order_id": "77"},
        "order": {"number": "77", "total": amount},
        "data": {
            "status": status,
            "note": "N",
            "shop_reason": "R",
            "amount": amount,
            "address": {"name": "A", "line1": "B 1", "city": "C", "country_code": "DE"},
            "external_reference": key,
            "total_value": amount,
            "weight_kg": "1.000",
        },
        "answer": {"id": "re_1"},
    }


def reports(world: World, caller: str, workflow_id: str, actions: list[Json]) -> dict[str, str]:
    """Run a connector with a batch; return key -> the node that reported it."""
    before = {run["id"] for run in world.n8n.api.executions(workflow_id)}
    body = {"workflow": workflow_id, "actions": actions}
    httpx.post(caller, json=body, timeout=120, trust_env=False).raise_for_status()
    new = [run for run in world.n8n.api.executions(workflow_id) if run["id"] not in before]
    assert len(new) == 1
    run = world.n8n.api.wait_execution(new[0]["id"])
    assert run["status"] == "success"
    told = [
        (item["json"]["key"], name)
        for name, tries in run["data"]["resultData"]["runData"].items()
        if name.startswith("Report ")
        for one in tries
        for item in one["data"]["main"][0] or ()
    ]
    assert len(told) == len(dict(told)), f"reported twice: {told}"
    return dict(told)


SECOND_TRIES = [
    (
        "ketteShopNoteWoo",
        {
            "note": "Report Note Is There",
            "nothing": UNREAD,
            "null": UNREAD,
            "breaks": FAILED,
            "page": FAILED,
        },
    ),
    ("ketteShopNoteShopware", {"nothing": UNREAD, "null": UNREAD, "cut": FAILED}),
    (
        "ketteShopRefundWoo",
        {"wc-refund": "Report Result", "nothing": UNREAD, "null": UNREAD, "refuses": FAILED},
    ),
    ("ketteShopRefundShopware", {"nothing": UNREAD, "no-list": UNREAD, "breaks": FAILED}),
    (
        "kettePayRefundStripe",
        {"stripe-refund": "Report Result", "nothing": UNREAD, "null": UNREAD, "breaks": FAILED},
    ),
    (
        "kettePayRefundShopify",
        {"shopify-refund": "Report Result", "nothing": UNREAD, "sf-gone": UNREAD, "cut": FAILED},
    ),
    (
        "ketteCarrierShip",
        {
            "parcel": "Report Parcel Found",
            "no-parcel": "Report Result",
            "nothing": UNREAD,
            "null": UNREAD,
            "refuses": FAILED,
        },
    ),
    ("ketteShopStatusWoo", {"nothing": UNREAD, "null": UNREAD, "page": FAILED}),
]


@pytest.mark.parametrize(
    ("connector", "wanted"), SECOND_TRIES, ids=[name for name, _ in SECOND_TRIES]
)
def test_a_second_try_believes_only_a_real_look_up(
    world: World, caller: str, vendor: str, connector: str, wanted: dict[str, str]
) -> None:
    """{} counted as \"it is there\": notes and refunds were left out, or the whole batch broke."""
    actions = [action(vendor, says, key=says, attempt=2, status="completed") for says in wanted]
    assert reports(world, caller, connector, actions) == wanted


@pytest.mark.parametrize("connector", [name for name, _ in SECOND_TRIES])
def test_nothing_is_done_after_a_look_up_that_is_empty(
    world: World, caller: str, vendor: str, connector: str
) -> None:
    """n8n's HTTP Request fails as a whole on an empty body and passes the actions on unchanged:
    they looked as if the vendor had nothing yet, or had it already."""
    actions = [
        action(vendor, says, key=says, attempt=2, status="completed")
        for says in ("empty", "nothing")
    ]
    assert set(reports(world, caller, connector, actions).values()) == {UNREAD}


@pytest.mark.parametrize("connector", ["ketteShopNoteWoo", "kettePayRefundStripe"])
def test_a_first_try_that_fails_keeps_no_other_back(
    world: World, caller: str, vendor: str, connector: str
) -> None:
    wanted = {
        "other-note": "Report Result",
        "refuses": "Report Failure",
        "breaks": "Report Failure",
        "page": "Report Failure",
        "cut": "Report Failure",
        "nothing": "Report Result",  # there it is failed: the answer has no id
    }
    actions = [action(vendor, says, key=says, attempt=1, status="completed") for says in wanted]
    assert reports(world, caller, connector, actions) == wanted


STATUSES = [
    ("ketteShopStatusShopware", "no-list", ["Report Unknown Order"] * 6),
    (
        "ketteShopStatusShopify",
        "sf-open",
        [
            "Report Cancellation",
            "Report Nothing to Do",
            "Report Result",
            "Report Result",
            "Report Unknown Status",
            "Report Unknown Status",
        ],
    ),
    (
        "ketteShopStatusShopify",
        "sf-held",
        [
            "Report Cancellation",
            "Report Result",
            "Report Still Held",
            "Report Nothing to Do",
            "Report Unknown Status",
            "Report Unknown Status",
        ],
    ),
    ("ketteShopStatusShopify", "sf-gone", ["Report Cancellation", *["Report Unknown Order"] * 5]),
]


@pytest.mark.parametrize(
    ("connector", "says", "wanted"), STATUSES, ids=[f"{row[0]}-{row[1]}" for row in STATUSES]
)
def test_a_status_that_cannot_be_set_is_reported_as_failed(
    world: World, caller: str, vendor: str, connector: str, says: str, wanted: list[str]
) -> None:
    """Shopify shipped what it did not understand; Shopware called it done."""
    actions = [
        action(vendor, says, key=status or "none", attempt=1, status=status) for status in WANTED
    ]
    found = reports(world, caller, connector, actions)
    assert found == {status or "none": name for status, name in zip(WANTED, wanted, strict=True)}


@pytest.mark.parametrize("state", ["sw-open", "sw-cancelled"])
def test_shopware_reports_only_the_statuses_it_does_not_know(
    world: World, caller: str, vendor: str, state: str
) -> None:
    """The others lead on to the note, and its connector reports them. None has tracking numbers:
    a parcel that was handed over without one broke the body of the call."""
    actions = [
        action(vendor, state, key=status or "none", attempt=1, status=status) for status in WANTED
    ]
    found = reports(world, caller, "ketteShopStatusShopware", actions)
    assert found == dict.fromkeys(("refunded", "none"), "Report Unknown Status")
