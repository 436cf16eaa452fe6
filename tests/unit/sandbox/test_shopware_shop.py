"""The sandbox's Shopware shop: token, search, transitions, signed webhooks."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from kette.adapters.vendors.base import Delivery
from kette.domain.facts import ActionReported, OrderSnapshot
from sandbox.shopware_model import ShopwareShop
from sandbox.shopware_rest import ShopwareRest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from support.shopware_orders import ADAPTER, SHOPWARE, SHOPWARE_SECRET, order_row

PAIR = {"client_id": "SWIASTRANDGUT", "client_secret": "integration"}


class Box:
    """A shop with one order, and a client that has a token."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
        self.sent: list[tuple[bytes, dict[str, str]]] = []
        self.shop = ShopwareShop(
            lambda: self.at, SHOPWARE_SECRET.decode(), lambda *one: self.sent.append(one)
        )
        self.rest = ShopwareRest(self.shop, lambda: self.at, *PAIR.values())
        self.http = TestClient(Starlette(routes=self.rest.routes("/shopware")))
        self.order = order_row()
        self.shop.place(self.order)
        self.headers = self.login()

    def login(self) -> dict[str, str]:
        form = {"grant_type": "client_credentials", **PAIR}
        token = self.http.post("/shopware/api/oauth/token", data=form).json()["access_token"]
        return {"authorization": f"Bearer {token}"}

    def post(self, path: str, body: Any = None) -> Any:
        return self.http.post(f"/shopware/api{path}", json=body or {}, headers=self.headers)

    def move(self, entity: str, row_id: str, name: str) -> Any:
        return self.post(f"/_action/{entity}/{row_id}/state/{name}")


@pytest.fixture
def box() -> Box:
    return Box()


def test_without_a_token_or_with_an_old_one_nothing_is_told(box: Box) -> None:
    search = "/shopware/api/search/order"
    assert box.http.post(search, json={}).status_code == 401
    box.at += timedelta(minutes=10)
    refused = box.post("/search/order")
    assert refused.status_code == 401
    read = ADAPTER.translate_report(
        ActionReported("k", "check_stock", False, answer=refused.json(), retryable=False)
    )
    assert read.retryable
    box.headers = box.login()
    assert box.post("/search/order").status_code == 200
    assert box.rest.tokens_given == 2


def test_a_wrong_secret_gets_no_token(box: Box) -> None:
    form = {"grant_type": "client_credentials", **PAIR, "client_secret": "wrong"}
    answer = box.http.post("/shopware/api/oauth/token", data=form)
    assert (answer.status_code, answer.json()["errors"][0]["status"]) == (401, "401")


def test_an_event_leads_to_a_reading(box: Box) -> None:
    """The whole way: signed event, what it asks for, the search, the order."""
    ((body, headers),) = box.sent
    lower = {name.lower(): value for name, value in headers.items()}
    event = Delivery(SHOPWARE, lower, body, box.at)
    ADAPTER.verify(event, [SHOPWARE_SECRET])
    (fetch,) = ADAPTER.translate(event).fetch
    answer = box.http.post(f"/shopware{fetch.path}", json=fetch.body, headers=box.headers)
    (draft,) = ADAPTER.translate(Delivery(SHOPWARE, {}, answer.content, box.at)).facts
    assert isinstance(draft.body, OrderSnapshot)
    assert draft.body.order.external_id == box.order["id"]


def test_the_order_is_found_by_any_of_its_rows(box: Box) -> None:
    for field, part in (("transactions.id", "transactions"), ("lineItems.id", "lineItems")):
        rule = {"type": "equals", "field": field, "value": box.order[part][0]["id"]}
        assert box.post("/search/order", {"filter": [rule]}).json()["total"] == 1
    rule = {"type": "equals", "field": "transactions.id", "value": "0" * 32}
    assert box.post("/search/order", {"filter": [rule]}).json()["total"] == 0


def test_a_transition_changes_its_row_only_and_announces_it(box: Box) -> None:
    transaction = box.order["transactions"][0]["id"]
    box.sent.clear()
    assert box.move("order_transaction", transaction, "refund").status_code == 200
    told = box.shop.orders[box.order["id"]]
    assert told["updatedAt"] == box.order["updatedAt"]
    assert told["transactions"][0]["updatedAt"] == "2026-11-23T20:00:00.000+00:00"
    ((body, _),) = box.sent
    assert json.loads(body)["data"]["event"] == "state_enter.order_transaction.state.refunded"


def test_the_same_transition_again_changes_nothing(box: Box) -> None:
    for _ in range(2):
        assert box.move("order", box.order["id"], "process").status_code == 200
    assert [name for _, _, name in box.shop.effects] == ["process"]


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
    box: Box, before: tuple[str, ...], wanted: str, is_done: bool
) -> None:
    for name in before:
        box.move("order", box.order["id"], name)
    answer = box.move("order", box.order["id"], wanted)
    report = ActionReported(
        "k", "update_shop_order", answer.status_code == 200, answer=answer.json(), retryable=False
    )
    assert ADAPTER.translate_report(report).done is is_done


def test_tracking_and_notes_are_kept(box: Box) -> None:
    delivery = box.order["deliveries"][0]["id"]
    patch = lambda path, body: box.http.patch(  # noqa: E731
        f"/shopware/api/{path}", json=body, headers=box.headers
    )
    assert patch(f"order-delivery/{delivery}", {"trackingCodes": ["T1"]}).status_code == 204
    answer = patch(f"order/{box.order['id']}?_response=basic", {"customFields": {"kette-1": "x"}})
    assert answer.json()["data"]["customFields"] == {"geschenk": "ja", "kette-1": "x"}
    assert box.shop.orders[box.order["id"]]["deliveries"][0]["trackingCodes"] == ["T1"]
