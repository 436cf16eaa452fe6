"""Rates by place and day, written apart from the table: islands, enclaves, rates of 2025 and 2026.

Sources: the states' own announcements of rates, Art. 6 and 96 to 129a of Directive 2006/112/EC.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from kette.domain.findings import Severity
from kette.domain.tax_check import check_tax
from kette.domain.vat_territory import vat_area
from kette.policies import load_intake_data
from support.intake_orders import SETUP, address, order, row

TAX = load_intake_data().tax

# what, rate, day, (country, postcode), VAT id, worst severity beyond information
PLACES: list[tuple[str, str | None, str, tuple[str, str], str, str]] = [
    ("FI 25.5", "0.255", "2026-11-01", ("FI", "00100"), "", ""),
    ("FI 24 old", "0.24", "2026-11-01", ("FI", "00100"), "", "error"),
    ("FI 13.5 reduced 2026", "0.135", "2026-11-01", ("FI", "00100"), "", ""),
    ("EE 24 since 2025-07", "0.24", "2026-11-01", ("EE", "10111"), "", ""),
    ("EE 22 before", "0.22", "2025-06-30", ("EE", "10111"), "", ""),
    ("SK 23", "0.23", "2026-11-01", ("SK", "81101"), "", ""),
    ("RO 21", "0.21", "2026-11-01", ("RO", "010011"), "", ""),
    ("RO 19 old", "0.19", "2026-11-01", ("RO", "010011"), "", "error"),
    ("LU 17", "0.17", "2026-11-01", ("LU", "1111"), "", ""),
    ("LT 21", "0.21", "2026-11-01", ("LT", "01100"), "", ""),
    ("LT 12 since 2026", "0.12", "2026-11-01", ("LT", "01100"), "", ""),
    ("Madeira 22", "0.22", "2026-11-01", ("PT", "9000-001"), "", ""),
    ("Azores 16", "0.16", "2026-11-01", ("PT", "9500-001"), "", ""),
    ("PT 23", "0.23", "2026-11-01", ("PT", "1000-001"), "", ""),
    ("Jungholz 19", "0.19", "2026-11-01", ("AT", "6691"), "", ""),
    ("Jungholz 20", "0.20", "2026-11-01", ("AT", "6691"), "", "error"),
    ("Monaco 20", "0.20", "2026-11-01", ("MC", "98000"), "", ""),
    ("Canaries none", None, "2026-11-01", ("ES", "35001"), "", ""),
    ("Canaries 21", "0.21", "2026-11-01", ("ES", "35001"), "", "error"),
    ("Livigno none", None, "2026-11-01", ("IT", "23041"), "", ""),
    ("Helgoland none", None, "2026-11-01", ("DE", "27498"), "", ""),
    ("Åland none", None, "2026-11-01", ("FI", "22100"), "", ""),
    ("AX code none", None, "2026-11-01", ("AX", "22100"), "", ""),
    ("NI none no id", None, "2026-11-01", ("GB", "BT1 5GS"), "", "error"),
    ("NI 20", "0.20", "2026-11-01", ("GB", "BT1 5GS"), "", ""),
    ("GB none", None, "2026-11-01", ("GB", "SW1A 1AA"), "", ""),
    ("Reunion none", None, "2026-11-01", ("FR", "97400"), "", ""),
    ("RE code none", None, "2026-11-01", ("RE", "97400"), "", ""),
    ("Corsica FR 20", "0.20", "2026-11-01", ("FR", "20000"), "", ""),
    ("DE 7 food", "0.07", "2026-11-01", ("DE", "10115"), "", ""),
    ("DE 16 in 2020", "0.16", "2020-09-01", ("DE", "10115"), "", ""),
    ("DE 16 now", "0.16", "2026-11-01", ("DE", "10115"), "", "error"),
    ("CH 8.1", "0.081", "2026-11-01", ("CH", "8001"), "", "warning"),
    ("GR island 17", "0.17", "2026-11-01", ("GR", "81100"), "", ""),
    ("GR 24", "0.24", "2026-11-01", ("GR", "10563"), "", ""),
    ("EL code 24", "0.24", "2026-11-01", ("EL", "10563"), "", ""),
    ("DK free B2B", None, "2026-11-01", ("DK", "2100"), "DK13585628", ""),
    ("DK free own id DE", None, "2026-11-01", ("DK", "2100"), "DE136695976", "error"),
    ("DE free foreign id", None, "2026-11-01", ("DE", "10115"), "ATU13585627", "error"),
    ("IE 23", "0.23", "2026-11-01", ("IE", "D01"), "", ""),
    ("SE 25", "0.25", "2026-11-01", ("SE", "11122"), "", ""),
    ("San Marino none", None, "2026-11-01", ("SM", "47890"), "", ""),
    ("Vatican none", None, "2026-11-01", ("VA", "00120"), "", ""),
    ("Büsingen none", None, "2026-11-01", ("DE", "78266"), "", ""),
    ("Athos none", None, "2026-11-01", ("GR", "63086"), "", ""),
    ("Ceuta none", None, "2026-11-01", ("ES", "51001"), "", ""),
    ("Faroe FO none", None, "2026-11-01", ("FO", "100"), "", ""),
    ("Greenland none", None, "2026-11-01", ("GL", "3900"), "", ""),
    # NO is also YAML's word for false, as a key of the table too.
    ("NO 25", "0.25", "2026-11-01", ("NO", "0150"), "", "warning"),
    ("NO 15 food", "0.15", "2026-11-01", ("NO", "0150"), "", "warning"),
    ("NO 19", "0.19", "2026-11-01", ("NO", "0150"), "", "error"),
    # Places that customers and shops write as part of a member state.
    ("San Marino as Italy", "0.22", "2026-11-01", ("IT", "47890"), "", "error"),
    ("San Marino as Italy none", None, "2026-11-01", ("IT", "47899"), "", ""),
    ("Rimini is Italy", "0.22", "2026-11-01", ("IT", "47921"), "", ""),
    ("Vatican as Italy", "0.22", "2026-11-01", ("IT", "00120"), "", "error"),
    ("Greenland as Denmark", "0.25", "2026-11-01", ("DK", "3900"), "", "error"),
    ("Faroe Islands as Denmark", "0.25", "2026-11-01", ("DK", "FO-100"), "", "error"),
    ("Denmark", "0.25", "2026-11-01", ("DK", "4000"), "", ""),
    # Rates that were valid for some months only.
    ("AT books of 2021", "0.05", "2021-12-31", ("AT", "1010"), "", ""),
    ("AT 5 in 2022", "0.05", "2022-01-01", ("AT", "1010"), "", "error"),
    ("ES bread of late 2024", "0.02", "2024-12-31", ("ES", "28001"), "", ""),
    ("ES oil of late 2024", "0.075", "2024-10-01", ("ES", "28001"), "", ""),
    ("ES 2 in 2025", "0.02", "2025-01-01", ("ES", "28001"), "", "error"),
    ("IE 21 of 2020", "0.21", "2020-12-01", ("IE", "D01 F5P2"), "", ""),
    ("IE 21 after", "0.21", "2021-03-01", ("IE", "D01 F5P2"), "", "error"),
    ("LU 16 of 2023", "0.16", "2023-06-01", ("LU", "1111"), "", ""),
    ("LU 16 after", "0.16", "2024-01-01", ("LU", "1111"), "", "error"),
    # A rate of zero is a rate: few places have it, and some only since a day.
    ("AT 0 hygiene", "0", "2026-01-01", ("AT", "1010"), "", ""),
    ("AT 0 before", "0", "2025-12-31", ("AT", "1010"), "", "error"),
    ("FR 0", "0", "2026-11-01", ("FR", "75011"), "", "error"),
    ("NL 0", "0", "2026-11-01", ("NL", "1015 CJ"), "", ""),
]


@pytest.mark.parametrize(
    ("rate", "day", "place", "vat_id", "worst"),
    [case[1:] for case in PLACES],
    ids=[case[0] for case in PLACES],
)
def test_what_is_right_there_on_that_day(
    rate: str | None, day: str, place: tuple[str, str], vat_id: str, worst: str
) -> None:
    country, postcode = place
    where = address(country_code=country, postal_code=postcode)
    tax = int(10_000 * Decimal(rate)) if rate else 0
    made = order(
        row(10_000, tax, rate),
        billing=where,
        shipping=where,
        vat_id=vat_id,
        placed_at=datetime.fromisoformat(f"{day}T12:00:00").replace(tzinfo=UTC),
    )
    told = {x.severity for x in check_tax(made, where, SETUP, TAX)} - {Severity.INFO}
    assert told == ({Severity(worst)} if worst else set())


def test_every_rate_belongs_to_a_country_or_region() -> None:
    keys = {*TAX.rates, *(t.rates for rows in TAX.territories.values() for t in rows if t.rates)}
    assert [key for key in keys if not re.fullmatch("[A-Z]{2}(-[A-Z]+)?", str(key))] == []
    assert keys == set(TAX.rates)


def test_documents_know_the_same_places_outside_the_vat_area() -> None:
    """They have a table of their own, because they know no rates."""
    outside = [
        (country, t.name, code)
        for country, rows in TAX.territories.items()
        for t in rows
        if not t.rates
        for code in (f"{n:05}" for n in range(100_000))
        if t.pattern.fullmatch(code)
    ]
    assert len({name for _, name, _ in outside}) > 9
    assert {name for country, name, code in outside if vat_area(country, code)} == set()
    assert vat_area("DK", "3900") == vat_area("DK", "FO-100") == ""
    assert vat_area("DK", "4000") == "DK"
