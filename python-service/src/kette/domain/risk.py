"""How risky an order looks: a sum of weighted signals, each with its reason.

A verdict is never a refusal: "review" and "blocked" both hold the order for a person, "blocked"
says that no routine approval will do (Art. 22 GDPR; ECJ C-634/21). Weights and limits are data
(policies/risk_weights.yaml); a setup overrides both. Signals that the order does not carry
(velocity, card, provider) are collected by the caller.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum

import msgspec
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, country_code_for_region

from kette.domain.money import Money
from kette.domain.order import Address, LineKind, Order
from kette.domain.parcel_words import is_parcel_point
from kette.domain.policy import RiskPolicy


class RiskVerdict(StrEnum):
    CLEAR = "clear"
    REVIEW = "review"
    BLOCKED = "blocked"


class RiskRules(msgspec.Struct, frozen=True):
    """policies/risk_weights.yaml and policies/disposable_mail_domains.txt."""

    version: str
    weights: dict[str, int]
    limits: dict[str, int]
    provider_levels: dict[str, str]  # the provider's word -> code of a weight
    freemail_domains: frozenset[str]
    disposable_domains: frozenset[str]


class RiskSignals(msgspec.Struct, frozen=True):
    """What is known beside the order. Counts include this order; None = not known."""

    orders_mail_24h: int = 1
    orders_address_24h: int = 1
    orders_card_24h: int = 1
    failed_attempts: int = 0
    card_country: str = ""
    provider_level: str = ""  # the provider's own word: normal, elevated, highest, pending
    provider_score: int | None = None  # 0-100
    earlier_chargebacks: int = 0
    paid_orders_before: int | None = None  # None: not looked up
    is_new_address: bool | None = None  # no earlier order went there
    usual_total: Money | None = None  # median of the shop's newest orders before that day


class RiskReason(msgspec.Struct, frozen=True):
    """code is a key of the weights; fact says what was seen, without names or addresses."""

    code: str
    weight: int
    fact: str

    def __str__(self) -> str:
        return f"{self.fact} ({self.weight:+d})"


class RiskAssessment(msgspec.Struct, frozen=True):
    """The verdict follows from score and limits, the score from the reasons."""

    score: int
    verdict: RiskVerdict
    reasons: tuple[RiskReason, ...]
    version: str


_INTERNATIONAL = re.compile(r"\s{0,5}(?:\+|00)")
_NOT_DIGIT = re.compile(r"[^0-9]+")
_EXPRESS = (
    *("express", "overnight", "same day", "sameday", "same-day", "next day", "next-day"),
    *("eilzustellung", "eilsendung", "eilversand", "eilpaket", "eillieferung", "über nacht"),
)


def assess_risk(
    order: Order,
    signals: RiskSignals,
    policy: RiskPolicy,
    rules: RiskRules,
    delivery: Address | None = None,
) -> RiskAssessment:
    """Sum up what speaks for and against; any input gives a verdict.

    delivery: the corrected address where there is one, else the order's own."""
    address = delivery if delivery is not None else order.delivery_address
    if policy.limits:
        rules = msgspec.structs.replace(rules, limits={**rules.limits, **policy.limits})
    reasons = tuple(
        RiskReason(code, policy.weights.get(code, rules.weights.get(code, 0)), fact)
        for code, fact in _signals(order, address, signals, policy, rules)
    )
    score = max(0, min(100, sum(reason.weight for reason in reasons)))
    if score >= policy.block_from:
        verdict = RiskVerdict.BLOCKED
    elif score >= policy.review_from:
        verdict = RiskVerdict.REVIEW
    else:
        verdict = RiskVerdict.CLEAR
    return RiskAssessment(score, verdict, reasons, f"{policy.version}/{rules.version}")


def _signals(
    order: Order,
    address: Address,
    signals: RiskSignals,
    policy: RiskPolicy,
    rules: RiskRules,
) -> Iterator[tuple[str, str]]:
    yield from _places(order, address, signals, policy, rules)
    yield from _counts(signals, rules)
    yield from _provider(order, signals, rules)
    yield from _customer(order, address, signals, rules)


def _places(
    order: Order, address: Address, signals: RiskSignals, policy: RiskPolicy, rules: RiskRules
) -> Iterator[tuple[str, str]]:
    ships = bool(order.physical_lines)
    billing_country = order.billing.country_code.strip().upper()
    country = address.country_code.strip().upper()
    differs = ""
    if ships and billing_country and country and billing_country != country:
        differs = "country_differs"
        yield differs, f"billed to {billing_country}, delivered to {country}"
    elif (
        ships and _code(order.billing) and _code(address) and _code(order.billing) != _code(address)
    ):
        differs = "postcode_differs"
        yield differs, "billing and delivery postcode differ"
    value = _high_value(order, signals, policy, rules)
    if value:
        yield "high_value", value
        if differs:
            yield "high_value_differs", "high value to another address than the billing address"
    card = signals.card_country.strip().upper()
    if card and (billing_country or country) and card not in (billing_country, country):
        yield "card_country_differs", f"the card is from {card}"
    abroad = _foreign_phone(order, address, {billing_country, country})
    if abroad:
        yield "phone_country_differs", f"the phone number begins with +{abroad}"


