"""What lies in the past of a backfilled order has no effects: for any story, at any moment, under
any setup. Failure case 7: a backfill brings all statuses in, and sends nothing."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from kette.domain import facts as f
from kette.domain.decide import Assessment, decide
from kette.domain.fold import fold
from kette.domain.past import ANSWERS, BEGINNINGS
from kette.domain.policy import Setup
from support.fact_strategies import assessments, bodies, fact_sets, moments, setups
from support.intake_orders import PLACED_AT
from support.order_facts import ORDER_ID, fact

CUTOVER = PLACED_AT + timedelta(days=30)  # later than every moment of a story
MARK = fact(f.OrderBackfilled("2099", CUTOVER), CUTOVER, "mark")
weeks = st.integers(0, 60).map(lambda n: CUTOVER + timedelta(days=7 * n))


@given(fact_sets(), assessments, setups, st.lists(weeks | moments, min_size=1, max_size=5))
@settings(max_examples=400)
def test_an_old_order_of_which_nothing_new_is_heard_wants_nothing_ever(
    facts: list[f.Fact], assessment: Assessment, setup: Setup, times: list[datetime]
) -> None:
    old = [x for x in facts if not isinstance(x.body, f.OrderBackfilled)]
    file = fold([*old, MARK])
    for now in times:
        decision = decide(ORDER_ID, file, assessment, setup, now)
        assert decision.actions == ()
        assert decision.exceptions == ()
        assert decision.due_at is None


@given(fact_sets(), assessments, setups, weeks, st.randoms(use_true_random=False))
@settings(max_examples=200)
def test_in_whatever_order_the_past_is_told(
    facts: list[f.Fact], assessment: Assessment, setup: Setup, now: datetime, rng: random.Random
) -> None:
    told = [*facts, MARK]
    mixed = [*told, *told[::2]]
    rng.shuffle(mixed)
    assert fold(mixed) == fold(told)


news = st.lists(bodies, min_size=1, max_size=3).map(
    lambda told: [
        fact(body, CUTOVER + timedelta(hours=n + 1), f"new{n}", "stripe-main")
        for n, body in enumerate(told)
        if not isinstance(body, f.OrderBackfilled)
    ]
)


@given(fact_sets(), news, assessments, setups, weeks)
@settings(max_examples=400)
def test_what_the_past_alone_wanted_is_not_done_because_of_news_either(
    facts: list[f.Fact], new: list[f.Fact], assessment: Assessment, setup: Setup, now: datetime
) -> None:
    old = [x for x in facts if not isinstance(x.body, f.OrderBackfilled)]
    past = decide(ORDER_ID, fold(old), Assessment(), setup, now)
    decision = decide(ORDER_ID, fold([*old, MARK, *new]), assessment, setup, now)
    wanted = {action.key for action in decision.actions}
    assert wanted.isdisjoint(action.key for action in past.actions)


def test_the_two_lists_name_what_exists() -> None:
    from kette.domain.actions import STAGE_OF_KIND
    from kette.setup_fields import EXCEPTION_KINDS

    assert set(STAGE_OF_KIND) >= ANSWERS
    assert set(EXCEPTION_KINDS) >= BEGINNINGS
