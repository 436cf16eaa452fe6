"""Leases, reports, retries, withdrawal: an action is worked on by one, comes again when it is lost,
and is not done when it is no longer wanted."""

from __future__ import annotations

import pytest
from kette.use_cases.errors import InvalidInputError
from kette.use_cases.lease import PresentationError
from kette.use_cases.tick import tick
from support.service_box import ServiceBox, card_order, ready_setup, woo_id
from support.threads import at_once

STOCK = f"check_stock:{woo_id(102)}:1"


def history(box: ServiceBox, order_id: str, kind: str = "action_report") -> list[str]:
    """External ids of an order's facts of a kind, in the order they came."""
    with box.kernel.store.read() as tx:
        facts = tx.facts.load(tx.facts.streams_of(order_id))
    found = sorted((x.seq, x.fact.external_id) for x in facts if x.stream == order_id)
    tag = f"{kind}"
    bodies = {x.fact.external_id: type(x.fact.body).__struct_config__.tag for x in facts}
    return [name for _, name in found if bodies[name] == tag]


# --- leasing -------------------------------------------------------------------------------------


def test_parallel_leases_never_give_one_action_to_two(box: ServiceBox) -> None:
    for number in range(200, 230):
        box.paid_order(number, billing={"email": f"c{number}@example.org"})
    batches = at_once([lambda: box.lease("fulfillment", limit=7)] * 8)
    keys = [action["key"] for batch in batches for action in batch]
    assert len(keys) == len(set(keys)) == 30
    assert box.lease("fulfillment") == []


def test_a_lease_has_number_end_and_attempt(box: ServiceBox) -> None:
    box.paid_order(102)
    (action,) = box.lease("fulfillment")
    assert (action["key"], action["attempt"], action["max_attempts"]) == (STOCK, 1, 6)
    assert action["leased_until"] == "2026-11-23T20:32:00+00:00"
    row = box.action(STOCK)
    assert (row.state, row.lease_id) == ("leased", action["lease_id"])


def test_leases_by_kind_and_number(box: ServiceBox) -> None:
    box.paid_order(102)
    assert box.lease("fulfillment", kinds=["create_shipment"]) == []
    assert box.lease("customer", limit=1, kinds=["notify"])
    with pytest.raises(InvalidInputError):
        box.lease("fulfillment", kinds=["notify"])
    with pytest.raises(InvalidInputError):
        box.lease("nonsense")


def test_a_lost_lease_comes_again_later_each_time_and_ends_with_a_person(
    box: ServiceBox,
) -> None:
    """Killed n8n, lost answers: six tries with growing pauses, then the exception list."""
    box.paid_order(102)
    for attempt, pause_s in enumerate((10, 60, 300, 1800, 7200), start=1):
        (action,) = box.lease("fulfillment")
        assert action["attempt"] == attempt
        box.clock.move(seconds=119)
        tick(box.kernel)
        assert box.action(STOCK).state == "leased"
        box.clock.move(seconds=1)
        assert "fulfillment" not in tick(box.kernel)
        assert box.action(STOCK).state == "pending"
        box.clock.move(seconds=pause_s - 1)
        assert box.lease("fulfillment") == []
        box.clock.move(seconds=1)
        assert "fulfillment" in tick(box.kernel)
    box.lease("fulfillment")
    box.clock.move(seconds=120)
    tick(box.kernel)
    assert box.action(STOCK).state == "failed"
    entry = box.exceptions()[f"action_failed:{STOCK}"]
    assert (entry.kind, entry.owner, entry.order_id) == (
        "action_failed",
        "operations",
        woo_id(102),
    )
    assert box.lease("fulfillment") == []


def test_ticks_at_the_same_moment_end_a_lease_once(box: ServiceBox) -> None:
    box.paid_order(102)
    box.lease("fulfillment")
    box.clock.move(seconds=121)
    at_once([lambda: tick(box.kernel)] * 6)
    assert (box.action(STOCK).state, box.action(STOCK).attempt) == ("pending", 1)


