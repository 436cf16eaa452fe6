"""Shopify's answers to our actions: HTTP 200 is not yet a success."""

from __future__ import annotations

from typing import Any

import pytest
from kette.domain.facts import ActionReported, StockLine
from support.shopify_orders import ADAPTER


def reported(kind: str, answer: dict[str, Any], *, done: bool = True, **more: Any) -> Any:
    report = ActionReported(key=f"{kind}:ord_1:x", kind=kind, done=done, answer=answer, **more)
    return ADAPTER.translate_report(report)


REFUND = {
    "data": {
        "refundCreate": {
            "refund": {
                "id": "gid://shopify/Refund/9301",
                "transactions": {"nodes": [{"id": "gid://shopify/OrderTransaction/66105"}]},
            },
            "userErrors": [],
        }
    }
}
FULFILLMENT = {
    "data": {
        "fulfillmentCreate": {
            "fulfillment": {
                "id": "gid://shopify/Fulfillment/8001",
                "status": "SUCCESS",
                "trackingInfo": [{"number": "0034", "url": "https://track.example/0034"}],
            },
            "userErrors": [],
        }
    }
}


def user_error(message: str, code: str | None = None, name: str = "userErrors") -> dict[str, Any]:
    error = {"field": ["orderId"], "message": message, "code": code}
    return {"data": {"orderCancel": {"job": None, name: [error]}}}


def test_a_refund_is_known_by_its_transaction() -> None:
    """The webhook tells of the transaction, so that both are one refund."""
    told = reported("refund_payment", REFUND)
    assert (told.done, told.reference) == (True, "66105")
    assert reported("refund_payment", {"statusCode": 200, "body": REFUND}).reference == "66105"


def test_a_fulfillment_has_reference_and_tracking() -> None:
    told = reported("update_shop_order", FULFILLMENT)
    assert (told.reference, told.tracking_number, told.tracking_url) == (
        *("8001", "0034"),
        "https://track.example/0034",
    )


@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        ({"data": {"orderCancel": {"job": {"id": "gid://shopify/Job/7"}, "userErrors": []}}}, "7"),
        ({"data": {"orderUpdate": {"order": {"id": "gid://shopify/Order/5001"}}}}, "5001"),
        (
            {"data": {"metafieldsSet": {"metafields": [{"id": "gid://shopify/Metafield/3"}]}}},
            "3",
        ),
        ({"order": {"id": 5001}}, "5001"),
        ({"id": 5001}, "5001"),
        ({}, ""),
    ],
)
def test_the_id_of_what_was_made_is_the_reference(answer: dict[str, Any], reference: str) -> None:
    assert reported("cancel_order", answer).reference == reference


@pytest.mark.parametrize("name", ["userErrors", "orderCancelUserErrors"])
def test_a_user_error_is_a_refusal_for_good(name: str) -> None:
    told = reported("cancel_order", user_error("Order does not exist", "NOT_FOUND", name))
    assert (told.done, told.retryable) == (False, False)
    assert told.error == "Shopify refused: Order does not exist"


@pytest.mark.parametrize(
    "message",
    [
        "Cannot cancel an order that has already been cancelled",
        "Fulfillment order 4001 is already closed",
        "The fulfillment order is already on hold",
    ],
)
def test_work_that_was_done_before_is_done(message: str) -> None:
    assert reported("cancel_order", user_error(message)).done
    assert reported("cancel_order", user_error(message), done=False, error="failed").done


@pytest.mark.parametrize(
    ("errors", "retryable"),
    [
        ([{"message": "Throttled", "extensions": {"code": "THROTTLED"}}], True),
        ([{"message": "Internal error", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}], True),
        ([{"message": "Access denied", "extensions": {"code": "ACCESS_DENIED"}}], False),
        ([{"message": "Field 'x' doesn't exist"}], False),
        ("[API] Invalid API key or access token", False),
        ([{"message": "Throttled", "extensions": {}}, {"message": "Bad"}], False),
    ],
)
def test_errors_of_the_call_fail_the_action(errors: Any, retryable: bool) -> None:
    told = reported("refund_payment", {"errors": errors})
    assert (told.done, told.retryable) == (False, retryable)
    assert told.error.startswith("Shopify refused: ")


def test_a_limit_that_was_hit_passes() -> None:
    answer = {"error": {"message": "429 - Exceeded 2 calls per second"}}
    told = reported("refund_payment", answer, done=False, error="failed", retryable=False)
    assert (told.done, told.retryable, told.error) == (False, True, "failed")


def test_a_failure_without_an_answer_stays_what_it_was() -> None:
    told = reported("refund_payment", {}, done=False, error="no route", retryable=True)
    assert (told.done, told.retryable, told.error) == (False, True, "no route")


def variant(number: int, quantity: int, *, tracked: bool = True) -> dict[str, Any]:
    return {
        "id": f"gid://shopify/ProductVariant/{number}",
        "sku": f"NL-{number}",
        "inventoryQuantity": quantity,
        "inventoryPolicy": "DENY",
        "inventoryItem": {"tracked": tracked},
    }


LINES = [
    {"line_id": "1", "product_id": "6011", "quantity": 3},
    {"line_id": "2", "product_id": "6011", "quantity": 2},
    {"line_id": "3", "product_id": "6012", "quantity": 5},
    {"line_id": "4", "product_id": "6099", "quantity": 1},
]


@pytest.mark.parametrize(
    ("quantity", "first", "second"),
    [(0, 3, 2), (4, 3, 2), (-1, 3, 1), (-2, 3, 0), (-4, 1, 0), (-9, 0, 0)],
)
def test_a_negative_count_says_how_many_are_missing(quantity: int, first: int, second: int) -> None:
    """The order has taken its pieces already; earlier lines are served first."""
    products = [variant(6011, quantity), variant(6012, -5, tracked=False)]
    expected = (StockLine("1", first), StockLine("2", second), StockLine("3", 5))
    for answer in (
        {"lines": LINES, "products": products},
        {"lines": LINES, "data": {"nodes": [*products, None]}},
    ):
        assert reported("check_stock", answer).stock == expected
