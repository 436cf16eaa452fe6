"""What every use case is given: setup, store, clock, adapters. Built once by `bootstrap`."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from kette.domain.decide import Assessment
from kette.domain.facts import ActionReported
from kette.domain.order import Order
from kette.domain.policy import Setup
from kette.domain.state import OrderFile
from kette.use_cases.ports import Clock, NewId, Store, Transaction

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

# (file, order id, neighbours' lookup) -> what the intake checks say
Assess = Callable[["Kernel", Transaction, str, OrderFile], Assessment]


class Kernel:
    """Shared by all use cases; holds no state of its own but the setup, which may be replaced."""

    def __init__(
        self,
        *,
        setup: Setup,
        store: Store,
        clock: Clock,
        new_id: NewId,
        assess: Assess,
        translate_report: Callable[[str, ActionReported], ActionReported],
        on_due: Callable[[set[str]], None],
        privacy_key: bytes,
        url: str = "",
    ) -> None:
        self.setup = setup
        self.store = store
        self.clock = clock
        self.new_id = new_id
        self.assess = assess
        self.translate_report = translate_report
        self.on_due = on_due  # told which stages have something new to do, after the commit
        self.url = url  # where people reach this service; links in mails to staff
        self.listeners: tuple[tuple[str, frozenset[str]], ...] = ()  # subscription id, events
        self._privacy_key = privacy_key

    def now(self) -> datetime:
        return self.clock.now()

    def customer_key(self, order: Order) -> str:
        """Keyed digest of the customer's mail address: finds their orders, tells nobody who it
        is."""
        mail = order.billing.email.strip().lower()
        if not mail:
            return ""
        return hmac.digest(self._privacy_key, mail.encode(), "sha256").hex()[:40]

    def announce(self, tx: Transaction, event: str, item: dict[str, Any], now: datetime) -> None:
        """Queue an event message for each subscriber, in the transaction that caused it."""
        tx.subscriptions.add_notices(
            [
                {
                    "id": self.new_id("ntc"),
                    "subscription_id": subscription_id,
                    "event": event,
                    "item": msgspec.json.encode(item).decode(),
                    "created_us": (now - _EPOCH) // _MICROSECOND,
                }
                for subscription_id, events in self.listeners
                if event in events
            ]
        )
