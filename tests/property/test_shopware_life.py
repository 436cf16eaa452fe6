"""Shopware: any order and any repetition of what is told and read gives the same state.

Shopware's events name rows by id, so the order is read again after each; readings overlap, come in
two shapes, and a slow one arrives after a newer one.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from kette.adapters.vendors.base import Delivery
from kette.domain.facts import Fact
from kette.domain.fold import fold
from kette.domain.order import ShopClaim
from kette.domain.state import OrderFile
from support.shopware_orders import (
    ADAPTER,
    SHOPWARE,
    as_json_api,
    event,
    names,
    order_row,
    reading,
    with_state,
    written,
)
from support.vendor_deliveries import NOW, plain_delivery


def at(row: dict[str, Any], instant: str) -> dict[str, Any]:
    """The row as the shop had it at an instant: every part was saved then."""
    row["updatedAt"] = instant
    for part in (*row["transactions"], *row["deliveries"]):
        part["updatedAt"] = instant
    return row


def life_of_an_order(name: str = "de-two-rates") -> list[Delivery]:
    """Placed, paid, sent, partly refunded, completed; told by events and read after each."""
    placed = at(
        with_state(order_row(name), order="open", transaction="open", delivery="open"),
        "2026-11-03T09:00:00.000+00:00",
    )
    paid = at(
        with_state(placed, order="in_progress", transaction="paid"),
        "2026-11-03T09:05:00.000+00:00",
    )
    sent = at(with_state(paid, delivery="shipped"), "2026-11-05T14:00:00.000+00:00")
    for part in sent["deliveries"]:
        part["trackingCodes"] = ["00340434161094000001"]
    partly = at(with_state(sent, transaction="refunded_partially"), "2026-11-12T08:00:00.000+00:00")
    done = at(with_state(partly, order="completed"), "2026-11-13T08:00:00.000+00:00")
    stages = (placed, paid, sent, partly, done)
    told = [reading(row) for row in stages]
    told += [plain_delivery(SHOPWARE, as_json_api(row)) for row in (paid, done)]
    told.append(plain_delivery(SHOPWARE, event("checkout.order.placed", {"order": placed})))
    told += [plain_delivery(SHOPWARE, written("order", row["id"])) for row in stages]
    return told


def state_after(deliveries: Iterable[Delivery]) -> OrderFile:
    """As the service records: the first fact of a name counts, whichever delivery it came with."""
    kept: dict[str, Fact] = {}
    for n, each in enumerate(deliveries):
        for draft in ADAPTER.translate(each).facts:
            name = draft.external_id
            recorded_at = NOW + timedelta(seconds=n)
            fact = Fact(name, SHOPWARE.id, name, draft.occurred_at, recorded_at, draft.body)
            kept.setdefault(name, fact)
    return fold(kept.values())


@pytest.mark.parametrize("seed", range(40))
def test_any_order_and_repetition_of_events_gives_the_same_state(seed: int) -> None:
    """Failure cases 1 and 2: webhooks come late, twice and in the wrong order."""
    events = life_of_an_order()
    shuffled = [*events, *random.Random(seed).choices(events, k=6)]
    random.Random(seed).shuffle(shuffled)
    assert state_after(shuffled) == state_after(events)


def test_the_state_of_that_life() -> None:
    file = state_after(life_of_an_order())
    assert file.order is not None
    assert file.order.claim is ShopClaim.COMPLETED
    assert file.snapshot_count == 5, "two shapes of one reading are one snapshot"
    assert file.captured_minor == file.order.total.minor > 0


@pytest.mark.parametrize("name", names())
def test_every_sample_read_twice_in_both_shapes_is_one_snapshot(name: str) -> None:
    row = order_row(name)
    once = state_after([reading(row)])
    again = [plain_delivery(SHOPWARE, as_json_api(row)), reading(row), reading(row)]
    assert state_after(again) == once
    assert once.snapshot_count == 1
