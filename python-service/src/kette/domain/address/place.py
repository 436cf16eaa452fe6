"""Postal code and city: what stands in the wrong field, and whether the two fit each other.

Checked against a directory of postal codes. It knows no new and no company postal codes, so it
proposes; it changes only what it confirms. A place that it does not know is never held against
the customer.
"""

from __future__ import annotations

import re

from kette.domain.address.country import without_country
from kette.domain.address.model import CountryRules
from kette.domain.address.parts import Parts
from kette.domain.address.place_in_line import take_place_from_lines
from kette.domain.address.postcode import PostcodeReading, read_postcode
from kette.domain.address.region import read_region, region_has
from kette.domain.address.text import fold

_MAX = 120
_CODE_FIRST = re.compile(
    r"((?:[A-Z]{1,3}\s?-\s?)?\d{3}[\s-]\d{2}|(?:[A-Z]{1,3}\s?-\s?)?\d{2}-\d{3}|(?:[A-Z]{1,3}\s?-\s?)?\d{4}-\d{3}"
    r"|(?:[A-Z]{1,3}\s?-\s?)?\d{4}\s?[A-Z]{2}(?=[\s,])|(?:[A-Z]{1,3}\s?-\s?)?\d{3,6})[\s,]+([^\W\d].*)",
    re.IGNORECASE,
)
_CODE_LAST = re.compile(
    r"([^\d]{2,60}?)[\s,]+((?:[A-Z]{2}\s)?\d{5}(?:-\d{4})?|[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2}|\d{4,5})",
    re.IGNORECASE,
)
_DISTRICT = re.compile(
    r"\s*[,/(]\s*|\s+-\s+|\s+(?:OT|Ortsteil|Stadtteil|GT)\.?\s+|(?<=\w)-(?=\w)|\s+", re.IGNORECASE
)


def read_place(parts: Parts) -> None:
    """Sets postal code, city and region."""
    country = parts.country
    take_place_from_lines(parts)
    _swap(parts)
    _take_country_off(parts)
    _take_code_off_city(parts)
    _take_city_off_code(parts)
    read_region(parts)
    _own_code(parts)
    reading = read_postcode(parts.postal_code, country)
    reading = _restore_zero(parts, reading)
    _apply(parts, reading)
    if not parts.city and country.needs_city:
        message = "the city is missing"
        parts.refuse("city_missing", "city", message, after=_only_name(parts))
    elif parts.city and reading.valid and parts.postal_code:
        _check_fit(parts)


def _swap(parts: Parts) -> None:
    """City and postal code in each other's field."""
    code, city = parts.postal_code, parts.city
    if not code or not city or len(code) > _MAX or any(char.isdigit() for char in code):
        return
    if parts.country.pattern is None or not any(char.isdigit() for char in city):
        return
    if read_postcode(city, parts.country).valid:
        parts.postal_code, parts.city = city, code
        message = "postal code and city stood in each other's field"
        parts.note("postal_code_city_swapped", "postal_code", message, code, city)


def _take_country_off(parts: Parts) -> None:
    if parts.city and len(parts.city) < _MAX and parts.country_code in parts.rules.countries:
        city, name = without_country(parts.city, parts)
        if name:
            message = "the country stood in the city"
            parts.note("country_in_city", "city", message, parts.city, city)
            parts.city = city


def _take_code_off_city(parts: Parts) -> None:
    """ "D-10115 Berlin", "10115 Berlin", "Austin TX 78701" in the city."""
    city = parts.city
    if not city or len(city) > _MAX or not any(char.isdigit() for char in city):
        return
    if parts.country.pattern is None:
        return
    first = _CODE_FIRST.fullmatch(city)
    last = _CODE_LAST.fullmatch(city) if first is None else None
    if first is not None:
        code, rest = first[1], first[2]
    elif last is not None:
        code, rest = last[2], last[1].strip()
    else:
        return
    inner = read_postcode(code, parts.country)
    if not inner.valid:
        return
    if not parts.postal_code:
        message = "the postal code stood in the city"
        parts.note("postal_code_from_city", "city", message, city, rest)
        parts.postal_code, parts.city = code, rest
    elif read_postcode(parts.postal_code, parts.country).value == inner.value:
        message = "the postal code stood in the city as well"
        parts.note("postal_code_from_city", "city", message, city, rest)
        parts.city = rest
    else:
        message = "the city holds another postal code than the field for it"
        parts.warn("postal_code_conflict", "city", message, city, parts.postal_code)


def _take_city_off_code(parts: Parts) -> None:
    """ "10115 Berlin" in the field of the postal code."""
    text = parts.postal_code
    if not text or len(text) > _MAX or parts.country.pattern is None or len(text) < 6:
        return
    if read_postcode(text, parts.country).valid:
        return
    match = _CODE_FIRST.fullmatch(text)
    if match is None or not read_postcode(match[1], parts.country).valid:
        return
    code, city = match[1], match[2]
    if parts.city and fold(parts.city) != fold(city):
        return
    message = "the city stood in the postal code"
    parts.note("city_from_postal_code", "postal_code", message, text, code)
    parts.postal_code, parts.city = code, parts.city or city


