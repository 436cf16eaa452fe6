"""Documents: one invoice per order, one correction per refund, each filed.

The number, the PDF and the sums are made by the service when the action is taken
(use_cases/documents); here is only decided that a document should exist.
"""

from __future__ import annotations

from kette.domain import facts as f
from kette.domain.decide import Case
from kette.domain.stages.vat import waits_for_register
from kette.domain.status import PaymentStatus

INVOICEABLE = frozenset({PaymentStatus.PAID, PaymentStatus.LATER, PaymentStatus.PARTIALLY_REFUNDED})


def rules(case: Case) -> None:
    file = case.file
    if file.order is None:
        return
    invoice = next((d for d in file.documents if d.document is f.DocumentKind.INVOICE), None)
    if invoice is not None or _is_invoice_due(case):
        case.want("issue_invoice", "", {}, _reason(case))
    if invoice is not None:
        for refund in file.refunds:
            if refund.state is f.RefundState.SUCCEEDED:
                case.want(
                    "issue_credit_note",
                    refund.id,
                    {
                        "refund_id": refund.id,
                        "amount": file.money(refund.minor).public(),
                        "corrects": invoice.number,
                    },
                    f"refund {refund.id} reduces invoice {invoice.number}",
                )
    archive = case.system("archive")
    for document in file.documents:
        if archive is not None:
            case.want(
                "archive_document",
                document.number,
                {
                    "number": document.number,
                    "document": document.document.value,
                    "issued_on": document.issued_on,
                },
                "every document is filed",
                system=archive,
            )


def _is_invoice_due(case: Case) -> bool:
    """With the goods (the supply), or with the money where the setup says so. Digital goods are
    supplied when paid. An order that was cancelled or refunded before that needs no invoice, and
    nobody owes tax on a test."""
    order = case.file.order
    if case.is_cancelled or case.view.is_blocked or (order is not None and order.is_test):
        return False
    if case.shipping.is_all_out:
        return True  # supplied, whatever became of the payment
    if case.statuses.payment not in INVOICEABLE or waits_for_register(case):
        return False
    if case.shipping.is_physical:
        return case.setup.accounting.invoice_at == "payment" and case.file.captured_minor > 0
    is_supplied_on_account = case.statuses.payment is PaymentStatus.LATER
    return case.file.captured_minor > 0 or case.file.due_minor == 0 or is_supplied_on_account


def _reason(case: Case) -> str:
    if case.shipping.is_physical and case.setup.accounting.invoice_at == "shipment":
        return "all goods have been handed over"
    return "the order is paid"
