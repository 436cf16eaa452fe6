"""Everything that the recorded shop sent, through the real service: in order, twice, shuffled.

The outcome is one and the same: statuses, live actions, open exceptions, and sums to the cent.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from kette.use_cases.errors import SignatureInvalidError
from support.service_box import ServiceBox, sqlite_url, woo_id
from support.vendor_deliveries import Recorded, expected_sums, recorded

SEEDS = (1, 2, 3)


class Outcome:
    """What can be seen of a service once it has taken everything in."""

    def __init__(self, box: ServiceBox, rows: Sequence[Recorded]) -> None:
        for row in rows:
            try:
                box.recorded(row)
            except SignatureInvalidError:
                assert row.topic == "ping"
        with box.kernel.store.read() as tx:
            orders, _ = tx.orders.find(limit=10_000)
        self.statuses = {row.external_id: row.statuses for row in orders}
        self.totals = {row.external_id: (row.total_minor, row.currency) for row in orders}
        # Messages to owners are about entries of the list, which have fresh ids; they are not
        # wanted by an order's state but follow the list.
        live = {k: row for k, row in box.actions().items() if row.stage != "exceptions"}
        live = {key: row for key, row in live.items() if row.state != "withdrawn"}
        self.live = set(live)
        self.payloads = {key: row.payload for key, row in live.items()}
        self.open = {
            key: (row.kind, row.blocking, row.summary, row.owner)
            for key, row in box.exceptions().items()
        }


@pytest.fixture(scope="module")
def in_order(tmp_path_factory: pytest.TempPathFactory) -> Any:
    box = ServiceBox(sqlite_url(tmp_path_factory.mktemp("in-order")))
    yield box, Outcome(box, recorded())
    box.close()


def assert_same(one: Outcome, other: Outcome) -> None:
    assert one.statuses == other.statuses
    assert one.totals == other.totals
    assert one.live == other.live
    assert one.payloads == other.payloads
    assert one.open == other.open


def test_the_recordings_lead_to_orders(in_order: tuple[ServiceBox, Outcome]) -> None:
    _, outcome = in_order
    assert len(outcome.statuses) >= 70
    assert len(outcome.live) > len(outcome.statuses)
    assert {s["order"] for s in outcome.statuses.values()} >= {
        "valid",
        "on_hold",
        "cancelled",
        "completed",
    }


def test_everything_again_changes_nothing(in_order: tuple[ServiceBox, Outcome]) -> None:
    """Failure cases 1 and 3: the same webhooks again, also with new delivery ids."""
    box, first = in_order
    with box.kernel.store.read() as tx:
        orders, _ = tx.orders.find(limit=10_000)
    facts_before = {row.id: box.fact_count(row.id) for row in orders}
    again = Outcome(box, recorded())
    assert_same(first, again)
    assert {row.id: box.fact_count(row.id) for row in orders} == facts_before


@pytest.mark.parametrize("seed", SEEDS)
def test_any_order_of_arrival_leads_to_the_same(
    seed: int, in_order: tuple[ServiceBox, Outcome], tmp_path: Path
) -> None:
    """Failure case 2: updated before created, snapshots out of order, everything mixed."""
    rows = [*recorded(), *recorded()[::5]]
    random.Random(seed).shuffle(rows)
    box = ServiceBox(sqlite_url(tmp_path))
    try:
        assert_same(in_order[1], Outcome(box, rows))
    finally:
        box.close()


@pytest.mark.parametrize("scenario", sorted(expected_sums()))
def test_sums_are_those_of_the_shop(scenario: str, in_order: tuple[ServiceBox, Outcome]) -> None:
    """Failure case 28 as well: coupons and refunds are in the order to the cent."""
    from kette.api.routes.orders import order_view

    sums = expected_sums()[scenario]
    view = order_view(in_order[0].service, woo_id(sums["order_id"]))
    currency = sums["currency"]
    assert view["amounts"]["total"] == {"amount": sums["total"], "currency": currency}
    assert view["order"]["total_tax"] == {"amount": sums["total_tax"], "currency": currency}
    told = {
        (x["rate"], x["net"]["amount"], x["tax"]["amount"])
        for x in view["order"]["tax_by_rate"]
        if float(x["rate"] or 0) != 0
    }
    wanted = {
        (rate_of(x["rate_percent"]), x["net"], x["tax"])
        for x in sums["per_rate"]
        if float(x["rate_percent"] or 0) != 0
    }
    assert told == wanted


def rate_of(percent: Any) -> str:
    text = f"{float(percent) / 100:.6f}".rstrip("0")
    return text


def test_deciding_again_changes_nothing(in_order: tuple[ServiceBox, Outcome]) -> None:
    from kette.use_cases.tick import redecide_all

    box, first = in_order
    with box.kernel.store.read() as tx:
        decisions = [tx.decisions_of(woo_id(int(n))) for n in sorted(first.statuses)]
    assert redecide_all(box.kernel, "test") == len(first.statuses)
    assert_same(first, Outcome(box, ()))
    with box.kernel.store.read() as tx:
        again = [tx.decisions_of(woo_id(int(n))) for n in sorted(first.statuses)]
    assert again == decisions
