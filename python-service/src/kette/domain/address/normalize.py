"""An address as typed -> its parts, with findings.

Three rules hold throughout. What is certain is done and noted as information. What is uncertain is
left as typed and proposed in a warning. Nothing that was typed is lost: it stands in some part.
Sources: DHL's rules for Packstation addresses, the countries' own formats
(policies/countries.yaml); failure cases from carriers' plugins (label paid though the carrier
could not route it).
"""

from __future__ import annotations

import re
import unicodedata

import msgspec

from kette.domain.address.model import AddressKind, AddressRules, CountryRules, NormalizedAddress
from kette.domain.address.parcel_points import ParcelPoint, find_parcel_point, is_po_box
from kette.domain.address.postcode import read_postcode
from kette.domain.address.street import (
    StreetReading,
    is_number,
    leading_number,
    names_street,
    read_street,
    street_of,
)
from kette.domain.findings import Finding, Severity
from kette.domain.order import Address

_KIND = "invalid_address"
_SPACE = re.compile(r"\s+")
_INVISIBLE = re.compile(
    r"[\x00-\x08\x0e-\x1f\x7f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]"
)
_CITY_WITH_CODE = re.compile(r"((?:[A-Z]{1,2}-)?\d{4,5}(?:\s?[A-Z]{2})?)[\s,]+(\D.{0,80})", re.I)


class _Parts:
    """The address in the making."""

    def __init__(self, typed: Address) -> None:
        clean = {field: _clean(getattr(typed, field)) for field in typed.__struct_fields__}
        self.typed = clean
        self.name: str = clean["name"]
        self.company: str = clean["company"]
        self.street = clean["line1"]
        self.house_number = ""
        self.addition = clean["line2"]
        self.postal_code: str = clean["postal_code"]
        self.city: str = clean["city"]
        self.country_code = ""
        self.kind = AddressKind.STREET
        self.locker_number = ""
        self.post_number = ""
        self.findings: list[Finding] = []

    def note(self, code: str, field: str, message: str, before: str = "", after: str = "") -> None:
        self._add(code, field, Severity.INFO, message, before, after)

    def warn(self, code: str, field: str, message: str, before: str = "", after: str = "") -> None:
        self._add(code, field, Severity.WARNING, message, before, after)

    def refuse(
        self, code: str, field: str, message: str, before: str = "", after: str = ""
    ) -> None:
        self._add(code, field, Severity.ERROR, message, before, after)

    def _add(
        self, code: str, field: str, severity: Severity, message: str, before: str, after: str
    ) -> None:
        kind = "" if severity is Severity.INFO else _KIND
        self.findings.append(Finding(code, field, severity, message, before, after, kind))


def normalize_address(
    address: Address, rules: AddressRules, *, check_house_number: bool = True
) -> NormalizedAddress:
    """Read an address into its parts; any input gives a result. Does not look anything up."""
    parts = _Parts(address)
    country = _read_country(parts, rules)
    _read_city_and_code(parts, country)
    point = _find_point(parts, country)
    if point is not None:
        _read_parcel_point(parts, point, country, rules)
    elif is_po_box(parts.street, rules) or (not parts.street and is_po_box(parts.addition, rules)):
        parts.kind = AddressKind.PO_BOX
        if not parts.street:
            parts.street, parts.addition = parts.addition, ""
        message = "a PO box takes letters; hardly any carrier brings parcels there"
        parts.warn("po_box", "line1", message, before=parts.street)
    else:
        _read_door(parts, country, rules, check_house_number=check_house_number)
    return _finish(parts, country)


def _clean(text: str) -> str:
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()
    visible = _INVISIBLE.sub("", unicodedata.normalize("NFC", text))
    return _SPACE.sub(" ", visible).strip()


def _read_country(parts: _Parts, rules: AddressRules) -> CountryRules:
    typed = parts.typed["country_code"]
    code = typed.upper()
    if code not in rules.countries:
        code = rules.country_names.get(typed.casefold(), "")
    country = rules.countries.get(code)
    if country is None:
        parts.country_code = typed
        if typed:
            message = "this country is not known; use its two-letter code"
            parts.refuse("country_unknown", "country_code", message, before=typed[:80])
        else:
            parts.refuse("country_missing", "country_code", "the country is missing")
        return CountryRules(code="")
    parts.country_code = code
    if code != typed:
        parts.note("country_respelled", "country_code", "country code written out", typed, code)
    return country


