"""Shopware's numbers: what PHP's binary floats left of an amount, as the amount that was meant.

Sums reach us as 57.94000000000001 or 8.881784197001252e-16. They are read from their literal and
cut to six places: far finer than any price, far coarser than the noise.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import Final

from kette.adapters.vendors.fields import FieldError
from kette.domain.money import Money, exponent

ZERO: Final = Decimal(0)
_LITERAL = re.compile(r"[+-]?\d{1,15}(?:\.\d{1,40})?(?:[eE][+-]?\d{1,3})?\Z", re.ASCII)
_FINEST: Final = Decimal("0.000001")
_MOST: Final = 10**15
_MOST_DIGITS: Final = 15


def number(value: object, field: str) -> Decimal:
    """An amount, quantity or rate in whatever form JSON gave it. Raises FieldError.

    >>> number("57.94000000000001", ""), number("8.881784197001252e-16", ""), number(19, "")
    (Decimal('57.940000'), Decimal('0.000000'), Decimal('19.000000'))
    """
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if -_MOST < value < _MOST else ""
    if isinstance(value, str):
        found = value.strip()
        if _LITERAL.match(found):
            read = Decimal(found)
            # Also for 0e99, whose exponent says nothing.
            if read.is_zero():
                return ZERO
            if read.adjusted() < _MOST_DIGITS:
                return read.quantize(_FINEST, ROUND_HALF_EVEN)
        raise FieldError(field, f"{found[:40]!r} is not an amount")
    raise FieldError(field, "missing or not an amount")


def to_money(amount: Decimal, currency: str) -> Money:
    """Round half away from zero to the minor unit, the way Shopware rounds."""
    scaled = amount.scaleb(exponent(currency)).quantize(Decimal(1), ROUND_HALF_UP)
    return Money(int(scaled), currency)
