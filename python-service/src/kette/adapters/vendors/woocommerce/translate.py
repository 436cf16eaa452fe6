"""WooCommerce's deliveries as facts. Names of facts and refs are described in README.md."""

from __future__ import annotations

import hashlib
from math import floor

import msgspec

from kette.adapters.vendors import fields
from kette.adapters.vendors.base import Delivery, UnknownPayloadError
from kette.adapters.vendors.fields import FieldError, line_of_text, optional_instant
from kette.adapters.vendors.woocommerce import orders, payload, vocabulary
from kette.adapters.vendors.woocommerce.signature import TOPIC, is_ping
from kette.domain.facts import (
    FactDraft,
    OrderRemoved,
    OrderRestored,
    OrderSnapshot,
    ProductReported,
    Ref,
    Translation,
)
from kette.domain.policy import System

_DELIVERY_ID = "x-wc-webhook-delivery-id"
PROVIDER = "payment"  # system id of refs that carry a payment provider's own ids


def translate(delivery: Delivery) -> Translation:
    """Facts of one delivery. Raises UnknownPayloadError, whatever the bytes are."""
    if is_ping(delivery):
        return Translation(note="ping")
    topic = _topic(delivery)
    try:
        return _by_topic(topic, delivery)
    except FieldError as error:
        raise UnknownPayloadError(topic, f"{error.field}: {error.reason}") from error


def _topic(delivery: Delivery) -> str:
    topic = line_of_text(delivery.headers.get(TOPIC))
    if topic:
        return topic.lower()[:100]
    parts = (delivery.headers.get(f"x-wc-webhook-{part}", "") for part in ("resource", "event"))
    joined = ".".join(line_of_text(part) for part in parts).lower()
    if joined == ".":
        raise UnknownPayloadError("", "no X-WC-Webhook-Topic header")
    return joined[:100]


def _by_topic(topic: str, delivery: Delivery) -> Translation:
    if topic in vocabulary.ORDER_TOPICS:
        return _order(topic, delivery)
    if topic == vocabulary.ORDER_DELETED:
        return _order_deleted(topic, delivery)
    if topic in vocabulary.PRODUCT_TOPICS:
        return _product(topic, delivery)
    if topic == vocabulary.PRODUCT_DELETED:
        return _product_deleted(topic, delivery)
    if topic.startswith(vocabulary.IRRELEVANT_PREFIXES):
        _refuse_error(fields.decode(payload.ERROR, delivery.body, topic), topic)
        return Translation(note=f"{topic} is of no concern here")
    raise UnknownPayloadError(topic, "no such topic is known")


def _refuse_error(
    told: payload.OrderPayload | payload.ProductPayload | payload.ErrorPayload, topic: str
) -> None:
    """WooCommerce signs and delivers the REST error when it cannot read the resource."""
    if told.id is not None or not isinstance(told.code, str):
        return
    status = line_of_text(fields.mapping(told.data).get("status"))
    raise UnknownPayloadError(
        topic,
        f"the shop delivered an error instead of the resource: {line_of_text(told.code)[:80]}"
        f" (HTTP {status or 'unknown'}); see the webhook's user and API version",
    )


def _order(topic: str, delivery: Delivery) -> Translation:
    system = delivery.system
    told = fields.decode(payload.ORDER, delivery.body, topic)
    _refuse_error(told, topic)
    order_id = orders.order_id(told)
    status = orders.status_of(told)
    if status in vocabulary.DRAFT_STATUSES:
        return Translation(note=f"order {order_id} is still a {status}")
    modified = orders.modified_at(told, system)
    if status == vocabulary.TRASH_STATUS:
        name = f"order:{order_id}:removed@{modified:%Y-%m-%dT%H:%M:%SZ}"
        return Translation(
            (FactDraft(name, modified, OrderRemoved(), _own_refs(system, order_id)),)
        )
    meta = orders.read_meta(told, system)
    order = orders.read_order(told, system, meta)
    refs = _order_refs(told, system, meta, order.number)
    snapshot = FactDraft(orders.snapshot_name(order), modified, OrderSnapshot(order), refs)
    if topic != vocabulary.ORDER_RESTORED:
        return Translation((snapshot,))
    restored = FactDraft(
        f"order:{order_id}:restored@{modified:%Y-%m-%dT%H:%M:%SZ}",
        modified,
        OrderRestored(),
        _own_refs(system, order_id),
    )
    return Translation((restored, snapshot))


