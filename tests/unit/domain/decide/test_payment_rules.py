"""Payment: reminders, cancellation by time, disputes, differences, and healing the shop."""

from __future__ import annotations

from datetime import timedelta

import pytest
from kette.domain import facts as f
from kette.domain.decide import Assessment, RiskVerdict
from kette.domain.money import Money
from kette.domain.order import ShopClaim
from kette.domain.status import OrderStatus, PaymentStatus, RiskStatus
from support.intake_orders import PLACED_AT
from support.order_facts import (
    DAY,
    HOUR,
    MINUTE,
    TOTAL,
    actions_of,
    decided,
    dispute,
    done,
    eur,
    exceptions_of,
    fact,
    parcel,
    payment,
    refund,
    resolved,
    setup_with,
    shipped,
    snapshot,
    told,
    without_system,
)

S, D, C = f.PaymentState, f.DisputeState, ShopClaim
OPEN = (snapshot(C.PENDING),)
WAITING = (snapshot(C.ON_HOLD, payment_method="bacs"),)


def kinds(bodies: tuple[f.FactBody, ...], days: float, setup: object = None) -> set[str]:
    now = PLACED_AT + timedelta(days=days)
    decision = decided(bodies, now=now) if setup is None else decided(bodies, setup, now)  # type: ignore[arg-type]
    return {action.kind for action in decision.actions}


# --- collecting ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (2.99, set()),
        (3, {"send_payment_reminder:1"}),
        (6.99, {"send_payment_reminder:1"}),
        (7, {"send_payment_reminder:2"}),  # only the newest step, after an outage as well
        (13.99, {"send_payment_reminder:2"}),
        (14, {"cancel_order:unpaid"}),
        (400, {"cancel_order:unpaid"}),
    ],
)
def test_an_unpaid_order_is_reminded_and_then_cancelled(days: float, expected: set[str]) -> None:
    assert set(actions_of(decided(OPEN, now=PLACED_AT + timedelta(days=days)))) == expected


def test_time_alone_wakes_an_unpaid_order() -> None:
    assert decided(OPEN).due_at == PLACED_AT + 3 * DAY
    assert decided(OPEN, now=PLACED_AT + 3 * DAY).due_at == PLACED_AT + 7 * DAY
    assert decided(OPEN, now=PLACED_AT + 7 * DAY).due_at == PLACED_AT + 14 * DAY
    assert decided(OPEN, now=PLACED_AT + 14 * DAY).due_at is None


def test_a_reminder_carries_what_the_link_needs() -> None:
    payload = actions_of(decided(OPEN, now=PLACED_AT + 3 * DAY))["send_payment_reminder:1"].payload
    assert payload == {
        "amount": {"amount": "30.50", "currency": "EUR"},
        "amount_minor": "3050",
        "currency": "eur",
        "description": "Order 102",
        "reference": "102",
        "n": "1",
        "system_id": "stripe-main",
    }


def test_prepayment_needs_no_link() -> None:
    assert "send_payment_reminder" not in kinds(WAITING, 4)
    assert kinds(WAITING, 14) >= {"cancel_order"}


@pytest.mark.parametrize(
    ("why", "bodies"),
    [
        ("paid", (snapshot(), payment())),
        ("paid later", (snapshot(payment_method="cod"),)),
        ("made in the shop's admin", (snapshot(C.PENDING, origin="admin"),)),
        ("free", (snapshot(C.PENDING, total=eur(0)),)),
        ("bank collects", (*OPEN, payment(S.PROCESSING))),
        ("reserved", (*OPEN, payment(S.AUTHORIZED))),
        ("cancelled", (snapshot(C.CANCELLED),)),
        ("in the trash", (*OPEN, f.OrderRemoved())),
        ("completed in the shop", (snapshot(C.COMPLETED),)),
    ],
)
def test_nobody_else_is_dunned_or_cancelled(why: str, bodies: tuple[f.FactBody, ...]) -> None:
    """Failure case 18: admin-made orders; failure case 19: a payment that is still collected."""
    wanted = kinds(bodies, 13.9)
    assert not wanted & {"send_payment_reminder", "offer_alternative_payment", "cancel_order"}, why


