"""Documents compared with reviewed copies, and their text as it is printed.

To change them on purpose, run write_golden.py and review the difference like code.
"""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import msgspec
import pytest
from kette.adapters.documents import render_pdf
from kette.domain.credit_notes import build_credit_note
from kette.domain.documents import InvoiceDocument
from pypdf import PdfReader

from .samples import ISSUED, eur, invoice_of, recorded_orders

GOLDEN = Path(__file__).parents[3] / "fixtures" / "golden" / "documents"


def documents() -> dict[str, InvoiceDocument]:
    orders = recorded_orders()
    english = msgspec.structs.replace(orders["company-vat-field"], language="en")
    mixed = invoice_of(orders["mixed-19-7"])
    return {
        "invoice-de": invoice_of(orders["coupon-percent"]),
        "invoice-en": invoice_of(english),
        "invoice-open": invoice_of(orders["net-prices-shop"], paid=eur("10.00")),
        "invoice-oss": invoice_of(orders["at-oss-mixed"]),
        "invoice-export": invoice_of(orders["ch-export"]),
        "invoice-rounding": invoice_of(orders["round-at-subtotal"]),
        "invoice-voucher": invoice_of(orders["voucher-no-tax"]),
        "invoice-zero": invoice_of(orders["zero-total"]),
        "correction-part": build_credit_note(
            mixed,
            number="RK-2026-000007",
            issued_on=ISSUED,
            amount=eur("10.00"),
            reason="2 Becher zerbrochen",
        ),
        "correction-full": build_credit_note(mixed, number="RK-2026-000008", issued_on=ISSUED),
    }


def printed(document: InvoiceDocument) -> str:
    pages = PdfReader(BytesIO(render_pdf(document))).pages
    return "\n\f\n".join(page.extract_text() for page in pages) + "\n"


def content(document: InvoiceDocument) -> str:
    told = json.loads(msgspec.json.encode(document))
    return json.dumps(told, ensure_ascii=False, indent=1) + "\n"


@pytest.mark.parametrize("name", documents())
def test_document_is_the_reviewed_one(name: str) -> None:
    document = documents()[name]
    assert content(document) == (GOLDEN / f"{name}.json").read_text("utf-8")


@pytest.mark.parametrize("name", documents())
def test_an_old_document_is_printed_as_it_was(name: str) -> None:
    """From the stored copy alone: what is printed must not depend on today's rules."""
    stored = (GOLDEN / f"{name}.json").read_bytes()
    document = msgspec.json.decode(stored, type=InvoiceDocument)
    assert printed(document) == (GOLDEN / f"{name}.txt").read_text("utf-8")
