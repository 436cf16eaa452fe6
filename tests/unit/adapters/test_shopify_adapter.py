"""Shopify: signatures, topics, shapes, and the quirks that the invented orders do not show."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import msgspec
import pytest
from kette.adapters.vendors.base import Delivery, SignatureError, UnknownPayloadError
from kette.domain import facts as f
from kette.domain.money import Money
from kette.domain.order import LineKind, ShopClaim
from support.shopify_orders import (
    ADAPTER,
    FOLDER,
    SECRET,
    SHOPIFY,
    delivery,
    order_body,
    order_of,
    signature,
    told_by,
)
from support.vendor_deliveries import NOW

EVENTS: dict[str, Any] = json.loads((FOLDER / "events.json").read_text("utf-8"))
GRAPHQL: dict[str, Any] = json.loads((FOLDER / "graphql_order.json").read_text("utf-8"))


def event(name: str, **changes: Any) -> f.Translation:
    told = EVENTS[name]
    return told_by(told["body"] | changes, told["topic"])


def body_of(name: str, **changes: Any) -> f.FactBody:
    (draft,) = event(name, **changes).facts
    return draft.body


def refused(body: Any, topic: str, **headers: str) -> str:
    with pytest.raises(UnknownPayloadError) as error:
        ADAPTER.translate(delivery(body, topic, **headers))
    return error.value.reason


class TestSignature:
    @pytest.mark.parametrize("header", ["x-shopify-hmac-sha256", "shopify-hmac-sha256"])
    def test_each_valid_secret_proves_the_raw_bytes(self, header: str) -> None:
        raw = b'{"id": 1,  "note": "\xc3\xa4"}'
        told = Delivery(SHOPIFY, {header: signature(SECRET, raw)}, raw, NOW)
        ADAPTER.verify(told, [SECRET])
        ADAPTER.verify(told, [b"the next secret", SECRET])

    @pytest.mark.parametrize(
        ("given", "secrets", "reason"),
        [
            (None, [SECRET], "no X-Shopify-Hmac-Sha256 header"),
            ("", [SECRET], "no X-Shopify-Hmac-Sha256 header"),
            ("not base64!", [SECRET], "the signature is not base64"),
            ("ä", [SECRET], "the signature is not base64"),
            (signature(b"other", b"{}"), [SECRET], "the signature does not match the body"),
            (signature(SECRET, b"{ }"), [SECRET], "the signature does not match the body"),
            (signature(SECRET, b"{}"), [], "no webhook secret is set up for this system"),
        ],
    )
    def test_everything_else_is_refused(
        self, given: str | None, secrets: list[bytes], reason: str
    ) -> None:
        headers = {} if given is None else {"x-shopify-hmac-sha256": given}
        with pytest.raises(SignatureError) as error:
            ADAPTER.verify(Delivery(SHOPIFY, headers, b"{}", NOW), secrets)
        assert error.value.reason == reason


class TestWhichDeliveriesCount:
    def test_another_shops_delivery_is_refused(self) -> None:
        """One app's secret signs for each shop that installed it."""
        told = refused(
            order_body("de_gross"), "orders/create", x_shopify_shop_domain="other.myshopify.com"
        )
        assert told == (
            "sent by the shop other.myshopify.com, this system is nordlicht.myshopify.com; "
            "check the webhook's address"
        )

    def test_the_own_domain_may_be_an_option(self) -> None:
        system = msgspec.structs.replace(
            SHOPIFY,
            base_url="http://127.0.0.1:8720/shopify",
            options={"shop_domain": "nordlicht.myshopify.com"},
        )
        headers = {"x_shopify_shop_domain": "Nordlicht.myshopify.com"}
        body = order_body("de_gross")
        assert ADAPTER.translate(delivery(body, "orders/create", system, **headers)).facts
        headers = {"x_shopify_shop_domain": "other.myshopify.com"}
        with pytest.raises(UnknownPayloadError):
            ADAPTER.translate(delivery(body, "orders/create", system, **headers))

    def test_the_admins_test_notification_is_no_order(self) -> None:
        told = ADAPTER.translate(
            delivery(order_body("de_gross"), "orders/create", x_shopify_test="true")
        )
        assert (told.facts, told.note) == ((), "a test notification from the shop's admin")

    @pytest.mark.parametrize(
        "topic",
        [
            *("customers/update", "carts/create", "checkouts/update", "inventory_levels/update"),
            *("themes/publish", "tender_transactions/create", "fulfillment_events/delete"),
            *("orders/shopify_protect_eligibility_changed", "app/scopes_update"),
        ],
    )
    def test_known_topics_of_no_concern_are_no_exception(self, topic: str) -> None:
        told = told_by({"id": 1}, topic)
        assert (told.facts, told.note) == ((), f"{topic} is of no concern here")

    @pytest.mark.parametrize(
        ("topic", "word"),
        [
            ("customers/redact", "erased"),
            ("customers/data_request", "asks for the data"),
            ("shop/redact", "erased"),
            ("app/uninstalled", "sends nothing more"),
        ],
    )
    def test_what_a_person_must_act_on_is_shown(self, topic: str, word: str) -> None:
        assert word in refused({"shop_id": 1}, topic)

    @pytest.mark.parametrize(
        ("body", "topic", "reason"),
        [
            ({"id": 1}, "nonsense/x", "no such topic is known"),
            ({"id": 1}, "", "of no known shape"),
            ({"errors": "[API] Invalid API key"}, "", "answered with an error: [API] Invalid"),
            ({"errors": [{"message": "Throttled"}]}, "", "answered with an error: Throttled"),
            ([1], "orders/create", "unexpected shape"),
            (b"{", "orders/create", "not readable as JSON"),
            ({"id": None, "total_price": "1"}, "orders/create", "currency: missing"),
        ],
    )
    def test_what_is_not_understood_is_refused_with_a_reason(
        self, body: Any, topic: str, reason: str
    ) -> None:
        assert reason in refused(body, topic)

    def test_a_draft_order_is_not_yet_an_order(self) -> None:
        told = event("draft_order")
        assert (told.facts, told.note) == (
            (),
            "a draft order; it is an order once it is completed",
        )
        assert not told_by(EVENTS["draft_order"]["body"], "").facts

    def test_an_order_from_a_draft_came_from_the_admin(self) -> None:
        assert order_of(order_body("draft_b2b_terms")).origin == "admin"

    def test_a_test_order_says_so(self) -> None:
        assert order_of(order_body("test_order")).is_test


