"""GraphQL Admin objects in the shape of REST and webhooks, so that one reader serves both.

Names go from camelCase to snake_case, connections become lists, global ids become numbers, enums
become the lower-case words of REST. The tables hold only what differs beyond that. Fields that a
query did not ask for are simply missing. query.py asks for all that is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from kette.adapters.vendors.fields import line_of_text, mapping, objects
from kette.adapters.vendors.shopify import vocabulary
from kette.adapters.vendors.shopify.amounts import Told
from kette.adapters.vendors.shopify.vocabulary import Kind

_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_GID: Final = re.compile(r"gid://shopify/([A-Za-z]{1,60})/([^/?\s]{1,80})")
_DEEPEST: Final = 30

# GraphQL's name -> REST's, after snake_case; the same in every object.
_NAMES: Final = {
    "presentment_currency_code": "presentment_currency",
    "display_financial_status": "financial_status",
    "display_fulfillment_status": "fulfillment_status",
    "original_unit_price_set": "price_set",
    "original_price_set": "price_set",
    "allocated_amount_set": "amount_set",
    "is_gift_card": "gift_card",
    "custom_attributes": "note_attributes",
    "status_page_url": "order_status_url",
    "country_code_v2": "country_code",
    "unfulfilled_quantity": "fulfillable_quantity",
    "tracking_info": "tracking",
    "authorization_code": "authorization",
    "issued_at": "date",
}
_FULFILLMENT_WORDS: Final = {
    "unfulfilled": None,
    "partially_fulfilled": "partial",
    "pending_fulfillment": None,
    "open": None,
    "in_progress": None,
    "scheduled": None,
    "request_declined": None,
}
# Enums, whose words REST writes small.
_WORDS: Final = frozenset(
    {"financial_status", "fulfillment_status", "kind", "status", "restock_type", "recommendation"}
)
_ROOTS: Final = {
    **vocabulary.WRAPPERS,
    **{f"{name}s": kind for name, kind in vocabulary.WRAPPERS.items()},
}


def is_node(body: Told) -> bool:
    """A GraphQL object rather than a REST one with its global id beside the number."""
    return isinstance(body.get("id"), str) and body["id"].startswith("gid://")


def parts_of(data: Told) -> Iterator[tuple[Kind, Told]]:
    """The objects in "data": single ones and connections, at the root or one level below it
    (shopifyPaymentsAccount { payouts })."""
    for name, value in data.items():
        kind = _ROOTS.get(_snake(name))
        if kind is not None:
            for node in _nodes(value):
                yield _typed(node, kind), as_rest(node)
        elif name == "nodes" or name == "node":
            for node in _nodes(value):
                found = _typed(node, None)
                if found is not None:
                    yield found, as_rest(node)
        elif isinstance(value, dict):
            for inner, deeper in value.items():
                kind = _ROOTS.get(_snake(inner))
                if kind is not None:
                    for node in _nodes(deeper):
                        yield _typed(node, kind), as_rest(node)


def as_rest(node: Told) -> Told:
    """One object in REST's shape."""
    told = _convert(node, 0)
    assert isinstance(told, dict)
    if "line_items" in told or "financial_status" in told:
        told["cut_off"] = _cut_off(node, 0)
        return _order(told)
    if "tracking" in told:
        return _fulfillment(told)
    order = mapping(told.get("order"))
    if order and "order_id" not in told:
        told["order_id"] = order.get("id")
    return _transaction(told) if "kind" in told else _money_flat(told)


def _cut_off(value: Any, depth: int, name: str = "") -> str:
    """Name of a list inside the object that has more pages than were read, or nothing."""
    if depth > _DEEPEST:
        return ""
    if isinstance(value, dict):
        if mapping(value.get("pageInfo")).get("hasNextPage") is True:
            return name
        return next((x for k, v in value.items() if (x := _cut_off(v, depth + 1, k))), "")
    if isinstance(value, list):
        return next((x for v in value if (x := _cut_off(v, depth + 1, name))), "")
    return ""


def _typed(node: Told, kind: Any) -> Any:
    match = _GID.match(line_of_text(node.get("id")))
    return vocabulary.GID_KINDS.get(match.group(1), kind) if match else kind


