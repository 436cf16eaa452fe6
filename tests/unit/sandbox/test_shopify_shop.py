"""The sandbox's Shopify shop: webhooks and GraphQL tell one and the same order."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from kette.adapters.vendors.base import Delivery
from kette.adapters.vendors.shopify import ShopifyAdapter
from kette.adapters.vendors.shopify.query import API_PATH, CHANGED_QUERY, ORDER_QUERY
from kette.domain.facts import (
    OrderSnapshot,
    ParcelReported,
    PaymentReported,
    PaymentState,
    RefundReported,
)
from kette.domain.money import Money
from kette.domain.order import Order, ShopClaim
from kette.domain.policy import System
from support.sandbox_box import BILLING, START, Box

ADAPTER = ShopifyAdapter()
GOODS = [{"sku": "BECHER-LT-01", "quantity": 3}, {"sku": "978-3-00-000001-1"}]
REFUND = """mutation Refund($input: RefundInput!, $key: String!) {
  refundCreate(input: $input) @idempotent(key: $key) {
    refund { id note transactions(first: 9) { nodes { id amountSet { shopMoney { amount } } } } }
    userErrors { field message }
  }
}"""


class ShopBox(Box):
    """A Shopify shop with its GraphQL interface and its caught webhooks."""

    @property
    def system(self) -> System:
        return System(
            id="shopify-main",
            kind="shopify",
            role="shop",
            base_url=f"https://{self.config.shopify_domain}",
        )

    def order(self, **wish: Any) -> int:
        given = {"basket": GOODS, "billing": BILLING, "payment": "card", **wish}
        return int(self.sandbox.actors.place(given, shop="shopify")["id"])

    def run(self, text: str, /, token: str = "", path: str = API_PATH, **variables: Any) -> Any:
        return self.answer(text, token, path, **variables).json()

    def answer(
        self, text: str, /, token: str = "", path: str = API_PATH, **variables: Any
    ) -> httpx.Response:
        headers = {"X-Shopify-Access-Token": token or self.config.shopify_token}
        body = {"query": text, "variables": variables}
        return asyncio.run(self.http.post(f"/shopify{path}", json=body, headers=headers))

    def pump(self) -> list[httpx.Request]:
        self.caught.requests.clear()
        asyncio.run(self.sandbox.webhooks.pump())
        return list(self.caught.requests)

    def facts(self) -> list[Any]:
        """What the adapter makes of the deliveries since the last look, signatures checked."""
        found = []
        for request in self.pump():
            headers = {name.lower(): value for name, value in request.headers.items()}
            delivery = Delivery(self.system, headers, request.content, START)
            ADAPTER.verify(delivery, [self.config.shopify_hook_secret.encode()])
            found += [draft.body for draft in ADAPTER.translate(delivery).facts]
        return found

    def pushed(self) -> Order:
        return [fact.order for fact in self.facts() if isinstance(fact, OrderSnapshot)][-1]

    def fetched(self, order_id: int) -> Order:
        told = self.answer(ORDER_QUERY, id=f"gid://shopify/Order/{order_id}")
        (draft, *_) = ADAPTER.translate(Delivery(self.system, {}, told.content, START)).facts
        assert isinstance(draft.body, OrderSnapshot)
        return draft.body.order

    def sale(self, order_id: int) -> int:
        return int(self.sandbox.shopify.find(order_id)["transactions"][0]["id"])

    def refund(self, order_id: int, amount: str, key: str, **more: Any) -> Any:
        parent = self.sandbox.shopify.find(order_id)["transactions"][0]
        row = {
            "orderId": f"gid://shopify/Order/{order_id}",
            "parentId": f"gid://shopify/OrderTransaction/{parent['id']}",
            "gateway": parent["gateway"],
            "kind": "REFUND",
            "amount": amount,
        }
        given = {"orderId": row["orderId"], "transactions": [row], "note": "why", **more}
        return self.run(REFUND, input=given, key=key)

    def fulfillment_order(self, order_id: int) -> int:
        return int(self.sandbox.shopify.find(order_id)["fulfillment_orders"][0]["id"])


@pytest.fixture
def box() -> ShopBox:
    return ShopBox()


def common(order: Order) -> dict[str, Any]:
    """What both ways of telling must agree on; risk and payments are told by one of them alone."""
    return {
        "number": order.number,
        "total": order.total,
        "tax": order.total_tax,
        "lines": [(x.sku, x.quantity, x.net, x.tax, x.rate, x.taken_off) for x in order.lines],
        "rates": [(x.rate, x.net, x.tax) for x in order.tax_by_rate],
        "shipping": order.shipping,
        "billing": order.billing,
        "claim": order.claim,
        "refunds": [(x.amount, x.reason) for x in order.refunds],
        "method": order.payment_method,
    }


def test_a_card_order_is_told_with_its_payment_and_signed(box: ShopBox) -> None:
    order_id = box.order()
    facts = box.facts()
    order = next(fact.order for fact in facts if isinstance(fact, OrderSnapshot))
    # 3 x 14.90 + 24.00 + 4.90; the tax of each row is taken out of its gross price.
    assert (order.external_id, order.total) == (str(order_id), Money(7360, "EUR"))
    assert order.total_tax == Money(714 + 157 + 78, "EUR")
    payments = [fact for fact in facts if isinstance(fact, PaymentReported)]
    assert [(p.state, p.amount.minor) for p in payments] == [(PaymentState.CAPTURED, 7360)]
    topics = [request.headers["x-shopify-topic"] for request in box.caught.requests]
    assert topics == [
        "products/update",
        "orders/create",
        "orders/paid",
        "orders/updated",
        "order_transactions/create",
    ]


def test_each_delivery_has_an_id_of_its_own_and_one_action_is_one_event(box: ShopBox) -> None:
    box.order(basket=[{"sku": "TEE-250"}])
    headers = [request.headers for request in box.pump()]
    assert len({h["x-shopify-webhook-id"] for h in headers}) == len(headers)
    assert len({h["x-shopify-event-id"] for h in headers}) == 1


@pytest.mark.parametrize("payment", ["card", "card_reserved", "klarna", "bacs", "cod", "invoice"])
@pytest.mark.parametrize("percent", [0, 10])
def test_a_fetched_order_reads_as_the_pushed_one(box: ShopBox, payment: str, percent: int) -> None:
    order_id = box.order(payment=payment, coupon_percent=percent)
    assert common(box.fetched(order_id)) == common(box.pushed())


def test_an_edited_a_refunded_and_a_cancelled_order_read_the_same_both_ways(box: ShopBox) -> None:
    actors = box.sandbox.actors
    edited, refunded, cancelled = box.order(), box.order(), box.order()
    for deed, order_id in (
        (lambda: actors.edit_quantity(edited, 1, 2), edited),
        (lambda: actors.edit_quantity(edited, 1, 4), edited),
        (lambda: actors.shop_refund(refunded, lines=[{"line": 1}], reason="broken"), refunded),
        (lambda: actors.shop_status(cancelled, "cancelled"), cancelled),
    ):
        box.pump()
        deed()
        assert common(box.fetched(order_id)) == common(box.pushed())


def test_fewer_pieces_make_the_order_smaller_and_more_pieces_larger(box: ShopBox) -> None:
    order_id = box.order()
    box.sandbox.actors.edit_quantity(order_id, 1, 2)
    assert box.fetched(order_id).total == Money(7360 - 1490, "EUR")
    box.sandbox.actors.edit_quantity(order_id, 1, 5)
    assert box.fetched(order_id).total == Money(7360 + 2 * 1490, "EUR")


def test_the_pull_goes_through_all_pages_by_time_of_change(box: ShopBox) -> None:
    placed = []
    for _ in range(23):
        placed.append(box.order(basket=[{"sku": "TEE-250"}]))
        box.clock.advance(60)
    box.sandbox.actors.save_unchanged(placed[0])
    since = "updated_at:>='2026-11-23T20:15:00Z' status:any"
    found: list[str] = []
    after = None
    while True:
        told = box.run(CHANGED_QUERY, query=since, first=10, after=after)["data"]["orders"]
        found += [node["id"].rpartition("/")[2] for node in told["nodes"]]
        if not told["pageInfo"]["hasNextPage"]:
            break
        after = told["pageInfo"]["endCursor"]
    # The clock starts at 20:12:53: the first three were changed before, one of them is saved later.
    assert [int(one) for one in found] == [*placed[3:], placed[0]]
    assert box.run("{ ordersCount { count precision } }")["data"]["ordersCount"] == {
        "count": 23,
        "precision": "EXACT",
    }


def test_a_refund_needs_a_key_and_the_same_key_gives_the_same_refund(box: ShopBox) -> None:
    order_id = box.order()
    without = REFUND.replace(" @idempotent(key: $key)", "").replace(", $key: String!", "")
    given = {"orderId": f"gid://shopify/Order/{order_id}", "note": "x"}
    told = box.run(without, input=given)
    assert (told["data"]["refundCreate"], told["errors"][0]["extensions"]["code"]) == (
        None,
        "BAD_REQUEST",
    )
    first = box.refund(order_id, "10.00", "key-1")
    assert box.refund(order_id, "10.00", "key-1")["data"] == first["data"]
    assert len(box.sandbox.shopify.find(order_id)["refunds"]) == 1
    other = box.refund(order_id, "11.00", "key-1")
    assert other["errors"][0]["extensions"]["code"] == "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"


def test_more_than_was_paid_is_a_user_error_with_200(box: ShopBox) -> None:
    order_id = box.order()
    told = box.refund(order_id, "73.61", "key-2")["data"]["refundCreate"]
    assert told["refund"] is None
    assert told["userErrors"][0]["field"] == ["transactions", "0", "amount"]
    assert box.sandbox.shopify.find(order_id)["refunds"] == []


def test_a_refund_is_told_by_webhooks(box: ShopBox) -> None:
    order_id = box.order()
    box.pump()
    box.refund(order_id, "10.00", "key-3")
    told = {f.refund_id: f for f in box.facts() if isinstance(f, RefundReported)}
    assert [(f.amount.minor, f.payment_id) for f in told.values()] == [
        (1000, str(box.sale(order_id)))
    ]
    assert box.sandbox.actors.desk_of(order_id).effects(order_id)["refunds"][0]["amount"] == 1000


def test_a_refund_and_a_parcel_that_come_twice_are_counted(box: ShopBox) -> None:
    order_id = box.order()
    note = "cancelled [refund_payment:ord_1:cancel]"
    for key in ("key-4", "key-5"):
        box.refund(order_id, "1.00", key, note=note)
    work, record = box.sandbox.shopify_work, box.sandbox.shopify.find(order_id)
    line = record["lines"][0]["id"]
    for _ in range(2):
        work.fulfill(record, record["fulfillment_orders"][0], {line: 1}, {"numbers": ["T1"]})
    state = asyncio.run(box.http.get("/_control/state")).json()
    assert state["doubled"]["shopify_refunds"] == [note]
    assert state["doubled"]["shopify_parcels"] == [f"{record['name']} T1"]
    assert state["orders_by_shop"] == {"woocommerce": 0, "shopify": 1, "shopware": 0}


FULFILL = """mutation F($fulfillment: FulfillmentInput!) {
  fulfillmentCreate(fulfillment: $fulfillment) { fulfillment { id status } userErrors { message } }
}"""


def test_goods_leave_in_two_parts_and_the_order_is_archived_with_the_last(box: ShopBox) -> None:
    order_id = box.order()
    record = box.sandbox.shopify.find(order_id)
    own = f"gid://shopify/FulfillmentOrder/{box.fulfillment_order(order_id)}"
    first = f"gid://shopify/FulfillmentOrderLineItem/{record['lines'][0]['id']}"
    tracking = {"company": "DHL", "numbers": ["T1"], "urls": ["https://track.example/T1"]}
    box.pump()

    def fulfill(**group: Any) -> Any:
        rows = [{"fulfillmentOrderId": own, **group}]
        given = {"lineItemsByFulfillmentOrder": rows, "trackingInfo": tracking}
        return box.run(FULFILL, fulfillment=given)["data"]["fulfillmentCreate"]

    assert fulfill(fulfillmentOrderLineItems=[{"id": first, "quantity": 1}])["userErrors"] == []
    parcels = [f for f in box.facts() if isinstance(f, ParcelReported)]
    assert {(f.tracking_number, f.lines[0].quantity) for f in parcels} == {("T1", 1)}
    assert box.fetched(order_id).claim is ShopClaim.PROCESSING
    assert fulfill()["fulfillment"]["status"] == "SUCCESS"
    assert box.fetched(order_id).claim is ShopClaim.COMPLETED
    assert "unfulfillable status" in fulfill()["userErrors"][0]["message"]


def test_a_hold_is_told_and_keeps_goods_back(box: ShopBox) -> None:
    order_id = box.order()
    own = f"gid://shopify/FulfillmentOrder/{box.fulfillment_order(order_id)}"
    hold = """mutation H($id: ID!, $hold: FulfillmentOrderHoldInput!) {
      fulfillmentOrderHold(id: $id, fulfillmentHold: $hold) {
        fulfillmentOrder { status } userErrors { code } } }"""
    told = box.run(hold, id=own, hold={"reason": "OTHER", "reasonNotes": "wait"})
    assert told["data"]["fulfillmentOrderHold"]["fulfillmentOrder"] == {"status": "ON_HOLD"}
    assert box.fetched(order_id).claim is ShopClaim.ON_HOLD
    again = box.run(hold, id=own, hold={"reason": "OTHER"})["data"]["fulfillmentOrderHold"]
    assert again["userErrors"] == [{"code": "FULFILLMENT_ORDER_NOT_HOLDABLE"}]
    wrong = box.run(hold, id=own, hold={"reason": "NONSENSE"})
    assert "FulfillmentHoldReason" in wrong["errors"][0]["message"]


def test_a_field_that_is_not_there_is_refused_with_200(box: ShopBox) -> None:
    answer = box.answer("{ shop { name nonsense } }")
    assert answer.status_code == 200
    assert answer.json()["errors"][0]["extensions"] == {
        "code": "undefinedField",
        "typeName": "Shop",
        "fieldName": "nonsense",
    }


def test_without_a_token_and_with_a_strange_version_nothing_is_told(box: ShopBox) -> None:
    assert box.answer("{ shop { name } }", token="wrong").status_code == 401
    path = "/admin/api/2026-13/graphql.json"
    assert box.answer("{ shop { name } }", path=path).status_code == 404


def test_too_many_calls_are_answered_with_200_and_throttled(box: ShopBox) -> None:
    rule = {"route": "POST /shopify/*", "kind": "rate_limit", "times": 1}
    assert asyncio.run(box.http.post("/_control/faults", json=rule)).status_code == 201
    answer = box.answer("{ shop { name } }")
    assert answer.status_code == 200
    assert answer.json()["errors"][0]["extensions"]["code"] == "THROTTLED"
    assert box.run("{ shop { name } }")["data"]["shop"]["name"] == "Nordlicht Laden"


def test_a_dropped_subscription_is_not_listed_until_it_is_made_again(box: ShopBox) -> None:
    query = "{ webhookSubscriptions(first: 100) { nodes { topic uri } } }"

    def listed() -> set[str]:
        nodes = box.run(query)["data"]["webhookSubscriptions"]["nodes"]
        assert {node["uri"] for node in nodes} == {box.config.shopify_target}
        return {node["topic"] for node in nodes}

    before = listed()
    box.caught.answers = [500] * 200
    box.order(basket=[{"sku": "TEE-250"}])
    for _ in range(9):
        box.pump()
        box.clock.advance(3 * 3600)
    assert before - listed() >= {"ORDERS_CREATE", "ORDERS_UPDATED"}
    create = """mutation S($topic: String!) {
      webhookSubscriptionCreate(topic: $topic, webhookSubscription: {format: "JSON"}) {
        webhookSubscription { topic } userErrors { message } } }"""
    box.run(create, topic="ORDERS_CREATE")
    assert "ORDERS_CREATE" in listed()
