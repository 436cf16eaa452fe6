"""Street lines, as customers type them: what is certain, what is only proposed."""

from __future__ import annotations

import pytest
from kette.domain.address import AddressKind, NormalizedAddress, normalize_address
from kette.domain.findings import Severity
from kette.domain.order import Address
from kette.policies import load_intake_data

POSTCODES = {"DE": "10115", "AT": "1060", "CH": "8001", "NL": "1015 CJ", "FR": "75011",
             "US": "10118", "GB": "EC1Y 8SY", "ES": "28013", "IT": "00144"}  # fmt: skip


def read(line1: str, line2: str = "", country: str = "DE", **fields: str) -> NormalizedAddress:
    typed = {
        "name": "Rita Zwei",
        "city": "Berlin",
        "postal_code": POSTCODES.get(country, ""),
        "country_code": country,
        **fields,
    }
    return normalize_address(Address(line1=line1, line2=line2, **typed), load_intake_data().address)


def parts(address: NormalizedAddress) -> tuple[str, str, str]:
    return address.street, address.house_number, address.addition


CERTAIN = [
    # German lines
    ("DE", "Musterstr. 12a", "", ("Musterstr.", "12a", "")),
    ("DE", "Musterstr. 12 a", "", ("Musterstr.", "12 a", "")),
    ("DE", "Industriestr. 7-9", "", ("Industriestr.", "7-9", "")),
    ("DE", "Weg 7-9 c/o Müller", "", ("Weg", "7-9", "c/o Müller")),
    ("DE", "Musterstr. 12 – 14", "", ("Musterstr.", "12 – 14", "")),
    ("DE", "Musterstr. 12 bis 14", "", ("Musterstr.", "12 bis 14", "")),
    ("DE", "Musterstr. 12 1/2", "", ("Musterstr.", "12 1/2", "")),
    ("DE", "Musterstr. 12½", "", ("Musterstr.", "12½", "")),
    ("DE", "Musterstr. 12/14", "", ("Musterstr.", "12/14", "")),
    ("DE", "Hauptstr. 5b-c", "", ("Hauptstr.", "5b-c", "")),
    ("DE", "Karl-Marx-Str. 12 A-C", "", ("Karl-Marx-Str.", "12 A-C", "")),
    ("DE", "Hauptstr.12", "", ("Hauptstr.", "12", "")),
    ("DE", "Hauptstraße12", "", ("Hauptstraße", "12", "")),
    ("DE", "Hauptstr. Nr. 12", "", ("Hauptstr.", "12", "")),
    ("DE", "Hauptstr. 12.", "", ("Hauptstr.", "12", "")),
    ("DE", "Am Markt 1", "", ("Am Markt", "1", "")),
    ("DE", "Lange Reihe 88", "", ("Lange Reihe", "88", "")),
    ("DE", "Platz der Republik 1", "", ("Platz der Republik", "1", "")),
    ("DE", "Straße des 17. Juni 135", "", ("Straße des 17. Juni", "135", "")),
    ("DE", "1. Mai Straße 4", "", ("1. Mai Straße", "4", "")),
    ("DE", "Straße 16 3", "", ("Straße 16", "3", "")),
    ("DE", "Straße 16 Nr. 3", "", ("Straße 16", "3", "")),
    ("DE", "An der B96 12", "", ("An der B96", "12", "")),
    ("DE", "17 Rosenweg", "", ("Rosenweg", "17", "")),
    ("DE", "17 Rosenweg 3. OG", "", ("Rosenweg", "17", "3. OG")),
    # what stands behind or around
    ("DE", "Hauptstr. 12 Hinterhaus", "", ("Hauptstr.", "12", "Hinterhaus")),
    ("DE", "Hauptstr. 12, Hinterhaus", "2. Hof", ("Hauptstr.", "12", "Hinterhaus, 2. Hof")),
    ("DE", "Hinterhaus, Hauptstr. 12", "", ("Hauptstr.", "12", "Hinterhaus")),
    ("DE", "Hauptstr. 12 3. OG links", "", ("Hauptstr.", "12", "3. OG links")),
    ("DE", "Hauptstr. 12, 3. OG", "", ("Hauptstr.", "12", "3. OG")),
    ("DE", "Hauptstr. 12 // 2. Hof", "", ("Hauptstr.", "12", "2. Hof")),
    ("DE", "Hauptstr. 12 (Hof)", "", ("Hauptstr.", "12", "(Hof)")),
    ("DE", "Hauptstr. 12 c/o Müller", "", ("Hauptstr.", "12", "c/o Müller")),
    ("DE", "Hauptstr. 12 a c/o Müller", "", ("Hauptstr.", "12 a", "c/o Müller")),
    ("DE", "Hauptstr. 12 bei Schulze", "", ("Hauptstr.", "12", "bei Schulze")),
    ("DE", "Schloßstraße 12 Haus 3", "", ("Schloßstraße", "12", "Haus 3")),
    ("DE", "Bahnhofstr. 3 Whg 12", "", ("Bahnhofstr.", "3", "Whg 12")),
    ("DE", "Dorfstr. 5", "bei Schulze", ("Dorfstr.", "5", "bei Schulze")),
    ("DE", "Musterweg 5 EG", "", ("Musterweg", "5", "EG")),
    ("DE", "Musterweg 5 DG rechts", "", ("Musterweg", "5", "DG rechts")),
    ("DE", "Musterweg 5 II", "", ("Musterweg", "5", "II")),
    ("DE", "Musterweg 5 I. Stock", "", ("Musterweg", "5", "I. Stock")),
    ("DE", "Musterweg 5 2OG", "", ("Musterweg", "5", "2OG")),
    ("DE", "Musterweg 5/II", "", ("Musterweg", "5/II", "")),
    ("DE", "Musterstr. 12/3. OG", "", ("Musterstr.", "12", "3. OG")),
    ("DE", "Musterstr. 12.1", "", ("Musterstr.", "12.1", "")),
    ("DE", "Musterstr. 12aa", "", ("Musterstr.", "12aa", "")),
    ("DE", "Musterweg 5 App.123", "", ("Musterweg", "5", "App.123")),
    ("DE", "Hauptstr. 7 Fa. Meier", "", ("Hauptstr.", "7", "Fa. Meier")),
    ("DE", "Hauptstr. 7 z. Hd. Frau Meier", "", ("Hauptstr.", "7", "z. Hd. Frau Meier")),
    ("DE", "Hauptstr 7,c/o Firma X", "", ("Hauptstr", "7", "c/o Firma X")),
    ("DE", "An den 12 Aposteln 3", "", ("An den 12 Aposteln", "3", "")),
    ("DE", "Hauptstr. 12 blah", "", ("Hauptstr.", "12", "blah")),
    ("DE", "Hauptstr. 5, 10115 Berlin", "", ("Hauptstr.", "5", "")),
    ("NL", "Plein 1944 12", "", ("Plein 1944", "12", "")),
    # second line
    ("DE", "Lindenallee", "44 b", ("Lindenallee", "44 b", "")),
    ("DE", "Lindenallee", "44 b, Hinterhaus", ("Lindenallee", "44 b", "Hinterhaus")),
    ("DE", "Lindenallee Nr.", "44", ("Lindenallee", "44", "")),
    ("DE", "Lindenallee,", "44", ("Lindenallee", "44", "")),
    ("DE", "", "Hauptstr. 5", ("Hauptstr.", "5", "")),
    ("DE", "Müller GmbH", "Hauptstr. 5", ("Hauptstr.", "5", "Müller GmbH")),
    ("DE", "Gutshof Seeblick", "Dorfweg 2", ("Dorfweg", "2", "Gutshof Seeblick")),
    # neighbours
    ("AT", "Mariahilfer Straße 45/3/12", "", ("Mariahilfer Straße", "45/3/12", "")),
    ("AT", "Hauptstr. 5 Stiege 3 Tür 12", "", ("Hauptstr.", "5", "Stiege 3 Tür 12")),
    ("AT", "Hauptstr. 5 Top 4", "", ("Hauptstr.", "5", "Top 4")),
    ("AT", "Dorf 17", "", ("Dorf", "17", "")),
    ("CH", "Bahnhofstrasse 1", "", ("Bahnhofstrasse", "1", "")),
    ("NL", "Keizersgracht 123-II", "", ("Keizersgracht", "123-II", "")),
    ("NL", "Keizersgracht 123 hs", "", ("Keizersgracht", "123 hs", "")),
    ("NL", "2e Jan van der Heijdenstraat 5", "", ("2e Jan van der Heijdenstraat", "5", "")),
    ("NL", "Straat 12 bis", "", ("Straat", "12 bis", "")),
    ("FR", "12 bis rue de l'Église", "", ("rue de l'Église", "12 bis", "")),
    ("FR", "12-14 rue X", "", ("rue X", "12-14", "")),
    ("FR", "12, rue de la Paix", "", ("rue de la Paix", "12", "")),
    ("FR", "5 ter avenue Foch", "", ("avenue Foch", "5 ter", "")),
    ("FR", "3 place du 11 Novembre", "", ("place du 11 Novembre", "3", "")),
    ("FR", "rue de la Paix 12", "", ("rue de la Paix", "12", "")),
    ("FR", "Résidence Les Pins, 12 rue X", "", ("rue X", "12", "Résidence Les Pins")),
    ("US", "350 Fifth Avenue", "", ("Fifth Avenue", "350", "")),
    ("US", "123 1/2 N Main St #4", "", ("N Main St", "123 1/2", "#4")),
    ("US", "574½ E 10th Street", "", ("E 10th Street", "574½", "")),
    ("GB", "10 Downing Street", "", ("Downing Street", "10", "")),
]


