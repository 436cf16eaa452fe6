"""A small SMTP server: as much of RFC 5321 and RFC 4954 as a program that hands mails in needs.

One connection is one `Conversation`, driven by what arrives; there is no task per connection and no
wait between commands, so a mail costs a tenth of what it did with a server made for all purposes.
Not offered: STARTTLS (the gateway belongs on loopback), SMTPUTF8, CHUNKING.

Only CRLF ends a line and only CRLF.CRLF ends a mail: servers that take more for an end let mails be
smuggled (CVE-2023-51764 and relatives).
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
import socket
from collections.abc import Callable
from typing import ClassVar, Protocol, cast

import structlog

from kette.adapters.mail.store import Envelope

NAME = "kette.localhost"
MAX_BYTES = 25_000_000
MAX_RECIPIENTS = 100
_MAX_COMMAND = 2_048  # RFC 5321 asks for 512; AUTH may need more
_MAX_LINE = 1_000  # RFC 5321, 4.5.3.1.6
_MAX_WRONG_KEYS = 3
_MAX_WRONG_COMMANDS = 20
_SILENCE_S = 60.0
_WAITING_MAX = 64_000  # kept of what a client sends before it has heard our answer

_PATH = re.compile(r"<((?:\"(?:[^\"\\]|\\.)*\"|[^<>\s\"])*)>\s*(.*)\Z", re.ASCII)
_END = b"\r\n.\r\n"

_log = structlog.get_logger("kette.mail")

Answer = Callable[[str], None]


class Reception(Protocol):
    """What the gateway does for a conversation."""

    def is_valid_key(self, key: str) -> bool: ...

    def take_over(self, envelope: Envelope, content: bytes, answer: Answer) -> None:
        """Calls `answer` once, later, on the event loop."""


class Conversation(asyncio.Protocol):
    """One client, from the greeting to the end."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, reception: Reception, open_ones: set[Conversation]
    ) -> None:
        self._loop = loop
        self._reception = reception
        self._open_ones = open_ones
        self._transport: asyncio.Transport | None = None
        self._socket: socket.socket | None = None
        self._received = bytearray()
        self._searched = 0  # bytes of a mail in which its end was looked for already
        self._read: Callable[[bytes], None] = self._command
        self._in_content = False
        self._is_too_large = False
        self._waits = False  # for the answer to a mail
        self._is_paused = False
        self._has_greeted = False
        self._may_send = False
        self._wrong_keys = 0
        self._wrong_commands = 0
        self._sender: str | None = None
        self._recipients: list[str] = []
        self._heard_at = loop.time()
        self._clock: asyncio.TimerHandle | None = None

    # The transport's side.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's does not derive from it
        self._socket = transport.get_extra_info("socket")
        self._open_ones.add(self)
        self._clock = self._loop.call_later(_SILENCE_S, self._check_silence)
        self._say(f"220 {NAME} Kette mail gateway")

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._open_ones.discard(self)
        if self._clock is not None:
            self._clock.cancel()

    def data_received(self, received: bytes) -> None:
        self._acknowledge()
        self._heard_at = self._loop.time()
        self._received += received
        self._proceed()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _acknowledge(self) -> None:
        """At once. A client such as n8n's writes a mail in several small pieces and holds the next
        one back until the last is acknowledged; Linux waits 40 ms with that, which would be most of
        the time that a mail takes."""
        if self._socket is not None and hasattr(socket, "TCP_QUICKACK"):
            # Not lasting: the kernel goes back to waiting by itself.
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    def _check_silence(self) -> None:
        left_s = self._heard_at + _SILENCE_S - self._loop.time()
        if left_s <= 0 and not self._waits:
            self._say("421 4.4.2 Nothing was heard for too long")
            self.close()
            return
        self._clock = self._loop.call_later(max(left_s, 1.0), self._check_silence)

    def _say(self, *lines: str) -> None:
        """The last line has a blank after its code, those before it a hyphen."""
        if self._transport is not None:
            self._transport.write("".join(f"{line}\r\n" for line in lines).encode("ascii"))

    # What arrives, piece by piece.

    def _proceed(self) -> None:
        while self._transport is not None and not self._transport.is_closing() and not self._waits:
            if not (self._take_content() if self._in_content else self._take_line()):
                return
        if self._waits and self._transport is not None and len(self._received) > _WAITING_MAX:
            self._is_paused = True
            self._transport.pause_reading()

    def _take_line(self) -> bool:
        end = self._received.find(b"\n", 0, _MAX_COMMAND)
        if end < 0:
            if len(self._received) >= _MAX_COMMAND:
                self._say("500 5.5.6 Line too long")
                self.close()
            return False
        line = bytes(self._received[: end + 1])
        del self._received[: end + 1]
        if not line.endswith(b"\r\n") or b"\r" in line[:-2]:
            self._is_wrong("500 5.5.2 A line ends with CR and LF")
        else:
            self._read(line[:-2])
        return True

    def _take_content(self) -> bool:
        """The mail, once it is here with its end; what is too large is thrown away on the way."""
        received = self._received
        if received.startswith(b".\r\n") and not self._is_too_large:
            content, after = b"", 3
        else:
            end = received.find(_END, self._searched)
            if end < 0:
                self._searched = max(0, len(received) - len(_END) + 1)
                self._is_too_large = self._is_too_large or len(received) > MAX_BYTES
                if self._is_too_large:
                    del received[: self._searched]
                    self._searched = 0
                return False
            content, after = bytes(received[: end + 2]), end + len(_END)
        del received[:after]
        self._in_content, self._searched = False, 0
        self._content(content)
        return True

    def _content(self, stuffed: bytes) -> None:
        envelope = Envelope(self._sender or "", tuple(self._recipients))
        is_too_large = self._is_too_large or len(stuffed) > MAX_BYTES
        self._reset()
        if is_too_large:
            self._say("552 5.3.4 The mail is too large")
        elif max(map(len, stuffed.split(b"\n"))) >= _MAX_LINE:
            self._say(f"500 5.6.0 The mail has a line of more than {_MAX_LINE} bytes")
        else:
            self._waits = True
            content = stuffed.removeprefix(b".").replace(b"\r\n.", b"\r\n")
            self._reception.take_over(envelope, content, self._answer)

    def _answer(self, line: str) -> None:
        self._waits = False
        self._heard_at = self._loop.time()
        self._say(line)
        if self._is_paused and self._transport is not None and not self._transport.is_closing():
            self._is_paused = False
            self._transport.resume_reading()
        self._proceed()

    def _reset(self) -> None:
        self._sender, self._recipients, self._is_too_large = None, [], False

    # Commands.

    def _command(self, line: bytes) -> None:
        try:
            verb, _, rest = line.decode("ascii").partition(" ")
        except UnicodeDecodeError:
            self._is_wrong("500 5.5.2 Commands are ASCII")
            return
        command = self._COMMANDS.get(verb.upper())
        if command is None:
            self._is_wrong("500 5.5.1 Unknown command")
        else:
            command(self, rest.strip())

    def _is_wrong(self, answer: str) -> None:
        self._wrong_commands += 1
        if self._wrong_commands >= _MAX_WRONG_COMMANDS:
            self._say("421 4.7.0 Too many wrong commands")
            self.close()
        else:
            self._say(answer)

    def _helo(self, rest: str) -> None:
        if self._names_itself(rest):
            self._say(f"250 {NAME}")

    def _ehlo(self, rest: str) -> None:
        if self._names_itself(rest):
            self._say(
                f"250-{NAME}",
                f"250-SIZE {MAX_BYTES}",
                "250-8BITMIME",
                "250-PIPELINING",
                "250 AUTH LOGIN PLAIN",
            )

    def _names_itself(self, name: str) -> bool:
        if not name:
            self._is_wrong("501 5.5.4 Say who you are")
            return False
        self._has_greeted = True
        self._reset()
        return True

    def _mail(self, rest: str) -> None:
        path = _path_in(rest, "FROM:")
        if not self._may_send:
            self._say(_refusal(self._has_greeted))
        elif self._sender is not None:
            self._is_wrong("503 5.5.1 One sender per mail")
        elif path is None:
            self._is_wrong("501 5.5.4 Syntax: MAIL FROM:<address>")
        else:
            address, parameters = path
            refusal = _refused_parameter(parameters)
            if not refusal:
                self._sender = address
            self._say(refusal or "250 2.1.0 OK")

    def _rcpt(self, rest: str) -> None:
        path = _path_in(rest, "TO:")
        if not self._may_send:
            self._say(_refusal(self._has_greeted))
        elif self._sender is None:
            self._is_wrong("503 5.5.1 MAIL comes first")
        elif path is None or not path[0]:
            self._is_wrong("501 5.5.4 Syntax: RCPT TO:<address>")
        elif path[1]:
            self._say("555 5.5.4 Parameters of RCPT are not known here")
        elif len(self._recipients) >= MAX_RECIPIENTS:
            self._say("452 4.5.3 Too many recipients")
        else:
            self._recipients.append(path[0])
            self._say("250 2.1.5 OK")

    def _data(self, rest: str) -> None:
        if not self._may_send:
            self._say(_refusal(self._has_greeted))
        elif rest:
            self._is_wrong("501 5.5.4 Syntax: DATA")
        elif not self._recipients:
            self._is_wrong("503 5.5.1 RCPT comes first")
        else:
            self._in_content = True
            self._say("354 End the mail with a line that holds a dot")

    def _rset(self, rest: str) -> None:
        self._reset()
        self._say("250 2.0.0 OK")

    def _noop(self, rest: str) -> None:
        self._say("250 2.0.0 OK")

    def _vrfy(self, rest: str) -> None:
        self._say("252 2.5.0 Hand the mail in and see")

    def _quit(self, rest: str) -> None:
        self._say("221 2.0.0 Bye")
        self.close()

    # AUTH, RFC 4954.

    def _auth(self, rest: str) -> None:
        mechanism, _, initial = rest.partition(" ")
        if not self._has_greeted:
            self._is_wrong("503 5.5.1 EHLO comes first")
        elif self._may_send or self._sender is not None:
            self._is_wrong("503 5.5.1 Not now")
        elif mechanism.upper() == "PLAIN":
            self._ask("334 ", self._plain, initial)
        elif mechanism.upper() == "LOGIN":
            self._ask("334 VXNlcm5hbWU6", self._user_name, initial)
        else:
            self._say("504 5.5.4 Use PLAIN or LOGIN")

    def _ask(self, prompt: str, reader: Callable[[str], None], given: str = "") -> None:
        """Go on with what was given, or ask for it first."""

        def read(line: bytes) -> None:
            self._read = self._command
            text = _decoded(line)
            if text is None:
                self._say("501 5.5.2 That was no base64, or the client gave up")
            else:
                reader(text)

        if given:
            read(b"" if given == "=" else given.encode("ascii"))
        else:
            self._read = read
            self._say(prompt)

    def _plain(self, text: str) -> None:
        parts = text.split("\0")
        if len(parts) == 3:
            self._check(parts[2])
        else:
            self._say("501 5.5.2 PLAIN has three parts")

    def _user_name(self, name: str) -> None:
        # The name is free: the key alone says who this is.
        self._ask("334 UGFzc3dvcmQ6", self._check)

    def _check(self, key: str) -> None:
        try:
            self._may_send = self._reception.is_valid_key(key)
        except Exception:
            _log.exception("mail.key_check_error")
            self._say("454 4.7.0 Temporary authentication failure")
            return
        if self._may_send:
            self._say("235 2.7.0 Authentication successful")
            return
        self._wrong_keys += 1
        if self._wrong_keys >= _MAX_WRONG_KEYS:
            self._say("421 4.7.0 Too many wrong keys")
            self.close()
        else:
            self._say("535 5.7.8 Authentication credentials invalid")

    _COMMANDS: ClassVar[dict[str, Callable[[Conversation, str], None]]] = {
        "HELO": _helo,
        "EHLO": _ehlo,
        "AUTH": _auth,
        "MAIL": _mail,
        "RCPT": _rcpt,
        "DATA": _data,
        "RSET": _rset,
        "NOOP": _noop,
        "VRFY": _vrfy,
        "QUIT": _quit,
    }


def _refusal(has_greeted: bool) -> str:
    return "530 5.7.0 Authentication required" if has_greeted else "503 5.5.1 EHLO comes first"


def _path_in(rest: str, keyword: str) -> tuple[str, str] | None:
    """Address and parameters of `FROM:<address> parameters`."""
    if not rest.upper().startswith(keyword):
        return None
    found = _PATH.match(rest[len(keyword) :].lstrip())
    return (found[1], found[2]) if found is not None else None


def _refused_parameter(parameters: str) -> str:
    """Why MAIL cannot be taken with these parameters, or empty."""
    for parameter in parameters.split():
        name, _, value = parameter.upper().partition("=")
        if name == "SIZE" and value.isdecimal():
            if len(value) > 12 or int(value) > MAX_BYTES:
                return "552 5.3.4 The mail is too large"
        elif not (name == "BODY" and value in ("7BIT", "8BITMIME")) and name != "AUTH":
            return "555 5.5.4 Parameter not known here"
    return ""


def _decoded(line: bytes) -> str | None:
    try:
        return base64.b64decode(line, validate=True).decode("utf-8", "replace")
    except binascii.Error:
        return None
