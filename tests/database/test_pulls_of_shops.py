"""What holds for the pull of every kind of shop, against the sandbox's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kette.domain.pull_state import Counts, Step
from kette.domain.pulls import Answer, Ask
from support.pulled_shop import SYSTEMS, PulledShop, backfill, pull, three_shops
from support.service_box import ServiceBox, sqlite_url

# A topic without which the shop's changes are only pulled.
NEEDED = {"woocommerce": "order.updated", "shopify": "orders/updated", "shopware": "order.written"}


@pytest.fixture
def box(tmp_path: Path) -> Iterator[ServiceBox]:
    opened = ServiceBox(sqlite_url(tmp_path), setup=three_shops())
    opened.service.tick()
    opened.clock.move(minutes=1)
    yield opened
    opened.close()


@pytest.fixture(params=SYSTEMS)
def shop(request: pytest.FixtureRequest, box: ServiceBox) -> PulledShop:
    return PulledShop(box, request.param)


def rows_in(told: Any) -> list[dict[str, Any]]:
    """The orders of an answer of any kind of shop."""
    if isinstance(told, list):
        return told
    data = told.get("data")
    if isinstance(data, list):
        return data
    return [data["order"]] if isinstance(data, dict) and data.get("order") else []


def order_ids(box: ServiceBox) -> set[str]:
    with box.kernel.store.read() as tx:
        return set(tx.orders.ids("", 10_000))


def test_an_order_whose_webhook_was_not_sent_is_found_case_6(
    box: ServiceBox, shop: PulledShop
) -> None:
    number = shop.place(payment="bacs")
    box.clock.move(minutes=5)
    turn = pull(box, shop)
    assert (turn.step, turn.counts) == (Step.COMPLETE, Counts(fresh=1))
    assert turn.told["orders"] == 1
    assert f"notify:{shop.order_id(number)}:confirmation" in box.actions()


def test_money_of_which_no_webhook_told_is_found_case_4(box: ServiceBox, shop: PulledShop) -> None:
    """In Shopware the transaction changes and the order's own time does not."""
    number = shop.place(payment="bacs")
    box.clock.move(hours=1)  # or the day of the order itself would still be asked for
    pull(box, shop)
    assert box.statuses(shop.order_id(number))["payment"] == "open"
    box.clock.move(hours=12)
    shop.sandbox.actors.transfer(number)
    box.clock.move(minutes=5)
    pull(box, shop)
    assert box.statuses(shop.order_id(number))["payment"] == "paid"


def test_an_unchanged_order_is_known_and_has_no_effects(box: ServiceBox, shop: PulledShop) -> None:
    number = shop.place(payment="bacs")
    pull(box, shop)
    before, facts = box.actions(), box.fact_count(shop.order_id(number))
    box.clock.move(minutes=5)
    assert pull(box, shop).counts == Counts(known=1)
    assert box.actions() == before
    assert box.fact_count(shop.order_id(number)) == facts


def test_all_pages_also_of_one_instant_case_7(box: ServiceBox, shop: PulledShop) -> None:
    numbers = shop.place_many(60, payment="bacs")
    for number in numbers[:20]:
        box.clock.move(seconds=1)
        shop.sandbox.actors.transfer(number)
    turn = pull(box, shop)
    assert (turn.step, turn.told["orders"], turn.counts.fresh) == (Step.COMPLETE, 60, 60)
    assert order_ids(box) == {shop.order_id(number) for number in numbers}


def test_orders_that_change_while_they_are_pulled_case_7(box: ServiceBox, shop: PulledShop) -> None:
    numbers = []
    for n in range(60):
        numbers += shop.place_many(1, payment="bacs", note=f"order {n}")
        box.clock.move(seconds=1)
    touched: list[int | str] = []

    def busy(ask: Ask) -> Answer:
        answer = shop(ask)
        if len(touched) < 5:
            box.clock.move(seconds=1)
            touched.append(numbers[len(touched)])
            shop.sandbox.actors.transfer(touched[-1])
        return answer

    assert pull(box, busy, shop.system_id).step is Step.COMPLETE
    assert order_ids(box) == {shop.order_id(number) for number in numbers}


