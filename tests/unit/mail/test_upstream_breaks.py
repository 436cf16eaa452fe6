"""A merchant's server that answers wrongly, slowly or not at all: no mail is taken for sent that
was not, none is given up for it, and none is sent again that it may have."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from kette.adapters.mail.upstream import Upstream, UpstreamSettings, UpstreamUnavailableError

from .scripted_server import HANG_UP, ScriptedServer

SENDER, ANKE, BO = "laden@nordlicht.example", "anke@example.org", "bo@example.org"
RAW = b"Subject: x\r\n\r\nbody\r\n"


@pytest.fixture(params=[(), ("PIPELINING",)], ids=["one by one", "in one piece"])
def server(request: pytest.FixtureRequest) -> Iterator[ScriptedServer]:
    server = ScriptedServer(request.param)
    yield server
    server.stop()


@pytest.fixture
def client(server: ScriptedServer) -> Iterator[Upstream]:
    client = Upstream(UpstreamSettings(host="127.0.0.1", port=server.port, timeout_s=0.5))
    yield client
    client.close()


@pytest.mark.parametrize("word", ["MAIL", "RCPT", "DATA", "CONTENT"])
@pytest.mark.parametrize(
    "answer", [b"nonsense", b"", b"334 Who?", b"999 Odd"], ids=["words", "nothing", "334", "999"]
)
def test_nonsense_says_nothing_about_the_mail(
    word: str, answer: bytes, server: ScriptedServer, client: Upstream
) -> None:
    """It was taken for a refusal for good: a mail lost because client and server were out of
    step."""
    server.answers[word] = [answer or b" "]
    with pytest.raises(UpstreamUnavailableError):
        client.deliver(SENDER, (ANKE,), RAW)
    assert client.deliver(SENDER, (ANKE,), RAW).served == (ANKE,)


def test_a_server_that_says_250_to_data_has_no_mail(
    server: ScriptedServer, client: Upstream
) -> None:
    """It was taken for the answer to the content, which was never sent."""
    server.answers["DATA"] = [b"250 ok"]
    with pytest.raises(UpstreamUnavailableError, match="250 ok"):
        client.deliver(SENDER, (ANKE,), RAW)
    assert server.contents == []


@pytest.mark.parametrize("word", ["MAIL", "RCPT", "CONTENT"])
def test_any_positive_answer_is_one(word: str, server: ScriptedServer, client: Upstream) -> None:
    server.answers[word] = [b"252 Taken"]
    assert client.deliver(SENDER, (ANKE,), RAW).served == (ANKE,)
    assert server.contents == [RAW]


def test_what_a_server_says_is_kept_without_control_characters(
    server: ScriptedServer, client: Upstream
) -> None:
    """PostgreSQL takes no NUL: such an answer could not be recorded, and no mail left any more."""
    server.answers["RCPT"] = [b"250 ok", b"550 Un\0known\x1b[31m \xff user"]
    delivery = client.deliver(SENDER, (ANKE, BO), RAW)
    assert (delivery.served, delivery.never) == ((ANKE,), (BO,))
    assert delivery.answer == "recipient refused: 550 Unknown[31m \ufffd user"


@pytest.mark.parametrize("word", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("answer", [HANG_UP, b"421 4.7.0 Enough"], ids=["hangs up", "421"])
def test_a_used_connection_that_ends_between_mails_costs_nothing(
    word: str, answer: bytes, server: ScriptedServer, client: Upstream
) -> None:
    """Servers take so many mails per connection; the next one came ten seconds later."""
    for _ in range(2):
        server.answers[word] = [b"354 go" if word == "DATA" else b"250 ok", answer]
        assert client.deliver(SENDER, (ANKE,), RAW).served == (ANKE,)
        assert client.deliver(SENDER, (ANKE,), RAW).served == (ANKE,)
        client.close()
    assert len(server.contents) == 4


def test_a_server_that_takes_one_mail_per_connection(
    server: ScriptedServer, client: Upstream
) -> None:
    server.mails_per_connection = 1
    for _ in range(4):
        assert client.deliver(SENDER, (ANKE,), RAW).served == (ANKE,)
    assert (len(server.contents), server.connections) == (4, 4)


@pytest.mark.parametrize("word", ["MAIL", "RCPT", "DATA"])
def test_a_new_connection_that_ends_is_not_tried_again(
    word: str, server: ScriptedServer, client: Upstream
) -> None:
    server.answers[word] = [HANG_UP] * 9
    with pytest.raises(UpstreamUnavailableError):
        client.deliver(SENDER, (ANKE,), RAW)
    assert server.connections == 1


@pytest.mark.parametrize("is_used", [False, True])
def test_once_the_content_is_under_way_nothing_is_tried_again_at_once(
    is_used: bool, server: ScriptedServer, client: Upstream
) -> None:
    """Nobody knows whether the server has taken it."""
    if is_used:
        assert client.deliver(SENDER, (ANKE,), RAW).served == (ANKE,)
    server.answers["CONTENT"] = [HANG_UP]
    with pytest.raises(UpstreamUnavailableError):
        client.deliver(SENDER, (ANKE,), RAW)
    assert len(server.contents) == 1 + is_used


def test_a_server_that_looks_long_at_a_mail_gets_it_once(
    server: ScriptedServer, client: Upstream
) -> None:
    """Filters take their time. Whoever gives up waiting has the mail delivered twice."""

    def look() -> bytes:
        time.sleep(1.2)  # the time limit of a command is 0.5 s
        return b"250 taken"

    server.answers["CONTENT"] = [look]
    assert client.deliver(SENDER, (ANKE,), RAW).served == (ANKE,)
    server.answers["MAIL"] = [look]
    with pytest.raises(UpstreamUnavailableError, match="in time"):  # the limit is back
        client.deliver(SENDER, (ANKE,), RAW)


def test_a_slow_line_takes_a_large_mail(server: ScriptedServer, client: Upstream) -> None:
    """The time limit was one for the whole content: a large invoice never left."""
    server.reads_slowly = True
    raw = RAW + (b"x" * 998 + b"\r\n") * 12_000  # 12 MB, more than the buffers on the way hold
    began = time.monotonic()
    assert client.deliver(SENDER, (ANKE,), raw).served == (ANKE,)
    assert time.monotonic() - began > 1.0
    assert server.contents == [raw]


def test_a_mail_of_several_pieces_keeps_its_dots(server: ScriptedServer, client: Upstream) -> None:
    raw = RAW + b"".join(b"." * (n % 9) + b"\r\n" for n in range(30_000))
    assert client.deliver(SENDER, (ANKE,), raw).served == (ANKE,)
    [content] = server.contents
    assert content.replace(b"\r\n..", b"\r\n.") == raw


def test_the_server_hears_how_large_a_mail_is_before_it_gets_it(
    server: ScriptedServer, client: Upstream
) -> None:
    server.extensions += ("SIZE 20",)
    server.answers["MAIL"] = [b"552 5.3.4 Too large"]
    delivery = client.deliver(SENDER, (ANKE,), RAW)
    assert delivery.never == (ANKE,)
    assert b"MAIL FROM:<laden@nordlicht.example> SIZE=20" in server.commands


@pytest.mark.parametrize("knows", [False, True], ids=["ascii only", "smtputf8"])
def test_an_address_in_other_letters_costs_the_others_nothing(
    knows: bool, server: ScriptedServer, client: Upstream
) -> None:
    """One such recipient failed the mail for all of them, on each server."""
    server.extensions += ("SMTPUTF8",) if knows else ()
    delivery = client.deliver(SENDER, ("jörg@example.org", BO), RAW)
    if knows:
        assert delivery.served == ("jörg@example.org", BO)
        assert b"MAIL FROM:<laden@nordlicht.example> SMTPUTF8" in server.commands
        assert "RCPT TO:<jörg@example.org>".encode() in server.commands
    else:
        assert (delivery.served, delivery.never) == ((BO,), ("jörg@example.org",))
        assert "characters" in delivery.answer
    assert server.contents == [RAW]


@pytest.mark.parametrize("address", ["a\0@b.example", "a\r\nRSET\r\n@b.example", "a\udcff@b.de"])
def test_an_address_that_cannot_be_said_is_refused_for_good(
    address: str, server: ScriptedServer, client: Upstream
) -> None:
    assert client.deliver(SENDER, (address,), RAW).never == (address,)
    assert client.deliver(address, (ANKE,), RAW).never == (ANKE,)
    assert not [line for line in server.commands if line.startswith((b"MAIL", b"RCPT"))]


@pytest.mark.parametrize("local_part", ['"a>b"', '"a b"', '"a,b"', "o'neil", '"a\\"b"', "a+b"])
def test_odd_addresses_are_said_as_they_are(
    local_part: str, server: ScriptedServer, client: Upstream
) -> None:
    address = f"{local_part}@example.org"
    assert client.deliver(SENDER, (address,), RAW).served == (address,)
    [said] = [line for line in server.commands if line.upper().startswith(b"RCPT")]
    assert said.decode().partition(":")[2] == f"<{address}>"
