"""Readers for the values of a setup: each turns a YAML node into a typed value or reports a
problem.

A reader never raises and never stops the reading; it returns INVALID after it reported. So one run
names everything that is wrong in a file.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
import pycountry
import yaml
from schwifty import IBAN
from schwifty.exceptions import SchwiftyException
from stdnum.eu import vat as eu_vat
from stdnum.exceptions import ValidationError

from kette.domain.money import Money, MoneyError
from kette.setup_yaml import Problem


class Invalid:
    """Marks a value that was reported and must not be used."""


INVALID: Final = Invalid()
Reader = Callable[[yaml.Node, str, "Reading"], Any]


class Reading:
    """Collects problems and remembers where each path stands, for checks across fields."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.problems: list[Problem] = []
        self._places: dict[str, tuple[int, int]] = {"": (1, 1)}

    def note(self, path: str, node: yaml.Node) -> None:
        self._places.setdefault(path, (node.start_mark.line + 1, node.start_mark.column + 1))

    def knows(self, path: str) -> bool:
        """Whether the key stands in the file, read successfully or not."""
        return path in self._places

    def report(self, node: yaml.Node, path: str, message: str, hint: str) -> Invalid:
        mark = node.start_mark
        self.problems.append(Problem(mark.line + 1, mark.column + 1, path, message, hint))
        return INVALID

    def report_at(self, path: str, message: str, hint: str) -> None:
        """Report for a path; a path that is not in the file stands at its nearest parent."""
        known = path
        while known not in self._places:
            known = known[: max(known.rfind("."), known.rfind("["), 0)]
        line, column = self._places[known]
        self.problems.append(Problem(line, column, path, message, hint))


class Field(msgspec.Struct, frozen=True):
    """A key of a section: how its value is read, and the attribute it fills
    (its own name if empty)."""

    read: Reader
    target: str = ""
    required: bool = False


def section(fields: Mapping[str, Field]) -> Reader:
    """Reads a mapping with known keys into a dict by target; unknown and missing keys are
    reported."""

    def read(node: yaml.Node, path: str, reading: Reading) -> Any:
        if not isinstance(node, yaml.MappingNode):
            keys = ", ".join(list(fields)[:3])
            return reading.report(node, path, f"expected keys such as {keys}", "indent them below")
        values: dict[str, Any] = {}
        entries = _entries(node, path, reading)
        for key, (key_node, value_node) in entries.items():
            field = fields.get(key)
            if field is None:
                message = f"unknown key {_shown(key)}"
                reading.report(key_node, join(path, key), message, did_you_mean(key, fields))
                continue
            value = field.read(value_node, join(path, key), reading)
            if value is not INVALID:
                values[field.target or key] = value
        for key, field in fields.items():
            if field.required and key not in entries:
                reading.report(node, join(path, key), "is missing", f'add "{key}:" here')
        return values

    return read


def mapping_of(read_key: Callable[[str], str], read_value: Reader) -> Reader:
    """Reads a mapping whose keys are the merchant's. read_key returns what is wrong, or ""."""

    def read(node: yaml.Node, path: str, reading: Reading) -> Any:
        if not isinstance(node, yaml.MappingNode):
            return reading.report(node, path, "expected a mapping", 'write "key: value" lines')
        values: dict[str, Any] = {}
        for key, (key_node, value_node) in _entries(node, path, reading).items():
            wrong = read_key(key)
            if wrong:
                message, _, hint = wrong.partition(" | ")
                reading.report(key_node, join(path, key), message, hint)
                continue
            value = read_value(value_node, join(path, key), reading)
            if value is not INVALID:
                values[key] = value
        return values

    return read


def list_of(read_item: Reader, *, least: int = 0, most: int = 200, or_one: bool = False) -> Reader:
    """Reads a sequence into a tuple. or_one: a single value counts as a list of one."""

    def read(node: yaml.Node, path: str, reading: Reading) -> Any:
        if or_one and isinstance(node, yaml.ScalarNode):
            value = read_item(node, path, reading)
            return INVALID if value is INVALID else (value,)
        if not isinstance(node, yaml.SequenceNode):
            return reading.report(node, path, "expected a list", "write [a, b] or one - per line")
        if not least <= len(node.value) <= most:
            message = f"expected {least} to {most} entries, found {len(node.value)}"
            return reading.report(node, path, message, "add or remove entries")
        values = []
        for number, item in enumerate(node.value):
            item_path = f"{path}[{number}]"
            reading.note(item_path, item)
            value = read_item(item, item_path, reading)
            if value is INVALID:
                continue
            if value in values:
                reading.report(item, item_path, f"{item.value} is listed twice", "remove one")
            values.append(value)
        return tuple(values)

    return read


