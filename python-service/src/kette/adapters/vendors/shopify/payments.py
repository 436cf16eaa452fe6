"""Transactions, disputes and payouts as words on payments.

Each transaction that takes money is a payment of its own, so that several captures of one
reservation and split payments (gift card and card) add up. A capture also ends the reservation that
it came from: that one is told as captured with nothing, its money is counted at the capture.
"""

from __future__ import annotations

from typing import Final

from kette.adapters.vendors import fields
from kette.adapters.vendors.fields import (
    FieldError,
    line_of_text,
    mapping,
    optional_instant,
    required_name,
)
from kette.adapters.vendors.shopify import vocabulary
from kette.adapters.vendors.shopify.amounts import Told, currency_amounts
from kette.domain.facts import (
    DisputeReported,
    DisputeState,
    FactBody,
    PaymentReported,
    PaymentState,
    PayoutReported,
    RefundReported,
    RefundState,
)
from kette.domain.money import Money

_TAKES: Final = ("sale", "capture")
_RESERVES: Final = ("authorization", "emv_authorization")
_FAILED: Final = ("failure", "error")


def transaction_id(told: Told) -> str:
    return required_name(told.get("id"), "id")


def read_transaction(told: Told, note: str = "") -> list[tuple[str, FactBody]]:
    """(name, body) of each fact; none for kinds that move no money of the order (change at a till).
    note: of the refund that the transaction belongs to. Raises FieldError."""
    kind = line_of_text(told.get("kind")).lower()
    status = line_of_text(told.get("status")).lower()
    own = transaction_id(told)
    if kind == "refund":
        body = _refund(told, own, status, note)
        # The refund's record names our key, its transaction alone does not: two facts.
        suffix = ":ours" if body.action_key else ""
        return [(f"transaction:{own}:{status}{suffix}", body)]
    if kind not in (*_TAKES, *_RESERVES, "void"):
        if kind in ("change", "suggested_refund"):
            return []
        raise FieldError("kind", f"{kind[:40]!r} is not a known kind of a transaction")
    parent = line_of_text(told.get("parent_id"))
    amount = _amount(told)
    if kind == "void":
        return _void(own, parent, status, amount)
    state = _state(kind, status)
    paid = PaymentReported(
        payment_id=own,
        state=state,
        amount=amount,
        charge_id=_provider_id(told),
        method=_method(told),
        code=line_of_text(told.get("error_code"))[:100],
        message=line_of_text(told.get("message"))[:500] if state is PaymentState.FAILED else "",
        expires_at=optional_instant(told.get("authorization_expires_at")),
    )
    found: list[tuple[str, FactBody]] = [(f"transaction:{own}:{status}", paid)]
    if state is PaymentState.CAPTURED and parent:
        taken = PaymentReported(parent, PaymentState.CAPTURED, Money.zero(amount.currency))
        found.append((f"transaction:{parent}:taken-by:{own}", taken))
    return found


def read_dispute(told: Told) -> DisputeReported:
    """Raises FieldError."""
    status = line_of_text(told.get("status")).lower()
    state = vocabulary.DISPUTE_STATES.get(status)
    if state is None:
        raise FieldError("status", f"{status[:40]!r} is not a known status of a dispute")
    if line_of_text(told.get("type")).lower() == "inquiry":
        is_open = status in vocabulary.DISPUTE_OPEN
        state = DisputeState.INQUIRY if is_open else DisputeState.INQUIRY_CLOSED
    amounts = currency_amounts(told.get("currency"), "currency")
    order = line_of_text(told.get("order_id"))
    return DisputeReported(
        dispute_id=required_name(told.get("id"), "id"),
        payment_id=f"order:{order}" if order else "",
        state=state,
        amount=amounts.exact(amounts.read(told, "amount", "amount"), "amount"),
        reason=line_of_text(told.get("reason"))[:100],
        due_at=optional_instant(told.get("evidence_due_by")),
    )


def read_payout(told: Told) -> PayoutReported:
    """A transfer to the bank; negative where Shopify takes money back. Raises FieldError."""
    amounts = currency_amounts(told.get("currency"), "currency")
    return PayoutReported(
        payout_id=required_name(told.get("id"), "id"),
        state=required_name(told.get("status"), "status").lower(),
        amount=amounts.exact(amounts.read(told, "amount", "amount"), "amount"),
        arrives_on=line_of_text(told.get("date"))[:10],
    )


def _amount(told: Told) -> Money:
    """The payment's own currency is the one beside the amount; in GraphQL it is the customer's."""
    pair = mapping(mapping(told.get("amount_set")).get("presentment_money"))
    if told.get("amount") is None and pair:
        amounts = currency_amounts(pair.get("currency_code"), "amount_set.currency_code")
        return amounts.exact(fields.decimal(pair.get("amount"), "amount_set"), "amount_set")
    amounts = currency_amounts(told.get("currency"), "currency")
    return amounts.exact(fields.decimal(told.get("amount"), "amount"), "amount")


def _refund(told: Told, own: str, status: str, note: str) -> RefundReported:
    state = vocabulary.REFUND_STATES.get(status)
    if state is None:
        raise FieldError("status", f"{status[:40]!r} is not a known status of a refund")
    amount = _amount(told)
    key = vocabulary.KETTE_KEY.search(note)
    failed = line_of_text(told.get("message")) or line_of_text(told.get("error_code"))
    return RefundReported(
        refund_id=own,
        payment_id=line_of_text(told.get("parent_id")),
        state=state,
        amount=Money(abs(amount.minor), amount.currency),
        charge_id=_provider_id(told),
        action_key=key.group(1) if key else "",
        reason=failed[:300] if state is RefundState.FAILED else " ".join(note.split())[:300],
    )


def _void(own: str, parent: str, status: str, amount: Money) -> list[tuple[str, FactBody]]:
    if status != "success" or not parent:
        return []
    body = PaymentReported(parent, PaymentState.VOIDED, amount)
    return [(f"transaction:{own}:{status}", body)]


def _state(kind: str, status: str) -> PaymentState:
    if status == "success":
        return PaymentState.CAPTURED if kind in _TAKES else PaymentState.AUTHORIZED
    if status in _FAILED:
        return PaymentState.FAILED
    if status in ("pending", "awaiting_response", "unknown"):
        return PaymentState.PENDING
    raise FieldError("status", f"{status[:40]!r} is not a known status of a transaction")


def _provider_id(told: Told) -> str:
    """The provider's id, where it is one by which the provider itself speaks of the payment."""
    found = fields.short_name(told.get("authorization"))
    return found if vocabulary.PROVIDER_ID.match(found) else ""


def _method(told: Told) -> str:
    details = mapping(told.get("payment_details"))
    known = line_of_text(details.get("payment_method_name"))
    return (known or line_of_text(told.get("gateway")))[:60].lower()
