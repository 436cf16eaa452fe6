"""Record facts, then decide the orders they belong to: one transaction, durable when it returns."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from kette.domain.decide import Decision, decide
from kette.domain.duplicates import fingerprint
from kette.domain.facts import Fact, FactDraft, OrderSnapshot, Ref
from kette.domain.state import OrderFile, fold
from kette.use_cases.kernel import Kernel
from kette.use_cases.ports import StreamFact, Transaction
from kette.use_cases.reconcile import reconcile

_NAMESPACE = uuid.UUID("5b2f8a5e-5d3c-4e0a-9a1f-6b8f4f0d7c11")


class Recorded(msgspec.Struct, frozen=True):
    """What came of recording. order_ids: every order that was decided."""

    fact_ids: tuple[str, ...]
    is_duplicate: bool
    order_ids: tuple[str, ...]
    stages: frozenset[str]


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
    order_ids: list[str] = []
    stages: set[str] = set()
    is_new = False
    for target, group, refs in _by_order(tx, drafts, order_id, now):
        if target is not None:
            tx.facts.lock_order(target)
            if refs:
                tx.facts.add_refs(refs, target)
            loaded = _load_order(tx, target)
        else:
            loaded = []
        stream = target or _foreign_stream(source, group[0])
        seq, prev_hash = _tail(tx, loaded, stream)
        known = tx.facts.known(source, [draft.external_id for draft in group])
        fresh = _unique([draft for draft in group if draft.external_id[:255] not in known])
        fact_ids.extend(known.values())
        if fresh:
            is_new = True
            added = tx.facts.append(stream, source, fresh, seq, prev_hash, now)
            fact_ids.extend(item.fact.id for item in added)
            loaded = [*loaded, *added]
        if target is not None:
            order_ids.append(target)
            # Repeated facts decide too: what a crash or a new setup left undone is done now.
            cause = fact_ids[-1] if fact_ids else "repeated"
            stages |= decide_order(kernel, tx, target, [x.fact for x in loaded], now, cause)
            if fresh:
                stages |= _decide_twins(kernel, tx, target, fresh, now)
    return Recorded(tuple(fact_ids), not is_new, tuple(order_ids), frozenset(stages))


def _by_order(
    tx: Transaction, drafts: Sequence[FactDraft], order_id: str | None, now: datetime
) -> list[tuple[str | None, list[FactDraft], list[Ref]]]:
    """Group drafts by the order their refs lead to; None for facts of no (known) order."""
    if order_id is not None:
        return [(order_id, list(drafts), [])]
    refs = list({(r.system_id, r.name): r for draft in drafts for r in draft.refs}.values())
    # Keeps a payment and the order it belongs to from passing each other unseen.
    for name in sorted(f"{r.system_id}|{r.name}" for r in refs):
        tx.facts.lock_order(name)
    known = tx.facts.orders_of(refs)
    groups: dict[str, tuple[str | None, list[FactDraft], list[Ref]]] = {}
    for draft in drafts:
        target = next(
            (
                known[r.system_id, r.name]
                for r in sorted(draft.refs, key=lambda r: not r.founds_order)
                if (r.system_id, r.name) in known
            ),
            None,
        ) or _direct(draft)
        if target is None:
            founding = next((r for r in draft.refs if r.founds_order), None)
            if founding is not None:
                target = _found_order(tx, founding, now)
        key = target or "|".join(sorted(f"{r.system_id}|{r.name}" for r in draft.refs[:1]))
        group = groups.setdefault(key or draft.external_id, (target, [], []))
        group[1].append(draft)
        group[2].extend(r for r in draft.refs if r not in group[2])
    return list(groups.values())


def _direct(draft: FactDraft) -> str | None:
    """Some systems hand our own order id back (a carrier's external_order_id)."""
    return next(
        (r.name for r in draft.refs if r.system_id == "kette" and r.name.startswith("ord_")), None
    )


def _found_order(tx: Transaction, ref: Ref, now: datetime) -> str:
    external_id = ref.name.split(":", 1)[1] if ":" in ref.name else ref.name
    order_id = order_id_for(ref.system_id, external_id)
    tx.facts.lock_order(order_id)
    if tx.orders.get(order_id) is None:
        tx.orders.create(order_id, ref.system_id, external_id, now)
    return order_id


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


def _tail(tx: Transaction, loaded: list[StreamFact], stream: str) -> tuple[int, str]:
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
) -> set[str]:
    """Fold, assess, decide, reconcile. Returns the stages that have something new to do."""
    file = fold(facts)
    assessment = kernel.assess(kernel, tx, order_id, file)
    decision = decide(order_id, file, assessment, kernel.setup, now)
    if kernel.listeners:
        _announce_change(kernel, tx, order_id, decision, now)
    tx.orders.update(order_id, decision.statuses, decision.due_at, now, _summary(kernel, file))
    return reconcile(kernel, tx, order_id, decision, now, cause)


def _announce_change(
    kernel: Kernel, tx: Transaction, order_id: str, decision: Decision, now: datetime
) -> None:
    row = tx.orders.get(order_id)
    after = decision.statuses.public()
    if row is not None and row.statuses != after:
        item = {"order_id": order_id, "number": row.number, "before": row.statuses, "after": after}
        kernel.announce(tx, "status_changed", item, now)


def redecide(kernel: Kernel, tx: Transaction, order_id: str, now: datetime, cause: str) -> set[str]:
    """Run the rules again on what is known: due dates, a new setup, a person's word."""
    tx.facts.lock_order(order_id)
    facts = [item.fact for item in _load_order(tx, order_id)]
    return decide_order(kernel, tx, order_id, facts, now, cause)


def load_file(tx: Transaction, order_id: str) -> OrderFile:
    return fold(item.fact for item in tx.facts.load(tx.facts.streams_of(order_id)))


def look_at(
    kernel: Kernel, tx: Transaction, order_id: str, now: datetime
) -> tuple[OrderFile, Decision]:
    """File and decision as they are now, without writing anything."""
    file = load_file(tx, order_id)
    assessment = kernel.assess(kernel, tx, order_id, file)
    return file, decide(order_id, file, assessment, kernel.setup, now)


def _summary(kernel: Kernel, file: OrderFile) -> dict[str, Any] | None:
    order = file.order
    if order is None:
        return None
    print_ = fingerprint(order)
    return {
        "number": order.number[:160],
        "placed_at": order.placed_at,
        "currency": order.currency,
        "total_minor": order.total.minor,
        "customer_key": kernel.customer_key(order),
        "lookup_key": print_.lookup_key[:64],
        "comparison": msgspec.json.encode(print_, order="sorted").decode(),
    }


def _decide_twins(
    kernel: Kernel, tx: Transaction, order_id: str, fresh: list[FactDraft], now: datetime
) -> set[str]:
    """A new order may make a later one, known already, the repetition; a cancelled one may
    free it."""
    snapshots = [draft.body.order for draft in fresh if isinstance(draft.body, OrderSnapshot)]
    if not snapshots:
        return set()
    own = fingerprint(snapshots[0])
    window = timedelta(seconds=kernel.setup.intake.duplicate_window_s)
    twins = tx.orders.neighbours(
        own.lookup_key[:64], own.placed_at, own.placed_at + window, order_id
    )
    stages: set[str] = set()
    for twin in twins:
        stages |= redecide(kernel, tx, twin.order_id, now, f"twin:{order_id}")
    return stages
