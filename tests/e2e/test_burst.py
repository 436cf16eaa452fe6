"""Two service replicas on one real PostgreSQL work off one burst: nobody gets an action twice.

Both push by themselves to the same subscriber, both are asked for leases by many threads at once.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from support.replicas import Replicas, process_behind

pytestmark = pytest.mark.postgres

ORDERS = 150  # paid: each waits for its stock check and its confirmation
STAGES = {"fulfillment": "check_stock", "customer": "notify"}
ACTIONS = ORDERS * len(STAGES)
# Small batches, many at a time: as many chances as possible to get in each other's way.
CROWDED = "{batch_max: 5, pushes_in_flight: 50, lease: 10m}"


@pytest.fixture
def replicas(tmp_path: Path, fresh_postgres_url: str) -> Iterator[Replicas]:
    started = Replicas(2, tmp_path, fresh_postgres_url, CROWDED)
    try:
        started.start()
        started.take_orders(ORDERS)
        yield started
    finally:
        started.stop()


class Subscriber:
    """Takes pushes over, notes every action and which replica sent it; never reports.

    It answers once every replica has sent something, or after nine seconds: a replica sends a
    stage's next batch when the one before has been answered, so neither can push all before the
    other wakes, which it does every second.
    """

    def __init__(self, pids: list[int]) -> None:
        self.keys: list[str] = []
        self.attempts: Counter[int] = Counter()
        self.senders: Counter[int | None] = Counter()
        self._pids = pids
        self._lock = threading.Lock()
        self._heard_all = threading.Event()
        subscriber = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                subscriber.take(json.loads(body), self.client_address[1])
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/push"

    def take(self, message: dict[str, object], client_port: int) -> None:
        actions = message["actions"]
        assert isinstance(actions, list)
        sender = process_behind(client_port, self._server.server_port, self._pids)
        with self._lock:
            self.keys.extend(action["key"] for action in actions)
            self.attempts.update(action["attempt"] for action in actions)
            self.senders[sender] += 1
            if set(self.senders) >= set(self._pids):
                self._heard_all.set()
        self._heard_all.wait(9)

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def test_two_replicas_push_each_action_once(replicas: Replicas) -> None:
    pids = [replica.child.pid for replica in replicas.all]
    subscriber = Subscriber(pids)
    try:
        for stage in STAGES:
            replicas.post(0, "/v1/subscriptions", {"url": subscriber.url, "stage": stage})
        deadline = time.monotonic() + 60
        while len(set(subscriber.keys)) < ACTIONS and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(3)  # more than one tick, in which a second push would come
    finally:
        subscriber.stop()
    assert len(set(subscriber.keys)) == ACTIONS
    assert [key for key, count in Counter(subscriber.keys).items() if count > 1] == []
    assert subscriber.attempts == {1: ACTIONS}
    # Otherwise nothing was proved: each replica had its share.
    assert set(subscriber.senders) == set(pids)


def test_racing_leases_never_share_an_action(replicas: Replicas) -> None:
    leased: list[list[str]] = []
    begin = threading.Barrier(16)

    def lease_until_empty(number: int) -> list[str]:
        found: list[str] = []
        stage = list(STAGES)[number // 2 % 2]
        begin.wait(30)
        empty = 0
        while empty < 2:  # an empty answer may only mean that others hold the rest just now
            batch = replicas.post(number, "/v1/actions/lease", {"stage": stage, "max": 3})
            found.extend(action["key"] for action in batch["actions"])
            empty = 0 if batch["actions"] else empty + 1
        return found

    with ThreadPoolExecutor(16) as pool:
        leased = list(pool.map(lease_until_empty, range(16)))
    keys = Counter(key for found in leased for key in found)
    assert [key for key, count in keys.items() if count > 1] == []
    kinds = Counter(key.partition(":")[0] for key in keys)
    assert kinds == dict.fromkeys(STAGES.values(), ORDERS)
    assert sum(bool(found) for found in leased) > 4, "too few threads got anything to race for"
