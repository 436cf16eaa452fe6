"""Pulling from Shopify: which orders changed, page by page; each of them with all that belongs to
it; then the webhook subscriptions.

Shopify counts a query's cost before it runs it and refuses what may become too large, so a page
holds names, and an order is read by itself. A page's cursor names the last order by the time of its
change: one that changes meanwhile moves behind it and comes again. Lists inside an order that have
more pages are read to their end (line items), or the order is refused rather than read in part.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from kette.adapters.vendors.fields import line_of_text, mapping, objects, optional_instant
from kette.adapters.vendors.page_objects import members_of, page_size, plain_utc, value_of
from kette.adapters.vendors.shopify import query, vocabulary
from kette.adapters.vendors.shopify.recognise import topic_of
from kette.domain.policy import System
from kette.domain.pulls import (
    Again,
    Answer,
    Ask,
    Cursor,
    Hopeless,
    Page,
    PulledObject,
    Purpose,
    Subscriptions,
    Window,
    refuse_errors,
)

_PAGE: Final = 50
_MOST: Final = 250
_ORDERS, _WEBHOOKS = "orders", "webhooks"
_HEADERS: Final = {"content-type": "application/json"}


class ShopifyPull:
    """See adapters.vendors.base.PullAdapter."""

    kind = "shopify"

    def begin(self, window: Window) -> Cursor:
        since = plain_utc(window.since.astimezone(UTC), "%Y-%m-%dT%H:%M:%SZ")
        wanted = f"updated_at:>='{since}' status:any"
        return {"list": _ORDERS, "query": wanted, "after": None, "ids": []}

    def ask(self, system: System, cursor: Cursor) -> Ask:
        if cursor["list"] == _WEBHOOKS:
            return _post(query.SUBSCRIPTIONS_QUERY, {"after": cursor["after"]})
        if part := cursor.get("part"):
            wanted = {"id": cursor["ids"][0], "after": part["after"]}
            return _post(query.LINE_ITEMS_QUERY, wanted)
        if cursor["ids"]:
            return _post(query.ORDER_QUERY, {"id": cursor["ids"][0]})
        first = page_size(system, _PAGE, _MOST)
        given = {"query": cursor["query"], "first": first, "after": cursor["after"]}
        return _post(query.CHANGED_QUERY, given)

    def read(self, system: System, window: Window, cursor: Cursor, answer: Answer) -> Page:
        refuse_errors(answer)
        if cursor["list"] == _WEBHOOKS:
            return _webhooks(cursor, answer)
        if cursor.get("part"):
            return _more_lines(window, cursor, answer)
        if cursor["ids"]:
            return _order(window, cursor, answer)
        return _changed(window, cursor, answer)


def _post(text: str, variables: dict[str, Any]) -> Ask:
    return Ask("POST", query.API_PATH, {"query": text, "variables": variables})


# --- pages of names ------------------------------------------------------------------------------


def _changed(window: Window, cursor: Cursor, answer: Answer) -> Page:
    data = _data(answer)
    orders = mapping(data.get("orders"))
    page = mapping(orders.get("pageInfo"))
    if not isinstance(orders.get("nodes"), list) or not page:
        raise Hopeless("the shop's answer holds no page of orders")
    ids = [line_of_text(node.get("id")) for node in objects(orders["nodes"])]
    ended = page.get("hasNextPage") is not True
    following = {
        **cursor,
        "ids": [one for one in ids if one],
        "after": line_of_text(page.get("endCursor")) or cursor["after"],
        "ended": ended,
    }
    if not ended and following["after"] == cursor["after"]:
        raise Hopeless("the shop's list does not go on")
    told = _count(data) if cursor["after"] is None else None
    return Page(_ORDERS, told=told, next=following if ids else _after(window, following))


def _count(data: dict[str, Any]) -> int | None:
    """Only where it is exact; lists of more than 25,000 are not counted to their end."""
    count = mapping(data.get("ordersCount"))
    number = count.get("count")
    is_exact = line_of_text(count.get("precision")) == "EXACT"
    return number if is_exact and isinstance(number, int) else None


def _after(window: Window, cursor: Cursor) -> Cursor | None:
    """What follows once every order of a page is read."""
    if cursor["ids"] or not cursor.get("ended"):
        return cursor
    if window.purpose is Purpose.CHANGES:
        return {"list": _WEBHOOKS, "after": None, "topics": []}
    return None


# --- orders --------------------------------------------------------------------------------------


def _order(window: Window, cursor: Cursor, answer: Answer) -> Page:
    name = cursor["ids"][0]
    rest = _after(window, {**cursor, "ids": cursor["ids"][1:]})
    members = members_of(answer.body)
    if "errors" in members:
        told = _data_or_refusal(answer)
        if told is not None:  # about this order alone: it is shown to a person, the others go on
            return Page(_ORDERS, (_object(name, {"errors": told}),), next=rest)
    if _is_no_json(members):
        return Page(_ORDERS, (_as_told(name, members),), next=rest)
    order = _told_order(answer)
    if order is None:
        return Page(_ORDERS, gone=(name,), next=rest)
    lines = mapping(order.get("lineItems"))
    page = mapping(lines.get("pageInfo"))
    if page.get("hasNextPage") is True and page.get("endCursor"):
        part = {"order": order, "after": page["endCursor"]}
        return Page(_ORDERS, next={**cursor, "part": part})
    changed_at = optional_instant(order.get("updatedAt"))
    return Page(_ORDERS, (_as_told(name, members, changed_at),), next=rest)


def _more_lines(window: Window, cursor: Cursor, answer: Answer) -> Page:
    """One more page of line items, put behind those that came before."""
    name = cursor["ids"][0]
    rest = _after(window, {**cursor, "ids": cursor["ids"][1:], "part": None})
    members = members_of(answer.body)
    if _is_no_json(members):
        return Page(_ORDERS, (_as_told(name, members),), next=rest)
    told = _told_order(answer)
    if told is None:
        return Page(_ORDERS, gone=(name,), next=rest)
    more = mapping(told.get("lineItems"))
    if not isinstance(more.get("nodes"), list):
        raise Hopeless("the shop's answer holds no page of line items")
    order = dict(cursor["part"]["order"])
    known = mapping(order.get("lineItems"))
    nodes = [*objects(known.get("nodes")), *objects(more.get("nodes"))]
    page = mapping(more.get("pageInfo"))
    order["lineItems"] = {"nodes": nodes, "pageInfo": page}
    end = line_of_text(page.get("endCursor"))
    if page.get("hasNextPage") is True and end and end != cursor["part"]["after"]:
        return Page(_ORDERS, next={**cursor, "part": {"order": order, "after": end}})
    return Page(_ORDERS, (_object(name, {"data": {"order": order}}),), next=rest)


def _told_order(answer: Answer) -> dict[str, Any] | None:
    """None: the shop says that there is no such order. An answer that does not say so (a page of
    HTML, nothing, half an answer) must not make an order vanish."""
    data = _data(answer)
    if "order" in data and data["order"] is None:
        return None
    order = mapping(data.get("order"))
    if not order:
        raise Hopeless("the shop's answer holds no order")
    return dict(order)


def _is_no_json(members: dict[str, bytes]) -> bool:
    """Whether something within the data cannot be read (half an emoji): asking again gives the
    same, so a person is shown the order and the others go on."""
    raw = members.get("data", b"null")
    return raw != b"null" and value_of(raw) is None


def _as_told(
    name: str, members: dict[str, bytes], changed_at: datetime | None = None
) -> PulledObject:
    """The bytes of the order as they came: the rest of the answer (what it cost) differs each
    time."""
    return PulledObject(name, _HEADERS, b'{"data":' + members["data"] + b"}", changed_at)


def _object(name: str, body: dict[str, Any]) -> PulledObject:
    return PulledObject(name, _HEADERS, msgspec.json.encode(body), None)


# --- answers -------------------------------------------------------------------------------------


def _data(answer: Answer) -> dict[str, Any]:
    """The data of an answer that must be whole."""
    members = members_of(answer.body)
    refusal = _data_or_refusal(answer) if "errors" in members else None
    if refusal is not None:
        said = objects(refusal)
        words = line_of_text(said[0].get("message")) if said else line_of_text(refusal)
        raise Hopeless(f"the shop answered with an error: {words[:200] or 'no words'}")
    if "data" not in members:
        raise Hopeless("the shop's answer is no GraphQL answer")
    data = value_of(members["data"])
    if not isinstance(data, dict):
        raise Hopeless("the shop's answer holds no data")
    return data


def _data_or_refusal(answer: Answer) -> Any:
    """The errors of an answer; None for an empty list of them. Raises Again where they are about
    the moment and not about what was asked: Shopify says so with status 200."""
    members = members_of(answer.body)
    errors = value_of(members["errors"])
    codes = {
        line_of_text(mapping(error.get("extensions")).get("code")) for error in objects(errors)
    }
    if "THROTTLED" in codes:
        raise Again("the shop's limit is used up", _refilled_in_s(members))
    if codes & {"INTERNAL_SERVER_ERROR", "TIMEOUT"}:
        raise Again("the shop failed to answer")
    if "ACCESS_DENIED" in codes:
        raise Hopeless("the shop refused the rights of the access token")
    return errors or None


def _refilled_in_s(members: dict[str, bytes]) -> float | None:
    """How long until the bucket holds what the query may cost."""
    cost = mapping(mapping(value_of(members.get("extensions"))).get("cost"))
    bucket = mapping(cost.get("throttleStatus"))
    try:
        missing = float(cost["requestedQueryCost"]) - float(bucket["currentlyAvailable"])
        return max(missing / float(bucket["restoreRate"]), 1.0)
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None


# --- webhooks ------------------------------------------------------------------------------------


def _webhooks(cursor: Cursor, answer: Answer) -> Page:
    """A subscription that fails eight times in a row is deleted: what is missing says it."""
    try:
        told = mapping(_data(answer).get("webhookSubscriptions"))
    except Hopeless:
        return Page(_WEBHOOKS)  # the orders are in, and the token may not see this
    topics = [line_of_text(node.get("topic")) for node in objects(told.get("nodes"))]
    known = [*cursor["topics"], *(topic_of({"x-shopify-topic": topic}) for topic in topics)]
    page = mapping(told.get("pageInfo"))
    if page.get("hasNextPage") is True and page.get("endCursor"):
        following = {**cursor, "topics": known, "after": page["endCursor"]}
        return Page(_WEBHOOKS, next=following)
    problems = [
        f"there is no subscription to {topic}"
        for topic in vocabulary.NEEDED_TOPICS
        if topic not in known
    ]
    return Page(_WEBHOOKS, subscriptions=Subscriptions(tuple(problems)))
