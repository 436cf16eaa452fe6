"""Payment status and risk: reminders, cancellation of what is never paid, refunds, disputes.

Money goes back only once and only if it is still here: what a provider has refunded, is refunding
or has lost to a dispute is never refunded again.
"""

from __future__ import annotations

from datetime import timedelta

from kette.domain import facts as f
from kette.domain.decide import Case, digest
from kette.domain.money import Money
from kette.domain.order import ShopClaim
from kette.domain.policy import seconds
from kette.domain.stages.refunds import (
    ask_refund,
    moved_under,
    provider,
    shop_refunds,
    still_here,
)
from kette.domain.status import OrderStatus, PaymentStatus

UNPAID = frozenset({PaymentStatus.OPEN, PaymentStatus.FAILED})
# A debit that is still being collected must not be dunned; SEPA takes up to two weeks.
PROCESSING_COUNTS_FOR = timedelta(days=14)
# The shop's own plugin usually sets the status itself within seconds; heal only what stays open.
HEAL_AFTER = timedelta(minutes=10)
# Cards, where the provider does not say how long it reserves.
RESERVED_FOR = timedelta(days=7)


def holds(case: Case) -> None:
    file = case.file
    order = file.order
    if order is None:
        return
    _disputes(case)
    foreign = [p for p in file.payments if p.captured and p.currency != order.currency]
    captured, due = file.captured_minor, file.due_minor
    if foreign:
        case.except_(
            "amount_mismatch",
            digest("currency", *(p.id for p in foreign)),
            f"Paid in {foreign[0].currency}, ordered in {order.currency}",
            {"payments": [p.id for p in foreign]},
            "Check the provider's conversion; accept if the order is paid.",
            blocking=not case.shipping.is_any_out,
        )
    elif captured and not case.view.wants_cancel:
        # Money that went back makes a debt no smaller, unless all of it went back.
        is_short = captured < due and file.refunded_minor < captured
        if is_short or (captured > due and file.refunded_minor == 0):
            _amount_differs(case, captured, due)
    if case.view.claim is ShopClaim.CANCELLED and file.is_provider_paid:
        _paid_but_cancelled(case)
    if file.is_taken_back and not case.view.wants_cancel and not case.shipping.is_all_out:
        _taken_back(case)


def _amount_differs(case: Case, captured: int, due: int) -> None:
    paid, total = case.file.money(captured).amount, case.file.money(due).amount
    context = {"paid": paid, "total": total}
    if case.is_handled(case.key("amount_mismatch", digest(captured, due))):
        return  # accepted before it was shipped
    if case.shipping.is_any_out:
        case.except_(
            "changed_after_fulfillment",
            digest(captured, due),
            f"The order was changed after shipping: total {total}, paid {paid}",
            context,
            "Settle the difference with the customer, then resolve.",
            # What has not left yet must not leave unpaid.
            blocking=captured < due and not case.shipping.is_all_out,
        )
        return
    case.except_(
        "amount_mismatch",
        digest(captured, due),
        f"Paid {paid}, but the order's total is {total}",
        context,
        "Collect or refund the difference, or accept the amount.",
        # Too little money stops the goods; too much does not.
        blocking=captured < due,
    )


def _paid_but_cancelled(case: Case) -> None:
    """A paid attempt beside an expired one: the shop cancels as unpaid though it is paid
    (mollie/Shopware6#1313). A shop that knows of the payment cancels on purpose: refund."""
    order = case.file.order
    assert order is not None
    shop_knows = order.paid_at is not None or case.file.cancel is not None
    if shop_knows or case.file.refunded_minor + case.file.refund_pending_minor > 0:
        return
    case.except_(
        "order_stuck",
        "paid-but-cancelled",
        "Paid at the provider, but the shop cancelled the order as unpaid",
        {"paid": case.file.money(case.file.captured_minor).amount},
        "Reopen the order in the shop, or accept the cancellation (the money goes back).",
        blocking=True,
    )


def _taken_back(case: Case) -> None:
    """Somebody in the shop stopped an order that was on its way, or its plugin lost the payment.
    WooCommerce keeps date_paid all the same, so the money alone would let the goods go."""
    order = case.file.order
    assert order is not None
    is_ours = any(r.kind == "hold_order" and r.done for r in case.file.reports.values())
    is_payable = case.file.captured_minor or case.file.authorized_minor or case.view.is_pay_later
    if is_ours or not is_payable:
        return
    case.except_(
        "order_stuck",
        digest("taken-back", order.claim.value, case.file.claim_since),
        f"The shop put the order back from processing to {order.shop_status!r}",
        {"shop_status": order.shop_status},
        "Set the order to processing in the shop, cancel it, or accept to deliver it.",
        blocking=True,
    )


