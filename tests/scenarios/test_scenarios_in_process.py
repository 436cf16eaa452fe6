"""Every scenario, end to end inside one process: service, sandbox, hands in Python, one clock.

The same files run through the real n8n in test_scenarios_n8n.py. Here each failure shows in
seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from kette.api.app import create_app
from kette.bootstrap import build
from kette.settings import Settings
from kette.setup_file import load_setup
from kette.use_cases.keys import create_key
from kette.use_cases.tick import tick
from sandbox.core import Config
from sandbox.feed import prepare
from sandbox.inprocess import SERVICE_URL, World, in_process
from sandbox.scenario import Scenario, load_all
from sandbox.timeline import Result
from sandbox.vies import PATH as VIES_PATH

FIXTURES = Path(__file__).parents[2] / "fixtures"
SCENARIOS = load_all(FIXTURES / "scenarios")


def environment(accounts: Config) -> dict[str, str]:
    return {
        "KETTE_WOO_URL": f"{accounts.base_url}/woocommerce",
        "KETTE_WOO_WEBHOOK_SECRET": accounts.woo_hook_secret,
        "KETTE_SHOPIFY_URL": f"{accounts.base_url}/shopify",
        "KETTE_SHOPIFY_DOMAIN": accounts.shopify_domain,
        "KETTE_SHOPIFY_MODE": "live",
        "KETTE_SHOPIFY_WEBHOOK_SECRET": accounts.shopify_hook_secret,
        "KETTE_SHOPWARE_URL": f"{accounts.base_url}/shopware",
        "KETTE_SHOPWARE_WEBHOOK_SECRET": accounts.shopware_hook_secret,
        "KETTE_STRIPE_URL": f"{accounts.base_url}/stripe",
        "KETTE_STRIPE_MODE": "live",
        "KETTE_STRIPE_WEBHOOK_SECRET": accounts.stripe_hook_secret,
        "KETTE_SENDCLOUD_URL": f"{accounts.base_url}/sendcloud",
        "KETTE_SENDCLOUD_WEBHOOK_SECRET": accounts.sendcloud_secret,
        "KETTE_VIES_URL": f"{accounts.base_url}/vies{VIES_PATH}",
    }


@asynccontextmanager
async def world(folder: Path) -> AsyncIterator[tuple[World, httpx.AsyncClient]]:
    """The chain inside this process, and a client that reaches the service as a vendor does."""
    accounts = Config()
    environ = environment(accounts)
    setup = load_setup(FIXTURES / "setups" / "three-shops.yaml", environ)
    settings = Settings(database=f"sqlite:///{folder / 'kette.db'}", sandbox_clock=True, push=False)
    service = build(settings, setup, environ=environ)
    kernel = service.kernel
    key = create_key(kernel.store, kernel.new_id, "admin", "scenarios", datetime.now(UTC))

    async def tick_once() -> None:
        await asyncio.to_thread(tick, kernel)

    try:
        app = create_app(service)
        transport = httpx.ASGITransport(app=app)
        async with (
            httpx.AsyncClient(transport=transport, base_url=SERVICE_URL) as client,
            in_process(app, key, kernel.clock.now, tick_once, accounts) as inside,
        ):
            yield inside, client
    finally:
        service.database.dispose()


async def play(
    folder: Path, scenarios: Sequence[Scenario]
) -> tuple[list[Result], dict[str, object]]:
    """Results, and what the vendors saw in all."""
    async with world(folder) as (inside, _):
        results = await inside.timeline.play(scenarios)
        return results, await inside.timeline.overview()


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
        "shopify_refunds": [],
        "shopify_parcels": [],
        "mails": {"message_id": {}, "marker": {}},
    }


def test_the_load_feed_holds_orders_that_need_no_person(tmp_path: Path) -> None:
    """A bench over orders that wait for somebody would measure the wrong thing."""

    async def statuses() -> set[tuple[str, str, str]]:
        async with world(tmp_path) as (inside, client):
            for order in prepare(40, Config(), seed=7):
                for request in order.requests:
                    answer = await client.post(
                        request.url(SERVICE_URL), content=request.body, headers=request.headers()
                    )
                    assert answer.status_code == 202, answer.text
            rows = (await inside.service.get("/v1/orders", limit="200"))["items"]
            assert len(rows) == 40
            return {
                (r["status"]["order"], r["status"]["payment"], r["status"]["risk"]) for r in rows
            }

    assert asyncio.run(statuses()) == {("valid", "paid", "clear")}
