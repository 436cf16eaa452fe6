"""What an address is read into, and the knowledge that the reading needs.

The knowledge is data (kette.policies.address_rules), loaded by the shell and handed in as
`AddressRules`: formats and postal codes of countries, words of languages, a directory of places.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Protocol

import msgspec

from kette.domain.findings import Finding


class AddressKind(StrEnum):
    STREET = "street"  # a door
    PACKSTATION = "packstation"  # DHL's parcel locker, Germany
    POSTFILIALE = "postfiliale"  # DHL's post office or parcel shop, Germany
    PO_BOX = "po_box"  # takes letters; hardly any carrier brings parcels there


class StreetWords(msgspec.Struct, frozen=True):
    """The words that tell the parts of a street line apart, for the languages of one country.
    Keys as `words.key` makes them."""

    ends: tuple[str, ...]  # ends of longer words: "Rosenweg"
    streets: frozenset[str]  # words of streets: "rue", "ulica"
    starts: frozenset[str]  # first words of streets: "Am Markt"
    types_last: frozenset[str]  # English streets end so: their number stands before them
    estates: frozenset[str]  # words of streets that may name an estate
    named: frozenset[str]  # "Schloss", "Kloster": houses that have a name and no number
    named_ends: tuple[str, ...]  # ends of longer words: "Jagdschloss"
    buildings: frozenset[str]  # "Cottages": the number before it is not one of the street
    numbered: frozenset[str]  # names that take a number: "Straße 16"
    articles: frozenset[str]
    months: frozenset[str]
    units: frozenset[str]  # "Whg", "apt": a number follows
    care_of: frozenset[str]  # "c/o", "bei": a name follows
    addressees: frozenset[str]  # "c/o", "Firma" at the begin of a line
    floors: frozenset[str]  # "OG", "étage": a number precedes
    additions: frozenset[str]  # units, care_of and floors together
    label: re.Pattern[str]  # "Nr." at the end of a text
    no_number: re.Pattern[str]  # "s/n" at the end of a text
    po_box: re.Pattern[str]  # a PO box at the begin of a text
    legal_form: re.Pattern[str]  # "GmbH" in a text
    parcel_point: re.Pattern[str]  # points of other carriers


class CountryRules(msgspec.Struct, frozen=True):
    """How addresses are written in a country."""

    code: str
    words: StreetWords
    postal_code: str = "optional"  # required | optional | none
    pattern: re.Pattern[str] | None = None
    example: str = ""
    needs_city: bool = True
    house_number: str = "optional"  # required | usual | optional
    number_first: bool = False
    door_follows: bool = False  # a second number behind the house number is that of the door
    label: tuple[tuple[str, ...], ...] = (("N",), ("O",), ("A",), ("C",))
    regions: dict[str, str] = {}  # folded name or code -> code
    region_codes: tuple[tuple[str, re.Pattern[str]], ...] = ()  # region -> its postal codes
    # code of the neighbour's post -> (the country's own, folded begin of the exclave's name)
    twin_codes: dict[str, tuple[str, str]] = {}


class Territory(msgspec.Struct, frozen=True):
    """A part of a country with a law of its own, known by its postal codes."""

    name: str
    pattern: re.Pattern[str]
    vat_area: bool  # inside the VAT area of the state it belongs to
    customs_area: bool
    iso_code: str = ""  # a country code of its own that carriers expect


class Places(Protocol):
    """Which places have which postal codes. Names are folded (see text.fold)."""

    def names(self, country_code: str, postal_code: str) -> frozenset[str]: ...

    def areas(self, country_code: str, name: str) -> frozenset[str]:
        """The first two characters of the postal codes of all places of this name."""
        ...


class AddressRules(msgspec.Struct, frozen=True, eq=False):
    """Everything the reading of addresses knows about the world."""

    countries: dict[str, CountryRules]
    unknown: CountryRules  # for a country that is missing or none
    country_names: dict[str, str]  # casefolded name -> ISO code
    territories: dict[str, tuple[Territory, ...]]
    places: Places
    mail_domains: dict[str, str]  # domain with a slip of the finger -> the likely one


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
