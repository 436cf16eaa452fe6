"""No input makes the intake rules fail, lose what was typed, or take long."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kette.domain.address import NormalizedAddress, normalize_address
from kette.domain.duplicates import find_duplicate_of, fingerprint
from kette.domain.findings import Severity
from kette.domain.money import Money
from kette.domain.notes import note_findings
from kette.domain.order import Address, LineItem, LineKind, Order, ShopClaim, TaxShare
from kette.domain.policy import RiskPolicy
from kette.domain.risk import RiskSignals, assess_risk
from kette.domain.validation import validate_order
from kette.policies import load_intake_data
from kette.setup_file import SetupError, read_setup
from support.intake_orders import SETUP, order

DATA = load_intake_data()

# Words that the rules know, so that the interesting branches are reached.
_WORDS = """Hauptstr. Rosenweg Straße des 17. Juni 12 12a 12-14 1/2 Nr. Hinterhaus 3. OG links c/o
Müller Packstation 123 12345678 Postnummer Postfiliale 501 Postfach rue de l'Église bis ter Q7, 24 ,
// ( ) - – / ½ s/n B96 2e Platz Top 4 Stiege DHL BP Whg + & . 0 00 99999 '"""
WORDS = st.sampled_from([*_WORDS.split(), "\u200b", "\u00a0"])
LINES = st.one_of(
    st.lists(WORDS, max_size=8).map(" ".join),
    st.text(max_size=60),
    st.lists(WORDS, max_size=4).map("".join),
)
COUNTRIES = st.sampled_from(
    ["DE", "AT", "CH", "NL", "FR", "GB", "US", "HK", "de", "", "XX", "Deutschland"]
)
POSTCODES = st.one_of(
    st.sampled_from(["22767", "1015 CJ", "D-22767", "1060", "75011", "", "O4109"]),
    st.text(max_size=12),
)
ADDRESSES = st.builds(
    Address,
    name=LINES,
    company=LINES,
    line1=LINES,
    line2=LINES,
    postal_code=POSTCODES,
    city=st.one_of(st.sampled_from(["Berlin", "Mannheim", "22767 Hamburg"]), st.text(max_size=20)),
    region=st.text(max_size=6),
    country_code=COUNTRIES,
    phone=st.text(max_size=20),
    email=st.text(max_size=30),
)
MONEY = st.builds(
    Money, st.integers(-(10**7), 10**9), st.sampled_from(["EUR", "EUR", "EUR", "JPY"])
)
RATES = st.one_of(
    st.none(),
    st.sampled_from(["0.19", "0.07", "0", "0.20", "0.255", "19", "x"]),
    st.text(max_size=6),
)
ATTRIBUTES = st.lists(
    st.tuples(st.sampled_from(["method", "x"]), st.text(max_size=15)), max_size=2
).map(tuple)
ROWS = st.builds(
    LineItem,
    id=st.text(max_size=4),
    kind=st.sampled_from(LineKind),
    name=st.text(max_size=20),
    quantity=st.integers(-5, 1000),
    net=MONEY,
    tax=MONEY,
    rate=RATES,
    is_physical=st.booleans(),
    attributes=ATTRIBUTES,
)  # fmt: skip
ORDERS = st.builds(
    Order,
    channel=st.sampled_from(["woo-main", "woo-outlet"]),
    external_id=st.text(max_size=4),
    number=st.text(max_size=4),
    version=st.just("1"),
    placed_at=st.datetimes(timezones=st.sampled_from([None, UTC])),
    claim=st.sampled_from(ShopClaim),
    shop_status=st.text(max_size=5),
    currency=st.sampled_from(["EUR", "EUR", "JPY"]),
    total=MONEY,
    total_tax=MONEY,
    prices_include_tax=st.booleans(),
    lines=st.lists(ROWS, max_size=3).map(tuple),
    tax_by_rate=st.lists(st.builds(TaxShare, rate=RATES, label=st.just(""), net=MONEY, tax=MONEY),
                         max_size=2).map(tuple),
    billing=ADDRESSES,
    shipping=ADDRESSES,
    customer_note=st.text(max_size=80),
    vat_id=st.one_of(st.sampled_from(["", "DE136695976", "ATU13585627"]), st.text(max_size=14)),
)  # fmt: skip

# What the reading turns into a field of its own, a kind or nothing: labels and typing.
_LABELS = (
    "packstation paketstation postfiliale paketshop dhl postnummer kundennummer nummer nr no n num"
)


def signs(*texts: str) -> Counter[str]:
    return Counter(char for text in texts for char in text.casefold() if char.isdigit())


def everything(found: NormalizedAddress) -> tuple[str, ...]:
    return (
        found.name, found.company, found.street, found.house_number, found.addition,
        found.postal_code, found.city, found.post_number,
    )  # fmt: skip


