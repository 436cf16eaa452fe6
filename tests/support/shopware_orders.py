"""Shopware for tests: the fixtures, both shapes of an Admin API answer, signed webhooks."""

from __future__ import annotations

import copy
import hashlib
import hmac
import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from kette.adapters.vendors.base import Delivery
from kette.adapters.vendors.shopware import ShopwareAdapter
from kette.domain.facts import OrderSnapshot
from kette.domain.order import Order
from kette.domain.policy import System

from support.vendor_deliveries import NOW, VENDORS, plain_delivery

SHOPWARE = System(id="shopware-main", kind="shopware", role="shop")
SHOPWARE_SECRET = b"app_secret_test_strandgut"
LIVE = "0fa91ce3e96a4bc2be4bd9ce752c3425"
FOLDER = VENDORS / "shopware"
SETUP_FILE = VENDORS.parent / "setups" / "shopware-payment-invoice.yaml"
SETUP_ENVIRON = {
    "KETTE_SHOPWARE_WEBHOOK_SECRET": SHOPWARE_SECRET.decode(),
    "KETTE_STRIPE_WEBHOOK_SECRET": "whsec_stripe_test",
    "KETTE_STRIPE_MODE": "test",
    "KETTE_SENDCLOUD_WEBHOOK_SECRET": "sendcloud_test",
}
ADAPTER = ShopwareAdapter()

# Names of entities behind an association, as JSON:API gives them.
_TYPES = {
    "stateMachineState": "state_machine_state",
    "currency": "currency",
    "language": "language",
    "locale": "locale",
    "salesChannel": "sales_channel",
    "orderCustomer": "order_customer",
    "customer": "customer",
    "billingAddress": "order_address",
    "addresses": "order_address",
    "shippingOrderAddress": "order_address",
    "country": "country",
    "countryState": "country_state",
    "lineItems": "order_line_item",
    "deliveries": "order_delivery",
    "shippingMethod": "shipping_method",
    "positions": "order_delivery_position",
    "transactions": "order_transaction",
    "paymentMethod": "payment_method",
    "captures": "order_transaction_capture",
    "refunds": "order_transaction_capture_refund",
}


@cache
def _raw(name: str) -> str:
    return (FOLDER / "orders" / f"{name}.json").read_text("utf-8")


def names() -> list[str]:
    return sorted(path.stem for path in (FOLDER / "orders").glob("*.json"))


@cache
def expected() -> dict[str, dict[str, Any]]:
    told: dict[str, dict[str, Any]] = json.loads((FOLDER / "expected.json").read_text("utf-8"))
    return told


def raw_answer(name: str) -> bytes:
    return _raw(name).encode()


def order_row(name: str = "de-two-rates", **fields: Any) -> dict[str, Any]:
    """The order of a fixture; fields replace some of its own."""
    (row,) = json.loads(_raw(name))["data"]
    return {**copy.deepcopy(row), **fields}


def payment_call() -> dict[str, Any]:
    """A real app call with an order in it (README.md of the fixtures)."""
    path = FOLDER / "app_payment_request_with_full_order.json"
    told: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return told


def with_state(row: Mapping[str, Any], **states: str) -> dict[str, Any]:
    """order=, transaction=, delivery=: the same order in other states."""
    changed = copy.deepcopy(dict(row))
    if "order" in states:
        changed["stateMachineState"]["technicalName"] = states["order"]
    for key, name in (("transaction", "transactions"), ("delivery", "deliveries")):
        if key in states:
            for part in changed[name]:
                part["stateMachineState"]["technicalName"] = states[key]
    return changed


def reading(*rows: Mapping[str, Any], system: System = SHOPWARE) -> Delivery:
    return plain_delivery(system, {"total": len(rows), "data": list(rows), "aggregations": []})


def read(row: Mapping[str, Any], system: System = SHOPWARE) -> Order:
    draft, *_ = ADAPTER.translate(reading(row, system=system)).facts
    assert isinstance(draft.body, OrderSnapshot)
    return draft.body.order


def as_json_api(row: Mapping[str, Any]) -> dict[str, Any]:
    """The same entity as `Accept: application/vnd.api+json` gives it."""
    included: dict[tuple[str, str], dict[str, Any]] = {}

    def resource(kind: str, entity: Mapping[str, Any]) -> dict[str, Any]:
        attributes: dict[str, Any] = {}
        relationships: dict[str, Any] = {}
        for name, value in entity.items():
            if name not in _TYPES:
                attributes[name] = value
            elif isinstance(value, list):
                relationships[name] = {"data": [link(_TYPES[name], inner) for inner in value]}
            else:
                told = link(_TYPES[name], value) if value is not None else None
                relationships[name] = {"data": told}
        attributes.pop("id", None)
        attributes.pop("apiAlias", None)
        return {
            "id": entity["id"],
            "type": kind,
            "attributes": attributes,
            "links": {"self": f"https://strandgut.example/api/{kind}/{entity['id']}"},
            "relationships": relationships,
            "meta": None,
        }

    def link(kind: str, entity: Mapping[str, Any]) -> dict[str, str]:
        included[kind, entity["id"]] = resource(kind, entity)
        return {"type": kind, "id": entity["id"]}

    data = [resource("order", row)]
    return {
        "links": {"self": "https://strandgut.example/api/search/order"},
        "meta": {"totalCountMode": 1, "total": 1},
        "data": data,
        "included": list(included.values()),
        "aggregations": [],
    }


def event(name: str, payload: Any, **source: Any) -> dict[str, Any]:
    """A webhook's body."""
    return {
        "data": {"payload": payload, "event": name},
        "source": {
            "url": "https://strandgut.example",
            "appVersion": "1.0.0",
            "shopId": "sTrAnDgUt0000001",
            "eventId": hashlib.md5(repr((name, payload)).encode()).hexdigest(),
            **source,
        },
        "timestamp": int(NOW.timestamp()),
    }


def written(entity: str, row_id: Any, operation: str = "update", **more: Any) -> dict[str, Any]:
    row = {"entity": entity, "operation": operation, "primaryKey": row_id, "updatedFields": []}
    return event(f"{entity}.written", [{**row, **more}])


def shopware_signature(secret: bytes, body: bytes) -> str:
    return hmac.new(secret, body, hashlib.sha256).hexdigest()


def signed_event(body: Any, secret: bytes = SHOPWARE_SECRET) -> tuple[bytes, dict[str, str]]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {
        "content-type": "application/json",
        "sw-version": "6.7.5.0",
        "shopware-shop-signature": shopware_signature(secret, raw),
    }
    return raw, headers
