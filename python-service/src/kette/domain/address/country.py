"""The country field -> a two-letter code. Shops send codes; spreadsheets and people send names."""

from __future__ import annotations

from kette.domain.address.parts import Parts
from kette.domain.address.text import key

_MAX = 80


def read_country(parts: Parts) -> None:
    """Sets country_code and the rules of the country; an unknown country leaves what was typed."""
    typed = parts.typed["country_code"]
    rules = parts.rules
    code = typed.upper() if len(typed) <= _MAX else ""
    if code not in rules.countries:
        code = rules.country_names.get(key(typed[:_MAX]), "")
    country = rules.countries.get(code)
    if country is not None:
        parts.country_code, parts.country = code, country
        if code != typed:
            parts.note("country_respelled", "country_code", "country as its code", typed, code)
        return
    parts.country_code = typed
    if typed:
        message = "this country is not known; use its two-letter code"
        parts.refuse("country_unknown", "country_code", message, typed)
        return
    proposal = _by_sign(parts)
    parts.refuse("country_missing", "country_code", "the country is missing", after=proposal)


def _by_sign(parts: Parts) -> str:
    """The country that a sign before the postal code names: "D-10115"."""
    for text in (parts.postal_code, parts.city):
        sign, dash, rest = text[:20].partition("-")
        if dash and rest[:1].isdigit() and sign.isalpha():
            code = {"D": "DE", "A": "AT", "L": "LU", "B": "BE", "F": "FR"}.get(sign, sign)
            return code if code in parts.rules.countries else ""
    return ""


def without_country(text: str, parts: Parts) -> tuple[str, str]:
    """A text without the name of its country at the end, and that name: "Wien, Österreich"."""
    for opening in (", ", " (", " - ", "/"):
        head, found, tail = text.rpartition(opening)
        name = tail.rstrip(")").strip()
        if not found or not head.strip() or not 2 < len(name) <= _MAX:
            continue
        if parts.rules.country_names.get(key(name)) == parts.country_code:
            return head.strip(), name
    return text, ""
