"""Money back: once, only what is still here, and with a person's word where the merchant asks."""

from __future__ import annotations

from typing import Any

import pytest
from kette.domain import facts as f
from kette.domain.decide import Decision
from kette.domain.money import Money
from kette.domain.order import ShopClaim
from kette.domain.status import OrderStatus
from support.intake_orders import PLACED_AT
from support.order_facts import (
    DAY,
    TOTAL,
    actions_of,
    decided,
    dispute,
    done,
    eur,
    exceptions_of,
    key_of,
    paid_by_shop,
    parcel,
    payment,
    refund,
    resolved,
    setup_with,
    shipped,
    shop_refund,
    snapshot,
    without_system,
)

C, S, R = ShopClaim, f.PaymentState, f.RefundState
CANCEL = f.CancelRequested("Ida", "customer changed their mind")
PAID = (snapshot(), payment(charge_id="ch_1"))
BY_KETTE = setup_with(payment={"shop_refunds_moved_by": "kette"})
LIMIT = setup_with(approvals={"refund_over": eur(2000)})


def refunds_in(decision: Decision) -> dict[str, str]:
    """Amount by name of each wanted refund."""
    return {
        name: action.payload["amount_minor"]
        for name, action in actions_of(decision).items()
        if action.kind == "refund_payment"
    }


def test_a_cancelled_order_gets_its_money_back() -> None:
    decision = decided((*PAID, CANCEL))
    assert actions_of(decision)["refund_payment:cancel"].payload == {
        "amount": {"amount": "30.50", "currency": "EUR"},
        "amount_minor": "3050",
        "currency": "eur",
        "payment_id": "pi_1",
        "charge_id": "ch_1",
        "reason": "the order was cancelled before shipping",
        "record_in_shop": True,
        "shop_reason": f"the order was cancelled before shipping "
        f"[{key_of('refund_payment:cancel')}]",
        "system_id": "stripe-main",
    }
    cancel = actions_of(decision)["cancel_order:requested"].payload
    assert cancel == {
        "status": "cancelled",
        "note": "customer changed their mind",
        "system_id": "woo-main",
    }


@pytest.mark.parametrize(
    ("why", "bodies", "expected"),
    [
        ("part went back already", (refund(minor=1000),), {"refund_payment:cancel": "2050"}),
        ("part is going back", (refund(R.PENDING, 1000),), {"refund_payment:cancel": "2050"}),
        ("a refund failed", (refund(R.FAILED, 1000),), {"refund_payment:cancel": "3050"}),
        ("all went back", (refund(),), {}),
        ("all is going back", (refund(R.PENDING),), {}),
        ("the bank took it back", (dispute(f.DisputeState.NEEDS_RESPONSE),), {}),
        ("lost to a dispute", (dispute(f.DisputeState.LOST),), {}),
        ("the dispute was won", (dispute(f.DisputeState.WON),), {"refund_payment:cancel": "3050"}),
    ],
)
def test_only_what_is_still_here_goes_back(
    why: str, bodies: tuple[f.FactBody, ...], expected: dict[str, str]
) -> None:
    assert refunds_in(decided((*PAID, *bodies, CANCEL))) == expected, why


def test_never_paid_is_never_refunded() -> None:
    """Failure case 27."""
    for bodies in ((snapshot(C.PENDING), CANCEL), (snapshot(payment_method="cod"), CANCEL)):
        assert refunds_in(decided(bodies)) == {}


def test_the_refund_stays_wanted_with_its_amount_once_it_moved() -> None:
    """The shop may still have to hear of it, and the provider's key must mean the same amount."""
    moved = done("refund_payment:cancel", reference="re_1", amount=eur(TOTAL))
    assert refunds_in(decided((*PAID, CANCEL, moved))) == {"refund_payment:cancel": "3050"}
    told = refund(action_key=key_of("refund_payment:cancel"))
    assert refunds_in(decided((*PAID, CANCEL, told))) == {"refund_payment:cancel": "3050"}


def test_goods_that_left_stop_the_refund() -> None:
    bodies = (*PAID, shipped(), parcel(f.ParcelState.SHIPPED), CANCEL)
    decision = decided(bodies)
    assert refunds_in(decision) == {}
    assert set(exceptions_of(decision)) == {"cancelled_after_shipment:out"}
    assert decision.statuses.order is OrderStatus.ON_HOLD


def test_a_label_that_did_not_leave_comes_back_with_the_money() -> None:
    wanted = actions_of(decided((*PAID, shipped(), CANCEL)))
    assert {"refund_payment:cancel", "cancel_fulfillment:p1"} <= set(wanted)


def test_money_that_no_provider_holds_goes_back_by_hand() -> None:
    wanted = actions_of(decided((paid_by_shop(), CANCEL)))
    assert "refund_payment:cancel" not in wanted
    task = wanted["create_task:refund:cancel"].payload
    assert task["subject"] == "Refund 30.50 EUR by hand"
    gone = actions_of(decided((*PAID, CANCEL), without_system("payment")))
    assert "create_task:refund:cancel" in gone


