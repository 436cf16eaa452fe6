"""Phone and mail address of the recipient: carriers announce parcels by them.

A phone number that is certain is written in E.164, which carriers demand. A mail address is never
changed: a slip of the finger in its domain is proposed.
"""

from __future__ import annotations

import re
from functools import lru_cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

from kette.domain.address.parts import Parts

_MAX_PHONE = 40
_MAIL = re.compile(
    r"[^\s@<>,;:\"()\[\]\\]{1,64}@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}[^\W\d_][\w-]{1,62}"
)
_PUNCTUATION = re.compile(r"[\s()/.-]+")
# The trunk prefix in brackets, "+49 (0)30", which the international form does not have.
_TRUNK = re.compile(r"\(0\)")
_SHARED_CODES = {
    "GB": ("GG", "JE", "IM"),
    "NO": ("SJ",),
    "FI": ("AX",),
    "IT": ("VA",),
    "US": ("CA", "PR"),
    "FR": ("GP", "MQ", "RE", "GF", "YT"),
}


def check_phone(parts: Parts) -> None:
    typed = parts.phone
    if not typed:
        return
    reading = _read_phone(typed, parts.country_code) if len(typed) <= _MAX_PHONE else ("", "")
    number, region = reading
    if not number:
        message = "this is no phone number that a carrier can call"
        parts.hint("phone_invalid", "phone", message, typed)
        return
    parts.phone = number
    if number != _PUNCTUATION.sub("", typed):
        parts.note("phone_respelled", "phone", "phone number in international form", typed, number)
    home = parts.country_code
    if region and home in parts.rules.countries and region != home:
        if region in _SHARED_CODES.get(home, ()) or home in _SHARED_CODES.get(region, ()):
            return
        message = f"the phone number belongs to {region}, the address to {home}"
        parts.note("phone_other_country", "phone", message, number)


@lru_cache(maxsize=8192)
def _read_phone(typed: str, country_code: str) -> tuple[str, str]:
    """(E.164, country), both "" where it is no valid number. The same few numbers come again with
    every event of an order, so they are kept."""
    text = _TRUNK.sub("", typed)
    region = country_code if len(country_code) == 2 else None
    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException:
        return "", ""
    if not phonenumbers.is_valid_number(number):
        return "", ""
    region = phonenumbers.region_code_for_number(number) or ""
    return phonenumbers.format_number(number, PhoneNumberFormat.E164), region


def check_email(parts: Parts) -> None:
    typed = parts.email
    if not typed:
        return
    if len(typed) > 254 or _MAIL.fullmatch(typed) is None:
        parts.hint("email_suspicious", "email", "this does not look like a mail address", typed)
        return
    local, _, domain = typed.rpartition("@")
    likely = parts.rules.mail_domains.get(domain.casefold())
    if likely is not None:
        message = f"{domain} looks like a slip of the finger for {likely}"
        parts.hint("email_typo", "email", message, typed, f"{local}@{likely}")
