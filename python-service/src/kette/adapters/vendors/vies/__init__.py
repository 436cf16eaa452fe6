"""VIES, the European Commission's register of VAT ids (REST). It is asked and sends nothing."""

from __future__ import annotations

from collections.abc import Sequence

from kette.adapters.vendors.base import Delivery, SignatureError, UnknownPayloadError
from kette.adapters.vendors.vies import report as reports
from kette.domain.facts import ActionReported, Translation


class ViesAdapter:
    """Reads what VIES answers to a question about a VAT id."""

    kind = "vies"

    def verify(self, delivery: Delivery, secrets: Sequence[bytes]) -> None:
        raise SignatureError("VIES sends no events")

    def translate(self, delivery: Delivery) -> Translation:
        raise UnknownPayloadError("vies", "VIES sends no events")

    def translate_report(self, report: ActionReported) -> ActionReported:
        return reports.translate_report(report)
