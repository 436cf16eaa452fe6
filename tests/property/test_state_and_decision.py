"""Level-triggered and indifferent to order: the heart of the design, held for any set of facts.

Failure cases 1, 2, 3, 15 and 22: the same thing told twice, in parallel, late or in the wrong order
leads to the same state and to the same effects.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from kette.domain import facts as f
from kette.domain.actions import STAGE_OF_KIND
from kette.domain.decide import Assessment, decide
from kette.domain.fold import fold
from kette.domain.money import Money, exponent
from kette.domain.policy import Setup
from support.fact_strategies import assessments, fact_sets, moments, setups
from support.order_facts import ORDER_ID

shuffles = st.randoms(use_true_random=False)


def stirred(facts: Sequence[f.Fact], rng: random.Random) -> list[f.Fact]:
    """The same facts, some of them several times, in any order."""
    again = [fact for fact in facts if rng.random() < 0.5]
    mixed = [*facts, *again, *again[::2]]
    rng.shuffle(mixed)
    return mixed


@given(fact_sets(), shuffles)
@settings(max_examples=400)
def test_any_order_and_any_repetition_give_the_same_file(
    facts: list[f.Fact], rng: random.Random
) -> None:
    assert fold(stirred(facts, rng)) == fold(facts)


@given(fact_sets(), assessments, setups, moments, shuffles)
@settings(max_examples=300)
def test_any_order_and_any_repetition_give_the_same_decision(
    facts: list[f.Fact],
    assessment: Assessment,
    setup: Setup,
    now: datetime,
    rng: random.Random,
) -> None:
    one = decide(ORDER_ID, fold(facts), assessment, setup, now)
    other = decide(ORDER_ID, fold(stirred(facts, rng)), assessment, setup, now)
    assert one == other


@given(fact_sets(), assessments, setups, moments)
@settings(max_examples=300)
def test_a_decision_is_whole_whatever_the_facts(
    facts: list[f.Fact], assessment: Assessment, setup: Setup, now: datetime
) -> None:
    """Never an error; keys are unique, kinds have a stage, and looking again lies ahead."""
    decision = decide(ORDER_ID, fold(facts), assessment, setup, now)
    keys = [action.key for action in decision.actions]
    assert len(keys) == len(set(keys))
    for action in decision.actions:
        assert action.kind in STAGE_OF_KIND
        assert action.key.startswith(f"{action.kind}:{ORDER_ID}")
        assert len(action.key) <= 255
        assert action.reasons
    for entry in decision.exceptions:
        assert entry.key.startswith(f"{entry.kind}:{ORDER_ID}")
        assert entry.summary
        assert entry.suggestion
        assert entry.key not in decision_accepted(facts)
    assert decision.due_at is None or decision.due_at > now


def decision_accepted(facts: list[f.Fact]) -> set[str]:
    """Exceptions that a person accepted, as the last word on them."""
    last = {}
    for fact in sorted(facts, key=lambda x: (x.occurred_at, x.source, x.external_id)):
        if isinstance(fact.body, f.ExceptionHandled) and fact.body.verb == "resolve":
            last[fact.body.exception_key] = fact.body.resolution
    return {key for key, resolution in last.items() if resolution == "accepted"}


@given(fact_sets(), assessments, setups, moments)
@settings(max_examples=300)
def test_no_more_money_goes_back_than_came(
    facts: list[f.Fact], assessment: Assessment, setup: Setup, now: datetime
) -> None:
    """Failure case 27, for any story: what is wanted on top of what moved is still here."""
    file = fold(facts)
    decision = decide(ORDER_ID, file, assessment, setup, now)
    moved = {r.action_key for r in file.refunds if r.state is not f.RefundState.FAILED}
    fresh = sum(
        int(action.payload["amount_minor"])
        for action in decision.actions
        if action.kind == "refund_payment" and action.key not in moved
    )
    here = file.captured_minor - file.refunded_minor - file.refund_pending_minor
    assert fresh <= max(0, here)


@given(fact_sets(), assessments, setups, moments)
@settings(max_examples=300)
def test_no_piece_is_shipped_twice(
    facts: list[f.Fact], assessment: Assessment, setup: Setup, now: datetime
) -> None:
    file = fold(facts)
    decision = decide(ORDER_ID, file, assessment, setup, now)
    under_way: dict[str, int] = {}
    for parcel in file.parcels:
        if parcel.state not in (f.ParcelState.FAILED, f.ParcelState.CANCELLED):
            for piece in parcel.lines:
                under_way[piece.line_id] = under_way.get(piece.line_id, 0) + piece.quantity
    ordered = {line.id: line.quantity for line in file.order.physical_lines} if file.order else {}
    for action in decision.actions:
        if action.kind == "create_shipment":
            for line in action.payload["lines"]:
                pieces = line["quantity"] + under_way.get(line["line_id"], 0)
                assert pieces <= ordered[line["line_id"]]


currencies = st.sampled_from(["EUR", "JPY", "KWD"])
minors = st.integers(1 - 10**15, 10**15 - 1)


@given(minors, currencies, st.lists(st.integers(0, 10**9), min_size=1, max_size=20).filter(any))
def test_parts_sum_to_the_whole_and_are_fair(minor: int, currency: str, weights: list[int]) -> None:
    parts = Money(minor, currency).allocate(weights)
    assert sum(part.minor for part in parts) == minor
    assert len(parts) == len(weights)
    for part, weight in zip(parts, weights, strict=True):
        exact = abs(minor) * weight // sum(weights)
        assert exact <= abs(part.minor) <= exact + 1


@given(minors, currencies)
def test_amounts_survive_the_way_out_and_in(minor: int, currency: str) -> None:
    money = Money(minor, currency)
    assert (
        Money.parse(money.amount, currency) == money == Money.parse_rounded(money.amount, currency)
    )


@given(st.decimals(-(10**12), 10**12, allow_nan=False, places=8), currencies)
def test_rounding_moves_by_half_a_unit_at_most(amount: Decimal, currency: str) -> None:
    rounded = Money.parse_rounded(f"{amount:f}", currency)
    assert abs(rounded.minor - amount * 10 ** exponent(currency)) * 2 <= 1
