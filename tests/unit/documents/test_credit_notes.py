"""Corrections: reference, negative sums, lines or rates, and never more than the invoice."""

from __future__ import annotations

from datetime import date

import pytest
from kette.domain.credit_notes import ReturnedLine, build_credit_note, uncorrected
from kette.domain.documents import DocumentError, InvoiceDocument
from kette.domain.facts import DocumentKind

from .samples import eur, invoice_of, line, order_of, recorded_orders

LATER = date(2026, 11, 9)
MIXED = order_of(
    line("1", "40.00", "7.60", name="Becher", quantity=2),
    line("2", "20.00", "1.40", rate="0.07", name="Buch"),
)


def correct(
    invoice: InvoiceDocument, amount: str | None = None, **details: object
) -> InvoiceDocument:
    money = None if amount is None else eur(amount)
    return build_credit_note(invoice, number="RK-1", issued_on=LATER, amount=money, **details)


def test_it_names_the_invoice_and_is_not_called_gutschrift() -> None:
    note = correct(invoice_of(MIXED), "10.00", reason="Becher zerbrochen")
    assert note.kind is DocumentKind.CREDIT_NOTE
    assert (note.corrects, note.corrects_issued_on) == ("RE-2026-000123", date(2026, 11, 5))
    assert (note.number, note.issued_on) == ("RK-1", LATER)
    assert note.reason == "Becher zerbrochen"
    assert (note.seller, note.buyer) == (invoice_of(MIXED).seller, invoice_of(MIXED).buyer)
    everything = [note.reason, *(row.text for row in note.lines), *note.payment_notes, *note.notes]
    assert not any("gutschrift" in text.lower() for text in everything)


def test_an_amount_without_lines_is_split_over_the_rates() -> None:
    note = correct(invoice_of(MIXED), "10.00")
    # 47.60 of 69.00 at 19 %, 21.40 at 7 %: 6.90 and 3.10
    assert [(row.rate, row.net, row.tax) for row in note.tax_rows] == [
        ("0.19", -eur("5.80"), -eur("1.10")),
        ("0.07", -eur("2.90"), -eur("0.20")),
    ]
    assert note.total == -eur("10.00")
    assert [row.text for row in note.lines] == ["Teilerstattung zu Rechnung RE-2026-000123"] * 2


def test_named_lines_keep_the_shops_own_cents() -> None:
    invoice = invoice_of(recorded_orders()["refund-partial-line"])
    becher = next(row for row in invoice.lines if "Becher" in row.text)
    back = ReturnedLine(becher.line_id, 2, eur("25.04"), eur("4.76"))
    note = correct(invoice, "29.80", returned=(back,))
    assert [(row.rate, row.net, row.tax) for row in note.tax_rows] == [
        ("0.19", -eur("25.04"), -eur("4.76"))
    ]
    [row] = note.lines
    assert (row.text, row.quantity, row.gross) == (becher.text, 2, -eur("29.80"))


def test_what_lines_do_not_explain_is_split_over_what_they_leave() -> None:
    invoice = invoice_of(MIXED)
    all_mugs = ReturnedLine("1", 2, eur("40.00"), eur("7.60"))
    note = correct(invoice, "50.00", returned=(all_mugs,))
    assert [(row.rate, row.gross) for row in note.tax_rows] == [
        ("0.19", -eur("47.60")),
        ("0.07", -eur("2.40")),
    ]


@pytest.mark.parametrize(
    "returned",
    [
        (ReturnedLine("9", 1, eur("5.00"), eur("0.95")),),
        (ReturnedLine("1", 2, eur("40.00"), eur("7.60")),),
        (ReturnedLine("2", 1, eur("0.00"), eur("1.41")),),
        (ReturnedLine("1", 1, eur("-5.00"), eur("0.00")),),
    ],
    ids=["unknown line", "above the amount", "more tax than there was", "negative"],
)
def test_lines_that_cannot_be_are_left_aside_and_the_amount_counts(
    returned: tuple[ReturnedLine, ...],
) -> None:
    invoice = invoice_of(MIXED)
    assert correct(invoice, "10.00", returned=returned) == correct(invoice, "10.00")


