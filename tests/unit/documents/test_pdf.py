"""The picture: same bytes every time, everything legible, no text that can break it."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from io import BytesIO
from itertools import pairwise

import msgspec
import pytest
from kette.adapters.documents import render_pdf
from kette.adapters.documents.canvas import Canvas
from kette.adapters.documents.text import CUT, MISSING, printable, visual, wrap
from kette.domain.credit_notes import build_credit_note
from kette.domain.documents import InvoiceDocument, Party
from pypdf import PdfReader

from .samples import ISSUED, eur, invoice_of, line, order_of, recorded_orders

replace = msgspec.structs.replace
HOSTILE = (
    "漢字 😀👩\u200d👩\u200d👧 שלום العربية \x00\x07\u202eevil\ud800 Z\u0308ebra\u00a0\r\nBcc: x"
)


def reader(document: InvoiceDocument) -> PdfReader:
    return PdfReader(BytesIO(render_pdf(document)))


def pages_of(document: InvoiceDocument) -> list[str]:
    return [page.extract_text().replace("\u00a0", " ") for page in reader(document).pages]


def test_the_same_document_gives_the_same_bytes() -> None:
    document = invoice_of(recorded_orders()["lines-60"])
    copy = msgspec.json.decode(msgspec.json.encode(document), type=InvoiceDocument)
    assert render_pdf(document) == render_pdf(copy)


def test_the_bytes_do_not_depend_on_process_time_zone_or_hash_seed() -> None:
    document = invoice_of(recorded_orders()["mixed-19-7"])
    program = (
        "import sys, hashlib, msgspec\n"
        "from kette.adapters.documents import render_pdf\n"
        "from kette.domain.documents import InvoiceDocument\n"
        "document = msgspec.json.decode(sys.stdin.buffer.read(), type=InvoiceDocument)\n"
        "print(hashlib.sha256(render_pdf(document)).hexdigest())\n"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            input=msgspec.json.encode(document),
            env={**os.environ, "TZ": zone, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout.strip()
        for zone, seed in (("Pacific/Auckland", "1"), ("America/Lima", "2"))
    }
    assert digests == {hashlib.sha256(render_pdf(document)).hexdigest().encode()}


def test_the_file_says_what_it_is() -> None:
    told = reader(invoice_of(recorded_orders()["b2c-19"])).metadata
    assert told is not None
    assert told.title == "Rechnung RE-2026-000123"
    assert told.author == "Nordlicht Laden GmbH"
    assert told["/CreationDate"] == "D:20261105120000Z"


def test_a_long_invoice_repeats_its_head_and_carries_the_sum() -> None:
    document = invoice_of(recorded_orders()["lines-60"])
    pages = pages_of(document)
    assert len(pages) == 4
    carried = []
    for number, page in enumerate(pages, start=1):
        assert f"Seite {number} von 4" in page
        assert "Bezeichnung Menge Einzelpreis" in page
        carried.append([row for row in page.split("\n") if row.startswith("Übertrag")])
    assert [len(rows) for rows in carried] == [1, 2, 2, 1]
    for this, following in pairwise(carried):
        assert this[-1] == following[0]
    assert "Rechnungsbetrag 243,32 €" in pages[-1]
    assert sum("Rechnungsbetrag" in page for page in pages) == 1


def test_every_line_of_a_long_invoice_is_printed_once_in_order() -> None:
    text = "\n".join(pages_of(invoice_of(recorded_orders()["lines-60"])))
    places = [text.index(f"SKU PK-{number:03d}") for number in range(1, 61)]
    assert places == sorted(places)


def test_an_english_order_gets_an_english_invoice() -> None:
    order = replace(recorded_orders()["company-vat-field"], language="en")
    [page] = pages_of(invoice_of(order))
    for words in (
        "Invoice RE-2026-000123",
        "Invoice date 5 November 2026",
        "Kruse & Söhne",
        "Your VAT ID",
        "Invoice total 138.22 €",
        "Page 1 of 1",
    ):
        assert words in page
    assert "Rechnung RE" not in page


def test_a_correction_names_its_invoice_and_shows_minus_signs() -> None:
    invoice = invoice_of(recorded_orders()["coupon-percent"])
    note = build_credit_note(
        invoice,
        number="RK-2026-000007",
        issued_on=ISSUED,
        amount=eur("10.00"),
        reason="2 Becher zerbrochen",
    )
    [page] = pages_of(note)
    for words in (
        "Rechnungskorrektur RK-2026-000007",
        "Korrektur der Rechnung RE-2026-000123 vom 05.11.2026",
        "Grund: 2 Becher zerbrochen",
        "Korrekturbetrag -10,00 €",
    ):
        assert words in page
    assert "gutschrift" not in page.lower()


def test_a_shop_with_net_prices_shows_net_rows_and_all_sums() -> None:
    [page] = pages_of(invoice_of(recorded_orders()["net-prices-shop"], paid=eur("10.00")))
    for words in (
        "Betrag netto",
        "Nettobetrag 72,82 €",
        "Umsatzsteuer 10,95 €",
        "Rechnungsbetrag 83,77 €",
        "Bereits bezahlt -10,00 €",
        "Offener Betrag 73,77 €",
    ):
        assert words in page


def test_a_cent_of_rounding_is_shown() -> None:
    [page] = pages_of(invoice_of(recorded_orders()["round-at-subtotal"]))
    assert "19 % 81,24 15,43 96,67" in page
    assert "Rundungsdifferenz -0,01" in page
    assert "Summe 81,24 15,43 96,66" in page


def test_foreign_tax_names_its_country() -> None:
    [page] = pages_of(invoice_of(recorded_orders()["at-oss-mixed"]))
    assert "20 % (AT) 20,84 4,16 25,00" in page
    assert "One-Stop-Shop" in page


@pytest.mark.parametrize(
    ("net", "quantity", "shown"),
    [("10.00", 3, "3,3333"), ("10.00", 4, "2,50"), ("-1.00", 3, "-0,3333"), ("5.00", 0, "5,00")],
)
def test_a_unit_price_that_is_no_whole_cent_has_four_places(
    net: str, quantity: int, shown: str
) -> None:
    row = line("1", net, "0.00", rate=None, quantity=quantity)
    other = line("2", "50.00", "0.00", rate=None)
    [page] = pages_of(invoice_of(order_of(row, other)))
    assert f" {shown} –" in page or f"{quantity} – {shown}" in page


def test_hostile_texts_are_printed_legibly_and_stay_on_the_page() -> None:
    document = invoice_of(recorded_orders()["b2c-19"])
    rows = tuple(
        replace(row, text=HOSTILE + "W" * 10_000, details=(HOSTILE * 50,) * 30)
        for row in document.lines
    )
    buyer = Party(lines=(HOSTILE, "x" * 10_000, *"123456", "20457 Hamburg"), country_code="DE")
    document = replace(document, lines=rows, buyer=buyer, reason=HOSTILE * 100)
    pages = pages_of(document)
    assert len(pages) == 2
    assert "20457 Hamburg" in pages[0]  # the town never falls out of the window
    assert CUT.strip() in pages[0]
    assert "Rechnungsbetrag 34,70 €" in pages[1]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Äöüß€ „Möwe“ Łódź Ελλάδα Москва", "Äöüß€ „Möwe“ Łódź Ελλάδα Москва"),
        ("Z\u0308 u\u0308", "Z\u0308 ü"),
        ("漢字 😀", f"{MISSING * 2} {MISSING}"),
        ("a\x00b\x07c\u202ed\u200be", "abcde"),
        ("a\r\n\tb\u2028c", "a b c"),
        ("\ud800", MISSING),
        ("👍\ufe0f", MISSING),
        ("   ", ""),
    ],
)
def test_text_is_made_printable(text: str, shown: str) -> None:
    assert printable(text, Canvas().glyphs) == shown


def test_too_long_a_text_is_cut_with_a_mark() -> None:
    assert printable("x" * 10_000, Canvas().glyphs, 50) == "x" * 50 + CUT


def test_right_to_left_letters_are_put_in_display_order() -> None:
    assert visual("Name שלום 12") == "Name 12 םולש"
    assert visual("Anke") == "Anke"


def test_lines_break_at_spaces_and_inside_endless_words() -> None:
    def measure(text: str) -> float:
        return float(len(text))

    assert wrap("ab cd ef", 5, measure) == ["ab cd", "ef"]
    assert wrap("abcdefgh ij", 3, measure) == ["abc", "def", "gh", "ij"]
    assert wrap("", 5, measure) == []
    assert wrap("abc", 0.5, measure) == ["a", "b", "c"]


def test_an_unknown_template_version_is_an_error() -> None:
    document = replace(invoice_of(recorded_orders()["b2c-19"]), template="99")
    with pytest.raises(KeyError):
        render_pdf(document)
