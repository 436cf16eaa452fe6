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

from kette.adapters.mail.announce import announce, is_taken
from kette.domain.policy import System

_SECURITY = ("none", "starttls", "ssl")
_PORTS = {"none": 25, "starttls": 587, "ssl": 465}
_SCHEMES = {"smtp": "none", "smtp+starttls": "starttls", "smtps": "ssl"}
_FRESH_S = 5.0  # a connection used this recently needs no NOOP


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

    @staticmethod
    def refused(code: int, recipients: tuple[str, ...], answer: str) -> Delivery:
        if 400 <= code < 500:
            return Delivery(served=(), later=recipients, never=(), answer=answer)
        return Delivery(served=(), later=(), never=recipients, answer=answer)


class Upstream:
    """Not thread safe: one forwarder owns it."""

    def __init__(self, settings: UpstreamSettings) -> None:
        self._settings = settings
        self._smtp: smtplib.SMTP | None = None
        self._used_at = 0.0

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
        assert self._smtp is not None
        try:
            delivery = self._converse(self._smtp, sender, recipients, raw, before_content)
        except (OSError, smtplib.SMTPException) as error:
            self.close()
            where = f"{self._settings.host}:{self._settings.port}"
            raise UpstreamUnavailableError(_explain(error, where)) from error
        except BaseException:
            # In the middle of a mail: QUIT would become part of it.
            self._smtp.close()
            self._smtp = None
            raise
        self._used_at = time.monotonic()
        return delivery

    def _converse(
        self,
        smtp: smtplib.SMTP,
        sender: str,
        recipients: tuple[str, ...],
        raw: bytes,
        before_content: Callable[[], None],
    ) -> Delivery:
        options = ["body=8bitmime"] if not raw.isascii() and smtp.has_extn("8bitmime") else []
        announced = announce(smtp, sender, recipients, options)
        code, answer = announced.sender
        if code != 250:
            return self._end(smtp, code, recipients, f"sender refused: {_said(code, answer)}")
        served: list[str] = []
        later: list[str] = []
        never: list[str] = []
        refusal = ""
        # After a 421 the rest was not asked about; the server is about to hang up.
        for recipient, said in zip(recipients, announced.recipients, strict=False):
            if is_taken(said):
                served.append(recipient)
                continue
            (later if 400 <= said[0] < 500 else never).append(recipient)
            refusal = f"recipient refused: {_said(*said)}"
            if said[0] == 421:
                raise smtplib.SMTPServerDisconnected(refusal)
        if announced.content is None:
            smtp.rset()
            return Delivery((), tuple(later), tuple(never), refusal or "no recipients")
        code, answer = announced.content
        if code == 354:
            before_content()
            smtp.send(_stuffed(raw))
            code, answer = smtp.getreply()
        if code != 250:
            refused = self._end(
                smtp, code, tuple(served), f"content refused: {_said(code, answer)}"
            )
            return Delivery((), (*refused.later, *later), (*refused.never, *never), refused.answer)
        return Delivery(tuple(served), tuple(later), tuple(never), refusal)

    def _end(
        self, smtp: smtplib.SMTP, code: int, recipients: tuple[str, ...], answer: str
    ) -> Delivery:
        if code == 421:  # the server is about to hang up
            raise smtplib.SMTPServerDisconnected(answer)
        smtp.rset()
        return Delivery.refused(code, recipients, answer)

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


def _said(code: int, answer: bytes) -> str:
    text = " ".join(answer.decode("utf-8", "replace").split())
    return f"{code} {text[:300]}"


def _explain(error: Exception, where: str) -> str:
    if isinstance(error, smtplib.SMTPAuthenticationError):
        said = _said(error.smtp_code, _bytes(error.smtp_error))
        return f"{where} refuses user name or password: {said}"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{where} refuses: {_said(error.smtp_code, _bytes(error.smtp_error))}"
    # smtplib reports a read that timed out as a lost connection.
    if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
        return f"{where} does not answer in time"
    if isinstance(error, ssl.SSLError):
        return f"no secure connection to {where}: {error.reason or error}"
    return f"no connection to {where}: {error}"
