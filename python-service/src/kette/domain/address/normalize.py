"""An address as typed -> its parts, with findings.

Three rules hold throughout. What is certain is done and noted as information. What is uncertain is
left as typed and proposed in a warning. Nothing that was typed is lost: it stands in some part.
A false refusal is worse than a false pass, and a silent wrong change is worse than both.
Described in docs/addresses.md; failure cases from carriers' plugins (label paid though the carrier
could not route it).
"""

from __future__ import annotations

from functools import lru_cache

from kette.domain.address.box import read_box
from kette.domain.address.contact import check_email, check_phone
from kette.domain.address.country import read_country
from kette.domain.address.door import read_door
from kette.domain.address.label import label_lines
from kette.domain.address.model import AddressKind, AddressRules, NormalizedAddress
from kette.domain.address.parcel_points import check_other_points, read_parcel_point
from kette.domain.address.parts import Parts
from kette.domain.address.place import read_place
from kette.domain.address.territory import check_territory, is_military, is_rural_route
from kette.domain.order import Address


def normalize_address(
    address: Address, rules: AddressRules, *, check_house_number: bool = True
) -> NormalizedAddress:
    """Read an address into its parts; any input gives a result. Asks nobody outside. The last few
    thousand are remembered: an order is looked at again with each of its events, a dozen times
    until it is delivered, and its address is the same."""
    return _remembered(address, rules, check_house_number)


def read_address(
    address: Address, rules: AddressRules, check_house_number: bool = True
) -> NormalizedAddress:
    """Like normalize_address, anew each time."""
    parts = Parts(address, rules)
    read_country(parts)
    read_place(parts)
    is_special = read_parcel_point(parts) or is_military(parts) or is_rural_route(parts)
    if not is_special and not read_box(parts):
        read_door(parts, check_house_number=check_house_number)
    if parts.kind is AddressKind.STREET:
        check_other_points(parts)
    check_territory(parts)
    check_phone(parts)
    check_email(parts)
    return _finish(parts)


_remembered = lru_cache(maxsize=4096)(read_address)


def _finish(parts: Parts) -> NormalizedAddress:
    return NormalizedAddress(
        name=parts.name,
        company=parts.company,
        street=parts.street,
        house_number=parts.house_number,
        addition=parts.addition,
        postal_code=parts.postal_code,
        city=parts.city,
        region=parts.region,
        country_code=parts.country_code,
        kind=parts.kind,
        locker_number=parts.locker_number,
        post_number=parts.post_number,
        phone=parts.phone,
        email=parts.email,
        deliverable=not any(finding.is_blocking for finding in parts.findings),
        findings=tuple(parts.findings),
        lines=label_lines(parts),
    )
