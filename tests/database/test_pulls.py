"""Pulling a WooCommerce shop into a real database: nothing is lost, nothing is done twice."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from kette.domain.policy import PullPolicy, Setup
from kette.domain.pull_state import LEASE, Counts, Step
from kette.domain.pulls import Answer, Ask, Purpose
from support.pulled_shop import PulledShop, pull, with_rows
from support.service_box import ServiceBox, paid_event, ready_setup, woo_id
from support.threads import at_once


@pytest.fixture
def shop(box: ServiceBox) -> PulledShop:
    box.service.tick()  # the service has seen the shop before anything happens in it
    box.clock.move(minutes=1)
    return PulledShop(box)


def order_ids(box: ServiceBox) -> set[str]:
    with box.kernel.store.read() as tx:
        return set(tx.orders.ids("", 10_000))


def test_an_order_whose_webhook_was_not_sent_is_found_case_6(
    box: ServiceBox, shop: PulledShop
) -> None:
    """woocommerce#59381, #18009: the webhook is just not sent."""
    number = shop.place(payment="cod")
    box.clock.move(minutes=5)
    turn = pull(box, shop)
    assert (turn.step, turn.counts) == (Step.COMPLETE, Counts(fresh=1))
    assert box.statuses(woo_id(number))["order"] == "valid"
    assert f"notify:{woo_id(number)}:confirmation" in box.actions(woo_id(number))


def test_a_payment_of_which_no_webhook_told_is_found_case_4(
    box: ServiceBox, shop: PulledShop
) -> None:
    """offspot/imager-service#525: only order.created was heard; paid twelve hours later."""
    number = shop.place(payment="bacs")
    pull(box, shop)
    assert box.statuses(woo_id(number))["payment"] == "open"
    box.clock.move(hours=12)
    shop.sandbox.shop.set_status(number, "processing")
    box.clock.move(minutes=5)
    pull(box, shop)
    assert box.statuses(woo_id(number))["payment"] == "paid"


def test_an_unchanged_order_is_known_and_has_no_effects(box: ServiceBox, shop: PulledShop) -> None:
    number = shop.place(payment="cod")
    pull(box, shop)
    before = box.actions()
    facts = box.fact_count(woo_id(number))
    box.clock.move(minutes=5)
    turn = pull(box, shop)  # it reaches back, so the order comes again
    assert turn.counts == Counts(known=1)
    assert box.actions() == before
    assert box.fact_count(woo_id(number)) == facts


def test_an_order_that_appears_late_is_within_the_overlap(
    box: ServiceBox, shop: PulledShop
) -> None:
    """A shop whose clock is behind, or whose checkout commits minutes after it stamped the
    order: the time of the change lies before the last complete pull."""
    pull(box, shop)
    box.clock.move(minutes=-8)
    number = shop.place(payment="cod")
    box.clock.move(minutes=13)
    assert pull(box, shop).counts == Counts(fresh=1)
    assert box.statuses(woo_id(number))["order"] == "valid"


def test_what_changes_while_a_long_pull_is_under_way_is_found_by_the_next(
    box: ServiceBox, shop: PulledShop
) -> None:
    """The watermark is when the pull began, not when it ended: its pages may have been read long
    before."""
    late: list[int | str] = []

    def slow(ask: Ask) -> Answer:
        if "/webhooks" in ask.path and not late:  # the orders are read
            late.append(shop.place(payment="cod"))
            box.clock.move(minutes=25)
        return shop(ask)

    assert pull(box, slow, shop.system_id).counts == Counts()
    assert pull(box, shop).counts == Counts(fresh=1)
    assert order_ids(box) == {woo_id(late[0])}


def test_push_and_pull_tell_the_same_order(box: ServiceBox, shop: PulledShop) -> None:
    number = shop.place(payment="cod")
    body = shop.sandbox.shop.body(shop.sandbox.shop.find(number))
    box.woo(body, "order.created")
    facts = box.fact_count(woo_id(number))
    assert pull(box, shop).counts == Counts(known=1)
    assert box.fact_count(woo_id(number)) == facts