def test_an_order_that_waits_for_a_person_is_not_dunned() -> None:
    held = Assessment(risk=RiskVerdict(55, RiskStatus.REVIEW, ("high value",)))
    decision = decided(OPEN, now=PLACED_AT + 20 * DAY, assessment=held)
    assert not {a.kind for a in decision.actions} & {"send_payment_reminder", "cancel_order"}


def test_a_debit_that_is_never_collected_is_looked_at_again() -> None:
    """Failure case 19: nothing woke the order once the bank's two weeks were over."""
    facts = told(*OPEN, payment(S.PROCESSING))
    decision = decided(facts, now=PLACED_AT + DAY)
    assert decision.due_at == PLACED_AT + MINUTE + 14 * DAY
    assert actions_of(decision) == {}
    assert set(actions_of(decided(facts, now=decision.due_at))) == {"cancel_order:unpaid"}


def test_no_timer_where_the_merchant_wants_none() -> None:
    setup = setup_with(payment={"cancel_after_s": None, "reminders_after_s": ()})
    assert kinds(OPEN, 400, setup) == set()
    assert decided(OPEN, setup).due_at is None


def test_a_refused_payment_offers_another_way_at_once() -> None:
    refused = (snapshot(C.FAILED), payment(S.FAILED, code="card_declined"))
    assert set(actions_of(decided(refused))) == {"offer_alternative_payment:failed"}
    assert actions_of(decided(refused, without_system("payment"))) == {}
    paid = (*refused, payment(payment_id="pi_2"))
    assert "offer_alternative_payment:failed" not in actions_of(decided(paid))


def test_processing_without_any_payment_is_a_case_for_a_person() -> None:
    unpaid = (snapshot(C.PROCESSING),)
    assert set(exceptions_of(decided(unpaid))) == {"payment_open:processing-unpaid"}
    assert "cancel_order" not in kinds(unpaid, 30)
    accepted = decided((*unpaid, resolved("payment_open:processing-unpaid")))
    assert exceptions_of(accepted) == {}
    assert "check_stock:1" in actions_of(accepted)


# --- what was paid -------------------------------------------------------------------------------


def test_too_little_money_stops_the_goods() -> None:
    """Failure case 25: captured amount and changed total differ."""
    decision = decided((snapshot(), payment(minor=TOTAL - 100)))
    ((key, entry),) = exceptions_of(decision).items()
    assert (entry.kind, entry.blocking) == ("amount_mismatch", True)
    assert entry.context == {"paid": "29.50", "total": "30.50"}
    assert decision.statuses.order is OrderStatus.ON_HOLD
    accepted = decided((snapshot(), payment(minor=TOTAL - 100), resolved(key)))
    assert exceptions_of(accepted) == {}
    assert "check_stock:1" in actions_of(accepted)


def test_too_much_money_does_not() -> None:
    decision = decided((snapshot(), payment(minor=TOTAL + 100)))
    assert [e.blocking for e in exceptions_of(decision).values()] == [False]
    assert "check_stock:1" in actions_of(decision)


def test_two_captured_payments_are_noticed() -> None:
    """Failure case 17: two transactions were marked paid."""
    decision = decided((snapshot(), payment(), payment(payment_id="pi_2")))
    assert [e.kind for e in exceptions_of(decision).values()] == ["amount_mismatch"]


def test_a_change_after_shipping_is_another_case() -> None:
    bodies = (
        snapshot(),
        payment(),
        shipped(),
        parcel(f.ParcelState.SHIPPED),
        snapshot(version=2, total=eur(TOTAL + 500)),
    )
    (entry,) = exceptions_of(decided(bodies)).values()
    assert (entry.kind, entry.blocking) == ("changed_after_fulfillment", False)


