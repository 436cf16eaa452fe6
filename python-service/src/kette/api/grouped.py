"""Deliveries that arrive in the same moment share one SQLite transaction and one commit.

SQLite has one writer. Threads that queue for it spend more time on handing the interpreter to each
other than on the work, so deliveries are stored on the event loop's own thread, each in its
savepoint: one that fails is rolled back alone, the others are not touched, and nobody is answered
before the commit is on the disk (docs/decisions/0013-grouped-commits.md). PostgreSQL does not need
this.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from kette.use_cases.errors import RULE_ERRORS
from kette.use_cases.ingest import Ingest, Ingested, Prepared, nothing_to_record
from kette.use_cases.kernel import Kernel

GROUP_MAX = 16  # bounds how long one group keeps the loop
# How long a group waits for as many as came lately. A commit costs more than this; who delivers
# alone waits for nobody.
GATHER_S = 0.001


class GroupedIngest:
    def __init__(self, kernel: Kernel, ingest: Ingest) -> None:
        self._kernel = kernel
        self._ingest = ingest
        self._waiting: list[tuple[Prepared, asyncio.Future[Ingested]]] = []
        self._timer: asyncio.Handle | None = None
        self._lately = 1  # deliveries that came together

    async def __call__(self, system_id: str, headers: Mapping[str, str], body: bytes) -> Ingested:
        """Raises what Ingest raises."""
        prepared = self._ingest.prepare(system_id, headers, body)
        if not prepared.translation.facts:
            return nothing_to_record(prepared)
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Ingested] = loop.create_future()
        self._waiting.append((prepared, answer))
        self._schedule(loop)
        return await answer

    def _schedule(self, loop: asyncio.AbstractEventLoop) -> None:
        is_complete = len(self._waiting) >= self._lately
        if self._timer is None:
            self._timer = (
                loop.call_soon(self._store_group, loop)
                if is_complete
                else loop.call_later(GATHER_S, self._store_group, loop)
            )
        elif is_complete and isinstance(self._timer, asyncio.TimerHandle):
            self._timer.cancel()
            self._timer = loop.call_soon(self._store_group, loop)

    def _store_group(self, loop: asyncio.AbstractEventLoop) -> None:
        group, self._waiting = self._waiting[:GROUP_MAX], self._waiting[GROUP_MAX:]
        self._lately = max(len(group), self._lately - 1)
        self._timer = loop.call_soon(self._store_group, loop) if self._waiting else None
        results: list[tuple[asyncio.Future[Ingested], Ingested | Exception]] = []
        stages: set[str] = set()
        try:
            with self._kernel.store.write() as tx:
                for prepared, answer in group:
                    try:
                        with tx.savepoint():
                            result, due = self._ingest.store(tx, prepared)
                    except RULE_ERRORS as error:
                        with tx.savepoint():
                            kept = self._ingest.given_up(prepared, error)
                            result, due = self._ingest.store(tx, kept)
                    except Exception as error:  # this delivery's own; the others go in
                        results.append((answer, error))
                        continue
                    stages |= due
                    results.append((answer, result))
        except Exception as error:  # nothing of the group was stored
            results = [(answer, error) for _, answer in group]
            stages = set()
        for answer, outcome in results:
            if answer.cancelled():
                continue  # the client has gone; its delivery is stored all the same
            if isinstance(outcome, Exception):
                answer.set_exception(outcome)
            else:
                answer.set_result(outcome)
        if stages:
            self._kernel.on_due(stages)
