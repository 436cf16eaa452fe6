"""Sendcloud's webhooks: parcel_status_changed (v2, v3) and parcels.event.created (v3, beta)."""

from __future__ import annotations

from typing import Any

import msgspec


class EventBody(msgspec.Struct):
    """data of a v3 event."""

    parcel: dict[str, Any] | None = None
    event: dict[str, Any] | None = None


class Webhook(msgspec.Struct):
    """Either shape; `action` names the older one, `event_type` the newer."""

    action: Any = None
    event_type: Any = None
    timestamp: Any = None
    carrier_status_change_timestamp: Any = None
    parcel: dict[str, Any] | None = None
    data: EventBody | list[Any] | None = None


WEBHOOK = msgspec.json.Decoder(Webhook, float_hook=str)
