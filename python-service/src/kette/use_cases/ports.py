"""What the use cases need from the outside, as small Protocols. `bootstrap` passes the real
ones in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any, Protocol

import msgspec

from kette.domain.facts import Fact, FactBody, FactDraft, Ref
from kette.domain.pull_state import PullState
from kette.domain.pulls import Purpose
from kette.domain.risk_links import OrderKeys
from kette.domain.status import Statuses


class Clock(Protocol):
    def now(self) -> datetime:
        """The current instant, aware, UTC."""


class OrderRow(msgspec.Struct, frozen=True):
    """An order as the list of orders shows it."""

    id: str
    channel: str
    external_id: str
    number: str
    placed_at: datetime | None
    statuses: dict[str, str]
    currency: str
    total_minor: int
    customer_key: str
    comparison: str
    due_at: datetime | None
    created_at: datetime
    updated_at: datetime


class ActionRow(msgspec.Struct, frozen=True):
    key: str
    order_id: str | None
    kind: str
    stage: str
    state: str
    payload: dict[str, Any]
    reasons: list[str]
    attempt: int
    created_at: datetime
    not_before: datetime
    lease_id: str | None
    leased_until: datetime | None
    finished_at: datetime | None
    reference: str
    last_error: str


class ExceptionRow(msgspec.Struct, frozen=True):
    id: str
    key: str
    order_id: str | None
    kind: str
    origin: str
    status: str
    summary: str
    context: dict[str, Any]
    suggestion: str
    blocking: bool
    owner: str
    opened_at: datetime
    due_at: datetime
    snoozed_until: datetime | None
    closed_at: datetime | None
    resolution: str
    openings: int  # how often it became a case; more than 1: it was over in between


class DecisionRow(msgspec.Struct, frozen=True):
    id: str
    decided_at: datetime
    cause: str
    setup_version: str
    outcome: dict[str, Any]


class StreamFact(msgspec.Struct, frozen=True):
    """A fact with its place in its stream's chain."""

    fact: Fact
    stream: str
    seq: int
    hash: str


class ChainEnd(msgspec.Struct, frozen=True):
    """Number and hash of the last fact of an order's own stream; `kette audit verify` misses a fact
    that was cut off by it."""

    seq: int = 0
    hash: str = ""


class Founding(msgspec.Struct, frozen=True):
    """The shop's own name of an order that nothing was known of."""

    channel: str
    external_id: str


class Place(msgspec.Struct, frozen=True):
    """Where an order stands in the sequence of its shop's orders."""

    placed_at: datetime
    external_id: str


class Twin(msgspec.Struct, frozen=True):
    """Another order with the same basket and customer, for the duplicate check."""

    order_id: str
    comparison: str


class RelatedOrder(msgspec.Struct, frozen=True):
    """Another order with a key in common, for the risk signals."""

    order_id: str
    placed_at: datetime
    payment_status: str


class Related(msgspec.Struct, frozen=True):
    """Newest first. customer: also later orders; address and card: placed before or at the same
    time."""

    customer: tuple[RelatedOrder, ...] = ()
    address: tuple[RelatedOrder, ...] = ()
    card: tuple[RelatedOrder, ...] = ()


