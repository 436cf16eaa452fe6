"""Fulfillment and stock: what may leave the house, in how many parcels, and what the shop is told.

Stock is asked before a parcel is ordered. Missing pieces wait (partial delivery) or stop the
order, as the setup says. A shipment's number counts the parcels made before it, so its key is the
same however often the rules run.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from kette.domain import facts as f
from kette.domain.decide import Case, digest
from kette.domain.money import Money, total_of
from kette.domain.order import LineItem, ShopClaim
from kette.domain.policy import seconds
from kette.domain.stages.payment import may_ship_reserved
from kette.domain.stages.vat import waits_for_register
from kette.domain.status import OrderStatus, PaymentStatus, RiskStatus

SHIPPABLE = frozenset({PaymentStatus.PAID, PaymentStatus.LATER, PaymentStatus.PARTIALLY_REFUNDED})
OVER_IN_SHOP = frozenset({ShopClaim.COMPLETED, ShopClaim.REFUNDED, ShopClaim.CANCELLED})


def holds(case: Case) -> None:
    """Cancelled when the goods are already on their way: only a person can weigh that."""
    if not case.view.wants_cancel or not case.shipping.is_any_out:
        return
    case.except_(
        "cancelled_after_shipment",
        "out",
        "The order was cancelled after it had been shipped",
        {"parcels": [p.tracking_number or p.id for p in case.shipping.parcels_out]},
        "Stop the parcel at the carrier or wait for the return; then resolve.",
        blocking=True,
    )


def rules(case: Case) -> None:
    if case.file.order is None:
        return
    _blocked_parcels(case)
    _recall(case)
    if _is_releasable(case):
        _ship(case)
    _tell_shop(case)


def _is_releasable(case: Case) -> bool:
    """Money is here or may come later, nobody holds the order, and the shop still wants it sent."""
    order = case.file.order
    assert order is not None
    if case.statuses.order is not OrderStatus.VALID or case.wants_cancel:
        return False
    if order.claim in OVER_IN_SHOP or case.statuses.risk is not RiskStatus.CLEAR:
        return False
    if waits_for_register(case):
        return False
    payment = case.statuses.payment
    if payment in SHIPPABLE:
        return True
    if payment is PaymentStatus.AUTHORIZED:
        return may_ship_reserved(case) or case.is_handled(case.key("payment_open", "reserved"))
    if payment is PaymentStatus.PARTIALLY_PAID:
        return True  # the difference would hold the order had nobody accepted it (payment.holds)
    return case.is_handled(case.key("payment_open", "processing-unpaid"))


def released_at(case: Case) -> datetime:
    """When the order became ready to ship; the promised time runs from here."""
    order = case.file.order
    assert order is not None
    handled = [h.at for h in case.file.handled.values()]
    return max([order.placed_at, case.file.paid_at or order.placed_at, *handled])


def _ship(case: Case) -> None:
    order = case.file.order
    assert order is not None
    open_lines = case.shipping.open_lines(order.physical_lines)
    if not open_lines:
        return
    late_at = released_at(case) + seconds(case.setup.fulfillment.ship_within_s)
    if _has_refused_parcel(case):
        return
    if order.is_picked_up:
        _available(case, open_lines)  # what is missing is told; no parcel, and no time to leave
        return
    if case.due(late_at):
        case.except_(
            "shipment_late",
            digest(late_at.date()),
            f"Promised to leave by {late_at.date().isoformat()}, still here",
            {"promised_by": late_at.isoformat()},
            "Ship the order or tell the customer a new date.",
        )
    ready = _available(case, open_lines)
    if ready:
        _want_shipment(case, ready)


def _available(case: Case, open_lines: list[tuple[LineItem, int]]) -> list[tuple[LineItem, int]]:
    """Pieces that can leave now, after asking for stock; what is missing becomes an exception."""
    if not case.setup.fulfillment.check_stock:
        return open_lines
    stock_round = 1 + sum(
        1
        for key, handled in case.file.handled.items()
        if key.startswith(case.key("out_of_stock", "")) and handled.resolution == "fixed"
    )
    key = case.want(
        "check_stock",
        str(stock_round),
        {"lines": [_stock_line(line, missing) for line, missing in open_lines]},
        "stock is checked before a parcel is ordered",
        system=case.shop,
    )
    report = case.file.reports.get(key)
    if report is None or not report.done:
        return []
    answer = {line.line_id: line.available for line in report.stock}
    missing_lines: list[dict[str, Any]] = []
    ready: list[tuple[LineItem, int]] = []
    for line, open_pieces in open_lines:
        # `available` counts from the order's whole quantity, so parcels made since are taken off.
        stocked = answer.get(line.id, line.quantity) - case.shipping.live.get(line.id, 0)
        pieces = max(0, min(open_pieces, stocked))
        if pieces:
            ready.append((line, pieces))
        if pieces < open_pieces:
            missing_lines.append(
                {"sku": line.sku, "name": line.name, "missing": open_pieces - pieces}
            )
    if not missing_lines:
        return ready
    waits = case.except_(
        "out_of_stock",
        str(stock_round),
        "Not in stock: " + ", ".join(f"{x['missing']} x {x['name']}" for x in missing_lines),
        {"lines": missing_lines},
        "Resolve as 'fixed' to check stock again, or 'done' when the goods are here.",
    )
    if not waits:
        return open_lines  # a person says that the goods are here
    return ready if case.setup.fulfillment.partial_delivery else []


def _want_shipment(case: Case, ready: list[tuple[LineItem, int]]) -> None:
    order = case.file.order
    assert order is not None
    number = 1 + max((p.number for p in case.file.parcels), default=0)
    value = total_of([_share(line, pieces) for line, pieces in ready], order.currency)
    case.want(
        "create_shipment",
        str(number),
        {
            "parcel": number,
            "lines": [
                {
                    "line_id": line.id,
                    "sku": line.sku,
                    "name": line.name,
                    "quantity": pieces,
                    "unit_value": Money(
                        _share(line, pieces).minor // pieces, order.currency
                    ).public(),
                }
                for line, pieces in ready
            ],
            "weight_g": case.setup.fulfillment.default_weight_g,
            "total_value": value.public(),
        },
        f"payment {case.statuses.payment.value}, order valid, goods in stock",
        system=case.system("carrier"),
    )


def _share(line: LineItem, pieces: int) -> Money:
    gross = line.net + line.tax
    if pieces >= line.quantity:
        return gross
    return gross.allocate([pieces, line.quantity - pieces])[0]


def _stock_line(line: LineItem, missing: int) -> dict[str, Any]:
    return {
        "line_id": line.id,
        "product_id": line.product_id,
        "sku": line.sku,
        "quantity": line.quantity,
        "open": missing,
    }


def _blocked_parcels(case: Case) -> None:
    """The carrier refuses a parcel: a label that cannot be delivered must not be made again
    blindly."""
    # The carrier may tell of our own recall before our report of it has come.
    is_recalled = case.is_cancelled or case.statuses.payment is PaymentStatus.CHARGEBACK
    for parcel in case.file.parcels:
        by_us = is_recalled or any(
            r.kind == "cancel_fulfillment" and key.endswith(f":{parcel.id}")
            for key, r in case.file.reports.items()
        )
        refused = parcel.state is f.ParcelState.FAILED or (
            parcel.state is f.ParcelState.CANCELLED and not by_us
        )
        if refused and not case.wants_cancel:
            case.except_(
                "fulfillment_blocked",
                parcel.id,
                f"The carrier reports parcel {parcel.id} as {parcel.state.value}: {parcel.message}",
                {"parcel": parcel.id, "message": parcel.message},
                "Correct the address and resolve; a new parcel is ordered then.",
            )


def _has_refused_parcel(case: Case) -> bool:
    return any(kind == "fulfillment_blocked" for kind in case.open_kinds)


def _recall(case: Case) -> None:
    """Parcels that the carrier does not have yet are cancelled when the order is off or
    disputed."""
    # A full refund makes some shops call the order "refunded" instead of "cancelled".
    is_off = case.wants_cancel or case.is_cancelled
    disputed = case.statuses.payment is PaymentStatus.CHARGEBACK
    for parcel in case.file.parcels:
        key = case.key("cancel_fulfillment", parcel.id)
        recallable = parcel.state is f.ParcelState.ANNOUNCED and (is_off or disputed)
        if recallable or (case.file.is_done(key) and parcel.state is f.ParcelState.CANCELLED):
            case.want(
                "cancel_fulfillment",
                parcel.id,
                {"parcels": [{"id": parcel.id, "tracking_number": parcel.tracking_number}]},
                "the order is cancelled" if is_off else "the payment is disputed",
                system=case.system("carrier"),
            )


def _tell_shop(case: Case) -> None:
    order = case.file.order
    assert order is not None
    if not case.setup.fulfillment.complete_in_shop or case.wants_cancel:
        return
    done = case.file.is_done(case.key("update_shop_order", "completed"))
    open_in_shop = order.claim not in OVER_IN_SHOP and order.claim is not ShopClaim.FAILED
    # We had got as far as the delivery when the shop's answer was lost. What the shop sent itself
    # it may leave open as it likes.
    if order.is_left_open and any(parcel.number for parcel in case.shipping.parcels_out):
        open_in_shop = True
    if not case.shipping.is_all_out or not (open_in_shop or done):
        return
    case.want(
        "update_shop_order",
        "completed",
        {
            "status": ShopClaim.COMPLETED.value,
            "tracking": [
                {"number": p.tracking_number, "url": p.tracking_url, "carrier": p.carrier}
                for p in case.shipping.parcels_out
            ],
        },
        "everything has been handed over to the carrier",
        system=case.shop,
    )