def test_one_bad_order_of_a_thousand_is_one_exception(box: ServiceBox, shop: PulledShop) -> None:
    numbers = shop.place_many(1000)
    bad = numbers[417]

    def spoil(row: dict[str, Any]) -> dict[str, Any]:
        return {**row, "currency": 12, "line_items": "x"} if row["id"] == bad else row

    turns = [pull(box, with_rows(shop, spoil))]
    assert turns[-1].step is Step.COMPLETE
    assert turns[-1].counts.fresh == 999
    assert order_ids(box) == {woo_id(number) for number in numbers if number != bad}
    (entry,) = box.exceptions().values()
    assert (entry.kind, entry.context["system"]) == ("payload_unknown", "woo-main")
    assert f"{bad}: " in entry.summary
    box.clock.move(minutes=5)
    pull(box, with_rows(shop, spoil))  # told again, known already
    assert list(box.exceptions().values()) == [entry]


def test_statuses_that_a_shop_made_and_trash_are_pulled_too_case_7(
    box: ServiceBox, shop: PulledShop
) -> None:
    """ecommerce_integrations#410: only open orders came."""
    names = ("made", "done", "left", "off", "bin")
    numbers = dict(zip(names, shop.place_many(5), strict=True))
    pull(box, shop)
    box.clock.move(minutes=5)
    shop.sandbox.shop.find(numbers["made"])["status"] = "in-der-werkstatt"
    shop.sandbox.shop.touch(shop.sandbox.shop.find(numbers["made"]))
    for name, status in (("done", "completed"), ("off", "cancelled")):
        shop.sandbox.shop.set_status(numbers[name], status)
    shop.sandbox.work.trash(numbers["bin"])
    turn = pull(box, shop)
    assert turn.step is Step.COMPLETE
    found = {name: box.statuses(woo_id(n))["order"] for name, n in numbers.items()}
    assert found["off"] == found["bin"] == "cancelled"
    assert found["left"] == found["made"] == "valid"
    assert any("status=trash" in path for path in shop.asked)


@pytest.mark.parametrize(("status", "step"), [(200, Step.FAILED), (403, Step.COMPLETE)])
def test_a_trash_that_is_no_list_is_not_an_empty_one(
    status: int, step: Step, box: ServiceBox, shop: PulledShop
) -> None:
    """A key that may not see it is a reason to go without, a page of HTML is none."""

    def carried(ask: Ask) -> Answer:
        return Answer(status, {}, b"<html>") if "status=trash" in ask.path else shop(ask)

    assert pull(box, carried).step is step


def test_an_order_that_moves_between_pages_is_not_skipped_case_7(
    box: ServiceBox, shop: PulledShop
) -> None:
    """Shopify-api-node#382 and the like: by page number, the first order of page 2 would be lost
    when one of page 1 changes while the pull is under way."""
    numbers = []
    for _ in range(120):
        numbers.append(shop.place())
        box.clock.move(seconds=1)
    touched: list[int] = []

    def busy(ask: Ask) -> Answer:
        answer = shop(ask)
        if "/orders?" in ask.path and len(touched) < 5:
            box.clock.move(seconds=1)
            touched.append(numbers[len(touched)])
            shop.sandbox.shop.touch(shop.sandbox.shop.find(touched[-1]))
        return answer

    assert pull(box, busy).step is Step.COMPLETE
    assert order_ids(box) == {woo_id(number) for number in numbers}


def test_a_second_with_more_orders_than_a_page(box: ServiceBox, shop: PulledShop) -> None:
    numbers = shop.place_many(230)  # the clock stands still
    assert pull(box, shop).step is Step.COMPLETE
    assert order_ids(box) == {woo_id(number) for number in numbers}


