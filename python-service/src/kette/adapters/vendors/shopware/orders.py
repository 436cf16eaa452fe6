"""A Shopware order as Kette's canonical order.

`version` orders the readings of one order. A change of a transaction, delivery, line or address
does not touch the order's own `updatedAt`, so the newest time of all its rows counts; then, within
one millisecond, how far the order has come, then a digest of what it says. All of it is made from
the content: the same reading told twice is one snapshot, in whatever order it comes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from kette.adapters.vendors import fields
from kette.adapters.vendors.fields import (
    FieldError,
    line_of_text,
    mapping,
    objects,
    optional_instant,
    text,
)
from kette.adapters.vendors.shopware import payments, taxes, vocabulary
from kette.adapters.vendors.shopware.addresses import billing_address, shipping_address, vat_id
from kette.adapters.vendors.shopware.lines import read_lines, shipping_lines
from kette.adapters.vendors.shopware.numbers import number, to_money
from kette.adapters.vendors.shopware.payments import Attempt, changed_at, state_of
from kette.domain.money import Money, total_of
from kette.domain.order import Order, ShopClaim
from kette.domain.policy import System

Row = Mapping[str, Any]

_CURRENCY = re.compile(r"[A-Z]{3}\Z", re.ASCII)
_LANGUAGE = re.compile(r"([a-z]{2,3})(?:[-_].*)?\Z", re.ASCII)
_MOST_STEP: Final = 1000  # minor units; more is no rounding
OFFLINE_METHODS: Final = "offline_methods"
TEST_CHANNELS: Final = "test_sales_channels"
STOREFRONT: Final = "storefront_url"


def order_id(row: Row) -> str:
    return fields.required_name(row.get("id"), "id")


def is_draft(row: Row) -> bool:
    """A copy that somebody edits; it becomes the order, or nothing, when saved."""
    version = line_of_text(row.get("versionId"))
    return bool(version) and version != vocabulary.LIVE_VERSION


def modified_at(row: Row) -> datetime:
    """The newest change of any row of the order. Raises FieldError if none says."""
    found = [at for part in _rows_of(row) if (at := changed_at(part)) is not None]
    if not found:
        raise FieldError("updatedAt", "missing or not a time, and createdAt as well")
    return max(found)


def _total_step(row: Row, currency: str) -> Money | None:
    """Shopware's cash rounding; a step of one minor unit is none. A step that cannot be read is
    none as well: it only explains a difference."""
    told = mapping(row.get("totalRounding")).get("interval")
    try:
        step = to_money(number(told, "totalRounding.interval"), currency)
    except FieldError:
        return None
    return step if 1 < step.minor <= _MOST_STEP else None


def read_order(row: Row, system: System) -> Order:
    """The canonical order. Raises FieldError naming the first field that cannot be read."""
    currency = _currency(row)
    price = mapping(row.get("price"))
    status = taxes.tax_status(price.get("taxStatus") or row.get("taxStatus"), "price.taxStatus")
    deliveries = sorted(_association(row, "deliveries"), key=_age)
    priced = read_lines(_association(row, "lineItems"), status, currency)
    priced += shipping_lines(deliveries, row, status, currency)
    shares = taxes.shares(priced.parts, price, status, currency)
    told_total = price.get("totalPrice")
    whole = number(row.get("amountTotal") if told_total is None else told_total, "price.totalPrice")
    total = to_money(whole, currency)
    rounding = total - total_of((share.gross for share in shares), currency)
    attempts = payments.read_attempts(_association(row, "transactions"), currency)
    attempt = payments.speaking(attempts, line_of_text(row.get("primaryOrderTransactionId")))
    took = payments.takings(attempts, currency)
    main = _main_delivery(deliveries, line_of_text(row.get("primaryOrderDeliveryId")))
    state = state_of(row, "order")
    claim = payments.claim_of(
        state,
        attempt,
        [state_of(d, "deliveries") for d in deliveries if _is_of_goods(d)],
        is_free=total.minor == 0,
        offline_methods=vocabulary.OFFLINE_METHODS | _words(system, OFFLINE_METHODS),
    )
    order = Order(
        channel=system.id,
        external_id=order_id(row),
        number=fields.short_name(row.get("orderNumber")) or order_id(row),
        version="",
        placed_at=_placed_at(row),
        claim=claim,
        shop_status=state,
        currency=currency,
        total=total,
        total_tax=taxes.total_tax(price, row, currency),
        prices_include_tax=status is taxes.TaxStatus.GROSS,
        lines=priced.lines,
        tax_by_rate=shares,
        billing=billing_address(row),
        shipping=shipping_address(row, main),
        rounding=rounding if rounding.minor else None,
        total_step=_total_step(row, currency),
        payment_method=attempt.method if attempt else "",
        payment_title=attempt.title if attempt else "",
        payment_reference=next(iter(_payment_ids(row, attempts, attempt)), ""),
        payment_url=_payment_url(row, system),
        paid_at=took.paid_at,
        paid_total=took.paid,
        charged_back=took.charged_back,
        customer_note=text(row.get("customerComment")).replace("\r\n", "\n"),
        customer_ref=_customer(mapping(row.get("orderCustomer"))),
        vat_id=vat_id(row),
        language=_language(row),
        origin="admin" if line_of_text(row.get("createdById")) else "checkout",
        is_test=_is_test(row, attempts, system),
        is_left_open=claim is ShopClaim.COMPLETED and state != vocabulary.COMPLETED,
        refunds=took.refunds,
        attributes=tuple(_attributes(row)),
    )
    return msgspec.structs.replace(order, version=_version(order, modified_at(row)))


def all_payment_ids(row: Row, currency: str) -> tuple[str, ...]:
    """Every name that a provider's event may use for a payment of this order."""
    attempts = payments.read_attempts(objects(row.get("transactions")), currency)
    return _payment_ids(row, attempts, None)


