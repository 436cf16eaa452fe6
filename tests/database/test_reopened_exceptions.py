"""An exception whose case comes back: a new time limit, its owner told again, once per opening.

It kept the deadline of the first time, mostly long past, and the messages' names were used up: an
order that was wrong again after three weeks waited in the list, and nobody knew.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from kette.use_cases.ports import ExceptionRow
from kette.use_cases.tick import redecide_all, tick
from support.service_box import ServiceBox, card_order, paid_event, woo_id
from support.woo_orders import BASE

STOCK = f"check_stock:{woo_id(102)}:1"
DAY = timedelta(days=1)
SHOP_TIMES = iter(range(10, 60))


def tell(box: ServiceBox, **address: str) -> None:
    """The shop tells of a change of order 102's address; the order is paid."""
    at = f"2026-11-23T21:{next(SHOP_TIMES)}:00"
    address = {**BASE["billing"], **address}
    box.woo(card_order(102, billing=address, shipping=address, date_modified_gmt=at))
    box.stripe_at(paid_event(102))


def wrong(box: ServiceBox) -> ExceptionRow:
    tell(box, address_1="Musterstrasse")
    (entry,) = (x for x in box.exceptions().values() if x.kind == "invalid_address")
    return entry


def messages(box: ServiceBox, entry: ExceptionRow) -> dict[str, str]:
    """Messages about an entry: their keys without its id, and their states."""
    rows = [x for x in box.actions().values() if x.payload.get("exception_id") == entry.id]
    return {row.key.replace(f":{entry.id}", ""): row.state for row in rows}


def reach(box: ServiceBox, **move: Any) -> None:
    box.clock.move(**move)
    tick(box.kernel)
    tick(box.kernel)


def test_a_case_that_is_one_again_has_a_new_deadline_and_its_owner_is_told(
    box: ServiceBox,
) -> None:
    first = wrong(box)
    box.do("exceptions")
    reach(box, days=1.5)
    box.do("exceptions")
    tell(box)
    assert box.exceptions() == {}
    box.clock.move(days=20)
    again = wrong(box)
    assert (again.id, first.openings, again.openings) == (first.id, 1, 2)
    assert (again.opened_at, again.due_at) == (box.clock.at, box.clock.at + DAY)
    expected = {
        "notify_owner": "done",
        "escalate": "done",
        "notify_owner:2": "pending",
    }
    assert messages(box, first) == expected
    reach(box, days=0.9)
    redecide_all(box.kernel, "test")
    assert messages(box, first) == expected, "told once, and not overdue yet"
    reach(box, days=0.2)
    assert messages(box, first) == {**expected, "escalate:2": "pending"}


def test_messages_of_an_opening_that_is_over_are_withdrawn(box: ServiceBox) -> None:
    entry = wrong(box)
    tell(box)
    wrong(box)
    tell(box)
    assert messages(box, entry) == {"notify_owner": "withdrawn", "notify_owner:2": "withdrawn"}


def test_what_is_said_to_be_fixed_and_is_not_never_left_the_list(box: ServiceBox) -> None:
    """Else every "fixed" would grant another day, and mail the owner who has just said it."""
    entry = wrong(box)
    box.clock.move(hours=20)
    answer = box.service.people.resolve(entry.id, "fixed", "Ida", "saved in the shop")
    assert (answer.status, answer.due_at, answer.openings) == ("open", entry.due_at, 1)
    assert answer.resolution == ""
    assert list(messages(box, entry)) == ["notify_owner"]


def test_a_snoozed_entry_that_is_not_fixed_comes_back_to_the_list(box: ServiceBox) -> None:
    entry = wrong(box)
    box.service.people.snooze(entry.id, box.clock.at + 3 * DAY, "Ida", "on holiday")
    answer = box.service.people.resolve(entry.id, "fixed", "Ida", "saved in the shop")
    assert (answer.status, answer.snoozed_until) == ("open", None)


def test_an_action_that_fails_again_after_a_new_try_is_told_again(box: ServiceBox) -> None:
    box.paid_order(102)
    for opening in (1, 2, 3):
        (action,) = box.lease("fulfillment")
        told = {"error": f"no {opening}", "retryable": False, "lease_id": action["lease_id"]}
        box.report(STOCK, False, **told)
        (entry,) = box.exceptions().values()
        assert (entry.openings, entry.due_at) == (opening, box.clock.at + DAY)
        assert entry.context["error"] == f"no {opening}"
        box.do("exceptions")
        box.clock.move(days=0.5)
        box.service.people.resolve(entry.id, "fixed", "Ida", "try again")
    names = ("notify_owner", "notify_owner:2", "notify_owner:3")
    assert messages(box, entry) == dict.fromkeys(names, "done")


def test_an_owner_whom_a_person_named_stays_the_owner(box: ServiceBox) -> None:
    entry = wrong(box)
    box.service.people.assign(entry.id, "accounting", "Ida", "they know the customer")
    tell(box)
    assert wrong(box).owner == "accounting"
    assert box.action(f"notify_owner:{entry.id}:2").payload["owner"] == "accounting"
