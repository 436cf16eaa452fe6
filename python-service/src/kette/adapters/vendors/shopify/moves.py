"""Facts about money: transactions, refunds, disputes, payouts. Amounts are read in payments.py."""

from __future__ import annotations

from typing import Final

from kette.adapters.vendors import fields
from kette.adapters.vendors.fields import FieldError, line_of_text, mapping, objects
from kette.adapters.vendors.shopify import payments, refunds, vocabulary
from kette.adapters.vendors.shopify.amounts import Amounts, Told, currency_amounts
from kette.adapters.vendors.shopify.telling import (
    Reading,
    Telling,
    digest_of,
    order_of,
    own_refs,
    unique,
)
from kette.domain.facts import FactDraft, NoteAdded, Ref

PROVIDER: Final = "payment"  # system id of refs that carry a payment provider's own ids


def transaction_drafts(
    row: Told, refs: tuple[Ref, ...], telling: Telling, note: str
) -> list[FactDraft]:
    """As notes where the setup has the provider itself tell of payments, or the payment is a test;
    a test payment must never be booked."""
    at = (
        fields.optional_instant(row.get("processed_at"))
        or fields.optional_instant(row.get("created_at"))
        or telling.at("updated_at")
    )
    told = payments.read_transaction(row, note)
    options = telling.system.options
    is_test = row.get("test") in (True, "true") and options.get("mode") != "test"
    if is_test or options.get("payments_by") == "provider":
        why = "a test payment, not counted" if is_test else "told by the payment provider as well"
        return [
            FactDraft(name, at, NoteAdded(telling.system.id, f"{_words(row)}: {why}"), refs)
            for name, _ in told[:1]
        ]
    drafts = []
    for name, body in told:
        provider = getattr(body, "charge_id", "")
        more = (Ref(PROVIDER, provider),) if provider else ()
        drafts.append(FactDraft(name, at, body, (*refs, *more)))
    return drafts


def drafts_of_order(
    row: Told, refs: tuple[Ref, ...], telling: Telling, note: str, amounts: Amounts
) -> list[FactDraft]:
    """Of a transaction that is told with its order: it must be in the order's currency, or sums
    would mix two. Raises FieldError."""
    refunds.transaction_amount(row, amounts, "transactions")
    return transaction_drafts(row, refs, telling, note)


def _words(row: Told) -> str:
    parts = (row.get("kind"), row.get("status"), row.get("amount"), row.get("currency"))
    return "Payment in the shop: " + " ".join(line_of_text(x)[:40] for x in parts if x)


def transaction(telling: Telling) -> Reading:
    refs = own_refs(telling.system, order_of(telling))
    drafts = transaction_drafts(telling.told, refs, telling, "")
    return Reading(tuple(drafts), "" if drafts else "moves no money of the order")


def refund(telling: Telling) -> Reading:
    """refunds/create: the money that goes back. What it means for the lines comes with the order's
    own snapshot, which the shop sends as well."""
    told = telling.told
    kinds = {line_of_text(row.get("kind")) for row in objects(told.get("transactions"))}
    if told.get("id") is None and kinds <= {"suggested_refund"}:
        return Reading(note="a calculation of a refund; nothing has happened")
    first = next(iter(objects(told.get("transactions"))), {})
    currency = first.get("currency") or _currency_of_rows(told)
    refs = own_refs(telling.system, order_of(telling))
    note = fields.text(told.get("note"))
    drafts: list[FactDraft] = []
    for row in objects(told.get("transactions")):
        drafts += transaction_drafts(row, refs, telling, note)
    if drafts:
        return Reading(unique(drafts))
    own = fields.required_name(told.get("id"), "id")
    pieces = ""
    if currency:
        record = refunds.read_record(told, currency_amounts(currency, "currency"), "refund")
        pieces = f": {sum(p.quantity for p in record.pieces)}"
    words = f"Pieces that the shop took off the order without moving money{pieces}"
    body = NoteAdded(telling.system.id, words)
    return Reading((FactDraft(f"refund:{own}", telling.at("created_at"), body, refs),))


def _currency_of_rows(told: Told) -> object:
    for row in objects(told.get("refund_line_items")):
        pair = mapping(mapping(row.get("subtotal_set")).get("presentment_money"))
        if pair.get("currency_code"):
            return pair["currency_code"]
    return ""


def dispute(telling: Telling) -> Reading:
    """A dispute that names no order concerns a charge outside the shop's orders. It is kept; while
    money can still be lost over it, a person is told."""
    body = payments.read_dispute(telling.told)
    order = line_of_text(telling.told.get("order_id"))
    status = line_of_text(telling.told.get("status")).lower()
    if not order and status in vocabulary.DISPUTE_OPEN:
        amount = f"{body.amount.amount} {body.amount.currency}"
        raise FieldError("order_id", f"an open dispute over {amount} names no order")
    at = telling.at("finalized_on", "evidence_sent_on", "updated_at", "initiated_at")
    name = f"dispute:{body.dispute_id}:{status}#{digest_of(body)}"
    refs = own_refs(telling.system, order) if order else ()
    return Reading((FactDraft(name, at, body, refs),))


def payout(telling: Telling) -> Reading:
    body = payments.read_payout(telling.told)
    name = f"payout:{body.payout_id}:{body.state}#{digest_of(body)}"
    return Reading((FactDraft(name, telling.at("updated_at", "date"), body),))
