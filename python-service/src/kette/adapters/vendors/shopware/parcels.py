"""Parcels that the shop sent itself, as far as it tells of them.

A delivery is set to shipped, with tracking codes; its positions say which pieces it holds. Without
a code nothing is told here: it could not be told from a parcel that we announced for the same goods
(the order's claim covers it once everything is shipped). Partly shipped says not what left.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from kette.adapters.vendors.fields import FieldError, line_of_text, mapping, objects, short_name
from kette.adapters.vendors.shopware.numbers import number
from kette.adapters.vendors.shopware.payments import changed_at
from kette.domain.facts import FactDraft, ParcelReported, ParcelState, Ref, ShippedLine

Row = Mapping[str, Any]

_STATES: Final = {"shipped": ParcelState.SHIPPED, "returned": ParcelState.RETURNED}


def parcel_drafts(order: Row, refs: tuple[Ref, ...]) -> Iterable[FactDraft]:
    """One per tracking code of a delivery that is out. Never raises."""
    pieces = {line_of_text(row.get("id")): row.get("quantity") for row in _rows(order, "lineItems")}
    for delivery in _rows(order, "deliveries"):
        word = line_of_text(mapping(delivery.get("stateMachineState")).get("technicalName"))
        state, at = _STATES.get(word), changed_at(delivery)
        delivery_id = short_name(delivery.get("id"))
        if state is None or at is None or not delivery_id:
            continue
        method = mapping(delivery.get("shippingMethod"))
        for code in _codes(delivery):
            body = ParcelReported(
                parcel_id=f"delivery:{delivery_id}:{code}",
                state=state,
                vendor_status=word,
                tracking_number=code,
                carrier=line_of_text(method.get("name"))[:100],
                lines=_lines(delivery, pieces),
            )
            moment = f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond:06}Z"
            yield FactDraft(f"{body.parcel_id}:{word}@{moment}", at, body, refs)


def _rows(order: Row, name: str) -> list[dict[str, Any]]:
    return objects(order.get(name))


def _codes(delivery: Row) -> list[str]:
    told = delivery.get("trackingCodes")
    codes = (short_name(code)[:60] for code in (told if isinstance(told, list) else ()))
    return list(dict.fromkeys(code for code in codes if code))


def _lines(delivery: Row, pieces: Mapping[str, Any]) -> tuple[ShippedLine, ...]:
    """Positions name order lines; one without a count holds all pieces of its line."""
    found: dict[str, int] = {}
    for row in objects(delivery.get("positions")):
        line_id = line_of_text(row.get("orderLineItemId"))
        price = mapping(row.get("price"))
        try:
            told = price.get("quantity", pieces.get(line_id))
            count = int(number(told, "quantity"))
        except FieldError:
            continue
        if line_id in pieces and 0 < count < 10**9:
            found[line_id] = count
    return tuple(ShippedLine(line_id, count) for line_id, count in sorted(found.items()))
