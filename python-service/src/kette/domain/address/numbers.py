"""House numbers in a line: their grammar, and where they are.

12, 12a, 12 a, 12½, 12 1/2, 12-14, 12 a-c, 12/14, 45/3/12, 12 bis 14, 12 bis, 123-II, 3 HS, 13A2.
Nothing here knows which of several numbers of a line is the house number; see street.py.
"""

from __future__ import annotations

import re

import msgspec

MAX_LINE = 160  # longer lines are no addresses; the bound also bounds the time

_LETTER = r"[^\W\d_]"
# A single letter as in "12 a" is not the begin of a word, of "c/o" nor of "b. Müller".
_LONE = rf"(?![\w'’]|/[oc](?!\w)|\.\s?(?:\d|{_LETTER}))"
_NUMBER = re.compile(
    rf"""
    (?<!\d)(?<!\d[.,/]) (?P<digits>\d{{1,5}}) (?!\d)
    (?P<ordinal>\.(?=-?\s?{_LETTER})(?!-?\s?{_LETTER}\.?(?:\s|\Z|,)) | [ªº°](?!\w)
      | (?:st|nd|rd|th|er|re|ème|eme|nde|ste|de)(?!\w)(?=\s{_LETTER}) | e(?=\s[^\W\d_]{{2}})
      | -?(?:ти|ви|ми|ри)(?!\w))?
    (?(ordinal)|
      (?: \s?[½¼¾⅓⅔] | \s[1-3]/[2-4](?!\d) | (?:\.\d{{1,3}}){{1,3}}(?![\d.]) )?
      (?: {_LETTER}{{1,2}} (?: \d{{1,3}} {_LETTER}{{0,2}} ){{1,2}} \d? (?!\w)
        | \s?{_LETTER} \sbis\s {_LETTER} {_LONE}
        | \s?{_LETTER} {_LONE}
        | {_LETTER}{{2}} (?![\w'’]) )?
      (?: ,?\s?(?:ter|quater|quinquies)(?!\w) | ,?\s?bis(?!\w)(?!\s\d)(?-i:\s[A-F](?!\w))? )?
      (?:
        (?: \s?[-–—/+&\\]\s? | _ | //
          | \s(?:bis|und|u\.|to|à|and|(?-i:og|och|en|et|ja|y|e|i))\s(?=\d) )
        (?: \d{{1,5}} (?!\d|\.\s?{_LETTER}|[ªº°]|{_LETTER}{{2}}) (?:\s?{_LETTER} {_LONE}
            | {_LETTER}\d{{1,3}}(?!\w))? (?:\s\d/\d(?!\d))?
          | {_LETTER}\d{{0,3}} {_LONE}
          | [IVX]{{1,4}} (?!\w|\.\s?{_LETTER})
          | (?<=[-/]) {_LETTER}{{2,3}}\d{{0,3}} (?![\w'’.]) )
      ){{0,4}}
      (?: [\s-](?:hs|huis|rd|zw)(?!\w)(?:\s?/\s?\d{{1,3}}(?!\d))? )?
    )
    """,
    re.VERBOSE | re.IGNORECASE,
)
_ROAD = re.compile(r"(?:^|\s)[A-Z]{1,2}-\Z")
_QUOTES = "'’‘`´"
_WHOLE_FIELD = 24
_LABELS = frozenset({"nr", "no", "nº", "č", "čp"})  # "Nr12"
_TAIL_WORD = re.compile(rf"[-/]\s?({_LETTER}{{2,3}})\Z")
_TAIL_UNIT = re.compile(rf"/\s?({_LETTER}{{2,3}})\d{{1,3}}\Z")  # "12b/Top3"
_SUFFIX_STOP = re.compile(rf"([-/]{_LETTER})\.\s?(?:\d{{1,2}}\.\s?)?({_LETTER}{{2,14}})")
_TAIL_FLOOR = re.compile(r"\s?[-–/]\s?\d{1,2}\Z")
_LONE_WORD = re.compile(rf"\s({_LETTER})(?:-\d+)?\Z")
_FLAT = re.compile(r"\s?\d")
_GLUED_WORD = re.compile(rf"\d\s?({_LETTER}{{2}})\Z")


