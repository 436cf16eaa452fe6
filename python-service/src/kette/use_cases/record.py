"""Record facts, then decide the orders they belong to: one transaction, durable when it returns."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from kette.domain.decide import Assessment, Decision, decide
from kette.domain.duplicates import Fingerprint, fingerprint, twin_keys
from kette.domain.facts import (
    Fact,
    FactDraft,
    OrderRemoved,
    OrderRestored,
    OrderSnapshot,
    Ref,
)
from kette.domain.fold import fold
from kette.domain.state import OrderFile
from kette.domain.status import NOTHING_KNOWN
from kette.use_cases.kernel import Kernel
from kette.use_cases.links import Known, link, lock_names, order_of, wait
from kette.use_cases.ports import Founding, StreamFact, Transaction
from kette.use_cases.reconcile import Outcome, reconcile

_ENCODE = msgspec.json.Encoder(order="sorted")
SHOP_WORDS = (OrderSnapshot, OrderRemoved, OrderRestored)
_NAMESPACE = uuid.UUID("5b2f8a5e-5d3c-4e0a-9a1f-6b8f4f0d7c11")


class Recorded(msgspec.Struct, frozen=True):
    """What came of recording. order_ids: every order that was decided."""

    fact_ids: tuple[str, ...]
    is_duplicate: bool
    order_ids: tuple[str, ...]
    stages: frozenset[str]
    outcome: Outcome | None = None  # of the first order


class Target(msgspec.Struct, frozen=True):
    """Where a group of drafts goes. order_id None: no order is known for them yet. founding: they
    are the first that is heard of the order."""

    order_id: str | None
    drafts: list[FactDraft]
    refs: list[Ref]
    known: Known
    founding: Founding | None


def order_id_for(channel: str, external_id: str) -> str:
    """The id of an order: derived from its shop and the shop's id, so that payment events that come
    before the order, and a replay of the ledger, name the same order (ADR 0003)."""
    name = "\x1f".join((channel, external_id))
    return f"ord_{uuid.uuid5(_NAMESPACE, name).hex}"


def record(
    kernel: Kernel,
    tx: Transaction,
    source: str,
    drafts: Sequence[FactDraft],
    now: datetime,
    order_id: str | None = None,
) -> Recorded:
    """Append what is new, then decide each order concerned.

    order_id: the order is known already (people's facts, reports); else the drafts' refs lead to
    it.
    """
    fact_ids: list[str] = []
    outcomes: list[Outcome] = []
    stages: set[str] = set()
    is_new = False
    for target in _targets(tx, drafts, order_id):
        stream = target.order_id or _foreign_stream(source, target.drafts[0])
        loaded = _open(tx, target, stream)
        known = _known(tx, source, target, loaded)
        fresh = _unique([draft for draft in target.drafts if draft.external_id[:255] not in known])
        fact_ids.extend(known.values())
        if fresh:
            is_new = True
            seq, prev_hash = _tail(tx, loaded, stream, is_new=target.founding is not None)
            added = tx.facts.append(stream, source, fresh, seq, prev_hash, now)
            fact_ids.extend(item.fact.id for item in added)
            loaded = [*loaded, *added]
        if target.order_id is not None:
            # Repeated facts decide too: what a crash or a new setup left undone is done now.
            cause = fact_ids[-1] if fact_ids else "repeated"
            facts = [item.fact for item in loaded]
            outcome, assessment = decide_order(
                kernel, tx, target.order_id, facts, now, cause, target.founding
            )
            outcomes.append(outcome)
            stages |= outcome.stages
            if fresh:
                stages |= _decide_twins(kernel, tx, target.order_id, assessment, loaded, fresh, now)
    return Recorded(
        tuple(fact_ids),
        not is_new,
        tuple(outcome.order_id for outcome in outcomes),
        frozenset(stages),
        outcomes[0] if outcomes else None,
    )


def _open(tx: Transaction, target: Target, stream: str) -> list[StreamFact]:
    """Lock the order, note its new names, load what is known of it."""
    # Streams without an order are shared by many: the next number must be taken by one.
    tx.facts.lock_order(stream)
    if target.order_id is None:
        wait(tx, target.refs, target.known)
        return []
    link(tx, target.refs, target.known, target.order_id)
    if target.founding is not None and not target.known:
        return []  # none of its names was ever heard of
    return _load_order(tx, target.order_id)


def _known(
    tx: Transaction, source: str, target: Target, loaded: list[StreamFact]
) -> dict[str, str]:
    """Drafts that are recorded already. An order's facts are at hand; others are looked up."""
    names = {draft.external_id[:255] for draft in target.drafts}
    if target.order_id is None:
        return tx.facts.known(source, sorted(names))
    return {
        item.fact.external_id: item.fact.id
        for item in loaded
        if item.fact.source == source and item.fact.external_id in names
    }


def _targets(tx: Transaction, drafts: Sequence[FactDraft], order_id: str | None) -> list[Target]:
    """Group drafts by the order that their refs lead to."""
    if order_id is not None:
        return [Target(order_id, list(drafts), [], {}, None)]
    refs = list({(r.system_id, r.name): r for draft in drafts for r in draft.refs}.values())
    known = lock_names(tx, refs, _twin_names(tx, drafts))
    targets: dict[str, Target] = {}
    for draft in drafts:
        founding_first = sorted(draft.refs, key=lambda r: not r.founds_order)
        if isinstance(draft.body, SHOP_WORDS):
            # The shop names its own order. Its other names (a payment that two orders share, a
            # number that a plugin gave twice) must not lead into another order's file.
            founding_first = [r for r in founding_first if r.founds_order] or founding_first
        found = next((o for r in founding_first if (o := order_of(known, r)) is not None), None)
        found = found or _direct(draft)
        founding = None
        if found is None and founding_first and founding_first[0].founds_order:
            founding = _founding(founding_first[0])
            found = order_id_for(founding.channel, founding.external_id)
        key = found or (f"{draft.refs[0].system_id}|{draft.refs[0].name}" if draft.refs else "")
        target = targets.setdefault(
            key or draft.external_id, Target(found, [], [], known, founding)
        )
        target.drafts.append(draft)
        target.refs.extend(draft.refs)
    return list(targets.values())


def _twin_names(tx: Transaction, drafts: Sequence[FactDraft]) -> list[str]:
    """Locks that keep an order and its repetition from being decided without each other."""
    if not tx.facts.has_other_writers:
        return []
    orders = [draft.body.order for draft in drafts if isinstance(draft.body, OrderSnapshot)]
    return [f"twin|{key}" for order in orders for key in twin_keys(fingerprint(order))]


def _direct(draft: FactDraft) -> str | None:
    """Some systems hand our own order id back (a carrier's external_order_id)."""
    return next(
        (r.name for r in draft.refs if r.system_id == "kette" and r.name.startswith("ord_")), None
    )


def _founding(ref: Ref) -> Founding:
    """An order's founding name leads to it from its first fact on, so an order under a name that
    leads nowhere cannot exist."""
    return Founding(ref.system_id, ref.name.split(":", 1)[1] if ":" in ref.name else ref.name)


def _foreign_stream(source: str, draft: FactDraft) -> str:
    if draft.refs:
        return f"{draft.refs[0].system_id}|{draft.refs[0].name}"[:160]
    return f"{source}|{draft.body.__struct_config__.tag}"


def _unique(drafts: list[FactDraft]) -> list[FactDraft]:
    return list({draft.external_id: draft for draft in drafts}.values())


def _load_order(tx: Transaction, order_id: str) -> list[StreamFact]:
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


def _tail(
    tx: Transaction, loaded: list[StreamFact], stream: str, *, is_new: bool
) -> tuple[int, str]:
    if is_new:
        return 0, ""
    own = [item for item in loaded if item.stream == stream]
    if own:
        last = max(own, key=lambda item: item.seq)
        return last.seq, last.hash
    return tx.facts.tail(stream)


def decide_order(
    kernel: Kernel,
    tx: Transaction,
    order_id: str,
    facts: list[Fact],
    now: datetime,
    cause: str,
    founding: Founding | None = None,
) -> tuple[Outcome, Assessment]:
    """Fold, assess, decide, reconcile. founding: the order is new, so nothing can be in outbox and
    exception list yet."""
    file = fold(facts)
    assessment = kernel.assess(kernel, tx, order_id, file)
    decision = decide(order_id, file, assessment, kernel.setup, now)
    if kernel.listeners:
        _announce_change(kernel, tx, order_id, decision, now)
    row = (decision.statuses, decision.due_at, now, _summary(file, assessment))
    if founding is not None:
        tx.orders.insert(order_id, founding, *row)
    else:
        tx.orders.update(order_id, *row)
    is_new = founding is not None
    return reconcile(kernel, tx, order_id, decision, now, cause, is_new=is_new), assessment


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
    facts = [item.fact for item in _load_order(tx, order_id)]
    outcome, _ = decide_order(kernel, tx, order_id, facts, now, cause)
    return set(outcome.stages)


def load_file(tx: Transaction, order_id: str) -> OrderFile:
    return fold(item.fact for item in tx.facts.load(tx.facts.streams_of(order_id)))


def look_at(
    kernel: Kernel, tx: Transaction, order_id: str, now: datetime
) -> tuple[OrderFile, Decision]:
    """File and decision as they are now, without writing anything."""
    file = load_file(tx, order_id)
    assessment = kernel.assess(kernel, tx, order_id, file)
    return file, decide(order_id, file, assessment, kernel.setup, now)


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


def _decide_twins(
    kernel: Kernel,
    tx: Transaction,
    order_id: str,
    assessment: Assessment,
    loaded: list[StreamFact],
    fresh: list[FactDraft],
    now: datetime,
) -> set[str]:
    """A new order may make a later one, known already, the repetition; a cancelled one may
    free it."""
    own = assessment.fingerprint
    if own is None or not any(isinstance(draft.body, OrderSnapshot) for draft in fresh):
        return set()
    told = [item.fact.body.order for item in loaded if isinstance(item.fact.body, OrderSnapshot)]
    if len(told) > 1:
        told.sort(key=lambda order: order.version)
        if _compares_alike(fingerprint(told[-2]), own):
            return set()
    tx.orders.add_twin_keys(order_id, twin_keys(own), own.placed_at)
    stages: set[str] = set()
    for twin_id in assessment.later_twins:
        stages |= redecide(kernel, tx, twin_id, now, f"twin:{order_id}")
    return stages


def _compares_alike(before: Fingerprint, after: Fingerprint) -> bool:
    return (
        twin_keys(before) == twin_keys(after)
        and before.claim is after.claim
        and before.placed_at == after.placed_at
    )
