"""The gateway and its clients: those that hang up, come all at once, say odd things, or are cut off
by a stop. On both databases where they differ."""

from __future__ import annotations

import smtplib
import socket
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from email import message_from_bytes
from pathlib import Path

import pytest
from kette.adapters.database.engine import Database
from kette.adapters.mail.gateway import MailGateway
from kette.adapters.mail.message import message_id_of
from kette.adapters.mail.sql_store import SqlMailStore
from kette.adapters.mail.store import MailState
from kette.adapters.mail.table import define_mails
from kette.adapters.mail.upstream import UpstreamSettings
from sqlalchemy import MetaData

from .conftest import KEY, UpstreamServer, action_mail, free_port, send, settled, wait_until

STEPS = [
    b"",
    b"EHLO n8n\r\n",
    b"AUTH LOGIN\r\n",
    b"a2V0dGU=\r\n",
    b"a2V0dGVfdGVzdF9rZXk=\r\n",
    b"MAIL FROM:<laden@nordlicht.example>\r\n",
    b"RCPT TO:<anke@example.org>\r\n",
    b"DATA\r\n",
    b"Subject: x\r\n\r\nhalf a mai",
    b"l\r\n.\r\n",
]


def go(client: socket.socket, steps: list[bytes], *, reads: bool) -> None:
    answers = client.makefile("rb")
    for step in steps:
        client.sendall(step)
        is_last = not reads or step.startswith(b"Subject")
        while not is_last:
            is_last = answers.readline()[3:4] == b" "
    answers.close()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path / 'service.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("fresh_postgres_url")
    database = Database(url)
    yield database
    database.dispose()


def gateways(database: Database, upstream: UpstreamServer, count: int) -> list[MailGateway]:
    """As the service makes them: replicas on one database."""
    mails = define_mails(MetaData())
    mails.metadata.create_all(database.engine)
    settings = UpstreamSettings(host="127.0.0.1", port=upstream.port, timeout_s=5)
    stores = [
        SqlMailStore(database.engine, mails, f"gateway-{number}", scopes=database)
        for number in range(count)
    ]
    return [
        MailGateway(store, settings, lambda key: key == KEY, port=free_port(), backoff_s=(0.5,))
        for store in stores
    ]


def arrived(upstream: UpstreamServer) -> Counter[str]:
    return Counter(message_from_bytes(raw)["Message-ID"] for raw in upstream.inbox.contents)


def ids(keys: list[str]) -> dict[str, int]:
    return {message_id_of(key, "nordlicht.example"): 1 for key in keys}


@pytest.mark.parametrize("reads", [True, False], ids=["after the answer", "at once"])
def test_clients_may_hang_up_anywhere(
    reads: bool, gateway: MailGateway, upstream: UpstreamServer, store: SqlMailStore
) -> None:
    for last in range(len(STEPS)):
        for is_reset in (False, True):
            with socket.create_connection(("127.0.0.1", gateway.port), timeout=5) as client:
                go(client, STEPS[: last + 1], reads=reads)
                if is_reset:  # RST instead of FIN
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    send(gateway, action_mail("notify:ord_1"))
    wait_until(settled(store))
    assert arrived(upstream)[message_id_of("notify:ord_1", "nordlicht.example")] == 1
    # Of the others only whole mails; whoever heard 250 is sure of his.
    whole = len(upstream.inbox.mails) - 1
    assert (whole == 2) if reads else (whole <= 2)


