"""Bodies of WooCommerce orders for tests: a recorded one, changed where the test needs it."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from kette.adapters.vendors.woocommerce import WooCommerceAdapter
from kette.domain.facts import OrderSnapshot
from kette.domain.order import Order

from support.vendor_deliveries import recorded_step, woo_delivery

BASE: dict[str, Any] = recorded_step("b2c-19", "processing").body


def changed(**fields: Any) -> dict[str, Any]:
    return {**copy.deepcopy(BASE), **fields}


def order_of(body: dict[str, Any]) -> Order:
    (draft,) = WooCommerceAdapter().translate(woo_delivery(body)).facts
    assert isinstance(draft.body, OrderSnapshot)
    return draft.body.order


def with_meta(*entries: tuple[str, Any]) -> dict[str, Any]:
    return changed(meta_data=[{"id": n, "key": k, "value": v} for n, (k, v) in enumerate(entries)])


def rated(rate_id: int, percent: Any, tax: str, shipping: str = "0.00", **more: Any) -> Any:
    return {
        "id": 900 + rate_id,
        "rate_id": rate_id,
        "label": f"Tax {percent}",
        "rate_percent": percent,
        "tax_total": tax,
        "shipping_tax_total": shipping,
        **more,
    }


def row(total: str, tax: str, *taxes: tuple[int, str], **more: Any) -> dict[str, Any]:
    told = [{"id": rate, "total": amount, "subtotal": amount} for rate, amount in taxes]
    return {
        "id": 5,
        "name": "X",
        "quantity": 1,
        "total": total,
        "total_tax": tax,
        "taxes": told,
    } | more


def priced(total: str, items: Sequence[Any], rates: Sequence[Any], **more: Any) -> dict[str, Any]:
    return changed(
        **{
            "total": total,
            "line_items": items,
            "shipping_lines": [],
            "tax_lines": rates,
            "created_via": "rest-api",
            **more,
        }
    )


def shares_of(order: Order) -> list[tuple[str | None, str, str]]:
    return [(s.rate, s.net.amount, s.tax.amount) for s in order.tax_by_rate]
