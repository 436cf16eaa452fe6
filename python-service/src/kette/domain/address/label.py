"""The lines of a label in the country's own order (formats: Google's address data)."""

from __future__ import annotations

from kette.domain.address.model import AddressKind, CountryRules
from kette.domain.address.parts import Parts


def joined(street: str, number: str, country: CountryRules) -> str:
    """Street and number as the country writes them.

    A French speaking place of a country that puts the number behind the street keeps that order.
    """
    return (f"{number} {street}" if country.number_first else f"{street} {number}").strip()


def label_lines(parts: Parts) -> tuple[str, ...]:
    """Empty lines are left out."""
    country = parts.country
    street = joined(parts.street, parts.house_number, country)
    if parts.kind is not AddressKind.STREET:
        street = f"{parts.street} {parts.house_number}".strip()
    filled = {
        "N": parts.name,
        "O": parts.company,
        "A": street,
        "C": parts.city,
        "Z": parts.postal_code,
        "S": parts.region,
        "D": "",  # parts of towns and sorting codes are not asked for
        "X": "",
    }
    lines: list[str] = []
    for template in country.label:
        if template == ("A",):
            # DHL wants the Postnummer on its own line above the Packstation.
            lines += [line for line in (parts.post_number, parts.addition) if line]
        line = "".join(filled.get(part, part) for part in template).strip(" ,-")
        if line:
            lines.append(line)
    return tuple(lines)
