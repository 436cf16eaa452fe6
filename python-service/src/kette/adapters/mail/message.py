"""Reading and stamping of a mail's bytes: which action it belongs to, and its lasting Message-ID.

The marker is `<meta name="kette-action" content="KEY">` in the head of the HTML part, whatever its
transfer encoding. Only the header block is changed; the body stays byte for byte, except that bare
CR and LF become CRLF: servers disagree about them, and that is how mails are smuggled
(CVE-2023-51764 and relatives).
"""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from email.utils import parseaddr
from urllib.parse import quote

KEY_LENGTH = 255  # as in the table of actions

_META = re.compile(r"<meta\b[^<>]*>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""\b(name|content)\s*=\s*("([^"]*)"|'([^']*)')""", re.IGNORECASE)
_BODY = re.compile(r"<body\b", re.IGNORECASE)
_HEAD_LIMIT = 20_000

_BARE_NEWLINE = re.compile(rb"\r\n|\r|\n")
_FIELD = re.compile(rb"\r\n(?![ \t])")
_DOMAIN = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\Z", re.ASCII)


def find_action_key(raw: bytes) -> str | None:
    """The action key in the mail's first HTML part; None for mails that are not ours.

    Attached messages are not searched: a forwarded mail must not be taken for its original.
    """
    for part in _html_parts(message_from_bytes(raw)):
        payload = part.get_payload(decode=True)
        if not isinstance(payload, bytes):
            continue
        return _key_in(_decode(payload, part.get_content_charset()))
    return None


def _html_parts(part: Message) -> Iterator[Message]:
    if part.get_content_maintype() == "multipart":
        children = part.get_payload()
        for child in children if isinstance(children, list) else ():
            if isinstance(child, Message):
                yield from _html_parts(child)
    elif part.get_content_type() == "text/html" and part.get_content_disposition() != "attachment":
        yield part


def _decode(payload: bytes, charset: str | None) -> str:
    try:
        return payload.decode(charset or "utf-8", "replace")
    except (LookupError, ValueError):  # some codecs raise in spite of "replace"
        return payload.decode("latin-1")


def _key_in(text: str) -> str | None:
    head = _BODY.split(text[:_HEAD_LIMIT], maxsplit=1)[0]
    for meta in _META.findall(head):
        values = {
            name.lower(): html.unescape(double or single)
            for name, _, double, single in _ATTRIBUTE.findall(meta)
        }
        if values.get("name", "").lower() == "kette-action":
            return values.get("content", "").strip() or None
    return None


def message_id_of(action_key: str, domain: str) -> str:
    """Always the same for one action: a mail that was sent twice after all can be told by it."""
    digest = hashlib.sha256(action_key.encode()).hexdigest()[:32]
    return f"<kette-{digest}@{domain}>"


def stamp(raw: bytes, action_key: str | None, sender: str) -> tuple[bytes, str]:
    """The mail as it will be sent, and its Message-ID.

    An action's mail gets a Message-ID of its own and X-Kette-Action; a merchant's own mail keeps
    what it has. Bcc never leaves, nor does an X-Kette-Action that somebody else wrote.
    """
    text = _BARE_NEWLINE.sub(b"\r\n", raw)
    head, blank, body = text.partition(b"\r\n\r\n")
    fields = _FIELD.split(head)
    if not blank and b":" not in fields[0]:
        fields, body = [], text  # no header at all
    dropped = {b"bcc", b"x-kette-action"} | ({b"message-id"} if action_key else set())
    kept = [field for field in fields if _name(field) not in dropped]
    given = next((_value(field) for field in fields if _name(field) == b"message-id"), "")
    message_id = given[:255]
    if action_key is not None:
        author = next((_value(field) for field in fields if _name(field) == b"from"), "")
        message_id = message_id_of(action_key, _domain(author) or _domain(sender) or "localhost")
        own = (
            f"Message-ID: {message_id}",
            f"X-Kette-Action: {quote(action_key, safe=':._-')}",
        )
        kept = [*(line.encode("ascii") for line in own), *kept]
    return b"\r\n".join(kept) + b"\r\n\r\n" + body, message_id


def _name(field: bytes) -> bytes:
    return field.partition(b":")[0].strip().lower()


def _value(field: bytes) -> str:
    text = field.partition(b":")[2].decode("utf-8", "replace")
    return "".join(x for x in " ".join(text.split()) if x.isprintable())


def _domain(author: str) -> str:
    _, at, domain = parseaddr(author)[1].rpartition("@")
    return domain.lower() if at and _DOMAIN.match(domain) else ""
