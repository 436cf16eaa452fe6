"""What the mail gateway needs of a database: each mail once per action key, and who sends it
now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec


class Acceptance(StrEnum):
    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"  # this action's mail is here already; nothing was stored


class MailState(StrEnum):
    STORED = "stored"  # waits to be sent
    SENDING = "sending"  # a forwarder is at it; after a crash it is taken up again
    SENT = "sent"  # the merchant's server took it over
    FAILED = "failed"  # refused for good, or given up


class Envelope(msgspec.Struct, frozen=True):
    sender: str
    recipients: tuple[str, ...]


class WaitingMail(msgspec.Struct, frozen=True):
    """A mail that is due, without its content. `attempts` is what `mark_sending` compares."""

    id: int
    action_key: str | None
    message_id: str
    envelope: Envelope
    attempts: int
    created_at: datetime


class MailStore(Protocol):
    def accept(
        self, action_key: str | None, message_id: str, envelope: Envelope, raw: bytes
    ) -> Acceptance:
        """Store durably, at most once per action key. An action whose mail has failed may try
        anew."""

    def due(self, limit: int) -> Sequence[WaitingMail]:
        """Mails to send now, oldest first: waiting ones, and such whose sender has been lost."""

    def mark_sending(self, mail: WaitingMail, until: datetime) -> bytes | None:
        """Claim one mail and read its content; None when another forwarder was faster."""

    def mark_sent(self, mail: WaitingMail, note: str = "") -> None: ...

    def mark_failed(
        self,
        mail: WaitingMail,
        error: str,
        retry_at: datetime | None,
        recipients: tuple[str, ...] = (),
    ) -> None:
        """retry_at None: for good. recipients: those still to be served; none = all of them."""

    def release(self) -> int:
        """Put back what an earlier run of this very gateway was sending when it died."""

    def counts(self) -> Mapping[MailState, int]: ...
