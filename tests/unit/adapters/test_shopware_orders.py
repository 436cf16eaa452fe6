"""Shopware orders: each quirk that the figures do not show, and each refusal by its field."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from kette.adapters.vendors.base import UnknownPayloadError
from kette.domain.facts import ParcelReported, ParcelState, Ref, ShippedLine
from kette.domain.order import Address, LineKind, ShopClaim
from support.shopware_orders import (
    ADAPTER,
    SHOPWARE,
    order_row,
    read,
    reading,
    with_state,
)

FREE = {"price": {**order_row()["price"], "totalPrice": 0.0, "calculatedTaxes": []}}


@pytest.mark.parametrize(
    ("order", "transaction", "delivery", "claim"),
    [
        ("open", "open", "open", ShopClaim.PENDING),
        ("open", "in_progress", "open", ShopClaim.PENDING),
        ("open", "unconfirmed", "open", ShopClaim.PENDING),
        ("open", "own_state", "open", ShopClaim.PENDING),
        ("open", "reminded", "open", ShopClaim.ON_HOLD),
        ("open", "authorized", "open", ShopClaim.PROCESSING),
        ("open", "paid", "open", ShopClaim.PROCESSING),
        ("open", "paid_partially", "open", ShopClaim.PROCESSING),
        ("open", "refunded_partially", "open", ShopClaim.PROCESSING),
        ("open", "chargeback", "open", ShopClaim.PROCESSING),
        ("open", "refunded", "open", ShopClaim.REFUNDED),
        ("open", "failed", "open", ShopClaim.FAILED),
        ("open", "cancelled", "open", ShopClaim.FAILED),
        ("in_progress", "open", "open", ShopClaim.PROCESSING),
        ("in_progress", "failed", "open", ShopClaim.PROCESSING),
        ("in_progress", "paid", "shipped_partially", ShopClaim.PROCESSING),
        ("in_progress", "paid", "shipped", ShopClaim.COMPLETED),
        ("open", "open", "shipped", ShopClaim.COMPLETED),
        ("open", "paid", "returned", ShopClaim.COMPLETED),
        ("completed", "refunded", "shipped", ShopClaim.COMPLETED),
        ("completed", "open", "open", ShopClaim.COMPLETED),
        ("cancelled", "paid", "shipped", ShopClaim.CANCELLED),
        ("in_production", "paid", "open", ShopClaim.OTHER),
    ],
)
def test_three_states_make_one_claim(
    order: str, transaction: str, delivery: str, claim: ShopClaim
) -> None:
    row = with_state(order_row(), order=order, transaction=transaction, delivery=delivery)
    told = read(row)
    assert (told.claim, told.shop_status) == (claim, order)
    assert told.is_left_open is (claim is ShopClaim.COMPLETED and order != "completed")


def test_an_offline_method_waits_for_money_and_not_for_the_customer() -> None:
    assert read(order_row("de-net-b2b")).claim is ShopClaim.ON_HOLD
    by_setup = msgspec.structs.replace(
        SHOPWARE, options={"offline_methods": "ratepay_invoice, stripe_shopware_payment_card"}
    )
    guest = order_row("de-guest")
    assert read(guest).claim is ShopClaim.PENDING
    assert read(guest, by_setup).claim is ShopClaim.ON_HOLD


def test_an_order_of_nothing_needs_no_payment() -> None:
    rows = order_row()["lineItems"]
    for row in rows:
        row["price"] = {"totalPrice": 0.0, "calculatedTaxes": [], "taxRules": []}
    free = order_row(**FREE, lineItems=rows, deliveries=[], shippingCosts=None, transactions=[])
    told = read(free)
    assert (told.total.minor, told.claim, told.payment_method) == (0, ShopClaim.PROCESSING, "")


class TestAttempts:
    """Failure cases 16 and 17: any paid attempt wins, and two of them are both counted."""

    def test_the_paid_one_speaks_though_a_newer_one_is_open(self) -> None:
        told = read(order_row("de-several-attempts"))
        assert told.payment_method == "stripe_shopware_payment_card"
        assert told.paid_at == datetime(2026, 11, 20, 9, 18, tzinfo=UTC)

    def test_two_paid_ones_are_twice_the_money(self) -> None:
        row = order_row("de-several-attempts")
        row["transactions"][2]["stateMachineState"]["technicalName"] = "paid"
        told = read(row)
        assert told.paid_total is not None
        assert told.paid_total.amount == "115.88"

    def test_the_shops_own_choice_counts_among_equals(self) -> None:
        row = order_row("de-several-attempts")
        for attempt in row["transactions"]:
            attempt["stateMachineState"]["technicalName"] = "open"
        assert read(row).payment_method == "payment_prepayment"  # the newest
        row["primaryOrderTransactionId"] = row["transactions"][0]["id"]
        assert read(row).payment_method == "swag_paypal_paypal"

    def test_a_part_of_unknown_size_is_not_guessed(self) -> None:
        row = order_row("de-partly-paid")
        row["transactions"][0]["captures"] = []
        told = read(row)
        assert (told.paid_total, told.paid_at, told.claim.value) == (None, None, "processing")

    def test_what_came_is_kept_when_it_went_back(self) -> None:
        told = read(with_state(order_row("de-refunded"), transaction="chargeback"))
        assert told.charged_back is not None
        assert told.paid_total is not None
        assert (told.charged_back.amount, told.paid_total.amount) == ("89.00", "89.00")
        assert told.refunds == ()


class TestRefunds:
    def test_only_those_that_were_carried_through_count(self) -> None:
        (refund,) = read(order_row("de-refunded-partly")).refunds
        assert (refund.amount.amount, refund.reason) == ("30.00", "Kratzer im Glas")
        assert refund.made_at == datetime(2026, 11, 25, 7, 59, tzinfo=UTC)

    def test_what_no_row_tells_is_one_refund_of_its_own(self) -> None:
        row = with_state(order_row("de-refunded-partly"), transaction="refunded")
        assert [r.amount.amount for r in read(row).refunds] == ["30.00", "59.00"]


class TestNames:
    def test_refs_lead_to_the_order_by_every_name(self) -> None:
        row = order_row("de-promotion")
        (draft,) = ADAPTER.translate(reading(row)).facts
        assert draft.refs == (
            Ref("shopware-main", f"order:{row['id']}", founds_order=True),
            Ref("shopware-main", "number:20004"),
            Ref("shopware-main", f"key:{row['deepLinkCode']}"),
            Ref("shopware-main", f"payment:{row['transactions'][0]['id']}"),
            Ref("shopware-main", "payment:pi_3FixtureShopware01"),
            Ref("payment", "pi_3FixtureShopware01"),
            Ref("shopware-main", "payment:ch_3FixtureShopware01"),
            Ref("payment", "ch_3FixtureShopware01"),
        )

    @pytest.mark.parametrize(
        "part", ["lineItems", "deliveries", "transactions", "addresses", "orderCustomer"]
    )
    def test_a_change_of_any_row_is_a_newer_version(self, part: str) -> None:
        """A transaction that turns paid leaves the order's own updatedAt alone."""
        row = order_row()
        before = read(row)
        target = row[part] if isinstance(row[part], dict) else row[part][0]
        target["updatedAt"] = "2026-11-27T00:00:00.001+00:00"
        after = read(row)
        assert after.version > before.version
        assert after.version.startswith("2026-11-27T00:00:00.001000Z.")

    def test_within_one_millisecond_the_order_that_has_come_further_wins(self) -> None:
        states = [("open", "open"), ("open", "paid"), ("completed", "paid"), ("cancelled", "paid")]
        versions = [
            read(with_state(order_row(), order=order, transaction=transaction)).version
            for order, transaction in states
        ]
        assert versions == sorted(versions)
        assert len(set(versions)) == 4


