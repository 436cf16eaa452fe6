"""What people say: corrections, approvals, notes, cancellations, and their work on the exception
list.

Each is a fact with a name and a reason, and decides the order at once.
"""

from __future__ import annotations

from datetime import datetime

from kette.domain import facts as f
from kette.domain.decide import BY_APPROVAL
from kette.domain.order import Address
from kette.use_cases.decide_order import redecide
from kette.use_cases.errors import ConflictError, InvalidInputError, NotFoundError
from kette.use_cases.kernel import Kernel
from kette.use_cases.ports import ExceptionRow, Transaction
from kette.use_cases.reconcile import withdraw_messages
from kette.use_cases.record import record
from kette.use_cases.report import Report, report_one

RESOLUTIONS = ("accepted", "fixed", "done")


class People:
    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def correct_address(self, order_id: str, address: Address, by: str, why: str) -> None:
        self._say(order_id, f.AddressCorrected(address, by, why))

    def approve(self, order_id: str, subject: str, approved: bool, by: str, why: str) -> None:
        self._say(order_id, f.ApprovalGiven(subject, approved, by, why))

    def note(self, order_id: str, text: str, by: str) -> None:
        self._say(order_id, f.NoteAdded(by, text))

    def cancel(self, order_id: str, by: str, why: str) -> None:
        self._say(order_id, f.CancelRequested(by, why))

    def _say(self, order_id: str, body: f.FactBody) -> None:
        kernel = self._kernel
        now = kernel.now()
        with kernel.store.write() as tx:
            if tx.orders.get(order_id) is None:
                raise NotFoundError("order", order_id)
            draft = f.FactDraft(kernel.new_id("say"), now, body)
            stages = record(kernel, tx, "people", [draft], now, order_id=order_id).stages
        if stages:
            kernel.on_due(set(stages))

    def resolve(self, exception_id: str, resolution: str, by: str, why: str) -> ExceptionRow:
        if resolution not in RESOLUTIONS:
            raise InvalidInputError("resolution", f"must be one of {', '.join(RESOLUTIONS)}")
        kernel = self._kernel
        now = kernel.now()
        stages: set[str] = set()
        with kernel.store.write() as tx:
            row = _entry(tx, exception_id)
            if row.status in ("resolved", "closed"):
                raise ConflictError(
                    f"exception {exception_id} is {row.status} already",
                    "Nothing is left to do; look at the order's history for who did it.",
                )
            if row.kind in BY_APPROVAL:
                subject = str(row.context.get("subject", "risk"))
                raise ConflictError(
                    f"exception {exception_id} is ended by an approval, not by resolving it",
                    f"Approve or refuse with subject {subject!r}: POST /v1/orders/{row.order_id}"
                    "/approvals.",
                )
            body = f.ExceptionHandled(row.key, "resolve", by, why, resolution=resolution)
            stages |= self._handled(tx, row, body, now)
            # The rules have closed it by now, or keep it open because what is "fixed" is as wrong
            # as before: then it never left the list and its time limit runs on.
            if row.origin == "decide" and _entry(tx, exception_id).status in ("open", "snoozed"):
                tx.exceptions.update(row.id, status="open", snoozed_until=None)
            else:
                tx.exceptions.update(row.id, status="resolved", closed=now, resolution=resolution)
            if row.key.startswith("action_failed:"):
                stages |= self._settle_action(tx, row, resolution, by, now)
            result = _entry(tx, exception_id)
            if result.status == "resolved":
                withdraw_messages(tx, row, now)
        if stages:
            kernel.on_due(stages)
        return result

    def assign(self, exception_id: str, owner: str, by: str, why: str) -> ExceptionRow:
        now = self._kernel.now()
        with self._kernel.store.write() as tx:
            row = _entry(tx, exception_id)
            body = f.ExceptionHandled(row.key, "assign", by, why, owner=owner)
            self._handled(tx, row, body, now)
            tx.exceptions.update(row.id, owner=owner)
            return _entry(tx, exception_id)

    def snooze(self, exception_id: str, until: datetime, by: str, why: str) -> ExceptionRow:
        now = self._kernel.now()
        if until <= now:
            raise InvalidInputError("until", "must lie in the future")
        with self._kernel.store.write() as tx:
            row = _entry(tx, exception_id)
            if row.status not in ("open", "snoozed"):
                raise ConflictError(
                    f"exception {exception_id} is {row.status}", "Only open entries can be snoozed."
                )
            body = f.ExceptionHandled(row.key, "snooze", by, why, until=until)
            self._handled(tx, row, body, now)
            tx.exceptions.update(row.id, status="snoozed", snoozed_until=until, due=until)
            return _entry(tx, exception_id)

    def _handled(
        self, tx: Transaction, row: ExceptionRow, body: f.ExceptionHandled, now: datetime
    ) -> set[str]:
        kernel = self._kernel
        draft = f.FactDraft(kernel.new_id("say"), now, body)
        recorded = record(kernel, tx, "people", [draft], now, order_id=row.order_id)
        return set(recorded.stages)

    def _settle_action(
        self, tx: Transaction, row: ExceptionRow, resolution: str, by: str, now: datetime
    ) -> set[str]:
        key = row.key.removeprefix("action_failed:")
        action = tx.outbox.get([key]).get(key)
        if action is None or action.state != "failed":
            return set()
        if resolution == "fixed":
            tx.outbox.update(key, state="pending", attempt=0, not_before=now, finished=None)
            stages = {action.stage}
            if action.order_id is not None:
                # The order may have been cancelled or corrected since: only the rules know whether
                # the action is still wanted, and with which data.
                stages |= redecide(self._kernel, tx, action.order_id, now, f"retry:{key}")
            return stages
        if resolution == "done":
            report = Report(key, True, reference=f"by hand: {by}"[:255])
            _, stages = report_one(self._kernel, tx, report, now)
            return stages
        return set()


def _entry(tx: Transaction, exception_id: str) -> ExceptionRow:
    row = tx.exceptions.get(exception_id)
    if row is None:
        raise NotFoundError("exception", exception_id)
    return row