@pytest.mark.parametrize(("country", "line1", "line2", "expected"), CERTAIN)
def test_certain_reading(
    country: str, line1: str, line2: str, expected: tuple[str, str, str]
) -> None:
    found = read(line1, line2, country)
    assert parts(found) == expected
    assert all(finding.severity is Severity.INFO for finding in found.findings)
    assert found.deliverable


UNCERTAIN = [
    ("DE", "Lindenallee 3 Stock", "", "Lindenallee 3"),
    ("DE", "17 Rosen", "", "Rosen 17"),
    ("DE", "Hauptstr. 5 12", "", "Hauptstr. 5"),
    ("DE", "12", "", "Berlin 12"),
    ("DE", "Nr. 17", "", "Berlin 17"),
    ("DE", "12 Hauptstr. 5", "", "12 Hauptstr. 5"),
]


@pytest.mark.parametrize(("country", "line1", "line2", "proposal"), UNCERTAIN)
def test_uncertain_reading_is_proposed_and_changes_nothing(
    country: str, line1: str, line2: str, proposal: str
) -> None:
    found = read(line1, line2, country)
    assert parts(found) == (line1, "", line2)
    assert [(f.code, f.severity, f.before, f.after, f.exception_kind) for f in found.findings] == [
        ("house_number_uncertain", Severity.WARNING, line1, proposal, "invalid_address")
    ]


