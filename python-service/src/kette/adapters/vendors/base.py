"""What every vendor adapter offers. One folder per vendor, registered in `bootstrap.ADAPTERS`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from kette.domain.facts import ActionReported, Translation
from kette.domain.policy import System
from kette.domain.pulls import Answer, Ask, Cursor, Page, Window


class SignatureError(Exception):
    """The delivery is not proven to come from the vendor. `reason` is safe to show."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class UnknownPayloadError(Exception):
    """The delivery is genuine but not understood; it is kept and shown to a person."""

    def __init__(self, topic: str, reason: str) -> None:
        super().__init__(f"{topic}: {reason}")
        self.topic = topic
        self.reason = reason


class Delivery(msgspec.Struct, frozen=True):
    """One request of a vendor, as it came. Header names are lower case; body is the raw bytes."""

    system: System
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime


class Adapter(Protocol):
    """Reads one kind of vendor. Implementations hold no state and do no I/O."""

    kind: str

    def verify(self, delivery: Delivery, secrets: Sequence[bytes]) -> None:
        """Check the vendor's signature over the raw bytes, in constant time, against each secret
        that is valid now (two during rotation). Raises SignatureError."""

    def translate(self, delivery: Delivery) -> Translation:
        """Turn the vendor's words into facts. Raises UnknownPayloadError, and nothing else, for any
        bytes whatever."""

    def translate_report(self, report: ActionReported) -> ActionReported:
        """Fill the canonical fields of a report (reference, stock, link, tracking) from the
        vendor's raw answer, and say what a refusal means: that the work was done before (done),
        that another try can help (retryable). Never raises: what cannot be read stays empty."""


class PullAdapter(Protocol):
    """Knows how one kind of shop is asked for what changed. No state, no I/O: the cursor, JSON that
    only the adapter reads, says where a pull is."""

    kind: str

    def begin(self, window: Window) -> Cursor:
        """Where a pull of this window begins."""

    def ask(self, system: System, cursor: Cursor) -> Ask:
        """The request that the cursor stands for."""

    def read(self, system: System, window: Window, cursor: Cursor, answer: Answer) -> Page:
        """What the shop answered to it. Raises pulls.Again or pulls.Hopeless, and nothing else, for
        any answer whatever."""
