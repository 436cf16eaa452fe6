"""WooCommerce 11 (REST wc/v2 and wc/v3, webhooks). See README.md in this folder."""

from __future__ import annotations

from collections.abc import Sequence

from kette.adapters.vendors.base import Delivery
from kette.adapters.vendors.woocommerce import report as reports
from kette.adapters.vendors.woocommerce import signature
from kette.adapters.vendors.woocommerce import translate as translation
from kette.domain.facts import ActionReported, Translation


class WooCommerceAdapter:
    """Reads a WooCommerce shop: orders, products, and its answers to our actions."""

    kind = "woocommerce"

    def verify(self, delivery: Delivery, secrets: Sequence[bytes]) -> None:
        signature.verify(delivery, secrets)

    def translate(self, delivery: Delivery) -> Translation:
        return translation.translate(delivery)

    def translate_report(self, report: ActionReported) -> ActionReported:
        return reports.translate_report(report)
