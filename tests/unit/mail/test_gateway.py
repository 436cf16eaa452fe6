"""What the gateway promises, against a real upstream server: each action's mail arrives once,
whatever happens between. What it writes when: test_gateway_writes.py."""

from __future__ import annotations

import asyncio
import smtplib
import socket
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from itertools import groupby

import pytest
from kette.adapters.mail.gateway import MailGateway, _Conversation
from kette.adapters.mail.message import message_id_of
from kette.adapters.mail.sql_store import SqlMailStore
from kette.adapters.mail.store import MailState, WaitingMail
from kette.adapters.mail.upstream import UpstreamSettings
from sqlalchemy import Engine, Table

from .conftest import (
    KEY,
    UpstreamServer,
    action_mail,
    row_of,
    running,
    send,
    settled,
    wait_until,
)


def test_a_mail_arrives_with_the_message_id_of_its_action(
    gateway: MailGateway, upstream: UpstreamServer, store: SqlMailStore
) -> None:
    send(gateway, action_mail("notify:ord_1:shipped:1"))
    wait_until(settled(store))
    [(sender, recipients, content)] = upstream.inbox.mails
    arrived = message_from_bytes(content)
    assert (sender, recipients) == ("laden@nordlicht.example", ["anke@example.org"])
    assert arrived.get_all("Message-ID") == [
        message_id_of("notify:ord_1:shipped:1", "nordlicht.example")
    ]
    assert arrived["X-Kette-Action"] == "notify:ord_1:shipped:1"
    assert arrived["Subject"] == "Ihre Bestellung"


def test_the_same_action_twice_is_answered_250_and_sent_once(
    gateway: MailGateway, upstream: UpstreamServer, store: SqlMailStore
) -> None:
    for text in ("erste Fassung", "zweite Fassung"):
        send(gateway, action_mail("notify:ord_1:shipped:1", text=text))
    wait_until(settled(store))
    send(gateway, action_mail("notify:ord_1:shipped:1", text="dritte Fassung"))
    send(gateway, action_mail("notify:ord_2:shipped:1"))
    wait_until(lambda: len(upstream.inbox.mails) == 2)
    assert [b"erste" in content for content in upstream.inbox.contents] == [True, False]


def test_mails_without_a_marker_pass_through_untouched_and_are_never_duplicates(
    gateway: MailGateway, upstream: UpstreamServer, store: SqlMailStore
) -> None:
    for _ in range(2):
        send(gateway, action_mail(None))
    wait_until(lambda: len(upstream.inbox.mails) == 2)
    for content in upstream.inbox.contents:
        arrived = message_from_bytes(content)
        assert arrived["Message-ID"] == "<random@n8n>"
        assert arrived["X-Kette-Action"] is None


def test_mails_are_forwarded_in_the_order_they_came_over_few_connections(
    gateway: MailGateway, upstream: UpstreamServer, store: SqlMailStore
) -> None:
    keys = [f"notify:ord_{number}:confirmation" for number in range(60)]
    for key in keys:
        send(gateway, action_mail(key))
    wait_until(lambda: len(upstream.inbox.mails) == 60)
    arrived = [message_from_bytes(content)["Message-ID"] for content in upstream.inbox.contents]
    assert arrived == [message_id_of(key, "nordlicht.example") for key in keys]
    assert upstream.inbox.connections == 1


def test_an_upstream_that_is_down_costs_no_attempt_and_gets_everything_later(
    gateway: MailGateway,
    upstream: UpstreamServer,
    store: SqlMailStore,
    engine: Engine,
    mails: Table,
) -> None:
    upstream.stop()
    for number in range(3):
        send(gateway, action_mail(f"notify:ord_{number}:shipped"))
    wait_until(lambda: "no connection" in gateway.problem)
    assert store.counts()[MailState.STORED] == 3
    assert row_of(engine, mails, "notify:ord_0:shipped").attempts == 0
    upstream.start()
    wait_until(settled(store))
    assert len(upstream.inbox.mails) == 3
    assert gateway.problem == ""


def test_a_4xx_answer_is_tried_again_later(
    gateway: MailGateway,
    upstream: UpstreamServer,
    store: SqlMailStore,
    engine: Engine,
    mails: Table,
) -> None:
    upstream.inbox.data_answers = ["451 4.7.1 Greylisted"]
    send(gateway, action_mail("notify:ord_1:shipped"))
    send(gateway, action_mail("notify:ord_2:shipped"))
    wait_until(lambda: len(upstream.inbox.mails) == 1)  # the second does not wait for the first
    row = row_of(engine, mails, "notify:ord_1:shipped")
    assert row.state == "stored"
    assert "451 4.7.1 Greylisted" in row.last_error
    wait_until(lambda: len(upstream.inbox.mails) == 2)