class TestOrderFields:
    @pytest.mark.parametrize(
        ("changes", "claim"),
        [
            ({"financial_status": "pending", "payment_gateway_names": []}, ShopClaim.ON_HOLD),
            ({"financial_status": "authorized"}, ShopClaim.ON_HOLD),
            ({"financial_status": "paid"}, ShopClaim.PROCESSING),
            ({"financial_status": "partially_paid"}, ShopClaim.PROCESSING),
            ({"financial_status": "partially_refunded"}, ShopClaim.PROCESSING),
            ({"financial_status": "refunded"}, ShopClaim.REFUNDED),
            ({"financial_status": "voided"}, ShopClaim.FAILED),
            ({"financial_status": "expired"}, ShopClaim.FAILED),
            ({"financial_status": "something_new"}, ShopClaim.OTHER),
            ({"closed_at": "2026-11-09T10:00:00+01:00"}, ShopClaim.COMPLETED),
            (
                {"cancelled_at": "2026-11-09T10:00:00+01:00", "financial_status": "refunded"},
                ShopClaim.CANCELLED,
            ),
            ({"confirmed": False}, ShopClaim.PENDING),
            ({"fulfillment_status": "on_hold"}, ShopClaim.ON_HOLD),
            (
                {"financial_status": "pending", "payment_gateway_names": ["Kauf auf Rechnung"]},
                ShopClaim.PROCESSING,
            ),
        ],
        ids=str,
    )
    def test_claims(self, changes: dict[str, Any], claim: ShopClaim) -> None:
        assert order_of(order_body("de_gross", **changes)).claim is claim

    @pytest.mark.parametrize(
        ("names", "method"),
        [
            (["shopify_payments"], "shopify_payments"),
            (["gift_card"], "gift_card"),
            (["gift_card", "paypal"], "paypal"),
            (["PayPal Express Checkout"], "paypal"),
            (["Klarna – Rechnung"], "klarna"),
            (["Bank Deposit"], "bacs"),
            (["Vorkasse"], "bacs"),
            (["Cash on Delivery (COD)"], "cod"),
            (["Nachnahme"], "cod"),
            (["Rechnung"], "invoice"),
            (["Money Order"], "cheque"),
            (["manual"], "manual"),
            ([""], ""),
            ([], ""),
            (None, ""),
        ],
        ids=str,
    )
    def test_methods_of_payment(self, names: Any, method: str) -> None:
        assert (
            order_of(order_body("de_gross", payment_gateway_names=names)).payment_method == method
        )

    def test_amounts_go_before_words(self) -> None:
        """Official examples say "paid" with the whole amount outstanding."""
        order = order_of(order_body("de_gross", total_outstanding="84.70"))
        assert (order.paid_total, order.paid_at) == (Money.zero("EUR"), None)

    def test_a_later_payment_is_dated_when_it_is_told(self) -> None:
        body = order_body(
            "pickup_transfer",
            financial_status="paid",
            total_outstanding="0.00",
            updated_at="2026-11-06T12:00:00+01:00",
        )
        order = order_of(body)
        assert order.paid_at is not None
        assert order.paid_at.isoformat() == "2026-11-06T11:00:00+00:00"

    def test_a_sold_gift_card_does_not_travel_and_one_that_pays_is_no_line(self) -> None:
        sold = order_of(order_body("digital"))
        assert [dict(line.attributes).get("gift_card") for line in sold.lines] == ["true", None]
        assert not sold.physical_lines
        paid = order_of(order_body("gift_card_part"))
        assert [line.kind for line in paid.lines] == [LineKind.ITEM, LineKind.SHIPPING]

    def test_a_tip_that_is_a_row_is_a_fee_once(self) -> None:
        body = order_body("tip")
        row = deepcopy(body["line_items"][0]) | {
            "id": 82,
            "title": "Tip",
            "name": "Tip",
            "price": "3.00",
            "product_id": None,
            "variant_id": None,
            "requires_shipping": False,
            "tax_lines": [],
        }
        row.pop("price_set")
        body["line_items"].append(row)
        order = order_of(body)
        assert [x.net.amount for x in order.lines if x.kind is LineKind.FEE] == ["3.00"]
        assert order.rounding is None

    def test_an_order_level_tax_is_spread_over_the_taxable_goods(self) -> None:
        body = order_body("us_net")
        body["line_items"].append(deepcopy(body["line_items"][0]) | {"id": 32, "taxable": False})
        for row in body["line_items"]:
            row["tax_lines"] = []
        body["shipping_lines"] = []
        body["tax_lines"] = [{"title": "State", "rate": "0.0625", "price": "3.75"}]
        body |= {"total_price": "123.75", "current_total_price": "123.75"}
        for name in ("total_price", "current_total_price", "total_tax", "current_total_tax"):
            body.pop(f"{name}_set")
        body |= {"total_tax": "3.75", "current_total_tax": "3.75"}
        order = order_of(body)
        assert [(x.tax.amount, x.rate) for x in order.lines] == [("3.75", "0.0625"), ("0.00", None)]
        assert order.rounding is None

    def test_numbers_may_be_strings_floats_and_null(self) -> None:
        body = order_body("de_gross")
        plain = json.loads(json.dumps(body), parse_float=str)
        for row in plain["line_items"]:
            row |= {"quantity": "2", "price": 39.9, "total_discount": None, "id": str(row["id"])}
            row.pop("price_set")
            row["tax_lines"][0] |= {"rate": "0.190", "price": 12.74}
            row["tax_lines"][0].pop("price_set")
        plain["total_price"] = 84.7
        plain.pop("total_price_set")
        found, usual = order_of(plain), order_of(body)
        assert (found.total, found.lines, found.tax_by_rate) == (
            usual.total,
            usual.lines,
            usual.tax_by_rate,
        )

    def test_amounts_of_another_currency_inside_an_order_are_refused(self) -> None:
        body = order_body("de_gross")
        body["line_items"][0]["price_set"]["presentment_money"]["currency_code"] = "USD"
        assert refused(body, "orders/create") == (
            "line_items[0].price: told in USD, the order is in EUR"
        )

    def test_without_presentment_amounts_the_order_is_in_the_shops_currency(self) -> None:
        def shop_only(told: Any) -> Any:
            if isinstance(told, dict):
                return {k: shop_only(v) for k, v in told.items() if k != "presentment_money"}
            return [shop_only(v) for v in told] if isinstance(told, list) else told

        order = order_of(shop_only(order_body("multi_currency")))
        assert (order.currency, order.total.amount) == ("EUR", "58.22")
        assert order.total_in_shop_currency is None
        assert order.rounding is None

    def test_an_order_with_one_address_or_none_is_read(self) -> None:
        body = order_body("de_gross", billing_address=None, phone="+49 170 5550199")
        body["shipping_address"]["phone"] = None
        order = order_of(body)
        assert order.billing == msgspec.structs.replace(
            order.shipping, email="lena.brandt@example.org"
        )
        assert order.shipping.phone == "+49 170 5550199"
        none = order_of(order_body("digital"))
        assert (none.billing.email, none.billing.line1) == ("lena.brandt@example.org", "")

    def test_an_unknown_word_in_a_fulfillment_does_not_keep_the_order_out(self) -> None:
        body = order_body("partial_refund_restock")
        body["fulfillments"][0]["status"] = "teleported"
        kinds = [type(draft.body) for draft in told_by(body).facts]
        assert kinds == [f.OrderSnapshot, f.RefundReported, f.PayloadUnknown]

    def test_a_bad_order_in_a_page_does_not_keep_the_others_out(self) -> None:
        page = {
            "orders": [
                order_body("de_gross"),
                order_body("tip", currency="?"),
                order_body("jpy", total_price=None, current_total_price=None),
                order_body("edited"),
            ]
        }
        page["orders"][1]["presentment_currency"] = None
        page["orders"][1]["total_price_set"] = None
        page["orders"][2]["total_price_set"] = page["orders"][2]["current_total_price_set"] = None
        told = told_by(page, "")
        orders = [x.body.order.number for x in told.facts if isinstance(x.body, f.OrderSnapshot)]
        unknown = [x.body.reason for x in told.facts if isinstance(x.body, f.PayloadUnknown)]
        assert orders == ["#1101", "#1110"]
        assert unknown == [
            "5008: currency: missing or not an ISO 4217 code",
            "5019: total_price: missing or not an amount",
        ]


