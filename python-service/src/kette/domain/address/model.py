"""What an address is read into, and the knowledge that the reading needs.

The knowledge is data (policies/countries.yaml, policies/address_words.yaml), loaded by the shell
and handed in as `AddressRules`.
"""

from __future__ import annotations

import re
from enum import StrEnum

import msgspec

from kette.domain.findings import Finding


class AddressKind(StrEnum):
    STREET = "street"  # a door
    PACKSTATION = "packstation"  # DHL's parcel locker, Germany
    POSTFILIALE = "postfiliale"  # DHL's post office or parcel shop, Germany
    PO_BOX = "po_box"  # takes letters; hardly any carrier brings parcels there


class CountryRules(msgspec.Struct, frozen=True):
    """One row of policies/countries.yaml."""

    code: str
    postal_code: str = "optional"  # required | optional | none
    pattern: re.Pattern[str] | None = None
    example: str = ""
    house_number: str = "optional"  # required | usual | optional
    number_first: bool = False
    label: tuple[tuple[str, ...], ...] = (("N",), ("O",), ("A",), ("C",))


class AddressRules(msgspec.Struct, frozen=True):
    """Everything the reading of addresses knows about the world."""

    countries: dict[str, CountryRules]
    country_names: dict[str, str]  # casefolded name -> ISO code
    street_ends: tuple[str, ...]
    street_words: frozenset[str]
    numbered_streets: frozenset[str]
    additions: frozenset[str]
    floors: frozenset[str]
    number_label: re.Pattern[str]  # "Nr." at the end of a street
    no_number: re.Pattern[str]  # "s/n" at the end of a line
    po_box: re.Pattern[str]  # a line that begins with a PO box


class NormalizedAddress(msgspec.Struct, frozen=True):
    """An address read into parts. Nothing that was typed is lost: what fits no part is in
    `addition`.

    deliverable: no finding blocks a parcel. lines: the label in the country's own order.
    """

    name: str
    company: str
    street: str
    house_number: str
    addition: str
    postal_code: str
    city: str
    region: str
    country_code: str
    kind: AddressKind
    locker_number: str
    post_number: str
    phone: str
    email: str
    deliverable: bool
    findings: tuple[Finding, ...]
    lines: tuple[str, ...]
