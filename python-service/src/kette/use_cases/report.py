"""Take in what stage workflows report: each report is a fact again, and may end an action.

Reports are independent of each other: a strange one is refused by name, the rest goes in.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from kette.domain.actions import WantedException
from kette.domain.facts import ActionReported, FactDraft, Ref, ShippedLine
from kette.domain.money import Money
from kette.use_cases.kernel import Kernel
from kette.use_cases.links import link, lock_names
from kette.use_cases.ports import ActionRow, Transaction
from kette.use_cases.reconcile import close_exception, open_exception, reopen_exception
from kette.use_cases.record import record

MAX_ANSWER_BYTES = 64_000
DOCUMENT_KINDS = ("issue_invoice", "issue_credit_note")
GROUP_MAX = 8  # bounds how long one transaction keeps other writers waiting


class Report(msgspec.Struct, frozen=True):
    key: str
    done: bool
    reference: str = ""
    answer: dict[str, Any] = {}
    error: str = ""
    retryable: bool = True
    lease_id: str = ""  # of the batch that the action came with; empty where nobody says


class ReportResult(msgspec.Struct, frozen=True, omit_defaults=True):
    key: str
    accepted: bool
    status: str
    reason: str = ""


def report_actions(kernel: Kernel, reports: Sequence[Report]) -> list[ReportResult]:
    """Each report in its own savepoint: what one of them breaks is its own."""
    results: list[ReportResult] = []
    stages: set[str] = set()
    try:
        while len(results) < len(reports):
            stages |= _report_some(kernel, reports[len(results) :], results)
    finally:
        if stages:
            kernel.on_due(stages)
    return results


def _report_some(
    kernel: Kernel, reports: Sequence[Report], results: list[ReportResult]
) -> set[str]:
    """Take in the first of the reports in one transaction and return the stages to look at."""
    taken: list[ReportResult] = []
    stages: set[str] = set()
    broken: Exception | None = None
    with kernel.store.write() as tx:
        # Locks of several orders in one transaction could block each other in a circle.
        count = 1 if tx.facts.has_other_writers else GROUP_MAX
        for report in reports[:count]:
            try:
                with tx.savepoint():
                    result, due = report_one(kernel, tx, report, kernel.now())
            except Exception as error:  # raised again once the ones before it are stored
                broken = error
                break
            taken.append(result)
            stages |= due
    results += taken
    if broken is not None:
        raise broken
    return stages


def report_one(
    kernel: Kernel, tx: Transaction, report: Report, now: datetime
) -> tuple[ReportResult, set[str]]:
    row = tx.outbox.get([report.key]).get(report.key)
    if row is None:
        return ReportResult(report.key, False, "unknown", "no action has this key"), set()
    fact = reported_fact(kernel, row, report)
    # The vendor's words decide, not the HTTP status: "already cancelled" is done, a refund that was
    # taken and failed is not.
    report = msgspec.structs.replace(
        report, done=fact.done, error=fact.error, retryable=fact.retryable
    )
    names = _names(row, fact)
    known = lock_names(tx, names)
    if row.order_id is not None and tx.facts.has_other_writers:
        tx.facts.lock_order(row.order_id)
        row = tx.outbox.get([report.key])[report.key]
    # A stage always has a next batch to fetch once something was reported.
    stages = {row.stage}
    if row.state == "done":
        return ReportResult(report.key, True, "done", "it was reported done before"), stages
    if report.done:
        tx.outbox.update(
            row.key,
            state="done",
            finished=now,
            lease_id=None,
            leased_until=None,
            reference=fact.reference[:255],
            last_error="",
        )
        _close_failure(tx, row, now)
        status = "done"
    elif _ends_attempt(row, report):
        status = fail_attempt(kernel, tx, row, report.error, report.retryable, now, stages)
    elif report.lease_id:
        status = row.state  # a late word on a lease that is over: part of the history, no more
    else:
        return ReportResult(report.key, True, row.state, "no lease of it is running"), stages
    if row.order_id is not None:
        link(tx, names, known, row.order_id)
        told = msgspec.structs.replace(fact, attempt=row.attempt)
        draft = FactDraft(_name(row, report), now, told)
        stages |= record(kernel, tx, "n8n", [draft], now, order_id=row.order_id).stages
    return ReportResult(report.key, True, status), stages


def _names(row: ActionRow, fact: ActionReported) -> list[Ref]:
    """Some carrier events name nothing but the parcel."""
    if not (fact.done and row.kind == "create_shipment" and fact.reference):
        return []
    return [Ref(str(row.payload.get("system_id", "")), f"parcel:{fact.reference}"[:120])]


def _ends_attempt(row: ActionRow, report: Report) -> bool:
    """Only the lease that is running can fail, so that a late failure does not take the action from
    whoever works on it now. That a failure is final is worth knowing while it waits, too."""
    if row.state == "leased":
        return report.lease_id in ("", row.lease_id)
    return row.state == "pending" and not report.retryable


def _name(row: ActionRow, report: Report) -> str:
    """Of the fact. Failures carry the lease: tries are counted anew after a person's "fixed"."""
    if report.done:
        return f"{row.key}#{row.attempt}:done"
    return f"{row.key}#{report.lease_id or row.lease_id or row.attempt}:failed"


