"""Rows of a Shopware order as line items, and which of them are goods that travel.

Rows may contain rows (bundles, configured products). The order's total counts the outer ones only.
Where the inner prices add up to the outer one, the inner rows stand for it: they are the articles
with stock and weight. Where they do not, the outer row keeps the price and the inner ones are
listed at nothing, so that everything is packed and nothing is paid twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_CEILING, Decimal
from typing import Any, Final

import msgspec

from kette.adapters.vendors.fields import (
    FieldError,
    line_of_text,
    mapping,
    objects,
)
from kette.adapters.vendors.shopware import taxes, vocabulary
from kette.adapters.vendors.shopware.numbers import ZERO, number, to_money
from kette.adapters.vendors.shopware.taxes import Part, TaxStatus
from kette.domain.money import Money
from kette.domain.order import LineItem, LineKind

Row = Mapping[str, Any]

_MOST_PIECES: Final = 10**9
_MOST_ROWS: Final = 5000
_CENT: Final = Decimal("0.01")


class PricedLines(msgspec.Struct, frozen=True):
    lines: tuple[LineItem, ...]
    parts: tuple[Part, ...]

    def __add__(self, other: PricedLines) -> PricedLines:
        return PricedLines(self.lines + other.lines, self.parts + other.parts)


class _Family(msgspec.Struct, frozen=True):
    """A row with the rows inside it."""

    row: Row
    inner: list[_Family]


def read_lines(rows: Sequence[Row], status: TaxStatus, currency: str) -> PricedLines:
    """Items and charges, in the order of their position. Raises FieldError."""
    if len(rows) > _MOST_ROWS:
        raise FieldError("lineItems", f"more than {_MOST_ROWS} lines")
    found = PricedLines((), ())
    collected = [_priced(family, status, currency) for family in _families(rows)]
    return (
        PricedLines(
            tuple(line for one in collected for line in one.lines),
            tuple(part for one in collected for part in one.parts),
        )
        if collected
        else found
    )


def shipping_lines(
    deliveries: Sequence[Row], order: Row, status: TaxStatus, currency: str
) -> PricedLines:
    """The price of delivery: a line per delivery and rate.

    A promotion on shipping is a delivery of its own with a negative price. Should the deliveries
    not add up to what the order says, the order's figure counts.
    """
    whole = mapping(order.get("shippingCosts"))
    single = [(line_of_text(d.get("id")), d, mapping(d.get("shippingCosts"))) for d in deliveries]
    if whole and _total(whole) != sum((_total(costs) for _, _, costs in single), ZERO):
        single = [("shipping", deliveries[0] if deliveries else {}, whole)]
    lines: list[LineItem] = []
    parts: list[Part] = []
    for n, (name, delivery, costs) in enumerate(single):
        if not costs:
            continue
        found = taxes.price_parts(costs, status, f"deliveries[{n}].shippingCosts")
        parts.extend(found)
        method = mapping(delivery.get("shippingMethod"))
        title = _label(method) or "Shipping"
        attributes = tuple(_delivery_attributes(delivery, method))
        for suffix, part in _suffixed(found):
            line_id = f"{name or n}{suffix}"
            charge = _charge(line_id, LineKind.SHIPPING, title, part, currency, status)
            lines.append(msgspec.structs.replace(charge, attributes=attributes))
    return PricedLines(tuple(lines), tuple(parts))


def _families(rows: Sequence[Row]) -> list[_Family]:
    """Rows by who contains whom. A row whose parent is not here, or that contains itself, is an
    outer one: it must not get lost."""
    ordered = sorted(rows, key=_place)
    known = {line_of_text(row.get("id")): row for row in ordered}
    children: dict[str, list[Row]] = {}
    outer: list[Row] = []
    for row in ordered:
        parent = line_of_text(row.get("parentId"))
        if parent and parent in known and not _is_own_ancestor(row, known):
            children.setdefault(parent, []).append(row)
        else:
            outer.append(row)

    def family(row: Row) -> _Family:
        return _Family(row, [family(x) for x in children.get(line_of_text(row.get("id")), [])])

    return [family(row) for row in outer]


def _is_own_ancestor(row: Row, known: Mapping[str, Row]) -> bool:
    """Also true for families deeper than anybody builds."""
    start = line_of_text(row.get("id"))
    at = row
    for _ in range(20):
        parent = line_of_text(at.get("parentId"))
        if not parent or parent not in known:
            return False
        if parent == start:
            return True
        at = known[parent]
    return True


def _place(row: Row) -> tuple[int, str]:
    """The database gives rows in no order of its own; the same order must always read the same."""
    try:
        position = int(number(row.get("position"), "position"))
    except FieldError:
        position = _MOST_ROWS
    return position, line_of_text(row.get("id"))


def _priced(family: _Family, status: TaxStatus, currency: str) -> PricedLines:
    row, inner = family.row, family.inner
    if not inner:
        return _row(row, status, currency)
    total = _total(_price(row))
    if abs(sum((_total(_price(x.row)) for x in inner), ZERO) - total) < _CENT:
        priced = [_priced(x, status, currency) for x in inner]
        return PricedLines(
            tuple(line for one in priced for line in one.lines),
            tuple(part for one in priced for part in one.parts),
        )
    goods = tuple(_free(x, currency) for x in _flat(inner) if _kind(x) is LineKind.ITEM)
    own = _row(row, status, currency)
    if any(line.is_physical for line in goods):
        own = PricedLines(
            tuple(msgspec.structs.replace(line, is_physical=False) for line in own.lines), own.parts
        )
    return own + PricedLines(goods, ())


def _flat(families: Iterable[_Family]) -> Iterable[Row]:
    for family in families:
        yield family.row
        yield from _flat(family.inner)


def _price(row: Row) -> Mapping[str, Any]:
    """The row's price; some interfaces leave out the object and give the total alone."""
    return mapping(row.get("price")) or {"totalPrice": row.get("totalPrice")}


