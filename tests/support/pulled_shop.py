"""A sandbox's WooCommerce shop as a pull meets it, without sockets: asks in, answers out."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from kette.domain.pull_state import Step
from kette.domain.pulls import Answer, Ask, Purpose
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
Carry = Callable[[Ask], Answer]


class PulledShop:
    """The shop's clock is the service's. Nothing that happens in it sends a webhook here."""

    def __init__(self, box: ServiceBox, target: str = "http://n8n.test/webhook/kette/woo-main"):
        self.config = Config()
        self.sandbox = Sandbox(self.config, now=box.clock.now)
        self.sandbox.webhooks.conduct["woocommerce"].target = target
        self._http = TestClient(create_app(self.sandbox), base_url="http://shop.test")
        pair = f"{self.config.woo_key}:{self.config.woo_secret}"
        self._auth = {"authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
        self.asked: list[str] = []

    def place(self, **wish: Any) -> int:
        given = {"basket": [{"sku": "BECHER-LT-01", "quantity": 3}], "billing": BILLING}
        return int(self.sandbox.actors.place({**given, **wish})["id"])

    def place_many(self, count: int) -> list[int]:
        return [
            self.place(billing={**BILLING, "email": f"kunde{n}@example.org"}) for n in range(count)
        ]

    def __call__(self, ask: Ask) -> Answer:
        self.asked.append(ask.path)
        got = self._http.request(ask.method, f"/woocommerce{ask.path}", headers=self._auth)
        headers = {name.lower(): value for name, value in got.headers.items()}
        return Answer(got.status_code, headers, got.content)


def go_on(box: ServiceBox, turn: Turn, carry: Carry, purpose: Purpose = Purpose.CHANGES) -> Turn:
    """Carry a pull to the end of its turn, without waiting."""
    for _ in range(500):
        if turn.step is not Step.ASK:
            return turn
        assert turn.ask is not None
        turn = box.service.pulling.hand_in("woo-main", turn.pull_id, carry(turn.ask), purpose)
    raise AssertionError("the pull does not end")


def pull(box: ServiceBox, carry: Carry) -> Turn:
    return go_on(box, box.service.pulling.begin("woo-main"), carry)


def backfill(box: ServiceBox, carry: Carry, days: int = 30) -> Turn:
    pulling = box.service.pulling
    turn = go_on(box, pulling.begin_backfill("woo-main", days), carry, Purpose.BACKFILL)
    while turn.step is Step.PAUSED:
        turn = go_on(box, pulling.begin_backfill("woo-main", days), carry, Purpose.BACKFILL)
    return turn


def with_rows(carry: Carry, change: Callable[[dict[str, Any]], Any]) -> Carry:
    """The shop's pages of orders, with each row passed through change."""

    def carried(ask: Ask) -> Answer:
        answer = carry(ask)
        rows = json.loads(answer.body)
        if "/orders?" not in ask.path or not isinstance(rows, list):
            return answer
        return Answer(answer.status, answer.headers, json.dumps(list(map(change, rows))).encode())

    return carried
