"""Which of the two lines holds street and house number, and what the other one is.

Customers type the number into line 2, the company into line 1, the floor anywhere.
"""

from __future__ import annotations

import re

from kette.domain.address.label import joined
from kette.domain.address.line import StreetReading, street_part
from kette.domain.address.model import CountryRules
from kette.domain.address.numbers import MAX_LINE, find_numbers, whole_number
from kette.domain.address.parcel_points import is_other_point
from kette.domain.address.parts import Parts
from kette.domain.address.place_in_line import take_place_off_line
from kette.domain.address.street import read_street
from kette.domain.address.text import fold, key
from kette.domain.address.words import (
    ends_in_street,
    first_word,
    is_unit,
    last_word,
    names_house,
    names_street,
    split_words,
)

# "Unit 26 Roper Close"
_UNIT_FIRST = re.compile(r"([^\W\d_]{2,12}\.?)\s(\d{1,4}[A-Z]?|[A-Z]\d{0,3})\s+([^\W\d_].*)")
_NUMBER_LINE = re.compile(r"[1-9]\d{0,3}[A-Za-z]?(?:\s\d{1,3}[A-Za-z]?)?")
_FLOOR = re.compile(r"\s*\d{1,2}\.\s?([^\W\d_]{1,20})")
_BEHIND = re.compile(r"\s*(?:[,;|(]|//?|-\s|–\s|—\s)\s*")


def read_door(parts: Parts, *, check_house_number: bool) -> None:
    """Sets street, house number and addition; a line that stays unclear stays as typed."""
    if not parts.street and parts.addition:
        parts.note("street_in_line2", "line2", "the street stood in line 2", after=parts.addition)
        parts.street, parts.addition = parts.addition, ""
    if not parts.street:
        parts.refuse("street_missing", "line1", "the street is missing")
        return
    take_place_off_line(parts)
    first = _read(parts, parts.street)
    second = _read(parts, parts.addition) if parts.addition else None
    if second is not None and _is_second_better(parts, first, second):
        _take_second(parts, second)
        return
    if second is not None and _read_over_lines(parts):
        return
    if first.number and first.certain:
        # "12 Newgate Centre" / "George Street": the number is that of a unit in the house.
        is_house = last_word(first.street) in parts.country.words.buildings
        if not (second is not None and is_house and _take_street_without_number(parts)):
            _take_first(parts, first)
        return
    if not first.number and parts.addition and _read_number_in_second(parts):
        return
    if second is not None and _join_number_and_street(parts):
        return
    if second is not None and _take_street_without_number(parts):
        return
    if _split_house_name(parts):
        return
    if parts.addition and not first.number and _is_company_above(parts):
        message = "the street stood in line 2"
        parts.note("street_in_line2", "line2", message, parts.addition, parts.addition)
        parts.street, parts.addition = parts.addition, parts.street
    if first.number:
        # Villages without street names use their own name: "Dorf 17".
        proposal = joined(first.street or parts.city, first.number, parts.country)
        message = "which part is the house number is uncertain"
        parts.warn("house_number_uncertain", "line1", message, parts.street, proposal)
        return
    _miss_house_number(parts, check_house_number=check_house_number)


def _read(parts: Parts, line: str) -> StreetReading:
    return read_street(line, parts.country)


def _take_first(parts: Parts, reading: StreetReading) -> None:
    line = parts.street
    if reading.code == "house_number_first":
        message = "the house number stood before the street"
        after = f"{reading.street} {reading.number}"
        parts.note(reading.code, "line1", message, line, after)
    rest = parts.addition
    place = f"{parts.postal_code} {parts.city}"
    if _repeats(line, rest) or _repeats(place, rest) or _repeats(parts.city, rest):
        message = "line 2 repeated what stands elsewhere"
        parts.note("line2_repeated", "line2", message, rest)
        rest = ""
    parts.street, parts.house_number = reading.street, reading.number
    parts.addition = reading.addition
    parts.add(rest)


def _repeats(one: str, other: str) -> bool:
    return bool(other) and len(other) <= MAX_LINE and fold(one) == fold(other)


def _is_second_better(parts: Parts, first: StreetReading, second: StreetReading) -> bool:
    """Whether line 2 is the street: "Zwei 24 GmbH" / "Hauptstr. 5", "Flat 3" / "12 High Street"."""
    words = parts.country.words
    if not (second.number and second.certain and names_street(second.street, words)):
        return False
    if is_unit(parts.addition, words) and not names_street(second.street, words):
        return False
    if first.number and first.certain and names_street(first.street, words):
        return first.is_weak and not second.is_weak
    if is_unit(second.street, words) and not names_street(second.street, words):
        return False
    if whole_number(parts.street, words.units):
        return False
    if not first.number:
        # Two streets: a person has to say which one is meant.
        return not names_street(parts.street, words) or is_unit(parts.street, words)
    return True


