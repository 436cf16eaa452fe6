"""The rules of each stage. HOLDS may stop an order; ALL_STAGES then say what should happen."""

from __future__ import annotations

from kette.domain.stages import accounting, customer, fulfillment, intake, payment, vat

HOLDS = (intake.holds, vat.holds, payment.holds, fulfillment.holds)
ALL_STAGES = (
    intake.rules,
    vat.rules,
    payment.rules,
    fulfillment.rules,
    accounting.rules,
    customer.rules,
)
