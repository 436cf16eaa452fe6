"""A hundred paid orders while n8n and the service are killed in the middle of their work.

SIGKILL to the whole process group, at points drawn from a seed, several times in one run: while
events come in, while parcels are ordered and mails are sent, while refunds are paid. Events that
got no 2xx come again: Stripe and Sendcloud retry, and what WooCommerce does not repeat its pull
would fetch; the test's sender stands for both. Staff whose click met a dead service click again.

At the end each order is where it belongs, and each vendor and customer saw each thing once. One
thing is out of anybody's hands (docs/decisions/0009-mail-gateway.md): a mail that the mail server
was taking over at the very moment the service died is sent again, under the same Message-ID. So at
most one such pair per killed service is let pass, and only with equal Message-IDs.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from kette.n8n_runtime.world import World
from support.kill_storm import EventSender, Kill, KillStorm, Redelivery, failures_told
from support.running_chain import RunningChain
from support.shop_burst import SandboxControl

ORDERS = 100
SHIPPED = 70  # the rest is cancelled, half by the shop, half by staff
SERVICE_KILLS = 4
# A killed run is known by its lease alone. The storm moves the clock over the leases of a killed
# n8n; those of runs that did not find a killed service are waited for.
LEASE_S = 60
IMPATIENT = f"""
actions:
  lease: {LEASE_S}s
  backoff: [1s, 2s, 3s]
  max_attempts: 40
