"""Announce a mail to an SMTP server: who sends it, who gets it, and that its content follows.

A server that knows PIPELINING (RFC 2920) hears all of it in one piece. Otherwise each command waits
for the answer to the one before: with a server 30 ms away a tenth of a second per mail.
"""

from __future__ import annotations

import smtplib

import msgspec

Said = tuple[int, bytes]


class Announced(msgspec.Struct, frozen=True):
    """What the server said, in order; recipients as far as they were asked about. content None:
    nobody is left to send the mail to."""

    sender: Said
    recipients: tuple[Said, ...] = ()
    content: Said | None = None


def announce(
    smtp: smtplib.SMTP, sender: str, recipients: tuple[str, ...], options: list[str]
) -> Announced:
    """Raises OSError and SMTPException where the conversation breaks off, ValueError for an address
    that cannot be said."""
    if not all(is_sayable(address, is_utf8=True) for address in (sender, *recipients)):
        raise ValueError("an address holds control characters")
    from_line = " ".join([f"MAIL FROM:<{sender}>", *options])
    to_lines = [f"RCPT TO:<{recipient}>" for recipient in recipients]
    if smtp.has_extn("pipelining"):
        return _in_one_piece(smtp, [from_line, *to_lines, "DATA"])
    said_of_sender = _ask(smtp, from_line)
    if not is_taken(said_of_sender):
        return Announced(said_of_sender)
    said: list[Said] = []
    for line in to_lines:
        said.append(_ask(smtp, line))
        if said[-1][0] == 421:
            break
    content = _ask(smtp, "DATA") if _has_any(said) and said[-1][0] != 421 else None
    return Announced(said_of_sender, tuple(said), content)


def _ask(smtp: smtplib.SMTP, line: str) -> Said:
    smtp.send(f"{line}\r\n".encode())
    return smtp.getreply()


def _in_one_piece(smtp: smtplib.SMTP, lines: list[str]) -> Announced:
    smtp.send("".join(f"{line}\r\n" for line in lines).encode())
    said = [smtp.getreply() for _ in lines]
    announced = Announced(said[0], tuple(said[1:-1]), said[-1])
    if is_taken(said[0]) and _has_any(said[1:-1]):
        return announced
    if said[-1][0] == 354:  # it waits for a mail that nobody is to get
        smtp.send(b".\r\n")
        smtp.getreply()
    return Announced(announced.sender, announced.recipients)


def is_sayable(address: str, *, is_utf8: bool) -> bool:
    """Whether the address can be part of a command, to a server that knows SMTPUTF8 or not."""
    return address.isprintable() and (is_utf8 or address.isascii())


def is_taken(said: Said) -> bool:
    """The first digit counts, whatever the others are (RFC 5321, 4.3.2)."""
    return 200 <= said[0] < 300


def _has_any(said: list[Said]) -> bool:
    return any(is_taken(one) for one in said)