@pytest.mark.parametrize(
    ("script", "answer"),
    [
        ("data", "554 5.7.1 Spam"),
        ("rcpt", "550 5.1.1 No such user"),
    ],
    ids=["content refused", "recipient refused"],
)
def test_a_5xx_answer_fails_for_good_and_a_new_try_of_the_action_is_taken(
    script: str,
    answer: str,
    upstream: UpstreamServer,
    store: SqlMailStore,
    engine: Engine,
    mails: Table,
) -> None:
    told: list[tuple[str | None, str]] = []

    def tell(mail: WaitingMail, error: str) -> None:
        told.append((mail.action_key, error))

    with running(store, upstream.port, on_failed=tell) as gateway:
        if script == "data":
            upstream.inbox.data_answers = [answer]
        else:
            upstream.inbox.rcpt_answers = {"anke@example.org": [answer]}
        send(gateway, action_mail("notify:ord_1:shipped"))
        wait_until(lambda: len(told) == 1)
        assert told[0][0] == "notify:ord_1:shipped"
        assert answer in told[0][1]
        wait_until(lambda: row_of(engine, mails, "notify:ord_1:shipped").state == "failed")
        assert upstream.inbox.mails == []
        send(gateway, action_mail("notify:ord_1:shipped", text="Zweiter Versuch"))
        wait_until(lambda: len(upstream.inbox.mails) == 1)
        wait_until(settled(store))
        assert store.counts()[MailState.SENT] == 1


def test_recipients_refused_for_now_are_served_later_and_nobody_twice(
    gateway: MailGateway,
    upstream: UpstreamServer,
    store: SqlMailStore,
    engine: Engine,
    mails: Table,
) -> None:
    upstream.inbox.rcpt_answers = {"bo@example.org": ["450 4.2.1 Mailbox busy"]}
    send(gateway, action_mail("notify_owner:1"), "anke@example.org", "bo@example.org")
    wait_until(lambda: len(upstream.inbox.mails) == 1)
    wait_until(lambda: row_of(engine, mails, "notify_owner:1").recipients == '["bo@example.org"]')
    wait_until(settled(store))
    assert [to for _, to, _ in upstream.inbox.mails] == [["anke@example.org"], ["bo@example.org"]]


def test_a_wrong_key_sends_nothing(gateway: MailGateway, store: SqlMailStore) -> None:
    with pytest.raises(smtplib.SMTPAuthenticationError) as refused:
        send(gateway, action_mail("notify:ord_1"), password="kette_wrong")
    assert refused.value.smtp_code == 535
    with smtplib.SMTP("127.0.0.1", gateway.port) as client:
        client.ehlo()
        assert client.mail("laden@nordlicht.example")[0] == 530
    assert sum(store.counts().values()) == 0


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_both_mechanisms_that_n8n_uses_are_offered(gateway: MailGateway, mechanism: str) -> None:
    with smtplib.SMTP("127.0.0.1", gateway.port) as client:
        client.ehlo()
        client.user, client.password = "kette", KEY
        code, _ = client.auth(mechanism, getattr(client, f"auth_{mechanism.lower()}"))
        assert code == 235


def test_a_large_mail_with_attachment_arrives_byte_for_byte(
    gateway: MailGateway, upstream: UpstreamServer
) -> None:
    message = action_mail("notify:ord_1:invoice")
    invoice = bytes(range(256)) * 16_000  # 4 MB
    message.add_attachment(invoice, "application", "pdf", filename="RE-1.pdf")
    send(gateway, message)
    wait_until(lambda: len(upstream.inbox.mails) == 1)
    arrived = message_from_bytes(upstream.inbox.contents[0])
    assert arrived.get_payload()[-1].get_payload(decode=True) == invoice


def test_a_mail_above_the_limit_is_refused(gateway: MailGateway, store: SqlMailStore) -> None:
    body = b"Subject: x\r\n\r\n" + b"x" * 900 + b"\r\n"
    with pytest.raises(smtplib.SMTPException):
        send(gateway, body + b"y" * 70 * 1000 * 400)
    assert sum(store.counts().values()) == 0


@pytest.mark.parametrize(
    "trick",
    [b"\n.\n", b"\n.\r\n", b"\r.\r", b"\r.\r\n", b"\r\n.\n", b"\r\n.\r", b"\n\r.\r\n"],
    ids=repr,
)
def test_no_second_mail_can_be_smuggled_through_line_ends(
    trick: bytes, gateway: MailGateway, upstream: UpstreamServer, store: SqlMailStore
) -> None:
    smuggled = (
        b"MAIL FROM:<evil@example.org>\r\nRCPT TO:<victim@example.org>\r\nDATA\r\n"
        b"Subject: smuggled\r\n\r\nfrom nobody\r\n.\r\n"
    )
    with smtplib.SMTP("127.0.0.1", gateway.port, timeout=10) as client:
        client.login("kette", KEY)
        client.mail("laden@nordlicht.example")
        client.rcpt("anke@example.org")
        assert client.docmd("DATA")[0] == 354
        client.send(b"Subject: one\r\n\r\nfirst" + trick + smuggled)
        client.sock.settimeout(5)
        assert client.getreply()[0] == 250
        # Nothing is left over that the gateway could have taken for commands.
        client.sock.settimeout(0.5)
        with pytest.raises(smtplib.SMTPServerDisconnected, match="timed out"):
            client.getreply()
    wait_until(lambda: len(upstream.inbox.mails) == 1)
    [(sender, recipients, content)] = upstream.inbox.mails
    assert (sender, recipients) == ("laden@nordlicht.example", ["anke@example.org"])
    assert b"smuggled" in content
    assert b"\r" not in content.replace(b"\r\n", b"")
    assert b"\n" not in content.replace(b"\r\n", b"")


