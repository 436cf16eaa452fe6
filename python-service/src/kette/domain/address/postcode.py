"""Postal codes: the country's own spelling, and what is wrong with one that does not fit."""

from __future__ import annotations

import re

import msgspec

from kette.domain.address.model import CountryRules

_PREFIX = re.compile(r"([A-Z]{1,3})[\s-]+(?=\d)|([A-Z]{2})(?=\d{4,5}\Z)")
# Signs of motor vehicles, as people put them before a code.
_PREFIXES = {
    **{"A": "AT", "B": "BE", "D": "DE", "E": "ES", "F": "FR", "FL": "LI", "H": "HU", "I": "IT"},
    **{"L": "LU", "N": "NO", "P": "PT", "S": "SE", "SF": "FI"},
}
_MAX = 20


class PostcodeReading(msgspec.Struct, frozen=True):
    """code = "" where the text is right as it stands. proposal: our guess where it is not valid."""

    value: str
    valid: bool = True
    code: str = ""
    proposal: str = ""


def read_postcode(text: str, country: CountryRules) -> PostcodeReading:
    """Read a postal code; a spelling is mended, digits never are."""
    if not text:
        missing = country.postal_code == "required"
        return PostcodeReading("", not missing, "postal_code_missing" if missing else "")
    if country.pattern is None or country.postal_code == "none":
        return PostcodeReading(text)
    if len(text) > _MAX:
        return PostcodeReading(text, False, "postal_code_invalid")
    upper = text.upper()
    prefix = _PREFIX.match(upper)
    if prefix is not None and not country.pattern.fullmatch(upper):
        word = prefix[1] or prefix[2]
        if _PREFIXES.get(word, word) == country.code:
            upper = upper[prefix.end() :]
    spelled = _spelling(upper, country)
    if spelled:
        return PostcodeReading(spelled, True, "" if spelled == text else "postal_code_respelled")
    return PostcodeReading(text, False, "postal_code_invalid", _proposal(upper, country))


def _spelling(text: str, country: CountryRules) -> str:
    """The country's spelling of a code, or "" where it is none. "1015cj" -> "1015 CJ"."""
    assert country.pattern is not None
    compact = re.sub(r"[\s-]", "", text)
    spellings = [text]
    # Every country with a gap in its codes has it at a fixed distance from the end.
    gap = re.search(r"[ -]", country.example)
    if gap is not None:
        tail = len(country.example) - gap.end()
        spaced = f"{compact[:-tail]}{gap[0]}{compact[-tail:]}"
        if len(compact) == len(country.example) - 1 or country.code == "GB":
            spellings = [spaced, text]
    else:
        spellings = [compact, text]
    if country.code == "US" and len(compact) == 9:
        spellings.append(f"{compact[:5]}-{compact[5:]}")
    prefix = re.match(r"[A-Z]{2}-", country.example)
    if prefix is not None:
        spellings.append(prefix[0] + compact)
    for spelling in spellings:
        if country.pattern.fullmatch(spelling):
            return spelling
    return ""


def _proposal(text: str, country: CountryRules) -> str:
    """What a spreadsheet or a slip of the finger made of the code: a lost zero, an O for a 0."""
    candidates = [text.replace("O", "0").replace("I", "1").replace("L", "1")]
    if len(text) == len(country.example) - 1 and text.isdigit():
        candidates.append("0" + text)
    for candidate in candidates:
        spelled = _spelling(candidate, country)
        if spelled:
            return spelled
    return ""
