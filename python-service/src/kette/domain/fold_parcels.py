"""Parcels from what carriers told and what we ordered (see domain/fold.py)."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

import msgspec

from kette.domain import facts as f
from kette.domain.actions import idempotency_key
from kette.domain.state import Parcel

PARCEL_RANK = {
    f.ParcelState.ANNOUNCED: 0,
    f.ParcelState.FAILED: 1,
    f.ParcelState.CANCELLED: 2,
    f.ParcelState.SHIPPED: 3,
    f.ParcelState.DELIVERED: 4,
    f.ParcelState.RETURNED: 5,
}


def fold_parcels(group: list[f.Fact], reports: dict[str, f.ActionReported]) -> tuple[Parcel, ...]:
    told: dict[str, list[tuple[datetime, f.ParcelReported]]] = defaultdict(list)
    for x in group:
        if isinstance(x.body, f.ParcelReported):
            told[x.body.parcel_id].append((x.occurred_at, x.body))
    for parcel_id, words in told.items():
        told[parcel_id] = [w for w in words if w[1].is_withdrawn] or words
    made = (
        sorted(
            (int(key.rsplit(":", 1)[1]), report)
            for key, report in reports.items()
            if report.kind == "create_shipment" and report.done
        )
        if reports
        else []
    )
    cancelled = {
        parcel_id
        for report in reports.values()
        if report.kind == "cancel_fulfillment" and report.done
        for parcel_id in str(report.answer.get("cancelled", "")).split(",")
        if parcel_id
    }
    _join_by_tracking(told, made)
    own = {_own_reference(words): parcel_id for parcel_id, words in sorted(told.items())}
    parcels: list[Parcel] = []
    ours: set[str] = set()
    for number, report in made:
        parcel_id = report.reference or f"shipment-{number}"
        if parcel_id not in told:  # a person who says "done" names no parcel; the carrier did
            parcel_id = own.get(idempotency_key(report.key), parcel_id)
        ours.add(parcel_id)
        parcels.append(_parcel(parcel_id, number, report, told.get(parcel_id, []), cancelled))
    over = {idempotency_key(r.key) for r in reports.values() if r.done or not r.retryable}
    for parcel_id in sorted(set(told) - ours):
        parcel = _parcel(parcel_id, 0, None, told[parcel_id], cancelled)
        reference = _own_reference(told[parcel_id])
        awaits = bool(reference) and reference not in over
        parcels.append(msgspec.structs.replace(parcel, awaits_report=awaits))
    return tuple(parcels)


def _own_reference(words: list[tuple[datetime, f.ParcelReported]]) -> str:
    return next((body.own_reference for _, body in words if body.own_reference), "")


def _join_by_tracking(
    told: dict[str, list[tuple[datetime, f.ParcelReported]]],
    made: list[tuple[int, f.ActionReported]],
) -> None:
    """One parcel told by two systems: a shop's fulfillment names the tracking number of the parcel
    that a carrier carries for us. Without this the customer would hear of two parcels."""
    known = {
        number: report.reference or f"shipment-{n}"
        for n, report in reversed(made)
        if (number := _bare(report.tracking_number))
    }
    own = {report.reference or f"shipment-{n}" for n, report in made}
    for parcel_id in sorted(own & set(told)):
        for _, body in told[parcel_id]:
            if number := _bare(body.tracking_number):
                known.setdefault(number, parcel_id)
    for parcel_id in sorted(set(told) - own):
        numbers = {_bare(body.tracking_number) for _, body in told[parcel_id]} - {""}
        same = {known[number] for number in numbers if number in known}
        if len(same) == 1:  # two of ours in one fulfillment: nothing can be said of either
            ours = same.pop()
            told[ours] = sorted(
                told[ours] + told.pop(parcel_id), key=lambda w: (w[0], w[1].parcel_id)
            )
        elif same:
            del told[parcel_id]


def _bare(tracking_number: str) -> str:
    """As carriers and shops write one number differently.

    >>> _bare("00 3404-3416 1"), _bare("abc1")
    ('00340434161', 'ABC1')
    """
    return "".join(c for c in tracking_number.upper() if c.isalnum())


def _parcel(
    parcel_id: str,
    number: int,
    report: f.ActionReported | None,
    told: list[tuple[datetime, f.ParcelReported]],
    cancelled: set[str],
) -> Parcel:
    state = f.ParcelState.ANNOUNCED
    for _, body in told:
        # A delay says that the carrier has it, and is no step back from delivered.
        said = f.ParcelState.SHIPPED if body.state is f.ParcelState.DELAYED else body.state
        if PARCEL_RANK[said] > PARCEL_RANK[state]:
            state = said
    if parcel_id in cancelled and PARCEL_RANK[state] < PARCEL_RANK[f.ParcelState.CANCELLED]:
        state = f.ParcelState.CANCELLED
    moving = (f.ParcelState.SHIPPED, f.ParcelState.DELAYED, f.ParcelState.DELIVERED)
    last = told[-1][1] if told else None
    return Parcel(
        id=parcel_id,
        number=number,
        state=state,
        is_delayed=last is not None
        and last.state is f.ParcelState.DELAYED
        and state is f.ParcelState.SHIPPED,
        tracking_number=next(
            (b.tracking_number for _, b in reversed(told) if b.tracking_number), ""
        )
        or (report.tracking_number if report else ""),
        tracking_url=next((b.tracking_url for _, b in reversed(told) if b.tracking_url), "")
        or (report.tracking_url if report else ""),
        carrier=next((b.carrier for _, b in reversed(told) if b.carrier), ""),
        message=last.message if last else "",
        lines=report.shipped
        if report
        else next((b.lines for _, b in reversed(told) if b.lines), ()),
        shipped_at=next((at for at, b in told if b.state in moving), None),
        delivered_at=next((at for at, b in told if b.state is f.ParcelState.DELIVERED), None),
    )
