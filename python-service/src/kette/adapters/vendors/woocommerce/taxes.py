"""Net and tax per rate, to the shop's own cent.

WooCommerce gives tax twice: per line (`taxes`, by rate id) and per rate (`tax_lines`). The rate's
figure is the one that the order's total holds, so it is the truth here: nets are summed from the
lines, tax comes from the tax lines. Lines without any tax stay apart with rate None. Where the shop
rounds tax at subtotal, nets plus tax may miss the total by a cent; the caller records that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

import msgspec

from kette.adapters.vendors.fields import FieldError, decimal, line_of_text
from kette.adapters.vendors.woocommerce.markup import plain_line
from kette.adapters.vendors.woocommerce.payload import Row, TaxOfLine, TaxRow
from kette.domain.money import Money, exponent
from kette.domain.order import TaxShare

ZERO: Final = Decimal(0)
_PERCENT_IN_LABEL = re.compile(r"(\d{1,2}(?:[.,]\d{1,4})?)\s*%")
_HIGHEST_PERCENT: Final = Decimal(1000)


class Rate(msgspec.Struct, frozen=True):
    """One rate of an order: fraction 0.19, and the tax that the shop computed for it."""

    id: str
    fraction: Decimal
    label: str
    is_compound: bool
    tax: Decimal


class Part(msgspec.Struct, frozen=True):
    """The part of a line under one rate, or under rates that stack on one another (GST + PST).

    taxes: rate id -> tax of this part. Empty for a part without any tax.
    """

    fraction: Decimal | None
    net: Decimal
    taxes: tuple[tuple[str, Decimal], ...]

    @property
    def tax(self) -> Decimal:
        return sum((tax for _, tax in self.taxes), ZERO)


def read_rates(rows: Iterable[TaxRow]) -> dict[str, Rate]:
    """The order's rates by their id in the shop. Raises FieldError."""
    rates: dict[str, Rate] = {}
    for n, row in enumerate(rows):
        where = f"tax_lines[{n}]"
        rate_id = line_of_text(row.rate_id) or f"row:{line_of_text(row.id)}"
        tax = _amount_or_zero(row.tax_total, f"{where}.tax_total") + _amount_or_zero(
            row.shipping_tax_total, f"{where}.shipping_tax_total"
        )
        label = plain_line(row.label)
        known = rates.get(rate_id)
        rates[rate_id] = Rate(
            id=rate_id,
            fraction=_fraction(row, label, f"{where}.rate_percent"),
            label=label,
            is_compound=row.compound is True,
            tax=tax + (known.tax if known else ZERO),
        )
    return rates


def read_parts(
    row: Row, amounts: tuple[Decimal, Decimal], rates: dict[str, Rate], cent: Decimal, where: str
) -> list[Part]:
    """Split a line by its rates: one part for nearly every line in Europe. Raises FieldError.

    amounts: the line's net and tax; cent: the currency's smallest unit.
    """
    net, tax = amounts
    told: list[tuple[Rate, Decimal]] = []
    entries = row.taxes.values() if isinstance(row.taxes, dict) else row.taxes or ()
    for n, entry in enumerate(entries):
        amount = _entry_amount(entry, f"{where}.taxes[{n}].total")
        if amount is not None:
            rate_id = line_of_text(entry.id)
            told.append((rates.get(rate_id) or _unlisted(rate_id, net, amount), amount))
    applied = [pair for pair in told if pair[1] != 0] or _zero_tax(told, net)
    if not applied:
        if tax == 0 or not rates:
            return [Part(None, net, (("", tax),) if tax else ())]
        # Imported lines may carry a tax without naming its rate: the nearest rate is meant.
        nearest = min(rates.values(), key=lambda rate: abs(net * rate.fraction - tax))
        applied = [(nearest, tax)]
    if len(applied) == 1:
        rate, amount = applied[0]
        return [Part(rate.fraction, net, ((rate.id, amount),))]
    if _is_stacked(applied, net):
        return [Part(_stacked(applied), net, tuple((r.id, amount) for r, amount in applied))]
    return _split(applied, net, cent)


