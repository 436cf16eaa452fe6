"""The SMTP server's side of a conversation, without a network: what it answers, and what it takes
for a mail."""

from __future__ import annotations

import asyncio
import base64
import socket
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kette.adapters.mail.smtp_server import MAX_BYTES, Answer, Conversation
from kette.adapters.mail.store import Envelope

KEY = "kette_key"
PLAIN = base64.b64encode(f"\0kette\0{KEY}".encode()).decode()
HELLO = ["EHLO n8n", f"AUTH PLAIN {PLAIN}"]
ENVELOPE = ["MAIL FROM:<laden@nordlicht.example>", "RCPT TO:<anke@example.org>"]


class Wire(asyncio.Transport):
    """A transport that keeps what is written, and is its own socket."""

    def __init__(self, events: list[str]) -> None:
        super().__init__()
        self.events = events
        self.written = b""
        self.is_closed = False
        self.is_paused = False

    def get_extra_info(self, name: str, default: object = None) -> object:
        return self if name == "socket" else default

    def setsockopt(self, level: int, option: int, value: int) -> None:
        assert (level, option, value) == (socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        self.events.append("acknowledged")

    def write(self, data: bytes) -> None:  # type: ignore[override]
        self.written += data
        self.events.append(f"said {data[:3].decode()}")

    def is_closing(self) -> bool:
        return self.is_closed

    def close(self) -> None:
        self.is_closed = True

    def pause_reading(self) -> None:
        self.is_paused = True

    def resume_reading(self) -> None:
        self.is_paused = False


class Client:
    """Says things to a conversation and plays the gateway behind it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.events: list[str] = []
        self.mails: list[tuple[Envelope, bytes]] = []
        self.answers: list[Answer] = []
        self.answers_at_once = True
        self.wire = Wire(self.events)
        self.conversation = Conversation(loop, self, set())
        self.conversation.connection_made(self.wire)

    def is_valid_key(self, key: str) -> bool:
        if key == "broken":
            raise OSError("the database is away")
        return key == KEY

    def take_over(self, envelope: Envelope, content: bytes, answer: Answer) -> None:
        self.mails.append((envelope, content))
        self.events.append("took over")
        self.answers.append(answer)
        if self.answers_at_once:
            answer("250 2.0.0 Stored")

    def say(self, *lines: str) -> list[str]:
        """Send each line by itself; the codes of all answers."""
        for line in lines:
            self.send(line.encode() + b"\r\n")
        return self.codes()

    def send(self, data: bytes) -> None:
        self.conversation.data_received(data)

    def codes(self) -> list[str]:
        """Codes since the last look, one per answer."""
        said, self.wire.written = self.wire.written, b""
        return [line[:3] for line in said.decode().splitlines() if line[3:4] == " "]


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


@pytest.fixture
def client(loop: asyncio.AbstractEventLoop) -> Iterator[Client]:
    client = Client(loop)
    assert client.codes() == ["220"]
    yield client
    client.conversation.connection_lost(None)


def coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("lines", "codes"),
    [
        (["EHLO x"], ["250"]),
        (["HELO x"], ["250"]),
        (["ehlo x", "noop", "Rset", "VRFY anke", "quit"], ["250", "250", "250", "252", "221"]),
        (["EHLO"], ["501"]),
        (["HELP"], ["500"]),
        (["STARTTLS"], ["500"]),
        ([""], ["500"]),
        (ENVELOPE[:1], ["503"]),
        (["EHLO x", *ENVELOPE, "DATA"], ["250", "530", "530", "530"]),
        ([*HELLO, "RCPT TO:<a@b.example>"], ["250", "235", "503"]),
        ([*HELLO, "DATA"], ["250", "235", "503"]),
        ([*HELLO, ENVELOPE[0], "DATA"], ["250", "235", "250", "503"]),
        ([*HELLO, ENVELOPE[0], ENVELOPE[0]], ["250", "235", "250", "503"]),
        (
            [*HELLO, ENVELOPE[0], "RSET", "RCPT TO:<a@b.example>"],
            ["250", "235", "250", "250", "503"],
        ),
        ([*HELLO, *ENVELOPE, "DATA now"], ["250", "235", "250", "250", "501"]),
        ([*HELLO, "MAIL FROM:<>"], ["250", "235", "250"]),
        ([*HELLO, ENVELOPE[0], "RCPT TO:<>"], ["250", "235", "250", "501"]),
        ([*HELLO, "MAIL FROM: <a@b.example> SIZE=100 BODY=8BITMIME"], ["250", "235", "250"]),
        ([*HELLO, "MAIL FROM:<a@b.example> SIZE=25000001"], ["250", "235", "552"]),
        ([*HELLO, "MAIL FROM:<a@b.example> SMTPUTF8"], ["250", "235", "555"]),
        ([*HELLO, "MAIL FROM:a@b.example"], ["250", "235", "501"]),
        ([*HELLO, "MAIL TO:<a@b.example>"], ["250", "235", "501"]),
        ([*HELLO, 'MAIL FROM:<"a b>c"@d.example>'], ["250", "235", "250"]),
        ([*HELLO, ENVELOPE[0], "RCPT TO:<a@b.example> X=1"], ["250", "235", "250", "555"]),
        ([*HELLO, "MAIL FROM:<müller@b.example>"], ["250", "235", "500"]),
    ],
    ids=lambda value: " / ".join(value)[-60:],
)
def test_commands_and_their_order(client: Client, lines: list[str], codes: list[str]) -> None:
    assert client.say(*lines) == codes
    assert client.mails == []


@pytest.mark.parametrize(
    ("lines", "codes"),
    [
        ([f"AUTH PLAIN {PLAIN}"], ["235"]),
        (["AUTH PLAIN", PLAIN], ["334", "235"]),
        (["auth login", coded("kette"), coded(KEY)], ["334", "334", "235"]),
        ([f"AUTH LOGIN {coded('kette')}", coded(KEY)], ["334", "235"]),
        (["AUTH LOGIN", coded("kette"), coded("wrong")], ["334", "334", "535"]),
        (["AUTH PLAIN", "*"], ["334", "501"]),
        (["AUTH PLAIN ="], ["501"]),
        ([f"AUTH PLAIN {coded('one part')}"], ["501"]),
        (["AUTH CRAM-MD5"], ["504"]),
        ([f"AUTH PLAIN {PLAIN}"] * 2, ["235", "503"]),
        ([f"AUTH PLAIN {coded(chr(0) + 'kette' + chr(0) + 'broken')}"], ["454"]),
        ([f"AUTH PLAIN {coded(chr(0) + 'kette' + chr(0) + 'wrong')}"] * 3, ["535", "535", "421"]),
    ],
    ids=lambda value: " / ".join(value)[-60:],
)
def test_logging_in(client: Client, lines: list[str], codes: list[str]) -> None:
    client.say("EHLO n8n")
    assert client.say(*lines) == codes
    may_send = client.say("MAIL FROM:<a@b.example>") == ["250"]
    assert may_send == ("235" in codes)
    assert client.wire.is_closed == (codes[-1] == "421")


def test_logging_in_comes_after_ehlo(client: Client) -> None:
    assert client.say(f"AUTH PLAIN {PLAIN}") == ["503"]


@pytest.mark.parametrize(
    ("sent", "content"),
    [
        (b"Subject: x\r\n\r\nbody\r\n.\r\n", b"Subject: x\r\n\r\nbody\r\n"),
        (b".\r\n", b""),
        (b"..\r\n.\r\n", b".\r\n"),
        (b"a\r\n..\r\n...b\r\n.\r\n", b"a\r\n.\r\n..b\r\n"),
        (b"a\r\n.b\r\n.\r\n", b"a\r\nb\r\n"),
        (b"a\n.\nb\r\n.\r\n", b"a\n.\nb\r\n"),
        (b"a\r.\rb\r\n.\r\n", b"a\r.\rb\r\n"),
        (b"a\r\n.\nb\r\n.\r\n", b"a\r\n\nb\r\n"),
        ("Grüße\r\n.\r\n".encode(), "Grüße\r\n".encode()),
    ],
    ids=repr,
)
def test_only_a_dot_between_crlf_ends_a_mail(client: Client, sent: bytes, content: bytes) -> None:
    client.say(*HELLO, *ENVELOPE, "DATA")
    client.send(sent)
    assert client.codes() == ["250"]
    wanted = Envelope("laden@nordlicht.example", ("anke@example.org",))
    assert client.mails == [(wanted, content)]


@given(cuts=st.lists(st.integers(0, 400), max_size=12))
def test_it_does_not_matter_in_what_pieces_a_conversation_arrives(cuts: list[int]) -> None:
    loop = asyncio.new_event_loop()
    client = Client(loop)
    mail = "Subject: x\r\n\r\n..dots\r\n...\r\n\r\n.\r\n"
    lines = [*HELLO, *ENVELOPE, "DATA", mail + ENVELOPE[0], ENVELOPE[1], "DATA", mail + "QUIT"]
    whole = "".join(f"{line}\r\n" for line in lines).encode()
    edges = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    for start, end in pairwise(edges):
        client.send(whole[start:end])
    codes = ["220", "250", "235", *["250", "250", "354", "250"] * 2, "221"]
    assert client.codes() == codes
    assert [content for _, content in client.mails] == [
        b"Subject: x\r\n\r\n.dots\r\n..\r\n\r\n"
    ] * 2
    client.conversation.connection_lost(None)
    loop.close()


def test_nothing_is_done_with_what_follows_a_mail_before_that_is_stored(client: Client) -> None:
    client.answers_at_once = False
    client.say(*HELLO, *ENVELOPE, "DATA")
    client.send(b"one\r\n.\r\n" + b"NOOP\r\n" * 3)
    assert client.codes() == []
    client.send(b"NOOP\r\n" * 20_000)
    assert client.wire.is_paused
    client.answers[0]("451 4.3.0 Not stored, please try again")
    assert client.codes()[:4] == ["451", "250", "250", "250"]
    assert not client.wire.is_paused


def test_a_mail_above_the_limit_is_thrown_away_on_the_way(client: Client) -> None:
    client.say(*HELLO, *ENVELOPE, "DATA")
    piece = (b"y" * 998 + b"\r\n") * 1_000
    for _ in range(MAX_BYTES // len(piece) + 40):
        client.send(piece)
    assert len(client.conversation._received) < len(piece) + 10
    client.send(b"end\r")
    client.send(b"\n.\r\nRSET\r\n")
    assert client.codes() == ["552", "250"]
    assert client.mails == []


@pytest.mark.parametrize(("length", "code"), [(998, "250"), (999, "500")])
def test_lines_are_as_long_as_the_standard_has_them(client: Client, length: int, code: str) -> None:
    client.say(*HELLO, *ENVELOPE, "DATA")
    client.send(b"x" * length + b"\r\n.\r\n")
    assert client.codes() == [code]
    assert len(client.mails) == (code == "250")


def test_a_hundred_recipients_and_no_more(client: Client) -> None:
    client.say(*HELLO, ENVELOPE[0])
    assert client.say(*[f"RCPT TO:<a{n}@b.example>" for n in range(101)]) == ["250"] * 100 + ["452"]


@pytest.mark.parametrize(
    "line", [b"NOOP\n", b"NO\rOP\r\n", b"\xff\xfe\r\n"], ids=["bare LF", "bare CR", "no ASCII"]
)
def test_a_line_that_is_none_is_refused(client: Client, line: bytes) -> None:
    client.send(line)
    assert client.codes() == ["500"]


def test_an_endless_line_and_endless_nonsense_end_the_conversation(
    client: Client, loop: asyncio.AbstractEventLoop
) -> None:
    client.send(b"x" * 3_000)
    assert client.codes() == ["500"]
    assert client.wire.is_closed
    other = Client(loop)
    assert other.say(*["NONSENSE"] * 30)[-1] == "421"
    assert other.wire.is_closed
    other.conversation.connection_lost(None)


@pytest.mark.skipif(not hasattr(socket, "TCP_QUICKACK"), reason="this system acknowledges at once")
def test_each_piece_is_acknowledged_before_anything_else_is_done_with_it(client: Client) -> None:
    """n8n writes a mail in pieces and holds each back until the one before is acknowledged (Nagle).
    Left alone, Linux takes 40 ms with that: 54 instead of 9 ms per mail."""
    client.say(*HELLO, *ENVELOPE, "DATA")
    client.events.clear()
    for piece in (b"Subject: x\r\n\r\n", b"Hallo\r\n", b".\r\n", b"QUIT\r\n"):
        client.send(piece)
    assert client.events == [
        "acknowledged",
        "acknowledged",
        "acknowledged",
        "took over",
        "said 250",
        "acknowledged",
        "said 221",
    ]
