"""Refunds: each counted once, whoever told of it; money that never moved is not counted."""

from __future__ import annotations

from typing import Any

import pytest
from kette.domain import facts as f
from support.order_facts import (
    TOTAL,
    done,
    eur,
    file_of,
    key_of,
    paid_by_shop,
    payment,
    refund,
    shop_refund,
    snapshot,
)

R = f.RefundState


@pytest.mark.parametrize(
    ("states", "moved", "pending"),
    [
        ([R.PENDING], 0, TOTAL),
        ([R.PENDING, R.SUCCEEDED], TOTAL, 0),
        ([R.SUCCEEDED, R.PENDING], TOTAL, 0),
        ([R.SUCCEEDED, R.FAILED], 0, 0),
        ([R.FAILED, R.SUCCEEDED], 0, 0),
        ([R.PENDING, R.FAILED, R.PENDING], 0, 0),
    ],
    ids=lambda states: "+".join(states) if isinstance(states, list) else str(states),
)
def test_a_failed_refund_is_final_and_a_pending_one_not_nothing(
    states: list[R], moved: int, pending: int
) -> None:
    """Failure case 26: a refund may fail after it succeeded, and pending is not zero."""
    file = file_of(payment(), *(refund(state) for state in states))
    assert (file.refunded_minor, file.refund_pending_minor) == (moved, pending)


def test_single_refunds_add_up() -> None:
    file = file_of(payment(), refund(minor=500), refund(minor=700, refund_id="re_2"))
    assert file.refunded_minor == 1200


def total(minor: int, payment_id: str = "pi_1", **more: Any) -> f.RefundTotalReported:
    return f.RefundTotalReported(payment_id, eur(minor), **more)


def test_a_running_total_adds_only_what_no_single_refund_told() -> None:
    file = file_of(payment(), refund(minor=500), total(500), total(1200))
    assert file.refunded_minor == 1200
    assert sorted(r.minor for r in file.refunds) == [500, 700]


def test_the_greatest_total_counts() -> None:
    assert file_of(payment(), total(1200), total(500)).refunded_minor == 1200


def test_a_total_told_by_charge_is_that_of_its_payment() -> None:
    file = file_of(
        payment(charge_id="ch_1"), refund(minor=500), total(500, "ch_1"), total(500, "pi_1")
    )
    assert file.refunded_minor == 500


def test_a_failed_refund_was_part_of_the_total() -> None:
    file = file_of(payment(), total(500), refund(R.SUCCEEDED, 500), refund(R.FAILED, 500))
    assert file.refunded_minor == 0


def test_our_own_report_counts_before_the_providers_event() -> None:
    ours = done("refund_payment:cancel", reference="re_1", amount=eur(TOTAL))
    file = file_of(payment(), ours)
    assert [(r.id, r.minor, r.state) for r in file.refunds] == [("re_1", TOTAL, R.SUCCEEDED)]
    confirmed = file_of(payment(), ours, refund(action_key=key_of("refund_payment:cancel")))
    assert confirmed.refunded_minor == TOTAL
    by_key = file_of(
        payment(),
        done("refund_payment:cancel", amount=eur(TOTAL)),
        refund(refund_id="re_9", action_key=key_of("refund_payment:cancel")),
    )
    assert by_key.refunded_minor == TOTAL


def test_our_refund_that_fails_later_did_not_move_money() -> None:
    ours = done("refund_payment:cancel", reference="re_1", amount=eur(TOTAL))
    assert file_of(payment(), ours, refund(R.FAILED)).refunded_minor == 0


def test_a_refund_in_shop_and_at_the_provider_is_one_refund() -> None:
    """Failure case 28: the shop's refund is recorded, the provider's is the money."""
    file = file_of(payment(), snapshot(refunds=(shop_refund(500),)), refund(minor=500))
    assert file.refunded_minor == 500
    assert file.unmatched_shop_refunds == ()


def test_a_shop_refund_that_the_provider_did_not_make_stands_apart() -> None:
    recorded = shop_refund(500)
    file = file_of(payment(), snapshot(refunds=(recorded,)))
    assert file.refunded_minor == 0
    assert file.unmatched_shop_refunds == (recorded,)


def test_two_equal_refunds_in_the_shop_need_two_at_the_provider() -> None:
    twice = (shop_refund(500, "501"), shop_refund(500, "502"))
    file = file_of(payment(), snapshot(refunds=twice), refund(minor=500))
    assert [r.id for r in file.unmatched_shop_refunds] == ["502"]
    both = file_of(
        payment(), snapshot(refunds=twice), refund(minor=500), refund(minor=500, refund_id="re_2")
    )
    assert both.unmatched_shop_refunds == ()


def test_a_refund_made_for_one_of_two_is_matched_by_its_key() -> None:
    twice = (shop_refund(500, "501"), shop_refund(500, "502"))
    ours = refund(minor=500, action_key=key_of("refund_payment:shop-502"))
    file = file_of(payment(), snapshot(refunds=twice), ours)
    assert [r.id for r in file.unmatched_shop_refunds] == ["501"]


def test_a_failed_refund_matches_no_shop_refund() -> None:
    file = file_of(payment(), snapshot(refunds=(shop_refund(500),)), refund(R.FAILED, 500))
    assert [r.id for r in file.unmatched_shop_refunds] == ["501"]


def test_where_no_provider_took_the_money_the_shops_refunds_count() -> None:
    file = file_of(paid_by_shop(refunds=(shop_refund(500, "501"), shop_refund(200, "502"))))
    assert [(r.id, r.minor) for r in file.refunds] == [("shop-501", 500), ("shop-502", 200)]
    assert file.refunded_minor == 700


def test_a_refund_of_reserved_money_moves_nothing() -> None:
    """Failure case 24: a refund on an uncaptured charge would void the rest. It was counted as
    money sent back, which made a reserved order ready to ship."""
    recorded = shop_refund(500)
    file = file_of(payment(f.PaymentState.AUTHORIZED), snapshot(refunds=(recorded,)))
    assert file.refunded_minor == 0
    assert file.unmatched_shop_refunds == (recorded,)
