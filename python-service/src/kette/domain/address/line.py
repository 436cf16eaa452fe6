"""A street line with its numbers weighed, and what it is read into."""

from __future__ import annotations

import msgspec

from kette.domain.address.model import CountryRules, StreetWords
from kette.domain.address.numbers import Number
from kette.domain.address.weight import Weight

# No abbreviations, so the full stop is none of theirs: "Hauptstraße.12".
_WORDS_WITH_STOP = ("straße.", "strasse.", "weg.", "gasse.", "allee.", "platz.", "straat.", "laan.")


class StreetReading(msgspec.Struct, frozen=True):
    """number = "" where none was found. code says how it was read, "" for the plain case."""

    street: str
    number: str
    addition: str = ""
    certain: bool = True
    code: str = ""
    is_weak: bool = False  # the number may be that of a unit: "Halle 7"


class Line(msgspec.Struct, frozen=True):
    """A line with its numbers weighed."""

    text: str
    numbers: tuple[Number, ...]
    weights: tuple[Weight, ...]
    country: CountryRules

    @property
    def words(self) -> StreetWords:
        return self.country.words

    def before(self, number: Number) -> str:
        return self.text[: number.start]

    def after(self, number: Number) -> str:
        return self.text[number.end :]


def street_part(before: str, country: CountryRules) -> str:
    """A street without a comma or "Nr." at its end; "" where nothing but that is left."""
    # Before the blank goes: a lone "N" is a label only with one behind it.
    label = country.words.label.search(before) or country.words.label.search(trim(before))
    return trim(before if label is None else label.string[: label.start()])


def unsure(line: Line, number: Number) -> StreetReading:
    """street = "" where nothing but the number is given, as in villages without street names."""
    street = trim(line.before(number))
    if not any(char.isalpha() for char in street) or line.words.label.fullmatch(street):
        street = ""
    text = number.text.rstrip(".")
    return StreetReading(street, text, certain=False, code="house_number_uncertain")


def join(*parts: str) -> str:
    return ", ".join(part for part in parts if part)


def trim(text: str) -> str:
    bare = text.strip().rstrip(",;|:").strip(" -–/\\%&*=") if text else ""
    return bare.rstrip(".") if bare.casefold().endswith(_WORDS_WITH_STOP) else bare
