"""Something is away for a while: a connector, the service, n8n. Nothing is lost, nothing is done
twice, and a person hears of what broke.

Starting a world takes half a minute, so all of these have one, in which every test makes its own
orders and puts right again what it breaks.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest
from kette.n8n_runtime.world import Ports, World
from support.running_chain import RunningChain
from support.shop_burst import Delivery, SandboxControl

CARRIER, FULFILLMENT, WOO_ENTRY = "ketteCarrierShip", "ketteChain30Fulfill", "ketteChain05Woo"
STARTING_PAGE = "n8n is starting up. Please wait"
MINUTE, HOUR = 60.0, 3600.0


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningChain]:
    world = World(tmp_path_factory.mktemp("outages"), ports=Ports.free(), say=print)
    try:
        world.start()
        yield RunningChain(world)
    finally:
        world.stop()


def failed_runs(chain: RunningChain, workflow_id: str) -> list[dict[str, Any]]:
    return [
        entry["context"]
        for entry in chain.open_exceptions()
        if entry["key"].startswith(f"run_failed:{workflow_id}:")
    ]


def broken_executions(chain: RunningChain, workflow_id: str) -> set[str]:
    runs = chain.world.n8n.api.executions(workflow_id, "error")
    return {run["id"] for run in runs}


def parcels_of(chain: RunningChain, numbers: list[int]) -> list[int]:
    return [len(chain.effects(number)["parcels"]) for number in numbers]


def rows(world: World, query: str, *values: object) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(world.folder / "kette.db")) as database:
        return database.execute(query, values).fetchall()


def actions(world: World, number: int, kind: str) -> list[tuple[str, int]]:
    """State and number of tries of an order's actions of one kind."""
    query = (
        "SELECT a.state, a.attempt FROM actions a JOIN orders o ON o.id = a.order_id "
        "WHERE a.kind = ? AND o.external_id = ?"
    )
    return rows(world, query, kind, str(number))


def wait_for_parcels(chain: RunningChain, numbers: list[int], timeout_s: float = 150.0) -> None:
    wanted = ["requested"] * len(numbers)
    chain.wait_for(
        "the parcels", lambda: chain.statuses(numbers, "fulfillment") == wanted, timeout_s
    )
    assert parcels_of(chain, numbers) == [1] * len(numbers)


def test_a_connector_that_is_away_is_told_and_its_actions_come_again(chain: RunningChain) -> None:
    world = chain.world
    world.n8n.api.unpublish(CARRIER)
    numbers = chain.do("place_many", count=2, seed=3)["order_ids"]
    chain.wait_for("a person is told", lambda: bool(failed_runs(chain, FULFILLMENT)), 120)

    (context,) = failed_runs(chain, FULFILLMENT)
    assert (context["node"], context["workflow"]) == ("Create Parcel", "Kette 30 · Fulfillment")
    assert "not active" in context["message"]
    assert str(context["url"]).startswith(f"{world.n8n_url}/workflow/{FULFILLMENT}/executions/")
    assert parcels_of(chain, numbers) == [0, 0]

    world.n8n.api.publish(CARRIER)
    chain.advance(150)
    wait_for_parcels(chain, numbers)


def test_a_report_that_finds_nobody_brings_the_action_back_but_no_second_parcel(
    chain: RunningChain,
) -> None:
    """The carrier makes the parcel; the service is killed before it hears of it."""
    world = chain.world
    chain.fault(route="POST /sendcloud/api/v2/parcels", kind="slow", delay_s=8.0, times=None)
    (number,) = chain.do("place_many", count=1, seed=5)["order_ids"]
    chain.wait_for("the carrier is asked", lambda: chain.faults_fired() == 1, 120)
    before = broken_executions(chain, CARRIER)
    world.service.kill()
    chain.clear_faults()
    wait_until("the run breaks off", lambda: bool(broken_executions(chain, CARRIER) - before))
    assert parcels_of(chain, [number]) == [1]
    world.start_service()

    # The error handler calls for 20 seconds, then again after five minutes.
    chain.wait_for("a person is told", lambda: bool(failed_runs(chain, CARRIER)), 360)
    (context,) = failed_runs(chain, CARRIER)
    assert context["workflow"] == "Kette · Carrier: Create parcel at Sendcloud"
    assert context["node"].startswith("Report ")
    assert context["message"] == "The Kette service cannot be reached"
    assert actions(world, number, "create_shipment") == [("leased", 1)]

    chain.advance(150)
    chain.wait_for(
        "the parcel is found",
        lambda: actions(world, number, "create_shipment") == [("done", 2)],
        120,
    )
    wait_for_parcels(chain, [number])
    assert chain.doubled() == []


def test_a_status_whose_answer_was_lost_is_not_set_over_what_came_since(
    chain: RunningChain,
) -> None:
    """Cancelled in the shop, answer lost, money back, so the shop says refunded. The second try
    said cancelled once more: 2 of 30 orders stood as cancelled and told their customers twice."""
    (number,) = chain.do("place_many", count=1, seed=6)["order_ids"]
    wait_for_parcels(chain, [number])
    route = f"PUT /woocommerce/wp-json/wc/v3/orders/{number}"
    chain.fault(route=route, kind="lose", times=1)
    chain.hold("woocommerce")  # else the shop's own word makes the second try needless
    order = chain.order(number)
    assert order is not None
    chain.cancel(order["id"], "Mia Test", "the customer called")
    chain.wait_for("the money is back", lambda: chain.effects(number)["shop"]["refunds"] != [], 120)
    chain.wait_for(
        "the second try",
        lambda: actions(chain.world, number, "cancel_order") == [("done", 2)],
        120,
    )
    chain.release("woocommerce")
    shop = chain.effects(number)["shop"]
    assert shop["status"] == "refunded"
    cancelled = [note for note in shop["status_changes"] if note.endswith("to Cancelled.")]
    assert len(cancelled) == 1


