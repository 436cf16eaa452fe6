"""Orders that the shop marks as tests: nothing follows from them, unless the shop is tried out.

A paid one once got no invoice and was shipped all the same.
"""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from kette.domain import facts as f
from kette.domain.order import ShopClaim
from kette.domain.policy import Setup
from support.order_facts import (
    DAY,
    SETUP,
    actions_of,
    decided,
    dispute,
    exceptions_of,
    paid_by_shop,
    parcel,
    payment,
    refund,
    shipped,
    snapshot,
    stocked,
)

C = ShopClaim
PAID = paid_by_shop(is_test=True)
OUT = (PAID, stocked(line_1=2, line_2=1), shipped(), parcel(f.ParcelState.SHIPPED))


def in_test_mode(system_id: str) -> Setup:
    system = msgspec.structs.replace(SETUP.systems[system_id], options={"mode": "test"})
    return msgspec.structs.replace(SETUP, systems={**SETUP.systems, system_id: system})


@pytest.mark.parametrize(
    "bodies",
    [
        pytest.param((PAID,), id="paid"),
        pytest.param((PAID, stocked(line_1=2, line_2=1)), id="paid, stock known"),
        pytest.param(OUT, id="sent by somebody"),
        pytest.param((snapshot(C.PENDING, is_test=True),), id="not paid"),
        pytest.param((snapshot(C.FAILED, is_test=True),), id="not paid, the shop gave up"),
        pytest.param((paid_by_shop(C.CANCELLED, is_test=True),), id="paid and cancelled"),
        pytest.param((PAID, f.CancelRequested("Ida", "a test")), id="called off here"),
        pytest.param((PAID, parcel(f.ParcelState.FAILED)), id="the carrier refuses"),
    ],
)
def test_nothing_follows_from_a_test_order(bodies: tuple[f.FactBody, ...]) -> None:
    for age in (timedelta(hours=1), 4 * DAY, 30 * DAY):
        decision = decided(bodies, now=snapshot().order.placed_at + age)
        assert (decision.actions, decision.exceptions, decision.due_at) == ((), (), None)


def test_its_statuses_are_those_of_any_order() -> None:
    assert decided(OUT).statuses == decided((paid_by_shop(), *OUT[1:])).statuses


@pytest.mark.parametrize("system_id", ["woo-main", "stripe-main"])
def test_while_a_shop_is_tried_out_its_tests_play_the_chain(system_id: str) -> None:
    trial = in_test_mode(system_id)
    tested = decided((PAID, stocked(line_1=2, line_2=1)), trial)
    assert {"create_shipment:1", "notify:confirmation"} <= set(actions_of(tested))
    assert "issue_invoice" not in actions_of(decided(OUT, trial)), "a test uses up no number"
    assert "issue_invoice" in actions_of(decided((paid_by_shop(), *OUT[1:]), trial))


def test_the_test_mode_of_another_shop_does_not_count() -> None:
    trial = in_test_mode("stripe-main")
    other = msgspec.structs.replace(trial.systems["stripe-main"], serves=("other-shop",))
    trial = msgspec.structs.replace(trial, systems={**trial.systems, "stripe-main": other})
    assert decided((PAID,), trial).actions == ()


def test_money_that_a_provider_took_for_a_test_is_a_persons_case() -> None:
    bodies = (snapshot(is_test=True), payment(payment_id="pi_7"))
    entries = exceptions_of(decided(bodies))
    assert set(entries) == {"order_stuck:test-with-money"}
    assert entries["order_stuck:test-with-money"].context == {"payments": ["pi_7"]}
    for body in (refund(), dispute(f.DisputeState.NEEDS_RESPONSE)):
        decision = decided((*bodies, body))
        assert (decision.actions, set(exceptions_of(decision))) == ((), set(entries))
    only_tried = (snapshot(is_test=True), payment(f.PaymentState.FAILED))
    assert decided(only_tried).exceptions == ()
