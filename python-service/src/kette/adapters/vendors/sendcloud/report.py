"""What Sendcloud answered to an action, as the canonical fields of the report. Never raises."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from kette.adapters.vendors.fields import line_of_text, mapping, objects
from kette.adapters.vendors.sendcloud.translate import tracking_url
from kette.domain.facts import ActionReported

_NOT_GOING_OUT: Final = ("cancelled", "deleted", "queued")
_ALREADY_CANCELLED: Final = re.compile(r"already\b.{0,20}\bcancel", re.IGNORECASE)
_KNOWN_REFERENCE: Final = re.compile(
    r"external.?reference\b.*\b(exists?|unique|taken|in use)\b", re.IGNORECASE | re.DOTALL
)


def translate_report(report: ActionReported) -> ActionReported:
    """The parcel's id becomes the reference; tracking number and address are taken over.

    Reads {"parcel": {...}} (v2), {"parcels": [...]} (a look-up), {"data": {...}} (v3) and a bare
    parcel. A refusal is read as what it means for the action.
    """
    if not report.done:
        return _read_refusal(report)
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


def _read_refusal(report: ActionReported) -> ActionReported:
    """A repetition that finds its work done is no failure.

    Sendcloud refuses to cancel a parcel twice (a run that was killed before it reported, or staff
    in Sendcloud's panel), and to create one under a reference that it knows: that parcel is ours,
    and the next try looks it up.
    """
    said = mapping(report.answer.get("error")) or report.answer
    words = line_of_text(said.get("message")) or report.error
    if report.kind == "cancel_fulfillment" and not _names_several(report.answer):
        gone = line_of_text(report.answer.get("status")) in _NOT_GOING_OUT
        if gone or _ALREADY_CANCELLED.search(words):
            return msgspec.structs.replace(report, done=True, error="")
    if report.kind == "create_shipment" and _KNOWN_REFERENCE.search(words):
        return msgspec.structs.replace(report, retryable=True)
    return report


def _names_several(answer: Mapping[str, Any]) -> bool:
    """Of several parcels only one refusal is reported; it says nothing of the others."""
    return "," in line_of_text(answer.get("cancelled"))


def _parcel(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    for outer in (answer, mapping(answer.get("body")), mapping(answer.get("data"))):
        if inner := mapping(outer.get("parcel")):
            return inner
        if listed := objects(outer.get("parcels")):
            return listed[0]
        if "id" in outer:
            return outer
    return {}
