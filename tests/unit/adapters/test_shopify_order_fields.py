"""Shopify: the fields of an order, from webhooks and from GraphQL, in one currency and in two."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import msgspec
import pytest
from kette.adapters.vendors.base import UnknownPayloadError
from kette.domain import facts as f
from kette.domain.money import Money
from kette.domain.order import LineKind, ShopClaim
from support.shopify_orders import ADAPTER, EVENTS, GRAPHQL, delivery, order_body, order_of, told_by


def event(name: str, **changes: Any) -> f.Translation:
    told = EVENTS[name]
    return told_by(told["body"] | changes, told["topic"])


def refused(body: Any, topic: str, **headers: str) -> str:
    with pytest.raises(UnknownPayloadError) as error:
        ADAPTER.translate(delivery(body, topic, **headers))
    return error.value.reason


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

    @pytest.mark.parametrize(
        ("names", "german", "english"),
        [
            (
                ["shopify_payments"],
                "Online-Zahlung (Shopify Payments)",
                "Online payment (Shopify Payments)",
            ),
            (["gift_card", "paypal"], "Gutschein, PayPal", "Gift card, PayPal"),
            (["Gift_Card"], "Gutschein", "Gift card"),
            (["bogus"], "Testzahlung", "Test payment"),
            (["paypal", "paypal_express"], "PayPal", "PayPal"),
            (["my_own_gateway"], "My Own Gateway", "My Own Gateway"),
            (["mollie"], "Mollie", "Mollie"),
            # What a merchant typed stays as typed.
            (["Vorkasse (Überweisung)"], "Vorkasse (Überweisung)", "Vorkasse (Überweisung)"),
            (["Cash on Delivery (COD)"], "Cash on Delivery (COD)", "Cash on Delivery (COD)"),
            (["eps-Überweisung"], "eps-Überweisung", "eps-Überweisung"),
            ([""], "", ""),
        ],
        ids=str,
    )
    def test_a_method_has_a_name_for_people(self, names: Any, german: str, english: str) -> None:
        for locale, title in (("de-AT", german), ("en", english), ("fr", english)):
            body = order_body("de_gross", payment_gateway_names=names, customer_locale=locale)
            assert order_of(body).payment_title == title

    def test_terms_have_a_name_for_people(self) -> None:
        terms = {"payment_terms_name": None, "payment_terms_type": "net"}
        body = order_body("de_gross", payment_gateway_names=["manual"], payment_terms=terms)
        assert order_of(body).payment_title == "Zahlungsziel"
        assert order_of({**body, "customer_locale": "en"}).payment_title == "Payment terms"

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

    def test_a_tip_that_is_a_row_is_a_tip_once(self) -> None:
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
        assert [x.net.amount for x in order.lines if x.kind is LineKind.TIP] == ["3.00"]
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


class TestTwoCurrencies:
    """What REST tells in the shop's currency alone."""

    def test_a_tip_is_what_the_total_holds_beyond_the_lines(self) -> None:
        body = order_body("multi_currency", total_tip_received="4.62")
        for name in ("total_price", "current_total_price"):
            body[f"{name}_set"]["presentment_money"]["amount"] = "68.00"
        order = order_of(body)
        assert [(x.id, x.net.amount) for x in order.lines if x.kind is LineKind.TIP] == [
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


@pytest.mark.parametrize(
    ("name", "value", "vat_id"),
    [
        ("VAT number", "ATU 13585627", "ATU13585627"),
        ("vatNumber", "DE 136-695-976", "DE136695976"),
        ("billing_vat_id", "FR83404833048", "FR83404833048"),
        ("USt-IdNr.", "DE136695976", "DE136695976"),
        ("Umsatzsteuer-Identifikationsnummer", "DE136695976", "DE136695976"),
        ("BTW-nummer", "NL004495445B01", "NL004495445B01"),
        ("Partita IVA", "IT00743110157", "IT00743110157"),
        ("N° TVA intracommunautaire", "FR83404833048", "FR83404833048"),
        ("VAT ID", "136695976", "136695976"),  # without its country: for a person to see
        ("Tax ID", "DE136695976", "DE136695976"),
        ("Tax ID", "12/345/67890", ""),
        ("VAT amount", "19.00", ""),
    ],
)
def test_vat_id_of_a_cart_form(name: str, value: str, vat_id: str) -> None:
    order = order_of(order_body("de_gross", note_attributes=[{"name": name, "value": value}]))
    assert order.vat_id == vat_id
    assert order.customer_note == ("" if vat_id else f"{name}: {value}")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Custom text", "Lena 24.12.2025"),
        ("Customer number", "KD 4711"),
        ("Cust-ID", "AB 1234"),
        ("Private note", "AB12"),
        ("Industry", "IT 2"),
        ("August Code", "XY77"),
    ],
)
def test_what_a_cart_form_asks_besides_stays_in_the_note(name: str, value: str) -> None:
    """ "Custom text" holds the letters "ust": an engraving was taken for a VAT id and left the
    note."""
    order = order_of(order_body("de_gross", note_attributes=[{"name": name, "value": value}]))
    assert (order.vat_id, order.customer_note) == ("", f"{name}: {value}")


@pytest.mark.parametrize(
    ("later", "earlier"),
    [
        ({"cancelled_at": "2026-11-02T10:15:31+01:00"}, {}),
        ({"closed_at": "2026-11-02T10:15:31+01:00"}, {}),
        ({"cancelled_at": "2026-11-02T10:15:31+01:00"}, {"closed_at": "2026-11-02T10:15:31+01:00"}),
        ({}, {"financial_status": "pending"}),
        ({}, {"financial_status": "authorized"}),
        ({"fulfillment_status": "on_hold"}, {}),
        ({"closed_at": "2026-11-02T10:15:31+01:00"}, {"financial_status": "pending"}),
        ({"financial_status": "refunded"}, {}),
    ],
)
def test_of_two_snapshots_of_one_second_the_further_one_counts(
    later: dict[str, Any], earlier: dict[str, Any]
) -> None:
    """Shopify tells time by the second, and creates, pays and cancels within one. "pending" came
    to count as further than "paid" once holds by staff were read: the order stayed unpaid."""
    assert (
        order_of(order_body("de_gross", **later)).version
        > order_of(order_body("de_gross", **earlier)).version
    )


def test_a_shipping_line_that_was_taken_off_is_not_charged() -> None:
    """Editing an order to another way of shipping leaves the old line in the list."""
    body = order_body("de_gross")
    (kept,) = body["shipping_lines"]
    body["shipping_lines"] = [{**deepcopy(kept), "id": 5702, "is_removed": True}, kept]
    assert order_of(body).lines == order_of(order_body("de_gross")).lines


def test_an_order_that_is_fetched_in_the_shop() -> None:
    """Shopify names the shop as the method and has nowhere to ship to."""
    assert order_of(order_body("pickup_transfer")).is_picked_up
    assert not order_of(order_body("de_gross")).is_picked_up


@pytest.mark.parametrize(
    "changes",
    [
        {"shipping_address": {"first_name": "Lena", "zip": None}},  # hidden for want of a right
        {"billing_address": None},
        {"billing_address": {"first_name": None, "address1": None, "zip": None}},
        {"source_name": "shopify_draft_order"},
    ],
)
def test_an_address_that_is_only_missing_is_no_pick_up(changes: dict[str, Any]) -> None:
    assert not order_of(order_body("pickup_transfer", **changes)).is_picked_up