class Number(msgspec.Struct, frozen=True):
    """A number of a line. ordinal: written as one ("17.", "2e", "10th"), so hardly a house."""

    start: int
    end: int
    text: str
    value: int
    is_ordinal: bool = False


def find_numbers(
    line: str, words: frozenset[str], floors: frozenset[str] = frozenset()
) -> tuple[Number, ...]:
    """The numbers of a line that can be house numbers or parts of names. words: what ends a number
    even without a blank ("12/EG", "2OG"). floors: the number before one of them is no end of a
    range ("33-4 hoog")."""
    if len(line) > MAX_LINE:
        return ()
    found = []
    for match in _NUMBER.finditer(line):
        number = _number(line, match, words, floors)
        if number is not None:
            found.append(number)
    return tuple(found)


def whole_number(text: str, words: frozenset[str]) -> bool:
    """Whether a text is a house number and nothing else ("44 b")."""
    if not text or len(text) > _WHOLE_FIELD or not text[0].isdigit():
        return False
    numbers = find_numbers(text, words)
    return (
        len(numbers) == 1
        and not numbers[0].is_ordinal
        and text[numbers[0].end :].strip(" .,") == ""
    )


def _number(
    line: str, match: re.Match[str], words: frozenset[str], floors: frozenset[str]
) -> Number | None:
    start, end = match.span()
    if start and (line[start - 1].isalpha() or line[start - 1] == "_") and _is_code(line, start):
        return None
    if start > 1 and line[start - 1] == "-" and _ROAD.search(line[:start]):
        return None  # "N-340" is a road
    if start > 1 and line[start - 1] in _QUOTES and not line[start - 2].isalnum():
        return None  # "Plein '40-'45": years
    text = match[0]
    ordinal = match["ordinal"] is not None
    if not ordinal:
        for ending in (_TAIL_WORD, _TAIL_UNIT, _GLUED_WORD):
            tail = ending.search(text)
            if tail is not None and tail[1].casefold() in words:
                end = start + tail.start() + (1 if ending is _GLUED_WORD else 0)
                text = line[start:end]
        lone = _LONE_WORD.search(text)
        if (
            lone is not None
            and lone[1].casefold() in words
            and ("-" in lone[0] or _FLAT.match(line, start + len(text)))
        ):
            # "12 m 5": a flat in Poland; "33 k-2": a building in Latvia.
            text = text[: lone.start()]
        floor = _TAIL_FLOOR.search(text)
        if floor is not None and floor.start() and _is_floor(line[end:], floors):
            text = text[: floor.start()]
        text = text.rstrip(" -–—/+&\\")
        end = start + len(text)
        suffix = _SUFFIX_STOP.match(line, end)
        if suffix is not None and suffix[2].casefold() in words:
            text, end = text + suffix[1], end + len(suffix[1])  # "12/A. fszt. 1"
        if line[end : end + 1].isalpha() and not _is_known_word(line[end:], words):
            return None  # "5er", "1sten"
    if text.strip("0") == "":
        return None  # no house has the number 0
    return Number(start, end, text, int(match["digits"]), ordinal)


def _is_known_word(text: str, words: frozenset[str]) -> bool:
    word = re.match(rf"{_LETTER}{{1,14}}", text)
    return word is not None and word[0].casefold() in words


def _is_floor(text: str, floors: frozenset[str]) -> bool:
    """ " hoog", against " Stock 3"."""
    word = re.match(rf"\s?({_LETTER}{{1,14}})\.?(?!\s?\d)", text)
    return word is not None and word[1].casefold() in floors


def _is_code(line: str, start: int) -> bool:
    """Whether the letters directly before a number make it a name: "B96", a locker's "WAW01A"; not
    "Hauptstr12"."""
    letters = re.search(r"[^\W\d_]{1,20}\Z", line[:start])
    if letters is None or line[start] == "0":
        return True
    word = letters[0]
    if len(word) < 3:
        return word.casefold() not in _LABELS and word != "n"  # "N340" is a road, "n54" a house
    # Where all is in capitals, capitals tell nothing.
    return len(word) < 5 and word.isupper() and not line.isupper()
