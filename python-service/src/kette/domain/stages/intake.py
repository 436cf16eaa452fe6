"""Order intake: what must be right before an order may cost money.

A finding that blocks opens an exception; the customer or a person puts it right, and the newest
facts are judged again. Exceptions carry a digest of what they are about: once a person has
accepted an odd address it stays accepted, but a new odd address is a new entry.
"""

from __future__ import annotations

from datetime import timedelta

from kette.domain.decide import Case, digest
from kette.domain.findings import Finding
from kette.domain.order import ShopClaim
from kette.domain.status import RiskStatus

# What the customer can put right by answering a mail.
CUSTOMER_CAN_FIX = frozenset({"invalid_address", "missing_field"})

SUGGESTIONS = {
    "invalid_address": "Correct the address or accept it as it is; the customer has been asked.",
    "missing_field": "Complete the order in the shop, or accept it as it is.",
    "special_note": "Read the customer's note and accept, or correct the order first.",
    "amount_mismatch": "Compare the shop's sums; accept if the shop is right.",
    "tax_mismatch": "Check tax class and destination in the shop; accept if the tax is right.",
    "vat_id_invalid": "Ask the customer for a valid VAT id or charge VAT.",
    "restricted_destination": "Cancel the order or accept the destination once.",
}

UNKNOWN_ORDER_AFTER = timedelta(hours=1)

# An order in one of these is over or not begun: checks would only make noise.
_SETTLED_CLAIMS = frozenset({ShopClaim.CANCELLED, ShopClaim.REFUNDED, ShopClaim.COMPLETED})


def holds(case: Case) -> None:
    file = case.file
    if file.order is None:
        _order_missing(case)
        return
    if case.view.wants_cancel or file.order.claim in _SETTLED_CLAIMS or case.shipping.is_all_out:
        return
    for kind, findings in _by_kind(case.assessment.findings).items():
        name = _name(findings)
        blocking = any(finding.is_blocking for finding in findings)
        case.except_(
            kind,
            name,
            "; ".join(finding.message for finding in findings),
            {"findings": [_public(finding) for finding in findings]},
            SUGGESTIONS.get(kind, "Look at the order and accept or correct it."),
            blocking=blocking,
        )
    duplicate = case.assessment.duplicate
    if duplicate is not None:
        case.except_(
            "duplicate_order",
            duplicate.order_id,
            f"Looks like a repetition of order {duplicate.number}",
            {"duplicate_of": duplicate.order_id, "reasons": list(duplicate.reasons)},
            "Cancel this order, or accept it if the customer really wants both.",
            blocking=True,
        )
    if case.view.risk is not RiskStatus.CLEAR and "risk" not in file.approvals:
        risk = case.assessment.risk
        case.except_(
            "risk_review",
            "",  # one entry, whatever the score does: its deadline must not begin anew
            f"Risk score {risk.score}: " + "; ".join(risk.reasons),
            {"score": risk.score, "reasons": list(risk.reasons)},
            "Approve or refuse with subject 'risk'; the decision is yours, not the score's.",
            blocking=True,
        )
    approval = file.approvals.get("risk")
    if approval is not None and not approval.approved:
        case.except_(
            "risk_review",
            "refused",
            f"Refused by {approval.by}: {approval.why}",
            {"by": approval.by},
            "Cancel the order, or approve the risk after all.",
            blocking=True,
        )


def rules(case: Case) -> None:
    if case.file.order is None or case.is_cancelled or not case.view.is_blocked:
        return
    shop = case.shop
    asked: list[Finding] = []
    for kind, findings in _by_kind(case.assessment.findings).items():
        name = _name(findings)
        is_open = not case.is_handled(case.key(kind, name)) and any(
            finding.is_blocking for finding in findings
        )
        if not is_open:
            continue
        if kind in CUSTOMER_CAN_FIX:
            asked.extend(findings)
        case.want(
            "add_shop_note",
            f"{kind}:{name}",
            {"note": "Kette: " + "; ".join(finding.message for finding in findings)},
            f"{kind} is open",
            system=shop,
        )
    if asked and case.file.order.billing.email and case.system("mail") is not None:
        case.want(
            "request_correction",
            _name(asked),
            {"findings": [_public(finding) for finding in asked]},
            "the customer can put it right",
            system=case.system("mail"),
        )


def _order_missing(case: Case) -> None:
    """Money or parcels are known, the order itself never came (a lost webhook)."""
    file = case.file
    if file.first_at is None or file.cancel is not None:
        return
    if file.is_removed and not (file.payments or file.parcels or file.refunds or file.disputes):
        return  # an old order that went into the shop's bin: nobody waits for it
    if case.due(file.first_at + UNKNOWN_ORDER_AFTER):
        case.except_(
            "order_stuck",
            "no-order",
            "Payment or shipment events are known, but the shop has not sent the order",
            {"first_event_at": file.first_at.isoformat()},
            "Fetch the order from the shop, or check the shop's webhooks.",
        )


def _by_kind(findings: tuple[Finding, ...]) -> dict[str, list[Finding]]:
    grouped: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.exception_kind:
            grouped.setdefault(finding.exception_kind, []).append(finding)
    return grouped


def _name(findings: list[Finding]) -> str:
    return digest(*(f"{x.code}|{x.field}|{x.before}" for x in findings))


def _public(finding: Finding) -> dict[str, str]:
    return {
        "code": finding.code,
        "field": finding.field,
        "severity": finding.severity.value,
        "message": finding.message,
        "before": finding.before,
        "after": finding.after,
    }
