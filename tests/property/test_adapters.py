"""Whatever a vendor, a plugin or an attacker sends, an adapter answers with facts or a refusal.

Facts must survive storage: they are encoded and read back. Neither the order of keys nor repetition
changes them. What a report holds can be anything at all.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kette.adapters.vendors.base import Adapter, Delivery, SignatureError, UnknownPayloadError
from kette.adapters.vendors.sendcloud import SendcloudAdapter
from kette.adapters.vendors.shopware import ShopwareAdapter
from kette.adapters.vendors.stripe import StripeAdapter
from kette.adapters.vendors.woocommerce import WooCommerceAdapter
from kette.domain.actions import STAGE_OF_KIND
from kette.domain.facts import ActionReported, FactBody, FactDraft, OrderSnapshot, Translation
from kette.domain.money import total_of
from kette.domain.policy import System
from support.shopware_orders import SHOPWARE, as_json_api, event, order_row, written
from support.vendor_deliveries import (
    NOW,
    SENDCLOUD,
    STRIPE,
    WOO,
    recorded,
    vendor_fixture,
    woo_delivery,
)

ADAPTERS: dict[str, tuple[Adapter, System]] = {
    "woocommerce": (WooCommerceAdapter(), WOO),
    "shopware": (ShopwareAdapter(), SHOPWARE),
    "stripe": (StripeAdapter(), STRIPE),
    "sendcloud": (SendcloudAdapter(), SENDCLOUD),
}
STRIPE_EVENTS = (
    "payment_intent_succeeded",
    "payment_intent_payment_failed",
    "charge_refunded_2020",
    "charge_refunded_2026",
    "charge_succeeded_2017",
    "refund_updated",
    "dispute_created",
    "checkout_session_completed",
    "payout_paid",
    "review_opened",
)
SENDCLOUD_EVENTS = ("parcel_status_changed", "parcel_event_in_transit", "parcel_event_returned")
WOO_TOPICS = (
    *("order.created", "order.updated", "order.restored", "order.deleted"),
    *("product.updated", "product.deleted", "customer.updated", "coupon.created", "nonsense.x"),
)
NASTY: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 10**18, 10**40, 0.1, 1e308, -0.0),
    *("", " ", "0", "NaN", "Infinity", "-1", "1e99", "1e-99", "9" * 400, "\u0000", "\u2028", "<b>"),
    *("&amp;" * 50, "&#x10FFFFFF;", "&#0;", "0000-00-00T00:00:00", "9999-12-31T23:59:59+14:00"),
    *("0001-01-01T00:00:00+14:00", "٣", "Ω≈ç√∫", "🏴‍☠️", "' OR 1=1 --", "%s%n", "../../etc/passwd"),
    *([], {}, [[]], [None], [{}], {"0": {}}, [1, "a", None], {"id": {}}, "x" * 70_000),
)

json_values = st.recursive(
    st.sampled_from(NASTY) | st.integers() | st.text(max_size=30) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner),
    max_leaves=12,
)
generous = settings(
    deadline=None, max_examples=120, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)


def originals(vendor: str) -> list[Any]:
    if vendor == "woocommerce":
        rows = [r for r in recorded() if r.topic != "ping" and len(r.raw_body) < 12_000]
        return [row.body for row in rows[::5]]
    if vendor == "shopware":
        row = order_row("de-containers")
        return [
            *(order_row(name) for name in ("de-promotion", "de-refunded-partly", "de-net-b2b")),
            {"total": 1, "data": [row]},
            as_json_api(row),
            event("checkout.order.placed", {"order": row}),
            written("order", row["id"]),
        ]
    names = STRIPE_EVENTS if vendor == "stripe" else SENDCLOUD_EVENTS
    return [vendor_fixture(vendor, name) for name in names]


ORIGINALS = {vendor: originals(vendor) for vendor in ADAPTERS}


def paths_of(value: Any, prefix: tuple[Any, ...] = ()) -> Iterable[tuple[Any, ...]]:
    if prefix:
        yield prefix
    entries: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, dict):
        entries = value.items()
    elif isinstance(value, list):
        entries = enumerate(value)
    for key, inner in entries:
        yield from paths_of(inner, (*prefix, key))


def replaced(value: Any, path: tuple[Any, ...], by: Any) -> Any:
    changed = copy.deepcopy(value)
    at = changed
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = by
    return changed


def translated(adapter: Adapter, delivery: Delivery) -> Translation | None:
    """None for a refusal; facts are stored and read back on the way."""
    try:
        told = adapter.translate(delivery)
    except UnknownPayloadError as refusal:
        return None if refusal.reason else pytest.fail("a refusal without a reason")
    assert told.facts or told.note
    for draft in told.facts:
        stored = msgspec.json.encode(draft.body)
        assert b"\\u0000" not in stored
        assert msgspec.json.decode(stored, type=FactBody) == draft.body
        assert 0 < len(draft.external_id) <= 255
        assert all(0 < len(ref.name) <= 120 for ref in draft.refs)
        assert draft.occurred_at.tzinfo is not None
    assert len({draft.external_id for draft in told.facts}) == len(told.facts)
    return told


def delivered(vendor: str, raw: bytes, topic: str) -> Delivery:
    headers = {"x-wc-webhook-topic": topic} if vendor == "woocommerce" else {}
    return Delivery(ADAPTERS[vendor][1], headers, raw, NOW)


@pytest.mark.parametrize("vendor", ADAPTERS)
@given(raw=st.binary(max_size=400), topic=st.sampled_from(WOO_TOPICS) | st.text(max_size=20))
@generous
def test_any_bytes_are_read_or_refused(vendor: str, raw: bytes, topic: str) -> None:
    translated(ADAPTERS[vendor][0], delivered(vendor, raw, topic))


@pytest.mark.parametrize("vendor", ADAPTERS)
@given(value=json_values, topic=st.sampled_from(WOO_TOPICS))
@generous
def test_any_json_is_read_or_refused(vendor: str, value: Any, topic: str) -> None:
    translated(ADAPTERS[vendor][0], delivered(vendor, json.dumps(value).encode(), topic))


@pytest.mark.parametrize("vendor", ADAPTERS)
@given(data=st.data(), junk=json_values, topic=st.sampled_from(WOO_TOPICS))
@settings(parent=generous, max_examples=300)
def test_real_payloads_with_a_foreign_value_inside(
    vendor: str, data: st.DataObject, junk: Any, topic: str
) -> None:
    original = data.draw(st.sampled_from(ORIGINALS[vendor]))
    path = data.draw(st.sampled_from(list(paths_of(original))))
    raw = json.dumps(replaced(original, path, junk)).encode()
    translated(ADAPTERS[vendor][0], delivered(vendor, raw, topic))


@pytest.mark.parametrize("vendor", ADAPTERS)
@given(data=st.data())
@generous
def test_real_payloads_cut_short(vendor: str, data: st.DataObject) -> None:
    raw = json.dumps(data.draw(st.sampled_from(ORIGINALS[vendor]))).encode()
    end = data.draw(st.integers(0, len(raw) - 1))
    assert translated(ADAPTERS[vendor][0], delivered(vendor, raw[:end], "order.updated")) is None


@pytest.mark.parametrize("vendor", ADAPTERS)
@given(data=st.data())
@generous
def test_the_order_of_keys_changes_nothing(vendor: str, data: st.DataObject) -> None:
    original = data.draw(st.sampled_from(ORIGINALS[vendor]))
    shuffled = dict(data.draw(st.permutations(list(original.items()))))
    adapter = ADAPTERS[vendor][0]
    told = [
        translated(adapter, delivered(vendor, json.dumps(body).encode(), "order.updated"))
        for body in (original, shuffled, original)
    ]
    assert told[0] == told[1] == told[2]


HUGE = {
    "five megabytes of one string": b'{"id":1,"status":"' + b"x" * 5_000_000 + b'"}',
    "five megabytes of one note": json.dumps(
        {**ORIGINALS["woocommerce"][0], "customer_note": "<&amp;\u0000é" * 500_000}
    ).encode(),
    "brackets": b"[" * 200_000,
    "deep inside": b'{"id":1,"data":' + b'{"object":' * 100_000,
    "deep and closed": b'{"meta_data":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "a number of 5000 digits": b'{"id":' + b"9" * 5000 + b"}",
    "not a number": b'{"id":NaN,"total":Infinity}',
    "two documents": b'{"id":1}{"id":2}',
    "not UTF-8": b'{"id":"\xff\xfe"}',
    "half a surrogate": b'{"id":"\\ud800"}',
    "nothing": b"",
    "null": b"null",
    "mark only": b"\xef\xbb\xbf",
    "ten thousand refunds": json.dumps(
        {
            **ORIGINALS["woocommerce"][0],
            "refunds": [{"id": n, "total": "-0.01"} for n in range(9999)],
        }
    ).encode(),
}


@pytest.mark.parametrize("vendor", ADAPTERS)
@pytest.mark.parametrize("raw", HUGE.values(), ids=HUGE)
def test_monstrous_bodies(vendor: str, raw: bytes) -> None:
    for topic in WOO_TOPICS:
        translated(ADAPTERS[vendor][0], delivered(vendor, raw, topic))


header_names = st.sampled_from(
    [
        *("x-wc-webhook-signature", "x-wc-webhook-topic", "content-type", "stripe-signature"),
        *("sendcloud-signature", "authorization", "x-api-key", "x-wc-webhook-delivery-id"),
    ]
)


@pytest.mark.parametrize("vendor", ADAPTERS)
@given(
    headers=st.dictionaries(
        header_names,
        st.text(max_size=80) | st.sampled_from(["t=1,v1=", f"t={int(NOW.timestamp())},v1=ä"]),
    ),
    raw=st.binary(max_size=60),
    secrets=st.lists(st.binary(min_size=1, max_size=20), max_size=3),
)
@generous
def test_no_forged_delivery_verifies(
    vendor: str, headers: dict[str, str], raw: bytes, secrets: list[bytes]
) -> None:
    adapter, system = ADAPTERS[vendor]
    with pytest.raises(SignatureError) as refused:
        adapter.verify(Delivery(system, headers, raw + b"!", NOW), secrets)
    assert refused.value.reason


@pytest.mark.parametrize("vendor", ADAPTERS)
@given(
    kind=st.sampled_from(sorted(STAGE_OF_KIND)),
    answer=st.dictionaries(
        st.sampled_from(
            ["id", "url", "status", "parcel", "parcels", "data", "body", "lines", "products"]
        )
        | st.text(max_size=8),
        json_values,
    ),
)
@generous
def test_any_answer_to_an_action_can_be_reported(
    vendor: str, kind: str, answer: dict[str, Any]
) -> None:
    report = ActionReported(key=f"{kind}:1", kind=kind, done=True, answer=answer)
    told = ADAPTERS[vendor][0].translate_report(report)
    assert (told.key, told.kind, told.answer) == (report.key, report.kind, report.answer)
    assert ADAPTERS[vendor][0].translate_report(told) == told


cents = st.integers(0, 2_000_000).map(lambda n: f"{n // 100}.{n % 100:02}")
RATES = {1: "19", 2: "7", 3: "5.5", 4: "0"}


@st.composite
def priced_rows(draw: st.DrawFn) -> dict[str, Any]:
    rate = draw(st.sampled_from([None, *RATES]))
    tax = draw(cents) if rate not in (None, 4) else "0.00"
    taxes = [] if rate is None else [{"id": rate, "total": tax}]
    others = [{"id": other, "total": ""} for other in RATES if other != rate and rate]
    return {
        "id": draw(st.integers(1, 10**6)),
        "name": draw(st.text(max_size=10)),
        "quantity": draw(st.integers(0, 99)),
        "total": draw(cents),
        "total_tax": tax,
        "taxes": draw(st.permutations(taxes + others)),
    }


@given(
    rows=st.lists(priced_rows(), max_size=6),
    shipping=st.lists(priced_rows(), max_size=1),
    off=st.integers(-3, 3),
    total=cents,
)
@generous
def test_shares_and_rounding_always_add_up_to_the_total(
    rows: list[dict[str, Any]], shipping: list[dict[str, Any]], off: int, total: str
) -> None:
    """Whatever the shop rounds, nets + taxes + rounding is its total, and no net is lost."""
    sums = dict.fromkeys(RATES, 0)
    for row in rows + shipping:
        for tax in row["taxes"]:
            sums[tax["id"]] += int((tax["total"] or "0.00").replace(".", ""))
    body = {
        **ORIGINALS["woocommerce"][0],
        "total": total,
        "line_items": rows,
        "shipping_lines": shipping,
        "tax_lines": [
            {
                "rate_id": rate,
                "rate_percent": float(percent),
                "label": percent,
                "tax_total": f"{max(0, sums[rate] + (off if sums[rate] else 0)) / 100:.2f}",
                "shipping_tax_total": "0.00",
            }
            for rate, percent in RATES.items()
        ],
    }
    told = translated(ADAPTERS["woocommerce"][0], woo_delivery(body))
    assert told is not None
    (draft,) = told.facts
    assert isinstance(draft.body, OrderSnapshot)
    order = draft.body.order
    shares = total_of((share.gross for share in order.tax_by_rate), "EUR")
    rounding = order.rounding.minor if order.rounding else 0
    assert order.total.minor == shares.minor + rounding
    nets = sum(int(row["total"].replace(".", "")) for row in rows + shipping)
    assert sum(share.net.minor for share in order.tax_by_rate) == nets
    assert sum(line.net.minor for line in order.lines) == nets
    taxes = sum(max(0, n + off) if n else 0 for n in sums.values())
    assert sum(share.tax.minor for share in order.tax_by_rate) == taxes


STATUSES = (
    "pending",
    "failed",
    "on-hold",
    "processing",
    "completed",
    "cancelled",
    "refunded",
    "own",
)


@given(
    seconds=st.lists(st.integers(0, 3), min_size=2, max_size=6),
    data=st.data(),
)
@generous
def test_the_later_change_wins_in_whatever_order_it_is_told(
    seconds: list[int], data: st.DataObject
) -> None:
    """Snapshots are ordered by the shop's clock; within one second by progress, not arrival."""
    base = ORIGINALS["woocommerce"][0]
    drafts: list[tuple[int, FactDraft]] = []
    for second in seconds:
        at = f"{NOW + timedelta(seconds=second):%Y-%m-%dT%H:%M:%S}"
        status = data.draw(st.sampled_from(STATUSES))
        told = translated(
            ADAPTERS["woocommerce"][0],
            woo_delivery({**base, "date_modified_gmt": at, "status": status}),
        )
        assert told is not None
        drafts.append((second, told.facts[0]))
    by_version = sorted(drafts, key=lambda pair: version_of(pair[1]))
    assert [second for second, _ in by_version] == sorted(seconds)
    # Equal names mean equal facts, equal versions mean equal words.
    assert len({d.external_id for _, d in drafts}) == len({version_of(d) for _, d in drafts})
    assert len({d.external_id for _, d in drafts}) == len({d for _, d in drafts})


def version_of(draft: FactDraft) -> str:
    assert isinstance(draft.body, OrderSnapshot)
    return draft.body.order.version
