"""What the words of a street line say: is this a street, a floor, a company?"""

from __future__ import annotations

import re

from kette.domain.address.model import StreetWords
from kette.domain.address.text import key

_GAP = re.compile(r"[\s,;()|]+")
_LAST = re.compile(r"([^\s,;()|/]+|[^\s,;()|]+/)[\s.:/-]*\Z")
_FIRST = re.compile(r"[\s.]*([^\s,;()|/]+(?:/[a-zA-Z](?=[\s.]|\Z))?|[cC]/|v/)")
_SIDES = frozenset({"north", "south", "east", "west", "upper", "lower", "n", "s", "e", "w"})
_AT = frozenset({"am", "zum", "zur"})
_TO = frozenset({"am", "an", "zum", "zur"})  # "Am Tor" is a street, "im Haus" is none
_SCAN = 80  # characters beside a number that can tell something about it


def last_word(text: str) -> str:
    """The word that a text ends with, as a key; "" where it ends with a separator."""
    tail = text[-_SCAN:].rstrip(" .:-")
    cut = max(tail.rfind(sign) for sign in " ,;(|/)")
    word = tail[cut + 1 :]
    if not word and tail.endswith("/"):
        word = tail[tail.rfind(" ") + 1 :]
    return key(word)


def first_word(text: str) -> str:
    """The word that a text begins with, as a key; "c/o" is one word."""
    match = _FIRST.match(text[:_SCAN])
    return key(match[1]) if match is not None else ""


def split_words(text: str) -> list[str]:
    return [key(word) for word in _GAP.split(text) if word]


def is_street_word(word: str, words: StreetWords) -> bool:
    if word in words.streets:
        return True
    # "Karl-Marx-Str", "Weg." and "Rosenweg"; an end alone is no longer word.
    return word.endswith(words.ends) and word not in words.units


def names_street(text: str, words: StreetWords) -> bool:
    """Whether a text holds a word that makes it a street ("Rosenweg", "rue", "Am Markt")."""
    found = split_words(text)
    if not found:
        return False
    if _has_street_word(found, words):
        return True
    return (
        len(found) > 1
        and found[0] in words.starts
        and (found[0] in _TO or found[1] not in words.units)
        and (found[0] in _AT or found[1] not in words.care_of)
    )


def _has_street_word(found: list[str], words: StreetWords) -> bool:
    return any(
        is_street_word(word, words) and not (word == "st" and position == 0)  # Saint
        for position, word in enumerate(found)
    )


def names_only_street(text: str, words: StreetWords) -> bool:
    """The same without words that may name an estate."""
    return _has_street_word(
        [word for word in split_words(text) if word not in words.estates], words
    )


def street_at_end(text: str, words: StreetWords) -> bool:
    """Whether the last word makes a text a street: "Bayreuther Str."."""
    found = last_word(text)
    return is_street_word(found, words)


def ends_in_street(text: str, words: StreetWords) -> bool:
    """Whether a text ends as a street does, not as an estate: "Wharf Road", "Mill Lane North"."""
    found = split_words(text)
    if found and found[-1] in _SIDES and len(found) > 1:
        found = found[:-1]
    return bool(found) and is_street_word(found[-1], words) and found[-1] not in words.estates


def names_house(text: str, words: StreetWords) -> bool:
    """Whether a text is the name of a house that needs no number: "Schloss Neuschwanstein"."""
    if names_street(text, words) or any(char.isdigit() for char in text):
        return False
    return any(word in words.named or word.endswith(words.named_ends) for word in split_words(text))


def is_unit(text: str, words: StreetWords) -> bool:
    """Whether a text speaks of a part of a house or of a person: "3. OG links", "c/o Müller"."""
    found = [word.lstrip("0123456789.ªº") for word in split_words(text)[:3]]
    return any(
        word in words.units or word in words.floors or word in words.care_of
        for word in found
        if word
    ) or text.lstrip().startswith("#")
