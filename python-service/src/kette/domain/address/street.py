"""Street line -> street, house number, addition.

Every number of the line is weighed by the words around it: part of the street's name ("Straße des
17. Juni"), number of a floor or flat ("Top 4"), or house number. The reading says how sure it is:
an unsure one is a proposal, and the caller leaves the line as it was typed.
"""

from __future__ import annotations

import re
from enum import IntEnum
from itertools import pairwise

import msgspec

from kette.domain.address.model import CountryRules, StreetWords
from kette.domain.address.numbers import MAX_LINE, Number, find_numbers
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

# Squares of Mannheim: "Q7, 24", "Q 7, 24", "C4 9b", "L 14, 16-17".
_SQUARE = re.compile(
    r"([A-U]\s?1?\d)(?:\s*,\s*|\s+)(?:nr\.?\s?)?"
    r"(\d{1,3}(?:\s?[a-z])?(?:\s?[-–/]\s?\d{1,3}[a-z]?)?)(?![\w.])[\s,/-]*(.*)",
    re.IGNORECASE,
)
_SEPARATOR = re.compile(r"[\s.]*(?:[,;|]|//?|-(?=\s)|–|—|\\|:)?[\s.,;-]*")
_YEARS = range(1500, 2100)
_OPENING = re.compile(r"[\s,;|/(-]*")
_DECREASING = re.compile(r"(\d{1,5})\s+[-–]\s+(\d{1,5}\s?[^\W\d_]?)")


class Weight(IntEnum):
    NONE = 0  # part of a name, a floor, a flat
    WEAK = 1  # a house number if there is no better one
    PLAIN = 2


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


def read_street(text: str, country: CountryRules) -> StreetReading:
    """Read one line; never raises. The parts hold every letter and digit of the line, a label such
    as "Nr." excepted."""
    if not text or len(text) > MAX_LINE:
        return StreetReading(text, "")
    if country.code in ("DE", ""):
        square = _SQUARE.fullmatch(text)
        if square is not None:
            return StreetReading(square[1], square[2], square[3])
    words = country.words
    numbers = find_numbers(text, words.additions)
    if not numbers:
        return StreetReading(text, "")
    weights = tuple(_weigh(text, numbers, position, country) for position in range(len(numbers)))
    line = Line(text, numbers, weights, country)
    reading = _read_leading(line) or _read_trailing(line)
    return reading if reading is not None else StreetReading(text, "")


def _weigh(text: str, numbers: tuple[Number, ...], position: int, country: CountryRules) -> Weight:
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
    if later and not before.strip() and right in words.streets and not country.number_first:
        return Weight.NONE  # "25 Straße 50"
    begins_month = right.startswith(tuple(words.months)) and is_street_word(right, words)
    if later and begins_month and not before.strip():
        return Weight.NONE  # "18 Septemberplein 12"
    if later and _is_in_name(text, number, later[0], country):
        return Weight.NONE
    if later and left in words.articles and before[-1:] == " ":
        return Weight.NONE  # "An den 12 Aposteln 3"
    if left in words.numbered and _is_name_of_street(before, number, later, text, country):
        return Weight.NONE
    if left in words.units or left == "#" or before.rstrip().endswith("#"):
        return Weight.WEAK
    if len(str(number.value)) == 5 and not country.number_first:
        return Weight.WEAK
    return Weight.PLAIN


def _weigh_ordinal(number: Number, before: str, right: str, country: CountryRules) -> Weight:
    words = country.words
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
    return Weight.PLAIN if before.strip() and names_street(before, words) else Weight.NONE


def _is_in_name(text: str, number: Number, later: Number, country: CountryRules) -> bool:
    """Whether the first of two numbers side by side is part of the name: "Boulevard 1945 230"; in
    the Netherlands "Meijhorst 50e 26"."""
    if text[number.end : later.start].strip(" ,") or later.is_ordinal:
        return False
    if number.text.isdigit() and 1800 <= number.value < _YEARS.stop and later.value < 1800:
        return True
    is_dutch = country.code in ("NL", "BE") and number.text.isascii()
    return is_dutch and number.text.endswith("e") and number.text[-2:-1].isdigit()


