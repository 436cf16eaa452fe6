"""An order, a setup and all that a mail may tell, and a reader of a mail's HTML."""

from __future__ import annotations

from datetime import UTC, date, datetime
from html.parser import HTMLParser

import msgspec
from kette.adapters.mail.model import ExceptionView, LineView, MailContext, ParcelView, Problem
from kette.domain.money import Money
from kette.domain.order import Address, LineItem, LineKind, Order, ShopClaim, TaxShare
from kette.domain.policy import CustomerPolicy, Merchant, Setup

replace = msgspec.structs.replace


def eur(text: str) -> Money:
    return Money.parse(text, "EUR")


MERCHANT = Merchant(
    name="Nordlicht Laden GmbH",
    address=Address(
        line1="Speicherweg 7",
        postal_code="20457",
        city="Hamburg",
        country_code="DE",
        email="kontakt@nordlicht.example",
    ),
    vat_id="DE000000000",
    iban="DE02120300000000202051",
    bank_name="Beispielbank",
)
SETUP = Setup(
    name="Nordlicht",
    merchant=MERCHANT,
    systems={},
    customer=CustomerPolicy(
        mail_from="laden@nordlicht.example", reply_to="hilfe@nordlicht.example"
    ),
)
ANKE = Address(
    name="Anke Petersen",
    line1="Hafenstr. 3",
    postal_code="22767",
    city="Hamburg",
    country_code="DE",
    email="anke@example.org",
)
ORDER = Order(
    channel="woo-main",
    external_id="102",
    number="102",
    version="1",
    placed_at=datetime(2026, 11, 3, 23, 30, tzinfo=UTC),
    claim=ShopClaim.ON_HOLD,
    shop_status="on-hold",
    currency="EUR",
    total=eur("34.70"),
    total_tax=eur("5.54"),
    prices_include_tax=True,
    lines=(
        LineItem("1", LineKind.ITEM, "Becher „Leuchtturm“", 2, eur("25.04"), eur("4.76"), "0.19"),
        LineItem("2", LineKind.SHIPPING, "DHL Paket", 1, eur("4.12"), eur("0.78"), "0.19"),
    ),
    tax_by_rate=(TaxShare("0.19", "MwSt.", eur("29.16"), eur("5.54")),),
    billing=ANKE,
    shipping=ANKE,
    payment_method="bacs",
    payment_title="Vorkasse",
    language="de",
)
FULL = MailContext(
    action_key="notify:ord_1:1",
    order=ORDER,
    amount=eur("29.80"),
    link="https://pay.example/abc?x=1&y=2",
    n="2",
    parcels=(ParcelView("0034", "https://track.example/0034", "DHL"),),
    lines=(LineView("Becher", 1),),
    open_lines=(LineView("Buch", 3),),
    expected_on=date(2026, 11, 12),
    problems=(
        Problem("house_number_missing", "delivery.line1", "the house number is missing"),
        Problem("something_new", "delivery.city", "a finding of tomorrow"),
    ),
    reason="2 Becher zerbrochen",
    subject="Refund by hand",
    task="Transfer 10.00 EUR back.",
    exception=ExceptionView(
        "exc_1",
        "invalid_address",
        "The house number is missing",
        "Correct the address",
        "operations",
        datetime(2026, 11, 6, 9, tzinfo=UTC),
        {"before": "Hafenstr.", "amount": {"amount": "1.00", "currency": "EUR"}},
        "https://kette.example/v1/exceptions/exc_1",
    ),
    order_url="https://kette.example/v1/orders/ord_1",
)


class Page(HTMLParser):
    """Visible words, links and tags of a mail; fails on tags that do not match."""

    VOID = frozenset({"meta", "br"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words = ""
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.open: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name == "href"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words = " ".join(f"{self.words} {data}".split())
