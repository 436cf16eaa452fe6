"""Shopware's webhooks: who may send them, and what each asks to be read."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from kette.adapters.vendors.base import Delivery, SignatureError, UnknownPayloadError
from kette.domain.facts import OrderRemoved, OrderSnapshot, ProductReported, Ref
from kette.domain.policy import System
from support.shopware_orders import (
    ADAPTER,
    LIVE,
    SHOPWARE,
    SHOPWARE_SECRET,
    event,
    order_row,
    shopware_signature,
    signed_event,
    written,
)
from support.vendor_deliveries import NOW, plain_delivery

ID = "0123456789abcdef0123456789abcdef"
OTHER_VERSION = "ffffffffffffffffffffffffffffffff"


def delivered(body: Any, system: System = SHOPWARE, **headers: str) -> Delivery:
    raw, signed = signed_event(body)
    return Delivery(system, {**signed, **headers}, raw, NOW)


def with_options(**options: str) -> System:
    return msgspec.structs.replace(SHOPWARE, options=options)


class TestSignature:
    def test_holds_for_the_raw_bytes_and_while_the_secret_is_being_changed(self) -> None:
        body = b'{ "data" : {"event":"order.written"} ,"source":{}}'
        signed = delivered(body)
        ADAPTER.verify(signed, [SHOPWARE_SECRET])
        ADAPTER.verify(signed, [b"the next secret", SHOPWARE_SECRET])
        upper = signed.headers["shopware-shop-signature"].upper()
        ADAPTER.verify(delivered(body, **{"shopware-shop-signature": upper}), [SHOPWARE_SECRET])

    @pytest.mark.parametrize(
        ("signature", "secrets", "reason"),
        [
            (None, [SHOPWARE_SECRET], "no shopware-shop-signature header"),
            ("", [SHOPWARE_SECRET], "no shopware-shop-signature header"),
            ("12ab", [SHOPWARE_SECRET], "the signature is not a SHA-256 in hexadecimal digits"),
            ("ä" * 64, [SHOPWARE_SECRET], "the signature is not a SHA-256 in hexadecimal digits"),
            (
                shopware_signature(b"other", b"{}"),
                [SHOPWARE_SECRET],
                "the signature does not match the body",
            ),
            (
                shopware_signature(SHOPWARE_SECRET, b"{}"),
                [],
                "no webhook secret is set up for this system",
            ),
        ],
    )
    def test_is_refused(self, signature: str | None, secrets: list[bytes], reason: str) -> None:
        headers = {} if signature is None else {"shopware-shop-signature": signature}
        with pytest.raises(SignatureError) as refused:
            ADAPTER.verify(Delivery(SHOPWARE, headers, b"{}", NOW), secrets)
        assert refused.value.reason == reason

    def test_one_changed_byte_breaks_it(self) -> None:
        raw, headers = signed_event(written("order", ID))
        for at in range(0, len(raw), 17):
            changed = raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]
            with pytest.raises(SignatureError, match="does not match"):
                ADAPTER.verify(Delivery(SHOPWARE, headers, changed, NOW), [SHOPWARE_SECRET])

    def test_names_the_shop_where_the_setup_asks(self) -> None:
        body = written("order", ID)
        mine = with_options(shop_id="sTrAnDgUt0000001, other")
        ADAPTER.verify(delivered(body, mine), [SHOPWARE_SECRET])
        with pytest.raises(SignatureError, match="which is not this one"):
            ADAPTER.verify(delivered(body, with_options(shop_id="other")), [SHOPWARE_SECRET])

    @pytest.mark.parametrize("age", [-301, 301])
    def test_may_be_too_old_or_too_new(self, age: int) -> None:
        at = int((NOW - timedelta(seconds=age)).timestamp())
        body = {**written("order", ID), "timestamp": at}
        limited = with_options(signature_max_age_s="300")
        with pytest.raises(SignatureError, match="too old or in the future"):
            ADAPTER.verify(delivered(body, limited), [SHOPWARE_SECRET])
        ADAPTER.verify(delivered(body), [SHOPWARE_SECRET])

    def test_needs_a_timestamp_where_age_is_limited(self) -> None:
        body = {**written("order", ID), "timestamp": None}
        with pytest.raises(SignatureError, match="no timestamp"):
            ADAPTER.verify(
                delivered(body, with_options(signature_max_age_s="300")), [SHOPWARE_SECRET]
            )


@pytest.mark.parametrize(
    ("entity", "field"),
    [
        ("order", "id"),
        ("order_address", "addresses.id"),
        ("order_delivery", "deliveries.id"),
        ("order_line_item", "lineItems.id"),
        ("order_transaction", "transactions.id"),
        ("order_transaction_capture_refund", "transactions.captures.refunds.id"),
    ],
)
def test_a_written_row_asks_for_its_order(entity: str, field: str) -> None:
    told = ADAPTER.translate(plain_delivery(SHOPWARE, written(entity, ID)))
    assert told.facts == ()
    assert told.note == f"{entity}.written: to be read from the shop"
    (fetch,) = told.fetch
    assert (fetch.resource, fetch.id, fetch.path) == ("order", ID, "/api/search/order")
    assert fetch.body["filter"] == [{"type": "equals", "field": field, "value": ID}]
    asked = fetch.body["associations"]
    assert set(asked) >= {"lineItems", "deliveries", "transactions", "currency", "orderCustomer"}
    refunds = asked["transactions"]["associations"]["captures"]["associations"]["refunds"]
    assert refunds == {"associations": {"stateMachineState": {}}}


def test_rows_of_one_event_are_asked_for_once() -> None:
    rows = [
        {"entity": "order", "operation": "update", "primaryKey": ID, "updatedFields": [name]}
        for name in ("price", "stateId")
    ]
    rows.append({**rows[0], "primaryKey": {"id": ID, "versionId": LIVE}})
    told = ADAPTER.translate(plain_delivery(SHOPWARE, event("order.written", rows)))
    assert [fetch.id for fetch in told.fetch] == [ID]


def test_a_draft_is_not_asked_for() -> None:
    body = written("order", ID, versionId=OTHER_VERSION)
    told = ADAPTER.translate(plain_delivery(SHOPWARE, body))
    assert (told.facts, told.fetch) == ((), ())
    assert told.note == "order.written: a draft, or nothing that can be read by its id"


def test_a_draft_inside_a_business_event_is_no_order() -> None:
    row = order_row(versionId=OTHER_VERSION)
    told = ADAPTER.translate(
        plain_delivery(SHOPWARE, event("checkout.order.placed", {"order": row}))
    )
    assert (told.facts, told.fetch) == ((), ())


@pytest.mark.parametrize(
    "name",
    ["checkout.order.placed", "state_enter.order_transaction.state.paid", "order.any.plugin"],
)
def test_a_business_event_with_all_of_the_order_is_a_snapshot_and_a_question(name: str) -> None:
    row = order_row()
    told = ADAPTER.translate(plain_delivery(SHOPWARE, event(name, {"order": row})))
    (draft,) = told.facts
    assert isinstance(draft.body, OrderSnapshot)
    assert [fetch.id for fetch in told.fetch] == [row["id"]]


@pytest.mark.parametrize("missing", ["lineItems", "deliveries", "transactions", "currency"])
def test_a_business_event_without_all_of_the_order_is_a_question_only(missing: str) -> None:
    row = order_row(**{missing: None})
    told = ADAPTER.translate(
        plain_delivery(SHOPWARE, event("checkout.order.placed", {"order": row}))
    )
    assert told.facts == ()
    assert [fetch.id for fetch in told.fetch] == [row["id"]]


def test_an_erased_live_order_is_a_removal() -> None:
    body = written("order", ID, "delete", versionId=LIVE)
    told = ADAPTER.translate(plain_delivery(SHOPWARE, body))
    (draft,) = told.facts
    assert (draft.body, told.fetch) == (OrderRemoved(), ())
    assert draft.refs == (Ref("shopware-main", f"order:{ID}", founds_order=True),)
    assert draft.external_id == f"order:{ID}:removed:{body['source']['eventId']}"
    again = ADAPTER.translate(plain_delivery(SHOPWARE, {**body, "timestamp": body["timestamp"]}))
    assert again.facts == told.facts  # a retry has the same event id


def test_an_erased_draft_is_looked_at_where_the_event_does_not_say_which_version() -> None:
    told = ADAPTER.translate(plain_delivery(SHOPWARE, written("order", ID, "delete")))
    assert told.facts == ()
    assert [fetch.id for fetch in told.fetch] == [ID]


def test_an_erased_product_is_out_of_stock() -> None:
    told = ADAPTER.translate(plain_delivery(SHOPWARE, written("product", ID, "delete")))
    (draft,) = told.facts
    assert isinstance(draft.body, ProductReported)
    assert (draft.body.product_id, draft.body.in_stock, told.fetch) == (ID, False, ())


def test_a_changed_product_is_asked_for() -> None:
    (fetch,) = ADAPTER.translate(plain_delivery(SHOPWARE, written("product", ID))).fetch
    assert (fetch.resource, fetch.path) == ("product", "/api/search/product")


@pytest.mark.parametrize(
    "name", ["customer.written", "app.installed", "checkout.customer.login", "document.written"]
)
def test_events_without_consequence(name: str) -> None:
    told = ADAPTER.translate(plain_delivery(SHOPWARE, event(name, [])))
    assert (told.facts, told.fetch, told.note) == ((), (), f"{name} is of no concern here")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (event("weather.changed", []), "no such event is known"),
        ({"hello": 1}, "neither an event nor an answer of the Admin API"),
        ([], "neither an event nor an answer of the Admin API"),
        (
            {"errors": [{"status": "401", "code": "9", "title": "Unauthorized", "detail": "x"}]},
            "the shop answered an error: 401 9 Unauthorized x",
        ),
        ({"data": [{"id": ID, "apiAlias": "customer"}]}, f"{ID}: type: customer is not read"),
    ],
)
def test_refusals(body: Any, reason: str) -> None:
    with pytest.raises(UnknownPayloadError) as refused:
        ADAPTER.translate(plain_delivery(SHOPWARE, body))
    assert refused.value.reason == reason


def test_an_empty_answer_is_no_fact_and_no_fault() -> None:
    told = ADAPTER.translate(plain_delivery(SHOPWARE, {"total": 0, "data": []}))
    assert (told.facts, told.note) == ((), "the shop has nothing of this name")


def test_a_product_reading_tells_its_stock() -> None:
    row = {
        "id": ID,
        "apiAlias": "product",
        "productNumber": "BE-1",
        "stock": 7,
        "availableStock": -2,
        "isCloseout": False,
        "active": True,
        "createdAt": "2026-11-20T09:15:30.120+00:00",
        "updatedAt": None,
    }
    (draft,) = ADAPTER.translate(plain_delivery(SHOPWARE, {"data": [row]})).facts
    assert isinstance(draft.body, ProductReported)
    body = draft.body
    assert (body.sku, body.stock_quantity, body.in_stock) == ("BE-1", -2, True)
    assert body.backorders_allowed
    assert json.loads(msgspec.json.encode(body))["product_id"] == ID
