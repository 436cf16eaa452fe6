"""Phone in E.164, mail addresses with a slip of the finger: what is done, what is proposed."""

from __future__ import annotations

import pytest
from kette.domain.address import NormalizedAddress, normalize_address
from kette.domain.findings import Severity
from kette.domain.order import Address
from kette.policies import load_intake_data

RULES = load_intake_data().address


def read(country: str = "DE", **fields: str) -> NormalizedAddress:
    places = {"DE": ("10115", "Berlin"), "AT": ("1060", "Wien"), "GB": ("EC1Y 8SY", "London")}
    code, city = places[country]
    return normalize_address(
        Address("A", "", "Hafenstr. 3", "", code, city, country_code=country, **fields), RULES
    )


PHONES = [
    ("DE", "+49 40 1234567", "+49401234567", []),
    ("DE", "+49 (0)40 1234567", "+49401234567", ["phone_respelled"]),
    ("DE", "040 / 123 45 67", "+49401234567", ["phone_respelled"]),
    ("DE", "0049 40 1234567", "+49401234567", ["phone_respelled"]),
    ("DE", "+43 1 5134567", "+4315134567", ["phone_other_country"]),
    ("AT", "01 5134567", "+4315134567", ["phone_respelled"]),
    ("GB", "020 7946 0018", "+442079460018", ["phone_respelled"]),
    ("DE", "12", "12", ["phone_invalid"]),
    ("DE", "call me", "call me", ["phone_invalid"]),
    ("DE", "0" * 500, "0" * 500, ["phone_invalid"]),
    ("DE", "", "", []),
]


@pytest.mark.parametrize(("country", "typed", "expected", "codes"), PHONES)
def test_phone(country: str, typed: str, expected: str, codes: list[str]) -> None:
    found = read(country, phone=typed)
    assert found.phone == expected
    assert [finding.code for finding in found.findings] == codes
    assert found.deliverable
    assert all(finding.exception_kind == "" for finding in found.findings)


@pytest.mark.parametrize(
    ("typed", "proposal"),
    [
        ("anke@gmial.com", "anke@gmail.com"),
        ("Anke.P@GMX.DEE", "Anke.P@gmx.de"),
        ("anke@t-onlin.de", "anke@t-online.de"),
        ("anke@hotmial.com", "anke@hotmail.com"),
    ],
)
def test_a_slip_in_a_mail_domain_is_proposed_and_not_changed(typed: str, proposal: str) -> None:
    found = read(email=typed)
    assert found.email == typed
    assert [(f.code, f.severity, f.before, f.after) for f in found.findings] == [
        ("email_typo", Severity.WARNING, typed, proposal)
    ]


@pytest.mark.parametrize(
    "typed", ["anke@gmail.com", "anke+shop@mail.example.org", "größe@müller.example", "a@b.de", ""]
)
def test_usual_mail_addresses_are_left_alone(typed: str) -> None:
    found = read(email=typed)
    assert (found.email, found.findings) == (typed, ())


@pytest.mark.parametrize(
    "typed", ["anke", "anke@", "@b.de", "a b@c.de", "a@b", "x" * 300 + "@b.de"]
)
def test_what_is_no_mail_address_is_pointed_out(typed: str) -> None:
    assert [finding.code for finding in read(email=typed).findings] == ["email_suspicious"]


def test_no_proposed_domain_is_itself_taken_for_a_slip() -> None:
    assert set(RULES.mail_domains.values()) & set(RULES.mail_domains) == set()
