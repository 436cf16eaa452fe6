"""Parts of countries with a tax or customs law of their own, and addresses of forces."""

from __future__ import annotations

import re

import pytest
from kette.domain.address import NormalizedAddress, normalize_address
from kette.domain.findings import Severity
from kette.domain.order import Address
from kette.policies import load_intake_data

DATA = load_intake_data()
RULES = DATA.address


def read(country: str, code: str, city: str = "X", **fields: str) -> NormalizedAddress:
    return normalize_address(
        Address("A", "", "Hafenstr. 3", "", code, city, country_code=country, **fields), RULES
    )


# country, postal code, needs a customs declaration, code that carriers expect
TERRITORIES = [
    ("DE", "27498", True, ""),
    ("DE", "78266", True, ""),
    ("IT", "23041", True, ""),
    ("IT", "22061", False, ""),
    ("ES", "35001", False, "IC"),
    ("ES", "38001", False, "IC"),
    ("ES", "51001", True, "EA"),
    ("FI", "22100", False, "AX"),
    ("FR", "97410", False, "RE"),
    ("FR", "97500", True, "PM"),
    ("FR", "20000", False, ""),
    ("GR", "630 86", False, ""),
    ("PT", "9000-018", False, ""),
    ("GB", "BT1 5GS", False, "XI"),
    ("GB", "JE2 4WD", False, "JE"),
    ("AT", "6691", False, ""),
    ("NO", "9170", True, "SJ"),
    ("US", "00901", False, "PR"),
]


@pytest.mark.parametrize(("country", "code", "customs", "iso"), TERRITORIES)
def test_a_special_territory_is_told(country: str, code: str, customs: bool, iso: str) -> None:
    found = read(country, code)
    told = [finding for finding in found.findings if finding.code == "special_territory"]
    assert [(f.field, f.after, f.severity is Severity.WARNING) for f in told] == [
        ("postal_code", iso, customs)
    ]
    assert (
        "customs declaration" in told[0].message
        if customs
        else "declaration" not in told[0].message
    )
    assert (found.country_code, found.postal_code) == (country, code)


@pytest.mark.parametrize(
    ("country", "code"), [("DE", "10115"), ("ES", "28013"), ("FR", "75011"), ("GB", "EC1Y 8SY")]
)
def test_the_mainland_is_no_territory(country: str, code: str) -> None:
    assert "special_territory" not in {finding.code for finding in read(country, code).findings}


def test_every_territory_outside_the_tax_area_is_known_here_too() -> None:
    """The tax rules have a list of their own; an address must not know less than they do."""
    unknown = []
    for country, territories in DATA.tax.territories.items():
        for territory in territories:
            code = _example(territory.pattern.pattern)
            if not any(t.pattern.fullmatch(code) for t in RULES.territories.get(country, ())):
                unknown.append((country, territory.name, code))
    assert unknown == []


def _example(pattern: str) -> str:
    first = pattern.split("|")[0].replace("BT.*", "BT15GS")
    return re.sub(r"\[(\d)-\d\]", r"\1", first.replace(r"\d", "0"))


@pytest.mark.parametrize(
    "fields",
    [
        {"line1": "PSC 1234 Box 5678", "city": "APO", "region": "AE", "postal_code": "09012"},
        {"line1": "Unit 2050 Box 4190", "city": "FPO", "region": "AP", "postal_code": "96278"},
        {"line1": "CMR 456 Box 12", "city": "APO", "region": "AE", "postal_code": "09128"},
        {"line1": "PSC 12 Box 34", "city": "DPO", "region": "AA", "postal_code": "34022"},
    ],
)
def test_an_address_of_the_forces_stays_whole(fields: dict[str, str]) -> None:
    found = normalize_address(Address(name="A", country_code="US", **fields), RULES)
    assert (found.street, found.house_number) == (fields["line1"], "")
    assert [finding.code for finding in found.findings] == ["military_address"]
    assert found.deliverable
