"""Everything that a real WooCommerce 11.0.1 sent, read as it came.

The 274 deliveries are byte-exact copies of a recorded test shop's webhooks; expected.json holds the
sums that were computed from the shop's own figures (fixtures/vendors/woocommerce/README.md).
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from kette.adapters.vendors.base import Delivery, SignatureError, UnknownPayloadError
from kette.adapters.vendors.woocommerce import WooCommerceAdapter
from kette.domain.facts import FactDraft, OrderSnapshot, ProductReported
from kette.domain.money import total_of
from kette.domain.order import LineKind, Order
from support.vendor_deliveries import (
    WOO_SECRET,
    Recorded,
    expected_sums,
    recorded,
    recorded_step,
)

ADAPTER = WooCommerceAdapter()
ERROR_BODIES = {
    ("erased-before-delivery", "woocommerce_rest_shop_order_invalid_id (HTTP 404)"),
    ("webhook-user-gone", "woocommerce_rest_cannot_view (HTTP 401)"),
    ("webhook-api-v2-v1", "woocommerce_rest_invalid_shop_order_id (HTTP 404)"),
}


def facts_of(row: Recorded) -> tuple[FactDraft, ...]:
    try:
        return ADAPTER.translate(row.delivery).facts
    except UnknownPayloadError:
        return ()


def orders_of(row: Recorded) -> list[Order]:
    return [d.body.order for d in facts_of(row) if isinstance(d.body, OrderSnapshot)]


def newest_orders() -> dict[int, Order]:
    """Per order the snapshot with the greatest version, as the state keeps it."""
    newest: dict[int, Order] = {}
    for row in recorded():
        for order in orders_of(row):
            known = newest.get(int(order.external_id))
            if known is None or order.version > known.version:
                newest[int(order.external_id)] = order
    return newest


NEWEST = newest_orders()


def test_all_deliveries_are_there() -> None:
    topics = Counter(row.topic for row in recorded())
    assert topics == {
        "order.updated": 145,
        "order.created": 74,
        "product.updated": 43,
        "ping": 8,
        "order.deleted": 2,
        "order.restored": 1,
        "customer.created": 1,
    }


def test_every_signature_verifies_also_while_the_secret_is_being_changed() -> None:
    for row in recorded():
        assert row.headers["Content-Length"] == str(len(row.raw_body.encode())), row.file
        ADAPTER.verify(row.delivery, [WOO_SECRET])
        ADAPTER.verify(row.delivery, [b"the next secret", WOO_SECRET])


def test_one_changed_byte_breaks_every_signature() -> None:
    for n, row in enumerate(row for row in recorded() if row.topic != "ping"):
        whole = row.delivery
        at = (n * 131) % len(whole.body)
        changed = whole.body[:at] + bytes([whole.body[at] ^ 1]) + whole.body[at + 1 :]
        with pytest.raises(SignatureError, match="does not match"):
            ADAPTER.verify(
                Delivery(whole.system, whole.headers, changed, whole.received_at), [WOO_SECRET]
            )


def test_a_foreign_secret_proves_nothing() -> None:
    for row in recorded():
        if row.topic != "ping":
            with pytest.raises(SignatureError):
                ADAPTER.verify(row.delivery, [b"whsec_test_nordlicht_2027"])


def test_pings_record_nothing() -> None:
    pings = [row for row in recorded() if row.topic == "ping"]
    assert len(pings) == 8
    for row in pings:
        told = ADAPTER.translate(row.delivery)
        assert (told.facts, told.note) == ((), "ping")


def test_signed_error_bodies_are_refused_with_their_reason() -> None:
    seen = set()
    for row in recorded():
        try:
            ADAPTER.translate(row.delivery)
        except UnknownPayloadError as error:
            seen.add((row.scenario, row.topic == error.topic, _words_of(error)))
    assert seen == {(scenario, True, words) for scenario, words in ERROR_BODIES}


def _words_of(error: UnknownPayloadError) -> str:
    return error.reason.split(": ", 1)[1].split(";")[0]


def sums_of(order: Order) -> dict[str, Any]:
    """An order's figures in the form of expected.json."""
    return {
        "currency": order.currency,
        "prices_include_tax": order.prices_include_tax,
        "final_status": order.shop_status,
        "number": order.number,
        "total": order.total.amount,
        "total_tax": order.total_tax.amount,
        "discount_total": order.discount_total.amount if order.discount_total else None,
        "net": (order.total - order.total_tax).amount,
        "sum_of_rates_minus_total": str(
            -Decimal(order.rounding.amount) if order.rounding else Decimal("0.00")
        ),
        "per_rate": {
            (None if s.rate is None else Decimal(s.rate) * 100): (
                s.label or "(no tax)",
                s.net.amount,
                s.tax.amount,
                s.gross.amount,
            )
            for s in order.tax_by_rate
        },
        "refunds": {r.id: (r.amount.amount, r.reason) for r in order.refunds},
    }


