"""The stateless checks: what they answer can be sent again; bad input is told with its place."""

from __future__ import annotations

from typing import Any

import pytest
from support.api_box import ApiBox, problem_of
from support.service_box import card_order

ORDER = card_order(102)


def refusal(api: ApiBox, path: str, body: Any) -> str:
    answer = api.call("POST", path, body)
    assert answer.status_code in (404, 422), answer.text
    detail: str = problem_of(answer)["detail"]
    return detail


def canonical(api: ApiBox) -> dict[str, Any]:
    answer = api.post("/v1/orders/validate", {"system_id": "woo-main", "order": ORDER})
    order: dict[str, Any] = answer["order"]
    return order


def test_an_order_that_a_check_answered_can_be_checked_again(api: ApiBox) -> None:
    """Money is a decimal string outside; only minor units used to be taken back."""
    order = canonical(api)
    assert order["total"]["amount"] == ORDER["total"]
    again = api.post("/v1/orders/validate", {"system_id": "woo-main", "order": order})
    assert again["order"] == order
    first = api.post("/v1/risk/assess", {"system_id": "woo-main", "order": ORDER})
    assert api.post("/v1/risk/assess", {"system_id": "woo-main", "order": order}) == first


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"total": {"amount": "12,50", "currency": "EUR"}},
         "order.total: amount '12,50' is not a decimal string such as 119.00"),
        ({"total": {"amount": 12.5, "currency": "EUR"}}, "order.total.amount: must be money"),
        ({"total": {"amount": "1.005", "currency": "EUR"}}, "order.total: amount '1.005' has more"),
        ({"total": "12.50"}, "order.total: must be an object"),
        ({"claim": "paid"}, "order.claim: Invalid enum value 'paid'"),
        ({"placed_at": "yesterday"}, "order.placed_at: must be a time with offset"),
        ({"lines": [{"id": "1"}]}, "order.lines[0].kind: is missing"),
        ({"lines": "none"}, "order.lines: must be a list"),
        ({"is_test": "no"}, "order.is_test: must be true or false"),
        ({"custommer_note": "x"}, "order.custommer_note: is not known; did you mean"),
    ],
)  # fmt: skip
def test_a_wrong_canonical_order_is_told_with_its_place(
    change: dict[str, Any], told: str, api: ApiBox
) -> None:
    body = {"system_id": "woo-main", "order": canonical(api) | change}
    for path in ("/v1/orders/validate", "/v1/risk/assess"):
        assert refusal(api, path, body).startswith(told)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"system_id": "nope", "order": ORDER}, "The setup has no system 'nope'. Known systems"),
        ({"system_id": "stripe-main", "order": ORDER}, "system_id: stripe-main is no shop"),
        ({"system_id": "woo-main", "order": {}}, "order: id: missing or not an id"),
        ({"system_id": "woo-main", "order": ORDER | {"total": "abc"}}, "order: total: amount"),
        ({"system_id": "woo-main"}, "body.order: Field required"),
        ({"order": ORDER}, "body.system_id: Field required"),
    ],
)
def test_a_wrong_order_is_told(body: Any, told: str, api: ApiBox) -> None:
    for path in ("/v1/orders/validate", "/v1/risk/assess"):
        assert refusal(api, path, body).startswith(told)


@pytest.mark.parametrize(
    ("signals", "told"),
    [
        ({"orders_mail24h": 5}, "signals.orders_mail24h: is not known; did you mean"),
        ({"weather": "bad"}, "signals.weather: is not known; known: orders_mail_24h"),
        ({"orders_mail_24h": "many"}, "signals.orders_mail_24h: must be a whole number"),
        ({"orders_card_24h": -4}, "signals.orders_card_24h: must be from 0 to"),
        ({"provider_score": 500}, "signals.provider_score: must be from 0 to 100"),
        ({"card_country": "Deutschland"}, "signals.card_country: must be an ISO 3166 code"),
        ({"is_new_address": "yes"}, "signals.is_new_address: must be true, false or null"),
        ({"usual_total": "20"}, "signals.usual_total: must be an object"),
        ({"usual_total": {"amount": "x", "currency": "EUR"}}, "signals.usual_total: amount 'x'"),
    ],
)
def test_a_wrong_signal_is_told(signals: Any, told: str, api: ApiBox) -> None:
    body = {"system_id": "woo-main", "order": ORDER, "signals": signals}
    assert refusal(api, "/v1/risk/assess", body).startswith(told)


def test_what_the_shop_says_of_the_risk_is_weighed(api: ApiBox) -> None:
    order = canonical(api) | {"risk_level": "highest"}
    body = {"system_id": "woo-main", "order": order}
    for found in (api.post("/v1/risk/assess", body), api.post("/v1/orders/validate", body)["risk"]):
        assert [reason["code"] for reason in found["reasons"]] == ["provider_highest"]


def test_signals_are_weighed(api: ApiBox) -> None:
    signals = {"orders_card_24h": 3, "card_country": "us"}
    body = {"system_id": "woo-main", "order": ORDER, "signals": signals}
    found = api.post("/v1/risk/assess", body)
    codes = {reason["code"] for reason in found["reasons"]}
    assert (codes, found["verdict"]) == ({"many_orders_card", "card_country_differs"}, "review")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"line1": 5}, "body.line1: Input should be a valid string"),
        ({"lin1": "x"}, "body.lin1: Extra inputs are not permitted"),
        ({"name": "a" * 20_000}, "body.name: String should have at most 10000 characters"),
        ([], "body: Input should be a valid dictionary"),
    ],
)
def test_a_wrong_address_is_told(body: Any, told: str, api: ApiBox) -> None:
    assert refusal(api, "/v1/addresses/normalize", body).startswith(told)


def test_an_address_that_is_only_odd_is_answered(api: ApiBox) -> None:
    found = api.post("/v1/addresses/normalize", {"line1": "Weg 1", "country_code": "Germania"})
    assert found["deliverable"] is False
    assert {finding["field"] for finding in found["findings"]} >= {"country_code"}