"""
# Another seed for another run: KETTE_KILL_SEEDS=4,5,6
SEEDS = [int(seed) for seed in os.environ.get("KETTE_KILL_SEEDS", "1").split(",")]

Json = dict[str, Any]
Orders = dict[int, tuple[Json, Json]]  # by the shop's number: the order, and what vendors saw


def first_kills(dice: random.Random) -> list[Kill]:
    """While 100 orders come in: 600 events, then 100 parcels and 100 confirmations."""
    return [
        Kill("service", "events", dice.randint(60, 500)),
        Kill("n8n", "effects", dice.randint(5, 60)),
        Kill("service", "effects", dice.randint(61, 130)),
        Kill("n8n", "effects", dice.randint(131, 190)),
    ]


def later_kills(dice: random.Random, seen: int) -> list[Kill]:
    """While 70 parcels leave (mail, shop) and 30 orders are undone (parcel, refund, mails)."""
    return [
        Kill("n8n", "effects", seen + dice.randint(5, 80)),
        Kill("service", "effects", seen + dice.randint(81, 150)),
        Kill("service", "effects", seen + dice.randint(151, 200)),
    ]


@pytest.fixture(params=SEEDS, ids=lambda seed: f"seed-{seed}")
def after_the_storm(
    request: pytest.FixtureRequest, make_world: Callable[..., World], tmp_path: Path
) -> tuple[RunningChain, Orders]:
    dice = random.Random(request.param)
    world = make_world(setup=impatient_setup(tmp_path))
    chain = RunningChain(world)
    with closing(SandboxControl(world)) as control:
        redelivery = Redelivery(control)
        storm = KillStorm(world, control, redelivery, LEASE_S)
        numbers, deliveries = control.place_burst(ORDERS, seed=request.param)
        sender = EventSender(world, deliveries, request.param)
        redelivery.start()
        sender.start()
        try:
            storm.live_through(first_kills(dice), sender)
            assert sender.refused > 0, "no event met a dead service"
            seen = storm.effects()
            with ThreadPoolExecutor(1) as pool:
                second_part = pool.submit(go_on, chain, numbers, dice.random())
                storm.live_through(later_kills(dice, seen), None)
                second_part.result()
            storm.settle()
        finally:
            sender.stop()
            redelivery.stop()
    return chain, {number: look(chain, number) for number in numbers}


def look(chain: RunningChain, number: int) -> tuple[Json, Json]:
    order = chain.order(number)
    assert order is not None, f"order {number} is lost"
    return order, chain.effects(number)


def go_on(chain: RunningChain, numbers: list[int], draw: float) -> None:
    """The carrier takes parcels over; shop and staff cancel orders; all mixed."""
    steps = [(number, position) for position, number in enumerate(numbers)]
    random.Random(draw).shuffle(steps)
    for number, position in steps:
        if position < SHIPPED:
            chain.do("scan", order_id=number, status="in_transit")
        elif position % 2:
            chain.do("shop_status", order_id=number, status="cancelled")
        else:
            cancel_by_staff(chain, number)


def cancel_by_staff(chain: RunningChain, number: int) -> None:
    """Click, and click again while the service does not answer."""
    deadline = time.monotonic() + 60
    while True:
        try:
            found = chain.order(number)
            assert found is not None
            answer = httpx.post(
                f"{chain.world.service_url}/v1/orders/{found['id']}/cancel",
                headers={"Authorization": f"Bearer {chain.world.admin_key}"},
                json={"by": "Mia Test", "why": "the customer called"},
                trust_env=False,
                timeout=20,
            )
        except httpx.TransportError:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        else:
            assert answer.is_success, answer.text
            return


def impatient_setup(folder: Path) -> Path:
    """The usual setup with short leases; nobody has to approve a refund."""
    setup = Path(__file__).parents[2] / "fixtures" / "setups" / "woocommerce-payment-invoice.yaml"
    text = setup.read_text("utf-8")
    assert "\nactions:" not in text
    assert "refund_over: 200.00 EUR" in text
    text = text.replace("refund_over: 200.00 EUR", "refund_over: 5000.00 EUR")
    changed = folder / "impatient.yaml"
    changed.write_text(text + IMPATIENT, "utf-8")
    return changed


def test_killed_in_the_middle_everything_happens_once(
    after_the_storm: tuple[RunningChain, Orders],
) -> None:
    chain, orders = after_the_storm
    for line in failures_told(chain.world):
        print(line)
    assert deviations(orders) == {}, deviations(orders)
    assert documents_of(orders) == list(range(1, SHIPPED + 1))
    assert len(archived(chain.world)) == SHIPPED
    assert_nothing_doubled(chain)
    # A killed run is told to its owner; nothing else needs a person.
    assert [entry for entry in chain.open_exceptions() if not is_run(entry)] == []
    assert audit(chain.world) == 0


def is_run(entry: Json) -> bool:
    return str(entry["key"]).startswith("run_failed:")


EXPECTED_SHIPPED: Json = {
    "status": {
        "order": "completed",
        "payment": "paid",
        "fulfillment": "shipped",
        "accounting": "invoiced",
    },
    "mails": ["confirmation", "shipped"],
    "parcels": [3],
    "refunds": 0,
    "times completed in the shop": 1,
    "shop": "completed",
}
EXPECTED_CANCELLED: Json = {
    "status": {
        "order": "cancelled",
        "payment": "refunded",
        "fulfillment": "cancelled",
        "accounting": "none",
    },
    "mails": ["cancelled", "confirmation", "refunded"],
    "parcels": [2000],
    "refunded": True,
    "times refunded in the shop": 1,
    "times cancelled in the shop": 1,
}


def deviations(orders: Orders) -> dict[int, Json]:
    """What is not as it should be, by order: (found, expected)."""
    found: dict[int, Json] = {}
    for position, (number, (order, effects)) in enumerate(orders.items()):
        if position < SHIPPED:
            outcome, expected = outcome_of_shipped(order, effects), EXPECTED_SHIPPED
        else:
            outcome, expected = outcome_of_cancelled(order, effects), EXPECTED_CANCELLED
        wrong = {name: (outcome[name], expected[name]) for name in expected}
        wrong = {name: pair for name, pair in wrong.items() if pair[0] != pair[1]}
        if wrong:
            found[number] = wrong
    return found


def outcome_of_shipped(order: Json, effects: Json) -> Json:
    return {
        "status": statuses(order),
        "mails": distinct_notices(effects),
        "parcels": [parcel["status"] for parcel in effects["parcels"]],
        "refunds": len(effects["refunds"]) + len(effects["shop"]["refunds"]),
        "times completed in the shop": changes_to(effects, "Completed"),
        "shop": effects["shop"]["status"],
    }


def outcome_of_cancelled(order: Json, effects: Json) -> Json:
    refunds = effects["refunds"]
    paid = sum(payment["received"] for payment in effects["payments"])
    return {
        "status": statuses(order),
        "mails": distinct_notices(effects),
        "parcels": [parcel["status"] for parcel in effects["parcels"]],
        "refunded": [refund["amount"] for refund in refunds] == [paid],
        "times refunded in the shop": len(effects["shop"]["refunds"]),
        "times cancelled in the shop": changes_to(effects, "Cancelled"),
    }


def statuses(order: Json) -> dict[str, str]:
    return {axis: order["status"][axis] for axis in EXPECTED_SHIPPED["status"]}


def changes_to(effects: Json, status: str) -> int:
    return sum(note.endswith(f"to {status}.") for note in effects["shop"]["status_changes"])


def distinct_notices(effects: Json) -> list[str]:
    """Kinds of the customer's mails; a pair with one Message-ID is looked at separately."""
    by_id = {mail["message_id"]: mail["notice"] for mail in effects["mails"]}
    assert len({mail["message_id"] for mail in effects["mails"]}) == len(by_id)
    return sorted(by_id.values())


def documents_of(orders: Orders) -> list[int]:
    """Running numbers of all invoices, which must have no gap and no repetition."""
    found = [document["number"] for order, _ in orders.values() for document in order["documents"]]
    return sorted(int(number[-6:]) for number in found)


def archived(world: World) -> list[str]:
    return sorted(file.name for file in world.n8n.place.archive.iterdir())


def assert_nothing_doubled(chain: RunningChain) -> None:
    with closing(SandboxControl(chain.world)) as control:
        doubled = control.get("/state")["doubled"]
    mails = doubled.pop("mails")
    assert {what: found for what, found in doubled.items() if found} == {}
    pairs = mails["message_id"]
    # Equal markers with different Message-IDs would be two mails.
    assert len(mails["marker"]) <= len(pairs)
    assert sum(count - 1 for count in pairs.values()) <= SERVICE_KILLS


def audit(world: World) -> int:
    kette = Path(sys.executable).with_name("kette")
    command = [str(kette), "audit", "verify", "--database", world.database_url]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    print(done.stdout, done.stderr)
    return done.returncode
