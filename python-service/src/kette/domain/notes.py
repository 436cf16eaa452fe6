"""Wishes in a customer's note: gift, neighbour, date, call first, other invoice address,
cancellation.

Words are data (policies/note_words.yaml). A wish is told to a person with the sentence it stands
in; nothing is acted upon. A note in which nothing is recognised is still mentioned, as information.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from enum import StrEnum

import msgspec

from kette.domain.findings import Finding, Severity

MAX_NOTE = 4000  # of what is read; the whole note stays in the order
_EXCERPT = 200
_QUOTED = re.compile(r'"[^"\n]{1,120}"|„[^“”"\n]{1,120}[“”"]|“[^”\n]{1,120}”|«[^»\n]{1,120}»')
# A field of a cart form that was left at no, as shops write it into the note.
_DECLINED = re.compile(
    r"[^:\n]{1,60}:\s*(?:no|nein|none|keine?r?s?|false|off|0|n/?a|-+)\s*[.!]?", re.I
)
_CLAUSE_ENDS = re.compile(
    r",(?!\s*(?:dass?|that)\b)|[;:!?\n()–]|\.(?:\s|$)|\s(?:und|and|aber|but|sondern)\s", re.I
)
_CLAUSE_BEGINS = re.compile(_CLAUSE_ENDS.pattern + r"|\b(?:bitte|please|pls)\b", re.I)


class When(StrEnum):
    """Which matches of a pattern count."""

    EITHER = ""
    AFFIRMED = "affirmed"  # the clause does not negate it: "kein Geschenk" is no gift
    NEGATED = "negated"  # the clause negates it: "nicht beim Nachbarn"


class NoteRule(msgspec.Struct, frozen=True):
    """One kind of wish. Patterns run over single-spaced text."""

    kind: str
    severity: Severity
    title: str
    pattern: re.Pattern[str]
    when: When = When.EITHER
    always: re.Pattern[str] | None = None  # counts whatever the clause negates
    unless: re.Pattern[str] | None = None
    reads_quoted: bool = True
    value: re.Pattern[str] | None = None  # group "value"


class NoteRules(msgspec.Struct, frozen=True):
    """negated_before finds a negation in the words before a match, negated_after at the begin of
    what follows it in the same clause."""

    rules: tuple[NoteRule, ...]
    negated_before: re.Pattern[str]
    negated_after: re.Pattern[str]


class Wish(msgspec.Struct, frozen=True):
    """A recognised wish. value: what it is about where that can be read (a date as YYYY-MM-DD, a
    neighbour's name, a phone number), else ""."""

    kind: str
    severity: Severity
    title: str
    excerpt: str
    value: str


def find_wishes(note: str, placed_on: date, rules: NoteRules) -> tuple[Wish, ...]:
    """Every kind of wish in a note, at most one of a kind. placed_on: to complete "24.12."."""
    text = _readable(note)
    if not text:
        return ()
    return tuple(_wishes(text, placed_on, rules))


def note_findings(note: str, placed_on: date, rules: NoteRules) -> tuple[Finding, ...]:
    """The wishes as findings; one information for a note without a known wish."""
    if not note or note.isspace():
        return ()
    wishes = find_wishes(note, placed_on, rules)
    if not wishes:
        message = "the customer wrote a note; no known wish in it"
        excerpt = _readable(note)[:_EXCERPT]
        return (Finding("note", "customer_note", Severity.INFO, message, before=excerpt),)
    return tuple(
        Finding(
            code=f"note_{wish.kind}",
            field="customer_note",
            severity=wish.severity,
            message=wish.title + (f": {wish.value}" if wish.value else ""),
            before=wish.excerpt,
            after=wish.value,
            exception_kind="special_note",
        )
        for wish in wishes
    )


def _readable(note: str) -> str:
    """Single blanks, without empty lines, without lines that quote an earlier mail and without
    form fields that decline what they offer."""
    lines = (" ".join(line.split()) for line in note[:MAX_NOTE].splitlines())
    return "\n".join(
        line for line in lines if line and line[0] != ">" and not _DECLINED.fullmatch(line)
    )


def _wishes(text: str, placed_on: date, rules: NoteRules) -> Iterator[Wish]:
    unquoted = _QUOTED.sub(lambda match: " " * len(match[0]), text)
    for rule in rules.rules:
        match = _match(text if rule.reads_quoted else unquoted, rule, rules)
        if match is None:
            continue
        sentence = _sentence(text, match)
        yield Wish(
            rule.kind, rule.severity, rule.title, sentence, _value(sentence, rule, placed_on)
        )


def _match(text: str, rule: NoteRule, rules: NoteRules) -> re.Match[str] | None:
    """The first match that counts and that no `unless` of the same sentence takes back."""
    for match in _matches(text, rule, rules):
        if rule.unless is None or not rule.unless.search(_sentence(text, match)):
            return match
    return None


def _matches(text: str, rule: NoteRule, rules: NoteRules) -> Iterator[re.Match[str]]:
    for match in rule.pattern.finditer(text):
        if rule.when is When.EITHER or _is_negated(text, match, rules) is (
            rule.when is When.NEGATED
        ):
            yield match
    if rule.always is not None:
        yield from rule.always.finditer(text)


def _is_negated(text: str, match: re.Match[str], rules: NoteRules) -> bool:
    """Whether the clause says that it is not so: up to six words before the match, or what follows.

    Commas, "und" and "bitte" begin a new clause: "nicht da, bitte zum Nachbarn" negates nothing.
    """
    before = _CLAUSE_BEGINS.split(text[max(0, match.start() - 80) : match.start()])[-1]
    told = " ".join(before.split(" ")[-7:]) + match[0]
    if rules.negated_before.search(told):
        return True
    after = _CLAUSE_ENDS.split(text[match.end() : match.end() + 80], maxsplit=1)[0]
    return rules.negated_after.search(after) is not None


def _sentence(text: str, match: re.Match[str]) -> str:
    """The sentence around a match, at most 120 characters to either side."""
    start, end = match.span()
    while start > 0 and not _ends_sentence(text, start - 1) and match.start() - start < 120:
        start -= 1
    while end < len(text) and not _ends_sentence(text, end) and end - match.end() < 120:
        end += 1
    return text[start : end + 1].strip()[:_EXCERPT]


def _ends_sentence(text: str, position: int) -> bool:
    char = text[position]
    if char == ".":
        # Not the end after "24", "Mr" or "Str".
        word = text[max(0, position - 4) : position].rpartition(" ")[2]
        return not (word[-1:].isdigit() or 0 < len(word) < 4)
    return char in "!?\n"


_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            ("jan",), ("feb",), ("mär", "mar", "mrz"), ("apr",), ("mai", "may"), ("jun",),
            ("jul",), ("aug",), ("sep",), ("okt", "oct"), ("nov",), ("dez", "dec"),
        ),
        start=1,
    )
    for name in names
}  # fmt: skip
_ISO = re.compile(r"\b(20\d\d)-(\d{2})-(\d{2})\b")
_GERMAN = re.compile(r"\b(\d{1,2})\.\s?(\d{1,2})\.(?:\s?(20\d\d|\d\d)\b)?")
_WORDS_FIRST = re.compile(
    r"\b(\d{1,2})(?:\.|st|nd|rd|th)?\s?(?:of\s)?([A-Za-zä]{3})[a-zä]*\.?(?:\s(20\d\d))?", re.I
)
_MONTH_FIRST = re.compile(
    r"\b([A-Za-z]{3})[a-z]*\.?\s(\d{1,2})(?:st|nd|rd|th)?\b(?:,?\s(20\d\d))?", re.I
)