def _disputes(case: Case) -> None:
    for dispute in case.file.disputes:
        amount = case.file.money(dispute.minor).amount
        due = dispute.due_at.isoformat() if dispute.due_at else ""
        context = {"dispute": dispute.id, "amount": amount, "reason": dispute.reason, "due_at": due}
        if dispute.state is f.DisputeState.INQUIRY:
            case.except_(
                "dispute_inquiry",
                dispute.id,
                f"The customer's bank asks about {amount} ({dispute.reason})",
                context,
                "Answer the inquiry with proof of delivery; no money has moved yet.",
            )
        elif dispute.state in (f.DisputeState.NEEDS_RESPONSE, f.DisputeState.UNDER_REVIEW):
            case.except_(
                "chargeback",
                dispute.id,
                f"Dispute over {amount} ({dispute.reason})",
                context,
                "Submit evidence before the due date, or accept the loss.",
            )
        elif dispute.state is f.DisputeState.LOST:
            case.except_(
                "chargeback",
                f"{dispute.id}:lost",
                f"Dispute over {amount} is lost",
                context,
                "Write the claim off or claim it from the customer, then resolve.",
            )


def rules(case: Case) -> None:
    order = case.file.order
    if order is None:
        return
    _heal_shop_status(case)
    _mirror_holds(case)
    if case.wants_cancel:
        _cancel(case)
        return
    if case.statuses.payment in UNPAID:
        _collect(case)
    shop_refunds(case)
    _authorizations(case)


def _collect(case: Case) -> None:
    order = case.file.order
    assert order is not None
    policy = case.setup.payment
    if case.statuses.order is not OrderStatus.VALID:
        return
    if order.claim is ShopClaim.PROCESSING and case.file.due_minor > 0:
        case.except_(
            "payment_open",
            "processing-unpaid",
            "The shop wants the order fulfilled, but no payment is known",
            {"payment_method": order.payment_method},
            "Check the payment; accept to deliver anyway, or add the method to pay_later_methods.",
        )
    waiting = [
        p
        for p in case.file.payments
        if p.state is f.PaymentState.PROCESSING
        and not case.due(p.changed_at + PROCESSING_COUNTS_FOR)
    ]
    if waiting or order.origin in policy.timer_exempt_origins or case.file.due_minor <= 0:
        return
    if order.claim is ShopClaim.PROCESSING or order.claim is ShopClaim.COMPLETED:
        return
    age_starts = order.placed_at
    if case.statuses.payment is PaymentStatus.FAILED:
        _offer_link(case, "offer_alternative_payment", "failed", "the payment attempt failed")
    if policy.cancel_after_s is not None and case.due(age_starts + seconds(policy.cancel_after_s)):
        case.want(
            "cancel_order",
            "unpaid",
            {"status": ShopClaim.CANCELLED.value, "note": "Not paid in time."},
            f"not paid {policy.cancel_after_s // 86400} days after the order",
            system=case.shop,
        )
        return
    # Only the newest due step: after an outage nobody gets two reminders in one minute.
    reached = [
        number
        for number, after_s in enumerate(policy.reminders_after_s, start=1)
        if case.due(age_starts + seconds(after_s))
    ]
    if reached:
        number = reached[-1]
        if order.payment_method not in policy.prepaid_methods and provider(case) is not None:
            _offer_link(case, "send_payment_reminder", str(number), f"reminder {number} is due")


def due_reminder(case: Case) -> int:
    """Number of the newest payment reminder that is due, 0 for none."""
    order = case.file.order
    if order is None or case.wants_cancel or case.statuses.payment not in UNPAID:
        return 0
    ages = case.setup.payment.reminders_after_s
    return sum(1 for after_s in ages if order.placed_at + seconds(after_s) <= case.now)


def _offer_link(case: Case, kind: str, name: str, reason: str) -> None:
    system = provider(case)
    order = case.file.order
    if system is None or order is None:
        return
    due = Money(case.file.due_minor, order.currency)
    case.want(
        kind,
        name,
        {
            "amount": due.public(),
            "amount_minor": str(due.minor),
            "currency": order.currency.lower(),
            "description": f"Order {order.number}",
            "reference": order.number,
            "n": name,
        },
        reason,
        system=system,
    )


