"""What Sendcloud answered to an action, as the canonical fields of the report. Never raises."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from kette.adapters.vendors.fields import line_of_text, mapping, objects
from kette.adapters.vendors.sendcloud.translate import tracking_url
from kette.domain.facts import ActionReported


def translate_report(report: ActionReported) -> ActionReported:
    """The parcel's id becomes the reference; tracking number and address are taken over.

    Reads {"parcel": {...}} (v2), {"parcels": [...]} (a look-up), {"data": {...}} (v3) and a bare
    parcel.
    """
    parcel = _parcel(report.answer)
    tracking = mapping(next(iter(objects(parcel.get("tracking_numbers"))), {}))
    return msgspec.structs.replace(
        report,
        reference=report.reference or line_of_text(parcel.get("id"))[:200],
        tracking_number=report.tracking_number
        or line_of_text(parcel.get("tracking_number"))[:200]
        or line_of_text(tracking.get("tracking_number"))[:200],
        tracking_url=report.tracking_url
        or tracking_url(parcel.get("tracking_url"))
        or tracking_url(tracking.get("tracking_url")),
    )


def _parcel(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    for outer in (answer, mapping(answer.get("body")), mapping(answer.get("data"))):
        if inner := mapping(outer.get("parcel")):
            return inner
        if listed := objects(outer.get("parcels")):
            return listed[0]
        if "id" in outer:
            return outer
    return {}