def _restore_zero(parts: Parts, reading: PostcodeReading) -> PostcodeReading:
    """A spreadsheet took the first zero: put it back where the directory confirms the city."""
    if reading.valid or not reading.proposal or not parts.city or len(parts.city) > _MAX:
        return reading
    names = parts.rules.places.names(parts.country_code, reading.proposal)
    if fold(parts.city) not in names and not region_has(parts, parts.region, reading.proposal):
        return reading
    message = "the postal code lacked a digit; city or state confirm it"
    typed = parts.postal_code
    parts.note("postal_code_mended", "postal_code", message, typed, reading.proposal)
    return PostcodeReading(reading.proposal)


def _own_code(parts: Parts) -> None:
    """8238 Büsingen is 78266 Büsingen: the post of the neighbour delivers to an exclave too, with a
    code of its own that no carrier takes for this country. The city must be the exclave."""
    own = parts.country.twin_codes.get(parts.postal_code)
    if own is None or not parts.city or len(parts.city) > _MAX:
        return
    code, place = own
    city = fold(parts.city)
    if not city.startswith(place):
        return
    message = "the code of the neighbour's post for an exclave, as that of its own country"
    parts.note("postal_code_mended", "postal_code", message, parts.postal_code, code)
    parts.postal_code = code


def _apply(parts: Parts, reading: PostcodeReading) -> None:
    country, typed = parts.country, parts.postal_code
    parts.postal_code = reading.value
    if reading.code == "postal_code_respelled":
        message = "postal code in the spelling of the country"
        parts.note(reading.code, "postal_code", message, typed, reading.value)
    elif reading.code == "postal_code_missing":
        message = "the postal code is missing"
        parts.refuse(reading.code, "postal_code", message)
    elif not reading.valid:
        example = f", such as {country.example}" if country.example else ""
        message = f"this is no postal code of {country.code}{example}"
        parts.refuse(reading.code, "postal_code", message, typed, reading.proposal)


def _only_name(parts: Parts) -> str:
    """The city, where the postal code has only one."""
    names = parts.rules.places.names(parts.country_code, parts.postal_code)
    return next(iter(names)).title() if len(names) == 1 else ""


def _check_fit(parts: Parts) -> None:
    """Whether the city has this postal code, as far as the directory knows."""
    if len(parts.city) > _MAX:
        return
    places, code = parts.rules.places, parts.country_code
    names = places.names(code, parts.postal_code)
    city = fold(parts.city)
    if not city or city in names:
        return
    if names and _take_district_off(parts, names):
        return
    if any(_shares_word(city, name) for name in names):
        return
    areas = places.areas(code, city)
    if not areas or parts.postal_code[:2] in areas:
        return
    # Codes that the directory lacks are those of large recipients and of boxes, which have ranges
    # of their own (11011 is the Bundestag in Berlin): only the first digit tells something.
    if not names and any(area[0] == parts.postal_code[0] for area in areas):
        return
    message = f"{parts.city} has other postal codes than {parts.postal_code}"
    proposal = _only_name(parts)
    parts.warn("postal_code_city_mismatch", "postal_code", message, parts.city, proposal)


def _shares_word(one: str, other: str) -> bool:
    words = {word for word in one.split() if len(word) > 3}
    return (
        any(word in words for word in other.split())
        or one.startswith(other)
        or other.startswith(one)
    )


def _take_district_off(parts: Parts, names: frozenset[str]) -> bool:
    """ "Berlin-Kreuzberg", "Wien (Floridsdorf)": the directory has the town under this postal code,
    so the district goes into the addition, where it helps and does no harm."""
    for match in _DISTRICT.finditer(parts.city):
        head, tail = parts.city[: match.start()], parts.city[match.end() :].strip(" )(,/")
        if not tail or fold(head) not in names:
            continue
        if any(char.isdigit() for char in tail) and match[0].isspace():
            return True  # "Wien 10", "Paris Cedex 08": the town's own spelling
        if not match[0].strip() and len(tail) < 4:
            return True
        if not _is_district(match[0], tail, parts.country):
            return True
        message = "the part of the town stands in the addition"
        parts.note("district_from_city", "city", message, parts.city, head)
        parts.city = head
        parts.add(tail)
        return True
    return False


def _is_district(separator: str, tail: str, country: CountryRules) -> bool:
    """Whether what follows the town's name is a part of it and no longer name of the town."""
    if country.code not in ("DE", "AT"):
        return separator.strip() in (",", "/", "(")
    if separator.strip():
        return True
    first = tail.split()[0].casefold().rstrip(".")
    return first not in (
        "am",
        "an",
        "im",
        "in",
        "bei",
        "ob",
        "a",
        "i",
        "b",
        "vor",
        "der",
        "cedex",
        "sachsen",
    )
