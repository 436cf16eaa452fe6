"""A run that broke off in n8n, as an entry of the exception list.

A workflow that is broken breaks at every run, the sweep even once a minute. One open entry per
workflow and node counts these runs and names the latest of them; an entry each would bury the list
and mail its owner every minute. Every single report stays in the ledger as a fact.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from kette.domain.actions import WantedException
from kette.domain.facts import RunFailed
from kette.use_cases.kernel import Kernel
from kette.use_cases.ports import Transaction
from kette.use_cases.reconcile import open_exception

RUNS_NAMED = 20


def run_failed(kernel: Kernel, tx: Transaction, run: RunFailed, now: datetime) -> set[str]:
    """Open the entry of this workflow and node, or add the run to the one that is open."""
    key = f"run_failed:{run.workflow_id}:{run.node}"[:200]
    known = tx.exceptions.by_key(key)
    if known is None:
        return open_exception(kernel, tx, None, _entry(key, run, {}, now), "intake", now)
    if known.status in ("open", "snoozed"):
        entry = _entry(key, run, known.context, now)
        tx.exceptions.update(known.id, summary=entry.summary, context=entry.context)
        return set()
    # Somebody dealt with it and it fails again: that is a case of its own, with its own mail.
    tx.exceptions.update(known.id, key=f"{key}:{known.id}")
    return open_exception(kernel, tx, None, _entry(key, run, {}, now), "intake", now)


def _entry(key: str, run: RunFailed, before: dict[str, Any], now: datetime) -> WantedException:
    latest = {"execution_id": run.execution_id, "url": run.url, "message": run.message}
    runs = [{**latest, "at": now.isoformat()}, *before.get("runs", ())][:RUNS_NAMED]
    count = before.get("count", 0) + 1
    times = f" ({count} times)" if count > 1 else ""
    return WantedException(
        key=key,
        kind="action_failed",
        summary=f"n8n run of {run.workflow_name!r} failed in {run.node!r}{times}: {run.message}"[
            :500
        ],
        context={
            "workflow": run.workflow_name,
            "workflow_id": run.workflow_id,
            "node": run.node,
            **latest,
            "count": count,
            "runs": runs,
        },
        suggestion="Open the execution in n8n. Its actions come again when their lease ends; a "
        "delivery that was not stored can be handed in again there with Retry.",
    )
