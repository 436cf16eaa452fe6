"""Goods never leave before their money, and money never leaves twice: situations beside the plain
ones, in which one of the two nearly happened."""

from __future__ import annotations

from datetime import timedelta

import pytest
from kette.domain import facts as f
from kette.domain.order import ShopClaim
from support.intake_orders import PLACED_AT, row
from support.order_facts import (
    BOOK,
    DAY,
    HOUR,
    MINUTE,
    MUGS,
    TOTAL,
    actions_of,
    decided,
    dispute,
    done,
    exceptions_of,
    paid_by_shop,
    parcel,
    payment,
    refund,
    resolved,
    setup_with,
    shipped,
    shop_refund,
    snapshot,
    stocked,
)

S = f.PaymentState
D = f.DisputeState
BY_KETTE = setup_with(payment={"shop_refunds_moved_by": "kette"})
ON_RESERVATION = setup_with(fulfillment={"ship_on_authorization": True})
EXTRA = row(1000, 190, id="7", sku="EXTRA", product_id="17", name="Extra")  # 11.90
CANCEL = f.CancelRequested("Ida", "the customer called")


def leaves(*bodies: f.FactBody, **more: object) -> bool:
    """Whether the next step towards a parcel is wanted."""
    kinds = {a.kind for a in decided(bodies, **more).actions}  # type: ignore[arg-type]
    return bool(kinds & {"check_stock", "create_shipment"})


def test_a_refund_does_not_make_a_part_payment_whole() -> None:
    """Paid 10.00 of 30.50, 1.00 of it refunded: the debt is no smaller."""
    bodies = (snapshot(), payment(minor=1000), refund(minor=100))
    assert not leaves(*bodies)
    (entry,) = exceptions_of(decided(bodies)).values()
    assert (entry.kind, entry.blocking) == ("amount_mismatch", True)


def test_a_line_added_after_the_first_parcel_left_waits_for_its_money() -> None:
    longer = snapshot(
        version=2,
        lines=(MUGS, BOOK, EXTRA),
    )
    bodies = (
        snapshot(),
        payment(),
        stocked(1),
        shipped(),
        parcel(f.ParcelState.SHIPPED),
        longer,
    )
    assert not leaves(*bodies)
    (entry,) = exceptions_of(decided(bodies)).values()
    assert (entry.kind, entry.blocking) == ("changed_after_fulfillment", True)
    accepted = resolved("", whole_key=entry.key)
    assert leaves(*bodies, accepted)


def test_reserved_money_is_not_paid_whatever_the_shop_says() -> None:
    """WooCommerce writes date_paid as soon as an order is in processing, captured or not."""
    bodies = (snapshot(paid_at=PLACED_AT), payment(S.AUTHORIZED))
    decision = decided(bodies)
    assert decision.statuses.payment.value == "authorized"
    assert not leaves(*bodies)
    assert set(exceptions_of(decision)) == {"payment_open:reserved"}
    assert leaves(*bodies, resolved("payment_open:reserved"))
    assert leaves(*bodies, payment())


def test_a_plugin_that_captures_in_a_minute_alarms_nobody() -> None:
    bodies = (snapshot(), payment(S.AUTHORIZED))
    early = decided(bodies, now=PLACED_AT + 5 * MINUTE)
    assert exceptions_of(early) == {}
    assert early.due_at is not None
    assert early.due_at < PLACED_AT + HOUR


def test_a_reservation_smaller_than_the_order_ships_nothing() -> None:
    assert leaves(snapshot(), payment(S.AUTHORIZED), setup=ON_RESERVATION)
    assert not leaves(snapshot(), payment(S.AUTHORIZED, TOTAL - 1), setup=ON_RESERVATION)


def test_a_reservation_without_a_known_end_is_thought_to_last_a_week() -> None:
    bodies = (snapshot(ShopClaim.ON_HOLD), payment(S.AUTHORIZED))
    late = decided(bodies, now=PLACED_AT + 5 * DAY + HOUR)
    assert set(exceptions_of(late)) == {"payment_open:authorization-pi_1"}


@pytest.mark.parametrize("resolution", ["accepted", "done"])
def test_a_person_may_deliver_without_a_known_payment(resolution: str) -> None:
    assert leaves(snapshot(), resolved("payment_open:processing-unpaid", resolution))