def _read_city_and_code(parts: _Parts, country: CountryRules) -> None:
    if not parts.postal_code and parts.city[:1].isalnum() and len(parts.city) < 120:
        together = _CITY_WITH_CODE.fullmatch(parts.city)
        if together is not None and read_postcode(together[1], country).valid and country.pattern:
            message = "the postal code stood in the city"
            parts.note("postal_code_from_city", "city", message, before=parts.city)
            parts.postal_code, parts.city = together[1], together[2]
    reading = read_postcode(parts.postal_code, country)
    typed = parts.postal_code
    parts.postal_code = reading.value
    if reading.code == "postal_code_respelled":
        message = "postal code in the spelling of the country"
        parts.note(reading.code, "postal_code", message, typed, reading.value)
    elif reading.code == "postal_code_missing":
        parts.refuse(reading.code, "postal_code", "the postal code is missing")
    elif not reading.valid:
        example = f", such as {country.example}" if country.example else ""
        message = f"this is no postal code of {country.code}{example}"
        proposal = reading.proposal
        if not proposal and parts.city and read_postcode(parts.city, country).valid:
            message += "; postal code and city look swapped"
            proposal = parts.city
        parts.refuse(reading.code, "postal_code", message, typed[:80], proposal)
    if not parts.city:
        parts.refuse("city_missing", "city", "the city is missing")


def _find_point(parts: _Parts, country: CountryRules) -> ParcelPoint | None:
    fields = (parts.street, parts.addition, parts.company, parts.name)
    text = " ".join(field for field in fields if len(field) < 200).casefold()
    if "station" not in text and "filiale" not in text and "shop" not in text:
        return None
    point = find_parcel_point(fields)
    if point is not None and country.code not in ("DE", "") and not point.locker_number:
        return None  # "Filiale" and "Shop" are words of other countries' addresses too
    return point


def _read_parcel_point(
    parts: _Parts, point: ParcelPoint, country: CountryRules, rules: AddressRules
) -> None:
    line1, line2, company, name = point.fields
    rest = ", ".join(part for part in (line1, line2) if part)
    door = read_street(line1, rules, number_first=False, city=parts.city)
    parts.kind = point.kind
    parts.street, parts.house_number = point.word, point.locker_number
    parts.locker_number, parts.post_number = point.locker_number, point.post_number
    parts.addition, parts.company, parts.name = rest, company, name
    place = f"{point.word} {point.locker_number}".strip()
    if country.code not in ("DE", ""):
        message = f"a {point.word} exists in Germany only"
        parts.refuse("parcel_point_abroad", "line1", message, before=place)
    if len(point.locker_number) != 3:
        message = f"the number of the {point.word} is missing or has not three digits"
        parts.refuse("locker_number_missing", "line1", message, before=place)
    if not point.post_number:
        message = f"the Postnummer of the customer is missing; DHL needs it at a {point.word}"
        # A shop hands a parcel out against an identity card where DHL has a mail address.
        if point.kind is AddressKind.POSTFILIALE and parts.typed["email"]:
            parts.warn("post_number_missing", "line2", message)
        else:
            parts.refuse("post_number_missing", "line2", message)
    if door.number and door.street:
        message = f"a street stands beside the {point.word}; the parcel would go to the latter"
        parts.warn("street_beside_parcel_point", "line1", message, before=rest, after=place)


def _read_door(
    parts: _Parts, country: CountryRules, rules: AddressRules, *, check_house_number: bool
) -> None:
    if not parts.street and parts.addition:
        parts.note("street_in_line2", "line2", "the street stood in line 2", after=parts.addition)
        parts.street, parts.addition = parts.addition, ""
    line1, line2 = parts.street, parts.addition
    if not line1:
        parts.refuse("street_missing", "line1", "the street is missing")
        return
    first = read_street(line1, rules, number_first=country.number_first, city=parts.city)
    if first.number and first.certain:
        _take(parts, first, line2)
        if first.code == "house_number_first":
            message = "the house number stood before the street"
            parts.note(first.code, "line1", message, line1, f"{first.street} {first.number}")
        return
    if not first.number and line2 and _read_second_line(parts, country, rules):
        return
    if first.number:
        # Villages without street names use their own name: "Dorf 17".
        proposal = _joined(first.street or parts.city, first.number, country)
        message = "which part is the house number is uncertain"
        parts.warn("house_number_uncertain", "line1", message, line1, proposal)
        return
    _miss_house_number(parts, country, rules, check_house_number=check_house_number)


