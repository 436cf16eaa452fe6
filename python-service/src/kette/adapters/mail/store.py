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


class NewMail(msgspec.Struct, frozen=True):
    """A mail to be stored durably, at most once per action key; outcome: its Acceptance. An action
    whose mail has failed may try anew."""

    action_key: str | None
    message_id: str
    envelope: Envelope
    raw: bytes


class WaitingMail(msgspec.Struct, frozen=True):
    """A mail without its content. `attempts` counts those before the one under way."""

    id: int
    action_key: str | None
    message_id: str
    envelope: Envelope
    attempts: int
    created_at: datetime


class ClaimedMail(msgspec.Struct, frozen=True):
    """Ours to send until then, unless the claim is extended."""

    mail: WaitingMail
    raw: bytes
    until: datetime


class SentMail(msgspec.Struct, frozen=True):
    """The merchant's server has taken a mail over; outcome: None. note: recipients it refused."""

    mail: WaitingMail
    note: str = ""


class Claim(msgspec.Struct, frozen=True):
    """Up to `limit` mails that are due, oldest first: waiting ones, and such whose sender has been
    lost. Outcome: a list of ClaimedMail; nobody else gets them."""

    limit: int
    until: datetime


Write = NewMail | SentMail | Claim
Outcome = Acceptance | list[ClaimedMail] | None


class MailStore(Protocol):
    def write(self, writes: Sequence[Write]) -> Sequence[Outcome]:
        """All of them in one transaction, one outcome each."""

    def due(self, limit: int) -> Sequence[WaitingMail]:
        """Mails to send now, oldest first. Claims nothing."""

    def extend(self, claimed: ClaimedMail, until: datetime) -> ClaimedMail | None:
        """The same claim for longer; None when the mail has gone to another forwarder."""

    def put_back(self, claimed: Sequence[ClaimedMail]) -> None:
        """Claimed and never tried: due at once, and no attempt is counted."""

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
