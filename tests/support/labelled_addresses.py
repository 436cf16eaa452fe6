"""The labelled addresses of fixtures/addresses, read. The format is described in its README."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kette.domain.address import AddressRules, NormalizedAddress, normalize_address
from kette.domain.order import Address

FOLDER = Path(__file__).parents[2] / "fixtures" / "addresses"
FIELDS = ("street", "house_number", "addition", "postal_code", "city", "region", "country_code",
          "kind", "locker_number", "post_number", "company", "name")  # fmt: skip
_TYPED = {"country": "country_code"}
_ASKED = ("finding", "proposal", "deliverable")


@dataclass(frozen=True)
class Labelled:
    where: str  # file and line, for messages
    country: str
    typed: Address
    expected: dict[str, str]
    asked: dict[str, str]  # finding, proposal, deliverable

    def wrong_fields(self, found: NormalizedAddress) -> dict[str, tuple[str, str]]:
        """Field -> (expected, found) where they differ."""
        return {
            field: (self.expected[field], str(getattr(found, field)))
            for field in FIELDS
            if self.expected[field] != str(getattr(found, field))
        }

    def unmet(self, found: NormalizedAddress) -> list[str]:
        """What is said about findings and does not hold."""
        problems = []
        codes = [finding.code for finding in found.findings]
        if "finding" in self.asked and self.asked["finding"] not in codes:
            problems.append(f"no finding {self.asked['finding']} in {codes}")
        if "proposal" in self.asked:
            proposals = [finding.after for finding in found.findings]
            if self.asked["proposal"] not in proposals:
                problems.append(f"no proposal {self.asked['proposal']} in {proposals}")
        if found.deliverable is not (self.asked.get("deliverable") != "no"):
            problems.append(f"deliverable is {found.deliverable}: {codes}")
        return problems

    def read(self, rules: AddressRules) -> NormalizedAddress:
        return normalize_address(self.typed, rules)


def labelled_addresses() -> tuple[Labelled, ...]:
    return tuple(one for file in sorted(FOLDER.glob("*.txt")) for one in _read(file))


def _read(file: Path) -> Iterator[Labelled]:
    given: dict[str, str] = {}
    for number, text in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        if not text.strip() or text.startswith("#"):
            continue
        if text.startswith("@"):
            given = _pairs(text[1:])
            continue
        yield _labelled(f"{file.name}:{number}", text, given)


def _labelled(where: str, text: str, given: dict[str, str]) -> Labelled:
    left, arrow, right = text.partition(" => ")
    assert arrow, f"{where}: no =>"
    lines, typed = _split(left)
    line1, _, line2 = lines.partition("¦")
    typed = given | typed | {"line1": line1.strip(), "line2": line2.strip()}
    parts, wanted = _split(right)
    columns = [part.strip() for part in parts.split("|")] + ["", ""]
    names = {_TYPED.get(name, name): value for name, value in typed.items()}
    address = Address(**{"name": "Rita Keller", **names})
    asked = {name: wanted.pop(name) for name in _ASKED if name in wanted}
    expected = {
        field: getattr(address, field) if field in Address.__struct_fields__ else ""
        for field in FIELDS
    }
    expected |= {"kind": "street", "street": columns[0]}
    expected |= {"house_number": columns[1], "addition": columns[2]}
    expected |= {_TYPED.get(name, name): value for name, value in wanted.items()}
    assert set(expected) == set(FIELDS), f"{where}: {set(expected) - set(FIELDS)}"
    return Labelled(where, given["country"], address, expected, asked)


def _split(text: str) -> tuple[str, dict[str, str]]:
    if not text.endswith("}"):
        return text, {}
    before, _, after = text[:-1].rpartition("{")
    return before, _pairs(after)


def _pairs(text: str) -> dict[str, str]:
    pairs = (pair.partition("=") for pair in text.split(";"))
    return {name.strip(): value.strip() for name, _, value in pairs}
