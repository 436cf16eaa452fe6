"""Shopify's pull: what the sandbox's shop does not do."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from kette.adapters.vendors.base import Delivery, UnknownPayloadError
from kette.adapters.vendors.shopify import ShopifyAdapter
from kette.adapters.vendors.shopify.pull import ShopifyPull
from kette.domain.facts import OrderSnapshot
from kette.domain.policy import System
from kette.domain.pulls import Again, Answer, Cursor, Hopeless, Page, Purpose, Window
from support.vendor_deliveries import vendor_fixture

SHOP = System("shopify-main", "shopify", "shop", base_url="https://laden.myshopify.com")
NOW = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
CHANGES = Window(Purpose.CHANGES, NOW - timedelta(hours=1))
BACKFILL = Window(Purpose.BACKFILL, NOW - timedelta(days=30))
PULL = ShopifyPull()


def graphql_order() -> dict[str, Any]:
    order: dict[str, Any] = vendor_fixture("shopify", "graphql_order")["data"]["order"]
    return order


def answer(status: int = 200, **told: Any) -> Answer:
    return Answer(status, {}, json.dumps(told).encode())


def names(*ids: str, more: str = "", count: int | None = None, precision: str = "EXACT") -> Answer:
    page = {"hasNextPage": bool(more), "endCursor": more or None}
    orders = {"nodes": [{"id": one} for one in ids], "pageInfo": page}
    told = {"count": len(ids) if count is None else count, "precision": precision}
    return answer(data={"orders": orders, "ordersCount": told})


def throttled(cost: float, available: float, rate: float) -> Answer:
    status = {"maximumAvailable": 2000, "currentlyAvailable": available, "restoreRate": rate}
    return answer(
        errors=[{"message": "Throttled", "extensions": {"code": "THROTTLED"}}],
        extensions={"cost": {"requestedQueryCost": cost, "throttleStatus": status}},
    )


def at_order(*ids: str) -> Cursor:
    page = PULL.read(SHOP, BACKFILL, PULL.begin(BACKFILL), names(*ids))
    assert page.next is not None
    return page.next


def read(cursor: Cursor, given: Answer, window: Window = BACKFILL) -> Page:
    return PULL.read(SHOP, window, cursor, given)


@pytest.mark.parametrize(
    ("given", "wait_s"),
    [(throttled(500, 100, 100), 4.0), (throttled(50, 49, 100), 1.0), (throttled(1, 0, 0), None)],
)
def test_throttled_is_said_with_200_and_waits_until_the_query_fits(
    given: Answer, wait_s: float | None
) -> None:
    for cursor in (PULL.begin(CHANGES), at_order("gid://shopify/Order/1")):
        with pytest.raises(Again) as told:
            read(cursor, given)
        assert told.value.wait_s == wait_s


def test_a_page_asks_for_every_status_from_the_window_on() -> None:
    ask = PULL.ask(SHOP, PULL.begin(CHANGES))
    assert ask.body is not None
    assert ask.body["variables"]["query"] == "updated_at:>='2026-11-23T19:00:00Z' status:any"
    assert "sortKey: UPDATED_AT" in ask.body["query"]


def test_a_count_that_is_not_exact_proves_nothing() -> None:
    page = read(PULL.begin(CHANGES), names("gid://shopify/Order/1", count=25_001,
                                           precision="AT_LEAST"))  # fmt: skip
    assert page.told is None


def test_an_order_that_is_gone_meanwhile_is_counted_all_the_same() -> None:
    page = read(at_order("gid://shopify/Order/1"), answer(data={"order": None}))
    assert (page.objects, page.gone, page.next) == ((), ("gid://shopify/Order/1",), None)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Back soon</html>",
        b"null",
        b"{}",
        b'{"data":null}',
        b'{"data":{}}',
        b'{"data":{"order":"x"}}',
        b'{"data":{"order":{"id":"gid://shopify/Order/1"',
    ],
)
def test_an_answer_that_tells_no_order_makes_none_vanish(body: bytes) -> None:
    first = at_order("gid://shopify/Order/1")
    part = {**first, "part": {"order": graphql_order(), "after": "p2"}}
    for cursor in (first, part):
        with pytest.raises(Hopeless):
            read(cursor, Answer(200, {}, body))


def test_an_order_that_is_no_json_is_shown_and_the_others_go_on() -> None:
    first = at_order("gid://shopify/Order/1", "gid://shopify/Order/2")
    part = {**first, "part": {"order": graphql_order(), "after": "p2"}}
    for cursor in (first, part):
        data = b'{"order":{"note":"\\ud83d"}}'
        page = read(cursor, Answer(200, {}, b'{"extensions":{"cost":9},"data":' + data + b"}"))
        assert [one.body for one in page.objects] == [b'{"data":' + data + b"}"]
        assert page.next is not None
        assert page.next["ids"] == ["gid://shopify/Order/2"]


def test_an_order_that_is_gone_before_its_last_lines_is_not_read_in_part() -> None:
    first = at_order("gid://shopify/Order/1")
    part = {**first, "part": {"order": graphql_order(), "after": "p2"}}
    page = read(part, answer(data={"order": None}))
    assert (page.objects, page.gone) == ((), ("gid://shopify/Order/1",))


def test_a_refusal_of_one_order_is_shown_and_the_others_go_on() -> None:
    refused = answer(
        data={"order": {"id": "gid://shopify/Order/1"}},
        errors=[{"message": "cost too high", "extensions": {"code": "MAX_COST_EXCEEDED"}}],
    )
    page = read(at_order("gid://shopify/Order/1", "gid://shopify/Order/2"), refused)
    (found,) = page.objects
    with pytest.raises(UnknownPayloadError, match="cost too high"):
        ShopifyAdapter().translate(Delivery(SHOP, found.headers, found.body, NOW))
    assert page.next is not None
    assert page.next["ids"] == ["gid://shopify/Order/2"]


def test_rights_that_are_missing_end_the_pull() -> None:
    denied = answer(errors=[{"message": "no", "extensions": {"code": "ACCESS_DENIED"}}])
    with pytest.raises(Hopeless, match="rights"):
        read(PULL.begin(CHANGES), denied)


def test_the_same_order_costs_nothing_new_whatever_the_answer_cost() -> None:
    order = graphql_order()
    bodies = {
        read(at_order(order["id"]), answer(data={"order": order}, extensions={"cost": cost}))
        .objects[0]
        .body
        for cost in (1, 2)
    }
    assert len(bodies) == 1


def test_line_items_are_read_to_their_last_page() -> None:
    order = graphql_order()
    whole = order["lineItems"]["nodes"]
    first: list[Any] = []
    rest = whole
    page = {"hasNextPage": True, "endCursor": "c1"}
    cut = {**order, "lineItems": {"nodes": first, "pageInfo": page}}
    part = read(at_order(order["id"]), answer(data={"order": cut}))
    assert part.objects == ()
    assert part.next is not None
    ask = PULL.ask(SHOP, part.next)
    assert ask.body is not None
    assert ask.body["variables"] == {"id": order["id"], "after": "c1"}
    more = {"lineItems": {"nodes": rest, "pageInfo": {"hasNextPage": False, "endCursor": None}}}
    (found,) = read(part.next, answer(data={"order": more})).objects
    plain = Delivery(SHOP, {}, json.dumps({"data": {"order": order}}).encode(), NOW)
    assert snapshot(Delivery(SHOP, found.headers, found.body, NOW)) == snapshot(plain)


@pytest.mark.parametrize("name", ["lineItems", "shippingLines"])
def test_an_order_of_which_a_part_is_missing_is_refused(name: str) -> None:
    order = graphql_order()
    order[name] = {**order[name], "pageInfo": {"hasNextPage": True, "endCursor": None}}
    delivery = Delivery(SHOP, {}, json.dumps({"data": {"order": order}}).encode(), NOW)
    with pytest.raises(UnknownPayloadError, match=f"{name}: has more entries"):
        ShopifyAdapter().translate(delivery)


def snapshot(delivery: Delivery) -> OrderSnapshot:
    bodies = [draft.body for draft in ShopifyAdapter().translate(delivery).facts]
    return next(body for body in bodies if isinstance(body, OrderSnapshot))
