"""Amounts in one currency of the two that Shopify tells: presentment (the customer's) and shop.

The order's currency is the one that the customer saw and paid, so that documents and refunds are in
it; every amount of an order is then read from `presentment_money`. Where a payload tells no total
in it, the shop's currency is taken throughout: never both in one order.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

import msgspec

from kette.adapters.vendors.fields import FieldError, decimal, line_of_text, mapping
from kette.domain.money import Money, exponent

Told = Mapping[str, Any]
ZERO: Final = Decimal(0)
PRESENTMENT: Final = "presentment_money"
SHOP: Final = "shop_money"
_CURRENCY: Final = re.compile(r"[A-Z]{3}\Z", re.ASCII)


class Amounts(msgspec.Struct, frozen=True):
    """Reads amounts of one order. `is_only`: shop and customer share one currency, so that plain
    fields ("total_price": "12.00") may be read where no `_set` is told."""

    currency: str
    leg: str
    is_only: bool

    def read(self, told: Told, name: str, field: str) -> Decimal:
        """The amount `name`, from its `_set` if there is one. Raises FieldError."""
        found = self.optional(told, name, field)
        if found is None:
            raise FieldError(field, "missing or not an amount")
        return found

    def optional(self, told: Told, name: str, field: str) -> Decimal | None:
        """None where neither the set nor the plain field is told."""
        pair = mapping(told.get(f"{name}_set"))
        leg = mapping(pair.get(self.leg))
        if leg.get("amount") is not None:
            amount = decimal(leg["amount"], field)
            currency = line_of_text(leg.get("currency_code") or leg.get("currency")).upper()
            if amount and currency and currency != self.currency:
                raise FieldError(field, f"told in {currency}, the order is in {self.currency}")
            return amount
        plain = told.get(name)
        if plain is None or plain == "":
            return None
        amount = decimal(plain, field)
        if amount and not self.is_only:
            raise FieldError(field, f"not told in {self.currency}, the currency of the order")
        return amount

    def or_zero(self, told: Told, name: str, field: str) -> Decimal:
        found = self.optional(told, name, field)
        return ZERO if found is None else found

    def money(self, amount: Decimal) -> Money:
        """Round half away from zero to the minor unit, as Shopify rounds each line."""
        scaled = amount.scaleb(exponent(self.currency)).quantize(Decimal(1), ROUND_HALF_UP)
        return Money(int(scaled), self.currency)

    def rounded(self, amount: Decimal) -> Decimal:
        """In the currency's minor unit, as `money` rounds."""
        return Decimal(self.money(amount).minor).scaleb(-exponent(self.currency))

    def exact(self, amount: Decimal, field: str) -> Money:
        """For totals, which must fit the minor unit. Raises FieldError."""
        found = self.money(amount)
        if self.rounded(amount) != amount:
            raise FieldError(field, f"{amount} has more places than {self.currency}")
        return found


def amounts_of(order: Told) -> Amounts:
    """Which currency an order is read in. Raises FieldError."""
    shop = _code(order.get("currency"))
    customer = _code(order.get("presentment_currency"))
    pair = mapping(order.get("total_price_set"))
    told = mapping(pair.get(PRESENTMENT))
    if not customer:
        customer = _code(told.get("currency_code")) or shop
    if not shop:
        shop = _code(mapping(pair.get(SHOP)).get("currency_code")) or customer
    if not shop:
        raise FieldError("currency", "missing or not an ISO 4217 code")
    if customer != shop and told.get("amount") is not None:
        return Amounts(customer, PRESENTMENT, is_only=False)
    if customer != shop:
        return Amounts(shop, SHOP, is_only=True)
    return Amounts(shop, PRESENTMENT, is_only=True)


def currency_amounts(currency: object, field: str) -> Amounts:
    """For objects that tell their own currency beside a plain amount (transactions, disputes)."""
    found = _code(currency)
    if not found:
        raise FieldError(field, "missing or not an ISO 4217 code")
    return Amounts(found, PRESENTMENT, is_only=True)


def fraction_text(fraction: Decimal) -> str:
    """Canonical text of a rate.

    >>> fraction_text(Decimal("0.190")), fraction_text(Decimal("0.20")), fraction_text(Decimal(0))
    ('0.19', '0.2', '0')
    """
    return format(fraction.normalize(), "f") if fraction else "0"


def _code(value: object) -> str:
    found = line_of_text(value).upper()
    return found if _CURRENCY.match(found) else ""
