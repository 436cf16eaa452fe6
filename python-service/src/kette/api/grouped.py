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


class GroupedIngest:
    def __init__(self, kernel: Kernel, ingest: Ingest) -> None:
        self._kernel = kernel
        self._ingest = ingest
        self._waiting: list[tuple[Prepared, asyncio.Future[Ingested]]] = []
        self._is_scheduled = False

    async def __call__(self, system_id: str, headers: Mapping[str, str], body: bytes) -> Ingested:
        """Raises what Ingest raises."""
        prepared = self._ingest.prepare(system_id, headers, body)
        if not prepared.translation.facts:
            return nothing_to_record(prepared)
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Ingested] = loop.create_future()
        self._waiting.append((prepared, answer))
        if not self._is_scheduled:
            self._is_scheduled = True
            loop.call_soon(self._store_group, loop)
        return await answer

    def _store_group(self, loop: asyncio.AbstractEventLoop) -> None:
        group, self._waiting = self._waiting[:GROUP_MAX], self._waiting[GROUP_MAX:]
        self._is_scheduled = bool(self._waiting)
        if self._is_scheduled:
            loop.call_soon(self._store_group, loop)
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