def test_a_hundred_clients_at_once_and_each_action_once(
    database: Database, upstream: UpstreamServer
) -> None:
    """Handed in at two replicas, each action twice at least."""
    replicas = gateways(database, upstream, 2)
    keys = [f"notify:ord_{number}" for number in range(40)]
    with ExitStack() as stack:
        for replica in replicas:
            replica.start()
            stack.callback(replica.stop)
        clients = [
            threading.Thread(target=send, args=(replicas[n % 2], action_mail(keys[n // 2 % 40])))
            for n in range(100)
        ]
        for client in clients:
            client.start()
        for client in clients:
            client.join(60)
        wait_until(lambda: replicas[0].counts()[MailState.SENT] == 40)
    assert arrived(upstream) == ids(keys)


def test_a_stop_in_the_middle_loses_and_doubles_nothing(
    database: Database, upstream: UpstreamServer
) -> None:
    taken: list[str] = []

    def hand_in(gateway: MailGateway, first: int) -> None:
        with suppress(OSError, smtplib.SMTPException):  # cut off
            for number in range(first, first + 1000):
                send(gateway, action_mail(f"notify:ord_{number}"))
                taken.append(f"notify:ord_{number}")

    for turn in range(3):
        [gateway] = gateways(database, upstream, 1)
        gateway.start()
        clients = [
            threading.Thread(target=hand_in, args=(gateway, 10_000 * turn + 1000 * n))
            for n in range(6)
        ]
        for client in clients:
            client.start()
        enough = 30 * (turn + 1)
        wait_until(lambda enough=enough: len(taken) >= enough)
        began = time.monotonic()
        gateway.stop()
        assert time.monotonic() - began < 15
        for client in clients:
            client.join(30)
    [last] = gateways(database, upstream, 1)
    last.start()
    try:
        wait_until(lambda: last.counts()[MailState.STORED] + last.counts()[MailState.SENDING] == 0)
    finally:
        last.stop()
    counted = arrived(upstream)
    assert set(counted.values()) == {1}
    assert ids(taken).keys() <= counted.keys()


def test_a_stop_does_not_wait_for_clients_that_say_nothing(gateway: MailGateway) -> None:
    with ExitStack() as stack:
        for last in (0, 2, 6, 8):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", gateway.port), 5))
            go(client, STEPS[: last + 1], reads=True)
        began = time.monotonic()
        gateway.stop()
        assert time.monotonic() - began < 5
        gateway.start = lambda: None  # type: ignore[method-assign]
        gateway.stop = lambda: None  # type: ignore[method-assign]


def test_a_database_that_is_locked_while_mails_come_loses_and_doubles_none(
    engine: object,
    store: SqlMailStore,
    gateway: MailGateway,
    upstream: UpstreamServer,
    tmp_path: Path,
) -> None:
    keys = [f"notify:ord_{number}" for number in range(30)]
    done = threading.Event()

    def disturb() -> None:
        other = sqlite3.connect(tmp_path / "mails.db", isolation_level=None, timeout=30)
        while not done.wait(0.05):
            other.execute("BEGIN IMMEDIATE")
            time.sleep(0.15)
            other.execute("ROLLBACK")
        other.close()

    def hand_in(key: str) -> None:
        for _ in range(20):
            with suppress(OSError, smtplib.SMTPException):
                send(gateway, action_mail(key))
                return

    disturber = threading.Thread(target=disturb)
    disturber.start()
    clients = [threading.Thread(target=hand_in, args=(key,)) for key in keys]
    for client in clients:
        client.start()
    for client in clients:
        client.join(60)
    done.set()
    disturber.join()
    wait_until(settled(store))
    assert arrived(upstream) == ids(keys)


@pytest.mark.parametrize(
    ("address", "answers"),
    [
        (b"a\0b@example.org", {553}),
        (b"a\xff@example.org", {553}),
        (b"a" * 330 + b"@example.org", {553}),
        (b"a@b.example>\rRCPT TO:<c@d.example", {501, 553}),
        ("jörg@example.org".encode(), {250}),
    ],
    ids=["nul", "not utf-8", "long", "escape", "letters"],
)
def test_addresses_that_cannot_be_stored_are_refused_at_once(
    address: bytes, answers: set[int], gateway: MailGateway
) -> None:
    """They were answered 451, "try again", and tried again for ever."""
    with smtplib.SMTP("127.0.0.1", gateway.port, timeout=5) as client:
        client.login("kette", KEY)
        client.send(b"MAIL FROM:<" + address + b">\r\n")
        assert client.getreply()[0] in answers
        client.rset()
        client.mail("laden@nordlicht.example")
        client.send(b"RCPT TO:<" + address + b">\r\n")
        assert client.getreply()[0] in answers


def test_odd_mails_are_stored_or_refused_for_good_on_both_databases(
    database: Database, upstream: UpstreamServer
) -> None:
    [gateway] = gateways(database, upstream, 1)
    marker = b'<meta name="kette-action" content="notify:1%s">'
    nested = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n)
        for n in range(1500)
    )
    gateway.start()
    try:
        for charset in ("idna", "undefined", "unicode_escape", "a\0b", "base64", "x" * 99):
            head = (
                f'Message-ID: <{charset[:9]}\0@x>\r\nContent-Type: text/html; charset="{charset}"'
            )
            send(gateway, head.encode() + b"\r\n\r\nGr\xfc\xdfe \\ud800 \0 \xff")
        for refused in (
            b"Content-Type: text/html\r\n\r\n" + marker % b"\0",
            b"Content-Type: text/html; charset=unicode_escape\r\n\r\n" + marker % b"\\ud800",
            nested,
        ):
            with pytest.raises(smtplib.SMTPDataError) as error:
                send(gateway, refused)
            assert error.value.smtp_code == 554
        wait_until(lambda: gateway.counts()[MailState.SENT] == 6)
    finally:
        gateway.stop()
    assert len(upstream.inbox.mails) == 6
