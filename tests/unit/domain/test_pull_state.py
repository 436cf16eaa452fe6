"""The account of a pull, step by step."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from kette.domain.policy import PullPolicy
from kette.domain.pull_state import (
    ANSWERS_PER_TURN,
    BYTES_PER_TURN,
    LEASE,
    TURN,
    Counts,
    PullState,
    Step,
    after_again,
    after_page,
    after_refusal,
    begun,
    is_taken,
    window_of,
)
from kette.domain.pulls import (
    MOST_WAIT_S,
    PAUSES_S,
    Again,
    Answer,
    Page,
    Purpose,
    Window,
    pause_s,
    refuse_errors,
)

START = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
POLICY = PullPolicy()


def fresh(purpose: Purpose = Purpose.CHANGES, **values: Any) -> PullState:
    return PullState("woo-main", purpose, START, **values)


def running(state: PullState | None = None, now: datetime = START) -> PullState:
    state = state or fresh()
    return begun(state, window_of(state, POLICY), now, "p1", lambda window: {"at": "first"})


def read(state: PullState, told: int | None, got: int, **more: Any) -> tuple[PullState, Step]:
    size = more.pop("size", 0)
    now = more.pop("now", START + MINUTE)
    page = Page("orders", told=told, **more)
    return after_page(state, page, {"orders": got}, Counts(fresh=got), now, size)


def test_the_first_window_reaches_back_and_later_ones_overlap() -> None:
    assert window_of(fresh(), POLICY).since == START - timedelta(days=1)
    later = fresh(watermark=START + 60 * MINUTE)
    assert window_of(later, POLICY).since == START + 50 * MINUTE


def test_the_watermark_moves_to_the_beginning_of_a_complete_pull() -> None:
    done, step = read(running(), told=2, got=2)
    assert step is Step.COMPLETE
    assert (done.watermark, done.completed_at) == (START, START + MINUTE)
    assert (done.run, done.last_counts, done.last_told) == (None, Counts(fresh=2), {"orders": 2})


@pytest.mark.parametrize(
    ("told", "got", "step"),
    [
        (3, 2, Step.INCOMPLETE),
        (3, 3, Step.COMPLETE),
        (3, 4, Step.COMPLETE),  # one was placed meanwhile
        (0, 0, Step.COMPLETE),
        (None, 0, Step.COMPLETE),  # the shop does not count
    ],
)
def test_a_count_is_proven_or_the_watermark_stays(told: int | None, got: int, step: Step) -> None:
    state, made = read(running(fresh(watermark=START - MINUTE)), told, got)
    assert made is step
    assert state.run is None
    moved = state.watermark == START
    assert moved == (step is Step.COMPLETE)


def test_what_was_counted_at_first_is_what_must_come() -> None:
    state, _ = read(running(), told=5, got=2, next={"at": "second"})
    state, step = read(state, told=1, got=4)
    assert step is Step.INCOMPLETE
    assert "counts 5 in 'orders', its pages held 4" in state.last_error


def test_a_third_mismatch_in_a_row_is_at_odds_and_one_that_fits_ends_it() -> None:
    state = fresh()
    for expected in (False, False, True):
        state, _ = read(running(state), told=2, got=1)
        assert state.is_at_odds is expected
    state, _ = read(running(state), told=2, got=2)
    assert (state.is_at_odds, state.last_error) == (False, "")


def test_a_pull_belongs_to_one_until_nobody_heard_of_it_for_a_while() -> None:
    state = running()
    assert is_taken(state, START + LEASE - MINUTE)
    assert not is_taken(state, START + LEASE)
    again = running(state, START + LEASE)
    assert again.run is not None
    assert (again.run.cursor, again.run.started_at) == ({"at": "first"}, START)


@pytest.mark.parametrize(
    ("size", "answers", "minutes"),
    [(BYTES_PER_TURN, 1, 0), (1, ANSWERS_PER_TURN, 0), (1, 1, TURN // MINUTE)],
    ids=["bytes", "answers", "time"],
)
def test_a_turn_has_an_end_and_the_next_goes_on(size: int, answers: int, minutes: int) -> None:
    state, step = running(), Step.ASK
    for n in range(answers):
        assert step is Step.ASK
        now = START + minutes * MINUTE
        state, step = read(state, None, n, next={"at": str(n)}, size=size, now=now)
    assert step is Step.PAUSED
    assert state.run is not None
    assert not is_taken(state, START + minutes * MINUTE)


def test_the_same_request_is_tried_with_growing_pauses_and_then_left() -> None:
    state = running()
    waits = []
    for _ in PAUSES_S:
        state, step, wait_s = after_again(state, Again("away"), START)
        assert step is Step.ASK
        waits.append(wait_s)
    assert tuple(waits) == PAUSES_S
    state, step, _ = after_again(state, Again("away"), START)
    assert (step, state.failures, state.last_error) == (Step.FAILED, 1, "away")
    assert state.run is not None  # the next carrier goes on with the same page
    assert not is_taken(state, START)


def test_a_refusal_gives_the_cursor_up() -> None:
    state = after_refusal(running(), "no")
    assert (state.run, state.failures, state.last_error) == (None, 1, "no")


def test_a_backfill_that_asks_for_more_days_begins_anew_and_one_for_fewer_goes_on() -> None:
    def window(days: int) -> Window:
        return Window(Purpose.BACKFILL, START - timedelta(days=days))

    state = begun(fresh(Purpose.BACKFILL), window(30), START, "p1", lambda _: {"n": 30})
    for days, cursor in ((20, {"n": 30}), (40, {"n": 40})):
        later = begun(state, window(days), START + LEASE, "p2", lambda _, n=days: {"n": n})
        assert later.run is not None
        assert later.run.cursor == cursor


def test_the_account_survives_being_stored() -> None:
    state, _ = read(running(), told=5, got=2, next={"at": "second"})
    assert msgspec.json.decode(msgspec.json.encode(state), type=PullState) == state


@pytest.mark.parametrize(
    ("told", "wait_s"),
    [
        ("0", 0.5),
        ("7", 7.0),
        ("99999999", MOST_WAIT_S),  # a long wait is no short one
        ("inf", MOST_WAIT_S),
        ("-5", PAUSES_S[0]),
        ("nan", PAUSES_S[0]),
        ("Wed, 21 Oct 2026 07:28:00 GMT", PAUSES_S[0]),
        ("", PAUSES_S[0]),
    ],
)
def test_how_long_a_shop_wants_to_be_left_alone(told: str, wait_s: float) -> None:
    with pytest.raises(Again) as refused:
        refuse_errors(Answer(429, {"retry-after": told}, b""))
    assert pause_s(1, refused.value.wait_s) == wait_s
