"""A WooCommerce order as Kette's canonical order.

`version` orders the snapshots of one order: the shop's modification time (whole seconds), then, for
bodies of the same second, how far the order has come, then a digest of what it says. All of it is
made from the content, so the same body told twice is one snapshot, in whatever order it comes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from kette.adapters.vendors import fields
from kette.adapters.vendors.fields import FieldError, line_of_text, objects, optional_instant
from kette.adapters.vendors.woocommerce import lines as order_lines
from kette.adapters.vendors.woocommerce import taxes, vocabulary
from kette.adapters.vendors.woocommerce.markup import plain_line, plain_text
from kette.adapters.vendors.woocommerce.payload import OrderPayload, RefundRow
from kette.domain.money import Money, total_of
from kette.domain.order import Address, Order, ShopClaim, ShopRefund
from kette.domain.policy import System

_CURRENCY = re.compile(r"[A-Z]{3}\Z", re.ASCII)
_LANGUAGE = re.compile(r"([a-z]{2,3})(?:[-_].*)?\Z", re.ASCII)
_VAT_ID = re.compile(r"[A-Z]{2,3}[0-9A-Z+*]{2,14}\Z", re.ASCII)
_NOT_IN_VAT_ID = re.compile(r"[\s.\-/]")
_CLEARLY_VAT: Final = ("vat", "ust", "umsatzsteuer", "btw", "mwst")
_SECONDS: Final = "%Y-%m-%dT%H:%M:%S"


class Meta(msgspec.Struct, frozen=True):
    """What an order's meta data holds that matters to us, whichever plugin put it there."""

    vat_id: str = ""
    language: str = ""
    payment_ids: tuple[str, ...] = ()
    is_test: bool = False


def order_id(payload: OrderPayload) -> str:
    return fields.required_name(payload.id, "id")


def modified_at(payload: OrderPayload, system: System) -> datetime:
    """When the shop last saved the order; raises FieldError if it does not say."""
    found = _time(payload.date_modified_gmt, payload.date_modified, system)
    return found or placed_at(payload, system)


def placed_at(payload: OrderPayload, system: System) -> datetime:
    found = _time(payload.date_created_gmt, payload.date_created, system)
    if found is None:
        raise FieldError("date_created_gmt", "missing or not a time")
    return found


def claim_of(status: str) -> ShopClaim:
    """Merchants add statuses of their own; those are OTHER, and the word is kept beside."""
    return vocabulary.CLAIMS.get(status, ShopClaim.OTHER)


def status_of(payload: OrderPayload) -> str:
    """The shop's word, without the "wc-" that some plugins leave in front. Raises FieldError."""
    return fields.required_name(payload.status, "status").removeprefix("wc-")


def read_order(payload: OrderPayload, system: System, meta: Meta) -> Order:
    """The canonical order. Raises FieldError naming the first field that cannot be read."""
    currency = line_of_text(payload.currency).upper()
    if not _CURRENCY.match(currency):
        raise FieldError("currency", "missing or not an ISO 4217 code")
    tax_rows = payload.tax_lines or ()
    rates = taxes.read_rates(tax_rows.values() if isinstance(tax_rows, dict) else tax_rows)
    priced = order_lines.read_lines(payload, rates, currency)
    total = fields.money(payload.total, currency, "total")
    shares = taxes.shares(priced.parts, rates, currency)
    rounding = total - total_of((share.gross for share in shares), currency)
    lines = priced.lines
    cards, card_parts = order_lines.gift_card_lines(payload, rounding)
    if cards:
        lines += cards
        shares = taxes.shares(priced.parts + card_parts, rates, currency)
        rounding = total - total_of((share.gross for share in shares), currency)
    status = status_of(payload)
    number = fields.short_name(payload.number) or order_id(payload)
    transaction = line_of_text(payload.transaction_id)
    order = Order(
        channel=system.id,
        external_id=order_id(payload),
        number=number,
        version="",
        placed_at=placed_at(payload, system),
        claim=claim_of(status),
        shop_status=status,
        currency=currency,
        total=total,
        total_tax=fields.rounded_money(payload.total_tax, currency, "total_tax"),
        prices_include_tax=payload.prices_include_tax in (True, "yes", "true", 1),
        lines=lines,
        tax_by_rate=shares,
        billing=_address(fields.mapping(payload.billing)),
        shipping=_address(fields.mapping(payload.shipping)),
        discount_total=_discount(payload, currency),
        rounding=rounding if rounding.minor else None,
        payment_method=line_of_text(payload.payment_method),
        payment_title=plain_line(payload.payment_method_title),
        payment_reference=transaction or next(iter(meta.payment_ids), ""),
        payment_url=_web_address(payload.payment_url),
        paid_at=_time(payload.date_paid_gmt, payload.date_paid, system),
        completed_at=_time(payload.date_completed_gmt, payload.date_completed, system),
        customer_note=plain_text(payload.customer_note),
        customer_ref=_customer(payload.customer_id),
        vat_id=meta.vat_id,
        language=meta.language,
        origin=_origin(payload),
        is_test=meta.is_test,
        refunds=_refunds(payload, currency),
    )
    modified = modified_at(payload, system)
    return msgspec.structs.replace(order, version=_version(order, modified))


