"""Postal code, city, country: the country's spelling, and what cannot be right."""

from __future__ import annotations

import re

import pytest
from kette.domain.address import NormalizedAddress, normalize_address
from kette.domain.findings import Severity
from kette.domain.order import Address
from kette.policies import load_intake_data

RULES = load_intake_data().address


def read(country: str, postal_code: str, city: str = "Berlin", **fields: str) -> NormalizedAddress:
    typed = Address(
        name="A",
        line1="Bergstr. 8",
        postal_code=postal_code,
        city=city,
        country_code=country,
        **fields,
    )
    return normalize_address(typed, RULES)


RESPELLED = [
    ("DE", "D-22767", "22767"),
    ("DE", "DE 22767", "22767"),
    ("DE", "22 767", "22767"),
    ("AT", "A-1060", "1060"),
    ("CH", "CH-8001", "8001"),
    ("NL", "1015cj", "1015 CJ"),
    ("NL", "NL-1015 CJ", "1015 CJ"),
    ("FR", "75 011", "75011"),
    ("PL", "00950", "00-950"),
    ("SE", "11455", "114 55"),
    ("CZ", "10000", "100 00"),
    ("GB", "ec1y8sy", "EC1Y 8SY"),
    ("GB", "m25bq", "M2 5BQ"),
    ("CA", "h3z2y7", "H3Z 2Y7"),
]


@pytest.mark.parametrize(("country", "typed", "expected"), RESPELLED)
def test_postal_code_in_the_spelling_of_the_country(
    country: str, typed: str, expected: str
) -> None:
    found = read(country, typed)
    assert found.postal_code == expected
    spelled = [f for f in found.findings if f.code == "postal_code_respelled"]
    assert [(f.severity, f.before, f.after) for f in spelled] == [(Severity.INFO, typed, expected)]


INVALID = [
    ("DE", "4109", "04109"),
    ("DE", "O4109", "04109"),
    ("DE", "00123", ""),
    ("DE", "227670", ""),
    ("DE", "A-22767", ""),
    ("AT", "0123", ""),
    ("AT", "10115", ""),
    ("CH", "801", ""),
    ("NL", "1015", ""),
    ("NL", "0015 CJ", ""),
    ("FR", "7501", "07501"),
    ("GB", "12345", ""),
    ("DE", "x" * 10_000, ""),
]


@pytest.mark.parametrize(("country", "typed", "proposal"), INVALID)
def test_postal_code_that_cannot_be(country: str, typed: str, proposal: str) -> None:
    found = read(country, typed)
    assert found.postal_code == typed
    assert not found.deliverable
    bad = [f for f in found.findings if f.code == "postal_code_invalid"]
    assert [(f.field, f.severity, f.after, f.exception_kind) for f in bad] == [
        ("postal_code", Severity.ERROR, proposal, "invalid_address")
    ]


def test_missing_postal_code() -> None:
    found = read("DE", "")
    assert [(f.code, f.is_blocking) for f in found.findings] == [("postal_code_missing", True)]


@pytest.mark.parametrize("country", ["HK", "AE"])
def test_countries_without_postal_code(country: str) -> None:
    assert not [f for f in read(country, "").findings if f.code.startswith("postal_code")]


def test_postal_code_and_city_in_one_field() -> None:
    found = read("DE", "", "22767 Hamburg")
    assert (found.postal_code, found.city, found.deliverable) == ("22767", "Hamburg", True)
    assert [f.code for f in found.findings] == ["postal_code_from_city"]


def test_postal_code_and_city_swapped() -> None:
    found = read("DE", "Hamburg", "22767")
    assert (found.postal_code, found.city, found.deliverable) == ("22767", "Hamburg", True)
    assert [(f.code, f.after) for f in found.findings] == [("postal_code_city_swapped", "22767")]


@pytest.mark.parametrize(
    ("typed", "code"),
    [("Deutschland", "DE"), ("de", "DE"), ("UK", "GB"), ("Österreich", "AT"), ("EL", "GR")],
)
def test_country_written_out(typed: str, code: str) -> None:
    found = read(typed, "22767")
    assert found.country_code == code
    assert ("country_respelled", typed, code) in {
        (f.code, f.before, f.after) for f in found.findings
    }


@pytest.mark.parametrize(
    ("typed", "code"),
    [("", "country_missing"), ("XX", "country_unknown"), ("Atlantis", "country_unknown")],
)
def test_country_that_is_none(typed: str, code: str) -> None:
    found = read(typed, "22767")
    assert (found.country_code, found.deliverable) == (typed, False)
    assert [f.code for f in found.findings] == [code]


def test_region_without_the_country() -> None:
    assert read("DE", "22767", region="DE-HH").region == "HH"
    assert read("US", "10118", region="NY").region == "NY"


def test_missing_city() -> None:
    assert [f.code for f in read("DE", "22767", "").findings] == ["city_missing"]


def test_invisible_characters_and_blanks_go() -> None:
    found = normalize_address(
        Address(name=" Anke\u200b  Petersen\n", line1="Hafenstr.\u00a0\u00a03",
                postal_code="22767\u200e",
                city="Hamburg", country_code="DE"),
        RULES,
    )  # fmt: skip
    assert (found.name, found.street, found.house_number) == ("Anke Petersen", "Hafenstr.", "3")
    assert found.findings == ()


@pytest.mark.parametrize("code", sorted(RULES.countries))
def test_example_of_every_country_fits_its_own_pattern(code: str) -> None:
    rules = RULES.countries[code]
    assert rules.postal_code in ("required", "optional", "none")
    assert rules.house_number in ("required", "usual", "optional")
    if rules.example:
        assert rules.pattern is not None
        assert re.fullmatch(rules.pattern, rules.example)
        found = read(code, rules.example)
        assert found.postal_code == rules.example
    assert any("A" in line for line in rules.label)