def test_an_edit_up_and_down_again_refunds_nothing() -> None:
    """Failure case 27: money that was never paid is never refunded."""
    bodies = (
        snapshot(),
        payment(),
        snapshot(version=2, total=eur(TOTAL + 5000)),
        snapshot(version=3),
    )
    decision = decided(bodies)
    assert exceptions_of(decision) == {}
    assert not any(action.kind == "refund_payment" for action in decision.actions)


def test_another_currency_holds_the_order() -> None:
    franc = f.PaymentReported("pi_1", S.CAPTURED, Money(TOTAL, "CHF"))
    (entry,) = exceptions_of(decided((snapshot(), franc))).values()
    assert (entry.kind, entry.blocking) == ("amount_mismatch", True)
    assert entry.summary == "Paid in CHF, ordered in EUR"


# --- disputes ------------------------------------------------------------------------------------

PAID = (snapshot(), payment())


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([D.INQUIRY], {"dispute_inquiry:dp_1"}),
        ([D.INQUIRY, D.INQUIRY_CLOSED], set()),
        ([D.NEEDS_RESPONSE], {"chargeback:dp_1"}),
        ([D.UNDER_REVIEW], {"chargeback:dp_1"}),
        ([D.UNDER_REVIEW, D.WON], set()),
        ([D.UNDER_REVIEW, D.LOST], {"chargeback:dp_1:lost"}),
        ([D.LOST, D.UNDER_REVIEW], {"chargeback:dp_1:lost"}),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, list) else "",
)
def test_disputes_are_mirrored(states: list[D], expected: set[str]) -> None:
    """Failure cases 21 and 22."""
    bodies = (*PAID, *(dispute(state) for state in states))
    assert set(exceptions_of(decided(bodies))) == expected


def test_a_won_dispute_leaves_no_trace_in_the_status() -> None:
    bodies = (*PAID, dispute(D.NEEDS_RESPONSE), dispute(D.WON))
    assert decided(bodies).statuses.payment is PaymentStatus.PAID


def test_a_returned_direct_debit_is_a_final_loss() -> None:
    """Failure case 21: banks take SEPA debits back without a question; the dispute is born lost."""
    decision = decided((*PAID, dispute(D.LOST, reason="debit_not_authorized")))
    assert decision.statuses.payment is PaymentStatus.CHARGEBACK
    assert set(exceptions_of(decision)) == {"chargeback:dp_1:lost"}


def test_goods_of_a_disputed_payment_stay_here_and_labels_come_back() -> None:
    disputed = (*PAID, shipped(), dispute(D.NEEDS_RESPONSE))
    assert "cancel_fulfillment:p1" in actions_of(decided(disputed))
    nothing_out = decided((*PAID, dispute(D.NEEDS_RESPONSE)))
    assert "check_stock:1" not in actions_of(nothing_out)


# --- the shop's status ---------------------------------------------------------------------------


@pytest.mark.parametrize("claim", [C.PENDING, C.FAILED, C.ON_HOLD])
def test_paid_at_the_provider_but_open_in_the_shop_is_healed(claim: ShopClaim) -> None:
    """Failure case 14: the shop's timer would cancel a paid order."""
    bodies = (snapshot(claim), payment())
    captured_at = PLACED_AT + MINUTE
    early = decided(bodies, now=captured_at + 9 * MINUTE)
    assert "release_order:paid" not in actions_of(early)
    assert early.due_at == captured_at + 10 * MINUTE
    action = actions_of(decided(bodies, now=captured_at + 10 * MINUTE))["release_order:paid"]
    assert action.payload["status"] == "processing"
    assert action.payload["system_id"] == "woo-main"


