"""Whatever an order looks like: documents add up, and any sequence of refunds ends at zero."""

from __future__ import annotations

from datetime import UTC, date, datetime

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from kette.adapters.documents import render_pdf
from kette.domain.credit_notes import ReturnedLine, build_credit_note, uncorrected
from kette.domain.documents import InvoiceDocument, build_invoice
from kette.domain.money import Money, total_of
from kette.domain.order import Address, LineItem, LineKind, Order, ShopClaim, TaxShare
from kette.domain.policy import Merchant, Setup

HOME = Address(name="A", line1="B 1", postal_code="20457", city="C", country_code="DE")
SETUP = Setup(name="T", merchant=Merchant(name="M", address=HOME, vat_id="DE0"), systems={})
DAY = date(2026, 11, 5)
RATES: tuple[str | None, ...] = ("0.19", "0.07", "0.2", "0.055", None)


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


@st.composite
def order_lines(draw: st.DrawFn) -> LineItem:
    rate = draw(st.sampled_from(RATES))
    net = draw(st.integers(0, 300_000))
    exact = 0 if rate is None else round(net * float(rate))  # any cents will do
    tax = max(0, exact + draw(st.integers(-1, 1))) if rate is not None else 0
    return LineItem(
        id=str(draw(st.integers(1, 10**9))),
        kind=draw(st.sampled_from(LineKind)),
        name=draw(st.text(max_size=40)),
        quantity=draw(st.integers(1, 20)),
        net=eur(net),
        tax=eur(tax),
        rate=rate,
    )


@st.composite
def orders(draw: st.DrawFn) -> Order:
    """Orders as shops make them: rounded per line, or per rate with a cent of difference."""
    lines = draw(st.lists(order_lines(), min_size=1, max_size=8, unique_by=lambda row: row.id))
    drift = draw(st.integers(-1, 1))
    shares = []
    for rate in dict.fromkeys(row.rate for row in lines):
        rows = [row for row in lines if row.rate == rate]
        tax = total_of((row.tax for row in rows), "EUR")
        off = eur(drift) if not shares and tax.minor > 1 else eur(0)
        net = total_of((row.net for row in rows), "EUR")
        shares.append(TaxShare(rate=rate, label="", net=net, tax=tax + off))
    return Order(
        channel="shop",
        external_id="1",
        number="1",
        version="1",
        placed_at=datetime(2026, 11, 1, tzinfo=UTC),
        claim=ShopClaim.PROCESSING,
        shop_status="processing",
        currency="EUR",
        total=total_of((row.net + row.tax for row in lines), "EUR"),
        total_tax=total_of((share.tax for share in shares), "EUR"),
        prices_include_tax=draw(st.booleans()),
        lines=tuple(lines),
        tax_by_rate=tuple(shares),
        billing=HOME,
        shipping=HOME,
        language=draw(st.sampled_from(["de", "en"])),
    )


def invoice_of(order: Order) -> InvoiceDocument:
    return build_invoice(
        order, SETUP, number="RE-1", issued_on=DAY, supplied_on=DAY, paid=order.total
    )


def adds_up(document: InvoiceDocument) -> None:
    lines = total_of((row.gross for row in document.lines), "EUR")
    rows = total_of((row.gross for row in document.tax_rows), "EUR")
    assert rows + document.rounding == document.total
    assert lines + document.line_rounding == document.total
    assert document.net + document.tax == rows


@given(orders())
def test_every_invoice_adds_up_and_is_reversed_to_zero(order: Order) -> None:
    invoice = invoice_of(order)
    adds_up(invoice)
    note = build_credit_note(invoice, number="RK-1", issued_on=DAY)
    adds_up(note)
    assert all(not row.net.minor and not row.tax.minor for row in uncorrected(invoice, [note]))


@settings(max_examples=150)
@given(orders(), st.data())
def test_any_sequence_of_partial_refunds_ends_at_zero_in_every_rate(
    order: Order, data: st.DataObject
) -> None:
    invoice = invoice_of(order)
    left = invoice.total.minor
    notes: list[InvoiceDocument] = []
    while left > 0:
        is_last = len(notes) >= 12
        amount = left if is_last else data.draw(st.integers(1, left))
        returned: tuple[ReturnedLine, ...] = ()
        if data.draw(st.booleans()):
            row = data.draw(st.sampled_from(invoice.lines))
            net = data.draw(st.integers(0, row.net.minor))
            tax = data.draw(st.integers(0, row.tax.minor))
            returned = (ReturnedLine(row.line_id, 1, eur(net), eur(tax)),)
        note = build_credit_note(
            invoice,
            number=f"RK-{len(notes)}",
            issued_on=DAY,
            amount=eur(amount),
            returned=returned,
            previous=notes,
        )
        adds_up(note)
        assert note.total == eur(-amount)
        assert all(r.net.minor <= 0 and r.tax.minor <= 0 for r in note.tax_rows)
        notes.append(note)
        left -= amount
        assert all(r.net.minor >= 0 and r.tax.minor >= 0 for r in uncorrected(invoice, notes))
    if notes:
        assert all(not r.net.minor and not r.tax.minor for r in uncorrected(invoice, notes))
        assert total_of((note.rounding for note in notes), "EUR") == -invoice.rounding


@settings(max_examples=60)
@given(orders(), st.lists(st.integers(1, 5_000), min_size=1, max_size=25))
def test_refunds_by_amount_keep_each_rate_at_its_share(order: Order, amounts: list[int]) -> None:
    invoice = invoice_of(order)
    notes: list[InvoiceDocument] = []
    done = 0
    for amount in amounts:
        if done + amount >= invoice.total.minor:
            break
        note = build_credit_note(
            invoice, number="RK", issued_on=DAY, amount=eur(amount), previous=notes
        )
        notes.append(note)
        done += amount
        whole = sum(row.gross.minor for row in invoice.tax_rows)
        for row, rest in zip(invoice.tax_rows, uncorrected(invoice, notes), strict=True):
            taken = row.gross.minor - rest.gross.minor
            share = row.gross.minor * done / whole
            assert abs(taken - share) <= len(invoice.tax_rows)
            if row.gross.minor:
                tax_share = row.tax.minor * taken / row.gross.minor
                assert abs(row.tax.minor - rest.tax.minor - tax_share) <= 1


@settings(max_examples=25, deadline=None)
@given(orders(), st.text(max_size=200), st.text(max_size=80))
def test_no_text_stops_the_picture(order: Order, name: str, city: str) -> None:
    invoice = invoice_of(order)
    buyer = msgspec.structs.replace(invoice.buyer, lines=(name, city))
    lines = tuple(
        msgspec.structs.replace(row, text=name, details=(city, name)) for row in invoice.lines
    )
    document = msgspec.structs.replace(invoice, buyer=buyer, lines=lines, reason=name)
    assert render_pdf(document).startswith(b"%PDF-")
