"""The letter around the table: DIN 5008 form B with address window, information block and
footer."""

from __future__ import annotations

from kette.adapters.documents.canvas import GREY, Canvas
from kette.adapters.documents.labels import Labels
from kette.domain.document_notes import format_iban
from kette.domain.documents import InvoiceDocument
from kette.domain.facts import DocumentKind
from kette.domain.wording import country_name, format_date

LEFT, RIGHT, BOTTOM = 25.0, 190.0, 262.0
_WINDOW_WIDTH = 80.0
_INFO_LEFT, _INFO_VALUE = 125.0, 155.0


def draw_first_page(canvas: Canvas, document: InvoiceDocument, labels: Labels) -> float:
    """Letterhead, address window, information block and subject; returns where the table may
    begin."""
    canvas.new_page()
    _letterhead(canvas, document)
    _window(canvas, document)
    info_end = _information(canvas, document, labels)
    return _subject(canvas, document, labels, max(98.5, info_end + 8))


def draw_next_page(canvas: Canvas, document: InvoiceDocument, labels: Labels) -> float:
    """Short head of a following page; returns where the table goes on."""
    canvas.new_page()
    title = f"{labels[document.kind.value]} {document.number}"
    canvas.text(LEFT, 20, canvas.clean(title), 9, "B")
    canvas.text(RIGHT, 20, canvas.clean(document.seller.name, 60), 9, align="right", color=GREY)
    canvas.rule(LEFT, 22.5, RIGHT, 22.5)
    return 30.0


def draw_frame(canvas: Canvas, document: InvoiceDocument, labels: Labels) -> None:
    """Fold marks, footer and page numbers, once the number of pages is known."""
    for index in range(len(canvas.pages)):
        if index == 0:
            for y, length in ((105.0, 4.0), (148.5, 6.0), (210.0, 4.0)):
                canvas.rule(5, y, 5 + length, y, 0.1, page=index)
        text = labels["page"].format(page=index + 1, pages=len(canvas.pages))
        canvas.text(RIGHT, BOTTOM + 6, text, 7.5, align="right", color=GREY, page=index)
        _footer(canvas, document, labels, index)


def _letterhead(canvas: Canvas, document: InvoiceDocument) -> None:
    seller = document.seller
    size = 16.0
    name = canvas.clean(seller.name, 120)
    while canvas.width(name, size, "B") > RIGHT - LEFT and size > 8:
        size -= 1
    canvas.text(LEFT, 24, canvas.lines(name, RIGHT - LEFT, size, "B")[0], size, "B")
    canvas.text(LEFT, 30, canvas.clean(seller.website, 80), 9, color=GREY)


def _window(canvas: Canvas, document: InvoiceDocument) -> None:
    """Window 20/45 mm, 85 x 45 mm: return address on top, then at most seven lines."""
    seller = document.seller
    sender = canvas.clean(" · ".join((seller.name, *seller.lines)), 200)
    fitted = canvas.lines(sender, _WINDOW_WIDTH, 6.5)[:1]
    for line in fitted:
        canvas.text(LEFT, 51, line, 6.5, color=GREY)
        canvas.rule(LEFT, 52, LEFT + canvas.width(line, 6.5), 52, 0.1)
    lines = [
        piece
        for line in document.buyer.lines
        for piece in canvas.lines(line, _WINDOW_WIDTH, 10, limit=120)
    ]
    if len(lines) > 7:  # the town must not fall out of the window: what is too much goes before it
        lines = [*lines[:4], "[…]", *lines[-2:]]
    for index, line in enumerate(lines):
        canvas.text(LEFT, 58 + index * 4.6, line, 10)


def _information(canvas: Canvas, document: InvoiceDocument, labels: Labels) -> float:
    kind = document.kind.value
    language = document.language
    supplied = document.supplied_on
    pairs = [
        (labels[f"{kind}_number"], document.number),
        (labels[f"{kind}_date"], format_date(document.issued_on, language)),
        (
            labels["supplied_on"],
            format_date(supplied, language) if supplied else labels["not_supplied"],
        ),
        (labels["order_number"], document.order_number),
        (labels["ordered_on"], format_date(document.ordered_on, language)),
    ]
    if document.buyer.vat_id:
        pairs.append((labels["buyer_vat_id"], document.buyer.vat_id))
    y = 52.0
    for label, value in pairs:
        canvas.text(_INFO_LEFT, y, label, 8.5, color=GREY)
        for line in canvas.lines(value, RIGHT - _INFO_VALUE, 8.5, limit=80):
            canvas.text(_INFO_VALUE, y, line, 8.5)
            y += 4.6
    return y


def _subject(canvas: Canvas, document: InvoiceDocument, labels: Labels, y: float) -> float:
    title = f"{labels[document.kind.value]} {document.number}"
    canvas.text(LEFT, y, canvas.clean(title), 13, "B")
    y += 6
    remarks = []
    if document.kind is DocumentKind.CREDIT_NOTE and document.corrects_issued_on is not None:
        date = format_date(document.corrects_issued_on, document.language)
        remarks.append(labels["corrects"].format(number=document.corrects, date=date))
    if document.reason:
        remarks.append(f"{labels['reason']}: {document.reason}")
    if document.deliver_to is not None:
        remarks.append(f"{labels['deliver_to']}: {', '.join(document.deliver_to.lines)}")
    for remark in remarks:
        for line in canvas.lines(remark, RIGHT - LEFT, 9, limit=300):
            canvas.text(LEFT, y, line, 9)
            y += 4.4
    return y + 3


def _footer(canvas: Canvas, document: InvoiceDocument, labels: Labels, page: int) -> None:
    seller = document.seller
    country = country_name(seller.country_code, document.language)
    identities = [
        f"{labels[key]} {value}"
        for key, value in (("vat_id", seller.vat_id), ("tax_number", seller.tax_number))
        if value
    ]
    bank = [seller.bank_name, f"{labels['iban']} {format_iban(seller.iban)}"] if seller.iban else []
    columns = (
        (seller.name, (*seller.lines, country)),
        (labels["contact"], (seller.phone, seller.email, seller.website)),
        (labels["bank"], tuple(bank)),
        (labels["tax_ids"], (*identities, seller.register)),
    )
    filled = [(title, lines) for title, lines in columns if any(lines)]
    width = (RIGHT - LEFT) / len(filled)
    canvas.rule(LEFT, BOTTOM + 9, RIGHT, BOTTOM + 9, 0.1, page=page)
    for index, (title, lines) in enumerate(filled):
        x = LEFT + index * width
        y = BOTTOM + 12.5
        for line, style in ((title, "B"), *((line, "") for line in lines if line)):
            size = _footer_size(canvas, line, width - 3, style)
            for piece in canvas.lines(line, width - 3, size, style, limit=120):
                if y < 294:
                    canvas.text(x, y, piece, size, style, color=GREY, page=page)
                y += 2.9


def _footer_size(canvas: Canvas, line: str, width: float, style: str) -> float:
    """Small enough that no word, such as a mail address, breaks; not smaller than legible."""
    longest = max((canvas.width(word, 6.5, style) for word in line.split()), default=0.0)
    return max(5.0, 6.5 * min(1.0, width / longest)) if longest else 6.5
