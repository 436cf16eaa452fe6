"""Street line -> street, house number, addition.

The reading looks at every number of the line and asks what it can be. It says how sure it is: an
unsure reading is a proposal, and the caller leaves the line as it was typed. Lines of more than
MAX_LINE characters are no addresses and are not looked into, which also bounds the time.
"""

from __future__ import annotations

import re

import msgspec

from kette.domain.address.model import AddressRules

MAX_LINE = 160

# 12, 12a, 12 a, 12½, 12 1/2, 12-14, 12 a-c, 12/14, 45/3/12, 12 bis 14, 12 bis, 123-II, 12 hs
_NUMBER = re.compile(
    r"""
    (?<!\d)(?<!\d[./-]) (?P<digits>\d{1,5}) (?![\d])
    (?: \s?[½¼¾] | \s\d/\d(?!\d) | \.\d{1,3}(?![\d.]) )?
    (?: \s?(?:ter|quater|quinquies)(?!\w) | \s?bis(?!\w)(?!\s\d) )?
    (?: \s?[A-Za-z] (?![\w'’]|/o\b|\.\s?[^\W\d])
      | (?!st|nd|rd|th|er|te)[A-Za-z]{2}(?![\w'’.]) )?
    (?:
        (?: \s?[-–—/+&]\s? | \s(?:bis|und|u\.|to|à)\s )
        (?: \d{1,5} (?!\d|\.\s?[^\W\d]|[^\W\d]{2}) (?:\s?[A-Za-z](?![\w'’]|/o\b|\.\s?[^\W\d]))?
          | [A-Za-z](?![\w.'’]|/o\b)
          | [IVX]{1,4}(?!\w)
        )
    ){0,4}
    (?: [\s-](?:hs|huis|rd|zw)(?!\w) )?
    """,
    re.VERBOSE | re.IGNORECASE,
)
# Squares of Mannheim and Ludwigshafen-like towns: "Q7, 24", "Q 7, 24", "C4 9b".
_SQUARE = re.compile(r"([A-U]\s?[1-7])\s*(?:,\s*|\s)(\d{1,3}(?:\s?[a-z])?(?:-\d{1,3})?)", re.I)
_SEPARATOR = re.compile(r"\s*(?:[,;|(]|//?|-\s|–\s|—\s)\s*")
_ADDITION_START = re.compile(r"\s*[,;]\s*|\s(?=\d{1,3}\.?\s?[^\W\d])")
_WORD = re.compile(r"[^\W\d_](?:[^\W\d_]|[.'’/-](?=[^\W\d_]))*\.?|[sS]/[nN]")
_FIRST_WORD = re.compile(r"[^\W\d_]+(?:(?:[.-]|/(?=[oO]\b))[^\W\d_]+)*\.?|#")


class StreetReading(msgspec.Struct, frozen=True):
    """number = "" where none was found. code says how it was read, "" for the plain case."""

    street: str
    number: str
    addition: str = ""
    certain: bool = True
    code: str = ""


def read_street(line: str, rules: AddressRules, *, number_first: bool, city: str) -> StreetReading:
    """Read one line; never raises. The parts hold every letter and digit of the line, a label such
    as "Nr." excepted."""
    if not line or len(line) > MAX_LINE:
        return StreetReading(line, "")
    square = _SQUARE.fullmatch(line)
    if square is not None and city.casefold().startswith("mannheim"):
        return StreetReading(square[1], square[2])
    numbers = [match for match in _NUMBER.finditer(line) if _can_be_number(line, match)]
    candidates = [match for match in numbers if not _is_before_floor(line, match, rules)]
    if not candidates:
        # "Weg 5 OG": a floor, or a house number with a floor that lost its own.
        return _unsure(line, numbers[0], rules) if numbers else StreetReading(line, "")
    if candidates[0].start() == 0:
        leading = _read_leading(line, candidates, rules, number_first=number_first)
        if leading is not None:
            return leading
    if number_first:
        middle = _read_middle(line, candidates, rules)
        if middle is not None:
            return middle
    for position, match in enumerate(candidates):
        if _is_name_of_street(line, candidates[position : position + 2], rules):
            continue
        reading = _read_trailing(line, match, candidates[:position], rules)
        if reading is not None:
            return reading
    return _unsure(line, candidates[-1], rules)