def test_eight_bit_contents_reach_an_upstream_unchanged(
    gateway: MailGateway, upstream: UpstreamServer
) -> None:
    send(gateway, "Subject: x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nGrüße\r\n".encode())
    wait_until(lambda: len(upstream.inbox.mails) == 1)
    assert "Grüße".encode() in upstream.inbox.contents[0]


def test_an_upstream_that_asks_for_a_password_gets_it_and_a_wrong_one_fails_no_mail(
    store: SqlMailStore,
) -> None:
    server = UpstreamServer(password="right")
    server.start()
    try:
        with running(store, server.port, username="laden", password="wrong") as first:
            send(first, action_mail("notify:ord_1"))
            wait_until(lambda: "refuses user name or password" in first.problem)
        assert store.counts()[MailState.STORED] == 1
        with running(store, server.port, username="laden", password="right"):
            wait_until(settled(store))
        assert len(server.inbox.mails) == 1
    finally:
        server.stop()


@pytest.fixture
def silent_upstream() -> Iterator[int]:
    """Accepts connections and never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_silent_upstream_runs_into_the_time_limit(
    silent_upstream: int, store: SqlMailStore
) -> None:
    with running(store, silent_upstream, timeout_s=0.3) as gateway:
        send(gateway, action_mail("notify:ord_1"))
        wait_until(lambda: "in time" in gateway.problem)
    assert store.counts()[MailState.STORED] == 1


def test_a_key_longer_than_the_column_is_refused(gateway: MailGateway) -> None:
    with pytest.raises(smtplib.SMTPDataError) as refused:
        send(gateway, action_mail("k" * 256))
    assert refused.value.smtp_code == 554


def test_a_second_port_user_is_told(gateway: MailGateway, store: SqlMailStore) -> None:
    other = MailGateway(
        store, UpstreamSettings(host="127.0.0.1", port=1), lambda key: True, port=gateway.port
    )
    with pytest.raises(OSError, match="in use"):
        other.start()


def test_a_bcc_header_never_leaves(gateway: MailGateway, upstream: UpstreamServer) -> None:
    message: EmailMessage = action_mail(None)
    message["Bcc"] = "secret@example.org"
    send(gateway, message.as_bytes(), "anke@example.org", "secret@example.org")
    wait_until(lambda: len(upstream.inbox.mails) == 1)
    _, recipients, content = upstream.inbox.mails[0]
    assert recipients == ["anke@example.org", "secret@example.org"]
    assert b"secret" not in content


class AcknowledgingSocket:
    """Notes when it was told to acknowledge, among what the conversation writes."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def setsockopt(self, level: int, option: int, value: int) -> None:
        assert (level, option, value) == (socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        self.events.append("acknowledged")


class Wire(asyncio.Transport):
    def __init__(self, socket_: AcknowledgingSocket) -> None:
        super().__init__({"socket": socket_, "peername": ("127.0.0.1", 1)})
        self._socket = socket_

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._socket.events.append(f"said {bytes(data[:3]).decode()}")

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        pass


@pytest.mark.skipif(not hasattr(socket, "TCP_QUICKACK"), reason="this system acknowledges at once")
def test_each_piece_is_acknowledged_before_anything_else_is_done_with_it() -> None:
    """n8n writes a mail in pieces and holds each back until the one before is acknowledged (Nagle).
    Left alone, Linux takes 40 ms with that, which is most of the time that a mail takes."""

    async def talk() -> list[str]:
        line = AcknowledgingSocket()
        conversation = _Conversation(object(), loop=asyncio.get_running_loop())
        conversation.connection_made(Wire(line))
        await asyncio.sleep(0.05)
        for piece in (b"EHLO n8n\r\n", b"NOOP\r\n"):
            conversation.data_received(piece)
            await asyncio.sleep(0.05)
        conversation.connection_lost(None)
        return line.events

    events = [event for event, _ in groupby(asyncio.run(talk()))]
    assert events == ["said 220", "acknowledged", "said 250", "acknowledged", "said 250"]
