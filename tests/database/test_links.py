"""Payments, parcels and orders find each other by any name they share, in any order of arrival.

Failure cases 2 and 22: what comes before its order waits under its own names and joins later.
"""

from __future__ import annotations

import contextlib
import threading
from itertools import permutations
from typing import Any

import pytest
from support.service_box import ServiceBox, card_order, paid_event, woo_id
from support.threads import at_once
from support.vendor_deliveries import vendor_fixture


def pi(number: int = 102) -> str:
    return f"pi_3PaymentOfOrder{number:06d}"


def ch(number: int = 102) -> str:
    return f"ch_3PaymentOfOrder{number:06d}"


def nameless(name: str, number: int = 102, **told: Any) -> Any:
    """An event that names no order, only the provider's own ids."""
    event = vendor_fixture("stripe", name)
    event["data"]["object"] |= {"metadata": {}, **told}
    event["id"] = f"evt_{name}_{number}"
    return event


def payment(number: int = 102) -> Any:
    ids = {"id": pi(number), "latest_charge": ch(number)}
    return nameless("payment_intent_succeeded", number, **ids)


def refund_event(number: int = 102) -> Any:
    ids = {"id": f"re_{number}", "payment_intent": pi(number), "charge": ch(number)}
    return nameless("refund_updated", number, **ids, status="succeeded", amount=1000)


@pytest.mark.parametrize("known", [pi(), ch()])
@pytest.mark.parametrize("order_first", [True, False], ids=["order first", "payment first"])
def test_a_payment_joins_by_either_of_its_names(
    known: str, order_first: bool, box: ServiceBox
) -> None:
    """The payment came first and the order knew only its charge: the two never met."""
    steps = [lambda: box.woo(card_order(102, transaction_id=known)), lambda: box.stripe(payment())]
    for step in steps if order_first else steps[::-1]:
        step()
    assert box.statuses(woo_id(102))["payment"] == "paid"


@pytest.mark.parametrize(
    "sequence", sorted(permutations(range(3))), ids=lambda s: "".join(map(str, s))
)
def test_refund_payment_and_order_in_any_order(sequence: tuple[int, ...], box: ServiceBox) -> None:
    """The order names the charge, the refund the payment, the payment both."""
    refund = refund_event()
    refund["data"]["object"].pop("charge")
    steps = [
        lambda: box.woo(card_order(102, transaction_id=ch())),
        lambda: box.stripe(payment()),
        lambda: box.stripe(refund),
    ]
    for n in sequence:
        steps[n]()
    assert box.statuses(woo_id(102))["payment"] == "partially_refunded"
    assert len(box.actions(woo_id(102))) > 0


def test_what_waits_under_foreign_names_is_no_order(box: ServiceBox) -> None:
    answer = box.stripe(payment())
    assert (answer.order_id, len(answer.fact_ids)) == (None, 1)
    with box.kernel.store.read() as tx:
        assert tx.orders.find(limit=10) == ([], None)
    assert box.stripe(payment()).is_duplicate


def test_an_event_that_names_its_order_opens_the_file(box: ServiceBox) -> None:
    """Failure case 4: the order's own webhook is late or lost, the payment is known."""
    answer = box.stripe(paid_event(102))
    assert answer.order_id == woo_id(102)
    assert box.statuses(woo_id(102)) == {
        "order": "received",
        "payment": "paid",
        "risk": "clear",
        "fulfillment": "none",
        "return": "none",
        "accounting": "none",
    }
    assert box.woo(card_order(102)).order_id == woo_id(102)
    assert box.statuses(woo_id(102))["order"] == "valid"


def test_the_same_event_again_after_joining_is_still_the_same(box: ServiceBox) -> None:
    box.stripe(payment())
    box.woo(card_order(102, transaction_id=ch()))
    assert box.stripe(payment()).is_duplicate
    assert box.fact_count(woo_id(102)) == 2


def test_payment_and_order_committed_at_the_same_moment_join(box: ServiceBox) -> None:
    """Neither sees the other's uncommitted rows: on PostgreSQL the link could be lost."""
    for number in range(400, 430):
        order = card_order(number, transaction_id=pi(number))
        event = payment(number)
        at_once([lambda o=order: box.woo(o), lambda e=event: box.stripe(e)])  # type: ignore[misc]
    with box.kernel.store.read() as tx:
        rows, _ = tx.orders.find(limit=100)
    assert {row.external_id: row.statuses["payment"] for row in rows} == {
        str(number): "paid" for number in range(400, 430)
    }


def test_an_order_and_its_repetition_committed_at_the_same_moment_see_each_other(
    box: ServiceBox,
) -> None:
    """Both are decided before either is committed: then neither was a repetition."""
    assess = box.kernel.assess
    meeting = threading.Barrier(2)

    def slow(kernel: Any, tx: Any, order_id: str, file: Any) -> Any:
        judged = assess(kernel, tx, order_id, file)
        with contextlib.suppress(threading.BrokenBarrierError):
            meeting.wait(1.0)  # met: both have looked, none has committed
        return judged

    box.kernel.assess = slow  # type: ignore[assignment]
    pair = [card_order(n, transaction_id="") for n in (102, 103)]
    at_once([lambda body=body: box.woo(body) for body in pair])  # type: ignore[misc]
    held = [box.statuses(woo_id(n))["order"] for n in (102, 103)]
    assert held == ["valid", "on_hold"]


def test_the_repetition_is_found_whichever_comes_first(box: ServiceBox) -> None:
    """A new order may turn one that is known already into the repetition."""
    box.woo(card_order(103, transaction_id=""))
    assert box.statuses(woo_id(103))["order"] == "valid"
    box.woo(card_order(102, transaction_id=""))
    assert [box.statuses(woo_id(n))["order"] for n in (102, 103)] == ["valid", "on_hold"]
    box.woo(card_order(102, status="cancelled", date_modified_gmt="2026-11-23T23:00:00"))
    assert box.statuses(woo_id(103))["order"] == "valid"


def test_facts_that_joined_keep_their_own_chain(box: ServiceBox) -> None:
    from kette.adapters.database.verify import read_chains

    box.stripe(payment())
    box.woo(card_order(102, transaction_id=ch()))
    box.stripe(refund_event())
    _, chunks = read_chains(box.service.database)
    assert [fault for faults, _ in chunks for fault in faults] == []
