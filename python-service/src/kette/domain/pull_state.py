"""How far the pulls of one system are: a pure account of what was asked, told and got.

A pull is complete when every page was read and, list by list, at least as many different objects
came as the shop counted. Only then the watermark moves, to the moment at which the pull began; the
next one reaches back an overlap further. A pull that broke off goes on where it was; one whose
count is not proven begins anew from the same watermark. See docs/decisions/0017-pulls.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from kette.domain.policy import PullPolicy, seconds
from kette.domain.pulls import Again, Cursor, Page, Purpose, Window, pause_s

# Nobody else goes on with a pull whose carrier was heard of in this time; longer than any wait.
LEASE = timedelta(minutes=3)
# A carrier's turn is bounded; the next one goes on. n8n keeps every answer of a run in memory.
ANSWERS_PER_TURN = 400
BYTES_PER_TURN = 10_000_000
TURN = timedelta(minutes=8)
MISMATCHES_TOLERATED = 2  # orders may leave a list while it is read; not time after time


class Step(StrEnum):
    """What the carrier of a pull does next."""

    ASK = "ask"  # send the request, after wait_s
    COMPLETE = "complete"  # everything is in, and the count is proven
    PAUSED = "paused"  # enough for one turn; the next begins where this one ends
    BUSY = "busy"  # somebody else is pulling
    INCOMPLETE = "incomplete"  # fewer objects came than the shop counts: once more from the start
    FAILED = "failed"  # the shop does not answer, or refuses


class Counts(msgspec.Struct, frozen=True):
    """Objects of a pull by what became of them."""

    fresh: int = 0  # told us something new
    known: int = 0
    unread: int = 0  # not understood; each one is an entry of the exception list

    def plus(self, other: Counts) -> Counts:
        return Counts(
            self.fresh + other.fresh, self.known + other.known, self.unread + other.unread
        )


class Run(msgspec.Struct, frozen=True):
    """A pull under way. id changes with each carrier; told: the shop's counts by list."""

    id: str
    window: Window
    cursor: Cursor
    started_at: datetime
    leased_until: datetime
    answers: int = 0
    turn_at: datetime | None = None  # when this carrier began
    turn_answers: int = 0
    turn_bytes: int = 0
    attempt: int = 0  # failed tries of the present request
    told: dict[str, int] = {}
    counts: Counts = Counts()


class PullState(msgspec.Struct, frozen=True):
    """One system's pulls of one purpose. since: when Kette first knew the system; for a backfill,
    the cutover: orders placed before it are the past."""

    system_id: str
    purpose: Purpose
    since: datetime
    watermark: datetime | None = None  # everything that changed before is in
    run: Run | None = None
    completed_at: datetime | None = None
    failures: int = 0  # in a row
    mismatches: int = 0  # in a row
    last_error: str = ""
    last_counts: Counts = Counts()
    last_told: dict[str, int] = {}
    # What is wrong with the shop's webhooks; None: never looked at.
    webhook_problems: tuple[str, ...] | None = None

    @property
    def is_begun(self) -> bool:
        """Somebody has pulled, or tried to."""
        tried = self.run is not None or self.failures > 0 or self.mismatches > 0
        return tried or self.completed_at is not None

    @property
    def is_at_odds(self) -> bool:
        return self.mismatches > MISMATCHES_TOLERATED


def window_of(state: PullState, policy: PullPolicy) -> Window:
    """What the next pull of changes is about."""
    if state.watermark is None:
        return Window(state.purpose, state.since - seconds(policy.first_window_s))
    return Window(state.purpose, state.watermark - seconds(policy.overlap_s))


def is_taken(state: PullState, now: datetime) -> bool:
    return state.run is not None and state.run.leased_until > now