def _heal_shop_status(case: Case) -> None:
    """Paid at the provider, still open in the shop: the shop's timer would cancel a paid order
    (woocommerce-gateway-stripe#5691, adyen-magento2#1119)."""
    file, order = case.file, case.file.order
    assert order is not None
    stale = order.claim in (ShopClaim.PENDING, ShopClaim.FAILED, ShopClaim.ON_HOLD)
    is_paid = case.statuses.payment is PaymentStatus.PAID and file.is_provider_paid
    if not (stale and is_paid) or case.wants_cancel or file.paid_at is None:
        return
    if case.view.is_blocked:
        return
    if case.due(max(file.paid_at, file.claim_since or file.paid_at) + HEAL_AFTER):
        case.want(
            "release_order",
            "paid",
            {"status": ShopClaim.PROCESSING.value, "note": "Paid at the payment provider."},
            "paid at the provider, still open in the shop",
            system=case.shop,
        )


def _mirror_holds(case: Case) -> None:
    order = case.file.order
    if not case.setup.payment.mirror_holds or order is None or case.wants_cancel:
        return
    held = any(r.kind == "hold_order" and r.done for r in case.file.reports.values())
    if case.statuses.order is OrderStatus.ON_HOLD and order.claim is ShopClaim.PROCESSING:
        case.want(
            "hold_order",
            digest(*sorted(case.file.handled), case.file.snapshot_count),
            {"status": ShopClaim.ON_HOLD.value, "note": "Held by Kette; see the exception list."},
            "the order waits for a person",
            system=case.shop,
        )
    elif held and case.statuses.order is OrderStatus.VALID and order.claim is ShopClaim.ON_HOLD:
        case.want(
            "release_order",
            digest(*sorted(case.file.handled)),
            {"status": ShopClaim.PROCESSING.value, "note": "Released by Kette."},
            "nothing holds the order any more",
            system=case.shop,
        )


def _cancel(case: Case) -> None:
    """The order is off. Goods still here: money back, shop told. Goods out: a person decides."""
    order = case.file.order
    assert order is not None
    if case.shipping.is_any_out or not case.is_cancelled:
        return
    if order.claim not in (ShopClaim.CANCELLED, ShopClaim.REFUNDED) and not case.file.is_removed:
        why = case.file.cancel.why if case.file.cancel is not None else "cancelled"
        case.want(
            "cancel_order",
            "requested" if case.file.cancel is not None else "unpaid",
            {"status": ShopClaim.CANCELLED.value, "note": why},
            "the order is cancelled",
            system=case.shop,
        )
    file = case.file
    # Money that went back under this key: the action stays wanted until it is reported done, for
    # the shop may still have to hear of it, and with the same amount, for the provider's key.
    own = moved_under(case, case.key("refund_payment", "cancel"))
    rest = still_here(case)
    if own or rest > 0:
        amount = file.money(own or rest)
        ask_refund(case, "cancel", amount, "the order was cancelled before shipping", record=True)


def may_ship_reserved(case: Case) -> bool:
    """The merchant ships on a reservation, and it is as large as the order."""
    is_enough = case.file.authorized_minor >= case.file.due_minor
    return case.setup.fulfillment.ship_on_authorization and is_enough


def _authorizations(case: Case) -> None:
    """Reserved money expires; say so while there is time to ship or to reserve again."""
    order = case.file.order
    assert order is not None
    wants_goods = order.claim is ShopClaim.PROCESSING and not may_ship_reserved(case)
    since = max([p.changed_at for p in case.file.payments], default=order.placed_at)
    waits_until = max(since, case.file.claim_since or since) + HEAL_AFTER
    if case.statuses.payment is PaymentStatus.AUTHORIZED and wants_goods and case.due(waits_until):
        case.except_(
            "payment_open",
            "reserved",
            "The shop wants the order fulfilled, but the money is only reserved",
            {"reserved": case.file.money(case.file.authorized_minor).amount},
            "Capture the payment at the provider, or accept to deliver anyway.",
        )
    before = seconds(case.setup.payment.authorization_alert_before_s)
    for payment in case.file.payments:
        if payment.state is not f.PaymentState.AUTHORIZED:
            continue
        expires_at = payment.expires_at or payment.changed_at + RESERVED_FOR
        if case.due(expires_at - before):
            case.except_(
                "payment_open",
                f"authorization-{payment.id}",
                "The payment's authorization is about to expire before shipping",
                {"expires_at": expires_at.isoformat(), "payment": payment.id},
                "Capture the payment or ask the customer to pay again.",
            )
