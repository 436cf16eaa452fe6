"""Pull a shop's changes: say what to ask next, take in what was answered.

The carrier (an n8n workflow, or the command line for a backfill) sends each request with its own
credentials and hands the answer in; it knows no page, no count and no watermark. Objects go in one
by one, as deliveries: one that cannot be read becomes one entry of the exception list and harms no
other. They are stored before the cursor moves, so a pull that is killed repeats a page and loses
nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Protocol

import msgspec
import structlog

from kette.domain.policy import System
from kette.domain.pull_state import (
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
    Again,
    Answer,
    Ask,
    Cursor,
    Hopeless,
    Page,
    Purpose,
    Window,
)
from kette.use_cases.errors import InvalidInputError, UnknownSystemError
from kette.use_cases.ingest import Ingest
from kette.use_cases.kernel import Kernel
from kette.use_cases.ports import Transaction
from kette.use_cases.pulled import TakeIn
from kette.use_cases.sources import tell_of_sources

log = structlog.get_logger("kette.pull")

MOST_DAYS = 3660


class PullReader(Protocol):
    """A vendor's way to be asked and read; see adapters.vendors.base.PullAdapter."""

    def begin(self, window: Window) -> Cursor: ...
    def ask(self, system: System, cursor: Cursor) -> Ask: ...
    def read(self, system: System, window: Window, cursor: Cursor, answer: Answer) -> Page: ...


class Turn(msgspec.Struct, frozen=True):
    """What the carrier does next. counts and told: of the pull so far, or of the one that ended."""

    step: Step
    pull_id: str = ""
    ask: Ask | None = None
    url: str = ""
    wait_s: float = 0.0
    counts: Counts = Counts()
    told: dict[str, int] = {}
    reason: str = ""
    cutover_at: datetime | None = None  # of a backfill


