"""Every scenario, end to end inside one process: service, sandbox, hands in Python, one clock.

The same files run through the real n8n in test_scenarios_n8n.py. Here each failure shows in
seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from kette.api.app import create_app
from kette.bootstrap import build
from kette.settings import Settings
from kette.setup_file import load_setup
from kette.use_cases.keys import create_key
from kette.use_cases.tick import tick
from sandbox.core import Config
from sandbox.inprocess import in_process
from sandbox.scenario import Scenario, load_all
from sandbox.timeline import Result

FIXTURES = Path(__file__).parents[2] / "fixtures"
SCENARIOS = load_all(FIXTURES / "scenarios")


def environment(accounts: Config) -> dict[str, str]:
    return {
        "KETTE_WOO_URL": f"{accounts.base_url}/woocommerce",
        "KETTE_WOO_WEBHOOK_SECRET": accounts.woo_hook_secret,
        "KETTE_STRIPE_URL": f"{accounts.base_url}/stripe",
        "KETTE_STRIPE_MODE": "live",
        "KETTE_STRIPE_WEBHOOK_SECRET": accounts.stripe_hook_secret,
        "KETTE_SENDCLOUD_URL": f"{accounts.base_url}/sendcloud",
        "KETTE_SENDCLOUD_WEBHOOK_SECRET": accounts.sendcloud_secret,
    }


async def play(
    folder: Path, scenarios: Sequence[Scenario]
) -> tuple[list[Result], dict[str, object]]:
    """Results, and what the vendors saw in all."""
    accounts = Config()
    environ = environment(accounts)
    setup = load_setup(FIXTURES / "setups" / "woocommerce-payment-invoice.yaml", environ)
    settings = Settings(database=f"sqlite:///{folder / 'kette.db'}", sandbox_clock=True, push=False)
    service = build(settings, setup, environ=environ)
    kernel = service.kernel
    key = create_key(kernel.store, kernel.new_id, "admin", "scenarios", datetime.now(UTC))

    async def tick_once() -> None:
        await asyncio.to_thread(tick, kernel)

    try:
        app = create_app(service)
        async with in_process(app, key, kernel.clock.now, tick_once, accounts) as world:
            results = await world.timeline.play(scenarios)
            return results, await world.timeline.overview()
    finally:
        service.database.dispose()


@pytest.fixture(scope="module")
def outcome(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[dict[str, Result], dict[str, object]]:
    folder = tmp_path_factory.mktemp("scenarios")
    results, overview = asyncio.run(play(folder, SCENARIOS))
    return {result.scenario_id: result for result in results}, overview


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_goes_as_expected(
    scenario: Scenario, outcome: tuple[dict[str, Result], dict[str, object]]
) -> None:
    result = outcome[0][scenario.name]
    assert result.failures == []
    assert result.checkpoints == len(scenario.expect) > 0


def test_no_effect_happened_twice(
    outcome: tuple[dict[str, Result], dict[str, object]],
) -> None:
    assert outcome[1]["doubled"] == {
        "refund_keys": [],
        "parcel_references": [],
        "over_refunded_charges": [],
        "mails": {"message_id": {}, "marker": {}},
    }
