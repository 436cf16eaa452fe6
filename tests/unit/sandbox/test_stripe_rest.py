"""Stripe's rules as the connectors meet them: idempotency, refusals, shapes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from support.sandbox_box import Box


@pytest.fixture
def box() -> Box:
    return Box()


async def refund(box: Box, form: dict[str, str], key: str = "") -> tuple[int, Any, bool]:
    answer = await box.stripe("/refunds", form, key)
    return answer.status_code, answer.json(), answer.headers.get("Idempotent-Replayed") == "true"


def test_the_same_key_gives_the_same_answer_and_one_refund(box: Box) -> None:
    _, intent = box.paid()
    form = {"payment_intent": intent, "amount": "500"}

    async def twice() -> list[tuple[int, Any, bool]]:
        return [await refund(box, form, "kette-1"), await refund(box, form, "kette-1")]

    first, second = asyncio.run(twice())
    assert (first[0], first[2]) == (200, False)
    assert second == (200, first[1], True)
    assert len(box.sandbox.stripe.rows("refund")) == 1


def test_the_same_key_with_other_parameters_is_an_error(box: Box) -> None:
    _, intent = box.paid()

    async def differently() -> tuple[int, Any, bool]:
        await refund(box, {"payment_intent": intent, "amount": "500"}, "kette-1")
        return await refund(box, {"payment_intent": intent, "amount": "501"}, "kette-1")

    status, body, _ = asyncio.run(differently())
    assert (status, body["error"]["type"]) == (400, "idempotency_error")
    assert [r["amount"] for r in box.sandbox.stripe.rows("refund")] == [500]


def test_a_key_is_forgotten_after_a_day(box: Box) -> None:
    _, intent = box.paid()
    form = {"payment_intent": intent, "amount": "500"}
    asyncio.run(refund(box, form, "kette-1"))
    box.clock.advance(25 * 3600)
    assert asyncio.run(refund(box, form, "kette-1"))[2] is False
    assert len(box.sandbox.stripe.rows("refund")) == 2


@pytest.mark.parametrize(
    ("form", "code", "text"),
    [
        ({"amount": "999999"}, None, "greater than unrefunded amount"),
        ({"amount": "29.80"}, "parameter_invalid_integer", "Invalid integer"),
        ({"colour": "red"}, "parameter_unknown", "Received unknown parameter: colour"),
        ({"reason": "because"}, None, "Invalid reason"),
        ({"payment_intent": "pi_none"}, "resource_missing", "No such payment_intent"),
    ],
    ids=["more than captured", "decimal amount", "unknown parameter", "bad reason", "no payment"],
)
def test_refusals(box: Box, form: dict[str, str], code: str | None, text: str) -> None:
    _, intent = box.paid()
    status, body, _ = asyncio.run(refund(box, {"payment_intent": intent, **form}))
    assert status in (400, 404)
    assert body["error"]["type"] == "invalid_request_error"
    assert body["error"].get("code") == code
    assert text in body["error"]["message"]
    assert box.sandbox.stripe.rows("refund") == []


def test_a_charge_refunded_in_full_is_not_refunded_again(box: Box) -> None:
    _, intent = box.paid()

    async def twice() -> tuple[int, Any, bool]:
        await refund(box, {"payment_intent": intent})
        return await refund(box, {"payment_intent": intent})

    assert asyncio.run(twice())[1]["error"]["code"] == "charge_already_refunded"


def test_a_disputed_charge_is_not_refunded(box: Box) -> None:
    order_id, intent = box.paid()
    box.sandbox.actors.dispute(order_id, "opened")
    body = asyncio.run(refund(box, {"payment_intent": intent}))[1]
    assert body["error"]["code"] == "charge_disputed"


def test_json_bodies_and_wrong_keys_are_refused(box: Box) -> None:
    _, intent = box.paid()
    key = {"Authorization": f"Bearer {box.config.stripe_key}"}

    async def wrongly() -> tuple[int, int]:
        path = "/stripe/v1/refunds"
        as_json = await box.http.post(path, json={"payment_intent": intent}, headers=key)
        stranger = await box.http.post(path, headers={"Authorization": "Bearer sk_wrong"})
        return as_json.status_code, stranger.status_code

    assert asyncio.run(wrongly()) == (400, 401)


LINK = {
    "line_items[0][quantity]": "1",
    "line_items[0][price_data][currency]": "eur",
    "line_items[0][price_data][unit_amount]": "3470",
    "line_items[0][price_data][product_data][name]": "Order 101",
    "payment_intent_data[metadata][order_id]": "101",
    "metadata[kette_key]": "send_payment_reminder:ord_1:1",
}


def test_a_payment_link_can_be_paid_and_names_the_order(box: Box) -> None:
    made = asyncio.run(box.stripe("/payment_links", LINK)).json()
    assert made["url"].endswith(made["id"])
    assert made["metadata"] == {"kette_key": "send_payment_reminder:ord_1:1"}
    charge = box.sandbox.stripe.pay_link(made["id"])
    intent = box.sandbox.stripe.find("payment_intent", charge["payment_intent"])
    assert (intent["amount_received"], intent["currency"]) == (3470, "eur")
    assert intent["metadata"] == {"order_id": "101"}


def test_nested_parameters_are_checked(box: Box) -> None:
    form = {**LINK, "line_items[0][price_data][colour]": "red"}
    error = asyncio.run(box.stripe("/payment_links", form)).json()["error"]
    assert error["param"] == "line_items[0][price_data][colour]"


def test_a_lost_dispute_keeps_the_money_a_won_one_returns_it(box: Box) -> None:
    moved = {}
    for step in ("won", "lost"):
        order_id, _ = box.paid()
        box.sandbox.actors.dispute(order_id, "opened")
        box.sandbox.actors.dispute(order_id, step)
        dispute = box.sandbox.stripe.rows("dispute")[-1]
        moved[dispute["status"]] = sum(row["amount"] for row in dispute["balance_transactions"])
    assert moved == {"won": 0, "lost": -7360}
