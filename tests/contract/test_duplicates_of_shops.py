"""An order that comes twice, from each shop and from several, and what only looks like it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from kette.adapters.vendors.woocommerce import WooCommerceAdapter
from kette.domain.duplicates import find_duplicate_of, fingerprint, twin_keys
from kette.domain.facts import OrderSnapshot
from kette.domain.order import Order
from kette.domain.policy import System
from support import shopware_orders
from support.shopify_orders import SHOPIFY, order_body, order_of
from support.shopware_orders import SHOPWARE, order_row
from support.vendor_deliveries import WOO, woo_delivery
from support.woo_orders import changed

HOUR_S = 3600


def woo(number: str, system: System = WOO, **more: Any) -> Order:
    body = changed(id=int(number), number=number, **more)
    delivery = msgspec.structs.replace(woo_delivery(body, "order.updated"), system=system)
    (draft, *_) = WooCommerceAdapter().translate(delivery).facts
    assert isinstance(draft.body, OrderSnapshot)
    return draft.body.order


def shopify(number: str, system: System = SHOPIFY, **more: Any) -> Order:
    body = order_body("de_gross", id=int(number), name=f"#{number}", **more)
    return order_of(body, system)


def shopware(number: str, system: System = SHOPWARE, **more: Any) -> Order:
    row = order_row(id=number.zfill(32), orderNumber=number, **more)
    return shopware_orders.read(row, system)


SHOPS: dict[str, tuple[Callable[..., Order], System]] = {
    "woocommerce": (woo, WOO),
    "shopify": (shopify, SHOPIFY),
    "shopware": (shopware, SHOPWARE),
}


def after(order: Order, seconds: int) -> Order:
    return msgspec.structs.replace(order, placed_at=order.placed_at + timedelta(seconds=seconds))


def original_of(second: Order, first: Order, window_s: int = HOUR_S) -> str:
    match = find_duplicate_of(fingerprint(second, b"key"), [fingerprint(first, b"key")], window_s)
    return match.original.number if match else ""


@pytest.mark.parametrize("shop", SHOPS)
def test_the_customer_pressed_twice(shop: str) -> None:
    read, _ = SHOPS[shop]
    first, second = read("5001"), after(read("5002"), 4)
    assert original_of(second, first) == first.number
    assert original_of(first, second) == "", "the first one is the original"
    assert set(twin_keys(fingerprint(first, b"key"))) & set(twin_keys(fingerprint(second, b"key")))


@pytest.mark.parametrize("shop", SHOPS)
def test_the_same_webhook_again_is_the_order_itself(shop: str) -> None:
    read, _ = SHOPS[shop]
    assert original_of(read("5001"), read("5001")) == ""


@pytest.mark.parametrize("shop", SHOPS)
def test_the_setups_window_decides(shop: str) -> None:
    read, _ = SHOPS[shop]
    first, second = read("5001"), after(read("5002"), 7200)
    assert original_of(second, first) == ""
    assert original_of(second, first, window_s=7200) == first.number


@pytest.mark.parametrize("shop", SHOPS)
def test_two_shops_of_one_kind_with_the_same_number_are_two(shop: str) -> None:
    read, system = SHOPS[shop]
    other = msgspec.structs.replace(system, id=f"{system.id}-2")
    first, second = read("5001"), after(read("5001", system=other), 4)
    assert original_of(second, first) == ""
    assert not set(twin_keys(fingerprint(first, b"key"))) & set(
        twin_keys(fingerprint(second, b"key"))
    )


@pytest.mark.parametrize(("one", "other"), list(itertools.permutations(SHOPS, 2)))
def test_shops_of_two_kinds_with_the_same_number_are_two(one: str, other: str) -> None:
    first, second = SHOPS[one][0]("5001"), SHOPS[other][0]("5001")
    alike = msgspec.structs.replace(second, placed_at=first.placed_at, billing=first.billing)
    assert original_of(after(alike, 4), first) == ""


@pytest.mark.parametrize("shop", SHOPS)
def test_another_customer_with_the_same_basket_is_another_order(shop: str) -> None:
    read, _ = SHOPS[shop]
    first, second = read("5001"), after(read("5002"), 4)
    somebody = msgspec.structs.replace(
        second.billing, name="Ole Hansen", email="ole@example.org", line1="Am Markt 1", phone=""
    )
    stranger = msgspec.structs.replace(second, billing=somebody, customer_ref="4711")
    assert original_of(stranger, first) == ""
