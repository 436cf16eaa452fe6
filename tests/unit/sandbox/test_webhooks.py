"""Webhooks are signed, ordered, repeated and given up as the vendors do it."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from pathlib import Path

import pytest
from sandbox.signing import sign_sendcloud, sign_woocommerce
from sandbox.webhooks import scope
from support.sandbox_box import START, Box

VENDORS = Path(__file__).parents[3] / "fixtures" / "vendors"


@pytest.fixture
def box() -> Box:
    return Box()


def pump(box: Box) -> int:
    return asyncio.run(box.sandbox.webhooks.pump())


def test_woocommerce_signature_is_that_of_the_recordings() -> None:
    lines = (VENDORS / "woocommerce" / "deliveries.jsonl").read_text(encoding="utf-8").split("\n")
    rows = [json.loads(line) for line in lines if line]
    signed = [row for row in rows if "X-WC-Webhook-Signature" in row["headers"]]
    wrong = [
        row["file"]
        for row in signed
        if sign_woocommerce("whsec_test_nordlicht_2026", row["raw_body"].encode())
        != row["headers"]["X-WC-Webhook-Signature"]
    ]
    assert (len(signed), wrong) == (266, [])


def test_sendcloud_signature_is_that_of_the_documentation() -> None:
    vector = json.loads((VENDORS / "sendcloud" / "signature_vector.json").read_text("utf-8"))
    made = sign_sendcloud(vector["secret"], vector["raw_body"].encode())
    assert made == vector["expected_hex"]


def test_stripe_signs_time_and_raw_body(box: Box) -> None:
    box.paid()
    pump(box)
    request = next(r for r in box.caught.requests if "stripe-signature" in r.headers)
    moment, signature = request.headers["stripe-signature"].split(",")
    signed = f"{int(START.timestamp())}.".encode() + request.content
    expected = hmac.new(box.config.stripe_hook_secret.encode(), signed, hashlib.sha256).hexdigest()
    assert (moment, signature) == (f"t={int(START.timestamp())}", f"v1={expected}")


@pytest.mark.parametrize(
    ("route", "topics"),
    [
        ("store-api", ["order.updated", "order.created"]),
        ("rest-api", ["order.created", "order.updated"]),
    ],
)
def test_order_of_the_first_two_deliveries(box: Box, route: str, topics: list[str]) -> None:
    box.place(route=route, payment="bacs", basket=[{"sku": "TEE-250"}])
    pump(box)
    assert box.caught.topics() == topics
    assert len({request.content for request in box.caught.requests}) == 1


def test_deliveries_of_one_second_share_their_delivery_id(box: Box) -> None:
    box.place(payment="bacs", basket=[{"sku": "TEE-250"}])
    box.place(payment="bacs", basket=[{"sku": "KAF-1000"}])
    pump(box)
    ids = [r.headers["x-wc-webhook-delivery-id"] for r in box.caught.requests]
    assert len(ids) == 4
    assert len(set(ids)) == 2


def test_a_ping_is_form_encoded_and_not_signed(box: Box) -> None:
    box.sandbox.webhooks.ping()
    pump(box)
    request = box.caught.requests[0]
    assert request.content == b"webhook_id=7"
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert "x-wc-webhook-signature" not in request.headers


def test_woocommerce_does_not_retry_and_is_disabled_after_seven_failures(box: Box) -> None:
    order_id = box.place(payment="bacs", basket=[{"sku": "TEE-250"}])
    pump(box)
    box.caught.requests.clear()
    box.caught.answers = [500] * 7
    for _ in range(9):
        box.sandbox.actors.save_unchanged(order_id)
        pump(box)
        box.clock.advance(60)
    assert len(box.caught.requests) == 7
    assert box.sandbox.webhooks.counts() == {"delivered": 2, "lost": 7, "disabled": 2}


@pytest.mark.parametrize(
    ("vendor", "wait_s", "tries"), [("stripe", 3 * 86400, 9), ("sendcloud", 86400, 11)]
)
def test_stripe_and_sendcloud_try_again_for_long(
    box: Box, vendor: str, wait_s: int, tries: int
) -> None:
    box.sandbox.webhooks.emit(vendor, "test", "1", b"{}")
    box.caught.answers = [503] * 100
    for _ in range(0, wait_s, 600):
        pump(box)
        box.clock.advance(600)
    assert len(box.caught.requests) == tries
    assert box.sandbox.webhooks.counts() == {"lost": 1}


def test_conduct_of_one_scope_leaves_the_others_alone(box: Box) -> None:
    hooks = box.sandbox.webhooks
    doubled = type(hooks.conduct["stripe"])(duplicate=2, parallel=True)
    hooks.scoped["stripe", "loud"] = doubled
    token = scope.set("loud")
    hooks.emit("stripe", "test", "pi_1", b"{}")
    scope.reset(token)
    hooks.emit("stripe", "test", "pi_1", b"{}")  # the same payment stays in its scope
    hooks.emit("stripe", "test", "pi_2", b"{}")
    pump(box)
    assert len(box.caught.requests) == 3 + 3 + 1


def test_held_deliveries_are_released_in_reverse(box: Box) -> None:
    hooks = box.sandbox.webhooks
    hooks.conduct["sendcloud"].hold = True
    for number in ("1", "2", "3"):
        hooks.emit("sendcloud", "test", number, number.encode())
    assert pump(box) == 0
    assert hooks.release("sendcloud", "reversed") == 3
    pump(box)
    assert [request.content for request in box.caught.requests] == [b"3", b"2", b"1"]
