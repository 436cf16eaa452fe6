"""Refund records of an order, and what they mean for its lines.

Shopify writes a refund record for three different things:
- money goes back (the record has transactions): the order stays as it was sold, the refund is told
  beside it;
- pieces were taken off before payment, or by an edit (no transaction): the order itself is smaller;
- the order was cancelled: everything is taken off; the order is kept as it was sold.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec

from kette.adapters.vendors import fields
from kette.adapters.vendors.fields import (
    FieldError,
    line_of_text,
    mapping,
    objects,
    optional_instant,
    whole_number,
)
from kette.adapters.vendors.shopify import vocabulary
from kette.adapters.vendors.shopify.amounts import ZERO, Amounts, Told
from kette.domain.money import Money
from kette.domain.order import ShopRefund

_MOST_PIECES: Final = 10**9
_CAME_BACK: Final = "return"  # restock type of goods that had been shipped


class Piece(msgspec.Struct, frozen=True):
    """Pieces of one line in one refund record. amount is in the order's own way of pricing: with
    tax where prices include it."""

    line_id: str
    quantity: int
    amount: Decimal
    tax: Decimal
    came_back: bool


class Record(msgspec.Struct, frozen=True):
    id: str
    note: str
    at: datetime | None
    pieces: tuple[Piece, ...]
    shipping: Decimal  # as priced, without tax where prices are net
    shipping_tax: Decimal
    transactions: tuple[Told, ...]  # of kind refund, whatever became of them

    @property
    def moves_money(self) -> bool:
        return bool(self.transactions)

    def value(self, taxes_included: bool) -> Decimal:
        """What the refunded pieces and shipping had cost, with tax."""
        whole = sum((p.amount for p in self.pieces), self.shipping)
        if taxes_included:
            return whole
        return whole + sum((p.tax for p in self.pieces), self.shipping_tax)


def read_records(order: Told, amounts: Amounts) -> tuple[Record, ...]:
    """Raises FieldError."""
    return tuple(
        read_record(told, amounts, f"refunds[{n}]")
        for n, told in enumerate(objects(order.get("refunds")))
    )


def read_record(told: Told, amounts: Amounts, where: str) -> Record:
    shipping, shipping_tax = _shipping(told, amounts, where)
    return Record(
        id=fields.required_name(told.get("id"), f"{where}.id"),
        note=fields.text(told.get("note"))[:500],
        at=optional_instant(told.get("processed_at")) or optional_instant(told.get("created_at")),
        pieces=tuple(
            _piece(row, amounts, f"{where}.refund_line_items[{n}]")
            for n, row in enumerate(objects(told.get("refund_line_items")))
        ),
        shipping=shipping,
        shipping_tax=shipping_tax,
        transactions=tuple(
            row
            for row in objects(told.get("transactions"))
            if line_of_text(row.get("kind")).lower() == "refund"
        ),
    )


def shop_refunds(records: Sequence[Record], amounts: Amounts) -> tuple[ShopRefund, ...]:
    """Money that went or goes back, one entry for each transaction, so that each pairs with what
    the gateway tells of it. A failed transaction moved nothing and is told as a failed refund."""
    found: list[ShopRefund] = []
    for record in records:
        moving = [
            row
            for row in record.transactions
            if line_of_text(row.get("status")).lower() in vocabulary.MONEY_MOVES
        ]
        for n, row in enumerate(moving):
            try:
                amount = transaction_amount(row, amounts, f"refunds.{record.id}[{n}]")
            except FieldError:
                continue  # translate.py shows it to a person; the order is readable without it
            found.append(
                ShopRefund(
                    id=record.id if len(moving) == 1 else f"{record.id}-{n + 1}",
                    amount=Money(abs(amount.minor), amount.currency),
                    reason=" ".join(record.note.split()),
                    made_at=record.at,
                )
            )
    return tuple(sorted(found, key=lambda refund: (len(refund.id), refund.id)))


def transaction_amount(row: Told, amounts: Amounts, where: str) -> Money:
    """A transaction names the currency of the payment, which is the customer's. Raises FieldError
    where it is in neither of the order's currencies."""
    currency = line_of_text(row.get("currency")).upper()
    if not mapping(row.get("amount_set")) and currency and currency != amounts.currency:
        raise FieldError(f"{where}.currency", f"{currency[:3]}, the order is in {amounts.currency}")
    if currency == amounts.currency and row.get("amount") is not None:
        return amounts.exact(fields.decimal(row["amount"], f"{where}.amount"), f"{where}.amount")
    return amounts.exact(amounts.read(row, "amount", f"{where}.amount"), f"{where}.amount")


def _piece(row: Told, amounts: Amounts, where: str) -> Piece:
    line = row.get("line_item_id")
    if line is None:
        line = mapping(row.get("line_item")).get("id")
    return Piece(
        line_id=fields.required_name(line, f"{where}.line_item_id"),
        quantity=whole_number(row.get("quantity"), f"{where}.quantity", highest=_MOST_PIECES),
        amount=amounts.or_zero(row, "subtotal", f"{where}.subtotal"),
        tax=amounts.or_zero(row, "total_tax", f"{where}.total_tax"),
        came_back=line_of_text(row.get("restock_type")).lower() == _CAME_BACK,
    )


def _shipping(told: Told, amounts: Amounts, where: str) -> tuple[Decimal, Decimal]:
    """Newer versions list refunded shipping lines, older ones an adjustment (negative)."""
    lines = objects(told.get("refund_shipping_lines"))
    if lines:
        whole = sum(
            (
                amounts.or_zero(row, "subtotal_amount", f"{where}.refund_shipping_lines[{n}]")
                for n, row in enumerate(lines)
            ),
            ZERO,
        )
        tax = sum(
            (
                amounts.or_zero(row, "tax_amount", f"{where}.refund_shipping_lines[{n}]")
                for n, row in enumerate(lines)
            ),
            ZERO,
        )
        return whole, tax
    whole = tax = ZERO
    for n, row in enumerate(objects(told.get("order_adjustments"))):
        if line_of_text(row.get("kind")).lower() == "shipping_refund":
            whole -= amounts.or_zero(row, "amount", f"{where}.order_adjustments[{n}].amount")
            tax -= amounts.or_zero(row, "tax_amount", f"{where}.order_adjustments[{n}].tax_amount")
    return whole, tax
