"""Stripe's integers as money.

Stripe counts in the currency's smallest unit, by a list of its own: MGA has no decimals there but
two in ISO 4217, ISK and UGX the other way round. Converting by ISO alone would be wrong by 100.
"""

from __future__ import annotations

import re

from kette.adapters.vendors.fields import FieldError, line_of_text, whole_number
from kette.adapters.vendors.stripe.vocabulary import (
    THREE_DECIMAL,
    TWO_DECIMAL_BY_COMPATIBILITY,
    ZERO_DECIMAL,
)
from kette.domain.money import Money, exponent

_CURRENCY = re.compile(r"[A-Z]{3}\Z", re.ASCII)


def currency_of(value: object, field: str) -> str:
    """ISO code in capitals. Raises FieldError."""
    found = line_of_text(value).upper()
    if not _CURRENCY.match(found):
        raise FieldError(field, "missing or not a currency")
    return found


def decimals_at_stripe(currency: str) -> int:
    """How many decimal places Stripe's integers carry.

    >>> [decimals_at_stripe(c) for c in ("EUR", "JPY", "KWD", "ISK", "MGA")]
    [2, 0, 3, 2, 0]
    """
    if currency in TWO_DECIMAL_BY_COMPATIBILITY:
        return 2
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2


def money(value: object, currency: str, field: str) -> Money:
    """A non-negative amount. Raises FieldError, also for an amount that has no exact value.

    >>> money(500, "ISK", "amount"), money(500, "MGA", "amount")
    (Money(minor=5, currency='ISK'), Money(minor=50000, currency='MGA'))
    """
    return from_minor(whole_number(value, field), currency, field)


def from_minor(amount: int, currency: str, field: str) -> Money:
    """Like `money`, for an integer that may be negative (payouts that take money back)."""
    shift = exponent(currency) - decimals_at_stripe(currency)
    if shift >= 0:
        return Money(amount * 10**shift, currency)
    minor, rest = divmod(abs(amount), 10**-shift)
    if rest:
        raise FieldError(field, f"{amount} {currency} is not a whole number of minor units")
    return Money(-minor if amount < 0 else minor, currency)


def to_stripe(amount: Money) -> int:
    """The integer by which Stripe is told an amount.

    >>> [to_stripe(Money(500, c)) for c in ("EUR", "JPY", "ISK", "MGA")]
    [500, 500, 50000, 5]
    """
    shift = decimals_at_stripe(amount.currency) - exponent(amount.currency)
    return int(amount.minor * 10**shift if shift >= 0 else amount.minor // 10**-shift)