class TestGraphQL:
    def test_it_tells_the_same_order_as_the_webhook(self) -> None:
        (snapshot, *others) = told_by(GRAPHQL, "").facts
        assert isinstance(snapshot.body, f.OrderSnapshot)
        pushed = order_of(order_body("de_gross"))
        found = snapshot.body.order
        assert found == msgspec.structs.replace(pushed, version=found.version, risk_level="normal")
        assert found.version > pushed.version  # same second: the one that tells the risk counts
        assert [type(x.body) for x in others] == [f.PaymentReported, f.ParcelReported]
        assert {ref.name for ref in snapshot.refs} >= {
            *("order:5001", "number:#1101", "number:1101", "fulfillment-order:4001"),
        }

    def test_fulfillments_and_payments_have_the_names_of_their_webhooks(self) -> None:
        names = {draft.external_id for draft in told_by(GRAPHQL, "").facts}
        assert "transaction:66001:success" in names
        (parcel,) = [
            x.body for x in told_by(GRAPHQL, "").facts if isinstance(x.body, f.ParcelReported)
        ]
        assert (parcel.parcel_id, parcel.state) == ("fulfillment-8001", f.ParcelState.SHIPPED)
        assert parcel.lines == (f.ShippedLine("11", 2),)

    @pytest.mark.parametrize(
        "shape",
        [
            lambda node: {"data": {"orders": {"nodes": [node]}}},
            lambda node: {"data": {"orders": {"edges": [{"cursor": "c", "node": node}]}}},
            lambda node: {"data": {"nodes": [node]}},
            lambda node: {"data": {"node": node}},
            lambda node: node,
        ],
        ids=["nodes", "edges", "nodes by id", "node", "bare"],
    )
    def test_connections_and_single_nodes(self, shape: Any) -> None:
        told = told_by(shape(GRAPHQL["data"]["order"]), "")
        assert told.facts == told_by(GRAPHQL, "").facts

    def test_a_hold_of_the_fulfillment_holds_the_order(self) -> None:
        node = GRAPHQL["data"]["order"] | {"displayFulfillmentStatus": "ON_HOLD"}
        (snapshot, *_) = told_by({"data": {"order": node}}, "").facts
        assert isinstance(snapshot.body, f.OrderSnapshot)
        assert snapshot.body.order.claim is ShopClaim.ON_HOLD

    def test_payouts_of_the_account(self) -> None:
        bodies = [draft.body for draft in event("payouts").facts]
        assert bodies == [
            f.PayoutReported("39001", "paid", Money(41233, "EUR"), "2026-11-05"),
            f.PayoutReported("39002", "scheduled", Money(-1210, "EUR"), "2026-11-06"),
        ]


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


