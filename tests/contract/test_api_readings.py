"""Events that ask to read from the shop, and readings, over HTTP and a real database."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from kette.setup_file import load_setup
from support.api_box import ApiBox, problem_of
from support.service_box import ServiceBox, sqlite_url
from support.shopware_orders import (
    SETUP_ENVIRON,
    SETUP_FILE,
    as_json_api,
    event,
    names,
    order_row,
    signed_event,
    with_state,
    written,
)

READINGS = "/v1/readings/shopware-main"


@pytest.fixture
def api(tmp_path: Path) -> Iterator[ApiBox]:
    yield from shop_box(tmp_path)


def shop_box(folder: Path) -> Iterator[ApiBox]:
    setup = load_setup(SETUP_FILE, SETUP_ENVIRON)
    box = ServiceBox(sqlite_url(folder), setup=setup, environ=SETUP_ENVIRON)
    try:
        yield ApiBox(box)
    finally:
        box.close()


def send(api: ApiBox, body: Any, secret: bytes | None = None) -> httpx.Response:
    raw, headers = signed_event(body, secret) if secret else signed_event(body)
    return api.http.post("/v1/events/shopware-main", content=raw, headers=headers)


def hand_in(api: ApiBox, *rows: dict[str, Any], role: str = "automation") -> Any:
    answer = api.call("POST", READINGS, {"total": len(rows), "data": list(rows)}, role)
    assert answer.status_code == 202, answer.text
    return answer.json()


def test_an_event_asks_and_the_reading_tells(api: ApiBox) -> None:
    row = order_row("de-net-b2b")
    asked = send(api, written("order", row["id"]))
    assert asked.status_code == 200
    (fetch,) = asked.json()["fetch"]
    assert (fetch["resource"], fetch["id"]) == ("order", row["id"])
    assert fetch["path"] == "/api/search/order"
    assert fetch["url"] == "https://shop.example/api/search/order"
    assert api.facts_and_deliveries() == (0, 0)

    told = hand_in(api, row)
    assert told["status"]["order"] == "valid"
    assert told["status"]["payment"] == "later"  # invoice is a pay-later method of this setup
    assert told["fetch"] == []
    again = hand_in(api, row)
    assert (again["duplicate"], again["fact_ids"]) == (True, told["fact_ids"])
    assert api.facts_and_deliveries()[0] == 1


def test_both_shapes_of_one_reading_are_one_fact(api: ApiBox) -> None:
    row = order_row()
    first = hand_in(api, row)
    linked = api.call("POST", READINGS, as_json_api(row), "automation").json()
    assert (linked["duplicate"], linked["fact_ids"]) == (True, first["fact_ids"])


def test_a_business_event_tells_and_asks(api: ApiBox) -> None:
    row = order_row()
    answer = send(api, event("checkout.order.placed", {"order": row}))
    assert answer.status_code == 202
    assert answer.json()["status"]["payment"] == "paid"
    assert [fetch["id"] for fetch in answer.json()["fetch"]] == [row["id"]]


def test_a_wrong_signature_asks_for_nothing(api: ApiBox) -> None:
    answer = send(api, written("order", order_row()["id"]), b"another secret")
    assert (answer.status_code, problem_of(answer)["code"]) == (401, "signature_invalid")
    assert "fetch" not in answer.json()


@pytest.mark.parametrize("role", ["ingest", "automation", "admin"])
def test_a_key_stands_for_the_signature(api: ApiBox, role: str) -> None:
    assert hand_in(api, order_row(), role=role)["order_id"]


@pytest.mark.parametrize("role", ["agent", "approver", "accountant", None])
def test_other_keys_do_not(api: ApiBox, role: str | None) -> None:
    answer = api.call("POST", READINGS, {"data": [order_row()]}, role)
    expected = (401, "unauthorized") if role is None else (403, "forbidden")
    assert (answer.status_code, problem_of(answer)["code"]) == expected
    assert api.facts_and_deliveries() == (0, 0)


def test_a_reading_of_no_system(api: ApiBox) -> None:
    answer = api.call("POST", "/v1/readings/nobody", {"data": []}, "automation")
    assert (answer.status_code, problem_of(answer)["code"]) == (404, "unknown_system")


def test_one_bad_order_among_many_becomes_one_exception(api: ApiBox) -> None:
    rows = [order_row(name) for name in names()]
    rows[5] = {**rows[5], "currency": None}
    hand_in(api, *rows)
    orders = api.get("/v1/orders", limit=100)["items"]
    assert len(orders) == len(rows) - 1
    (entry,) = api.get("/v1/exceptions", kind="payload_unknown")["items"]
    assert "currency.isoCode" in entry["summary"]


def test_what_the_line_and_the_order_disagree_about_is_an_exception(api: ApiBox) -> None:
    row = order_row()
    row["price"]["calculatedTaxes"] = []
    hand_in(api, row)
    assert api.get("/v1/exceptions", kind="tax_mismatch")["items"]


@pytest.mark.parametrize(
    ("name", "payment"),
    [
        ("de-two-rates", "paid"),
        ("de-partly-paid", "partially_paid"),
        ("de-refunded-partly", "partially_refunded"),
        ("de-refunded", "refunded"),
        ("de-chargeback", "chargeback"),
        ("de-guest", "open"),
        ("de-several-attempts", "paid"),
    ],
)
def test_what_the_shop_says_of_the_money(api: ApiBox, name: str, payment: str) -> None:
    assert hand_in(api, order_row(name))["status"]["payment"] == payment


def test_what_the_shop_shipped_is_not_shipped_again(api: ApiBox) -> None:
    """Of two deliveries one is out: only the other one's goods are asked for."""
    told = hand_in(api, order_row("de-deliveries"))
    assert told["status"]["fulfillment"] == "partially_shipped"
    (check,) = api.post("/v1/actions/lease", {"stage": "fulfillment"})["actions"]
    assert [line["sku"] for line in check["data"]["lines"]] == ["HU-1"]


