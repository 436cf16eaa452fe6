"""What each number of a street line is, by the words around it."""

from __future__ import annotations

import re
from enum import IntEnum

from kette.domain.address.model import CountryRules, StreetWords
from kette.domain.address.numbers import Number
from kette.domain.address.words import (
    first_word,
    is_street_word,
    last_word,
    names_street,
    split_words,
    street_at_end,
)

_YEARS = range(1500, 2100)
# Behind these years a number of a street stands: "Boulevard 1945 230".
_NAMING_YEARS = range(1800, 2100)


# Classes of roads in Germany: motorway, federal, state, district.
_ROAD = re.compile(
    r"(?:^|\s)(?:(?:A|B|L|K|St|S)\s?|(?:Bundes|Landes|Staats|Kreis)(?:straße|strasse|str\.?)\s)\Z"
)


_COMPOUND = re.compile(r"-[^\W\d_]{4,}")


class Weight(IntEnum):
    NONE = 0  # part of a name, a floor, a flat
    WEAK = 1  # a house number if there is no better one
    PLAIN = 2


def weigh(text: str, numbers: tuple[Number, ...], position: int, country: CountryRules) -> Weight:
    """What a number is, by the words around it. The order of the questions matters."""
    words, number = country.words, numbers[position]
    before, after = text[: number.start], text[number.end :]
    left, right = last_word(before), first_word(after)
    later = numbers[position + 1 :]
    if number.is_ordinal:
        return _weigh_ordinal(number, before, right, country)
    if right in words.months or (
        right in ("de", "d", "di", "of", "-") and _second_word(after) in words.months
    ):
        return Weight.NONE
    if left in words.months:
        return Weight.NONE if number.value in _YEARS else Weight.PLAIN
    if right in words.floors and not _is_apart(after) and not _second_word(after)[:1].isdigit():
        # "Weg 5 OG": a floor, or a house number with a floor that lost its own.
        return Weight.NONE
    if later and not before.strip() and not country.number_first and _COMPOUND.match(after):
        return Weight.NONE  # "1213-laan 11", "1000-lecia 15"
    if later and not before.strip() and right in words.streets and not country.number_first:
        return Weight.NONE  # "25 Straße 50"
    begins_month = right.startswith(tuple(words.months)) and is_street_word(right, words)
    if later and begins_month and not before.strip():
        return Weight.NONE  # "18 Septemberplein 12"
    if later and _is_in_name(text, number, later[0], country):
        return Weight.NONE
    if later and left in words.articles and before[-1:] == " ":
        return Weight.NONE  # "An den 12 Aposteln 3"
    if _is_name_of_street(before, number, later, text, words):
        return Weight.NONE
    label = words.label.search(before)
    if label is not None and label.start():
        left = last_word(before[: label.start()])  # "Apt No. 456"
    if left in words.units or left == "#" or before.rstrip().endswith("#"):
        return Weight.WEAK
    if len(str(number.value)) == 5 and not country.number_first:
        return Weight.WEAK
    return Weight.PLAIN


def _weigh_ordinal(number: Number, before: str, right: str, country: CountryRules) -> Weight:
    words = country.words
    if not before.strip() and country.code in ("US", "CA") and number.text[-1:] in "Ee":
        return Weight.PLAIN  # "1E MAIN ST": the direction
    if not before.strip() and country.number_first and number.text.endswith("."):
        return Weight.PLAIN if right in words.streets else Weight.NONE  # "8. rue Foch"
    if right in words.floors:
        return Weight.NONE
    if right in words.units:
        # "Fő út 4. fszt. 2", against "2. Hinterhaus"
        return Weight.PLAIN if street_at_end(before, words) else Weight.NONE
    if right in words.months or is_street_word(right, words) or right in words.streets:
        return Weight.NONE
    # "Hauptstr. 73. bei Schmidt": a full stop behind the house number.
    is_number = number.text.endswith((".", "e")) and before.strip() and names_street(before, words)
    return Weight.PLAIN if is_number else Weight.NONE


def _is_in_name(text: str, number: Number, later: Number, country: CountryRules) -> bool:
    """Whether the first of two numbers side by side is part of the name: "Boulevard 1945 230"; in
    the Netherlands "Meijhorst 50e 26"."""
    if text[number.end : later.start].strip(" ,") or later.is_ordinal:
        return False
    if (
        number.text.isdigit()
        and number.value in _NAMING_YEARS
        and later.value < _NAMING_YEARS.start
    ):
        return True
    is_dutch = country.code in ("NL", "BE") and number.text.isascii()
    if is_dutch and number.text == "40-45":
        return True  # the years of the war, as streets are named after
    return is_dutch and number.text.endswith("e") and number.text[-2:-1].isdigit()


def _second_word(text: str) -> str:
    parts = text.replace("'", " ").replace("-", " ").split(maxsplit=2)
    return first_word(parts[1]) if len(parts) > 1 else ""


def _is_apart(after: str) -> bool:
    """Whether a separator stands between a number and the word behind it ("12, EG")."""
    return after.lstrip(" ")[:1] in (",", ";", "/", "|", "(", "-", "–")


def _is_name_of_street(
    before: str, number: Number, later: tuple[Number, ...], text: str, words: StreetWords
) -> bool:
    """Whether the first of two numbers is the street's name: "Straße 16 3", "Straße 16 Nr. 3",
    "Via 2 Santi 50"."""
    name = split_words(before.rpartition(",")[2])  # "Urb. Las Lomas, calle 3, nº 12"
    if not later or later[0].is_ordinal or not name:
        return False
    between = text[number.end : later[0].start].strip(" ,-–")
    if _ROAD.search(before) and (not between or words.label.fullmatch(between)):
        return True  # "An der B 3 Nr. 14", "An der Bundesstraße 6 12"
    if not between or between.casefold() == "km" or words.label.fullmatch(between):
        return name[-1] in words.numbered and _are_types(name, words)
    # Against "Weg 5 Haus 3".
    is_plain = not any(word in words.additions for word in split_words(between))
    return is_plain and "," not in between and _are_types(name, words)


def _are_types(name: list[str], words: StreetWords) -> bool:
    return all(word in words.streets or word in words.numbered for word in name)
