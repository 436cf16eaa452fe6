"""Shopify: signatures, and which deliveries count."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from kette.adapters.vendors.base import Delivery, SignatureError, UnknownPayloadError
from support.shopify_orders import (
    ADAPTER,
    EVENTS,
    SECRET,
    SHOPIFY,
    delivery,
    event,
    order_body,
    order_of,
    refused,
    signature,
    told_by,
)
from support.vendor_deliveries import NOW


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
