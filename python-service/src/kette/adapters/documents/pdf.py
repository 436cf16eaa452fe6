"""The picture of an invoice or a correction: A4 after DIN 5008, made again identically at any time.

Everything printed comes from the document; the only other inputs are the labels of its template
version and the font. The file's creation date is noon (UTC) of the issue date. Limit: bytes are
equal for equal versions of fpdf2 and zlib; the archived file is the one that counts.
"""

from __future__ import annotations

from datetime import UTC, datetime, time
from decimal import Decimal

from kette.adapters.documents.canvas import GREY, Canvas
from kette.adapters.documents.labels import Labels, labels_for
from kette.adapters.documents.letter import (
    BOTTOM,
    LEFT,
    RIGHT,
    draw_first_page,
    draw_frame,
    draw_next_page,
)
from kette.adapters.documents.text import CUT
from kette.domain.documents import DocumentLine, InvoiceDocument
from kette.domain.facts import DocumentKind
from kette.domain.money import Money, exponent, total_of
from kette.domain.wording import Language, format_amount, format_rate

_SIZE, _SMALL = 9.0, 7.5
_LEADING, _SMALL_LEADING = 4.2, 3.5
_TEXT_LEFT, _TEXT_WIDTH = 35.0, 72.0
# Right edges of the numeric columns.
_QUANTITY, _UNIT, _RATE, _AMOUNT = 122.0, 148.0, 164.0, RIGHT
# With these limits a row fits below the longest subject of a first page.
_NAME_LIMIT, _MOST_DETAIL_LINES = 240, 12


def render_pdf(document: InvoiceDocument) -> bytes:
    """PDF of the document. Raises KeyError for an unknown template version."""
    labels = labels_for(document.template, document.language)
    canvas = Canvas()
    y = draw_first_page(canvas, document, labels)
    y = _Table(canvas, document, labels, y).draw()
    y = _totals(canvas, document, labels, y)
    _notes(canvas, document, labels, y)
    draw_frame(canvas, document, labels)
    return canvas.to_pdf(
        title=f"{labels[document.kind.value]} {document.number}",
        author=document.seller.name,
        subject=f"{labels['order_number']} {document.order_number}",
        language=document.language,
        made_at=datetime.combine(document.issued_on, time(12), UTC),
    )


def _amount(money: Money, language: Language) -> str:
    return format_amount(money.minor, exponent(money.currency), language)


