"""A backfill brings an existing shop in: everything is there, and nothing is done for the past."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from kette.domain.pull_state import Counts, Step
from kette.domain.pulls import Answer, Ask, Purpose
from support.pulled_shop import PulledShop, backfill, go_on, pull
from support.service_box import ServiceBox, woo_id


@pytest.fixture
def shop(box: ServiceBox) -> PulledShop:
    return PulledShop(box)


def grown(box: ServiceBox, shop: PulledShop) -> dict[str, int]:
    """A shop with orders of all kinds, before anybody thought of Kette."""
    names = ("new", "waits", "paid", "done", "failed", "off", "back", "address", "twice", "twin")
    numbers = dict(zip(names, shop.place_many(len(names)), strict=True))
    for name, status in (
        ("paid", "processing"),
        ("done", "completed"),
        ("failed", "failed"),
        ("off", "cancelled"),
        ("waits", "on-hold"),
    ):
        shop.sandbox.shop.set_status(numbers[name], status)
    shop.sandbox.shop.set_status(numbers["back"], "processing")
    refund(shop, numbers["back"])
    shop.sandbox.shop.find(numbers["address"])["shipping"]["address_1"] = ""
    mail = shop.sandbox.shop.find(numbers["twin"])["billing"]["email"]
    shop.sandbox.shop.find(numbers["twice"])["billing"]["email"] = mail
    box.clock.move(days=1)
    return numbers


def refund(shop: PulledShop, number: int) -> None:
    amount = Decimal(shop.sandbox.shop.body(shop.sandbox.shop.find(number))["total"])
    shop.sandbox.work.refund(number, amount, "returned", by_gateway=False)


def weeks_pass(box: ServiceBox, weeks: int = 9) -> None:
    for _ in range(weeks):
        box.clock.move(days=7)
        box.service.tick()


def test_everything_is_in_and_nothing_is_done_for_weeks(box: ServiceBox, shop: PulledShop) -> None:
    numbers = grown(box, shop)
    turn = backfill(box, shop)
    assert (turn.step, turn.counts) == (Step.COMPLETE, Counts(fresh=len(numbers)))
    assert box.statuses(woo_id(numbers["done"]))["order"] == "completed"
    assert box.statuses(woo_id(numbers["off"]))["order"] == "cancelled"
    assert box.statuses(woo_id(numbers["back"]))["payment"] == "refunded"
    weeks_pass(box)
    assert box.actions() == {}
    assert box.exceptions() == {}


def test_only_the_days_asked_for_and_all_their_pages_case_7(
    box: ServiceBox, shop: PulledShop
) -> None:
    shop.place_many(20)
    box.clock.move(days=40)
    shop.place_many(120)
    turn = backfill(box, shop, days=30)
    assert turn.counts.fresh == 120
    assert turn.told == {"orders": 120}
    assert backfill(box, shop, days=60).counts.fresh == 20


def test_what_happens_afterwards_counts(box: ServiceBox, shop: PulledShop) -> None:
    numbers = grown(box, shop)
    backfill(box, shop)
    box.clock.move(days=2)
    shop.sandbox.shop.set_status(numbers["new"], "processing")  # the customer pays now
    refund(shop, numbers["done"])
    pull(box, shop)
    assert f"notify:{woo_id(numbers['new'])}:confirmation" in box.actions()
    kinds = {row.kind for row in box.actions(woo_id(numbers["done"])).values()}
    assert kinds == {"notify"}


def test_what_the_process_before_goes_on_with_stays_its_own(
    box: ServiceBox, shop: PulledShop
) -> None:
    """It had begun to fulfil the order; that it completes or edits it is no business of ours."""
    numbers = grown(box, shop)
    backfill(box, shop)
    box.clock.move(days=2)
    shop.sandbox.shop.set_status(numbers["paid"], "completed")
    edited = shop.sandbox.shop.find(numbers["new"])
    edited["billing"]["address_1"] = "Hafenstr. 4"
    shop.sandbox.shop.touch(edited)
    pull(box, shop)
    weeks_pass(box, 3)
    assert box.actions(woo_id(numbers["paid"])) == {}
    assert box.actions(woo_id(numbers["new"])) == {}


def test_orders_placed_since_are_ours_from_the_start(box: ServiceBox, shop: PulledShop) -> None:
    grown(box, shop)
    backfill(box, shop)
    box.clock.move(days=1)
    (number,) = shop.place_many(1)
    turn = backfill(box, shop)  # the webhooks were off for a while
    assert turn.counts.fresh == 1
    assert f"notify:{woo_id(number)}:confirmation" not in box.actions()  # unpaid card
    cod = shop.place(payment="cod")
    backfill(box, shop)
    assert f"notify:{woo_id(cod)}:confirmation" in box.actions(woo_id(cod))


def test_an_order_that_kette_handles_already_stays_its_own(
    box: ServiceBox, shop: PulledShop
) -> None:
    number = shop.place(payment="cod")
    box.woo(shop.sandbox.shop.body(shop.sandbox.shop.find(number)), "order.created")
    before = box.actions()
    assert before
    box.clock.move(hours=1)
    backfill(box, shop)
    assert {key: row.state for key, row in box.actions().items()} == {
        key: row.state for key, row in before.items()
    }


def test_an_old_order_that_a_webhook_tells_first_is_the_past_as_well(
    box: ServiceBox, shop: PulledShop
) -> None:
    """Both may run at once: the shop's webhooks are on while the backfill reads page after page."""
    numbers = shop.place_many(60)
    box.clock.move(days=1)
    pulling = box.service.pulling
    turn = pulling.begin_backfill("woo-main", 30)
    assert turn.ask is not None
    turn = pulling.hand_in("woo-main", turn.pull_id, shop(turn.ask), Purpose.BACKFILL)
    late = shop.sandbox.shop.find(numbers[-1])
    box.woo(shop.sandbox.shop.body(late))
    go_on(box, turn, shop, Purpose.BACKFILL)
    weeks_pass(box, 3)
    assert box.actions() == {}


