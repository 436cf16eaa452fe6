"""Pulling from Shopware: orders of which any part changed, in the order in which they were placed;
then the state of our webhooks.

A transaction or a delivery that changes leaves the order's own time as it is, so the times of all
parts are asked for. Pages go by the time of placing, which never changes: by page number, an order
that falls into the window meanwhile would move all others, and some would be skipped. A page number
is used only within an instant that holds more orders than a page.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from kette.adapters.vendors.fields import line_of_text, mapping, optional_instant
from kette.adapters.vendors.page_objects import (
    is_ours,
    members_of,
    name_of,
    page_size,
    rows_in,
    value_of,
)
from kette.adapters.vendors.shopware import vocabulary
from kette.adapters.vendors.shopware.events import order_associations
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

_PAGE: Final = 25  # with all that belongs to an order
_MOST: Final = 100  # the limit that a shop sets is 100 or more
_ORDERS, _WEBHOOKS = "orders", "webhooks"
_PARTS: Final = (
    *("", "transactions.", "transactions.captures.", "transactions.captures.refunds."),
    *("deliveries.", "lineItems.", "addresses.", "orderCustomer."),
)
_HEADERS: Final = {"content-type": "application/json"}


class ShopwarePull:
    """See adapters.vendors.base.PullAdapter."""

    kind = "shopware"

    def begin(self, window: Window) -> Cursor:
        return {"list": _ORDERS, "since": _instant(window.since), "placed": "", "page": 1}

    def ask(self, system: System, cursor: Cursor) -> Ask:
        if cursor["list"] == _WEBHOOKS:
            return Ask("POST", "/api/search/webhook", {"limit": _MOST, "page": cursor["page"]})
        changed = [
            _since(f"{part}{name}", cursor["since"])
            for part in _PARTS
            for name in ("updatedAt", "createdAt")
        ]
        filters: list[dict[str, Any]] = [{"type": "multi", "operator": "OR", "queries": changed}]
        if cursor["placed"]:
            filters.append(_since("createdAt", cursor["placed"]))
        body = {
            "limit": page_size(system, _PAGE, _MOST),
            "page": cursor["page"],
            "total-count-mode": 1,
            "filter": filters,
            "sort": [
                {"field": "createdAt", "order": "ASC"},
                {"field": "id", "order": "ASC"},
            ],
            "associations": order_associations(),
        }
        return Ask("POST", "/api/search/order", body)

    def read(self, system: System, window: Window, cursor: Cursor, answer: Answer) -> Page:
        if cursor["list"] == _WEBHOOKS:
            return _webhooks(system, cursor, answer)
        return _orders(system, window, cursor, answer)


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+00:00")


def _since(field: str, moment: str) -> dict[str, Any]:
    return {"type": "range", "field": field, "parameters": {"gte": moment}}


# --- orders --------------------------------------------------------------------------------------


def _orders(system: System, window: Window, cursor: Cursor, answer: Answer) -> Page:
    refuse_errors(answer)
    members = members_of(answer.body)
    rows = rows_in(members.get("data", b""))
    total = value_of(members.get("total"))
    is_first = cursor["page"] == 1 and not cursor["placed"]
    following = _next(system, cursor, rows)
    if following is None and window.purpose is Purpose.CHANGES:
        following = {"list": _WEBHOOKS, "page": 1, "hooks": []}
    return Page(
        _ORDERS,
        tuple(_object(row) for row in rows),
        told=total if is_first and isinstance(total, int) else None,
        next=following,
    )


def _next(system: System, cursor: Cursor, rows: list[bytes]) -> Cursor | None:
    if len(rows) < page_size(system, _PAGE, _MOST):
        return None
    newest = line_of_text(value_of(members_of(rows[-1]).get("createdAt")))
    if newest and newest != cursor["placed"]:
        return {**cursor, "placed": newest, "page": 1}
    return {**cursor, "page": cursor["page"] + 1}


def _object(raw: bytes) -> PulledObject:
    """The row as the answer to a search for it alone would hold it."""
    members = members_of(raw)
    changed_at = optional_instant(value_of(members.get("updatedAt") or members.get("createdAt")))
    body = b'{"data":[' + raw + b"]}"
    return PulledObject(name_of(raw, members), _HEADERS, body, changed_at)


# --- webhooks ------------------------------------------------------------------------------------


def _webhooks(system: System, cursor: Cursor, answer: Answer) -> Page:
    """Ours are told by their address."""
    try:
        refuse_errors(answer)
        rows = rows_in(members_of(answer.body).get("data", b""))
    except Hopeless:
        return Page(_WEBHOOKS)  # not every integration may see them; the orders are in
    hooks = [*cursor["hooks"], *(_hook(mapping(value_of(row))) for row in rows)]
    if len(rows) >= _MOST:
        return Page(_WEBHOOKS, next={**cursor, "page": cursor["page"] + 1, "hooks": hooks})
    about_orders = [hook for hook in hooks if hook["event"].startswith(_ABOUT_ORDERS)]
    ours = [hook for hook in about_orders if is_ours(hook["url"], system)] or about_orders
    return Page(_WEBHOOKS, subscriptions=Subscriptions(tuple(_problems(ours))))


_ABOUT_ORDERS: Final = ("order", "checkout.order", "state_enter.order", "state_leave.order")


def _hook(row: Any) -> dict[str, Any]:
    errors = row.get("errorCount")
    return {
        "event": line_of_text(row.get("eventName"))[:120],
        "url": line_of_text(row.get("url"))[:300],
        "active": row.get("active") is not False,
        "errors": errors if isinstance(errors, int) else 0,
    }


def _problems(hooks: list[dict[str, Any]]) -> list[str]:
    found: list[str] = []
    for event in sorted({hook["event"] for hook in hooks} | set(vocabulary.NEEDED_EVENTS)):
        known = [hook for hook in hooks if hook["event"] == event]
        alive = [hook["errors"] for hook in known if hook["active"]]
        if not known:
            found.append(f"there is no webhook for {event}")
        elif not alive:
            found.append(f"the webhook for {event} is switched off")
        elif min(alive) >= vocabulary.MANY_ERRORS:
            found.append(f"the webhook for {event} has failed {min(alive)} times in a row")
    return found
