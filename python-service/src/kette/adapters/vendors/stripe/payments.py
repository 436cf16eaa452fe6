"""Payment intents, charges and checkout sessions as words on one payment.

State is read off the object, not off the event's name: events come late and in any order, and each
carries the whole object as it was. `payment_id` is the payment intent's id where there is one, else
the charge's; facts of both kinds meet by the charge id.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from kette.adapters.vendors.fields import (
    FieldError,
    line_of_text,
    mapping,
    objects,
    unix_instant,
    whole_number,
)
from kette.adapters.vendors.stripe import amounts
from kette.adapters.vendors.stripe.references import id_of
from kette.domain.facts import PaymentReported, PaymentState
from kette.domain.money import Money

Told = Mapping[str, Any]

_CAPTURED: Final = "charge.captured"
_EXPIRED: Final = "charge.expired"


def from_intent(intent: Told) -> PaymentReported:
    """Raises FieldError."""
    currency = amounts.currency_of(intent.get("currency"), "currency")
    charge = latest_charge(intent)
    error = mapping(intent.get("last_payment_error"))
    state = _intent_state(intent, charge, error)
    amount = amounts.money(intent.get("amount"), currency, "amount")
    if state is PaymentState.CAPTURED:
        amount = _or(intent.get("amount_received"), amount, "amount_received")
    elif state is PaymentState.AUTHORIZED:
        amount = _or(intent.get("amount_capturable"), amount, "amount_capturable")
    body = PaymentReported(
        payment_id=_required_id(intent),
        state=state,
        amount=amount,
        charge_id=id_of(charge) or id_of(intent.get("latest_charge")) or id_of(error.get("charge")),
        method=_intent_method(intent, error),
    )
    body = _with_charge(body, charge)
    if error and state is not PaymentState.CAPTURED:
        body = msgspec.structs.replace(
            body,
            code=line_of_text(error.get("decline_code")) or line_of_text(error.get("code")),
            message=line_of_text(error.get("message"))[:500],
        )
    elif state in (PaymentState.VOIDED, PaymentState.FAILED) and not body.code:
        reason = line_of_text(intent.get("cancellation_reason"))
        body = msgspec.structs.replace(body, code=reason)
    return body


def from_charge(charge: Told, event_type: str) -> PaymentReported:
    """Raises FieldError."""
    currency = amounts.currency_of(charge.get("currency"), "currency")
    charge_id = _required_id(charge)
    amount = amounts.money(charge.get("amount"), currency, "amount")
    state = PaymentState.VOIDED if event_type == _EXPIRED else _charge_state(charge)
    if state is PaymentState.CAPTURED:
        amount = amount - released_of(charge, amount, event_type)
    body = PaymentReported(
        payment_id=id_of(charge.get("payment_intent")) or charge_id,
        state=state,
        amount=amount,
        charge_id=charge_id,
    )
    return _with_charge(body, charge)


def from_session(session: Told, event_type: str) -> PaymentReported | None:
    """A checkout page's outcome; None where no payment is due. Raises FieldError."""
    told = line_of_text(session.get("payment_status"))
    if told == "no_payment_required" or line_of_text(session.get("mode")) not in ("", "payment"):
        return None
    currency = amounts.currency_of(session.get("currency"), "currency")
    state = PaymentState.CAPTURED if told == "paid" else PaymentState.PENDING
    if told == "unpaid" and session.get("status") == "complete":
        state = PaymentState.PROCESSING  # the customer is done, the bank is not
    code = ""
    if event_type.endswith(("expired", "async_payment_failed")) and told != "paid":
        state = PaymentState.FAILED
        code = event_type.rsplit(".", 1)[-1]
    return PaymentReported(
        payment_id=id_of(session.get("payment_intent")) or _required_id(session),
        state=state,
        amount=amounts.money(session.get("amount_total"), currency, "amount_total"),
        code=code,
    )


def latest_charge(intent: Told) -> Told:
    """The newest charge of an intent: expanded latest_charge, or the list of versions before
    2022-11-15; empty if the event only names its id."""
    latest = intent.get("latest_charge")
    if isinstance(latest, dict):
        return latest
    charges = objects(mapping(intent.get("charges")).get("data"))
    if not charges:
        return {}
    return max(charges, key=lambda charge: _number(charge.get("created")))


