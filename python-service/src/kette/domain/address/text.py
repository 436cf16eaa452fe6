"""Text as typed -> text that can be compared. Input may be anything; every function is total."""

from __future__ import annotations

import re
import unicodedata

_SPACE = re.compile(r"\s+")
# Control characters, soft hyphen, zero-width characters, marks of direction, byte order mark.
_INVISIBLE = re.compile(
    r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]"
)
_NO_LETTER = re.compile(r"[\W_]+")


def clean(text: str) -> str:
    """Without what nobody sees, blanks single, in composed form.

    >>> clean("  Haupt\u200bstr.\u00a0 12\\n")
    'Hauptstr. 12'
    """
    if text.isascii() and text.isprintable():
        return text.strip() if "  " not in text else _SPACE.sub(" ", text).strip()
    # Composing first: a letter and its mark may stand apart only by an invisible character.
    visible = _INVISIBLE.sub("", unicodedata.normalize("NFC", text))
    return _SPACE.sub(" ", visible).strip()


def key(word: str) -> str:
    """A word as the word lists have it: without regard to case and full stops at its end.

    >>> key("Str."), key("STRASSE"), key("Straße:")
    ('str', 'strasse', 'strasse')
    """
    return word.casefold().rstrip(".:,")


def fold(text: str) -> str:
    """A name of a place for comparison: no case, no accents, umlauts as their vowels.

    >>> fold("Köln") == fold("Koeln") == fold("KÖLN"), fold("St. Gallen (SG)")
    (True, 'st gallen sg')
    """
    folded = text.casefold()
    if not folded.isascii():
        decomposed = unicodedata.normalize("NFKD", folded)
        folded = "".join(sign for sign in decomposed if not unicodedata.combining(sign))
        folded = folded.replace("ø", "o").replace("ł", "l").replace("æ", "a").replace("đ", "d")
    folded = folded.replace("ae", "a").replace("oe", "o").replace("ue", "u")
    return _NO_LETTER.sub(" ", folded).strip()