def begun(
    state: PullState,
    window: Window,
    now: datetime,
    run_id: str,
    first_cursor: Callable[[Window], Cursor],
) -> PullState:
    """Somebody carries the pull from here on: a new one, or one that broke off."""
    run = state.run
    if run is None or _is_wider(window, run.window):
        run = Run(run_id, window, first_cursor(window), now, now + LEASE, turn_at=now)
    else:
        run = msgspec.structs.replace(
            run,
            id=run_id,
            leased_until=now + LEASE,
            turn_at=now,
            turn_answers=0,
            turn_bytes=0,
            attempt=0,
        )
    return msgspec.structs.replace(state, run=run)


def _is_wider(wanted: Window, present: Window) -> bool:
    """A backfill that asks for more days than the one that broke off. A pull of changes never
    is: its watermark stands still meanwhile."""
    return wanted.purpose is Purpose.BACKFILL and wanted.since < present.since


def after_page(
    state: PullState,
    page: Page,
    got: Mapping[str, int],
    taken: Counts,
    now: datetime,
    size: int = 0,
) -> tuple[PullState, Step]:
    """got: different objects by list so far, this page's included; size: bytes of the answer."""
    assert state.run is not None
    run = msgspec.structs.replace(
        state.run,
        leased_until=now + LEASE,
        answers=state.run.answers + 1,
        turn_answers=state.run.turn_answers + 1,
        turn_bytes=state.run.turn_bytes + size,
        attempt=0,
        told=state.run.told if page.told is None else {page.list_name: page.told, **state.run.told},
        counts=state.run.counts.plus(taken),
    )
    problems = state.webhook_problems
    if page.subscriptions is not None:
        problems = page.subscriptions.problems
    state = msgspec.structs.replace(state, webhook_problems=problems)
    if page.next is None:
        return _ended(state, run, got, now)
    run = msgspec.structs.replace(run, cursor=page.next)
    if _is_enough(run, now):
        run = msgspec.structs.replace(run, leased_until=now)
        return msgspec.structs.replace(state, run=run), Step.PAUSED
    return msgspec.structs.replace(state, run=run), Step.ASK


def _is_enough(run: Run, now: datetime) -> bool:
    return (
        run.turn_answers >= ANSWERS_PER_TURN
        or run.turn_bytes >= BYTES_PER_TURN
        or (run.turn_at is not None and now - run.turn_at >= TURN)
    )


def _ended(
    state: PullState, run: Run, got: Mapping[str, int], now: datetime
) -> tuple[PullState, Step]:
    missing = [
        f"the shop counts {told} in {name!r}, its pages held {got.get(name, 0)}"
        for name, told in run.told.items()
        if got.get(name, 0) < told
    ]
    if missing:
        return msgspec.structs.replace(
            state,
            run=None,
            mismatches=state.mismatches + 1,
            last_error="; ".join(missing),
            last_counts=run.counts,
            last_told=run.told,
        ), Step.INCOMPLETE
    return msgspec.structs.replace(
        state,
        run=None,
        watermark=run.started_at,
        completed_at=now,
        failures=0,
        mismatches=0,
        last_error="",
        last_counts=run.counts,
        last_told=run.told,
    ), Step.COMPLETE


def after_again(state: PullState, again: Again, now: datetime) -> tuple[PullState, Step, float]:
    """The shop cannot answer now. Also how many seconds to wait before the next try."""
    assert state.run is not None
    attempt = state.run.attempt + 1
    wait_s = pause_s(attempt, again.wait_s)
    if wait_s is None:
        # The cursor stays: the next carrier goes on with the same page.
        run = msgspec.structs.replace(state.run, leased_until=now, attempt=0)
        return _failed(state, run, again.reason), Step.FAILED, 0.0
    run = msgspec.structs.replace(state.run, attempt=attempt, leased_until=now + LEASE)
    return msgspec.structs.replace(state, run=run), Step.ASK, wait_s


def after_refusal(state: PullState, reason: str) -> PullState:
    """Asking again is no use; a cursor that the shop does not take any more is given up too."""
    return _failed(state, None, reason)


def _failed(state: PullState, run: Run | None, reason: str) -> PullState:
    return msgspec.structs.replace(
        state, run=run, failures=state.failures + 1, last_error=reason[:300]
    )
