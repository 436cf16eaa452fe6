"""Facts of one invented order, and what the rules make of them, without any database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from kette.domain import facts as f
from kette.domain.actions import WantedAction, WantedException
from kette.domain.decide import Assessment, Decision, decide
from kette.domain.fold import fold
from kette.domain.money import Money
from kette.domain.order import Address, LineItem, LineKind, Order, ShopClaim, ShopRefund
from kette.domain.policy import CustomerPolicy, Setup, System
from kette.domain.state import OrderFile

from support.intake_orders import ANKE, MERCHANT, PLACED_AT, order, row

ORDER_ID = "ord_test"
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
MUGS = row(1664, 316, id="1", sku="BECHER", product_id="11", quantity=2)  # 19.80
BOOK = row(1000, 70, "0.07", id="2", sku="BUCH", product_id="12", quantity=1, name="Buch")  # 10.70
EBOOK = row(1000, 70, "0.07", id="3", sku="EBUCH", product_id="13", is_physical=False)
TOTAL = 3050  # of MUGS and BOOK
SYSTEMS = (
    System("woo-main", "woocommerce", "shop"),
    System("stripe-main", "stripe", "payment"),
    System("sendcloud-main", "sendcloud", "carrier"),
    System("mail", "smtp", "mail"),
    System("archive", "folder", "archive"),
)
SETUP = Setup(
    name="test",
    merchant=MERCHANT,
    systems={system.id: system for system in SYSTEMS},
    customer=CustomerPolicy(mail_from="laden@example.org"),
)


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


def setup_with(**sections: dict[str, Any]) -> Setup:
    """The test setup with some policies changed: setup_with(payment={"cancel_after_s": None})."""
    changes = {
        name: msgspec.structs.replace(getattr(SETUP, name), **values)
        for name, values in sections.items()
    }
    return msgspec.structs.replace(SETUP, **changes)


def without_system(role: str) -> Setup:
    left = {s.id: s for s in SYSTEMS if s.role != role}
    return msgspec.structs.replace(SETUP, systems=left)


def fact(body: f.FactBody, at: datetime, name: str = "", source: str = "test") -> f.Fact:
    """`name` tells facts apart; facts of the same name are the same fact."""
    name = name or f"{type(body).__name__}@{at.isoformat()}"
    return f.Fact(f"fct_{name}", source, name, at, at, body)


def told(*bodies: f.FactBody, since: datetime = PLACED_AT) -> list[f.Fact]:
    """One fact per body, a minute apart, in this order."""
    return [fact(body, since + n * MINUTE, f"{n}", _source(body)) for n, body in enumerate(bodies)]


def _source(body: f.FactBody) -> str:
    provider = (f.PaymentReported, f.RefundReported, f.RefundTotalReported, f.DisputeReported)
    if isinstance(body, provider):
        return "stripe-main"
    return "woo-main" if isinstance(body, f.OrderSnapshot) else "test"


def file_of(*bodies: f.FactBody) -> OrderFile:
    return fold(told(*bodies))


def decided(
    facts: Iterable[f.Fact] | Sequence[f.FactBody],
    setup: Setup = SETUP,
    now: datetime = PLACED_AT + HOUR,
    assessment: Assessment | None = None,
) -> Decision:
    """facts: recorded ones, or bodies that are recorded a minute apart."""
    items = list(facts)
    recorded = [x for x in items if isinstance(x, f.Fact)]
    if len(recorded) != len(items):
        recorded = told(*items)  # type: ignore[arg-type]
    return decide(ORDER_ID, fold(recorded), assessment or Assessment(), setup, now)


def actions_of(decision: Decision) -> dict[str, WantedAction]:
    """By key, without the part that every key has."""
    return {_short(action.key): action for action in decision.actions}


def exceptions_of(decision: Decision) -> dict[str, WantedException]:
    return {_short(entry.key): entry for entry in decision.exceptions}


def _short(key: str) -> str:
    return key.replace(f":{ORDER_ID}", "")


def key_of(short: str) -> str:
    """The whole key of "kind:name"."""
    kind, _, name = short.partition(":")
    return f"{kind}:{ORDER_ID}:{name}" if name else f"{kind}:{ORDER_ID}"


# --- bodies ------------------------------------------------------------------------------------


def snapshot(
    claim: ShopClaim = ShopClaim.PROCESSING,
    lines: Sequence[LineItem] = (MUGS, BOOK),
    version: int = 1,
    **changes: Any,
) -> f.OrderSnapshot:
    values = {
        "claim": claim,
        "shop_status": claim.value,
        "version": f"2026-11-23T20:{version:02d}:00",
        "payment_method": "stripe",
        **changes,
    }
    return f.OrderSnapshot(order(*lines, **values))


def paid_by_shop(claim: ShopClaim = ShopClaim.PROCESSING, **changes: Any) -> f.OrderSnapshot:
    """The shop says that the money is here (bank transfer), no provider does."""
    return snapshot(claim, payment_method="bacs", paid_at=PLACED_AT, **changes)


def payment(
    state: f.PaymentState = f.PaymentState.CAPTURED,
    minor: int = TOTAL,
    payment_id: str = "pi_1",
    **more: Any,
) -> f.PaymentReported:
    return f.PaymentReported(payment_id, state, eur(minor), **more)


def refund(
    state: f.RefundState = f.RefundState.SUCCEEDED,
    minor: int = TOTAL,
    refund_id: str = "re_1",
    **more: Any,
) -> f.RefundReported:
    return f.RefundReported(refund_id, more.pop("payment_id", "pi_1"), state, eur(minor), **more)


def shop_refund(minor: int, refund_id: str = "501", **more: Any) -> ShopRefund:
    return ShopRefund(refund_id, eur(minor), **more)


def dispute(
    state: f.DisputeState, minor: int = TOTAL, dispute_id: str = "dp_1", **more: Any
) -> f.DisputeReported:
    return f.DisputeReported(dispute_id, "pi_1", state, eur(minor), **more)


def parcel(state: f.ParcelState, parcel_id: str = "p1", **more: Any) -> f.ParcelReported:
    return f.ParcelReported(parcel_id, state, **more)


def done(short: str, **more: Any) -> f.ActionReported:
    """An action reported done: done("create_shipment:1", reference="p1")."""
    key = key_of(short)
    return f.ActionReported(key, key.split(":", 1)[0], True, **more)


def failed(short: str, **more: Any) -> f.ActionReported:
    key = key_of(short)
    return f.ActionReported(key, key.split(":", 1)[0], False, **more)


def shipped(
    number: int = 1,
    parcel_id: str = "p1",
    lines: Sequence[tuple[str, int]] = (("1", 2), ("2", 1)),
    **more: Any,
) -> f.ActionReported:
    pieces = tuple(f.ShippedLine(line, count) for line, count in lines)
    return done(f"create_shipment:{number}", reference=parcel_id, shipped=pieces, **more)


def stocked(number: int = 1, **pieces: int) -> f.ActionReported:
    """Answer of a stock check: stocked(line_1=2, line_2=0)."""
    stock = tuple(f.StockLine(name.removeprefix("line_"), n) for name, n in pieces.items())
    return done(f"check_stock:{number}", stock=stock)


def resolved(short: str, resolution: str = "accepted", whole_key: str = "") -> f.ExceptionHandled:
    key = whole_key or key_of(short)
    return f.ExceptionHandled(key, "resolve", "Ida", "looked at it", resolution)


def corrected(**changes: str) -> f.AddressCorrected:
    address = msgspec.structs.replace(ANKE, **changes)
    return f.AddressCorrected(address, "Ida", "the customer called")


def document(
    kind: f.DocumentKind = f.DocumentKind.INVOICE, number: str = "RE-2026-000001", **more: Any
) -> f.DocumentIssued:
    name = "issue_invoice" if kind is f.DocumentKind.INVOICE else "issue_credit_note:re_1"
    return f.DocumentIssued(number, kind, key_of(name), eur(TOTAL), "2026-11-23", **more)


def digital_order(**changes: Any) -> f.OrderSnapshot:
    return snapshot(lines=(EBOOK,), **changes)


def address_of(order_: Order) -> Address:
    return order_.delivery_address


def shipping_line(net: int, tax: int) -> LineItem:
    return row(net, tax, kind=LineKind.SHIPPING, id="90", name="Versand")
