"""Postal code and city that stand in a street line: "Hauptstr. 5, 10115 Berlin".

Where the fields for them are empty they are taken from the line; where the fields hold the same,
the line is rid of them. A line that says something else than the fields stays as typed.
"""

from __future__ import annotations

import re

from kette.domain.address.country import without_country
from kette.domain.address.numbers import MAX_LINE
from kette.domain.address.parts import Parts
from kette.domain.address.postcode import read_postcode
from kette.domain.address.region import region_has
from kette.domain.address.text import fold

_CODE = r"(?:[A-Z]{1,3}\s?-\s?)?\d[\dA-Z-]{2,8}(?:\s\d{2}|\s[A-Z]{2})?"
_CODE_CITY = re.compile(
    rf"(?:(.*?)(\s*[,;|]\s*|\s+))??({_CODE})\s*[,\s]\s*([^\W\d][^\d,;]{{1,59}})"
)
_CITY_CODE = re.compile(
    r"(?:(.+?)\s*,)?\s*([^\W\d][^\d,;]{1,59}?)[,\s]\s*(\d{5}(?:-\d{4})?|[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2})"
)
_STATE = re.compile(r"(.{2,60}?)[\s,]+([A-Z]{2})")


def take_place_from_lines(parts: Parts) -> None:
    """Fill postal code and city from a line where one or both are missing."""
    if (parts.postal_code and parts.city) or parts.country.pattern is None:
        return
    for field in ("addition", "street"):
        line: str = getattr(parts, field)
        if not line or len(line) > MAX_LINE or not any(char.isdigit() for char in line):
            continue
        found = _place_at_end(line, parts)
        if found is None:
            continue
        head, code, city, region = found
        message = "postal code and city stood in the street"
        parts.note(
            "place_from_line", "line1" if field == "street" else "line2", message, line, head
        )
        setattr(parts, field, head)
        parts.postal_code, parts.city = parts.postal_code or code, parts.city or city
        parts.region = parts.region or region
        return


def _place_at_end(line: str, parts: Parts) -> tuple[str, str, str, str] | None:
    """What stands before the place, postal code, city and region of a line that ends with them."""
    text, _ = without_country(line, parts)
    country = parts.country
    match = _CODE_CITY.fullmatch(text)
    if match is not None:
        head, separator, code, city, region = (
            match[1] or "",
            match[2] or ",",
            match[3],
            match[4],
            "",
        )
    else:
        match = _CITY_CODE.fullmatch(text)
        if match is None or not country.number_first:
            return None
        head, separator, city, code, region = match[1] or "", ",", match[2], match[3], ""
        state = _STATE.fullmatch(city)
        if state is not None and state[2] in country.regions.values():
            city, region = state[1].rstrip(" ,"), state[2]
        elif match[1] and city in country.regions.values():
            before, comma, town = head.rpartition(",")
            if not comma:
                return None
            head, city, region = before, town.strip(), city
    reading = read_postcode(code, country)
    city = city.strip()
    if not reading.valid or (parts.city and fold(parts.city) != fold(city)):
        return None
    if parts.postal_code and read_postcode(parts.postal_code, country).value != reading.value:
        return None
    # Without a comma "Am Hof 12345 Irgendwo" may be anything: the directory has to know it, or a
    # house number stands before a long code: "Storgatan 5 17464 Sundbyberg".
    names = parts.rules.places.names(parts.country_code, reading.value)
    is_behind_number = sum(map(str.isdigit, code)) > 4 and any(map(str.isdigit, head))
    is_open = not parts.postal_code and not parts.city
    if fold(city) in names or separator.strip() or (is_open and is_behind_number):
        return head.rstrip(" ,;-"), code, city, region
    return None


def take_place_off_line(parts: Parts) -> None:
    """ "Hauptstr. 5, 10115 Berlin": postal code and city stand in their own fields already."""
    line, city = parts.street, parts.city
    if not city or len(line) > MAX_LINE:
        return
    head = _without_repeated_end(line, parts)
    if head and head != line and any(char.isdigit() for char in head):
        message = "postal code and city stood in the street as well"
        parts.note("place_in_street", "line1", message, line, head)
        parts.street = head


def _without_repeated_end(line: str, parts: Parts) -> str:
    code, city = parts.postal_code, parts.city
    if code and code in line:
        head, _, tail = line.rpartition(code)
        before = head.rstrip(" ,;-")
        if before[-2:-1] in (" ", ","):
            before = re.sub(r"[\s,]+[A-Z]{1,2}\Z", "", before)
        if fold(tail) == fold(city) or (not tail.strip() and head.rstrip()[-1:] == ","):
            return before
        place, comma, rest = tail.partition(",")
        if comma and fold(place) == fold(city) and before:
            return f"{before}, {rest.strip()}"  # ", 09111 Chemnitz, Sachsen"
    if "," not in line:
        return line
    known = _spellings(parts)
    segments = line.split(",")
    state = segments[-1].strip()
    if (
        len(segments) > 2
        and not parts.region
        and fold(segments[-2]) == fold(city)
        and region_has(parts, state, code)
    ):
        segments.pop()  # ", Mound House, NV": the postal code is one of Nevada
        parts.region = state
    while len(segments) > 1 and fold(segments[-1]) in known:
        segments.pop()
    return ",".join(segments).rstrip(" ,;-")


def _spellings(parts: Parts) -> frozenset[str]:
    """How the place may be repeated behind a comma, folded."""
    code, city, region = parts.postal_code, parts.city, parts.region
    country = parts.country_code
    texts = [city, f"{code} {city}", f"{city} {code}", f"{city} {region}", f"{region} {code}"]
    texts += [f"{city} {region} {code}", f"{city} {country}", code]
    if country in ("US", "CA", "AU", "GB"):
        texts += [country, region, "USA"]
    return frozenset(folded for text in texts if len(folded := fold(text)) > 1)
