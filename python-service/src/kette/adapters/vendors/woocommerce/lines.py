"""Rows of a WooCommerce order as line items, and which of them are goods that travel.

An order line does not say "virtual". What tells: `needs_processing` (false = all downloads),
whether the checkout asked for shipping at all, and the list of package contents that the checkout
leaves on the shipping line ("Items": "Mug × 2, Book × 1"), which holds only what must be shipped.
In doubt a line is physical: a needless question costs less than goods that never leave.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import ROUND_CEILING, Decimal
from typing import Any, Final

import msgspec

from kette.adapters.vendors.fields import FieldError, decimal, line_of_text, mapping, objects
from kette.adapters.vendors.woocommerce import taxes
from kette.adapters.vendors.woocommerce.markup import plain_line, product_name
from kette.adapters.vendors.woocommerce.payload import OrderPayload, Row, Rows
from kette.adapters.vendors.woocommerce.vocabulary import CHECKOUT_ORIGIN, GIFT_CARD_KEYS, ORIGINS
from kette.domain.money import Money, exponent
from kette.domain.order import LineItem, LineKind

_MOST_PIECES: Final = 10**9
_PACKED = re.compile(r"\s×\s*\d+(?=\s*(?:,|\Z))")


class PricedLines(msgspec.Struct, frozen=True):
    lines: tuple[LineItem, ...]
    parts: tuple[taxes.Part, ...]


class Price(msgspec.Struct, frozen=True):
    """What a line costs; suffix tells apart the lines that one row is split into."""

    suffix: str
    rate: str | None
    net: Money
    tax: Money


def rows_of(rows: Rows) -> list[Row]:
    """The rows, also where PHP made an object of a list with gaps."""
    if rows is None:
        return []
    return list(rows.values()) if isinstance(rows, dict) else rows


def read_lines(payload: OrderPayload, rates: dict[str, taxes.Rate], currency: str) -> PricedLines:
    """Item, shipping and fee lines with their tax parts. Raises FieldError."""
    lines: list[LineItem] = []
    parts: list[taxes.Part] = []
    items = rows_of(payload.line_items)
    physical = _physical_ids(payload, items)
    groups = (
        (LineKind.ITEM, "line_items", items),
        (LineKind.SHIPPING, "shipping_lines", rows_of(payload.shipping_lines)),
        (LineKind.FEE, "fee_lines", rows_of(payload.fee_lines)),
    )
    cent = Decimal(1).scaleb(-exponent(currency))
    for kind, name, rows in groups:
        for n, row in enumerate(rows):
            where = f"{name}[{n}]"
            net = decimal(row.total, f"{where}.total")
            tax = _tax(row, where)
            found = taxes.read_parts(row, (net, tax), rates, cent, where)
            parts.extend(found)
            for price in _prices(kind, (net, tax), found, currency):
                lines.append(
                    _item(row, where, id(row) in physical, price)
                    if kind is LineKind.ITEM
                    else _charge(row, kind, where, price)
                )
    return PricedLines(tuple(lines), tuple(parts))


def gift_card_lines(
    payload: OrderPayload, missing: Money
) -> tuple[tuple[LineItem, ...], tuple[taxes.Part, ...]]:
    """Redeemed gift cards as negative lines without tax, where they explain the missing amount.

    missing: total minus all lines, negative when cards paid a part. Plugins subtract the cards from
    the total without writing a line, and each keeps them elsewhere.
    """
    if missing.minor >= 0:
        return (), ()
    cards = list(_gift_cards(payload))
    sums = sum((amount for _, amount in cards), Decimal(0))
    if not cards or abs(taxes.to_money(sums, missing.currency).minor + missing.minor) > 1:
        return (), ()
    none = Money.zero(missing.currency)
    lines = tuple(
        LineItem(
            id=f"gift-card-{n}",
            kind=LineKind.FEE,
            name=f"Gift card {code}".strip(),
            quantity=1,
            net=taxes.to_money(-amount, missing.currency),
            tax=none,
        )
        for n, (code, amount) in enumerate(cards, start=1)
    )
    return lines, tuple(taxes.Part(None, -amount, ()) for _, amount in cards)


def _item(row: Row, where: str, is_physical: bool, price: Price) -> LineItem:
    pieces, attributes = _quantity(row.quantity, f"{where}.quantity")
    # What has been sold is the variation; its parent has no stock of its own.
    variation, product = line_of_text(row.variation_id), line_of_text(row.product_id)
    product_id = variation if variation not in ("", "0") else product
    return LineItem(
        id=line_of_text(row.id) or where,
        kind=LineKind.ITEM,
        name=product_name(row.name),
        quantity=pieces,
        net=price.net,
        tax=price.tax,
        rate=price.rate,
        sku=plain_line(row.sku),
        product_id="" if product_id == "0" else product_id,
        is_physical=is_physical,
        attributes=(*_attributes(row.meta_data), *attributes),
    )


def _charge(row: Row, kind: LineKind, where: str, price: Price) -> LineItem:
    """A shipping or fee line."""
    method = line_of_text(row.method_id)
    return LineItem(
        id=(line_of_text(row.id) or where) + price.suffix,
        kind=kind,
        name=product_name(row.name) or product_name(row.method_title),
        quantity=1,
        net=price.net,
        tax=price.tax,
        rate=price.rate,
        attributes=(("method", method), *_pickup(row.meta_data)) if method else (),
    )


def _prices(
    kind: LineKind, amounts: tuple[Decimal, Decimal], parts: list[taxes.Part], currency: str
) -> list[Price]:
    """Shipping and fees under two rates become a line for each rate; an item stays one line, or
    its pieces would count twice, and carries its larger part's rate."""
    if len(parts) > 1 and kind is not LineKind.ITEM:
        return [
            _price(f"/{n}", part.fraction, (part.net, part.tax), currency)
            for n, part in enumerate(parts, start=1)
        ]
    largest = parts[0] if len(parts) == 1 else max(parts, key=lambda part: abs(part.net))
    return [_price("", largest.fraction, amounts, currency)]


