"""Stripe (webhook events of API versions 2017 to 2026). See README.md in this folder."""

from __future__ import annotations

from collections.abc import Sequence

from kette.adapters.vendors.base import Delivery
from kette.adapters.vendors.stripe import report as reports
from kette.adapters.vendors.stripe import signature
from kette.adapters.vendors.stripe import translate as translation
from kette.domain.facts import ActionReported, Translation


class StripeAdapter:
    """Reads a Stripe account: payments, refunds, disputes, payouts, and answers to our actions."""

    kind = "stripe"

    def verify(self, delivery: Delivery, secrets: Sequence[bytes]) -> None:
        signature.verify(delivery, secrets)

    def translate(self, delivery: Delivery) -> Translation:
        return translation.translate(delivery)

    def translate_report(self, report: ActionReported) -> ActionReported:
        return reports.translate_report(report)
