"""A Shopify order as Kette's canonical order.

The total is what was sold less what was taken off again without money moving (edits, pieces removed
before payment). Refunds with money are told beside it, as in every other shop. `version` orders the
snapshots of one order: `updated_at`, then how far the order has come, then a digest of the content.
"""

from __future__ import annotations

import hashlib
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
)
from kette.adapters.vendors.shopify import lines as order_lines
from kette.adapters.vendors.shopify import parties, refunds, taxes, vocabulary
from kette.adapters.vendors.shopify.amounts import ZERO, Amounts, Told, amounts_of
from kette.adapters.vendors.shopify.lines import Basket, Priced
from kette.domain.money import Money, total_of
from kette.domain.order import Order, ShopClaim
from kette.domain.policy import System

_SECONDS: Final = "%Y-%m-%dT%H:%M:%S"


def order_id(told: Told) -> str:
    return fields.required_name(told.get("id"), "id")


def modified_at(told: Told) -> datetime:
    """When the shop last changed the order; raises FieldError if it does not say."""
    found = optional_instant(told.get("updated_at"))
    return found or fields.instant(told.get("created_at"), "created_at")


def number_of(told: Told) -> str:
    """The name that the customer sees ("#1001"), else the bare number."""
    name = fields.short_name(told.get("name"))
    return name or fields.short_name(told.get("order_number")) or order_id(told)


def read_order(told: Told, system: System) -> Order:
    """The canonical order. Raises FieldError naming the first field that cannot be read."""
    if cut_off := told.get("cut_off"):  # half an order would be shipped and invoiced as a whole one
        raise FieldError(line_of_text(cut_off), "has more entries than were read")
    amounts = amounts_of(told)
    records = refunds.read_records(told, amounts)
    basket = Basket(
        amounts=amounts,
        taxes_included=told.get("taxes_included") in (True, "true"),
        records=records,
        is_cancelled=optional_instant(told.get("cancelled_at")) is not None,
        tip=_tip(told, amounts),
        shipped=_shipped(told),
        is_picked_up=parties.is_picked_up(told),
    )
    priced = order_lines.read_lines(told, basket)
    total = _total(told, basket, priced)
    priced = (*priced, *order_lines.untold_tip(told, total, priced, basket))
    shares = taxes.shares([x.part for x in priced], amounts.currency)
    rounding = total - total_of((share.gross for share in shares), amounts.currency)
    status = line_of_text(told.get("financial_status")).lower()
    paid = _paid_total(told, basket, total, status)
    method, title = parties.method_of(told)
    billing, shipping = parties.read_parties(told)
    order = Order(
        channel=system.id,
        external_id=order_id(told),
        number=number_of(told),
        version="",
        placed_at=_placed_at(told),
        claim=_claim(told, status, method),
        shop_status=_shop_status(told, status),
        currency=amounts.currency,
        total=total,
        total_tax=_total_tax(told, amounts, priced),
        prices_include_tax=basket.taxes_included,
        lines=tuple(x.line for x in priced),
        tax_by_rate=shares,
        billing=billing,
        shipping=shipping,
        discount_total=_discount(told, amounts),
        rounding=rounding if rounding.minor else None,
        payment_method=method,
        payment_title=title,
        payment_reference=_payment_reference(told),
        payment_url=_web_address(told.get("order_status_url")),
        paid_at=_paid_at(told, status) if paid is None or paid.minor > 0 else None,
        completed_at=optional_instant(told.get("closed_at")),
        customer_note=parties.note_of(told, system),
        customer_ref=parties.customer_ref(told),
        vat_id=parties.vat_id_of(told, system),
        language=parties.language_of(told),
        origin=_origin(told),
        is_test=told.get("test") in (True, "true"),
        refunds=refunds.shop_refunds(records, amounts),
        paid_total=paid,
        total_in_shop_currency=_in_shop_currency(told, amounts),
        risk_level=risk_level(mapping(told.get("risk")).get("recommendation")),
    )
    return msgspec.structs.replace(order, version=_version(order, modified_at(told)))


