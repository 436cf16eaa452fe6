"""Shopify (webhooks and REST shapes of 2026, GraphQL Admin). See README.md in this folder."""

from __future__ import annotations

from collections.abc import Sequence

from kette.adapters.vendors.base import Delivery
from kette.adapters.vendors.shopify.report import translate_report
from kette.adapters.vendors.shopify.signature import verify
from kette.adapters.vendors.shopify.translate import translate
from kette.domain.facts import ActionReported, Translation


class ShopifyAdapter:
    """Reads a Shopify shop: orders, payments, fulfillments, disputes, and answers to actions."""

    kind = "shopify"

    def verify(self, delivery: Delivery, secrets: Sequence[bytes]) -> None:
        verify(delivery, secrets)

    def translate(self, delivery: Delivery) -> Translation:
        return translate(delivery)

    def translate_report(self, report: ActionReported) -> ActionReported:
        return translate_report(report)