def transaction_ids(row: Row) -> tuple[str, ...]:
    ids = (fields.short_name(t.get("id")) for t in objects(row.get("transactions")))
    return tuple(name for name in ids if name)


def snapshot_name(order: Order) -> str:
    """External id of a snapshot's fact: the same content of the same moment is one fact."""
    modified, _, rest = order.version.partition("Z.")
    return f"order:{order.external_id}@{modified}Z#{rest.rsplit('.', 1)[-1]}"


def _version(order: Order, modified: datetime) -> str:
    """See the module docstring. Fixed widths, so that text order is the order of time."""
    digest = hashlib.sha256(msgspec.json.encode(order)).hexdigest()[:12]
    return (
        f"{modified:%Y-%m-%dT%H:%M:%S}.{modified.microsecond:06}Z."
        f"{vocabulary.PROGRESS[order.claim]}{order.paid_at is not None:d}"
        f".{min(len(order.refunds), 999):03}.{digest}"
    )


def _rows_of(row: Row) -> Iterable[Row]:
    yield row
    yield mapping(row.get("orderCustomer"))
    yield mapping(row.get("billingAddress"))
    for name in ("addresses", "lineItems", "deliveries", "transactions"):
        yield from objects(row.get(name))
    for delivery in objects(row.get("deliveries")):
        yield mapping(delivery.get("shippingOrderAddress"))
    for transaction in objects(row.get("transactions")):
        for capture in objects(transaction.get("captures")):
            yield capture
            yield from objects(capture.get("refunds"))


def _currency(row: Row) -> str:
    found = line_of_text(mapping(row.get("currency")).get("isoCode")).upper()
    if not _CURRENCY.match(found):
        raise FieldError("currency.isoCode", "missing or not an ISO 4217 code")
    return found


def _association(row: Row, name: str) -> list[dict[str, Any]]:
    """What belongs to the order. An interface that was not asked for it gives null or nothing:
    without lines no total can be proven, without deliveries goods would go to the billing address,
    without transactions a paid order would count as unpaid."""
    rows = objects(row.get(name))
    if not rows and not isinstance(row.get(name), list):
        raise FieldError(name, "missing; the association was not asked for")
    return rows


def _placed_at(row: Row) -> datetime:
    found = optional_instant(row.get("orderDateTime")) or optional_instant(row.get("createdAt"))
    if found is None:
        raise FieldError("orderDateTime", "missing or not a time")
    return found


def _age(row: Row) -> tuple[str, str]:
    return line_of_text(row.get("createdAt")), line_of_text(row.get("id"))


def _is_of_goods(delivery: Row) -> bool:
    """A promotion on shipping is kept as a delivery with a negative price and nothing in it."""
    costs = mapping(delivery.get("shippingCosts")).get("totalPrice")
    try:
        return costs is None or number(costs, "shippingCosts.totalPrice") >= 0
    except FieldError:
        return True


def _main_delivery(deliveries: Sequence[Row], primary: str) -> Row:
    """The delivery whose address counts: the shop's own choice, else the first one of goods."""
    chosen = [d for d in deliveries if primary and line_of_text(d.get("id")) == primary]
    return next(iter([*chosen, *filter(_is_of_goods, deliveries), *deliveries]), {})


def _payment_ids(row: Row, attempts: Sequence[Attempt], first: Attempt | None) -> tuple[str, ...]:
    """Provider ids; those of the speaking attempt in front."""
    ordered = [first, *attempts] if first else list(attempts)
    own = [name for attempt in ordered for name in attempt.payment_ids]
    return tuple(dict.fromkeys((*own, *payments.payment_ids(row.get("customFields")))))


def _payment_url(row: Row, system: System) -> str:
    """The page on which the customer, a guest too, can pay an open order. The shop does not tell
    its own address."""
    base = system.options.get(STOREFRONT, "").rstrip("/")
    code = fields.short_name(row.get("deepLinkCode"))
    return f"{base}/account/order/{code}" if base and code else ""


def _customer(told: Row) -> str:
    if mapping(told.get("customer")).get("guest") is True:
        return ""
    return line_of_text(told.get("customerId"))


def _language(row: Row) -> str:
    locale = mapping(mapping(row.get("language")).get("locale")).get("code")
    match = _LANGUAGE.match(line_of_text(locale).lower())
    return match.group(1) if match else ""


def _is_test(row: Row, attempts: Sequence[Attempt], system: System) -> bool:
    """Shopware has no test orders of its own: sandbox payments, and channels that the setup names
    as such."""
    in_test_channel = line_of_text(row.get("salesChannelId")) in _words(system, TEST_CHANNELS)
    by_plugin = payments.is_test(row.get("customFields")) or any(a.is_test for a in attempts)
    return in_test_channel or by_plugin


def _words(system: System, option: str) -> frozenset[str]:
    return frozenset(system.options.get(option, "").replace(",", " ").split())


def _attributes(row: Row) -> Iterable[tuple[str, str]]:
    """What else the shop says and no rule looks at yet."""
    for name in ("salesChannelId", "affiliateCode", "campaignCode"):
        if found := fields.short_name(row.get(name)):
            yield name, found
    factor = fields.line_of_text(row.get("currencyFactor"))
    if factor and factor not in ("1", "1.0"):
        yield "currencyFactor", factor[:40]
    custom = mapping(row.get("customFields"))
    for name in sorted(key for key in custom if isinstance(key, str))[:50]:
        found = line_of_text(custom[name])
        if name and len(name) <= fields.LONGEST_NAME and found:
            yield f"custom:{fields.line_of_text(name)}", found[:500]
