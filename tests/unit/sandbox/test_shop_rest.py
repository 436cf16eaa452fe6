"""The shop's bodies and errors have the shape of the recorded ones."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from support.sandbox_box import Box

VENDORS = Path(__file__).parents[3] / "fixtures" / "vendors" / "woocommerce"


def recorded(name: str) -> Any:
    return json.loads((VENDORS / "rest" / f"{name}.json").read_text(encoding="utf-8"))


def delivered(scenario: str, topic: str) -> Any:
    """First body of a scenario's deliveries of one topic."""
    for line in (VENDORS / "deliveries.jsonl").read_text(encoding="utf-8").split("\n"):
        row = json.loads(line) if line else {}
        headers = row.get("headers", {})
        if row.get("scenario") == scenario and headers.get("X-WC-Webhook-Topic") == topic:
            return json.loads(row["raw_body"])
    raise LookupError(f"{scenario} {topic}")


def shape(value: Any) -> Any:
    """Keys in order and the types of leaves; lists by their first element. Numbers are one type,
    for PHP writes 12 and 12.5 alike."""
    if isinstance(value, dict):
        return [(key, shape(item)) for key, item in value.items()]
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return "number" if type(value) in (int, float) else type(value).__name__


@pytest.fixture
def box() -> Box:
    return Box()


def test_a_checkout_order_has_the_recorded_shape(box: Box) -> None:
    order_id = box.place(basket=[{"sku": "978-3-00-000001-1"}], payment="cod")
    mine = box.sandbox.shop.body(box.sandbox.shop.find(order_id))
    theirs = delivered("b2c-7", "order.updated")
    # WooCommerce adds a debug trace to the first delivery only
    theirs["meta_data"] = theirs["meta_data"][:5]
    assert shape(mine) == shape(theirs)


def test_a_refunded_rest_order_has_the_recorded_shape_and_amounts(box: Box) -> None:
    order_id = box.place(route="rest-api", payment="bacs")
    actors = box.sandbox.actors
    actors.shop_status(order_id, "processing")
    actors.shop_status(order_id, "completed")
    actors.shop_refund(
        order_id, lines=[{"line": 1, "quantity": 2}], reason="2 Becher zerbrochen", by_gateway=False
    )
    mine = box.sandbox.shop.body(box.sandbox.shop.find(order_id))
    theirs = recorded("refund-partial-line")["body"]
    assert shape(mine) == shape(theirs)
    assert mine["total"] == theirs["total"] == "73.60"
    refund, expected = dict(mine["refunds"][0]), dict(theirs["refunds"][0])
    del refund["id"], expected["id"]
    assert refund == expected


def test_a_refund_has_the_recorded_shape(box: Box) -> None:
    order_id = box.place(route="rest-api", payment="bacs")
    box.sandbox.actors.shop_refund(
        order_id, lines=[{"line": 1, "quantity": 2}], reason="2 Becher zerbrochen", by_gateway=False
    )
    answer = asyncio.run(box.shop("GET", f"/orders/{order_id}/refunds"))
    theirs = recorded("refund-partial-line--refunds")["body"]
    mine = answer.json()
    assert shape(mine) == shape(theirs)
    assert [mine[0]["amount"], mine[0]["line_items"][0]["total"]] == ["29.80", "-25.04"]
    assert mine[0]["tax_lines"][0]["tax_total"] == theirs[0]["tax_lines"][0]["tax_total"]


def test_notes_have_the_recorded_shape(box: Box) -> None:
    order_id = box.place()
    asyncio.run(box.shop("POST", f"/orders/{order_id}/notes", json={"note": "Kette: test"}))
    mine = asyncio.run(box.shop("GET", f"/orders/{order_id}/notes")).json()
    assert shape(mine) == shape(recorded("b2c-19--notes")["body"])
    assert mine[0]["note"] == "Kette: test"


def test_a_product_has_the_recorded_shape(box: Box) -> None:
    mine = asyncio.run(box.shop("GET", "/products/18")).json()
    theirs = recorded("ref-product-becher")["body"]
    mine["related_ids"] = theirs["related_ids"]  # picked at random by WooCommerce
    assert shape(mine) == shape(theirs)
    assert mine["slug"] == theirs["slug"]


