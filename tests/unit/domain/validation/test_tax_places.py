"""Rates by place and day, written apart from the table: islands, enclaves, rates of 2025 and 2026.

Sources: the states' own announcements of rates, Art. 6 and 96 to 129a of Directive 2006/112/EC.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from kette.domain.findings import Severity
from kette.domain.tax_check import check_tax
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
