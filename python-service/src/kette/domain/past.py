"""Orders that are older than Kette: what lies in their past has no effects, what is new has.

The rule is a difference, not a list: what the rules would want from the past alone, at whatever
moment they are asked, is left out of what they want from everything. An order of which nothing new
is heard therefore wants nothing, ever, whatever rules are added one day
(docs/decisions/0018-backfill.md).

What the process before Kette had begun it also brings to its end: parcels, invoice, confirmation.
An order that nobody had begun to fulfil, because no money had come, is Kette's once money comes.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from kette.domain.actions import WantedAction
from kette.domain.decide import Assessment, Decision
from kette.domain.order import ShopClaim
from kette.domain.state import OrderFile
from kette.domain.status import OrderStatus, PaymentStatus

Rules = Callable[[OrderFile, Assessment], Decision]

# Answers to something that happens to an order, whoever began it.
ANSWERS = frozenset(
    {
        "refund_payment",
        "create_task",
        "cancel_order",
        "cancel_fulfillment",
        "submit_dispute_evidence",
        "notify",
    }
)
ANSWERING_NOTICES = frozenset(
    {"shipped", "partially_shipped", "delayed", "delivered", "cancelled", "refunded"}
)
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
    return msgspec.structs.replace(
        after,
        actions=tuple(x for x in after.actions if x.key not in wanted_before and _is_answer(x)),
        exceptions=tuple(
            x for x in after.exceptions if x.key not in known_before and x.kind not in BEGINNINGS
        ),
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


def _is_answer(action: WantedAction) -> bool:
    if action.kind == "notify":
        return action.payload.get("notice") in ANSWERING_NOTICES
    return action.kind in ANSWERS
