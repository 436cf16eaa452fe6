"""Addresses: what was typed, read into parts. See normalize.py."""

from kette.domain.address.model import (
    AddressKind,
    AddressRules,
    CountryRules,
    NormalizedAddress,
)
from kette.domain.address.normalize import normalize_address

__all__ = [
    "AddressKind",
    "AddressRules",
    "CountryRules",
    "NormalizedAddress",
    "normalize_address",
]