def _second_word(text: str) -> str:
    parts = text.replace("'", " ").replace("-", " ").split(maxsplit=2)
    return first_word(parts[1]) if len(parts) > 1 else ""


def _is_apart(after: str) -> bool:
    """Whether a separator stands between a number and the word behind it ("12, EG")."""
    return after.lstrip(" ")[:1] in (",", ";", "/", "|", "(", "-", "–")


def _is_name_of_street(
    before: str, number: Number, later: tuple[Number, ...], text: str, country: CountryRules
) -> bool:
    """Whether the first of two numbers is the street's name: "Straße 16 3", "Straße 16 Nr. 3"."""
    if not later or later[0].is_ordinal:
        return False
    words = country.words
    between = text[number.end : later[0].start].strip(" ,-–")
    if between and words.label.fullmatch(between) is None:
        # "Via 2 Santi 50", against "Weg 5 Haus 3"
        is_plain = not any(word in words.additions for word in split_words(between))
        is_type = all(word in words.streets for word in split_words(before))
        return is_plain and is_type and "," not in between
    name = before.strip(" .,")
    return len(name.split()) <= 2 and (country.number_first or " " not in name)


def _read_leading(line: Line) -> StreetReading | None:
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
    number, rest = _direction_off(number, rest, line.country)
    street, addition = split_addition(rest, line.country)
    before = _trim(head)
    if line.country.number_first:
        if before and not names_street(street, words):
            return None
        if last_word(street) in words.buildings and names_street(addition, words):
            return None  # "20 Queen Square Apartments, Bell Avenue"
        is_behind_street = names_only_street(before, words) and not is_unit(before, words)
        if is_behind_street and (not street[:1].isalpha() or is_unit(street, words)):
            return None
        return StreetReading(street, number.text, _join(before, addition))
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
        return _unsure(line, line.numbers[-1])
    return StreetReading(street, number.text, _join(before, addition), code="house_number_first")


def _direction_off(number: Number, rest: str, country: CountryRules) -> tuple[Number, str]:
    """ "574 E 10th Street": in America the letter is a direction and belongs to the street."""
    if (
        country.code in ("US", "CA")
        and number.text[-1:].upper() in "NSEW"
        and not number.is_ordinal
    ):
        text = number.text[:-1].strip()
        if text.isdigit():
            return Number(number.start, number.end, text, number.value), f"{number.text[-1]} {rest}"
    text = number.text.rstrip(".")
    return Number(number.start, number.end, text, number.value), rest


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
            return _trim(street), tail
        if _begins_unit(street, tail, words):
            return _trim(street), tail
    return rest, ""


def _leading_unit(rest: str, words: StreetWords) -> tuple[str, str] | None:
    """ "Appt 278 Rue X" behind a number: the unit stands before the street."""
    match = re.match(r"([^\W\d_]{1,12}\.?)\s?([\dA-Z]\w{0,3}),?\s+(?=[^\W\d_])", rest)
    if match is None or match[1].casefold().rstrip(".") not in words.units:
        return None
    street = rest[match.end() :]
    if first_word(street) not in words.streets:
        return None
    return street, _trim(match[0])


def _begins_unit(street: str, tail: str, words: StreetWords) -> bool:
    """Whether an addition begins here: a word for a unit with its number, or a floor."""
    word = first_word(tail)
    previous = last_word(street)
    if previous in words.articles:
        return False
    if word == "c/o" or (word in words.care_of and "/" in word):
        return True
    behind = tail[tail.casefold().find(word) + len(word) :].lstrip(" .:")
    if word in words.units and word not in words.streets:
        code = re.match(
            r"(?:n[°ºo.]{1,2}\s?|nr\.?\s?|no\.?\s?)?[#]?(\d\w{0,5}|\w)(?!\w)", behind, re.I
        )
        # "Apt 4B", "Suite", "Sixth Floor"
        return code is not None or not behind or first_word(behind) in words.floors
    floor = re.match(
        r"(?:\d{1,3}|[IVX]{1,4})(?:\.|st|nd|rd|th|er|e|º|ª|ème)?\s?([^\W\d_]{1,14})", tail
    )
    return floor is not None and floor[1].casefold() in words.floors


