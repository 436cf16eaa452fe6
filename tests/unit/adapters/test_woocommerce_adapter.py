"""WooCommerce: each quirk that the recordings do not show, and each refusal by its field."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from kette.adapters.vendors.base import Delivery, SignatureError, UnknownPayloadError
from kette.adapters.vendors.woocommerce import WooCommerceAdapter
from kette.domain.facts import OrderRemoved, OrderSnapshot, Ref
from kette.domain.money import Money
from kette.domain.order import LineKind
from support.vendor_deliveries import (
    NOW,
    WOO,
    recorded_step,
    woo_delivery,
    woo_signature,
)
from support.woo_orders import BASE, changed, order_of, with_meta

ADAPTER = WooCommerceAdapter()
SECRET = b"test secret"


class TestPing:
    PING = Delivery(
        WOO, {"content-type": "application/x-www-form-urlencoded"}, b"webhook_id=7", NOW
    )

    def test_passes_unsigned_and_records_nothing(self) -> None:
        ADAPTER.verify(self.PING, [])
        told = ADAPTER.translate(self.PING)
        assert (told.facts, told.note) == ((), "ping")

    @pytest.mark.parametrize(
        ("body", "headers"),
        [
            (b"webhook_id=7&x=1", {}),
            (b"webhook_id=7\n", {}),
            (b"webhook_id=", {}),
            (b"webhook_id=seven", {}),
            (b" webhook_id=7", {}),
            (b'{"id":102}', {}),
            (b"webhook_id=7", {"x-wc-webhook-topic": "order.created"}),
            (b"webhook_id=7", {"x-wc-webhook-signature": "AAAA"}),
            (b"webhook_id=7", {"content-type": "application/json"}),
        ],
    )
    def test_nothing_else_passes_unsigned(self, body: bytes, headers: dict[str, str]) -> None:
        with pytest.raises(SignatureError):
            ADAPTER.verify(Delivery(WOO, headers, body, NOW), [SECRET])


@pytest.mark.parametrize(
    ("signature", "secrets", "reason"),
    [
        (None, [SECRET], "no X-WC-Webhook-Signature header"),
        ("", [SECRET], "no X-WC-Webhook-Signature header"),
        ("not base64!", [SECRET], "the signature is not base64"),
        ("ä", [SECRET], "the signature is not base64"),
        (woo_signature(b"other", b"{}"), [SECRET], "the signature does not match the body"),
        (woo_signature(SECRET, b"{}"), [], "no webhook secret is set up for this system"),
    ],
)
def test_refused_signatures(signature: str | None, secrets: list[bytes], reason: str) -> None:
    headers = {"x-wc-webhook-topic": "order.created"}
    if signature is not None:
        headers["x-wc-webhook-signature"] = signature
    with pytest.raises(SignatureError) as refused:
        ADAPTER.verify(Delivery(WOO, headers, b"{}", NOW), secrets)
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("topic", "note"),
    [
        ("customer.updated", "customer.updated is of no concern here"),
        ("coupon.deleted", "coupon.deleted is of no concern here"),
        ("subscription.created", "subscription.created is of no concern here"),
    ],
)
def test_topics_without_consequence(topic: str, note: str) -> None:
    told = ADAPTER.translate(woo_delivery({"id": 4}, topic))
    assert (told.facts, told.note) == ((), note)


@pytest.mark.parametrize("status", ["checkout-draft", "auto-draft"])
def test_carts_are_not_orders(status: str) -> None:
    told = ADAPTER.translate(woo_delivery(changed(status=status)))
    assert told.facts == ()
    assert told.note == f"order 102 is still a {status}"


def test_status_trash_is_a_removal() -> None:
    (draft,) = ADAPTER.translate(woo_delivery(changed(status="trash"))).facts
    assert isinstance(draft.body, OrderRemoved)
    assert draft.refs == (Ref("woo-main", "order:102", founds_order=True),)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": None, "code": None}, "id: missing or not an id"),
        ({"id": {"a": 1}}, "id: missing or not an id"),
        ({"status": None}, "status: missing or not an id"),
        ({"currency": "euro"}, "currency: missing or not an ISO 4217 code"),
        ({"currency": 978}, "currency: missing or not an ISO 4217 code"),
        ({"total": None}, "total: missing or not an amount"),
        ({"total": "1,234.50"}, "total: amount '1,234.50' is not a decimal"),
        ({"total": "34.705"}, "total: amount '34.705' has more than 2 decimal places"),
        ({"total": [34]}, "total: missing or not an amount"),
        ({"total": "9" * 30}, "total: amount '999999999"),
        ({"total_tax": False}, "total_tax: missing or not an amount"),
        ({"date_created_gmt": None, "date_created": None}, "date_created_gmt: missing"),
        ({"date_created_gmt": "9999-12-31T23:59:59", "date_created": None}, "date_created_gmt: "),
        ({"date_created_gmt": "0001-01-01T00:00:00", "date_created": None}, "date_created_gmt: "),
        ({"date_created_gmt": "1969-12-31T00:00:00", "date_created": None}, "date_created_gmt: "),
        ({"line_items": "none"}, "unexpected shape: Expected `object | array | null`, got `str`"),
        ({"line_items": [7]}, "unexpected shape: Expected `object`, got `int` - at `$.line_items"),
        ({"billing": "Hamburg"}, "unexpected shape: Expected `object | array | null`"),
        ({"refunds": [{"id": 1}]}, "refunds[0].total: missing or not an amount"),
        ({"refunds": [{"total": "-1.00"}]}, "refunds[0].id: missing or not an id"),
    ],
)
def test_a_missing_or_broken_essential_is_named(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(UnknownPayloadError) as refused:
        ADAPTER.translate(woo_delivery(changed(**change)))
    assert refused.value.topic == "order.updated"
    assert refused.value.reason.startswith(reason)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"total": "x"}, "line_items[0].total: 'x' is not an amount"),
        ({"quantity": None}, "line_items[0].quantity: missing or not an amount"),
        ({"quantity": -1}, "line_items[0].quantity: -1 is not a number of pieces"),
        ({"taxes": [{"id": 1, "total": []}]}, "line_items[0].taxes[0].total: missing"),
    ],
)
def test_a_broken_line_is_named(change: dict[str, Any], reason: str) -> None:
    body = changed()
    body["line_items"][0] |= change
    with pytest.raises(UnknownPayloadError) as refused:
        ADAPTER.translate(woo_delivery(body))
    assert refused.value.reason.startswith(reason)


@pytest.mark.parametrize(
    "junk",
    [
        {"meta_data": "gone"},
        {"meta_data": [None, 7, {"key": None}, {"key": 5, "value": 6}, {"value": "x"}]},
        {"payment_method": ["bacs"], "transaction_id": {"a": 1}},
        {"customer_note": 5, "customer_id": "guest", "payment_url": "javascript:alert(1)"},
        {"shipping": [], "refunds": [], "date_paid_gmt": "0000-00-00T00:00:00"},
        {"discount_total": "free", "created_via": None, "needs_processing": "yes"},
        {"number": None, "order_key": None, "lang": 3},
    ],
)
def test_junk_beside_the_essentials_is_tolerated(junk: dict[str, Any]) -> None:
    order = order_of(changed(**junk))
    assert (order.total, order.external_id) == (Money(3470, "EUR"), "102")
    assert order.payment_url == "" or order.payment_url.startswith("https://")


@pytest.mark.parametrize(
    ("total", "expected"),
    [("34.70", 3470), (34.7, 3470), (34, 3400), ("34.700000", 3470), ("3.47e1", 3470)],
)
def test_amounts_are_read_from_their_literal(total: Any, expected: int) -> None:
    assert order_of(changed(total=total)).total == Money(expected, "EUR")


def test_dust_of_a_binary_float_never_reaches_money() -> None:
    """0.1 + 0.2 written as JSON is 0.30000000000000004: too long for an amount, refused."""
    with pytest.raises(UnknownPayloadError, match="total"):
        ADAPTER.translate(woo_delivery(changed(total=0.1 + 0.2)))


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("_billing_vat_number", "DE 123 456 789", "DE123456789"),
        ("_vat_number", "ATU12345678", "ATU12345678"),
        ("VAT Number", "FR 12 345678901", "FR12345678901"),
        ("_billing_vat_id", "nl123456789b01", "NL123456789B01"),
        ("billing_eu_vat_number", "BE0123.456.789", "BE0123456789"),
        ("_wc_billing/plugin/ust-id", "DE-123456789", "DE123456789"),
        ("_billing_ust_id", "123456789", "123456789"),
        ("_uid", "ATU12345678", "ATU12345678"),
        ("_uid", "85913", ""),
        ("_vat_number_validated", "DE123456789", ""),
        ("is_vat_exempt", "DE123456789", ""),
        ("_billing_vat_number", "no", ""),
        ("_billing_vat_number", ["DE123456789"], ""),
    ],
)
def test_vat_ids_of_plugins(key: str, value: Any, expected: str) -> None:
    assert order_of(with_meta((key, value))).vat_id == expected


def test_a_setup_can_name_its_own_key_for_the_vat_id() -> None:
    system = msgspec.structs.replace(WOO, options={"vat_id_keys": "_our_number, _other"})
    body = with_meta(("_our_number", "DE123456789"))
    (draft,) = ADAPTER.translate(woo_delivery(body, system=system)).facts
    assert isinstance(draft.body, OrderSnapshot)
    assert draft.body.order.vat_id == "DE123456789"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (with_meta(("wpml_language", "de")), "de"),
        (with_meta(("trp_language", "de_DE")), "de"),
        (with_meta(("_pll_language", "fr-CH")), "fr"),
        (changed(lang="en"), "en"),
        (with_meta(("wpml_language", "?")), ""),
    ],
)
def test_languages_of_plugins(body: dict[str, Any], expected: str) -> None:
    assert order_of(body).language == expected


def test_every_name_of_a_payment_leads_to_the_order() -> None:
    body = changed(transaction_id="ch_3Abcd", order_key="wc_order_x", number="NL-7")
    body["meta_data"] = [{"key": "_stripe_intent_id", "value": "pi_3Abcd"}]
    (draft,) = ADAPTER.translate(woo_delivery(body)).facts
    assert draft.refs == (
        Ref("woo-main", "order:102", founds_order=True),
        Ref("woo-main", "number:NL-7"),
        Ref("woo-main", "key:wc_order_x"),
        Ref("woo-main", "payment:ch_3Abcd"),
        Ref("payment", "ch_3Abcd"),
        Ref("woo-main", "payment:pi_3Abcd"),
        Ref("payment", "pi_3Abcd"),
    )


def test_a_bank_transfers_reference_is_no_providers_id() -> None:
    (draft,) = ADAPTER.translate(woo_delivery(changed(transaction_id="TX-4711"))).facts
    assert Ref("woo-main", "payment:TX-4711") in draft.refs
    assert all(ref.system_id != "payment" for ref in draft.refs)


def test_test_payments_are_marked() -> None:
    assert order_of(with_meta(("_wcpay_mode", "test"))).is_test
    assert not order_of(with_meta(("_wcpay_mode", "prod"))).is_test


@pytest.mark.parametrize(
    ("via", "origin"),
    [
        ("store-api", "checkout"),
        ("checkout", "checkout"),
        ("admin", "admin"),
        ("rest-api", "api"),
        ("subscription", "subscription"),
    ],
)
def test_origins(via: str, origin: str) -> None:
    assert order_of(changed(created_via=via)).origin == origin


def test_metres_are_packed_as_pieces() -> None:
    body = changed()
    body["line_items"][0]["quantity"] = 1.5
    line = order_of(body).lines[0]
    assert (line.quantity, line.attributes) == (2, (("quantity", "1.5"),))


def test_a_line_added_after_the_checkout_is_physical() -> None:
    """The package list was written at checkout; what came later is not on it, and still travels."""
    body = recorded_step("voucher-no-tax", "processing").body
    body["line_items"].append({**body["line_items"][1], "id": 9999, "name": "Buch"})
    kinds = [x.is_physical for x in order_of(body).lines if x.kind is LineKind.ITEM]
    assert kinds == [False, True, True]


def test_translated_names_on_the_package_list_prove_nothing() -> None:
    body = recorded_step("voucher-no-tax", "processing").body
    body["line_items"][1]["name"] = "Enamel mug"
    assert all(x.is_physical for x in order_of(body).lines)


def test_goods_ordered_over_rest_without_shipping_still_travel() -> None:
    body = changed(created_via="rest-api", shipping_lines=[])
    assert all(x.is_physical for x in order_of(body).lines)


class TestVersions:
    def test_content_decides_the_name_not_the_delivery(self) -> None:
        first, second = (
            ADAPTER.translate(woo_delivery(changed(cart_hash=h), topic)).facts[0]
            for h, topic in (("a", "order.created"), ("b", "order.updated"))
        )
        assert first == second

    def test_within_one_second_the_order_that_has_come_further_wins(self) -> None:
        versions = [
            order_of(changed(status=status)).version
            for status in ("pending", "failed", "on-hold", "processing", "completed", "refunded")
        ]
        assert versions == sorted(versions)

    def test_within_one_second_the_recorded_refund_wins(self) -> None:
        refund = {"id": 1, "reason": "", "total": "-1.00"}
        assert order_of(changed(refunds=[refund])).version > order_of(BASE).version

    def test_back_to_an_earlier_status_is_a_fact_of_its_own(self) -> None:
        later = changed(date_modified_gmt="2026-11-24T08:00:00")
        assert order_of(later).version > order_of(BASE).version
        names = {ADAPTER.translate(woo_delivery(b)).facts[0].external_id for b in (BASE, later)}
        assert len(names) == 2


def test_times_without_gmt_are_read_in_the_shops_zone() -> None:
    system = msgspec.structs.replace(WOO, options={"time_zone": "Europe/Berlin"})
    body = changed(date_created="2026-11-23T21:12:51", date_created_gmt=None)
    (draft,) = ADAPTER.translate(woo_delivery(body, system=system)).facts
    assert isinstance(draft.body, OrderSnapshot)
    assert draft.body.order.placed_at.isoformat() == "2026-11-23T20:12:51+00:00"