def _value(sentence: str, rule: NoteRule, placed_on: date) -> str:
    if rule.kind == "delivery_date":
        found = _date(sentence, placed_on)
        return found.isoformat() if found else ""
    match = rule.value.search(sentence) if rule.value is not None else None
    return match["value"].strip(" .-") if match is not None else ""


def _date(sentence: str, placed_on: date) -> date | None:
    """The first date of a sentence; one without year is the next after the order."""
    if match := _ISO.search(sentence):
        return _day(int(match[1]), int(match[2]), int(match[3]))
    if match := _GERMAN.search(sentence):
        return _dated(match[3], int(match[2]), int(match[1]), placed_on)
    for match in _WORDS_FIRST.finditer(sentence):
        month = _MONTHS.get(match[2].casefold(), 0)
        if month:
            return _dated(match[3], month, int(match[1]), placed_on)
    for match in _MONTH_FIRST.finditer(sentence):
        month = _MONTHS.get(match[1].casefold(), 0)
        if month:
            return _dated(match[3], month, int(match[2]), placed_on)
    return None


def _dated(year: str | None, month: int, day: int, placed_on: date) -> date | None:
    if year:
        return _day(int(year) if len(year) == 4 else 2000 + int(year), month, day)
    found = _day(placed_on.year, month, day)
    # A customer names the day before ordering sometimes ("bestellt am 1.12."): a month back is
    # past.
    if found is not None and found < placed_on - timedelta(days=31) and placed_on.year < 9999:
        return _day(placed_on.year + 1, month, day)
    return found


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
