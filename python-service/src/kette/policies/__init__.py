"""Versioned data for the rules, and its loader. Nothing is read at import."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from kette.domain.findings import Severity
from kette.domain.intake_data import IntakeData
from kette.domain.notes import NoteRule, NoteRules, When
from kette.domain.risk import RiskRules
from kette.domain.tax_place import RatePeriod, TaxTable, Territory
from kette.policies.address_rules import build_address_rules

_SINCE_EVER = date(2000, 1, 1)


@cache
def load_intake_data() -> IntakeData:
    """Everything the intake rules know, read from this package once per process."""
    return IntakeData(
        address=build_address_rules(_yaml),
        tax=_tax_table(),
        notes=_note_rules(),
        risk=_risk_rules(),
    )


def _read(name: str) -> str:
    return files(__name__).joinpath(name).read_text(encoding="utf-8")


def _yaml(name: str) -> Any:
    # The C parser reads our own files ten times faster; the result is the same.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(_read(name), Loader=loader)  # noqa: S506  # both loaders are safe ones


def _tax_table() -> TaxTable:
    table = _yaml("tax_rates.yaml")
    territories: dict[str, list[Territory]] = {}
    for row in table["territories"]:
        pattern = re.compile("|".join(_postcodes(text) for text in row["postcodes"]), re.ASCII)
        territory = Territory(row["name"], row["country"], pattern, row.get("rates", ""))
        territories.setdefault(row["country"], []).append(territory)
    return TaxTable(
        version=table["version"],
        members=frozenset(table["members"]),
        aliases=table["aliases"],
        rates={
            key: tuple(_period(entry) for entry in entries)
            for key, entries in table["rates"].items()
        },
        territories={country: tuple(rows) for country, rows in territories.items()},
    )


def _period(entry: str | dict[str, Any]) -> RatePeriod:
    if isinstance(entry, str):
        return RatePeriod(Decimal(entry), _SINCE_EVER, None)
    return RatePeriod(Decimal(entry["rate"]), entry.get("from", _SINCE_EVER), entry.get("to"))


def _postcodes(text: str) -> str:
    """A pattern for "27498", "35xxx", "9[0-4]xx", "6991-6993" or "BT.*"."""
    first, dash, last = text.partition("-")
    if dash and first.isdigit():
        return "|".join(str(number) for number in range(int(first), int(last) + 1))
    return text.replace("x", r"\d")


def _note_rules() -> NoteRules:
    data = _yaml("note_words.yaml")
    return NoteRules(
        tuple(
            NoteRule(
                kind=kind,
                severity=Severity(row["severity"]),
                title=row["title"],
                pattern=re.compile("|".join(row["patterns"]), re.I),
                when=When(row.get("when", "")),
                always=_any_of(row.get("always")),
                unless=_any_of(row.get("unless")),
                reads_quoted=row.get("quoted", True),
                value=_any_of([row["value"]] if "value" in row else None),
            )
            for kind, row in data["wishes"].items()
        ),
        negated_before=re.compile(data["negations"]["before"], re.I),
        negated_after=re.compile(data["negations"]["after"], re.I),
    )


def _any_of(patterns: list[str] | None) -> re.Pattern[str] | None:
    return re.compile("|".join(patterns), re.I) if patterns else None


def _risk_rules() -> RiskRules:
    data = _yaml("risk_weights.yaml")
    domains = _read("disposable_mail_domains.txt").splitlines()
    return RiskRules(
        version=data["version"],
        weights=data["weights"],
        limits=data["limits"],
        provider_levels=data["provider_levels"],
        freemail_domains=frozenset(data["freemail_domains"]),
        disposable_domains=frozenset(line for line in domains if line and line[0] != "#"),
    )
