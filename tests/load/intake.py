"""Events per second into the service, beside an echo endpoint and with ledgers of two sizes.

Everything runs at the same time and takes turns slice by slice with the same orders, so that what
else happens on the machine meets all alike. Figures compare the slices of one round; the median of
all rounds counts.
"""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import httpx
from kette.n8n_runtime.child import Child, free_port
from ledger import Ledgers, count_orders
from machine import cpu_s
from sender import Sender, Sent

CONNECTIONS = 8
EVENTS = "/v1/events/woo-main"
_WARM_UP = 300


@dataclass(frozen=True)
class Plan:
    """sizes: orders in each ledger at the start; the first is the smallest."""

    sizes: tuple[int, ...]
    rounds: int
    per_slice: int
    one_basket: bool = False


@dataclass
class Lane:
    """One server and what was measured at it."""

    name: str
    child: Child
    port: int
    path: str
    slices: list[Sent] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        return median(one.per_second for one in self.slices)

    @property
    def cpu_ms_each(self) -> float:
        return median(self.cpu_ms)

    def latency_ms(self, share: float) -> float:
        latencies = sorted(x for one in self.slices for x in one.latencies_ms)
        return latencies[min(int(len(latencies) * share), len(latencies) - 1)]

    def run(self, sender: Sender, count: int) -> None:
        before = cpu_s(self.child.pid)
        sent = sender.send(self.port, self.path, CONNECTIONS)
        expected = "202" if self.path == EVENTS else "200"
        if sent.statuses != {expected: count}:
            raise RuntimeError(f"{self.name} answered {sent.statuses}, not {expected} each")
        self.cpu_ms.append((cpu_s(self.child.pid) - before) * 1000 / count)
        self.slices.append(sent)


@dataclass(frozen=True)
class IntakeResult:
    echo: Lane
    services: list[Lane]
    sender_busy: float  # share of the time that the sender computed while it measured echo

    def ratio(self, lane: Lane, to: Lane) -> float:
        """Median over the rounds of lane's speed as a share of to's."""
        pairs = zip(lane.slices, to.slices, strict=True)
        return median(mine.per_second / other.per_second for mine, other in pairs)


def measure_intake(
    project: Path, setup: Path, folder: Path, plan: Plan, say: Callable[[str], None]
) -> IntakeResult:
    environ = {
        "KETTE_SANDBOX_CLOCK": "1",
        "KETTE_PRIVACY_KEY": "0" * 32,  # the filled ledgers are used again
        "KETTE_WOO_WEBHOOK_SECRET": "whsec_" + "b" * 32,
        "KETTE_STRIPE_WEBHOOK_SECRET": secrets.token_hex(16),
        "KETTE_SENDCLOUD_WEBHOOK_SECRET": secrets.token_hex(16),
    }
    ledgers = Ledgers(project, setup, environ)
    with ExitStack() as stack:
        echo = _start_echo(folder)
        stack.callback(echo.child.stop)
        services = []
        for size in plan.sizes:
            database = folder / f"ledger-{size}.db"
            ledgers.copy(size, database)
            lane = _start_service(folder, setup, database, size, environ)
            stack.callback(lane.child.stop)
            services.append(lane)
        secret = environ["KETTE_WOO_WEBHOOK_SECRET"]
        sender = Sender(project, secret, one_basket=plan.one_basket)
        stack.callback(sender.stop)
        sent = _run_rounds([echo, *services], sender, plan, say)
        for lane, size in zip(services, plan.sizes, strict=True):
            stored = count_orders(folder / f"ledger-{size}.db") - size
            if stored != sent:
                raise RuntimeError(f"{lane.name}: {sent} orders were answered, {stored} stored")
    busy = sum(one.cpu_s for one in echo.slices) / sum(one.seconds for one in echo.slices)
    return IntakeResult(echo, services, busy)


def _run_rounds(lanes: list[Lane], sender: Sender, plan: Plan, say: Callable[[str], None]) -> int:
    """Returns how many different orders each lane got."""
    first = max(plan.sizes)
    sender.prepare(first, _WARM_UP)
    for lane in lanes:
        sender.send(lane.port, lane.path, CONNECTIONS)
    first += _WARM_UP
    for number in range(plan.rounds):
        sender.prepare(first, plan.per_slice)
        first += plan.per_slice
        # Each lane is first, second, ... equally often.
        turn = number % len(lanes)
        for lane in [*lanes[turn:], *lanes[:turn]]:
            lane.run(sender, plan.per_slice)
        rates = ", ".join(f"{x.name} {x.slices[-1].per_second:,.0f}/s" for x in lanes)
        say(f"Round {number + 1} of {plan.rounds}: {rates}")
    return first - max(plan.sizes)


def _start_echo(folder: Path) -> Lane:
    port = free_port()
    command = [sys.executable, str(Path(__file__).with_name("echo.py")), str(port)]
    return _started(Lane("echo", _child("echo", command, folder, {}), port, "/echo"))


def _start_service(
    folder: Path, setup: Path, database: Path, size: int, environ: dict[str, str]
) -> Lane:
    port = free_port()
    name = f"{size:,} orders"
    command = [
        str(Path(sys.executable).with_name("kette")),
        "serve",
        *("--setup", str(setup), "--database", f"sqlite:///{database}", "--port", str(port)),
    ]
    child = _child(f"service-{size}", command, folder, environ)
    return _started(Lane(name, child, port, EVENTS))


def _child(name: str, command: list[str], folder: Path, environ: dict[str, str]) -> Child:
    return Child(
        name, command, cwd=folder, env={**os.environ, **environ}, log=folder / f"{name}.log"
    )


def _started(lane: Lane) -> Lane:
    lane.child.start()
    lane.child.wait_until(lambda: _is_ready(lane.port), "it was ready", 60)
    return lane


def _is_ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz", trust_env=False).is_success
    except httpx.TransportError:
        return False
