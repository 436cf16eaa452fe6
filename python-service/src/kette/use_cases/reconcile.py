"""Wanted minus known: bring outbox and exception list to what the decision says, in one
transaction.

An action that is wanted and unknown is added; one that is no longer wanted is withdrawn unless
somebody has leased it already; a waiting one gets the newest payload. What was done stays done.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec

from kette.domain.actions import STAGE_OF_KIND, Stage, WantedAction, WantedException
from kette.domain.decide import Decision
from kette.use_cases.kernel import Kernel
from kette.use_cases.ports import ActionRow, ExceptionRow, Transaction


class Outcome(msgspec.Struct, frozen=True):
    """An order right after it was decided."""

    order_id: str
    statuses: dict[str, str]
    actions: tuple[tuple[str, str, str], ...]  # key, kind, state; withdrawn ones left out
    exceptions: tuple[ExceptionRow, ...]  # open and snoozed
    stages: frozenset[str]


def reconcile(
    kernel: Kernel,
    tx: Transaction,
    order_id: str,
    decision: Decision,
    now: datetime,
    cause: str,
    *,
    is_new: bool = False,
) -> Outcome:
    """is_new: the order is not a second old, so there is nothing to compare with."""
    changes: dict[str, Any] = {}
    known_actions = [] if is_new else tx.outbox.of_order(order_id)
    known_entries = [] if is_new else tx.exceptions.of_order(order_id)
    stages, actions = _actions(tx, order_id, known_actions, decision.actions, now, changes)
    more, entries = _exceptions(
        kernel, tx, order_id, known_entries, decision.exceptions, now, changes
    )
    if changes:
        tx.add_decision(
            {
                "id": kernel.new_id("dec"),
                "order_id": order_id,
                "decided_at": now,
                "cause": cause,
                "setup_version": kernel.setup.version,
                "outcome": {"statuses": decision.statuses.public(), **changes},
            }
        )
    return Outcome(
        order_id,
        decision.statuses.public(),
        actions,
        entries,
        frozenset(stages | more),
    )


def _actions(
    tx: Transaction,
    order_id: str,
    rows: list[ActionRow],
    wanted: tuple[WantedAction, ...],
    now: datetime,
    changes: dict[str, Any],
) -> tuple[set[str], tuple[tuple[str, str, str], ...]]:
    known = {row.key: row for row in rows}
    states = {row.key: (row.kind, row.state) for row in rows}
    stages: set[str] = set()
    added: list[dict[str, Any]] = []
    revived: list[str] = []
    for action in wanted:
        row = known.get(action.key)
        if row is None:
            added.append(_new_row(order_id, action, now))
        elif row.state == "withdrawn":
            tx.outbox.update(
                action.key,
                state="pending",
                payload=action.payload,
                not_before=now,
                finished=None,
                reasons=list(action.reasons),
            )
            revived.append(action.key)
        elif row.state == "pending" and row.payload != action.payload:
            tx.outbox.update(action.key, payload=action.payload)
            continue
        else:
            continue
        states[action.key] = (action.kind, "pending")
        stages.add(action.stage.value)
    if added:
        tx.outbox.insert(added)
        changes["actions"] = [{"key": row["key"], "reasons": row["reasons"]} for row in added]
    if revived:
        changes["revived"] = revived
    withdrawn = _withdraw(tx, known, {action.key for action in wanted}, now)
    if withdrawn:
        changes["withdrawn"] = withdrawn
    gone = set(withdrawn)
    left = tuple(
        (key, kind, state)
        for key, (kind, state) in states.items()
        if state != "withdrawn" and key not in gone
    )
    return stages, left


def _new_row(order_id: str | None, action: WantedAction, now: datetime) -> dict[str, Any]:
    return {
        "key": action.key,
        "order_id": order_id,
        "kind": action.kind,
        "stage": action.stage.value,
        "payload": action.payload,
        "reasons": list(action.reasons),
        "created_at": now,
        "not_before": now + timedelta(seconds=action.not_before_s),
    }


def _withdraw(
    tx: Transaction, known: dict[str, ActionRow], wanted: set[str], now: datetime
) -> list[str]:
    # Messages to owners belong to the exception list, which withdraws them itself.
    exceptions_stage = Stage.EXCEPTIONS.value
    gone = [
        row.key
        for row in known.values()
        if row.state == "pending" and row.key not in wanted and row.stage != exceptions_stage
    ]
    return tx.outbox.withdraw(gone, now)


def _exceptions(
    kernel: Kernel,
    tx: Transaction,
    order_id: str,
    rows: list[ExceptionRow],
    wanted: tuple[WantedException, ...],
    now: datetime,
    changes: dict[str, Any],
) -> tuple[set[str], tuple[ExceptionRow, ...]]:
    known = {row.key: row for row in rows}
    stages: set[str] = set()
    opened: list[str] = []
    for item in wanted:
        row = known.get(item.key)
        if row is None:
            stages |= open_exception(kernel, tx, order_id, item, "decide", now)
            opened.append(item.key)
        elif row.status in ("closed", "resolved"):
            stages |= reopen_exception(kernel, tx, row, item, now)
            opened.append(item.key)
        elif row.summary != item.summary or row.context != item.context:
            tx.exceptions.update(row.id, summary=item.summary, context=item.context)
    if opened:
        changes["exceptions"] = opened
    names = {item.key for item in wanted}
    closed = [
        row
        for row in rows
        if row.origin == "decide" and row.status in ("open", "snoozed") and row.key not in names
    ]
    for row in closed:
        close_exception(tx, row, now)
    if closed:
        changes["closed"] = [row.key for row in closed]
    if opened or closed:
        rows = tx.exceptions.of_order(order_id)
    return stages, tuple(row for row in rows if row.status in ("open", "snoozed"))


def close_exception(tx: Transaction, row: ExceptionRow, now: datetime) -> None:
    """The case is no more: nobody needs to be told of it either."""
    tx.exceptions.update(row.id, status="closed", closed=now)
    withdraw_messages(tx, row, now)


def withdraw_messages(tx: Transaction, row: ExceptionRow, now: datetime) -> None:
    """What has not been sent to the owner yet need not be sent any more."""
    keys = [message_key(kind, row.id, row.openings) for kind in ("notify_owner", "escalate")]
    tx.outbox.withdraw(keys, now)


def message_key(kind: str, exception_id: str, openings: int) -> str:
    """Each opening of an entry has one message of a kind."""
    return f"{kind}:{exception_id}" if openings == 1 else f"{kind}:{exception_id}:{openings}"


def open_exception(
    kernel: Kernel,
    tx: Transaction,
    order_id: str | None,
    item: WantedException,
    origin: str,
    now: datetime,
) -> set[str]:
    """Add an entry with owner and time limit from the setup, and tell the owner."""
    policy = kernel.setup.exceptions
    owner = policy.owners.get(item.kind, policy.default_owner)
    due = now + _limit(kernel, item.kind)
    exception_id = kernel.new_id("exc")
    tx.exceptions.insert(
        {
            "id": exception_id,
            "key": item.key,
            "order_id": order_id,
            "kind": item.kind,
            "origin": origin,
            "status": "open",
            "summary": item.summary,
            "context": item.context,
            "suggestion": item.suggestion,
            "blocking": item.blocking,
            "owner": owner,
            "opened": now,
            "due": due,
        }
    )
    return _tell_opened(kernel, tx, exception_id, order_id, item, owner, due, 1, now)


def reopen_exception(
    kernel: Kernel, tx: Transaction, row: ExceptionRow, item: WantedException, now: datetime
) -> set[str]:
    """A case that was over is one again: its time limit starts anew, and its owner is told again,
    for whoever was told before has put it out of mind. Owners that people assigned stay."""
    due = now + _limit(kernel, item.kind)
    openings = row.openings + 1
    tx.exceptions.update(
        row.id,
        status="open",
        summary=item.summary,
        context=item.context,
        suggestion=item.suggestion,
        blocking=item.blocking,
        opened=now,
        due=due,
        snoozed_until=None,
        escalated=None,
        closed=None,
        resolution="",
        openings=openings,
    )
    return _tell_opened(kernel, tx, row.id, row.order_id, item, row.owner, due, openings, now)


def _limit(kernel: Kernel, kind: str) -> timedelta:
    policy = kernel.setup.exceptions
    return timedelta(seconds=policy.limits_s.get(kind, policy.default_limit_s))


def _tell_opened(
    kernel: Kernel,
    tx: Transaction,
    exception_id: str,
    order_id: str | None,
    item: WantedException,
    owner: str,
    due: datetime,
    openings: int,
    now: datetime,
) -> set[str]:
    entry = {
        "id": exception_id,
        "kind": item.kind,
        "order_id": order_id,
        "summary": item.summary,
        "owner": owner,
        "due_at": due.isoformat(),
        "openings": openings,
    }
    kernel.announce(tx, "exception_opened", entry, now)
    return tell_owner(kernel, tx, "notify_owner", exception_id, order_id, owner, now, openings)


def tell_owner(
    kernel: Kernel,
    tx: Transaction,
    kind: str,
    exception_id: str,
    order_id: str | None,
    owner: str,
    now: datetime,
    openings: int = 1,
) -> set[str]:
    """A mail to the owner, where the setup names an address for the role."""
    mail = kernel.setup.exceptions.owner_mails.get(owner)
    system = next((s for s in kernel.setup.systems.values() if s.role == "mail"), None)
    if not mail or system is None:
        return set()
    tx.outbox.insert(
        [
            {
                "key": message_key(kind, exception_id, openings),
                "order_id": order_id,
                "kind": kind,
                "stage": STAGE_OF_KIND[kind].value,
                "payload": {
                    "exception_id": exception_id,
                    "owner": owner,
                    "to": mail,
                    "system_id": system.id,
                },
                "reasons": [f"the exception list has a new entry for {owner}"],
                "created_at": now,
                "not_before": now,
            }
        ]
    )
    return {STAGE_OF_KIND[kind].value}
