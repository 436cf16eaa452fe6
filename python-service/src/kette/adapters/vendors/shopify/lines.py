"""Rows of a Shopify order as line items: goods, shipping, tips, duties and fees.

Prices and quantities are those of the sale. What an edit or an unpaid cancellation took off again
is subtracted, piece by piece, by the amounts that the shop's refund records name (see refunds.py).
Gift cards that paid a part are payments and no lines; gift cards that were sold are goods that do
not travel.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from kette.adapters.vendors import fields
from kette.adapters.vendors.fields import FieldError, line_of_text, mapping, objects, whole_number
from kette.adapters.vendors.shopify import taxes
from kette.adapters.vendors.shopify.amounts import ZERO, Amounts, Told, fraction_text
from kette.adapters.vendors.shopify.refunds import Record
from kette.domain.money import Money
from kette.domain.order import LineItem, LineKind

_MOST_PIECES: Final = 10**9


class Priced(msgspec.Struct, frozen=True):
    """A line and what it adds to its rate."""

    line: LineItem
    part: taxes.Part


class Removed(msgspec.Struct, frozen=True):
    """What is to be subtracted from a line, and pieces that stay charged but are not shipped."""

    quantity: int = 0
    amount: Decimal = ZERO
    tax: Decimal = ZERO
    refunded: int = 0  # with money
    refunded_unshipped: int = 0


class Basket(msgspec.Struct, frozen=True):
    """How the rows of one order are to be read."""

    amounts: Amounts
    taxes_included: bool
    records: tuple[Record, ...]
    is_cancelled: bool
    tip: Decimal
    shipped: Mapping[str, int]  # line id -> pieces in fulfillments that succeeded
    is_picked_up: bool = False  # no way of delivery goes anywhere


def read_lines(order: Told, basket: Basket) -> tuple[Priced, ...]:
    """Raises FieldError."""
    rows = objects(order.get("line_items"))
    spread = _order_level_tax(order, rows, basket)
    found: list[Priced] = []
    for n, row in enumerate(rows):
        where = f"line_items[{n}]"
        found.extend(_item(row, where, basket, spread.get(n)))
        found.extend(_duties(row, where, basket))
    for n, row in enumerate(objects(order.get("shipping_lines"))):
        if row.get("is_removed") is not True:
            found.append(_shipping(row, f"shipping_lines[{n}]", basket))
    found.extend(_fees(order, basket))
    found.extend(_tip(order, rows, basket))
    found.extend(_order_duties(order, found, basket))
    return tuple(found)


def untold_tip(order: Told, total: Money, found: Sequence[Priced], basket: Basket) -> list[Priced]:
    """The tip of an order in the customer's currency: REST tells it in the shop's alone, so that it
    is what the total holds beyond the lines."""
    rest = total.minor - sum(x.line.net.minor + x.line.tax.minor for x in found)
    try:
        is_told = bool(fields.decimal(order.get("total_tip_received"), "total_tip_received"))
    except FieldError:
        return []
    if basket.tip or not is_told or rest <= 0:
        return []
    amount = fields.decimal(Money(rest, total.currency).amount, "tip")
    return [_charge("tip", LineKind.TIP, "Tip", amount, _UNTAXED, basket)]


def removed_pieces(line_id: str, basket: Basket) -> Removed:
    removed = Removed()
    for record in basket.records:
        for piece in record.pieces:
            if piece.line_id != line_id or basket.is_cancelled:
                continue
            if record.moves_money:
                removed = msgspec.structs.replace(
                    removed,
                    refunded=removed.refunded + piece.quantity,
                    refunded_unshipped=removed.refunded_unshipped
                    + (0 if piece.came_back else piece.quantity),
                )
            else:
                removed = msgspec.structs.replace(
                    removed,
                    quantity=removed.quantity + piece.quantity,
                    amount=removed.amount + piece.amount,
                    tax=removed.tax + piece.tax,
                )
    return removed


def _item(
    row: Told, where: str, basket: Basket, spread_tax: taxes.RowTax | None
) -> Iterable[Priced]:
    amounts = basket.amounts
    line_id = line_of_text(row.get("id")) or where
    sold = whole_number(row.get("quantity"), f"{where}.quantity", highest=_MOST_PIECES)
    price = amounts.read(row, "price", f"{where}.price")
    amount = price * sold - _discount(row, amounts, where)
    tax = spread_tax or taxes.read_row(row, amount, amounts, where, is_gross=basket.taxes_included)
    removed = removed_pieces(line_id, basket)
    pieces = max(0, sold - removed.quantity)
    amount, total_tax = amount - removed.amount, tax.tax - removed.tax
    left = _current(row, where, basket)
    if left is not None and left < pieces - removed.refunded and pieces:
        # Taken off without a refund record that says for how much: in proportion.
        kept = left + removed.refunded
        amount = amounts.rounded(amount * kept / pieces)
        total_tax = amounts.rounded(total_tax * kept / pieces)
        pieces = kept
    if not pieces and sold and not amount:
        return
    is_tip = _is_tip(row, amount, basket)
    attributes = list(_attributes(row))
    if row.get("gift_card") in (True, "true"):
        attributes.append(("gift_card", "true"))
    yield _priced(
        LineItem(
            id=line_id,
            kind=LineKind.TIP if is_tip else LineKind.ITEM,
            name=line_of_text(row.get("name")) or line_of_text(row.get("title")),
            quantity=1 if is_tip else pieces,
            net=Money.zero(amounts.currency),
            tax=Money.zero(amounts.currency),
            sku=line_of_text(row.get("sku")),
            product_id=_product_id(row),
            is_physical=row.get("requires_shipping") in (True, "true", None) and not is_tip,
            attributes=tuple(attributes),
            taken_off=_taken_off(line_id, pieces, removed, basket),
        ),
        amount,
        taxes.RowTax(tax.fraction, total_tax, tax.label),
        basket,
    )


def _priced(line: LineItem, amount: Decimal, tax: taxes.RowTax, basket: Basket) -> Priced:
    """Net and tax in cents: of a gross price the tax is told and the net is what remains."""
    amounts = basket.amounts
    whole, part = amounts.money(amount), amounts.money(tax.tax)
    net = whole - part if basket.taxes_included else whole
    rate = None if tax.fraction is None else fraction_text(tax.fraction)
    return Priced(
        msgspec.structs.replace(line, net=net, tax=part, rate=rate),
        taxes.Part(tax.fraction, tax.label, net, part),
    )


def _charge(
    line_id: str,
    kind: LineKind,
    name: str,
    amount: Decimal,
    tax: taxes.RowTax,
    basket: Basket,
    attributes: tuple[tuple[str, str], ...] = (),
) -> Priced:
    zero = Money.zero(basket.amounts.currency)
    line = LineItem(
        id=line_id, kind=kind, name=name, quantity=1, net=zero, tax=zero, attributes=attributes
    )
    return _priced(line, amount, tax, basket)


def _shipping(row: Told, where: str, basket: Basket) -> Priced:
    """Discounts of the whole order stand in the allocations and not in `discounted_price`."""
    amounts = basket.amounts
    price = amounts.read(row, "price", f"{where}.price")
    allocated = objects(row.get("discount_allocations"))
    if allocated:
        amount = price - _discount(row, amounts, where)
    else:
        told = amounts.optional(row, "discounted_price", f"{where}.discounted_price")
        amount = price if told is None else told
    code = line_of_text(row.get("code"))
    if basket.is_picked_up:
        code = f"pickup: {code}"
    source = line_of_text(row.get("source"))
    method = tuple((key, value) for key, value in (("method", code), ("source", source)) if value)
    return _charge(
        line_of_text(row.get("id")) or where,
        LineKind.SHIPPING,
        line_of_text(row.get("title")) or code,
        amount,
        taxes.read_row(row, amount, amounts, where, is_gross=basket.taxes_included),
        basket,
        method,
    )


def _duties(row: Told, where: str, basket: Basket) -> Iterable[Priced]:
    for n, duty in enumerate(objects(row.get("duties"))):
        at = f"{where}.duties[{n}]"
        amount = basket.amounts.or_zero(duty, "price", f"{at}.price")
        if amount:
            name = line_of_text(duty.get("id")) or f"{line_of_text(row.get('id'))}-{n + 1}"
            tax = taxes.read_row(duty, amount, basket.amounts, at, is_gross=basket.taxes_included)
            yield _charge(f"duty-{name}", LineKind.FEE, "Duties", amount, tax, basket)


def _order_duties(order: Told, found: Sequence[Priced], basket: Basket) -> Iterable[Priced]:
    """Duties that only the order as a whole tells. Where prices include them they are no line."""
    if order.get("duties_included") is True or any(x.line.id.startswith("duty-") for x in found):
        return
    for name in ("original_total_duties", "current_total_duties"):
        amount = basket.amounts.or_zero(order, name, f"{name}_set")
        if amount:
            yield _charge("duties", LineKind.FEE, "Duties", amount, _UNTAXED, basket)
            return


def _fees(order: Told, basket: Basket) -> Iterable[Priced]:
    rows = objects(order.get("additional_fees"))
    for n, row in enumerate(rows):
        at = f"additional_fees[{n}]"
        amount = basket.amounts.or_zero(row, "price", f"{at}.price")
        tax = taxes.read_row(row, amount, basket.amounts, at, is_gross=basket.taxes_included)
        name = line_of_text(row.get("name")) or "Fee"
        line_id = line_of_text(row.get("id")) or str(n + 1)
        yield _charge(f"fee-{line_id}", LineKind.FEE, name, amount, tax, basket)
    name = "original_total_additional_fees"
    amount = ZERO if rows else basket.amounts.or_zero(order, name, f"{name}_set")
    if amount:
        yield _charge("fees", LineKind.FEE, "Fees", amount, _UNTAXED, basket)


def _tip(order: Told, rows: Sequence[Told], basket: Basket) -> Iterable[Priced]:
    """A tip at the checkout; some versions list it as a row of its own, some only in the total."""
    listed = any(_is_tip(row, _row_amount(row, basket.amounts), basket) for row in rows)
    if basket.tip and not listed:
        yield _charge("tip", LineKind.TIP, "Tip", basket.tip, _UNTAXED, basket)


def _is_tip(row: Told, amount: Decimal, basket: Basket) -> bool:
    if mapping(row.get("tip")):
        return True
    own_product = row.get("product_id") is not None or row.get("variant_id") is not None
    travels = row.get("requires_shipping") is not False
    return bool(basket.tip) and amount == basket.tip and not own_product and not travels


def _row_amount(row: Told, amounts: Amounts) -> Decimal:
    try:
        return amounts.or_zero(row, "price", "price")
    except FieldError:
        return ZERO


def _discount(row: Told, amounts: Amounts, where: str) -> Decimal:
    """All discounts of a row: allocations hold line and order discounts; `total_discount` only the
    former, and is all there is in old payloads."""
    allocated = objects(row.get("discount_allocations"))
    if not allocated:
        return amounts.or_zero(row, "total_discount", f"{where}.total_discount")
    return sum(
        (
            amounts.read(entry, "amount", f"{where}.discount_allocations[{n}].amount")
            for n, entry in enumerate(allocated)
        ),
        ZERO,
    )


def _current(row: Told, where: str, basket: Basket) -> int | None:
    if row.get("current_quantity") is None or basket.is_cancelled:
        return None
    return whole_number(row["current_quantity"], f"{where}.current_quantity", highest=_MOST_PIECES)


def _taken_off(line_id: str, pieces: int, removed: Removed, basket: Basket) -> int:
    """Refunded pieces that had not been shipped: they must not leave any more."""
    unshipped = max(0, pieces - basket.shipped.get(line_id, 0))
    return min(removed.refunded_unshipped, unshipped)


def _product_id(row: Told) -> str:
    """The variant has the stock; its parent is only known by where no variant is named."""
    return line_of_text(row.get("variant_id")) or line_of_text(row.get("product_id"))


def _attributes(row: Told) -> Iterable[tuple[str, str]]:
    """What the customer chose. Names with "_" in front are an app's own."""
    for entry in objects(row.get("properties")):
        name = line_of_text(entry.get("name"))
        value = line_of_text(entry.get("value"))
        if name and value and not name.startswith("_"):
            yield name[:100], value[:1000]


def _order_level_tax(order: Told, rows: Sequence[Told], basket: Basket) -> dict[int, taxes.RowTax]:
    """Orders made by apps may tax the order and none of its rows: spread that over the goods."""
    if any(objects(row.get("tax_lines")) for row in rows):
        return {}
    whole = taxes.order_level(order, basket.amounts)
    if whole.fraction is None or not whole.tax:
        return {}
    taxable = [n for n, row in enumerate(rows) if row.get("taxable") is not False]
    worth = []
    for n in taxable:
        at = f"line_items[{n}]"
        sold = whole_number(rows[n].get("quantity"), f"{at}.quantity", highest=_MOST_PIECES)
        amount = basket.amounts.read(rows[n], "price", f"{at}.price") * sold
        worth.append(max(0, basket.amounts.money(amount).minor))
    if not sum(worth):
        return {}
    split = basket.amounts.money(whole.tax).allocate(worth)
    return {
        n: taxes.RowTax(whole.fraction, fields.decimal(share.amount, "tax"), whole.label)
        for n, share in zip(taxable, split, strict=True)
    }


_UNTAXED: Final = taxes.RowTax(None, ZERO)
