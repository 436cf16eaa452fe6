"""What should be true now: a pure function of (file, assessment, setup, now).

Level-triggered: it looks at the whole state, not at the last event, and may run again at any time
with the same result and the same keys. Each stage has a module of rules in domain/stages; this
module gathers what they want. Reconciling wanted with known actions is use_cases/reconcile.py.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from kette.domain.actions import WantedAction, WantedException
from kette.domain.duplicates import Fingerprint
from kette.domain.findings import Finding
from kette.domain.policy import Setup, System
from kette.domain.risk_links import OrderKeys
from kette.domain.state import OrderFile
from kette.domain.status import (
    OrderStatus,
    RiskStatus,
    Shipping,
    Statuses,
    View,
    derive_statuses,
    shipping_of,
)
from kette.domain.vat_check import VatQuestion

# Better data end these. "Fixed" asks for another look at the data, and data that are as wrong as
# before (the shop's webhook is still on its way) keep the case open.
LOOK_AGAIN = frozenset(
    {
        "missing_field",
        "invalid_address",
        "amount_mismatch",
        "tax_mismatch",
        "vat_id_invalid",
        "payment_open",
    }
)


# Entries that only an approval ends: resolving them would let a role that may not approve decide.
BY_APPROVAL = frozenset({"risk_review", "refund_needs_approval"})


class Duplicate(msgspec.Struct, frozen=True):
    """Another order that this one repeats."""

    order_id: str
    number: str
    reasons: tuple[str, ...]


class RiskVerdict(msgspec.Struct, frozen=True):
    score: int = 0
    verdict: RiskStatus = RiskStatus.CLEAR
    reasons: tuple[str, ...] = ()


class Assessment(msgspec.Struct, frozen=True):
    """What the intake checks say about the newest snapshot (domain/validation, risk,
    duplicates)."""

    findings: tuple[Finding, ...] = ()
    risk: RiskVerdict = RiskVerdict()
    duplicate: Duplicate | None = None
    fingerprint: Fingerprint | None = None  # of the newest snapshot
    keys: OrderKeys = OrderKeys()  # by which other orders find this one
    later_twins: tuple[str, ...] = ()  # ids of orders that may repeat this one
    vat: VatQuestion | None = None  # what the VAT register is to be asked


class Decision(msgspec.Struct, frozen=True):
    """due_at: look again then, because time alone will change the answer."""

    statuses: Statuses
    actions: tuple[WantedAction, ...]
    exceptions: tuple[WantedException, ...]
    due_at: datetime | None


def digest(*parts: object) -> str:
    """Short stable name for a situation; part of keys, never shown alone."""
    text = "\x1f".join(str(part) for part in parts)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


class Case:
    """One run of the rules over one order: what they may look at, and where they put what they
    want."""

    def __init__(
        self,
        order_id: str,
        file: OrderFile,
        assessment: Assessment,
        setup: Setup,
        now: datetime,
    ) -> None:
        self.order_id = order_id
        self.file = file
        self.assessment = assessment
        self.setup = setup
        self.now = now
        self.shipping: Shipping = shipping_of(file)
        self.view: View
        self.statuses: Statuses
        self._actions: dict[str, WantedAction] = {}
        self._exceptions: dict[str, WantedException] = {}
        self._due: datetime | None = None

    @property
    def shop(self) -> System | None:
        return self.setup.systems.get(self.file.order.channel) if self.file.order else None

    @property
    def wants_cancel(self) -> bool:
        return self.view.wants_cancel

    @property
    def is_cancelled(self) -> bool:
        return self.statuses.order is OrderStatus.CANCELLED

    def system(self, role: str) -> System | None:
        if self.file.order is None:
            return None
        return self.setup.system_for(role, self.file.order.channel)

    def want(
        self,
        kind: str,
        name: str,
        payload: dict[str, Any],
        *reasons: str,
        system: System | None = None,
    ) -> str:
        """An action that should exist; `name` tells it from others of its kind on this order."""
        key = f"{kind}:{self.order_id}:{name}" if name else f"{kind}:{self.order_id}"
        if system is not None:
            payload = {**payload, "system_id": system.id}
        self._actions[key] = WantedAction(key, kind, payload, reasons)
        return key

    def key(self, kind: str, name: str) -> str:
        return f"{kind}:{self.order_id}:{name}" if name else f"{kind}:{self.order_id}"

    def is_handled(self, key: str) -> bool:
        """A person has resolved exactly this exception: the situation stands as it is."""
        handled = self.file.handled.get(key)
        if handled is None:
            return False
        return handled.resolution != "fixed" or key.split(":", 1)[0] not in LOOK_AGAIN

    def except_(
        self,
        kind: str,
        name: str,
        summary: str,
        context: dict[str, Any],
        suggestion: str,
        *,
        blocking: bool = False,
    ) -> bool:
        """An entry that the exception list should hold, unless a person has resolved it.
        Returns whether it is open."""
        key = self.key(kind, name)
        if self.is_handled(key) and kind not in BY_APPROVAL:
            return False
        self._exceptions[key] = WantedException(key, kind, summary, context, suggestion, blocking)
        return True

    def due(self, at: datetime | None) -> bool:
        """True once `at` has come; until then the order is looked at again at that time."""
        if at is None:
            return False
        if at <= self.now:
            return True
        if self._due is None or at < self._due:
            self._due = at
        return False

    @property
    def has_blocking(self) -> bool:
        return any(e.blocking for e in self._exceptions.values())

    @property
    def open_kinds(self) -> set[str]:
        return {e.kind for e in self._exceptions.values()}

    def decision(self) -> Decision:
        return Decision(
            statuses=self.statuses,
            actions=tuple(self._actions[k] for k in sorted(self._actions)),
            exceptions=tuple(self._exceptions[k] for k in sorted(self._exceptions)),
            due_at=self._due,
        )


def risk_status(file: OrderFile, verdict: RiskVerdict) -> RiskStatus:
    """The score's verdict, unless a person has decided (GDPR Art. 22: review is a person's)."""
    approval = file.approvals.get("risk")
    if approval is not None:
        return RiskStatus.CLEAR if approval.approved else RiskStatus.BLOCKED
    return verdict.verdict


def decide(
    order_id: str, file: OrderFile, assessment: Assessment, setup: Setup, now: datetime
) -> Decision:
    """Statuses, wanted actions and exceptions, and when to look again."""
    if file.past is None:
        return _decide(order_id, file, assessment, setup, now)
    from kette.domain.past import decide_since_cutover  # it needs this module's Decision

    return decide_since_cutover(
        file, assessment, lambda told, checks: _decide(order_id, told, checks, setup, now)
    )


def _decide(
    order_id: str, file: OrderFile, assessment: Assessment, setup: Setup, now: datetime
) -> Decision:
    from kette.domain.stages import ALL_STAGES, HOLDS  # stages import this module's Case
    from kette.domain.stages.tested import only_tested, tested_entries

    case = Case(order_id, file, assessment, setup, now)
    provisional = View(file, setup, case.shipping, False, risk_status(file, assessment.risk))
    case.view = provisional
    case.statuses = derive_statuses(provisional)
    if only_tested(file, setup):
        tested_entries(case)
        return case.decision()
    for hold in HOLDS:
        hold(case)
    if case.has_blocking:
        case.view = View(file, setup, case.shipping, True, provisional.risk)
        case.statuses = derive_statuses(case.view)
    for stage in ALL_STAGES:
        stage(case)
    return case.decision()


StageRules = Callable[[Case], None]
