"""Orders that are older than Kette: which news of them has effects."""

from __future__ import annotations

from datetime import timedelta

import pytest
from kette.domain import facts as f
from kette.domain.decide import Assessment, Decision, RiskVerdict
from kette.domain.order import ShopClaim
from kette.domain.status import RiskStatus
from support.intake_orders import PLACED_AT
from support.order_facts import (
    DAY,
    HOUR,
    actions_of,
    decided,
    dispute,
    exceptions_of,
    fact,
    paid_by_shop,
    parcel,
    payment,
    refund,
    shop_refund,
    snapshot,
)

CUTOVER = PLACED_AT + timedelta(days=20)
NEW = CUTOVER + HOUR
OLD_VERSION = 3


def story(old: f.FactBody, *new: f.FactBody, days: int = 1, risk: bool = False) -> Decision:
    version = old.order.version if isinstance(old, f.OrderSnapshot) else ""
    facts = [
        fact(old, PLACED_AT, "old", "woo-main"),
        fact(f.OrderBackfilled(version, CUTOVER), CUTOVER, "mark", "woo-main"),
        *(fact(body, NEW, f"new{n}", "stripe-main") for n, body in enumerate(new)),
    ]
    checks = Assessment(risk=RiskVerdict(80, RiskStatus.REVIEW, ("why",))) if risk else None
    return decided(facts, now=NEW + days * DAY, assessment=checks)


PAID = paid_by_shop(version=OLD_VERSION)
OPEN = snapshot(ShopClaim.ON_HOLD, payment_method="bacs", version=OLD_VERSION)
DONE = paid_by_shop(ShopClaim.COMPLETED, version=OLD_VERSION)


@pytest.mark.parametrize("old", [PAID, OPEN, DONE], ids=["paid", "open", "completed"])
@pytest.mark.parametrize("days", [0, 1, 7, 14, 90])
def test_the_past_has_no_effects(old: f.OrderSnapshot, days: int) -> None:
    decision = story(old, days=days)
    assert (decision.actions, decision.exceptions, decision.due_at) == ((), (), None)


def test_statuses_are_derived_all_the_same() -> None:
    statuses = story(DONE).statuses
    assert (statuses.order.value, statuses.payment.value) == ("completed", "paid")


def test_checks_do_not_hold_an_old_order() -> None:
    assert story(PAID, risk=True).statuses.order.value == "valid"


def test_a_new_chargeback_is_a_case_for_a_person() -> None:
    decision = story(PAID, payment(), dispute(f.DisputeState.NEEDS_RESPONSE))
    assert set(exceptions_of(decision)) == {"chargeback:dp_1"}
    assert decision.statuses.payment.value == "chargeback"
    assert actions_of(decision) == {}


def test_a_new_refund_is_told_to_the_customer_and_no_old_one() -> None:
    old = paid_by_shop(version=OLD_VERSION, refunds=(shop_refund(500, "1"),))
    new = paid_by_shop(version=5, refunds=(shop_refund(500, "1"), shop_refund(700, "2")))
    names = set(actions_of(story(old, new)))
    assert names == {"notify:refunded:shop-2"}


def test_parcels_are_told_by_whoever_sent_them() -> None:
    """The carrier's events name a parcel that left long ago as well as one that leaves now."""
    for state in (f.ParcelState.SHIPPED, f.ParcelState.DELIVERED, f.ParcelState.DELAYED):
        decision = story(PAID, parcel(state, tracking_number="t"))
        assert (decision.actions, decision.exceptions) == ((), ())


def test_an_order_that_is_cancelled_now_gives_its_money_back() -> None:
    decision = story(PAID, snapshot(ShopClaim.CANCELLED, version=5, paid_at=PLACED_AT))
    assert "create_task:refund:cancel" in actions_of(decision)


def test_but_only_by_a_persons_word_where_a_provider_holds_it() -> None:
    """Nobody here knows whether the goods have left: a refund of its own accord could be a loss."""
    news = (payment(), snapshot(ShopClaim.CANCELLED, version=5, paid_at=PLACED_AT))
    decision = story(PAID, *news)
    (case,) = decision.exceptions
    assert case.kind == "refund_needs_approval"
    subject = case.context["subject"]
    assert not any(action.kind == "refund_payment" for action in decision.actions)
    said = story(PAID, *news, f.ApprovalGiven(subject, True, "Ida", "not shipped"))
    assert [a.key for a in said.actions if a.kind == "refund_payment"] == [subject]
    assert said.exceptions == ()
    refused = story(PAID, *news, f.ApprovalGiven(subject, False, "Ida", "shipped"))
    assert (refused.actions, refused.exceptions) == ((), ())


def test_an_order_that_is_completed_now_is_not_invoiced_again() -> None:
    """Whoever took the money and packed it has written the invoice."""
    assert actions_of(story(PAID, paid_by_shop(ShopClaim.COMPLETED, version=5))) == {}


def test_a_change_of_an_old_order_ships_nothing() -> None:
    changed = paid_by_shop(version=5, customer_note="please ring twice")
    decision = story(PAID, changed, days=30)
    assert (decision.actions, decision.exceptions) == ((), ())


def test_an_open_order_is_neither_dunned_nor_cancelled() -> None:
    noted = snapshot(ShopClaim.ON_HOLD, payment_method="bacs", version=5, customer_note="soon")
    assert story(OPEN, noted, days=60).actions == ()


def test_an_open_order_that_is_paid_now_is_ours_without_a_second_confirmation() -> None:
    decision = story(OPEN, paid_by_shop(version=5))
    assert set(actions_of(decision)) == {"check_stock:1"}


def test_and_is_checked_like_any_other() -> None:
    decision = story(OPEN, paid_by_shop(version=5), risk=True)
    assert [entry.kind for entry in decision.exceptions] == ["risk_review"]
    assert actions_of(decision).keys() == set()


def test_what_the_shop_told_along_with_the_order_is_its_past() -> None:
    """A shop's word on its own parcel may carry the time of the reading and no other."""
    sent = fact(parcel(f.ParcelState.SHIPPED), NEW, "order:1:parcel", "woo-main")
    facts = [
        fact(PAID, PLACED_AT, "old", "woo-main"),
        sent,
        fact(
            f.OrderBackfilled(PAID.order.version, CUTOVER, (sent.external_id,)),
            CUTOVER,
            "mark",
            "woo-main",
        ),
    ]
    decision = decided(facts, now=NEW + DAY)
    assert (decision.actions, decision.exceptions) == ((), ())
    assert decision.statuses.fulfillment.value == "shipped"


def test_a_provider_that_tells_of_the_past_late_changes_nothing() -> None:
    facts = [
        fact(PAID, PLACED_AT, "old", "woo-main"),
        fact(f.OrderBackfilled(PAID.order.version, CUTOVER), CUTOVER, "mark", "woo-main"),
        fact(payment(), CUTOVER - DAY, "late", "stripe-main"),
        fact(refund(minor=500), CUTOVER - DAY, "late2", "stripe-main"),
    ]
    decision = decided(facts, now=NEW)
    assert (decision.actions, decision.exceptions) == ((), ())
    assert decision.statuses.payment.value == "partially_refunded"
