"""Shopify's deliveries as facts. Names of facts and refs are described in README.md."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Final
from urllib.parse import urlsplit

import msgspec

from kette.adapters.vendors import fields
from kette.adapters.vendors.base import Delivery, UnknownPayloadError
from kette.adapters.vendors.fields import FieldError, line_of_text, objects
from kette.adapters.vendors.shopify import (
    moves,
    notices,
    orders,
    parcels,
    products,
    recognise,
    refunds,
    vocabulary,
)
from kette.adapters.vendors.shopify.amounts import Told, amounts_of
from kette.adapters.vendors.shopify.query import order_fetch
from kette.adapters.vendors.shopify.telling import (
    Reading,
    Telling,
    digest_of,
    order_of,
    own_refs,
    unique,
)
from kette.adapters.vendors.shopify.vocabulary import Kind
from kette.domain.facts import (
    FactDraft,
    Fetch,
    NoteAdded,
    OrderRemoved,
    OrderSnapshot,
    PayloadUnknown,
    Ref,
    Translation,
)
from kette.domain.policy import System

_SHOP_DOMAIN: Final = "x-shopify-shop-domain"


def translate(delivery: Delivery) -> Translation:
    """Facts of one delivery. Raises UnknownPayloadError, whatever the bytes are."""
    topic = recognise.topic_of(delivery.headers)
    body = fields.decode(recognise.BODY, delivery.body, topic)
    if line_of_text(delivery.headers.get("x-shopify-test")).lower() == "true":
        return Translation(note="a test notification from the shop's admin")
    _refuse_foreign_shop(delivery, topic)
    if topic in vocabulary.ALARMS:
        raise UnknownPayloadError(topic, vocabulary.ALARMS[topic])
    try:
        parts = recognise.parts_of(body, topic)
    except RecursionError as error:
        raise UnknownPayloadError(topic, "nested too deeply") from error
    if not parts:
        raise _unrecognised(body, topic)
    tellings = [Telling(kind, told, topic, delivery) for kind, told in parts]
    return _one(tellings[0]) if len(tellings) == 1 else _many(tellings)


def _one(telling: Telling) -> Translation:
    try:
        reading = _READERS[telling.kind](telling)
    except FieldError as error:
        raise UnknownPayloadError(_name(telling), f"{error.field}: {error.reason}") from error
    note = reading.note or ("" if reading.drafts else "no news")
    return Translation(reading.drafts, note, reading.fetch)


def _many(tellings: list[Telling]) -> Translation:
    """A page of a list: one that cannot be read must not hold up the others."""
    drafts: dict[str, FactDraft] = {}
    notes: list[str] = []
    fetches: dict[str, Fetch] = {}
    for telling in tellings:
        try:
            reading = _READERS[telling.kind](telling)
        except FieldError as error:
            reading = Reading((_unreadable(telling, telling.told, error),))
        drafts.update({draft.external_id: draft for draft in reading.drafts})
        notes.append(reading.note)
        fetches.update({fetch.id: fetch for fetch in reading.fetch})
    note = next((x for x in notes if x), "")
    note = note or ("" if drafts else "no news")
    return Translation(tuple(drafts.values()), note, tuple(fetches.values()))


def _unreadable(telling: Telling, part: Told, error: FieldError) -> FactDraft:
    digest = hashlib.sha256(msgspec.json.encode(part, order="sorted")).hexdigest()
    name = _name(telling)
    reason = f"{line_of_text(part.get('id'))[:40]}: {error.field}: {error.reason}"
    return FactDraft(
        f"unknown:{name}:{digest[:32]}",
        telling.delivery.received_at,
        PayloadUnknown(name[:120], reason[:500], digest),
    )


def _name(telling: Telling) -> str:
    return telling.topic or telling.kind.value


def _unrecognised(body: Told, topic: str) -> UnknownPayloadError:
    errors = body.get("errors")
    if errors:
        said = objects(errors)
        words = line_of_text(said[0].get("message")) if said else line_of_text(errors)
        reason = f"the shop answered with an error: {words[:200] or 'no words'}"
        return UnknownPayloadError(topic, reason)
    return UnknownPayloadError(topic, "no such topic is known" if topic else "of no known shape")


def _refuse_foreign_shop(delivery: Delivery, topic: str) -> None:
    """One app's secret signs for every shop that installed it: the header tells which it was."""
    told = line_of_text(delivery.headers.get(_SHOP_DOMAIN)).lower()
    options = delivery.system.options
    host = urlsplit(delivery.system.base_url).hostname or ""
    own = options.get("shop_domain", "") or (host if host.endswith(".myshopify.com") else "")
    if told and own and told != own.lower():
        raise UnknownPayloadError(
            topic,
            f"sent by the shop {told[:80]}, this system is {own}; check the webhook's address",
        )


def _order(telling: Telling) -> Reading:
    """The snapshot, and what the order tells of its payments, refunds and fulfillments."""
    told, system = telling.told, telling.system
    order = orders.read_order(told, system)
    modified = orders.modified_at(told)
    refs = _order_refs(told, system, order.number)
    drafts = [FactDraft(orders.snapshot_name(order), modified, OrderSnapshot(order), refs)]
    own = own_refs(system, order.external_id)
    moved = [(row, "") for row in objects(told.get("transactions"))]
    amounts = amounts_of(told)
    for record in refunds.read_records(told, amounts):
        moved += [(dict(row), record.note) for row in record.transactions]
    # What is new or odd in one of them must not keep the whole order out.
    for row, note in moved:
        read = partial(moves.drafts_of_order, row, own, telling, note, amounts)
        drafts += _or_unreadable(telling, row, read)
    for row in objects(told.get("fulfillments")):
        drafts += _or_unreadable(telling, row, partial(_parcel_drafts, row, own, modified))
    return Reading(unique(drafts))