def test_one_bad_order_harms_no_other(box: ServiceBox, shop: PulledShop) -> None:
    numbers = shop.place_many(30, payment="bacs")
    (bad,) = shop.place_many(1, payment="bacs", note="the bad one")

    def spoilt(ask: Ask) -> Answer:
        answer = shop(ask)
        told = json.loads(answer.body)
        for row in rows_in(told):
            if str(bad) in str(row.get("id")):
                row |= {"currency": 12, "amountTotal": "much", "lineItems": {"nodes": [{}]}}
        return Answer(answer.status, answer.headers, json.dumps(told).encode())

    turn = pull(box, spoilt, shop.system_id)
    assert turn.step is Step.COMPLETE
    assert (turn.counts.fresh, turn.counts.unread) == (30, 1)
    assert order_ids(box) == {shop.order_id(number) for number in numbers}
    assert [entry.kind for entry in box.exceptions().values()] == ["payload_unknown"]


def test_a_webhook_that_is_no_more_is_alarmed_and_closed_case_5(
    box: ServiceBox, shop: PulledShop
) -> None:
    """Shopify deletes the subscription, the others switch the webhook off."""
    pull(box, shop)
    assert box.exceptions() == {}
    shop.switch(NEEDED[shop.kind], on=False)
    pull(box, shop)
    (entry,) = box.exceptions().values()
    assert entry.key == f"source_silent:{shop.system_id}:webhooks"
    assert NEEDED[shop.kind] in entry.summary
    assert entry.owner
    shop.switch(NEEDED[shop.kind], on=True)
    pull(box, shop)
    assert box.exceptions() == {}


def test_a_backfill_brings_everything_in_and_does_nothing(
    box: ServiceBox, shop: PulledShop
) -> None:
    actors = shop.sandbox.actors
    unpaid, paid, back, off = shop.place_many(4, payment="bacs")
    box.clock.move(hours=1)
    for number in (paid, back):
        actors.transfer(number)
    actors.shop_refund(back, full=True, reason="returned", by_gateway=False)
    actors.shop_status(off, "cancelled")
    box.clock.move(days=2)
    turn = backfill(box, shop)
    assert (turn.step, turn.counts.fresh, turn.told) == (Step.COMPLETE, 4, {"orders": 4})
    assert box.statuses(shop.order_id(paid))["payment"] == "paid"
    assert box.statuses(shop.order_id(back))["payment"] == "refunded"
    assert box.statuses(shop.order_id(off))["order"] == "cancelled"
    for _ in range(6):
        box.clock.move(days=7)
        box.service.tick()
    assert box.actions() == {}
    assert box.exceptions() == {}
    actors.transfer(unpaid)
    pull(box, shop)
    wanted = {key.partition(":")[0] for key in box.actions()}
    assert wanted == {"check_stock"}


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_are_told_at_once(
    box: ServiceBox, shop: PulledShop, status: int
) -> None:
    turn = pull(box, lambda _: Answer(status, {}, b"{}"), shop.system_id)
    assert turn.step is Step.FAILED
    (entry,) = box.exceptions().values()
    assert entry.key == f"source_silent:{shop.system_id}:pull"


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b"null", b'"x"', b"[" * 5000, b'{"data": null}', b'{"data": {"a": 1}}',
     b'{"errors": "x"}', b'{"data": [1, {"id": {}}]}', b"\xff\xfe"],
)  # fmt: skip
def test_no_answer_breaks_a_pull(box: ServiceBox, shop: PulledShop, body: bytes) -> None:
    turn = pull(box, lambda _: Answer(200, {}, body), shop.system_id)
    assert turn.step in (Step.FAILED, Step.COMPLETE)
    assert pull(box, shop).step is Step.COMPLETE


@pytest.mark.parametrize(
    "part", ["", "transactions", "deliveries", "lineItems", "addresses", "orderCustomer"]
)
def test_a_row_of_a_shopware_order_that_alone_has_changed_is_found(
    part: str, box: ServiceBox
) -> None:
    """Shopware writes the time into the row that changed, and leaves the order's as it was."""
    shop = PulledShop(box, "shopware")
    number = shop.place(payment="bacs")
    box.clock.move(hours=1)
    pull(box, shop)
    box.clock.move(hours=12)
    assert pull(box, shop).counts == Counts()
    order = shop.sandbox.shopware.find(number)
    found = order[part] if part else order
    row = found[0] if isinstance(found, list) else found
    row["updatedAt"] = shop.sandbox.shopware.stamp()
    shop.sandbox.store.put("shopware_orders", order["id"], order)
    box.clock.move(minutes=5)
    assert pull(box, shop).counts == Counts(fresh=1)