class TestPeople:
    def test_a_company_with_its_vat_id(self) -> None:
        told = read(order_row("de-net-b2b"))
        assert told.vat_id == "DE136695976"
        assert told.billing == Address(
            name="Arne Lorenzen",
            company="Lorenzen Bürobedarf GmbH",
            line1="Speicherstr. 3",
            line2="Einkauf",
            postal_code="24103",
            city="Kiel",
            country_code="DE",
            email="einkauf@lorenzen.example.org",
        )

    def test_an_old_vat_id_stands_in_the_address(self) -> None:
        row = order_row("de-net-b2b")
        row["orderCustomer"]["vatIds"] = []
        row["billingAddress"]["vatId"] = "ATU 3751 7905"
        assert read(row).vat_id == "ATU37517905"

    def test_the_address_may_stand_among_the_addresses_only(self) -> None:
        row = order_row("de-net-b2b")
        before = read(row)
        row["billingAddress"] = None
        for delivery in row["deliveries"]:
            delivery["shippingOrderAddress"] = None
        told = read(row)
        assert (told.billing, told.shipping) == (before.billing, before.shipping)

    def test_regions_lose_their_country(self) -> None:
        row = order_row()
        row["billingAddress"]["countryState"] = {"shortCode": "DE-SH"}
        assert read(row).billing.region == "SH"

    def test_a_guest_has_no_account(self) -> None:
        assert read(order_row("de-guest")).customer_ref == ""
        assert read(order_row()).customer_ref == order_row()["orderCustomer"]["customerId"]

    def test_staff_and_notes(self) -> None:
        assert read(order_row("de-made-by-staff")).origin == "admin"
        assert read(order_row()).customer_note == "Bitte beim Nachbarn abgeben.\nDanke!"

    def test_what_else_the_shop_says_is_kept(self) -> None:
        told = dict(read(order_row()).attributes)
        assert (told["affiliateCode"], told["campaignCode"]) == ("blog-7", "advent")
        assert told["custom:geschenk"] == "ja"
        assert dict(read(order_row("se-foreign-currency")).attributes)["currencyFactor"] == "11.35"


