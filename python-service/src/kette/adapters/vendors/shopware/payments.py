"""What a Shopware order's transactions and deliveries say about money and goods.

A transaction is one attempt to pay; its state is a word, not an amount. A taken one counts with its
whole amount, a partly paid one with what its captures say, for nothing else does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

from kette.adapters.vendors.fields import (
    line_of_text,
    mapping,
    objects,
    optional_instant,
    required_name,
    short_name,
)
from kette.adapters.vendors.shopware import vocabulary
from kette.adapters.vendors.shopware.numbers import ZERO, number, to_money
from kette.domain.money import Money
from kette.domain.order import ShopClaim, ShopRefund

Row = Mapping[str, Any]

_NEVER: Final = datetime(1, 1, 1, tzinfo=UTC)


class Attempt(msgspec.Struct, frozen=True):
    """One transaction. captured: by its completed captures, None where the shop keeps none."""

    id: str
    state: str
    amount: Decimal
    method: str
    title: str
    created_at: datetime
    changed_at: datetime
    captured: Decimal | None
    captured_at: datetime | None
    refunds: tuple[ShopRefund, ...]
    payment_ids: tuple[str, ...]
    is_test: bool

    @property
    def rank(self) -> int:
        return vocabulary.TRANSACTION_RANK.get(self.state, vocabulary.RANK_ALIVE)


class Takings(msgspec.Struct, frozen=True):
    """What all attempts together say. paid None: nothing, or a part of unknown size."""

    paid: Money | None
    paid_at: datetime | None
    refunds: tuple[ShopRefund, ...]
    charged_back: Money | None


def read_attempts(rows: Sequence[Row], currency: str) -> tuple[Attempt, ...]:
    """Transactions, oldest first. Raises FieldError."""
    found = [_attempt(row, f"transactions[{n}]", currency) for n, row in enumerate(rows)]
    return tuple(sorted(found, key=lambda attempt: (attempt.created_at, attempt.id)))


def speaking(attempts: Sequence[Attempt], primary: str) -> Attempt | None:
    """The attempt that speaks for the order: the surest, then the shop's own choice, then the
    newest."""
    return max(
        attempts,
        key=lambda a: (a.rank, a.id == primary, a.created_at, a.id),
        default=None,
    )


def takings(attempts: Sequence[Attempt], currency: str) -> Takings:
    taken = ZERO
    is_any_taken = False
    times: list[datetime] = []
    for attempt in attempts:
        amount = _taken(attempt)
        if amount is None:
            continue
        is_any_taken = True
        taken += amount
        # What was refunded or taken back since was paid earlier than its last change.
        is_last_change = attempt.state in (vocabulary.PAID, vocabulary.PAID_PARTIALLY)
        paid_at = attempt.changed_at if is_last_change else attempt.created_at
        times.append(attempt.captured_at or paid_at)
    back = [a.amount for a in attempts if a.state == vocabulary.CHARGEBACK]
    return Takings(
        paid=to_money(taken, currency) if is_any_taken else None,
        paid_at=min(times) if times else None,
        refunds=tuple(refund for a in attempts for refund in _refunds(a, currency)),
        charged_back=to_money(sum(back, ZERO), currency) if back else None,
    )


def claim_of(
    order_state: str,
    attempt: Attempt | None,
    delivery_states: Sequence[str],
    *,
    is_free: bool,
    offline_methods: frozenset[str],
) -> ShopClaim:
    """The order's, the transaction's and the deliveries' states as one claim, surest first."""
    if order_state == vocabulary.CANCELLED:
        return ShopClaim.CANCELLED
    is_sent = bool(delivery_states) and set(delivery_states) <= vocabulary.SENT_STATES
    if order_state == vocabulary.COMPLETED or is_sent:
        return ShopClaim.COMPLETED
    if order_state not in (vocabulary.OPEN, vocabulary.IN_PROGRESS):
        return ShopClaim.OTHER
    paid_word = vocabulary.CLAIM_OF_TRANSACTION.get(attempt.state) if attempt else None
    if paid_word in (ShopClaim.PROCESSING, ShopClaim.REFUNDED):
        return paid_word
    if order_state == vocabulary.IN_PROGRESS or is_free:
        return ShopClaim.PROCESSING
    if paid_word is not None:
        return paid_word
    is_offline = attempt is not None and attempt.method in offline_methods
    return ShopClaim.ON_HOLD if is_offline else ShopClaim.PENDING


