"""SMTP server between n8n's Send Email node and the merchant's mail server.

SMTP has no idempotency key: a mail repeated after a killed n8n would reach the customer twice. The
gateway finds the action key in the mail, stores each mail once per key, answers 250 only after the
commit, and forwards with a Message-ID that follows from the key. See
docs/decisions/0009-mail-gateway.md.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import warnings
from collections.abc import Callable, Mapping, Sequence

import structlog
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword, Session
from aiosmtpd.smtp import Envelope as SmtpEnvelope

from kette.adapters.mail.announce import is_sayable
from kette.adapters.mail.forwarder import BACKOFF_S, FailureReport, Forwarder
from kette.adapters.mail.message import KEY_LENGTH, find_action_key, stamp
from kette.adapters.mail.store import Acceptance, Envelope, MailState, MailStore, NewMail
from kette.adapters.mail.table import ADDRESS_LENGTH
from kette.adapters.mail.upstream import Upstream, UpstreamSettings
from kette.adapters.mail.writer import MailWriter

MAX_BYTES = 25_000_000
MAX_RECIPIENTS = 100
_SMALL = 100_000  # such a mail is read in less time than another thread needs to begin

_MALFORMED = "553 5.1.3 The address is malformed"
_log = structlog.get_logger("kette.mail")


class _KeyError(Exception):
    """The marker holds what is no key: more than the table takes, or control characters."""


class _Handler:
    """aiosmtpd finds these methods by name."""

    def __init__(self, writer: MailWriter, on_stored: Callable[[], None]) -> None:
        self._writer = writer
        self._on_stored = on_stored

    async def handle_MAIL(  # noqa: N802
        self,
        server: SMTP,
        session: Session,
        envelope: SmtpEnvelope,
        address: str,
        mail_options: list[str],
    ) -> str:
        if not _is_storable(address):
            return _MALFORMED
        envelope.mail_from = address
        envelope.mail_options.extend(mail_options)
        return "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802
        self,
        server: SMTP,
        session: Session,
        envelope: SmtpEnvelope,
        address: str,
        rcpt_options: list[str],
    ) -> str:
        if len(envelope.rcpt_tos) >= MAX_RECIPIENTS:
            return "452 4.5.3 Too many recipients"
        if not _is_storable(address):
            return _MALFORMED
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(rcpt_options)
        return "250 2.1.5 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: SmtpEnvelope
    ) -> str:
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        wanted = Envelope(envelope.mail_from or "", tuple(envelope.rcpt_tos))
        try:
            if len(content) <= _SMALL:
                mail = _stamped(wanted, content)
            else:  # reading a large mail must not hold up other connections
                mail = await asyncio.to_thread(_stamped, wanted, content)
            outcome = await asyncio.wrap_future(self._writer.accept(mail))
        except _KeyError:
            return "554 5.6.0 The kette-action marker is too long or holds control characters"
        except RecursionError:  # parts within parts within parts
            return "554 5.6.0 The mail cannot be read"
        except Exception:
            _log.exception("mail.store_error")
            return "451 4.3.0 Not stored, please try again"
        if outcome is Acceptance.DUPLICATE:
            _log.info("mail.duplicate", action_key=mail.action_key)
            return "250 2.0.0 Known already, not sent again"
        self._on_stored()
        return "250 2.0.0 Stored"


def _is_storable(address: str) -> bool:
    """No control characters, no bytes that are not UTF-8, and not more than the table takes."""
    return is_sayable(address, is_utf8=True) and len(address) <= ADDRESS_LENGTH


def _stamped(envelope: Envelope, content: bytes) -> NewMail:
    action_key = find_action_key(content)
    if action_key is not None and not (action_key.isprintable() and len(action_key) <= KEY_LENGTH):
        raise _KeyError
    raw, message_id = stamp(content, action_key, envelope.sender)
    return NewMail(action_key, message_id, envelope, raw)


class _KeyAuthenticator:
    """The user name is free; the password must be an API key that may send mails."""

    def __init__(self, is_valid_key: Callable[[str], bool]) -> None:
        self._is_valid_key = is_valid_key

    def __call__(
        self,
        server: SMTP,
        session: Session,
        envelope: SmtpEnvelope,
        mechanism: str,
        auth_data: object,
    ) -> AuthResult:
        if mechanism not in ("LOGIN", "PLAIN") or not isinstance(auth_data, LoginPassword):
            return AuthResult(success=False, handled=False)
        try:
            accepted = self._is_valid_key(auth_data.password.decode("utf-8", "replace"))
        except Exception:
            _log.exception("mail.key_check_error")
            return AuthResult(
                success=False, handled=False, message="454 4.7.0 Temporary authentication failure"
            )
        # handled=False lets the server answer 535 itself and count the attempt.
        return AuthResult(success=accepted, handled=False)


class _Conversation(SMTP):
    """Acknowledges what it receives at once. A client such as n8n's writes a mail in several small
    pieces and holds the next one back until the last is acknowledged; Linux waits 40 ms with that,
    which would be most of the time that a mail takes."""

    def data_received(self, data: bytes) -> None:
        if self.transport is not None and hasattr(socket, "TCP_QUICKACK"):
            connection = self.transport.get_extra_info("socket")
            # Not lasting: the kernel goes back to waiting by itself.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        super().data_received(data)


class _Controller(Controller):
    def factory(self) -> SMTP:
        return _Conversation(self.handler, **self.SMTP_kwargs)


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
        self._controller = _Controller(
            _Handler(self._writer, self._forwarder.wake),
            hostname=host,
            port=port,
            ready_timeout=15.0,
            authenticator=_KeyAuthenticator(is_valid_key),
            auth_required=True,
            auth_require_tls=False,
            data_size_limit=MAX_BYTES,
            decode_data=False,
            ident="Kette mail gateway",
            server_hostname="kette.localhost",
            timeout=60,
        )

    def start(self) -> None:
        """Raises OSError when the port is taken."""
        # aiosmtpd warns once per connection that the password travels unencrypted; see the class.
        warnings.filterwarnings("ignore", "Requiring AUTH while not requiring TLS", UserWarning)
        logging.getLogger("mail.log").setLevel(logging.ERROR)
        # Asked beforehand: the controller would wait for its own port until the time limit.
        with socket.create_server((self.host, self.port)):
            pass
        self._controller.start()
        self._writer.start()
        try:
            self._forwarder.start()
        except Exception:
            self._controller.stop()
            self._writer.stop()
            raise

    def stop(self) -> None:
        self._controller.stop()
        # A server that lets its answer wait may still give it while the process lives.
        if self._forwarder.stop():
            self._writer.stop()

    @property
    def problem(self) -> str:
        """Why no mail leaves at the moment, or empty; for the health report."""
        return self._forwarder.problem

    def counts(self) -> Mapping[MailState, int]:
        return self._store.counts()
