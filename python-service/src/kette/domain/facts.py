"""Every kind of fact: what happened, never what to do.

A fact is recorded once and never changed. Its body is one of the structs below, stored as JSON
with the tag field "fact". `external_id` is unique per source: the same thing told twice is one
fact, however often and in whatever order it arrives.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from kette.domain.money import Money
from kette.domain.order import Address, Order


class _Body(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="fact"):
    pass


class OrderSnapshot(_Body, tag="order_snapshot", frozen=True):
    """The shop's view of an order at one moment."""

    order: Order


class OrderRemoved(_Body, tag="order_removed", frozen=True):
    """The shop put the order into its trash; shops send the id alone."""


class OrderRestored(_Body, tag="order_restored", frozen=True):
    """The shop took the order out of its trash."""


class OrderBackfilled(_Body, tag="order_backfilled", frozen=True):
    """The order was placed before Kette took over and had a life of its own by then: what the shop
    said up to `version`, what it told along with that (external ids of facts), and everything else
    up to `cutover_at`, is its past (domain/past.py)."""

    version: str
    cutover_at: datetime
    told_with: tuple[str, ...] = ()


class PaymentState(StrEnum):
    PENDING = "pending"  # begun; the customer has still to act
    PROCESSING = "processing"  # the bank is collecting; takes days with direct debits
    AUTHORIZED = "authorized"  # reserved, not taken
    CAPTURED = "captured"  # taken
    FAILED = "failed"  # this attempt failed; another may follow
    VOIDED = "voided"  # reservation dropped


class PaymentReported(_Body, tag="payment", frozen=True):
    """A payment provider's word on one payment (one attempt to pay)."""

    payment_id: str
    state: PaymentState
    amount: Money  # what the state is about: reserved, taken or tried
    charge_id: str = ""
    method: str = ""  # card, klarna, sepa_debit ...
    code: str = ""  # provider's failure code
    message: str = ""
    card_country: str = ""
    fingerprint: str = ""
    risk_score: int | None = None  # provider's own, 0-100
    risk_level: str = ""
    expires_at: datetime | None = None


class RefundState(StrEnum):
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"  # may come after succeeded; final


class RefundReported(_Body, tag="refund", frozen=True):
    """A provider's word on one refund."""

    refund_id: str
    payment_id: str
    state: RefundState
    amount: Money
    charge_id: str = ""
    action_key: str = ""  # our key, where the provider hands it back
    reason: str = ""


class RefundTotalReported(_Body, tag="refund_total", frozen=True):
    """The provider's running total of refunds on one payment, where it names no single refunds."""

    payment_id: str
    refunded: Money
    charge_id: str = ""


class DisputeState(StrEnum):
    INQUIRY = "inquiry"  # a question; no money moved
    INQUIRY_CLOSED = "inquiry_closed"
    NEEDS_RESPONSE = "needs_response"
    UNDER_REVIEW = "under_review"
    WON = "won"
    LOST = "lost"


class DisputeReported(_Body, tag="dispute", frozen=True):
    """A provider's word on one dispute."""

    dispute_id: str
    payment_id: str
    state: DisputeState
    amount: Money
    charge_id: str = ""
    reason: str = ""
    due_at: datetime | None = None


class PayoutReported(_Body, tag="payout", frozen=True):
    """A provider's word on one transfer to the bank. Belongs to no order."""

    payout_id: str
    state: str
    amount: Money
    arrives_on: str = ""


class ParcelState(StrEnum):
    """Progress of one parcel; see domain/fold_parcels.py for the ranks."""

    ANNOUNCED = "announced"  # label made; the carrier has not seen the parcel
    SHIPPED = "shipped"  # the carrier has it
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RETURNED = "returned"  # on its way back or back
    FAILED = "failed"  # announcement failed, address refused
    CANCELLED = "cancelled"


class ShippedLine(msgspec.Struct, frozen=True):
    """Pieces of one line that a shipment carries."""

    line_id: str
    quantity: int


class ParcelReported(_Body, tag="parcel", frozen=True):
    """A carrier's word on one parcel, or a shop's word on one that it sent itself."""

    parcel_id: str
    state: ParcelState
    vendor_status: str = ""
    tracking_number: str = ""
    tracking_url: str = ""
    carrier: str = ""
    message: str = ""
    lines: tuple[ShippedLine, ...] = ()  # told by shops; carriers know no lines
    # The teller takes back all it said of the parcel: a shop that cancels its own fulfillment.
    is_withdrawn: bool = False
    # What we called it when we asked for it; empty for a parcel that somebody else made.
    own_reference: str = ""


class ProductReported(_Body, tag="product", frozen=True):
    """The shop's word on one product's stock. Belongs to no order."""

    product_id: str
    sku: str
    version: str
    stock_quantity: int | None  # None: the shop does not count this product
    in_stock: bool
    backorders_allowed: bool = False


class StockLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """Answer of a stock check for one line of an order."""

    line_id: str
    available: int  # pieces of the line that can be shipped now, 0..quantity


