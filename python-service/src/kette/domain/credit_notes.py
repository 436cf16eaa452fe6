"""Corrections of an invoice ("Rechnungskorrektur"): own number, reference to the original, negative
sums.

Never called "Gutschrift": in § 14 (2) UStG that word means an invoice that the buyer writes.

Shops often tell only an amount. It is then split over the invoice's rates in proportion to what a
correction by amount has left of each rate. The split follows cumulative shares (what should have
been corrected after this refund, minus what has been), so a hundred small refunds end where one
large one would, and whoever takes the last cent leaves zero in every rate: a property test holds
both. See docs/algorithms/invoice-documents.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import msgspec

from kette.domain.documents import (
    TEMPLATE,
    DocumentError,
    DocumentLine,
    InvoiceDocument,
    TaxRow,
)
from kette.domain.facts import DocumentKind
from kette.domain.money import Money, total_of
from kette.domain.wording import Language, format_money


class ReturnedLine(msgspec.Struct, frozen=True):
    """Part of an invoice line that is taken back; net and tax are the shop's own, positive
    cents."""

    line_id: str
    quantity: int
    net: Money
    tax: Money


class Uncorrected(msgspec.Struct, frozen=True):
    """What is left of one rate after earlier corrections."""

    rate: str | None
    net: Money
    tax: Money

    @property
    def gross(self) -> Money:
        return self.net + self.tax


NetTax = tuple[Money, Money]

_AMOUNT_LINE: dict[Language, str] = {
    "de": "Teilerstattung zu Rechnung {number}",
    "en": "Partial refund for invoice {number}",
}
_REST_LINE: dict[Language, str] = {
    "de": "Erstattung des Restbetrags zu Rechnung {number}",
    "en": "Refund of the remainder of invoice {number}",
}
_REFUND_NOTES: dict[str, dict[Language, str]] = {
    "refunded": {
        "de": "{amount} werden über das ursprüngliche Zahlungsmittel erstattet.{method}",
        "en": "{amount} will be refunded to the original means of payment.{method}",
    },
    "offset": {
        "de": "{amount} werden mit dem offenen Rechnungsbetrag verrechnet.",
        "en": "{amount} are set off against the outstanding invoice amount.",
    },
}


def uncorrected(
    invoice: InvoiceDocument, previous: Sequence[InvoiceDocument]
) -> tuple[Uncorrected, ...]:
    """What is left per rate, in the order of the invoice's rows."""
    left = []
    for row in invoice.tax_rows:
        taken = [r for note in previous for r in note.tax_rows if r.rate == row.rate]
        left.append(
            Uncorrected(
                rate=row.rate,
                net=row.net + total_of((r.net for r in taken), invoice.currency),
                tax=row.tax + total_of((r.tax for r in taken), invoice.currency),
            )
        )
    return tuple(left)


def build_credit_note(
    invoice: InvoiceDocument,
    *,
    number: str,
    issued_on: date,
    amount: Money | None = None,
    returned: tuple[ReturnedLine, ...] = (),
    previous: Sequence[InvoiceDocument] = (),
    refunded: Money | None = None,
    reason: str = "",
) -> InvoiceDocument:
    """The correction of an invoice by a positive amount; None = all that is left.

    returned: the lines behind the amount, where the shop names them; what they do not explain is
    split over the rates. previous: all earlier corrections of this invoice. refunded: money that
    goes back, None = the whole amount; the rest is set off. Raises DocumentError above what is left
    of the invoice.
    """
    if invoice.kind is not DocumentKind.INVOICE:
        raise DocumentError("not_an_invoice", f"{invoice.number} is itself a correction")
    if any(note.corrects != invoice.number for note in previous):
        raise DocumentError("foreign_correction", f"not all corrections belong to {invoice.number}")
    left = invoice.total + total_of((note.total for note in previous), invoice.currency)
    wanted = left if amount is None else amount
    _check_amount(invoice, wanted, left, is_first=not previous)
    lines, rows, rounding = _contents(invoice, wanted, left, returned, previous)
    back = wanted if refunded is None else refunded
    return msgspec.structs.replace(
        invoice,
        kind=DocumentKind.CREDIT_NOTE,
        template=TEMPLATE,
        number=number,
        issued_on=issued_on,
        lines=lines,
        tax_rows=rows,
        total=-wanted,
        rounding=rounding,
        paid=None,
        due_on=None,
        remarks=(),
        payment_notes=_refund_notes(invoice, wanted, back),
        corrects=invoice.number,
        corrects_issued_on=invoice.issued_on,
        reason=reason,
    )


