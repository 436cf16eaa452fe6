"""Mark orders that are older than Kette when their first snapshot comes in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from kette.domain.facts import FactDraft, OrderBackfilled, OrderSnapshot
from kette.use_cases.ports import Transaction


def with_past(
    tx: Transaction, drafts: Sequence[FactDraft], cutover_at: datetime
) -> tuple[FactDraft, ...]:
    """The drafts, and for each order placed before cutover_at of which no snapshot is known yet the
    fact that what the shop says now is its past. An order that Kette has handled stays as it is."""
    marks: dict[str, FactDraft] = {}
    for draft in drafts:
        body = draft.body
        founding = next((ref for ref in draft.refs if ref.founds_order), None)
        if founding is None or not isinstance(body, OrderSnapshot):
            continue
        if body.order.placed_at >= cutover_at:
            continue
        order_id = tx.facts.orders_of([founding]).get((founding.system_id, founding.name))
        known = tx.orders.get(order_id) if order_id is not None else None
        if known is not None and known.placed_at is not None:
            continue
        name = f"{founding.name}:backfilled"
        along = tuple(x.external_id for x in drafts if x is not draft and founding in x.refs)
        mark = OrderBackfilled(body.order.version, cutover_at, along)
        marks.setdefault(name, FactDraft(name, draft.occurred_at, mark, (founding,)))
    return (*drafts, *marks.values())
