"""The merchant's SMTP server, as a client sees it: one connection for many mails, every answer
sorted.

Three outcomes: taken over, not now, never. A server that cannot be reached, refuses our login or
breaks the conversation is `UpstreamUnavailableError`: that says nothing about the mail.
"""

from __future__ import annotations

import smtplib
import ssl
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import msgspec

from kette.adapters.mail.announce import Said, announce, is_sayable, is_taken
from kette.domain.policy import System

_SECURITY = ("none", "starttls", "ssl")
_PORTS = {"none": 25, "starttls": 587, "ssl": 465}
_SCHEMES = {"smtp": "none", "smtp+starttls": "starttls", "smtps": "ssl"}
_FRESH_S = 5.0  # a connection used this recently needs no NOOP
PIECE = 65_536  # of a mail's content; sent within the time limit of a command
# The answer to a mail's content may take as long as this many other answers: ten minutes with the
# usual time limit.
CONTENT_COMMANDS = 30
_UNSAYABLE = "the server does not take addresses with such characters"


class UpstreamUnavailableError(Exception):
    """No usable connection. `detail` says why, in words for the merchant."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class UpstreamSettingsError(ValueError):
    """The mail system of the setup does not describe an SMTP server."""


class UpstreamSettings(msgspec.Struct, frozen=True):
    """Where and how to hand mails over. `password` is the secret itself, so it is kept out of
    repr."""

    host: str
    port: int
    security: str = "none"  # none | starttls | ssl
    username: str = ""
    password: str = ""
    timeout_s: float = 20.0
    ca_file: str = ""  # own certificate authority of the server
    hello_name: str = ""

    def __repr__(self) -> str:
        return f"UpstreamSettings({self.security}, {self.host}:{self.port}, {self.username!r})"


def settings_of(system: System, password: str = "") -> UpstreamSettings:
    """Read a mail system of the setup.

    base_url: smtp://host:port, smtp+starttls://host:port or smtps://host:port; options: security,
    username, timeout_s, ca_file, hello_name. Raises UpstreamSettingsError.
    """
    address = urlsplit(system.base_url if "//" in system.base_url else f"smtp://{system.base_url}")
    security = system.options.get("security") or _SCHEMES.get(address.scheme, "")
    if security not in _SECURITY:
        raise UpstreamSettingsError(
            f"system {system.id}: use smtp://, smtp+starttls:// or smtps://, or the option "
            f"security with one of {', '.join(_SECURITY)}"
        )
    try:
        port = address.port or _PORTS[security]
        timeout_s = float(system.options.get("timeout_s") or 20)
    except ValueError as error:
        raise UpstreamSettingsError(f"system {system.id}: {error}") from error
    if not address.hostname:
        raise UpstreamSettingsError(f"system {system.id}: base_url names no host")
    return UpstreamSettings(
        host=address.hostname,
        port=port,
        security=security,
        username=system.options.get("username", ""),
        password=password,
        timeout_s=timeout_s,
        ca_file=system.options.get("ca_file", ""),
        hello_name=system.options.get("hello_name", ""),
    )


class Delivery(msgspec.Struct, frozen=True):
    """What the server said: recipients served, refused for now, refused for good."""

    served: tuple[str, ...]
    later: tuple[str, ...]
    never: tuple[str, ...]
    answer: str  # the last refusal, or empty


class Upstream:
    """Not thread safe: one forwarder owns it."""

    def __init__(self, settings: UpstreamSettings) -> None:
        self._settings = settings
        self._smtp: smtplib.SMTP | None = None
        self._used_at = 0.0
        self._has_carried = False  # a mail, on this connection

    def connect(self) -> None:
        """Open a connection, or make sure that the open one still answers."""
        if self._smtp is not None:
            if time.monotonic() - self._used_at < _FRESH_S:
                return
            try:
                if self._smtp.noop()[0] == 250:
                    self._used_at = time.monotonic()
                    return
            except (OSError, smtplib.SMTPException):
                pass  # went to sleep in the meantime; the new connection below decides
            self.close()
        self._smtp = self._open()
        self._has_carried = False
        self._used_at = time.monotonic()

    def _open(self) -> smtplib.SMTP:
        wanted = self._settings
        where = f"{wanted.host}:{wanted.port}"
        hello = wanted.hello_name or None
        smtp: smtplib.SMTP | None = None
        try:
            tls = ssl.create_default_context(cafile=wanted.ca_file or None)
            if wanted.security == "ssl":
                smtp = smtplib.SMTP_SSL(
                    wanted.host, wanted.port, hello, timeout=wanted.timeout_s, context=tls
                )
            else:
                smtp = smtplib.SMTP(wanted.host, wanted.port, hello, timeout=wanted.timeout_s)
            if wanted.security == "starttls":
                smtp.starttls(context=tls)
            if wanted.username:
                smtp.login(wanted.username, wanted.password)
            smtp.ehlo_or_helo_if_needed()
        except (OSError, smtplib.SMTPException, ValueError) as error:
            if smtp is not None:
                smtp.close()
            raise UpstreamUnavailableError(_explain(error, where)) from error
        return smtp

    def deliver(
        self,
        sender: str,
        recipients: tuple[str, ...],
        raw: bytes,
        before_content: Callable[[], None] = lambda: None,
    ) -> Delivery:
        """Hand one mail over. Raises UpstreamUnavailableError when the conversation breaks off.

        before_content is called when the server has said yes to everything but the mail itself."""
        self.connect()
        # Servers end a connection after so many mails, or after each: that says nothing of this
        # one, of which none of the content was sent.
        may_try_anew = self._has_carried
        begun = False

        def begin() -> None:
            nonlocal begun
            begun = True
            before_content()

        try:
            return self._hand_over(sender, recipients, raw, begin)
        except UpstreamUnavailableError as error:
            if begun or not may_try_anew or _is_timeout(error.__cause__):
                raise
        self.connect()
        return self._hand_over(sender, recipients, raw, begin)

    def _hand_over(
        self,
        sender: str,
        recipients: tuple[str, ...],
        raw: bytes,
        before_content: Callable[[], None],
    ) -> Delivery:
        smtp = self._smtp
        assert smtp is not None
        try:
            delivery = self._converse(smtp, sender, recipients, raw, before_content)
        except BaseException as error:
            # Perhaps in the middle of a mail: QUIT would become part of it.
            smtp.close()
            self._smtp = None
            if isinstance(error, OSError | smtplib.SMTPException):
                where = f"{self._settings.host}:{self._settings.port}"
                raise UpstreamUnavailableError(_explain(error, where)) from error
            raise
        self._used_at = time.monotonic()
        self._has_carried = True
        return delivery

    def _converse(
        self,
        smtp: smtplib.SMTP,
        sender: str,
        recipients: tuple[str, ...],
        raw: bytes,
        before_content: Callable[[], None],
    ) -> Delivery:
        is_utf8 = smtp.has_extn("smtputf8")
        unsayable = [x for x in recipients if not is_sayable(x, is_utf8=is_utf8)]
        asked = tuple(x for x in recipients if x not in unsayable)
        if not asked or not is_sayable(sender, is_utf8=is_utf8):
            return Delivery((), (), recipients, _UNSAYABLE)
        options = _options(smtp, (sender, *asked), raw)
        announced = announce(smtp, sender, asked, options)
        if not is_taken(announced.sender):
            return self._refused(smtp, announced.sender, recipients, "sender")
        served: list[str] = []
        later: list[str] = []
        never: list[str] = unsayable
        refusal = _UNSAYABLE if unsayable else ""
        # After a 421 the rest was not asked about; the server is about to hang up.
        for recipient, said in zip(asked, announced.recipients, strict=False):
            if is_taken(said):
                served.append(recipient)
                continue
            (later if _is_for_now(said) else never).append(recipient)
            refusal = f"recipient refused: {_said(*said)}"
            if said[0] == 421:
                raise smtplib.SMTPServerDisconnected(refusal)
        if announced.content is None:
            smtp.rset()
            return Delivery((), tuple(later), tuple(never), refusal or "no recipients")
        answer = announced.content
        if answer[0] == 354:
            before_content()
            answer = self._send_content(smtp, raw)
        elif is_taken(answer):  # nothing was sent that it could have taken
            raise smtplib.SMTPResponseException(*answer)
        if not is_taken(answer):
            refused = self._refused(smtp, answer, tuple(served), "content")
            return Delivery((), (*refused.later, *later), (*refused.never, *never), refused.answer)
        return Delivery(tuple(served), tuple(later), tuple(never), refusal)

    def _send_content(self, smtp: smtplib.SMTP, raw: bytes) -> Said:
        """The time limit is for each piece, not for the mail. The server may then take its time:
        whoever gives up here has it deliver the mail twice (RFC 5321, 4.5.3.2.6)."""
        content = _stuffed(raw)
        for start in range(0, len(content), PIECE):
            smtp.send(content[start : start + PIECE])
        assert smtp.sock is not None
        smtp.sock.settimeout(self._settings.timeout_s * CONTENT_COMMANDS)
        answer = smtp.getreply()
        smtp.sock.settimeout(self._settings.timeout_s)
        return answer

    def _refused(
        self, smtp: smtplib.SMTP, said: Said, recipients: tuple[str, ...], what: str
    ) -> Delivery:
        is_for_now = _is_for_now(said)
        answer = f"{what} refused: {_said(*said)}"
        if said[0] == 421:  # the server is about to hang up
            raise smtplib.SMTPServerDisconnected(answer)
        smtp.rset()
        if is_for_now:
            return Delivery(served=(), later=recipients, never=(), answer=answer)
        return Delivery(served=(), later=(), never=recipients, answer=answer)

    def close(self) -> None:
        smtp, self._smtp = self._smtp, None
        if smtp is None:
            return
        try:
            smtp.quit()
        except (OSError, smtplib.SMTPException):
            smtp.close()


def _stuffed(raw: bytes) -> bytes:
    """With its end. A dot that begins a line is doubled (RFC 5321, 4.5.2); `raw` has CRLF only."""
    stuffed = raw.replace(b"\r\n.", b"\r\n..")
    if stuffed.startswith(b"."):
        stuffed = b"." + stuffed
    return stuffed + (b".\r\n" if stuffed.endswith(b"\r\n") else b"\r\n.\r\n")


def _bytes(answer: bytes | str) -> bytes:
    return answer if isinstance(answer, bytes) else answer.encode()


def _is_for_now(said: Said) -> bool:
    """Whether a refusal is one for now; else it is for good. Anything else is no answer to what was
    asked: client and server are out of step, and it says nothing about the mail."""
    if not 400 <= said[0] < 600:
        raise smtplib.SMTPResponseException(*said)
    return said[0] < 500


def _options(smtp: smtplib.SMTP, addresses: tuple[str, ...], raw: bytes) -> list[str]:
    options = []
    if smtp.has_extn("size"):  # a server that finds it too large says so before it gets it
        options.append(f"SIZE={len(raw)}")
    if not raw.isascii() and smtp.has_extn("8bitmime"):
        options.append("BODY=8BITMIME")
    if not all(address.isascii() for address in addresses):
        options.append("SMTPUTF8")
    return options


def _said(code: int, answer: bytes) -> str:
    """On one line, and without what PostgreSQL does not take."""
    text = " ".join(answer.decode("utf-8", "replace").split())
    return f"{code} {''.join(x for x in text if x.isprintable())[:300]}"


def _is_timeout(error: BaseException | None) -> bool:
    """smtplib reports a read that timed out as a lost connection."""
    return error is not None and (
        isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError)
    )


def _explain(error: Exception, where: str) -> str:
    if isinstance(error, smtplib.SMTPAuthenticationError):
        said = _said(error.smtp_code, _bytes(error.smtp_error))
        return f"{where} refuses user name or password: {said}"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{where} refuses: {_said(error.smtp_code, _bytes(error.smtp_error))}"
    if _is_timeout(error):
        return f"{where} does not answer in time"
    if isinstance(error, ssl.SSLError):
        return f"no secure connection to {where}: {error.reason or error}"
    return f"no connection to {where}: {error}"
