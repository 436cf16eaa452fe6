"""What every use case is given: setup, store, clock, adapters. Built once by `bootstrap`."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from typing import Any

import msgspec

from kette.domain.decide import Assessment
from kette.domain.duplicates import Fingerprint, fingerprint
from kette.domain.facts import ActionReported
from kette.domain.order import Order
from kette.domain.policy import Setup
from kette.domain.risk_links import OrderKeys, links_of
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
        pulled_kinds: frozenset[str] = frozenset(),
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
        # The same few values come again with every event of an order.
        self._digest = lru_cache(maxsize=8192)(partial(_digest, privacy_key))
        self.pulled_kinds = pulled_kinds  # of systems that can be pulled
        # Per system: orders placed before are the past, if nobody has told of them yet.
        self.cutovers: dict[str, datetime] = {}
        self.heard: dict[str, datetime] = {}  # when a system last sent something
        # Since when this process could have heard a system; silence before is our own.
        self.awake_since = clock.now()

    def now(self) -> datetime:
        return self.clock.now()

    def keys_of(self, order: Order, file: OrderFile) -> OrderKeys:
        """Keyed digests of customer, delivery address and card: they find other orders, and tell
        nobody whose they are."""
        links = links_of(order, file.delivery_address, file.payments)
        return OrderKeys(
            customer=self._digest(links.mail),
            address=self._digest(links.place),
            card=self._digest(links.card),
        )

    def fingerprint_of(self, order: Order) -> Fingerprint:
        """What of an order is kept to find its repetitions; keyed like the keys above."""
        return fingerprint(order, self._privacy_key)

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


def _digest(privacy_key: bytes, value: str) -> str:
    if not value:
        return ""
    return hmac.digest(privacy_key, value.encode("utf-8", "surrogatepass"), "sha256").hex()[:40]