def _nodes(value: object) -> list[dict[str, Any]]:
    told = mapping(value)
    if "nodes" in told:
        return objects(told["nodes"])
    if "edges" in told:
        return [dict(mapping(edge.get("node"))) for edge in objects(told["edges"])]
    return [dict(told)] if told else objects(value) if isinstance(value, list) else []


def _convert(value: Any, depth: int) -> Any:
    if depth > _DEEPEST:
        return None
    if isinstance(value, dict):
        if "nodes" in value or "edges" in value:
            return [_convert(node, depth + 1) for node in _nodes(value)]
        found: dict[str, Any] = {}
        for key, inner in value.items():
            name = _snake(key)
            name = _NAMES.get(name, name)
            told = _convert(inner, depth + 1)
            if name in _WORDS and isinstance(told, str):
                told = told.lower()
            found[name] = told
        return found
    if isinstance(value, list):
        return [_convert(entry, depth + 1) for entry in value]
    if isinstance(value, str) and value.startswith("gid://"):
        match = _GID.match(value)
        return match.group(2) if match else value
    return value


def _order(told: dict[str, Any]) -> Told:
    told["currency"] = told.pop("currency_code", None)
    word = told.get("fulfillment_status")
    told["fulfillment_status"] = _FULFILLMENT_WORDS.get(word, word) if word else None
    for row in objects(told.get("additional_fees")):
        row["price_set"] = row.pop("price", None)  # a MoneyBag, without "Set" in its name
    for row in objects(told.get("line_items")):
        for duty in objects(row.get("duties")):
            duty["price_set"] = duty.pop("price", None)
        row["properties"] = _named(row.pop("note_attributes", None))
        for name in ("variant", "product"):
            row.setdefault(f"{name}_id", mapping(row.get(name)).get("id"))
    told["note_attributes"] = _named(told.get("note_attributes"))
    for refund in objects(told.get("refunds")):
        for row in objects(refund.get("refund_line_items")):
            row.setdefault("line_item_id", mapping(row.get("line_item")).get("id"))
        refund["transactions"] = [_transaction(x) for x in objects(refund.get("transactions"))]
    told["transactions"] = [_transaction(x) for x in objects(told.get("transactions"))]
    told["fulfillments"] = [_fulfillment(x) for x in objects(told.get("fulfillments"))]
    company = mapping(mapping(told.get("purchasing_entity")).get("company"))
    location = mapping(mapping(told.get("purchasing_entity")).get("location"))
    if company:
        told["company"] = {
            "name": company.get("name"),
            "tax_registration_id": mapping(location.get("tax_settings")).get("tax_registration_id"),
        }
    return told


def _fulfillment(told: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(told)
    display = line_of_text(found.pop("display_status", None)).lower()
    if display and "shipment_status" not in found:
        found["shipment_status"] = None if display == "fulfilled" else display
    tracking = objects(found.get("tracking"))
    found["tracking_numbers"] = [x.get("number") for x in tracking]
    found["tracking_urls"] = [x.get("url") for x in tracking]
    if tracking:
        found["tracking_company"] = tracking[0].get("company")
    rows = objects(found.get("fulfillment_line_items"))
    if rows:
        found["line_items"] = [
            {"id": mapping(row.get("line_item")).get("id"), "quantity": row.get("quantity")}
            for row in rows
        ]
    order = mapping(found.get("order"))
    if order:
        found.setdefault("order_id", order.get("id"))
    return found


def _transaction(told: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(told)
    parent = mapping(found.get("parent_transaction"))
    if parent:
        found.setdefault("parent_id", parent.get("id"))
    return found


def _money_flat(told: dict[str, Any]) -> Told:
    """Disputes and payouts tell one MoneyV2; REST an amount with the currency beside it."""
    for name in ("amount", "net"):
        money = mapping(told.get(name))
        if money:
            told["amount"], told["currency"] = money.get("amount"), money.get("currency_code")
    return told


def _named(rows: object) -> list[dict[str, Any]]:
    return [{"name": row.get("key"), "value": row.get("value")} for row in objects(rows)]


@lru_cache(maxsize=2048)
def _snake(name: str) -> str:
    """
    >>> _snake("presentmentMoney"), _snake("countryCodeV2"), _snake("id")
    ('presentment_money', 'country_code_v2', 'id')
    """
    return _CAMEL.sub("_", name[:100]).lower()
