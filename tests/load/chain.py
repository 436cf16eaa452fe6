"""Orders per second through service, n8n and vendors, beside an empty workflow in the same n8n.

A burst of paid orders goes into the service; it ends when every action that is due has been
reported: stock checked, parcels ordered, confirmations sent. The second part goes on with the
carrier's scans until shops are updated, invoices issued and filed, and customers told. The empty
workflow (Webhook -> NoOp) runs before, between and after; the median of several rounds counts,
because the machine's speed changes within seconds.
"""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import httpx
from kette.n8n_runtime.child import ProgramError
from kette.n8n_runtime.project import find_project
from kette.n8n_runtime.world import Ports, World
from machine import cpu_s
from sender import request_bytes, send_all
from support.shop_burst import Delivery, SandboxControl

CONNECTIONS = 8
_BARE_EXECUTIONS = 200
_WARM_UP = 5  # orders
_PATIENCE_S = 300.0  # without any progress
_AFTER_PAYMENT = ("check_stock", "create_shipment", "notify:confirmation")
_AFTER_SCAN = ("update_shop_order", "issue_invoice", "archive_document", "notify:shipped")


@dataclass(frozen=True)
class Bare:
    """One slice of the empty workflow. cpu_s: of n8n, per execution."""

    per_second: float
    cpu_s: float


@dataclass(frozen=True)
class Round:
    """One burst between two slices of the empty workflow. cpu_s: by program, of the first part and
    of the second."""

    orders: int
    before: Bare
    between: Bare
    after: Bare
    requested_s: float  # until parcels were ordered and confirmations sent
    shipped_s: float  # the rest of the chain, from the first scan on
    cpu_s: dict[str, tuple[float, float]]

    @property
    def requested_share(self) -> float:
        """Orders per second as a share of what the empty workflow did before and after."""
        bare = (self.before.per_second + self.between.per_second) / 2
        return self.orders / self.requested_s / bare

    @property
    def complete_share(self) -> float:
        bare = (self.before.per_second + self.between.per_second + self.after.per_second) / 3
        return self.orders / (self.requested_s + self.shipped_s) / bare


@dataclass(frozen=True)
class ChainResult:
    rounds: list[Round]
    executions: dict[str, int]  # runs per workflow

    @property
    def requested_share(self) -> float:
        return median(one.requested_share for one in self.rounds)

    @property
    def complete_share(self) -> float:
        return median(one.complete_share for one in self.rounds)


def measure_chain(
    folder: Path, orders: int, rounds: int, say: Callable[[str], None]
) -> ChainResult:
    setup = find_project().fixtures / "setups" / "woocommerce-payment-invoice.yaml"
    world = World(folder / "world", ports=Ports.free(), say=say, setup=setup)
    try:
        world.start()
        return _measure(world, orders, rounds, say)
    finally:
        world.stop()


def _measure(world: World, orders: int, rounds: int, say: Callable[[str], None]) -> ChainResult:
    control = SandboxControl(world)
    control.send_straight()
    url = _publish_bare(world)
    _run_bare(world, url, 30)
    _burst(world, control, _WARM_UP, 1)  # opens connections, loads code
    done = _WARM_UP
    measured = []
    for number in range(rounds):
        measured.append(_round(world, control, url, orders, done, seed=number + 2))
        done += orders
        one = measured[-1]
        say(
            f"Round {number + 1} of {rounds}: empty workflow {one.before.per_second:.1f}/s, "
            f"parcels ordered after {one.requested_s:.1f} s, "
            f"all done after another {one.shipped_s:.1f} s"
        )
    _check(control)
    return ChainResult(measured, _executions(world))


def _round(
    world: World, control: SandboxControl, url: str, orders: int, done: int, *, seed: int
) -> Round:
    """done: orders that went the first part of the way before."""
    before = _run_bare(world, url, _BARE_EXECUTIONS)
    ids, deliveries = control.place_burst(orders, seed)
    cpu = [_cpu(world)]
    began = time.perf_counter()
    _send(world, deliveries)
    requested_s = _settled(world, control, began, done + orders, _AFTER_PAYMENT)
    cpu.append(_cpu(world))
    between = _run_bare(world, url, _BARE_EXECUTIONS)
    cpu.append(_cpu(world))
    began = time.perf_counter()
    for order_id in ids:
        control.do("scan", order_id=order_id, status="in_transit")
    # The few that warmed it up were never scanned.
    shipped_s = _settled(world, control, began, done - _WARM_UP + orders, _AFTER_SCAN)
    cpu.append(_cpu(world))
    after = _run_bare(world, url, _BARE_EXECUTIONS)
    parts = {name: (cpu[1][name] - cpu[0][name], cpu[3][name] - cpu[2][name]) for name in cpu[0]}
    return Round(orders, before, between, after, requested_s, shipped_s, parts)


def _cpu(world: World) -> dict[str, float]:
    pids = {"service": world.service.pid, "n8n": world.n8n.pid, "vendors": world.sandbox.pid}
    return {name: cpu_s(pid) for name, pid in pids.items()}


