"""The merchant's server: how it is described, how it is reached, and what its answers mean."""

from __future__ import annotations

import contextlib
import select
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from aiosmtpd.controller import Controller
from kette.adapters.mail.forwarder import Forwarder
from kette.adapters.mail.sql_store import SqlMailStore
from kette.adapters.mail.store import MailState
from kette.adapters.mail.upstream import (
    Upstream,
    UpstreamSettings,
    UpstreamSettingsError,
    UpstreamUnavailableError,
    settings_of,
)
from kette.adapters.mail.writer import MailWriter
from kette.domain.policy import System
from sqlalchemy import Engine, Table

from .conftest import Inbox, UpstreamServer, accept, free_port

SENDER, ANKE = "laden@nordlicht.example", ("anke@example.org",)
RAW = b"Subject: x\r\n\r\nbody\r\n"


@pytest.mark.parametrize(
    ("base_url", "options", "expected"),
    [
        ("smtp://mail.example:2525", {}, ("mail.example", 2525, "none")),
        ("mail.example:2525", {}, ("mail.example", 2525, "none")),
        ("smtp://mail.example", {}, ("mail.example", 25, "none")),
        ("smtp+starttls://mail.example", {}, ("mail.example", 587, "starttls")),
        ("smtps://mail.example", {}, ("mail.example", 465, "ssl")),
        ("smtp://mail.example", {"security": "starttls"}, ("mail.example", 587, "starttls")),
        ("smtp://[::1]:25", {}, ("::1", 25, "none")),
    ],
)
def test_the_setup_describes_the_server(
    base_url: str, options: dict[str, str], expected: tuple[str, int, str]
) -> None:
    system = System(id="mail", kind="smtp", role="mail", base_url=base_url, options=options)
    settings = settings_of(system, "secret")
    assert (settings.host, settings.port, settings.security) == expected
    assert "secret" not in repr(settings)


@pytest.mark.parametrize(
    ("base_url", "options"),
    [
        ("http://mail.example", {}),
        ("smtp://mail.example", {"security": "maybe"}),
        ("smtp://mail.example:port", {}),
        ("smtp://mail.example", {"timeout_s": "soon"}),
        ("smtp://:25", {}),
        ("", {}),
    ],
)
def test_a_description_that_cannot_be_is_an_error(base_url: str, options: dict[str, str]) -> None:
    system = System(id="mail", kind="smtp", role="mail", base_url=base_url, options=options)
    with pytest.raises(UpstreamSettingsError, match="system mail"):
        settings_of(system)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for localhost that is its own authority."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("tls")
    key, cert = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        [
            *(openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-keyout", str(key), "-out", str(cert), "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=DNS:localhost"),
        ],
        check=True,
        capture_output=True,
    )
    return cert, key


@pytest.mark.parametrize("security", ["starttls", "ssl"])
def test_encrypted_servers_are_reached_and_strangers_refused(
    security: str, certificate: tuple[Path, Path]
) -> None:
    cert, key = certificate
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    inbox, port = Inbox(), free_port()
    if security == "ssl":
        server = Controller(inbox, hostname="localhost", port=port, ssl_context=context)
    else:
        server = Controller(
            inbox, hostname="localhost", port=port, tls_context=context, require_starttls=True
        )
    server.start()
    settings = UpstreamSettings(
        host="localhost", port=port, security=security, timeout_s=5, ca_file=str(cert)
    )
    try:
        trusted = Upstream(settings)
        assert trusted.deliver(SENDER, ANKE, RAW).served == ANKE
        trusted.close()
        with pytest.raises(UpstreamUnavailableError, match="no secure connection"):
            Upstream(msgspec.structs.replace(settings, ca_file="")).connect()
    finally:
        server.stop()
    assert len(inbox.mails) == 1


