"""Street line -> street, house number, addition.

Every number of the line is weighed by the words around it: part of the street's name ("Straße des
17. Juni"), number of a floor or flat ("Top 4"), or house number. The reading says how sure it is:
an unsure one is a proposal, and the caller leaves the line as it was typed.
"""

from __future__ import annotations

import re

from kette.domain.address.line import Line, StreetReading
from kette.domain.address.model import CountryRules
from kette.domain.address.number_before import read_before, split_addition
from kette.domain.address.number_behind import read_behind
from kette.domain.address.numbers import MAX_LINE, find_numbers
from kette.domain.address.weight import weigh
from kette.domain.address.words import names_street

# Squares of Mannheim: "Q7, 24", "Q 7, 24", "C4 9b", "L 14, 16-17".
_SQUARE = re.compile(
    r"([A-U]\s?1?\d)(?:\s*,\s*|\s+(?:[-–]\s+)?)(?:nr\.?\s?)?"
    r"(\d{1,3}(?:\s?[a-z])?(?:\s?[-–/]\s?\d{1,3}[a-z]?)?)(?![\w.])[\s,/-]*(.*)",
    re.IGNORECASE,
)

_QUOTED = re.compile(r"[\"„“»]\s*([^\"„“”«»]+?)\s*[\"“”«]")
# "4192Longbranch Rd", "12rue de la Paix": the blank behind the number is missing.
_GLUED = re.compile(
    r"^(\d{1,5})(?=[A-ZÀ-Þ]?[a-zà-ÿ]{2,}\s)(?!(?:st|nd|rd|th|er|ère|ème|bis|ter|quater)\b)"
)
# House numbers of a grid in Wisconsin and of Puerto Rico (USPS Publication 28, appendix D and 29):
# "N6W23001", "W164N5026", "A17".
_GRID = re.compile(r"((?i:(?:[NSEW]\d{1,5}){2}[A-Z]?)|[A-HJ-Z]\d{1,4}[A-Z]?)\s+([^\W\d].*)")


def read_street(text: str, country: CountryRules) -> StreetReading:
    """Read one line; never raises. The parts hold every letter and digit of the line, a label such
    as "Nr." excepted."""
    if not text or len(text) > MAX_LINE:
        return StreetReading(text, "")
    quoted = _QUOTED.fullmatch(text)
    if quoted is not None:
        return read_street(quoted[1], country)
    if country.code in ("DE", ""):
        square = _SQUARE.fullmatch(text)
        if square is not None:
            return StreetReading(square[1], square[2], square[3])
    words = country.words
    if country.number_first:
        text = _GLUED.sub(r"\1 ", text, count=1)
    if country.code == "US":
        grid = _GRID.fullmatch(text)
        if grid is not None and names_street(grid[2], words):
            street, addition = split_addition(grid[2], country)
            return StreetReading(street, grid[1], addition)
    numbers = find_numbers(text, words.additions, words.floors)
    if not numbers:
        return StreetReading(text, "")
    weights = tuple(weigh(text, numbers, position, country) for position in range(len(numbers)))
    line = Line(text, numbers, weights, country)
    reading = read_before(line) or read_behind(line)
    return reading if reading is not None else StreetReading(text, "")
