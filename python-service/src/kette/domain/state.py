"""The state of one order: everything that its facts say about it, see domain/fold.py.

No rule of a merchant's setup is applied here.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from kette.domain import facts as f
from kette.domain.money import Money
from kette.domain.order import Address, Order, ShopRefund


class Payment(msgspec.Struct, frozen=True):
    """One attempt to pay, as the provider tells it."""

    id: str
    charge_id: str
    state: f.PaymentState
    authorized: int
    captured: int
    changed_at: datetime
    captured_at: datetime | None
    expires_at: datetime | None
    method: str
    code: str
    message: str
    card_country: str
    fingerprint: str
    risk_score: int | None
    risk_level: str
    source: str  # system id of the provider
    currency: str
    failed_tries: int = 0  # also of one that succeeded at last


class Refund(msgspec.Struct, frozen=True):
    """A refund that moved, moves or failed to move money."""

    id: str
    payment_id: str
    state: f.RefundState
    minor: int
    action_key: str
    at: datetime


class Dispute(msgspec.Struct, frozen=True):
    id: str
    payment_id: str
    state: f.DisputeState
    minor: int
    reason: str
    due_at: datetime | None
    opened_at: datetime


class Parcel(msgspec.Struct, frozen=True):
    """One parcel. `number` counts the shipments of the order that we asked for; 0 = not ours, or
    not reported yet."""

    id: str
    number: int
    state: f.ParcelState
    is_delayed: bool
    tracking_number: str
    tracking_url: str
    carrier: str
    message: str
    lines: tuple[f.ShippedLine, ...]
    shipped_at: datetime | None
    delivered_at: datetime | None
    # We asked for it, and the carrier told of it before our own report did, which names its lines.
    awaits_report: bool = False


class Handled(msgspec.Struct, frozen=True):
    """What a person made of an exception."""

    resolution: str
    by: str
    why: str
    at: datetime


class OrderFile(msgspec.Struct, frozen=True):
    """Everything the facts say about one order. No rule of a merchant's setup is applied here."""

    first_at: datetime | None = None
    order: Order | None = None
    snapshot_count: int = 0
    is_removed: bool = False
    # when the shop first said "paid", and what the total was then: shops have no "amount paid"
    shop_paid_at: datetime | None = None
    shop_paid_minor: int = 0
    claim_since: datetime | None = None  # since when the shop says what it says now
    is_reopened: bool = False  # the shop cancelled it and took that back
    is_taken_back: bool = False  # the shop wanted it fulfilled and does not any more
    correction: f.AddressCorrected | None = None
    payments: tuple[Payment, ...] = ()
    refunds: tuple[Refund, ...] = ()
    unmatched_shop_refunds: tuple[ShopRefund, ...] = ()
    disputes: tuple[Dispute, ...] = ()
    parcels: tuple[Parcel, ...] = ()
    reports: dict[str, f.ActionReported] = {}  # action key -> what was reported (done wins)
    report_times: dict[str, datetime] = {}
    approvals: dict[str, f.ApprovalGiven] = {}
    cancel: f.CancelRequested | None = None
    cancel_at: datetime | None = None
    handled: dict[str, Handled] = {}
    documents: tuple[f.DocumentIssued, ...] = ()
    notes: tuple[f.NoteAdded, ...] = ()
    # What was known of an order that is older than Kette, when Kette took over (domain/past.py).
    past: OrderFile | None = None

    @property
    def currency(self) -> str:
        if self.order is not None:
            return self.order.currency
        return "EUR"

    @property
    def delivery_address(self) -> Address:
        """The corrected address where a person corrected it, else the shop's."""
        if self.correction is not None:
            return self.correction.address
        return self.order.delivery_address if self.order is not None else Address()

    @property
    def due_minor(self) -> int:
        return self.order.total.minor if self.order is not None else 0

    @property
    def provider_captured_minor(self) -> int:
        return sum(p.captured for p in self.payments)

    @property
    def is_provider_paid(self) -> bool:
        """A provider took the money, so the provider's word decides, not the shop's."""
        return self.provider_captured_minor > 0

    @property
    def captured_minor(self) -> int:
        """Money taken. A shop says "paid" as well when it may only take what is reserved."""
        if self.provider_captured_minor or self.authorized_minor:
            return self.provider_captured_minor
        return self.shop_paid_minor

    @property
    def authorized_minor(self) -> int:
        return sum(p.authorized for p in self.payments if p.state is f.PaymentState.AUTHORIZED)

    @property
    def refunded_minor(self) -> int:
        return sum(r.minor for r in self.refunds if r.state is f.RefundState.SUCCEEDED)

    @property
    def refund_pending_minor(self) -> int:
        return sum(r.minor for r in self.refunds if r.state is f.RefundState.PENDING)

    @property
    def charged_back_minor(self) -> int:
        open_states = (f.DisputeState.NEEDS_RESPONSE, f.DisputeState.UNDER_REVIEW)
        return sum(d.minor for d in self.disputes if d.state in open_states or d.state is _LOST)

    @property
    def paid_at(self) -> datetime | None:
        """When the money came: the provider's capture, else the shop's word."""
        times = [p.captured_at for p in self.payments if p.captured_at is not None]
        return min(times) if times else self.shop_paid_at

    def is_done(self, key: str) -> bool:
        report = self.reports.get(key)
        return report is not None and report.done

    def money(self, minor: int) -> Money:
        return Money(minor, self.currency)


_LOST = f.DisputeState.LOST