def _foreign_phone(order: Order, address: Address, countries: set[str]) -> str:
    """Country code of a phone number in international form that no address of the order has."""
    codes = {str(country_code_for_region(country)) for country in countries if country}
    if not codes or "0" in codes:
        return ""
    for typed in (address.phone, order.billing.phone):
        begins = _INTERNATIONAL.match(typed)
        digits = _NOT_DIGIT.sub("", typed[begins.end() : 40]) if begins else ""
        if digits and not any(digits.startswith(code) for code in codes):
            heads = (digits[:length] for length in (1, 2, 3))
            return next((x for x in heads if int(x) in COUNTRY_CODE_TO_REGION_CODE), "")
    return ""


def _high_value(order: Order, signals: RiskSignals, policy: RiskPolicy, rules: RiskRules) -> str:
    """Why the value is high, or "". The merchant's own limit decides before the shop's median."""
    limit = policy.high_value
    if limit is not None and limit.currency == order.total.currency:
        if order.total.minor >= limit.minor:
            return f"{order.total.amount} {order.currency} is {limit.amount} or more"
        return ""
    usual = signals.usual_total
    factor = rules.limits.get("value_over_median", 3)
    if usual is None or usual.currency != order.total.currency or usual.minor <= 0:
        return ""
    if order.total.minor > factor * usual.minor:
        return f"{order.total.amount} {order.currency} is over {factor} times the usual order"
    return ""


def _counts(signals: RiskSignals, rules: RiskRules) -> Iterator[tuple[str, str]]:
    counted = (
        ("many_orders_mail", "orders_mail", signals.orders_mail_24h, "orders of this mail address"),
        (
            "many_orders_address",
            "orders_address",
            signals.orders_address_24h,
            "orders to this address",
        ),
        ("many_orders_card", "orders_card", signals.orders_card_24h, "orders with this card"),
    )
    for code, limit, count, what in counted:
        if count >= rules.limits.get(limit, 1 << 30):
            yield code, f"{count} {what} in 24 hours"
    if signals.failed_attempts >= rules.limits.get("failed_attempts", 1 << 30):
        count = signals.failed_attempts
        yield "failed_attempts", f"{count} payment{'s' if count > 1 else ''} failed before"
    if signals.earlier_chargebacks > 0:
        count = signals.earlier_chargebacks
        yield "earlier_chargebacks", f"{count} earlier chargeback{'s' if count > 1 else ''}"


def _provider(order: Order, signals: RiskSignals, rules: RiskRules) -> Iterator[tuple[str, str]]:
    """The provider's word, or the shop's own on the order: the one that weighs more."""
    told = [x.strip().casefold() for x in (signals.provider_level, order.risk_level)]
    codes = {level: rules.provider_levels.get(level, "") for level in told}
    level = max(told, key=lambda x: rules.weights.get(codes[x], -1))
    code = codes[level]
    score = signals.provider_score
    if score is not None and score >= rules.limits.get("provider_highest", 101):
        code = "provider_highest"
    elif score is not None and score >= rules.limits.get("provider_elevated", 101):
        code = code or "provider_elevated"
    if code:
        said = f"score {score}" if score is not None else f"level {level[:40]}"
        yield code, f"the payment provider says {said}"


def _customer(
    order: Order, address: Address, signals: RiskSignals, rules: RiskRules
) -> Iterator[tuple[str, str]]:
    domain = order.billing.email.rpartition("@")[2].strip().rstrip(".").casefold()
    if domain and _is_listed(domain, rules.disposable_domains):
        yield "disposable_mail", "the mail address is a throw-away one"
    elif domain in rules.freemail_domains:
        yield "freemail", "the mail address is from a free provider"
    paid = signals.paid_orders_before
    is_known = paid is not None and paid >= rules.limits.get("known_customer_orders", 1)
    if signals.is_new_address and not is_known and _is_express(order):
        yield "express_new_address", "express delivery to an address that is new"
    if paid == 0 and is_parcel_point(address):
        yield "pickup_point_new_customer", "first order, delivered to a pick-up point"
    if is_known and signals.earlier_chargebacks == 0:
        yield "known_customer", f"{paid} paid orders before"


def _is_listed(domain: str, listed: frozenset[str]) -> bool:
    """The domain or a parent of it; at most five labels are tried."""
    labels = domain.split(".")[-5:]
    return any(".".join(labels[start:]) in listed for start in range(len(labels) - 1))


def _is_express(order: Order) -> bool:
    for line in order.lines:
        if line.kind is LineKind.SHIPPING:
            words = " ".join([line.name, *(value for _, value in line.attributes)])[:300].casefold()
            if any(word in words for word in _EXPRESS):
                return True
    return False


def _code(address: Address) -> str:
    return address.postal_code.replace(" ", "").upper()
