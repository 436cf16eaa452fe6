"""Net and tax per rate, from the tax lines of each row.

Shopify taxes each row for itself and rounds there; the order's tax is the sum. Only the rate
counts: titles ("DE MwSt", "MwSt. 19%") are free text. Several taxes on one row (state and county,
GST and PST) each tax the whole net and become one combined rate.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

import msgspec

from kette.adapters.vendors.fields import FieldError, decimal, line_of_text, objects
from kette.adapters.vendors.shopify.amounts import ZERO, Amounts, Told, fraction_text
from kette.domain.money import Money
from kette.domain.order import TaxShare

_HALF_CENT: Final = Decimal("0.005")
_HIGHEST_RATE: Final = Decimal(10)


class RowTax(msgspec.Struct, frozen=True):
    """fraction None: no tax rate was applied to the row at all."""

    fraction: Decimal | None
    tax: Decimal
    label: str = ""


class Part(msgspec.Struct, frozen=True):
    """What one row adds to its rate, in the order's minor units."""

    fraction: Decimal | None
    label: str
    net: Money
    tax: Money


def read_row(
    row: Told, base: Decimal, amounts: Amounts, where: str, *, is_gross: bool = False
) -> RowTax:
    """base: what the row costs, with tax where is_gross. Raises FieldError."""
    told: list[tuple[Decimal, Decimal, str]] = []
    for n, line in enumerate(objects(row.get("tax_lines"))):
        at = f"{where}.tax_lines[{n}]"
        price = amounts.or_zero(line, "price", f"{at}.price")
        net = base - price if is_gross else base
        told.append((_rate(line, price, net, at), price, line_of_text(line.get("title"))[:80]))
    if not told:
        return RowTax(None, ZERO)
    # A rate that was listed and not charged (exempt customer, reverse charge) is no rate of zero:
    # of the few goods that a state taxes with nothing, the rate itself says 0.
    applied = [x for x in told if x[1] or abs(base * x[0]) < _HALF_CENT]
    if not applied:
        return RowTax(None, ZERO, " + ".join(dict.fromkeys(x[2] for x in told)))
    return RowTax(
        sum((x[0] for x in applied), ZERO),
        sum((x[1] for x in applied), ZERO),
        " + ".join(dict.fromkeys(x[2] for x in applied if x[2])),
    )


def order_level(order: Told, amounts: Amounts) -> RowTax:
    """The order's own tax lines, for orders made by apps that tax no row. Raises FieldError."""
    return read_row(order, Decimal(10**9), amounts, "order")


def shares(parts: Sequence[Part], currency: str) -> tuple[TaxShare, ...]:
    """Sum parts per rate; highest rate first, untaxed last."""
    nets: dict[Decimal | None, int] = {}
    taxes: dict[Decimal | None, int] = {}
    labels: dict[Decimal | None, str] = {}
    for part in parts:
        nets[part.fraction] = nets.get(part.fraction, 0) + part.net.minor
        taxes[part.fraction] = taxes.get(part.fraction, 0) + part.tax.minor
        labels[part.fraction] = labels.get(part.fraction) or part.label
    if len(nets) > 1 and None in nets and nets[None] == 0 and taxes[None] == 0:
        del nets[None]  # free shipping names no rate, and there is nothing to tax
    ordered = sorted(nets, key=lambda key: (key is None, -(key or ZERO)))
    return tuple(
        TaxShare(
            rate=None if key is None else fraction_text(key),
            label=labels[key],
            net=Money(nets[key], currency),
            tax=Money(taxes[key], currency),
        )
        for key in ordered
    )


def _rate(line: Told, price: Decimal, net: Decimal, where: str) -> Decimal:
    """As a fraction; GraphQL and old orders may tell the percentage alone, tax apps neither: then
    what the amounts say, to a tenth of a percent."""
    value, places = line.get("rate"), 0
    if value is None and line.get("rate_percentage") is None:
        return abs(price / net).quantize(Decimal("0.001"), ROUND_HALF_UP) if net else ZERO
    if value is None:
        value, places = line.get("rate_percentage"), -2
    found = decimal(value, f"{where}.rate").scaleb(places)
    if not 0 <= found <= _HIGHEST_RATE:
        raise FieldError(f"{where}.rate", f"{str(found)[:20]} is not a tax rate")
    return found
