"""A burst of orders in a world whose n8n and service are killed while they work on it.

Vendors do not give up: an event that got no 2xx comes again. Stripe and Sendcloud retry by
themselves; WooCommerce does not, there the shop's pull would fetch the order again. Both are played
here by sending the same event until it was taken.
"""

from __future__ import annotations

import json
import random
import re
import sqlite3
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx
from kette.n8n_runtime.world import World

from support.running_chain import RunningChain
from support.shop_burst import SYSTEMS, Delivery, SandboxControl

_PATIENCE_S = 240.0
_LOOK_EVERY_S = 0.02
# How often the sandbox repeats an event that was not taken, in seconds of pause.
_RETRIES_S = [1] * 600
_PORT = re.compile(r"\b127\.0\.0\.1:\d+")


@dataclass(frozen=True)
class Kill:
    """Kill victim as soon as `what` has reached `count`.

    what: "events" taken in by the service, or "effects" seen by vendors and customers."""

    victim: str
    what: str
    count: int


class EventSender:
    """Sends webhooks to the service from several connections, each until it gets a 2xx."""

    def __init__(self, world: World, deliveries: Sequence[Delivery], seed: int) -> None:
        dice = random.Random(seed)
        # Some come twice, as vendors do without being asked.
        self._queue = deque(
            copy for one in deliveries for copy in (one,) * (2 if dice.random() < 0.1 else 1)
        )
        self._url = world.service_url
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self.taken = 0
        self.refused = 0
        self.wrong: list[str] = []  # answers that no vendor may get
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(4)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join(30)

    @property
    def is_done(self) -> bool:
        return not any(thread.is_alive() for thread in self._threads)

    def _run(self) -> None:
        with httpx.Client(timeout=20, trust_env=False) as client:
            while not self._stopped.is_set():
                try:
                    delivery = self._queue.popleft()
                except IndexError:
                    return
                if self._send(client, delivery):
                    continue
                self._queue.append(delivery)
                time.sleep(0.2)

    def _send(self, client: httpx.Client, delivery: Delivery) -> bool:
        url = f"{self._url}{delivery.path}"
        try:
            answer = client.post(url, content=delivery.body, headers=delivery.headers())
        except httpx.TransportError:
            taken = False
        else:
            taken = answer.is_success
            if answer.is_client_error:
                self.wrong.append(f"{delivery.topic}: {answer.status_code} {answer.text[:200]}")
        with self._lock:
            self.taken += taken
            self.refused += not taken
        return taken


class Redelivery:
    """Sends again what the sandbox's shop gave up: it disables a webhook that failed too often."""

    def __init__(self, control: SandboxControl) -> None:
        self._control = control
        self._sent: set[int] = set()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        for vendor in SYSTEMS:
            control.conduct(vendor, retry_s=_RETRIES_S)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join(30)

    def open_count(self) -> int:
        """Events that nobody has taken yet."""
        return len(self._control.get("/deliveries", state="due")["deliveries"]) + len(self._lost())

    def _lost(self) -> list[dict[str, Any]]:
        return [
            row
            for state in ("disabled", "lost")
            for row in self._control.get("/deliveries", state=state)["deliveries"]
            if row["id"] not in self._sent
        ]

    def _run(self) -> None:
        while not self._stopped.wait(1.0):
            try:
                self._send_lost()
            except httpx.HTTPError as error:  # an overloaded machine; the next round comes soon
                print(f"redelivery: {error!r}")

    def _send_lost(self) -> None:
        self._control.post("/webhooks/enable")
        for row in self._lost():
            wanted = {"subjects": [row["subject"]], "topic": row["topic"]}
            answers = self._control.post(f"/webhooks/{row['vendor']}/resend", wanted)["answers"]
            if all(200 <= answer < 300 for answer in answers):
                self._sent.add(row["id"])


