"""Something is away for a while: a connector, the service, n8n. Nothing is lost, nothing is done
twice, and a person hears of what broke."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing

import httpx
from kette.n8n_runtime.world import World
from support.running_chain import RunningChain

MakeWorld = Callable[..., World]
CARRIER, FULFILLMENT, WOO_ENTRY = "ketteCarrierShip", "ketteChain30Fulfill", "ketteChain05Woo"


def failed_runs(chain: RunningChain, workflow_id: str) -> list[dict[str, object]]:
    return [
        entry["context"]
        for entry in chain.open_exceptions()
        if entry["key"].startswith(f"run_failed:{workflow_id}:")
    ]


def parcels_of(chain: RunningChain, numbers: list[int]) -> list[int]:
    return [len(chain.effects(number)["parcels"]) for number in numbers]


def subscriptions(world: World) -> list[str]:
    with closing(sqlite3.connect(world.folder / "kette.db")) as database:
        return [row[0] for row in database.execute("SELECT id FROM subscriptions")]


def wait_for_parcels(chain: RunningChain, numbers: list[int], timeout_s: float = 150.0) -> None:
    wanted = ["requested"] * len(numbers)
    chain.wait_for(
        "the parcels", lambda: chain.statuses(numbers, "fulfillment") == wanted, timeout_s
    )
    assert parcels_of(chain, numbers) == [1] * len(numbers)


def test_a_connector_that_is_away_is_told_and_its_actions_come_again(
    make_world: MakeWorld,
) -> None:
    world = make_world()
    chain = RunningChain(world)
    world.n8n.api.unpublish(CARRIER)
    numbers = chain.do("place_many", count=2, seed=3)["order_ids"]
    chain.wait_for("a person is told", lambda: bool(failed_runs(chain, FULFILLMENT)))

    (context,) = failed_runs(chain, FULFILLMENT)
    assert (context["node"], context["workflow"]) == ("Create Parcel", "Kette 30 · Fulfillment")
    assert str(context["url"]).startswith(f"{world.n8n_url}/workflow/{FULFILLMENT}/executions/")
    assert parcels_of(chain, numbers) == [0, 0]

    world.n8n.api.publish(CARRIER)
    chain.advance(150)
    wait_for_parcels(chain, numbers)


def test_the_sweep_alone_carries_the_chain(make_world: MakeWorld) -> None:
    """n8n was away, and nobody told the service where to push to: the next minutes catch up."""
    world = make_world()
    chain = RunningChain(world)
    world.n8n.kill()
    for vendor, system in (("woocommerce", "woo-main"), ("stripe", "stripe-main")):
        chain.deliver_to(vendor, f"{world.service_url}/v1/events/{system}")  # without n8n
    numbers = chain.do("place_many", count=2, seed=4)["order_ids"]
    chain.wait_for("payment", lambda: chain.statuses(numbers, "payment") == ["paid", "paid"])
    for subscription in subscriptions(world):
        chain.unsubscribe(subscription)
    world.n8n.start()
    wait_for_parcels(chain, numbers, 240)


def test_a_service_that_is_away_loses_neither_reports_nor_deliveries(
    make_world: MakeWorld,
) -> None:
    world = make_world()
    chain = RunningChain(world)
    chain.fault(route="POST /sendcloud/api/v2/parcels", kind="slow", delay_s=5.0, times=None)
    numbers = chain.do("place_many", count=4, seed=5)["order_ids"]
    chain.wait_for("parcels are ordered", lambda: any(parcels_of(chain, numbers)), 90)
    world.service.kill()
    # The reports of these parcels find nobody; a delivery is kept by n8n with the failed run.
    answer = httpx.post(
        f"{world.n8n_url}/webhook/kette/woo-main", json={"id": 1}, timeout=90, trust_env=False
    )
    assert answer.status_code == 500
    time.sleep(5)
    world.start_service()
    chain.clear_faults()
    chain.settle_over(150, steps=2)
    wait_for_parcels(chain, numbers)
    assert chain.doubled() == []
