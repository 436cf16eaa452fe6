"""Packstation, Postfiliale and PO box: places that are no doors.

DHL's lockers and shops (Germany) need two numbers: that of the place (three digits) and the
customer's Postnummer (six to ten digits). Customers type them into any field; both are looked for
in all of them.
"""

from __future__ import annotations

import re

import msgspec

from kette.domain.address.model import AddressKind
from kette.domain.address.parts import Parts
from kette.domain.address.street import read_street

_MAX_FIELD = 160
_LABEL = r"(?:nummer|num|nr|no)?\s?[.:#]{0,3}\s*"
_LOCKER = re.compile(
    rf"\b(?:dhl[\s-]*)?(?:pa(?:c|k|ck)(?:et)?[\s-]?stati?on(?![^\W\d])\.?|packst\.?(?![^\W\d.]))\s*{_LABEL}(\d{{1,5}}(?!\d))?",
    re.I,
)
_SHOP = re.compile(
    rf"\b(?:dhl[\s-]*)?(?:post[\s-]?filiale(?:\s+direkt)?|paket[\s-]?shop)(?![^\W\d])\.?\s*{_LABEL}(\d{{1,5}}(?!\d))?",
    re.I,
)
_POST_NUMBER = re.compile(
    r"\b(?:dhl[\s-]*)?(?:(?:post|kunden)[\s-]?(?:nummer|num|nr|no)|pn)(?![^\W\d])\s?[.:#]{0,3}\s*(\d(?:\s?\d){5,9})(?!\d)"
    r"|\bdhl(?![^\W\d])\s*[.:#]?\s*(\d{6,10})(?!\d)",
    re.I,
)
_BARE_NUMBER = re.compile(r"(?<![\d+/-])(\d{6,10})(?![\d/-])")
_SPACED_NUMBER = re.compile(r"\d(?:[\s-]?\d){5,9}")
_NUMBER_BEHIND = re.compile(rf"[\s.]*{_LABEL}\d*\Z", re.I)
_OTHER_SHOP = re.compile(r"\b(?:hermes|gls|dpd|ups|inpost)[\s-]*\Z", re.I)
_REST = re.compile(r"^[\s,;:/|.-]+|[\s,;:/|-]+$")


class ParcelPoint(msgspec.Struct, frozen=True):
    """A locker or shop found in the fields; fields are what is left of each, in the same order."""

    kind: AddressKind
    word: str  # "Packstation", "Postfiliale": how DHL writes it on a label
    locker_number: str
    post_number: str
    fields: tuple[str, ...]
    typed: str  # the word as typed, "DHL-Packstation"


def find_parcel_point(fields: tuple[str, ...]) -> ParcelPoint | None:
    """Look for a locker or shop in the fields (most telling first: line1, line2, company, name)."""
    for kind, word, pattern in (
        (AddressKind.PACKSTATION, "Packstation", _LOCKER),
        (AddressKind.POSTFILIALE, "Postfiliale", _SHOP),
    ):
        for position, field in enumerate(fields):
            if len(field) > _MAX_FIELD:
                continue
            match = pattern.search(field)
            if match is None or _OTHER_SHOP.search(field[: match.start()]):
                continue
            rest = list(fields)
            rest[position] = _cut(field, match)
            number = match[1] or ""
            if not number:
                number = _take_place_number(rest)
            post_number = _take_post_number(rest)
            typed = _NUMBER_BEHIND.sub("", match[0]).strip(" .:#")
            return ParcelPoint(kind, word, number, post_number, tuple(rest), typed)
    return None


def read_parcel_point(parts: Parts) -> bool:
    """Whether the address is a locker or shop of DHL; then the parts are set."""
    fields = (parts.street, parts.addition, parts.company, parts.name)
    text = " ".join(field for field in fields if len(field) <= _MAX_FIELD).casefold()
    if not any(word in text for word in ("station", "packst", "filiale", "shop", "staton")):
        return False
    point = find_parcel_point(fields)
    if point is None:
        return False
    if parts.country_code != "DE" and parts.country_code and not point.locker_number:
        return False  # "Filiale" and "Shop" are words of other countries' addresses too
    _apply(parts, point)
    return True


