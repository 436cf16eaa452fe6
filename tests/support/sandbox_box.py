"""A sandbox for unit tests: a clock that stands still, webhooks caught in a list."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
from sandbox.clock import ManualClock
from sandbox.core import Config, Sandbox, create_app

START = datetime(2026, 11, 23, 20, 12, 53, tzinfo=UTC)
BECHER = {"basket": [{"sku": "BECHER-LT-01", "quantity": 3}, {"sku": "978-3-00-000001-1"}]}
BILLING = {
    "first_name": "Anke",
    "last_name": "Petersen",
    "address_1": "Hafenstr. 3",
    "city": "Hamburg",
    "state": "DE-HH",
    "postcode": "22767",
    "country": "DE",
    "email": "anke@example.org",
}


class Catcher:
    """Answers webhooks with the next of `answers`, or 202, and keeps the requests."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.answers: list[int] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return httpx.Response(self.answers.pop(0) if self.answers else 202)

    def topics(self) -> list[str]:
        return [request.headers.get("x-wc-webhook-topic", "") for request in self.requests]


class Box:
    def __init__(self) -> None:
        self.clock = ManualClock(START)
        self.caught = Catcher()
        self.config = Config().targets("http://service.test")
        hooks = httpx.AsyncClient(transport=httpx.MockTransport(self.caught))
        self.sandbox = Sandbox(self.config, now=self.clock.now, client=hooks)
        transport = httpx.ASGITransport(app=create_app(self.sandbox))  # type: ignore[arg-type]
        self.http = httpx.AsyncClient(transport=transport, base_url="http://sandbox.test")
        self.shop_auth = (self.config.woo_key, self.config.woo_secret)
        self.carrier_auth = (self.config.sendcloud_public, self.config.sendcloud_secret)

    def place(self, **wish: Any) -> int:
        placed = self.sandbox.actors.place({**BECHER, "billing": BILLING, **wish})
        return int(placed["id"])

    def paid(self) -> tuple[int, str]:
        """Order and payment."""
        order_id = self.place()
        return order_id, str(self.sandbox.actors.pay(order_id)["payment_intent"])

    async def shop(self, method: str, path: str, **more: Any) -> httpx.Response:
        url = f"/woocommerce/wp-json/wc/v3{path}"
        return await self.http.request(method, url, auth=self.shop_auth, **more)

    async def stripe(self, path: str, form: dict[str, str], key: str = "") -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.config.stripe_key}"}
        if key:
            headers["Idempotency-Key"] = key
        return await self.http.post(f"/stripe/v1{path}", data=form, headers=headers)

    async def carrier(self, method: str, path: str, **more: Any) -> httpx.Response:
        url = f"/sendcloud/api/v2{path}"
        return await self.http.request(method, url, auth=self.carrier_auth, **more)
