"""House numbers that stand behind the street: "Rosenweg 12, 3. OG", "Via 25 Aprile, 7"."""

from __future__ import annotations

import re
from itertools import pairwise

from kette.domain.address.line import Line, StreetReading, join, street_part, trim, unsure
from kette.domain.address.model import CountryRules, StreetWords
from kette.domain.address.numbers import Number
from kette.domain.address.text import key
from kette.domain.address.weight import Weight
from kette.domain.address.words import (
    first_word,
    is_street_word,
    is_unit,
    last_word,
    names_street,
    split_words,
)

_SEPARATOR = re.compile(r"[\s.]*(?:[,;|]|//?|-(?=\s)|–|—|\\|:)?[\s.,;-]*")
_LOT = re.compile(r"[\s,]+(Parzelle|Parz\.?|Lote|Lotto|Lot|Parcela|Parcelle)\Z", re.IGNORECASE)
_DOOR_AFTER_STREET = frozenset({"NL", "BE", "DK"})
_NUMBER_ONLY = re.compile(r"\d{1,4}(?=,|\Z)")
_STAIR = re.compile(r"(?:[A-Z](?:\s?\d{1,3}[A-Za-z]?)?|\d{1,3}[A-Za-z]?)(?!\w)")
_NORWEGIAN_FLAT = re.compile(r"([HULK]\s?\d{4})[\s,]+(?=[^\W\d_])")
_METRES = re.compile(r",\d{1,3}(?!\d)")  # "km 12,500"
_OPPOSITE = re.compile(r"\s(t/o|tegenover)\Z", re.IGNORECASE)  # a houseboat's number (NEN 5825)
_APART = re.compile(r"[\s.]*(?://|\|)")
_DECREASING = re.compile(r"(\d{1,5})\s+[-–]\s+(\d{1,5}\s?[^\W\d_]?)")


def read_behind(line: Line) -> StreetReading | None:
    """The number stands behind the street; what follows it is an addition."""
    for wanted in (Weight.PLAIN, Weight.WEAK):
        chosen = [
            number
            for number, weight in zip(line.numbers, line.weights, strict=True)
            if weight is wanted and any(char.isalpha() for char in line.before(number))
        ]
        while chosen:
            reading = _trailing(line, chosen[0], chosen[1:], is_weak=wanted is Weight.WEAK)
            if reading is not None:
                return reading
            chosen = chosen[1:]
    if all(weight is Weight.NONE for weight in line.weights):
        floors = [
            number
            for number in line.numbers
            if not number.is_ordinal and first_word(line.after(number)) in line.words.floors
        ]
        return unsure(line, floors[0]) if floors else StreetReading(line.text, "")
    return unsure(line, line.numbers[-1])


def _trailing(
    line: Line, number: Number, others: list[Number], *, is_weak: bool
) -> StreetReading | None:
    words = line.words
    before, after = line.before(number), line.after(number)
    street = street_part(before, line.country)
    if not any(char.isalpha() for char in street):
        return None
    if others and _is_better(line, number, others[0], street):
        return None
    text = number.text.rstrip(".")
    addition = _addition(after)
    certain = not (is_weak and _is_of_unit(street, words))
    if is_weak and line.country.number_first and not names_street(street, words):
        certain = False
    if last_word(before) == "km":
        street, text = trim(re.sub(r"\s*(?:,\s*)?[kK][mM]\.?\s*\Z", "", street)), f"km {text}"
        metres = _METRES.match(after)
        if metres is not None:
            text, after = text + metres[0], after[metres.end() :]
            addition = _addition(after)
    opposite = _OPPOSITE.search(street)
    if opposite is not None:
        street, text = trim(street[: opposite.start()]), f"{opposite[1]} {text}"
    listed = _list_of_numbers(addition, number)
    if listed:
        text, addition = line.text[number.start :].rstrip(" .,"), ""
    elif addition[:1].isdigit() and not _is_apart_and_unit(after, addition, street, line):
        certain = False
    lot = _LOT.search(street) if is_weak else None
    if lot is not None and _is_full_name(street[: lot.start()], words):
        street, text = trim(street[: lot.start()]), f"{lot[1]} {text}"  # "Gartenweg Parzelle 14"
        certain = True
    if others and _goes_on(line, number, others[-1], street):
        certain = False
    street, moved = _front(street, line.country)
    if is_weak and key(moved) in words.units:
        certain = False  # "Rosenweg, Whg. 5"
    split = _DECREASING.fullmatch(text)
    if (
        split is not None
        and last_word(street) in words.numbered
        and int(split[1]) > int(re.sub(r"\D.*", "", split[2]))
    ):
        street, text = f"{street} {split[1]}", split[2]
    if line.country.code == "FI":
        text, addition = _with_stair(text, addition)
    code = "" if certain else "house_number_uncertain"
    return StreetReading(street, text, join(moved, addition), certain, code, is_weak)


