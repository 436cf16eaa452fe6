"""The state of one order: a pure function of the SET of its facts.

Every derivation here is indifferent to the order and the repetition of facts: amounts are sums over
objects with their own ids, snapshots win by version, objects with a life of their own (payment,
refund, dispute, parcel) by rank, people's words by the time they were spoken. A property test
holds it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import TypeVar

import msgspec

from kette.domain import facts as f
from kette.domain.money import Money
from kette.domain.order import Address, Order, ShopRefund

_B = TypeVar("_B", bound=msgspec.Struct)


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
    """One parcel. `number` counts the shipments of the order that we asked for; 0 = not ours."""

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
        return self.provider_captured_minor or self.shop_paid_minor

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

PAYMENT_RANK = {
    f.PaymentState.CAPTURED: 3,
    f.PaymentState.VOIDED: 2,
    f.PaymentState.AUTHORIZED: 1,
    f.PaymentState.PROCESSING: 0,
    f.PaymentState.PENDING: 0,
    f.PaymentState.FAILED: 0,  # the later of pending and failed counts: a new try may follow
}
REFUND_RANK = {
    f.RefundState.PENDING: 0,
    f.RefundState.SUCCEEDED: 1,
    f.RefundState.FAILED: 2,  # may come after success, and is final (vendure#3152)
}
DISPUTE_RANK = {
    f.DisputeState.INQUIRY: 0,
    f.DisputeState.INQUIRY_CLOSED: 1,
    f.DisputeState.NEEDS_RESPONSE: 2,
    f.DisputeState.UNDER_REVIEW: 3,
    f.DisputeState.WON: 4,
    f.DisputeState.LOST: 4,  # the later of won and lost counts
}
PARCEL_RANK = {
    f.ParcelState.ANNOUNCED: 0,
    f.ParcelState.FAILED: 1,
    f.ParcelState.CANCELLED: 2,
    f.ParcelState.SHIPPED: 3,
    f.ParcelState.DELIVERED: 4,
    f.ParcelState.RETURNED: 5,
}


def fold(facts: Iterable[f.Fact]) -> OrderFile:
    """Derive an order's file from its facts; any order, any repetition.

    Facts are brought into one canonical order first. That alone would not be enough: nothing below
    lets a later fact overwrite a stronger one.
    """
    unique = {fact.id: fact for fact in facts}
    ordered = sorted(unique.values(), key=lambda x: (x.occurred_at, x.source, x.external_id))
    groups: dict[type, list[f.Fact]] = defaultdict(list)
    for fact in ordered:
        groups[type(fact.body)].append(fact)
    reports, report_times = _reports(groups[f.ActionReported])
    snapshots = _snapshots(groups[f.OrderSnapshot])
    order = snapshots[-1][1] if snapshots else None
    payments = _payments(groups[f.PaymentReported])
    is_provider_paid = any(p.captured for p in payments)
    provider_refunds = _provider_refunds(
        groups[f.RefundReported],
        groups[f.RefundTotalReported],
        reports,
        report_times,
        order,
        payments,
    )
    refunds, unmatched = _match_shop_refunds(provider_refunds, order, is_provider_paid)
    first_paid = next(((t, o) for t, o in snapshots if o.paid_at is not None), None)
    cancels = groups[f.CancelRequested]
    return OrderFile(
        first_at=ordered[0].occurred_at if ordered else None,
        order=order,
        snapshot_count=len(snapshots),
        is_removed=bool(groups[f.OrderRemoved]) and not groups[f.OrderRestored],
        shop_paid_at=first_paid[1].paid_at if first_paid and order and order.paid_at else None,
        shop_paid_minor=first_paid[1].total.minor if first_paid and order and order.paid_at else 0,
        claim_since=_claim_since(snapshots),
        correction=_correction(groups[f.AddressCorrected], snapshots),
        payments=payments,
        refunds=refunds,
        unmatched_shop_refunds=unmatched,
        disputes=_disputes(groups[f.DisputeReported]),
        parcels=_parcels(groups[f.ParcelReported], reports),
        reports=reports,
        report_times=report_times,
        approvals={body.subject: body for body in _bodies(ordered, f.ApprovalGiven)},
        cancel=next(iter(_bodies(ordered, f.CancelRequested)), None),
        cancel_at=cancels[0].occurred_at if cancels else None,
        handled=_handled(groups[f.ExceptionHandled]),
        documents=tuple(_bodies(ordered, f.DocumentIssued)),
        notes=tuple(_bodies(ordered, f.NoteAdded)),
    )


def _bodies(ordered: list[f.Fact], kind: type[_B]) -> list[_B]:
    return [fact.body for fact in ordered if isinstance(fact.body, kind)]


def _snapshots(group: list[f.Fact]) -> list[tuple[datetime, Order]]:
    pairs = [(x.occurred_at, x.body.order) for x in group if isinstance(x.body, f.OrderSnapshot)]
    return sorted(pairs, key=lambda pair: pair[1].version)


def _claim_since(snapshots: list[tuple[datetime, Order]]) -> datetime | None:
    """Start of the unbroken run of snapshots that make the same claim as the newest."""
    since: datetime | None = None
    for at, order in reversed(snapshots):
        if order.claim is not snapshots[-1][1].claim:
            break
        since = at
    return since


def _correction(
    group: list[f.Fact], snapshots: list[tuple[datetime, Order]]
) -> f.AddressCorrected | None:
    """The last correction, unless the shop itself has changed the address since."""
    if not group:
        return None
    last = group[-1]
    if snapshots:
        current = snapshots[-1][1].delivery_address
        since = min(at for at, order in snapshots if order.delivery_address == current)
        is_first = all(o.delivery_address == current for at, o in snapshots)
        if not is_first and since > last.occurred_at:
            return None
    return last.body if isinstance(last.body, f.AddressCorrected) else None


def _payments(group: list[f.Fact]) -> tuple[Payment, ...]:
    """One entry per payment. A charge told without its payment joins by the charge id."""
    payment_of_charge: dict[str, str] = {}
    for x in group:
        body = x.body
        assert isinstance(body, f.PaymentReported)
        if body.charge_id and body.payment_id != body.charge_id:
            payment_of_charge[body.charge_id] = body.payment_id
    by_id: dict[str, list[f.Fact]] = defaultdict(list)
    for x in group:
        assert isinstance(x.body, f.PaymentReported)
        by_id[payment_of_charge.get(x.body.payment_id, x.body.payment_id)].append(x)
    return tuple(_payment(key, told) for key, told in sorted(by_id.items()))


def _payment(payment_id: str, told: list[f.Fact]) -> Payment:
    bodies = [(x, x.body) for x in told if isinstance(x.body, f.PaymentReported)]
    strongest = max(PAYMENT_RANK[b.state] for _, b in bodies)
    last_fact, last = [(x, b) for x, b in bodies if PAYMENT_RANK[b.state] == strongest][-1]
    captures = [(x, b) for x, b in bodies if b.state is f.PaymentState.CAPTURED]

    def told_last(name: str) -> str:
        return next((v for _, b in reversed(bodies) if (v := getattr(b, name))), "")

    scores = [b.risk_score for _, b in bodies if b.risk_score is not None]
    expiries = [b.expires_at for _, b in bodies if b.expires_at is not None]
    return Payment(
        id=payment_id,
        charge_id=told_last("charge_id"),
        state=last.state,
        authorized=max(
            (b.amount.minor for _, b in bodies if b.state is f.PaymentState.AUTHORIZED), default=0
        ),
        captured=max((b.amount.minor for _, b in captures), default=0),
        changed_at=last_fact.occurred_at,
        captured_at=captures[0][0].occurred_at if captures else None,
        expires_at=max(expiries) if expiries else None,
        method=told_last("method"),
        code=last.code,
        message=last.message,
        card_country=told_last("card_country"),
        fingerprint=told_last("fingerprint"),
        risk_score=max(scores) if scores else None,
        risk_level=told_last("risk_level"),
        source=told[0].source,
        currency=last.amount.currency,
    )


def _provider_refunds(
    group: list[f.Fact],
    totals: list[f.Fact],
    reports: dict[str, f.ActionReported],
    report_times: dict[str, datetime],
    order: Order | None,
    payments: tuple[Payment, ...],
) -> list[Refund]:
    by_id: dict[str, Refund] = {}
    for x in group:
        body = x.body
        assert isinstance(body, f.RefundReported)
        known = by_id.get(body.refund_id)
        stronger = known is None or REFUND_RANK[body.state] >= REFUND_RANK[known.state]
        by_id[body.refund_id] = Refund(
            id=body.refund_id,
            payment_id=body.payment_id,
            state=body.state if stronger or known is None else known.state,
            minor=max(body.amount.minor, known.minor if known else 0),
            action_key=body.action_key or (known.action_key if known else ""),
            at=known.at if known else x.occurred_at,
        )
    # Our own report counts at once; the provider's event, which may be lost, only confirms it.
    keyed = {r.action_key for r in by_id.values() if r.action_key}
    for key, report in reports.items():
        is_known = key in keyed or report.reference in by_id
        if report.kind == "refund_payment" and report.done and report.amount and not is_known:
            refund_id = report.reference or key
            by_id[refund_id] = Refund(
                id=refund_id,
                payment_id="",
                state=f.RefundState.SUCCEEDED,
                minor=report.amount.minor,
                action_key=key,
                at=report_times[key],
            )
    # A running total knows of refunds that were never told one by one (old API versions).
    # Charges speak of themselves by charge id, payments by their own: both name one payment.
    payment_of = {p.charge_id: p.id for p in payments if p.charge_id}
    told_total: dict[str, tuple[int, datetime]] = {}
    for x in totals:
        body_total = x.body
        assert isinstance(body_total, f.RefundTotalReported)
        name = payment_of.get(body_total.payment_id, body_total.payment_id)
        best = told_total.get(name, (0, x.occurred_at))
        if body_total.refunded.minor > best[0]:
            told_total[name] = (body_total.refunded.minor, x.occurred_at)
    for name, (minor, at) in sorted(told_total.items()):
        # A failed refund was part of the total while it seemed to work.
        single = sum(
            r.minor
            for r in by_id.values()
            if payment_of.get(r.payment_id, r.payment_id) in (name, "")
        )
        if minor > single:
            refund_id = f"{name}:rest"
            by_id[refund_id] = Refund(
                refund_id, name, f.RefundState.SUCCEEDED, minor - single, "", at
            )
    return sorted(by_id.values(), key=lambda r: (r.at, r.id))


def _match_shop_refunds(
    provider: list[Refund], order: Order | None, is_provider_paid: bool
) -> tuple[tuple[Refund, ...], tuple[ShopRefund, ...]]:
    """Pair what the shop recorded with what the provider moved, so that no refund counts twice.

    Provider-paid: only moved money counts; shop refunds without a partner of the same amount are
    returned apart (money still to move, or a plugin's doing). Otherwise the shop's word counts:
    nobody else knows of a bank transfer done by hand.
    """
    shop = order.refunds if order is not None else ()
    if order is not None and not is_provider_paid and not provider:
        told = tuple(
            Refund(
                id=f"shop-{r.id}",
                payment_id="",
                state=f.RefundState.SUCCEEDED,
                minor=r.amount.minor,
                action_key="",
                at=r.made_at or order.placed_at,
            )
            for r in sorted(shop, key=lambda r: (len(r.id), r.id))
        )
        return told, ()
    open_amounts: dict[int, int] = defaultdict(int)
    for refund in provider:
        if refund.state is not f.RefundState.FAILED:
            open_amounts[refund.minor] += 1
    # A refund that we made for a certain shop refund carries its id in the key: pair those first.
    keys = {refund.action_key for refund in provider if refund.state is not f.RefundState.FAILED}
    unmatched: list[ShopRefund] = []
    for recorded in sorted(shop, key=lambda r: (len(r.id), r.id)):
        if any(key.endswith(f":shop-{recorded.id}") for key in keys):
            open_amounts[recorded.amount.minor] -= 1
    for recorded in sorted(shop, key=lambda r: (len(r.id), r.id)):
        if any(key.endswith(f":shop-{recorded.id}") for key in keys):
            continue
        if open_amounts[recorded.amount.minor] > 0:
            open_amounts[recorded.amount.minor] -= 1
        else:
            unmatched.append(recorded)
    return tuple(provider), tuple(unmatched)


def _disputes(group: list[f.Fact]) -> tuple[Dispute, ...]:
    by_id: dict[str, Dispute] = {}
    for x in group:
        body = x.body
        assert isinstance(body, f.DisputeReported)
        known = by_id.get(body.dispute_id)
        stronger = known is None or DISPUTE_RANK[body.state] >= DISPUTE_RANK[known.state]
        by_id[body.dispute_id] = Dispute(
            id=body.dispute_id,
            payment_id=body.payment_id,
            state=body.state if stronger or known is None else known.state,
            minor=max(body.amount.minor, known.minor if known else 0),
            reason=body.reason or (known.reason if known else ""),
            due_at=body.due_at or (known.due_at if known else None),
            opened_at=known.opened_at if known else x.occurred_at,
        )
    return tuple(by_id[key] for key in sorted(by_id))


def _parcels(group: list[f.Fact], reports: dict[str, f.ActionReported]) -> tuple[Parcel, ...]:
    told: dict[str, list[tuple[datetime, f.ParcelReported]]] = defaultdict(list)
    for x in group:
        if isinstance(x.body, f.ParcelReported):
            told[x.body.parcel_id].append((x.occurred_at, x.body))
    made = (
        sorted(
            (int(key.rsplit(":", 1)[1]), report)
            for key, report in reports.items()
            if report.kind == "create_shipment" and report.done
        )
        if reports
        else []
    )
    cancelled = {
        parcel_id
        for report in reports.values()
        if report.kind == "cancel_fulfillment" and report.done
        for parcel_id in str(report.answer.get("cancelled", "")).split(",")
        if parcel_id
    }
    parcels: list[Parcel] = []
    ours: set[str] = set()
    for number, report in made:
        parcel_id = report.reference or f"shipment-{number}"
        ours.add(parcel_id)
        parcels.append(_parcel(parcel_id, number, report, told.get(parcel_id, []), cancelled))
    for parcel_id in sorted(set(told) - ours):
        parcels.append(_parcel(parcel_id, 0, None, told[parcel_id], cancelled))
    return tuple(parcels)


def _parcel(
    parcel_id: str,
    number: int,
    report: f.ActionReported | None,
    told: list[tuple[datetime, f.ParcelReported]],
    cancelled: set[str],
) -> Parcel:
    state = f.ParcelState.ANNOUNCED
    for _, body in told:
        # A delay says that the carrier has it, and is no step back from delivered.
        said = f.ParcelState.SHIPPED if body.state is f.ParcelState.DELAYED else body.state
        if PARCEL_RANK[said] > PARCEL_RANK[state]:
            state = said
    if parcel_id in cancelled and PARCEL_RANK[state] < PARCEL_RANK[f.ParcelState.CANCELLED]:
        state = f.ParcelState.CANCELLED
    moving = (f.ParcelState.SHIPPED, f.ParcelState.DELAYED, f.ParcelState.DELIVERED)
    last = told[-1][1] if told else None
    return Parcel(
        id=parcel_id,
        number=number,
        state=state,
        is_delayed=last is not None
        and last.state is f.ParcelState.DELAYED
        and state is f.ParcelState.SHIPPED,
        tracking_number=next(
            (b.tracking_number for _, b in reversed(told) if b.tracking_number), ""
        )
        or (report.tracking_number if report else ""),
        tracking_url=next((b.tracking_url for _, b in reversed(told) if b.tracking_url), "")
        or (report.tracking_url if report else ""),
        carrier=next((b.carrier for _, b in reversed(told) if b.carrier), ""),
        message=last.message if last else "",
        lines=report.shipped if report else (),
        shipped_at=next((at for at, b in told if b.state in moving), None),
        delivered_at=next((at for at, b in told if b.state is f.ParcelState.DELIVERED), None),
    )


def _reports(
    group: list[f.Fact],
) -> tuple[dict[str, f.ActionReported], dict[str, datetime]]:
    """Per action: the first success, else the last failure."""
    reports: dict[str, f.ActionReported] = {}
    times: dict[str, datetime] = {}
    for x in group:
        body = x.body
        assert isinstance(body, f.ActionReported)
        known = reports.get(body.key)
        if known is None or not known.done:
            reports[body.key] = body
            times[body.key] = x.occurred_at
    return reports, times


def _handled(group: list[f.Fact]) -> dict[str, Handled]:
    handled: dict[str, Handled] = {}
    for x in group:
        body = x.body
        if isinstance(body, f.ExceptionHandled) and body.verb == "resolve":
            handled[body.exception_key] = Handled(body.resolution, body.by, body.why, x.occurred_at)
    return handled
