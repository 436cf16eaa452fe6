"""Marker and header stamp on mails of every build."""

from __future__ import annotations

import base64
import quopri
from email import message_from_bytes
from email.message import EmailMessage

import pytest
from kette.adapters.mail.message import find_action_key, message_id_of, stamp

HTML = '<html><head><meta name="kette-action" content="notify:ord_1:a"></head><body>ä</body></html>'


def single(body: bytes, encoding: str = "8bit", charset: str = "utf-8") -> bytes:
    return (
        f"From: a@x.example\r\nContent-Type: text/html; charset={charset}\r\n"
        f"Content-Transfer-Encoding: {encoding}\r\n\r\n"
    ).encode() + body


@pytest.mark.parametrize(
    "raw",
    [
        single(HTML.encode()),
        single(base64.encodebytes(HTML.encode()), "base64"),
        single(quopri.encodestring(HTML.encode()), "quoted-printable"),
        single(base64.encodebytes(HTML.encode("utf-16")), "base64", "utf-16"),
        single(HTML.encode("latin-1"), charset="nonsense"),
        single(HTML.replace('"', "'").encode()),
        single(b'<META content="notify:ord_1:a" NAME="kette-action"/>'),
        single(b'<meta name="kette-action"\n content=" notify&#58;ord_1:a ">'),
    ],
    ids=[
        "plain",
        "base64",
        "quoted-printable",
        "utf-16",
        "unknown charset",
        "single quotes",
        "other order",
        "entities",
    ],
)
def test_the_marker_is_found_in_any_encoding(raw: bytes) -> None:
    assert find_action_key(raw) == "notify:ord_1:a"


def test_the_marker_is_found_beside_text_and_attachments() -> None:
    message = EmailMessage()
    message.set_content("text")
    message.add_alternative(HTML, "html")
    message.add_attachment(b"%PDF", "application", "pdf", filename="x.pdf")
    assert find_action_key(message.as_bytes()) == "notify:ord_1:a"


def test_a_marker_outside_the_head_of_the_mail_itself_counts_nothing() -> None:
    plain = EmailMessage()
    plain.set_content(HTML)
    quoted = single(b"<html><head></head><body>" + HTML.encode() + b"</body></html>")
    inner = EmailMessage()
    inner.set_content(HTML, "html")
    forwarded = EmailMessage()
    forwarded.set_content("see below")
    forwarded.add_attachment(inner)
    attached = EmailMessage()
    attached.set_content("see file")
    attached.add_attachment(HTML.encode(), "text", "html", filename="mail.html")
    mails = [plain.as_bytes(), quoted, forwarded.as_bytes(), attached.as_bytes(), b"", b"\x00\xff"]
    assert [find_action_key(raw) for raw in mails] == [None] * 6


def test_an_actions_mail_gets_its_own_message_id_and_mark() -> None:
    raw = (
        b"Message-ID: <random@n8n>\r\nFrom: Laden\r\n <laden@Nordlicht.example>\r\n"
        b"bcc: x@example.org\r\nX-Kette-Action: forged\r\nSubject: a\r\n b\r\n\r\nbody\r\n"
    )
    stamped, message_id = stamp(raw, "notify:ord 1\n", "other@x.example")
    assert message_id == message_id_of("notify:ord 1\n", "nordlicht.example")
    message = message_from_bytes(stamped)
    assert message.get_all("Message-ID") == [message_id]
    assert message.get_all("X-Kette-Action") == ["notify:ord%201%0A"]
    assert message["Bcc"] is None
    assert stamped.endswith(
        b"From: Laden\r\n <laden@Nordlicht.example>\r\nSubject: a\r\n b\r\n\r\nbody\r\n"
    )


def test_a_merchants_own_mail_keeps_its_message_id() -> None:
    raw = b"Message-ID: <own@shop>\r\nX-Kette-Action: forged\r\nSubject: a\r\n\r\nbody"
    assert stamp(raw, None, "a@x.example") == (
        b"Message-ID: <own@shop>\r\nSubject: a\r\n\r\nbody",
        "<own@shop>",
    )


@pytest.mark.parametrize(
    ("author", "sender", "domain"),
    [
        ("a@nordlicht.example", "b@x.example", "nordlicht.example"),
        ("nobody", "b@x.example", "x.example"),
        ("", "", "localhost"),
        ("a@evil_domain", "b@x.example", "x.example"),
    ],
)
def test_the_domain_of_the_message_id_comes_from_the_author(
    author: str, sender: str, domain: str
) -> None:
    raw = f"From: {author}\r\n\r\nbody".encode()
    assert stamp(raw, "k", sender)[1] == message_id_of("k", domain)


def test_the_same_action_has_the_same_message_id_and_another_has_another() -> None:
    assert message_id_of("a", "x.example") == message_id_of("a", "x.example")
    assert message_id_of("a", "x.example") != message_id_of("b", "x.example")
    assert len(message_id_of("a" * 255, "x.example")) < 80


@pytest.mark.parametrize("raw", [b"just text", b"", b"\r\n\r\nbody", b"a\nb"])
def test_mails_without_header_are_stamped_all_the_same(raw: bytes) -> None:
    stamped, message_id = stamp(raw, "k", "a@x.example")
    assert stamped.startswith(f"Message-ID: {message_id}\r\n".encode())
    assert b"\r\n\r\n" in stamped