def test_a_count_that_is_not_proven_does_not_move_the_watermark_case_7(
    box: ServiceBox, shop: PulledShop
) -> None:
    numbers = shop.place_many(3)

    def hiding(ask: Ask) -> Answer:
        answer = shop(ask)
        rows = json.loads(answer.body)
        if "status=any" not in ask.path:
            return answer
        return Answer(answer.status, answer.headers, json.dumps(rows[1:]).encode())

    for expected_entries in (0, 0, 1):
        turn = pull(box, hiding)
        assert (turn.step, turn.told["orders"]) == (Step.INCOMPLETE, 3)
        assert "counts 3" in turn.reason
        assert len(box.exceptions()) == expected_entries
    with box.kernel.store.read() as tx:
        state = tx.pulls.get("woo-main", Purpose.CHANGES)
    assert state is not None
    assert state.watermark is None
    assert pull(box, shop).step is Step.COMPLETE
    assert order_ids(box) == {woo_id(number) for number in numbers}
    assert box.exceptions() == {}


def test_a_killed_pull_goes_on_where_it_was(box: ServiceBox, shop: PulledShop) -> None:
    for _ in range(130):
        shop.place()
        box.clock.move(seconds=1)
    pulling = box.service.pulling
    turn = pulling.begin("woo-main")
    assert turn.ask is not None
    killed = pulling.hand_in("woo-main", turn.pull_id, shop(turn.ask))
    assert killed.step is Step.ASK
    assert pull(box, shop).step is Step.BUSY  # somebody may still carry it
    box.clock.move(seconds=LEASE.total_seconds() + 1)
    asked_before = len(shop.asked)
    assert pull(box, shop).step is Step.COMPLETE
    assert len(order_ids(box)) == 130
    assert len([path for path in shop.asked[asked_before:] if "status=any" in path]) == 2
    # The one that was thought dead comes back: it is told to stop, and does no harm.
    assert killed.ask is not None
    late = pulling.hand_in("woo-main", killed.pull_id, shop(killed.ask))
    assert late.step is Step.BUSY


def test_an_answer_handed_in_twice_does_no_harm(box: ServiceBox, shop: PulledShop) -> None:
    shop.place_many(3)
    pulling = box.service.pulling
    turn = pulling.begin("woo-main")
    assert turn.ask is not None
    answer = shop(turn.ask)
    first = pulling.hand_in("woo-main", turn.pull_id, answer)
    actions = box.actions()
    pulling.hand_in("woo-main", turn.pull_id, answer)
    assert box.actions() == actions
    assert first.counts.fresh == 3


def test_a_shop_that_is_away_is_asked_again_and_later_pulls_catch_up(
    box: ServiceBox, shop: PulledShop
) -> None:
    number = shop.place()
    away = Answer(503, {"retry-after": "7"}, b"down")
    pulling = box.service.pulling
    turn = pulling.begin("woo-main")
    waits = []
    while turn.step is Step.ASK:
        turn = pulling.hand_in("woo-main", turn.pull_id, away)
        waits.append(turn.wait_s)
    assert turn.step is Step.FAILED
    assert waits[:3] == [7.0, 7.0, 7.0]
    assert box.exceptions() == {}  # not yet: it may come back
    box.clock.move(minutes=5)
    assert pull(box, shop).step is Step.COMPLETE
    assert order_ids(box) == {woo_id(number)}


def test_refused_credentials_are_told_at_once(box: ServiceBox, shop: PulledShop) -> None:
    refused = Answer(401, {}, b'{"code":"woocommerce_rest_cannot_view"}')
    assert pull(box, lambda _: refused).step is Step.FAILED
    (entry,) = box.exceptions().values()
    assert (entry.kind, entry.key) == ("source_silent", "source_silent:woo-main:pull")
    assert "refused the credentials" in entry.summary
    assert entry.owner
    assert pull(box, shop).step is Step.COMPLETE
    assert box.exceptions() == {}


def test_a_webhook_that_the_shop_disabled_is_alarmed_and_closed_case_5(
    box: ServiceBox, shop: PulledShop
) -> None:
    """woocommerce#8876, #8922: disabled after five failures, and nobody notices for weeks."""
    switch = shop.sandbox.webhooks.subscriptions.switch
    switch("woocommerce", False, "order.updated")
    pull(box, shop)
    (entry,) = box.exceptions().values()
    assert entry.key == "source_silent:woo-main:webhooks"
    assert "order.updated is disabled" in entry.summary
    assert entry.owner == "operations"
    pull(box, shop)
    assert len(box.exceptions()) == 1
    switch("woocommerce", True)
    pull(box, shop)
    assert box.exceptions() == {}
    switch("woocommerce", False, "order.created")
    pull(box, shop)  # another time is another case
    assert [e.id for e in box.exceptions().values()] != [entry.id]


