"""A real upstream SMTP server on loopback that can be told to refuse, delay or die, and a real
store."""

from __future__ import annotations

import smtplib
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword, Session
from aiosmtpd.smtp import Envelope as SmtpEnvelope
from kette.adapters.mail.gateway import MailGateway
from kette.adapters.mail.sql_store import SqlMailStore
from kette.adapters.mail.store import (
    Acceptance,
    Claim,
    ClaimedMail,
    Envelope,
    MailState,
    MailStore,
    NewMail,
)
from kette.adapters.mail.table import define_mails
from kette.adapters.mail.upstream import UpstreamSettings
from sqlalchemy import Engine, MetaData, Table, create_engine, select

KEY = "kette_test_key"
ENVELOPE = Envelope("laden@nordlicht.example", ("anke@example.org",))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(holds: Callable[[], bool], timeout_s: float = 60) -> None:
    ends_at = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < ends_at, "timed out"
        time.sleep(0.02)


def settled(store: SqlMailStore) -> Callable[[], bool]:
    def check() -> bool:
        counts = store.counts()
        return counts[MailState.STORED] + counts[MailState.SENDING] == 0

    return check


def row_of(engine: Engine, mails: Table, key: str) -> Any:
    with engine.connect() as connection:
        return connection.execute(select(mails).where(mails.c.action_key == key)).one()


class Inbox:
    """Handler of the upstream server: keeps what it takes over; answers come from the two
    scripts."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, list[str], bytes]] = []
        self.connections = 0
        self.extensions: list[str] = []
        self.mail_answers: list[str] = []
        self.data_answers: list[str] = []  # used up one per mail, then 250
        self.rcpt_answers: dict[str, list[str]] = {}
        self.before_answer: Callable[[], None] = lambda: None

    async def handle_EHLO(  # noqa: N802
        self, server: SMTP, session: Session, envelope: SmtpEnvelope, name: str, answers: list[str]
    ) -> list[str]:
        session.host_name = name
        self.connections += 1
        own = [f"250-{extension}" for extension in self.extensions]
        return [*answers[:1], *own, *answers[1:]]  # the first is the server's name

    async def handle_MAIL(  # noqa: N802
        self,
        server: SMTP,
        session: Session,
        envelope: SmtpEnvelope,
        address: str,
        options: list[str],
    ) -> str:
        answer = self.mail_answers.pop(0) if self.mail_answers else "250 OK"
        if answer.startswith("250"):
            envelope.mail_from = address
        return answer

    async def handle_RCPT(  # noqa: N802
        self,
        server: SMTP,
        session: Session,
        envelope: SmtpEnvelope,
        address: str,
        options: list[str],
    ) -> str:
        script = self.rcpt_answers.get(address, [])
        answer = script.pop(0) if script else "250 OK"
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        answer = self.data_answers.pop(0) if self.data_answers else "250 OK"
        if answer.startswith("250"):
            assert isinstance(envelope.content, bytes)
            self.mails.append((envelope.mail_from or "", envelope.rcpt_tos, envelope.content))
        self.before_answer()
        return answer

    @property
    def contents(self) -> list[bytes]:
        return [content for _, _, content in self.mails]


class UpstreamServer:
    """Can be stopped and started again on the same port."""

    def __init__(self, password: str = "") -> None:
        self.inbox = Inbox()
        self.port = free_port()
        self.password = password
        self._controller: Controller | None = None

    def start(self) -> None:
        options = {}
        if self.password:
            options = {
                "authenticator": self._authenticate,
                "auth_required": True,
                "auth_require_tls": False,
            }
        self._controller = Controller(
            self.inbox,
            hostname="127.0.0.1",
            port=self.port,
            data_size_limit=30_000_000,
            **options,
        )
        self._controller.start()
        self.inbox.connections = 0

    def _authenticate(
        self,
        server: SMTP,
        session: Session,
        envelope: SmtpEnvelope,
        mechanism: str,
        auth_data: LoginPassword,
    ) -> AuthResult:
        return AuthResult(success=auth_data.password == self.password.encode(), handled=False)

    def stop(self) -> None:
        if self._controller is not None:
            self._controller.stop()
            self._controller = None


@pytest.fixture
def upstream() -> Iterator[UpstreamServer]:
    server = UpstreamServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def mails() -> Table:
    return define_mails(MetaData())


@pytest.fixture
def engine(tmp_path: Path, mails: Table) -> Iterator[Engine]:
    engine = create_engine(f"sqlite:///{tmp_path / 'mails.db'}")
    mails.metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def store(engine: Engine, mails: Table) -> SqlMailStore:
    return SqlMailStore(engine, mails, name="gateway-1")


@contextmanager
def running(store: MailStore, upstream_port: int, **options: Any) -> Iterator[MailGateway]:
    """A gateway between start and stop. options: of its settings for the server, or its own."""
    own = {name: options.pop(name) for name in ("on_failed", "backoff_s") if name in options}
    settings = UpstreamSettings(
        host="127.0.0.1", port=upstream_port, **{"timeout_s": 5.0, **options}
    )
    gateway = MailGateway(store, settings, lambda key: key == KEY, port=free_port(), **own)
    gateway.start()
    try:
        yield gateway
    finally:
        gateway.stop()


@pytest.fixture
def gateway(store: SqlMailStore, upstream: UpstreamServer) -> Iterator[MailGateway]:
    with running(store, upstream.port, backoff_s=(1.0,)) as gateway:
        yield gateway


def accept(
    store: SqlMailStore, key: str | None, raw: bytes = b"raw", envelope: Envelope = ENVELOPE
) -> Acceptance:
    [outcome] = store.write([NewMail(key, "<id@x>", envelope, raw)])
    assert isinstance(outcome, Acceptance)
    return outcome


def claim(store: SqlMailStore, until: datetime, limit: int = 10) -> list[ClaimedMail]:
    [claimed] = store.write([Claim(limit, until)])
    assert isinstance(claimed, list)
    return claimed


def action_mail(key: str | None, to: str = "anke@example.org", text: str = "Hallo") -> EmailMessage:
    """A mail as n8n's Send Email node makes it; key None: a merchant's own mail."""
    message = EmailMessage()
    message["From"] = "Nordlicht <laden@nordlicht.example>"
    message["To"] = to
    message["Subject"] = "Ihre Bestellung"
    message["Message-ID"] = "<random@n8n>"
    message.set_content(text)
    marker = f'<meta name="kette-action" content="{key}">' if key else ""
    message.add_alternative(f"<html><head>{marker}</head><body><p>{text}</p></body></html>", "html")
    return message


def send(
    gateway: MailGateway, message: EmailMessage | bytes, *to: str, password: str = KEY
) -> None:
    """Hand a mail in as n8n would; returns once the gateway has answered 250."""
    with smtplib.SMTP("127.0.0.1", gateway.port, timeout=10) as client:
        client.login("kette", password)
        if isinstance(message, bytes):
            client.sendmail("laden@nordlicht.example", to or ["anke@example.org"], message)
        else:
            client.send_message(message, to_addrs=to or None)
