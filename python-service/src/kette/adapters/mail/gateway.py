"""SMTP server between n8n's Send Email node and the merchant's mail server.

SMTP has no idempotency key: a mail repeated after a killed n8n would reach the customer twice. The
gateway finds the action key in the mail, stores each mail once per key, answers 250 only after the
commit, and forwards with a Message-ID that follows from the key. See
docs/decisions/0009-mail-gateway.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future

import structlog

from kette.adapters.mail.forwarder import BACKOFF_S, FailureReport, Forwarder
from kette.adapters.mail.listener import Listener
from kette.adapters.mail.message import KEY_LENGTH, find_action_key, stamp
from kette.adapters.mail.smtp_server import Answer
from kette.adapters.mail.store import Acceptance, Envelope, MailState, MailStore, NewMail
from kette.adapters.mail.upstream import Upstream, UpstreamSettings
from kette.adapters.mail.writer import MailWriter

_SMALL = 100_000  # such a mail is read in less time than another thread needs to begin

_log = structlog.get_logger("kette.mail")


class _KeyTooLongError(Exception):
    """The marker holds more than the table takes."""


class _Reception:
    """Takes mails over for the SMTP server."""

    def __init__(
        self,
        writer: MailWriter,
        is_valid_key: Callable[[str], bool],
        on_stored: Callable[[], None],
    ) -> None:
        self.is_valid_key = is_valid_key
        self._writer = writer
        self._on_stored = on_stored

    def take_over(self, envelope: Envelope, content: bytes, answer: Answer) -> None:
        loop = asyncio.get_running_loop()

        def end(line: str) -> None:
            if not loop.is_closed():  # else the client has gone as well
                loop.call_soon_threadsafe(answer, line)

        if len(content) <= _SMALL:
            self._store(envelope, content, end)
        else:  # reading a large mail must not hold up other connections
            loop.run_in_executor(None, self._store, envelope, content, end)

    def _store(self, envelope: Envelope, content: bytes, end: Answer) -> None:
        try:
            mail = _stamped(envelope, content)
            stored = self._writer.accept(mail)
        except _KeyTooLongError:
            end("554 5.6.0 The kette-action marker is too long")
        except Exception:
            _log.exception("mail.read_error")
            end("451 4.3.0 Not stored, please try again")
        else:
            stored.add_done_callback(lambda outcome: end(self._said(mail, outcome)))

    def _said(self, mail: NewMail, outcome: Future[Acceptance]) -> str:
        error = outcome.exception()
        if error is not None:
            _log.error("mail.store_error", exc_info=error)
            return "451 4.3.0 Not stored, please try again"
        if outcome.result() is Acceptance.DUPLICATE:
            _log.info("mail.duplicate", action_key=mail.action_key)
            return "250 2.0.0 Known already, not sent again"
        self._on_stored()
        return "250 2.0.0 Stored"


def _stamped(envelope: Envelope, content: bytes) -> NewMail:
    action_key = find_action_key(content)
    if action_key is not None and len(action_key) > KEY_LENGTH:
        raise _KeyTooLongError
    raw, message_id = stamp(content, action_key, envelope.sender)
    return NewMail(action_key, message_id, envelope, raw)


class MailGateway:
    """start() listens and forwards in threads of their own; stop() finishes the mail at hand.

    host: the loopback address, or the container's own network; the password travels unencrypted.
    """

    def __init__(
        self,
        store: MailStore,
        upstream: UpstreamSettings,
        is_valid_key: Callable[[str], bool],
        *,
        host: str = "127.0.0.1",
        port: int = 8711,
        on_failed: FailureReport | None = None,
        backoff_s: Sequence[float] = BACKOFF_S,
    ) -> None:
        self.host, self.port = host, port
        self._store = store
        self._writer = MailWriter(store)
        self._forwarder = Forwarder(
            store, self._writer, Upstream(upstream), upstream.timeout_s, on_failed, backoff_s
        )
        reception = _Reception(self._writer, is_valid_key, self._forwarder.wake)
        self._listener = Listener(reception, host, port)

    def start(self) -> None:
        """Raises OSError when the port is taken."""
        self._listener.start()
        try:
            self._writer.start()
            self._forwarder.start()
        except Exception:
            self._listener.stop()
            raise

    def stop(self) -> None:
        self._listener.stop()
        self._forwarder.stop()
        self._writer.stop()

    @property
    def problem(self) -> str:
        """Why no mail leaves at the moment, or empty; for the health report."""
        return self._forwarder.problem

    def counts(self) -> Mapping[MailState, int]:
        return self._store.counts()
