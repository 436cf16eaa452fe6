"""Issue invoices and corrections: number, content, PDF, fact and end of the action in one
transaction.

A number is used by the commit that uses it or not at all, so a range has no gaps, however many
calls run at once and wherever one of them dies.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import structlog

from kette.domain import facts as f
from kette.domain.credit_notes import build_credit_note
from kette.domain.documents import DocumentError, InvoiceDocument, build_invoice, format_number
from kette.domain.money import Money
from kette.domain.state import OrderFile
from kette.use_cases.decide_order import load_file
from kette.use_cases.errors import RULE_ERRORS, NotFoundError
from kette.use_cases.kernel import Kernel
from kette.use_cases.ports import ActionRow, Transaction
from kette.use_cases.record import record
from kette.use_cases.report import Report, report_one

log = structlog.get_logger("kette.documents")

RenderPdf = Callable[[InvoiceDocument], bytes]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Issued(msgspec.Struct, frozen=True, omit_defaults=True):
    key: str
    status: str
    number: str = ""
    document: str = ""
    gross: Money | None = None
    error: str = ""


class IssueDocuments:
    def __init__(self, kernel: Kernel, render_pdf: RenderPdf) -> None:
        self._kernel = kernel
        self._render_pdf = render_pdf

    def __call__(self, keys: Sequence[str]) -> list[Issued]:
        """One result per key; a document that cannot be made fails its own action only."""
        return [self._issue(key) for key in dict.fromkeys(keys)]

    def _issue(self, key: str) -> Issued:
        kernel = self._kernel
        now = kernel.now()
        try:
            with kernel.store.write() as tx:
                issued, stages = self._issue_in(tx, key, now)
        except RULE_ERRORS as error:
            # The number taken by the failed transaction is free again.
            if not isinstance(error, DocumentError):
                log.exception("document.failed", key=key)
            with kernel.store.write() as tx:
                report = Report(key, False, error=str(error), retryable=False)
                result, stages = report_one(kernel, tx, report, now)
            issued = Issued(key, result.status, error=str(error))
        if stages:
            kernel.on_due(stages)
        return issued

    def _issue_in(self, tx: Transaction, key: str, now: datetime) -> tuple[Issued, set[str]]:
        row = tx.outbox.get([key]).get(key)
        if row is None or row.order_id is None or row.kind not in _BUILDERS:
            return Issued(key, "unknown", error="no document is wanted under this key"), set()
        tx.facts.lock_order(row.order_id)
        known = tx.documents.by_key(key)
        if known is not None:
            return _known(key, known), set()
        if row.state == "withdrawn":
            return Issued(key, "withdrawn", error="the document is no longer wanted"), set()
        kernel = self._kernel
        zone = ZoneInfo(kernel.setup.merchant.time_zone)
        today = now.astimezone(zone).date()
        file = load_file(tx, row.order_id)
        document = _BUILDERS[row.kind](kernel, tx, row, file, today)
        tx.documents.insert(
            {
                "number": document.number,
                "kind": document.kind.value,
                "order_id": row.order_id,
                "action_key": key,
                "issued_us": (now - _EPOCH) // timedelta(microseconds=1),
                "currency": document.currency,
                "gross_minor": document.total.minor,
                "content": msgspec.json.encode(document).decode(),
                "pdf": self._render_pdf(document),
            }
        )
        fact = f.DocumentIssued(
            number=document.number,
            document=document.kind,
            action_key=key,
            gross=document.total,
            issued_on=today.isoformat(),
            corrects=document.corrects,
        )
        draft = f.FactDraft(f"document:{document.number}", now, fact)
        stages = set(record(kernel, tx, "kette", [draft], now, order_id=row.order_id).stages)
        report = Report(key, True, reference=document.number)
        stages |= report_one(kernel, tx, report, now)[1]
        issued = Issued(key, "done", document.number, document.kind.value, document.total)
        return issued, stages


def _known(key: str, row: dict[str, Any]) -> Issued:
    gross = Money(row["gross_minor"], row["currency"])
    return Issued(key, "done", row["number"], row["kind"], gross)


def _next_number(kernel: Kernel, tx: Transaction, kind: f.DocumentKind, today: date) -> str:
    policy = kernel.setup.accounting
    is_invoice = kind is f.DocumentKind.INVOICE
    pattern = policy.invoice_number if is_invoice else policy.credit_note_number
    # A pattern without the year counts on over New Year's Eve.
    period = str(today.year) if "{year" in pattern else "all"
    return format_number(pattern, today.year, tx.documents.next_number(f"{kind.value}:{period}"))


def _supplied_on(file: OrderFile, zone: ZoneInfo) -> date | None:
    times = [p.shipped_at for p in file.parcels if p.shipped_at is not None]
    if times:
        return max(times).astimezone(zone).date()
    order = file.order
    if order is not None and not order.physical_lines and file.paid_at is not None:
        return file.paid_at.astimezone(zone).date()
    if order is not None and order.completed_at is not None:
        return order.completed_at.astimezone(zone).date()
    return None


def _invoice(
    kernel: Kernel, tx: Transaction, row: ActionRow, file: OrderFile, today: date
) -> InvoiceDocument:
    if file.order is None:
        raise DocumentError("no_order", "the shop has not sent the order yet")
    return build_invoice(
        file.order,
        kernel.setup,
        number=_next_number(kernel, tx, f.DocumentKind.INVOICE, today),
        issued_on=today,
        supplied_on=_supplied_on(file, ZoneInfo(kernel.setup.merchant.time_zone)),
        paid=file.money(file.captured_minor),
        delivery=file.delivery_address,
    )


def _credit_note(
    kernel: Kernel, tx: Transaction, row: ActionRow, file: OrderFile, today: date
) -> InvoiceDocument:
    assert row.order_id is not None
    issued = [
        msgspec.json.decode(x["content"], type=InvoiceDocument)
        for x in tx.documents.of_order(row.order_id)
    ]
    wanted = str(row.payload["corrects"])
    invoice = next((x for x in issued if x.number == wanted), None)
    if invoice is None:
        raise DocumentError("no_invoice", f"invoice {wanted} is not known")
    amount = row.payload["amount"]
    refund_id = str(row.payload["refund_id"]).removeprefix("shop-")
    shop_refunds = file.order.refunds if file.order is not None else ()
    reason = next((x.reason for x in shop_refunds if x.id == refund_id), "")
    return build_credit_note(
        invoice,
        number=_next_number(kernel, tx, f.DocumentKind.CREDIT_NOTE, today),
        issued_on=today,
        amount=Money.parse(amount["amount"], amount["currency"]),
        previous=[x for x in issued if x.corrects == invoice.number],
        reason=reason,
    )


_BUILDERS: dict[
    str, Callable[[Kernel, Transaction, ActionRow, OrderFile, date], InvoiceDocument]
] = {"issue_invoice": _invoice, "issue_credit_note": _credit_note}


def get_document(kernel: Kernel, number: str) -> dict[str, Any]:
    with kernel.store.read() as tx:
        row = tx.documents.get(number)
    if row is None:
        raise NotFoundError("document", number)
    return row
