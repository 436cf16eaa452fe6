"""Fixed words of the document layouts, by template version and language.

A published version is never changed: copies of old documents must look like the originals.
"""

from __future__ import annotations

from kette.domain.wording import Language

Labels = dict[str, str]

_V1_DE: Labels = {
    "invoice": "Rechnung",
    "credit_note": "Rechnungskorrektur",
    "invoice_number": "Rechnungsnummer",
    "credit_note_number": "Korrekturnummer",
    "invoice_date": "Rechnungsdatum",
    "credit_note_date": "Datum",
    "supplied_on": "Lieferdatum",
    "not_supplied": "noch nicht geliefert",
    "order_number": "Bestellnummer",
    "ordered_on": "Bestelldatum",
    "buyer_vat_id": "Ihre USt-IdNr.",
    "corrects": "Korrektur der Rechnung {number} vom {date}",
    "reason": "Grund",
    "deliver_to": "Lieferanschrift",
    "position": "Pos.",
    "text": "Bezeichnung",
    "quantity": "Menge",
    "unit_price": "Einzelpreis",
    "rate": "USt.",
    "amount_gross": "Betrag brutto",
    "amount_net": "Betrag netto",
    "carry": "Übertrag",
    "sum_lines": "Summe der Positionen",
    "rounding": "Rundungsdifferenz",
    "net": "Nettobetrag",
    "tax": "Umsatzsteuer",
    "gross": "Bruttobetrag",
    "total_invoice": "Rechnungsbetrag",
    "total_credit_note": "Korrekturbetrag",
    "tax_table": "Umsatzsteuer nach Steuersätzen",
    "rate_column": "Steuersatz",
    "no_rate": "ohne USt.",
    "sum": "Summe",
    "paid": "Bereits bezahlt",
    "open": "Offener Betrag",
    "page": "Seite {page} von {pages}",
    "contact": "Kontakt",
    "bank": "Bankverbindung",
    "tax_ids": "Steuerangaben",
    "vat_id": "USt-IdNr.",
    "tax_number": "Steuernummer",
    "iban": "IBAN",
    "currency": "Alle Beträge in {currency}",
}

_V1_EN: Labels = {
    "invoice": "Invoice",
    "credit_note": "Invoice correction",
    "invoice_number": "Invoice number",
    "credit_note_number": "Correction number",
    "invoice_date": "Invoice date",
    "credit_note_date": "Date",
    "supplied_on": "Date of supply",
    "not_supplied": "not yet supplied",
    "order_number": "Order number",
    "ordered_on": "Order date",
    "buyer_vat_id": "Your VAT ID",
    "corrects": "Corrects invoice {number} of {date}",
    "reason": "Reason",
    "deliver_to": "Delivered to",
    "position": "No.",
    "text": "Description",
    "quantity": "Quantity",
    "unit_price": "Unit price",
    "rate": "VAT",
    "amount_gross": "Gross amount",
    "amount_net": "Net amount",
    "carry": "Carried forward",
    "sum_lines": "Sum of items",
    "rounding": "Rounding difference",
    "net": "Net amount",
    "tax": "VAT",
    "gross": "Gross amount",
    "total_invoice": "Invoice total",
    "total_credit_note": "Correction total",
    "tax_table": "VAT by rate",
    "rate_column": "VAT rate",
    "no_rate": "no VAT",
    "sum": "Total",
    "paid": "Already paid",
    "open": "Amount due",
    "page": "Page {page} of {pages}",
    "contact": "Contact",
    "bank": "Bank account",
    "tax_ids": "Tax details",
    "vat_id": "VAT ID",
    "tax_number": "Tax number",
    "iban": "IBAN",
    "currency": "All amounts in {currency}",
}

_LABELS: dict[tuple[str, Language], Labels] = {("1", "de"): _V1_DE, ("1", "en"): _V1_EN}


def labels_for(template: str, language: Language) -> Labels:
    """Raises KeyError for a template version that this release does not know."""
    return _LABELS[template, language]