def life() -> list[dict[str, Any]]:
    """Readings of one order through its life, each later than the one before."""
    steps = [
        {"transaction": "open"},
        {"transaction": "in_progress"},
        {"transaction": "paid"},
        {"transaction": "paid", "order": "in_progress"},
        {"transaction": "paid", "order": "in_progress", "delivery": "shipped"},
        {"transaction": "paid", "order": "completed", "delivery": "shipped"},
    ]
    rows = []
    for n, states in enumerate(steps):
        row = with_state(order_row(), **states)
        # Only the row that changes tells a new time, as in the shop.
        part = "deliveries" if "delivery" in states and "order" not in states else "transactions"
        row[part][0]["updatedAt"] = f"2026-11-20T10:00:0{n}.000+00:00"
        rows.append(row)
    return rows


def outcome(api: ApiBox) -> tuple[Any, ...]:
    (item,) = api.get("/v1/orders", number="20001")["items"]
    live = {key: row.payload for key, row in api.box.actions().items() if row.state != "withdrawn"}
    return item["status"], item["amounts"], live, set(api.box.exceptions())


def test_any_order_and_repetition_of_readings_ends_the_same(tmp_path: Path) -> None:
    """Failure cases 1 to 3, for events as well as readings."""
    rows = life()
    orders = [
        list(range(len(rows))),
        *itertools.islice(itertools.permutations(range(6)), 7, 720, 89),
    ]
    seen = []
    for n, order in enumerate(orders):
        folder = tmp_path / str(n)
        folder.mkdir()
        for api in shop_box(folder):
            repeated = [*order, *random.Random(n).sample(order, 3)]
            for step in repeated:
                if (step + n) % 2:
                    hand_in(api, rows[step])
                else:
                    send(api, event("state_enter.order.state.open", {"order": rows[step]}))
            seen.append(outcome(api))
    assert all(one == seen[0] for one in seen)
    assert seen[0][0]["order"] == "completed"