def failures_told(world: World) -> list[str]:
    """Every failed attempt, counted: "3 x notify, retryable: connect ECONNREFUSED"."""
    counts: Counter[tuple[str, bool, str]] = Counter()
    with closing(sqlite3.connect(world.folder / "kette.db")) as database:
        for (body,) in database.execute("SELECT body FROM fact_bodies WHERE body IS NOT NULL"):
            told = json.loads(body)
            if told["fact"] == "action_report" and not told["done"]:
                error = _PORT.sub("", told.get("error", ""))
                counts[told["kind"], told.get("retryable", True), error] += 1
    return [
        f"{count} x {kind}, {'retryable' if retryable else 'FINAL'}: {error[:200]}"
        for (kind, retryable, error), count in counts.most_common()
    ]


class KillStorm:
    """Watches how far the world is and kills parts of it at the given points."""

    def __init__(
        self, world: World, control: SandboxControl, redelivery: Redelivery, lease_s: float
    ) -> None:
        self._world = world
        self._chain = RunningChain(world)
        self._lease_s = lease_s
        self._control = control
        self._redelivery = redelivery
        self._n8n_is_starting = False
        self._began = time.monotonic()

    def effects(self) -> int:
        """How much vendors and customers have seen so far."""
        state = self._control.get("/state")
        finished = sum(state["order_status"].get(name, 0) for name in ("completed", "refunded"))
        return int(state["parcels"] + state["mails"] + state["refunds"] + finished)

    def live_through(self, kills: Sequence[Kill], sender: EventSender | None) -> None:
        """Kill at each point in turn, then wait until everything has settled."""
        for kill in kills:
            self._wait(partial(self._is_reached, kill, sender), str(kill))
            print(f"{self._age():.1f} s: {kill}")
            self._strike(kill.victim)
        if sender is not None:
            self._wait(lambda: sender.is_done, "every event is taken")
            assert sender.wrong == []
        self._finish_n8n_start()
        print(f"{self._age():.1f} s: everything runs, {self.effects()} effects so far")
        self.settle()
        print(f"{self._age():.1f} s: settled with {self.effects()} effects")

    def _age(self) -> float:
        return time.monotonic() - self._began

    def settle(self) -> None:
        quiet = 0
        deadline = time.monotonic() + _PATIENCE_S
        while quiet < 4:
            pending = self._pending()
            is_quiet = not any(pending.values())
            quiet = quiet + 1 if is_quiet else 0
            if time.monotonic() > deadline:
                raise AssertionError(f"The chain does not come to rest: {pending}")
            time.sleep(0.4)

    def _pending(self) -> dict[str, int]:
        headers = {"Authorization": f"Bearer {self._world.admin_key}"}
        url = f"{self._world.service_url}/v1/sandbox/pending"
        found = httpx.get(url, headers=headers, trust_env=False, timeout=20).json()
        # "scheduled" holds reminders of days to come; a retry is a matter of seconds.
        soon = {name: int(found[name]) for name in ("due", "leased", "mails")}
        return {**soon, "webhooks": self._redelivery.open_count(), "retries": self._retries()}

    def _retries(self) -> int:
        headers = {"Authorization": f"Bearer {self._world.admin_key}"}
        url = f"{self._world.service_url}/metrics"
        text = httpx.get(url, headers=headers, trust_env=False, timeout=20).text
        pending = [line for line in text.splitlines() if 'state="pending"' in line]
        return int(sum(float(line.rpartition(" ")[2]) for line in pending))

    def _is_reached(self, kill: Kill, sender: EventSender | None) -> bool:
        if kill.what == "events":
            assert sender is not None
            return sender.taken >= kill.count
        return self.effects() >= kill.count

    def _strike(self, victim: str) -> None:
        if victim == "n8n":
            self._finish_n8n_start()
            self._world.n8n.kill()
            # Nobody works on what is leased now. Waiting for it with short leases instead would let
            # two runs have one action whenever the machine is slow.
            self._chain.advance(self._lease_s + 1)
            self._world.n8n.launch()
            self._n8n_is_starting = True
            return
        self._world.service.kill()
        self._world.start_service()

    def _finish_n8n_start(self) -> None:
        if self._n8n_is_starting:
            self._world.n8n.wait_ready()
            self._n8n_is_starting = False

    def _wait(self, reached: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while not reached():
            if time.monotonic() > deadline:
                raise AssertionError(f"Not reached in {_PATIENCE_S:.0f} s: {what}")
            time.sleep(_LOOK_EVERY_S)
