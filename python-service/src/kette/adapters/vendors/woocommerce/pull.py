"""Pulling from WooCommerce: orders by the time of their last change, then the trash, then the state
of our webhooks.

Pages go by time and not by number: an order that changes while the pull is under way moves to the
end of the list, and by number every order behind its old place would move up by one and the first
of the next page would be skipped. So each page asks for what changed since the last second of the
page before; a page number is used only within a second that holds more orders than a page.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from kette.adapters.vendors.fields import line_of_text, objects, optional_instant
from kette.adapters.vendors.page_objects import (
    is_ours,
    members_of,
    name_of,
    page_size,
    plain_utc,
    rows_of,
    value_of,
)
from kette.adapters.vendors.woocommerce import vocabulary
from kette.adapters.vendors.woocommerce.signature import TOPIC
from kette.domain.policy import System
from kette.domain.pulls import (
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

_ROOT: Final = "/wp-json/wc/v3"
_PAGE: Final = 50
_MOST: Final = 100  # WooCommerce refuses more
_SECOND: Final = timedelta(seconds=1)
# `any` leaves the trash out, and an order in it must not be shipped.
_ORDERS, _TRASH, _WEBHOOKS = "orders", "trash", "webhooks"


class WooCommercePull:
    """See adapters.vendors.base.PullAdapter."""

    kind = "woocommerce"

    def begin(self, window: Window) -> Cursor:
        return _list(_ORDERS, window)

    def ask(self, system: System, cursor: Cursor) -> Ask:
        if cursor["list"] == _WEBHOOKS:
            query = {"per_page": _MOST, "page": cursor["page"]}
            return Ask("GET", f"{_ROOT}/webhooks?{urlencode(query)}")
        query = {
            "status": "trash" if cursor["list"] == _TRASH else "any",
            # Without an offset: with dates_are_gmt it is compared as it is written.
            "modified_after": cursor["after"],
            "dates_are_gmt": "true",
            "orderby": "modified",
            "order": "asc",
            "per_page": page_size(system, _PAGE, _MOST),
            "page": cursor["page"],
        }
        return Ask("GET", f"{_ROOT}/orders?{urlencode(query)}")

    def read(self, system: System, window: Window, cursor: Cursor, answer: Answer) -> Page:
        name = cursor["list"]
        if name == _ORDERS:
            return _orders(system, window, cursor, answer)
        try:
            if name == _TRASH:
                return _orders(system, window, cursor, answer)
            return _webhooks(system, cursor, answer)
        except Hopeless:
            if name == _TRASH and answer.status < 400:
                raise  # no refusal: a list that is none, with orders that nobody may ship
            # Neither the trash nor the webhooks are every key's to see; the orders are in.
            return Page(name, next=_after(name, window))


def _list(name: str, window: Window) -> Cursor:
    # `modified_after` leaves its own second out.
    return {"list": name, "after": plain_utc(window.since.astimezone(UTC) - _SECOND), "page": 1}


def _after(name: str, window: Window) -> Cursor | None:
    if name == _ORDERS and window.purpose is Purpose.CHANGES:
        return _list(_TRASH, window)
    if name in (_ORDERS, _TRASH):
        return {"list": _WEBHOOKS, "page": 1} if window.purpose is Purpose.CHANGES else None
    return None


def _orders(system: System, window: Window, cursor: Cursor, answer: Answer) -> Page:
    refuse_errors(answer)
    rows = rows_of(answer)
    found = [_object(row) for row in rows]
    is_first = cursor["page"] == 1 and cursor["after"] == _list("", window)["after"]
    told = _count(answer, "x-wp-total")
    return Page(
        cursor["list"],
        tuple(found),
        told=told if is_first else None,
        next=_next(system, cursor, found, _count(answer, "x-wp-totalpages"))
        or _after(cursor["list"], window),
    )


def _next(
    system: System, cursor: Cursor, found: list[PulledObject], pages: int | None
) -> Cursor | None:
    """None at the end of the list. The shop's own count of pages says where that is: it leaves out
    what the key's user may not see, so a page may be short and not be the last."""
    if pages is None:
        is_last = len(found) < page_size(system, _PAGE, _MOST)
    else:
        is_last = cursor["page"] >= pages
    if is_last:
        return None
    times = [one.changed_at for one in found if one.changed_at is not None]
    newest = plain_utc(max(times) - _SECOND) if times else ""
    if newest > cursor["after"]:
        return {**cursor, "after": newest, "page": 1}
    return {**cursor, "page": cursor["page"] + 1}


def _object(raw: bytes) -> PulledObject:
    members = members_of(raw)
    headers = {TOPIC: "order.updated", "content-type": "application/json"}
    return PulledObject(name_of(raw, members), headers, raw, _changed_at(members))


def _changed_at(members: dict[str, bytes]) -> datetime | None:
    """By GMT alone: the list is sorted by it."""
    return optional_instant(value_of(members.get("date_modified_gmt")))


def _count(answer: Answer, header: str) -> int | None:
    told = answer.headers.get(header, "").strip()
    return int(told) if told.isdecimal() and len(told) < 12 else None


def _webhooks(system: System, cursor: Cursor, answer: Answer) -> Page:
    """Ours are told by their address; where a proxy changes it, by what they are about."""
    refuse_errors(answer)
    told = [value_of(row) for row in rows_of(answer)]
    hooks = [*cursor.get("hooks", ()), *(_hook(row) for row in objects(told))]
    if (_count(answer, "x-wp-totalpages") or 1) > cursor["page"]:
        return Page(_WEBHOOKS, next={**cursor, "page": cursor["page"] + 1, "hooks": hooks})
    about_orders = [hook for hook in hooks if hook["topic"].startswith(("order.", "action."))]
    ours = [hook for hook in about_orders if is_ours(hook["url"], system)] or about_orders
    return Page(_WEBHOOKS, subscriptions=Subscriptions(tuple(_problems(ours))))


def _hook(row: dict[str, Any]) -> dict[str, str]:
    names = (("topic", "topic"), ("status", "status"), ("url", "delivery_url"), ("name", "name"))
    return {short: line_of_text(row.get(name))[:300] for short, name in names}


def _problems(hooks: list[dict[str, str]]) -> list[str]:
    """Every topic that a shop has a webhook for must have an active one; and orders need one."""
    found: list[str] = []
    topics = sorted({hook["topic"] for hook in hooks} | set(vocabulary.NEEDED_TOPICS))
    for topic in topics:
        of_topic = [hook for hook in hooks if hook["topic"] == topic]
        if any(hook["status"] == "active" for hook in of_topic):
            continue
        if of_topic:
            states = ", ".join(sorted({hook["status"] or "unknown" for hook in of_topic}))
            found.append(f"the webhook {of_topic[0]['name'][:60]!r} for {topic} is {states}")
        elif topic in vocabulary.NEEDED_TOPICS:
            found.append(f"there is no webhook for {topic}")
    return found