class TestDeliveries:
    def test_the_address_is_that_of_the_first_goods_or_of_the_shops_choice(self) -> None:
        row = order_row("de-deliveries")
        assert read(row).shipping.line1 == "Hafenstr. 2"
        row["primaryOrderDeliveryId"] = row["deliveries"][0]["id"]
        assert read(row).shipping.line1 == "Deichweg 7"

    def test_a_promotion_on_shipping_is_no_parcel(self) -> None:
        """It is kept as a delivery with a negative price that nobody ever ships."""
        row = with_state(order_row("de-deliveries"), delivery="shipped")
        row["deliveries"][2]["stateMachineState"]["technicalName"] = "open"
        assert read(row).claim is ShopClaim.COMPLETED

    def test_the_orders_figure_counts_where_deliveries_do_not_add_up(self) -> None:
        row = order_row()
        row["deliveries"][0]["shippingCosts"]["totalPrice"] = 1.0
        shipping = [x for x in read(row).lines if x.kind is LineKind.SHIPPING]
        assert sum(x.net.minor + x.tax.minor for x in shipping) == 490

    def test_downloads_do_not_travel(self) -> None:
        for states, product_type in ((["is-download"], None), ([], "digital")):
            row = order_row("de-download")
            row["lineItems"][0]["states"] = states
            row["lineItems"][0]["payload"]["productType"] = product_type
            assert not read(row).physical_lines


class TestParcels:
    """What the shop shipped itself must not be shipped again."""

    def told(self, row: dict[str, Any]) -> list[ParcelReported]:
        facts = ADAPTER.translate(reading(row)).facts
        return [draft.body for draft in facts if isinstance(draft.body, ParcelReported)]

    def test_a_shipped_delivery_with_its_pieces(self) -> None:
        row = order_row("de-deliveries")
        (parcel,) = self.told(row)
        jacket = row["lineItems"][0]["id"]
        assert (parcel.state, parcel.tracking_number) == (
            ParcelState.SHIPPED,
            "00340434161094000001",
        )
        assert parcel.lines == (ShippedLine(jacket, 1),)

    def test_a_parcel_for_each_code_and_none_without(self) -> None:
        row = order_row("de-deliveries")
        row["deliveries"][0]["trackingCodes"] = ["A1", "A2", "A1"]
        assert [parcel.tracking_number for parcel in self.told(row)] == ["A1", "A2"]
        row["deliveries"][0]["trackingCodes"] = []
        assert self.told(row) == []

    @pytest.mark.parametrize("state", ["open", "shipped_partially", "cancelled", "own_state"])
    def test_other_states_tell_nothing(self, state: str) -> None:
        assert self.told(with_state(order_row("de-deliveries"), delivery=state)) == []


