"""Net and tax per rate of a Shopware order, to the shop's own cent.

Shopware gives tax twice: per line and per order (`calculatedTaxes`). Their `price` is gross in a
gross order and net in a net one; a tax-free order has none. With vertical calculation the order's
tax is no sum of its lines' taxes, and it is the order's that the customer pays. So the amount of a
rate comes from the lines, its tax from the order. Where the order names not the rates that its
lines name (a tax provider's answer that was stored with the lines only), the lines are kept as
they are: total and rates then differ, and that is a case for a person, not for us.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

import msgspec

from kette.adapters.vendors.fields import FieldError, mapping, objects
from kette.adapters.vendors.shopware.numbers import ZERO, number, to_money
from kette.domain.money import Money
from kette.domain.order import TaxShare

_HIGHEST_PERCENT: Final = Decimal(1000)


class TaxStatus(StrEnum):
    GROSS = "gross"  # prices include tax
    NET = "net"  # tax comes on top
    FREE = "tax-free"  # no tax at all: export, supply to a business abroad


class Part(msgspec.Struct, frozen=True):
    """What one rate has of a price. fraction None: no rate applies. Not rounded."""

    fraction: Decimal | None
    net: Decimal
    tax: Decimal

    @property
    def gross(self) -> Decimal:
        return self.net + self.tax


def tax_status(value: object, field: str) -> TaxStatus:
    try:
        return TaxStatus(str(value))
    except ValueError as error:
        raise FieldError(field, f"{str(value)[:20]!r} is none of gross, net, tax-free") from error


def price_parts(price: Mapping[str, Any], status: TaxStatus, where: str) -> list[Part]:
    """A price (of a line, or of a delivery) by its rates. The parts add up to it."""
    total = number(price.get("totalPrice"), f"{where}.totalPrice")
    if status is TaxStatus.FREE:
        return [Part(None, total, ZERO)]
    found = _calculated(price, status, where)
    if not found:
        # A price of nothing often carries rules and no taxes.
        rules = _rule_rates(price)
        return [Part(rules[0] if rules == [ZERO] else None, total, ZERO)]
    told = sum((p.gross if status is TaxStatus.GROSS else p.net for p in found), ZERO)
    if told == total:
        return found
    # Parts are rounded each on its own; what is left belongs to the largest.
    largest = max(range(len(found)), key=lambda n: abs(found[n].gross))
    part = found[largest]
    found[largest] = Part(part.fraction, part.net + total - told, part.tax)
    return found


def shares(
    parts: Sequence[Part], price: Mapping[str, Any], status: TaxStatus, currency: str
) -> tuple[TaxShare, ...]:
    """Net and tax per rate of the whole order; highest rate first, amounts without a rate last."""
    lines = _summed(parts)
    order = _summed(_calculated(price, status, "price")) if status is not TaxStatus.FREE else {}
    named = {key for key in lines if key is not None}
    if named and named <= set(order):
        lines = {**lines, **_with_tax_of(order, lines, status)}
    elif order and not named and _is_whole(order, price, status):
        lines = order  # the lines were stored without their taxes
    worth = {key for key, part in lines.items() if part.net or part.tax} or set(lines)
    ordered = sorted(worth, key=lambda key: (key is None, -(key or ZERO)))
    return tuple(_share(lines[key], status, currency) for key in ordered)


def total_tax(price: Mapping[str, Any], order: Mapping[str, Any], currency: str) -> Money:
    """The order's own word on its tax."""
    if isinstance(price.get("calculatedTaxes"), list | dict):
        rows = objects(price["calculatedTaxes"])
        taxes = (number(row.get("tax"), "price.calculatedTaxes.tax") for row in rows)
        return to_money(sum(taxes, ZERO), currency)
    gross = number(order.get("amountTotal"), "amountTotal")
    return to_money(gross - number(order.get("amountNet"), "amountNet"), currency)


def rate_text(fraction: Decimal | None) -> str | None:
    """Canonical text of a rate.

    >>> rate_text(Decimal("0.190")), rate_text(Decimal("0.2")), rate_text(Decimal(0))
    ('0.19', '0.2', '0')
    """
    if fraction is None:
        return None
    return format(fraction.normalize(), "f") if fraction else "0"


def _calculated(price: Mapping[str, Any], status: TaxStatus, where: str) -> list[Part]:
    found = []
    for n, row in enumerate(objects(price.get("calculatedTaxes"))):
        at = f"{where}.calculatedTaxes[{n}]"
        amount, tax = number(row.get("price"), f"{at}.price"), number(row.get("tax"), f"{at}.tax")
        net = amount - tax if status is TaxStatus.GROSS else amount
        found.append(Part(_fraction(row.get("taxRate"), f"{at}.taxRate"), net, tax))
    return list(_summed(found).values())


def _fraction(value: object, field: str) -> Decimal:
    percent = number(value, field)
    if not 0 <= percent <= _HIGHEST_PERCENT:
        raise FieldError(field, f"{str(percent)[:20]} is not a tax rate in percent")
    # Two rates are one if their numbers are: 19 and 19.0.
    return percent.scaleb(-2).normalize() if percent else ZERO


def _rule_rates(price: Mapping[str, Any]) -> list[Decimal]:
    try:
        return [_fraction(rule.get("taxRate"), "") for rule in objects(price.get("taxRules"))]
    except FieldError:
        return []


def _summed(parts: Iterable[Part]) -> dict[Decimal | None, Part]:
    found: dict[Decimal | None, Part] = {}
    for part in parts:
        known = found.get(part.fraction)
        if known is not None:
            part = Part(part.fraction, known.net + part.net, known.tax + part.tax)
        found[part.fraction] = part
    return found


def _with_tax_of(
    order: Mapping[Decimal | None, Part],
    lines: Mapping[Decimal | None, Part],
    status: TaxStatus,
) -> dict[Decimal | None, Part]:
    """The lines' amounts with the order's tax; rates that only the order names are added."""
    found: dict[Decimal | None, Part] = {}
    for key, told in order.items():
        own = lines.get(key)
        if own is None:
            if told.net or told.tax:
                found[key] = told
            continue
        net = own.gross - told.tax if status is TaxStatus.GROSS else own.net
        found[key] = Part(key, net, told.tax)
    return found


def _is_whole(
    order: Mapping[Decimal | None, Part], price: Mapping[str, Any], status: TaxStatus
) -> bool:
    """Do the order's rates account for all of it?"""
    gross = sum((part.gross for part in order.values()), ZERO)
    raw = mapping(price).get("rawTotal")
    total = number(raw if raw is not None else price.get("totalPrice"), "price.totalPrice")
    return abs(gross - total) <= Decimal("0.02")


def _share(part: Part, status: TaxStatus, currency: str) -> TaxShare:
    tax = to_money(part.tax, currency)
    if status is TaxStatus.GROSS:
        net = to_money(part.gross, currency) - tax
    else:
        net = to_money(part.net, currency)
    return TaxShare(rate=rate_text(part.fraction), label="", net=net, tax=tax)