def test_a_delivery_that_could_not_be_stored_waits_in_n8n(chain: RunningChain) -> None:
    """WooCommerce sends once. n8n keeps the request with the failed run; Retry hands it in."""
    world = chain.world
    with closing(SandboxControl(world)) as control:
        (number,), deliveries = control.place_burst(1, seed=7)  # nothing of it is sent yet
    of_shop = [delivery for delivery in deliveries if delivery.vendor == "woocommerce"]
    before = broken_executions(chain, WOO_ENTRY)
    world.service.kill()
    assert hand_in(world, of_shop[-1]).status_code == 500
    world.start_service()

    chain.wait_for("a person is told", lambda: bool(failed_runs(chain, WOO_ENTRY)), 360)
    (context,) = failed_runs(chain, WOO_ENTRY)
    broken = broken_executions(chain, WOO_ENTRY) - before
    assert context["node"] == "Store Delivery"
    assert broken & {run["execution_id"] for run in context["runs"]}
    assert chain.order(number) is None

    for execution_id in sorted(broken, key=int):
        world.n8n.api.retry_execution(execution_id)
    chain.wait_for("the order is here", lambda: total_of(chain, number) is not None)
    chain.release("stripe")
    wait_for_parcels(chain, [number])


def hand_in(world: World, delivery: Delivery) -> httpx.Response:
    """Send a webhook of the shop to n8n."""
    url = f"{world.n8n_url}/webhook/kette/woo-main"
    return httpx.post(
        url, content=delivery.body, headers=delivery.headers(), timeout=90, trust_env=False
    )


def total_of(chain: RunningChain, number: int) -> object:
    """The order's total as soon as the shop has told it, and not only a provider."""
    return (chain.order(number) or {}).get("total")


def test_what_the_shop_told_while_n8n_was_away_is_missed_and_found(chain: RunningChain) -> None:
    """WooCommerce does not send again, and a starting n8n takes nothing that it does not store.
    Stripe does: the payment is known, somebody is told that its order is not, and saves it."""
    world = chain.world
    world.n8n.kill()
    (number,) = chain.do("place_many", count=1, seed=8)["order_ids"]
    wait_until("the shop has given up", lambda: chain.lost_deliveries(number) >= 2)
    told: list[tuple[int, str]] = []
    entry = f"{world.n8n_url}/webhook/kette/woo-main"
    knocking = threading.Thread(target=knock, args=(entry, told))
    world.n8n.launch()
    knocking.start()
    world.n8n.wait_ready()
    knocking.join(60)
    # The page that n8n sends while it starts must not look like success.
    assert STARTING_PAGE in starting_code(world)
    assert {status for status, _ in told if status < 400} == set(), told
    assert told[-1] == (401, "refused")

    chain.advance(10 * MINUTE)
    chain.advance(2 * HOUR)
    chain.wait_for("a person is told", lambda: bool(stuck(chain)), 120)
    chain.wait_for("the payment", lambda: chain.statuses([number], "payment") == ["paid"], 120)
    assert total_of(chain, number) is None
    chain.do("save_unchanged", order_id=number)
    wait_for_parcels(chain, [number])
    assert stuck(chain) == []


def stuck(chain: RunningChain) -> list[dict[str, Any]]:
    return [entry for entry in chain.open_exceptions() if entry["kind"] == "order_stuck"]


def knock(url: str, told: list[tuple[int, str]]) -> None:
    """Deliver something unsigned again and again until n8n has let the service refuse it."""
    deadline = time.monotonic() + 120
    with httpx.Client(timeout=30, trust_env=False) as client:
        while time.monotonic() < deadline and (not told or told[-1][0] != 401):
            try:
                answer = client.post(url, json={"id": 1})
            except httpx.TransportError:
                time.sleep(0.005)
            else:
                told.append((answer.status_code, answer.text[:100]))


def starting_code(world: World) -> str:
    server = world.n8n.place.install / "node_modules" / "n8n" / "dist" / "abstract-server.js"
    return server.read_text("utf-8")


def wait_until(what: str, condition: Callable[[], bool], timeout_s: float = 60.0) -> None:
    """As RunningChain.wait_for, while the service cannot be asked what is pending."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"Waited {timeout_s} s for: {what}"
        time.sleep(0.2)


def test_the_sweep_fetches_what_nobody_pushes(chain: RunningChain) -> None:
    """A lost subscription: the next minute does a stage's work, publishing again repairs it."""
    world = chain.world
    query = "SELECT id FROM subscriptions WHERE topic = 'stage:fulfillment'"
    for (subscription,) in rows(world, query):
        chain.unsubscribe(subscription)
    numbers = chain.do("place_many", count=2, seed=4)["order_ids"]
    chain.wait_for(
        "the sweep",
        lambda: [actions(world, n, "check_stock") for n in numbers] == [[("done", 1)]] * 2,
        150,
    )
    world.n8n.api.unpublish(FULFILLMENT)
    world.n8n.api.publish(FULFILLMENT)
    chain.wait_for("the stage listens again", lambda: len(rows(world, query)) == 1)
    wait_for_parcels(chain, numbers)
