"""Open and close the entries about systems that are not heard any more."""

from __future__ import annotations

from datetime import datetime, timedelta

from kette.domain.actions import WantedException
from kette.domain.policy import System
from kette.domain.pull_state import PullState
from kette.domain.pulls import Purpose
from kette.domain.sources import ENTRIES, key_of, wanted_entries
from kette.use_cases.kernel import Kernel
from kette.use_cases.ports import ExceptionRow, Transaction
from kette.use_cases.reconcile import close_exception, open_exception

_HEARD = "heard:"
_NOTED_EVERY = timedelta(seconds=30)


def watch_sources(kernel: Kernel, now: datetime) -> set[str]:
    """Also notes the first sight of a system that can be pulled; its first pull counts from it."""
    _note_heard(kernel)
    with kernel.store.read() as tx:
        states = tx.pulls.all()
        changes = {s.system_id: s for s in states if s.purpose is Purpose.CHANGES}
        kernel.cutovers = _cutovers(states)
        pending = [
            system
            for system in kernel.setup.systems.values()
            if _is_changed(kernel, tx, system, changes.get(system.id), now)
        ]
    stages: set[str] = set()
    for system in kernel.setup.systems.values():
        if system.kind in kernel.pulled_kinds and system.id not in changes:
            with kernel.store.write() as tx:
                _lock(tx, system.id)
                if tx.pulls.get(system.id, Purpose.CHANGES) is None:
                    tx.pulls.save(PullState(system.id, Purpose.CHANGES, since=now))
    for system in pending:
        with kernel.store.write() as tx:
            stages |= tell_of_sources(kernel, tx, system, now)
    return stages


def know_cutovers(kernel: Kernel) -> None:
    """Before the first event of a process comes in."""
    with kernel.store.read() as tx:
        kernel.cutovers = _cutovers(tx.pulls.all())


def _cutovers(states: list[PullState]) -> dict[str, datetime]:
    return {s.system_id: s.since for s in states if s.purpose is Purpose.BACKFILL}


def tell_of_sources(kernel: Kernel, tx: Transaction, system: System, now: datetime) -> set[str]:
    """Bring the entries about one system to what they should be; stages with something to do."""
    _lock(tx, system.id)
    wanted = _wanted(kernel, tx, system, tx.pulls.get(system.id, Purpose.CHANGES), now)
    stages: set[str] = set()
    for name in ENTRIES:
        row = tx.exceptions.by_key(key_of(system.id, name))
        stages |= _brought_to(kernel, tx, row, wanted.get(name), now)
    return stages


def _wanted(
    kernel: Kernel, tx: Transaction, system: System, changes: PullState | None, now: datetime
) -> dict[str, WantedException]:
    heard_at = _heard_at(kernel, tx, system.id) if system.pull.is_watched else None
    return wanted_entries(system, changes, heard_at, kernel.awake_since, now)


def _heard_at(kernel: Kernel, tx: Transaction, system_id: str) -> datetime | None:
    """The last event, whichever replica took it in."""
    told = tx.value(_HEARD + system_id)
    heard = [kernel.heard.get(system_id), datetime.fromisoformat(told) if told else None]
    return max((at for at in heard if at is not None), default=None)


def _is_changed(
    kernel: Kernel, tx: Transaction, system: System, changes: PullState | None, now: datetime
) -> bool:
    wanted = _wanted(kernel, tx, system, changes, now)
    for name in ENTRIES:
        row = tx.exceptions.by_key(key_of(system.id, name))
        item = wanted.get(name)
        is_open = row is not None and row.status in ("open", "snoozed")
        if item is None:
            if is_open or (row is not None and row.status == "resolved"):
                return True
        elif row is None or row.status == "closed" or (is_open and row.context != item.context):
            return True
    return False


def _brought_to(
    kernel: Kernel,
    tx: Transaction,
    row: ExceptionRow | None,
    item: WantedException | None,
    now: datetime,
) -> set[str]:
    if item is None:
        if row is not None and row.status in ("open", "snoozed"):
            close_exception(tx, row, now)
        elif row is not None and row.status == "resolved":
            # Healthy again after a person had seen to it: the next silence is a case of its own.
            tx.exceptions.update(row.id, key=f"{row.key}:{row.id}")
        return set()
    if row is not None and row.status == "closed":
        tx.exceptions.update(row.id, key=f"{row.key}:{row.id}")
        row = None
    if row is None:
        return open_exception(kernel, tx, None, item, "intake", now)
    if row.status in ("open", "snoozed") and row.context != item.context:
        tx.exceptions.update(row.id, summary=item.summary, context=item.context)
    return set()


def _note_heard(kernel: Kernel) -> None:
    """What events were heard is kept, so that a restart does not forget it."""
    watched = {s.id for s in kernel.setup.systems.values() if s.pull.is_watched}
    heard = {name: at for name, at in kernel.heard.items() if name in watched}
    if not heard:
        return
    with kernel.store.read() as tx:
        known = {name: tx.value(_HEARD + name) for name in heard}
    late = {
        name: at
        for name, at in heard.items()
        if (told := known[name]) is None or at - datetime.fromisoformat(told) > _NOTED_EVERY
    }
    if late:
        with kernel.store.write() as tx:
            for name, at in late.items():
                tx.set_value(_HEARD + name, at.isoformat())


def _lock(tx: Transaction, system_id: str) -> None:
    tx.facts.lock_order(f"pull|{system_id}")