def street_of(line: str, rules: AddressRules) -> str:
    """A street whose number stands elsewhere: without a comma or "Nr." at its end."""
    return _street_part(line, rules) if len(line) <= MAX_LINE else line


def is_number(line: str) -> bool:
    """Whether a line is a house number and nothing else ("44 b")."""
    return len(line) <= 20 and _NUMBER.fullmatch(line) is not None


def leading_number(
    line: str, rules: AddressRules, *, behind_blank: bool = False
) -> tuple[str, str] | None:
    """A house number at the begin of a second line and what follows it behind a separator, or
    behind a blank, which is a guess."""
    if len(line) > MAX_LINE:
        return None
    match = _NUMBER.match(line)
    if match is None or not _can_be_number(line, match) or _is_before_floor(line, match, rules):
        return None
    rest = line[match.end() :]
    separator = _SEPARATOR.match(rest)
    if separator is None:
        return (match[0].strip(), rest.strip()) if behind_blank else None
    return match[0].strip(), rest[separator.end() :].strip()


def names_street(line: str, rules: AddressRules) -> bool:
    """Whether a line holds a word that makes it a street ("Rosenweg", "rue", "Am Markt")."""
    if len(line) > MAX_LINE:
        return False
    for word in _WORD.findall(line):
        folded = word.casefold()
        if folded in rules.street_words or folded.endswith(rules.street_ends):
            return True
    return False


def _can_be_number(line: str, match: re.Match[str]) -> bool:
    start, end = match.span("digits")
    if match[0].strip("0") == "":
        return False
    before = line[:start]
    if before and (before[-1].isalpha() or before[-1] == "_"):
        # "Hauptstr12" lacks a blank; "B96" and "Q7" are names.
        run = len(before) - len(before.rstrip("".join({c for c in before if c.isalpha()})))
        if run < 4:
            return False
    after = line[match.end() :]
    if end == match.end() and re.match(r"\.\s?[^\W\d]|\.\s?[-–]", after):
        return False  # an ordinal: "17. Juni", "3. OG"
    if after[:1].isalpha():
        return False  # "1st", "2nd", "5er"
    # Not "2e Jan van der Heijdenstraat" either.
    return not (start == 0 and match[0][-1:] in "eE" and after[:1] == " ")


def _is_before_floor(line: str, match: re.Match[str], rules: AddressRules) -> bool:
    after = line[match.end() :]
    word = _FIRST_WORD.match(after.lstrip())
    return word is not None and word[0].casefold() in rules.floors


def _read_leading(
    line: str, candidates: list[re.Match[str]], rules: AddressRules, *, number_first: bool
) -> StreetReading | None:
    match = candidates[0]
    rest = line[match.end() :].lstrip(" ,")
    if not any(char.isalpha() for char in rest):
        return None
    others = candidates[1:]
    street, addition = _split_addition(rest, rules)
    if number_first:
        return StreetReading(street, match[0].strip(), addition)
    if others:
        # "12 Hauptstr. 5": the one at the end is where the country has it, yet who knows.
        return None if others[-1].end() < len(line) else _unsure(line, others[-1], rules)
    if names_street(street, rules):
        return StreetReading(street, match[0].strip(), addition, code="house_number_first")
    number = match[0].strip()
    return StreetReading(street, number, addition, certain=False, code="house_number_uncertain")


def _split_addition(rest: str, rules: AddressRules) -> tuple[str, str]:
    """ "Rosenweg 3. OG" or "rue X, Bât. A" behind a leading number -> street and addition."""
    for match in _ADDITION_START.finditer(rest):
        tail = rest[match.end() :].strip()
        if match[0].strip() or _is_floor(tail, rules):
            street = _trim(rest[: match.start()])
            return (street, tail) if street else (rest, "")
    return rest, ""


