"""From facts to state: a pure function of the SET of an order's facts.

Every derivation is indifferent to the order and the repetition of facts: amounts are sums over
objects with their own ids, snapshots win by version, objects with a life of their own (payment,
refund, dispute, parcel) by rank, people's words by the time they were spoken. A property test
holds it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec

from kette.domain import facts as f
from kette.domain.fold_money import (
    fold_disputes,
    fold_payments,
    fold_provider_refunds,
    match_shop_refunds,
)
from kette.domain.fold_parcels import fold_parcels
from kette.domain.order import Order, ShopClaim
from kette.domain.state import Handled, OrderFile

_B = TypeVar("_B", bound=msgspec.Struct)
_CLOCKS_DIFFER = timedelta(minutes=10)


def fold(facts: Iterable[f.Fact]) -> OrderFile:
    """Derive an order's file from its facts; any order, any repetition.

    Facts are brought into one canonical order first. That alone would not be enough: nothing below
    lets a later fact overwrite a stronger one.
    """
    unique = {fact.id: fact for fact in facts if not isinstance(fact.body, f.BodyErased)}
    marks = [x.body for x in unique.values() if isinstance(x.body, f.OrderBackfilled)]
    ordered = sorted(
        (x for x in unique.values() if not isinstance(x.body, f.OrderBackfilled)),
        key=lambda x: (x.occurred_at, x.source, x.external_id),
    )
    groups: dict[type, list[f.Fact]] = defaultdict(list)
    for fact in ordered:
        groups[type(fact.body)].append(fact)
    reports, report_times = _reports(groups[f.ActionReported])
    snapshots = _snapshots(groups[f.OrderSnapshot])
    order = _newest(snapshots)
    payments = fold_payments(groups[f.PaymentReported])
    provider_refunds = fold_provider_refunds(
        groups[f.RefundReported],
        groups[f.RefundTotalReported],
        reports,
        report_times,
        order,
        payments,
    )
    refunds, unmatched = match_shop_refunds(provider_refunds, order, payments)
    first_paid = next(((t, o) for t, o in snapshots if o.paid_at is not None), None)
    cancels = groups[f.CancelRequested]
    return OrderFile(
        first_at=ordered[0].occurred_at if ordered else None,
        order=order,
        snapshot_count=len(snapshots),
        is_removed=_is_removed(
            groups[f.OrderRemoved], groups[f.OrderRestored], groups[f.OrderSnapshot]
        ),
        shop_paid_at=first_paid[1].paid_at if first_paid and order and order.paid_at else None,
        shop_paid_minor=_shop_paid(first_paid[1] if first_paid else None, order),
        claim_since=_run_start([(at, told.claim) for at, told in snapshots]),
        is_reopened=_is_reopened(snapshots),
        is_taken_back=_is_taken_back(snapshots),
        correction=_correction(groups[f.AddressCorrected], snapshots),
        payments=payments,
        refunds=refunds,
        unmatched_shop_refunds=unmatched,
        disputes=fold_disputes(groups[f.DisputeReported], order),
        parcels=fold_parcels(groups[f.ParcelReported], reports),
        reports=reports,
        report_times=report_times,
        approvals={body.subject: body for body in _bodies(ordered, f.ApprovalGiven)},
        cancel=next(iter(_bodies(ordered, f.CancelRequested)), None),
        cancel_at=cancels[0].occurred_at if cancels else None,
        handled=_handled(groups[f.ExceptionHandled]),
        documents=tuple(_bodies(ordered, f.DocumentIssued)),
        notes=tuple(_bodies(ordered, f.NoteAdded)),
        past=_past(ordered, marks) if marks else None,
    )


def _past(ordered: list[f.Fact], marks: list[f.OrderBackfilled]) -> OrderFile:
    """The file as it was at the cutover. The shop's own words are told apart by version, for its
    clock need not go as ours does."""
    mark = min(marks, key=lambda x: (x.cutover_at, x.version))
    return fold(
        fact
        for fact in ordered
        if (
            fact.body.order.version <= mark.version
            if isinstance(fact.body, f.OrderSnapshot)
            else fact.occurred_at <= mark.cutover_at or fact.external_id in mark.told_with
        )
    )


def _bodies(ordered: list[f.Fact], kind: type[_B]) -> list[_B]:
    return [fact.body for fact in ordered if isinstance(fact.body, kind)]


def _snapshots(group: list[f.Fact]) -> list[tuple[datetime, Order]]:
    pairs = [(x.occurred_at, x.body.order) for x in group if isinstance(x.body, f.OrderSnapshot)]
    return sorted(pairs, key=lambda pair: pair[1].version)


def _newest(snapshots: list[tuple[datetime, Order]]) -> Order | None:
    """The newest snapshot. A shop's verdict on the risk stays until it gives another one: Shopify's
    webhooks leave it out, only its GraphQL interface tells it."""
    if not snapshots:
        return None
    newest = snapshots[-1][1]
    risk = next((order.risk_level for _, order in reversed(snapshots) if order.risk_level), "")
    return newest if newest.risk_level == risk else msgspec.structs.replace(newest, risk_level=risk)


def _is_removed(removed: list[f.Fact], restored: list[f.Fact], snapshots: list[f.Fact]) -> bool:
    """In the shop's trash, as far as the shop told. A removal is often told without its time, so
    it has that of its arrival, which may lie after the restoration that undid it: each restoration
    is taken to undo one. A snapshot is of an order outside the trash, where a change over the
    shop's API brings it without a word; the clocks of shop and service may differ a little."""
    if len(removed) <= len(restored):
        return False
    last = removed[-1].occurred_at
    if restored and restored[-1].occurred_at > last:
        return False
    return not any(x.occurred_at > last + _CLOCKS_DIFFER for x in snapshots)