def test_two_streets_without_a_number_in_the_first() -> None:
    found = read("Rosenweg", "Hauptstr. 5")
    assert parts(found) == ("Rosenweg", "", "Hauptstr. 5")
    assert [finding.code for finding in found.findings] == ["house_number_uncertain"]


MISSING = [
    ("DE", "Gutshof Seeblick", "", Severity.WARNING, ""),
    ("DE", "Seeblick", "", Severity.ERROR, ""),
    ("DE", "Straße des 17. Juni", "", Severity.ERROR, ""),
    ("DE", "An der B96", "", Severity.ERROR, ""),
    ("DE", "Hauptstr. 0", "", Severity.ERROR, ""),
    ("DE", "Lindenallee", "3. OG", Severity.ERROR, ""),
    ("DE", "Lindenallee", "44 Hinterhaus", Severity.WARNING, "Lindenallee 44"),
    ("AT", "Hauptplatz", "", Severity.ERROR, ""),
    ("NL", "Keizersgracht", "", Severity.ERROR, ""),
    ("FR", "Lieu-dit Le Moulin", "", Severity.WARNING, ""),
]


@pytest.mark.parametrize(("country", "line1", "line2", "severity", "proposal"), MISSING)
def test_missing_house_number(
    country: str, line1: str, line2: str, severity: Severity, proposal: str
) -> None:
    found = read(line1, line2, country)
    assert parts(found) == (line1, "", line2)
    assert [(f.code, f.severity, f.before, f.after) for f in found.findings] == [
        ("house_number_missing", severity, line1, proposal)
    ]
    assert found.deliverable is (severity is not Severity.ERROR)


@pytest.mark.parametrize(
    ("country", "line1"),
    [("GB", "Rose Cottage"), ("ES", "Calle Mayor s/n"), ("IT", "Via Roma snc")],
)
def test_places_that_need_no_house_number(country: str, line1: str) -> None:
    found = read(line1, "", country)
    assert found.deliverable
    assert all(finding.severity is Severity.INFO for finding in found.findings)


def test_house_numbers_need_not_be_checked() -> None:
    typed = Address(
        name="A", line1="Seeblick", postal_code="18586", city="Sellin", country_code="DE"
    )
    found = normalize_address(typed, load_intake_data().address, check_house_number=False)
    assert (found.deliverable, found.findings) == (True, ())


@pytest.mark.parametrize("line", ["Q7, 24", "Q 7, 24", "Q7 24", "C 4, 9b"])
def test_squares_of_mannheim(line: str) -> None:
    found = read(line, city="Mannheim", postal_code="68161")
    assert found.house_number in ("24", "9b")
    assert found.street in ("Q7", "Q 7", "C 4")
    assert found.findings == ()


def test_street_missing() -> None:
    found = read("")
    assert [(f.code, f.is_blocking) for f in found.findings] == [("street_missing", True)]


def test_very_long_lines_are_left_alone() -> None:
    line = "Hauptstr. 12 " * 100
    found = read(line)
    assert (found.street, found.house_number) == (line.strip(), "")


def test_label_lines_follow_the_country() -> None:
    german = read("Hauptstr. 12, 3. OG", company="Zwei & Söhne")
    assert german.lines == ("Rita Zwei", "Zwei & Söhne", "3. OG", "Hauptstr. 12", "10115 Berlin")
    assert read("12 rue X", country="FR", city="Paris").lines == (
        "Rita Zwei", "12 rue X", "75011 Paris",
    )  # fmt: skip
    american = read("350 Fifth Avenue", country="US", city="New York", region="NY")
    assert american.lines == ("Rita Zwei", "350 Fifth Avenue", "New York, NY 10118")


def test_kind_of_a_door_is_street() -> None:
    assert read("Hauptstr. 12").kind is AddressKind.STREET