def released_of(charge: Told, amount: Money, event_type: str) -> Money:
    """The part of a reservation that a partial capture let go: taken from nobody, though Stripe
    counts it in amount_refunded. Versions before 2020 tell it by that alone, at the capture."""
    captured = charge.get("amount_captured")
    if captured is not None:
        taken = amounts.money(captured, amount.currency, "amount_captured")
        return amount - taken if Money.zero(amount.currency) < taken < amount else amount - amount
    if event_type == _CAPTURED:
        return _or(charge.get("amount_refunded"), amount - amount, "amount_refunded")
    return amount - amount


def _intent_state(intent: Told, charge: Told, error: Told) -> PaymentState:
    status = line_of_text(intent.get("status"))
    if status == "succeeded":
        return PaymentState.CAPTURED
    if status == "requires_capture":
        return PaymentState.AUTHORIZED
    if status == "processing":
        return PaymentState.PROCESSING
    if status in ("requires_action", "requires_confirmation"):
        return PaymentState.PENDING
    # requires_source and requires_source_action: the names before 2019-02-11.
    if status in ("requires_payment_method", "requires_source"):
        return PaymentState.FAILED if error else PaymentState.PENDING
    if status == "requires_source_action":
        return PaymentState.PENDING
    if status in ("canceled", "cancelled"):
        # Cancelled after a reservation, or given up without one.
        had_charge = bool(charge or id_of(intent.get("latest_charge")))
        was_reserved = had_charge and not error and charge.get("status") != "failed"
        return PaymentState.VOIDED if was_reserved else PaymentState.FAILED
    raise FieldError("status", f"{status[:40]!r} is not a known status of a payment")


def _charge_state(charge: Told) -> PaymentState:
    status = line_of_text(charge.get("status"))
    if status == "failed":
        return PaymentState.FAILED
    if status == "pending":
        return PaymentState.PROCESSING
    if status not in ("succeeded", "paid"):  # "paid": API versions before 2015
        raise FieldError("status", f"{status[:40]!r} is not a known status of a charge")
    if charge.get("captured") is False:
        # A reservation is let go by refunding it, or by time (charge.expired).
        is_gone = charge.get("refunded") is True or _number(charge.get("amount_refunded")) > 0
        return PaymentState.VOIDED if is_gone else PaymentState.AUTHORIZED
    return PaymentState.CAPTURED


def _with_charge(body: PaymentReported, charge: Told) -> PaymentReported:
    """Add what the charge knows of the means of payment, the risk and the failure."""
    if not charge:
        return body
    details = mapping(charge.get("payment_method_details"))
    method = line_of_text(details.get("type")) or body.method
    means = mapping(details.get(method)) if method else {}
    source = mapping(charge.get("source"))  # cards before payment methods
    if not details and source:
        method = method or line_of_text(source.get("object"))
        means = source
    outcome = mapping(charge.get("outcome"))
    has_failed = body.state is PaymentState.FAILED
    return msgspec.structs.replace(
        body,
        method=method,
        code=(line_of_text(outcome.get("reason")) or line_of_text(charge.get("failure_code")))
        if has_failed
        else "",
        message=line_of_text(charge.get("failure_message"))[:500] if has_failed else "",
        card_country=line_of_text(means.get("country"))[:2].upper(),
        fingerprint=line_of_text(means.get("fingerprint")),
        risk_score=_score(outcome.get("risk_score")),
        risk_level=line_of_text(outcome.get("risk_level")),
        expires_at=unix_instant(means.get("capture_before")),
    )


def _intent_method(intent: Told, error: Told) -> str:
    tried = line_of_text(mapping(error.get("payment_method")).get("type"))
    kinds = intent.get("payment_method_types")
    if not tried and isinstance(kinds, list) and len(kinds) == 1:
        tried = line_of_text(kinds[0])
    return tried


def _or(value: object, otherwise: Money, field: str) -> Money:
    if value is None:
        return otherwise
    found = amounts.money(value, otherwise.currency, field)
    return found if found.minor else otherwise


def _score(value: object) -> int | None:
    try:
        return whole_number(value, "risk_score", highest=100)
    except FieldError:
        return None


def _number(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _required_id(told: Told) -> str:
    found = id_of(told)
    if not found:
        raise FieldError("id", "missing or not an id")
    return found
