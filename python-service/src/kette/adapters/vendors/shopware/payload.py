"""Shopware's shapes: the webhook's envelope, and what the Admin API answers.

The Admin API says the same in two ways. With `Accept: application/json` entities hold their
associations inside; with `application/vnd.api+json` (JSON:API) they hold attributes, and
associations are links into `included`. Both come out of here as the first. Numbers with a decimal
point stay their literal text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from kette.adapters.vendors import fields
from kette.adapters.vendors.fields import line_of_text, mapping, objects

_DECODER: Final = msgspec.json.Decoder(float_hook=str)

Tree = Mapping[str, Any]

_STATE: Final[Tree] = {"stateMachineState": {}}
_ADDRESS: Final[Tree] = {"country": {}, "countryState": {}}
# The associations that are read, and asked for (`events.py`). Entities point at each other in
# circles (order, transaction, order); what is not listed is not followed.
ORDER_TREE: Final[Tree] = {
    "stateMachineState": {},
    "currency": {},
    "language": {"locale": {}},
    "salesChannel": {},
    "orderCustomer": {"customer": {}},
    "billingAddress": _ADDRESS,
    "addresses": _ADDRESS,
    "lineItems": {},
    "deliveries": {
        "stateMachineState": {},
        "shippingMethod": {},
        "shippingOrderAddress": _ADDRESS,
        "positions": {},
    },
    "transactions": {
        "stateMachineState": {},
        "paymentMethod": {},
        "captures": {"stateMachineState": {}, "refunds": _STATE},
    },
}
TREES: Final[Mapping[str, Tree]] = {"order": ORDER_TREE, "product": {}}


class Entity(msgspec.Struct, frozen=True):
    """One entity of an answer: its name in the API ("order") and its fields."""

    name: str
    fields: Mapping[str, Any]


def read_json(body: bytes, topic: str) -> Any:
    """Raises UnknownPayloadError for anything that is no JSON."""
    return fields.decode(_DECODER, body, topic)


def entities(answer: Any) -> list[Entity]:
    """The entities of an Admin API answer: a list of them, one of them, or one without a frame."""
    if isinstance(answer, list):
        return [_plain_entity(row) for row in objects(answer)]
    frame = mapping(answer)
    if "data" not in frame:
        return [_plain_entity(frame)] if frame.get("id") is not None else []
    data = frame["data"]
    rows = [data] if isinstance(data, dict) else objects(data)
    if any("attributes" in row for row in rows):
        index = _index([*rows, *objects(frame.get("included"))])
        return [_linked_entity(row, index) for row in rows]
    return [_plain_entity(row) for row in rows]


def _plain_entity(row: Mapping[str, Any]) -> Entity:
    name = line_of_text(row.get("apiAlias"))
    if name not in TREES:
        name = "order" if "orderNumber" in row else "product" if "productNumber" in row else name
    return Entity(name, row)


def _linked_entity(row: Mapping[str, Any], index: Mapping[Any, Mapping[str, Any]]) -> Entity:
    name = line_of_text(row.get("type"))
    return Entity(name, _unfolded(row, index, TREES.get(name, {})))


def _index(rows: Iterable[Mapping[str, Any]]) -> dict[Any, Mapping[str, Any]]:
    return {_key(row): row for row in rows}


def _key(link: Mapping[str, Any]) -> tuple[str, str]:
    return line_of_text(link.get("type")), line_of_text(link.get("id"))


def _unfolded(
    row: Mapping[str, Any], index: Mapping[Any, Mapping[str, Any]], tree: Tree
) -> dict[str, Any]:
    """A JSON:API resource with its associations inside. One that is linked but not included is
    left as its id."""
    found: dict[str, Any] = {**mapping(row.get("attributes")), "id": row.get("id")}
    relationships = mapping(row.get("relationships"))
    for name, inner in tree.items():
        if name not in relationships:
            continue
        data = mapping(relationships[name]).get("data")
        if isinstance(data, list):
            found[name] = [
                _unfolded(index.get(_key(link), link), index, inner) for link in objects(data)
            ]
        elif isinstance(data, dict):
            found[name] = _unfolded(index.get(_key(data), data), index, inner)
    return found
