"""What time alone brings about: ended leases, due dates, overdue and snoozed exceptions.

Run every second by each replica; every step is safe to run twice and at the same time.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from kette.use_cases.decide_order import redecide
from kette.use_cases.errors import RULE_ERRORS
from kette.use_cases.kernel import Kernel
from kette.use_cases.ports import ExceptionRow, Transaction
from kette.use_cases.reconcile import message_key, tell_owner
from kette.use_cases.report import fail_attempt
from kette.use_cases.sources import watch_sources

log = structlog.get_logger("kette.tick")

BATCH = 200
AFTER_FAILURE = timedelta(hours=1)
LEASE_LOST = "no report came before the lease ended"


def tick(kernel: Kernel) -> set[str]:
    """Returns the stages with something due, whatever made it due."""
    now = kernel.now()
    _end_leases(kernel, now)
    _decide_due(kernel, now)
    _watch_exceptions(kernel, now)
    watch_sources(kernel, now)
    refresh_listeners(kernel)
    with kernel.store.read() as tx:
        return set(tx.outbox.due_stages(now))


def refresh_listeners(kernel: Kernel) -> None:
    """Who wants to hear of which events; looked up here so that ingesting need not."""
    with kernel.store.read() as tx:
        kernel.listeners = tuple(
            (row["id"], frozenset(row["topic"].removeprefix("events:").split(",")))
            for row in tx.subscriptions.all()
            if row["topic"].startswith("events:")
        )


def _end_leases(kernel: Kernel, now: datetime) -> None:
    with kernel.store.read() as tx:
        expired = tx.outbox.expired(now, BATCH)
    for row in expired:
        with kernel.store.write() as tx:
            if row.order_id is not None:
                tx.facts.lock_order(row.order_id)
            fresh = tx.outbox.get([row.key]).get(row.key)
            # Reported or leased anew since we looked.
            if fresh is None or fresh.state != "leased" or fresh.lease_id != row.lease_id:
                continue
            fail_attempt(kernel, tx, fresh, LEASE_LOST, True, now, set())
        if row.order_id is not None:
            # It may have become unwanted while it was held: then it must not come again.
            _redecide_alone(kernel, row.order_id, now, "lease lost")


def _decide_due(kernel: Kernel, now: datetime) -> None:
    with kernel.store.read() as tx:
        due = tx.orders.due(now, BATCH)
    for order_id in due:
        if _redecide_alone(kernel, order_id, now, "due") is None:
            with kernel.store.write() as tx:
                tx.orders.postpone(order_id, now + AFTER_FAILURE)


def _redecide_alone(kernel: Kernel, order_id: str, now: datetime, cause: str) -> set[str] | None:
    """None: a rule failed on this order. It is logged, and the others get their turn."""
    try:
        with kernel.store.write() as tx:
            return redecide(kernel, tx, order_id, now, cause)
    except RULE_ERRORS:
        log.exception("decide.failed", order_id=order_id, cause=cause)
        return None


def _watch_exceptions(kernel: Kernel, now: datetime) -> None:
    with kernel.store.read() as tx:
        overdue = tx.exceptions.overdue(now, BATCH)
        is_any_awake = tx.exceptions.is_any_awake(now)
    if is_any_awake:
        with kernel.store.write() as tx:
            tx.exceptions.wake(now)
    for row in overdue:
        with kernel.store.write() as tx:
            fresh = tx.exceptions.get(row.id)
            if fresh is None or fresh.status != "open":
                continue
            tx.exceptions.update(row.id, escalated=now)
            _escalate(kernel, tx, fresh, now)


def _escalate(kernel: Kernel, tx: Transaction, row: ExceptionRow, now: datetime) -> None:
    key = message_key("escalate", row.id, row.openings)
    if key in tx.outbox.get([key]):
        return
    tell_owner(kernel, tx, "escalate", row.id, row.order_id, row.owner, now, row.openings)


def redecide_all(kernel: Kernel, cause: str) -> int:
    """Run the rules over every order, e.g. after a change of the setup. Returns how many."""
    count, after = 0, ""
    stages: set[str] = set()
    while True:
        with kernel.store.read() as tx:
            ids = tx.orders.ids(after, BATCH)
        if not ids:
            break
        for order_id in ids:
            stages |= _redecide_alone(kernel, order_id, kernel.now(), cause) or set()
        count += len(ids)
        after = ids[-1]
    if stages:
        kernel.on_due(stages)
    return count