def test_two_payments_are_too_much_for_one_refund() -> None:
    """No single payment holds the sum, so a person sorts it out."""
    wanted = actions_of(decided((*PAID, payment(payment_id="pi_2"), CANCEL)))
    assert "create_task:refund:cancel" in wanted
    assert refunds_in(decided((*PAID, payment(payment_id="pi_2"), CANCEL))) == {}


# --- approval ------------------------------------------------------------------------------------


def approval(approved: bool, subject: str = "refund_payment:cancel") -> f.ApprovalGiven:
    return f.ApprovalGiven(key_of(subject), approved, "Ida", "checked")


def test_a_large_refund_waits_for_approval() -> None:
    waiting = decided((*PAID, CANCEL), LIMIT)
    assert refunds_in(waiting) == {}
    (entry,) = exceptions_of(waiting).values()
    assert (entry.kind, entry.context["subject"]) == (
        "refund_needs_approval",
        key_of("refund_payment:cancel"),
    )
    approved = decided((*PAID, CANCEL, approval(True)), LIMIT)
    assert (refunds_in(approved), exceptions_of(approved)) == (
        {"refund_payment:cancel": "3050"},
        {},
    )
    refused = decided((*PAID, CANCEL, approval(False)), LIMIT)
    assert (refunds_in(refused), exceptions_of(refused)) == ({}, {})


@pytest.mark.parametrize(("limit", "waits"), [(3049, True), (3050, False), (3051, False)])
def test_the_limit_itself_needs_no_approval(limit: int, waits: bool) -> None:
    setup = setup_with(approvals={"refund_over": eur(limit)})
    assert bool(exceptions_of(decided((*PAID, CANCEL), setup))) is waits


def test_an_approval_is_about_one_action() -> None:
    other = approval(True, "refund_payment:shop-501")
    assert refunds_in(decided((*PAID, CANCEL, other), LIMIT)) == {}


def test_a_limit_in_another_currency_does_not_apply() -> None:
    setup = setup_with(approvals={"refund_over": Money(1, "CHF")})
    assert refunds_in(decided((*PAID, CANCEL), setup)) == {"refund_payment:cancel": "3050"}


# --- refunds that the shop recorded --------------------------------------------------------------


def recorded(*refunds: Any) -> tuple[f.FactBody, ...]:
    return (snapshot(refunds=refunds), payment())


def test_a_refund_in_the_shop_is_moved_where_the_merchant_wants_it() -> None:
    two = recorded(shop_refund(500, "501"), shop_refund(700, "502", reason="broken"))
    decision = decided(two, BY_KETTE)
    assert refunds_in(decision) == {
        "refund_payment:shop-501": "500",
        "refund_payment:shop-502": "700",
    }
    payload = actions_of(decision)["refund_payment:shop-502"].payload
    assert (payload["reason"], payload["record_in_shop"]) == ("broken", False)


def test_shop_refunds_never_exceed_what_was_paid() -> None:
    """Failure case 27."""
    two = recorded(shop_refund(3000, "501"), shop_refund(700, "502"))
    decision = decided(two, BY_KETTE)
    assert refunds_in(decision) == {"refund_payment:shop-501": "3000"}
    assert set(exceptions_of(decision)) == {"amount_mismatch:refund-502"}


def test_a_moved_shop_refund_stays_the_same_action() -> None:
    moved = done("refund_payment:shop-501", reference="re_1", amount=eur(500))
    decision = decided((*recorded(shop_refund(500)), moved), BY_KETTE)
    assert refunds_in(decision) == {"refund_payment:shop-501": "500"}
    assert exceptions_of(decision) == {}


def test_where_the_shop_moves_the_money_we_wait_and_then_ask() -> None:
    made_at = PLACED_AT + DAY
    bodies = recorded(shop_refund(500, made_at=made_at))
    early = decided(bodies, now=made_at + DAY)
    assert (refunds_in(early), exceptions_of(early)) == ({}, {})
    late = decided(bodies, now=made_at + 2 * DAY)
    assert set(exceptions_of(late)) == {"amount_mismatch:refund-501"}
    assert refunds_in(late) == {}
    told = decided((*bodies, refund(minor=500)), now=made_at + 2 * DAY)
    assert set(exceptions_of(told)) == set()


def test_a_refund_of_reserved_money_is_refused_with_a_reason() -> None:
    """Failure case 24: at the provider it would void the rest of the reservation."""
    on_hold = snapshot(ShopClaim.ON_HOLD, refunds=(shop_refund(500),))
    bodies = (on_hold, payment(S.AUTHORIZED))
    for setup in (setup_with(), BY_KETTE):
        decision = decided(bodies, setup)
        assert refunds_in(decision) == {}
        (entry,) = exceptions_of(decision).values()
        assert entry.kind == "amount_mismatch"
        assert "reserved, not taken" in entry.summary
        assert not any(a.kind == "check_stock" for a in decision.actions)
    accepted = decided((*bodies, resolved("amount_mismatch:refund-501")))
    assert exceptions_of(accepted) == {}
