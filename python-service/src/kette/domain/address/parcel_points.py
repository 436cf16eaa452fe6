"""Packstation, Postfiliale and PO box: places that are no doors.

DHL's lockers and shops (Germany) need two numbers: that of the place (three digits) and the
customer's Postnummer (six to ten digits). Customers type them into any field; both are looked for
in all of them.
"""

from __future__ import annotations

import re

import msgspec

from kette.domain.address.model import AddressKind, AddressRules

_MAX_FIELD = 160
_LABEL = r"(?:nummer|num|nr|no)?\s*[.:#]?\s*"
_LOCKER = re.compile(
    rf"\b(?:dhl[\s-]*)?pack(?:et)?[\s-]?station(?![^\W\d])\.?\s*{_LABEL}(\d{{1,5}}(?!\d))?", re.I
)
_SHOP = re.compile(
    rf"\b(?:dhl[\s-]*)?(?:post[\s-]?filiale|paket[\s-]?shop)(?![^\W\d])\.?\s*{_LABEL}(\d{{1,5}}(?!\d))?",
    re.I,
)
_POST_NUMBER = re.compile(
    r"\b(?:dhl[\s-]*)?(?:post|kunden)[\s-]?(?:nummer|num|nr|no)(?![^\W\d])\s*[.:#]?\s*(\d(?:\s?\d){5,9})(?!\d)"
    r"|\bdhl(?![^\W\d])\s*[.:#]?\s*(\d{6,10})(?!\d)",
    re.I,
)
_BARE_NUMBER = re.compile(r"(?<![\d+/-])(\d{6,10})(?![\d/-])")
_SPACED_NUMBER = re.compile(r"\d(?:[\s-]?\d){5,9}")
_REST = re.compile(r"^[\s,;:/|.-]+|[\s,;:/|-]+$")


class ParcelPoint(msgspec.Struct, frozen=True):
    """A locker or shop found in the fields; fields are what is left of each, in the same order."""

    kind: AddressKind
    word: str  # "Packstation", "Postfiliale": how DHL writes it on a label
    locker_number: str
    post_number: str
    fields: tuple[str, ...]


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
            if match is None:
                continue
            rest = list(fields)
            rest[position] = _cut(field, match)
            number = match[1] or ""
            if not number:
                number = _take_place_number(rest)
            post_number = _take_post_number(rest)
            return ParcelPoint(kind, word, number, post_number, tuple(rest))
    return None


def is_po_box(line: str, rules: AddressRules) -> bool:
    return len(line) <= _MAX_FIELD and rules.po_box.match(line) is not None


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
