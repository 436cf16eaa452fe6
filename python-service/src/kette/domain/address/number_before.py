"""House numbers that stand before the street: "12 rue des Lilas", "Flat 3, 10 High Street"."""

from __future__ import annotations

import re

from kette.domain.address.line import Line, StreetReading, join, trim, unsure
from kette.domain.address.model import CountryRules, StreetWords
from kette.domain.address.numbers import Number
from kette.domain.address.text import key
from kette.domain.address.weight import Weight
from kette.domain.address.words import (
    first_word,
    is_street_word,
    is_unit,
    last_word,
    names_only_street,
    names_street,
    split_words,
    street_at_end,
)

_UPPER = frozenset({"upper", "lower"})
_NOTES = frozenset({"attn", "attention", "buzzer", "please", "leave", "deliver", "ring"})
_INDUSTRIAL = frozenset({"zi", "za", "zac", "z.i", "z.a", "zone"})
_PLAIN = re.compile(r"\d+(?:\s\d/\d|\s?[½¼¾])?")
_FLAT = re.compile(r"\d{1,2}/\d{1,2}")
_JOINED_UNIT = re.compile(r"([^\W\d_]{3,9})\d\w{0,4}(?!\w)")
_OPENING = re.compile(r"[\s,;|/(-]*")


def read_before(line: Line) -> StreetReading | None:
    """The number stands before the street, at the begin of the line or behind a comma."""
    found: list[StreetReading] = []
    for position, number in enumerate(line.numbers):
        if line.weights[position] is Weight.NONE:
            continue
        before = line.before(number)
        label = line.words.label.search(before)
        head = (before[: label.start()] if label is not None else before).rstrip()
        rest = _OPENING.sub("", line.after(number), count=1)
        if not any(char.isalpha() for char in rest):
            continue
        if line.weights[position] is Weight.WEAK and head and label is None:
            continue
        is_inside = bool(head) and head[-1] not in ",;|/"
        if is_inside and not _is_street_behind(line, head, rest):
            continue
        reading = _leading(line, position, head, rest)
        if not line.country.number_first:
            return reading
        if reading is not None:
            found.append(reading)
    # "1 Farm Cottages, 10 Church Lane": the number of the street, not of the house.
    named = [one for one in found if names_street(one.street, line.words)]
    return next(iter(named or found), None)


def _is_street_behind(line: Line, head: str, rest: str) -> bool:
    """Whether a number inside a line stands before a street: "Castle House 41 Broad Street"."""
    if not line.country.number_first or names_only_street(head, line.words):
        return False
    street, _ = split_addition(rest, line.country)
    return first_word(street) in line.words.streets or street_at_end(street, line.words)


def _leading(line: Line, position: int, head: str, rest: str) -> StreetReading | None:
    words, number = line.words, line.numbers[position]
    street, addition = split_addition(rest, line.country)
    is_english = last_word(street) in words.types_last
    is_american = line.country.code in ("US", "CA")
    if is_english or is_american:
        number, rest = _direction_off(number, rest, even_joined=is_american)
        street, addition = split_addition(rest, line.country)
    letter = number.text[-2:]
    if line.country.number_first and letter[:1] == " " and letter[1:].casefold() in words.streets:
        # "12 r de la Paix": the letter is short for "rue".
        number = Number(number.start, number.end, number.text[:-2], number.value)
        street, addition = split_addition(f"{letter[1:]} {rest}", line.country)
    number = Number(number.start, number.end, number.text.rstrip("."), number.value)
    before = trim(head)
    if line.country.number_first:
        if (
            before
            and not names_street(street, words)
            and not _is_house(head, before, street, words)
        ):
            return None
        if _FLAT.fullmatch(number.text) and street[:1].isdigit():
            return None  # "1/2, 15 Argyle Street": a flat of a tenement
        if last_word(street) in words.buildings and names_street(addition, words):
            return None  # "20 Queen Square Apartments, Bell Avenue"
        is_behind_street = names_only_street(before, words) and not is_unit(before, words)
        if is_behind_street and (not street[:1].isalpha() or is_unit(street, words)):
            return None
        return StreetReading(street, number.text, join(before, addition))
    if not names_street(street, words) or is_unit(street, words):
        if before:
            return None
        if not _plain_behind(line, position):
            code = "house_number_uncertain"
            return StreetReading(street, number.text, addition, certain=False, code=code)
        return None
    if before and (names_street(before, words) or is_unit(street, words)):
        return None
    if _plain_behind(line, position):
        if before:
            return None
        # "12 Hauptstr. 5": the one at the end is where the country has it, yet who knows.
        return unsure(line, line.numbers[-1])
    return StreetReading(street, number.text, join(before, addition), code="house_number_first")


