"""Run the intake checks on a file: validation, duplicates, risk, with what the ledger knows
besides."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from kette.domain.decide import Assessment, Duplicate, RiskVerdict
from kette.domain.duplicates import Fingerprint, find_duplicate_of, twin_keys
from kette.domain.intake_data import IntakeData
from kette.domain.money import Money
from kette.domain.order import Order
from kette.domain.policy import Setup
from kette.domain.risk import RiskRules, RiskSignals, assess_risk
from kette.domain.risk_links import OrderKeys, paying
from kette.domain.stages.tested import only_tested
from kette.domain.state import OrderFile
from kette.domain.status import RiskStatus
from kette.domain.tax_check import supply_date
from kette.domain.validation import validate_order
from kette.domain.vat_check import VatQuestion, standing_of, vat_findings, vat_question
from kette.use_cases.kernel import Kernel
from kette.use_cases.ports import Place, Related, RelatedOrder, Transaction, Twin
from kette.use_cases.usual_totals import UsualTotals

_FINGERPRINT = msgspec.json.Decoder(Fingerprint)
_DAY = timedelta(days=1)
_PAID = frozenset({"paid", "partially_refunded", "refunded"})


class Assessor:
    def __init__(self, data: IntakeData) -> None:
        self._data = data
        self._usual = UsualTotals()

    def __call__(
        self, kernel: Kernel, tx: Transaction, order_id: str, file: OrderFile
    ) -> Assessment:
        order = file.order
        if order is None:
            return Assessment()
        setup = kernel.setup
        own = kernel.fingerprint_of(order)
        duplicate, later = self._twins(kernel, tx, own)
        # Who tries out a checkout ten times is no suspicious customer, and no old one either.
        keys = OrderKeys() if only_tested(file, setup) else kernel.keys_of(order, file)
        related = tx.orders.related(keys, order.placed_at, order_id)
        usual = self._usual.total_of(tx, order.channel, order.currency, order.placed_at)
        risk = assess_risk(
            order,
            signals_of(order, file, related, self._data.risk, usual),
            setup.risk,
            self._data.risk,
            file.delivery_address,
        )
        findings = validate_order(order, file.delivery_address, setup, self._data)
        question = self._vat_question(order, file, setup)
        if question is not None:
            standing = standing_of(question, order_id, file, setup.intake)
            findings += tuple(vat_findings(question, standing, setup.intake.vat_check))
        return Assessment(
            findings=findings,
            risk=RiskVerdict(
                risk.score, RiskStatus(risk.verdict.value), tuple(str(x) for x in risk.reasons)
            ),
            duplicate=duplicate,
            fingerprint=own,
            keys=keys,
            later_twins=tuple(twin.order_id for twin in later),
            vat=question,
        )

    def _vat_question(self, order: Order, file: OrderFile, setup: Setup) -> VatQuestion | None:
        if not order.vat_id:
            return None
        placed_on = supply_date(order.placed_at, setup.merchant.time_zone)
        return vat_question(order, file.delivery_address, setup, self._data.tax, placed_on)

    def _twins(
        self, kernel: Kernel, tx: Transaction, own: Fingerprint
    ) -> tuple[Duplicate | None, list[Twin]]:
        window_s = kernel.setup.intake.duplicate_window_s
        place = Place(own.placed_at, own.external_id)
        earlier, later = tx.orders.twins(twin_keys(own), place, timedelta(seconds=window_s))
        return self._duplicate(own, earlier, window_s) if earlier else None, later

    def _duplicate(self, own: Fingerprint, earlier: list[Twin], window_s: int) -> Duplicate | None:
        ids = {}
        candidates = []
        for twin in earlier:
            candidate = _FINGERPRINT.decode(twin.comparison)
            ids[candidate.channel, candidate.external_id] = twin.order_id
            candidates.append(candidate)
        match = find_duplicate_of(own, candidates, window_s)
        if match is None:
            return None
        original = match.original
        return Duplicate(
            ids[original.channel, original.external_id], original.number, match.reasons
        )


def signals_of(
    order: Order,
    file: OrderFile,
    related: Related,
    rules: RiskRules,
    usual: Money | None = None,
) -> RiskSignals:
    """What payments and the orders of the same customer, address and card say."""
    payments = paying(file.payments)
    scores = [p.risk_score for p in payments if p.risk_score is not None]
    charged_back = {
        x.order_id for x in (*related.customer, *related.card) if x.payment_status == "chargeback"
    }
    return RiskSignals(
        orders_mail_24h=1 + _within_a_day(order, related.customer),
        orders_address_24h=1 + _within_a_day(order, related.address),
        orders_card_24h=1 + _within_a_day(order, related.card),
        failed_attempts=sum(p.failed_tries for p in payments),
        card_country=next((p.card_country for p in payments if p.card_country), ""),
        provider_level=_worst([*(p.risk_level for p in payments), order.risk_level], rules),
        provider_score=max(scores) if scores else None,
        earlier_chargebacks=len(charged_back),
        paid_orders_before=sum(
            1
            for x in related.customer
            if x.payment_status in _PAID and x.placed_at < order.placed_at
        ),
        is_new_address=not related.address if order.physical_lines else None,
        usual_total=usual,
    )


def _within_a_day(order: Order, others: tuple[RelatedOrder, ...]) -> int:
    return sum(1 for x in others if order.placed_at - _DAY < x.placed_at <= order.placed_at)


def _worst(levels: list[str], rules: RiskRules) -> str:
    """The provider's word that weighs most; of those that weigh nothing, the first."""

    def weight(level: str) -> int:
        return rules.weights.get(rules.provider_levels.get(level.strip().casefold(), ""), 0)

    return max((level for level in levels if level), key=weight, default="")
