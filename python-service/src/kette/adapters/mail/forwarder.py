"""The thread that hands stored mails over to the merchant's server, in order of arrival.

A mail is claimed only while a connection stands, so an unreachable server costs no attempts. A
refusal for now is tried again with back-off, a refusal for good ends in `failed` and is told to
`on_failed`. The one window that SMTP leaves open: a crash after the server took the mail over and
before that is recorded. Such a mail is sent again, with the same Message-ID
(docs/decisions/0009-mail-gateway.md).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import structlog

from kette.adapters.mail.store import MailStore, WaitingMail
from kette.adapters.mail.upstream import Delivery, Upstream, UpstreamUnavailableError

BACKOFF_S = (10, 60, 300, 900, 1800, 3600)
_DOWN_S = (1, 2, 5, 10, 30, 60)
# RFC 5321, 4.5.4.1: the give-up time generally needs to be at least four to five days.
_GIVE_UP = timedelta(days=5)
_BATCH = 50
_IDLE_S = 1.0  # how often mails of another replica or of back-off are looked for
_KEEP_CONNECTION_S = 15.0

_log = structlog.get_logger("kette.mail")

FailureReport = Callable[[WaitingMail, str], None]


class Forwarder:
    """on_failed is called once per mail that is lost for good, outside of any transaction."""

    def __init__(
        self,
        store: MailStore,
        upstream: Upstream,
        timeout_s: float,
        on_failed: FailureReport | None = None,
        backoff_s: Sequence[float] = BACKOFF_S,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        self._backoff_s = backoff_s
        self._store = store
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

    def stop(self, timeout_s: float = 30.0) -> None:
        """Finish the mail at hand and end."""
        self._stopping.set()
        self._wake.set()
        self._thread.join(timeout_s)

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
        """One batch; tells whether anything was tried."""
        mails = self._store.due(_BATCH)
        if not mails:
            return False
        try:
            self._upstream.connect()
        except UpstreamUnavailableError as error:
            self._note_down(error.detail)
            self._give_up_on(mails, error.detail)
            return False
        for mail in mails:
            if self._stopping.is_set():
                break
            try:
                self._forward(mail)
            except UpstreamUnavailableError as error:
                self._note_down(error.detail)
                break
            self._failures, self.problem = 0, ""
        return True

    def _note_down(self, detail: str) -> None:
        self._failures += 1
        if detail != self.problem:
            _log.warning("mail.upstream_unavailable", detail=detail)
        self.problem = detail

    def _give_up_on(self, mails: Sequence[WaitingMail], why: str) -> None:
        for mail in mails:
            if self._clock() - mail.created_at > _GIVE_UP:
                self._fail(mail, f"given up after {_GIVE_UP.days} days: {why}")

    def _forward(self, mail: WaitingMail) -> None:
        # Long enough for every command to run into its time limit: no second forwarder comes in
        # between.
        commands = 15 + len(mail.envelope.recipients)
        raw = self._store.mark_sending(
            mail, self._clock() + timedelta(seconds=commands * self._timeout_s)
        )
        if raw is None:
            return
        try:
            delivery = self._upstream.deliver(mail.envelope.sender, mail.envelope.recipients, raw)
        except UpstreamUnavailableError as error:
            self._retry(mail, error.detail, ())
            raise
        except ValueError as error:  # an address that cannot be said in SMTP
            self._fail(mail, str(error))
            return
        self._record(mail, delivery)

    def _record(self, mail: WaitingMail, delivery: Delivery) -> None:
        if delivery.later:
            self._retry(mail, delivery.answer, delivery.later)
        elif delivery.served:
            self._store.mark_sent(mail, note=delivery.answer)
            _log.info("mail.sent", mail_id=mail.id, action_key=mail.action_key)
        else:
            self._fail(mail, delivery.answer)

    def _retry(self, mail: WaitingMail, error: str, recipients: tuple[str, ...]) -> None:
        now = self._clock()
        if now - mail.created_at > _GIVE_UP:
            self._fail(mail, f"given up after {_GIVE_UP.days} days: {error}")
            return
        pause_s = self._backoff_s[min(mail.attempts, len(self._backoff_s) - 1)]
        self._store.mark_failed(mail, error, now + timedelta(seconds=pause_s), recipients)
        _log.info("mail.delayed", mail_id=mail.id, action_key=mail.action_key, pause_s=pause_s)

    def _fail(self, mail: WaitingMail, error: str) -> None:
        self._store.mark_failed(mail, error, None)
        # The server's answer often names the recipient, so it stays in the table.
        _log.warning("mail.failed", mail_id=mail.id, action_key=mail.action_key)
        if self._on_failed is not None:
            self._on_failed(mail, error)