def expected_of(sums: dict[str, Any]) -> dict[str, Any]:
    same = ("currency", "prices_include_tax", "final_status", "number", "total", "total_tax")
    return {
        **{name: sums[name] for name in (*same, "discount_total", "net")},
        "sum_of_rates_minus_total": sums["sum_of_rates_minus_total"],
        "per_rate": {
            (None if rate["rate_percent"] is None else Decimal(str(rate["rate_percent"]))): (
                rate["label"],
                rate["net"],
                rate["tax"],
                rate["gross"],
            )
            for rate in sums["per_rate"]
        },
        "refunds": {str(r["id"]): (r["amount"], r["reason"]) for r in sums.get("refunds", ())},
    }


@pytest.mark.parametrize("scenario", sorted(expected_sums()))
def test_sums_equal_the_shops_own_to_the_cent(scenario: str) -> None:
    sums = expected_sums()[scenario]
    order = NEWEST[sums["order_id"]]
    if scenario == "refund-then-deleted":
        # The shop tells nobody that a refund was deleted; the last word we heard still holds it.
        assert [r.amount.amount for r in order.refunds] == ["6.66"]
        sums = {**sums, "refunds": [{"id": 149, "amount": "6.66", "reason": "Irrtum"}]}
    assert expected_of(sums) == sums_of(order)


def test_every_snapshot_adds_up() -> None:
    count = 0
    for row in recorded():
        for order in orders_of(row):
            count += 1
            rates = total_of((share.gross for share in order.tax_by_rate), order.currency)
            rounding = order.rounding.minor if order.rounding else 0
            assert order.total.minor == rates.minor + rounding, row.file
            assert abs(rounding) <= 1
            assert all(share.rate != "" for share in order.tax_by_rate)
            nets = total_of((line.net for line in order.lines), order.currency)
            assert nets == total_of((s.net for s in order.tax_by_rate), order.currency)
    assert count == 216


def test_the_same_body_told_twice_is_one_fact() -> None:
    """Updated and created come with the same body, in either order (woocommerce#19764)."""
    by_name: dict[str, list[FactDraft]] = {}
    told = 0
    for row in recorded():
        for draft in facts_of(row):
            told += 1
            by_name.setdefault(draft.external_id, []).append(draft)
    assert told == 262
    assert len(by_name) == 191
    for name, drafts in by_name.items():
        assert len({(d.occurred_at, d.body, d.refs) for d in drafts}) == 1, name


def test_versions_follow_the_shops_clock() -> None:
    for row in recorded():
        for order in orders_of(row):
            assert order.version.startswith(row.body["date_modified_gmt"] + "Z.")


def test_an_update_without_a_change_is_a_newer_version_of_the_same_words() -> None:
    (first,) = orders_of(recorded_step("no-op-update", "noop-1"))
    (second,) = orders_of(recorded_step("no-op-update", "noop-2"))
    assert second.version > first.version
    assert (first.total, first.lines, first.claim) == (second.total, second.lines, second.claim)


def test_one_delivery_id_for_three_orders_makes_three_facts() -> None:
    rows = [r for r in recorded() if r.scenario == "delivery-id-collision"]
    created = [r for r in rows if r.topic == "order.created"]
    assert len({r.headers["X-WC-Webhook-Delivery-ID"] for r in created}) < len(created)
    assert len({d.external_id for r in created for d in facts_of(r)}) == 3