def text(
    pattern: str = "", hint: str = "", most: int = 300, *, may_be_empty: bool = False
) -> Reader:
    """Reads a scalar as it was written; pattern must match the whole of it."""
    compiled = re.compile(pattern) if pattern else None

    def read(node: yaml.Node, path: str, reading: Reading) -> Any:
        value = _scalar(node, path, reading)
        if not isinstance(value, str):
            return INVALID
        if not value.strip() and not may_be_empty:
            return reading.report(node, path, "is empty", hint or "fill it in or remove the key")
        if len(value) > most:
            return reading.report(node, path, f"is longer than {most} characters", "shorten it")
        if any(ord(char) < 32 for char in value):
            return reading.report(node, path, "holds a line break or tab", "write it on one line")
        if compiled is not None and not compiled.fullmatch(value):
            return reading.report(node, path, f"{_shown(value)} is not valid here", hint)
        return value.strip()

    return read


def choice(options: Iterable[str]) -> Reader:
    known = tuple(options)

    def read(node: yaml.Node, path: str, reading: Reading) -> Any:
        value = _scalar(node, path, reading)
        if not isinstance(value, str):
            return INVALID
        if value not in known:
            return reading.report(
                node, path, f"{_shown(value)} is not known", did_you_mean(value, known)
            )
        return value

    return read


def integer(least: int, most: int) -> Reader:
    def read(node: yaml.Node, path: str, reading: Reading) -> Any:
        value = _scalar(node, path, reading)
        if not isinstance(value, str):
            return INVALID
        if not re.fullmatch(r"-?[0-9]{1,12}", value):
            hint = f"write a number from {least} to {most}"
            return reading.report(node, path, f"{_shown(value)} is not a whole number", hint)
        if not least <= int(value) <= most:
            hint = f"write a number from {least} to {most}"
            return reading.report(node, path, f"{value} is out of range", hint)
        return int(value)

    return read


def boolean(node: yaml.Node, path: str, reading: Reading) -> Any:
    value = _scalar(node, path, reading)
    if not isinstance(value, str):
        return INVALID
    if node.tag != "tag:yaml.org,2002:bool":
        return reading.report(node, path, f"{_shown(value)} is no yes or no", "write true/false")
    return value.lower() in ("true", "yes", "on")


_DURATION = re.compile(r"(?:([0-9]{1,4})w)?(?:([0-9]{1,5})d)?(?:([0-9]{1,6})h)?"
                       r"(?:([0-9]{1,7})m)?(?:([0-9]{1,8})s)?")  # fmt: skip
_UNITS_S = (7 * 86400, 86400, 3600, 60, 1)


def duration(node: yaml.Node, path: str, reading: Reading) -> Any:
    """Reads "3d", "90m", "1d12h" into whole seconds."""
    value = _scalar(node, path, reading)
    if not isinstance(value, str):
        return INVALID
    match = _DURATION.fullmatch(value.replace(" ", ""))
    if match is None or not any(match.groups()):
        hint = "write it like 30s, 90m, 2h, 3d or 1d12h"
        return reading.report(node, path, f"{_shown(value)} is not a duration", hint)
    parts = zip(match.groups(), _UNITS_S, strict=True)
    total = sum(int(part) * unit for part, unit in parts if part)
    if not 0 < total <= 10 * 366 * 86400:
        return reading.report(node, path, f"{value} is out of range", "use 1s to 10 years")
    return total


def money(node: yaml.Node, path: str, reading: Reading) -> Any:
    """Reads "100.00 EUR"."""
    value = _scalar(node, path, reading)
    if not isinstance(value, str):
        return INVALID
    hint = 'write it like "100.00 EUR"'
    parts = value.split()
    if len(parts) != 2:
        return reading.report(node, path, f"{_shown(value)} is not an amount with currency", hint)
    if pycountry.currencies.get(alpha_3=parts[1]) is None:
        return reading.report(node, path, f"{_shown(parts[1])} is not a currency", hint)
    try:
        amount = Money.parse(parts[0], parts[1])
    except MoneyError as error:
        return reading.report(node, path, str(error), hint)
    if amount.minor < 0:
        return reading.report(node, path, "must not be negative", hint)
    return amount


def country(node: yaml.Node, path: str, reading: Reading) -> Any:
    value = _scalar(node, path, reading)
    if not isinstance(value, str):
        return INVALID
    if pycountry.countries.get(alpha_2=value) is None or value != value.upper():
        hint = "use two capitals of ISO 3166, such as DE"
        return reading.report(node, path, f"{_shown(value)} is not a country code", hint)
    return value


