"""IBANs in notes: told without being repeated, and told from other numbers."""

from __future__ import annotations

import pytest
from kette.domain.bank_data import bank_data_findings


@pytest.mark.parametrize(
    ("note", "codes"),
    [
        ("Bitte Erstattung an DE02120300000000202051", ["note_bank_data"]),
        ("refund to de02 1203 0000 0000 2020 51 please", ["note_bank_data"]),
        ("IBAN: AT61 1904 3002 3457 3201, BIC ...", ["note_bank_data"]),
        ("my account NL91ABNA0417164300.", ["note_bank_data"]),
        ("IBAN DE02 1203 0000 0000 2020 52", ["note_iban_invalid"]),
        ("DE02 1203 0000 0000 2020 52", []),  # may be anything
        ("Bestellnummer AB12345678901234", []),
        ("USt-IdNr. DE136695976", []),
        ("Tel. +49 171 1234567, Kunde KD20 2611 2300", []),
        ("", []),
        ("DE02 " * 900, []),
        ("A1" * 2000, []),
    ],
)
def test_what_is_bank_data(note: str, codes: list[str]) -> None:
    assert [finding.code for finding in bank_data_findings(note)] == codes


def test_only_a_part_is_shown() -> None:
    (found,) = bank_data_findings("Erstattung: DE02 1203 0000 0000 2020 51")
    assert found.message == "the customer gave bank data: DE...2051"
    assert "1203" not in str(found)
    assert not found.is_blocking
