"""Money back: asked for once, never more than is still here, by hand where no provider holds it."""

from __future__ import annotations

from kette.domain import facts as f
from kette.domain.decide import Case
from kette.domain.money import Money
from kette.domain.order import ShopRefund
from kette.domain.policy import System, seconds
from kette.domain.state import OrderFile, Payment


def provider(case: Case) -> System | None:
    """The provider that took this order's money, else the shop's first payment system."""
    for payment in case.file.payments:
        if payment.captured and payment.source in case.setup.systems:
            return case.setup.systems[payment.source]
    return case.system("payment")


def moved_under(case: Case, key: str) -> int:
    """What a refund action of ours has moved, in minor units; 0 if it failed in the end."""
    return sum(
        r.minor
        for r in case.file.refunds
        if r.action_key == key and r.state is not f.RefundState.FAILED
    )


def still_here(case: Case) -> int:
    """Money of the order that we hold. What a bank took back for its customer is gone: refunding it
    too would be a second loss."""
    file = case.file
    gone = file.refunded_minor + file.refund_pending_minor + file.charged_back_minor
    return file.captured_minor - gone


def _payment_holding(file: OrderFile, amount: Money, key: str) -> Payment | None:
    """The first payment of which so much is left; what the action itself moved counts as left."""
    left = {p.id: p.captured for p in file.payments}
    payment_of = {p.charge_id: p.id for p in file.payments if p.charge_id}
    for refund in file.refunds:
        if refund.state is f.RefundState.FAILED or refund.action_key == key:
            continue
        name = payment_of.get(refund.payment_id, refund.payment_id)
        if name not in left:  # our own report names no payment: the one that was chosen then
            name = next((n for n, minor in left.items() if minor >= refund.minor), "")
        if name:
            left[name] -= refund.minor
    return next((p for p in file.payments if left[p.id] >= amount.minor), None)


def ask_refund(case: Case, name: str, amount: Money, reason: str, *, record: bool) -> None:
    """Ask for one refund: at the provider, or by hand where no provider holds the payment."""
    file, order = case.file, case.file.order
    assert order is not None
    key = case.key("refund_payment", name)
    if not _is_approved(case, key, amount):
        return
    paid = _payment_holding(file, amount, key)
    system = provider(case)
    if not file.is_provider_paid or paid is None or system is None:
        case.want(
            "create_task",
            f"refund:{name}",
            {
                "subject": f"Refund {amount.amount} {amount.currency} by hand",
                "task": f"Order {order.number}: transfer {amount.amount} {amount.currency} back "
                f"and record the refund in the shop. Reason: {reason}.",
            },
            reason,
            "no payment provider holds this payment",
            system=case.system("mail"),
        )
        return
    case.want(
        "refund_payment",
        name,
        {
            "amount": amount.public(),
            "amount_minor": str(amount.minor),
            "currency": amount.currency.lower(),
            "payment_id": paid.id,
            "charge_id": paid.charge_id,
            "reason": reason,
            "record_in_shop": record,
            "shop_reason": f"{reason} [{key}]",
        },
        reason,
        system=system,
    )


def _is_approved(case: Case, key: str, amount: Money) -> bool:
    """Refunds above the limit wait for a person's word on exactly this action."""
    limit = case.setup.approvals.refund_over
    if limit is None or limit.currency != amount.currency or amount <= limit:
        return True
    if case.file.is_done(key):
        return True
    approval = case.file.approvals.get(key)
    if approval is not None:
        return approval.approved
    case.except_(
        "refund_needs_approval",
        key.rsplit(":", 1)[1],
        f"Refund of {amount.amount} {amount.currency} waits for approval",
        {"subject": key, "amount": amount.public()},
        "Approve or refuse with the subject named in the context.",
    )
    return False


def shop_refunds(case: Case) -> None:
    """Refunds that the shop recorded on a provider payment and the provider has not made."""
    file = case.file
    policy = case.setup.payment
    for refund in file.refunds:
        # Moved already: still wanted, so that the set of actions stays the same.
        if refund.action_key.startswith(case.key("refund_payment", "shop-")):
            name = refund.action_key.rsplit(":", 1)[1]
            ask_refund(case, name, file.money(refund.minor), "the shop refunded", record=False)
    rest = still_here(case)
    for recorded in file.unmatched_shop_refunds:
        fits = recorded.amount.minor <= rest
        if not file.is_provider_paid:
            _refund_of_reserved_money(case, recorded)
        elif fits and policy.shop_refunds_moved_by == "kette":
            reason = recorded.reason or "the shop recorded a refund"
            ask_refund(case, f"shop-{recorded.id}", recorded.amount, reason, record=False)
        else:
            _refund_missing_at_provider(case, recorded, is_too_high=not fits)
        rest -= recorded.amount.minor if fits else 0


def _refund_of_reserved_money(case: Case, recorded: ShopRefund) -> None:
    """A refund on an uncaptured charge would void the whole reservation (gateway-stripe#757)."""
    case.except_(
        "amount_mismatch",
        f"refund-{recorded.id}",
        f"The shop recorded a refund of {recorded.amount.amount}, but the money is reserved, "
        "not taken",
        {"refund": recorded.id, "amount": recorded.amount.public()},
        "Capture less at the provider, or delete the refund in the shop.",
    )


def _refund_missing_at_provider(case: Case, recorded: ShopRefund, *, is_too_high: bool) -> None:
    order = case.file.order
    assert order is not None
    made_at = recorded.made_at or order.placed_at
    waits_until = made_at + seconds(case.setup.payment.shop_refund_wait_s)
    if not is_too_high and not case.due(waits_until):
        return
    case.except_(
        "amount_mismatch",
        f"refund-{recorded.id}",
        f"The shop recorded a refund of {recorded.amount.amount}, the provider has not made it",
        {"refund": recorded.id, "amount": recorded.amount.public()},
        "Refund at the provider, or delete the refund in the shop.",
    )
