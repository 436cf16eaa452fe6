"""Times as callers give them: RFC 3339 with offset, in years that a database can count in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator

LAST_YEAR = 2999


def _written_out(value: Any) -> Any:
    """A number is no time: 2026 would be read as half an hour after the start of 1970."""
    if isinstance(value, int | float) or (
        isinstance(value, str) and value.strip().lstrip("+-").replace(".", "").isdigit()
    ):
        raise ValueError("must be written like 2026-11-01T09:00:00+01:00")
    return value


def _in_utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("needs an offset, as in 2026-11-01T09:00:00+01:00")
    try:
        found = value.astimezone(UTC)
    except OverflowError:  # an offset leads out of the calendar
        found = None
    if found is None or found.year > LAST_YEAR:
        raise ValueError(f"must lie between the years 1 and {LAST_YEAR}")
    return found


Instant = Annotated[datetime, BeforeValidator(_written_out), AfterValidator(_in_utc)]
