"""Money as integer minor units plus ISO 4217 currency.

Amounts enter and leave as decimal strings ("119.00"); no float ever becomes money. Exponents follow
ISO 4217 (JPY 0, EUR 2, KWD 3). Mixing currencies raises. See docs/decisions/0002-money.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import msgspec

_ZERO_DECIMAL_CODES = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE_DECIMAL_CODES = "BHD IQD JOD KWD LYD OMR TND"
ZERO_DECIMAL = frozenset(_ZERO_DECIMAL_CODES.split())
THREE_DECIMAL = frozenset(_THREE_DECIMAL_CODES.split())

_AMOUNT = re.compile(r"(-?)(\d{1,15})(?:\.(\d{1,12}))?\Z", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}\Z", re.ASCII)


class MoneyError(ValueError):
    """An amount or currency that is not money: the message names the value and what is expected."""


def exponent(currency: str) -> int:
    """Number of decimal places of a currency (ISO 4217)."""
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2


class Money(msgspec.Struct, frozen=True, order=False):
    """An amount in minor units: Money(11900, "EUR") is 119.00 EUR."""

    minor: int
    currency: str

    @staticmethod
    def zero(currency: str) -> Money:
        return Money(0, currency)

    @staticmethod
    def parse(text: str, currency: str) -> Money:
        """Read a decimal string exactly.

        Digits past the currency's exponent must be zero: rounding is a decision of the caller,
        never of a parser (see `parse_rounded`). Raises MoneyError.
        """
        if not _CURRENCY.match(currency):
            raise MoneyError(f"currency {currency!r} is not an ISO 4217 code such as EUR")
        match = _AMOUNT.match(text.strip())
        if match is None:
            raise MoneyError(f"amount {text[:40]!r} is not a decimal string such as 119.00")
        sign, whole, fraction = match.group(1), match.group(2), match.group(3) or ""
        places = exponent(currency)
        if fraction[places:].strip("0"):
            raise MoneyError(f"amount {text[:40]!r} has more than {places} decimal places")
        minor = int(whole) * 10**places + int((fraction[:places]).ljust(places, "0") or "0")
        return Money(-minor if sign else minor, currency)

    @staticmethod
    def parse_rounded(text: str, currency: str) -> Money:
        """Read a decimal string and round half away from zero to the currency's exponent.

        For figures that a vendor computes with more digits than the currency has
        (WooCommerce line totals asked with dp=6). Raises MoneyError.
        """
        if not _CURRENCY.match(currency):
            raise MoneyError(f"currency {currency!r} is not an ISO 4217 code such as EUR")
        match = _AMOUNT.match(text.strip())
        if match is None:
            raise MoneyError(f"amount {text[:40]!r} is not a decimal string such as 119.00")
        sign, whole, fraction = match.group(1), match.group(2), match.group(3) or ""
        places = exponent(currency)
        minor = int(whole) * 10**places + int((fraction[:places]).ljust(places, "0") or "0")
        if len(fraction) > places and fraction[places] >= "5":
            minor += 1
        return Money(-minor if sign else minor, currency)

    def _same(self, other: Money) -> None:
        if self.currency != other.currency:
            raise MoneyError(f"cannot combine {self.currency} with {other.currency}")

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __lt__(self, other: Money) -> bool:
        self._same(other)
        return self.minor < other.minor

    def __le__(self, other: Money) -> bool:
        self._same(other)
        return self.minor <= other.minor

    def __gt__(self, other: Money) -> bool:
        return other < self

    def __ge__(self, other: Money) -> bool:
        return other <= self

    @property
    def amount(self) -> str:
        """Decimal string with the currency's places: "119.00"."""
        places = exponent(self.currency)
        sign = "-" if self.minor < 0 else ""
        digits = str(abs(self.minor)).rjust(places + 1, "0")
        return f"{sign}{digits[:-places]}.{digits[-places:]}" if places else f"{sign}{digits}"

    def public(self) -> dict[str, str]:
        """The shape that leaves the service: {"amount": "119.00", "currency": "EUR"}."""
        return {"amount": self.amount, "currency": self.currency}

    def allocate(self, weights: Sequence[int]) -> tuple[Money, ...]:
        """Split in proportion to weights; the parts always sum to the whole.

        Largest remainder, ties by position (docs/algorithms/allocation.md). Weights are
        non-negative integers with a positive sum; raises MoneyError otherwise.
        """
        total = sum(weights)
        if total <= 0 or any(w < 0 for w in weights):
            raise MoneyError("weights must be non-negative with a positive sum")
        sign = -1 if self.minor < 0 else 1
        whole = abs(self.minor)
        parts = [whole * w // total for w in weights]
        remainders = [whole * w % total for w in weights]
        order = sorted(range(len(weights)), key=lambda i: (-remainders[i], i))
        for i in order[: whole - sum(parts)]:
            parts[i] += 1
        return tuple(Money(sign * p, self.currency) for p in parts)


def total_of(amounts: Iterable[Money], currency: str) -> Money:
    """Sum of amounts of one currency; zero for none."""
    minor = 0
    for amount in amounts:
        if amount.currency != currency:
            raise MoneyError(f"cannot combine {currency} with {amount.currency}")
        minor += amount.minor
    return Money(minor, currency)
