"""Pulls in a real n8n: what no webhook told is found, and one bad order harms no other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from kette.n8n_runtime.rest import Json
from kette.n8n_runtime.world import Ports, World
from support.running_chain import RunningChain

PULL = "ketteChain05PullWoo"
PULLS = {
    "woocommerce": ("woo-main", PULL),
    "shopify": ("shopify-main", "ketteChain05PullShpf"),
    "shopware": ("shopware-main", "ketteChain05PullShpw"),
}
BILLING = {
    "first_name": "Anke",
    "last_name": "Petersen",
    "address_1": "Hafenstr. 3",
    "city": "Hamburg",
    "state": "DE-HH",
    "postcode": "22767",
    "country": "DE",
}
BASKET = [{"sku": "BECHER-LT-01", "quantity": 3}]


@pytest.fixture(scope="module")
def pulled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningChain]:
    """A world of its own whose shops send no webhook at all, with a pull every few seconds instead
    of every few minutes."""
    world = World(tmp_path_factory.mktemp("pulled"), ports=Ports.free(), say=print)
    try:
        world.start()
        world.start_pulls()
        chain = RunningChain(world)
        for vendor, (_, workflow_id) in PULLS.items():
            hurry(world, workflow_id)
            chain.lose(vendor)
        yield chain
    finally:
        world.stop()


def hurry(world: World, workflow_id: str) -> None:
    """The committed workflow with another schedule."""
    workflow = world.n8n.api.workflow(workflow_id)
    assert workflow is not None
    body = {name: workflow[name] for name in ("name", "nodes", "connections", "settings")}
    for node in body["nodes"]:
        if node["name"] == "Every Five Minutes":
            interval = {"field": "cronExpression", "expression": "*/5 * * * * *"}
            node["parameters"]["rule"]["interval"] = [interval]
    body["settings"] |= {"saveDataSuccessExecution": "all"}
    world.n8n.api.update_workflow(workflow_id, body)


def place(chain: RunningChain, number: int, shop: str = "woocommerce", **wish: object) -> int | str:
    billing = {**BILLING, "email": f"kunde{number}@example.org"}
    order = {"basket": BASKET, "billing": billing, **wish}
    placed: int | str = chain.do("place", order=order, shop=shop)["id"]
    return placed


def state_of(chain: RunningChain) -> Json:
    items: list[Json] = chain.pulls()
    return next(x for x in items if (x["system_id"], x["purpose"]) == ("woo-main", "changes"))


@pytest.mark.parametrize("shop", PULLS)
def test_an_order_whose_webhook_is_lost_goes_through_the_chain_case_6(
    pulled: RunningChain, shop: str
) -> None:
    channel, _ = PULLS[shop]
    number = place(pulled, len(shop), shop, payment="bacs")
    pulled.wait_for(
        "the pull to find the order", lambda: pulled.order(number, channel) is not None, 90
    )
    pulled.wait_for(
        "the customer's confirmation", lambda: bool(pulled.effects(number)["mails"]), 120
    )
    order = pulled.order(number, channel)
    assert order is not None
    assert order["status"]["order"] == "valid"
    assert "delivered" not in pulled.deliveries(number, shop)
    assert pulled.doubled() == []


def test_a_thousand_orders_of_which_one_is_bad(pulled: RunningChain) -> None:
    numbers = [place(pulled, n) for n in range(100, 1099)]
    bad = place(pulled, 1100, currency="??")
    pulled.wait_for("the pull to end", lambda: pulled.order(numbers[-1]) is not None, 240)
    began = state_of(pulled)["watermark"]
    pulled.wait_for("one more pull", lambda: state_of(pulled)["watermark"] != began, 120)
    found = {order["external_id"] for order in pulled.listed_orders()}
    assert found >= {str(number) for number in numbers}
    assert str(bad) not in found
    entries = [e for e in pulled.open_exceptions() if e["kind"] == "payload_unknown"]
    assert len(entries) == 1


def test_a_pull_is_one_execution(pulled: RunningChain) -> None:
    api = pulled.world.n8n.api
    before = state_of(pulled)["watermark"]
    pulled.wait_for("a pull", lambda: state_of(pulled)["watermark"] != before, 120)
    runs = [
        {name: len(done) for name, done in run["data"]["resultData"]["runData"].items()}
        for run in api.executions(PULL, "success", with_data=True)
    ]
    whole = next(run for run in runs if "Read from Shop" in run)  # others found it busy
    assert set(whole) == {"Every Five Minutes", "Ask What to Read", "Read from Shop"}
    assert whole["Every Five Minutes"] == 1
    assert whole["Ask What to Read"] == whole["Read from Shop"] + 1
    assert [run["id"] for run in api.executions(status="error")] == []


def test_a_webhook_that_the_shop_switched_off_is_alarmed_and_closed_case_5(
    pulled: RunningChain,
) -> None:
    def silent() -> list[str]:
        kind = "source_silent"
        return [e["summary"] for e in pulled.open_exceptions() if e["kind"] == kind]

    pulled.switch("woocommerce", on=False)
    pulled.wait_for("the alarm", lambda: bool(silent()), 120)
    assert "disabled" in silent()[0]
    pulled.switch("woocommerce", on=True)
    pulled.wait_for("the all-clear", lambda: not silent(), 120)


def test_the_shop_is_away_for_a_while(pulled: RunningChain) -> None:
    route = "GET /woocommerce/wp-json/wc/v3/orders"
    pulled.fault(route=route, kind="fail", status=503, times=2)
    pulled.wait_for("the shop to fail", lambda: pulled.faults_fired() == 2, 90)
    number = place(pulled, 2000)
    pulled.wait_for("the order", lambda: pulled.order(number) is not None, 90)
    assert pulled.deliveries(number) == {"dropped"}
