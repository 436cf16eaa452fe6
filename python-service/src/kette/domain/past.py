"""Orders that are older than Kette: what lies in their past has no effects, what is new has.

The rule is a difference, not a list: what the rules would want from the past alone, at whatever
moment they are asked, is left out of what they want from everything. An order of which nothing new
is heard therefore wants nothing, ever, whatever rules are added one day
(docs/decisions/0018-backfill.md).

What the process before Kette had begun it also brings to its end: parcels and what customers hear
of them, invoice, confirmation. Whether such an order was shipped is not known here, so money goes
back only by a person's word. An order that nobody had begun to fulfil, because no money had come,
is Kette's once money comes.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from kette.domain.actions import WantedAction, WantedException
from kette.domain.decide import Assessment, Decision
from kette.domain.order import ShopClaim
from kette.domain.state import OrderFile
from kette.domain.status import OrderStatus, PaymentStatus

Rules = Callable[[OrderFile, Assessment], Decision]

# Answers to something that happens to an order, whoever began it.
ANSWERS = frozenset(
    {"create_task", "cancel_order", "cancel_fulfillment", "submit_dispute_evidence", "notify"}
)
ANSWERING_NOTICES = frozenset({"cancelled", "refunded"})
REFUND = "refund_payment"
# Entries about whether an order may begin or is late: the process that began it watches that.
BEGINNINGS = frozenset(
    {
        "missing_field",
        "invalid_address",
        "special_note",
        "duplicate_order",
        "tax_mismatch",
        "vat_id_invalid",
        "risk_review",
        "restricted_destination",
        "payment_open",
        "out_of_stock",
        "shipment_late",
        "order_stuck",
    }
)
_NOT_BEGUN = frozenset(
    {ShopClaim.PENDING, ShopClaim.ON_HOLD, ShopClaim.FAILED, ShopClaim.CANCELLED}
)
_UNPAID = frozenset({PaymentStatus.OPEN, PaymentStatus.FAILED})
_MONEY_CAME = frozenset(
    {
        PaymentStatus.AUTHORIZED,
        PaymentStatus.PAID,
        PaymentStatus.PARTIALLY_PAID,
        PaymentStatus.LATER,
    }
)


def decide_since_cutover(file: OrderFile, assessment: Assessment, rules: Rules) -> Decision:
    """What should exist because of what happened since the cutover. Checks of the intake do not
    count for an order that the process before had begun."""
    assert file.past is not None
    present = msgspec.structs.replace(file, past=None)
    before = rules(file.past, Assessment())
    if present == file.past:
        # Time alone changes nothing here, so nobody need look again.
        return Decision(before.statuses, (), (), None)
    after = rules(present, Assessment())
    wanted_before = {action.key for action in before.actions}
    if _is_begun_since(file.past, before, after):
        after = rules(present, assessment)
        actions = tuple(x for x in after.actions if x.key not in wanted_before)
        return msgspec.structs.replace(after, actions=actions)
    known_before = {entry.key for entry in before.exceptions}
    new = [action for action in after.actions if action.key not in wanted_before]
    asked = [_refund_case(x) for x in new if x.kind == REFUND and x.key not in file.approvals]
    entries = {
        entry.key: entry
        for entry in (*after.exceptions, *asked)
        if entry.key not in known_before and entry.kind not in BEGINNINGS
    }
    return msgspec.structs.replace(
        after,
        actions=tuple(action for action in new if _is_answer(action, file)),
        exceptions=tuple(entries[key] for key in sorted(entries)),
    )


def _refund_case(action: WantedAction) -> WantedException:
    amount = action.payload["amount"]
    order_id, name = action.key.split(":")[1:]
    return WantedException(
        key=f"refund_needs_approval:{order_id}:{name}",
        kind="refund_needs_approval",
        summary=f"Refund of {amount['amount']} {amount['currency']} for an order from before the "
        f"cutover: {action.payload['reason']}",
        context={"subject": action.key, "amount": amount},
        suggestion="Look whether the goods have left and whether the money went back already; then "
        "approve or refuse with the subject named in the context.",
    )


def _is_begun_since(past: OrderFile, before: Decision, after: Decision) -> bool:
    """No money had come and nobody had begun; now there is money."""
    claim = past.order.claim if past.order is not None else ShopClaim.PENDING
    return (
        claim in _NOT_BEGUN
        and before.statuses.payment in _UNPAID
        and after.statuses.payment in _MONEY_CAME
        and after.statuses.order is not OrderStatus.CANCELLED
    )


def _is_answer(action: WantedAction, file: OrderFile) -> bool:
    if action.kind == REFUND:
        approval = file.approvals.get(action.key)
        return approval is not None and approval.approved
    if action.kind == "notify":
        return action.payload.get("notice") in ANSWERING_NOTICES
    return action.kind in ANSWERS
