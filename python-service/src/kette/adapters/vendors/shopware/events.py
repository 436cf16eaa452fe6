"""What a webhook of Shopware asks us to read from the shop.

`*.written` events name rows by id and nothing else; business events carry the order as it was when
they were sent, often without all that belongs to it, and one may overtake another. So an event is
never the last word: it says what to read, and the entry workflow reads it (see README.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from kette.adapters.vendors.fields import line_of_text, mapping, objects
from kette.adapters.vendors.shopware import vocabulary
from kette.adapters.vendors.shopware.payload import ORDER_TREE, Tree
from kette.domain.facts import Fetch

Body = Mapping[str, Any]

_MOST_FETCHES: Final = 50


def is_event(body: Body) -> bool:
    """A webhook or another call of the app system: both say which shop sends them."""
    return isinstance(body.get("source"), dict)


def event_name(body: Body) -> str:
    """What happened; calls other than webhooks are named by what they carry."""
    told = line_of_text(mapping(body.get("data")).get("event"))
    if told:
        return told[:120]
    return next((name for name in ("orderTransaction", "order", "cart") if name in body), "")


def written_rows(body: Body) -> list[dict[str, Any]]:
    """Rows of a `*.written` or `*.deleted` event."""
    payload = mapping(body.get("data")).get("payload")
    return objects(payload) if isinstance(payload, list) else []


def carried_order(body: Body) -> Body:
    """The order inside a business event or a payment call; empty if there is none."""
    payload = mapping(mapping(body.get("data")).get("payload"))
    return mapping(payload.get("order")) or mapping(body.get("order"))


def is_draft_row(row: Body) -> bool:
    version = line_of_text(row.get("versionId"))
    return bool(version) and version != vocabulary.LIVE_VERSION


def fetches(body: Body) -> tuple[Fetch, ...]:
    """What to read from the shop, each once."""
    found: dict[tuple[str, str], Fetch] = {}
    for row in written_rows(body):
        if not is_draft_row(row):
            for fetch in _of_row(row):
                found[fetch.resource, str(fetch.body["filter"])] = fetch
    carried = carried_order(body)
    payload = mapping(mapping(body.get("data")).get("payload"))
    order_id = line_of_text(carried.get("id") or payload.get("orderId"))
    if vocabulary.ID.match(order_id) and not is_draft_row(carried):
        fetch = order_fetch("id", order_id)
        found[fetch.resource, str(fetch.body["filter"])] = fetch
    return tuple(found.values())[:_MOST_FETCHES]


def order_fetch(field: str, row_id: str) -> Fetch:
    """The order whose row has this id, with everything that is read of an order."""
    return Fetch(
        resource="order",
        id=row_id,
        path="/api/search/order",
        body={
            "limit": 1,
            "filter": [{"type": "equals", "field": field, "value": row_id}],
            "associations": order_associations(),
        },
    )


def order_associations() -> dict[str, Any]:
    """Everything that is read of an order."""
    return _associations(ORDER_TREE)


def is_erased(row: Body) -> bool:
    return line_of_text(row.get("operation")) == vocabulary.DELETE


def _of_row(row: Body) -> Iterable[Fetch]:
    """Nothing can be found by the id of an erased row. An order may be there all the same: saving
    a draft erases the draft, under the order's id."""
    entity, row_id = line_of_text(row.get("entity")), _row_id(row.get("primaryKey"))
    is_gone = is_erased(row) and (entity != "order" or bool(row.get("versionId")))
    if is_gone or not vocabulary.ID.match(row_id):
        return
    if entity in vocabulary.ORDER_PARTS:
        yield order_fetch(vocabulary.ORDER_PARTS[entity], row_id)
    elif entity == vocabulary.PRODUCT:
        yield Fetch(
            resource="product",
            id=row_id,
            path="/api/search/product",
            body={
                "limit": 1,
                "filter": [{"type": "equals", "field": "id", "value": row_id}],
            },
        )


def _row_id(primary_key: object) -> str:
    """Versioned rows are named by an object of id and version in some releases."""
    if isinstance(primary_key, dict):
        return line_of_text(primary_key.get("id"))
    return line_of_text(primary_key)


def _associations(tree: Tree) -> dict[str, Any]:
    return {
        name: {"associations": _associations(inner)} if inner else {}
        for name, inner in tree.items()
    }
