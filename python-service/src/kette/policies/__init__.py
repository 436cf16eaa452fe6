"""Versioned data for the rules, and its loader. Nothing is read at import."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from kette.domain.address.model import AddressRules, CountryRules
from kette.domain.findings import Severity
from kette.domain.intake_data import IntakeData
from kette.domain.notes import NoteRule, NoteRules
from kette.domain.risk import RiskRules
from kette.domain.tax_place import RatePeriod, TaxTable, Territory

_SINCE_EVER = date(2000, 1, 1)


@cache
def load_intake_data() -> IntakeData:
    """Everything the intake rules know, read from this package once per process."""
    return IntakeData(
        address=_address_rules(),
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


def _address_rules() -> AddressRules:
    words = _yaml("address_words.yaml")
    return AddressRules(
        countries={code: _country(code, row) for code, row in _yaml("countries.yaml").items()},
        country_names={name.casefold(): code for name, code in words["country_names"].items()},
        street_ends=tuple(word.casefold() for word in words["street_ends"]),
        street_words=_folded(words["street_words"]),
        numbered_streets=_folded(words["numbered_streets"]),
        additions=_folded(words["additions"]),
        floors=_folded(words["floors"]),
        number_label=re.compile(rf"(?:^|[\s,])(?:{_any_of(words['number_labels'])})\Z", re.I),
        no_number=re.compile(rf"(?:^|[\s,])(?:{_any_of(words['no_number'])})\Z", re.I),
        po_box=re.compile(rf"(?:{_any_of(words['po_boxes'])})(?:\W|\d|\Z)", re.I),
    )


def _folded(words: list[str]) -> frozenset[str]:
    return frozenset(word.casefold() for word in words)


def _any_of(words: list[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


def _country(code: str, row: dict[str, str]) -> CountryRules:
    return CountryRules(
        code=code,
        postal_code=row["postal_code"],
        pattern=re.compile(row["pattern"], re.ASCII) if row["pattern"] else None,
        example=row["example"],
        house_number=row["house_number"],
        number_first=row["number"] == "before",
        label=tuple(
            tuple(part.removeprefix("%") for part in re.findall(r"%[A-Z]|[^%]+", line))
            for line in row["format"].split("%n")
        ),
    )


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
    return NoteRules(
        tuple(
            NoteRule(
                kind=kind,
                severity=Severity(row["severity"]),
                title=row["title"],
                pattern=re.compile("|".join(row["patterns"]), re.I),
                unless=re.compile("|".join(row["unless"]), re.I) if row.get("unless") else None,
                value=re.compile(row["value"], re.I) if row.get("value") else None,
            )
            for kind, row in _yaml("note_words.yaml").items()
        )
    )


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
