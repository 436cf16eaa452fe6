"""Islands, exclaves and overseas parts: places whose tax or customs differ from their country's.

A parcel to Helgoland, Livigno or the Canaries needs a customs declaration or bears no VAT although
the country code says EU. Recognised by postal code, so an address without one is taken as mainland.
"""

from __future__ import annotations

import re

from kette.domain.address.parts import Parts

_OTHER = re.compile(r"[\s-]+")
_MILITARY_CITY = frozenset({"APO", "FPO", "DPO"})
_MILITARY_REGION = frozenset({"AA", "AE", "AP"})
_RURAL = re.compile(r"(?:R\.?\s?R\.?|H\.?C\.?R?|RTE?)\s#?\d{1,4},?\sBOX\s", re.I)
_MILITARY_LINE = re.compile(r"\b(?:PSC|CMR|UNIT)\s?\d{1,5},?\s(?:BOX|MAILBOX)\s?\d{1,6}\b", re.I)


def check_territory(parts: Parts) -> None:
    """Adds findings only; the address stays as it is."""
    code = _OTHER.sub("", parts.postal_code[:20]).upper()
    if not code:
        return
    for territory in parts.rules.territories.get(parts.country_code, ()):
        if not territory.pattern.fullmatch(code):
            continue
        outside = []
        if not territory.vat_area:
            outside.append("VAT area")
        if not territory.customs_area:
            outside.append("customs area")
        if outside:
            message = f"{territory.name} is outside the {' and the '.join(outside)}"
        else:
            message = f"{territory.name} has VAT rates of its own"
        where = parts.postal_code
        if territory.customs_area:
            parts.note("special_territory", "postal_code", message, where, territory.iso_code)
        else:
            message += ": the parcel needs a customs declaration"
            parts.hint("special_territory", "postal_code", message, where, territory.iso_code)
        return


def is_rural_route(parts: Parts) -> bool:
    """ "RR 2 Box 34": a mail box at a road in America, an address of its own kind."""
    return parts.country_code == "US" and _RURAL.match(parts.street[:40]) is not None


def is_military(parts: Parts) -> bool:
    """Whether this is an address of the US forces (APO, FPO, DPO); adds the finding."""
    if parts.country_code != "US":
        return False
    city, region = parts.city.upper(), parts.region.upper()
    line = next((text for text in (parts.street, parts.addition) if _military(text)), "")
    if city not in _MILITARY_CITY and region not in _MILITARY_REGION and not line:
        return False
    message = "a military address: only USPS delivers there, with a customs form"
    parts.hint("military_address", "city" if city in _MILITARY_CITY else "line1", message)
    return True


def _military(text: str) -> bool:
    return len(text) < 100 and _MILITARY_LINE.search(text) is not None
