"""Payments, refunds and disputes from what providers and shops told (see domain/fold.py)."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from kette.domain import facts as f
from kette.domain.order import Order, ShopRefund
from kette.domain.state import Dispute, Payment, Refund

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


def fold_payments(group: list[f.Fact]) -> tuple[Payment, ...]:
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

    # Several events may tell of one try; each try has a charge of its own.
    tries = {
        b.charge_id or x.occurred_at.isoformat()
        for x, b in bodies
        if b.state is f.PaymentState.FAILED
    }
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
        failed_tries=len(tries),
    )


def fold_provider_refunds(
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


def match_shop_refunds(
    provider: list[Refund], order: Order | None, payments: tuple[Payment, ...]
) -> tuple[tuple[Refund, ...], tuple[ShopRefund, ...]]:
    """Pair what the shop recorded with what the provider moved, so that no refund counts twice.

    Taken or reserved by a provider: only moved money counts; shop refunds without a partner of the
    same amount are returned apart (money still to move, or a plugin's doing). Otherwise the shop's
    word counts: nobody else knows of a bank transfer done by hand.
    """
    is_held_by_provider = any(p.captured or p.state is f.PaymentState.AUTHORIZED for p in payments)
    shop = order.refunds if order is not None else ()
    if order is not None and not is_held_by_provider and not provider:
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


def fold_disputes(group: list[f.Fact], order: Order | None = None) -> tuple[Dispute, ...]:
    """What providers told; where none did, what the shop's newest word holds."""
    if not group and order is not None and order.charged_back is not None:
        name = f"shop-{order.external_id}"
        opened_at = order.paid_at or order.placed_at
        state, minor = f.DisputeState.NEEDS_RESPONSE, order.charged_back.minor
        return (Dispute(name, "", state, minor, "", None, opened_at),)
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