def _check_amount(invoice: InvoiceDocument, wanted: Money, left: Money, *, is_first: bool) -> None:
    if wanted > left:
        raise DocumentError(
            "refund_above_invoice",
            f"{wanted.amount} {wanted.currency} exceed the {left.amount} that earlier corrections "
            f"left of invoice {invoice.number}",
        )
    # An invoice over 0.00 can be reversed once; anything else needs an amount.
    is_zero_reversal = is_first and invoice.total.minor == 0
    if wanted.minor < 0 or (wanted.minor == 0 and not is_zero_reversal):
        raise DocumentError(
            "nothing_to_correct", f"nothing is left to correct of invoice {invoice.number}"
        )


def _contents(
    invoice: InvoiceDocument,
    wanted: Money,
    left: Money,
    returned: tuple[ReturnedLine, ...],
    previous: Sequence[InvoiceDocument],
) -> tuple[tuple[DocumentLine, ...], tuple[TaxRow, ...], Money]:
    """Printed lines, rows per rate and rounding of the correction, all negative."""
    rest = uncorrected(invoice, previous)
    by_line, named = _by_line(invoice, wanted, returned, rest)
    if wanted == left:
        everything = tuple((row.net, row.tax) for row in rest)
        rounding = -(left - total_of((row.gross for row in rest), invoice.currency))
        by_amount = tuple(
            (row.net - net, row.tax - tax) for row, (net, tax) in zip(rest, by_line, strict=True)
        )
        lines = named + _rate_lines(invoice, by_amount, _REST_LINE)
        if not previous:
            lines = tuple(_negative(line) for line in invoice.lines)
        return lines, _negative_rows(invoice, everything), rounding
    open_amount = wanted - total_of((net + tax for net, tax in by_line), invoice.currency)
    by_amount, unexplained = _split(invoice, open_amount, by_line, previous)
    taken = tuple(
        (fixed[0] + loose[0], fixed[1] + loose[1])
        for fixed, loose in zip(by_line, by_amount, strict=True)
    )
    lines = named + _rate_lines(invoice, by_amount, _AMOUNT_LINE)
    return lines, _negative_rows(invoice, taken), -unexplained


def _by_line(
    invoice: InvoiceDocument,
    wanted: Money,
    returned: tuple[ReturnedLine, ...],
    rest: tuple[Uncorrected, ...],
) -> tuple[tuple[NetTax, ...], tuple[DocumentLine, ...]]:
    """Net and tax per rate that named lines explain, and these lines, negative.

    Lines that do not fit (unknown, above the amount, above what is left of their rate) explain
    nothing: the whole amount is then split by rate, which is always possible.
    """
    zero = Money.zero(invoice.currency)
    nothing = tuple((zero, zero) for _ in rest)
    known = {line.line_id: line for line in invoice.lines if line.line_id}
    if not returned or any(part.line_id not in known for part in returned):
        return nothing, ()
    sums = {row.rate: [zero, zero] for row in rest}
    for part in returned:
        rate = known[part.line_id].rate
        if rate not in sums or part.net.minor < 0 or part.tax.minor < 0:
            return nothing, ()
        sums[rate] = [sums[rate][0] + part.net, sums[rate][1] + part.tax]
    fits = all(sums[row.rate][0] <= row.net and sums[row.rate][1] <= row.tax for row in rest)
    total = total_of((amount for pair in sums.values() for amount in pair), invoice.currency)
    if not fits or total > wanted:
        return nothing, ()
    lines = tuple(
        msgspec.structs.replace(
            known[part.line_id], quantity=part.quantity, net=-part.net, tax=-part.tax
        )
        for part in returned
    )
    return tuple((sums[row.rate][0], sums[row.rate][1]) for row in rest), lines


def _split(
    invoice: InvoiceDocument,
    amount: Money,
    by_line: tuple[NetTax, ...],
    previous: Sequence[InvoiceDocument],
) -> tuple[tuple[NetTax, ...], Money]:
    """Net and tax per rate of an amount without lines, and the part that only rounding explains."""
    zero = Money.zero(invoice.currency)
    if not amount.minor:
        return tuple((zero, zero) for _ in by_line), zero
    pools = [
        _Pool.of(row, taken, previous) for row, taken in zip(invoice.tax_rows, by_line, strict=True)
    ]
    available = sum(pool.gross_left for pool in pools)
    spread = min(amount.minor, available)
    parts = _cumulative_parts(pools, spread)
    pairs = []
    for pool, part in zip(pools, parts, strict=True):
        tax = pool.tax_of(part)
        pairs.append((Money(part - tax, invoice.currency), Money(tax, invoice.currency)))
    return tuple(pairs), Money(amount.minor - spread, invoice.currency)


