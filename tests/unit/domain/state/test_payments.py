"""What a file says of payments and disputes, whatever the order in which providers told it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from kette.domain import facts as f
from kette.domain.fold import fold
from kette.domain.order import ShopClaim
from support.intake_orders import PLACED_AT
from support.order_facts import (
    MINUTE,
    TOTAL,
    dispute,
    eur,
    fact,
    file_of,
    paid_by_shop,
    payment,
    snapshot,
)

S = f.PaymentState
D = f.DisputeState


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([S.PENDING], S.PENDING),
        ([S.PENDING, S.PROCESSING], S.PROCESSING),
        ([S.PENDING, S.FAILED], S.FAILED),
        ([S.FAILED, S.PENDING], S.PENDING),  # a new try of the same payment
        ([S.FAILED, S.AUTHORIZED], S.AUTHORIZED),
        ([S.AUTHORIZED, S.FAILED], S.AUTHORIZED),
        ([S.AUTHORIZED, S.CAPTURED], S.CAPTURED),
        ([S.CAPTURED, S.AUTHORIZED], S.CAPTURED),
        ([S.AUTHORIZED, S.VOIDED], S.VOIDED),
        ([S.VOIDED, S.AUTHORIZED], S.VOIDED),
        ([S.CAPTURED, S.VOIDED], S.CAPTURED),  # the rest of a partial capture is released
        ([S.CAPTURED, S.FAILED, S.PENDING], S.CAPTURED),
        ([S.PROCESSING, S.CAPTURED], S.CAPTURED),
        ([S.CAPTURED, S.PROCESSING], S.CAPTURED),
    ],
    ids=lambda states: "+".join(states) if isinstance(states, list) else str(states),
)
def test_the_strongest_word_on_a_payment_counts(states: list[S], expected: S) -> None:
    (told,) = file_of(*(payment(state) for state in states)).payments
    assert told.state is expected


def test_amounts_of_a_payment_are_those_of_its_states() -> None:
    file = file_of(
        payment(S.AUTHORIZED, 3050, charge_id="ch_1"),
        payment(S.CAPTURED, 2000, charge_id="ch_1"),
        payment(S.VOIDED, 1050, charge_id="ch_1"),
    )
    (told,) = file.payments
    assert (told.authorized, told.captured, told.charge_id) == (3050, 2000, "ch_1")
    assert (file.captured_minor, file.authorized_minor) == (2000, 0)


def test_the_same_capture_told_by_charge_and_by_payment_counts_once() -> None:
    """An old interface speaks of the charge alone, a new one of the payment with its charge."""
    by_charge = payment(S.CAPTURED, TOTAL, "ch_1", charge_id="ch_1")
    by_payment = payment(S.CAPTURED, TOTAL, "pi_1", charge_id="ch_1")
    for bodies in ((by_charge, by_payment), (by_payment, by_charge)):
        file = file_of(*bodies)
        assert [p.id for p in file.payments] == ["pi_1"]
        assert file.captured_minor == TOTAL


def test_several_attempts_one_paid() -> None:
    """Failure cases 16 and 17: any paid attempt wins, a failed one beside it changes nothing."""
    file = file_of(
        payment(S.FAILED, TOTAL, "pi_1"),
        payment(S.CAPTURED, TOTAL, "pi_2"),
        payment(S.PENDING, TOTAL, "pi_3"),
    )
    assert file.captured_minor == TOTAL
    assert [(p.id, p.state) for p in file.payments] == [
        ("pi_1", S.FAILED),
        ("pi_2", S.CAPTURED),
        ("pi_3", S.PENDING),
    ]


def test_two_captured_attempts_are_both_money() -> None:
    """Failure case 17: paid twice is twice the money, for a person to send back."""
    file = file_of(payment(payment_id="pi_1"), payment(payment_id="pi_2"))
    assert file.captured_minor == 2 * TOTAL


def test_what_later_words_leave_out_stays_known() -> None:
    file = file_of(
        payment(S.AUTHORIZED, method="card", card_country="DE", fingerprint="fp", risk_score=61),
        payment(S.CAPTURED, risk_level="elevated", risk_score=12),
    )
    (told,) = file.payments
    assert (told.method, told.card_country, told.fingerprint) == ("card", "DE", "fp")
    assert (told.risk_level, told.risk_score) == ("elevated", 61)


def test_times_of_a_payment() -> None:
    expires = PLACED_AT + timedelta(days=7)
    file = file_of(payment(S.AUTHORIZED, expires_at=expires), payment(), payment())
    (told,) = file.payments
    assert told.captured_at == PLACED_AT + MINUTE  # the first word on the capture
    assert told.expires_at == expires
    assert file.paid_at == PLACED_AT + MINUTE


def test_the_shops_word_counts_where_no_provider_took_money() -> None:
    file = file_of(paid_by_shop())
    assert (file.captured_minor, file.is_provider_paid) == (TOTAL, False)
    assert file.paid_at == PLACED_AT


def test_the_providers_word_outweighs_the_shops() -> None:
    file = file_of(paid_by_shop(), payment(minor=2000))
    assert (file.captured_minor, file.is_provider_paid) == (2000, True)


def test_the_shops_word_is_about_the_total_of_that_time() -> None:
    """Failure case 25: what is added to an order after "paid" was not paid."""
    dearer = snapshot(version=2, total=eur(TOTAL + 500), paid_at=PLACED_AT, payment_method="bacs")
    file = file_of(paid_by_shop(), dearer)
    assert (file.due_minor, file.captured_minor) == (TOTAL + 500, TOTAL)


def test_a_shop_that_takes_its_word_back_has_no_money() -> None:
    file = file_of(paid_by_shop(), snapshot(ShopClaim.ON_HOLD, version=2, payment_method="bacs"))
    assert (file.captured_minor, file.paid_at) == (0, None)


def test_snapshots_win_by_version_not_by_arrival() -> None:
    """Failure cases 2 and 3: updated before created, and the same body again."""
    newer, older = snapshot(version=9, customer_note="new"), snapshot(version=1)
    for bodies in ((newer, older), (older, newer), (newer, older, newer)):
        order = file_of(*bodies).order
        assert order is not None
        assert order.customer_note == "new"


def test_a_claim_is_dated_from_its_unbroken_run() -> None:
    file = file_of(
        snapshot(ShopClaim.PENDING, version=1),
        snapshot(ShopClaim.PROCESSING, version=2),
        snapshot(ShopClaim.PENDING, version=3),
        snapshot(ShopClaim.PENDING, version=4),
    )
    assert file.claim_since == PLACED_AT + 2 * MINUTE


@pytest.mark.parametrize(
    ("states", "expected", "charged_back"),
    [
        ([D.INQUIRY], D.INQUIRY, 0),
        ([D.INQUIRY, D.INQUIRY_CLOSED], D.INQUIRY_CLOSED, 0),
        ([D.INQUIRY_CLOSED, D.INQUIRY], D.INQUIRY_CLOSED, 0),
        ([D.INQUIRY, D.NEEDS_RESPONSE], D.NEEDS_RESPONSE, TOTAL),
        ([D.NEEDS_RESPONSE, D.UNDER_REVIEW], D.UNDER_REVIEW, TOTAL),
        ([D.UNDER_REVIEW, D.NEEDS_RESPONSE], D.UNDER_REVIEW, TOTAL),
        ([D.UNDER_REVIEW, D.WON], D.WON, 0),
        ([D.WON, D.UNDER_REVIEW], D.WON, 0),
        ([D.UNDER_REVIEW, D.LOST], D.LOST, TOTAL),
        ([D.LOST, D.WON], D.WON, 0),  # an appeal
        ([D.WON, D.LOST], D.LOST, TOTAL),
    ],
    ids=lambda states: "+".join(states) if isinstance(states, list) else str(states),
)
def test_the_furthest_word_on_a_dispute_counts(
    states: list[D], expected: D, charged_back: int
) -> None:
    """Failure cases 21 and 22: mirrored, and merged in whatever order it is told."""
    file = file_of(*(dispute(state) for state in states))
    assert [d.state for d in file.disputes] == [expected]
    assert file.charged_back_minor == charged_back


def test_disputes_keep_reason_due_date_and_beginning() -> None:
    due = PLACED_AT + timedelta(days=9)
    file = file_of(
        dispute(D.NEEDS_RESPONSE, reason="fraudulent", due_at=due), dispute(D.UNDER_REVIEW)
    )
    (told,) = file.disputes
    assert (told.reason, told.due_at, told.opened_at) == ("fraudulent", due, PLACED_AT)


def test_disputes_of_two_payments_add_up() -> None:
    file = file_of(
        dispute(D.NEEDS_RESPONSE, 1000, "dp_1"),
        dispute(D.LOST, 700, "dp_2"),
        dispute(D.WON, 400, "dp_3"),
    )
    assert file.charged_back_minor == 1700


def test_the_same_fact_again_changes_nothing() -> None:
    once = fact(payment(), PLACED_AT, "evt_1")
    assert fold([once, once, once]) == fold([once])


def test_nothing_known() -> None:
    file = fold([])
    assert file.order is None
    assert (file.captured_minor, file.due_minor, file.currency) == (0, 0, "EUR")
    assert (file.payments, file.refunds, file.parcels, file.first_at) == ((), (), (), None)
