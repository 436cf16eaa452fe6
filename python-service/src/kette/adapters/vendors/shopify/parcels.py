"""Fulfillments and their events as words on parcels.

A fulfillment is the shop's word that goods left. When Kette ships and tells the shop so, the shop
tells it back: the tracking number shows that both are one parcel (domain/fold_parcels.py). A
cancelled fulfillment takes everything back that was said of it before.
"""

from __future__ import annotations

from typing import Final

from kette.adapters.vendors.fields import FieldError, line_of_text, objects, required_name
from kette.adapters.vendors.shopify import vocabulary
from kette.adapters.vendors.shopify.amounts import Told
from kette.domain.facts import ParcelReported, ParcelState, ShippedLine

_MOST_PIECES: Final = 10**9


def fulfillment_id(told: Told) -> str:
    return required_name(told.get("id"), "id")


def read_fulfillment(told: Told) -> ParcelReported:
    """Raises FieldError."""
    status = line_of_text(told.get("status")).lower()
    state = vocabulary.PARCEL_STATES.get(status)
    if state is None:
        raise FieldError("status", f"{status[:40]!r} is not a known status of a fulfillment")
    shipment = line_of_text(told.get("shipment_status")).lower()
    if state is ParcelState.SHIPPED and shipment:
        state = vocabulary.SHIPMENT_STATES.get(shipment, ParcelState.SHIPPED)
    return ParcelReported(
        parcel_id=f"fulfillment-{fulfillment_id(told)}",
        state=state,
        vendor_status=f"{status}/{shipment}" if shipment else status,
        tracking_number=_first(told, "tracking_number", "tracking_numbers"),
        tracking_url=_web_address(_first(told, "tracking_url", "tracking_urls")),
        carrier=line_of_text(told.get("tracking_company"))[:100],
        lines=_lines(told),
        is_withdrawn=status == "cancelled",
    )


def read_event(told: Told) -> ParcelReported:
    """A carrier's event: what happened to the parcel of one fulfillment. Raises FieldError."""
    status = line_of_text(told.get("status")).lower()
    state = vocabulary.SHIPMENT_STATES.get(status)
    if state is None:
        raise FieldError("status", f"{status[:40]!r} is not a known status of a shipment")
    return ParcelReported(
        parcel_id=f"fulfillment-{required_name(told.get('fulfillment_id'), 'fulfillment_id')}",
        state=state,
        vendor_status=status,
        message=line_of_text(told.get("message"))[:500],
    )


def _lines(told: Told) -> tuple[ShippedLine, ...]:
    found = []
    for row in objects(told.get("line_items")):
        line, pieces = line_of_text(row.get("id")), row.get("quantity")
        if isinstance(pieces, bool) or not isinstance(pieces, int):
            continue
        if line and 0 < pieces < _MOST_PIECES:
            found.append(ShippedLine(line, pieces))
    return tuple(found)


def _first(told: Told, one: str, many: str) -> str:
    listed = told.get(many)
    first = listed[0] if isinstance(listed, list) and listed else None
    return (line_of_text(told.get(one)) or line_of_text(first))[:200]


def _web_address(value: str) -> str:
    return value if value.startswith(("https://", "http://")) else ""