class Pulling:
    def __init__(self, kernel: Kernel, readings: Ingest, readers: Mapping[str, PullReader]) -> None:
        self._kernel = kernel
        self._take_in = TakeIn(kernel, readings)
        self._readers = readers

    # --- begin ---------------------------------------------------------------------------------

    def begin(self, system_id: str) -> Turn:
        """Begin a pull of what changed, or go on with one that broke off."""
        kernel = self._kernel
        system, reader = self._shop(system_id)
        now = kernel.now()
        with kernel.store.write() as tx:
            state = known_state(tx, system_id, Purpose.CHANGES, now)
            if is_taken(state, now):
                return Turn(Step.BUSY, reason="another pull of this shop is under way")
            state = self._started(tx, state, window_of(state, system.pull), reader, now)
        return self._asking(system, reader, state)

    def begin_backfill(self, system_id: str, days: int) -> Turn:
        """Begin to bring in what was placed or changed in the last days. The first backfill sets
        the cutover: orders placed before it, and not heard of yet, are the past."""
        if not 1 <= days <= MOST_DAYS:
            raise InvalidInputError("days", f"must be 1 to {MOST_DAYS}")
        kernel = self._kernel
        system, reader = self._shop(system_id)
        now = kernel.now()
        window = Window(Purpose.BACKFILL, now - timedelta(days=days))
        with kernel.store.write() as tx:
            lock(tx, system_id)
            state = tx.pulls.get(system_id, Purpose.BACKFILL)
            if state is None:
                state = PullState(system_id, Purpose.BACKFILL, _cutover(tx, system_id, now))
            if is_taken(state, now):
                return Turn(Step.BUSY, reason="another backfill of this shop is under way")
            kernel.cutovers[system_id] = state.since
            state = self._started(tx, state, window, reader, now)
        return self._asking(system, reader, state)

    def _started(
        self, tx: Transaction, state: PullState, window: Window, reader: PullReader, now: datetime
    ) -> PullState:
        before = state.run
        state = begun(state, window, now, self._kernel.new_id("pul"), reader.begin)
        assert state.run is not None
        if before is None or state.run.started_at == now:
            tx.pulls.forget(state)
        tx.pulls.save(state)
        return state

    # --- go on ---------------------------------------------------------------------------------

    def hand_in(
        self, system_id: str, pull_id: str, answer: Answer, purpose: Purpose = Purpose.CHANGES
    ) -> Turn:
        """Take in what the shop answered. The same answer handed in again does no harm: the cursor
        has moved on, and facts are known."""
        kernel = self._kernel
        system, reader = self._shop(system_id)
        with kernel.store.read() as tx:
            state = tx.pulls.get(system_id, purpose)
        if state is None or state.run is None or state.run.id != pull_id:
            return Turn(Step.BUSY, reason="somebody else goes on with this pull")
        run = state.run
        try:
            page = reader.read(system, run.window, run.cursor, answer)
        except Again as again:
            return self._again(system, reader, state, again)
        except Hopeless as refusal:
            return self._refused(state, refusal)
        names = list(dict.fromkeys([*(one.name for one in page.objects), *page.gone]))
        with kernel.store.read() as tx:
            seen = tx.pulls.seen(state, page.list_name, names)
        taken = self._take_in(system, state, page.objects, seen)
        now = kernel.now()
        with kernel.store.write() as tx:
            current = self._current(tx, state)
            if current is None:
                return Turn(Step.BUSY, reason="somebody else goes on with this pull")
            got = tx.pulls.see(state, page.list_name, names)
            state, step = after_page(current, page, got, taken, now, len(answer.body))
            if state.run is None:
                tx.pulls.forget(state)
            tx.pulls.save(state)
            stages = tell_of_sources(kernel, tx, system, now)
        if stages:
            kernel.on_due(stages)
        if step is Step.ASK:
            return self._asking(system, reader, state)
        return self._over(state, step)

    def _current(self, tx: Transaction, state: PullState) -> PullState | None:
        """The state as it is now; None where the pull has gone on without us."""
        lock(tx, state.system_id)
        found = tx.pulls.get(state.system_id, state.purpose)
        assert state.run is not None
        if found is None or found.run is None or found.run.id != state.run.id:
            return None
        return found if found.run.answers == state.run.answers else None

    def _again(self, system: System, reader: PullReader, state: PullState, again: Again) -> Turn:
        kernel = self._kernel
        now = kernel.now()
        with kernel.store.write() as tx:
            current = self._current(tx, state)
            if current is None:
                return Turn(Step.BUSY, reason="somebody else goes on with this pull")
            state, step, wait_s = after_again(current, again, now)
            tx.pulls.save(state)
        log.warning("pull.waits", system=system.id, reason=again.reason, wait_s=wait_s)
        if step is Step.ASK:
            return msgspec.structs.replace(
                self._asking(system, reader, state), wait_s=wait_s, reason=again.reason
            )
        return self._over(state, step)

    def _refused(self, state: PullState, refusal: Hopeless) -> Turn:
        kernel = self._kernel
        now = kernel.now()
        system = kernel.setup.systems[state.system_id]
        with kernel.store.write() as tx:
            current = self._current(tx, state)
            if current is None:
                return Turn(Step.BUSY, reason="somebody else goes on with this pull")
            state = after_refusal(current, refusal.reason)
            tx.pulls.forget(state)
            tx.pulls.save(state)
            stages = tell_of_sources(kernel, tx, system, now)
        if stages:
            kernel.on_due(stages)
        log.error("pull.refused", system=state.system_id, reason=refusal.reason)
        return self._over(state, Step.FAILED)

    # --- answers -------------------------------------------------------------------------------

    def _shop(self, system_id: str) -> tuple[System, PullReader]:
        systems = self._kernel.setup.systems
        system = systems.get(system_id)
        if system is None:
            raise UnknownSystemError(system_id, sorted(systems))
        reader = self._readers.get(system.kind)
        if reader is None:
            raise InvalidInputError("system", f"systems of kind {system.kind} are not pulled")
        return system, reader

    def _asking(self, system: System, reader: PullReader, state: PullState) -> Turn:
        run = state.run
        assert run is not None
        ask = reader.ask(system, run.cursor)
        return Turn(
            Step.ASK,
            run.id,
            ask,
            url=system.base_url.rstrip("/") + ask.path,
            counts=run.counts,
            told=run.told,
            cutover_at=state.since if state.purpose is Purpose.BACKFILL else None,
        )

    def _over(self, state: PullState, step: Step) -> Turn:
        """The carrier's turn ends: the pull itself may go on with another one."""
        run = state.run
        counts = state.last_counts if run is None else run.counts
        log.info(
            "pull.ended",
            system=state.system_id,
            purpose=state.purpose.value,
            step=step.value,
            fresh=counts.fresh,
        )
        return Turn(
            step,
            counts=counts,
            told=state.last_told if run is None else run.told,
            reason=state.last_error,
            cutover_at=state.since if state.purpose is Purpose.BACKFILL else None,
        )


def lock(tx: Transaction, system_id: str) -> None:
    """One writer of a system's pulls at a time."""
    tx.facts.lock_order(f"pull|{system_id}")


def known_state(tx: Transaction, system_id: str, purpose: Purpose, now: datetime) -> PullState:
    lock(tx, system_id)
    return tx.pulls.get(system_id, purpose) or PullState(system_id, purpose, since=now)


def _cutover(tx: Transaction, system_id: str, now: datetime) -> datetime:
    """Now, or when pulls began to keep Kette complete: what is placed since then is theirs."""
    changes = tx.pulls.get(system_id, Purpose.CHANGES)
    return changes.since if changes is not None and changes.watermark is not None else now
