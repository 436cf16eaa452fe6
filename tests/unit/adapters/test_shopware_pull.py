"""What a Shopware shop says of its webhooks, as the pull reads it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from kette.adapters.vendors.shopware.pull import ShopwarePull
from kette.domain.pulls import Answer, Purpose, Subscriptions, Window
from support.shopware_orders import SHOPWARE

WINDOW = Window(Purpose.CHANGES, datetime(2026, 11, 26, tzinfo=UTC))
CURSOR = {"list": "webhooks", "page": 1, "hooks": []}
OURS = "https://n8n.example/webhook/kette/shopware-main"


def hook(**changes: Any) -> dict[str, Any]:
    told = {"eventName": "order.written", "url": OURS, "active": True, "errorCount": 0}
    return {**told, **changes}


OTHER = hook(eventName="state_enter.order_transaction.state.paid")
CASES: list[tuple[str, list[dict[str, Any]], tuple[str, ...]]] = [
    ("all is well", [hook()], ()),
    ("none", [], ("there is no webhook for order.written",)),
    ("switched off", [hook(active=False)], ("the webhook for order.written is switched off",)),
    (
        "failing",
        [hook(errorCount=5)],
        ("the webhook for order.written has failed 5 times in a row",),
    ),
    ("a few failures", [hook(errorCount=4)], ()),
    ("one of two fails", [hook(errorCount=9), hook()], ()),
    ("one of two is off", [hook(active=False), hook()], ()),
    (
        "another event of ours is off",
        [hook(), {**OTHER, "active": False}],
        ("the webhook for state_enter.order_transaction.state.paid is switched off",),
    ),
    (
        "somebody else's",
        [hook(), hook(url="https://erp.example/in", eventName="order.deleted", active=False)],
        (),
    ),
    (
        "only somebody else's, for another event",
        [hook(url="https://erp.example/in", eventName="product.written")],
        ("there is no webhook for order.written",),
    ),
]


@pytest.mark.parametrize(
    ("hooks", "problems"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_webhooks(hooks: list[dict[str, Any]], problems: tuple[str, ...]) -> None:
    answer = Answer(200, {}, json.dumps({"data": hooks}).encode())
    page = ShopwarePull().read(SHOPWARE, WINDOW, CURSOR, answer)
    assert (page.subscriptions, page.next) == (Subscriptions(problems), None)


def test_an_integration_that_may_not_see_webhooks_says_nothing_of_them() -> None:
    page = ShopwarePull().read(SHOPWARE, WINDOW, CURSOR, Answer(403, {}, b"{}"))
    assert page.subscriptions is None
