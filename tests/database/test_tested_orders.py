"""Test orders of a live shop on a real database: taken in, and no neighbour of any real order."""

from __future__ import annotations

from typing import Any

from kette.setup_file import load_setup
from support.service_box import ENVIRON, SETUP_FILE, ServiceBox, card_order, woo_id

TEST_MODE = {"id": 1, "key": "_wcpay_mode", "value": "test"}


def order_body(number: int, *, is_test: bool) -> dict[str, Any]:
    meta = [TEST_MODE] if is_test else []
    paid = {"date_paid_gmt": "2026-11-23T20:16:00", "date_paid": "2026-11-23T21:16:00"}
    # The shop's number of the customer stays, so an order of the same basket looks repeated.
    return card_order(number, payment_method="woocommerce_payments", meta_data=meta, **paid)


def test_staff_who_try_the_checkout_out_leave_no_trace_but_the_order(database_url: str) -> None:
    live = load_setup(SETUP_FILE, {**ENVIRON, "KETTE_STRIPE_MODE": "live"})
    box = ServiceBox(database_url, setup=live)
    try:
        for number in (301, 302, 303):
            box.woo(order_body(number, is_test=True))
        assert box.statuses(woo_id(303))["payment"] == "paid"
        assert (box.actions(), box.exceptions()) == ({}, {})
        box.woo(order_body(304, is_test=False))
        assert f"check_stock:{woo_id(304)}:1" in box.actions()
        assert box.exceptions() == {}
        keys = {}
        with box.kernel.store.read() as tx:
            for number in (301, 304):
                row = tx.orders.get(woo_id(number))
                assert row is not None
                keys[number] = row.customer_key
        assert keys[301] == ""
        assert keys[304] != ""
    finally:
        box.close()
