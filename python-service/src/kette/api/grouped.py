"""Deliveries that arrive in the same moment share one SQLite transaction and one commit.

SQLite has one writer. Threads that queue for it spend more time on handing the interpreter to each
other than on the work, so deliveries are stored on the event loop's own thread, and nobody is
answered before the commit is on the disk (docs/decisions/0013-grouped-commits.md). Shops and
providers tell one order's news in several deliveries at the same moment; such an order is decided
once. Where one of a group fails, all are rolled back and each is stored in a savepoint of its own:
that one fails alone. PostgreSQL does not need this.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from kette.use_cases.errors import RULE_ERRORS
from kette.use_cases.ingest import Ingest, Ingested, Prepared, nothing_to_record
from kette.use_cases.kernel import Kernel
from kette.use_cases.ports import OpenWrite, Transaction

GROUP_MAX = 16  # bounds how long one group keeps the loop
# How long a group waits for as many as came lately. A commit costs more than this; who delivers
# alone waits for nobody.
GATHER_S = 0.001

_Waiting = tuple[Prepared, asyncio.Future[Ingested]]


class GroupedIngest:
    """The ingest use case for callers on the event loop."""

    def __init__(self, kernel: Kernel, ingest: Ingest) -> None:
        self._kernel = kernel
        self._ingest = ingest
        self._waiting: list[_Waiting] = []
        self._timer: asyncio.Handle | None = None
        self._waits_for_turn = False
        self._lately = 1  # deliveries that came together

    async def __call__(self, system_id: str, headers: Mapping[str, str], body: bytes) -> Ingested:
        prepared = self._ingest.prepare(system_id, headers, body)
        if not prepared.translation.facts:
            return nothing_to_record(prepared)
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Ingested] = loop.create_future()
        self._waiting.append((prepared, answer))
        if not self._waits_for_turn:
            self._plan(loop)
        return await answer

    def _plan(self, loop: asyncio.AbstractEventLoop) -> None:
        """Store at once what waits, or when as many have gathered as came lately."""
        has_gathered = len(self._waiting) >= min(self._lately, GROUP_MAX)
        if self._timer is not None and has_gathered:
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            if has_gathered:
                self._timer = loop.call_soon(self._store_group, loop)
            else:
                self._timer = loop.call_later(GATHER_S, self._store_group, loop)

    def _store_group(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        self._waits_for_turn = True
        try:
            write = self._kernel.store.begin(wait=False)
        except Exception as error:
            self._store_in(loop, error)
            return
        if write is None:  # a thread writes; the loop does not stand still for it
            waiting = loop.run_in_executor(None, self._wait_for_turn)
            waiting.add_done_callback(lambda turn: self._store_in(loop, _result_of(turn)))
        else:
            self._store_in(loop, write)

    def _wait_for_turn(self) -> OpenWrite:
        write = self._kernel.store.begin(wait=True)
        assert write is not None
        return write

    def _store_in(self, loop: asyncio.AbstractEventLoop, write: OpenWrite | Exception) -> None:
        self._waits_for_turn = False
        group, self._waiting = self._waiting[:GROUP_MAX], self._waiting[GROUP_MAX:]
        self._lately = max(len(group), self._lately - 1)
        outcomes: Sequence[Ingested | Exception]
        try:
            if isinstance(write, Exception):
                raise write
            outcomes, stages = self._stored(write, [prepared for prepared, _ in group])
        except Exception as error:  # nothing of the group was stored
            outcomes, stages = [error] * len(group), set()
        for (_, answer), outcome in zip(group, outcomes, strict=True):
            if answer.cancelled():
                continue  # the client has gone; its delivery is stored all the same
            if isinstance(outcome, Exception):
                answer.set_exception(outcome)
            else:
                answer.set_result(outcome)
        if stages:
            self._kernel.on_due(stages)
        if self._waiting:
            self._plan(loop)

    def _stored(
        self, write: OpenWrite, group: list[Prepared]
    ) -> tuple[Sequence[Ingested | Exception], set[str]]:
        try:
            found = self._store(write.tx, group)
        except BaseException:
            write.roll_back()
            raise
        write.commit()
        return found

    def _store(
        self, tx: Transaction, group: list[Prepared]
    ) -> tuple[Sequence[Ingested | Exception], set[str]]:
        try:
            with tx.savepoint():
                return self._ingest.store_all(tx, group)
        except Exception:  # one of them is to blame; which one shows when each goes alone
            return self._store_each(tx, group)

    def _store_each(
        self, tx: Transaction, group: list[Prepared]
    ) -> tuple[list[Ingested | Exception], set[str]]:
        outcomes: list[Ingested | Exception] = []
        stages: set[str] = set()
        for prepared in group:
            try:
                with tx.savepoint():
                    result, due = self._ingest.store(tx, prepared)
            except RULE_ERRORS as error:
                with tx.savepoint():
                    kept = self._ingest.given_up(prepared, error)
                    result, due = self._ingest.store(tx, kept)
            except Exception as error:  # this delivery's own; the others go in
                outcomes.append(error)
                continue
            stages |= due
            outcomes.append(result)
        return outcomes, stages


def _result_of(turn: asyncio.Future[OpenWrite]) -> OpenWrite | Exception:
    error = turn.exception()
    if error is None:
        return turn.result()
    return error if isinstance(error, Exception) else RuntimeError(repr(error))
