"""Record facts, then decide the orders they belong to: one transaction, durable when it returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from kette.domain.duplicates import fingerprint, twin_keys
from kette.domain.facts import (
    FactDraft,
    OrderRemoved,
    OrderRestored,
    OrderSnapshot,
    Ref,
)
from kette.domain.order_ids import order_id_for
from kette.use_cases.decide_order import decide_order, decide_twins, load_order
from kette.use_cases.kernel import Kernel
from kette.use_cases.links import Known, link, lock_names, order_of, wait
from kette.use_cases.ports import Founding, StreamFact, Transaction
from kette.use_cases.reconcile import Outcome

SHOP_WORDS = (OrderSnapshot, OrderRemoved, OrderRestored)


class Recorded(msgspec.Struct, frozen=True):
    """What came of recording. order_ids: every order that was decided."""

    fact_ids: tuple[str, ...]
    is_duplicate: bool
    order_ids: tuple[str, ...]
    stages: frozenset[str]
    outcome: Outcome | None = None  # of the first order


class Noted(msgspec.Struct, frozen=True):
    """What was written of one delivery's facts. order_ids: the orders they belong to."""

    fact_ids: tuple[str, ...]
    is_duplicate: bool
    order_ids: tuple[str, ...]


class OpenOrder(msgspec.Struct):
    """An order between noting its facts and deciding it. fresh: what this transaction added;
    founding: it added the first that is heard of the order; cause: the fact that was told last."""

    facts: list[StreamFact]
    founding: Founding | None
    fresh: list[FactDraft] = []
    cause: str = "repeated"


Opened = dict[str, OpenOrder]


class Target(msgspec.Struct, frozen=True):
    """Where a group of drafts goes. order_id None: no order is known for them yet. founding: they
    are the first that is heard of the order."""

    order_id: str | None
    drafts: list[FactDraft]
    refs: list[Ref]
    known: Known
    founding: Founding | None


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
    opened: Opened = {}
    noted = note(tx, opened, source, drafts, now, order_id)
    outcomes, stages = settle(kernel, tx, opened, now)
    return recorded(noted, outcomes, stages)


def recorded(noted: Noted, outcomes: Mapping[str, Outcome], stages: set[str]) -> Recorded:
    return Recorded(
        noted.fact_ids,
        noted.is_duplicate,
        noted.order_ids,
        frozenset(stages),
        outcomes[noted.order_ids[0]] if noted.order_ids else None,
    )


def note(
    tx: Transaction,
    opened: Opened,
    source: str,
    drafts: Sequence[FactDraft],
    now: datetime,
    order_id: str | None = None,
) -> Noted:
    """Append what is new. The orders concerned are left in `opened`, for settle: deliveries that
    share a transaction often speak of the same order, which then is decided once."""
    fact_ids: list[str] = []
    order_ids: list[str] = []
    is_new = False
    for target in _targets(tx, drafts, order_id):
        stream = target.order_id or _foreign_stream(source, target.drafts[0])
        order = _open(tx, target, stream, opened)
        known = _known(tx, source, target, order.facts)
        fresh = _unique([draft for draft in target.drafts if draft.external_id[:255] not in known])
        fact_ids.extend(known.values())
        if fresh:
            is_new = True
            seq, prev_hash = _tail(tx, order, stream)
            added = tx.facts.append(stream, source, fresh, seq, prev_hash, now)
            fact_ids.extend(item.fact.id for item in added)
            order.facts += added
            order.fresh += fresh
        if target.order_id is not None:
            order_ids.append(target.order_id)
            # Repeated facts decide too: what a crash or a new setup left undone is done now.
            order.cause = fact_ids[-1] if fact_ids else "repeated"
    return Noted(tuple(fact_ids), not is_new, tuple(order_ids))


def settle(
    kernel: Kernel, tx: Transaction, opened: Opened, now: datetime
) -> tuple[dict[str, Outcome], set[str]]:
    """Decide each order that was opened; also the stages with something new to do."""
    outcomes: dict[str, Outcome] = {}
    stages: set[str] = set()
    for order_id, order in opened.items():
        outcome, assessment = decide_order(
            kernel, tx, order_id, order.facts, now, order.cause, order.founding
        )
        outcomes[order_id] = outcome
        stages |= outcome.stages
        if order.fresh:
            stages |= decide_twins(kernel, tx, order_id, assessment, order.facts, order.fresh, now)
    return outcomes, stages


def _open(tx: Transaction, target: Target, stream: str, opened: Opened) -> OpenOrder:
    """Lock the order, note its new names, load what is known of it."""
    # Streams without an order are shared by many: the next number must be taken by one.
    tx.facts.lock_order(stream)
    if target.order_id is None:
        wait(tx, target.refs, target.known)
        return OpenOrder([], None)
    has_new_names = link(tx, target.refs, target.known, target.order_id)
    order = opened.get(target.order_id)
    if order is None:
        # Of an order that is founded now, and none of whose names was ever heard of, nothing is
        # known.
        is_unheard = target.founding is not None and not target.known
        facts = [] if is_unheard else load_order(tx, target.order_id)
        order = opened[target.order_id] = OpenOrder(facts, target.founding)
    elif has_new_names:
        order.facts = load_order(tx, target.order_id)  # facts may have waited under them
    return order


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
    # Nothing of a lock's name is stored, so it needs no secret.
    return [f"twin|{key}" for order in orders for key in twin_keys(fingerprint(order, b""))]


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


def _tail(tx: Transaction, order: OpenOrder, stream: str) -> tuple[int, str]:
    own = [item for item in order.facts if item.stream == stream]
    if own:
        last = max(own, key=lambda item: item.seq)
        return last.seq, last.hash
    return (0, "") if order.founding is not None else tx.facts.tail(stream)
