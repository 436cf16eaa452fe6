"""What a mail is made of, and the mail that comes out. Everything but the action key may be
missing."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import msgspec

from kette.domain.money import Money
from kette.domain.order import Address, Order


class MailError(ValueError):
    """A mail that cannot be written. `code` is stable; `field` names what to repair."""

    def __init__(self, code: str, field: str, detail: str) -> None:
        super().__init__(f"{code}: {field}: {detail}")
        self.code = code
        self.field = field
        self.detail = detail


class MailAddressError(MailError):
    """field: "to", "customer.mail_from" or "customer.reply_to"."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__("mail_address_invalid", field, detail)


class UnknownNoticeError(MailError):
    def __init__(self, notice: str) -> None:
        super().__init__("notice_unknown", "notice", f"there is no mail for {notice!r}")


class Mail(msgspec.Struct, frozen=True, rename={"sender": "from"}):
    """Ready to send. `to` and `reply_to` are bare addresses, `sender` has the shop's name too."""

    to: str
    sender: str
    reply_to: str
    subject: str
    html: str
    text: str


class ParcelView(msgspec.Struct, frozen=True):
    tracking_number: str = ""
    tracking_url: str = ""
    carrier: str = ""


class LineView(msgspec.Struct, frozen=True):
    name: str
    quantity: int


class Problem(msgspec.Struct, frozen=True):
    """A finding of the intake checks; `message` is the English text behind an unknown code."""

    code: str
    field: str
    message: str = ""


class ExceptionView(msgspec.Struct, frozen=True):
    """An entry of the exception list, for its owner."""

    id: str
    kind: str
    summary: str
    suggestion: str = ""
    owner: str = ""
    due_at: datetime | None = None
    context: dict[str, Any] = {}
    url: str = ""  # where people find the entry


class MailContext(msgspec.Struct, frozen=True):
    action_key: str
    order: Order | None = None
    to: str = ""  # for staff; customers are written to at the order's mail address
    # confirmation: paid, prepayment, later or open; empty = read off the order
    payment: str = ""
    amount: Money | None = None  # what was refunded, or is still to be paid
    link: str = ""  # where the customer can pay
    n: str = ""  # number of the reminder, or "failed" for a payment that failed
    address: Address | None = None  # where the goods go, if it was corrected
    parcels: tuple[ParcelView, ...] = ()
    lines: tuple[LineView, ...] = ()  # in this shipment
    open_lines: tuple[LineView, ...] = ()  # still to come
    expected_on: date | None = None
    problems: tuple[Problem, ...] = ()
    reason: str = ""
    subject: str = ""  # create_task
    task: str = ""  # create_task
    exception: ExceptionView | None = None
    order_url: str = ""  # for staff
