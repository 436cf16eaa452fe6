"""What Stripe answered to an action, as the canonical fields of the report. Nothing here raises."""

from __future__ import annotations

from typing import Final

import msgspec

from kette.adapters.vendors.fields import line_of_text, mapping
from kette.adapters.vendors.stripe.references import id_of
from kette.domain.facts import ActionReported

_LINK_KINDS: Final = ("offer_alternative_payment", "send_payment_reminder")
_FAILED_REFUNDS: Final = ("failed", "canceled")
# Somebody refunded the rest at Stripe meanwhile. Its event is on its way and ends the action.
_NOTHING_LEFT: Final = "charge_already_refunded"


def translate_report(report: ActionReported) -> ActionReported:
    """The id of the refund or link becomes the reference, a payment page's address the link.

    A refund that Stripe answered with HTTP 200 may yet have failed; it is reported as not done.
    """
    if not report.done:
        return _read_refusal(report)
    answer = mapping(report.answer.get("body")) or report.answer
    told = {
        "reference": report.reference or id_of(answer),
        "link": report.link or (_link(answer.get("url")) if report.kind in _LINK_KINDS else ""),
    }
    status = line_of_text(answer.get("status"))
    if report.kind == "refund_payment" and report.done and status in _FAILED_REFUNDS:
        reason = line_of_text(answer.get("failure_reason")) or status
        return msgspec.structs.replace(
            report, done=False, retryable=False, error=f"the refund failed: {reason}", **told
        )
    return msgspec.structs.replace(report, **told)


def _read_refusal(report: ActionReported) -> ActionReported:
    code = line_of_text(mapping(report.answer.get("error")).get("code"))
    if report.kind == "refund_payment" and code == _NOTHING_LEFT:
        return msgspec.structs.replace(report, retryable=True)
    return report


def _link(value: object) -> str:
    found = line_of_text(value)
    return found if found.startswith(("https://", "http://")) and len(found) <= 2000 else ""
