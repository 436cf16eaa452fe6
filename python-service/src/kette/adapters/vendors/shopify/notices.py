"""Deliveries that say something about an order and change no amount: edits, holds, returns, risk.

Each becomes a note in the order's history. Those that carry ids and differences only (edits, holds,
risk) say so in the translation's note as well: the order itself has to be fetched, which the shop's
`orders/updated` or the next pull does.
"""

from __future__ import annotations

import hashlib

import msgspec

from kette.adapters.vendors.fields import (
    FieldError,
    line_of_text,
    mapping,
    objects,
    required_name,
)
from kette.adapters.vendors.shopify.amounts import Told


class Notice(msgspec.Struct, frozen=True):
    """words: for the history; name: makes the fact unique; order_id may be unknown."""

    name: str
    words: str
    order_id: str = ""
    other: str = ""  # another name under which the order may know it
    fetch: bool = False


def read_edit(told: Told) -> Notice:
    """orders/edited: what was added and removed, by line ids and numbers of pieces."""
    order = required_name(told.get("order_id"), "order_id")
    lines = mapping(told.get("line_items"))
    added, removed = (
        sum(_pieces(row.get("delta")) for row in objects(lines.get(name)))
        for name in ("additions", "removals")
    )
    words = f"The order was edited in the shop: pieces added {added}, removed {removed}"
    note = line_of_text(told.get("staff_note"))[:300]
    return Notice(
        f"edit:{required_name(told.get('id'), 'id')}",
        f"{words} ({note})" if note else words,
        order,
        fetch=True,
    )


def read_risk(told: Told) -> Notice:
    order = _order_id(told)
    if not order:
        raise FieldError("order_id", "missing or not an id")
    level = line_of_text(told.get("risk_level")).lower()[:40] or "unknown"
    provider = line_of_text(told.get("provider_title"))[:80]
    words = f"The shop's risk assessment changed to {level}" + (f" ({provider})" * bool(provider))
    return Notice(f"risk:{order}#{_digest(told)}", words, order, fetch=True)


def read_fulfillment_order(told: Told, topic: str) -> Notice:
    """Some bodies wrap the fulfillment order, most name no order."""
    inner = mapping(told.get("fulfillment_order")) or told
    own = _tail(inner.get("id"))
    verb = topic.partition("/")[2].replace("_", " ") or "updated"
    status = line_of_text(inner.get("status")).lower()[:40]
    reasons = [
        line_of_text(hold.get("reason_notes")) or line_of_text(hold.get("reason"))
        for hold in objects(inner.get("fulfillment_holds"))
    ]
    details = ", ".join(x for x in (status, *reasons) if x)[:300]
    words = f"The shop's fulfillment order {own}: {verb}" + (f" ({details})" if details else "")
    return Notice(
        f"fulfillment-order:{own}#{_digest({'topic': topic, **told})}",
        words[:500],
        _order_id(inner) or _order_id(told),
        f"fulfillment-order:{own}",
        fetch=True,
    )


def read_return(told: Told, topic: str) -> Notice:
    own = _tail(told.get("id"))
    name = line_of_text(told.get("name"))[:40] or own
    status = line_of_text(told.get("status")).lower()[:40] or topic.partition("/")[2]
    pieces = sum(_pieces(row.get("quantity")) for row in objects(told.get("return_line_items")))
    words = f"Return {name} in the shop: {status}" + (f", pieces: {pieces}" if pieces else "")
    return Notice(f"return:{own}#{_digest(told)}", words, _order_id(told), f"return:{own}")


def _order_id(told: Told) -> str:
    for value in (
        told.get("order_id"),
        mapping(told.get("order")).get("id"),
        told.get("admin_graphql_api_order_id"),
        mapping(told.get("order")).get("admin_graphql_api_id"),
    ):
        if found := line_of_text(value):
            return found.rsplit("/", 1)[-1][:100]
    return ""


def _tail(value: object) -> str:
    """The number of a plain or a global id."""
    return required_name(line_of_text(value).rsplit("/", 1)[-1], "id")


def _pieces(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        return 0
    return abs(value) if abs(value) < 10**9 else 0


def _digest(told: Told) -> str:
    return hashlib.sha256(msgspec.json.encode(told, order="sorted")).hexdigest()[:12]
