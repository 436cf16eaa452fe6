"""The thread that hands stored mails over to the merchant's server, in order of arrival.

Mails are claimed a few at a time, and only while a connection stands, so an unreachable server
costs no attempts. A refusal for now is tried again with back-off, a refusal for good ends in
`failed` and is told to `on_failed`. That a mail was sent is recorded while the next one is being
announced, and its content is not sent before: so a crash leaves at most one mail of which nobody
knows whether it was taken over, the window that SMTP leaves open. Such a mail is sent again, with
the same Message-ID (docs/decisions/0009-mail-gateway.md).
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import structlog

from kette.adapters.mail.store import Claim, ClaimedMail, MailStore, SentMail, WaitingMail
from kette.adapters.mail.upstream import (
    CONTENT_COMMANDS,
    PIECE,
    Delivery,
    Upstream,
    UpstreamUnavailableError,
)
from kette.adapters.mail.writer import MailWriter

BACKOFF_S = (10, 60, 300, 900, 1800, 3600)
_DOWN_S = (1, 2, 5, 10, 30, 60)
# RFC 5321, 4.5.4.1: the give-up time generally needs to be at least four to five days.
_GIVE_UP = timedelta(days=5)
_OLD_MAX = 50  # looked at in one go for being given up
_HAND = 8  # mails claimed together
# A claim lasts this many commands that all run into their time limit.
_CLAIM_COMMANDS = 30 + CONTENT_COMMANDS
_RECORD_PAUSE_S = 1.0
_LAST_TRIES = 5  # of a write when the service stops
_TELL_TRIES = 30  # of telling that a mail is lost
_IDLE_S = 1.0  # how often mails of another replica or of back-off are looked for
_KEEP_CONNECTION_S = 15.0

_log = structlog.get_logger("kette.mail")

T = TypeVar("T")
FailureReport = Callable[[WaitingMail, str], None]


class _ClaimOverError(Exception):
    """The database was away for so long that another forwarder may have the mail."""


class Forwarder:
    """on_failed is called for each mail that is lost for good, outside of any transaction; again
    after a crash or where it raised."""

    def __init__(
        self,
        store: MailStore,
        writer: MailWriter,
        upstream: Upstream,
        timeout_s: float,
        on_failed: FailureReport | None = None,
        backoff_s: Sequence[float] = BACKOFF_S,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        self._backoff_s = backoff_s
        self._store = store
        self._writer = writer
        self._unrecorded: tuple[SentMail, Future[None]] | None = None
        self._upstream = upstream
        self._timeout_s = timeout_s
        self._on_failed = on_failed
        self._clock = clock or (lambda: datetime.now(UTC))
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="kette-mail", daemon=True)
        self._failures = 0  # connections refused in a row
        self.problem = ""  # why nothing can be sent at the moment, or empty

    def start(self) -> None:
        released = self._store.release()
        if released:
            _log.warning("mail.taken_up_again", count=released)
        self._thread.start()

    def stop(self, timeout_s: float = 30.0) -> bool:
        """Finish the mail at hand and end; False when the server lets it wait for longer."""
        self._stopping.set()
        self._wake.set()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def wake(self) -> None:
        """A mail was stored."""
        self._wake.set()

    def _run(self) -> None:
        idle_s = 0.0
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                sent_any = self.run_once()
            except Exception:
                # The database may be away for a moment; the thread must outlive that.
                _log.exception("mail.forwarder_error")
                self._stopping.wait(2.0)
                continue
            if self._failures:
                self._stopping.wait(_DOWN_S[min(self._failures, len(_DOWN_S)) - 1])
            elif not sent_any:
                idle_s += _IDLE_S
                if idle_s >= _KEEP_CONNECTION_S:
                    self._upstream.close()
                self._wake.wait(_IDLE_S)
                continue
            idle_s = 0.0
        self._upstream.close()

    def run_once(self) -> bool:
        """Work off what is due; tells whether anything was tried."""
        if not self._store.due(1):
            return False
        try:
            self._upstream.connect()
        except UpstreamUnavailableError as error:
            self._note_down(error.detail)
            self._give_up_on(self._store.due(_OLD_MAX), error.detail)
            return False
        while not self._stopping.is_set():
            hand = self._writer.claim(Claim(_HAND, self._claim_end())).result()
            self._wait_for_record()
            # Fewer than asked for: nothing more was due, and looking again costs less than a claim.
            if not self._work_off(deque(hand)) or len(hand) < _HAND:
                break
        self._wait_for_record()
        return True

    def _claim_end(self) -> datetime:
        return self._clock() + timedelta(seconds=_CLAIM_COMMANDS * self._timeout_s)

    def _work_off(self, hand: deque[ClaimedMail]) -> bool:
        """Send these one after the other; False when the server has gone."""
        try:
            while hand and not self._stopping.is_set():
                claimed = self._held(hand.popleft())
                if claimed is not None:
                    self._forward(claimed)
                    self._failures, self.problem = 0, ""
        except UpstreamUnavailableError as error:
            self._note_down(error.detail)
            return False
        finally:
            if hand:
                self._wait_for_record()
                self._surely(lambda: self._store.put_back(hand))
        return True

    def _held(self, claimed: ClaimedMail) -> ClaimedMail | None:
        """With a claim that is long enough for every command to run into its time limit: no second
        forwarder comes in between."""
        commands = 15 + len(claimed.mail.envelope.recipients)
        ends_at = self._content_end(claimed) + timedelta(seconds=commands * self._timeout_s)
        if claimed.until > ends_at:
            return claimed
        return self._surely(lambda: self._store.extend(claimed, ends_at))

    def _content_end(self, claimed: ClaimedMail) -> datetime:
        """If each piece of it and the answer run into the time limit from now on."""
        pieces = CONTENT_COMMANDS + len(claimed.raw) // PIECE
        return self._clock() + timedelta(seconds=pieces * self._timeout_s)

    def _note_down(self, detail: str) -> None:
        self._failures += 1
        if detail != self.problem:
            _log.warning("mail.upstream_unavailable", detail=detail)
        self.problem = detail

    def _give_up_on(self, mails: Sequence[WaitingMail], why: str) -> None:
        for mail in mails:
            if self._clock() - mail.created_at > _GIVE_UP:
                self._fail(mail, f"given up after {_GIVE_UP.days} days: {why}")

    def _forward(self, claimed: ClaimedMail) -> None:
        mail = claimed.mail
        sender, recipients = mail.envelope.sender, mail.envelope.recipients

        def before_content() -> None:
            self._wait_for_record()
            if self._content_end(claimed) > claimed.until:
                raise _ClaimOverError

        try:
            delivery = self._upstream.deliver(sender, recipients, claimed.raw, before_content)
        except UpstreamUnavailableError as error:
            self._retry(mail, error.detail, ())
            raise
        except _ClaimOverError:  # it comes again, to whoever claims it
            _log.warning("mail.claim_over", mail_id=mail.id)
            return
        self._record(mail, delivery)

    def _record(self, mail: WaitingMail, delivery: Delivery) -> None:
        if delivery.later:
            self._retry(mail, delivery.answer, delivery.later)
        elif delivery.served:
            sent = SentMail(mail, delivery.answer)
            self._unrecorded = (sent, self._writer.record_sent(sent))
            _log.info("mail.sent", mail_id=mail.id, action_key=mail.action_key)
        else:
            self._fail(mail, delivery.answer)

    def _wait_for_record(self) -> None:
        """Until it is on the disk that the mail before was sent. A database that is away for a
        moment holds the mails up; to go on would let each of them be sent twice."""
        if self._unrecorded is None:
            return
        sent, first = self._unrecorded
        tries = deque([first])

        def record() -> None:
            (tries.pop() if tries else self._writer.record_sent(sent)).result()

        self._surely(record)
        self._unrecorded = None

    def _surely(self, write: Callable[[], T]) -> T:
        """What the server did with a mail, and whose turn it is, must not be forgotten because the
        database is away for a moment: recipients would get the mail twice, or minutes late."""
        tries_left = _LAST_TRIES
        while True:
            try:
                return write()
            except Exception:
                _log.exception("mail.record_error")
                tries_left -= self._stopping.is_set()
                if not tries_left:
                    raise
            # Not _stopping.wait: that would not wait any more.
            time.sleep(_RECORD_PAUSE_S)

    def _retry(self, mail: WaitingMail, error: str, recipients: tuple[str, ...]) -> None:
        now = self._clock()
        if now - mail.created_at > _GIVE_UP:
            self._fail(mail, f"given up after {_GIVE_UP.days} days: {error}")
            return
        pause_s = self._backoff_s[min(mail.attempts, len(self._backoff_s) - 1)]
        again_at = now + timedelta(seconds=pause_s)
        self._surely(lambda: self._store.mark_failed(mail, error, again_at, recipients))
        _log.info("mail.delayed", mail_id=mail.id, action_key=mail.action_key, pause_s=pause_s)

    def _fail(self, mail: WaitingMail, error: str) -> None:
        self._tell(mail, error)  # first: what is recorded as failed is never looked at again
        self._surely(lambda: self._store.mark_failed(mail, error, None))
        # The server's answer often names the recipient, so it stays in the table.
        _log.warning("mail.failed", mail_id=mail.id, action_key=mail.action_key)

    def _tell(self, mail: WaitingMail, error: str) -> None:
        """That nobody can be told must not hold the other mails up for ever."""
        for tries_left in reversed(range(_TELL_TRIES)):
            try:
                if self._on_failed is not None:
                    self._on_failed(mail, error)
                return
            except Exception:
                _log.exception("mail.telling_error", mail_id=mail.id, action_key=mail.action_key)
            if not tries_left or self._stopping.wait(_RECORD_PAUSE_S):
                break
        if self._stopping.is_set():
            raise RuntimeError("stopped before it was told that a mail is lost")