class TestTwoCurrencies:
    """What REST tells in the shop's currency alone."""

    def test_a_tip_is_what_the_total_holds_beyond_the_lines(self) -> None:
        body = order_body("multi_currency", total_tip_received="4.62")
        for name in ("total_price", "current_total_price"):
            body[f"{name}_set"]["presentment_money"]["amount"] = "68.00"
        order = order_of(body)
        assert [(x.id, x.net.amount) for x in order.lines if x.kind is LineKind.FEE] == [
            ("tip", "5.00")
        ]
        assert (order.total.amount, order.rounding) == ("68.00", None)

    def test_a_refund_in_the_other_currency_is_shown_and_the_order_read(self) -> None:
        body = order_body("multi_currency")
        refund = deepcopy(EVENTS["refund_created"]["body"]) | {"refund_line_items": []}
        body["refunds"] = [refund]
        snapshot, unknown = told_by(body).facts
        assert isinstance(snapshot.body, f.OrderSnapshot)
        assert snapshot.body.order.refunds == ()
        assert isinstance(unknown.body, f.PayloadUnknown)
        assert unknown.body.reason == ("66105: transactions.currency: EUR, the order is in CHF")


@pytest.mark.parametrize(("is_gross", "rate"), [(True, "0.19"), (False, "0.16")])
def test_a_tax_without_its_rate_has_the_one_that_the_amounts_say(is_gross: bool, rate: str) -> None:
    body = order_body("de_gross", taxes_included=is_gross, shipping_lines=[])
    body["line_items"][0]["tax_lines"][0]["rate"] = None
    assert order_of(body).lines[0].rate == rate