def test_a_server_without_starttls_gets_nothing_in_the_clear(upstream: UpstreamServer) -> None:
    settings = UpstreamSettings(
        host="127.0.0.1", port=upstream.port, security="starttls", timeout_s=5
    )
    with pytest.raises(UpstreamUnavailableError, match="STARTTLS"):
        Upstream(settings).connect()


@pytest.fixture
def rude() -> Iterator[tuple[int, list[bytes]]]:
    """A server that answers each connection with the next prepared bytes and hangs up."""
    answers: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.sendall(answers.pop(0) if answers else b"")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1], answers
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"421 4.3.2 Closing down\r\n", "421"),
        (b"554 No SMTP here\r\n", "554"),
        (b"", "no connection"),
        (b"nonsense\r\n", "refuses"),
        (b"2" * 9000 + b"\r\n", "refuses"),
    ],
    ids=["closing", "refusing", "hanging up", "nonsense", "endless line"],
)
def test_a_rude_greeting_is_no_connection(
    rude: tuple[int, list[bytes]], answer: bytes, words: str
) -> None:
    port, answers = rude
    answers.append(answer)
    with pytest.raises(UpstreamUnavailableError, match=words):
        Upstream(UpstreamSettings(host="127.0.0.1", port=port, timeout_s=2)).connect()


def test_421_in_the_middle_says_nothing_about_the_mail(upstream: UpstreamServer) -> None:
    upstream.inbox.data_answers = ["421 4.3.2 Closing down"]
    client = Upstream(UpstreamSettings(host="127.0.0.1", port=upstream.port, timeout_s=5))
    with pytest.raises(UpstreamUnavailableError, match="421"):
        client.deliver(SENDER, ANKE, RAW)
    assert client.deliver(SENDER, ANKE, RAW).served == ANKE
    client.close()


def test_a_connection_that_went_to_sleep_is_opened_anew(upstream: UpstreamServer) -> None:
    client = Upstream(UpstreamSettings(host="127.0.0.1", port=upstream.port, timeout_s=5))
    assert client.deliver(SENDER, ANKE, RAW).served == ANKE
    upstream.stop()
    upstream.start()
    client._used_at = 0.0  # long ago
    assert client.deliver(SENDER, ANKE, RAW).served == ANKE
    client.close()
    assert len(upstream.inbox.mails) == 2


def test_a_mail_is_given_up_after_five_days(
    engine: Engine, mails: Table, upstream: UpstreamServer
) -> None:
    now = datetime(2026, 11, 5, tzinfo=UTC)

    def clock() -> datetime:
        return now

    store = SqlMailStore(engine, mails, name="one", clock=clock)
    accept(store, "notify:1", RAW)
    told: list[str] = []
    writer = MailWriter(store)
    writer.start()
    forwarder = Forwarder(
        store,
        writer,
        Upstream(UpstreamSettings(host="127.0.0.1", port=upstream.port, timeout_s=5)),
        timeout_s=5,
        on_failed=lambda mail, error: told.append(error),
        clock=clock,
    )
    upstream.inbox.data_answers = ["451 Not now"] * 2
    forwarder.run_once()
    now += timedelta(days=5, seconds=1)
    forwarder.run_once()
    assert store.counts()[MailState.FAILED] == 1
    assert told == ["given up after 5 days: content refused: 451 Not now"]

    accept(store, "notify:2", RAW)
    upstream.stop()
    forwarder._upstream.close()
    forwarder.run_once()
    assert store.counts()[MailState.STORED] == 1
    now += timedelta(days=5, seconds=1)
    forwarder.run_once()
    assert store.counts() == {
        MailState.STORED: 0,
        MailState.SENDING: 0,
        MailState.SENT: 0,
        MailState.FAILED: 2,
    }
    writer.stop()


