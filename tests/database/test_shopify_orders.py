"""A Shopify shop behind the real service: from webhook to parcel, invoice and refund.

Failure cases 1, 2 (repeated, swapped webhooks), 7 (a page of a pull), 33 (units of an edited line).
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from kette.domain.order_ids import order_id_for
from kette.setup_file import load_setup
from kette.use_cases.errors import SignatureInvalidError
from kette.use_cases.ingest import Ingested
from support.service_box import ENVIRON, ServiceBox, sqlite_url
from support.shopify_orders import EVENTS, FOLDER, SECRET, delivery, order_body

SETUP = FOLDER.parents[1] / "setups" / "shopify-payment-invoice.yaml"
SECRETS = {**ENVIRON, "KETTE_SHOPIFY_WEBHOOK_SECRET": SECRET.decode()}


class ShopifyBox(ServiceBox):
    def __init__(self, database: str) -> None:
        super().__init__(database, setup=load_setup(SETUP, SECRETS), environ=SECRETS)
        self.clock.at = datetime(2026, 11, 2, 9, 20, tzinfo=UTC)

    def hook(self, body: Any, topic: str = "orders/updated") -> Ingested:
        told = delivery(body, topic)
        return self.service.ingest("shopify-main", told.headers, told.body)

    def event(self, name: str) -> Ingested:
        return self.hook(EVENTS[name]["body"], EVENTS[name]["topic"])

    def stocked(self) -> None:
        """Everything that is asked for is there."""
        for action in self.lease("fulfillment"):
            if action["kind"] == "check_stock":
                nodes = [
                    {
                        "id": f"gid://shopify/ProductVariant/{line['product_id']}",
                        "inventoryQuantity": 5,
                        "inventoryItem": {"tracked": True},
                    }
                    for line in action["data"]["lines"]
                ]
                self.report(action["key"], answer={"data": {"nodes": nodes}})


@pytest.fixture
def box(tmp_path: Path) -> Iterator[ShopifyBox]:
    made = ShopifyBox(sqlite_url(tmp_path))
    yield made
    made.close()


def own_id(number: int) -> str:
    return order_id_for("shopify-main", str(number))


def kinds(box: ShopifyBox, order_id: str) -> set[str]:
    return {row.kind for row in box.actions(order_id).values()}


def test_a_paid_order_goes_to_the_carrier_and_back_to_the_shop(box: ShopifyBox) -> None:
    answer = box.hook(order_body("de_gross"), "orders/create")
    assert answer.order_id == own_id(5001)
    assert answer.statuses is not None
    assert (answer.statuses["order"], answer.statuses["payment"]) == ("valid", "paid")
    assert answer.exceptions == ()
    box.stocked()
    (shipment,) = box.lease("fulfillment")
    assert shipment["kind"] == "create_shipment"
    assert [(x["line_id"], x["quantity"]) for x in shipment["data"]["lines"]] == [("11", 2)]
    number = "00340434161094000001"
    parcel = {"parcel": {"id": 77, "tracking_number": number, "status": {"id": 1}}}
    box.report(shipment["key"], reference="77", answer=parcel)
    # The merchant's own fulfillment names the same tracking number: one parcel, one notice.
    box.event("fulfillment_created")
    assert box.statuses(own_id(5001))["fulfillment"] == "shipped"
    keys = set(box.actions(own_id(5001)))
    assert {key for key in keys if ":shipped" in key} == {f"notify:{own_id(5001)}:shipped:1"}
    assert f"issue_invoice:{own_id(5001)}" in {key.rstrip(":") for key in keys}


def test_repeated_and_swapped_webhooks_leave_one_order_and_one_set_of_effects(
    tmp_path: Path,
) -> None:
    bodies = [
        ("orders/create", order_body("de_gross", financial_status="pending")),
        ("orders/paid", order_body("de_gross", updated_at="2026-11-02T10:15:32+01:00")),
        ("orders/updated", order_body("de_gross", updated_at="2026-11-02T10:15:32+01:00")),
        ("order_transactions/create", EVENTS["authorization"]["body"]),
        ("order_transactions/create", EVENTS["capture"]["body"]),
    ]
    outcomes = []
    for seed in range(6):
        (tmp_path / str(seed)).mkdir()
        box = ShopifyBox(sqlite_url(tmp_path / str(seed)))
        told = [*bodies, *bodies] if seed else bodies
        if seed:
            random.Random(seed).shuffle(told)
        for topic, body in told:
            box.hook(body, topic)
        live = {k: v.kind for k, v in box.actions().items() if v.state != "withdrawn"}
        outcomes.append((box.statuses(own_id(5001)), live, sorted(box.exceptions())))
        box.close()
    assert all(outcome == outcomes[0] for outcome in outcomes)
    assert outcomes[0][0]["payment"] == "paid"


def test_a_cancelled_paid_order_is_refunded_by_its_own_transaction(box: ShopifyBox) -> None:
    box.hook(order_body("de_gross"), "orders/create")
    box.event("capture")
    cancelled = order_body(
        "de_gross",
        cancelled_at="2026-11-02T10:18:00+01:00",
        updated_at="2026-11-02T10:18:00+01:00",
    )
    box.hook(cancelled, "orders/cancelled")
    (refund,) = [x for x in box.lease("payment") if x["kind"] == "refund_payment"]
    assert (refund["system"]["kind"], refund["data"]["payment_id"]) == ("shopify", "66101")
    assert refund["data"]["amount"] == {"amount": "84.70", "currency": "EUR"}
    answer = {
        "data": {
            "refundCreate": {
                "refund": {
                    "id": "gid://shopify/Refund/1",
                    "transactions": {"nodes": [{"id": "gid://shopify/OrderTransaction/66105"}]},
                },
                "userErrors": [],
            }
        }
    }
    box.report(refund["key"], answer=answer)
    # Shopify tells of the refund as well: it is the one we made.
    told = deepcopy(EVENTS["refund_created"]["body"])
    told["note"] = refund["data"]["shop_reason"]
    told["transactions"][0]["amount"] = "84.70"
    box.hook(told, "refunds/create")
    assert box.statuses(own_id(5001))["payment"] == "refunded"
    assert box.exceptions() == {}


def test_a_throttled_refund_is_tried_again_a_refused_one_is_not(box: ShopifyBox) -> None:
    box.hook(order_body("de_gross"), "orders/create")
    box.event("capture")
    box.hook(order_body("de_gross", cancelled_at="2026-11-02T10:18:00+01:00"), "orders/cancelled")
    (refund,) = [x for x in box.lease("payment") if x["kind"] == "refund_payment"]
    throttled = {"errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}]}
    box.report(refund["key"], answer=throttled)
    assert box.action(refund["key"]).state not in ("done", "failed")
    box.clock.move(minutes=2)
    (again,) = [x for x in box.lease("payment") if x["kind"] == "refund_payment"]
    refused = {"data": {"refundCreate": {"refund": None, "userErrors": [{"message": "Too much"}]}}}
    box.report(again["key"], answer=refused)
    assert box.action(refund["key"]).state == "failed"
    (entry,) = box.exceptions().values()
    assert entry.kind == "action_failed"


def test_pieces_refunded_before_shipping_are_not_packed(box: ShopifyBox) -> None:
    """Failure case 33: the quantity stays, what may be fulfilled goes down."""
    box.hook(order_body("refund_with_adjustment"), "orders/updated")
    box.stocked()
    (shipment,) = [x for x in box.lease("fulfillment") if x["kind"] == "create_shipment"]
    assert [(x["line_id"], x["quantity"]) for x in shipment["data"]["lines"]] == [("131", 1)]


def test_a_partly_paid_order_waits_for_the_rest(box: ShopifyBox) -> None:
    answer = box.hook(order_body("partially_paid"), "orders/create")
    assert answer.statuses is not None
    assert answer.statuses["payment"] == "partially_paid"
    assert {x["kind"] for x in answer.exceptions} >= {"amount_mismatch"}
    assert "create_shipment" not in kinds(box, own_id(5020))


def test_orders_on_account_and_by_transfer(box: ShopifyBox) -> None:
    account = box.hook(order_body("cash_on_delivery"), "orders/create")
    transfer = box.hook(order_body("pickup_transfer"), "orders/create")
    assert account.statuses is not None
    assert transfer.statuses is not None
    assert (account.statuses["payment"], transfer.statuses["payment"]) == ("later", "open")


def test_an_edited_order_is_what_is_left_and_says_what_is_too_much(box: ShopifyBox) -> None:
    answer = box.hook(order_body("edited"), "orders/updated")
    assert [(x["kind"], x["blocking"]) for x in answer.exceptions] == [("amount_mismatch", False)]
    box.event("order_edited")
    assert box.fact_count(own_id(5010)) >= 2


def test_a_dispute_is_a_chargeback_until_it_is_won(box: ShopifyBox) -> None:
    box.hook(order_body("de_gross"), "orders/create")
    box.event("capture")
    box.event("dispute_created")
    assert box.statuses(own_id(5001))["payment"] == "chargeback"
    won = EVENTS["dispute_created"]["body"] | {"status": "won"}
    box.hook(won, "disputes/update")
    assert box.statuses(own_id(5001))["payment"] == "paid"


def test_one_bad_order_in_a_page_is_one_exception(box: ShopifyBox) -> None:
    """Failure case 7: the page of a pull."""
    page = [order_body("de_gross", id=6000 + n, name=f"#{6000 + n}") for n in range(100)]
    page[40] |= {"currency": "?", "presentment_currency": None, "total_price_set": None}
    box.hook({"orders": page}, "")
    with box.kernel.store.read() as tx:
        found, _ = tx.orders.find(limit=1000)
    assert len(found) == 99
    unknown = [x for x in box.exceptions().values() if x.kind == "payload_unknown"]
    assert len(unknown) == 1
    assert "6040: currency" in unknown[0].summary


def test_an_open_dispute_without_an_order_is_shown(box: ShopifyBox) -> None:
    box.hook(EVENTS["dispute_created"]["body"] | {"order_id": None}, "disputes/create")
    (entry,) = box.exceptions().values()
    assert (entry.kind, "84.70 EUR" in entry.summary) == ("payload_unknown", True)


def test_a_forged_webhook_leaves_nothing(box: ShopifyBox) -> None:
    told = delivery(order_body("de_gross"), "orders/create")
    with pytest.raises(SignatureInvalidError):
        box.service.ingest("shopify-main", told.headers, told.body + b" ")
    with box.kernel.store.read() as tx:
        assert tx.orders.find(limit=10)[0] == []