@settings(max_examples=600, deadline=None)
@given(ADDRESSES)
def test_no_typed_digit_is_lost(typed: Address) -> None:
    found = normalize_address(typed, DATA.address)
    # What was typed twice may be there once, with a finding that shows it.
    said = [finding.before for finding in found.findings if finding.severity is Severity.INFO]
    given_signs = signs(
        typed.name, typed.company, typed.line1, typed.line2, typed.postal_code, typed.city
    )
    assert not given_signs - signs(*everything(found), *said)


@settings(max_examples=600, deadline=None)
@given(ADDRESSES)
def test_no_typed_word_is_lost(typed: Address) -> None:
    found = normalize_address(typed, DATA.address)
    kept = " ".join(everything(found)).casefold()
    for word in " ".join([typed.line1, typed.line2, typed.company]).casefold().split():
        if word.isalpha() and len(word) > 1 and word not in _LABELS.split():
            assert word in kept


STREETS = st.sampled_from(
    [
        "Hauptstr.",
        "Straße des 17. Juni",
        "Am Markt",
        "An der B96",
        "Lange Reihe",
        "Kurt-Weg",
        "Straße 16",
    ]
)
NUMBERS = st.sampled_from(
    [
        "1",
        "12a",
        "12 a",
        "7-9",
        "12 1/2",
        "5b-c",
        "45/3/12",
        "12½",
        "110",
        "12 bis 14",
        "12.1",
        "12aa",
    ]
)
ADDITIONS = st.sampled_from(
    ["", "Hinterhaus", "3. OG links", "c/o Müller", "Whg 12", "EG", "App. 4"]
)


@settings(max_examples=500, deadline=None)
@given(STREETS, NUMBERS, ADDITIONS, st.sampled_from([" ", ", ", " // "]), st.booleans())
def test_what_is_put_together_is_taken_apart_again(
    street: str, number: str, addition: str, glue: str, in_second_line: bool
) -> None:
    line1, line2 = f"{street} {number}", addition
    if addition and not in_second_line:
        line1, line2 = f"{line1}{glue}{addition}", ""
    typed = Address("A", "", line1, line2, "22767", "Hamburg", country_code="DE")
    found = normalize_address(typed, DATA.address)
    assert (found.street, found.house_number, found.addition) == (street, number, addition)
    assert found.findings == ()


@settings(max_examples=200, deadline=None)
@given(ORDERS, ORDERS, st.integers(-10, 10**7))
def test_every_order_gets_findings_a_verdict_and_a_fingerprint(
    one: Order, other: Order, window_s: int
) -> None:
    for finding in validate_order(one, one.delivery_address, SETUP, DATA):
        assert finding.code
        assert finding.message
    assert 0 <= assess_risk(one, RiskSignals(), RiskPolicy(), DATA.risk).score <= 100
    pair = (fingerprint(one, b"key"), fingerprint(other, b"key"))
    matches = [
        find_duplicate_of(pair[0], pair, window_s),
        find_duplicate_of(pair[1], pair, window_s),
    ]
    assert matches.count(None) >= 1  # two orders are never duplicates of each other


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=300), st.dates())
def test_every_note_can_be_read(note: str, placed_on: date) -> None:
    note_findings(note, placed_on, DATA.notes)


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=200), st.text(max_size=200).map(lambda t: t.encode("utf-8", "replace"))
    )
)
def test_every_setup_file_is_read_or_refused_with_a_line(data: bytes) -> None:
    with pytest.raises(SetupError) as caught:  # nothing that short is a setup
        read_setup(data, "f", {})
    assert all(problem.line >= 1 and problem.column >= 1 for problem in caught.value.problems)


LONG = {
    "digits": "1" * 10_000,
    "numbers": "12 " * 3334,
    "letters": "a" * 10_000,
    "ranges": "1-" * 5000,
    "fractions": "1 1/2 " * 1700,
    "commas": "," * 10_000,
    "blanks": " " * 10_000,
    "street": "Hauptstr. " * 1000,
    "packstation": "Packstation " * 900,
    "post number": "Postnummer 1 " * 800,
    "no date": "liefern am " * 1000,
    "negations": "nicht kein " * 1000,
    "neighbours": "Nachbar (a " * 1000,
    "emoji": "👋🏽" * 5000,
    "marks": "\u200b" * 10_000,
}


@pytest.mark.parametrize("text", LONG.values(), ids=LONG.keys())
def test_ten_thousand_characters_come_through(text: str) -> None:
    """No pattern may look back and forth: a bad one would take minutes here."""
    typed = Address(text, text, text, text, text, text, text, "DE", text, text)
    long = order(billing=typed, shipping=typed, customer_note=text, vat_id=text)
    validate_order(long, typed, SETUP, DATA)
    assess_risk(long, RiskSignals(), RiskPolicy(), DATA.risk)
    fingerprint(long, b"key")