def _take(parts: _Parts, reading: StreetReading, rest: str) -> None:
    parts.street, parts.house_number = reading.street, reading.number
    parts.addition = ", ".join(part for part in (reading.addition, rest) if part)


def _read_second_line(parts: _Parts, country: CountryRules, rules: AddressRules) -> bool:
    """The number, or the street itself, stands in line 2. True where that is certain."""
    line1, line2 = street_of(parts.street, rules), parts.addition
    if is_number(line2):
        parts.street, parts.house_number, parts.addition = line1, line2, ""
        message = "the house number stood in line 2"
        after = _joined(line1, line2, country)
        parts.note("house_number_in_line2", "line2", message, line2, after)
        return True
    number = leading_number(line2, rules)
    if number is not None and not number[1][:1].isdigit():
        parts.street = line1
        parts.house_number, parts.addition = number
        message = "the house number stood in line 2"
        after = _joined(line1, number[0], country)
        parts.note("house_number_in_line2", "line2", message, line2, after)
        return True
    second = read_street(line2, rules, number_first=country.number_first, city=parts.city)
    if not (second.number and second.certain and names_street(second.street, rules)):
        return False
    after = _joined(second.street, second.number, country)
    if names_street(line1, rules):
        message = "two streets are given, and the first has no house number"
        parts.warn("house_number_uncertain", "line2", message, f"{line1}, {line2}", after)
        return True
    _take(parts, second, line1)
    parts.note("street_in_line2", "line2", "the street stood in line 2", line2, after)
    return True


def _miss_house_number(
    parts: _Parts, country: CountryRules, rules: AddressRules, *, check_house_number: bool
) -> None:
    if not check_house_number or country.house_number == "optional":
        return
    if len(parts.street) < 200 and rules.no_number.search(parts.street):
        parts.note("no_house_number", "line1", "the address says that it has no house number")
        return
    message = "the house number is missing"
    number = leading_number(parts.addition, rules, behind_blank=True)
    after = _joined(parts.street, number[0], country)[:200] if number is not None else ""
    if country.house_number == "required":
        parts.refuse("house_number_missing", "line1", message, parts.street[:200], after)
    else:
        parts.warn("house_number_missing", "line1", message, parts.street[:200], after)


def _joined(street: str, number: str, country: CountryRules) -> str:
    return f"{number} {street}" if country.number_first else f"{street} {number}".strip()


def _finish(parts: _Parts, country: CountryRules) -> NormalizedAddress:
    region = parts.typed["region"]
    if region.upper().startswith(f"{parts.country_code}-") and parts.country_code:
        region = region[len(parts.country_code) + 1 :]
    result = NormalizedAddress(
        name=parts.name,
        company=parts.company,
        street=parts.street,
        house_number=parts.house_number,
        addition=parts.addition,
        postal_code=parts.postal_code,
        city=parts.city,
        region=region,
        country_code=parts.country_code,
        kind=parts.kind,
        locker_number=parts.locker_number,
        post_number=parts.post_number,
        phone=parts.typed["phone"],
        email=parts.typed["email"],
        deliverable=not any(finding.is_blocking for finding in parts.findings),
        findings=tuple(parts.findings),
        lines=(),
    )
    return msgspec.structs.replace(result, lines=_label(result, country))


def _label(address: NormalizedAddress, country: CountryRules) -> tuple[str, ...]:
    """The lines of a label in the country's order; empty ones left out."""
    street = _joined(address.street, address.house_number, country).strip()
    if address.kind in (AddressKind.PACKSTATION, AddressKind.POSTFILIALE):
        street = f"{address.street} {address.house_number}".strip()
    filled = {
        "N": address.name,
        "O": address.company,
        "A": street,
        "C": address.city,
        "Z": address.postal_code,
        "S": address.region,
        "D": "",  # parts of towns and sorting codes are not asked for
        "X": "",
    }
    lines: list[str] = []
    for template in country.label:
        if template == ("A",):
            # DHL wants the Postnummer on its own line above the Packstation.
            lines += [line for line in (address.post_number, address.addition) if line]
        line = "".join(filled.get(part, part) for part in template).strip(" ,-")
        if line:
            lines.append(line)
    return tuple(lines)
