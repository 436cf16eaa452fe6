"""Stripe's events as facts. Names of facts and refs are described in README.md."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from kette.adapters.vendors import fields
from kette.adapters.vendors.base import Delivery, UnknownPayloadError
from kette.adapters.vendors.fields import FieldError, line_of_text, mapping, objects, unix_instant
from kette.adapters.vendors.stripe import amounts, payments, vocabulary
from kette.adapters.vendors.stripe.payload import EVENT, Event
from kette.adapters.vendors.stripe.references import id_of, order_refs, session_refs
from kette.domain.facts import (
    DisputeReported,
    FactBody,
    FactDraft,
    NoteAdded,
    PaymentState,
    PayoutReported,
    Ref,
    RefundReported,
    RefundState,
    RefundTotalReported,
    Translation,
)
from kette.domain.policy import System

_TEST_MODE: Final = "test"


class Happening(msgspec.Struct, frozen=True):
    """One event, read as far as every kind of event goes."""

    id: str
    type: str
    at: datetime
    system: System
    told: Mapping[str, Any]  # the object that the event is about

    def draft(self, name: str, body: FactBody, refs: tuple[Ref, ...]) -> FactDraft:
        """The event's id makes the fact unique; the name tells its facts apart."""
        return FactDraft(f"{self.id}:{name}", self.at, body, refs)


def translate(delivery: Delivery) -> Translation:
    """Facts of one event. Raises UnknownPayloadError, whatever the bytes are."""
    event = fields.decode(EVENT, delivery.body, "")
    event_type = line_of_text(event.type)[:100]
    if not event_type:
        raise UnknownPayloadError("", "type: missing; this is not a Stripe event")
    try:
        return _by_type(event, event_type, delivery)
    except FieldError as error:
        raise UnknownPayloadError(event_type, f"{error.field}: {error.reason}") from error


def _by_type(event: Event, event_type: str, delivery: Delivery) -> Translation:
    read = next((read for prefix, read in _READERS if event_type.startswith(prefix)), None)
    if read is None:
        if event_type.startswith(vocabulary.IRRELEVANT_PREFIXES):
            return Translation(note=f"{event_type} is of no concern here")
        raise UnknownPayloadError(event_type, "no such type of event is known")
    told = event.data.object if event.data is not None else None
    if told is None:
        raise UnknownPayloadError(
            event_type, "data.object: missing; send snapshot events, not thin ones"
        )
    _refuse_test(event, told, event_type, delivery.system)
    at = unix_instant(event.created) or unix_instant(told.get("created"))
    if at is None:
        raise FieldError("created", "missing or not a time")
    event_id = fields.required_name(event.id, "id")
    drafts = read(Happening(event_id, event_type, at, delivery.system, told))
    if not drafts:
        return Translation(note=f"{event_type} moves no money")
    return Translation(tuple(drafts))


def _refuse_test(event: Event, told: Mapping[str, Any], event_type: str, system: System) -> None:
    """Test money must never be booked: a live endpoint can be sent test events by mistake."""
    livemode = event.livemode if event.livemode is not None else told.get("livemode")
    if livemode is False and system.options.get("mode") != _TEST_MODE:
        raise UnknownPayloadError(
            event_type,
            "livemode: a test event, refused; a test setup gives its system the option mode: test",
        )


def _payment_intent(event: Happening) -> list[FactDraft]:
    body = payments.from_intent(event.told)
    refs = order_refs(event.system, event.told.get("metadata"), body.payment_id, body.charge_id)
    return [event.draft(f"payment:{body.payment_id}", body, refs)]


def _charge(event: Happening) -> list[FactDraft]:
    """The payment, and what of it went back: single refunds where the charge still lists them
    (versions before 2022-11-15), else the running total."""
    body = payments.from_charge(event.told, event.type)
    refs = order_refs(event.system, event.told.get("metadata"), body.payment_id, body.charge_id)
    drafts = [event.draft(f"payment:{body.payment_id}", body, refs)]
    if body.state is PaymentState.CAPTURED:
        drafts += _refunds_of_charge(event, body.payment_id, refs)
    return drafts


def _refunds_of_charge(event: Happening, payment_id: str, refs: tuple[Ref, ...]) -> list[FactDraft]:
    charge = event.told
    currency = amounts.currency_of(charge.get("currency"), "currency")
    told_total = charge.get("amount_refunded")
    if told_total is None:
        return []
    total = amounts.money(told_total, currency, "amount_refunded")
    amount = amounts.money(charge.get("amount"), currency, "amount")
    released = payments.released_of(charge, amount, event.type)
    if released.minor and total >= released:
        total = total - released
    if total.minor == 0:
        return []
    listed = objects(mapping(charge.get("refunds")).get("data"))
    has_more = mapping(charge.get("refunds")).get("has_more") is True
    if listed and not has_more and not released.minor:
        bodies = [_refund_body(refund, f"refunds.data[{n}]") for n, refund in enumerate(listed)]
        succeeded = [b.amount.minor for b in bodies if b.state is not RefundState.FAILED]
        if sum(succeeded) >= total.minor:
            return [
                event.draft(
                    f"refund:{body.refund_id}",
                    msgspec.structs.replace(body, payment_id=payment_id),
                    refs,
                )
                for body in bodies
            ]
    body = RefundTotalReported(payment_id, total, charge_id=id_of(charge))
    return [event.draft(f"refunded:{payment_id}", body, refs)]


