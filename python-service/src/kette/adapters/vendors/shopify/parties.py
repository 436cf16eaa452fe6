"""Who ordered and how they pay: addresses, VAT id, notes, language, method of payment."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from kette.adapters.vendors import fields
from kette.adapters.vendors.fields import line_of_text, mapping, objects
from kette.adapters.vendors.shopify import vocabulary
from kette.adapters.vendors.shopify.amounts import Told
from kette.domain.order import Address
from kette.domain.policy import System
from kette.domain.wording import pick_language

_LANGUAGE: Final = re.compile(r"([a-z]{2,3})(?:[-_].*)?\Z", re.ASCII)
_VAT_ID: Final = re.compile(r"[A-Z]{2}[0-9A-Z+*]{2,14}\Z", re.ASCII)
_CAMEL: Final = re.compile(r"([a-z])([A-Z])")
_NOT_WORD: Final = re.compile(r"[\W_]+")
_BARE_VAT_ID: Final = re.compile(r"[0-9A-Z]{8,14}\Z", re.ASCII)
_NOT_IN_VAT_ID: Final = re.compile(r"[\s.\-/]")
_SLUG: Final = re.compile(r"[^a-z0-9]+")
_TECHNICAL: Final = re.compile(r"[a-z0-9]+(?:_+[a-z0-9]+)*_*", re.ASCII)
_LONGEST_NOTE: Final = 10_000


def read_parties(order: Told) -> tuple[Address, Address]:
    """(billing, shipping). Orders made by apps or at the till may name one address only."""
    phone = line_of_text(order.get("phone"))
    billing, shipping = (
        mapping(order.get("billing_address")),
        mapping(order.get("shipping_address")),
    )
    company = line_of_text(mapping(order.get("company")).get("name"))
    return (
        _address(billing or shipping, phone, email_of(order), company),
        _address(shipping, phone) if shipping else Address(),
    )


def is_picked_up(order: Told) -> bool:
    """A checkout with a billing address and nowhere to ship to. REST and webhooks say it in no
    other way: the chosen method is the name of a shop. Where Shopify hides addresses for want of a
    right, both are missing."""
    billing = mapping(order.get("billing_address"))
    is_known = bool(line_of_text(billing.get("address1")) or line_of_text(billing.get("zip")))
    from_checkout = line_of_text(order.get("source_name")).lower() in ("web", "checkout")
    return is_known and from_checkout and not mapping(order.get("shipping_address"))


def _address(told: Told, phone: str, email: str = "", company: str = "") -> Address:
    """An address as the customer typed it; empty fields where Shopify hides them."""
    parts = (line_of_text(told.get("first_name")), line_of_text(told.get("last_name")))
    region = line_of_text(told.get("province_code")) or line_of_text(told.get("province"))
    return Address(
        name=" ".join(part for part in parts if part) or line_of_text(told.get("name")),
        company=line_of_text(told.get("company")) or company,
        line1=line_of_text(told.get("address1")),
        line2=line_of_text(told.get("address2")),
        postal_code=line_of_text(told.get("zip")),
        city=line_of_text(told.get("city")),
        region=region,
        country_code=line_of_text(told.get("country_code")).upper(),
        phone=line_of_text(told.get("phone")) or phone,
        email=email,
    )


def email_of(order: Told) -> str:
    customer = mapping(order.get("customer"))
    return (
        line_of_text(order.get("email"))
        or line_of_text(order.get("contact_email"))
        or line_of_text(customer.get("email"))
    )


def customer_ref(order: Told) -> str:
    return line_of_text(mapping(order.get("customer")).get("id"))


def language_of(order: Told) -> str:
    for told in (order.get("customer_locale"), mapping(order.get("customer")).get("locale")):
        match = _LANGUAGE.match(line_of_text(told).lower())
        if match:
            return match.group(1)
    return ""


def note_of(order: Told, system: System) -> str:
    """The customer's note, and below it what a cart form asked of them (date wish, engraving)."""
    rows = [fields.text(order.get("note"))]
    rows += [
        f"{name}: {value}"
        for name, value in _asked(order)
        if not name.startswith("_") and not _vat_id(name, value, _own_keys(system))
    ]
    return "\n".join(row for row in rows if row)[:_LONGEST_NOTE]


def vat_id_of(order: Told, system: System) -> str:
    """Shopify has no field of its own: apps write VAT ids into the cart's attributes, business
    customers have one at their company location."""
    company = mapping(order.get("company"))
    told = [("vat", line_of_text(company.get("tax_registration_id"))), *_asked(order)]
    for name, value in told:
        if found := _vat_id(name, value, _own_keys(system)):
            return found
    return ""


def method_of(order: Told) -> tuple[str, str]:
    """(key for the setup's payment rules, what the customer chose in words of their language). A
    gift card that pays a part is no method of its own; the other gateway is."""
    names = order.get("payment_gateway_names")
    told = [line_of_text(n) for n in names] if isinstance(names, list) else []
    if not any(told):
        told = [line_of_text(order.get("gateway"))]
    chosen = [name for name in dict.fromkeys(told) if name]
    main = [name for name in chosen if name.lower() != vocabulary.GIFT_CARD] or chosen
    terms = mapping(order.get("payment_terms"))
    if terms and (not main or main[0].lower() == "manual"):
        title = line_of_text(terms.get("payment_terms_name"))
        return "invoice", title or vocabulary.TERMS_TITLE[_column(order)]
    titles = dict.fromkeys(_title(name, _column(order)) for name in chosen)
    return (_method_key(main[0]) if main else ""), ", ".join(titles)[:200]


def _column(order: Told) -> int:
    """Of the titles in vocabulary: the customer's language."""
    return 0 if pick_language(language_of(order)) == "de" else 1


def _title(gateway: str, column: int) -> str:
    """A gateway as people call it. A technical name without a title gets blanks and capitals; what
    a merchant typed stays."""
    known = vocabulary.GATEWAY_TITLES.get(gateway.lower())
    if known is not None:
        return known[column]
    if not _TECHNICAL.fullmatch(gateway):
        return gateway
    words = gateway.replace("_", " ").split()
    return " ".join(word[0].upper() + word[1:] for word in words) or gateway


def _method_key(gateway: str) -> str:
    for pattern, method in vocabulary.GATEWAYS:
        if pattern.search(gateway):
            return method
    return _SLUG.sub("_", gateway.lower()).strip("_")[:60]


def _asked(order: Told) -> Iterable[tuple[str, str]]:
    for entry in objects(order.get("note_attributes")):
        name, value = line_of_text(entry.get("name")), line_of_text(entry.get("value"))
        if name and value:
            yield name[:100], value[:1000]


def _own_keys(system: System) -> frozenset[str]:
    return frozenset(system.options.get("vat_id_keys", "").replace(",", " ").split())


def _vat_id(name: str, value: str, own_keys: frozenset[str]) -> str:
    words = _NOT_WORD.sub(" ", _CAMEL.sub(r"\1 \2", name).lower())
    is_clear = bool(vocabulary.VAT_NAMES.search(words))
    is_own = name in own_keys
    if not is_own and not is_clear and not vocabulary.DOUBTFUL_VAT_NAMES.search(words):
        return ""
    found = _NOT_IN_VAT_ID.sub("", value).upper()
    if not 4 <= len(found) <= 20 or not any(c.isdigit() for c in found):
        return ""
    # An id without its country is told as it is: a person sees what is wrong with it.
    is_one = is_own or _VAT_ID.match(found) or (is_clear and _BARE_VAT_ID.match(found))
    return found if is_one else ""
