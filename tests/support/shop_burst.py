"""Many paid orders at once, for load and kill tests.

The sandbox places and pays the orders but keeps their webhooks back; they are fetched here and sent
by the test itself, as fast and as often as it wants to. What the vendors say later (parcels, shop
updates) the sandbox sends by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
from kette.n8n_runtime.world import World
from sandbox.signing import vendor_headers

SYSTEMS = {"woocommerce": "woo-main", "stripe": "stripe-main", "sendcloud": "sendcloud-main"}


@dataclass(frozen=True)
class Delivery:
    """One webhook of a vendor, not sent yet."""

    vendor: str
    topic: str
    subject: str
    body: bytes
    secret: str
    source: str

    @property
    def path(self) -> str:
        return f"/v1/events/{SYSTEMS[self.vendor]}"

    def headers(self) -> dict[str, str]:
        """Signed for this moment: Stripe's signature is good for five minutes."""
        now = datetime.now(UTC)
        return vendor_headers(self.vendor, self.topic, self.secret, self.body, now, self.source)


class SandboxControl:
    """The sandbox's control interface, blocking."""

    def __init__(self, world: World) -> None:
        self._world = world
        base = f"{world.sandbox_url}/_control"
        self._client = httpx.Client(base_url=base, timeout=60, trust_env=False)

    def close(self) -> None:
        self._client.close()

    def get(self, path: str, **query: str) -> Any:
        return self._client.get(path, params=query).raise_for_status().json()

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        return self._client.post(path, json=body or {}).raise_for_status().json()

    def do(self, verb: str, **parameters: Any) -> Any:
        return self.post(f"/do/{verb}", parameters)

    def conduct(self, vendor: str, **changes: Any) -> None:
        """How a vendor sends its webhooks from now on."""
        self.post(f"/webhooks/{vendor}", changes)

    def send_straight(self) -> None:
        """Let all vendors send to the service itself instead of to n8n's entry workflows."""
        for vendor, system in SYSTEMS.items():
            self.conduct(vendor, target=f"{self._world.service_url}/v1/events/{system}")

    def place_burst(self, count: int, seed: int) -> tuple[list[int], list[Delivery]]:
        """Place and pay different orders; returns their numbers in the shop and the webhooks."""
        for vendor in ("woocommerce", "stripe"):
            self.conduct(vendor, hold=True)
        known = {row["id"] for row in self.get("/deliveries", state="held")["deliveries"]}
        order_ids = self.do("place_many", count=count, seed=seed)["order_ids"]
        secrets = self._world.secrets
        of_vendor = {"woocommerce": secrets.woo_hook_secret, "stripe": secrets.stripe_hook_secret}
        found = [
            Delivery(
                row["vendor"],
                row["topic"],
                row["subject"],
                row["body"].encode(),
                of_vendor[row["vendor"]],
                f"{self._world.sandbox_url}/woocommerce",
            )
            for row in self.get("/deliveries", state="held")["deliveries"]
            if row["id"] not in known
        ]
        for vendor in ("woocommerce", "stripe"):
            self.conduct(vendor, hold=False)
        return order_ids, found
