"""What a body is about, by the topic that its header names or by its shape.

Webhooks send the bare resource, REST wraps it ({"order": {...}}, {"orders": [...]}), GraphQL puts
it under "data". All are brought to (kind, REST-shaped objects) here; the readers see one shape.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from kette.adapters.vendors.fields import line_of_text, mapping, objects
from kette.adapters.vendors.shopify import graphql, vocabulary
from kette.adapters.vendors.shopify.amounts import Told
from kette.adapters.vendors.shopify.vocabulary import Kind

BODY: Final = msgspec.json.Decoder(dict[str, Any], float_hook=str)
_GID: Final = re.compile(r"gid://shopify/([A-Za-z]{1,60})/")
_UPPER: Final = {topic.replace("/", "_"): topic for topic in vocabulary.TOPICS}
_PLURALS: Final = {f"{name}s": kind for name, kind in vocabulary.WRAPPERS.items()}


def topic_of(headers: Mapping[str, str]) -> str:
    """In the form of the webhook header, "orders/create"; GraphQL writes ORDERS_CREATE."""
    told = headers.get("x-shopify-topic") or headers.get("shopify-topic") or ""
    topic = line_of_text(told).lower()[:100]
    return topic if "/" in topic else _UPPER.get(topic, topic)


def kind_of_topic(topic: str) -> Kind | None:
    if topic in vocabulary.TOPICS:
        return vocabulary.TOPICS[topic]
    for prefix, kind in vocabulary.TOPIC_PREFIXES:
        if topic.startswith(prefix):
            return kind
    return Kind.IRRELEVANT if topic.startswith(vocabulary.IRRELEVANT_PREFIXES) else None


def parts_of(body: Told, topic: str) -> list[tuple[Kind, Told]]:
    """The objects of a body with their kinds; empty if nothing is recognised."""
    named = kind_of_topic(topic) if topic else None
    if named is Kind.IRRELEVANT or named is Kind.DRAFT:
        return [(named, body)]
    found = list(_unwrapped(body))
    if named is None:
        return found
    if not found:
        return [(named, body)]
    if named in (Kind.ORDER_DELETED, Kind.PRODUCT_DELETED, Kind.RISK):
        return [(named, body)]
    # The header says what it is about; the body may still be wrapped in its own name.
    return [(named, part) for kind, part in found if kind is named] or [(named, body)]


def _unwrapped(body: Told) -> Iterator[tuple[Kind, Told]]:
    data = mapping(body.get("data"))
    if data:
        yield from graphql.parts_of(data)
        return
    bare = _bare_kind(body)
    if bare is not None:
        yield bare, graphql.as_rest(body) if graphql.is_node(body) else body
        return
    for name, kind in vocabulary.WRAPPERS.items():
        if isinstance(body.get(name), dict):
            yield kind, body[name]
            return
    for name, kind in _PLURALS.items():
        if isinstance(body.get(name), list):
            yield from ((_of_payout(kind, part), part) for part in objects(body[name]))
            return


def _of_payout(kind: Kind, part: Told) -> Kind:
    """The items of a payout come under the name of an order's payments."""
    return Kind.IRRELEVANT if kind is Kind.TRANSACTION and "payout_id" in part else kind


def _bare_kind(body: Told) -> Kind | None:
    """By the global id, else by the fields that only this kind has."""
    for name in ("admin_graphql_api_id", "id"):
        match = _GID.match(line_of_text(body.get(name)))
        if match and match.group(1) in vocabulary.GID_KINDS:
            return vocabulary.GID_KINDS[match.group(1)]
    return next((kind for kind, names in _SHAPES if all(name in body for name in names)), None)


_SHAPES: Final[tuple[tuple[Kind, tuple[str, ...]], ...]] = (
    (Kind.DRAFT, ("invoice_url", "line_items")),
    (Kind.ORDER, ("id", "line_items", "total_price")),
    (Kind.ORDER, ("id", "line_items", "financial_status")),
    (Kind.REFUND, ("id", "refund_line_items")),
    (Kind.FULFILLMENT, ("id", "order_id", "tracking_numbers")),
    (Kind.FULFILLMENT_EVENT, ("id", "fulfillment_id", "happened_at")),
    (Kind.FULFILLMENT_ORDER, ("id", "request_status", "order_id")),
    (Kind.TRANSACTION, ("id", "kind", "gateway", "amount")),
    (Kind.DISPUTE, ("id", "evidence_due_by", "amount")),
    (Kind.PRODUCT, ("id", "variants", "title")),
    (Kind.RETURN, ("id", "return_line_items")),
    (Kind.PAYOUT, ("id", "amount", "currency", "date", "status")),
)
