"""How amounts, dates, rates and countries are written in the two languages of documents and mails.

Written by hand instead of by a locale library: an issued document must look the same after an
upgrade of the machine, and locale data changes between releases.
"""

from __future__ import annotations

import gettext
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Literal

import pycountry

from kette.domain.money import Money, exponent

Language = Literal["de", "en"]

_MONTHS_EN = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


# Names that adapters give to charges for which the shop has none, in German.
_CHARGES_DE = {
    "Duties": "Zoll und Einfuhrabgaben",
    "Fees": "Gebühren",
    "Shipping": "Versand",
    "Tip": "Trinkgeld",
}
_GIFT_CARD = "Gift card "


def charge_word(name: str, language: Language) -> str:
    """The name of a charge or discount; what the merchant typed stays as it is.

    >>> charge_word("Tip", "de"), charge_word("Gift card 4F2A", "de"), charge_word("Porto", "de")
    ('Trinkgeld', 'Gutschein 4F2A', 'Porto')
    """
    if language != "de":
        return name
    if name.startswith(_GIFT_CARD):
        return "Gutschein " + name.removeprefix(_GIFT_CARD)
    return _CHARGES_DE.get(name, name)


def pick_language(said: str, default: str = "de") -> Language:
    """Language of a document: what the shop said, else the merchant's default.

    A language that we do not speak becomes English, not the merchant's own.

    >>> pick_language("de_AT"), pick_language("fr"), pick_language("", "de")
    ('de', 'en', 'de')
    """
    word = (said or default).strip().lower()
    return "de" if word[:2] == "de" else "en"


def format_amount(minor: int, places: int, language: Language) -> str:
    """Digits with grouping and the language's separators; the minus sign is the plain hyphen.

    >>> format_amount(-123456, 2, "de"), format_amount(123456, 2, "en")
    ('-1.234,56', '1,234.56')
    """
    digits = str(abs(minor)).rjust(places + 1, "0")
    whole, fraction = (digits[:-places], digits[-places:]) if places else (digits, "")
    grouped = f"{int(whole):,}"
    text = f"{grouped}.{fraction}" if fraction else grouped
    if language == "de":
        text = text.translate(str.maketrans(",.", ".,"))
    return f"-{text}" if minor < 0 else text


def format_money(money: Money, language: Language) -> str:
    """Amount with its currency behind it, kept together by a no-break space: "1.234,56 €".

    Only the euro has a sign here: "$" alone does not say whose dollar.
    """
    unit = "€" if money.currency == "EUR" else money.currency
    return f"{format_amount(money.minor, exponent(money.currency), language)}\u00a0{unit}"


def format_date(day: date, language: Language) -> str:
    """05.11.2026 in German; 5 November 2026 in English, which no reader mistakes for May."""
    if language == "de":
        return day.strftime("%d.%m.%Y")
    return f"{day.day} {_MONTHS_EN[day.month - 1]} {day.year}"


def format_rate(rate: str | None, language: Language) -> str:
    """Tax rate as a percentage; "–" for amounts without any rate.

    >>> format_rate("0.19", "de"), format_rate("0.055", "de"), format_rate("0.055", "en")
    ('19\\xa0%', '5,5\\xa0%', '5.5\\xa0%')
    """
    if rate is None:
        return "–"
    try:
        percent = Decimal(rate) * 100
    except InvalidOperation:
        return rate
    text = f"{percent.normalize():f}"
    return f"{text.replace('.', ',') if language == 'de' else text}\u00a0%"


@lru_cache(maxsize=1)
def _german_countries() -> gettext.NullTranslations:
    return gettext.translation("iso3166-1", pycountry.LOCALES_DIR, languages=["de"], fallback=True)


@lru_cache(maxsize=512)
def country_name(code: str, language: Language) -> str:
    """Name of an ISO 3166 country; the code itself if it is unknown."""
    if code.upper() == "XI":  # the VAT prefix of Northern Ireland is no ISO code
        return "Nordirland" if language == "de" else "Northern Ireland"
    country = pycountry.countries.get(alpha_2=code.upper()) if code else None
    if country is None:
        return code
    name = str(getattr(country, "common_name", country.name))
    if language == "de":
        return _german_countries().gettext(name)
    return name