def shares(parts: Sequence[Part], rates: dict[str, Rate], currency: str) -> tuple[TaxShare, ...]:
    """Sum parts per rate, with the tax of the tax lines; highest rate first, untaxed last."""
    nets: dict[Decimal | None, Decimal] = {}
    taxes: dict[Decimal | None, Decimal] = {}
    labels: dict[Decimal | None, str] = {}
    biggest: dict[str, tuple[Decimal, Decimal | None]] = {}
    told: dict[str, Decimal] = {}
    for part in parts:
        key = part.fraction
        nets[key] = nets.get(key, ZERO) + part.net
        taxes[key] = taxes.get(key, ZERO) + part.tax
        names = [rates[i].label for i, _ in part.taxes if i in rates and rates[i].label]
        labels.setdefault(key, " + ".join(names))
        for rate_id, tax in part.taxes:
            told[rate_id] = told.get(rate_id, ZERO) + tax
            if rate_id not in biggest or abs(part.net) > biggest[rate_id][0]:
                biggest[rate_id] = (abs(part.net), key)
    for rate in rates.values():
        # The tax line outranks the sum of its lines; the difference goes where most of it is.
        key = biggest[rate.id][1] if rate.id in biggest else rate.fraction
        difference = rate.tax - told.get(rate.id, ZERO)
        if rate.id not in biggest and difference == 0:
            continue
        nets.setdefault(key, ZERO)
        taxes[key] = taxes.get(key, ZERO) + difference
        labels.setdefault(key, rate.label)
    if len(nets) > 1 and None in nets and nets[None] == 0 and taxes[None] == 0:
        del nets[None]  # free shipping names no rate, and there is nothing to tax
    ordered = sorted(nets, key=lambda key: (key is None, -(key or ZERO)))
    return tuple(
        TaxShare(
            rate=None if key is None else fraction_text(key),
            label=labels[key],
            net=to_money(nets[key], currency),
            tax=to_money(taxes[key], currency),
        )
        for key in ordered
    )


def fraction_text(fraction: Decimal) -> str:
    """Canonical text of a rate.

    >>> fraction_text(Decimal("0.190")), fraction_text(Decimal("0.20")), fraction_text(Decimal(0))
    ('0.19', '0.2', '0')
    """
    return format(fraction.normalize(), "f") if fraction else "0"


def to_money(amount: Decimal, currency: str) -> Money:
    """Round half up (away from zero) to the minor unit, the way WooCommerce rounds."""
    scaled = amount.scaleb(exponent(currency)).quantize(Decimal(1), ROUND_HALF_UP)
    return Money(int(scaled), currency)


def _fraction(row: TaxRow, label: str, field: str) -> Decimal:
    """The rate as a fraction. Orders from before WooCommerce 3.7 name it only in the label."""
    if row.rate_percent is None or row.rate_percent == "":
        found = _PERCENT_IN_LABEL.search(label) or _PERCENT_IN_LABEL.search(
            line_of_text(row.rate_code)
        )
        if found is None:
            raise FieldError(field, "missing, and the label does not name the rate either")
        return Decimal(found.group(1).replace(",", ".")).scaleb(-2)
    percent = decimal(row.rate_percent, field)
    if not 0 <= percent <= _HIGHEST_PERCENT:
        raise FieldError(field, f"{str(percent)[:20]} is not a tax rate")
    return percent.scaleb(-2)


def _amount_or_zero(value: object, field: str) -> Decimal:
    return ZERO if value is None or value == "" else decimal(value, field)


def _entry_amount(entry: TaxOfLine, field: str) -> Decimal | None:
    """None for total "": the shop lists each rate of the order at each line, applied or not."""
    return None if entry.total is None or entry.total == "" else decimal(entry.total, field)


def _unlisted(rate_id: str, net: Decimal, tax: Decimal) -> Rate:
    """A rate that the order no longer lists: what the amounts say, to a tenth of a percent."""
    fraction = abs(tax / net).quantize(Decimal("0.001"), ROUND_HALF_UP) if net else ZERO
    return Rate(rate_id, fraction, "", False, tax)


def _zero_tax(told: list[tuple[Rate, Decimal]], net: Decimal) -> list[tuple[Rate, Decimal]]:
    """Which of several rates with 0.00 tax is meant: the one that gives the least tax."""
    if not told:
        return []
    if net == 0:
        return told[:1]
    return [min(told, key=lambda pair: pair[0].fraction)]


def _is_stacked(applied: list[tuple[Rate, Decimal]], net: Decimal) -> bool:
    """Each tax is due on the whole net (Canada), or on net plus the taxes before it."""
    base = net
    for rate, tax in applied:
        expected = (base if rate.is_compound else net) * rate.fraction
        if abs(expected - tax) > max(Decimal("0.02"), abs(expected) / 100):
            return False
        base += tax
    return True


def _stacked(applied: list[tuple[Rate, Decimal]]) -> Decimal:
    whole = ZERO
    for rate, _ in applied:
        whole += rate.fraction * (1 + whole if rate.is_compound else 1)
    return whole


def _split(applied: list[tuple[Rate, Decimal]], net: Decimal, cent: Decimal) -> list[Part]:
    """Shipping whose tax follows the goods (Germanized): each rate taxes its part of the net."""
    bases = [tax / rate.fraction if rate.fraction else ZERO for rate, tax in applied]
    whole = sum(bases, ZERO)
    if whole == 0:
        rate, _ = applied[0]
        return [Part(rate.fraction, net, tuple((r.id, tax) for r, tax in applied))]
    parts = []
    rest = net
    for n, ((rate, tax), base) in enumerate(zip(applied, bases, strict=True)):
        is_last = n == len(applied) - 1
        share = rest if is_last else (net * base / whole).quantize(cent)
        rest -= share
        parts.append(Part(rate.fraction, share, ((rate.id, tax),)))
    return parts
