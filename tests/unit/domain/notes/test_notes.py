"""What customers write, and what it asks for."""

from __future__ import annotations

from datetime import date

import pytest
from kette.domain.findings import Severity
from kette.domain.notes import MAX_NOTE, find_wishes, note_findings
from kette.policies import load_intake_data

RULES = load_intake_data().notes
PLACED_ON = date(2026, 11, 23)

NOTES = [
    ("Bitte beim Nachbarn abgeben (Müller, 2. Stock). Klingel defekt!", {"neighbour": "Müller"}),
    ("Bitte bei Nachbarin Frau Schmidt-Weber klingeln", {"neighbour": "Schmidt-Weber"}),
    ("Please leave it with the neighbour", {"neighbour": ""}),
    ("Leave with neighbor Mr. Smith please", {"neighbour": "Smith"}),
    ("Ist ein Geschenk, bitte ohne Rechnung", {"gift": ""}),
    ("bitte schön einpacken 🎁!", {"gift": ""}),
    ("It's a gift, no prices please", {"gift": ""}),
    ("Please gift-wrap", {"gift": ""}),
    ("Kein Geschenk", {}),
    ("Geschenkgutschein XY einlösen", {}),
    ("Bitte erst ab 15.12. liefern", {"delivery_date": "2026-12-15"}),
    ("Lieferung bitte am 24.12.2026", {"delivery_date": "2026-12-24"}),
    ("Bitte nicht vor dem 3. Januar liefern", {"delivery_date": "2027-01-03"}),
    ("Please deliver after Dec 20", {"delivery_date": "2026-12-20"}),
    ("Please ship before 20th of December 2027", {"delivery_date": "2027-12-20"}),
    ("deliver on 2026-12-01 please", {"delivery_date": "2026-12-01"}),
    ("Wir sind bis 10.12. im Urlaub", {"delivery_date": "2026-12-10"}),
    ("Bitte Samstag liefern", {"delivery_date": ""}),
    ("Lieferung erst nächste Woche", {"delivery_date": ""}),
    ("Bitte am 31.2. liefern", {"delivery_date": ""}),
    ("Bitte vorher anrufen: 0171 1234567", {"call_first": "0171 1234567"}),
    ("Please call before delivery", {"call_first": ""}),
    ("Rechnung bitte an Kruse & Söhne, Bremen", {"other_invoice_address": ""}),
    ("Abweichende Rechnungsadresse: Weg 1, Bremen", {"other_invoice_address": ""}),
    ("Invoice to: ACME Ltd, London", {"other_invoice_address": ""}),
    ("Rechnung bitte per Mail", {}),
    ("Bitte stornieren Sie die Bestellung", {"cancellation": ""}),
    ("please cancel my order", {"cancellation": ""}),
    ("Ich widerrufe hiermit", {"cancellation": ""}),
    ("Ich möchte den Artikel doch nicht kaufen", {"cancellation": ""}),
    ("Bitte nicht stornieren!", {}),
    ("Bitte nicht an Packstation liefern", {"no_packstation": ""}),
    ("Keine Packstation!", {"no_packstation": ""}),
    ("no parcel locker please", {"no_packstation": ""}),
    ("Bitte vor die Tür stellen", {"safe_place": ""}),
    ("leave it at the front door", {"safe_place": ""}),
    ("Bitte nicht beim Nachbarn abgeben", {"no_neighbour": ""}),
    ("No neighbours please", {"no_neighbour": ""}),
    ("Bitte nicht vor die Tür stellen", {"hand_over_in_person": ""}),
    ("Signature required", {"hand_over_in_person": ""}),
    ("Falls vergriffen bitte stornieren", {"cancel_if_unavailable": ""}),
    ("Cancel if out of stock", {"cancel_if_unavailable": ""}),
    # Lines that a shop's cart form makes.
    ("Delivery-Date: 2026-12-18", {"delivery_date": "2026-12-18"}),
    ("Gift wrap: yes", {"gift": ""}),
    ("Gift wrap: No", {}),
    ("Geschenkverpackung: Nein", {}),
    ("Is this a gift?: false", {}),
    ("Wunschtermin: kein\nGeschenk: ja", {"gift": ""}),
    ("Rechnung bitte an:\nKruse & Söhne, Bremen", {"other_invoice_address": ""}),
    ("Danke!", {}),
    ("Wann kommt die Ware?", {}),
    ("", {}),
    ("Geschenk! Bitte vorher anrufen, nicht an Packstation liefern.",
     {"gift": "", "call_first": "", "no_packstation": ""}),
]  # fmt: skip


@pytest.mark.parametrize(("note", "expected"), NOTES)
def test_wishes(note: str, expected: dict[str, str]) -> None:
    assert {wish.kind: wish.value for wish in find_wishes(note, PLACED_ON, RULES)} == expected


def test_every_kind_has_a_german_and_an_english_example() -> None:
    told = {kind for _, expected in NOTES for kind in expected}
    assert told == {rule.kind for rule in RULES.rules}


def test_finding_carries_the_sentence_and_opens_an_exception() -> None:
    note = "Hallo,\nbitte beim Nachbarn Müller abgeben. Danke!"
    (found,) = note_findings(note, PLACED_ON, RULES)
    assert (found.code, found.field, found.severity) == (
        "note_neighbour", "customer_note", Severity.WARNING,
    )  # fmt: skip
    assert found.message == "the customer names a neighbour: Müller"
    assert found.before == "bitte beim Nachbarn Müller abgeben."
    assert found.after == "Müller"
    assert found.exception_kind == "special_note"


def test_a_wish_to_cancel_holds_the_order() -> None:
    """What was shipped against the customer's word costs two freights."""
    (found,) = note_findings("Bitte stornieren", PLACED_ON, RULES)
    assert found.is_blocking


def test_note_without_known_wish_is_information() -> None:
    (found,) = note_findings("wieder da", PLACED_ON, RULES)
    assert (found.code, found.severity, found.exception_kind) == ("note", Severity.INFO, "")
    assert found.before == "wieder da"


@pytest.mark.parametrize("note", ["", " ", "\n\t "])
def test_no_note_no_finding(note: str) -> None:
    assert note_findings(note, PLACED_ON, RULES) == ()


def test_taken_back_in_one_sentence_and_said_in_the_next() -> None:
    wishes = find_wishes("Bitte nicht stornieren. Oder doch: stornieren!", PLACED_ON, RULES)
    assert [wish.excerpt for wish in wishes] == ["Oder doch: stornieren!"]


def test_only_the_begin_of_a_very_long_note_is_read() -> None:
    assert find_wishes("x " * MAX_NOTE + "Geschenk", PLACED_ON, RULES) == ()
