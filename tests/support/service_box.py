"""A whole service for tests, on any database: ready setup, known secrets, a clock that stands
still until it is moved, signed deliveries of the recorded shop and of invented vendors' events."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from kette.api.service import Service
from kette.bootstrap import build
from kette.domain.order_ids import order_id_for
from kette.domain.policy import Setup
from kette.settings import Settings
from kette.setup_file import load_setup
from kette.use_cases.ingest import Ingested
from kette.use_cases.keys import create_key
from kette.use_cases.ports import ActionRow, ExceptionRow
from kette.use_cases.report import Report, ReportResult, report_actions

from support.vendor_deliveries import (
    VENDORS,
    WOO_SECRET,
    Recorded,
    stripe_signature,
    vendor_fixture,
    woo_signature,
)
from support.woo_orders import changed

SETUP_FILE = VENDORS.parent / "setups" / "woocommerce-payment-invoice.yaml"
STRIPE_SECRET = b"whsec_stripe_test"
SENDCLOUD_SECRET = b"sendcloud_test"
START = datetime(2026, 11, 23, 20, 30, tzinfo=UTC)
ENVIRON = {
    "KETTE_WOO_WEBHOOK_SECRET": WOO_SECRET.decode(),
    "KETTE_STRIPE_WEBHOOK_SECRET": STRIPE_SECRET.decode(),
    "KETTE_STRIPE_MODE": "test",
    "KETTE_SENDCLOUD_WEBHOOK_SECRET": SENDCLOUD_SECRET.decode(),
}
Headers = dict[str, str]


class Hand:
    """The clock of a test: it stands where it was put."""

    def __init__(self, at: datetime = START) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def move(self, **by: float) -> None:
        self.at += timedelta(**by)


class ServiceBox:
    """The use cases of a real service, without HTTP."""

    def __init__(
        self,
        database: str,
        *,
        setup: Setup | None = None,
        environ: Mapping[str, str] = ENVIRON,
        settings: Mapping[str, Any] | None = None,
        own_clock: bool = True,
    ) -> None:
        self.clock = Hand()
        self.setup = setup or ready_setup()
        options: dict[str, Any] = {"database": database, "push": False, **(settings or {})}
        self.service: Service = build(
            Settings(**options),
            self.setup,
            environ=environ,
            clock=self.clock if own_clock else None,
        )
        self.kernel = self.service.kernel

    def close(self) -> None:
        self.service.database.dispose()

    # --- in ------------------------------------------------------------------------------------

    def woo(self, body: Any, topic: str = "order.updated", delivery: str = "d1") -> Ingested:
        raw, headers = woo_request(body, topic, delivery)
        return self.service.ingest("woo-main", headers, raw)

    def recorded(self, row: Recorded) -> Ingested:
        headers = {name.lower(): value for name, value in row.headers.items()}
        return self.service.ingest("woo-main", headers, row.raw_body.encode())

    def stripe(self, event: Any) -> Ingested:
        raw, headers = stripe_request(event)
        return self.service.ingest("stripe-main", headers, raw)

    def stripe_at(self, event: Any) -> Ingested:
        """The event as it is sent now, not when the test began."""
        raw, headers = stripe_request(event, self.clock.at)
        return self.service.ingest("stripe-main", headers, raw)

    def paid_order(self, number: int = 102, **fields: Any) -> str:
        """An order that is paid at the provider; returns its id."""
        answer = self.woo(card_order(number, **fields))
        self.stripe(paid_event(number))
        assert answer.order_id is not None
        return answer.order_id

    # --- work ----------------------------------------------------------------------------------

    def lease(self, stage: str, **more: Any) -> list[dict[str, Any]]:
        return list(self.service.lease(stage, **more).actions)

    def report(self, key: str, done: bool = True, **more: Any) -> ReportResult:
        (result,) = report_actions(self.kernel, [Report(key, done, **more)])
        return result

    def do(self, stage: str, **answers: Any) -> list[str]:
        """Lease all of a stage and report it done, with answers by kind."""
        actions = self.lease(stage)
        for action in actions:
            self.report(action["key"], **answers.get(action["kind"], {}))
        return [action["key"] for action in actions]

    # --- look ----------------------------------------------------------------------------------

    def statuses(self, order_id: str) -> dict[str, str]:
        with self.kernel.store.read() as tx:
            row = tx.orders.get(order_id)
        assert row is not None
        return row.statuses

    def actions(self, order_id: str | None = None) -> dict[str, ActionRow]:
        with self.kernel.store.read() as tx:
            rows = tx.outbox.of_order(order_id) if order_id else tx.outbox.find(limit=100_000)
        return {row.key: row for row in rows}

    def action(self, key: str) -> ActionRow:
        with self.kernel.store.read() as tx:
            return tx.outbox.get([key])[key]

    def exceptions(self, status: str = "open") -> dict[str, ExceptionRow]:
        with self.kernel.store.read() as tx:
            rows, _ = tx.exceptions.find(status=status, limit=100_000)
        return {row.key: row for row in rows}

    def fact_count(self, order_id: str) -> int:
        with self.kernel.store.read() as tx:
            return len(tx.facts.load(tx.facts.streams_of(order_id)))

    def key(self, role: str = "admin") -> str:
        return create_key(self.kernel.store, self.kernel.new_id, role, role, self.clock.at)


def ready_setup(**sections: Mapping[str, Any]) -> Setup:
    """The setup that ships with the project; sections replace some of its values."""
    setup = load_setup(SETUP_FILE, ENVIRON)
    changes = {
        name: msgspec.structs.replace(getattr(setup, name), **values)
        for name, values in sections.items()
    }
    return msgspec.structs.replace(setup, **changes)


def sqlite_url(folder: Path) -> str:
    return f"sqlite:///{folder / 'kette.db'}"


def woo_id(number: int) -> str:
    return order_id_for("woo-main", str(number))


# --- requests ------------------------------------------------------------------------------------


def woo_request(
    body: Any, topic: str = "order.updated", delivery: str = "d1", secret: bytes = WOO_SECRET
) -> tuple[bytes, Headers]:
    raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    return raw, {
        "content-type": "application/json",
        "x-wc-webhook-topic": topic,
        "x-wc-webhook-delivery-id": delivery,
        "x-wc-webhook-signature": woo_signature(secret, raw),
    }


def stripe_request(event: Any, at: datetime | None = None) -> tuple[bytes, Headers]:
    raw = event if isinstance(event, bytes) else json.dumps(event).encode()
    unix_s = int((at or START).timestamp())
    signature = stripe_signature(STRIPE_SECRET, raw, unix_s)
    return raw, {
        "content-type": "application/json",
        "stripe-signature": f"t={unix_s},v1={signature}",
    }


def card_order(number: int = 102, **fields: Any) -> dict[str, Any]:
    """A recorded order under another number, to be paid by card."""
    values = {
        "id": number,
        "number": str(number),
        "order_key": f"wc_order_{number}",
        "payment_method": "stripe",
        "payment_method_title": "Card",
        "transaction_id": "",
        "date_paid": None,
        "date_paid_gmt": None,
        "status": "processing",
        **fields,
    }
    return changed(**values)


def paid_event(number: int = 102, name: str = "payment_intent_succeeded", **more: Any) -> Any:
    """A Stripe event about the order's payment pi_<number>."""
    event = vendor_fixture("stripe", name)
    told = event["data"]["object"]
    told |= {
        "id": f"pi_{number}",
        "latest_charge": f"ch_{number}",
        "metadata": {"order_id": str(number), "order_key": f"wc_order_{number}"},
        **more,
    }
    event["id"] = f"evt_{name}_{number}_{len(more)}"
    return event
