"""Sendcloud's webhooks as facts. Names of facts and refs are described in README.md."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from kette.adapters.vendors import fields
from kette.adapters.vendors.base import Delivery, UnknownPayloadError
from kette.adapters.vendors.fields import (
    FieldError,
    line_of_text,
    mapping,
    optional_instant,
    short_name,
    unix_instant,
)
from kette.adapters.vendors.sendcloud import vocabulary
from kette.adapters.vendors.sendcloud.payload import WEBHOOK, Webhook
from kette.domain.facts import FactDraft, ParcelReported, ParcelState, Ref, Translation
from kette.domain.policy import System

KETTE: Final = "kette"
_SHOP_ID = re.compile(r"\d{1,20}\Z", re.ASCII)
_OWN_REFERENCE = re.compile(r"kette-[A-Za-z0-9-]{4,100}\Z", re.ASCII)
_LONGEST: Final = 200
# Sendcloud began in 2012; times before that are the documentation's examples (123).
_FIRST_PLAUSIBLE: Final = datetime(2012, 1, 1, tzinfo=UTC)
_WITH_CARRIER: Final = frozenset(
    {ParcelState.SHIPPED, ParcelState.DELAYED, ParcelState.DELIVERED, ParcelState.RETURNED}
)


def translate(delivery: Delivery) -> Translation:
    """Facts of one webhook. Raises UnknownPayloadError, whatever the bytes are."""
    told = fields.decode(WEBHOOK, delivery.body, "")
    topic = (line_of_text(told.action) or line_of_text(told.event_type))[:100]
    if not topic:
        raise UnknownPayloadError("", "action: missing; this is not a Sendcloud webhook")
    try:
        if topic == vocabulary.STATUS_CHANGED:
            return _status_changed(told, delivery)
        if topic == vocabulary.EVENT_CREATED:
            return _event(told, delivery)
    except FieldError as error:
        raise UnknownPayloadError(topic, f"{error.field}: {error.reason}") from error
    if topic in vocabulary.IRRELEVANT_ACTIONS:
        return Translation(note=f"{topic} is of no concern here")
    raise UnknownPayloadError(topic, "no such action is known")


def tracking_url(value: object) -> str:
    found = line_of_text(value)
    return found if found.startswith(("https://", "http://")) and len(found) <= 2000 else ""


def carrier_of(parcel: Mapping[str, Any]) -> str:
    told = parcel.get("carrier")
    return (
        line_of_text(mapping(told).get("code"))
        or line_of_text(told)
        or line_of_text(parcel.get("carrier_code"))
    )[:_LONGEST]


def _status_changed(told: Webhook, delivery: Delivery) -> Translation:
    parcel = mapping(told.parcel)
    parcel_id = fields.required_name(parcel.get("id"), "parcel.id")
    if parcel.get("is_return") is True:
        # A return label's parcel: "delivered" would mean that it reached the merchant.
        return Translation(note=f"parcel {parcel_id} is a return parcel")
    status = mapping(parcel.get("status"))
    name, state = _status(status)
    if state is None:
        return Translation(note=f"parcel {parcel_id}: status {name} does not tell where it is")
    moment = fields.required_name(told.timestamp, "timestamp")[:40]
    body = ParcelReported(
        parcel_id=parcel_id,
        state=state,
        vendor_status=name,
        tracking_number=line_of_text(parcel.get("tracking_number"))[:_LONGEST],
        tracking_url=tracking_url(parcel.get("tracking_url")),
        carrier=carrier_of(parcel),
        message=line_of_text(status.get("message"))[:500],
        own_reference=_own_reference(parcel),
    )
    at = _plausible(told.carrier_status_change_timestamp) or _plausible(told.timestamp)
    draft = FactDraft(
        f"parcel:{parcel_id}:{name}:{moment}",
        at or delivery.received_at,
        body,
        _refs(delivery.system, parcel_id, parcel),
    )
    return Translation((draft,))


def _status(status: Mapping[str, Any]) -> tuple[str, ParcelState | None]:
    """Name and meaning of a status: by its id, else by its code. Raises FieldError."""
    told = status.get("id")
    if told is None and (code := line_of_text(status.get("code")).upper()):
        if code in vocabulary.STATUS_BY_CODE:
            return code, vocabulary.STATUS_BY_CODE[code]
        raise FieldError("parcel.status.code", f"{code[:40]!r} is not a known status")
    number = fields.whole_number(told, "parcel.status.id", highest=10**9)
    if number not in vocabulary.STATUS_BY_ID:
        text = line_of_text(status.get("message"))[:80]
        raise FieldError("parcel.status.id", f"{number} ({text!r}) is not a known status")
    return str(number), vocabulary.STATUS_BY_ID[number]


def _event(told: Webhook, delivery: Delivery) -> Translation:
    data = told.data
    if data is None or isinstance(data, list):
        raise FieldError("data", "missing or not an object")
    parcel, event = mapping(data.parcel), mapping(data.event)
    parcel_id = fields.required_name(parcel.get("parcel_id") or parcel.get("id"), "parcel_id")
    phase = line_of_text(event.get("phase")).lower()
    exception = line_of_text(event.get("exception")).lower() or "none"
    state = _state(phase, exception, is_returned=event.get("is_returned") is True)
    at = optional_instant(event.get("timestamp"))
    if at is None:
        raise FieldError("data.event.timestamp", "missing or not a time")
    if state is None:
        return Translation(note=f"parcel {parcel_id}: {phase} does not tell where it is")
    name = phase if exception == "none" else f"{phase}/{exception}"
    body = ParcelReported(
        parcel_id=parcel_id,
        state=state,
        vendor_status=name,
        tracking_number=line_of_text(parcel.get("tracking_number"))[:_LONGEST],
        tracking_url=tracking_url(parcel.get("tracking_url")),
        carrier=carrier_of(parcel),
        message=line_of_text(event.get("description"))[:500],
        own_reference=_own_reference(parcel),
    )
    draft = FactDraft(
        f"parcel:{parcel_id}:{name}:{at:%Y-%m-%dT%H:%M:%SZ}",
        at,
        body,
        _refs(delivery.system, parcel_id, parcel),
    )
    return Translation((draft,))


def _state(phase: str, exception: str, *, is_returned: bool) -> ParcelState | None:
    if phase not in vocabulary.PHASES:
        raise FieldError("data.event.phase", f"{phase[:40]!r} is not a known phase")
    if exception not in vocabulary.EXCEPTIONS:
        raise FieldError("data.event.exception", f"{exception[:40]!r} is not a known exception")
    state = vocabulary.PHASES[phase]
    is_with_carrier = state in _WITH_CARRIER
    if is_returned and is_with_carrier:
        return ParcelState.RETURNED
    if state is ParcelState.DELIVERED:
        return state  # a late complaint does not undo the delivery
    before, after = vocabulary.EXCEPTIONS[exception]
    return (after if is_with_carrier else before) or state


def _refs(system: System, parcel_id: str, parcel: Mapping[str, Any]) -> tuple[Ref, ...]:
    """The parcel's own names first, then what the shop or Kette wrote on it."""
    refs = [Ref(system.id, f"parcel:{parcel_id}")]
    shop = system.serves[0] if len(system.serves) == 1 else ""
    told = short_name(parcel.get("external_order_id"))
    if told:
        refs.append(Ref(KETTE, told))
        if shop and _SHOP_ID.match(told):
            refs.append(Ref(shop, f"order:{told}"))
    if reference := _own_reference(parcel):
        refs.append(Ref(KETTE, reference))
    if number := short_name(parcel.get("tracking_number")):
        refs.append(Ref(system.id, f"tracking:{number}"))
    if shop and (number := short_name(parcel.get("order_number")).lstrip("#")):
        refs.append(Ref(shop, f"number:{number}"))
    return tuple(dict.fromkeys(refs))


def _own_reference(parcel: Mapping[str, Any]) -> str:
    """What Kette wrote on a parcel that it asked for."""
    told = (line_of_text(parcel.get(name)) for name in ("external_reference", "reference"))
    return next((text for text in told if _OWN_REFERENCE.match(text)), "")


def _plausible(value: object) -> datetime | None:
    found = unix_instant(value) or optional_instant(value)
    return found if found is not None and found >= _FIRST_PLAUSIBLE else None