def _is_of_unit(street: str, words: StreetWords) -> bool:
    """Whether a number behind this is that of a hall or flat, and none of a house: "Messe Halle 3",
    "Industriestraße Halle 3"; not "Am Tor 3", "Hallesches Tor 3"."""
    unit = last_word(street)
    name = street.rstrip(" .:-")[: -len(unit) or None].rstrip(" .")
    if unit == "tor" and last_word(name).endswith(("er", "es")):
        return False
    if not names_street(street, words):
        return unit in words.units or is_unit(street, words)
    # Not "Straße der Einheit 3", "Via Torre 3".
    previous, first = last_word(name), first_word(street)
    is_street = previous.endswith(words.ends) and is_street_word(previous, words)
    # "Polígono Industrial El Pino nave 12", "Shopping City Süd Top 12".
    is_place = first in words.estates or first not in words.streets | words.starts
    is_place = is_place and previous not in words.articles | words.streets
    return unit in words.units and "," not in street and (is_street or is_place)


def _is_full_name(street: str, words: StreetWords) -> bool:
    """Whether this is a street, and more than its type: not "Via"."""
    found = split_words(street)
    return names_street(street, words) and any(word not in words.streets for word in found)


def _with_stair(text: str, addition: str) -> tuple[str, str]:
    """Number and addition; stair and flat stand in the number: "13 A 2", "97a A 52" (Posti)."""
    stair = _STAIR.match(addition)
    if stair is None or (addition[0].isdigit() and not text[-1:].isalpha()):
        return text, addition
    rest = addition[stair.end() :].lstrip(" ,")
    return f"{text} {stair[0]}", rest


def _is_better(line: Line, number: Number, later: Number, street: str) -> bool:
    """Whether a later number is the house number: "Campus 2 Industriestr. 14"."""
    between = line.text[number.end : later.start]
    if not any(char.isalpha() for char in between) or names_street(street, line.words):
        return False
    return names_street(between, line.words) and not is_unit(between, line.words)


def _goes_on(line: Line, number: Number, last: Number, street: str) -> bool:
    """Whether the name may go on behind the number, where its type stands before it: "ul. Jana 3
    Sobieskiego 12"."""
    words, between = line.words, line.text[number.end : last.start]
    if first_word(street) not in words.streets or line.after(last).strip(" ."):
        return False
    found = split_words(between)
    is_name = re.fullmatch(r"\s[^\W\d_]{4,20}(?:\s[^\W\d_]{4,20})?\s", between) is not None
    is_name = is_name and between.strip()[0].isupper()  # not "5 mieszkania 12"
    return is_name and not any(word in words.additions or is_unit(word, words) for word in found)