def test_the_last_correction_takes_the_rest_of_every_rate() -> None:
    invoice = invoice_of(recorded_orders()["refund-full-lines"])
    notes: list[InvoiceDocument] = []
    for amount in ("0.01", "33.33", "20.00"):
        notes.append(correct(invoice, amount, previous=notes))
    notes.append(correct(invoice, previous=notes))
    assert sum(note.total.minor for note in notes) == -invoice.total.minor
    assert all(not row.net.minor and not row.tax.minor for row in uncorrected(invoice, notes))
    assert "Restbetrag" in notes[-1].lines[0].text


def test_a_rounding_line_is_taken_back_with_the_last_cent() -> None:
    invoice = invoice_of(recorded_orders()["round-at-subtotal"])
    assert invoice.rounding == -eur("0.01")
    first = correct(invoice, "96.65")
    last = correct(invoice, "0.01", previous=[first])
    assert (first.rounding, last.rounding) == (eur("0.00"), eur("0.01"))
    for note in (first, last):
        assert note.net + note.tax + note.rounding == note.total


def test_many_small_corrections_end_where_one_large_one_does() -> None:
    invoice = invoice_of(MIXED)
    notes: list[InvoiceDocument] = []
    for _ in range(300):
        notes.append(correct(invoice, "0.10", previous=notes))
    at_once = correct(invoice, "30.00")
    for rate in ("0.19", "0.07"):
        cents = sum(r.gross.minor for n in notes for r in n.tax_rows if r.rate == rate)
        whole = sum(r.gross.minor for r in at_once.tax_rows if r.rate == rate)
        assert abs(cents - whole) <= 1
        tax = sum(r.tax.minor for n in notes for r in n.tax_rows if r.rate == rate)
        assert abs(tax - sum(r.tax.minor for r in at_once.tax_rows if r.rate == rate)) <= 1


@pytest.mark.parametrize(
    ("amount", "code"),
    [("69.01", "refund_above_invoice"), ("0.00", "nothing_to_correct"), ("-1.00", "nothing")],
)
def test_impossible_amounts_are_refused(amount: str, code: str) -> None:
    with pytest.raises(DocumentError, match=code):
        correct(invoice_of(MIXED), amount)


def test_nothing_is_left_after_a_full_correction() -> None:
    invoice = invoice_of(MIXED)
    full = correct(invoice)
    for amount in (None, "0.01"):
        with pytest.raises(DocumentError, match=r"nothing_to_correct|refund_above_invoice"):
            correct(invoice, amount, previous=[full])


def test_an_invoice_over_nothing_can_be_reversed_once() -> None:
    invoice = invoice_of(recorded_orders()["zero-total"])
    note = correct(invoice)
    assert note.total == eur("0.00")
    assert len(note.lines) == len(invoice.lines)
    assert note.tax_rows != ()
    with pytest.raises(DocumentError, match="nothing_to_correct"):
        correct(invoice, previous=[note])


def test_a_correction_cannot_be_corrected_nor_count_for_another_invoice() -> None:
    invoice = invoice_of(MIXED)
    note = correct(invoice, "10.00")
    with pytest.raises(DocumentError, match="not_an_invoice"):
        correct(note, "1.00")
    with pytest.raises(DocumentError, match="foreign_correction"):
        correct(invoice_of(MIXED, number="RE-2"), "1.00", previous=[note])


@pytest.mark.parametrize(
    ("refunded", "notes"),
    [
        (None, ["10,00\u00a0€ werden über das ursprüngliche Zahlungsmittel erstattet"]),
        ("0.00", ["10,00\u00a0€ werden mit dem offenen Rechnungsbetrag verrechnet"]),
        ("4.00", ["4,00\u00a0€ werden über", "6,00\u00a0€ werden mit"]),
    ],
    ids=["paid back", "set off", "both"],
)
def test_it_says_where_the_money_goes(refunded: str | None, notes: list[str]) -> None:
    money = None if refunded is None else eur(refunded)
    note = correct(invoice_of(MIXED), "10.00", refunded=money)
    for words, text in zip(notes, note.payment_notes, strict=True):
        assert text.startswith(words)


def test_discount_and_delivery_remarks_are_not_repeated() -> None:
    invoice = invoice_of(recorded_orders()["coupon-percent"])
    assert "Rabatt" in invoice.remarks[0]
    assert correct(invoice, "1.00").remarks == ()
