"""PO boxes: "Postfach 12 34 56", "PO Box 12", "BP 123", in any field."""

from __future__ import annotations

import re

from kette.domain.address.model import AddressKind
from kette.domain.address.numbers import MAX_LINE
from kette.domain.address.parts import Parts
from kette.domain.address.street import read_street

_NUMBER = re.compile(
    r"[\s.:,#-]*(?:(?:nr|no|n°|nº|numéro|č)\b[.\s]*)?(\d[\d\s./-]{0,14}\d|\d)(?![\w])[\s,;/-]*",
    re.I,
)
# "ZI Nord BP 12", "137 NW 17th Ave/po box 607": at the end, or it is something else.
_INSIDE = re.compile(
    r"[\s/](?:BP|CS|PF|Postfach|(?i:P\.?\s?O\.?\s?Box)|Postbus|Case postale)\s#?\d[\d\s]{0,10}\Z"
)


def read_box(parts: Parts) -> bool:
    """Whether the address is a PO box; then street and house number are its word and number."""
    found = _find(parts)
    if found is None:
        return False
    word, number, rest, other = found
    if other:
        reading = read_street(other, parts.country)
        if reading.number and reading.certain:
            box = f"{word} {number}".strip()
            parts.street, parts.addition = other, ", ".join(x for x in (box, rest) if x)
            message = "a PO box stands beside the street; the parcel goes to the street"
            parts.note("po_box_beside_street", "line1", message, box)
            return False
    parts.kind = AddressKind.PO_BOX
    parts.street, parts.house_number = word, number
    parts.addition = ", ".join(text for text in (rest, other) if text)
    message = "a PO box takes letters; hardly any carrier brings parcels there"
    parts.warn("po_box", "line1", message, f"{word} {number}".strip())
    return True


def _find(parts: Parts) -> tuple[str, str, str, str] | None:
    """Word, number and rest of the line with the box, and the other line."""
    lines = ((parts.street, parts.addition), (parts.addition, parts.street))
    for line, other in lines:
        if not line or len(line) > MAX_LINE:
            continue
        for segment, rest in _segments(line):
            match = parts.country.words.po_box.match(segment)
            if match is None:
                continue
            number = _NUMBER.match(segment[match.end() :])
            word = match[0].strip(" :")
            if number is None:
                # "Box Hill", "Postfachweg": a number or nothing must follow.
                if segment[match.end() :].strip(" .:") == "" and len(word) > 4:
                    return word, "", rest, other
                continue
            behind = segment[match.end() + number.end() :].strip()
            if re.sub(r"\D", "", number[1]) == re.sub(r"\D", "", parts.postal_code[:20]):
                continue  # "C.P. 28013" is a postal code
            if not other and read_street(behind, parts.country).number:
                behind, other = "", behind
            if not other and rest and read_street(rest, parts.country).number:
                rest, other = "", rest
            tail = ", ".join(text for text in (behind, rest) if text)
            return word, number[1].strip(), tail, other
    return None


def _segments(line: str) -> list[tuple[str, str]]:
    """The line, then what stands behind its first comma with what stands before it."""
    found = [(line, "")]
    head, comma, tail = line.partition(",")
    if comma and tail.strip():
        found.append((tail.strip(), head.strip()))
    inside = _INSIDE.search(line)
    if inside is not None:
        found.append((line[inside.start() + 1 :], line[: inside.start()].strip()))
    return found