def test_the_cutover_is_known_from_the_first_event_of_a_process_on(
    box: ServiceBox, shop: PulledShop, database_url: str
) -> None:
    old = shop.place(payment="cod")
    box.clock.move(days=3)
    backfill(box, shop, days=1)  # the order is older
    again = ServiceBox(database_url)
    again.clock.at = box.clock.at
    again.woo(shop.sandbox.shop.body(shop.sandbox.shop.find(int(old))))
    assert again.actions() == {}
    again.close()


def test_broken_off_it_goes_on_where_it_was(box: ServiceBox, shop: PulledShop) -> None:
    for _ in range(120):
        shop.place_many(1)
        box.clock.move(seconds=1)
    pulling = box.service.pulling
    turn = pulling.begin_backfill("woo-main", 30)
    assert turn.ask is not None
    pulling.hand_in("woo-main", turn.pull_id, shop(turn.ask), Purpose.BACKFILL)
    box.clock.move(minutes=10)
    asked = len(shop.asked)
    assert backfill(box, shop).step is Step.COMPLETE
    assert len(shop.asked) - asked == 2
    with box.kernel.store.read() as tx:
        assert len(tx.orders.ids("", 1000)) == 120


def test_the_first_pull_of_a_new_installation_has_no_effects_for_the_past_either(
    box: ServiceBox, shop: PulledShop
) -> None:
    shop.place(payment="cod")
    box.clock.move(hours=2)
    box.service.tick()
    box.clock.move(minutes=1)
    ours = shop.place(payment="cod", billing={**_other(), "email": "neu@example.org"})
    assert pull(box, shop).counts == Counts(fresh=2)
    assert {row.order_id for row in box.actions().values()} == {woo_id(ours)}


def _other() -> dict[str, str]:
    from support.pulled_shop import BILLING

    return BILLING


def test_a_bad_order_of_the_past_is_one_exception(box: ServiceBox, shop: PulledShop) -> None:
    numbers = shop.place_many(5)

    def spoilt(ask: Ask) -> Answer:
        answer = shop(ask)
        body = answer.body.replace(f'"id":{numbers[2]},'.encode(), b'"id":null,', 1)
        return Answer(answer.status, answer.headers, body)

    box.clock.move(days=1)
    turn = backfill(box, spoilt)
    assert turn.counts == Counts(fresh=4, unread=1)
    assert [entry.kind for entry in box.exceptions().values()] == ["payload_unknown"]


def test_the_changes_that_follow_a_backfill_begin_with_it(
    box: ServiceBox, shop: PulledShop
) -> None:
    box.service.tick()
    shop.place_many(3)
    box.clock.move(days=3)  # nobody pulled in these days
    backfill(box, shop)
    with box.kernel.store.read() as tx:
        state = tx.pulls.get("woo-main", Purpose.BACKFILL)
    assert state is not None
    assert box.clock.now() - state.since < timedelta(minutes=1)
    box.clock.move(minutes=30)
    assert pull(box, shop).step is Step.COMPLETE
    assert box.actions() == {}
