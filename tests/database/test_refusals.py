"""A refusal is read for what it means: done before, worth another try, or a case for a person."""

from __future__ import annotations

from support.service_box import ServiceBox, woo_id


def recalled(box: ServiceBox) -> str:
    """An order whose parcel is to be cancelled; returns that action's key."""
    order_id = box.paid_order(102)
    box.do("fulfillment")
    box.do("fulfillment", create_shipment={"answer": {"parcel": {"id": 3178}}})
    box.service.people.cancel(order_id, "Ida", "the customer called")
    (action,) = box.lease("fulfillment")
    assert action["key"] == f"cancel_fulfillment:{order_id}:3178"
    return str(action["key"])


def test_a_parcel_that_was_cancelled_before_is_no_failure(box: ServiceBox) -> None:
    """n8n was killed after it had cancelled: the repetition was refused, and 11 orders waited for a
    person although everything was done."""
    key = recalled(box)
    answer = {"status": "failed", "message": "This parcel is already cancelled"}
    result = box.report(key, False, error="400", retryable=False, answer=answer)
    assert (result.status, box.action(key).state, box.action(key).last_error) == (
        "done",
        "done",
        "",
    )
    assert box.statuses(woo_id(102))["fulfillment"] == "cancelled"
    assert [x for x in box.exceptions().values() if x.kind == "action_failed"] == []


def test_a_parcel_that_cannot_be_cancelled_any_more_is_told_to_a_person(box: ServiceBox) -> None:
    key = recalled(box)
    answer = {"status": "failed", "message": "Shipped parcels can not be cancelled"}
    result = box.report(key, False, error="400 shipped", retryable=False, answer=answer)
    assert (result.status, box.action(key).state) == ("failed", "failed")
    assert f"action_failed:{key}" in box.exceptions()


def test_a_refund_that_was_taken_and_failed_is_told_to_a_person(box: ServiceBox) -> None:
    """Stripe answers 200 and says "failed" inside. The action was done, the money nowhere."""
    order_id = box.paid_order(102)
    box.service.people.cancel(order_id, "Ida", "the customer called")
    key = f"refund_payment:{order_id}:cancel"
    assert key in [action["key"] for action in box.lease("payment")]
    answer = {"id": "re_1", "status": "failed", "failure_reason": "lost_or_stolen_card"}
    assert box.report(key, answer=answer).status == "failed"
    assert box.exceptions()[f"action_failed:{key}"].context["error"] == (
        "the refund failed: lost_or_stolen_card"
    )
    assert box.statuses(order_id)["payment"] == "paid"