def test_trash_and_restore_are_told_as_such() -> None:
    rows = [r for r in recorded() if r.scenario == "deleted-restored"]
    told = [(r.topic, [type(d.body).__name__ for d in facts_of(r)]) for r in rows]
    assert told == [
        ("order.created", ["OrderSnapshot"]),
        ("order.updated", ["OrderSnapshot"]),
        ("order.deleted", ["OrderRemoved"]),
        ("order.deleted", ["OrderRemoved"]),
        ("order.restored", ["OrderRestored", "OrderSnapshot"]),
    ]
    names = [d.external_id for r in rows[2:4] for d in facts_of(r)]
    assert len(set(names)) == 2  # two removals, told apart by the delivery id


@pytest.mark.parametrize(
    ("scenario", "physical"),
    [
        ("b2c-19", [True]),
        ("voucher-no-tax", [False, True]),  # the package list names the mug only
        ("virtual", [False]),
        ("virtual-paid", [False]),  # made over REST: needs_processing is false
        ("virtual-course", [False]),  # a course needs work but no parcel
        ("local-pickup", [True]),
        ("variable-product", [True, True]),
        ("article-odd-names", [True, True, True]),
        ("lines-60", [True] * 60),
    ],
)
def test_goods_that_travel(scenario: str, physical: list[bool]) -> None:
    order = NEWEST[expected_sums()[scenario]["order_id"]]
    items = [line for line in order.lines if line.kind is LineKind.ITEM]
    assert [line.is_physical for line in items] == physical


@pytest.mark.parametrize(
    ("scenario", "field", "expected"),
    [
        ("company-vat-field", "vat_id", "DE123456789"),  # typed with blanks
        ("custom-order-number", "number", "NL-2026-000161"),
        ("paid-transaction", "payment_reference", "pi_3TestTransaction0001"),
        ("b2c-19", "origin", "checkout"),
        ("usd", "currency", "USD"),
        ("customer-created", "customer_ref", "2"),
        ("b2c-19", "customer_ref", ""),
        ("zero-total", "payment_method", ""),
    ],
)
def test_single_fields(scenario: str, field: str, expected: str) -> None:
    assert getattr(NEWEST[expected_sums()[scenario]["order_id"]], field) == expected


def test_vat_id_of_a_plugins_meta_key() -> None:
    row = recorded_step("company-vat-meta", "created")
    told = {m["key"]: m["value"] for m in row.body["meta_data"]}["_billing_vat_number"]
    assert [order.vat_id for order in orders_of(row)] == [told.replace(" ", "")]


def test_text_is_plain() -> None:
    company = NEWEST[expected_sums()["company-vat-field"]["order_id"]]
    assert company.billing.company == "Kruse & Söhne GmbH & Co. KG"
    odd = NEWEST[expected_sums()["article-odd-names"]["order_id"]]
    assert odd.lines[0].name == 'Tau & Tampen 8 mm "Deluxe" 100 %'
    assert odd.lines[0].sku == 'TAU/8 MM#"X"'
    noted = NEWEST[expected_sums()["note-emoji-newlines"]["order_id"]]
    assert noted.customer_note == ("Hallo 👋🏽,\nbitte schön einpacken 🎁!\n\n„Danke“ & Anke 🇩🇪")
    shirt = NEWEST[expected_sums()["variable-any"]["order_id"]]
    assert shirt.lines[0].attributes == (("Größe", "L"),)


def test_own_status_stays_beside_the_claim() -> None:
    (order,) = orders_of(recorded_step("custom-status", "versandbereit"))
    assert (order.claim.value, order.shop_status) == ("other", "versandbereit")


def test_stock_of_products() -> None:
    (draft,) = facts_of(recorded_step("last-piece", "checkout", "product.updated"))
    assert isinstance(draft.body, ProductReported)
    assert (draft.body.stock_quantity, draft.body.in_stock, draft.refs) == (0, False, ())


def test_version_2_and_version_3_of_the_interface_tell_the_same_fact() -> None:
    rows = [r for r in recorded() if r.scenario == "webhook-api-v2-v1"]
    hooks = {r.headers["X-WC-Webhook-ID"]: facts_of(r) for r in rows if r.topic == "order.created"}
    assert hooks["13"] == hooks["7"] != ()
    assert hooks["14"] == ()