def snapshot_name(order: Order) -> str:
    """External id of a snapshot's fact: the same content saved at the same second is one fact."""
    modified, _, digest = order.version.partition("Z.")
    return f"order:{order.external_id}@{modified}Z#{digest.rsplit('.', 1)[-1]}"


def risk_level(value: object) -> str:
    return vocabulary.RISK_LEVELS.get(line_of_text(value).lower(), "")


def _version(order: Order, modified: datetime) -> str:
    """See the module docstring. Fixed widths, so that text order is the order of time. Only GraphQL
    tells the risk: of two bodies that are alike otherwise it is the one to keep."""
    newest_line = max((int(x.id) for x in order.lines if x.id.isdecimal()), default=0)
    digest = hashlib.sha256(msgspec.json.encode(order)).hexdigest()[:12]
    # Paid before held: an order that waits for its money and one that staff holds claim the same.
    return (
        f"{modified.strftime(_SECONDS)}Z.{order.claim in vocabulary.OVER:d}"
        f"{order.paid_at is not None:d}{vocabulary.PROGRESS[order.claim]}"
        f".{min(len(order.refunds), 999):03}.{newest_line:018}{bool(order.risk_level):d}.{digest}"
    )


def _placed_at(told: Told) -> datetime:
    """Imported orders were placed before Shopify created them."""
    found = optional_instant(told.get("processed_at"))
    return found or fields.instant(told.get("created_at"), "created_at")


def _claim(told: Told, status: str, method: str) -> ShopClaim:
    if optional_instant(told.get("cancelled_at")) is not None:
        return ShopClaim.CANCELLED
    if told.get("confirmed") is False:
        return ShopClaim.PENDING
    claim = vocabulary.CLAIMS.get(status, ShopClaim.OTHER)
    if claim in (ShopClaim.REFUNDED, ShopClaim.FAILED):
        return claim
    if optional_instant(told.get("closed_at")) is not None:
        return ShopClaim.COMPLETED
    if line_of_text(told.get("fulfillment_status")).lower() == vocabulary.FULFILLMENT_HOLD:
        return ShopClaim.ON_HOLD
    if status == "pending" and method in vocabulary.PAY_LATER:
        return ShopClaim.PROCESSING
    return claim


def _shop_status(told: Told, status: str) -> str:
    """Shopify has no single word: "paid/unfulfilled", and cancelled or closed where it is so."""
    fulfillment = line_of_text(told.get("fulfillment_status")).lower() or "unfulfilled"
    words = [f"{status or 'unknown'}/{fulfillment}"]
    words += [
        word
        for word in ("cancelled", "closed")
        if optional_instant(told.get(f"{word}_at")) is not None
    ]
    return " ".join(words)[:100]


def _total(told: Told, basket: Basket, priced: Sequence[Priced]) -> Money:
    """`total_price` does not follow edits, `current_total_price` follows refunds as well. Of the
    figures that can be meant, the one that the lines add up to; else the first."""
    amounts = basket.amounts
    sold = amounts.optional(told, "total_price", "total_price")
    current = amounts.optional(told, "current_total_price", "current_total_price")
    if sold is None and current is None:
        raise FieldError("total_price", "missing or not an amount")
    returned = removed = ZERO
    for record in basket.records:
        if record.moves_money:
            returned += record.value(basket.taxes_included)
        else:
            removed += record.value(basket.taxes_included)
    candidates: list[Decimal] = []
    if current is not None and not basket.is_cancelled:
        candidates.append(current + returned)
    if sold is not None:
        candidates.append(sold if basket.is_cancelled else sold - removed)
        candidates.append(sold)
    candidates = candidates or [current or ZERO]
    lines = total_of((x.line.net + x.line.tax for x in priced), amounts.currency)
    fitting = [c for c in candidates if amounts.money(c).minor == lines.minor]
    return amounts.exact((fitting or candidates)[0], "total_price")


