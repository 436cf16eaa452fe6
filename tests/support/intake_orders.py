"""Orders for tests of the intake rules; their sums are right unless a test says otherwise."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
from kette.domain.money import Money
from kette.domain.order import Address, LineItem, LineKind, Order, ShopClaim, TaxShare
from kette.domain.policy import IntakePolicy, Merchant, Setup

PLACED_AT = datetime(2026, 11, 23, 20, 15, tzinfo=UTC)
ANKE = Address(
    name="Anke Petersen",
    line1="Hafenstr. 3",
    postal_code="22767",
    city="Hamburg",
    country_code="DE",
    phone="+49 40 1234567",
    email="anke@example.org",
)
MERCHANT = Merchant(
    name="Nordlicht Laden GmbH",
    address=Address(line1="Hafenstr. 12", postal_code="20457", city="Hamburg", country_code="DE"),
    vat_id="DE111111125",
)
SETUP = Setup(name="test", merchant=MERCHANT, systems={})


def address(**changes: str) -> Address:
    return msgspec.structs.replace(ANKE, **changes)


def row(
    net: int, tax: int, rate: str | None = "0.19", kind: LineKind = LineKind.ITEM, **changes: Any
) -> LineItem:
    """A line in cents."""
    values = {"id": f"{kind.value}-{net}-{tax}-{rate}", "name": "Becher", "quantity": 1, **changes}
    return LineItem(
        kind=kind, net=Money(net, "EUR"), tax=Money(tax, "EUR"), rate=rate, **values
    )  # fmt: skip


MUG = row(1664, 316)


def order(*lines: LineItem, **changes: Any) -> Order:
    """An order of these lines; total, tax and rates are their sums unless given."""
    rows = lines or (MUG,)
    shares: dict[str | None, TaxShare] = {}
    for line in rows:
        share = shares.get(line.rate, TaxShare(line.rate, "", Money(0, "EUR"), Money(0, "EUR")))
        shares[line.rate] = TaxShare(line.rate, "", share.net + line.net, share.tax + line.tax)
    tax = sum(line.tax.minor for line in rows)
    values: dict[str, Any] = {
        "channel": "woo-main",
        "external_id": "102",
        "number": "102",
        "version": "2026-11-23T20:15:00",
        "placed_at": PLACED_AT,
        "claim": ShopClaim.PROCESSING,
        "shop_status": "processing",
        "currency": "EUR",
        "total": Money(sum(line.net.minor for line in rows) + tax, "EUR"),
        "total_tax": Money(tax, "EUR"),
        "prices_include_tax": True,
        "lines": rows,
        "tax_by_rate": tuple(shares.values()),
        "billing": ANKE,
        "shipping": ANKE,
        **changes,
    }
    return Order(**values)


def to(country_code: str, postal_code: str, **changes: str) -> dict[str, Address]:
    """Changes of an order that goes elsewhere."""
    place = address(country_code=country_code, postal_code=postal_code, **changes)
    return {"billing": place, "shipping": place}


def setup(**intake: Any) -> Setup:
    return msgspec.structs.replace(SETUP, intake=IntakePolicy(**intake))
