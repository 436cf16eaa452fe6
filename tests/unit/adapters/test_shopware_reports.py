"""What Shopware answered to an action: done, done before, later, never."""

from __future__ import annotations

from typing import Any

import pytest
from kette.domain.facts import ActionReported, StockLine
from support.shopware_orders import ADAPTER

ID = "0123456789abcdef0123456789abcdef"


def told(answer: dict[str, Any], kind: str = "update_shop_order", **more: Any) -> ActionReported:
    report = ActionReported(key=f"{kind}:1", kind=kind, answer=answer, **{"done": True, **more})
    return ADAPTER.translate_report(report)


def illegal(transition: str, state: str, possible: list[str]) -> dict[str, Any]:
    """As StateMachineException says it."""
    shown = ", ".join(possible)
    return {
        "errors": [
            {
                "status": "400",
                "code": "SYSTEM__ILLEGAL_STATE_TRANSITION",
                "title": "Bad Request",
                "detail": f'Illegal transition "{transition}" from state "{state}". '
                f"Possible transitions are: {shown}",
                "meta": {
                    "parameters": {
                        "transition": transition,
                        "currentState": state,
                        "possibleTransitionsString": shown,
                        "possibleTransitions": possible,
                    }
                },
            }
        ]
    }


@pytest.mark.parametrize(
    ("transition", "state", "possible", "done"),
    [
        ("complete", "completed", ["reopen"], True),
        ("cancel", "cancelled", ["reopen"], True),
        ("complete", ID, ["reopen"], False),  # completed or cancelled: nobody can tell
        ("cancel", ID, ["reopen"], False),
        ("complete", ID, ["cancel", "process"], False),
        ("complete", "open", ["cancel", "process"], False),
        ("complete", "cancelled", ["reopen"], False),
        ("cancel", "completed", ["reopen"], False),
        ("ship", "cancelled", ["reopen"], False),
        ("paint", "painted", [], False),
    ],
)
def test_a_refused_transition_may_have_been_made_before(
    transition: str, state: str, possible: list[str], done: bool
) -> None:
    answer = illegal(transition, state, possible)
    read = told(answer, done=False, error="400 Bad Request", retryable=False)
    assert read.done is done
    assert read.error == ("" if done else "400 Bad Request")
    without_meta = {"errors": [{**answer["errors"][0], "meta": {}}]}
    assert told(without_meta, done=False, error="x", retryable=False).done is done


@pytest.mark.parametrize(
    ("transition", "state", "possible", "is_made"),
    [
        ("process", "in_progress", ["cancel", "complete"], True),
        ("process", "completed", ["reopen"], True),
        ("ship", "shipped", ["cancel", "reopen", "retour", "retour_partially"], True),
        ("ship", "returned", ["reopen"], True),
        # The present state by its id, as Shopware says it: what may follow tells which it is.
        ("process", ID, ["complete", "cancel"], True),
        ("ship", ID, ["retour_partially", "retour", "reopen", "cancel"], True),
        ("process", ID, ["reopen"], False),
        ("ship", "cancelled", ["reopen"], False),
    ],
)
def test_a_step_that_was_made_before_is_no_end_and_worth_another_look(
    transition: str, state: str, possible: list[str], is_made: bool
) -> None:
    """ "Shipped" taken for the end left the shop's order open for good."""
    answer = illegal(transition, state, possible)
    read = told(answer, done=False, error="400 Bad Request", retryable=False)
    assert (read.done, read.retryable, read.error) == (False, is_made, "400 Bad Request")


@pytest.mark.parametrize(
    ("status", "code", "retryable"),
    [
        ("401", "9", True),  # the token ran out
        ("429", "FRAMEWORK__RATE_LIMIT_EXCEEDED", True),
        ("500", "0", True),
        ("503", "FRAMEWORK__MAINTENANCE", True),
        ("400", "FRAMEWORK__INVALID_UUID", False),
        ("403", "FRAMEWORK__MISSING_PRIVILEGE_ERROR", False),
        ("404", "FRAMEWORK__RESOURCE_NOT_FOUND", False),
    ],
)
def test_what_can_pass_is_tried_again(status: str, code: str, retryable: bool) -> None:
    error = {"status": status, "code": code, "title": "x", "detail": "x"}
    for answer in ({"errors": [error]}, {"body": {"errors": [error]}}):
        read = told(answer, done=False, error="x", retryable=False)
        assert (read.done, read.retryable) == (False, retryable)


def test_a_failure_without_an_answer_stays_as_it_was_reported() -> None:
    read = told({}, done=False, error="timeout", retryable=True)
    assert (read.done, read.error, read.retryable) == (False, "timeout", True)


@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        ({"id": ID, "technicalName": "completed"}, ID),
        ({"data": {"id": ID}}, ID),
        ({"body": {"id": ID}}, ID),
        ({}, ""),
    ],
)
def test_references(answer: dict[str, Any], reference: str) -> None:
    assert told(answer).reference == reference
    assert told(answer, reference="kept").reference == "kept"


def stock(*lines: tuple[str, str, int], **products: dict[str, Any]) -> tuple[StockLine, ...]:
    rows = [{"id": key, "productNumber": key, **row} for key, row in products.items()]
    asked = [{"line_id": a, "product_id": b, "quantity": c} for a, b, c in lines]
    return told({"data": rows, "total": len(rows), "lines": asked}, "check_stock").stock


class TestStock:
    def test_a_count_of_zero_covers_the_order(self) -> None:
        found = stock(("l1", "p1", 2), p1={"availableStock": 0, "stock": 0})
        assert found == (StockLine("l1", 2),)

    def test_missing_pieces_are_taken_from_the_last_line(self) -> None:
        found = stock(("l1", "p1", 2), ("l2", "p1", 3), p1={"availableStock": -4})
        assert found == (StockLine("l1", 1), StockLine("l2", 0))

    def test_stock_stands_in_where_there_is_no_available_stock(self) -> None:
        assert stock(("l1", "p1", 2), p1={"stock": -1}) == (StockLine("l1", 1),)

    def test_an_unknown_product_is_left_out(self) -> None:
        assert stock(("l1", "p2", 2), p1={"stock": 5}) == ()

    def test_uncounted_goods_are_there_unless_switched_off(self) -> None:
        assert stock(("l1", "p1", 2), p1={}) == (StockLine("l1", 2),)
        assert stock(("l1", "p1", 2), p1={"active": False}) == (StockLine("l1", 0),)

    def test_one_answer_per_product_is_read_as_well(self) -> None:
        row = {"id": "p1", "productNumber": "P1", "stock": 3}
        lines = [{"line_id": "l1", "product_id": "p1", "quantity": 2}]
        for answer in ({"products": [row]}, {"products": [{"data": [row], "total": 1}]}):
            assert told({**answer, "lines": lines}, "check_stock").stock == (StockLine("l1", 2),)
