"""A shop of the sandbox as a pull meets it, without sockets: asks in, answers out."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kette.domain.order_ids import order_id_for
from kette.domain.policy import Setup
from kette.domain.pull_state import Step
from kette.domain.pulls import Answer, Ask, Purpose
from kette.setup_file import load_setup
from kette.use_cases.pull import Turn
from sandbox.core import Config, Sandbox, create_app
from starlette.testclient import TestClient

from support.service_box import ServiceBox

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
BASKET = [{"sku": "BECHER-LT-01", "quantity": 3}]
SYSTEMS = {"woocommerce": "woo-main", "shopify": "shopify-main", "shopware": "shopware-main"}
Carry = Callable[[Ask], Answer]


def three_shops() -> Setup:
    fixtures = Path(__file__).parents[2] / "fixtures"
    return load_setup(fixtures / "setups" / "three-shops.yaml", {})


class PulledShop:
    """The shop's clock is the service's. Nothing that happens in it sends a webhook here."""

    def __init__(self, box: ServiceBox, kind: str = "woocommerce") -> None:
        self.kind = kind
        self.system_id = SYSTEMS[kind]
        self.config = Config()
        self.sandbox = Sandbox(self.config, now=box.clock.now)
        target = f"http://n8n.test/webhook/kette/{self.system_id}"
        self.sandbox.webhooks.conduct[kind].target = target
        self._http = TestClient(create_app(self.sandbox), base_url="http://shop.test")
        self.asked: list[str] = []

    def place(self, **wish: Any) -> int | str:
        given = {"basket": BASKET, "billing": BILLING, **wish}
        placed = self.sandbox.actors.place(given, shop=self.kind)["id"]
        return placed if isinstance(placed, str) else int(placed)

    def place_many(self, count: int, **wish: Any) -> list[int | str]:
        return [
            self.place(billing={**BILLING, "email": f"kunde{n}@example.org"}, **wish)
            for n in range(count)
        ]

    def order_id(self, number: int | str) -> str:
        """The service's id of an order of this shop."""
        return order_id_for(self.system_id, str(number))

    def switch(self, topic: str, *, on: bool) -> None:
        self.sandbox.webhooks.subscriptions.switch(self.kind, on, topic)

    def __call__(self, ask: Ask) -> Answer:
        told = f"{ask.path} {json.dumps(ask.body)}" if ask.body else ask.path
        self.asked.append(told)
        got = self._http.request(
            ask.method, f"/{self.kind}{ask.path}", headers=self._auth(), json=ask.body
        )
        headers = {name.lower(): value for name, value in got.headers.items()}
        return Answer(got.status_code, headers, got.content)

    def _auth(self) -> dict[str, str]:
        config = self.config
        if self.kind == "shopify":
            return {"x-shopify-access-token": config.shopify_token}
        if self.kind == "shopware":
            form = {
                "grant_type": "client_credentials",
                "client_id": config.shopware_id,
                "client_secret": config.shopware_secret,
            }
            told = self._http.post("/shopware/api/oauth/token", json=form).json()
            return {"authorization": f"Bearer {told['access_token']}"}
        pair = f"{config.woo_key}:{config.woo_secret}"
        return {"authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def go_on(
    box: ServiceBox,
    turn: Turn,
    carry: Carry,
    purpose: Purpose = Purpose.CHANGES,
    system_id: str = "woo-main",
) -> Turn:
    """Carry a pull to the end of its turn, without waiting."""
    for _ in range(2000):
        if turn.step is not Step.ASK:
            return turn
        assert turn.ask is not None
        turn = box.service.pulling.hand_in(system_id, turn.pull_id, carry(turn.ask), purpose)
    raise AssertionError("the pull does not end")


def pull(box: ServiceBox, carry: Carry, system_id: str = "") -> Turn:
    system_id = system_id or getattr(carry, "system_id", "woo-main")
    turn = box.service.pulling.begin(system_id)
    return go_on(box, turn, carry, system_id=system_id)


def backfill(box: ServiceBox, carry: Carry, days: int = 30, system_id: str = "") -> Turn:
    system_id = system_id or getattr(carry, "system_id", "woo-main")
    pulling = box.service.pulling

    def begun() -> Turn:
        turn = pulling.begin_backfill(system_id, days)
        return go_on(box, turn, carry, Purpose.BACKFILL, system_id)

    turn = begun()
    while turn.step is Step.PAUSED:
        turn = begun()
    return turn


def with_rows(carry: Carry, change: Callable[[dict[str, Any]], Any]) -> Carry:
    """WooCommerce's pages of orders, with each row passed through change."""

    def carried(ask: Ask) -> Answer:
        answer = carry(ask)
        rows = json.loads(answer.body)
        if "/orders?" not in ask.path or not isinstance(rows, list):
            return answer
        return Answer(answer.status, answer.headers, json.dumps(list(map(change, rows))).encode())

    return carried
