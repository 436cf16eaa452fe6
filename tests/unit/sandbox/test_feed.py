"""The load feed: many different orders, ready to send."""

from __future__ import annotations

from datetime import UTC, datetime

from sandbox.core import Config
from sandbox.feed import prepare
from sandbox.signing import sign_woocommerce

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def test_orders_differ_and_repeat_with_the_seed() -> None:
    orders = prepare(200, seed=3)
    assert len({order.email for order in orders}) == 200
    assert len({order.order_id for order in orders}) == 200
    assert len({order.total for order in orders}) > 100
    assert [order.email for order in prepare(5, seed=3)] == [o.email for o in orders[:5]]
    assert {order.email for order in prepare(5, seed=4)}.isdisjoint(o.email for o in orders)


def test_each_order_is_placed_and_paid() -> None:
    (order,) = prepare(1)
    topics = [request.topic for request in order.requests]
    assert sorted(topics[:2]) == ["order.created", "order.updated"]
    assert topics[2:] == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "order.updated",
    ]


def test_requests_are_signed_when_they_are_sent() -> None:
    config = Config()
    (order,) = prepare(1, config)
    shop, stripe = order.requests[0], order.requests[2]
    signature = shop.headers(NOW)["X-WC-Webhook-Signature"]
    assert signature == sign_woocommerce(config.woo_hook_secret, shop.body)
    assert stripe.headers(NOW)["Stripe-Signature"].startswith(f"t={int(NOW.timestamp())},v1=")
    assert stripe.url("http://127.0.0.1:1/") == "http://127.0.0.1:1/v1/events/stripe-main"