def _take_second(parts: Parts, second: StreetReading) -> None:
    line1, line2 = parts.street, parts.addition
    parts.street, parts.house_number = second.street, second.number
    parts.addition = line1
    parts.add(second.addition)
    after = joined(second.street, second.number, parts.country)
    parts.note("street_in_line2", "line2", "the street stood in line 2", line2, after)


def _read_over_lines(parts: Parts) -> bool:
    """ "Laan 1933" / "2", "Kabelweg" / "37 1": as the one line that it would be, where line 1 is
    all of the street."""
    country, line1, line2 = parts.country, parts.street, parts.addition
    if country.number_first or len(line1) > MAX_LINE or _NUMBER_LINE.fullmatch(line2) is None:
        return False
    if is_unit(line1, country.words):
        return False  # "Haus 5" / "12"
    whole = _read(parts, f"{line1} {line2}")
    if not whole.certain or whole.street != line1 or not line2.startswith(whole.number):
        return False
    parts.street, parts.house_number, parts.addition = line1, whole.number, whole.addition
    message = "the house number stood in line 2"
    after = joined(line1, whole.number, country)
    parts.note("house_number_in_line2", "line2", message, line2, after)
    return True


def _read_number_in_second(parts: Parts) -> bool:
    """The number stands in line 2. True where that is certain, or two streets are given."""
    country, line2 = parts.country, parts.addition
    line1 = street_part(parts.street, country) if len(parts.street) <= MAX_LINE else parts.street
    label = _label_off(line2, country)
    if whole_number(label, country.words.units):
        after = joined(line1, label, country)
        parts.street, parts.house_number, parts.addition = line1, label.strip(" .,"), ""
        message = "the house number stood in line 2"
        parts.note("house_number_in_line2", "line2", message, line2, after)
        return True
    number = _leading_number(label, country)
    if number is not None and (number[2] or label != line2):
        parts.street = line1
        parts.house_number, parts.addition = number[:2]
        message = "the house number stood in line 2"
        after = joined(line1, number[0], country)
        parts.note("house_number_in_line2", "line2", message, line2, after)
        return True
    second = _read(parts, line2)
    words = country.words
    if second.number and second.certain and names_street(second.street, words):
        message = "two streets are given, and the first has no house number"
        after = joined(second.street, second.number, country)
        parts.warn("house_number_uncertain", "line2", message, f"{parts.street}, {line2}", after)
        return True
    return False


def _label_off(line: str, country: CountryRules) -> str:
    """ "Nr. 44" -> "44"."""
    digits = next((at for at, char in enumerate(line) if char.isdigit()), -1)
    if digits > 0 and country.words.label.fullmatch(line[:digits].strip()):
        return line[digits:]
    return line


def _leading_number(line: str, country: CountryRules) -> tuple[str, str, bool] | None:
    """A house number at the begin of line 2, what follows it, and whether that is certain."""
    words = country.words
    numbers = find_numbers(line, words.additions)
    if not numbers or numbers[0].start != 0 or numbers[0].is_ordinal:
        return None
    rest = line[numbers[0].end :]
    if first_word(rest) in words.floors and not _BEHIND.match(rest):
        return None
    separator = _BEHIND.match(rest)
    behind = rest if separator is None or "(" in separator[0] else rest[separator.end() :]
    floor = _FLOOR.match(behind)
    if floor is not None and key(floor[1]) in words.floors:
        return numbers[0].text, behind.strip(), True  # "12, 3. Stock"
    return numbers[0].text, behind.strip(), separator is not None and not behind[:1].isdigit()


def _join_number_and_street(parts: Parts) -> bool:
    """ "12" / "High Street": the number alone in line 1."""
    words = parts.country.words
    line1, line2 = parts.street, parts.addition
    if not whole_number(line1, words.units) or not names_street(line2, words):
        return False
    inner = _read(parts, line2)
    # "350" / "State Hwy 15": the number of the road is part of its name.
    is_road = parts.country.number_first and last_word(inner.street) in words.numbered
    if inner.number and not is_road:
        return False
    parts.street, parts.house_number, parts.addition = line2, line1, ""
    after = joined(line2, line1, parts.country)
    message = "the street stood in line 2"
    parts.note("street_in_line2", "line2", message, f"{line1}, {line2}", after)
    return True


