"""No address makes the reading fail, lose what was typed, or change it in silence."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kette.domain.address import NormalizedAddress, normalize_address
from kette.domain.findings import Severity
from kette.domain.order import Address
from kette.policies import load_intake_data
from support.labelled_addresses import Labelled, labelled_addresses
from support.naughty import NAUGHTY

RULES = load_intake_data().address
_TOKEN = re.compile(r"[^\W_]+")
# "Nr." and "Postnummer" are not repeated: the part that holds the number says the same.
_LABELS = re.compile(
    r"(?:dhl|post|kunden|haus|house|hs|h)?(?:n|nº|nr|no|num|núm|numero|numéro|número|nummer|number|hnr|č|p|čp"
    r"|º|°|o|αρ)?",
    re.IGNORECASE,
)


def tokens(*texts: str) -> set[str]:
    return {token.casefold() for text in texts for token in _TOKEN.findall(text)}


def everything(found: NormalizedAddress) -> tuple[str, ...]:
    said = [finding.before for finding in found.findings if finding.severity is Severity.INFO]
    return (
        found.name, found.company, found.street, found.house_number, found.addition,
        found.postal_code, found.city, found.region, found.post_number, *said,
    )  # fmt: skip


def lost(typed: Address, found: NormalizedAddress) -> set[str]:
    """Words and numbers that were typed and stand nowhere. Signs may join and part them."""
    kept = "".join(everything(found)).casefold()
    solid = re.sub(r"[\W_]+", "", kept)
    fields = (typed.name, typed.company, typed.line1, typed.line2, typed.postal_code, typed.city)
    # "12Wharf Road", "1E Main St": the blank is missing, and number and street are parts.
    missing = {
        token
        for token in tokens(*fields)
        if not all(part in solid for part in re.findall(r"\d+|\D+", token))
    }
    return {token for token in missing if not _is_label(token, solid)}


def _is_label(token: str, solid: str) -> bool:
    """ "Nr", "nr12", "postnummer12345678": the number is kept, its label need not be."""
    word = token.rstrip("0123456789")
    return _LABELS.fullmatch(word) is not None and token[len(word) :] in solid


@pytest.mark.parametrize("one", labelled_addresses(), ids=lambda one: one.where)
def test_nothing_of_a_labelled_address_is_lost(one: Labelled) -> None:
    assert lost(one.typed, one.read(RULES)) == set()


_SEEDS = [one.typed for one in labelled_addresses()]
_LINES = st.sampled_from(sorted({one.line1 for one in _SEEDS} | {one.line2 for one in _SEEDS}))
_CITIES = st.sampled_from(sorted({one.city for one in _SEEDS}))
_CODES = st.sampled_from(sorted({one.postal_code for one in _SEEDS}))
_COUNTRIES = st.sampled_from(sorted({one.country_code for one in _SEEDS}))


@settings(max_examples=600, deadline=None)
@given(
    st.builds(
        Address,
        name=st.sampled_from(["Rita Keller", "", "Keller 12345678"]),
        company=st.one_of(st.just(""), _LINES),
        line1=_LINES,
        line2=_LINES,
        postal_code=_CODES,
        city=_CITIES,
        country_code=_COUNTRIES,
    )
)
def test_lines_of_any_country_under_any_other_lose_nothing(typed: Address) -> None:
    assert lost(typed, normalize_address(typed, RULES)) == set()


@settings(max_examples=400, deadline=None)
@given(_LINES, _LINES, _CITIES, _CODES, _COUNTRIES)
def test_a_warning_about_the_street_leaves_it_as_typed(
    line1: str, line2: str, city: str, code: str, country: str
) -> None:
    typed = Address("A", "", line1, line2, code, city, country_code=country)
    found = normalize_address(typed, RULES)
    if any(finding.code == "house_number_uncertain" for finding in found.findings):
        assert found.house_number == ""
        assert found.street in (line1, line2) or found.street in line1


# How long the slowest takes is measured by `make bench` (part hard); a pattern that looks back and
# forth without end would not come back here at all.


def read(typed: Address) -> NormalizedAddress:
    return normalize_address(typed, RULES)


def in_every_field(text: str, country: str = "DE") -> Address:
    return Address(text, text, text, text, text, text, text, country, text, text)


@pytest.mark.parametrize("country", ["DE", "AT", "FR", "US", "XX"])
def test_naughty_strings_come_through(country: str) -> None:
    for text in NAUGHTY:
        read(in_every_field(text, country))
        read(Address("A", "", text, text, "10115", "Berlin", country_code=country))


def test_a_naughty_country_is_no_trouble() -> None:
    for text in NAUGHTY:
        read(in_every_field(text, text))


LONG = {
    "digits": "1",
    "numbers": "12 ",
    "letters": "a",
    "ranges": "1-",
    "fractions": "1 1/2 ",
    "suffixes": "1 a ",
    "commas": ",",
    "streets": "Hauptstr. 12, ",
    "packstation": "Packstation ",
    "post number": "Postnummer 1 ",
    "right to left": "شارع الملك فهد 12 ",
    "hebrew": "רחוב הרצל 12, ",
    "chinese": "北京市朝阳区12号",
    "emoji": "👋🏽 12 ",
    "marks": "e\u0301\u0301",
    "invisible": "\u200b\u202e",
    "mail": "a.b@",
    "phone": "+49 ",
    "brackets": "((",
    "strokes": "/1",
}


@pytest.mark.parametrize("unit", LONG.values(), ids=LONG.keys())
@pytest.mark.parametrize("length", [60, 159, 1_999, 10_000])
def test_long_lines_come_through(unit: str, length: int) -> None:
    text = (unit * length)[:length]
    for country in ("DE", "FR", "US", "NL"):
        read(in_every_field(text, country))


def test_random_bytes_come_through() -> None:
    chance = random.Random(20261123)
    for _ in range(400):
        data = chance.randbytes(chance.choice([20, 80, 150, 400]))
        for encoding in ("latin-1", "utf-8", "utf-16-le"):
            text = data.decode(encoding, "replace")
            read(in_every_field(text, chance.choice(["DE", "GB", "ES"])))