class _Pool(msgspec.Struct, frozen=True):
    """One rate as the amount-only corrections see it: what lines have taken is not theirs.

    gross, tax: the pool; gross_done, tax_done: corrected by amount so far; *_left: what is left in
    truth.
    """

    gross: int
    tax: int
    gross_done: int
    tax_done: int
    net_left: int
    tax_left: int

    @staticmethod
    def of(row: TaxRow, taken: NetTax, previous: Sequence[InvoiceDocument]) -> _Pool:
        lines = [line for note in previous for line in note.lines if line.rate == row.rate]
        loose = [line for line in lines if not line.line_id]
        fixed = [line for line in lines if line.line_id]
        net_done = -sum(line.net.minor for line in loose)
        tax_done = -sum(line.tax.minor for line in loose)
        net = row.net.minor - taken[0].minor + sum(line.net.minor for line in fixed)
        tax = row.tax.minor - taken[1].minor + sum(line.tax.minor for line in fixed)
        return _Pool(
            gross=net + tax,
            tax=tax,
            gross_done=net_done + tax_done,
            tax_done=tax_done,
            net_left=max(0, net - net_done),
            tax_left=max(0, tax - tax_done),
        )

    @property
    def gross_left(self) -> int:
        return self.net_left + self.tax_left

    def tax_of(self, part: int) -> int:
        """Tax within a part: half-up of the cumulative share, kept within what is left of both."""
        done = self.gross_done + part
        target = (2 * self.tax * done + self.gross) // (2 * self.gross) if self.gross > 0 else 0
        return max(part - self.net_left, 0, min(target - self.tax_done, part, self.tax_left))


def _cumulative_parts(pools: Sequence[_Pool], amount: int) -> list[int]:
    """Split an amount over the pools so that their corrected shares stay as equal as cents
    allow."""
    whole = sum(max(0, pool.gross) for pool in pools)
    done = sum(pool.gross_done for pool in pools) + amount
    weights = [
        min(max(0, max(0, pool.gross) * done - pool.gross_done * whole), pool.gross_left * whole)
        for pool in pools
    ]
    parts = [0] * len(pools)
    if amount and sum(weights):
        wanted = Money(amount, "EUR").allocate(weights)  # the currency plays no part in the split
        parts = [min(part.minor, pool.gross_left) for part, pool in zip(wanted, pools, strict=True)]
    # Lines may have emptied a pool that its share counts on; the largest rest takes what is
    # missing.
    missing = amount - sum(parts)
    for index in sorted(range(len(pools)), key=lambda i: (parts[i] - pools[i].gross_left, i)):
        extra = min(missing, pools[index].gross_left - parts[index])
        parts[index] += extra
        missing -= extra
    return parts


def _negative(line: DocumentLine) -> DocumentLine:
    return msgspec.structs.replace(line, net=-line.net, tax=-line.tax)


def _negative_rows(invoice: InvoiceDocument, taken: Sequence[NetTax]) -> tuple[TaxRow, ...]:
    rows = zip(invoice.tax_rows, taken, strict=True)
    changed = tuple(
        msgspec.structs.replace(row, net=-net, tax=-tax)
        for row, (net, tax) in rows
        if net.minor or tax.minor or invoice.total.minor == 0
    )
    return changed


def _rate_lines(
    invoice: InvoiceDocument, taken: Sequence[NetTax], texts: dict[Language, str]
) -> tuple[DocumentLine, ...]:
    text = texts[invoice.language].format(number=invoice.number)
    return tuple(
        DocumentLine(text=text, quantity=1, rate=row.rate, net=-net, tax=-tax)
        for row, (net, tax) in zip(invoice.tax_rows, taken, strict=True)
        if net.minor or tax.minor
    )


def _refund_notes(invoice: InvoiceDocument, wanted: Money, back: Money) -> tuple[str, ...]:
    label = "Zahlungsart" if invoice.language == "de" else "Payment method"
    method = f" {label}: {invoice.payment_title}." if invoice.payment_title else ""
    offset = wanted - back
    notes = []
    for code, amount in (("refunded", back), ("offset", offset)):
        if amount.minor > 0:
            text = _REFUND_NOTES[code][invoice.language]
            notes.append(text.format(amount=format_money(amount, invoice.language), method=method))
    return tuple(notes)
