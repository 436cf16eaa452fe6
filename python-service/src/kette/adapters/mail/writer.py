"""The one thread in which the gateway writes: what is to be written in the same moment shares a
commit.

In a burst several connections hand mails in while the forwarder records what it has sent and claims
what comes next. Each commit waits for the disk and keeps every other writer of an SQLite file
waiting, so they are made together; nobody hears of his before it is on the disk. Where one of a
group fails, each is tried alone: that one fails alone.
"""

from __future__ import annotations

import queue
import threading
from concurrent.futures import Future
from typing import Any

from kette.adapters.mail.store import (
    Acceptance,
    Claim,
    ClaimedMail,
    MailStore,
    NewMail,
    SentMail,
    Write,
)

GROUP_MAX = 32


class MailWriter:
    """Its methods return at once; the future ends with the commit."""

    def __init__(self, store: MailStore) -> None:
        self._store = store
        self._queue: queue.SimpleQueue[tuple[Write, Future[Any]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="kette-mail-writer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout_s: float = 30.0) -> None:
        """Write what waits and end. Nothing may be given in afterwards."""
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join(timeout_s)

    def accept(self, mail: NewMail) -> Future[Acceptance]:
        return self._put(mail)

    def record_sent(self, sent: SentMail) -> Future[None]:
        return self._put(sent)

    def claim(self, claim: Claim) -> Future[list[ClaimedMail]]:
        return self._put(claim)

    def _put(self, write: Write) -> Future[Any]:
        future: Future[Any] = Future()
        self._queue.put((write, future))
        return future

    def _run(self) -> None:
        while True:
            group = []
            waiting = self._queue.get()
            while waiting is not None:
                # A client that has gone meanwhile takes its mail back: it heard of nothing. From
                # here on a future cannot be cancelled, which would end this thread.
                if waiting[1].set_running_or_notify_cancel():
                    group.append(waiting)
                if len(group) == GROUP_MAX:
                    break
                try:
                    waiting = self._queue.get_nowait()
                except queue.Empty:
                    break
            if group:
                self._write(group)
            if waiting is None:
                return

    def _write(self, group: list[tuple[Write, Future[Any]]]) -> None:
        try:
            outcomes = self._store.write([write for write, _ in group])
        except Exception as error:
            if len(group) == 1:
                group[0][1].set_exception(error)
                return
            for one in group:
                self._write([one])
            return
        for (_, future), outcome in zip(group, outcomes, strict=True):
            future.set_result(outcome)
