"""Which VAT area a delivery address belongs to: an EU state, or outside.

The country alone is not enough: Helgoland, Büsingen, Livigno, the Canaries and others are outside
the VAT area (Art. 6 VAT directive; European Commission, "territorial status", read 2026-11).
Recognised by postcode. Limits: an address without postcode is taken as mainland; consumers in
Büsingen and Helgoland may fall under § 1 (3) UStG, which the shop's own tax decides.
"""

from __future__ import annotations

import re

EU_STATES = frozenset(
    {"AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU"}
    | {"IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"}
)

# Codes under which shops send a territory of an EU state; VAT ids use EL for Greece.
_ALIASES = {"EL": "GR", "MC": "FR"}

_OUTSIDE: dict[str, re.Pattern[str]] = {
    country: re.compile(pattern, re.ASCII)
    for country, pattern in {
        "DE": r"78266|27498",
        "DK": r"39\d\d|[1-9]\d\d",
        "IT": r"23030|23041|2206[01]|4789\d|00120",
        "ES": r"35\d{3}|38\d{3}|51\d{3}|52\d{3}",
        "FI": r"22\d{3}",
        "FR": r"97[1-8]\d{2}|98[678]\d{2}",
        "GR": r"63086|63087",
    }.items()
}


def vat_area(country_code: str, postal_code: str = "") -> str:
    """ISO code of the EU state whose VAT applies, or "" for a place outside the EU's VAT area.

    Northern Ireland (GB with a BT postcode) counts as "XI": EU for goods.

    >>> vat_area("AT"), vat_area("DE", "27498"), vat_area("CH"), vat_area("GB", "BT1 5GS")
    ('AT', '', '', 'XI')
    """
    country = country_code.strip().upper()
    country = _ALIASES.get(country, country)
    postcode = re.sub(r"\s", "", postal_code).upper()
    if country == "XI" or (country == "GB" and postcode.startswith("BT")):
        return "XI"
    if country not in EU_STATES:
        return ""
    outside = _OUTSIDE.get(country)
    digits = re.sub(r"\D", "", postcode)
    return "" if outside is not None and outside.fullmatch(digits) else country
