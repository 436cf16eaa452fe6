"""Shopify, whatever comes: facts or a refusal, and one state for any order and repetition."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kette.adapters.vendors.base import Delivery, SignatureError, UnknownPayloadError
from kette.domain.actions import STAGE_OF_KIND
from kette.domain.facts import ActionReported, Fact, FactBody, OrderSnapshot, Translation
from kette.domain.fold import fold
from kette.domain.money import total_of
from kette.domain.state import OrderFile
from support.shopify_orders import (
    ADAPTER,
    EVENTS,
    FOLDER,
    SHOPIFY,
    delivery,
    expected_orders,
    order_body,
    told_by,
)
from support.vendor_deliveries import NOW

GRAPHQL = json.loads((FOLDER / "graphql_order.json").read_text("utf-8"))
TOPICS = sorted({*(told["topic"] for told in EVENTS.values()), "orders/updated", "nonsense/x", ""})
BODIES: list[tuple[str, Any]] = [
    *(("orders/updated", order_body(name)) for name in expected_orders()),
    *((told["topic"], told["body"]) for told in EVENTS.values()),
    ("", GRAPHQL),
]
NASTY: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 10**18, 10**40, 0.1, 1e308, -0.0),
    *("", " ", "0", "NaN", "-1", "1e99", "9" * 400, "\u0000", "\u2028", "gid://shopify/Order/"),
    *("0000-00-00T00:00:00", "9999-12-31T23:59:59+14:00", "0001-01-01T00:00:00+14:00", "🏴‍☠️"),
    *([], {}, [[]], [None], [{}], {"nodes": None}, {"edges": [None, {"node": 1}]}, "x" * 70_000),
)
json_values = st.recursive(
    st.sampled_from(NASTY) | st.integers() | st.text(max_size=30) | st.floats(allow_nan=False),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["id", "data", "order", "nodes", "line_items", "errors", "amount"])
            | st.text(max_size=12),
            inner,
        )
    ),
    max_leaves=12,
)
generous = settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)


def translated(raw: bytes, topic: str) -> Translation | None:
    """None for a refusal; facts are stored and read back on the way."""
    try:
        told = ADAPTER.translate(Delivery(SHOPIFY, {"x-shopify-topic": topic}, raw, NOW))
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


PATHS = [list(paths_of(body)) for _, body in BODIES]


@given(raw=st.binary(max_size=400), topic=st.sampled_from(TOPICS) | st.text(max_size=20))
@generous
def test_any_bytes_are_read_or_refused(raw: bytes, topic: str) -> None:
    translated(raw, topic)


@given(value=json_values, topic=st.sampled_from(TOPICS))
@generous
def test_any_json_is_read_or_refused(value: Any, topic: str) -> None:
    translated(json.dumps(value).encode(), topic)


@given(data=st.data(), junk=json_values)
@settings(parent=generous, max_examples=600)
def test_bodies_with_a_foreign_value_inside(data: st.DataObject, junk: Any) -> None:
    number = data.draw(st.integers(0, len(BODIES) - 1))
    topic, original = BODIES[number]
    path = data.draw(st.sampled_from(PATHS[number]))
    changed = copy.deepcopy(original)
    at = changed
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = junk
    raw = json.dumps(changed).encode()
    for named in (topic, "", data.draw(st.sampled_from(TOPICS))):
        translated(raw, named)


@given(data=st.data())
@generous
def test_bodies_cut_short(data: st.DataObject) -> None:
    topic, original = data.draw(st.sampled_from(BODIES))
    raw = json.dumps(original).encode()
    end = data.draw(st.integers(0, len(raw) - 1))
    assert translated(raw[:end], topic) is None


@given(data=st.data())
@generous
def test_the_order_of_keys_changes_nothing(data: st.DataObject) -> None:
    topic, original = data.draw(st.sampled_from(BODIES))
    shuffled = dict(data.draw(st.permutations(list(original.items()))))
    told = [translated(json.dumps(body).encode(), topic) for body in (original, shuffled, original)]
    assert told[0] == told[1] == told[2]


MONSTERS = {
    "one string": b'{"id":1,"financial_status":"' + b"x" * 5_000_000 + b'"}',
    "brackets": b"[" * 200_000,
    "deep inside": b'{"data":' + b'{"order":' * 100_000,
    "deep and closed": b'{"data":' + b'{"a":' * 5000 + b"1" + b"}" * 5000 + b"}",
    "deep order": b'{"data":{"order":{"id":"gid://shopify/Order/1","lineItems":'
    + b'{"nodes":[' * 400
    + b"]}" * 400
    + b"}}}",
    "ten thousand refunds": json.dumps(
        order_body("edited", refunds=[{"id": n, "refund_line_items": []} for n in range(9999)])
    ).encode(),
    "a page of a thousand": json.dumps({"orders": [order_body("de_gross")] * 1000}).encode(),
    "not UTF-8": b'{"id":"\xff\xfe"}',
    "half a surrogate": b'{"id":"\\ud800"}',
    "nothing": b"",
    "null": b"null",
}


@pytest.mark.parametrize("raw", MONSTERS.values(), ids=MONSTERS)
def test_monstrous_bodies(raw: bytes) -> None:
    for topic in TOPICS:
        translated(raw, topic)


@given(
    headers=st.dictionaries(
        st.sampled_from(["x-shopify-hmac-sha256", "shopify-hmac-sha256", "x-shopify-topic"]),
        st.text(max_size=80),
    ),
    raw=st.binary(max_size=60),
    secrets=st.lists(st.binary(min_size=1, max_size=20), max_size=3),
)
@generous
def test_no_forged_delivery_verifies(
    headers: dict[str, str], raw: bytes, secrets: list[bytes]
) -> None:
    with pytest.raises(SignatureError) as refused:
        ADAPTER.verify(Delivery(SHOPIFY, headers, raw + b"!", NOW), secrets)
    assert refused.value.reason


@given(
    kind=st.sampled_from(sorted(STAGE_OF_KIND)),
    done=st.booleans(),
    answer=st.dictionaries(
        st.sampled_from(["id", "data", "errors", "error", "body", "lines", "products", "refund"])
        | st.text(max_size=8),
        json_values,
    ),
)
@generous
def test_any_answer_to_an_action_can_be_reported(
    kind: str, done: bool, answer: dict[str, Any]
) -> None:
    report = ActionReported(key=f"{kind}:1", kind=kind, done=done, answer=answer)
    told = ADAPTER.translate_report(report)
    assert (told.key, told.kind, told.answer) == (report.key, report.kind, report.answer)
    assert ADAPTER.translate_report(told) == told


cents = st.integers(0, 2_000_000).map(lambda n: f"{n // 100}.{n % 100:02}")
rates = st.sampled_from(["0.19", "0.07", "0.055", "0"])


@st.composite
def rows(draw: st.DrawFn) -> dict[str, Any]:
    pieces = draw(st.integers(0, 9))
    taxes = [
        {"title": "t", "rate": draw(rates), "price": draw(cents)}
        for _ in range(draw(st.integers(0, 2)))
    ]
    return {
        "id": draw(st.integers(1, 10**6)),
        "title": draw(st.text(max_size=10)),
        "quantity": pieces,
        "price": draw(cents),
        "tax_lines": taxes,
        "discount_allocations": [{"amount": draw(cents)}] if draw(st.booleans()) else [],
    }


@given(goods=st.lists(rows(), max_size=5), total=cents, included=st.booleans())
@generous
def test_shares_and_rounding_always_add_up_to_the_total(
    goods: list[dict[str, Any]], total: str, included: bool
) -> None:
    body = order_body(
        "de_gross",
        line_items=goods,
        shipping_lines=[],
        total_price=total,
        total_price_set=None,
        current_total_price=None,
        current_total_price_set=None,
        taxes_included=included,
    )
    (draft,) = told_by(body).facts
    assert isinstance(draft.body, OrderSnapshot)
    order = draft.body.order
    shares = total_of((share.gross for share in order.tax_by_rate), "EUR")
    rounding = order.rounding.minor if order.rounding else 0
    assert order.total.amount == total
    assert order.total.minor == shares.minor + rounding
    assert sum(x.net.minor for x in order.lines) == sum(x.net.minor for x in order.tax_by_rate)
    assert sum(x.tax.minor for x in order.lines) == sum(x.tax.minor for x in order.tax_by_rate)


def life_of_an_order() -> list[Delivery]:
    """Placed, reserved, edited, taken, sent, delivered, partly refunded, disputed; told by webhooks
    and fetched in between."""
    created = order_body("de_gross", financial_status="authorized", total_outstanding="84.70")
    paid = order_body("de_gross", updated_at="2026-11-03T10:00:00+01:00")
    done = order_body(
        "de_gross",
        updated_at="2026-11-05T14:00:00+01:00",
        fulfillment_status="fulfilled",
        fulfillments=[EVENTS["fulfillment_delivered"]["body"]],
        refunds=[EVENTS["refund_created"]["body"]],
        financial_status="partially_refunded",
    )
    fetched = copy.deepcopy(GRAPHQL)
    fetched["data"]["order"]["transactions"] = []  # they come by their own webhooks here
    told = [
        ("orders/create", created),
        ("orders/paid", paid),
        ("orders/updated", done),
        ("", fetched),
    ]
    names = (
        *("authorization", "capture", "sale_failed", "fulfillment_created", "risk_changed"),
        *("fulfillment_delivered", "fulfillment_event", "refund_created", "dispute_created"),
    )
    told += [(EVENTS[name]["topic"], EVENTS[name]["body"]) for name in names]
    won = EVENTS["dispute_created"]["body"] | {"status": "won", "finalized_on": "2026-11-22"}
    return [delivery(body, topic) for topic, body in [*told, ("disputes/update", won)]]


def state_after(deliveries: Iterable[Delivery]) -> OrderFile:
    """As the service records: the first fact of a name counts, whichever delivery it came with."""
    kept: dict[str, Fact] = {}
    for n, each in enumerate(deliveries):
        for draft in ADAPTER.translate(each).facts:
            fact = Fact(
                draft.external_id,
                SHOPIFY.id,
                draft.external_id,
                draft.occurred_at,
                NOW + timedelta(seconds=n),
                draft.body,
            )
            kept.setdefault(draft.external_id, fact)
    return fold(kept.values())


@pytest.mark.parametrize("seed", range(40))
def test_any_order_and_repetition_of_events_gives_the_same_state(seed: int) -> None:
    """Failure cases 1 and 2: webhooks come late, twice and in the wrong order."""
    events = life_of_an_order()
    expected = state_after(events)
    shuffled = [*events, *random.Random(seed).choices(events, k=6)]
    random.Random(seed).shuffle(shuffled)
    assert state_after(shuffled) == expected


def test_the_state_of_that_life() -> None:
    file = state_after(life_of_an_order())
    assert (file.captured_minor, file.refunded_minor, file.authorized_minor) == (8470, 2000, 0)
    assert [p.state.value for p in file.parcels] == ["delivered"]
    assert [d.state.value for d in file.disputes] == ["won"]
    assert file.order is not None
    assert (file.order.risk_level, file.snapshot_count) == ("normal", 4)