class TestContainers:
    def test_three_generations(self) -> None:
        row = order_row("de-containers")
        becher = next(x for x in row["lineItems"] if x["label"] == "Kaffeebecher Deich")
        inner = {**becher, "id": "a" * 32, "parentId": becher["id"], "label": "Henkel"}
        row["lineItems"].append(inner)
        names = [x.name for x in read(row).lines if x.kind is LineKind.ITEM]
        assert names[0] == "Henkel"
        assert "Kaffeebecher Deich" not in names

    def test_an_orphan_and_a_circle_are_not_lost(self) -> None:
        row = order_row()
        one, two = row["lineItems"]
        one["parentId"] = "f" * 32
        assert len([x for x in read(row).lines if x.kind is LineKind.ITEM]) == 2
        one["parentId"], two["parentId"] = two["id"], one["id"]
        assert len([x for x in read(row).lines if x.kind is LineKind.ITEM]) == 2


def test_sandbox_payments_and_test_channels_are_tests() -> None:
    assert read(order_row("de-download")).is_test
    row = order_row()
    assert not read(row).is_test
    channel = msgspec.structs.replace(
        SHOPWARE, options={"test_sales_channels": row["salesChannelId"]}
    )
    assert read(row, channel).is_test


def test_the_customer_can_pay_on_the_storefront() -> None:
    shown = msgspec.structs.replace(
        SHOPWARE, options={"storefront_url": "https://strandgut.example/"}
    )
    row = order_row()
    assert read(row).payment_url == ""
    assert read(row, shown).payment_url == (
        f"https://strandgut.example/account/order/{row['deepLinkCode']}"
    )


def broken(path: str, value: Any) -> dict[str, Any]:
    row = order_row()
    at: Any = row
    *way, last = path.split(".")
    for step in way:
        at = at[int(step) if step.isdigit() else step]
    at[last] = value
    return row


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("id", None, "id: missing or not an id"),
        ("currency", None, "currency.isoCode: missing or not an ISO 4217 code"),
        ("lineItems", None, "lineItems: missing; the association was not asked for"),
        ("deliveries", None, "deliveries: missing; the association was not asked for"),
        ("transactions", None, "transactions: missing; the association was not asked for"),
        ("price.taxStatus", "brutto", "price.taxStatus: 'brutto' is none of gross, net, tax-free"),
        ("price.totalPrice", "NaN", "price.totalPrice: 'NaN' is not an amount"),
        (
            "stateMachineState",
            None,
            "order.stateMachineState.technicalName: missing or not an id",
        ),
        (
            "transactions.0.stateMachineState",
            None,
            "transactions[0].stateMachineState.technicalName: missing or not an id",
        ),
        (
            "transactions.0.amount",
            None,
            "transactions[0].amount.totalPrice: missing or not an amount",
        ),
        ("orderDateTime", "yesterday", None),
    ],
)
def test_refusals_name_the_field(path: str, value: Any, reason: str | None) -> None:
    row = broken(path, value)
    if reason is None:
        assert read(row).placed_at == datetime(2026, 11, 20, 9, 15, 30, 120000, UTC)
        return
    with pytest.raises(UnknownPayloadError) as refused:
        ADAPTER.translate(reading(row))
    assert refused.value.reason.endswith(reason)


def test_lines_without_their_taxes_take_the_orders() -> None:
    row = order_row("de-vertical-tax")
    for part in (*row["lineItems"], row["deliveries"][0]):
        (part.get("price") or part["shippingCosts"])["calculatedTaxes"] = []
    told = read(row)
    assert [(s.rate, s.net.amount, s.tax.amount) for s in told.tax_by_rate] == [
        ("0.19", "25.18", "4.79")
    ]
    assert told.rounding is None


def test_an_address_that_is_named_and_not_told_is_not_the_billing_address() -> None:
    row = order_row()
    row["deliveries"][0]["shippingOrderAddress"] = None
    row["addresses"] = None
    with pytest.raises(UnknownPayloadError, match="shippingOrderAddress: missing"):
        read(row)