@pytest.mark.parametrize(
    ("name", "method", "path", "body"),
    [
        ("error-order-not-found", "GET", "/orders/999999", None),
        (
            "error-refund-too-high",
            "POST",
            "/orders/{id}/refunds",
            {"amount": "999.00", "api_refund": False},
        ),
    ],
)
def test_errors_are_the_recorded_ones(
    box: Box, name: str, method: str, path: str, body: dict[str, Any] | None
) -> None:
    order_id = box.place()
    answer = asyncio.run(box.shop(method, path.replace("{id}", str(order_id)), json=body))
    theirs = recorded(name)
    assert (answer.status_code, answer.json()) == (theirs["status"], theirs["body"])


def test_an_unknown_status_is_refused_like_the_recorded_one(box: Box) -> None:
    order_id = box.place()
    answer = asyncio.run(box.shop("PUT", f"/orders/{order_id}", json={"status": "shipped"}))
    theirs = recorded("error-bad-status")
    assert (answer.status_code, shape(answer.json())) == (theirs["status"], shape(theirs["body"]))


def test_a_wrong_key_sees_nothing(box: Box) -> None:
    box.shop_auth = ("ck_wrong", "cs_wrong")
    answer = asyncio.run(box.shop("GET", "/orders/1"))
    theirs = recorded("error-wrong-key")
    assert (answer.status_code, answer.json()) == (theirs["status"], theirs["body"])


def test_a_refund_without_api_refund_false_moves_money_again(box: Box) -> None:
    """The trap of the real interface: the shop's gateway refunds unless it is told not to."""
    order_id, _ = box.paid()
    asyncio.run(box.shop("POST", f"/orders/{order_id}/refunds", json={"amount": "5.00"}))
    assert [r["amount"] for r in box.sandbox.stripe.rows("refund")] == [500]


def test_orders_are_listed_by_modification(box: Box) -> None:
    first, second = box.place(), box.place()
    box.clock.advance(60)
    box.sandbox.actors.save_unchanged(first)
    query = {"modified_after": "2026-11-23T20:13:00", "dates_are_gmt": "true", "_fields": "id"}
    answer = asyncio.run(box.shop("GET", "/orders", params=query))
    assert answer.json() == [{"id": first}]
    assert answer.headers["X-WP-Total"] == "1"
    assert second != first


def test_a_time_without_an_offset_is_the_shops_own(box: Box) -> None:
    """WooCommerce compares `modified_after` in the shop's time zone unless it is told otherwise."""
    order_id = box.place()
    for query, found in (
        ({"modified_after": "2026-11-23T20:12:52", "dates_are_gmt": "true"}, [order_id]),
        ({"modified_after": "2026-11-23T20:12:53", "dates_are_gmt": "true"}, []),
        ({"modified_after": "2026-11-23T21:12:52"}, [order_id]),
        ({"modified_after": "2026-11-23T21:12:53"}, []),
        ({"modified_after": "2026-11-23T20:12:52Z"}, [order_id]),
    ):
        answer = asyncio.run(box.shop("GET", "/orders", params={**query, "_fields": "id"}))
        assert [row["id"] for row in answer.json()] == found, query
    wrong = asyncio.run(box.shop("GET", "/orders", params={"orderby": "colour"}))
    assert (wrong.status_code, wrong.json()["code"]) == (400, "rest_invalid_param")


def test_all_pages_of_changed_orders_in_order_of_change(box: Box) -> None:
    placed = []
    for _ in range(5):
        placed.append(box.place())
        box.clock.advance(1)
    box.sandbox.actors.save_unchanged(placed[0])
    query = {"orderby": "modified", "order": "asc", "per_page": "2", "_fields": "id"}
    found = []
    for page in ("1", "2", "3"):
        answer = asyncio.run(box.shop("GET", "/orders", params={**query, "page": page}))
        found += [row["id"] for row in answer.json()]
        assert (answer.headers["X-WP-Total"], answer.headers["X-WP-TotalPages"]) == ("5", "3")
    assert found == [*placed[1:], placed[0]]


def test_a_disabled_webhook_is_listed_so_and_can_be_switched_on_again(box: Box) -> None:
    box.sandbox.webhooks.subscriptions.switch("woocommerce", False, "order.updated")
    rows = asyncio.run(box.shop("GET", "/webhooks", params={"per_page": "100"})).json()
    states = {row["topic"]: row["status"] for row in rows}
    assert states.pop("order.updated") == "disabled"
    assert set(states.values()) == {"active"}
    assert {row["delivery_url"] for row in rows} == {box.config.woo_target}
    changed = asyncio.run(box.shop("PUT", "/webhooks/8", json={"status": "active"}))
    assert (changed.json()["topic"], changed.json()["status"]) == ("order.updated", "active")
    box.place()
    sent = [row["topic"] for row in box.sandbox.webhooks.deliveries(state="due")]
    assert "order.updated" in sent