class Facts(Protocol):
    """The ledger within one transaction."""

    def save_delivery(
        self, delivery_id: str, system_id: str, headers: str, body: bytes, received_at: datetime
    ) -> bool:
        """Keep the raw request. False: the same bytes are kept already."""

    def is_delivered(self, system_id: str, headers: str, body: bytes) -> bool:
        """Is exactly this request kept already?"""

    def orders_of(self, refs: Sequence[Ref]) -> dict[tuple[str, str], str]: ...
    def add_refs(self, refs: Iterable[Ref], order_id: str) -> None: ...
    def adopt(self, group: str, order_id: str) -> None:
        """Let all names of a group lead to an order (or another group)."""

    def streams_of(self, order_id: str) -> list[str]: ...

    has_other_writers: bool  # several transactions may write at a time: locks are needed

    def lock_order(self, order_id: str) -> None:
        """Keep other writers of this order (or name) out until the transaction ends."""

    def load(self, streams: Sequence[str]) -> list[StreamFact]: ...
    def tail(self, stream: str) -> tuple[int, str]:
        """Number and hash of a stream's last fact; (0, "") for none."""

    def known(self, source: str, external_ids: Sequence[str]) -> dict[str, str]:
        """Which of the external ids are recorded already -> fact id."""

    def append(
        self,
        stream: str,
        source: str,
        drafts: Sequence[FactDraft],
        seq: int,
        prev_hash: str,
        recorded_at: datetime,
    ) -> list[StreamFact]: ...


class Orders(Protocol):
    def get(self, order_id: str) -> OrderRow | None: ...
    def insert(
        self,
        order_id: str,
        place: Founding,
        statuses: Statuses,
        due_at: datetime | None,
        now: datetime,
        end: ChainEnd,
        snapshot: dict[str, Any] | None,
    ) -> None: ...
    def update(
        self,
        order_id: str,
        statuses: Statuses,
        due_at: datetime | None,
        now: datetime,
        end: ChainEnd,
        snapshot: dict[str, Any] | None,
    ) -> None: ...
    def add_twin_keys(self, order_id: str, keys: Sequence[str], placed_at: datetime) -> None: ...
    def twins(
        self, keys: Sequence[str], own: Place, window: timedelta
    ) -> tuple[list[Twin], list[Twin]]:
        """Orders under one of the keys that were placed before, and those after; first of all
        first, up to 10 each."""

    def related(self, keys: OrderKeys, placed_at: datetime, but: str) -> Related:
        """Orders that share a key: the customer's newest 100, 20 each by address and card."""

    def totals_before(self, before: datetime, limit: int) -> list[tuple[str, str, int]]:
        """Channel, currency and total in minor units of the newest orders that were recorded
        before."""

    def due(self, now: datetime, limit: int) -> list[str]: ...
    def postpone(self, order_id: str, until: datetime) -> None:
        """Look at the order again then and not before."""

    def ids(self, after: str, limit: int) -> list[str]: ...
    def find(self, **filters: Any) -> tuple[list[OrderRow], str | None]: ...


class Outbox(Protocol):
    def of_order(self, order_id: str) -> list[ActionRow]: ...
    def get(self, keys: Sequence[str]) -> dict[str, ActionRow]: ...
    def insert(self, rows: Sequence[dict[str, Any]]) -> None: ...
    def update(self, key: str, **values: Any) -> None: ...
    def lease(
        self,
        stage: str,
        kinds: Sequence[str],
        limit: int,
        lease_id: str,
        now: datetime,
        until: datetime,
    ) -> list[ActionRow]: ...
    def release(self, lease_id: str, not_before: datetime) -> list[str]:
        """Give back a lease that was never handed over: the attempt does not count. Returns the
        orders concerned."""

    def withdraw(self, keys: Sequence[str], now: datetime) -> list[str]:
        """Withdraw those that nobody has leased; returns which these were."""

    def expired(self, now: datetime, limit: int) -> list[ActionRow]: ...
    def leases_in_flight(self, stage: str, now: datetime) -> int: ...
    def due_stages(self, now: datetime) -> dict[str, int]: ...
    def counts(self, now: datetime) -> dict[str, int]: ...
    def find(self, **filters: Any) -> list[ActionRow]: ...
    def by_state(self) -> dict[tuple[str, str], int]: ...


