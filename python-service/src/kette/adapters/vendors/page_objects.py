"""Pages of lists, cut into their objects without touching the objects' own text.

Each object becomes a delivery of its own: one that cannot be read harms no other, and an order that
is pulled again and again is kept once.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any, Final

import msgspec

from kette.adapters.vendors.fields import line_of_text
from kette.domain.policy import System
from kette.domain.pulls import Answer, Hopeless

_LIST: Final = msgspec.json.Decoder(list[msgspec.Raw])
_OBJECT: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ANY: Final = msgspec.json.Decoder(float_hook=str)


def rows_of(answer: Answer) -> list[bytes]:
    """The entries of an answer that is a list. Raises Hopeless for anything else."""
    return rows_in(answer.body)


def rows_in(raw: bytes) -> list[bytes]:
    """The entries of a JSON list. Raises Hopeless for anything else."""
    try:
        return [bytes(row) for row in _LIST.decode(raw)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Hopeless("the shop's answer is no list") from error


def members_of(raw: bytes) -> dict[str, bytes]:
    """The members of a JSON object, unread; empty for anything else."""
    try:
        return {name: bytes(value) for name, value in _OBJECT.decode(raw).items()}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}


def value_of(raw: bytes | None) -> Any:
    """A member, read; None for what is missing or cannot be read."""
    if raw is None:
        return None
    try:
        return _ANY.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def name_of(raw: bytes, members: dict[str, bytes]) -> str:
    """The object's id; one without is told from others by its content."""
    found = line_of_text(value_of(members.get("id")))
    return found[:100] or f"unnamed:{hashlib.sha256(raw).hexdigest()[:32]}"


def page_size(system: System, default: int, most: int) -> int:
    """How many objects a page has."""
    return min(system.pull.page_size or default, most)


def plain_utc(at: datetime, pattern: str = "%Y-%m-%dT%H:%M:%S") -> str:
    return at.strftime(pattern)


def is_ours(url: str, system: System) -> bool:
    """A webhook's address that ends at n8n's entry workflow or at the service itself."""
    path = url.split("?", 1)[0].rstrip("/")
    return path.endswith((f"/kette/{system.id}", f"/v1/events/{system.id}"))