def _unsure(line: str, match: re.Match[str], rules: AddressRules) -> StreetReading:
    """street = "" where nothing but the number is given, as in villages without street names."""
    street = _trim(line[: match.start()])
    if not any(char.isalpha() for char in street) or rules.number_label.fullmatch(street):
        street = ""
    return StreetReading(street, match[0].strip(), certain=False, code="house_number_uncertain")


def _read_middle(
    line: str, candidates: list[re.Match[str]], rules: AddressRules
) -> StreetReading | None:
    """ "Résidence Les Pins, 12 rue X" where the number stands before the street."""
    for match in candidates:
        before = line[: match.start()].rstrip()
        rest = line[match.end() :].lstrip(" ,")
        if before[-1:] in (",", ";") and names_street(rest, rules):
            street, tail = _split_addition(rest, rules)
            addition = ", ".join(part for part in (_trim(before), tail) if part)
            return StreetReading(street, match[0].strip(), addition)
    return None


def _read_trailing(
    line: str, match: re.Match[str], earlier: list[re.Match[str]], rules: AddressRules
) -> StreetReading | None:
    """The reading with this number as the house number, or None where the rest speaks against
    it."""
    street = _street_part(line[: match.start()], rules)
    if not any(char.isalpha() for char in street) or rules.number_label.fullmatch(street):
        return None
    rest = line[match.end() :]
    addition = _addition(rest, rules)
    if addition is None:
        return None
    certain = True
    if earlier and not line[earlier[-1].end() : match.start()].strip(" ,.;-/"):
        # Two numbers side by side. "Straße 16 3" is number 3 of a numbered street.
        name = line[: earlier[-1].start()].strip().casefold()
        certain = name in rules.numbered_streets
    if rest.strip() and addition[:1].isdigit() and len(match["digits"]) < 5:
        certain = _is_floor(addition, rules)
    if len(match["digits"]) == 5:
        certain = False
    code = "" if certain else "house_number_uncertain"
    head, comma, tail = street.rpartition(",")
    if comma and names_street(tail, rules) and not names_street(head, rules):
        # "Hinterhaus, Hauptstr. 12": what stands before the comma is no street.
        street = tail.strip()
        addition = ", ".join(part for part in (_trim(head), addition) if part)
    return StreetReading(street, match[0].strip(), addition, certain=certain, code=code)


def _is_name_of_street(line: str, pair: list[re.Match[str]], rules: AddressRules) -> bool:
    """Whether the first of two numbers is the street's name: "Straße 16 3", "Straße 16 Nr. 3"."""
    if len(pair) < 2:
        return False
    between = line[pair[0].end() : pair[1].start()].strip()
    if between and rules.number_label.fullmatch(between) is None:
        return False
    return _trim(line[: pair[0].start()]).casefold() in rules.numbered_streets


def _street_part(before: str, rules: AddressRules) -> str:
    street = _trim(before)
    label = rules.number_label.search(street)
    return _trim(street[: label.start()]) if label is not None and label.start() > 0 else street


def _addition(rest: str, rules: AddressRules) -> str | None:
    """What follows the number: text behind a separator or an addition word; None for other text."""
    stripped = rest.strip()
    if stripped in ("", ".", ","):
        return ""
    separator = _SEPARATOR.match(rest)
    if separator is not None:
        kept = rest.strip() if "(" in separator[0] else rest[separator.end() :].strip()
        return kept
    word = _FIRST_WORD.match(stripped)
    if word is not None and word[0].casefold() in rules.additions:
        return stripped
    return stripped if _is_floor(stripped, rules) else None


def _is_floor(text: str, rules: AddressRules) -> bool:
    """ "3. OG links", "2 Stock", "I. Etage"; "II" alone is a floor as well."""
    match = re.match(r"(?:\d{1,3}|[IVX]{1,4})\.?\s?([^\W\d_]+\.?)", text)
    if re.fullmatch(r"[IVX]{2,4}", text):
        return True
    return match is not None and match[1].casefold() in (rules.floors | rules.additions)


def _trim(text: str) -> str:
    return text.strip().rstrip(",;").rstrip()
