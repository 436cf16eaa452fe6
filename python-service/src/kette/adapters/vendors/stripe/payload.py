"""Stripe's event envelope, as its webhooks send it in API versions 2017 to 2026.

The objects inside change shape with the version of the endpoint, so they stay plain mappings here;
`translate.py` names each field that it reads.
"""

from __future__ import annotations

from typing import Any

import msgspec


class EventData(msgspec.Struct):
    object: dict[str, Any] | None = None


class Event(msgspec.Struct):
    """{"object": "event"}; thin events of API v2 ("v2.core.event") carry no data."""

    id: Any = None
    type: Any = None
    created: Any = None
    livemode: Any = None
    data: EventData | None = None


EVENT = msgspec.json.Decoder(Event, float_hook=str)
