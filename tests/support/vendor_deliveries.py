"""Deliveries of vendors for tests: the recorded ones, and ways to make and sign others."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from kette.adapters.vendors.base import Delivery
from kette.domain.policy import System

VENDORS = Path(__file__).parents[2] / "fixtures" / "vendors"
WOO_SECRET = b"whsec_test_nordlicht_2026"  # of the recorded test shop
NOW = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)

WOO = System(id="woo-main", kind="woocommerce", role="shop")
STRIPE = System(
    id="stripe-main",
    kind="stripe",
    role="payment",
    serves=("woo-main",),
    options={"mode": "test"},
)
SENDCLOUD = System(id="sendcloud-main", kind="sendcloud", role="carrier", serves=("woo-main",))


class Recorded(msgspec.Struct, frozen=True):
    """One line of fixtures/vendors/woocommerce/deliveries.jsonl."""

    file: str
    scenario: str
    step: str
    received_at: datetime
    headers: dict[str, str]
    raw_body: str

    @property
    def topic(self) -> str:
        return self.headers.get("X-WC-Webhook-Topic", "ping")

    @property
    def delivery(self) -> Delivery:
        headers = {name.lower(): value for name, value in self.headers.items()}
        return Delivery(WOO, headers, self.raw_body.encode(), self.received_at)

    @property
    def body(self) -> Any:
        return json.loads(self.raw_body)


@cache
def recorded() -> tuple[Recorded, ...]:
    """All 274 deliveries of the recorded shop, in order of arrival."""
    raw = (VENDORS / "woocommerce" / "deliveries.jsonl").read_bytes()
    # Not splitlines(): bodies may hold other characters that count as line ends.
    return tuple(
        msgspec.json.decode(line, type=Recorded) for line in raw.split(b"\n") if line.strip()
    )


def recorded_step(scenario: str, step: str, topic: str = "order.updated") -> Recorded:
    """The last delivery of one step of a recorded scenario."""
    return [
        row for row in recorded() if (row.scenario, row.step, row.topic) == (scenario, step, topic)
    ][-1]


@cache
def expected_sums() -> dict[str, dict[str, Any]]:
    """Per scenario, the sums that were computed from the shop's own figures."""
    told = json.loads((VENDORS / "woocommerce" / "expected.json").read_text("utf-8"))
    return {name: sums for name, sums in told.items() if "per_rate" in sums}


def woo_delivery(
    body: Any, topic: str = "order.updated", system: System = WOO, **headers: str
) -> Delivery:
    """An unsigned delivery of a shop; body may be bytes or anything that JSON can say."""
    raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    return Delivery(system, {"x-wc-webhook-topic": topic, **headers}, raw, NOW)


def plain_delivery(system: System, body: Any, headers: Mapping[str, str] | None = None) -> Delivery:
    raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    return Delivery(system, headers or {}, raw, NOW)


def woo_signature(secret: bytes, body: bytes) -> str:
    return base64.b64encode(hmac.new(secret, body, hashlib.sha256).digest()).decode()


def stripe_signature(secret: bytes, body: bytes, at: int) -> str:
    signed = str(at).encode() + b"." + body
    return hmac.new(secret, signed, hashlib.sha256).hexdigest()


def vendor_fixture(vendor: str, name: str) -> Any:
    return json.loads((VENDORS / vendor / f"{name}.json").read_text("utf-8"))