def test_what_is_no_longer_wanted_does_not_come_back_from_a_lost_lease(box: ServiceBox) -> None:
    """The order was cancelled while n8n held the action and died. The action came again and was
    done for a cancelled order."""
    box.paid_order(102)
    box.lease("fulfillment")
    box.service.people.cancel(woo_id(102), "Ida", "no longer wanted")
    assert box.action(STOCK).state == "leased"
    box.clock.move(seconds=121)
    tick(box.kernel)
    assert box.action(STOCK).state == "withdrawn"


def test_what_is_no_longer_wanted_does_not_come_back_from_a_refused_push(
    box: ServiceBox,
) -> None:
    box.paid_order(102)
    (action,) = box.lease("fulfillment")
    box.service.people.cancel(woo_id(102), "Ida", "no longer wanted")
    box.service.lease.give_back(action["lease_id"], box.clock.now())
    assert box.action(STOCK).state == "withdrawn"


def test_a_lease_that_is_given_back_does_not_count(box: ServiceBox) -> None:
    box.paid_order(102)
    (action,) = box.lease("fulfillment")
    box.service.lease.give_back(action["lease_id"], box.clock.now())
    assert (box.action(STOCK).state, box.action(STOCK).attempt) == ("pending", 0)
    (again,) = box.lease("fulfillment")
    assert again["attempt"] == 1


def test_one_action_that_cannot_be_put_into_words_does_not_take_the_others_along(
    box: ServiceBox,
) -> None:
    for number in (102, 103):
        box.paid_order(number, billing={"email": f"c{number}@example.org"})
    present = box.service.lease._present
    errors = {woo_id(102): KeyError("missing"), woo_id(103): PresentationError("no address")}

    def broken(tx: object, row: object) -> dict[str, object]:
        raise errors[row.order_id]  # type: ignore[attr-defined]

    box.service.lease._present = broken  # type: ignore[assignment]
    assert box.lease("fulfillment") == []
    box.service.lease._present = present
    kinds = {entry.kind for entry in box.exceptions().values()}
    assert kinds == {"action_failed"}
    assert len(box.exceptions()) == 2


# --- reporting -----------------------------------------------------------------------------------


def test_a_report_ends_the_action_and_is_a_fact(box: ServiceBox) -> None:
    box.paid_order(102)
    box.lease("fulfillment")
    assert box.report(STOCK, reference="ok").status == "done"
    row = box.action(STOCK)
    assert (row.state, row.reference, row.lease_id) == ("done", "ok", None)
    assert history(box, woo_id(102)) == [f"{STOCK}#1:done"]
    assert f"create_shipment:{woo_id(102)}:1" in box.actions()


def test_two_reports_are_one(box: ServiceBox) -> None:
    box.paid_order(102)
    box.lease("fulfillment")
    results = at_once([lambda: box.report(STOCK)] * 6)
    assert {result.status for result in results} == {"done"}
    assert sum(not result.reason for result in results) == 1
    assert history(box, woo_id(102)) == [f"{STOCK}#1:done"]


def test_an_unknown_key_is_refused_by_name_and_the_rest_goes_in(box: ServiceBox) -> None:
    box.paid_order(102)
    assert box.report("check_stock:ord_nobody:1").accepted is False
    assert box.report(STOCK).accepted is True


def test_a_report_after_the_lease_was_lost_still_counts(box: ServiceBox) -> None:
    """The parcel was made; that the word of it came late changes nothing."""
    box.paid_order(102)
    box.lease("fulfillment")
    box.clock.move(seconds=121)
    tick(box.kernel)
    assert box.report(STOCK).status == "done"
    assert box.action(STOCK).state == "done"


def test_a_late_failure_does_not_end_the_next_ones_lease(box: ServiceBox) -> None:
    """Two workers: the first lost its lease and fails late. The second is at work, and its action
    was given to a third."""
    box.paid_order(102)
    (first,) = box.lease("fulfillment")
    box.clock.move(seconds=121)
    tick(box.kernel)
    box.clock.move(seconds=10)
    (second,) = box.lease("fulfillment")
    result = box.report(STOCK, done=False, error="late", lease_id=first["lease_id"])
    assert result.accepted
    row = box.action(STOCK)
    assert (row.state, row.lease_id) == ("leased", second["lease_id"])
    failed = box.report(STOCK, done=False, error="mine", lease_id=second["lease_id"])
    assert failed.status == "pending"
    assert len(history(box, woo_id(102))) == 2  # both are part of the history


