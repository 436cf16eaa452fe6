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
    assert RunningChain(world).doubled() == []


@pytest.mark.usefixtures("played")
def test_no_workflow_run_failed(world: World) -> None:
    names = {item["id"]: item["name"] for item in world.n8n.api.workflows()}
    failed = world.n8n.api.executions(status="error")
    assert [f"{names.get(run['workflowId'])}, run {run['id']}" for run in failed] == []


@pytest.mark.usefixtures("played")
def test_every_invoice_lies_in_the_archive(world: World) -> None:
    issued = {
        document["number"]
        for order in RunningChain(world).orders()
        for document in order["documents"]
    }
    archived = [file.name for file in world.n8n.place.archive.iterdir()]
    missing = [number for number in issued if not any(number in name for name in archived)]
    assert missing == []
    assert issued


@pytest.mark.postgres
def test_on_postgresql_killed_parts_come_back_and_finish_the_orders(
    make_world: Callable[..., World], fresh_postgres_url: str
) -> None:
    """Heavier killing, on SQLite, is in test_killed.py."""
    world = make_world(database_url=fresh_postgres_url)
    chain = RunningChain(world)
    # Slow enough that the kills hit parcels that are being ordered.
    chain.fault(route="POST /sendcloud/api/v2/parcels", kind="slow", delay_s=2.0, times=None)
    numbers = chain.do("place_many", count=6, seed=7)["order_ids"]
    chain.wait_for(
        "the orders are paid", lambda: chain.statuses(numbers, "payment") == ["paid"] * 6
    )
    chain.wait_for("a parcel is ordered", lambda: any(parcels(chain, numbers)), 90)

    world.n8n.kill()
    world.service.kill()
    world.start_service()
    world.n8n.start()
    chain.clear_faults()
    chain.settle_over(15 * MINUTE, steps=4)
    for number in numbers:
        chain.do("scan", order_id=number, status="in_transit")
    chain.settle_over(15 * MINUTE, steps=1)

    assert chain.statuses(numbers, "order") == ["completed"] * 6
    assert chain.statuses(numbers, "fulfillment") == ["shipped"] * 6
    assert chain.statuses(numbers, "accounting") == ["invoiced"] * 6
    assert parcels(chain, numbers) == [1] * 6
    for number in numbers:
        assert notices(chain.effects(number)) == ["confirmation", "shipped"], number
    assert invoice_numbers(chain, numbers) == list(range(1, 7))
    # A run that was killed is told to its owner; nothing else is left over.
    assert {item["key"].partition(":")[0] for item in chain.open_exceptions()} <= {"run_failed"}
    assert chain.doubled() == []


def parcels(chain: RunningChain, numbers: list[int]) -> list[int]:
    return [len(chain.effects(number)["parcels"]) for number in numbers]


def invoice_numbers(chain: RunningChain, numbers: list[int]) -> list[int]:
    """The running numbers of the invoices, which must have no gap."""
    found = []
    for number in numbers:
        order = chain.order(number)
        assert order is not None
        found.extend(int(document["number"][-6:]) for document in order["documents"])
    return sorted(found)
