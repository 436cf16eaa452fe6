"""Each signal alone, their sum, the two limits."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from kette.domain.money import Money
from kette.domain.order import LineKind
from kette.domain.policy import RiskPolicy
from kette.domain.risk import RiskAssessment, RiskReason, RiskSignals, RiskVerdict, assess_risk
from kette.policies import load_intake_data
from support.intake_orders import MUG, address, order, row

RULES = load_intake_data().risk
PLAIN = RiskPolicy()
LIMIT = RiskPolicy(high_value=Money(100_000, "EUR"))
DEAR = {"total": Money(100_000, "EUR")}
EXPRESS = row(1000, 190, kind=LineKind.SHIPPING, name="DHL Express")
ABROAD = {"shipping": address(country_code="AT", postal_code="1060")}
GMAIL = {"billing": address(email="anke@gmail.com")}
THROW_AWAY = {"billing": address(email="x@sub.mailinator.com")}


def assess(
    signals: RiskSignals | None = None, policy: RiskPolicy = PLAIN, **changes: Any
) -> RiskAssessment:
    lines = changes.pop("lines", (MUG,))
    return assess_risk(order(*lines, **changes), signals or RiskSignals(), policy, RULES)


def test_a_usual_order_is_clear() -> None:
    found = assess()
    assert found == RiskAssessment(0, RiskVerdict.CLEAR, (), "risk-1/risk-2026-11")


ALONE: list[tuple[str, int, dict[str, Any], dict[str, Any]]] = [
    ("country_differs", 20, {}, ABROAD),
    ("postcode_differs", 5, {}, {"shipping": address(postal_code="20099")}),
    ("card_country_differs", 25, {"card_country": "US"}, {}),
    ("phone_country_differs", 10, {}, {"billing": address(phone="+1 212 555 0123")}),
    ("many_orders_mail", 30, {"orders_mail_24h": 4}, {}),
    ("many_orders_address", 20, {"orders_address_24h": 4}, {}),
    ("many_orders_card", 40, {"orders_card_24h": 3}, {}),
    ("failed_attempts", 30, {"failed_attempts": 3}, {}),
    ("provider_elevated", 35, {"provider_level": "elevated"}, {}),
    ("provider_elevated", 35, {"provider_score": 65}, {}),
    ("provider_highest", 60, {"provider_score": 75, "provider_level": "elevated"}, {}),
    ("provider_highest", 60, {"provider_level": "Highest", "provider_score": 10}, {}),
    ("provider_pending", 40, {"provider_level": "PENDING"}, {}),
    ("provider_highest", 60, {}, {"risk_level": "highest"}),  # the shop's own word
    ("provider_highest", 60, {"provider_level": "normal"}, {"risk_level": "highest"}),
    ("provider_highest", 60, {"provider_level": "highest"}, {"risk_level": "elevated"}),
    ("provider_pending", 40, {"provider_level": "normal"}, {"risk_level": "pending"}),
    ("disposable_mail", 35, {}, THROW_AWAY),
    ("freemail", 0, {}, GMAIL),
    ("earlier_chargebacks", 60, {"earlier_chargebacks": 1, "paid_orders_before": 9}, {}),
    ("express_new_address", 20, {"is_new_address": True}, {"lines": (MUG, EXPRESS)}),
    ("pickup_point_new_customer", 10, {"paid_orders_before": 0},
     {"shipping": address(line1="Packstation 123")}),
    ("known_customer", -25, {"paid_orders_before": 2}, {}),
]  # fmt: skip


@pytest.mark.parametrize(("code", "weight", "signals", "changes"), ALONE)
def test_signal_alone(
    code: str, weight: int, signals: dict[str, Any], changes: dict[str, Any]
) -> None:
    found = assess(RiskSignals(**signals), **changes)
    assert [(reason.code, reason.weight) for reason in found.reasons] == [(code, weight)]
    assert found.score == max(0, weight)


SILENT: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("card of the billing country", {"card_country": "DE"}, {}),
    ("card of the delivery country", {"card_country": "AT"}, {}),
    ("card country in small letters", {"card_country": "de"}, {}),
    ("three orders of one mail address", {"orders_mail_24h": 3}, {}),
    ("one failed attempt", {"failed_attempts": 1}, {}),
    ("provider says normal", {"provider_level": "normal", "provider_score": 20}, {}),
    ("express to a known address", {"is_new_address": False}, {"lines": (MUG, EXPRESS)}),
    ("a phone number without country", {}, {"billing": address(phone="0171 1234567")}),
    ("a phone number of the billing country", {}, {"billing": address(phone="0049 171 1234567")}),
    ("a phone number that is none", {}, {"billing": address(phone="+")}),
    ("a phone number of no country", {}, {"billing": address(phone="+999 12")}),
    ("same postcode with a blank", {}, {"shipping": address(postal_code="22 767")}),
    ("one paid order is not yet known", {"paid_orders_before": 1}, {}),
]


@pytest.mark.parametrize(
    ("signals", "changes"), [case[1:] for case in SILENT], ids=[case[0] for case in SILENT]
)
def test_what_is_no_signal(signals: dict[str, Any], changes: dict[str, Any]) -> None:
    if signals.get("card_country") == "AT":
        changes = ABROAD
        assert [r.code for r in assess(RiskSignals(**signals), **changes).reasons] == [
            "country_differs"
        ]
        return
    assert assess(RiskSignals(**signals), **changes).reasons == ()


def test_downloads_have_no_delivery_that_could_differ() -> None:
    ebook = row(934, 65, "0.07", is_physical=False)
    assert assess(lines=(ebook,), **ABROAD).reasons == ()


def test_high_value_counts_more_with_another_address() -> None:
    alone = assess(policy=LIMIT, **DEAR)
    assert [(r.code, r.weight, r.fact) for r in alone.reasons] == [
        ("high_value", 20, "1000.00 EUR is 1000.00 or more")
    ]
    abroad = assess(policy=LIMIT, **DEAR, **ABROAD)
    assert (abroad.score, abroad.verdict) == (55, RiskVerdict.REVIEW)
    assert assess(policy=LIMIT, total=Money(99_999, "EUR")).reasons == ()


def test_high_value_without_a_limit_is_measured_by_the_usual_order() -> None:
    usual = RiskSignals(usual_total=Money(4000, "EUR"))
    assert [r.code for r in assess(usual, total=Money(12_001, "EUR")).reasons] == ["high_value"]
    assert assess(usual, total=Money(12_000, "EUR")).reasons == ()
    assert assess(RiskSignals(usual_total=Money(1, "USD")), **DEAR).reasons == ()


def test_limit_in_another_currency_does_not_apply() -> None:
    policy = RiskPolicy(high_value=Money(1, "USD"))
    assert assess(policy=policy, **DEAR).reasons == ()


@pytest.mark.parametrize(
    ("score", "verdict"),
    [(39, RiskVerdict.CLEAR), (40, RiskVerdict.REVIEW), (89, RiskVerdict.REVIEW),
     (90, RiskVerdict.BLOCKED), (100, RiskVerdict.BLOCKED)],
)  # fmt: skip
def test_limits(score: int, verdict: RiskVerdict) -> None:
    policy = RiskPolicy(weights={"country_differs": score})
    found = assess(policy=policy, **ABROAD)
    assert (found.score, found.verdict) == (score, verdict)


def test_sum_stays_between_0_and_100() -> None:
    many = RiskSignals(earlier_chargebacks=2, provider_score=99, orders_card_24h=9)
    assert assess(many, **ABROAD).score == 100
    assert assess(RiskSignals(paid_orders_before=50)).score == 0


def test_a_known_customer_lowers_but_hides_nothing() -> None:
    found = assess(RiskSignals(paid_orders_before=5, card_country="US"), **ABROAD)
    assert {r.code: r.weight for r in found.reasons} == {
        "country_differs": 20, "card_country_differs": 25, "known_customer": -25,
    }  # fmt: skip
    assert (found.score, found.verdict) == (20, RiskVerdict.CLEAR)


def test_a_setup_overrides_weights_and_names_its_version() -> None:
    policy = RiskPolicy(weights={"freemail": 45}, version="mine-2")
    found = assess(policy=policy, **GMAIL)
    assert (found.score, found.verdict, found.version) == (
        45, RiskVerdict.REVIEW, "mine-2/risk-2026-11",
    )  # fmt: skip


# limit, what the setup says, signals or changes just below and just at it, code
MOVED: list[tuple[str, int, dict[str, Any], dict[str, Any], str]] = [
    ("orders_mail", 2, {"orders_mail_24h": 1}, {"orders_mail_24h": 2}, "many_orders_mail"),
    ("orders_address", 6, {"orders_address_24h": 5}, {"orders_address_24h": 6},
     "many_orders_address"),
    ("orders_card", 2, {"orders_card_24h": 1}, {"orders_card_24h": 2}, "many_orders_card"),
    ("failed_attempts", 1, {}, {"failed_attempts": 1}, "failed_attempts"),
    ("known_customer_orders", 5, {"paid_orders_before": 4}, {"paid_orders_before": 5},
     "known_customer"),
    ("value_over_median", 2, {"usual_total": Money(990, "EUR")},
     {"usual_total": Money(989, "EUR")}, "high_value"),
    ("provider_elevated", 30, {"provider_score": 29}, {"provider_score": 30}, "provider_elevated"),
    ("provider_highest", 90, {"provider_score": 60}, {"provider_score": 90}, "provider_highest"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("limit", "value", "below", "at", "code"), MOVED, ids=[case[0] for case in MOVED]
)
def test_a_setup_says_from_where_on_a_signal_counts(
    limit: str, value: int, below: dict[str, Any], at: dict[str, Any], code: str
) -> None:
    policy = RiskPolicy(limits={limit: value})
    assert [x.code for x in assess(RiskSignals(**below), policy).reasons] == []
    assert [x.code for x in assess(RiskSignals(**at), policy).reasons] == [code]


def test_every_limit_can_be_set() -> None:
    assert {case[0] for case in MOVED} == set(RULES.limits)


@pytest.mark.parametrize("name", ["Eilzustellung bis 12 Uhr", "Same-day delivery"])
def test_express_has_many_names(name: str) -> None:
    shipping = row(1000, 190, kind=LineKind.SHIPPING, name=name)
    found = assess(RiskSignals(is_new_address=True), lines=(MUG, shipping))
    assert [x.code for x in found.reasons] == ["express_new_address"]


def test_reasons_name_no_person() -> None:
    found = assess(RiskSignals(orders_mail_24h=5), **ABROAD)
    shown = " ".join(str(reason) for reason in found.reasons)
    assert shown == (
        "billed to DE, delivered to AT (+20) 5 orders of this mail address in 24 hours (+30)"
    )


def test_the_corrected_address_decides() -> None:
    wrong = order(**ABROAD)
    found = assess_risk(wrong, RiskSignals(), RiskPolicy(), RULES, wrong.billing)
    assert found.reasons == ()


def test_every_signal_has_a_weight_and_a_test() -> None:
    tested = {case[0] for case in ALONE} | {"high_value", "high_value_differs"}
    assert tested == set(RULES.weights)
    assert RiskReason("freemail", 0, "x") == msgspec.convert(
        {"code": "freemail", "weight": 0, "fact": "x"}, RiskReason
    )