def test_the_same_failure_told_twice_counts_once(box: ServiceBox) -> None:
    box.paid_order(102)
    (action,) = box.lease("fulfillment")
    for _ in range(3):
        box.report(STOCK, done=False, error="timeout", lease_id=action["lease_id"])
        box.clock.move(seconds=5)
    assert box.action(STOCK).not_before == box.clock.at.replace(hour=20, minute=30, second=10)
    assert len(history(box, woo_id(102))) == 1


def test_a_failure_told_after_the_end_does_not_start_over(box: ServiceBox) -> None:
    """A failed action was set to waiting again by the repetition of an older report."""
    box.paid_order(102)
    (action,) = box.lease("fulfillment")
    box.report(STOCK, done=False, error="no", retryable=False, lease_id=action["lease_id"])
    assert box.action(STOCK).state == "failed"
    box.report(STOCK, done=False, error="no")
    assert box.action(STOCK).state == "failed"


def test_a_failure_that_cannot_be_repeated_goes_to_a_person_at_once(box: ServiceBox) -> None:
    box.paid_order(102)
    box.lease("fulfillment")
    box.report(STOCK, done=False, error="no such product", retryable=False)
    (entry,) = box.exceptions().values()
    assert entry.summary == "check_stock failed after 1 tries: no such product"
    assert entry.context["error"] == "no such product"


def test_success_after_the_last_try_closes_the_exception(box: ServiceBox) -> None:
    box.paid_order(102)
    box.lease("fulfillment")
    box.report(STOCK, done=False, error="no", retryable=False)
    box.report(STOCK)
    assert box.exceptions() == {}


@pytest.mark.parametrize(
    ("resolution", "state"), [("fixed", "pending"), ("done", "done"), ("accepted", "failed")]
)
def test_a_person_decides_what_becomes_of_a_failed_action(
    resolution: str, state: str, box: ServiceBox
) -> None:
    box.paid_order(102)
    box.lease("fulfillment")
    box.report(STOCK, done=False, error="no", retryable=False)
    (entry,) = box.exceptions().values()
    resolved = box.service.people.resolve(entry.id, resolution, "Ida", "checked")
    assert (resolved.status, box.action(STOCK).state) == ("resolved", state)


def test_a_failed_action_is_not_tried_again_for_an_order_cancelled_since(
    box: ServiceBox,
) -> None:
    """Somebody clears the list after the order was called off: no parcel leaves."""
    order_id = box.paid_order(102)
    box.lease("fulfillment")
    box.report(STOCK, False, error="no such product", retryable=False)
    box.service.people.cancel(order_id, "Ida", "the customer called")
    (entry,) = (x for x in box.exceptions().values() if x.kind == "action_failed")
    box.service.people.resolve(entry.id, "fixed", "Ida", "try again")
    assert box.action(STOCK).state == "withdrawn"
    assert box.lease("fulfillment") == []


def test_a_failed_action_that_fails_again_is_told_again_and_stays_in_the_history(
    box: ServiceBox,
) -> None:
    """Its tries are counted anew after "fixed"; the new failures had the old ones' names and were
    missing in the history."""
    box.paid_order(102)
    for round_ in (1, 2):
        (action,) = box.lease("fulfillment")
        assert action["attempt"] == 1
        error = f"no {round_}"
        box.report(STOCK, done=False, error=error, retryable=False, lease_id=action["lease_id"])
        (entry,) = box.exceptions().values()
        box.service.people.resolve(entry.id, "fixed", "Ida", "try again")
    assert len(history(box, woo_id(102))) == 2


# --- wanted and not wanted -----------------------------------------------------------------------


def test_withdrawn_and_wanted_again(box: ServiceBox) -> None:
    box.paid_order(102)
    box.woo(card_order(102, status="cancelled", date_modified_gmt="2026-11-23T21:00:00"))
    assert box.action(STOCK).state == "withdrawn"
    box.woo(card_order(102, status="processing", date_modified_gmt="2026-11-23T22:00:00"))
    row = box.action(STOCK)
    assert (row.state, row.finished_at) == ("pending", None)
    assert [action["key"] for action in box.lease("fulfillment")] == [STOCK]


