"""What time alone brings about: ended leases, due dates, overdue and snoozed exceptions.

Run every second by each replica; every step is safe to run twice and at the same time.
"""

from __future__ import annotations

from datetime import datetime

from kette.use_cases.kernel import Kernel
from kette.use_cases.ports import Transaction
from kette.use_cases.reconcile import tell_owner
from kette.use_cases.record import redecide
from kette.use_cases.report import fail_attempt

BATCH = 200
LEASE_LOST = "no report came before the lease ended"


def tick(kernel: Kernel) -> set[str]:
    """Returns the stages with something due, whatever made it due."""
    now = kernel.now()
    _end_leases(kernel, now)
    _decide_due(kernel, now)
    _watch_exceptions(kernel, now)
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


def _decide_due(kernel: Kernel, now: datetime) -> None:
    with kernel.store.read() as tx:
        due = tx.orders.due(now, BATCH)
    for order_id in due:
        with kernel.store.write() as tx:
            redecide(kernel, tx, order_id, now, "due")


def _watch_exceptions(kernel: Kernel, now: datetime) -> None:
    with kernel.store.read() as tx:
        overdue = tx.exceptions.overdue(now, BATCH)
        snoozed, _ = tx.exceptions.find(status="snoozed", limit=BATCH)
    for row in snoozed:
        if row.snoozed_until is not None and row.snoozed_until <= now:
            with kernel.store.write() as tx:
                tx.exceptions.update(row.id, status="open", snoozed_until=None)
    for row in overdue:
        with kernel.store.write() as tx:
            fresh = tx.exceptions.get(row.id)
            if fresh is None or fresh.status != "open":
                continue
            tx.exceptions.update(row.id, escalated=now)
            _escalate(kernel, tx, row.id, row.order_id, fresh.owner, now)


def _escalate(
    kernel: Kernel,
    tx: Transaction,
    exception_id: str,
    order_id: str | None,
    owner: str,
    now: datetime,
) -> None:
    key = f"escalate:{exception_id}"
    if key in tx.outbox.get([key]):
        return
    tell_owner(kernel, tx, "escalate", exception_id, order_id, owner, now)


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
            with kernel.store.write() as tx:
                stages |= redecide(kernel, tx, order_id, kernel.now(), cause)
        count += len(ids)
        after = ids[-1]
    if stages:
        kernel.on_due(stages)
    return count
