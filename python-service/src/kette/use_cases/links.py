"""Names that lead to orders, and names that wait for their order.

A payment may come before its order and under other names than the order knows: the payment's id and
its charge's, while the order names the charge alone. Names that are told together form a group;
when an order turns up under one of them, it takes over the whole group. Each fact stays in the
stream that it was recorded in; the names say which streams belong to an order.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence

from kette.domain.facts import Ref
from kette.use_cases.ports import Transaction

WAITING = "wait_"
_NAMESPACE = uuid.UUID("0c0c5a6e-47a1-4b0a-9d0e-3f7f0a5f8f52")

Known = Mapping[tuple[str, str], str]  # name -> id of an order or of a waiting group


def lock_names(tx: Transaction, refs: Sequence[Ref], more: Iterable[str] = ()) -> Known:
    """What the names lead to, and nobody else changes it until the transaction ends: so a payment
    and its order cannot pass each other unseen. Names first, then groups, then orders: one order of
    locks, or two writers wait for each other."""
    if tx.facts.has_other_writers:
        for name in sorted({*(f"{ref.system_id}|{ref.name}" for ref in refs), *more}):
            tx.facts.lock_order(name)
    known = tx.facts.orders_of(refs)
    locked: set[str] = set()
    while tx.facts.has_other_writers and (groups := set(_groups(known, refs)) - locked):
        for group in sorted(groups):
            tx.facts.lock_order(group)
        locked |= groups
        known = tx.facts.orders_of(refs)  # an order may have taken the group over meanwhile
    return known


def order_of(known: Known, ref: Ref) -> str | None:
    """The order that a name leads to; None while it waits for one."""
    found = known.get((ref.system_id, ref.name))
    return None if found is None or found.startswith(WAITING) else found


def link(tx: Transaction, refs: Sequence[Ref], known: Known, order_id: str) -> bool:
    """Let new names lead to an order, with every name that was told together with one of them.
    Answers whether there were any."""
    groups, names = _groups(known, refs), _unknown(refs, known)
    for group in groups:
        tx.facts.adopt(group, order_id)
    tx.facts.add_refs(names, order_id)
    return bool(groups or names)


def wait(tx: Transaction, refs: Sequence[Ref], known: Known) -> None:
    """Keep names together until an order turns up under one of them."""
    if not refs:
        return
    groups = _groups(known, refs)
    first = f"{refs[0].system_id}|{refs[0].name}"
    own = groups[0] if groups else WAITING + uuid.uuid5(_NAMESPACE, first).hex
    for other in groups[1:]:
        tx.facts.adopt(other, own)
    tx.facts.add_refs(_unknown(refs, known), own)


def _groups(known: Known, refs: Sequence[Ref]) -> list[str]:
    found = {known.get((ref.system_id, ref.name), "") for ref in refs}
    return sorted(name for name in found if name.startswith(WAITING))


def _unknown(refs: Sequence[Ref], known: Known) -> list[Ref]:
    return [ref for ref in dict.fromkeys(refs) if (ref.system_id, ref.name) not in known]
