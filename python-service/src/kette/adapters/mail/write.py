"""From an action to its mail: gather what the notice tells, freshly, and have it rendered."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from kette.adapters.mail.model import (
    ExceptionView,
    LineView,
    MailContext,
    MailError,
    ParcelView,
    Problem,
)
from kette.adapters.mail.render import render_mail
from kette.adapters.mail.words import carrier_name
from kette.domain.money import Money
from kette.domain.order import LineItem
from kette.domain.state import OrderFile, Parcel
from kette.domain.status import OUT, PaymentStatus
from kette.domain.wording import Language, pick_language
from kette.use_cases.kernel import Kernel
from kette.use_cases.lease import PresentationError
from kette.use_cases.ports import ActionRow, Transaction

STAFF = frozenset({"notify_owner", "escalate", "create_task"})
_VARIANT = {
    PaymentStatus.PAID.value: "paid",
    PaymentStatus.LATER.value: "later",
    PaymentStatus.AUTHORIZED.value: "paid",
}


def write_mail(kernel: Kernel, tx: Transaction, row: ActionRow, file: OrderFile) -> dict[str, Any]:
    """The mail as {to, from, reply_to, subject, html, text}. Raises PresentationError."""
    notice = str(row.payload.get("notice") or row.kind)
    setup = kernel.setup
    order = file.order
    customer_language = pick_language(
        order.language if order is not None else "", setup.customer.default_language
    )
    language: Language = (
        pick_language("", setup.merchant.language) if row.kind in STAFF else customer_language
    )
    try:
        mail = render_mail(notice, _context(kernel, tx, row, file, notice), language, setup)
    except MailError as error:
        raise PresentationError(str(error)) from error
    result: dict[str, Any] = msgspec.to_builtins(mail)
    return result


def _context(
    kernel: Kernel, tx: Transaction, row: ActionRow, file: OrderFile, notice: str
) -> MailContext:
    payload = row.payload
    amount = payload.get("amount")
    parcels = _parcels(file, str(payload.get("parcel", "")))
    return MailContext(
        action_key=row.key,
        order=file.order,
        to=str(payload.get("to") or _staff_address(kernel, row)),
        payment=_payment_variant(tx, row, notice),
        amount=Money.parse(amount["amount"], amount["currency"]) if amount else None,
        link=str(payload.get("link", "")),
        n=str(payload.get("n", "")),
        address=file.correction.address if file.correction is not None else None,
        parcels=tuple(
            ParcelView(
                p.tracking_number, p.tracking_url, carrier_name(p.carrier) or _carrier(kernel)
            )
            for p in parcels
        ),
        lines=_carried(file, parcels) if notice in ("shipped", "partially_shipped") else (),
        open_lines=_still_to_come(file) if notice == "partially_shipped" else (),
        problems=tuple(
            Problem(x["code"], x["field"], x.get("message", ""))
            for x in payload.get("findings", ())
        ),
        # What staff wrote down is for staff; a customer is told that, not why.
        reason=file.cancel.why if file.cancel is not None and row.kind in STAFF else "",
        subject=str(payload.get("subject", "")),
        task=str(payload.get("task", "")),
        exception=_exception(kernel, tx, payload),
        order_url=f"{kernel.url}/v1/orders/{row.order_id}" if row.order_id else "",
    )


def _staff_address(kernel: Kernel, row: ActionRow) -> str:
    if row.kind not in STAFF:
        return ""
    policy = kernel.setup.exceptions
    address = policy.owner_mails.get(policy.default_owner, "")
    if not address:
        raise PresentationError(
            f"the setup names no mail address for role {policy.default_owner!r} "
            "(exceptions.owner_mails)"
        )
    return address


def _payment_variant(tx: Transaction, row: ActionRow, notice: str) -> str:
    if notice != "confirmation" or row.order_id is None:
        return ""
    order = tx.orders.get(row.order_id)
    return _VARIANT.get(order.statuses["payment"], "") if order is not None else ""


def _parcels(file: OrderFile, parcel_id: str) -> list[Parcel]:
    """The parcel that the notice is about, else all that are on their way."""
    out = [p for p in file.parcels if p.state in OUT]
    return [p for p in file.parcels if p.id == parcel_id] if parcel_id else out


def _carrier(kernel: Kernel) -> str:
    system = next((s for s in kernel.setup.systems.values() if s.role == "carrier"), None)
    return system.options.get("carrier_name", "") if system is not None else ""


def _carried(file: OrderFile, parcels: list[Parcel]) -> tuple[LineView, ...]:
    lines = {line.id: line for line in file.order.physical_lines} if file.order else {}
    return tuple(
        LineView(lines[x.line_id].name, x.quantity)
        for parcel in parcels
        for x in parcel.lines
        if x.line_id in lines
    )


def _still_to_come(file: OrderFile) -> tuple[LineView, ...]:
    def sent(line: LineItem) -> int:
        return sum(
            x.quantity
            for parcel in file.parcels
            if parcel.state in OUT
            for x in parcel.lines
            if x.line_id == line.id
        )

    lines = file.order.physical_lines if file.order is not None else ()
    return tuple(
        LineView(line.name, line.quantity - sent(line))
        for line in lines
        if line.quantity > sent(line)
    )


def _exception(kernel: Kernel, tx: Transaction, payload: dict[str, Any]) -> ExceptionView | None:
    exception_id = payload.get("exception_id")
    row = tx.exceptions.get(str(exception_id)) if exception_id else None
    if row is None:
        return None
    due_at: datetime = row.due_at
    return ExceptionView(
        id=row.id,
        kind=row.kind,
        summary=row.summary,
        suggestion=row.suggestion,
        owner=row.owner,
        due_at=due_at,
        context=row.context,
        url=f"{kernel.url}/v1/exceptions?order_id={row.order_id}" if row.order_id else kernel.url,
    )
