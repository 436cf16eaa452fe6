"""Sendcloud (webhooks v2 and v3, parcels v2). See README.md in this folder."""

from __future__ import annotations

from collections.abc import Sequence

from kette.adapters.vendors.base import Delivery
from kette.adapters.vendors.sendcloud import report as reports
from kette.adapters.vendors.sendcloud import signature
from kette.adapters.vendors.sendcloud import translate as translation
from kette.domain.facts import ActionReported, Translation


class SendcloudAdapter:
    """Reads a Sendcloud integration: parcels' progress, and answers to our actions."""

    kind = "sendcloud"

    def verify(self, delivery: Delivery, secrets: Sequence[bytes]) -> None:
        signature.verify(delivery, secrets)

    def translate(self, delivery: Delivery) -> Translation:
        return translation.translate(delivery)

    def translate_report(self, report: ActionReported) -> ActionReported:
        return reports.translate_report(report)
