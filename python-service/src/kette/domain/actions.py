"""Stages and the kinds of action each performs: the one list that API, n8n and docs are made from.

Order matters: the outputs of the Kette Trigger node follow it. New kinds are appended, never
inserted.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Any

import msgspec


class Stage(StrEnum):
    INTAKE = "intake"
    PAYMENT = "payment"
    FULFILLMENT = "fulfillment"
    ACCOUNTING = "accounting"
    CUSTOMER = "customer"
    RETURNS = "returns"
    SUPPORT = "support"
    EXCEPTIONS = "exceptions"
    PAYOUT = "payout"
    REPORTING = "reporting"


STAGE_KINDS: dict[Stage, tuple[str, ...]] = {
    Stage.INTAKE: ("request_correction", "add_shop_note", "upsert_customer", "check_vat_id"),
    Stage.PAYMENT: (
        "send_payment_reminder",
        "offer_alternative_payment",
        "create_task",
        "hold_order",
        "release_order",
        "cancel_order",
        "refund_payment",
        "submit_dispute_evidence",
    ),
    Stage.FULFILLMENT: (
        "check_stock",
        "create_erp_order",
        "start_pick_list",
        "create_shipment",
        "cancel_fulfillment",
        "update_shop_order",
    ),
    Stage.ACCOUNTING: (
        "issue_invoice",
        "issue_credit_note",
        "archive_document",
        "hand_over_bookings",
    ),
    Stage.CUSTOMER: ("notify",),
    Stage.RETURNS: ("send_return_label", "inspect_return", "restock", "update_return"),
    Stage.SUPPORT: ("route_ticket", "suggest_reply"),
    Stage.EXCEPTIONS: ("notify_owner", "escalate"),
    Stage.PAYOUT: ("fetch_payouts", "report_difference"),
    Stage.REPORTING: ("send_report", "raise_alert"),
}

STAGE_OF_KIND: dict[str, Stage] = {
    kind: stage for stage, kinds in STAGE_KINDS.items() for kind in kinds
}


class WantedAction(msgspec.Struct, frozen=True):
    """An action that should exist. `key` is deterministic and unique over all orders."""

    key: str
    kind: str
    payload: dict[str, Any]
    reasons: tuple[str, ...] = ()
    not_before_s: int = 0  # seconds after the decision; 0 = now

    @property
    def stage(self) -> Stage:
        return STAGE_OF_KIND[self.kind]


class WantedException(msgspec.Struct, frozen=True):
    """An entry that the exception list should hold. `key` carries what the entry is about, so a
    changed situation is a new entry and a resolved one stays resolved."""

    key: str
    kind: str
    summary: str
    context: dict[str, Any]
    suggestion: str
    blocking: bool = False


def idempotency_key(action_key: str) -> str:
    """What vendors get: stable per action, short enough for all of them, no word of the order."""
    return "kette-" + hashlib.sha256(action_key.encode()).hexdigest()[:32]