class Exceptions(Protocol):
    def of_order(self, order_id: str) -> list[ExceptionRow]: ...
    def get(self, exception_id: str) -> ExceptionRow | None: ...
    def by_key(self, key: str) -> ExceptionRow | None: ...
    def insert(self, row: dict[str, Any]) -> None: ...
    def update(self, exception_id: str, **values: Any) -> None: ...
    def overdue(self, now: datetime, limit: int) -> list[ExceptionRow]: ...
    def is_any_awake(self, now: datetime) -> bool:
        """Is there something to wake?"""

    def wake(self, now: datetime) -> None:
        """Open what was snoozed until now."""

    def open_by_kind(self) -> dict[str, int]: ...
    def find(self, **filters: Any) -> tuple[list[ExceptionRow], str | None]: ...


class Documents(Protocol):
    def next_number(self, range_name: str) -> int:
        """The next number of a range, without gaps: it is used by this transaction or not at
        all."""

    def insert(self, row: dict[str, Any]) -> None: ...
    def by_key(self, action_key: str) -> dict[str, Any] | None: ...
    def get(self, number: str) -> dict[str, Any] | None: ...
    def of_order(self, order_id: str) -> list[dict[str, Any]]: ...


class Subscriptions(Protocol):
    def put(self, row: dict[str, Any]) -> tuple[str, bool]: ...
    def get(self, subscription_id: str) -> dict[str, Any] | None: ...
    def delete(self, subscription_id: str) -> bool: ...
    def all(self) -> list[dict[str, Any]]: ...
    def update(self, subscription_id: str, **values: Any) -> None: ...
    def add_notices(self, rows: Sequence[dict[str, Any]]) -> None: ...
    def lease_notices(
        self, subscription_id: str, now: datetime, until: datetime, limit: int
    ) -> list[dict[str, Any]]: ...
    def drop_notices(self, ids: Sequence[str]) -> None: ...


class Keys(Protocol):
    def insert(self, row: dict[str, Any]) -> None: ...
    def by_hash(self, digest: str) -> dict[str, Any] | None: ...
    def all(self) -> list[dict[str, Any]]: ...
    def revoke(self, key_id: str, now: datetime) -> bool: ...


class Pulls(Protocol):
    def get(self, system_id: str, purpose: Purpose) -> PullState | None: ...
    def all(self) -> list[PullState]: ...
    def save(self, state: PullState) -> None: ...
    def see(self, state: PullState, list_name: str, names: Sequence[str]) -> dict[str, int]:
        """Note objects of the pull under way; how many different ones it has seen, by list."""

    def seen(self, state: PullState, list_name: str, names: Sequence[str]) -> set[str]:
        """Which of these the pull under way has seen."""

    def forget(self, state: PullState) -> None:
        """Forget what the pull has seen."""


class Transaction(Protocol):
    """One database transaction: everything below is committed together or not at all."""

    facts: Facts
    orders: Orders
    outbox: Outbox
    exceptions: Exceptions
    documents: Documents
    subscriptions: Subscriptions
    keys: Keys
    pulls: Pulls

    def add_decision(self, row: dict[str, Any]) -> None: ...
    def decisions_of(self, order_id: str) -> list[DecisionRow]: ...
    def value(self, name: str) -> str | None: ...
    def set_value(self, name: str, value: str) -> None: ...
    def savepoint(self) -> AbstractContextManager[None]: ...


class OpenWrite(Protocol):
    """A write transaction that is ended by hand, perhaps in another thread. Exactly one of the two
    ends it; whatever becomes of the commit, the next writer is let in."""

    @property
    def tx(self) -> Transaction: ...
    def commit(self) -> None: ...
    def roll_back(self) -> None: ...


class Store(Protocol):
    def write(self) -> AbstractContextManager[Transaction]:
        """A transaction that commits at the end of the block and rolls back on an exception."""

    def read(self) -> AbstractContextManager[Transaction]: ...
    def begin(self, *, wait: bool) -> OpenWrite | None:
        """Where there is one writer at a time. None: another one is at work and wait is False."""


NewId = Callable[[str], str]  # prefix -> fresh, time-ordered id
BodyOf = Callable[[bytes], FactBody]
