"""What staff reads: the title of the kind, whole sentences in one language, no JSON and no ids that
help nobody."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from kette.adapters.mail.model import ExceptionView
from kette.adapters.mail.phrases import Reader
from kette.adapters.mail.render import render_mail
from kette.adapters.mail.staff import StaffView, staff_view
from kette.adapters.mail.titles import KINDS
from kette.domain.wording import Language
from support.mail_samples import FULL, SETUP, Page, replace

BERLIN = ZoneInfo("Europe/Berlin")
DE = Reader("de", BERLIN, "EUR")
EN = Reader("en", BERLIN, "EUR")
DUE = datetime(2026, 11, 27, 9, tzinfo=UTC)
OURS = {"de": "USt-IdNr. DK13585628 ist im MIAS (VIES) nicht registriert", "en": "the VAT register"}


def entry(kind: str, summary: str, context: dict[str, Any], advice: str = "") -> ExceptionView:
    return ExceptionView("exc_1", kind, summary, advice, "accounting", DUE, context)


def finding(
    code: str, field: str, message: str, before: str = "", after: str = ""
) -> dict[str, str]:
    return {
        "code": code,
        "field": field,
        "severity": "error",
        "message": message,
        "before": before,
        "after": after,
    }


UNKNOWN_ID = entry(
    "vat_id_invalid",
    "the VAT register knows no DK13585628 (2026-11-26)",
    {
        "findings": [
            finding(
                "vat_id_not_registered",
                "vat_id",
                "the VAT register knows no DK13585628 (2026-11-26)",
                "DK13585628",
            )
        ]
    },
    "Ask the customer for a valid VAT id or charge VAT.",
)


def test_an_entry_with_findings() -> None:
    assert staff_view(UNKNOWN_ID, "", DE) == StaffView(
        title="USt-IdNr. nicht bestätigt",
        about="",
        summary="",
        points=(
            "USt-IdNr. DK13585628 ist im MIAS (VIES) nicht registriert (Abfrage vom 26.11.2026)",
        ),
        rows=(
            ("Art", "USt-IdNr. nicht bestätigt (vat_id_invalid)"),
            ("Zuständig", "Buchhaltung"),
            ("Zu lösen bis", "27.11.2026, 10:00"),
        ),
        suggestion="Beim Kunden eine gültige USt-IdNr. erfragen oder Umsatzsteuer berechnen.",
    )


def test_an_entry_with_reasons_tells_them_once() -> None:
    reasons = ["billing and delivery postcode differ (+5)", "the phone number begins with +1 (+10)"]
    risk = entry(
        "risk_review", "Risk score 15: " + "; ".join(reasons), {"score": 15, "reasons": reasons}
    )
    seen = staff_view(risk, "", DE)
    assert (seen.summary, seen.points) == (
        "Risikowert 15 von 100",
        (
            "Postleitzahlen von Rechnungs- und Lieferanschrift weichen ab (+5)",
            "Die Telefonnummer beginnt mit +1 (+10)",
        ),
    )
    assert staff_view(risk, "", EN).summary == "Risk score 15"


@pytest.mark.parametrize(
    ("told", "german", "english"),
    [
        (
            finding(
                "house_number_missing", "delivery.line1", "the house number is missing", "Am See"
            ),
            "Straße und Hausnummer: die Hausnummer fehlt (angegeben: Am See)",
            "Street and house number: the house number is missing (given: Am See)",
        ),
        (
            finding("total_differs_from_lines", "total", "the total is negative", "-5.00"),
            "Der Gesamtbetrag ist negativ (angegeben: -5,00 €)",
            "The total is negative (given: -5.00 €)",
        ),
        (
            finding(
                "tax_rate_wrong", "tax", "16 % is no VAT rate of DE on this day", "16 %", "19 %"
            ),
            "Umsatzsteuer: 16 % ist an diesem Tag kein Steuersatz im Land Deutschland "
            "(Vorschlag: 19 %)",
            "16 % is no VAT rate of Germany on this day (proposed: 19 %)",
        ),
        (
            finding(
                "vat_id_name_differs",
                "vat_id",
                "the VAT id is registered to another name",
                "Huber KG",
                "Wok Imbiss",
            ),
            "Die USt-IdNr. ist auf einen anderen Namen registriert "
            "(angegeben: Huber KG, registriert: Wok Imbiss)",
            "The VAT id is registered to another name (given: Huber KG, registered: Wok Imbiss)",
        ),
        (
            finding("note_gift", "customer_note", "the order is a gift", "Ist ein Geschenk!"),
            "Die Bestellung ist ein Geschenk (wörtlich: Ist ein Geschenk!)",
            "The order is a gift (in their words: Ist ein Geschenk!)",
        ),
    ],
)
def test_a_finding_is_a_line(told: dict[str, str], german: str, english: str) -> None:
    odd = entry("amount_mismatch", "x", {"findings": [told]})
    assert staff_view(odd, "", DE).points == (german,)
    assert staff_view(odd, "", EN).points == (english,)


@pytest.mark.parametrize(
    ("context", "german"),
    [
        ({"amount": {"amount": "1234.50", "currency": "EUR"}}, ("Betrag", "1.234,50 €")),
        ({"paid": "50.00"}, ("Gezahlt", "50,00 €")),
        ({"expires_at": "2026-11-28T23:30:00+00:00"}, ("Autorisiert bis", "29.11.2026, 00:30")),
        ({"parcels": ["0034", "0035"]}, ("Pakete", "0034, 0035")),
        (
            {"lines": [{"sku": "B-1", "name": "Becher", "missing": 2}]},
            ("Fehlt", "2 × Becher (B-1)"),
        ),
        ({"reason": "product_not_received"}, ("Grund", "Ware nicht erhalten")),
        ({"reason": "some_new_reason"}, ("Grund", "some new reason")),
        ({"kind": "issue_invoice"}, ("Aktion", "Rechnung ausstellen (issue_invoice)")),
        (
            {"subject": "refund_payment:ord_1:cancel"},
            ("Gegenstand der Freigabe", "refund_payment:ord_1:cancel"),
        ),
        ({"of_tomorrow": {"a_key": [1, {"b": "c"}]}}, ("Of tomorrow", "A key: 1, B: c")),
        ({"failures": 0}, ()),
        ({"dispute": "dp_1", "payments": ["pi_1"], "digest": "ab", "runs": [{}]}, ()),
    ],
)
def test_a_value_of_the_context_is_a_row(context: dict[str, Any], german: tuple[str, ...]) -> None:
    rows = staff_view(entry("order_stuck", "x", context), "", DE).rows[3:]
    assert rows == ((german,) if german else ())


def test_a_row_repeats_nothing_that_the_summary_says() -> None:
    failed = entry(
        "action_failed",
        "create_shipment failed after 8 tries: connect ECONNREFUSED",
        {"action": "create_shipment:1", "error": "connect ECONNREFUSED", "tries": 8},
    )
    seen = staff_view(failed, "", DE)
    assert seen.summary == "Paket beauftragen gescheitert (Versuche: 8): connect ECONNREFUSED"
    assert seen.rows[3:] == (("Versuche", "8"),)


@pytest.mark.parametrize(
    ("notice", "language", "subject"),
    [
        ("notify_owner", "de", "USt-IdNr. nicht bestätigt: Bestellung 102"),
        ("notify_owner", "en", "VAT id not confirmed: order 102"),
        ("escalate", "de", "Überfällig: USt-IdNr. nicht bestätigt, Bestellung 102"),
        ("escalate", "en", "Overdue: VAT id not confirmed, order 102"),
    ],
)
def test_the_subject_is_short(notice: str, language: Language, subject: str) -> None:
    context = replace(FULL, exception=UNKNOWN_ID, to="ops@nordlicht.example")
    assert render_mail(notice, context, language, SETUP).subject == subject


def test_without_an_order_the_subject_names_what_it_is_about() -> None:
    silent = entry("source_silent", "woo-main has sent nothing since x", {"system": "woo-main"})
    context = replace(FULL, exception=silent, order=None, to="ops@nordlicht.example")
    mail = render_mail("notify_owner", context, "de", SETUP)
    assert mail.subject == "System meldet sich nicht: woo-main"


def test_a_long_subject_is_cut_between_words() -> None:
    context = replace(FULL, exception=None, subject="Wort " * 60, to="ops@nordlicht.example")
    subject = render_mail("create_task", context, "de", SETUP).subject
    assert len(subject) <= 101
    assert subject.endswith(" Wort…")


def test_a_task_is_in_the_language_of_the_staff() -> None:
    context = replace(
        FULL,
        exception=None,
        to="ops@nordlicht.example",
        subject="Refund 34.70 EUR by hand",
        task="Order 102: transfer 34.70 EUR back and record the refund in the shop. "
        "Reason: the order was cancelled before shipping.",
    )
    mail = render_mail("create_task", context, "de", SETUP)
    assert mail.subject == "Aufgabe zu Bestellung 102: 34,70 € von Hand erstatten"
    flat = " ".join(mail.text.split())
    assert (
        "Bestellung 102: 34,70 € zurücküberweisen und die Erstattung im Shop eintragen. "
        "Grund: die Bestellung wurde vor dem Versand storniert." in flat
    )


@pytest.mark.parametrize("kind", KINDS["de"])
def test_a_mail_of_each_kind_is_of_one_language_and_shows_no_json(kind: str) -> None:
    told = entry(
        kind, UNKNOWN_ID.summary, {**UNKNOWN_ID.context, "paid": "5.00", "runs": [{"a": 1}]}
    )
    context = replace(FULL, exception=told, to="ops@nordlicht.example")
    for notice in ("notify_owner", "escalate"):
        mail = render_mail(notice, context, "de", SETUP)
        for text in (mail.text, Page(mail.html).words):
            assert OURS["de"] in text
            assert OURS["en"] not in text
            assert not set(text) & set('{}["]')
        assert KINDS["de"][kind] in mail.subject
