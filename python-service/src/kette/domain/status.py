"""The six status axes of an order, each an ordered rule table: the first rule that holds wins.

Statuses are read off the file; no event ever moves one. Reachability of every status is tested.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from enum import StrEnum

import msgspec

from kette.domain import facts as f
from kette.domain.order import LineItem, ShopClaim
from kette.domain.policy import Setup
from kette.domain.state import OrderFile, Parcel


class OrderStatus(StrEnum):
    RECEIVED = "received"  # something is known of the order, not yet the order itself
    VALID = "valid"
    ON_HOLD = "on_hold"  # a person has to look before it goes on
    CANCELLED = "cancelled"
    COMPLETED = "completed"


class PaymentStatus(StrEnum):
    OPEN = "open"
    AUTHORIZED = "authorized"
    PAID = "paid"
    PARTIALLY_PAID = "partially_paid"
    LATER = "later"  # delivery first, money later: cash on delivery, invoice
    FAILED = "failed"
    CHARGEBACK = "chargeback"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"


class RiskStatus(StrEnum):
    CLEAR = "clear"
    REVIEW = "review"
    BLOCKED = "blocked"


class FulfillmentStatus(StrEnum):
    NONE = "none"
    REQUESTED = "requested"
    BLOCKED = "blocked"
    PARTIALLY_SHIPPED = "partially_shipped"
    SHIPPED = "shipped"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RETURNED = "returned"
    CANCELLED = "cancelled"


class ReturnStatus(StrEnum):
    NONE = "none"
    REQUESTED = "requested"
    RECEIVED = "received"
    INSPECTED = "inspected"
    REFUNDED = "refunded"
    REJECTED = "rejected"


class AccountingStatus(StrEnum):
    NONE = "none"
    INVOICED = "invoiced"
    BOOKED = "booked"
    CORRECTED = "corrected"
    EXPORTED = "exported"
    SETTLED = "settled"


class Statuses(msgspec.Struct, frozen=True):
    order: OrderStatus
    payment: PaymentStatus
    risk: RiskStatus
    fulfillment: FulfillmentStatus
    returns: ReturnStatus
    accounting: AccountingStatus

    def public(self) -> dict[str, str]:
        return {
            "order": self.order.value,
            "payment": self.payment.value,
            "risk": self.risk.value,
            "fulfillment": self.fulfillment.value,
            "return": self.returns.value,
            "accounting": self.accounting.value,
        }


NOTHING_KNOWN = Statuses(
    OrderStatus.RECEIVED,
    PaymentStatus.OPEN,
    RiskStatus.CLEAR,
    FulfillmentStatus.NONE,
    ReturnStatus.NONE,
    AccountingStatus.NONE,
)


OUT = frozenset({f.ParcelState.SHIPPED, f.ParcelState.DELIVERED, f.ParcelState.RETURNED})
LIVE = OUT | {f.ParcelState.ANNOUNCED}  # parcels whose lines need no other parcel


class Shipping(msgspec.Struct, frozen=True):
    """Pieces per line: ordered, in live parcels, handed over to the carrier, delivered."""

    ordered: dict[str, int]
    live: dict[str, int]
    out: dict[str, int]
    delivered: dict[str, int]
    parcels_out: tuple[Parcel, ...]
    is_shipped_by_shop: bool

    @property
    def is_physical(self) -> bool:
        return bool(self.ordered)

    def _covered(self, pieces: dict[str, int]) -> bool:
        return all(pieces.get(line, 0) >= count for line, count in self.ordered.items())

    @property
    def is_all_out(self) -> bool:
        return self.is_physical and (self.is_shipped_by_shop or self._covered(self.out))

    @property
    def is_all_delivered(self) -> bool:
        return self.is_physical and not self.is_shipped_by_shop and self._covered(self.delivered)

    @property
    def is_any_out(self) -> bool:
        return self.is_shipped_by_shop or bool(self.parcels_out)

    def open_lines(self, lines: tuple[LineItem, ...]) -> list[tuple[LineItem, int]]:
        """Lines with pieces that are in no live parcel yet."""
        if self.is_shipped_by_shop:
            return []
        return [
            (line, missing)
            for line in lines
            if (missing := line.to_ship - self.live.get(line.id, 0)) > 0
        ]


def shipping_of(file: OrderFile) -> Shipping:
    lines = file.order.physical_lines if file.order is not None else ()
    ordered = {line.id: line.to_ship for line in lines if line.to_ship > 0}
    counts: dict[str, dict[str, int]] = {
        name: defaultdict(int) for name in ("live", "out", "delivered")
    }
    # A parcel that names no lines (made elsewhere, e.g. in the carrier's own panel) carries all.
    # One of ours carries what its report will say: until then nothing is known to have left.
    parcels = [parcel for parcel in file.parcels if not parcel.awaits_report]
    for parcel in parcels:
        carried = {x.line_id: x.quantity for x in parcel.lines} or ordered
        for line, pieces in carried.items():
            if parcel.state in LIVE:
                counts["live"][line] += pieces
            if parcel.state in OUT:
                counts["out"][line] += pieces
            if parcel.state in (f.ParcelState.DELIVERED, f.ParcelState.RETURNED):
                counts["delivered"][line] += pieces
    has_live = any(p.state in LIVE for p in file.parcels)
    claims_done = file.order is not None and file.order.claim is ShopClaim.COMPLETED
    return Shipping(
        ordered=ordered,
        live=dict(counts["live"]),
        out=dict(counts["out"]),
        delivered=dict(counts["delivered"]),
        parcels_out=tuple(p for p in parcels if p.state in OUT),
        is_shipped_by_shop=bool(ordered) and claims_done and not has_live,
    )


class View(msgspec.Struct, frozen=True):
    """What the rule tables look at."""

    file: OrderFile
    setup: Setup
    shipping: Shipping
    is_blocked: bool  # a blocking finding that no person has accepted
    risk: RiskStatus

    @property
    def claim(self) -> ShopClaim | None:
        return self.file.order.claim if self.file.order is not None else None

    @property
    def is_pay_later(self) -> bool:
        order = self.file.order
        return order is not None and order.payment_method in self.setup.payment.pay_later_methods

    @property
    def wants_cancel(self) -> bool:
        """Somebody who may says that the order is off."""
        file = self.file
        return (
            self.claim is ShopClaim.CANCELLED
            or file.is_removed
            or file.cancel is not None
            or (not file.is_reopened and _is_cancelled_by_us(file))
        )


def _is_cancelled_by_us(file: OrderFile) -> bool:
    """Counts until the shop, having followed, opens the order again."""
    return any(r.kind == "cancel_order" and r.done for r in file.reports.values())


Rule = Callable[[View], bool]

_NOT_PAYABLE = frozenset({ShopClaim.PENDING, ShopClaim.FAILED, ShopClaim.CANCELLED})


def _last_attempt_failed(view: View) -> bool:
    attempts = sorted(view.file.payments, key=lambda p: (p.changed_at, p.id))
    if attempts:
        dead = (f.PaymentState.FAILED, f.PaymentState.VOIDED)
        return attempts[-1].state in dead
    return view.claim is ShopClaim.FAILED


PAYMENT_RULES: tuple[tuple[PaymentStatus, Rule], ...] = (
    (PaymentStatus.CHARGEBACK, lambda v: v.file.charged_back_minor > 0),
    (
        PaymentStatus.REFUNDED,
        lambda v: v.file.refunded_minor >= v.file.captured_minor > 0,
    ),
    (
        PaymentStatus.REFUNDED,  # by the shop's word alone, e.g. cash that was handed back
        lambda v: v.claim is ShopClaim.REFUNDED and v.file.refunded_minor >= v.file.due_minor > 0,
    ),
    # A refund is no payment: before money came, a reduced order is as unpaid as it was.
    (
        PaymentStatus.PARTIALLY_REFUNDED,
        lambda v: v.file.refunded_minor > 0 and v.file.captured_minor > 0,
    ),
    (
        PaymentStatus.PAID,
        lambda v: (
            v.file.order is not None
            and v.file.captured_minor >= v.file.due_minor
            and (v.file.due_minor > 0 or v.claim not in _NOT_PAYABLE)
        ),
    ),
    (
        PaymentStatus.PAID,  # money came before the order did
        lambda v: v.file.order is None and v.file.captured_minor > 0,
    ),
    (PaymentStatus.PARTIALLY_PAID, lambda v: v.file.captured_minor > 0),
    (PaymentStatus.AUTHORIZED, lambda v: v.file.authorized_minor > 0),
    (PaymentStatus.LATER, lambda v: v.is_pay_later and v.claim not in _NOT_PAYABLE),
    (PaymentStatus.FAILED, _last_attempt_failed),
    (PaymentStatus.OPEN, lambda v: True),
)


def _is_blocked_in_carriage(view: View) -> bool:
    failed = [p for p in view.file.parcels if p.state is f.ParcelState.FAILED]
    return bool(failed) and not view.shipping.is_all_out


def _is_requested(view: View) -> bool:
    made = any(p.awaits_report and p.state in LIVE for p in view.file.parcels)
    return made or bool(view.shipping.live)


def _is_recalled(view: View) -> bool:
    """Parcels were ordered and taken back, and none is left."""
    cancelled = any(p.state is f.ParcelState.CANCELLED for p in view.file.parcels)
    return cancelled and not view.shipping.live


def _all_parcels_returned(view: View) -> bool:
    out = view.shipping.parcels_out
    return bool(out) and all(p.state is f.ParcelState.RETURNED for p in out)


FULFILLMENT_RULES: tuple[tuple[FulfillmentStatus, Rule], ...] = (
    (FulfillmentStatus.RETURNED, _all_parcels_returned),
    (FulfillmentStatus.DELIVERED, lambda v: v.shipping.is_all_delivered),
    (FulfillmentStatus.DELAYED, lambda v: any(p.is_delayed for p in v.shipping.parcels_out)),
    (FulfillmentStatus.SHIPPED, lambda v: v.shipping.is_all_out),
    (FulfillmentStatus.PARTIALLY_SHIPPED, lambda v: v.shipping.is_any_out),
    (FulfillmentStatus.CANCELLED, lambda v: v.wants_cancel or _is_recalled(v)),
    (FulfillmentStatus.BLOCKED, _is_blocked_in_carriage),
    (FulfillmentStatus.REQUESTED, _is_requested),
    (FulfillmentStatus.BLOCKED, lambda v: v.is_blocked and v.shipping.is_physical),
    (FulfillmentStatus.NONE, lambda v: True),
)

_SETTLED = frozenset(
    {
        PaymentStatus.PAID,
        PaymentStatus.LATER,
        PaymentStatus.PARTIALLY_REFUNDED,
        PaymentStatus.REFUNDED,
    }
)


def _is_cancelled(view: View) -> bool:
    refunded_before_shipping = (
        view.claim is ShopClaim.REFUNDED and not view.shipping.is_any_out and not view.is_blocked
    )
    return (view.wants_cancel and not view.is_blocked) or refunded_before_shipping


def _is_completed(view: View, payment: PaymentStatus) -> bool:
    if view.file.order is None or view.is_blocked or payment not in _SETTLED:
        return False
    if payment is PaymentStatus.LATER and not (
        view.shipping.is_all_delivered or view.claim is ShopClaim.COMPLETED
    ):
        return False
    if view.shipping.is_physical:
        return view.shipping.is_all_out
    return view.claim in (ShopClaim.COMPLETED, ShopClaim.REFUNDED) or payment is PaymentStatus.PAID


def derive_statuses(view: View) -> Statuses:
    payment = next(status for status, rule in PAYMENT_RULES if rule(view))
    fulfillment = next(status for status, rule in FULFILLMENT_RULES if rule(view))
    return Statuses(
        order=_order_status(view, payment),
        payment=payment,
        risk=view.risk,
        fulfillment=fulfillment,
        returns=ReturnStatus.NONE,
        accounting=_accounting_status(view.file),
    )


def _order_status(view: View, payment: PaymentStatus) -> OrderStatus:
    if view.file.order is None:
        return OrderStatus.RECEIVED
    if _is_cancelled(view):
        return OrderStatus.CANCELLED
    if view.is_blocked:
        return OrderStatus.ON_HOLD
    if _is_completed(view, payment):
        return OrderStatus.COMPLETED
    if payment is PaymentStatus.CHARGEBACK and not view.shipping.is_all_out:
        return OrderStatus.ON_HOLD
    return OrderStatus.VALID


def _accounting_status(file: OrderFile) -> AccountingStatus:
    kinds = {d.document for d in file.documents}
    if f.DocumentKind.CREDIT_NOTE in kinds:
        return AccountingStatus.CORRECTED
    return AccountingStatus.INVOICED if f.DocumentKind.INVOICE in kinds else AccountingStatus.NONE
