"""State, province or canton: as its code, and out of the city where it stands behind the town.

America, Canada and Australia have it between town and postal code (USPS Publication 28, 2024).
Italy has the province behind the town (Poste Italiane, "Standard di composizione dell'indirizzo",
2023). Swiss people add the canton where several towns share a name; Swiss Post has it in some names
of places ("Buchs SG"), and those stay.
"""

from __future__ import annotations

import re

from kette.domain.address.parts import Parts
from kette.domain.address.text import fold

_MAX = 120
_WITH_STATES = frozenset({"US", "CA", "AU"})
_BEHIND_TOWN = frozenset({"CH", "IT"})
_STATE_LAST = re.compile(r"([^\d,]{2,60}?)(?:\s*,\s*|\s+)([A-Z]{2})\.?(?:\s+(\d{5}(?:-\d{4})?))?")
_STATE_NAME_LAST = re.compile(r"([^\d,]{2,60}?)\s*,\s*([^\d,]{4,40}?)(?:\s+(\d{5}(?:-\d{4})?))?")
_CODE_LAST = re.compile(r"([^\d]{2,60}?)(?:\s*[,(/]\s*|\s+-\s+|\s+)([A-Z]{2})\)?")


def read_region(parts: Parts) -> None:
    code, country = parts.country_code, parts.country
    if code and parts.region.upper().startswith(f"{code}-"):
        parts.region = parts.region[len(code) + 1 :]
    if code in _WITH_STATES and len(parts.city) < _MAX and not parts.region:
        _take_state_off_city(parts)
    elif code in _BEHIND_TOWN and len(parts.city) < _MAX:
        _take_code_off_town(parts)
    region = parts.region
    if region and code in _WITH_STATES and len(region) < _MAX:
        known = country.regions.get(fold(region), "")
        if known and known != region:
            parts.note("region_respelled", "region", "the region as its code", region, known)
            parts.region = known
    _check_region(parts)


def _take_state_off_city(parts: Parts) -> None:
    """ "Austin, TX 78701"."""
    match = _STATE_LAST.fullmatch(parts.city) or _STATE_NAME_LAST.fullmatch(parts.city)
    if match is None or fold(match[2]) not in parts.country.regions:
        return
    parts.note("region_from_city", "city", "the state stood in the city", parts.city, match[1])
    parts.city, parts.region = match[1], parts.country.regions[fold(match[2])]
    if match[3] and not parts.postal_code:
        parts.postal_code = match[3]


def _take_code_off_town(parts: Parts) -> None:
    """ "Milano (MI)", "Lugano TI"; only where the directory has the town without the code."""
    match = _CODE_LAST.fullmatch(parts.city)
    if match is None or match[2] not in parts.country.regions.values():
        return
    if parts.region and parts.region.upper() != match[2]:
        return
    places, postal_code = parts.rules.places, parts.postal_code
    names = places.names(parts.country_code, postal_code)
    town = fold(match[1])
    if fold(parts.city) in names:
        return
    is_known = town in names or postal_code[:2] in places.areas(parts.country_code, town)
    if not is_known and not region_has(parts, match[2], postal_code):
        return
    message = "the province or canton stood in the city"
    parts.note("region_from_city", "city", message, parts.city, match[1])
    parts.city, parts.region = match[1], match[2]


def region_has(parts: Parts, region: str, postal_code: str) -> bool:
    """Whether a postal code may be one of this region."""
    return any(
        code == region and pattern.match(postal_code)
        for code, pattern in parts.country.region_codes
    )


def _check_region(parts: Parts) -> None:
    # Provinces of Italy share postal codes, and new ones came: nothing is held against them.
    if not parts.region or not parts.postal_code or parts.country_code not in _WITH_STATES:
        return
    fitting = [
        region for region, pattern in parts.country.region_codes if pattern.match(parts.postal_code)
    ]
    typed = parts.region.upper()
    if len(fitting) == 1 and typed not in fitting and typed in parts.country.regions.values():
        message = f"the postal code belongs to {fitting[0]}"
        parts.hint("region_mismatch", "region", message, parts.region, fitting[0])
