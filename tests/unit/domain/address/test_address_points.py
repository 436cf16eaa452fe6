"""Packstation, Postfiliale, PO box, in any field (dhl-shipping-m2#30, germanized#83)."""

from __future__ import annotations

import pytest
from kette.domain.address import AddressKind, NormalizedAddress, normalize_address
from kette.domain.order import Address
from kette.policies import load_intake_data


def read(**fields: str) -> NormalizedAddress:
    typed = {"name": "Nina Paket", "postal_code": "10115", "city": "Berlin", "country_code": "DE"}
    return normalize_address(Address(**{**typed, **fields}), load_intake_data().address)


PACKSTATIONS = [
    {"line1": "Packstation 123", "line2": "12345678"},
    {"line1": "12345678", "line2": "Packstation 123"},
    {"line1": "Packstation123", "line2": "Postnummer12345678"},
    {"line1": "PACKSTATION 123", "line2": "Postnummer: 12345678"},
    {"line1": "DHL Packstation Nr. 123", "line2": "PostNr. 12345678"},
    {"line1": "Packstation 123 / 12345678"},
    {"line1": "Packstation 123, Post-Nr. 12345678"},
    {"line1": "Packstation 123", "line2": "PN: 12345678"},
    {"line1": "Packstation", "line2": "123", "company": "12345678"},
    {"line1": "Packstation 123", "company": "12345678"},
    {"line1": "Packstation 123", "company": "DHL 12345678"},
    {"line1": "Packstation 123", "line2": "1234 5678"},
    {"line1": "Pack-Station 123", "name": "Nina Paket 12345678"},
    {"line2": "Packstation 123", "company": "Postnummer 12345678"},
    {"company": "Packstation 123", "line1": "12345678"},
]


@pytest.mark.parametrize("fields", PACKSTATIONS)
def test_packstation_in_any_field(fields: dict[str, str]) -> None:
    found = read(**fields)
    assert found.kind is AddressKind.PACKSTATION
    assert (found.street, found.house_number) == ("Packstation", "123")
    assert (found.locker_number, found.post_number) == ("123", "12345678")
    assert (found.findings, found.deliverable) == ((), True)
    assert found.lines == ("Nina Paket", "12345678", "Packstation 123", "10115 Berlin")


def codes(found: NormalizedAddress) -> list[tuple[str, bool]]:
    return [(finding.code, finding.is_blocking) for finding in found.findings]


def test_packstation_without_postnummer_is_refused() -> None:
    found = read(line1="Packstation 123")
    assert codes(found) == [("post_number_missing", True)]
    assert found.findings[0].exception_kind == "invalid_address"
    assert not found.deliverable


@pytest.mark.parametrize("line", ["Packstation", "Packstation 12", "Packstation 1234"])
def test_packstation_without_a_number_of_three_digits(line: str) -> None:
    assert codes(read(line1=line, line2="Postnummer 12345678")) == [("locker_number_missing", True)]


def test_postfiliale_without_postnummer_depends_on_a_mail_address() -> None:
    """DHL hands out against an identity card where it can send a notice."""
    assert codes(read(line1="Postfiliale 501")) == [("post_number_missing", True)]
    with_mail = read(line1="Postfiliale 501", email="nina@example.org")
    assert codes(with_mail) == [("post_number_missing", False)]
    assert with_mail.kind is AddressKind.POSTFILIALE


def test_postfiliale_with_postnummer() -> None:
    found = read(line1="Postfiliale 501", line2="1234567")
    assert (found.kind, found.locker_number, found.post_number, found.findings) == (
        AddressKind.POSTFILIALE, "501", "1234567", (),
    )  # fmt: skip


def test_street_beside_a_packstation_is_kept_and_pointed_out() -> None:
    found = read(line1="Hauptstr. 5", company="Packstation 123 12345678")
    assert codes(found) == [("street_beside_parcel_point", False)]
    assert found.addition == "Hauptstr. 5"
    assert found.post_number == "12345678"


def test_packstation_abroad_does_not_exist() -> None:
    found = read(line1="Packstation 123", line2="12345678", country_code="AT", postal_code="1010")
    assert codes(found) == [("parcel_point_abroad", True)]


@pytest.mark.parametrize("line", ["Shopstraße 5", "Bahnstation 3", "Am Postfilialenweg 2"])
def test_streets_that_sound_like_it(line: str) -> None:
    found = read(line1=line)
    assert (found.kind, found.findings) == (AddressKind.STREET, ())


@pytest.mark.parametrize(
    ("line", "country", "postcode"),
    [("Postfach 12 34 56", "DE", "10115"), ("BP 123", "FR", "75011"),
     ("PO Box 12", "GB", "EC1Y 8SY"),
     ("Postbus 12", "NL", "1015 CJ"), ("Case postale 12", "CH", "8001")],
)  # fmt: skip
def test_po_box_is_pointed_out(line: str, country: str, postcode: str) -> None:
    found = read(line1=line, country_code=country, postal_code=postcode)
    assert found.kind is AddressKind.PO_BOX
    assert codes(found) == [("po_box", False)]
    assert f"{found.street} {found.house_number}" == line
    assert line in found.lines


@pytest.mark.parametrize(
    ("line", "country", "postcode"),
    [("My Post 24", "CH", "8001"), ("Paczkomat WAW123M", "PL", "00-590")],
)
def test_points_of_other_carriers_are_pointed_out(line: str, country: str, postcode: str) -> None:
    found = read(line1=line, country_code=country, postal_code=postcode, city="")
    assert "parcel_point_other" in [code for code, _ in codes(found)]
