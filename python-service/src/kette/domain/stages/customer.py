"""Status updates to the customer: one mail per order, kind and shipment, never a second one.

A notice belongs to a state, not to an event; its key names the state (order, parcel, refund), so an
event that comes twice or late cannot send it again.
"""

from __future__ import annotations

from typing import Any

from kette.domain import facts as f
from kette.domain.decide import Case
from kette.domain.order import ShopClaim
from kette.domain.policy import seconds
from kette.domain.stages.payment import due_reminder
from kette.domain.stages.refunds import provider
from kette.domain.status import LIVE, OUT, OrderStatus, PaymentStatus

# Claims under which a customer has placed the order for good. A card payment that is still pending
# at checkout is not confirmed: the customer may be on the provider's page.
PLACED = frozenset({ShopClaim.ON_HOLD, ShopClaim.PROCESSING, ShopClaim.COMPLETED, ShopClaim.OTHER})
CONFIRMED_BY_MONEY = frozenset(
    {
        PaymentStatus.PAID,
        PaymentStatus.AUTHORIZED,
        PaymentStatus.LATER,
        PaymentStatus.PARTIALLY_PAID,
        PaymentStatus.PARTIALLY_REFUNDED,
    }
)


def rules(case: Case) -> None:
    order = case.file.order
    if order is None or not order.billing.email or case.system("mail") is None:
        return
    _confirmation(case)
    _parcels(case)
    _reminders(case)
    if case.is_cancelled and _was_confirmed(case):
        _notice(case, "cancelled", "", {}, "the order is cancelled")
    for refund in case.file.refunds:
        if refund.state is f.RefundState.SUCCEEDED:
            amount = case.file.money(refund.minor).public()
            _notice(case, "refunded", refund.id, {"amount": amount}, "money went back")


def _notice(case: Case, notice: str, name: str, details: dict[str, Any], reason: str) -> None:
    if notice not in case.setup.customer.notices:
        return
    suffix = f"{notice}:{name}" if name else notice
    case.want("notify", suffix, {"notice": notice, **details}, reason, system=case.system("mail"))


def _was_confirmed(case: Case) -> bool:
    return case.file.is_done(case.key("notify", "confirmation"))


def _confirmation(case: Case) -> None:
    order = case.file.order
    assert order is not None
    if _was_confirmed(case):
        _notice(case, "confirmation", "", {}, "the order was placed")
        return
    if case.is_cancelled or case.wants_cancel or "duplicate_order" in case.open_kinds:
        return
    placed = order.claim in PLACED or case.statuses.payment in CONFIRMED_BY_MONEY
    if placed and case.statuses.order is not OrderStatus.RECEIVED:
        _notice(case, "confirmation", "", {}, "the order was placed")


def _parcels(case: Case) -> None:
    """Shipment notices by parcel number: those before the last line is out are partial ones."""
    order = case.file.order
    assert order is not None
    if order.is_picked_up:
        return  # the shop calls it a fulfillment when the customer fetches the goods
    ordered = case.shipping.ordered
    carried: dict[str, int] = {}
    parcels = sorted(case.file.parcels, key=lambda p: (p.number or 10**6, p.id))
    live = [p for p in parcels if p.state in LIVE and not p.awaits_report]
    for parcel in live:
        for line in parcel.lines:
            carried[line.line_id] = carried.get(line.line_id, 0) + line.quantity
        is_whole = not parcel.lines or all(
            carried.get(line, 0) >= count for line, count in ordered.items()
        )
        name = str(parcel.number) if parcel.number else parcel.id
        details = {"parcel": parcel.id}
        if parcel.state in OUT:
            notice = "shipped" if is_whole else "partially_shipped"
            _notice(case, notice, name, details, "the carrier took the parcel over")
        if parcel.is_delayed or case.file.is_done(case.key("notify", f"delayed:{name}")):
            _notice(case, "delayed", name, details, "the carrier reports a delay")
    if case.shipping.is_all_delivered and all(
        p.state is not f.ParcelState.RETURNED for p in case.shipping.parcels_out
    ):
        _notice(case, "delivered", "", {}, "all parcels are delivered")


def _reminders(case: Case) -> None:
    order = case.file.order
    assert order is not None
    policy = case.setup.payment
    failed = case.key("offer_alternative_payment", "failed")
    for key, report in sorted(case.file.reports.items()):
        sent = report.kind == "notify" and report.done
        if sent and key.startswith(case.key("notify", "payment_reminder:")):
            name = key.rsplit(":", 1)[1]
            _notice(case, "payment_reminder", name, {"n": name}, "reminded")
    if case.is_cancelled or case.statuses.order is not OrderStatus.VALID:
        return
    if case.statuses.payment is PaymentStatus.FAILED and case.file.is_done(failed):
        _notice(
            case,
            "payment_reminder",
            "failed",
            {"n": "failed", "link": case.file.reports[failed].link},
            "the payment failed; another way to pay is offered",
        )
    number = due_reminder(case)
    if not number or order.claim in (ShopClaim.PROCESSING, ShopClaim.COMPLETED):
        return
    if order.origin in policy.timer_exempt_origins or case.file.due_minor <= 0:
        return
    if policy.cancel_after_s is not None and _cancel_is_due(case):
        return
    link = order.payment_url
    if order.payment_method not in policy.prepaid_methods and provider(case) is not None:
        prepared = case.file.reports.get(case.key("send_payment_reminder", str(number)))
        if prepared is None or not prepared.done:
            return  # the mail waits for its link
        link = prepared.link or link
    _notice(
        case,
        "payment_reminder",
        str(number),
        {"n": str(number), "link": link},
        f"reminder {number} is due",
    )


def _cancel_is_due(case: Case) -> bool:
    order = case.file.order
    assert order is not None
    after_s = case.setup.payment.cancel_after_s
    return after_s is not None and order.placed_at + seconds(after_s) <= case.now
