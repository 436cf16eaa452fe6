"""What the rules say reaches staff in one language: every sentence of the code has a German one."""

from __future__ import annotations

import re
from string import Formatter
from zoneinfo import ZoneInfo

import pytest
from kette.adapters.mail.phrases import Reader, load_phrases
from kette.adapters.mail.titles import ACTIONS, CONTEXT, KINDS, NOT_MAILED, ROLES
from kette.domain.actions import STAGE_KINDS
from kette.policies import load_intake_data
from kette.setup_fields import EXCEPTION_KINDS
from support.rule_sentences import context_keys, rule_sentences

BERLIN = ZoneInfo("Europe/Berlin")
DE = Reader("de", BERLIN, "EUR")
EN = Reader("en", BERLIN, "EUR")

CASES = [
    (
        "the VAT register knows no DK13585628 (2026-11-26)",
        "USt-IdNr. DK13585628 ist im MIAS (VIES) nicht registriert (Abfrage vom 26.11.2026)",
        "the VAT register knows no DK13585628 (26 November 2026)",
    ),
    (
        "Risk score 15: billing and delivery postcode differ (+5); the card is from FR (+10)",
        "Risikowert 15 von 100: Postleitzahlen von Rechnungs- und Lieferanschrift weichen ab (+5); "
        "Land der Karte: Frankreich (+10)",
        "Risk score 15: billing and delivery postcode differ (+5); the card is from France (+10)",
    ),
    (
        "Refund of 1234.50 EUR waits for approval",
        "Erstattung von 1.234,50\u00a0€ wartet auf Freigabe",
        "Refund of 1,234.50\u00a0€ waits for approval",
    ),
    (
        "Paid 50.00, but the order's total is 59.90",
        "Gezahlt 50,00\u00a0€, Gesamtbetrag der Bestellung 59,90\u00a0€",
        "Paid 50.00\u00a0€, but the order's total is 59.90\u00a0€",
    ),
    (
        "7.7 %, 19 % VAT is charged on a delivery to CH, which is outside the VAT area",
        "7,7\u00a0%, 19\u00a0% Umsatzsteuer berechnet, Lieferland Schweiz liegt außerhalb des "
        "Mehrwertsteuergebiets",
        "7.7\u00a0%, 19\u00a0% VAT is charged on a delivery to Switzerland, which is outside the "
        "VAT area",
    ),
    (
        "shop-1 has sent nothing since 2026-11-26T22:30:00+00:00",
        "shop-1 hat seit 26.11.2026, 23:30 nichts gesendet",
        "shop-1 has sent nothing since 26 November 2026, 23:30",
    ),
    (
        "a PO box takes letters; hardly any carrier brings parcels there; the city is missing",
        "ein Postfach nimmt Briefe; Pakete stellt dort kaum ein Paketdienst zu; der Ort fehlt",
        "a PO box takes letters; hardly any carrier brings parcels there; the city is missing",
    ),
    (
        "the customer wishes a delivery date: 2026-12-24",
        "der Kunde wünscht einen Liefertermin: 24.12.2026",
        "the customer wishes a delivery date: 24 December 2026",
    ),
    (
        "refund_payment failed after 8 tries: Your card was declined; try another one",
        "Zahlung erstatten gescheitert (Versuche: 8): Your card was declined; try another one",
        "Refund of the payment failed after 8 tries: Your card was declined; try another one",
    ),
    (
        "issue_invoice failed after 1 tries: seller_incomplete: the setup lacks merchant.vat_id",
        "Rechnung ausstellen gescheitert (Versuche: 1): im Setup fehlt merchant.vat_id "
        "(seller_incomplete)",
        "Invoice failed after 1 tries: the setup lacks merchant.vat_id (seller_incomplete)",
    ),
    # Words of others are nobody's to change, even if a piece of them reads like ours.
    ("Refused by anna: the customer is missing", "Abgelehnt von anna: the customer is missing", ""),
    ("Zustellung im Hof; klingeln", "Zustellung im Hof; klingeln", ""),
    ("", "", ""),
]


@pytest.mark.parametrize(("said", "german", "english"), CASES)
def test_a_text_of_the_rules_in_both_languages(said: str, german: str, english: str) -> None:
    assert DE.sentence(said) == german
    assert EN.sentence(said) == (english or said)


def test_every_sentence_of_the_code_has_a_german_one() -> None:
    sentences = rule_sentences()
    assert len(sentences) > 400  # else the collector has lost its way
    missing = {x: x.place for x in sentences if not _is_german(x)}
    assert missing == {}, "add them to python-service/src/kette/policies/staff_phrases.yaml"


def _is_german(sentence: str) -> bool:
    """Every piece of it was found in the list."""
    left = set(sentence.split("; ")) - {"x"}
    return not left & set(DE.sentence(sentence).split("; "))


def test_a_new_sentence_would_be_noticed() -> None:
    assert not _is_german("the customer has a third arm")
    assert not _is_german("the city is missing; the customer has a third arm")


def test_every_wish_of_a_note_has_a_german_title() -> None:
    titles = {rule.title for rule in load_intake_data().notes.rules}
    assert titles
    assert {title for title in titles if DE.sentence(title) == title} == set()


def test_no_sentence_of_the_list_is_without_its_code() -> None:
    """A sentence that nobody says any more goes out of the list."""
    said = {*rule_sentences(), *(rule.title for rule in load_intake_data().notes.rules)}
    pieces = {p for x in said for p in (x, *x.split("; "), x.partition(": ")[2])}
    phrases = load_phrases()
    unused = [x for x in phrases.exact if x not in pieces and x not in ENGLISH_PARTS]
    unused += [
        x.texts["en"]
        for x in phrases.patterns
        if x.texts["en"] not in ENGLISH_PARTS and not any(map(x.pattern.fullmatch, pieces))
    ]
    assert unused == []


# Made of what the code says by the mail itself: a summary without the reasons that follow it.
ENGLISH_PARTS = frozenset(
    {"Risk score {score}", "The carrier reports parcel {parcel} as {state}: "}
)


def test_german_sentences_use_the_values_of_the_english_ones() -> None:
    for phrase in load_phrases().patterns:
        used = {name for _, name, _, _ in Formatter().parse(phrase.texts["de"]) if name}
        assert used == set(phrase.kinds), phrase.texts["de"]


def test_a_hostile_text_costs_little() -> None:
    assert DE.sentence("x is registered (" * 5_000)
    assert DE.sentence("n8n run of a failed in b " * 400)
    assert DE.sentence("; " * 2_000)


@pytest.mark.parametrize("language", ["de", "en"])
def test_kinds_actions_and_keys_have_titles(language: str) -> None:
    reader = DE if language == "de" else EN
    assert set(KINDS[reader.language]) == set(EXCEPTION_KINDS)
    assert set(ACTIONS[reader.language]) == {x for kinds in STAGE_KINDS.values() for x in kinds}
    keys = context_keys() - NOT_MAILED - {"findings", "reasons"}
    assert keys
    assert keys - set(CONTEXT[reader.language]) == set()


def test_titles_are_short() -> None:
    for titles in (*KINDS.values(), *ACTIONS.values(), *ROLES.values()):
        assert [x for x in titles.values() if len(x) > 40] == []


def test_german_titles_are_not_the_technical_words() -> None:
    words = {x for x in KINDS["de"].values() if re.search(r"_|[a-z]+ (?:of|the) ", x)}
    assert words == set()