def _shop_paid(first_paid: Order | None, newest: Order | None) -> int:
    """What the shop says was paid: its own figure, else the total when it first said "paid"."""
    if newest is None or newest.paid_at is None or first_paid is None:
        return 0
    return first_paid.total.minor if newest.paid_total is None else newest.paid_total.minor


def _run_start(told: Sequence[tuple[datetime, object]]) -> datetime | None:
    """Since when the newest word has been said without a break."""
    since: datetime | None = None
    for at, word in reversed(told):
        if word != told[-1][1]:
            break
        since = at
    return since


def _is_reopened(snapshots: list[tuple[datetime, Order]]) -> bool:
    """The shop had cancelled the order and took that back."""
    claims = [order.claim for _, order in snapshots]
    over = (ShopClaim.CANCELLED, ShopClaim.REFUNDED)
    return ShopClaim.CANCELLED in claims and claims[-1] not in over


def _is_taken_back(snapshots: list[tuple[datetime, Order]]) -> bool:
    """The shop had the order in processing, and has put it back since."""
    claims = [order.claim for _, order in snapshots]
    back = (ShopClaim.ON_HOLD, ShopClaim.PENDING, ShopClaim.FAILED)
    return bool(claims) and claims[-1] in back and ShopClaim.PROCESSING in claims


def _correction(
    group: list[f.Fact], snapshots: list[tuple[datetime, Order]]
) -> f.AddressCorrected | None:
    """The last correction, unless the shop itself has changed the address since."""
    if not group:
        return None
    last = group[-1]
    addresses = [(at, order.delivery_address) for at, order in snapshots]
    since = _run_start(addresses)
    has_changed = any(address != addresses[-1][1] for _, address in addresses)
    if has_changed and since is not None and since > last.occurred_at:
        return None
    return last.body if isinstance(last.body, f.AddressCorrected) else None


def _reports(
    group: list[f.Fact],
) -> tuple[dict[str, f.ActionReported], dict[str, datetime]]:
    """Per action: the first success, else the last failure."""
    reports: dict[str, f.ActionReported] = {}
    times: dict[str, datetime] = {}
    for x in group:
        body = x.body
        assert isinstance(body, f.ActionReported)
        known = reports.get(body.key)
        if known is None or not known.done:
            reports[body.key] = body
            times[body.key] = x.occurred_at
    return reports, times


def _handled(group: list[f.Fact]) -> dict[str, Handled]:
    handled: dict[str, Handled] = {}
    for x in group:
        body = x.body
        if isinstance(body, f.ExceptionHandled) and body.verb == "resolve":
            handled[body.exception_key] = Handled(body.resolution, body.by, body.why, x.occurred_at)
    return handled
