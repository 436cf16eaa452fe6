"""Addresses: what was typed, read into parts. Begin with normalize.py."""

from kette.domain.address.model import (
    AddressKind,
    AddressRules,
    CountryRules,
    NormalizedAddress,
    Places,
    StreetWords,
    Territory,
)
from kette.domain.address.normalize import normalize_address

__all__ = [
    "AddressKind",
    "AddressRules",
    "CountryRules",
    "NormalizedAddress",
    "Places",
    "StreetWords",
    "Territory",
    "normalize_address",
]