def _read_trailing(line: Line) -> StreetReading | None:
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
        return _unsure(line, floors[0]) if floors else StreetReading(line.text, "")
    return _unsure(line, line.numbers[-1])


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
    certain = not (is_weak and is_unit(street, words) and not names_street(street, words))
    if is_weak and line.country.number_first and not names_street(street, words):
        certain = False
    if last_word(before) == "km":
        street, text = _trim(re.sub(r"\s*(?:,\s*)?[kK][mM]\.?\s*\Z", "", street)), f"km {text}"
    listed = _list_of_numbers(addition, number)
    if listed:
        text, addition = line.text[number.start :].rstrip(" .,"), ""
    elif addition[:1].isdigit() and not _is_apart_and_unit(after, addition, line):
        certain = False
    street, moved = _front(street, line.country)
    split = _DECREASING.fullmatch(text)
    if (
        split is not None
        and last_word(street) in words.numbered
        and int(split[1]) > int(re.sub(r"\D.*", "", split[2]))
    ):
        street, text = f"{street} {split[1]}", split[2]
    if line.country.code == "FI" and text[-1:].isalpha() and addition.isdigit():
        text, addition = f"{text} {addition}", ""  # stair and flat: "13 A 2"
    code = "" if certain else "house_number_uncertain"
    return StreetReading(street, text, _join(moved, addition), certain, code, is_weak)


def _is_better(line: Line, number: Number, later: Number, street: str) -> bool:
    """Whether a later number is the house number: "Campus 2 Industriestr. 14"."""
    between = line.text[number.end : later.start]
    if not any(char.isalpha() for char in between) or names_street(street, line.words):
        return False
    return names_street(between, line.words) and not is_unit(between, line.words)


def _is_apart_and_unit(after: str, addition: str, line: Line) -> bool:
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
    if line.country.door_follows:
        return True
    if line.country.code == "NL" and re.match(r"\d{1,3}[^\W\d_]{1,2}(?!\w)", addition):
        return True
    if re.match(r"\d{1,2}\.?\s?St\.?\Z", addition):
        return True  # "1 St." is short for "Stock"
    # "Hauptstr. 12. 2. Hof": an ordinal is no second house number.
    return re.match(r"\d{1,3}(?:\.\s?[^\W\d_]|[ªº°])", addition) is not None


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
    head, comma, tail = street.rpartition(",")
    if comma and tail.strip():
        is_front = not names_street(head, words) or is_unit(head, words)
        if names_street(tail, words) or (is_front and not is_unit(tail, words)):
            return _trim(tail), _trim(head)
        if is_unit(tail, words):
            return _trim(head), _trim(tail)
        return street, ""
    form = words.legal_form.search(street)
    if form is not None and names_street(street[form.end() :], words):
        return _trim(street[form.end() :]), _trim(street[: form.end()])
    return street, ""


def _unsure(line: Line, number: Number) -> StreetReading:
    """street = "" where nothing but the number is given, as in villages without street names."""
    street = _trim(line.before(number))
    if not any(char.isalpha() for char in street) or line.words.label.fullmatch(street):
        street = ""
    text = number.text.rstrip(".")
    return StreetReading(street, text, certain=False, code="house_number_uncertain")


def street_part(before: str, country: CountryRules) -> str:
    """A street without a comma or "Nr." at its end; "" where nothing but that is left."""
    street = _trim(before)
    label = country.words.label.search(street)
    if label is None:
        return street
    return _trim(street[: label.start()])


def _addition(after: str) -> str:
    """What follows the number, without the sign that separates them."""
    separator = _SEPARATOR.match(after)
    assert separator is not None  # every part of the pattern may be empty
    return after[separator.end() :].rstrip(" ,;|")


def _join(*parts: str) -> str:
    return ", ".join(part for part in parts if part)


def _trim(text: str) -> str:
    return text.strip().rstrip(",;|").strip(" -–/\\") if text else ""
