"""Recorded orders as canonical orders, a merchant, and documents made of both."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import cache

import msgspec
from kette.adapters.vendors.base import UnknownPayloadError
from kette.adapters.vendors.woocommerce import WooCommerceAdapter
from kette.domain.documents import InvoiceDocument, build_invoice
from kette.domain.facts import OrderSnapshot
from kette.domain.money import Money
from kette.domain.order import Address, LineItem, LineKind, Order, ShopClaim, TaxShare
from kette.domain.policy import CustomerPolicy, Merchant, Setup
from support.vendor_deliveries import expected_sums, recorded

MERCHANT = Merchant(
    name="Nordlicht Laden GmbH",
    address=Address(
        line1="Speicherweg 7",
        postal_code="20457",
        city="Hamburg",
        country_code="DE",
        phone="+49 40 000000",
        email="kontakt@nordlicht.example",
    ),
    tax_number="00/000/00000",
    vat_id="DE000000000",
    register="Amtsgericht Hamburg, HRB 000000",
    iban="DE02120300000000202051",
    bank_name="Beispielbank",
    website="www.nordlicht.example",
)
SETUP = Setup(
    name="Nordlicht",
    merchant=MERCHANT,
    systems={},
    customer=CustomerPolicy(
        mail_from="laden@nordlicht.example", reply_to="hilfe@nordlicht.example"
    ),
)
ISSUED, SUPPLIED = date(2026, 11, 5), date(2026, 11, 4)


def eur(text: str) -> Money:
    return Money.parse(text, "EUR")


@cache
def recorded_orders() -> dict[str, Order]:
    """Scenario -> the newest snapshot of its order, as the adapter reads it."""
    adapter = WooCommerceAdapter()
    newest: dict[int, Order] = {}
    for row in recorded():
        try:
            facts = adapter.translate(row.delivery).facts
        except UnknownPayloadError:
            continue
        for draft in facts:
            if isinstance(draft.body, OrderSnapshot):
                order = draft.body.order
                known = newest.get(int(order.external_id))
                if known is None or order.version > known.version:
                    newest[int(order.external_id)] = order
    return {
        name: newest[sums["order_id"]]
        for name, sums in expected_sums().items()
        if sums["order_id"] in newest
    }


def line(
    identity: str,
    net: str,
    tax: str,
    rate: str | None = "0.19",
    kind: LineKind = LineKind.ITEM,
    name: str = "Becher",
    quantity: int = 1,
    physical: bool = True,
) -> LineItem:
    return LineItem(
        id=identity,
        kind=kind,
        name=name,
        quantity=quantity,
        net=eur(net),
        tax=eur(tax),
        rate=rate,
        is_physical=physical,
    )


def order_of(*lines: LineItem, total: str | None = None, **changes: object) -> Order:
    """An order made by hand, its tax rows summed from the lines."""
    rates = list(dict.fromkeys(row.rate for row in lines))
    shares = tuple(
        TaxShare(
            rate=rate,
            label="",
            net=Money(sum(row.net.minor for row in lines if row.rate == rate), "EUR"),
            tax=Money(sum(row.tax.minor for row in lines if row.rate == rate), "EUR"),
        )
        for rate in rates
    )
    tax = sum(share.tax.minor for share in shares)
    gross = sum(share.gross.minor for share in shares)
    home = Address(
        name="Anke Petersen",
        line1="Hafenstr. 3",
        postal_code="22767",
        city="Hamburg",
        country_code="DE",
        email="anke@example.org",
    )
    order = Order(
        channel="woo-main",
        external_id="102",
        number="102",
        version="1",
        placed_at=datetime(2026, 11, 3, 23, 30, tzinfo=UTC),
        claim=ShopClaim.PROCESSING,
        shop_status="processing",
        currency="EUR",
        total=eur(total) if total else Money(gross, "EUR"),
        total_tax=Money(tax, "EUR"),
        prices_include_tax=True,
        lines=lines,
        tax_by_rate=shares,
        billing=home,
        shipping=home,
        payment_method="card",
        payment_title="Kreditkarte",
        language="de",
    )
    return msgspec.structs.replace(order, **changes)


def invoice_of(
    order: Order,
    paid: Money | None = None,
    setup: Setup = SETUP,
    number: str = "RE-2026-000123",
    supplied_on: date | None = SUPPLIED,
    delivery: Address | None = None,
) -> InvoiceDocument:
    return build_invoice(
        order,
        setup,
        number=number,
        issued_on=ISSUED,
        supplied_on=supplied_on,
        paid=order.total if paid is None else paid,
        delivery=delivery,
    )