def _refund(event: Happening) -> list[FactDraft]:
    body = _refund_body(event.told, "")
    refs = order_refs(
        event.system, event.told.get("metadata"), body.payment_id, body.charge_id, body.refund_id
    )
    return [event.draft(f"refund:{body.refund_id}", body, refs)]


def _refund_body(refund: Mapping[str, Any], where: str) -> RefundReported:
    at = f"{where}." if where else ""
    currency = amounts.currency_of(refund.get("currency"), f"{at}currency")
    status = line_of_text(refund.get("status"))
    # Versions before 2015 had no status: a refund that existed had been made.
    state = vocabulary.REFUND_STATES.get(status) if status else RefundState.SUCCEEDED
    if state is None:
        raise FieldError(f"{at}status", f"{status[:40]!r} is not a known status of a refund")
    charge_id = id_of(refund.get("charge"))
    payment_id = id_of(refund.get("payment_intent")) or charge_id
    if not payment_id:
        raise FieldError(f"{at}charge", "neither charge nor payment_intent is named")
    return RefundReported(
        refund_id=fields.required_name(refund.get("id"), f"{at}id"),
        payment_id=payment_id,
        state=state,
        amount=amounts.money(refund.get("amount"), currency, f"{at}amount"),
        charge_id=charge_id,
        action_key=line_of_text(mapping(refund.get("metadata")).get(vocabulary.KETTE_KEY)),
        reason=line_of_text(refund.get("failure_reason")) or line_of_text(refund.get("reason")),
    )


def _dispute(event: Happening) -> list[FactDraft]:
    dispute = event.told
    currency = amounts.currency_of(dispute.get("currency"), "currency")
    status = line_of_text(dispute.get("status"))
    state = vocabulary.DISPUTE_STATES.get(status)
    if state is None:
        raise FieldError("status", f"{status[:40]!r} is not a known status of a dispute")
    charge_id = id_of(dispute.get("charge"))
    payment_id = id_of(dispute.get("payment_intent")) or charge_id
    if not payment_id:
        raise FieldError("charge", "neither charge nor payment_intent is named")
    body = DisputeReported(
        dispute_id=fields.required_name(dispute.get("id"), "id"),
        payment_id=payment_id,
        state=state,
        amount=amounts.money(dispute.get("amount"), currency, "amount"),
        charge_id=charge_id,
        reason=line_of_text(dispute.get("reason")),
        due_at=unix_instant(mapping(dispute.get("evidence_details")).get("due_by")),
    )
    expanded = mapping(dispute.get("charge")).get("metadata")
    metadata = dispute.get("metadata") or expanded
    refs = order_refs(event.system, metadata, payment_id, charge_id)
    return [event.draft(f"dispute:{body.dispute_id}", body, refs)]


def _payout(event: Happening) -> list[FactDraft]:
    """A transfer to the bank; negative where Stripe takes money back. Belongs to no order."""
    payout = event.told
    currency = amounts.currency_of(payout.get("currency"), "currency")
    amount = payout.get("amount")
    if isinstance(amount, bool) or not isinstance(amount, int) or abs(amount) > 10**15:
        raise FieldError("amount", "missing or not a whole number")
    arrives = unix_instant(payout.get("arrival_date")) or unix_instant(payout.get("date"))
    body = PayoutReported(
        payout_id=fields.required_name(payout.get("id"), "id"),
        state=fields.required_name(payout.get("status"), "status"),
        amount=amounts.from_minor(amount, currency, "amount"),
        arrives_on=f"{arrives:%Y-%m-%d}" if arrives else "",
    )
    return [event.draft(f"payout:{body.payout_id}", body, ())]


def _session(event: Happening) -> list[FactDraft]:
    body = payments.from_session(event.told, event.type)
    if body is None:
        return []
    names = (body.payment_id, id_of(event.told), id_of(event.told.get("payment_link")))
    refs = session_refs(event.system, event.told, *names)
    return [event.draft(f"payment:{body.payment_id}", body, refs)]


def _review(event: Happening) -> list[FactDraft]:
    """Radar's manual review names no amount, so it is no word on the payment: a note."""
    review = event.told
    reason = line_of_text(review.get("closed_reason")) or line_of_text(review.get("reason"))
    verb = "is open" if review.get("open") is True else "has been closed"
    return _note(event, f"A review of the payment {verb} at the provider: {reason or 'no reason'}")


def _fraud_warning(event: Happening) -> list[FactDraft]:
    kind = line_of_text(event.told.get("fraud_type")) or "no kind"
    return _note(event, f"The card's bank warns of fraud with this payment: {kind}")


def _note(event: Happening, words: str) -> list[FactDraft]:
    payment_id, charge_id = id_of(event.told.get("payment_intent")), id_of(event.told.get("charge"))
    if not payment_id and not charge_id:
        raise FieldError("charge", "neither charge nor payment_intent is named")
    refs = order_refs(event.system, event.told.get("metadata"), payment_id, charge_id)
    return [event.draft("note", NoteAdded(by=event.system.id, text=words[:500]), refs)]


# The first prefix that fits counts: refunds and disputes of a charge stand before the charge.
_READERS: Final[tuple[tuple[str, Callable[[Happening], list[FactDraft]]], ...]] = (
    (vocabulary.PAYMENT_INTENT, _payment_intent),
    *((prefix, _refund) for prefix in vocabulary.REFUND_TYPES),
    (vocabulary.DISPUTE, _dispute),
    (vocabulary.CHARGE, _charge),
    (vocabulary.CHECKOUT, _session),
    (vocabulary.PAYOUT, _payout),
    (vocabulary.REVIEW, _review),
    (vocabulary.FRAUD_WARNING, _fraud_warning),
)
