"""Invented Shopify orders against figures that were worked out by hand, to the cent.

fixtures/vendors/shopify/expected.json says what each order comes to; the reasoning stands in the
README there. Where KETTE_VENDOR_SAMPLES names a folder with Shopify's examples, they are read too.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from kette.domain.amount_check import check_amounts
from kette.domain.facts import OrderSnapshot, PayloadUnknown
from kette.domain.money import Money, total_of
from kette.domain.order import Order
from kette.domain.tax_check import check_tax
from kette.domain.validation import validate_order
from kette.policies import load_intake_data
from support.intake_orders import SETUP
from support.shopify_orders import ADAPTER, delivery, expected_orders, order_body, order_of

EXPECTED = expected_orders()
SAMPLES = (
    Path(os.environ.get("KETTE_VENDOR_SAMPLES", Path(__file__).parents[3] / "shared" / "samples"))
    / "shopify"
)


def public(order: Order) -> dict[str, Any]:
    """What expected.json tells of an order; values that are the usual ones are left out there."""
    return {
        "currency": order.currency,
        "gross": order.prices_include_tax,
        "total": order.total.amount,
        "tax": order.total_tax.amount,
        "claim": order.claim.value,
        "method": order.payment_method,
        "title": order.payment_title,
        "paid": order.paid_total.amount if order.paid_total else None,
        "discount": order.discount_total.amount if order.discount_total else None,
        "in_shop_currency": " ".join(order.total_in_shop_currency.public().values())
        if order.total_in_shop_currency
        else None,
        "language": order.language,
        "origin": order.origin,
        "vat_id": order.vat_id,
        "company": order.billing.company,
        "note": order.customer_note,
        "test": order.is_test,
        "physical": len(order.physical_lines),
        "lines": [
            [x.kind.value, x.quantity, x.net.amount, x.tax.amount, x.rate, x.taken_off]
            for x in order.lines
        ],
        "rates": [[x.rate, x.net.amount, x.tax.amount] for x in order.tax_by_rate],
        "refunds": [[x.id, x.amount.amount, x.reason] for x in order.refunds],
    }


def usual(figures: dict[str, Any]) -> dict[str, Any]:
    currency = figures.get("currency", "EUR")
    return {
        "currency": "EUR",
        "gross": True,
        "title": "Online-Zahlung (Shopify Payments)",
        "discount": Money.zero(currency).amount,
        "in_shop_currency": None,
        "language": "de",
        "origin": "checkout",
        "vat_id": "",
        "company": "",
        "note": "",
        "test": False,
        "physical": sum(line[0] == "item" for line in figures["lines"]),
        "refunds": [],
    } | figures


def test_every_order_has_its_figures() -> None:
    folder = Path(__file__).parents[2] / "fixtures" / "vendors" / "shopify" / "orders"
    assert sorted(EXPECTED) == sorted(path.stem for path in folder.glob("*.json"))


@pytest.mark.parametrize("name", EXPECTED)
def test_the_order_is_the_one_worked_out_by_hand(name: str) -> None:
    assert public(order_of(order_body(name))) == usual(EXPECTED[name])


@pytest.mark.parametrize("name", EXPECTED)
def test_the_amounts_add_up_without_a_rest(name: str) -> None:
    order = order_of(order_body(name))
    assert order.rounding is None
    assert [finding.message for finding in check_amounts(order, 0)] == []
    taxes = total_of((share.tax for share in order.tax_by_rate), order.currency)
    assert order.total_tax == taxes


@pytest.mark.parametrize("name", EXPECTED)
def test_webhook_rest_and_list_tell_the_same(name: str) -> None:
    """The bare body with and without its topic, wrapped as REST does, and as a page of a list."""
    body = order_body(name)
    told = [
        ADAPTER.translate(delivery(shape, topic)).facts
        for shape, topic in (
            (body, "orders/create"),
            (body, "orders/paid"),
            (body, "ORDERS_UPDATED"),
            (body, ""),
            ({"order": body}, ""),
            ({"order": body}, "orders/updated"),
            ({"orders": [body]}, ""),
        )
    ]
    assert all(facts == told[0] for facts in told)


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="no folder of vendor samples here")
class TestOfficialExamples:
    """Shopify/shopify-api-ruby, test data of version 2026-07 (MIT)."""

    TOTALS = {
        "constructed_order_webhook_de_gross_19_and_7": ("121.70", "17.36", "processing", "121.70"),
        "order_closed": ("598.94", "11.94", "completed", None),
        "order_created_multiple_tax_lines_per_line": ("270.37", "14.45", "processing", "0.00"),
        "order_created_paid_eur_tax_on_top": ("238.47", "13.50", "processing", "238.47"),
        "order_created_partially_paid": ("199.00", "0.00", "processing", "50.00"),
        "order_created_pending_manual_payment": ("199.00", "0.00", "on_hold", None),
        "order_created_with_discount_code_percentage": ("181.09", "0.00", "processing", "50.00"),
        "order_partially_refunded_one_fulfillment_failed": ("598.94", "11.94", "processing", None),
    }

    def test_every_example_is_read(self) -> None:
        paths = sorted(SAMPLES.glob("*.json"))
        assert len(paths) >= 20
        for path in paths:
            for topic in ("", "orders/updated") if path.name.startswith("order_") else ("",):
                told = ADAPTER.translate(delivery(path.read_bytes(), topic))
                assert told.facts or told.note, path.name
                unknown = [x for x in told.facts if isinstance(x.body, PayloadUnknown)]
                assert not unknown, path.name

    @pytest.mark.parametrize("name", TOTALS)
    def test_orders_to_the_cent(self, name: str) -> None:
        told = ADAPTER.translate(delivery((SAMPLES / f"{name}.json").read_bytes(), ""))
        (order,) = [x.body.order for x in told.facts if isinstance(x.body, OrderSnapshot)]
        paid = order.paid_total.amount if order.paid_total else None
        found = (order.total.amount, order.total_tax.amount, order.claim.value, paid)
        assert found == self.TOTALS[name]
        assert order.rounding is None
        raw = json.loads((SAMPLES / f"{name}.json").read_bytes())
        assert order.external_id == str(raw.get("order", raw)["id"])


def test_customer_without_tax_is_no_rate_of_zero() -> None:
    """A customer marked as exempt: Shopify lists 19 % and charges nothing. Taken for goods that the
    state taxes with nothing, a domestic sale without tax would pass as right."""
    body = order_body("de_gross", tax_exempt=True, total_tax="0.00", current_total_tax="0.00")
    for row in (*body["line_items"], *body["shipping_lines"]):
        for line in row["tax_lines"]:
            line["price"] = "0.00"
            line["price_set"]["presentment_money"]["amount"] = "0.00"
    body["total_tax_set"]["presentment_money"]["amount"] = "0.00"
    order = order_of(body)
    assert [share.rate for share in order.tax_by_rate] == [None]
    found = check_tax(order, order.delivery_address, SETUP, load_intake_data().tax)
    assert [(x.code, x.severity.value) for x in found] == [("tax_missing", "error")]


def test_row_that_the_state_taxes_with_nothing_keeps_its_rate() -> None:
    body = order_body("de_gross")
    for row in (*body["line_items"], *body["shipping_lines"]):
        for line in row["tax_lines"]:
            line |= {"rate": 0.0, "price": "0.00"}
            line["price_set"]["presentment_money"]["amount"] = "0.00"
    assert [share.rate for share in order_of(body).tax_by_rate] == ["0"]


def test_a_tip_without_tax_is_no_doubtful_line() -> None:
    """It was a fee without a rate, and each tip opened an entry of the exception list."""
    found = order_of(order_body("tip"))
    findings = validate_order(found, found.delivery_address, SETUP, load_intake_data())
    assert [(x.code, x.exception_kind) for x in findings if x.field == "tax"] == [
        ("tip_untaxed", "")
    ]
    assert [x.code for x in check_amounts(found, SETUP.intake.tolerance_minor_per_line)] == []
    assert total_of((x.net + x.tax for x in found.lines), "EUR") == found.total