def snapshot_name(order: Order) -> str:
    """External id of a snapshot's fact: the same content saved at the same second is one fact."""
    modified, _, digest = order.version.partition("Z.")
    return f"order:{order.external_id}@{modified}Z#{digest.rsplit('.', 1)[-1]}"


def read_meta(payload: OrderPayload, system: System) -> Meta:
    """Look through meta data and the billing address for what plugins keep there."""
    own_keys = frozenset(system.options.get("vat_id_keys", "").replace(",", " ").split())
    vat_id = language = ""
    payment_ids: list[str] = []
    is_test = False
    for entry in objects(payload.meta_data):
        key = entry.get("key")
        if not isinstance(key, str):
            continue
        value = entry.get("value")
        if key in vocabulary.LANGUAGE_KEYS:
            language = language or _language(value)
        elif key in vocabulary.PAYMENT_ID_KEYS:
            found = fields.short_name(value)
            if found and found not in payment_ids:
                payment_ids.append(found)
        elif key in vocabulary.TEST_MARKERS:
            is_test = is_test or value == vocabulary.TEST_MARKERS[key]
        else:
            vat_id = vat_id or _vat_id(key, value, own_keys)
    if not vat_id:
        for key, value in fields.mapping(payload.billing).items():
            vat_id = vat_id or _vat_id(key, value, own_keys)
    return Meta(vat_id, language or _language(payload.lang), tuple(payment_ids), is_test)


def _version(order: Order, modified: datetime) -> str:
    """See the module docstring. Fixed widths, so that text order is the order of time."""
    newest_line = max((int(x.id) for x in order.lines if x.id.isdecimal()), default=0)
    digest = hashlib.sha256(msgspec.json.encode(order)).hexdigest()[:12]
    return (
        f"{modified.strftime(_SECONDS)}Z.{vocabulary.PROGRESS[order.claim]}"
        f"{order.paid_at is not None:d}.{min(len(order.refunds), 999):03}"
        f".{newest_line:015}.{digest}"
    )


def _address(told: Mapping[str, Any]) -> Address:
    names = (plain_line(told.get("first_name")), plain_line(told.get("last_name")))
    return Address(
        name=" ".join(name for name in names if name),
        company=plain_line(told.get("company")),
        line1=plain_line(told.get("address_1")),
        line2=plain_line(told.get("address_2")),
        postal_code=plain_line(told.get("postcode")),
        city=plain_line(told.get("city")),
        region=plain_line(told.get("state")),
        country_code=plain_line(told.get("country")).upper(),
        phone=plain_line(told.get("phone")),
        email=plain_line(told.get("email")),
    )


def _refunds(payload: OrderPayload, currency: str) -> tuple[ShopRefund, ...]:
    """Refunds as positive amounts; an order carries no more of them than id, reason and total."""
    rows: list[RefundRow] = []
    if payload.refunds:
        told = payload.refunds
        rows = list(told.values()) if isinstance(told, dict) else told
    refunds = []
    for n, row in enumerate(rows):
        amount = fields.rounded_money(row.total, currency, f"refunds[{n}].total")
        refunds.append(
            ShopRefund(
                id=fields.required_name(row.id, f"refunds[{n}].id"),
                amount=Money(abs(amount.minor), currency),
                reason=plain_line(row.reason),
            )
        )
    # The shop lists the newest first; by id, the same set always reads the same.
    return tuple(sorted(refunds, key=lambda refund: (len(refund.id), refund.id)))


def _discount(payload: OrderPayload, currency: str) -> Money | None:
    try:
        return fields.rounded_money(payload.discount_total, currency, "discount_total")
    except FieldError:
        return None


def _customer(value: object) -> str:
    found = line_of_text(value)
    return "" if found == "0" else found  # 0 is a guest


def _origin(payload: OrderPayload) -> str:
    told = line_of_text(payload.created_via)
    return vocabulary.ORIGINS.get(told, told)


def _web_address(value: object) -> str:
    found = line_of_text(value)
    return found if found.startswith(("https://", "http://")) else ""


def _language(value: object) -> str:
    match = _LANGUAGE.match(line_of_text(value).lower())
    return match.group(1) if match else ""


def _vat_id(key: object, value: object, own_keys: frozenset[str]) -> str:
    if not isinstance(key, str) or not isinstance(value, str) or not value or len(key) > 255:
        return ""
    stem = vocabulary.vat_stem(key)
    if stem not in vocabulary.VAT_ID_STEMS and key not in own_keys:
        return ""
    found = _NOT_IN_VAT_ID.sub("", plain_line(value)).upper()
    if not 4 <= len(found) <= 20 or not any(c.isdigit() for c in found):
        return ""
    # "uid" and "taxid" are other things as well; there only the form of a VAT id counts.
    is_clear = key in own_keys or any(word in stem for word in _CLEARLY_VAT)
    return found if is_clear or _VAT_ID.match(found) else ""


def _time(gmt: object, local: object, system: System) -> datetime | None:
    found = optional_instant(gmt)
    if found is None and isinstance(local, str) and local:
        found = optional_instant(local, _zone(system))
    return found


def _zone(system: System) -> tzinfo:
    """Zone of times without an offset; only old REST versions leave out the GMT fields."""
    try:
        return ZoneInfo(system.options.get("time_zone", "UTC"))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")
