"""What links an order to others: the customer's mail address, the place of delivery, the card.

Plain values; they are stored only as keyed digests (Kernel.keys_of), which find other orders and
tell nobody whose they are. An empty value links nothing: orders without a mail address have no
customer in common.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import msgspec

from kette.domain.facts import PaymentState
from kette.domain.order import Address, Order
from kette.domain.parcel_words import is_parcel_point
from kette.domain.state import Payment

_NOT_WORD = re.compile(r"[\W_]+")
_STREET = re.compile(r"stra(?:ß|ss)e\b|str\b")
# The payment that counts: money taken or reserved before what failed or is not decided.
_WEIGHT = {PaymentState.CAPTURED: 2, PaymentState.AUTHORIZED: 1}


class Links(msgspec.Struct, frozen=True):
    """Spelled so that two ways of writing the same are equal."""

    mail: str
    place: str
    card: str


class OrderKeys(msgspec.Struct, frozen=True):
    """Keyed digests of the links; "" links nothing. Without the privacy key they tell nothing, and
    clearing them does not touch the facts."""

    customer: str = ""
    address: str = ""
    card: str = ""


def links_of(order: Order, delivery: Address, payments: Sequence[Payment]) -> Links:
    """delivery: where the goods go, a person's correction included."""
    return Links(
        mail=order.billing.email.strip().casefold()[:320],
        place=_place(delivery) if order.physical_lines else "",
        card=_card(payments),
    )


def paying(payments: Sequence[Payment]) -> list[Payment]:
    """Payments, the one that counts first."""
    return sorted(payments, key=lambda x: (-_WEIGHT.get(x.state, 0), x.changed_at, x.id))


def _place(address: Address) -> str:
    """Street, number and postcode; at a parcel locker, which thousands share, also the name."""
    street = _words(f"{address.line1} {address.line2}")
    if not street or not address.postal_code.strip():
        return ""
    name = _words(f"{address.name} {address.company}") if is_parcel_point(address) else ""
    country = address.country_code.strip().upper()[:2]
    return "\x1f".join((street, _words(address.postal_code), country, name))


def _card(payments: Sequence[Payment]) -> str:
    """The provider's own fingerprint: the same card has another one at another provider."""
    for payment in paying(payments):
        if payment.fingerprint:
            return f"{payment.source}\x1f{payment.fingerprint[:200]}"
    return ""


@lru_cache(maxsize=8192)
def _words(text: str) -> str:
    return _NOT_WORD.sub("", _STREET.sub("str", text[:300].casefold()))
