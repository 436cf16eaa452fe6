"""Shopify: what is told beside orders: payments, refunds, parcels, disputes, products."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from kette.domain import facts as f
from kette.domain.money import Money
from support.shopify_orders import EVENTS, SHOPIFY, event, order_body, order_of, refused, told_by


def body_of(name: str, **changes: Any) -> f.FactBody:
    (draft,) = event(name, **changes).facts
    return draft.body


class TestOtherTopics:
    def test_an_edit_is_a_note_and_a_wish_to_fetch(self) -> None:
        told = event("order_edited")
        (draft,) = told.facts
        assert draft.body == f.NoteAdded(
            "shopify-main",
            "The order was edited in the shop: pieces added 1, removed 1 (Ein Becher weniger)",
        )
        (fetch,) = told.fetch
        assert (fetch.resource, fetch.id, fetch.path) == (
            *("order", "5010"),
            "/admin/api/2026-07/graphql.json",
        )
        assert fetch.body["variables"] == {"id": "gid://shopify/Order/5010"}

    def test_a_held_fulfillment_order_waits_for_its_order(self) -> None:
        told = event("fulfillment_order_held")
        (draft,) = told.facts
        assert [ref.name for ref in draft.refs] == ["fulfillment-order:4001"]
        assert isinstance(draft.body, f.NoteAdded)
        assert draft.body.text.endswith("placed on hold (on_hold, Adresse klären)")

    def test_a_return_is_a_note_of_its_order(self) -> None:
        (draft,) = event("return_requested").facts
        assert [ref.name for ref in draft.refs] == ["order:5012", "return:7301"]
        assert draft.body == f.NoteAdded(
            "shopify-main", "Return #1112-R1 in the shop: requested, pieces: 1"
        )

    def test_a_deleted_order_is_named_by_its_delivery(self) -> None:
        (draft,) = event("order_deleted").facts
        assert (draft.external_id, draft.body) == ("order:5015:removed:b1a2", f.OrderRemoved())

    def test_a_reservation_is_ended_by_its_capture(self) -> None:
        reserved = body_of("authorization")
        assert isinstance(reserved, f.PaymentReported)
        assert (reserved.payment_id, reserved.state) == ("66100", f.PaymentState.AUTHORIZED)
        assert reserved.expires_at is not None
        taken, ended = (draft.body for draft in event("capture").facts)
        assert taken == f.PaymentReported(
            "66101", f.PaymentState.CAPTURED, Money(8470, "EUR"), method="shopify_payments"
        )
        assert ended == f.PaymentReported("66100", f.PaymentState.CAPTURED, Money.zero("EUR"))
        voided = body_of("void")
        assert isinstance(voided, f.PaymentReported)
        assert (voided.payment_id, voided.state) == ("66100", f.PaymentState.VOIDED)

    @pytest.mark.parametrize(
        ("name", "state"),
        [("sale_failed", f.PaymentState.FAILED), ("sale_pending", f.PaymentState.PENDING)],
    )
    def test_other_states_of_payments(self, name: str, state: f.PaymentState) -> None:
        body = body_of(name)
        assert isinstance(body, f.PaymentReported)
        assert body.state is state

    @pytest.mark.parametrize("kind", ["change", "suggested_refund"])
    def test_kinds_that_move_nothing(self, kind: str) -> None:
        assert event("capture", kind=kind).facts == ()

    def test_new_words_of_payments_are_refused(self) -> None:
        body = EVENTS["capture"]["body"]
        topic = "order_transactions/create"
        assert "kind" in refused(body | {"kind": "loan"}, topic)
        assert "status" in refused(body | {"status": "perhaps"}, topic)

    def test_test_payments_and_payments_of_a_provider_are_notes(self) -> None:
        for changes, options in (({"test": True}, {}), ({}, {"payments_by": "provider"})):
            system = msgspec.structs.replace(SHOPIFY, options=options)
            body = EVENTS["capture"]["body"] | changes
            (draft,) = told_by(body, "order_transactions/create", system).facts
            assert isinstance(draft.body, f.NoteAdded)
        system = msgspec.structs.replace(SHOPIFY, options={"mode": "test"})
        body = EVENTS["capture"]["body"] | {"test": True}
        assert len(told_by(body, "order_transactions/create", system).facts) == 2

    def test_a_refund_of_ours_is_known_by_its_note(self) -> None:
        body = body_of("refund_created")
        assert isinstance(body, f.RefundReported)
        assert (body.refund_id, body.payment_id, body.amount) == (
            *("66105", "66101"),
            Money(2000, "EUR"),
        )
        assert body.action_key == "refund_payment:ord_0011:cancel"

    @pytest.mark.parametrize(
        ("status", "state"),
        [
            ("success", f.RefundState.SUCCEEDED),
            ("pending", f.RefundState.PENDING),
            ("failure", f.RefundState.FAILED),
            ("error", f.RefundState.FAILED),
        ],
    )
    def test_a_refund_is_what_its_transaction_says(self, status: str, state: f.RefundState) -> None:
        """A failed one is no refund of the order either; Shopify lists it all the same."""
        row = EVENTS["refund_created"]["body"]["transactions"][0] | {"status": status}
        body = body_of("refund_created", transactions=[row])
        assert isinstance(body, f.RefundReported)
        assert body.state is state
        order = order_body("partial_refund_restock")
        order["refunds"][0]["transactions"][0]["status"] = status
        assert len(order_of(order).refunds) == (state is not f.RefundState.FAILED)

    def test_a_refund_without_money_is_a_note(self) -> None:
        body = order_body("edited")["refunds"][0]
        (draft,) = told_by(body, "refunds/create").facts
        assert draft.body == f.NoteAdded(
            "shopify-main", "Pieces that the shop took off the order without moving money: 1"
        )

    @pytest.mark.parametrize(
        ("status", "shipment", "state"),
        [
            ("pending", None, f.ParcelState.ANNOUNCED),
            ("open", None, f.ParcelState.ANNOUNCED),
            ("success", None, f.ParcelState.SHIPPED),
            ("success", "label_printed", f.ParcelState.ANNOUNCED),
            ("success", "in_transit", f.ParcelState.SHIPPED),
            ("success", "a_new_word", f.ParcelState.SHIPPED),
            ("success", "attempted_delivery", f.ParcelState.DELAYED),
            ("success", "delivered", f.ParcelState.DELIVERED),
            ("success", "picked_up", f.ParcelState.DELIVERED),
            ("cancelled", "in_transit", f.ParcelState.CANCELLED),
            ("failure", None, f.ParcelState.FAILED),
        ],
    )
    def test_fulfillments(self, status: str, shipment: str | None, state: f.ParcelState) -> None:
        body = body_of("fulfillment_created", status=status, shipment_status=shipment)
        assert isinstance(body, f.ParcelReported)
        assert (body.parcel_id, body.state) == ("fulfillment-8001", state)
        assert body.is_withdrawn is (status == "cancelled")
        assert body.lines == (f.ShippedLine("11", 2),)

    def test_a_carriers_event_belongs_to_the_fulfillments_parcel(self) -> None:
        body = body_of("fulfillment_event")
        assert isinstance(body, f.ParcelReported)
        assert (body.parcel_id, body.state) == ("fulfillment-8001", f.ParcelState.SHIPPED)

    @pytest.mark.parametrize(
        ("kind", "status", "state"),
        [
            ("chargeback", "needs_response", f.DisputeState.NEEDS_RESPONSE),
            ("chargeback", "under_review", f.DisputeState.UNDER_REVIEW),
            ("chargeback", "won", f.DisputeState.WON),
            ("chargeback", "charge_refunded", f.DisputeState.WON),
            ("chargeback", "lost", f.DisputeState.LOST),
            ("chargeback", "accepted", f.DisputeState.LOST),
            ("inquiry", "needs_response", f.DisputeState.INQUIRY),
            ("inquiry", "charge_refunded", f.DisputeState.INQUIRY_CLOSED),
        ],
    )
    def test_disputes(self, kind: str, status: str, state: f.DisputeState) -> None:
        body = body_of("dispute_created", type=kind, status=status)
        assert isinstance(body, f.DisputeReported)
        assert (body.state, body.amount) == (state, Money(8470, "EUR"))

    def test_an_open_dispute_without_an_order_is_shown_a_closed_one_kept(self) -> None:
        body = EVENTS["dispute_created"]["body"] | {"order_id": None}
        assert refused(body, "disputes/create") == (
            "order_id: an open dispute over 84.70 EUR names no order"
        )
        (draft,) = told_by(body | {"status": "won"}, "disputes/update").facts
        assert draft.refs == ()

    def test_stock_of_each_variant(self) -> None:
        bodies = [draft.body for draft in event("product_updated").facts]
        told = [
            (x.product_id, x.stock_quantity, x.in_stock, x.backorders_allowed)
            for x in bodies
            if isinstance(x, f.ProductReported)
        ]
        assert told == [
            ("6011", 7, True, False),
            ("6012", -1, True, True),
            ("6013", None, True, False),
        ]
