"""Shopware 6 (app webhooks and Admin API, 6.5 to 6.7). See README.md in this folder."""

from __future__ import annotations

from collections.abc import Sequence

from kette.adapters.vendors.base import Delivery
from kette.adapters.vendors.shopware import report as reports
from kette.adapters.vendors.shopware import signature
from kette.adapters.vendors.shopware import translate as translation
from kette.domain.facts import ActionReported, Translation


class ShopwareAdapter:
    """Reads a Shopware shop: its webhooks, what was read from its Admin API, and its answers to
    our actions."""

    kind = "shopware"

    def verify(self, delivery: Delivery, secrets: Sequence[bytes]) -> None:
        signature.verify(delivery, secrets)

    def translate(self, delivery: Delivery) -> Translation:
        return translation.translate(delivery)

    def translate_report(self, report: ActionReported) -> ActionReported:
        return reports.translate_report(report)