def state_of(row: Row, field: str) -> str:
    """The technical name of a row's state. Raises FieldError."""
    told = mapping(row.get("stateMachineState")).get("technicalName")
    return required_name(told, f"{field}.stateMachineState.technicalName")


def changed_at(row: Row) -> datetime | None:
    """When the shop last wrote this row; rows that were never changed have only a creation time."""
    return optional_instant(row.get("updatedAt")) or optional_instant(row.get("createdAt"))


def payment_ids(custom_fields: object) -> tuple[str, ...]:
    """The provider's own ids that payment plugins leave in custom fields."""
    found: list[str] = []
    for path in vocabulary.PAYMENT_ID_PATHS:
        value: object = custom_fields
        for step in path:
            value = mapping(value).get(step)
        if name := short_name(value):
            found.append(name)
    return tuple(dict.fromkeys(found))


def is_test(custom_fields: object) -> bool:
    told = mapping(custom_fields)
    return any(told.get(key) is value for key, value in vocabulary.TEST_MARKERS.items())


def _attempt(row: Row, where: str, currency: str) -> Attempt:
    captures = [capture for capture in objects(row.get("captures")) if _is_done(capture)]
    method = mapping(row.get("paymentMethod"))
    amounts = [_amount(capture, f"{where}.captures") for capture in captures]
    times = [at for capture in captures if (at := optional_instant(capture.get("createdAt")))]
    return Attempt(
        id=required_name(row.get("id"), f"{where}.id"),
        state=state_of(row, where),
        amount=_amount(row, where),
        method=vocabulary.method_key(
            line_of_text(method.get("technicalName")),
            line_of_text(method.get("handlerIdentifier")),
            line_of_text(method.get("formattedHandlerIdentifier")),
        )
        or line_of_text(row.get("paymentMethodId")),
        title=line_of_text(mapping(method.get("translated")).get("name"))
        or line_of_text(method.get("name")),
        created_at=optional_instant(row.get("createdAt")) or _NEVER,
        changed_at=changed_at(row) or _NEVER,
        captured=sum(amounts, ZERO) if amounts else None,
        captured_at=min(times) if times else None,
        refunds=tuple(_recorded_refunds(objects(row.get("captures")), where, currency)),
        payment_ids=payment_ids(row.get("customFields")),
        is_test=is_test(row.get("customFields")),
    )


def _taken(attempt: Attempt) -> Decimal | None:
    if attempt.state in vocabulary.TAKEN_STATES:
        return attempt.amount
    return attempt.captured if attempt.state == vocabulary.PAID_PARTIALLY else None


def _amount(row: Row, where: str) -> Decimal:
    return number(mapping(row.get("amount")).get("totalPrice"), f"{where}.amount.totalPrice")


def _is_done(row: Row) -> bool:
    told = mapping(row.get("stateMachineState")).get("technicalName")
    return line_of_text(told) == vocabulary.DONE


def _recorded_refunds(captures: Sequence[Row], where: str, currency: str) -> Iterable[ShopRefund]:
    """Refunds that the payment plugin carried through; the open and the failed moved nothing."""
    for capture in captures:
        for n, row in enumerate(objects(capture.get("refunds"))):
            at = f"{where}.captures.refunds[{n}]"
            if not _is_done(row):
                continue
            amount = to_money(_amount(row, at), currency)
            yield ShopRefund(
                id=required_name(row.get("id"), f"{at}.id"),
                amount=Money(abs(amount.minor), currency),
                reason=line_of_text(row.get("reason")),
                made_at=changed_at(row),
            )


def _refunds(attempt: Attempt, currency: str) -> Iterable[ShopRefund]:
    """The refunds of an attempt, by id. Most plugins set the state "refunded" and keep no rows:
    what the rows do not tell is then one refund of its own."""
    recorded = sorted(attempt.refunds, key=lambda refund: refund.id)
    yield from recorded
    if attempt.state != vocabulary.REFUNDED:
        return
    rest = to_money(attempt.amount, currency).minor - sum(r.amount.minor for r in recorded)
    if rest > 0:
        yield ShopRefund(
            id=f"{attempt.id}-rest",
            amount=Money(rest, currency),
            reason="",
            made_at=attempt.changed_at,
        )