class VatOutcome(StrEnum):
    VALID = "valid"  # registered for trade between states on the day it was asked
    INVALID = "invalid"
    UNAVAILABLE = "unavailable"  # nobody answered; says nothing about the id


class VatAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the states' VAT register said about an id. The consultation number is the proof."""

    vat_id: str
    outcome: VatOutcome
    consultation: str = ""
    asked_at: str = ""  # the register's own time
    name: str = ""  # some states give none
    address: str = ""
    name_match: str = ""  # the register's own code
    error: str = ""  # why there was no answer, in the register's code


class ActionReported(_Body, tag="action_report", frozen=True):
    """What a stage workflow reported about one action.

    `shipped` and `amount` repeat what the action was about (create_shipment, refund_payment), so
    that the state can be read from facts alone.
    """

    key: str
    kind: str
    done: bool
    attempt: int = 0
    reference: str = ""  # the vendor's id of what was made
    error: str = ""
    retryable: bool = True
    answer: dict[str, Any] = {}
    stock: tuple[StockLine, ...] = ()  # for check_stock
    vat: VatAnswer | None = None  # for check_vat_id
    link: str = ""  # for payment links
    tracking_number: str = ""
    tracking_url: str = ""
    shipped: tuple[ShippedLine, ...] = ()
    amount: Money | None = None


class AddressCorrected(_Body, tag="address_corrected", frozen=True):
    """A person replaced the delivery address."""

    address: Address
    by: str
    why: str


class ApprovalGiven(_Body, tag="approval", frozen=True):
    """A person approved or refused an action that needs it."""

    subject: str  # action key, or "risk" for a risk review
    approved: bool
    by: str
    why: str


class CancelRequested(_Body, tag="cancel_requested", frozen=True):
    by: str
    why: str


class NoteAdded(_Body, tag="note", frozen=True):
    by: str
    text: str


class ExceptionHandled(_Body, tag="exception_handled", frozen=True):
    """A person dealt with an entry of the exception list."""

    exception_key: str
    verb: str  # resolve, assign, snooze
    by: str
    why: str
    resolution: str = ""  # resolve: accepted (go on as it is), fixed (look again), done
    owner: str = ""
    until: datetime | None = None


class DocumentKind(StrEnum):
    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"


class DocumentIssued(_Body, tag="document_issued", frozen=True):
    """The service issued a document with a number of its own range."""

    number: str
    document: DocumentKind
    action_key: str
    gross: Money
    issued_on: str  # business date, YYYY-MM-DD
    corrects: str = ""  # number of the invoice that a credit note corrects


class RunFailed(_Body, tag="run_failed", frozen=True):
    """An n8n execution failed; told by the error workflow."""

    workflow_id: str
    workflow_name: str
    execution_id: str
    node: str
    message: str
    url: str = ""


class PayloadUnknown(_Body, tag="payload_unknown", frozen=True):
    """A payload that nobody understands. Kept, and shown in the exception list."""

    topic: str
    reason: str
    digest: str  # SHA-256 of the raw bytes; the bytes are in the delivery


class BodyErased(_Body, tag="body_erased", frozen=True):
    """What is left of a fact whose body was erased: that it was there. Never recorded itself."""


FactBody = (
    OrderSnapshot
    | OrderRemoved
    | OrderRestored
    | OrderBackfilled
    | PaymentReported
    | RefundReported
    | RefundTotalReported
    | DisputeReported
    | PayoutReported
    | ParcelReported
    | ProductReported
    | ActionReported
    | AddressCorrected
    | ApprovalGiven
    | CancelRequested
    | NoteAdded
    | ExceptionHandled
    | DocumentIssued
    | RunFailed
    | PayloadUnknown
    | BodyErased
)


class Fact(msgspec.Struct, frozen=True):
    """A recorded fact. `source` is a system id or "people", "kette", "n8n"."""

    id: str
    source: str
    external_id: str
    occurred_at: datetime
    recorded_at: datetime
    body: FactBody


class Ref(msgspec.Struct, frozen=True):
    """A foreign name by which an order can be found: ("woo-main", "order:102"), ("stripe", "pi_1").

    `founds_order`: this name alone is enough to open an order's file, even before its snapshot
    came.
    """

    system_id: str
    name: str
    founds_order: bool = False


class FactDraft(msgspec.Struct, frozen=True):
    """A fact before it is recorded. refs: names that lead to its order; none for order-less
    facts."""

    external_id: str
    occurred_at: datetime
    body: FactBody
    refs: tuple[Ref, ...] = ()


class Fetch(msgspec.Struct, frozen=True):
    """Something to read from the sender's API, because its event names it and tells no more."""

    resource: str  # order, product
    id: str  # of the row that the event named; may be a part of the resource
    path: str  # below the system's base URL
    body: dict[str, Any]


class Translation(msgspec.Struct, frozen=True):
    """What an adapter made of one delivery. No facts and no reason = a ping, nothing to record."""

    facts: tuple[FactDraft, ...] = ()
    note: str = ""  # e.g. "ping"
    fetch: tuple[Fetch, ...] = ()
