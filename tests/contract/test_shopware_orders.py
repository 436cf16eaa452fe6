"""Shopware orders against figures worked out by hand, to the cent, in both shapes of the API.

fixtures/vendors/shopware/README.md tells where shapes and figures come from.
"""

from __future__ import annotations

import json
import os
import random
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from kette.adapters.vendors.base import Delivery, UnknownPayloadError
from kette.domain.facts import OrderSnapshot, PayloadUnknown
from kette.domain.money import Money, total_of
from kette.domain.order import LineKind, Order
from support.shopware_orders import (
    ADAPTER,
    SHOPWARE,
    as_json_api,
    expected,
    names,
    order_row,
    payment_call,
    raw_answer,
    read,
)
from support.vendor_deliveries import NOW, plain_delivery

SAMPLES = (
    Path(os.environ.get("KETTE_VENDOR_SAMPLES", Path(__file__).parents[3] / "shared" / "samples"))
    / "shopware"
)


def summary(order: Order) -> dict[str, Any]:
    """An order in the form of expected.json."""
    return {
        "number": order.number,
        "currency": order.currency,
        "total": order.total.amount,
        "total_tax": order.total_tax.amount,
        "per_rate": [
            {"rate": s.rate, "net": s.net.amount, "tax": s.tax.amount} for s in order.tax_by_rate
        ],
        "lines": [
            {
                "kind": line.kind.value,
                "name": line.name,
                "quantity": line.quantity,
                "net": line.net.amount,
                "tax": line.tax.amount,
                "rate": line.rate,
                "physical": line.kind is LineKind.ITEM and line.is_physical,
            }
            for line in order.lines
        ],
        "claim": order.claim.value,
        "shop_status": order.shop_status,
        "paid_total": order.paid_total.amount if order.paid_total else None,
        "refunds": [{"amount": r.amount.amount, "reason": r.reason} for r in order.refunds],
        "rounding": order.rounding.amount if order.rounding else None,
        "method": order.payment_method,
        "prices_include_tax": order.prices_include_tax,
    }


def test_every_fixture_has_its_figures() -> None:
    assert names() == sorted(expected())
    assert len(names()) >= 12


@pytest.mark.parametrize("name", names())
def test_orders_are_what_was_worked_out_by_hand(name: str) -> None:
    delivery = Delivery(SHOPWARE, {}, raw_answer(name), NOW)
    draft, *_ = ADAPTER.translate(delivery).facts
    assert isinstance(draft.body, OrderSnapshot)
    assert summary(draft.body.order) == expected()[name]


@pytest.mark.parametrize("name", names())
def test_the_figures_themselves_add_up(name: str) -> None:
    """The expectations are not the adapter's: nets, taxes and rounding make the total."""
    told = expected()[name]
    rates = sum(Decimal(r["net"]) + Decimal(r["tax"]) for r in told["per_rate"])
    assert rates + Decimal(told["rounding"] or 0) == Decimal(told["total"])
    lines = sum(Decimal(line["net"]) + Decimal(line["tax"]) for line in told["lines"])
    assert lines + Decimal(told["rounding"] or 0) == Decimal(told["total"])
    assert sum(Decimal(r["tax"]) for r in told["per_rate"]) == Decimal(told["total_tax"])


@pytest.mark.parametrize("name", names())
def test_json_api_tells_the_very_same_fact(name: str) -> None:
    row = order_row(name)
    plain = ADAPTER.translate(plain_delivery(SHOPWARE, {"data": [row]})).facts
    linked = ADAPTER.translate(plain_delivery(SHOPWARE, as_json_api(row))).facts
    alone = ADAPTER.translate(plain_delivery(SHOPWARE, row)).facts
    framed = ADAPTER.translate(plain_delivery(SHOPWARE, {"data": row})).facts
    assert plain == linked == alone == framed != ()


@pytest.mark.parametrize("name", names())
def test_the_order_of_rows_and_keys_changes_nothing(name: str) -> None:
    """The database gives associations in no order of its own."""
    row = order_row(name)
    whole = read(row)
    for seed in range(3):
        mixed = dict(row)
        shuffle = random.Random(seed).shuffle
        for part in ("lineItems", "deliveries", "transactions", "addresses"):
            mixed[part] = list(mixed[part])
            shuffle(mixed[part])
        keys = list(mixed)
        shuffle(keys)
        assert read({key: mixed[key] for key in keys}) == whole


def test_several_orders_in_one_answer_are_several_facts() -> None:
    rows = [order_row(name) for name in names()]
    facts = ADAPTER.translate(plain_delivery(SHOPWARE, {"data": rows})).facts
    assert len(facts) == len({draft.external_id for draft in facts})
    assert sum(isinstance(draft.body, OrderSnapshot) for draft in facts) == len(rows)


def test_one_bad_order_among_many_is_one_unknown_payload() -> None:
    rows = [order_row(name) for name in names()]
    rows[3]["currency"] = None
    facts = ADAPTER.translate(plain_delivery(SHOPWARE, {"data": rows})).facts
    (bad,) = (draft.body for draft in facts if isinstance(draft.body, PayloadUnknown))
    assert bad.reason.endswith("currency.isoCode: missing or not an ISO 4217 code")
    assert sum(isinstance(draft.body, OrderSnapshot) for draft in facts) == len(rows) - 1


def test_a_real_payment_call_goes_through() -> None:
    """The line says 50 % and 197.505 of tax, the order says no tax at all. Neither is trusted: the
    difference stays visible and becomes a tax_mismatch."""
    told = ADAPTER.translate(plain_delivery(SHOPWARE, payment_call()))
    (draft,) = told.facts
    assert isinstance(draft.body, OrderSnapshot)
    order = draft.body.order
    assert (order.number, order.currency) == ("10077", "EUR")
    assert (order.total, order.total_tax) == (Money(39501, "EUR"), Money(0, "EUR"))
    assert [(s.rate, s.net.minor, s.tax.minor) for s in order.tax_by_rate] == [
        ("0.5", 19750, 19751)
    ]
    assert total_of((line.net + line.tax for line in order.lines), "EUR") == order.total
    assert order.claim.value == "pending"
    assert (order.shipping.line1, order.shipping.country_code) == ("Ebbinghoff 10", "SR")
    assert draft.occurred_at == datetime(2023, 5, 4, 13, 36, 54, 209000, UTC)
    assert [(f.resource, f.id) for f in told.fetch] == [("order", order.external_id)]


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="no folder of vendor samples here")
def test_each_foreign_sample_is_read_or_refused_with_a_reason() -> None:
    files = sorted(SAMPLES.glob("*.json"))
    assert files
    outcomes: dict[str, str] = {}
    for path in files:
        try:
            told = ADAPTER.translate(Delivery(SHOPWARE, {}, path.read_bytes(), NOW))
            outcomes[path.name] = f"{len(told.facts)} facts, {len(told.fetch)} to read"
        except UnknownPayloadError as error:
            outcomes[path.name] = f"refused: {error.reason}"
    print(json.dumps(outcomes, indent=1))
    # What no shop sends of itself (an order to be created, a list of states) is refused by name.
    assert [name for name, outcome in outcomes.items() if outcome == "refused: "] == []
    events = {name for name in outcomes if name.startswith("app_")}
    assert not any(outcomes[name].startswith("refused") for name in events)
