"""Shopware's webhooks and Admin API answers as facts. Names are described in README.md."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from kette.adapters.vendors import fields
from kette.adapters.vendors.base import Delivery, UnknownPayloadError
from kette.adapters.vendors.fields import FieldError, line_of_text, mapping
from kette.adapters.vendors.shopware import events, orders, payload, products, vocabulary
from kette.adapters.vendors.shopware.parcels import parcel_drafts
from kette.domain.facts import (
    FactDraft,
    OrderRemoved,
    OrderSnapshot,
    PayloadUnknown,
    Ref,
    Translation,
)
from kette.domain.policy import System

PROVIDER = "payment"  # system id of refs that carry a payment provider's own ids

Body = Mapping[str, Any]


def translate(delivery: Delivery) -> Translation:
    """Facts of one delivery, and what to read. Raises UnknownPayloadError, whatever the bytes."""
    body = payload.read_json(delivery.body, "shopware")
    if isinstance(body, dict) and events.is_event(body):
        return _event(body, delivery)
    return _reading(body, delivery.system, delivery.received_at)


def _event(body: Body, delivery: Delivery) -> Translation:
    name = events.event_name(body)
    wanted = events.fetches(body)
    facts = [*_removals(body, delivery), *_carried(body, delivery.system)]
    if wanted or facts:
        note = f"{name}: to be read from the shop" if wanted else name
        return Translation(tuple(facts), note, wanted)
    if events.carried_order(body) or any(map(events.is_draft_row, events.written_rows(body))):
        return Translation(note=f"{name}: a draft, or nothing that can be read by its id")
    is_known = (
        *vocabulary.IRRELEVANT_PREFIXES,
        *vocabulary.PRODUCT_EVENT_PREFIXES,
        *vocabulary.ORDER_EVENT_PREFIXES,
    )
    if name == "cart" or name.startswith(is_known):
        return Translation(note=f"{name} is of no concern here")
    raise UnknownPayloadError(name, "no such event is known")


def _removals(body: Body, delivery: Delivery) -> list[FactDraft]:
    """Orders and products that were erased. Orders only where the event says that it was the live
    version; see `events._of_row`."""
    event = fields.short_name(mapping(body.get("source")).get("eventId"))
    name = event or f"{delivery.received_at:%Y-%m-%dT%H:%M:%S}"
    at = fields.unix_instant(body.get("timestamp")) or delivery.received_at
    found = []
    for row in filter(events.is_erased, events.written_rows(body)):
        row_id = line_of_text(row.get("primaryKey"))
        if not vocabulary.ID.match(row_id) or events.is_draft_row(row):
            continue
        if row.get("entity") == "order" and row.get("versionId"):
            refs = (_own_ref(delivery.system, row_id),)
            found.append(FactDraft(f"order:{row_id}:removed:{name}", at, OrderRemoved(), refs))
        elif row.get("entity") == vocabulary.PRODUCT:
            gone = products.erased_product(row_id, at)
            found.append(FactDraft(f"product:{row_id}:deleted:{name}", at, gone))
    return list({draft.external_id: draft for draft in found}.values())


def _carried(body: Body, system: System) -> list[FactDraft]:
    """The order that an event brings along, if all of it is there; else the reading will tell."""
    row = events.carried_order(body)
    if not row or not all(
        isinstance(row.get(name), list) for name in ("lineItems", "deliveries", "transactions")
    ):
        return []
    try:
        return _order_facts(row, system)
    except FieldError:
        return []


def _reading(body: Any, system: System, received_at: datetime) -> Translation:
    """The entities of an answer. One among many that cannot be read does not stop the others."""
    found = payload.entities(body)
    _refuse_error(body)
    facts: list[FactDraft] = []
    drafts = 0
    for entity in found:
        try:
            read = _read(entity, system)
        except FieldError as error:
            told = line_of_text(entity.fields.get("id"))[:40]
            reason = f"{told}: {error.field}: {error.reason}"
            if len(found) == 1:
                raise UnknownPayloadError(entity.name, reason) from error
            read = [_unreadable(entity, reason, received_at)]
        drafts += not read
        facts.extend(read)
    if facts:
        return Translation(tuple({draft.external_id: draft for draft in facts}.values()))
    if drafts:
        return Translation(note="a draft of an order")
    if isinstance(mapping(body).get("data"), list) and not mapping(body)["data"]:
        return Translation(note="the shop has nothing of this name")
    raise UnknownPayloadError("shopware", "neither an event nor an answer of the Admin API")


def _refuse_error(body: Any) -> None:
    """An Admin API refusal handed in as if it were the order."""
    for error in fields.objects(mapping(body).get("errors")):
        told = (line_of_text(error.get(name)) for name in ("status", "code", "title", "detail"))
        raise UnknownPayloadError(
            "errors", f"the shop answered an error: {' '.join(x for x in told if x)[:200]}"
        )


def _read(entity: payload.Entity, system: System) -> list[FactDraft]:
    """Nothing for a draft."""
    if entity.name == "order":
        return _order_facts(entity.fields, system)
    if entity.name == vocabulary.PRODUCT:
        return [products.product_draft(entity.fields)]
    raise FieldError("type", f"{entity.name[:40] or 'no entity'} is not read")


def _unreadable(entity: payload.Entity, reason: str, received_at: datetime) -> FactDraft:
    digest = hashlib.sha256(msgspec.json.encode(entity.fields, order="sorted")).hexdigest()
    topic = entity.name[:120]
    body = PayloadUnknown(topic, reason[:500], digest)
    return FactDraft(f"unknown:{topic}:{digest[:32]}", received_at, body)


def _order_facts(row: Body, system: System) -> list[FactDraft]:
    """The order, and parcels that the shop sent itself. Nothing for a draft."""
    if orders.is_draft(row):
        return []
    order = orders.read_order(row, system)
    refs = [_own_ref(system, order.external_id), Ref(system.id, f"number:{order.number}")]
    if key := fields.short_name(row.get("deepLinkCode")):
        refs.append(Ref(system.id, f"key:{key}"))
    names = (*orders.transaction_ids(row), *orders.all_payment_ids(row, order.currency))
    for name in dict.fromkeys(names):
        refs.append(Ref(system.id, f"payment:{name}"))
        if vocabulary.PROVIDER_ID.match(name):
            refs.append(Ref(PROVIDER, name))
    modified = orders.modified_at(row)
    snapshot = FactDraft(orders.snapshot_name(order), modified, OrderSnapshot(order), tuple(refs))
    return [snapshot, *parcel_drafts(row, tuple(refs[:1]))]


def _own_ref(system: System, order_id: str) -> Ref:
    return Ref(system.id, f"order:{order_id}", founds_order=True)
