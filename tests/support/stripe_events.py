"""Stripe events for tests: a fixture, changed where the test needs it."""

from __future__ import annotations

from typing import Any

import pytest
from kette.adapters.vendors.base import UnknownPayloadError
from kette.adapters.vendors.stripe import StripeAdapter
from kette.domain import facts as f
from kette.domain.policy import System

from support.vendor_deliveries import STRIPE, plain_delivery, vendor_fixture

ADAPTER = StripeAdapter()


def event(name: str, event_type: str = "", **changes: Any) -> Any:
    told = vendor_fixture("stripe", name)
    told["type"] = event_type or told["type"]
    told["data"]["object"] |= changes
    return told


def drafts(body: Any, system: System = STRIPE) -> tuple[f.FactDraft, ...]:
    return ADAPTER.translate(plain_delivery(system, body)).facts


def bodies(body: Any) -> list[Any]:
    return [draft.body for draft in drafts(body)]


def refusal(body: Any, system: System = STRIPE) -> str:
    with pytest.raises(UnknownPayloadError) as refused:
        ADAPTER.translate(plain_delivery(system, body))
    return refused.value.reason
