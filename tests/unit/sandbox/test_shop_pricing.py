"""The sandbox's shop computes what a real WooCommerce computed, for every recorded order.

Only what a customer chose is taken from the recording (products, quantities, address, method).
"""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sandbox.shop_catalog import PRODUCTS, SHIPPING
from sandbox.shop_pricing import (
    BasketLine,
    Destination,
    cents,
    line_tax,
    price_extra,
    price_line,
    price_shipping,
    totals,
)

RECORDED = Path(__file__).parents[3] / "fixtures" / "vendors" / "woocommerce" / "deliveries.jsonl"
# Recorded under other settings of the shop, edited by hand, or with coupons the sandbox has not.
OTHER_SETTINGS = {
    "net-prices-shop",
    "round-at-subtotal",
    "usd",
    "edited-after-payment",
    "coupon-fixed-cart",
    "coupon-two",
    "zero-total",
    "free-shipping-coupon",
}
METHODS = {method.title: method for method in SHIPPING.values()}
TOTALS = (
    "discount_total",
    "discount_tax",
    "shipping_total",
    "shipping_tax",
    "cart_tax",
    "total",
    "total_tax",
)


def recorded_orders() -> list[Any]:
    """One body per recorded order whose products the sandbox sells."""
    found: dict[str, Any] = {}
    for line in RECORDED.read_text(encoding="utf-8").split("\n"):
        if not line:
            continue
        row = json.loads(line)
        if row["scenario"] in OTHER_SETTINGS or not row["raw_body"].startswith('{"id"'):
            continue
        body = json.loads(row["raw_body"])
        items = body.get("line_items", [])
        if items and all(item["product_id"] in PRODUCTS for item in items):
            found.setdefault(f"{row['scenario']}-{body['id']}", body)
    return [pytest.param(body, id=name) for name, body in found.items()]


ORDERS = recorded_orders()


def priced(body: dict[str, Any]) -> dict[str, Any]:
    percent = Decimal(10) if body["coupon_lines"] else Decimal(0)
    to = Destination(
        body["shipping"]["country"] or body["billing"]["country"], body["shipping"]["postcode"]
    )
    lines = [
        BasketLine(PRODUCTS[item["product_id"]], item["quantity"], percent)
        for item in body["line_items"]
    ]
    shipping = [
        METHODS.get(row["method_title"], SHIPPING["dhl-eu"]) for row in body["shipping_lines"]
    ]
    return {
        "lines": [price_line(line, to) for line in lines],
        "fees": [price_extra(Decimal("4.117647"), "", to) for _ in body["fee_lines"]],
        "shipping_lines": [price_shipping(method, lines, to) for method in shipping],
    }


def test_enough_orders_are_compared() -> None:
    assert len(ORDERS) >= 50


@pytest.mark.parametrize("body", ORDERS)
def test_totals_are_those_of_the_recording(body: dict[str, Any]) -> None:
    sums = totals(priced(body))
    assert {name: f"{getattr(sums, name):.2f}" for name in TOTALS} == {
        name: body[name] for name in TOTALS
    }


@pytest.mark.parametrize("body", ORDERS)
def test_lines_are_those_of_the_recording(body: dict[str, Any]) -> None:
    mine = [
        (
            f"{cents(Decimal(row['subtotal'])):.2f}",
            f"{cents(Decimal(row['total'])):.2f}",
            f"{line_tax(row):.2f}",
            float(Decimal(row["total"])) / item["quantity"],
        )
        for row, item in zip(priced(body)["lines"], body["line_items"], strict=True)
    ]
    theirs = [
        (item["subtotal"], item["total"], item["total_tax"], item["price"])
        for item in body["line_items"]
    ]
    assert mine == theirs
