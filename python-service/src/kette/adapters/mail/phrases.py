"""The rules' sentences as staff reads them: in German, and with amounts, dates and countries
written as in the reader's language.

The rules speak English, in the API as in the ledger; a sentence is recognised here by its text
(policies/staff_phrases.yaml). What is not listed, such as a vendor's own error or a customer's
words, stays as it came.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from string import Formatter
from zoneinfo import ZoneInfo

import msgspec
import yaml

from kette.adapters.mail.titles import ACTIONS, field_title
from kette.domain.money import Money
from kette.domain.wording import Language, country_name, format_date, format_money

_LIMIT = 2000  # characters of a text that are looked at
_MOST_JOINED = 4  # pieces that one listed sentence may have
_POINTS = re.compile(r"(?P<text>.+) \((?P<points>[+-]\d{1,3})\)", re.DOTALL)
_MONEY = re.compile(r"(?P<amount>-?\d{1,15}(?:\.\d{1,4})?) (?P<currency>[A-Z]{3})")
_AMOUNT = re.compile(r"-?\d{1,15}\.\d{2,3}")
_PERCENT = re.compile(r"(?P<number>\d{1,3}(?:\.\d{1,4})?) %")
_PERCENTS = re.compile(rf"{_PERCENT.pattern}(?:, \d{{1,3}}(?:\.\d{{1,4}})? %)*")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}.{0,20}")
_CODE = re.compile(r"[\w.\-\[\]]{1,80}")
_TWO_LETTERS = re.compile(r"[A-Z]{2}")
# What a placeholder may stand for; a path is narrow, lest "{path} is missing" takes in everything.
_ANY, _REST, _PATH = r".*?", r".*", r"[a-z_]+(?:\.[a-z0-9_]+)*"


class Phrase(msgspec.Struct, frozen=True):
    """One sentence: how it is recognised, what its values are, and its text in both languages."""

    pattern: re.Pattern[str]
    kinds: dict[str, str]
    texts: dict[Language, str]


class Phrases(msgspec.Struct, frozen=True):
    exact: dict[str, str]
    patterns: tuple[Phrase, ...]
    words: dict[str, str]


class Reader(msgspec.Struct, frozen=True):
    """For whom a text is put: language, local time, and the currency of amounts that name none."""

    language: Language
    zone: ZoneInfo
    currency: str = ""

    def sentence(self, text: str) -> str:
        """A text of the rules, piece by piece; pieces that are not listed stay."""
        pieces = text[:_LIMIT].split("; ")
        done: list[str] = []
        while pieces:
            for count in range(1, min(len(pieces), _MOST_JOINED) + 1):
                known = self._listed("; ".join(pieces[:count]))
                if known is not None:
                    break
            else:
                known, count = pieces[0], 1
            done.append(known)
            del pieces[:count]
        return "; ".join(done)

    def value(self, text: str) -> str:
        """A value in the reader's way of writing, if it shows what it is."""
        try:
            if found := _MONEY.fullmatch(text):
                return self.money(found["amount"], found["currency"])
            if _AMOUNT.fullmatch(text):
                return self.money(text, self.currency)
            if _PERCENTS.fullmatch(text):
                return self._percents(text)
            if _DAY.fullmatch(text):
                return format_date(date.fromisoformat(text), self.language)
            if _INSTANT.fullmatch(text):
                return self.instant(datetime.fromisoformat(text))
        except ValueError:  # it only looked like one
            pass
        return text

    def money(self, amount: str, currency: str) -> str:
        """Raises ValueError where the currency does not know such an amount."""
        if currency:
            return format_money(Money.parse(amount, currency), self.language)
        return amount.replace(".", ",") if self.language == "de" else amount

    def instant(self, moment: datetime) -> str:
        """Local day and time; a moment without a zone stays as it is."""
        if moment.tzinfo is None:
            return moment.isoformat()
        local = moment.astimezone(self.zone)
        return f"{format_date(local.date(), self.language)}, {local:%H:%M}"

    def word(self, text: str) -> str:
        """A vendor's or our own term: translated if it is listed, else with blanks."""
        if self.language == "de" and text in load_phrases().words:
            return load_phrases().words[text]
        return text.replace("_", " ")

    def country(self, text: str) -> str:
        if _TWO_LETTERS.fullmatch(text):
            return country_name(text, self.language)
        return self.word(text)

    def action(self, kind: str) -> str:
        return ACTIONS[self.language].get(kind, kind)

    def field(self, path: str) -> str:
        return field_title(path, self.language)

    def _listed(self, text: str) -> str | None:
        """A listed sentence, also with the points of a risk reason, with details after a colon, and
        with a code or a field before one."""
        phrases = load_phrases()
        if text in phrases.exact:
            return phrases.exact[text] if self.language == "de" else text
        if found := _POINTS.fullmatch(text):
            known = self._listed(found["text"])
            return f"{known} ({found['points']})" if known is not None else None
        for phrase in phrases.patterns:
            if match := phrase.pattern.fullmatch(text):
                return self._filled(phrase, match)
        head, colon, details = text.partition(": ")
        if colon and head in phrases.exact:
            return f"{self._listed(head)}: {self.value(details)}"
        if colon and _CODE.fullmatch(head) and (known := self._listed(details)) is not None:
            return f"{known} ({head})"
        return None

    def _filled(self, phrase: Phrase, match: re.Match[str]) -> str:
        ways: dict[str, Callable[[str], str]] = {
            "": self.value,
            "word": self.word,
            "country": self.country,
            "action": self.action,
            "field": self.field,
            "sentence": self.sentence,
        }
        values = {name: ways[kind](match[name]) for name, kind in phrase.kinds.items()}
        return phrase.texts[self.language].format(**values)

    def _percents(self, text: str) -> str:
        comma = "," if self.language == "de" else "."
        return _PERCENT.sub(lambda x: f"{x['number'].replace('.', comma)}\u00a0%", text)


@cache
def load_phrases() -> Phrases:
    """The list, compiled once per process; the sentence with most text of its own counts first."""
    raw = files("kette.policies").joinpath("staff_phrases.yaml").read_text(encoding="utf-8")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    data = yaml.load(raw, Loader=loader)  # noqa: S506  # both loaders are safe ones
    sentences: dict[str, str] = data["sentences"]
    patterns = [(english, german) for english, german in sentences.items() if "{" in english]
    patterns.sort(key=lambda pair: -sum(len(part[0]) for part in Formatter().parse(pair[0])))
    return Phrases(
        exact={english: german for english, german in sentences.items() if "{" not in english},
        patterns=tuple(_phrase(english, german) for english, german in patterns),
        words={str(word): german for word, german in data["words"].items()},
    )


def _phrase(english: str, german: str) -> Phrase:
    pattern, plain = "", ""
    kinds: dict[str, str] = {}
    parts = list(Formatter().parse(english))
    for position, (literal, name, kind, _) in enumerate(parts, start=1):
        pattern += re.escape(literal)
        plain += literal
        if name:
            kinds[name] = kind or ""
            shape = _PATH if kind == "field" else _REST if position == len(parts) else _ANY
            pattern += f"(?P<{name}>{shape})"
            plain += f"{{{name}}}"
    return Phrase(re.compile(pattern, re.DOTALL), kinds, {"de": german, "en": plain})
