"""Pulls in a real n8n: what no webhook told is found, and one bad order harms no other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from kette.n8n_runtime.rest import Json
from kette.n8n_runtime.world import Ports, World
from support.running_chain import RunningChain

PULL = "ketteChain05PullWoo"
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
    """A world of its own whose shop sends no webhook at all, with a pull every few seconds instead
    of every few minutes."""
    world = World(tmp_path_factory.mktemp("pulled"), ports=Ports.free(), say=print, pulls=True)
    try:
        world.start()
        hurry(world)
        chain = RunningChain(world)
        chain.lose("woocommerce")
        yield chain
    finally:
        world.stop()


def hurry(world: World) -> None:
    """The committed workflow with another schedule."""
    workflow = world.n8n.api.workflow(PULL)
    assert workflow is not None
    body = {name: workflow[name] for name in ("name", "nodes", "connections", "settings")}
    for node in body["nodes"]:
        if node["name"] == "Every Five Minutes":
            interval = {"field": "cronExpression", "expression": "*/5 * * * * *"}
            node["parameters"]["rule"]["interval"] = [interval]
    body["settings"] |= {"saveDataSuccessExecution": "all"}
    world.n8n.api.update_workflow(PULL, body)


def place(chain: RunningChain, number: int, **wish: object) -> int:
    billing = {**BILLING, "email": f"kunde{number}@example.org"}
    return int(chain.do("place", order={"basket": BASKET, "billing": billing, **wish})["id"])


def state_of(chain: RunningChain) -> Json:
    items: list[Json] = chain.pulls()
    return next(x for x in items if (x["system_id"], x["purpose"]) == ("woo-main", "changes"))


def test_an_order_whose_webhook_is_lost_goes_through_the_chain_case_6(
    pulled: RunningChain,
) -> None:
    number = place(pulled, 1, payment="cod")
    pulled.wait_for("the pull to find the order", lambda: pulled.order(number) is not None)
    pulled.wait_for(
        "the customer's confirmation", lambda: bool(pulled.effects(number)["mails"]), 90
    )
    order = pulled.order(number)
    assert order is not None
    assert order["status"]["order"] == "valid"
    assert pulled.doubled() == []


def test_a_thousand_orders_of_which_one_is_bad(pulled: RunningChain) -> None:
    first = place(pulled, 2)
    for n in range(3, 1001):
        place(pulled, n)
    bad = place(pulled, 1001, currency="??")
    pulled.wait_for("the pull to end", lambda: pulled.order(bad - 1) is not None, timeout_s=120)
    began = state_of(pulled)["watermark"]
    pulled.wait_for("one more pull", lambda: state_of(pulled)["watermark"] != began)
    found = {order["external_id"] for order in pulled.listed_orders()}
    assert found >= {str(number) for number in range(first, bad)}
    assert str(bad) not in found
    entries = [e for e in pulled.open_exceptions() if e["kind"] == "payload_unknown"]
    assert len(entries) == 1


def test_a_pull_is_one_execution(pulled: RunningChain) -> None:
    api = pulled.world.n8n.api
    before = state_of(pulled)["watermark"]
    pulled.wait_for("a pull", lambda: state_of(pulled)["watermark"] != before)
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
    pulled.wait_for("the alarm", lambda: bool(silent()))
    assert "disabled" in silent()[0]
    pulled.switch("woocommerce", on=True)
    pulled.wait_for("the all-clear", lambda: not silent())


def test_the_shop_is_away_for_a_while(pulled: RunningChain) -> None:
    route = "GET /woocommerce/wp-json/wc/v3/orders"
    pulled.fault(route=route, kind="fail", status=503, times=2)
    pulled.wait_for("the shop to fail", lambda: pulled.faults_fired() == 2, 90)
    number = place(pulled, 2000)
    pulled.wait_for("the order", lambda: pulled.order(number) is not None, 90)
    assert pulled.deliveries(number) == {"dropped"}