def test_a_pull_that_nobody_runs_any_more_is_noticed(box: ServiceBox, shop: PulledShop) -> None:
    pull(box, shop)
    box.clock.move(minutes=59)
    box.service.tick()
    assert box.exceptions() == {}
    box.clock.move(minutes=2)
    box.service.tick()
    (entry,) = box.exceptions().values()
    assert "does n8n run the pull workflow?" in entry.summary
    box.service.tick()
    assert list(box.exceptions().values()) == [entry]
    pull(box, shop)
    assert box.exceptions() == {}


def test_where_nobody_has_pulled_nobody_is_alarmed(box: ServiceBox, shop: PulledShop) -> None:
    box.clock.move(days=20)
    box.service.tick()
    assert box.exceptions() == {}


def test_two_pulls_and_a_backfill_at_the_same_moment(box: ServiceBox, shop: PulledShop) -> None:
    """Webhooks, pulls and a backfill may all run at once: every order is there once."""
    numbers = shop.place_many(60)
    pages = {}
    turn = box.service.pulling.begin("woo-main")
    other = box.service.pulling.begin_backfill("woo-main", 30)
    for purpose, begun in ((Purpose.CHANGES, turn), (Purpose.BACKFILL, other)):
        assert begun.ask is not None
        pages[purpose] = (begun.pull_id, shop(begun.ask))

    def carry(purpose: Purpose) -> None:
        pull_id, answer = pages[purpose]
        box.service.pulling.hand_in("woo-main", pull_id, answer, purpose)

    def push() -> None:
        for number in numbers[:20]:
            body = shop.sandbox.shop.body(shop.sandbox.shop.find(number))
            box.woo(body, "order.created", f"d{number}")

    at_once(
        [
            lambda: carry(Purpose.CHANGES),
            lambda: carry(Purpose.CHANGES),
            lambda: carry(Purpose.BACKFILL),
            push,
        ]
    )
    box.clock.move(minutes=10)
    pull(box, shop)
    assert order_ids(box) == {woo_id(number) for number in numbers}
    for number in numbers[:3]:
        marked = 1 if box.fact_count(woo_id(number)) == 2 else 0
        assert box.fact_count(woo_id(number)) == 1 + marked


def test_a_payment_provider_that_falls_silent_is_noticed_where_the_setup_asks(
    database_url: str,
) -> None:
    box = ServiceBox(database_url, setup=watching_stripe())
    box.service.tick()
    box.clock.move(hours=1)
    box.stripe_at(paid_event(7))
    for hours, expected in ((1.9, 0), (0.2, 1), (5, 1)):
        box.clock.move(hours=hours)
        box.service.tick()
        assert len(silent(box)) == expected
    assert silent(box) == ["source_silent:stripe-main:events"]
    box.stripe_at(paid_event(8))
    box.service.tick()
    assert silent(box) == []
    box.close()


def test_what_another_replica_hears_is_no_silence(database_url: str) -> None:
    here, there = (ServiceBox(database_url, setup=watching_stripe()) for _ in range(2))
    for box, number in ((here, 7), (there, 8)):
        for each in (here, there):
            each.clock.move(hours=1.5)
        box.stripe_at(paid_event(number))
        box.service.tick()
    for each in (here, there):
        each.clock.move(hours=1)
        each.service.tick()
        assert silent(each) == []
        each.close()


def watching_stripe() -> Setup:
    setup = ready_setup()
    stripe = msgspec.structs.replace(
        setup.systems["stripe-main"], pull=PullPolicy(silent_after_s=7200, is_watched=True)
    )
    return msgspec.structs.replace(setup, systems={**setup.systems, "stripe-main": stripe})


def silent(box: ServiceBox) -> list[str]:
    return [key for key, entry in box.exceptions().items() if entry.kind == "source_silent"]
