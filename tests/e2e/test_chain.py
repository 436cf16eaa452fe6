"""Real orders through a real n8n: every scenario as it should end, and no kill does anything twice.

The scenarios are those of fixtures/scenarios; the demo plays the same. tests/scenarios plays them
without n8n, in seconds; here the workflows, the nodes and the webhooks are part of it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from kette.n8n_runtime.world import World
from sandbox.player import Player, load_scenarios
from sandbox.timeline import Result
from support.running_chain import RunningChain, notices

SCENARIOS = load_scenarios(Path(__file__).parents[2] / "fixtures" / "scenarios")
MINUTE = 60.0


@pytest.fixture(scope="session")
def played(world: World) -> dict[str, Result]:
    """The outcome of every scenario, all played in one timeline."""
    player = Player(
        service_url=world.service_url,
        sandbox_url=world.sandbox_url,
        n8n_url=world.n8n_url,
        admin_key=world.admin_key,
        say=print,
    )
    results = player.play_all(SCENARIOS)
    return {scenario.name: result for scenario, result in zip(SCENARIOS, results, strict=True)}


@pytest.mark.parametrize("name", [scenario.name for scenario in SCENARIOS])
def test_a_scenario_ends_as_it_should(name: str, played: dict[str, Result]) -> None:
    result = played[name]
    assert result.failures == []
    assert result.checkpoints > 0


@pytest.mark.usefixtures("played")
def test_nothing_happened_twice_at_any_vendor(world: World) -> None:
    doubled = RunningChain(world).doubled()
    assert {what: found for what, found in doubled.items() if found} == {}


@pytest.mark.usefixtures("played")
def test_no_workflow_run_failed(world: World) -> None:
    names = {item["id"]: item["name"] for item in world.n8n.api.workflows()}
    failed = world.n8n.api.executions(status="error")
    assert [f"{names.get(run['workflowId'])}, run {run['id']}" for run in failed] == []


@pytest.mark.usefixtures("played")
def test_every_invoice_lies_in_the_archive(world: World) -> None:
    issued = {
        document["file_name"]
        for result in RunningChain(world).orders()
        for document in result.get("documents", ())
    }
    archived = {file.name for file in world.n8n.place.archive.iterdir()}
    assert issued <= archived
    assert issued


@pytest.mark.postgres
def test_killed_n8n_and_service_do_each_thing_once(
    make_world: Callable[..., World], fresh_postgres_url: str
) -> None:
    world = make_world(database_url=fresh_postgres_url)
    chain = RunningChain(world)
    # Slow enough that the kills hit parcels that are being ordered.
    chain.fault(route="POST /sendcloud/api/v2/parcels", kind="slow", delay_s=2.0, times=None)
    numbers = chain.do("place_many", count=12, seed=7)["order_ids"]
    chain.wait_for(
        "the orders are paid", lambda: chain.statuses(numbers, "payment") == ["paid"] * 12
    )
    chain.wait_for("a parcel is ordered", lambda: any(parcels(chain, numbers)), 90)

    world.n8n.kill()
    world.n8n.start()
    world.service.kill()
    world.start_service()
    world.n8n.kill()
    world.n8n.start()
    chain.clear_faults()
    chain.settle_over(15 * MINUTE, steps=4)

    assert chain.statuses(numbers, "fulfillment") == ["requested"] * 12
    assert parcels(chain, numbers) == [1] * 12

    for number in numbers:
        chain.do("scan", order_id=number, status="in_transit")
    chain.wait_for("somebody is told", lambda: "shipped" in told(chain, numbers))
    world.n8n.kill()
    world.service.kill()
    world.start_service()
    world.n8n.start()
    chain.settle_over(15 * MINUTE, steps=4)

    assert chain.statuses(numbers, "order") == ["completed"] * 12
    assert chain.statuses(numbers, "accounting") == ["invoiced"] * 12
    for number in numbers:
        order, effects = chain.order(number), chain.effects(number)
        assert order is not None
        assert notices(effects) == ["confirmation", "shipped"], number
        assert effects["shop"]["status"] == "completed", number
        assert [document["document"] for document in order["documents"]] == ["invoice"], number
    assert invoice_numbers(chain, numbers) == list(range(1, 13))
    # A run that was killed is told to its owner; nothing else is left over.
    assert {item["key"].partition(":")[0] for item in chain.open_exceptions()} <= {"run_failed"}
    assert {what: found for what, found in chain.doubled().items() if found} == {}


def parcels(chain: RunningChain, numbers: list[int]) -> list[int]:
    return [len(chain.effects(number)["parcels"]) for number in numbers]


def told(chain: RunningChain, numbers: list[int]) -> list[str]:
    return [notice for number in numbers for notice in notices(chain.effects(number))]


def invoice_numbers(chain: RunningChain, numbers: list[int]) -> list[int]:
    """The running numbers of the invoices, which must have no gap."""
    found = []
    for number in numbers:
        order = chain.order(number)
        assert order is not None
        found.extend(int(document["number"][-6:]) for document in order["documents"])
    return sorted(found)
