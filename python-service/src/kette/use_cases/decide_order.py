"""Decide an order on all of its facts: fold, assess, decide, reconcile, within one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from kette.domain.decide import Assessment, Decision, decide
from kette.domain.duplicates import Fingerprint, twin_keys
from kette.domain.facts import Fact, FactDraft, OrderSnapshot, Ref
from kette.domain.fold import fold
from kette.domain.order import Order
from kette.domain.state import OrderFile
from kette.domain.status import NOTHING_KNOWN
from kette.use_cases.kernel import Kernel
from kette.use_cases.ports import ChainEnd, Founding, StreamFact, Transaction
from kette.use_cases.reconcile import Outcome, reconcile

_ENCODE = msgspec.json.Encoder(order="sorted")


def decide_order(
    kernel: Kernel,
    tx: Transaction,
    order_id: str,
    facts: list[StreamFact],
    now: datetime,
    cause: str,
    founding: Founding | None = None,
) -> tuple[Outcome, Assessment]:
    """Fold, assess, decide, reconcile. founding: the order is new, so nothing can be in outbox and
    exception list yet."""
    file = fold(item.fact for item in facts)
    assessment = kernel.assess(kernel, tx, order_id, file)
    decision = decide(order_id, file, assessment, kernel.setup, now)
    if kernel.listeners:
        _announce_change(kernel, tx, order_id, decision, now)
    summary = _summary(file, assessment)
    row = (decision.statuses, decision.due_at, now, _chain_end(order_id, facts), summary)
    if founding is not None:
        tx.orders.insert(order_id, founding, *row)
    else:
        tx.orders.update(order_id, *row)
    is_new = founding is not None
    return reconcile(kernel, tx, order_id, decision, now, cause, is_new=is_new), assessment


def _chain_end(order_id: str, facts: list[StreamFact]) -> ChainEnd:
    own = [item for item in facts if item.stream == order_id]
    last = max(own, key=lambda item: item.seq, default=None)
    return ChainEnd(last.seq, last.hash) if last is not None else ChainEnd()


def _announce_change(
    kernel: Kernel, tx: Transaction, order_id: str, decision: Decision, now: datetime
) -> None:
    row = tx.orders.get(order_id)
    before = row.statuses if row is not None else NOTHING_KNOWN.public()
    after = decision.statuses.public()
    if before != after:
        number = row.number if row is not None else ""
        item = {"order_id": order_id, "number": number, "before": before, "after": after}
        kernel.announce(tx, "status_changed", item, now)


def redecide(kernel: Kernel, tx: Transaction, order_id: str, now: datetime, cause: str) -> set[str]:
    """Run the rules again on what is known: due dates, a new setup, a person's word."""
    tx.facts.lock_order(order_id)
    facts = load_order(tx, order_id)
    outcome, _ = decide_order(kernel, tx, order_id, facts, now, cause)
    return set(outcome.stages)


def load_file(tx: Transaction, order_id: str) -> OrderFile:
    return fold(item.fact for item in tx.facts.load(tx.facts.streams_of(order_id)))


def _summary(file: OrderFile, assessment: Assessment) -> dict[str, Any] | None:
    order = file.order
    if order is None:
        return None
    return {
        "number": order.number[:160],
        "placed_at": order.placed_at,
        "currency": order.currency,
        "total_minor": order.total.minor,
        "customer_key": assessment.keys.customer,
        "address_key": assessment.keys.address,
        "card_key": assessment.keys.card,
        "comparison": _ENCODE.encode(assessment.fingerprint).decode(),
    }


def decide_twins(
    kernel: Kernel,
    tx: Transaction,
    order_id: str,
    assessment: Assessment,
    facts: list[StreamFact],
    fresh: Sequence[FactDraft],
    now: datetime,
) -> set[str]:
    """A new order may make a later one, known already, the repetition; a cancelled one may
    free it."""
    own = assessment.fingerprint
    told = [draft.body for draft in fresh if isinstance(draft.body, OrderSnapshot)]
    if own is None or not told:
        return set()
    before = _newest_before(facts, told)
    if before is not None and _compares_alike(kernel.fingerprint_of(before), own):
        return set()
    tx.orders.add_twin_keys(order_id, twin_keys(own), own.placed_at)
    stages: set[str] = set()
    for twin_id in assessment.later_twins:
        stages |= redecide(kernel, tx, twin_id, now, f"twin:{order_id}")
    return stages


def _newest_before(facts: list[StreamFact], told: list[OrderSnapshot]) -> Order | None:
    """The order as it was known before this transaction told more of it."""
    bodies = (item.fact.body for item in facts)
    earlier = [x.order for x in bodies if isinstance(x, OrderSnapshot) and x not in told]
    return max(earlier, key=lambda order: order.version, default=None)


def _compares_alike(before: Fingerprint, after: Fingerprint) -> bool:
    return (
        twin_keys(before) == twin_keys(after)
        and before.claim is after.claim
        and before.placed_at == after.placed_at
    )


def load_order(tx: Transaction, order_id: str) -> list[StreamFact]:
    """Facts of the order's own stream and of every stream that its names lead to.

    A stream kept under a payment id may hold facts that name a further id of the same payment, so
    the names are followed until no new one turns up.
    """
    streams = tx.facts.streams_of(order_id)
    loaded = tx.facts.load(streams)
    for _ in range(5):
        aliases = {
            ref
            for item in loaded
            if item.stream != order_id
            for ref in _names_in(item.fact)
            if f"{ref.system_id}|{ref.name}"[:160] not in streams
        }
        if not aliases:
            break
        tx.facts.add_refs(aliases, order_id)
        streams = tx.facts.streams_of(order_id)
        loaded = tx.facts.load(streams)
    return loaded


def _names_in(fact: Fact) -> list[Ref]:
    names = (getattr(fact.body, "payment_id", ""), getattr(fact.body, "charge_id", ""))
    return [Ref("payment", name) for name in names if name]
