"""The sandbox's Shopware shop: token, search, transitions, orders, signed webhooks."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from kette.adapters.vendors.base import Delivery
from kette.adapters.vendors.shopware.events import order_fetch
from kette.domain.facts import ActionReported, OrderSnapshot
from kette.domain.money import Money
from kette.domain.order import Order, ShopClaim
from support.sandbox_box import BILLING, START, Box
from support.shopware_orders import ADAPTER, SHOPWARE, order_row

GOODS = [{"sku": "BECHER-LT-01", "quantity": 3}, {"sku": "978-3-00-000001-1"}]


class ShopBox(Box):
    """A Shopware shop with one order of the fixtures, and a client that has a token."""

    def __init__(self) -> None:
        super().__init__()
        config = self.config
        self.pair = {"client_id": config.shopware_id, "client_secret": config.shopware_secret}
        self.shop = self.sandbox.shopware
        self.order = order_row()
        self.shop.take(self.order)
        self.headers = self.login()

    def call(self, method: str, path: str, **more: Any) -> httpx.Response:
        return asyncio.run(self.http.request(method, f"/shopware{path}", **more))

    def login(self) -> dict[str, str]:
        form = {"grant_type": "client_credentials", **self.pair}
        token = self.call("POST", "/api/oauth/token", data=form).json()["access_token"]
        return {"authorization": f"Bearer {token}"}

    def post(self, path: str, body: Any = None) -> httpx.Response:
        return self.call("POST", f"/api{path}", json=body or {}, headers=self.headers)

    def move(self, entity: str, row_id: str, name: str) -> httpx.Response:
        return self.post(f"/_action/{entity}/{row_id}/state/{name}")

    def pump(self) -> list[httpx.Request]:
        self.caught.requests.clear()
        asyncio.run(self.sandbox.webhooks.pump())
        return [r for r in self.caught.requests if str(r.url) == self.config.shopware_target]

    def events(self) -> list[str]:
        return [json.loads(request.content)["data"]["event"] for request in self.pump()]

    def sold(self, **wish: Any) -> str:
        given = {"basket": GOODS, "billing": BILLING, **wish}
        return str(self.sandbox.actors.place(given, shop="shopware")["id"])

    def read(self, order_id: str) -> Order:
        """The order as the adapter reads it, with what it asks for."""
        told = self.post("/search/order", dict(order_fetch("id", order_id).body))
        drafts = ADAPTER.translate(Delivery(SHOPWARE, {}, told.content, START)).facts
        return next(d.body.order for d in drafts if isinstance(d.body, OrderSnapshot))


@pytest.fixture
def box() -> ShopBox:
    return ShopBox()


def test_without_a_token_or_with_an_old_one_nothing_is_told(box: ShopBox) -> None:
    assert box.call("POST", "/api/search/order", json={}).status_code == 401
    box.clock.advance(600)
    refused = box.post("/search/order")
    assert refused.status_code == 401
    read = ADAPTER.translate_report(
        ActionReported("k", "check_stock", False, answer=refused.json(), retryable=False)
    )
    assert read.retryable
    box.headers = box.login()
    assert box.post("/search/order").status_code == 200


def test_a_wrong_secret_gets_no_token(box: ShopBox) -> None:
    form = {"grant_type": "client_credentials", **box.pair, "client_secret": "wrong"}
    answer = box.call("POST", "/api/oauth/token", data=form)
    assert (answer.status_code, answer.json()["errors"][0]["status"]) == (401, "401")


def test_an_event_leads_to_a_reading(box: ShopBox) -> None:
    """The whole way: signed event, what it asks for, the search, the order."""
    (request,) = box.pump()
    event = Delivery(SHOPWARE, dict(request.headers), request.content, START)
    ADAPTER.verify(event, [box.config.shopware_hook_secret.encode()])
    (fetch,) = ADAPTER.translate(event).fetch
    answer = box.call("POST", fetch.path, json=dict(fetch.body), headers=box.headers)
    (draft,) = ADAPTER.translate(Delivery(SHOPWARE, {}, answer.content, START)).facts
    assert isinstance(draft.body, OrderSnapshot)
    assert draft.body.order.external_id == box.order["id"]


def test_the_order_is_found_by_any_of_its_rows(box: ShopBox) -> None:
    for field, part in (("transactions.id", "transactions"), ("lineItems.id", "lineItems")):
        rule = {"type": "equals", "field": field, "value": box.order[part][0]["id"]}
        assert box.post("/search/order", {"filter": [rule]}).json()["total"] == 1
    rule = {"type": "equals", "field": "transactions.id", "value": "0" * 32}
    assert box.post("/search/order", {"filter": [rule]}).json()["total"] == 0


def test_a_transition_changes_its_row_only_and_announces_it(box: ShopBox) -> None:
    transaction = box.order["transactions"][0]["id"]
    box.pump()
    assert box.move("order_transaction", transaction, "refund").status_code == 200
    told = box.shop.find(box.order["id"])
    assert told["updatedAt"] == box.order["updatedAt"]
    assert told["transactions"][0]["updatedAt"] == "2026-11-23T20:12:53.000+00:00"
    assert box.events() == ["state_enter.order_transaction.state.refunded"]


def test_the_same_transition_again_changes_nothing(box: ShopBox) -> None:
    for _ in range(2):
        assert box.move("order", box.order["id"], "process").status_code == 200
    assert [name for _, _, name in box.shop.effects()] == ["process"]


@pytest.mark.parametrize(
    ("before", "wanted", "is_done"),
    [
        (("process",), "process", True),
        (("process", "complete"), "complete", True),
        (("cancel",), "cancel", True),
        ((), "complete", False),
        (("cancel",), "complete", False),
        (("process", "complete"), "cancel", False),
    ],
)
def test_what_the_shop_refuses_is_read_for_what_it_means(
    box: ShopBox, before: tuple[str, ...], wanted: str, is_done: bool
) -> None:
    for name in before:
        box.move("order", box.order["id"], name)
    answer = box.move("order", box.order["id"], wanted)
    report = ActionReported(
        "k", "update_shop_order", answer.status_code == 200, answer=answer.json(), retryable=False
    )
    assert ADAPTER.translate_report(report).done is is_done


def test_tracking_and_notes_are_kept(box: ShopBox) -> None:
    delivery = box.order["deliveries"][0]["id"]

    def patch(path: str, body: Any) -> httpx.Response:
        return box.call("PATCH", f"/api/{path}", json=body, headers=box.headers)

    assert patch(f"order-delivery/{delivery}", {"trackingCodes": ["T1"]}).status_code == 204
    answer = patch(f"order/{box.order['id']}?_response=basic", {"customFields": {"kette-1": "x"}})
    assert answer.json()["data"]["customFields"] == {"geschenk": "ja", "kette-1": "x"}
    assert box.shop.find(box.order["id"])["deliveries"][0]["trackingCodes"] == ["T1"]


# -- orders of the sandbox's own ------------------------------------------------------------------
def test_an_order_of_the_checkout_reads_to_the_cent(box: ShopBox) -> None:
    order = box.read(box.sold())
    # 3 x 14.90 + 24.00 + 4.90 shipping, which is taxed at 19 and 7 % in proportion to the goods.
    assert (order.total, order.prices_include_tax) == (Money(7360, "EUR"), True)
    assert [(x.sku, x.quantity, x.net.minor + x.tax.minor) for x in order.lines][:2] == [
        ("BECHER-LT-01", 3, 4470),
        ("978-3-00-000001-1", 1, 2400),
    ]
    by_rate = {share.rate: share.gross.minor for share in order.tax_by_rate}
    assert by_rate == {"0.19": 4470 + 319, "0.07": 2400 + 171}
    assert order.rounding is None
    assert (order.billing.email, order.shipping.city) == (BILLING["email"], "Hamburg")


def test_a_card_is_paid_at_stripe_and_the_shop_keeps_the_payments_id(box: ShopBox) -> None:
    box.pump()
    order_id = box.sold()
    assert box.read(order_id).claim is ShopClaim.PENDING
    paid = box.sandbox.actors.pay(order_id)
    order = box.read(order_id)
    assert (order.claim, order.payment_reference) == (ShopClaim.PROCESSING, paid["payment_intent"])
    assert order.paid_total == Money(7360, "EUR")
    assert [e for e in box.events() if "transaction" in e] == [
        "state_enter.order_transaction.state.in_progress",
        "state_enter.order_transaction.state.paid",
    ]


def test_after_a_failed_payment_the_customer_makes_another_attempt(box: ShopBox) -> None:
    actors, order_id = box.sandbox.actors, box.sold()
    actors.fail_payment(order_id)
    assert box.read(order_id).claim is ShopClaim.FAILED
    actors.pay(order_id, new_attempt=True)
    assert box.read(order_id).claim is ShopClaim.PROCESSING
    assert len(box.shop.find(order_id)["transactions"]) == 2


@pytest.mark.parametrize("payment", ["invoice", "bacs", "cod"])
def test_what_is_paid_later_is_on_hold_until_staff_says_that_it_came(
    box: ShopBox, payment: str
) -> None:
    order_id = box.sold(payment=payment)
    assert box.read(order_id).claim is ShopClaim.ON_HOLD
    box.sandbox.actors.transfer(order_id)
    assert box.read(order_id).claim is ShopClaim.PROCESSING


def test_a_part_and_then_the_rest_are_refunded(box: ShopBox) -> None:
    actors, order_id = box.sandbox.actors, box.sold()
    actors.pay(order_id)
    actors.shop_refund(order_id, lines=[{"line": 1, "quantity": 1}])
    effects = actors.desk_of(order_id).effects(order_id)
    assert [refund["amount"] for refund in effects["refunds"]] == [1490]
    assert effects["shop"]["status"] == "open/refunded_partially/open"
    actors.shop_refund(order_id, full=True)
    effects = actors.desk_of(order_id).effects(order_id)
    assert [refund["amount"] for refund in effects["refunds"]] == [1490, 5870]
    assert effects["shop"]["status"] == "open/refunded/open"


def test_an_edit_counts_lines_shipping_and_totals_anew(box: ShopBox) -> None:
    order_id = box.sold()
    before = box.read(order_id)
    box.clock.advance(5)
    box.sandbox.actors.edit_quantity(order_id, 1, 1)
    box.sandbox.actors.edit_address(order_id, {"address_1": "Neuer Weg 5"}, "shipping")
    order = box.read(order_id)
    assert order.total == Money(7360 - 2 * 1490, "EUR")
    assert (order.shipping.line1, order.billing.line1) == ("Neuer Weg 5", "Hafenstr. 3")
    assert order.version > before.version


def test_what_was_not_asked_for_is_not_told(box: ShopBox) -> None:
    """As in Shopware: a reader that forgets an association sees a gap, not an empty list."""
    (row,) = box.post("/search/order", {"ids": [box.order["id"]]}).json()["data"]
    assert (row["lineItems"], row["transactions"], row["orderCustomer"]["customer"]) == (
        None,
        None,
        None,
    )
    asked = {"associations": {"transactions": {"associations": {"stateMachineState": {}}}}}
    (row,) = box.post("/search/order", {"ids": [box.order["id"]], **asked}).json()["data"]
    (transaction,) = row["transactions"]
    assert transaction["stateMachineState"]["technicalName"] == "paid"
    assert transaction["paymentMethod"] is None


def changed_since(moment: str) -> dict[str, Any]:
    """What a pull asks: the order itself or one of its rows was written since."""
    fields = ("updatedAt", "createdAt", "transactions.updatedAt", "deliveries.updatedAt")
    rows = [{"type": "range", "field": field, "parameters": {"gte": moment}} for field in fields]
    return {"type": "multi", "operator": "OR", "queries": rows}


def test_all_pages_of_changed_orders(box: ShopBox) -> None:
    old = box.sold(payment="invoice")
    box.clock.advance(3600)
    placed = []
    for _ in range(5):
        placed.append(box.sold(payment="invoice"))
        box.clock.advance(1)
    box.sandbox.actors.transfer(old)  # writes the transaction alone
    box.headers = box.login()
    asked = {
        "filter": [changed_since("2026-11-23T21:00:00.000Z")],
        "sort": [{"field": "createdAt", "order": "ASC"}],
        "limit": 2,
        "total-count-mode": 1,
    }
    found = []
    for page in (1, 2, 3, 4):
        told = box.post("/search/order", {**asked, "page": page}).json()
        assert told["total"] == 6
        found += [row["id"] for row in told["data"]]
    assert found == [old, *placed]
    too_many = box.post("/search/order", {"limit": 501})
    assert too_many.json()["errors"][0]["code"] == "FRAMEWORK__QUERY_LIMIT_EXCEEDED"


def test_the_shop_tells_which_webhooks_it_still_sends(box: ShopBox) -> None:
    box.caught.answers = [500] * 400
    for _ in range(12):
        box.shop.touch(box.shop.find(box.order["id"]))
        for _ in range(5):
            box.pump()
            box.clock.advance(10)
    box.headers = box.login()
    asked = {"filter": [{"type": "equals", "field": "active", "value": False}]}
    off = box.post("/search/webhook", asked).json()["data"]
    assert [row["eventName"] for row in off] == ["order.written"]
    assert off[0]["errorCount"] >= 10
    (app,) = box.post("/search/app").json()["data"]
    assert app["active"] is True