def _unit_price(amount: Money, quantity: int, language: Language) -> str:
    """Price of one piece; with four places where it does not divide into whole cents."""
    if quantity == 0:
        return ""
    places = exponent(amount.currency)
    if amount.minor % quantity == 0:
        return format_amount(amount.minor // quantity, places, language)
    finer = (Decimal(amount.minor) * 100 / quantity).quantize(Decimal(1))
    return format_amount(int(finer), places + 2, language)


class _Table:
    """The rows, broken over pages with a repeated head and the sum carried forward."""

    def __init__(self, canvas: Canvas, document: InvoiceDocument, labels: Labels, y: float) -> None:
        self.canvas, self.document, self.labels, self.y = canvas, document, labels, y
        self.sum = Money.zero(document.currency)

    def draw(self) -> float:
        self._head()
        for position, line in enumerate(self.document.lines, start=1):
            self._row(position, line)
        self.canvas.rule(LEFT, self.y, RIGHT, self.y)
        return self.y + 1

    def _head(self) -> None:
        labels, canvas = self.labels, self.canvas
        amount = labels["amount_gross" if self.document.shows_gross else "amount_net"]
        y = self.y + 4
        canvas.text(LEFT, y, labels["position"], _SMALL, "B")
        canvas.text(_TEXT_LEFT, y, labels["text"], _SMALL, "B")
        for edge, label in (
            (_QUANTITY, labels["quantity"]),
            (_UNIT, labels["unit_price"]),
            (_RATE, labels["rate"]),
            (_AMOUNT, amount),
        ):
            canvas.text(edge, y, label, _SMALL, "B", "right")
        canvas.rule(LEFT, y + 1.8, RIGHT, y + 1.8, 0.3)
        self.y = y + 3

    def _row(self, position: int, line: DocumentLine) -> None:
        canvas, language = self.canvas, self.document.language
        names = canvas.lines(line.text, _TEXT_WIDTH, _SIZE, limit=_NAME_LIMIT) or ["–"]
        details = [
            piece
            for detail in line.details
            for piece in canvas.lines(detail, _TEXT_WIDTH, _SMALL, limit=160)
        ]
        if len(details) > _MOST_DETAIL_LINES:
            details = [*details[: _MOST_DETAIL_LINES - 1], CUT.strip()]
        height = len(names) * _LEADING + len(details) * _SMALL_LEADING + 2
        if self.y + height > BOTTOM - 7:
            self._turn_page()
        amount = line.gross if self.document.shows_gross else line.net
        y = self.y + 3.6
        # Painted in reading order: programs that read the text out follow it.
        canvas.text(LEFT, y, str(position), _SIZE)
        canvas.text(_TEXT_LEFT, y, names[0], _SIZE)
        canvas.text(_QUANTITY, y, str(line.quantity), _SIZE, align="right")
        canvas.text(_UNIT, y, _unit_price(amount, line.quantity, language), _SIZE, align="right")
        canvas.text(_RATE, y, format_rate(line.rate, language), _SIZE, align="right")
        canvas.text(_AMOUNT, y, _amount(amount, language), _SIZE, align="right")
        for name in names[1:]:
            y += _LEADING
            canvas.text(_TEXT_LEFT, y, name, _SIZE)
        y += _LEADING
        for detail in details:
            canvas.text(_TEXT_LEFT, y - 0.5, detail, _SMALL, color=GREY)
            y += _SMALL_LEADING
        self.sum = self.sum + amount
        self.y += height

    def _turn_page(self) -> None:
        self.canvas.rule(LEFT, self.y, RIGHT, self.y)
        self._carry()
        self.y = draw_next_page(self.canvas, self.document, self.labels)
        self._head()
        self._carry()

    def _carry(self) -> None:
        y = self.y + 3.6
        self.canvas.text(_TEXT_LEFT, y, self.labels["carry"], _SMALL, "B")
        text = _amount(self.sum, self.document.language)
        self.canvas.text(_AMOUNT, y, text, _SMALL, "B", "right")
        self.y += 5.5


def _totals(canvas: Canvas, document: InvoiceDocument, labels: Labels, y: float) -> float:
    """Sums and the tax table; kept together on one page."""
    sums = _sum_rows(document, labels)
    table = _tax_table(document, labels)
    if y + len(sums) * 5 + len(table) * 4.4 + 14 > BOTTOM:
        y = draw_next_page(canvas, document, labels)
    left = 105.0
    for index, (label, text, is_total) in enumerate(sums):
        style = "B" if is_total else ""
        size = 10.5 if is_total else _SIZE
        if is_total and index:
            canvas.rule(left, y + 1.6, RIGHT, y + 1.6)
            y += 2
        y += 4.4
        canvas.text(left, y, label, size, style)
        canvas.text(_AMOUNT, y, text, size, style, "right")
    y += 7
    canvas.text(left, y, labels["tax_table"], _SMALL, "B")
    edges = (left, 140.0, 164.0, RIGHT)
    for index, row in enumerate(table):
        y += 4.2
        style = "B" if index == 0 else ""
        canvas.text(edges[0], y, row[0], _SMALL, style)
        for edge, text in zip(edges[1:], row[1:], strict=True):
            canvas.text(edge, y, text, _SMALL, style, "right")
        if index == 0:
            canvas.rule(left, y + 1.2, RIGHT, y + 1.2, 0.1)
    return y + 4


def _sum_rows(document: InvoiceDocument, labels: Labels) -> list[tuple[str, str, bool]]:
    """Label, amount, and whether it is the total; from the printed rows down to what is to be
    paid."""
    language = document.language
    unit = "€" if document.currency == "EUR" else document.currency
    rows: list[tuple[str, Money, bool]] = []
    printed = total_of(
        ((line.gross if document.shows_gross else line.net) for line in document.lines),
        document.currency,
    )
    base = document.total if document.shows_gross else document.net
    if printed != base:
        rows.append((labels["sum_lines"], printed, False))
        rows.append((labels["rounding"], base - printed, False))
    if not document.shows_gross:
        rows.append((labels["net"], document.net, False))
        rows.append((labels["tax"], document.tax, False))
        if document.rounding.minor:
            rows.append((labels["rounding"], document.rounding, False))
    rows.append((labels[f"total_{document.kind.value}"], document.total, True))
    paid = document.paid
    if document.kind is DocumentKind.INVOICE and paid is not None and paid.minor:
        rows.append((labels["paid"], -paid, False))
        rows.append((labels["open"], document.total - paid, False))
    return [(label, f"{_amount(money, language)} {unit}", bold) for label, money, bold in rows]


def _tax_table(document: InvoiceDocument, labels: Labels) -> list[tuple[str, str, str, str]]:
    language = document.language
    rows = [(labels["rate_column"], labels["net"], labels["tax"], labels["gross"])]
    for row in document.tax_rows:
        rate = labels["no_rate"] if row.rate is None else format_rate(row.rate, language)
        if row.country_code:
            rate = f"{rate} ({row.country_code})"
        net, tax, gross = (_amount(money, language) for money in (row.net, row.tax, row.gross))
        rows.append((rate, net, tax, gross))
    if document.rounding.minor:
        rows.append((labels["rounding"], "", "", _amount(document.rounding, language)))
    if len(rows) > 2:
        total = document.total
        sums = [_amount(money, language) for money in (document.net, document.tax, total)]
        rows.append((labels["sum"], sums[0], sums[1], sums[2]))
    return rows


def _notes(canvas: Canvas, document: InvoiceDocument, labels: Labels, y: float) -> None:
    currency = labels["currency"].format(currency=document.currency)
    for note in (*document.payment_notes, *document.notes, *document.remarks, f"{currency}."):
        lines = canvas.lines(note, RIGHT - LEFT, _SIZE, limit=1200)
        if y + len(lines) * _LEADING > BOTTOM:
            y = draw_next_page(canvas, document, labels)
        y += 2
        for line in lines:
            y += _LEADING
            canvas.text(LEFT, y, line, _SIZE)