def _is_apart_and_unit(after: str, addition: str, street: str, line: Line) -> bool:
    """Whether a number behind the house number is that of a floor or door."""
    if re.match(r"\d{1,3}(?:[.ªº°èeé]|st|nd|rd|th)?\s?[^\W\d_]", addition):
        floor = re.match(
            r"\d{1,3}(?:\.|ª|º|°|st|nd|rd|th|e|er|ème)?-?\s?([^\W\d_]{1,20})", addition
        )
        if floor is not None and (
            floor[1].casefold() in line.words.floors
            or floor[1].casefold() in line.words.units
            or floor[1].casefold() in line.words.care_of
        ):
            return True
    if line.country.door_follows or _APART.match(after):
        return True
    if (
        line.country.code == "DK"
        and re.fullmatch(r"\d{1,2}\.?", addition)
        and (re.match(r"\s*,", after) or addition[-1] == ".")
    ):
        return True  # the floor: "7, 2", "82 14."
    if line.country.code in _DOOR_AFTER_STREET and _NUMBER_ONLY.match(addition):
        # "Oud-Dorpsstraat 136 3": a box or a floor, unless the street may be "Plein 1944".
        name = split_words(street)
        is_type = all(word in line.words.numbered for word in name)
        return names_street(street, line.words) and not is_type
    if line.country.code == "NL" and re.match(r"\d{1,3}[^\W\d_]{1,2}(?!\w)", addition):
        return True
    if re.match(r"\d{1,2}\.?\s?St\.?\Z", addition):
        return True  # "1 St." is short for "Stock"
    # "Hauptstr. 12. 2. Hof": an ordinal is no second house number.
    return (
        re.match(r"\d{1,3}(?:\.\s?[^\W\d_]|[ªº°]|(?:e|er|re|ère|ème|eme)(?!\w))", addition)
        is not None
    )


def _list_of_numbers(addition: str, number: Number) -> bool:
    """Whether the house numbers go on behind a comma: "12, 13, 14"."""
    match = re.fullmatch(r"\d{1,4}[a-z]?(?:\s?[,+&]\s?\d{1,4}[a-z]?){0,5}", addition, re.IGNORECASE)
    if match is None:
        return False
    values = [number.value, *(int(value) for value in re.findall(r"\d+", addition))]
    steps = [second - first for first, second in pairwise(values)]
    return len(values) > 2 and 0 <= steps[0] <= 4


def _front(street: str, country: CountryRules) -> tuple[str, str]:
    """Street, and what stands before it in the line: "Hinterhaus, Hauptstr."."""
    words = country.words
    flat = _NORWEGIAN_FLAT.match(street) if country.code == "NO" else None
    if flat is not None:
        return trim(street[flat.end() :]), flat[1]  # "H0101 Storgata"
    head, comma, tail = street.rpartition(",")
    if comma and tail.strip():
        is_front = not names_street(head, words) or is_unit(head, words)
        if names_street(tail, words) or (is_front and not is_unit(tail, words)):
            return trim(tail), trim(head)
        if is_unit(tail, words):
            return trim(head), trim(tail)
        return street, ""
    if first_word(street) in words.addressees:
        return _behind_name(street, words)
    form = words.legal_form.search(street)
    if form is not None and names_street(street[form.end() :], words):
        return trim(street[form.end() :]), trim(street[: form.end()])
    return street, ""


def _behind_name(street: str, words: StreetWords) -> tuple[str, str]:
    """ "c/o Keller Hauptstr.": the street is the last word, or two where that is "Straße" alone."""
    found = street.split()
    last = last_word(street)
    if len(found) < 3 or not is_street_word(last, words):
        return street, ""
    count = 2 if last in words.streets and "-" not in last else 1
    if len(found) - count < 2:
        return street, ""
    return " ".join(found[-count:]), " ".join(found[:-count])


def _addition(after: str) -> str:
    """What follows the number, without the sign that separates them."""
    separator = _SEPARATOR.match(after)
    assert separator is not None  # every part of the pattern may be empty
    rest = after[separator.end() :].rstrip(" ,;|")
    return rest if any(char.isalnum() for char in rest) or len(rest) > 8 else ""
