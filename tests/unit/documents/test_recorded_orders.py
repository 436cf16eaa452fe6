"""Invoices of all recorded orders: every sum on the document is the shop's own, to the cent."""

from __future__ import annotations

from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from kette.adapters.documents import render_pdf
from kette.domain.credit_notes import build_credit_note, uncorrected
from kette.domain.documents import InvoiceDocument
from kette.domain.money import total_of
from kette.domain.wording import format_amount
from pypdf import PdfReader
from support.vendor_deliveries import expected_sums

from .samples import ISSUED, invoice_of, recorded_orders

ORDERS = recorded_orders()


def text_of(document: InvoiceDocument) -> str:
    pages = PdfReader(BytesIO(render_pdf(document))).pages
    return "\n".join(page.extract_text() for page in pages).replace("\u00a0", " ")


def percent(rate: str | None) -> Decimal | None:
    return None if rate is None else (Decimal(rate) * 100).normalize()


def told_rates(sums: dict[str, Any]) -> dict[Decimal | None, tuple[str, str, str]]:
    return {
        None if row["rate_percent"] is None else Decimal(str(row["rate_percent"])).normalize(): (
            row["net"],
            row["tax"],
            row["gross"],
        )
        for row in sums["per_rate"]
    }


def test_all_recorded_orders_are_here() -> None:
    assert len(ORDERS) == 70


@pytest.mark.parametrize("name", ORDERS)
def test_sums_per_rate_are_the_shops(name: str) -> None:
    document = invoice_of(ORDERS[name])
    sums = expected_sums()[name]
    rows = {
        percent(row.rate): (row.net.amount, row.tax.amount, row.gross.amount)
        for row in document.tax_rows
    }
    assert rows == told_rates(sums)
    assert document.total.amount == sums["total"]
    assert document.net + document.tax + document.rounding == document.total
    lines = total_of((line.gross for line in document.lines), document.currency)
    assert lines + document.line_rounding == document.total
    assert (-document.rounding).amount == sums["sum_of_rates_minus_total"].replace("-0.00", "0.00")


@pytest.mark.parametrize("name", ORDERS)
def test_a_full_correction_takes_back_exactly_what_was_charged(name: str) -> None:
    invoice = invoice_of(ORDERS[name])
    note = build_credit_note(invoice, number="RK-2026-000001", issued_on=ISSUED)
    assert note.total == -invoice.total
    assert note.rounding == -invoice.rounding
    assert all(not row.net.minor and not row.tax.minor for row in uncorrected(invoice, [note]))
    assert [line.gross.minor for line in note.lines] == [
        -line.gross.minor for line in invoice.lines
    ]


PRINTED = (
    *("b2c-19", "mixed-19-7", "coupon-percent", "fee-line", "zero-total", "at-oss-mixed"),
    *("ch-export", "usd", "article-odd-names", "lines-60", "voucher-no-tax", "net-prices-shop"),
    *("round-at-subtotal", "different-shipping", "addr-umlaut", "variable-product"),
)


@pytest.mark.parametrize("name", PRINTED)
def test_the_printed_invoice_shows_its_sums_and_every_line(name: str) -> None:
    document = invoice_of(ORDERS[name])
    text = text_of(document)
    assert "Rechnung RE-2026-000123" in text
    for row in document.tax_rows:
        for money in (row.net, row.tax, row.gross):
            assert format_amount(money.minor, 2, "de") in text
    assert f"Rechnungsbetrag {format_amount(document.total.minor, 2, 'de')}" in text
    for line in document.lines:
        assert line.text[:20].split("  ")[0] in text
