"""Several service processes on one PostgreSQL, as a merchant runs them for more throughput."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
from kette.n8n_runtime.child import Child, free_port
from sandbox.core import Config
from sandbox.feed import PreparedRequest, prepare

ESTABLISHED = "01"  # in /proc/net/tcp
_SETUP = Path(__file__).parents[2] / "fixtures" / "setups" / "woocommerce-payment-invoice.yaml"


class Replica:
    def __init__(self, name: str, folder: Path, database_url: str, setup: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        accounts = Config()
        environ = {
            "KETTE_PRIVACY_KEY": "0" * 32,
            "KETTE_STRIPE_MODE": "live",
            "KETTE_WOO_WEBHOOK_SECRET": accounts.woo_hook_secret,
            "KETTE_STRIPE_WEBHOOK_SECRET": accounts.stripe_hook_secret,
            "KETTE_SENDCLOUD_WEBHOOK_SECRET": accounts.sendcloud_secret,
        }
        command = [
            *(kette(), "serve", "--setup", str(setup)),
            *("--database", database_url, "--port", str(self.port)),
        ]
        self.child = Child(
            name, command, cwd=folder, env={**os.environ, **environ}, log=folder / f"{name}.log"
        )

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", trust_env=False, timeout=5).is_success
        except httpx.TransportError:
            return False


class Replicas:
    """start() begins all at the same moment: they migrate the empty database side by side."""

    def __init__(self, count: int, folder: Path, database_url: str, actions: str) -> None:
        self._database_url = database_url
        setup = folder / "setup.yaml"
        setup.write_text(f"{_SETUP.read_text('utf-8')}\nactions: {actions}\n", "utf-8")
        self.all = [Replica(f"replica-{n}", folder, database_url, setup) for n in range(count)]
        self._headers: dict[str, str] = {}
        self._client = httpx.Client(trust_env=False, timeout=30)

    def start(self) -> None:
        for replica in self.all:
            replica.child.start()
        for replica in self.all:
            replica.child.wait_until(replica.is_ready, "it was ready", 60)
        command = [kette(), "keys", "create", "--role", "admin", "--database", self._database_url]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        key = re.search(r"kette_\S+", told)
        assert key is not None
        self._headers = {"Authorization": f"Bearer {key[0]}"}

    def stop(self) -> None:
        for replica in self.all:
            replica.child.stop()

    def post(self, number: int, path: str, body: dict[str, Any]) -> Any:
        """Call one of the replicas."""
        url = f"{self.all[number % len(self.all)].url}{path}"
        return self._client.post(url, json=body, headers=self._headers).raise_for_status().json()

    def take_orders(self, count: int) -> None:
        """Hand in paid orders, each event to another replica."""
        requests = [request for order in prepare(count) for request in order.requests]
        with ThreadPoolExecutor(8) as pool:
            for answer in pool.map(self._hand_in, range(len(requests)), requests):
                assert answer.is_success, answer.text

    def _hand_in(self, number: int, request: PreparedRequest) -> httpx.Response:
        url = request.url(self.all[number % len(self.all)].url)
        return self._client.post(url, content=request.body, headers=request.headers())


def kette() -> str:
    """The command of the environment that runs the tests."""
    return str(Path(sys.executable).with_name("kette"))


def process_behind(client_port: int, server_port: int, pids: Sequence[int]) -> int | None:
    """Return which of the processes holds the other end of a connection that reached us."""
    inode = None
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, state, *_, held_as = line.split()[:10]
        # The system lends one port to several connections, as long as they lead elsewhere.
        ports = int(local.partition(":")[2], 16), int(remote.partition(":")[2], 16)
        if state == ESTABLISHED and ports == (client_port, server_port):
            inode = held_as
    for pid in pids:
        for file in Path(f"/proc/{pid}/fd").iterdir():
            try:
                if os.readlink(file) == f"socket:[{inode}]":
                    return pid
            except FileNotFoundError:
                continue
    return None
