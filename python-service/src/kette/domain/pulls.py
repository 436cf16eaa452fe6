"""Pulls: reading from a shop's API what changed, page by page, until the count is proven.

The words between the use case, which keeps the state, and the vendors' adapters, which know how to
ask and how an answer is to be read. Nothing here does I/O: requests are carried by n8n or by the
command line.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

# What an adapter remembers between two pages; JSON, kept with the pull.
Cursor = dict[str, Any]


class Purpose(StrEnum):
    CHANGES = "changes"  # what changed since the last complete pull
    BACKFILL = "backfill"  # an existing shop's past, once


class Window(msgspec.Struct, frozen=True):
    """What a pull is about: everything that was placed or changed at or after `since`."""

    purpose: Purpose
    since: datetime


class Ask(msgspec.Struct, frozen=True):
    """One request to the shop's API, without credentials: those are the carrier's."""

    method: str
    path: str  # below the system's base URL, with its query
    body: dict[str, Any] | None = None


class Answer(msgspec.Struct, frozen=True):
    """What came back. status 0: nothing did. Header names are lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class PulledObject(msgspec.Struct, frozen=True):
    """One order of a page, as a delivery of its own."""

    name: str  # unique in the list, even where nothing of it can be read
    headers: dict[str, str]
    body: bytes
    changed_at: datetime | None


class Subscriptions(msgspec.Struct, frozen=True):
    """What the shop says of the webhooks that it sends us. problems: empty if all is well."""

    problems: tuple[str, ...] = ()


class Page(msgspec.Struct, frozen=True):
    """An answer, read. told: how many objects the whole list has, where the vendor tells it and
    this is its first page. next: how to go on; None ends the pull."""

    list_name: str
    objects: tuple[PulledObject, ...] = ()
    gone: tuple[str, ...] = ()  # objects that were listed and, when they were read, were no more
    told: int | None = None
    next: Cursor | None = None
    subscriptions: Subscriptions | None = None  # None: not asked, or the shop does not say


class Again(Exception):  # noqa: N818 - a verdict on an answer, not a failure of ours
    """The shop could not answer now; the same request may be sent again after wait_s."""

    def __init__(self, reason: str, wait_s: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.wait_s = wait_s  # None: the shop does not say how long


class Hopeless(Exception):  # noqa: N818 - see Again
    """The shop refuses, or answered something that is no page. Asking again at once is no use."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def refuse_errors(answer: Answer) -> None:
    """What HTTP itself says, alike for every vendor. Raises Again or Hopeless."""
    status = answer.status
    if 200 <= status < 300:
        return
    if status == 0:
        raise Again("the shop did not answer")
    if status in (408, 425, 429) or status >= 500:
        raise Again(f"the shop answered {status}", _retry_after(answer))
    if status in (401, 403):
        raise Hopeless(f"the shop refused the credentials or their rights ({status})")
    raise Hopeless(f"the shop answered {status}")


def _retry_after(answer: Answer) -> float | None:
    """In seconds; shops do not send the form with a date."""
    told = answer.headers.get("retry-after", "").strip()
    try:
        seconds = float(told)
    except ValueError:
        return None
    return min(seconds, 3600.0) if seconds >= 0 else None


# Pauses before the same request is sent again; after the last one the pull is given up.
PAUSES_S = (2.0, 5.0, 15.0, 30.0, 60.0)
MOST_WAIT_S = 60.0  # n8n keeps shorter waits in memory


def pause_s(attempt: int, told: float | None) -> float | None:
    """How long to wait after so many failed tries; None: give up.

    >>> pause_s(1, None), pause_s(1, 0.0), pause_s(2, 900.0), pause_s(6, None)
    (2.0, 0.5, 60.0, None)
    """
    if attempt > len(PAUSES_S):
        return None
    return PAUSES_S[attempt - 1] if told is None else min(max(told, 0.5), MOST_WAIT_S)