class Pieces:
    """Between client and server: counts how often the client waited for an answer."""

    def __init__(self, port: int) -> None:
        self.port = free_port()
        self.turns = 0
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._onward = socket.create_connection(("127.0.0.1", port))
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def _carry(self) -> None:
        client, _ = self._listener.accept()
        last: socket.socket | None = None
        with client, self._onward:
            while True:
                for ready in select.select([client, self._onward], [], [])[0]:
                    data = ready.recv(65_536)
                    if not data:
                        return
                    self.turns += ready is client and last is not client
                    last = ready
                    (self._onward if ready is client else client).sendall(data)

    def stop(self) -> None:
        self._listener.close()
        self._thread.join(5)


BO = "bo@example.org"


@pytest.mark.parametrize("extensions", [[], ["PIPELINING"]], ids=["one by one", "in one piece"])
@pytest.mark.parametrize(
    ("mail", "rcpt", "data", "expected"),
    [
        ([], {}, [], ((*ANKE, BO), (), ())),
        ([], {BO: ["450 Busy"]}, [], (ANKE, (BO,), ())),
        ([], {BO: ["550 Unknown"]}, [], (ANKE, (), (BO,))),
        ([], {BO: ["450 Busy"], ANKE[0]: ["550 Unknown"]}, [], ((), (BO,), ANKE)),
        ([], {BO: ["550 Unknown"]}, ["451 Later"], ((), ANKE, (BO,))),
        ([], {}, ["554 Spam"], ((), (), (*ANKE, BO))),
        (["550 Not you"], {}, [], ((), (), (*ANKE, BO))),
        (["451 Not now"], {}, [], ((), (*ANKE, BO), ())),
    ],
    ids=[
        "all taken",
        "one later",
        "one never",
        "nobody",
        "content later, one never",
        "content never",
        "sender never",
        "sender later",
    ],
)
def test_what_the_server_says_is_sorted_and_the_next_mail_goes_through(
    extensions: list[str],
    mail: list[str],
    rcpt: dict[str, list[str]],
    data: list[str],
    expected: tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]],
    upstream: UpstreamServer,
) -> None:
    inbox = upstream.inbox
    inbox.extensions, inbox.mail_answers, inbox.data_answers = extensions, [*mail], [*data]
    inbox.rcpt_answers = {address: list(answers) for address, answers in rcpt.items()}
    client = Upstream(UpstreamSettings(host="127.0.0.1", port=upstream.port, timeout_s=5))
    delivery = client.deliver(SENDER, (*ANKE, BO), RAW)
    assert (delivery.served, delivery.later, delivery.never) == expected
    assert len(inbox.mails) == bool(expected[0])
    assert client.deliver(SENDER, ANKE, RAW).served == ANKE
    client.close()
    assert inbox.mails[-1] == (SENDER, list(ANKE), RAW)
    assert inbox.connections == 1


@pytest.mark.parametrize(("extensions", "turns"), [([], 5), (["PIPELINING"], 2)])
def test_a_server_that_takes_commands_in_one_piece_gets_them_so(
    extensions: list[str], turns: int, upstream: UpstreamServer
) -> None:
    upstream.inbox.extensions = extensions
    between = Pieces(upstream.port)
    client = Upstream(UpstreamSettings(host="127.0.0.1", port=between.port, timeout_s=5))
    client.connect()
    before = between.turns
    assert client.deliver(SENDER, (*ANKE, BO), RAW).served == (*ANKE, BO)
    assert between.turns - before == turns
    client.close()
    between.stop()


@pytest.mark.parametrize("extensions", [[], ["PIPELINING"]], ids=["one by one", "in one piece"])
def test_an_address_that_would_become_a_command_is_never_said(
    extensions: list[str], upstream: UpstreamServer
) -> None:
    upstream.inbox.extensions = extensions
    client = Upstream(UpstreamSettings(host="127.0.0.1", port=upstream.port, timeout_s=5))
    with contextlib.suppress(ValueError):
        client.deliver(SENDER, ("a@b.example>\r\nRCPT TO:<c@d.example",), RAW)
    assert client.deliver(SENDER, ANKE, RAW).served == ANKE
    client.close()
    heard = {address for _, to, _ in upstream.inbox.mails for address in to}
    assert "c@d.example" not in heard