def iban(node: yaml.Node, path: str, reading: Reading) -> Any:
    value = _scalar(node, path, reading)
    if not isinstance(value, str):
        return INVALID
    try:
        return str(IBAN(value))
    except (SchwiftyException, ValueError) as error:
        message = f"not a valid IBAN: {error}"
        return reading.report(node, path, message, "compare it with the bank statement")


def vat_id(node: yaml.Node, path: str, reading: Reading) -> Any:
    value = _scalar(node, path, reading)
    if not isinstance(value, str):
        return INVALID
    try:
        return str(eu_vat.validate(value))
    except ValidationError as error:
        message = f"not a valid VAT id: {error}"
        return reading.report(node, path, message, "write it with its prefix, such as DE136695976")


def time_zone(node: yaml.Node, path: str, reading: Reading) -> Any:
    value = _scalar(node, path, reading)
    if not isinstance(value, str):
        return INVALID
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        hint = "use a name such as Europe/Berlin"
        return reading.report(node, path, f"{_shown(value)} is not a time zone", hint)
    return value


def mail_address(node: yaml.Node, path: str, reading: Reading) -> Any:
    return _MAIL(node, path, reading)


_MAIL = text(
    r"(?:[^<>@\s][^<>@]* <)?[^\s@<>,;]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+"
    r"[A-Za-z]{2,63}>?",
    "write it like shop@example.org",
)
_PLACEHOLDER = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^{}]*))?\}")


def expandable(check: Reader | None = None, pattern: str = "", hint: str = "") -> Reader:
    """Reads text in which ${NAME} and ${NAME:-default} stand for the environment.

    Returns (as written, expanded). pattern must match the expanded value."""
    plain = check or text(most=500)

    def read(node: yaml.Node, path: str, reading: Reading) -> Any:
        written = plain(node, path, reading)
        if not isinstance(written, str):
            return INVALID
        missing: list[str] = []

        def fill(match: re.Match[str]) -> str:
            value = reading.environ.get(match[1]) or match[2]
            if value is None:
                missing.append(match[1])
            return value or ""

        expanded = _PLACEHOLDER.sub(fill, written)
        if missing:
            message = f"environment variable {missing[0]} is not set and has no default"
            return reading.report(node, path, message, f"set it or write ${{{missing[0]}:-...}}")
        if "${" in expanded:
            return reading.report(
                node, path, "a ${...} is not closed or not named", "write ${NAME:-default}"
            )
        if pattern and not re.fullmatch(pattern, expanded):
            return reading.report(node, path, f"{_shown(expanded)} is not valid here", hint)
        return written, expanded

    return read


def secret_reference(node: yaml.Node, path: str, reading: Reading) -> Any:
    """Reads env:NAME or file:PATH. The message never repeats the value: it may be the secret."""
    value = _scalar(node, path, reading)
    if not isinstance(value, str):
        return INVALID
    if not re.fullmatch(r"env:[A-Za-z_][A-Za-z0-9_]*|file:\S.*", value):
        hint = "write env:NAME or file:PATH, never the secret itself"
        return reading.report(node, path, "is not a reference to a secret", hint)
    return value


def join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def did_you_mean(word: str, known: Iterable[str]) -> str:
    names = list(known)
    close = difflib.get_close_matches(word.lower(), names, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]}?"
    shown = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    return f"known: {shown}" if shown else "none is set up"


def _entries(
    node: yaml.MappingNode, path: str, reading: Reading
) -> dict[str, tuple[yaml.Node, yaml.Node]]:
    """The entries by key; a key that is no text or that comes twice is reported, the first
    counts."""
    entries: dict[str, tuple[yaml.Node, yaml.Node]] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            reading.report(key_node, path, "a key must be a word", "write key: value")
            continue
        key = key_node.value
        if key in entries:
            first = entries[key][0].start_mark.line + 1
            message = f"comes twice, first in line {first}"
            reading.report(key_node, join(path, key), message, "keep one of them")
            continue
        entries[key] = (key_node, value_node)
        reading.note(join(path, key), key_node)
    return entries


def _scalar(node: yaml.Node, path: str, reading: Reading) -> str | Invalid:
    if not isinstance(node, yaml.ScalarNode):
        kind = "a list" if isinstance(node, yaml.SequenceNode) else "a mapping"
        return reading.report(node, path, f"expected one value, found {kind}", "write one value")
    if node.tag == "tag:yaml.org,2002:null":
        return reading.report(node, path, "has no value", "fill it in or remove the key")
    return str(node.value)


def _shown(value: str) -> str:
    return repr(value if len(value) <= 60 else value[:57] + "...")
