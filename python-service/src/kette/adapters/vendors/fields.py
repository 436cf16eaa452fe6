"""Reading single values out of vendor payloads: exact, bounded, with errors that name the field.

Vendors change types without notice (a number becomes a string, an empty object a list). What a fact
cannot do without is read by functions that raise FieldError; everything else by functions that turn
junk into an empty value. JSON floats arrive here as their literal text (`float_hook=str`), so no
amount ever passes through a binary float.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import Any, Final, TypeVar

import msgspec

from kette.adapters.vendors.base import UnknownPayloadError
from kette.domain.money import Money, MoneyError

EMPTY: Final[Mapping[str, Any]] = {}
LONGEST_NAME: Final = 100

_BOM = b"\xef\xbb\xbf"
_NAME = re.compile(r"[^\s\x00-\x1f\x7f]{1,100}\Z")
_LITERAL = re.compile(r"[+-]?\d{1,15}(?:\.\d{1,12})?(?:[eE][+-]?\d{1,2})?\Z", re.ASCII)
# Controls except tab and newline: PostgreSQL refuses NUL in text, label printers choke on others.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff]")
_MAX_MINOR = 10**15
_MAX_DIGITS = 15
_MAX_ID = 10**18
# "0001-01-01" and "9999-12-31" mean never and for ever; no rule could add a day to them.
_YEARS: Final = range(1970, 3000)

T = TypeVar("T")


class FieldError(ValueError):
    """A field that a fact needs is missing or has a shape that cannot be read."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


def decode(decoder: msgspec.json.Decoder[T], body: bytes, topic: str) -> T:
    """Read JSON bytes into their vendor shape. Raises UnknownPayloadError for anything else.

    A byte order mark in front (badly saved PHP files put it there) is skipped.
    """
    try:
        return decoder.decode(body[3:] if body.startswith(_BOM) else body)
    except msgspec.ValidationError as error:
        raise UnknownPayloadError(topic, f"unexpected shape: {str(error)[:200]}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnknownPayloadError(topic, f"not readable as JSON: {str(error)[:200]}") from error
    except RecursionError as error:
        raise UnknownPayloadError(topic, "nested too deeply") from error


def text(value: object) -> str:
    """A string without control characters and outer blanks; whole numbers as digits; else empty."""
    if isinstance(value, str):
        if not value:
            return ""
        # Nearly all text is plain; the pattern costs more than the question.
        return value.strip() if value.isprintable() else _CONTROL.sub("", value).strip()
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if -_MAX_ID < value < _MAX_ID else ""
    return ""


def line_of_text(value: object) -> str:
    """Like `text`, on one line."""
    found = text(value)
    return " ".join(found.split()) if "\n" in found or "\t" in found else found


def required_name(value: object, field: str) -> str:
    """An id or code: 1 to 100 visible characters without blanks. Raises FieldError."""
    found = text(value)
    if not _NAME.match(found):
        raise FieldError(field, "missing or not an id")
    return found


def short_name(value: object) -> str:
    """A name by which something may be found, at most 100 characters; longer ones are none.

    Cutting would make two names one; real ids are below 70 characters.
    """
    found = line_of_text(value)
    return found if len(found) <= LONGEST_NAME else ""


def mapping(value: object) -> Mapping[str, Any]:
    """The value if it is an object, else an empty one (PHP writes an empty object as [])."""
    return value if isinstance(value, dict) else EMPTY


def objects(value: object) -> list[dict[str, Any]]:
    """The objects of a list, or of the object that PHP makes of a list with gaps; no junk."""
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list):
        return []
    return [entry for entry in value if isinstance(entry, dict)]


def decimal(value: object, field: str) -> Decimal:
    """An amount in whatever form JSON gave it, exactly. Raises FieldError."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if -_MAX_MINOR < value < _MAX_MINOR else ""
    if isinstance(value, str):
        found = value.strip()
        if _LITERAL.match(found):
            number = Decimal(found)
            # 15 digits, like Money: more would leave what Decimal computes exactly.
            if number.adjusted() < _MAX_DIGITS:
                return number
        raise FieldError(field, f"{found[:40]!r} is not an amount")
    raise FieldError(field, "missing or not an amount")


def money(value: object, currency: str, field: str) -> Money:
    """An amount that must be exact in the currency's minor unit. Raises FieldError."""
    return _money(value, currency, field, Money.parse)


def rounded_money(value: object, currency: str, field: str) -> Money:
    """An amount that may carry more digits than the currency has (WooCommerce with dp=6)."""
    return _money(value, currency, field, Money.parse_rounded)


def _money(value: object, currency: str, field: str, parse: Any) -> Money:
    if not isinstance(value, str) or "e" in value or "E" in value:
        value = format(decimal(value, field), "f")
    try:
        parsed: Money = parse(value, currency)
    except MoneyError as error:
        raise FieldError(field, str(error)) from error
    return parsed


def whole_number(value: object, field: str, *, highest: int = _MAX_MINOR) -> int:
    """A whole number from 0 to `highest`; "3" and 3.0 count as 3. Raises FieldError."""
    found = decimal(value, field)
    if found != found.to_integral_value() or not 0 <= found <= highest:
        raise FieldError(field, f"{str(found)[:40]} is not a whole number from 0 to {highest}")
    return int(found)


def instant(value: object, field: str, zone: tzinfo = UTC) -> datetime:
    """An ISO 8601 instant as UTC; without an offset it is read in `zone`. Raises FieldError."""
    found = optional_instant(value, zone)
    if found is None:
        raise FieldError(field, "missing or not a time")
    return found


def optional_instant(value: object, zone: tzinfo = UTC) -> datetime | None:
    """Like `instant`, None for anything unreadable (WordPress writes "0000-00-00" for never)."""
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value.strip())
        if found.tzinfo is None:
            found = found.replace(tzinfo=zone)
        if found.tzinfo is not UTC:
            found = found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return found if found.year in _YEARS else None


def unix_instant(value: object) -> datetime | None:
    """Seconds, milliseconds or microseconds since 1970, told apart by size; None for junk."""
    if isinstance(value, str):
        value = int(value) if value.isascii() and value.isdigit() and len(value) <= 17 else None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        return None
    for limit, per_second in ((10**11, 1), (10**14, 10**3), (10**17, 10**6)):
        if value < limit:
            seconds, rest = divmod(value, per_second)
            found = datetime.fromtimestamp(seconds, UTC)
            found = found.replace(microsecond=rest * 10**6 // per_second)
            return found if found.year in _YEARS else None
    return None