def _take_street_without_number(parts: Parts) -> bool:
    """ "The Old Rectory" / "Church Lane", "Unit 5, Riverside Business Park" / "Wharf Road": where
    houses have names, the street is the line below (Royal Mail, PAF guide: building name above
    thoroughfare)."""
    words = parts.country.words
    line1, line2 = parts.street, parts.addition
    if not parts.country.number_first or len(line1) > MAX_LINE or len(line2) > MAX_LINE:
        return False
    above, _, street = line2.rpartition(",")
    street = street.strip()
    if not ends_in_street(street, words) or is_unit(street, words):
        return False
    if any(char.isdigit() for char in street) or ends_in_street(above, words):
        return False
    last = last_word(line1)
    is_house = is_unit(line1, words) or last in words.buildings or last in words.estates
    if names_street(line1, words) and not is_house:
        return False
    parts.note("house_name", "line1", "a house with a name", line1, street)
    parts.street, parts.addition = street, line1
    parts.add(above.strip())
    return True


def _is_company_above(parts: Parts) -> bool:
    """ "Keller Ltd" / "Trafford Park": a legal form ends line 1, and line 2 may be the place."""
    words = parts.country.words
    line1, line2 = parts.street, parts.addition
    if len(line1) > MAX_LINE or len(line2) > MAX_LINE or names_street(line1, words):
        return False
    is_company = words.legal_form.search(f"{line1} ") is not None
    is_place = names_street(line2, words) or names_house(line2, words)
    return is_company and is_place and words.legal_form.search(f"{line2} ") is None


def _split_house_name(parts: Parts) -> bool:
    """ "Rose Cottage, Church Lane": a house with a name instead of a number."""
    words = parts.country.words
    if not parts.country.number_first or len(parts.street) > MAX_LINE:
        return False
    head, comma, tail = parts.street.rpartition(",")
    tail = tail.strip()
    unit = None if comma else _UNIT_FIRST.fullmatch(parts.street)
    if unit is not None and key(unit[1]) in words.units and ends_in_street(unit[3], words):
        head, comma, tail = f"{unit[1]} {unit[2]}", ",", unit[3]
    if not comma or not names_street(tail, words) or any(char.isdigit() for char in tail):
        return False
    is_house = is_unit(head, words) or last_word(head) in words.buildings
    if names_street(head, words) and not is_house:
        return False
    parts.note("house_name", "line1", "a house with a name", parts.street, tail)
    parts.street = tail
    parts.add(head.strip(), first=True)
    return True


def _miss_house_number(parts: Parts, *, check_house_number: bool) -> None:
    country = parts.country
    if not check_house_number or country.house_number == "optional":
        return
    if len(parts.street) < 200 and country.words.no_number.search(parts.street):
        parts.note("no_house_number", "line1", "the address says that it has no house number")
        return
    if is_other_point(parts):
        return  # "Paczkomat WAW01A": its own finding says so
    message = "the house number is missing"
    number = _leading_number(parts.addition, country)
    after = joined(parts.street, number[0], country) if number is not None else ""
    if not after and _is_large_recipient(parts):
        parts.hint("house_number_missing", "line1", message, parts.street)
        return
    # "Industriepark Nord, Gebäude K801": a place that the carrier may know.
    is_place = any(word in country.words.units for word in split_words(parts.street[:MAX_LINE]))
    is_place = is_place or names_house(parts.street[:MAX_LINE], country.words)
    # Nor is one refused whose number stands in line 2 and is uncertain.
    if country.house_number == "required" and not is_place and not after:
        parts.refuse("house_number_missing", "line1", message, parts.street, after)
    else:
        parts.warn("house_number_missing", "line1", message, parts.street, after)


def _is_large_recipient(parts: Parts) -> bool:
    """Whether the postal code may be that of one recipient alone, whose address needs neither
    street nor number: "Deutscher Bundestag, 11011 Berlin" (Deutsche Post, "Großempfänger-
    Postleitzahl"). The directory has none of these codes."""
    words, pattern = parts.country.words, parts.country.pattern
    if parts.country_code != "DE" or names_street(parts.street[:MAX_LINE], words):
        return False
    if pattern is None or not pattern.fullmatch(parts.postal_code):
        return False
    places = parts.rules.places
    is_known = bool(places.names("DE", parts.postal_code))
    return not is_known and bool(places.areas("DE", fold(parts.city[:MAX_LINE])))