def _burst(world: World, control: SandboxControl, count: int, seed: int) -> None:
    _, deliveries = control.place_burst(count, seed)
    _send(world, deliveries)
    _settled(world, control, time.perf_counter(), count, _AFTER_PAYMENT)


def _send(world: World, deliveries: list[Delivery]) -> None:
    requests = [request_bytes(x.path, x.headers(), x.body) for x in deliveries]
    sent = send_all(requests, world.ports.service, CONNECTIONS)
    if set(sent.statuses) - {"200", "202"}:
        raise ProgramError(f"The service answered {sent.statuses}")


def _settled(
    world: World, control: SandboxControl, began: float, orders: int, kinds: tuple[str, ...]
) -> float:
    """Seconds from began until each kind was done for so many orders and nothing is left."""
    last: Any = None
    moved = time.perf_counter()
    while True:
        done, open_ones = _progress(world)
        webhooks = control.get("/webhooks")["deliveries"].get("due", 0)
        ended = time.perf_counter()
        if not open_ones and not webhooks and all(done[kind] >= orders for kind in kinds):
            return ended - began
        state = (done, open_ones, webhooks)
        if state != last:
            last, moved = state, ended
        elif ended - moved > _PATIENCE_S:
            raise ProgramError(f"Nothing moves any more. Done {dict(done)}, open {open_ones}")
        time.sleep(0.05)


def _progress(world: World) -> tuple[Counter[str], int]:
    """Actions done by kind, and how many more are due or under way, mails included.

    Read from the ledger's file: asking the service this often would cost what is measured."""
    path = world.database_url.removeprefix("sqlite:///")
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    now_us = time.time_ns() // 1000
    done: Counter[str] = Counter()
    rows = connection.execute("SELECT key, kind FROM actions WHERE state = 'done'")
    for key, kind in rows:
        notice = key.split(":")[2] if kind == "notify" else ""
        done[f"{kind}:{notice}" if notice else kind] += 1
    (due,) = connection.execute(
        "SELECT COUNT(*) FROM actions WHERE state = 'leased' "
        "OR (state = 'pending' AND not_before_us <= ?)",
        (now_us,),
    ).fetchone()
    (mails,) = connection.execute(
        "SELECT COUNT(*) FROM mails WHERE state IN ('stored', 'sending')"
    ).fetchone()
    connection.close()
    return done, due + mails


def _check(control: SandboxControl) -> None:
    """A fast chain that does things twice would be worth nothing."""
    doubled = {name: found for name, found in control.get("/state")["doubled"].items() if found}
    twice = {name: found for name, found in doubled.items() if any(found)}
    if any(doubled.get("mails", {}).values()) or set(twice) - {"mails"}:
        raise ProgramError(f"Effects happened twice: {doubled}")


def _publish_bare(world: World) -> str:
    """Publish Webhook -> NoOp and return the path of its webhook."""
    node = {"typeVersion": 1, "position": [0, 0]}
    hook = {"httpMethod": "POST", "path": "bare", "responseMode": "lastNode"}
    workflow = {
        "name": "Bare",
        "nodes": [
            {
                **node,
                "id": "hook",
                "name": "Webhook",
                "type": "n8n-nodes-base.webhook",
                "typeVersion": 2,
                "webhookId": "5f0c9f4e-0000-4000-8000-000000000001",
                "parameters": hook,
            },
            {**node, "id": "end", "name": "End", "type": "n8n-nodes-base.noOp", "parameters": {}},
        ],
        "connections": {"Webhook": {"main": [[{"node": "End", "type": "main", "index": 0}]]}},
        "settings": {"executionOrder": "v1"},
    }
    api = world.n8n.api
    created = httpx.post(
        f"{world.n8n_url}/api/v1/workflows",
        headers={"X-N8N-API-KEY": api.api_key},
        json=workflow,
        trust_env=False,
    ).raise_for_status()
    api.publish(created.json()["id"])
    world.n8n.wait_triggers([created.json()["id"]])
    return "/webhook/bare"


def _run_bare(world: World, path: str, count: int) -> Bare:
    """n8n answers when the last node has run, so each answer is a run."""
    headers = {"content-type": "application/json"}
    requests = [request_bytes(path, headers, b'{"order":%d}' % n) for n in range(count)]
    cpu = cpu_s(world.n8n.pid)
    sent = send_all(requests, world.ports.n8n, CONNECTIONS)
    if sent.statuses != {"200": count}:
        raise ProgramError(f"The empty workflow answered {sent.statuses}")
    return Bare(sent.per_second, (cpu_s(world.n8n.pid) - cpu) / count)


def _executions(world: World) -> dict[str, int]:
    names = {workflow["id"]: workflow["name"] for workflow in world.n8n.api.workflows()}
    counts = Counter(run["workflowId"] for run in world.n8n.api.executions())
    return {names.get(key, key): count for key, count in counts.most_common()}