def test_look_again_is_no_leave_to_deliver_unpaid() -> None:
    bodies = (snapshot(), resolved("payment_open:processing-unpaid", "fixed"))
    assert not leaves(*bodies)
    assert set(exceptions_of(decided(bodies))) == {"payment_open:processing-unpaid"}


@pytest.mark.parametrize("claim", [ShopClaim.ON_HOLD, ShopClaim.FAILED, ShopClaim.PENDING])
@pytest.mark.parametrize("by_provider", [True, False])
def test_an_order_that_the_shop_takes_back_stays_here(claim: ShopClaim, by_provider: bool) -> None:
    """The merchant puts a paid order on hold, or the bank's debit fails: date_paid stays."""
    money = (payment(),) if by_provider else ()
    bodies = (paid_by_shop(), *money, paid_by_shop(claim, version=2))
    later = PLACED_AT + DAY
    assert not leaves(*bodies, now=later)
    decision = decided(bodies, now=later)
    (entry,) = exceptions_of(decision).values()
    assert (entry.kind, entry.blocking) == ("order_stuck", True)
    # Nor is the shop told to go on: it was the shop that stopped.
    assert "release_order:paid" not in actions_of(decision)
    assert leaves(*bodies, resolved("", whole_key=entry.key), now=PLACED_AT + HOUR)
    again = paid_by_shop(version=3)
    assert leaves(*bodies, again, now=PLACED_AT + HOUR)


def test_our_own_hold_in_the_shop_is_no_taking_back() -> None:
    mirrored = setup_with(payment={"mirror_holds": True})
    held = (
        paid_by_shop(),
        done("hold_order:x"),
        paid_by_shop(ShopClaim.ON_HOLD, version=2),
    )
    assert leaves(*held, setup=mirrored)


def test_an_unpaid_order_put_back_is_reminded_as_before() -> None:
    bodies = (snapshot(payment_method="bacs"), snapshot(ShopClaim.ON_HOLD, version=2))
    assert exceptions_of(decided(bodies)) == {}


def test_money_that_the_bank_took_back_is_not_refunded_for_the_shop() -> None:
    bodies = (
        snapshot(refunds=(shop_refund(TOTAL),)),
        payment(),
        dispute(D.NEEDS_RESPONSE),
    )
    decision = decided(bodies, BY_KETTE)
    assert not any(a.kind == "refund_payment" for a in decision.actions)
    assert "amount_mismatch:refund-501" in exceptions_of(decision)


def test_what_a_partial_dispute_left_goes_back_when_the_order_is_cancelled() -> None:
    bodies = (snapshot(), payment(), dispute(D.LOST, 1000), CANCEL)
    wanted = actions_of(decided(bodies))
    assert wanted["refund_payment:cancel"].payload["amount_minor"] == str(TOTAL - 1000)


@pytest.mark.parametrize("told_by", ["payment", "charge"])
def test_the_refund_asks_the_payment_that_still_has_the_money(told_by: str) -> None:
    """Paid twice, the first payment refunded, then cancelled."""
    at = "pi_1" if told_by == "payment" else "ch_1"
    bodies = (
        snapshot(),
        payment(charge_id="ch_1"),
        payment(payment_id="pi_2", charge_id="ch_2"),
        refund(payment_id=at),
        CANCEL,
    )
    payload = actions_of(decided(bodies))["refund_payment:cancel"].payload
    assert (payload["payment_id"], payload["amount_minor"]) == ("pi_2", str(TOTAL))


def test_the_payment_asked_stays_the_same_once_the_refund_moves() -> None:
    moving = refund(
        f.RefundState.PENDING,
        action_key="refund_payment:ord_test:cancel",
        refund_id="re_9",
    )
    bodies = (snapshot(), payment(), payment(payment_id="pi_2", minor=TOTAL), CANCEL)
    both = (*bodies, refund(payment_id="pi_2", refund_id="re_2"))
    before = actions_of(decided(both))["refund_payment:cancel"].payload
    after = actions_of(decided((*both, moving), now=PLACED_AT + timedelta(days=1)))
    assert after["refund_payment:cancel"].payload == before