def test_deciding_again_changes_nothing(box: ServiceBox) -> None:
    from kette.use_cases.tick import redecide_all

    box.paid_order(102)
    box.do("fulfillment")
    before = box.actions()
    assert redecide_all(box.kernel, "test") == 1
    assert box.actions() == before
    with box.kernel.store.read() as tx:
        assert [d.cause for d in tx.decisions_of(woo_id(102)) if d.cause == "test"] == []


def test_a_withdrawal_does_not_overtake_a_lease(box: ServiceBox) -> None:
    """On PostgreSQL a lease can be taken between reading and withdrawing: who has leased keeps."""
    box.paid_order(102)
    with box.kernel.store.write() as tx:
        row = tx.outbox.get([STOCK])[STOCK]
        assert row.state == "pending"
        tx.outbox.lease("fulfillment", (), 10, "lse_other", box.clock.at, box.clock.at)
        assert tx.outbox.withdraw([STOCK, "check_stock:none:1"], box.clock.at) == []
    assert box.action(STOCK).state == "leased"


# --- exceptions by time --------------------------------------------------------------------------


def test_an_overdue_exception_is_escalated_once(box: ServiceBox) -> None:
    box.woo(b"{")
    (entry,) = box.exceptions().values()
    for _ in range(3):
        box.clock.move(days=1)
        tick(box.kernel)
    keys = [key for key, row in box.actions().items() if row.stage == "exceptions"]
    assert sorted(keys) == [f"escalate:{entry.id}", f"notify_owner:{entry.id}"]


def test_a_snoozed_exception_comes_back_at_its_time(box: ServiceBox) -> None:
    from datetime import timedelta

    box.woo(b"{")
    (entry,) = box.exceptions().values()
    until = box.clock.at + timedelta(hours=5)
    box.service.people.snooze(entry.id, until, "Ida", "waiting for the shop")
    assert box.exceptions() == {}
    box.clock.move(hours=4.9)
    tick(box.kernel)
    assert box.exceptions() == {}
    box.clock.move(hours=0.2)
    tick(box.kernel)
    assert [x.id for x in box.exceptions().values()] == [entry.id]


def test_owners_are_told_and_not_told_any_more_once_it_is_over(box: ServiceBox) -> None:
    box.woo(b"{")
    (entry,) = box.exceptions().values()
    assert box.action(f"notify_owner:{entry.id}").state == "pending"
    box.service.people.resolve(entry.id, "done", "Ida", "test message of the shop")
    assert box.action(f"notify_owner:{entry.id}").state == "withdrawn"


def test_one_order_that_cannot_be_decided_does_not_stop_the_clock(box: ServiceBox) -> None:
    """Each second the same order broke the tick before anything else was looked at."""
    for number in (102, 103):
        box.woo(card_order(number, status="pending", billing={"email": f"c{number}@example.org"}))
    assess = box.kernel.assess

    def sometimes(kernel: object, tx: object, order_id: str, file: object) -> object:
        if order_id == woo_id(102):
            raise ZeroDivisionError
        return assess(kernel, tx, order_id, file)  # type: ignore[arg-type]

    box.kernel.assess = sometimes  # type: ignore[assignment]
    box.clock.at = box.clock.at.replace(day=28)
    tick(box.kernel)
    reminder = f"send_payment_reminder:{woo_id(103)}:1"
    assert reminder in box.actions()


def test_a_setup_without_mail_opens_exceptions_all_the_same(database_url: str) -> None:
    import msgspec

    setup = ready_setup()
    systems = {key: s for key, s in setup.systems.items() if s.role != "mail"}
    box = ServiceBox(database_url, setup=msgspec.structs.replace(setup, systems=systems))
    try:
        box.woo(b"{")
        assert [x.kind for x in box.exceptions().values()] == ["payload_unknown"]
        assert box.actions() == {}
    finally:
        box.close()
