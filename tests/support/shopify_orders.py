"""Shopify: the invented orders of fixtures/vendors/shopify, delivered and signed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest
from kette.adapters.vendors.base import Delivery, UnknownPayloadError
from kette.adapters.vendors.shopify import ShopifyAdapter
from kette.domain.facts import OrderSnapshot, Translation
from kette.domain.order import Order
from kette.domain.policy import System

from support.vendor_deliveries import NOW, VENDORS

SHOPIFY = System(
    id="shopify-main",
    kind="shopify",
    role="shop",
    base_url="https://nordlicht.myshopify.com",
)
SECRET = b"shpss_test_nordlicht_2026"
FOLDER = VENDORS / "shopify"
ADAPTER = ShopifyAdapter()
EVENTS: dict[str, Any] = json.loads((FOLDER / "events.json").read_text("utf-8"))
GRAPHQL: dict[str, Any] = json.loads((FOLDER / "graphql_order.json").read_text("utf-8"))


@cache
def _raw(name: str) -> str:
    return (FOLDER / "orders" / f"{name}.json").read_text("utf-8")


def order_body(name: str, /, **changes: Any) -> dict[str, Any]:
    """A fresh copy of one of the invented orders."""
    body: dict[str, Any] = json.loads(_raw(name))
    return body | changes


def expected_orders() -> dict[str, dict[str, Any]]:
    told: dict[str, dict[str, Any]] = json.loads((FOLDER / "expected.json").read_text("utf-8"))
    return told


def signature(secret: bytes, raw: bytes) -> str:
    return base64.b64encode(hmac.digest(secret, raw, hashlib.sha256)).decode()


def delivery(
    body: Any, topic: str = "orders/updated", system: System = SHOPIFY, **headers: str
) -> Delivery:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    told = {
        "x-shopify-topic": topic,
        "x-shopify-hmac-sha256": signature(SECRET, raw),
        "x-shopify-api-version": "2026-07",
        "x-shopify-webhook-id": "b1a2",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    return Delivery(system, {k: v for k, v in told.items() if v}, raw, NOW)


def told_by(body: Any, topic: str = "orders/updated", system: System = SHOPIFY) -> Translation:
    return ADAPTER.translate(delivery(body, topic, system))


def order_of(body: Mapping[str, Any], system: System = SHOPIFY) -> Order:
    (order,) = [
        draft.body.order
        for draft in told_by(body, "orders/updated", system).facts
        if isinstance(draft.body, OrderSnapshot)
    ]
    return order


def event(name: str, **changes: Any) -> Translation:
    """What an event of events.json says, some of its fields changed."""
    told = EVENTS[name]
    return told_by(told["body"] | changes, told["topic"])


def refused(body: Any, topic: str, **headers: str) -> str:
    """Why a delivery cannot be read."""
    with pytest.raises(UnknownPayloadError) as error:
        ADAPTER.translate(delivery(body, topic, **headers))
    return error.value.reason