def _price(
    suffix: str, fraction: Decimal | None, amounts: tuple[Decimal, Decimal], currency: str
) -> Price:
    return Price(
        suffix,
        None if fraction is None else taxes.fraction_text(fraction),
        taxes.to_money(amounts[0], currency),
        taxes.to_money(amounts[1], currency),
    )


def _tax(row: Row, where: str) -> Decimal:
    value = row.total_tax
    return taxes.ZERO if value is None or value == "" else decimal(value, f"{where}.total_tax")


def _quantity(value: object, field: str) -> tuple[int, list[tuple[str, str]]]:
    """Pieces. Plugins sell 1.5 metres of cloth: 2 pieces to pack, and the length is kept."""
    found = decimal(value, field)
    if not 0 <= found <= _MOST_PIECES:
        raise FieldError(field, f"{str(found)[:20]} is not a number of pieces")
    pieces = int(found.to_integral_value(ROUND_CEILING))
    return pieces, [] if found == pieces else [("quantity", format(found.normalize(), "f"))]


def _attributes(meta_data: object) -> Iterable[tuple[str, str]]:
    """What the customer chose, by the names that the shop shows; keys with "_" are internal."""
    for entry in objects(meta_data):
        key = entry.get("key")
        if not isinstance(key, str) or not key or key.startswith("_"):
            continue
        value = product_name(entry.get("display_value", entry.get("value")))
        if value:
            yield product_name(entry.get("display_key")) or key, value


def _pickup(meta_data: object) -> Iterable[tuple[str, str]]:
    for entry in objects(meta_data):
        if entry.get("key") in ("pickup_location", "pickup_address") and (
            value := product_name(entry.get("value"))
        ):
            yield str(entry["key"]), value


def _physical_ids(payload: OrderPayload, items: Sequence[Row]) -> set[int]:
    """id() of the rows that are goods to be shipped; see the module docstring."""
    everything = {id(row) for row in items}
    shipping = rows_of(payload.shipping_lines)
    if not shipping:
        is_checkout = ORIGINS.get(line_of_text(payload.created_via)) == CHECKOUT_ORIGIN
        # A checkout asks for shipping as soon as one article needs it.
        return set() if payload.needs_processing is False or is_checkout else everything
    contents, known_until = _package_contents(shipping)
    if not contents:
        return everything
    # Lines with a later id were added by hand after the checkout had listed the package.
    listed = [row for row in items if isinstance(row.id, int) and row.id < known_until]
    found = [row for row in listed if product_name(row.name) in contents]
    if len(listed) <= len(contents) or len(found) < len(contents):
        return everything  # nothing left out, or the names do not match: no conclusion
    left_out = {id(row) for row in listed if product_name(row.name) not in contents}
    return everything - left_out


def _package_contents(shipping: Sequence[Row]) -> tuple[set[str], int]:
    """Names on the shipping lines' package lists, and the id of the first such line.

    The key is translated ("Items", "Artikel"), so the list is recognised by its form.
    """
    names: set[str] = set()
    known_until = 0
    for row in shipping:
        for entry in objects(row.meta_data):
            listed = product_name(entry.get("value"))
            if " ×" not in listed or not isinstance(row.id, int):
                continue
            start = 0
            for match in _PACKED.finditer(listed):
                names.add(listed[start : match.start()].strip())
                start = match.end() + 1
            known_until = min(known_until, row.id) if known_until else row.id
    return names, known_until


def _gift_cards(payload: OrderPayload) -> Iterable[tuple[str, Decimal]]:
    for entry in objects(payload.gift_cards):
        yield from _card(entry.get("code"), entry.get("amount"))
    for entry in objects(payload.meta_data):
        if entry.get("key") in GIFT_CARD_KEYS:
            for code, amount in mapping(entry.get("value")).items():
                yield from _card(code, amount)


def _card(code: object, amount: Any) -> Iterable[tuple[str, Decimal]]:
    try:
        found = abs(decimal(amount, "gift_cards.amount"))
    except FieldError:
        return  # a card that cannot be read explains nothing; the mismatch stays visible
    if found:
        yield plain_line(code)[-4:], found