def _total(price: Mapping[str, Any]) -> Decimal:
    found = price.get("totalPrice")
    return ZERO if found is None else number(found, "totalPrice")


def _kind(row: Row) -> LineKind:
    is_charge = (
        line_of_text(row.get("type")) in vocabulary.CHARGE_TYPES
        or row.get("good") is False
        or _total(_price(row)) < 0
    )
    return LineKind.FEE if is_charge else LineKind.ITEM


def _row(row: Row, status: TaxStatus, currency: str) -> PricedLines:
    where = f"lineItems[{line_of_text(row.get('id'))[:40]}]"
    price = _price(row)
    parts = taxes.price_parts(price, status, f"{where}.price")
    if _kind(row) is LineKind.FEE:
        name, label = line_of_text(row.get("id")) or where, line_of_text(row.get("label"))
        lines = [
            _charge(name + suffix, LineKind.FEE, label, part, currency, status)
            for suffix, part in _suffixed(parts)
        ]
        return PricedLines(tuple(lines), tuple(parts))
    largest = max(parts, key=lambda part: abs(part.net))
    net, tax = _amounts(parts, status, currency)
    return PricedLines((_item(row, where, largest.fraction, net, tax),), tuple(parts))


def _amounts(parts: Sequence[Part], status: TaxStatus, currency: str) -> tuple[Money, Money]:
    """Net and tax in cents; in a gross order it is the gross amount that is exact."""
    tax = to_money(sum((part.tax for part in parts), ZERO), currency)
    if status is TaxStatus.GROSS:
        gross = sum((part.gross for part in parts), ZERO)
        return to_money(gross, currency) - tax, tax
    return to_money(sum((part.net for part in parts), ZERO), currency), tax


def _suffixed(parts: Sequence[Part]) -> Iterable[tuple[str, Part]]:
    """A charge under two rates becomes a line for each."""
    if len(parts) == 1:
        return [("", parts[0])]
    return [(f"/{n}", part) for n, part in enumerate(parts, start=1)]


def _charge(
    line_id: str, kind: LineKind, name: str, part: Part, currency: str, status: TaxStatus
) -> LineItem:
    net, tax = _amounts([part], status, currency)
    rate = taxes.rate_text(part.fraction)
    return LineItem(id=line_id, kind=kind, name=name, quantity=1, net=net, tax=tax, rate=rate)


def _item(row: Row, where: str, fraction: Decimal | None, net: Money, tax: Money) -> LineItem:
    pieces, attributes = _quantity(row.get("quantity"), f"{where}.quantity")
    payload = mapping(row.get("payload"))
    is_product = line_of_text(row.get("type")) == vocabulary.PRODUCT
    product = line_of_text(row.get("productId"))
    return LineItem(
        id=line_of_text(row.get("id")) or where,
        kind=LineKind.ITEM,
        name=line_of_text(row.get("label")),
        quantity=pieces,
        net=net,
        tax=tax,
        rate=taxes.rate_text(fraction),
        sku=line_of_text(payload.get("productNumber")),
        product_id=product or (line_of_text(row.get("referencedId")) if is_product else ""),
        is_physical=_is_physical(row, payload),
        attributes=(*_options(payload), *attributes),
    )


def _free(row: Row, currency: str) -> LineItem:
    """An inner row whose price is part of the outer one's."""
    none = Money.zero(currency)
    where = f"lineItems[{line_of_text(row.get('id'))[:40]}]"
    return _item(row, where, None, none, none)


def _is_physical(row: Row, payload: Mapping[str, Any]) -> bool:
    """In doubt a line is physical: a needless question costs less than goods that never leave."""
    states = row.get("states")
    told = {line_of_text(state) for state in states} if isinstance(states, list) else set()
    told.add(line_of_text(payload.get("productType")))  # since 6.7.4 in place of the states
    return vocabulary.PHYSICAL in told or not told & vocabulary.DIGITAL


def _options(payload: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """What the customer chose: size, colour."""
    for option in objects(payload.get("options")):
        group, chosen = line_of_text(option.get("group")), line_of_text(option.get("option"))
        if group and chosen:
            yield group, chosen


def _quantity(value: object, field: str) -> tuple[int, list[tuple[str, str]]]:
    found = number(value, field)
    if not 0 <= found <= _MOST_PIECES:
        raise FieldError(field, f"{str(found)[:20]} is not a number of pieces")
    pieces = int(found.to_integral_value(ROUND_CEILING))
    return pieces, [] if found == pieces else [("quantity", format(found.normalize(), "f"))]


def _label(method: Mapping[str, Any]) -> str:
    translated = line_of_text(mapping(method.get("translated")).get("name"))
    return translated or line_of_text(method.get("name"))


def _delivery_attributes(delivery: Row, method: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    if key := line_of_text(method.get("technicalName")) or line_of_text(method.get("name")):
        yield "method", key
    codes = delivery.get("trackingCodes")
    for code in codes if isinstance(codes, list) else ():
        if found := line_of_text(code):
            yield "tracking", found[:100]
