"""Where a supply is taxed and which rates are right there on a day.

Country alone is not enough: the key is (country, postcode, day). Rates and territories are data
(policies/tax_rates.yaml), handed in as `TaxTable`. Product classes are not known here, so the
answer is the set of rates that the place has. Sources: Directive 2006/112/EC Art. 6, § 3c UStG.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache

import msgspec


class RatePeriod(msgspec.Struct, frozen=True):
    """A rate of a country or region, a fraction; last_on None = still valid."""

    rate: Decimal
    first_on: date
    last_on: date | None


class Territory(msgspec.Struct, frozen=True):
    """A part of a country with a law of its own. rates = "" means outside the VAT area."""

    name: str
    country: str
    pattern: re.Pattern[str]  # of the postcode without blanks
    rates: str = ""  # key in TaxTable.rates


class TaxTable(msgspec.Struct, frozen=True, eq=False):
    """One per setup; its identity names it where answers are kept (`rates_on`)."""

    version: str
    members: frozenset[str]  # EU states; XI for Northern Ireland (goods)
    aliases: dict[str, str]  # MC -> FR: same law, other code
    rates: dict[str, tuple[RatePeriod, ...]]
    territories: dict[str, tuple[Territory, ...]]


class Area(StrEnum):
    MEMBER = "member"  # inside the EU's VAT area
    OUTSIDE = "outside"  # third country, or a territory outside the VAT area


class TaxPlace(msgspec.Struct, frozen=True):
    """country: whose VAT law applies. territory: its name where one decided, else ""."""

    country: str
    area: Area
    territory: str
    rates: frozenset[Decimal]


_NO_RATES: frozenset[Decimal] = frozenset()


def tax_place(country_code: str, postal_code: str, on: date, table: TaxTable) -> TaxPlace:
    """The place where something ends up, and the rates valid there on a day."""
    country = table.aliases.get(country_code, country_code)
    postcode = postal_code.upper().replace(" ", "").replace("-", "")[:12]
    for territory in table.territories.get(country, ()):
        if territory.pattern.fullmatch(postcode):
            if not territory.rates:
                return TaxPlace(country, Area.OUTSIDE, territory.name, _NO_RATES)
            rates = rates_on(territory.rates, on, table)
            return TaxPlace(territory.rates[:2], Area.MEMBER, territory.name, rates)
    area = Area.MEMBER if country in table.members else Area.OUTSIDE
    return TaxPlace(country, area, "", rates_on(country, on, table))


@lru_cache(maxsize=4096)
def rates_on(key: str, on: date, table: TaxTable) -> frozenset[Decimal]:
    """Every rate of a country or region that is valid on a day."""
    return frozenset(_valid(table.rates.get(key, ()), on))


def _valid(periods: Iterable[RatePeriod], on: date) -> Iterable[Decimal]:
    for period in periods:
        if period.first_on <= on and (period.last_on is None or on <= period.last_on):
            yield period.rate