def _order_deleted(topic: str, delivery: Delivery) -> Translation:
    """The body is {"id": N} and holds no time, so ours stands in. Neither does it tell one removal
    from the next: the delivery id does (unique together with the order's id)."""
    told = fields.decode(payload.ORDER, delivery.body, topic)
    _refuse_error(told, topic)
    order_id = orders.order_id(told)
    draft = FactDraft(
        f"order:{order_id}:removed:{_delivery_name(delivery)}",
        delivery.received_at,
        OrderRemoved(),
        _own_refs(delivery.system, order_id),
    )
    return Translation((draft,))


def _delivery_name(delivery: Delivery) -> str:
    told = line_of_text(delivery.headers.get(_DELIVERY_ID))
    return told[:80] or f"{delivery.received_at:%Y-%m-%dT%H:%M:%S}"


def _own_refs(system: System, order_id: str) -> tuple[Ref, ...]:
    return (Ref(system.id, f"order:{order_id}", founds_order=True),)


def _order_refs(
    told: payload.OrderPayload, system: System, meta: orders.Meta, number: str
) -> tuple[Ref, ...]:
    """Every name under which other systems may speak of the order."""
    order_id = orders.order_id(told)
    refs = [*_own_refs(system, order_id), Ref(system.id, f"number:{number}")]
    if key := fields.short_name(told.order_key):
        refs.append(Ref(system.id, f"key:{key}"))
    payments = dict.fromkeys((fields.short_name(told.transaction_id), *meta.payment_ids))
    for payment in payments:
        if payment:
            refs.append(Ref(system.id, f"payment:{payment}"))
            if vocabulary.PROVIDER_ID.match(payment):
                refs.append(Ref(PROVIDER, payment))
    return tuple(refs)


def _product(topic: str, delivery: Delivery) -> Translation:
    told = fields.decode(payload.PRODUCT, delivery.body, topic)
    _refuse_error(told, topic)
    product_id = fields.required_name(told.id, "id")
    modified = optional_instant(told.date_modified_gmt) or optional_instant(told.date_modified)
    if modified is None:
        raise FieldError("date_modified_gmt", "missing or not a time")
    body = read_product(told, product_id, "")
    digest = hashlib.sha256(msgspec.json.encode(body)).hexdigest()[:12]
    version = f"{modified:%Y-%m-%dT%H:%M:%SZ}.{digest}"
    name = f"product:{product_id}@{modified:%Y-%m-%dT%H:%M:%SZ}#{digest}"
    report = msgspec.structs.replace(body, version=version)
    return Translation((FactDraft(name, modified, report),))


def _product_deleted(topic: str, delivery: Delivery) -> Translation:
    """A product in the trash cannot be sold any more; like order.deleted, without a time."""
    told = fields.decode(payload.PRODUCT, delivery.body, topic)
    _refuse_error(told, topic)
    product_id = fields.required_name(told.id, "id")
    body = ProductReported(
        product_id=product_id,
        sku="",
        version=f"{delivery.received_at:%Y-%m-%dT%H:%M:%SZ}.deleted",
        stock_quantity=None,
        in_stock=False,
    )
    name = f"product:{product_id}:deleted:{_delivery_name(delivery)}"
    return Translation((FactDraft(name, delivery.received_at, body),))


def read_product(told: payload.ProductPayload, product_id: str, version: str) -> ProductReported:
    """Stock of one product or variation. A count that cannot be read is no count."""
    quantity = None
    if told.manage_stock in (True, "parent", "yes", "true"):
        try:
            quantity = floor(fields.decimal(told.stock_quantity, "stock_quantity"))
        except FieldError:
            quantity = None
    return ProductReported(
        product_id=product_id,
        sku=line_of_text(told.sku),
        version=version,
        stock_quantity=quantity,
        in_stock=told.stock_status in ("instock", "onbackorder"),
        backorders_allowed=told.backorders_allowed is True or told.backorders in ("yes", "notify"),
    )
