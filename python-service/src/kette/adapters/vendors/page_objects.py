"""Pages of lists, cut into their objects without touching the objects' own text.

Each object becomes a delivery of its own: one that cannot be read harms no other, and an order that
is pulled again and again is kept once. A page that is not JSON for the sake of one object (half an
emoji, a control character, NaN) is cut by a reader that is slower and less strict.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import datetime
from typing import Any, Final

import msgspec

from kette.adapters.vendors.fields import line_of_text
from kette.domain.policy import System
from kette.domain.pulls import Answer, Hopeless

_LIST: Final = msgspec.json.Decoder(list[msgspec.Raw])
_OBJECT: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ANY: Final = msgspec.json.Decoder(float_hook=str)
_BOM: Final = b"\xef\xbb\xbf"  # badly saved PHP files put it in front
_BLANK: Final = re.compile(r"[ \t\r\n]*")
_LENIENT: Final = json.JSONDecoder(strict=False, parse_float=str, parse_int=str)


def rows_of(answer: Answer) -> list[bytes]:
    """The entries of an answer that is a list. Raises Hopeless for anything else."""
    return rows_in(answer.body)


def rows_in(raw: bytes) -> list[bytes]:
    """The entries of a JSON list. Raises Hopeless for anything else."""
    raw = raw.removeprefix(_BOM)
    try:
        return [bytes(row) for row in _LIST.decode(raw)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        found = _cut(raw, "[", "]")
        if found is None:
            raise Hopeless("the shop's answer is no list") from error
        return [row for _, row in found]


def members_of(raw: bytes) -> dict[str, bytes]:
    """The members of a JSON object, unread; empty for anything else."""
    raw = raw.removeprefix(_BOM)
    try:
        return {name: bytes(value) for name, value in _OBJECT.decode(raw).items()}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return dict(_cut(raw, "{", "}") or ())


def _cut(raw: bytes, opening: str, closing: str) -> list[tuple[str, bytes]] | None:
    """The parts of a list or an object, each with its name ("" in a list) and its own text; None
    where the text does not hold as far as the end."""
    text = raw.decode("utf-8", "surrogateescape")
    found: list[tuple[str, bytes]] = []

    def skipped(at: int) -> int:
        match = _BLANK.match(text, at)
        return at if match is None else match.end()

    try:
        at = skipped(0)
        if text[at : at + 1] != opening:
            return None
        at = skipped(at + 1)
        while text[at : at + 1] != closing or found:
            name = ""
            if opening == "{":
                name, at = _LENIENT.raw_decode(text, at)
                at = skipped(at)
                if not isinstance(name, str) or text[at : at + 1] != ":":
                    return None
                at = skipped(at + 1)
            _, end = _LENIENT.raw_decode(text, at)
            found.append((name, text[at:end].encode("utf-8", "surrogateescape")))
            at = skipped(end)
            if text[at : at + 1] == closing:
                break
            if text[at : at + 1] != ",":
                return None
            at = skipped(at + 1)
    except (ValueError, RecursionError):
        return None
    return found if skipped(at + 1) == len(text) else None


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