def _total_tax(told: Told, amounts: Amounts, priced: Sequence[Priced]) -> Money:
    """The shop's own figure where the lines bear it out, else the lines: the figure of an edited
    order is the one of the sale."""
    lines = total_of((x.line.tax for x in priced), amounts.currency)
    told_tax = amounts.optional(told, "total_tax", "total_tax")
    if told_tax is None:
        return lines
    whole = amounts.money(told_tax)
    is_edited = amounts.optional(told, "current_total_tax", "current_total_tax") not in (
        None,
        told_tax,
    )
    return lines if is_edited else whole


def _paid_total(told: Told, basket: Basket, total: Money, status: str) -> Money | None:
    """What the shop has received. Amounts go before words: some orders say "paid" with money
    outstanding. None where only the status speaks."""
    amounts = basket.amounts
    received = amounts.optional(told, "total_received", "total_received_set")
    if received is not None:
        return amounts.money(received)
    if status not in vocabulary.PAID_STATUSES or basket.is_cancelled:
        return None
    plain = told.get("total_outstanding")
    outstanding: Decimal | None = None
    if mapping(told.get("total_outstanding_set")) or amounts.is_only:
        outstanding = amounts.optional(told, "total_outstanding", "total_outstanding")
    elif plain is not None and fields.decimal(plain, "total_outstanding") == 0:
        outstanding = ZERO  # nothing in one currency is nothing in the other
    if outstanding is None or any(record.moves_money for record in basket.records):
        return None
    return total - amounts.money(outstanding)


def _paid_at(told: Told, status: str) -> datetime | None:
    """From the payments where they are told, else the checkout; an order that was paid later
    (transfer, invoice) is known to be paid when it says so first."""
    if status not in vocabulary.PAID_STATUSES:
        return None
    times = [
        at
        for row in objects(told.get("transactions"))
        if line_of_text(row.get("kind")).lower() in ("sale", "capture")
        and line_of_text(row.get("status")).lower() == "success"
        and (at := optional_instant(row.get("processed_at"))) is not None
    ]
    method, _ = parties.method_of(told)
    later = method in ("bacs", "cheque", "manual", *vocabulary.PAY_LATER)
    return min(times) if times else (modified_at(told) if later else _placed_at(told))


def _payment_reference(told: Told) -> str:
    """The provider's own id, where the payments are told with the order."""
    for row in objects(told.get("transactions")):
        if found := fields.short_name(row.get("authorization")):
            return found
    return ""


def _tip(told: Told, amounts: Amounts) -> Decimal:
    try:
        return amounts.or_zero(told, "total_tip_received", "total_tip_received")
    except FieldError:
        return ZERO  # told in the other currency; see lines.untold_tip


def _discount(told: Told, amounts: Amounts) -> Money | None:
    try:
        return amounts.money(amounts.or_zero(told, "total_discounts", "total_discounts"))
    except FieldError:
        return None


def _in_shop_currency(told: Told, amounts: Amounts) -> Money | None:
    pair = mapping(mapping(told.get("total_price_set")).get("shop_money"))
    currency = line_of_text(pair.get("currency_code")).upper()
    if not currency or currency == amounts.currency:
        return None
    return fields.rounded_money(pair.get("amount"), currency, "total_price_set.shop_money")


def _shipped(told: Told) -> dict[str, int]:
    pieces: dict[str, int] = {}
    for fulfillment in objects(told.get("fulfillments")):
        if line_of_text(fulfillment.get("status")).lower() == "success":
            for row in objects(fulfillment.get("line_items")):
                line, count = line_of_text(row.get("id")), row.get("quantity")
                if isinstance(count, int) and not isinstance(count, bool) and 0 < count < 10**9:
                    pieces[line] = pieces.get(line, 0) + count
    return pieces


def _origin(told: Told) -> str:
    name = line_of_text(told.get("source_name")).lower()
    return vocabulary.ORIGINS.get(name, "api" if name.isdecimal() else name[:60])


def _web_address(value: object) -> str:
    found = line_of_text(value)
    return found if found.startswith(("https://", "http://")) else ""
