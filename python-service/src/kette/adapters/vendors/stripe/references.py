"""Which order a Stripe object belongs to: every name that leads there, the surest first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from kette.adapters.vendors.fields import line_of_text, mapping, short_name
from kette.adapters.vendors.stripe import vocabulary
from kette.domain.facts import Ref
from kette.domain.policy import System

PROVIDER: Final = "payment"  # system id of refs that carry a payment provider's own ids
KETTE: Final = "kette"


def id_of(value: object) -> str:
    """The id of an object that may have come as an id alone or expanded."""
    return short_name(value.get("id") if isinstance(value, dict) else value)


def order_refs(system: System, metadata: object, *provider_ids: str) -> tuple[Ref, ...]:
    """Refs from provider ids and from metadata.

    An id that is all digits is the shop's id of the order and founds its file: the payment may be
    told before the order. WooCommerce's own Stripe plugin writes the order NUMBER under order_id;
    the true id is then the first part of its `signature` ("5230:<md5>"). Without a signature, what
    is not all digits is a number.
    """
    told = mapping(metadata)
    refs = [Ref(PROVIDER, name) for name in dict.fromkeys(provider_ids) if name]
    if kette := _first(told, vocabulary.KETTE_ORDER_KEYS):
        refs.append(Ref(KETTE, kette))
    shop = shop_of(system, told)
    if shop:
        if key := _first(told, vocabulary.ORDER_KEY_KEYS):
            refs.append(Ref(shop, f"key:{key}"))
        refs += _shop_names(shop, told)
    return tuple(dict.fromkeys(refs))


def _shop_names(shop: str, told: Mapping[str, Any]) -> list[Ref]:
    order_id = _first(told, vocabulary.ORDER_ID_KEYS)
    signed = vocabulary.ORDER_SIGNATURE.match(line_of_text(told.get("signature"))[:100])
    true_id = signed.group(1) if signed else order_id
    refs = []
    if vocabulary.SHOP_ID.match(true_id):
        refs.append(Ref(shop, f"order:{true_id}", founds_order=True))
    if order_id and (order_id != true_id or not refs):
        refs.append(Ref(shop, f"number:{order_id}"))
    if number := _first(told, vocabulary.ORDER_NUMBER_KEYS):
        refs.append(Ref(shop, f"number:{number}"))
    return refs


def session_refs(system: System, session: Mapping[str, Any], *provider_ids: str) -> tuple[Ref, ...]:
    """Like `order_refs`, with the reference that a checkout page was opened with."""
    refs = order_refs(system, session.get("metadata"), *provider_ids)
    told = short_name(session.get("client_reference_id"))
    if vocabulary.KETTE_ID.match(told):
        refs += (Ref(KETTE, told),)
    elif vocabulary.SHOP_ID.match(told) and (
        shop := shop_of(system, mapping(session.get("metadata")))
    ):
        refs += (Ref(shop, f"order:{told}", founds_order=True),)
    return tuple(dict.fromkeys(refs))


def shop_of(system: System, metadata: Mapping[str, Any]) -> str:
    """System id of the shop: the only one that this provider serves, else the one that the metadata
    name, directly or by web address (option `sites`: "woo-main=shop.example woo-at=shop.at")."""
    if len(system.serves) == 1:
        return system.serves[0]
    named = _first(metadata, vocabulary.KETTE_SHOP_KEYS)
    if named and (not system.serves or named in system.serves):
        return named
    host = _host(_first(metadata, vocabulary.SITE_KEYS))
    for pair in system.options.get("sites", "").replace(",", " ").split():
        shop, _, site = pair.partition("=")
        if host and host == _host(site):
            return shop
    return ""


def _host(site: str) -> str:
    try:
        return (urlsplit(site if "//" in site else f"//{site}").hostname or "").removeprefix("www.")
    except ValueError:
        return ""


def _first(told: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    for key in keys:
        if found := short_name(told.get(key)).removeprefix("#"):
            return found
    return ""
