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
    if smtp.has_extn("pipelining"):
        return _in_one_piece(smtp, sender, recipients, options)
    said_of_sender = smtp.mail(sender, options)
    if said_of_sender[0] != 250:
        return Announced(said_of_sender)
    said: list[Said] = []
    for recipient in recipients:
        said.append(smtp.rcpt(recipient))
        if said[-1][0] == 421:
            break
    content = smtp.docmd("DATA") if _has_any(said) and said[-1][0] != 421 else None
    return Announced(said_of_sender, tuple(said), content)


def _in_one_piece(
    smtp: smtplib.SMTP, sender: str, recipients: tuple[str, ...], options: list[str]
) -> Announced:
    lines = [
        " ".join([f"MAIL FROM:{smtplib.quoteaddr(sender)}", *options]),
        *(f"RCPT TO:{smtplib.quoteaddr(recipient)}" for recipient in recipients),
        "DATA",
    ]
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("an address holds a line break")
    smtp.send("".join(f"{line}\r\n" for line in lines))
    said = [smtp.getreply() for _ in lines]
    announced = Announced(said[0], tuple(said[1:-1]), said[-1])
    if said[0][0] == 250 and _has_any(said[1:-1]):
        return announced
    if said[-1][0] == 354:  # it waits for a mail that nobody is to get
        smtp.send(b".\r\n")
        smtp.getreply()
    return Announced(announced.sender, announced.recipients)


def is_taken(said: Said) -> bool:
    """What a server says to a recipient that it takes."""
    return said[0] in (250, 251)


def _has_any(said: list[Said]) -> bool:
    return any(is_taken(one) for one in said)