def _apply(parts: Parts, point: ParcelPoint) -> None:
    line1, line2, company, name = point.fields
    rest = ", ".join(part for part in (line1, line2) if part)
    door = read_street(line1, parts.country)
    parts.kind = point.kind
    parts.street, parts.house_number = point.word, point.locker_number
    parts.locker_number, parts.post_number = point.locker_number, point.post_number
    parts.addition, parts.company, parts.name = rest, company, name
    place = f"{point.word} {point.locker_number}".strip()
    if re.sub(r"dhl|[\s-]", "", point.typed.casefold()) != point.word.casefold():
        message = f"{point.word} is how DHL writes it"
        parts.note("parcel_point_respelled", "line1", message, point.typed, point.word)
    if parts.country_code not in ("DE", ""):
        message = f"a {point.word} exists in Germany only"
        parts.refuse("parcel_point_abroad", "line1", message, before=place)
    if len(point.locker_number) != 3:
        message = f"the number of the {point.word} is missing or has not three digits"
        parts.refuse("locker_number_missing", "line1", message, before=place)
    if not point.post_number:
        message = f"the Postnummer of the customer is missing; DHL needs it at a {point.word}"
        # A shop hands a parcel out against an identity card where DHL has a mail address.
        if point.kind is AddressKind.POSTFILIALE and parts.email:
            parts.warn("post_number_missing", "line2", message)
        else:
            parts.refuse("post_number_missing", "line2", message)
    if door.number and door.street:
        message = f"a street stands beside the {point.word}; the parcel would go to the latter"
        parts.warn("street_beside_parcel_point", "line1", message, before=rest, after=place)


def check_other_points(parts: Parts) -> None:
    """Lockers and shops of other carriers: only their own carrier delivers there."""
    point, field = _other_point(parts)
    if point:
        message = f"{point}: a parcel point that only its own carrier serves"
        parts.hint("parcel_point_other", "line1", message, before=field)


def is_other_point(parts: Parts) -> bool:
    return bool(_other_point(parts)[0])


def _other_point(parts: Parts) -> tuple[str, str]:
    """Its word, and the field that holds it; "" where there is none."""
    # "My Post 24": the number of the kind has been taken for a house number.
    street = f"{parts.street} {parts.house_number}".strip()
    for field in (street, parts.addition, parts.company):
        if len(field) > _MAX_FIELD:
            continue
        match = parts.country.words.parcel_point.search(field)
        if match is not None:
            return match[0], field
    return "", ""


def _take_place_number(fields: list[str]) -> str:
    """A field that is nothing but three digits, typed apart from the word."""
    for position, field in enumerate(fields):
        if re.fullmatch(r"\d{3}", field):
            fields[position] = ""
            return field
    return ""


def _take_post_number(fields: list[str]) -> str:
    """The Postnummer, digits only: labelled first, then alone in a field, then beside other
    text."""
    for position, field in enumerate(fields):
        match = _POST_NUMBER.search(field) if len(field) <= _MAX_FIELD else None
        if match is not None:
            fields[position] = _cut(field, match)
            return re.sub(r"\D", "", match[1] or match[2])
    for position, field in enumerate(fields):
        if _SPACED_NUMBER.fullmatch(field):
            fields[position] = ""
            return re.sub(r"\D", "", field)
    for position, field in enumerate(fields):
        match = _BARE_NUMBER.search(field) if len(field) <= _MAX_FIELD else None
        if match is not None:
            fields[position] = _cut(field, match)
            return match[1]
    return ""


def _cut(field: str, match: re.Match[str]) -> str:
    parts = (_REST.sub("", field[: match.start()]), _REST.sub("", field[match.end() :]))
    return " ".join(part for part in parts if part)
