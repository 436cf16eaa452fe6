"""Mail addresses: what may stand in an envelope, and names that cannot break a header."""

from __future__ import annotations

import re
import unicodedata
from email.utils import getaddresses

from kette.adapters.mail.model import MailAddressError

_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*\Z")
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\Z")


def checked(address: str, field: str) -> str:
    """One bare address, its domain in ASCII form. Raises MailAddressError.

    Quoted local parts and such beyond ASCII are refused: few servers take them, and a comma in one
    would become a second recipient.

    >>> checked(" anke@müller.example ", "to")
    'anke@xn--mller-kva.example'
    """
    text = address.strip()
    local, at, domain = text.rpartition("@")
    if not text:
        raise MailAddressError(field, "there is no address")
    if not at or not _LOCAL.match(local) or len(local) > 64:
        raise MailAddressError(field, f"{one_line(text, 80)!r} is not a mail address")
    try:
        ascii_domain = domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        raise MailAddressError(field, f"{one_line(domain, 80)!r} is not a domain") from None
    labels = ascii_domain.split(".")
    if len(ascii_domain) > 253 or not all(_LABEL.match(label) for label in labels):
        raise MailAddressError(field, f"{one_line(domain, 80)!r} is not a domain")
    return f"{local}@{ascii_domain}"


def sender(configured: str, name: str, field: str) -> str:
    """`"Nordlicht Laden" <laden@nordlicht.example>` from "Name <address>" or a bare address."""
    found = getaddresses([one_line(configured, 400)])
    if len(found) != 1:
        raise MailAddressError(field, "exactly one address is needed")
    [(given_name, address)] = found
    shown = one_line(given_name or name, 120).replace("\\", "").replace('"', "'")
    bare = checked(address, field)
    return f'"{shown}" <{bare}>' if shown else bare


def one_line(text: str, limit: int = 200) -> str:
    """Text for a header or a subject: no line breaks, no control or direction characters."""
    kept = "".join(
        " " if char.isspace() else char
        for char in text[: 4 * limit]
        if char.isspace() or unicodedata.category(char)[0] != "C"
    )
    line = " ".join(kept.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