def _is_house(head: str, before: str, street: str, words: StreetWords) -> bool:
    """Whether a house with a name and a comma stand before the number: "Panton House, 8 Quayside".
    Royal Mail, "Programmers' Guide: PAF", has the number directly before its street."""
    if not words.types_last or head[-1:] != "," or any(char.isdigit() for char in before):
        return False
    is_name = street[:1].isupper() and first_word(street) not in words.additions
    return is_name and not names_street(before, words)


def _direction_off(number: Number, rest: str, *, even_joined: bool) -> tuple[Number, str]:
    """ "574 E 10th Street", "123 1/2 N Main St": in America the letter is a direction and belongs
    to the street."""
    text, letter = number.text[:-1], number.text[-1:]
    if letter.upper() not in "NSEW" or not _PLAIN.fullmatch(text.strip()):
        return number, rest
    if not (even_joined or text.endswith(" ")):
        return number, rest
    return Number(number.start, number.end, text.strip(), number.value), f"{letter} {rest}"


def _plain_behind(line: Line, position: int) -> bool:
    return any(weight is Weight.PLAIN for weight in line.weights[position + 1 :])


def split_addition(rest: str, country: CountryRules) -> tuple[str, str]:
    """What follows a leading number -> street and addition: "rue X, Bât. A", "Main St Apt 4B",
    "Rosenweg 3. OG"."""
    words = country.words
    inner = _leading_unit(rest, words)
    if inner is not None:
        return inner
    for match in re.finditer(r"\s*[,;|]\s*|\s[-–/]\s|\s(?=[#(℅])|\s(?=[^\W_])", rest):
        street, tail = rest[: match.start()], rest[match.end() :].strip()
        if not any(char.isalpha() for char in street):
            continue
        if match[0].strip() or tail[:1] in ("#", "(", "℅"):
            return trim(street), tail
        if _begins_unit(street, tail, words):
            return trim(street), tail
    return rest, ""


def _leading_unit(rest: str, words: StreetWords) -> tuple[str, str] | None:
    """ "Appt 278 Rue X" behind a number: the unit stands before the street."""
    match = re.match(r"([^\W\d_]{1,12}\.?)\s?(?:\d\w{0,3}|[A-Z]\d{0,3}),?\s+(?=[^\W\d_])", rest)
    if match is None or match[1].casefold().rstrip(".") not in words.units:
        return None
    street = rest[match.end() :]
    if first_word(street) not in words.streets:
        return None
    return street, trim(match[0])


def _begins_unit(street: str, tail: str, words: StreetWords) -> bool:
    """Whether an addition begins here: a word for a unit with its number, or a floor."""
    word = first_word(tail)
    previous = last_word(street)
    if previous in words.articles:
        return False
    joined = _JOINED_UNIT.match(tail)
    if joined is not None and key(joined[1]) in words.units - words.streets:
        return True  # "Main St Apt4B"
    if word == "c/o" or (word in words.care_of and "/" in word):
        return True
    behind = tail[tail.casefold().find(word) + len(word) :].lstrip(" .:")
    if word in _UPPER and not behind and is_street_word(previous, words):
        return False  # "O'Connell Street Upper"
    if (word in _NOTES or tail[:10].casefold() == "in care of") and names_only_street(
        street, words
    ):
        return True
    if word in _INDUSTRIAL and names_only_street(street, words):
        return True  # "rue de l'Industrie ZI Nord"
    if not re.match(r"#?\d", behind) and all(part in words.streets for part in split_words(street)):
        return False  # "rue Chambre", not "Broadway Apt 3"
    if word in words.units and word not in words.streets:
        code = re.match(
            r"(?:n[°ºo.]{1,2}\s?|nr\.?\s?|no\.?\s?)?[#]?([^\W\d_]?-?\d\w{0,5}|\w)(?!\w)",
            behind,
            re.I,
        )
        # "Apt 4B", "Suite", "Sixth Floor"
        return code is not None or not behind or first_word(behind) in words.floors
    floor = re.match(
        r"(?:\d{1,3}|[IVX]{1,4})(?:\.|st|nd|rd|th|er|e|º|ª|ème)?\s?([^\W\d_]{1,14})", tail
    )
    return floor is not None and floor[1].casefold() in words.floors