def _or_unreadable(
    telling: Telling, part: Told, read: Callable[[], list[FactDraft]]
) -> list[FactDraft]:
    try:
        return read()
    except FieldError as error:
        return [_unreadable(telling, part, error)]


def _parcel_drafts(row: Told, refs: tuple[Ref, ...], otherwise: datetime) -> list[FactDraft]:
    body = parcels.read_fulfillment(row)
    at = (
        fields.optional_instant(row.get("updated_at"))
        or fields.optional_instant(row.get("created_at"))
        or otherwise
    )
    name = f"{body.parcel_id}@{at:%Y-%m-%dT%H:%M:%SZ}#{digest_of(body)}"
    return [FactDraft(name, at, body, refs)]


def _fulfillment(telling: Telling) -> Reading:
    refs = (
        *own_refs(telling.system, order_of(telling)),
        Ref(telling.system.id, f"fulfillment:{parcels.fulfillment_id(telling.told)}"),
    )
    at = telling.at("updated_at", "created_at")
    return Reading(tuple(_parcel_drafts(telling.told, refs, at)))


def _fulfillment_event(telling: Telling) -> Reading:
    own = fields.required_name(telling.told.get("id"), "id")
    body = parcels.read_event(telling.told)
    order = line_of_text(telling.told.get("order_id"))
    refs = own_refs(telling.system, order) if order else ()
    name = body.parcel_id.replace("-", ":", 1)
    refs = (*refs, Ref(telling.system.id, name))
    at = telling.at("happened_at", "created_at")
    return Reading((FactDraft(f"fulfillment-event:{own}:{body.vendor_status}", at, body, refs),))


def _order_deleted(telling: Telling) -> Reading:
    """The body is {"id": N}; only test and cancelled orders can be deleted."""
    order = fields.required_name(telling.told.get("id"), "id")
    sent = line_of_text(telling.delivery.headers.get("x-shopify-webhook-id"))[:80]
    draft = FactDraft(
        f"order:{order}:removed:{sent or f'{telling.at():%Y-%m-%dT%H:%M:%S}'}",
        telling.at("deleted_at"),
        OrderRemoved(),
        own_refs(telling.system, order),
    )
    return Reading((draft,))


def _product(telling: Telling) -> Reading:
    drafts = products.read_product(telling.told, telling.at("updated_at"))
    return Reading(drafts, "" if drafts else "a product without variants")


def _product_deleted(telling: Telling) -> Reading:
    return Reading(note="its variants' stock is told no more; orders are checked one by one")


def _notice(telling: Telling) -> Reading:
    read: Callable[[], notices.Notice] = {
        Kind.ORDER_EDIT: lambda: notices.read_edit(telling.told),
        Kind.RISK: lambda: notices.read_risk(telling.told),
        Kind.FULFILLMENT_ORDER: lambda: notices.read_fulfillment_order(telling.told, telling.topic),
        Kind.RETURN: lambda: notices.read_return(telling.told, telling.topic),
    }[telling.kind]
    notice = read()
    refs = own_refs(telling.system, notice.order_id) if notice.order_id else ()
    if notice.other:
        refs = (*refs, Ref(telling.system.id, notice.other))
    at = telling.at("updated_at", "created_at")
    draft = FactDraft(notice.name, at, NoteAdded(telling.system.id, notice.words), refs)
    if not (notice.fetch and notice.order_id):
        return Reading((draft,))
    return Reading(
        (draft,), f"order {notice.order_id} is to be fetched", (order_fetch(notice.order_id),)
    )


def _draft(telling: Telling) -> Reading:
    return Reading(note="a draft order; it is an order once it is completed")


def _irrelevant(telling: Telling) -> Reading:
    return Reading(note=f"{_name(telling)} is of no concern here")


def _order_refs(told: Told, system: System, number: str) -> tuple[Ref, ...]:
    """Every name under which other systems may speak of the order."""
    names = [f"number:{number}"]
    if number.startswith("#") and len(number) > 1:
        names.append(f"number:{number[1:]}")
    for key in ("checkout_token", "token", "confirmation_number"):
        if found := fields.short_name(told.get(key)):
            names.append(f"{key.removesuffix('_token')}:{found}")
    names += [
        f"{kind}:{found}"
        for kind, listed in (
            ("fulfillment-order", told.get("fulfillment_orders")),
            ("fulfillment", told.get("fulfillments")),
            ("return", told.get("returns")),
        )
        for row in objects(listed)
        if (found := fields.short_name(row.get("id")))
    ]
    own = own_refs(system, orders.order_id(told))
    return (*own, *(Ref(system.id, name) for name in dict.fromkeys(names)))


_READERS: Final[dict[Kind, Callable[[Telling], Reading]]] = {
    Kind.ORDER: _order,
    Kind.ORDER_EDIT: _notice,
    Kind.ORDER_DELETED: _order_deleted,
    Kind.RISK: _notice,
    Kind.REFUND: moves.refund,
    Kind.TRANSACTION: moves.transaction,
    Kind.FULFILLMENT: _fulfillment,
    Kind.FULFILLMENT_EVENT: _fulfillment_event,
    Kind.FULFILLMENT_ORDER: _notice,
    Kind.RETURN: _notice,
    Kind.DISPUTE: moves.dispute,
    Kind.PAYOUT: moves.payout,
    Kind.PRODUCT: _product,
    Kind.PRODUCT_DELETED: _product_deleted,
    Kind.DRAFT: _draft,
    Kind.IRRELEVANT: _irrelevant,
}
