"""Canonical structs as callers send them: money as decimal strings, errors with path and advice.

What a call answers can be sent to the next one: money is {"amount": "119.00", "currency": "EUR"}
outside, minor units inside. Unknown names are refused, for a misspelt one would be a value that
nobody looked at.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from kette.domain.money import Money, MoneyError
from kette.domain.risk import RiskSignals
from kette.use_cases.errors import InvalidInputError

S = TypeVar("S", bound=msgspec.Struct)
_PLACE = re.compile(r"(?P<what>.*?)(?: - at `\$(?P<path>.*)`)?\Z", re.DOTALL)
_WORDS = (
    ("Expected `str`", "must be text"),
    ("Expected `int`", "must be a whole number"),
    ("Expected `int | null`", "must be a whole number or null"),
    ("Expected `bool`", "must be true or false"),
    ("Expected `bool | null`", "must be true, false or null"),
    ("Expected `array`", "must be a list"),
    ("Expected `object", "must be an object"),
    ("Expected `datetime`", "must be a time with offset, such as 2026-11-01T09:00:00+01:00"),
    ("Invalid RFC3339", "must be a time with offset, such as 2026-11-01T09:00:00+01:00"),
)
_NO_MONEY = 'must be money: {"amount": "119.00", "currency": "EUR"}'
# What is counted or scored; other signals are free.
_RANGES = {
    **dict.fromkeys(("orders_mail_24h", "orders_address_24h", "orders_card_24h"), (0, 1_000_000)),
    **dict.fromkeys(("failed_attempts", "earlier_chargebacks"), (0, 1_000_000)),
    **{"paid_orders_before": (0, 1_000_000), "provider_score": (0, 100)},
}
_COUNTRY = re.compile(r"[A-Za-z]{2}")


def read_struct(kind: type[S], given: Mapping[str, Any], field: str) -> S:
    """Raises InvalidInputError that names the place and says what belongs there."""
    known = kind.__struct_fields__
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(str(name)[:80], known, 1)
            advice = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
            raise InvalidInputError(f"{field}.{str(name)[:80]}", f"is not known; {advice}")
    inside = _money_in(given, field)
    try:
        return msgspec.convert(inside, kind)
    except msgspec.ValidationError as error:
        raise _in_our_words(str(error), field) from error


def read_signals(given: Mapping[str, Any]) -> RiskSignals:
    signals = read_struct(RiskSignals, given, "signals")
    for name, (least, most) in _RANGES.items():
        value = getattr(signals, name)
        if value is not None and not least <= value <= most:
            raise InvalidInputError(f"signals.{name}", f"must be from {least} to {most}")
    if signals.card_country and not _COUNTRY.fullmatch(signals.card_country):
        raise InvalidInputError("signals.card_country", "must be an ISO 3166 code such as DE")
    return signals


def _money_in(value: Any, path: str) -> Any:
    """Decimal strings become minor units, however deep."""
    if isinstance(value, Mapping):
        if value.keys() == {"amount", "currency"}:
            return _minor(value, path)
        return {name: _money_in(inner, f"{path}.{name}") for name, inner in value.items()}
    if isinstance(value, list):
        return [_money_in(inner, f"{path}[{n}]") for n, inner in enumerate(value)]
    return value


def _minor(value: Mapping[str, Any], path: str) -> dict[str, Any]:
    amount, currency = value["amount"], value["currency"]
    if not isinstance(amount, str) or not isinstance(currency, str):
        raise InvalidInputError(f"{path}.amount", f"{_NO_MONEY}, both as text")
    try:
        money = Money.parse(amount, currency)
    except MoneyError as error:
        raise InvalidInputError(path, str(error)) from error
    return {"minor": money.minor, "currency": money.currency}


def _in_our_words(told: str, field: str) -> InvalidInputError:
    found = _PLACE.match(told)
    what, path = (found["what"], found["path"] or "") if found else (told, "")
    if missing := re.match(r"Object missing required field `(\w+)`", what):
        if missing[1] in ("minor", "currency"):
            return InvalidInputError(f"{field}{path}", _NO_MONEY)
        return InvalidInputError(f"{field}{path}.{missing[1]}", "is missing")
    for begin, ours in sorted(_WORDS, key=lambda pair: -len(pair[0])):
        if what.startswith(begin):
            return InvalidInputError(f"{field}{path}", ours)
    return InvalidInputError(f"{field}{path}", what)