def reported_fact(kernel: Kernel, row: ActionRow, report: Report) -> ActionReported:
    """The report with what the action was about, and the vendor's answer read by its adapter."""
    payload = row.payload
    shipped = tuple(
        ShippedLine(str(x["line_id"]), int(x["quantity"]))
        for x in payload.get("lines", ())
        if row.kind == "create_shipment"
    )
    amount = payload.get("amount") if row.kind == "refund_payment" else None
    answer = dict(report.answer)
    if len(msgspec.json.encode(answer)) > MAX_ANSWER_BYTES:
        answer = {"note": "the answer was larger than 64 kB and is not kept"}
    if row.kind == "check_stock":
        answer.setdefault("lines", payload.get("lines", []))
    if row.kind == "check_vat_id":
        answer["vat_id"] = payload.get("vat_id", "")
    if row.kind == "cancel_fulfillment":
        answer["cancelled"] = ",".join(str(x["id"]) for x in payload.get("parcels", ()))
    fact = ActionReported(
        key=row.key,
        kind=row.kind,
        done=report.done,
        attempt=row.attempt,
        reference=report.reference,
        error=report.error[:2000],
        retryable=report.retryable,
        answer=answer,
        shipped=shipped,
        amount=Money.parse(amount["amount"], amount["currency"]) if amount else None,
    )
    return kernel.translate_report(payload.get("system_id", ""), fact)


def fail_attempt(
    kernel: Kernel,
    tx: Transaction,
    row: ActionRow,
    error: str,
    retryable: bool,
    now: datetime,
    stages: set[str],
) -> str:
    """Back-off and try again, or after the last try an exception with an owner."""
    policy = kernel.setup.actions
    if retryable and row.attempt < policy.max_attempts:
        steps = policy.backoff_s
        wait_s = steps[min(max(row.attempt, 1), len(steps)) - 1]
        tx.outbox.update(
            row.key,
            state="pending",
            not_before=now + timedelta(seconds=wait_s),
            lease_id=None,
            leased_until=None,
            last_error=error[:2000],
        )
        return "pending"
    tx.outbox.update(
        row.key,
        state="failed",
        finished=now,
        lease_id=None,
        leased_until=None,
        last_error=error[:2000],
    )
    entry = WantedException(
        key=f"action_failed:{row.key}"[:255],
        kind="invoice_failed" if row.kind in DOCUMENT_KINDS else "action_failed",
        summary=f"{row.kind} failed after {row.attempt} tries: {error}"[:500],
        context={"action": row.key, "kind": row.kind, "error": error[:2000], "tries": row.attempt},
        suggestion="Resolve as 'fixed' to try again, 'done' if it was done by hand, "
        "'accepted' to leave it undone.",
    )
    known = tx.exceptions.by_key(entry.key)
    if known is None:
        stages |= open_exception(kernel, tx, row.order_id, entry, "outbox", now)
    elif known.status in ("open", "snoozed"):
        tx.exceptions.update(known.id, status="open", summary=entry.summary, context=entry.context)
    else:
        stages |= reopen_exception(kernel, tx, known, entry, now)
    return "failed"


def _close_failure(tx: Transaction, row: ActionRow, now: datetime) -> None:
    known = tx.exceptions.by_key(f"action_failed:{row.key}"[:255])
    if known is not None and known.status in ("open", "snoozed"):
        close_exception(tx, known, now)
