"""Instants as whole microseconds since the epoch: exact both ways, no float in between."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_US = timedelta(microseconds=1)


def to_us(at: datetime) -> int:
    return (at - _EPOCH) // _US


def from_us(us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=us)


def maybe_us(at: datetime | None) -> int | None:
    return None if at is None else to_us(at)


def maybe_from_us(us: int | None) -> datetime | None:
    return None if us is None else from_us(us)