def test_a_shop_that_knows_is_not_told() -> None:
    late = PLACED_AT + DAY
    assert "release_order:paid" not in actions_of(decided(PAID, now=late))
    by_shop = (snapshot(C.ON_HOLD, payment_method="bacs"),)
    assert "release_order:paid" not in actions_of(decided(by_shop, now=late))


def test_paid_but_cancelled_by_the_shops_timer_waits_for_a_person() -> None:
    """Failure cases 14 and 16: the customer paid in the first of two tabs, the second expired."""
    bodies = (snapshot(C.PENDING), payment(), snapshot(C.CANCELLED, version=2))
    decision = decided(bodies)
    ((key, entry),) = exceptions_of(decision).items()
    assert (key, entry.blocking) == ("order_stuck:paid-but-cancelled", True)
    assert not any(a.kind == "refund_payment" for a in decision.actions)
    accepted = decided((*bodies, resolved("order_stuck:paid-but-cancelled")))
    assert "refund_payment:cancel" in actions_of(accepted)


def test_an_order_that_the_shop_reopened_goes_on() -> None:
    """Our timer had cancelled it; the money came after all, and the merchant reopened it. It was
    regarded as cancelled for ever, and its money sent back."""
    bodies = (
        snapshot(C.PENDING),
        done("cancel_order:unpaid"),
        snapshot(C.CANCELLED, version=2),
        payment(),
        snapshot(C.PROCESSING, version=3),
    )
    decision = decided(bodies)
    assert decision.statuses.order is OrderStatus.VALID
    assert exceptions_of(decision) == {}
    assert "check_stock:1" in actions_of(decision)
    assert "refund_payment:cancel" not in actions_of(decision)


def test_holds_are_mirrored_where_the_merchant_wants_it() -> None:
    setup = setup_with(payment={"mirror_holds": True})
    risky = Assessment(risk=RiskVerdict(55, RiskStatus.REVIEW, ("high value",)))
    held = decided(PAID, setup, assessment=risky)
    (hold,) = [a for a in held.actions if a.kind == "hold_order"]
    assert hold.payload["status"] == "on_hold"
    assert not any(a.kind == "hold_order" for a in decided(PAID, assessment=risky).actions)
    report = f.ActionReported(hold.key, "hold_order", True)
    facts = told(
        *PAID,
        report,
        snapshot(C.ON_HOLD, version=2),
        f.ApprovalGiven("risk", True, "Ida", "known customer"),
    )
    kinds_then = {a.kind for a in decided(facts, setup, assessment=risky).actions}
    assert "release_order" in kinds_then


# --- reserved money ------------------------------------------------------------------------------


def test_a_reservation_about_to_expire_is_told_two_days_before() -> None:
    """Failure case 23."""
    expires = PLACED_AT + 7 * DAY
    bodies = (snapshot(ShopClaim.ON_HOLD), payment(S.AUTHORIZED, expires_at=expires))
    early = decided(bodies, now=expires - 2 * DAY - MINUTE)
    assert (exceptions_of(early), early.due_at) == ({}, expires - 2 * DAY)
    late = decided(bodies, now=expires - 2 * DAY)
    assert set(exceptions_of(late)) == {"payment_open:authorization-pi_1"}
    captured = (*bodies, payment(), snapshot(version=2))
    kinds_then = {e.kind for e in decided(captured, now=expires - DAY).exceptions}
    assert kinds_then == {"shipment_late"}


def test_a_reminder_already_paid_for_is_not_repeated() -> None:
    facts = [*told(*OPEN), fact(done("send_payment_reminder:1"), PLACED_AT + 3 * DAY, "r1")]
    wanted = actions_of(decided(facts, now=PLACED_AT + 3 * DAY + HOUR))
    assert set(wanted) == {"send_payment_reminder:1", "notify:payment_reminder:1"}


def test_a_refund_in_full_before_anything_else_is_no_debt() -> None:
    wanted = kinds((*PAID, refund()), 30)
    assert not wanted & {"send_payment_reminder", "cancel_order", "create_shipment"}
