"""Is this order a repetition of another? Same shop, same customer, same basket and total, in a
short time: a double click, a reload, an import run twice.

The later order, by (placed_at, external id), is the duplicate, so both sides of a pair agree
without talking. Two shops with the same number are two orders. An order that came to nothing
(failed, cancelled) is no original: ordering again is what the customer was meant to do.

What is stored of customer and basket are keyed digests: without the privacy key nobody can test
whose mail address or name they were made of.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import partial

import msgspec

from kette.domain.order import Address, LineKind, Order, ShopClaim

_NOT_DIGIT = re.compile(r"[^0-9]+")
_NOT_WORD = re.compile(r"[^\w]+")
_STREET = re.compile(r"stra(?:ß|ss)e\b|str\b")
_OVER = frozenset({ShopClaim.CANCELLED, ShopClaim.FAILED, ShopClaim.REFUNDED})


class Fingerprint(msgspec.Struct, frozen=True):
    """What of an order is compared. `lookup_key` is equal for all orders that may be duplicates of
    each other apart from customer and time, so it can be an index; it tells nothing by itself."""

    channel: str
    external_id: str
    number: str
    placed_at: datetime
    lookup_key: str
    account: str  # these four are digests, empty where not given
    mail: str
    person: str  # name and address
    phone: str
    claim: ShopClaim
    is_paid: bool
    is_test: bool = False
    recipient: str = ""  # digests too: the name that it goes to, and where
    place: str = ""


class DuplicateMatch(msgspec.Struct, frozen=True):
    """The order that came first, and why the other repeats it."""

    original: Fingerprint
    reasons: tuple[str, ...]


def fingerprint(order: Order, key: bytes) -> Fingerprint:
    """Reduce an order to what is compared; holds digests instead of personal data. Fingerprints
    under different keys cannot be compared."""
    digest: Callable[..., str] = partial(_digest, key)
    basket = _basket(order)
    mail = order.billing.email.strip().casefold()
    person = _person(order.billing)
    phone = _NOT_DIGIT.sub("", order.billing.phone[:40])
    return Fingerprint(
        channel=order.channel,
        external_id=order.external_id,
        number=order.number,
        placed_at=order.placed_at,
        lookup_key=digest(order.channel, order.currency, str(order.total.minor), *basket),
        account=digest(order.customer_ref) if order.customer_ref.strip("0 ") else "",
        mail=digest(mail) if mail else "",
        person=digest(person) if person else "",
        phone=digest(phone) if phone else "",
        claim=order.claim,
        is_paid=order.paid_at is not None,
        is_test=order.is_test,
        recipient=digest(recipient) if (recipient := _recipient(order)) else "",
        place=digest(place) if (place := _place(order.delivery_address)) else "",
    )


def _basket(order: Order) -> list[str]:
    """Article, choice and pieces, however the shop spreads them over lines."""
    pieces: dict[str, int] = {}
    for line in order.lines:
        if line.kind is LineKind.ITEM:
            article = line.product_id or line.sku or line.name
            what = f"{article}\x1f{sorted(line.attributes)}"
            pieces[what] = pieces.get(what, 0) + line.quantity
    return sorted(f"{what}\x1f{count}" for what, count in pieces.items())


def twin_keys(order: Fingerprint) -> tuple[str, ...]:
    """Names under which repetitions of this order can be found: the basket with each thing that
    may tell the customer. Orders that share none of them are never duplicates."""
    told = (("account", order.account), ("mail", order.mail), ("person", order.person))
    # Made of keyed digests, so it needs no key of its own.
    return tuple(_digest(b"", order.lookup_key, kind, value) for kind, value in told if value)


def find_duplicate_of(
    order: Fingerprint, neighbours: Iterable[Fingerprint], window_s: int
) -> DuplicateMatch | None:
    """The earliest order that this one repeats, or None. neighbours may hold the order itself and
    orders of any shop."""
    if order.claim in _OVER:
        return None
    window = timedelta(seconds=min(max(window_s, 0), 10 * 366 * 86400))
    found: Fingerprint | None = None
    for other in neighbours:
        if not _is_original(order, other, window):
            continue
        if found is None or _sequence(other) < _sequence(found):
            found = other
    if found is None:
        return None
    gap_s = int((_instant(order) - _instant(found)).total_seconds())
    reasons = (*_same_customer(order, found), "same basket and total", f"{gap_s} s apart")
    return DuplicateMatch(found, reasons)


def _is_original(order: Fingerprint, other: Fingerprint, window: timedelta) -> bool:
    if other.channel != order.channel or other.external_id == order.external_id:
        return False
    if other.lookup_key != order.lookup_key or not _same_customer(order, other):
        return False
    if other.claim in _OVER or not _sequence(other) < _sequence(order):
        return False
    if other.is_test is not order.is_test:
        return False  # first tried out, then bought
    # The same present to two friends. Only the place differs where an address was put right.
    if _differ(order.recipient, other.recipient) and _differ(order.place, other.place):
        return False
    # A checkout that was left unpaid, then done again and paid, is one purchase.
    if other.claim is ShopClaim.PENDING and not other.is_paid and order.is_paid:
        return False
    return _instant(order) - _instant(other) <= window


def _instant(order: Fingerprint) -> datetime:
    """Adapters give aware instants; one without zone is taken as UTC instead of failing."""
    placed_at = order.placed_at
    return placed_at if placed_at.tzinfo is not None else placed_at.replace(tzinfo=UTC)


def _sequence(order: Fingerprint) -> tuple[datetime, int, str]:
    """Shops count up: by length before text puts "99" before "100"."""
    return (_instant(order), len(order.external_id), order.external_id)


def _same_customer(order: Fingerprint, other: Fingerprint) -> tuple[str, ...]:
    """Why both are one customer; empty if not.

    Name and address alone do not do it where two different mail addresses are given: families and
    firms share both. The same phone number tips the scale.
    """
    reasons = []
    if order.account and order.account == other.account:
        reasons.append("same customer account")
    if order.mail and order.mail == other.mail:
        reasons.append("same mail address")
    if order.person and order.person == other.person:
        same_phone = bool(order.phone) and order.phone == other.phone
        if reasons or same_phone or not (order.mail and other.mail):
            reasons.append("same name and address")
    return tuple(reasons)


def _differ(one: str, other: str) -> bool:
    return bool(one) and bool(other) and one != other


def _person(address: Address) -> str:
    name, place = _words(address.name or address.company), _place(address)
    return f"{name}\x1f{place}" if name and place else ""


def _recipient(order: Order) -> str:
    to = order.delivery_address
    return _words(to.name or to.company) if order.physical_lines else ""


def _place(address: Address) -> str:
    street = _words(f"{address.line1} {address.line2}")
    return (
        "\x1f".join((street, _words(address.postal_code), address.country_code.upper()))
        if street
        else ""
    )


def _words(text: str) -> str:
    return _NOT_WORD.sub("", _STREET.sub("str", text[:300].casefold()))


def _digest(key: bytes, *parts: str) -> str:
    text = "\x1e".join(parts)
    return hmac.digest(key, text.encode("utf-8", "surrogatepass"), "sha256").hex()[:32]
