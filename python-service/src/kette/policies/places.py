"""Which places have which postal codes: the data of the package countrystatecity-postal-codes.

The package (Open Database License) carries a file per country, made from the postal services' open
data; it is read when a country first occurs, a few milliseconds for most. Countries whose data have
no names of places, or are too large to be read while an order waits, are left out: nothing is known
of them, and what is not known is never held against an address. See docs/decisions/0014.

What is kept are few objects that the garbage collector follows: with one per postal code, a
collection would hold the order up that it happens to fall on, a tenth of a second with all
countries.
"""

from __future__ import annotations

from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path

import msgspec

from kette.domain.address.text import fold

_COUNTRIES = frozenset(
    {
        "AT",
        "BE",
        "CH",
        "CZ",
        "DE",
        "DK",
        "ES",
        "FI",
        "FR",
        "HR",
        "HU",
        "IT",
        "LI",
        "NL",
        "NO",
        "SI",
        "SK",
    }
)
_PACKAGE = "countrystatecity_postal_codes"
_NOTHING: frozenset[str] = frozenset()


class _Row(msgspec.Struct, gc=False):
    code: str
    localityName: str | None = None  # noqa: N815  # the name in the file


class PostalCodeDirectory:
    """The Places of the address rules."""

    def names(self, country_code: str, postal_code: str) -> frozenset[str]:
        if country_code not in _COUNTRIES:
            return _NOTHING
        # The Dutch file has the four digits only.
        return _names(country_code, postal_code[:4] if country_code == "NL" else postal_code)

    def areas(self, country_code: str, name: str) -> frozenset[str]:
        if country_code not in _COUNTRIES or not name:
            return _NOTHING
        return _areas(country_code, name[0]).get(name, _NOTHING)


@cache
def _rows(country_code: str) -> list[_Row]:
    # Not importlib.resources: that would run the package, which loads what we do not need.
    spec = find_spec(_PACKAGE)
    assert spec is not None  # a dependency of ours
    assert spec.origin is not None
    data = Path(spec.origin).parent / "data" / "by-country" / country_code / "postcodes.json"
    return msgspec.json.decode(data.read_bytes(), type=list[_Row])


@cache
def _by_code(country_code: str) -> dict[str, str]:
    """Names by code, each name in a line of its own."""
    found: dict[str, str] = {}
    for row in _rows(country_code):
        if row.localityName:
            known = found.get(row.code)
            found[row.code] = f"{known}\n{row.localityName}" if known else row.localityName
    return found


@lru_cache(maxsize=20_000)
def _names(country_code: str, postal_code: str) -> frozenset[str]:
    raw = _by_code(country_code).get(postal_code)
    names = raw.split("\n") if raw else ()
    return frozenset(folded for name in names for folded in _spellings(name))


@cache
def _by_letter(country_code: str) -> dict[str, list[_Row]]:
    """Rows by the first letter of the place: folding all names at once would take too long."""
    letters: dict[str, str] = {}
    found: dict[str, list[_Row]] = {}
    for row in _rows(country_code):
        if row.localityName:
            start = row.localityName[:2]
            if start not in letters:
                letters[start] = fold(start)[:1]
            found.setdefault(letters[start], []).append(row)
    return found


@cache
def _areas(country_code: str, letter: str) -> dict[str, frozenset[str]]:
    areas: dict[str, set[str]] = {}
    known: dict[str, tuple[str, ...]] = {}
    for row in _by_letter(country_code).get(letter, ()):
        place = row.localityName or ""
        if place not in known:
            known[place] = _spellings(place)
        for name in known[place]:
            areas.setdefault(name, set()).add(row.code[:2])
    shared: dict[frozenset[str], frozenset[str]] = {}
    alike = {name: frozenset(found) for name, found in areas.items()}
    return {name: shared.setdefault(found, found) for name, found in alike.items()}


def _spellings(name: str) -> tuple[str, ...]:
    """ "Wien, Innere Stadt" is Wien; "Bruxelles/Brussel" is both."""
    name = name.partition(",")[0]
    if not any(sign in name for sign in "(/"):
        return (fold(name),)
    parts = [name, *name.replace("(", "/").split("/")]
    return tuple(dict.fromkeys(folded for part in parts if (folded := fold(part))))
