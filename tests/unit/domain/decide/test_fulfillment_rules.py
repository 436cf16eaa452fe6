"""Fulfillment: nothing leaves unpaid, unchecked or twice; the shop hears when all is out."""

from __future__ import annotations

import pytest
from kette.domain import facts as f
from kette.domain.order import LineKind, ShopClaim
from kette.domain.status import OrderStatus
from support.intake_orders import PLACED_AT, row
from support.order_facts import (
    BOOK,
    DAY,
    MINUTE,
    MUGS,
    TOTAL,
    actions_of,
    decided,
    digital_order,
    dispute,
    done,
    exceptions_of,
    paid_by_shop,
    parcel,
    payment,
    refund,
    resolved,
    setup_with,
    shipped,
    shipping_line,
    snapshot,
    stocked,
)

C, P, S = ShopClaim, f.ParcelState, f.PaymentState
PAID = (snapshot(), payment())
IN_STOCK = (*PAID, stocked(line_1=2, line_2=1))
OUT = (*IN_STOCK, shipped(), parcel(P.SHIPPED))


def wanted(bodies: tuple[f.FactBody, ...], **more: object) -> set[str]:
    """Names of wanted actions but notices."""
    decision = decided(bodies, **more)  # type: ignore[arg-type]
    return {name for name, a in actions_of(decision).items() if a.kind != "notify"}


def test_stock_is_asked_before_a_parcel_is_ordered() -> None:
    assert wanted(PAID) == {"check_stock:1"}
    payload = actions_of(decided(PAID))["check_stock:1"].payload
    assert payload["system_id"] == "woo-main"
    assert payload["lines"] == [
        {"line_id": "1", "product_id": "11", "sku": "BECHER", "quantity": 2, "open": 2},
        {"line_id": "2", "product_id": "12", "sku": "BUCH", "quantity": 1, "open": 1},
    ]


PICK_UP = (("method", "pickup: Laden"),)
FETCHED = row(0, 0, None, LineKind.SHIPPING, id="90", name="Abholung", attributes=PICK_UP)


def test_what_the_customer_fetches_needs_no_parcel() -> None:
    """A label was bought for each order that was fetched in the shop."""
    order = snapshot(lines=(MUGS, BOOK, FETCHED))
    assert wanted((order, payment())) == {"check_stock:1"}
    ready = (order, payment(), stocked(line_1=2, line_2=1))
    assert wanted(ready) == {"check_stock:1"}
    late = decided(ready, now=PLACED_AT + 30 * DAY)
    assert exceptions_of(late) == {}
    short = decided((order, payment(), stocked(line_1=1, line_2=1)))
    assert [x.kind for x in exceptions_of(short).values()] == ["out_of_stock"]


def test_what_was_fetched_is_invoiced_and_nobody_hears_of_a_parcel() -> None:
    given = snapshot(C.COMPLETED, lines=(MUGS, BOOK, FETCHED), version=2)
    decision = decided((snapshot(lines=(MUGS, BOOK, FETCHED)), payment(), given))
    names = set(actions_of(decision))
    assert "issue_invoice" in names
    assert {n for n in names if n.startswith("notify")} <= {"notify:confirmation"}


def test_a_part_that_is_sent_needs_a_parcel() -> None:
    order = snapshot(lines=(MUGS, BOOK, FETCHED, shipping_line(0, 0)))
    names = wanted((order, payment(), stocked(line_1=2, line_2=1)))
    assert "create_shipment:1" in names


def test_what_is_there_is_shipped() -> None:
    action = actions_of(decided(IN_STOCK))["create_shipment:1"]
    assert action.payload["lines"] == [
        {
            "line_id": "1",
            "sku": "BECHER",
            "name": "Becher",
            "quantity": 2,
            "unit_value": {"amount": "9.90", "currency": "EUR"},
        },
        {
            "line_id": "2",
            "sku": "BUCH",
            "name": "Buch",
            "quantity": 1,
            "unit_value": {"amount": "10.70", "currency": "EUR"},
        },
    ]
    assert action.payload["total_value"] == {"amount": "30.50", "currency": "EUR"}
    assert (action.payload["parcel"], action.payload["weight_g"]) == (1, 1000)
    assert action.payload["system_id"] == "sendcloud-main"


def test_without_stock_checks_the_parcel_is_ordered_at_once() -> None:
    setup = setup_with(fulfillment={"check_stock": False})
    assert wanted(PAID, setup=setup) == {"create_shipment:1"}


def test_shipping_costs_and_digital_goods_travel_in_no_parcel() -> None:
    mixed = snapshot(lines=(MUGS, shipping_line(412, 78)))
    bodies = (mixed, payment(minor=2470), stocked(line_1=2))
    lines = actions_of(decided(bodies))["create_shipment:1"].payload["lines"]
    assert [line["line_id"] for line in lines] == ["1"]
    assert not any(
        a.kind in ("check_stock", "create_shipment")
        for a in decided((digital_order(), payment(minor=1070))).actions
    )


@pytest.mark.parametrize(
    ("why", "bodies"),
    [
        ("open", (snapshot(C.PENDING),)),
        ("transfer awaited", (snapshot(C.ON_HOLD, payment_method="bacs"),)),
        ("refused", (snapshot(C.FAILED), payment(S.FAILED))),
        ("bank collects", (snapshot(C.ON_HOLD), payment(S.PROCESSING))),
        ("reserved", (snapshot(), payment(S.AUTHORIZED))),
        ("too little", (snapshot(), payment(minor=TOTAL - 1))),
        ("disputed", (*PAID, dispute(f.DisputeState.NEEDS_RESPONSE))),
        ("refunded", (*PAID, refund())),
        ("cancelled", (*PAID, f.CancelRequested("Ida", "no longer wanted"))),
        ("cancelled in the shop", (*PAID, snapshot(C.CANCELLED, version=2))),
        ("in the trash", (*PAID, f.OrderRemoved())),
        ("completed in the shop", (*PAID, snapshot(C.COMPLETED, version=2))),
        ("refunded in the shop", (*PAID, snapshot(C.REFUNDED, version=2))),
        ("the order never came", (payment(),)),
    ],
)
def test_nothing_leaves_unpaid_or_unwanted(why: str, bodies: tuple[f.FactBody, ...]) -> None:
    assert not wanted(bodies) & {"check_stock:1", "create_shipment:1"}, why


@pytest.mark.parametrize(
    ("why", "bodies"),
    [
        ("paid", PAID),
        ("paid by transfer", (paid_by_shop(),)),
        ("cash on delivery", (snapshot(payment_method="cod"),)),
        ("partly refunded", (*PAID, refund(minor=500))),
        ("paid, the shop is behind", (snapshot(C.PENDING), payment())),
    ],
)
def test_what_is_paid_or_may_be_paid_later_leaves(why: str, bodies: tuple[f.FactBody, ...]) -> None:
    assert "check_stock:1" in wanted(bodies), why


def test_reserved_money_ships_where_the_merchant_wants_it() -> None:
    setup = setup_with(fulfillment={"ship_on_authorization": True})
    assert "check_stock:1" in wanted((snapshot(), payment(S.AUTHORIZED)), setup=setup)


# --- stock ---------------------------------------------------------------------------------------


def test_what_is_missing_waits_what_is_there_leaves() -> None:
    """Failure case 30: the last unit was sold twice; the second order waits, it is not shipped."""
    decision = decided((*PAID, stocked(line_1=2, line_2=0)))
    (entry,) = exceptions_of(decision).values()
    assert entry.kind == "out_of_stock"
    assert entry.context == {"lines": [{"sku": "BUCH", "name": "Buch", "missing": 1}]}
    lines = actions_of(decision)["create_shipment:1"].payload["lines"]
    assert [(x["line_id"], x["quantity"]) for x in lines] == [("1", 2)]


def test_where_orders_leave_whole_nothing_leaves() -> None:
    setup = setup_with(fulfillment={"partial_delivery": False})
    assert wanted((*PAID, stocked(line_1=2, line_2=0)), setup=setup) == {"check_stock:1"}


def test_part_of_a_line_can_leave() -> None:
    lines = actions_of(decided((*PAID, stocked(line_1=1, line_2=1))))["create_shipment:1"]
    assert [(x["line_id"], x["quantity"]) for x in lines.payload["lines"]] == [("1", 1), ("2", 1)]


def test_fixed_asks_for_the_stock_again() -> None:
    bodies = (*PAID, stocked(line_1=2, line_2=0), resolved("out_of_stock:1", "fixed"))
    assert "check_stock:2" in wanted(bodies)
    still_missing = decided((*bodies, stocked(2, line_1=2, line_2=0)))
    assert set(exceptions_of(still_missing)) == {"out_of_stock:2"}


@pytest.mark.parametrize("resolution", ["done", "accepted"])
def test_done_takes_a_persons_word_for_it(resolution: str) -> None:
    bodies = (*PAID, stocked(line_1=2, line_2=0), resolved("out_of_stock:1", resolution))
    lines = actions_of(decided(bodies))["create_shipment:1"].payload["lines"]
    assert [x["line_id"] for x in lines] == ["1", "2"]


def test_the_second_parcel_carries_only_the_rest() -> None:
    """Failure cases 33 and 34."""
    bodies = (
        *PAID,
        stocked(line_1=1, line_2=1),
        shipped(1, "p1", [("1", 1), ("2", 1)]),
        parcel(P.SHIPPED),
        resolved("out_of_stock:1", "fixed"),
        stocked(2, line_1=2, line_2=1),
    )
    decision = decided(bodies)
    lines = actions_of(decision)["create_shipment:2"].payload["lines"]
    assert [(x["line_id"], x["quantity"]) for x in lines] == [("1", 1)]
    assert decision.statuses.order is OrderStatus.VALID
    assert "update_shop_order:completed" not in wanted(bodies)


# --- parcels -------------------------------------------------------------------------------------


def test_a_label_is_ordered_once() -> None:
    assert not any(name.startswith("create_shipment") for name in wanted((*IN_STOCK, shipped())))


def test_a_refused_parcel_is_not_ordered_again_blindly() -> None:
    """Failure case 13: a label that cannot be delivered is not printed and paid again."""
    refused = (*IN_STOCK, shipped(), parcel(P.FAILED, message="unknown street"))
    decision = decided(refused)
    assert set(exceptions_of(decision)) == {"fulfillment_blocked:p1"}
    assert "create_shipment:2" not in wanted(refused)
    again = decided((*refused, resolved("fulfillment_blocked:p1", "fixed")))
    assert "create_shipment:2" in actions_of(again)


def test_a_parcel_cancelled_elsewhere_is_a_case_for_a_person_our_own_recall_is_not() -> None:
    elsewhere = (*IN_STOCK, shipped(), parcel(P.CANCELLED))
    assert set(exceptions_of(decided(elsewhere))) == {"fulfillment_blocked:p1"}
    # The carrier's word of a recall may come before our own report of it.
    recalled = (*elsewhere, dispute(f.DisputeState.NEEDS_RESPONSE))
    assert not any(x.startswith("fulfillment_blocked") for x in exceptions_of(decided(recalled)))
    by_us = (
        *IN_STOCK,
        shipped(),
        f.CancelRequested("Ida", "no longer wanted"),
        done("cancel_fulfillment:p1", answer={"cancelled": "p1"}),
        parcel(P.CANCELLED),
    )
    assert set(exceptions_of(decided(by_us))) == set()


def test_a_recall_stays_wanted_and_is_not_asked_of_a_parcel_that_left() -> None:
    cancel = f.CancelRequested("Ida", "no longer wanted")
    assert "cancel_fulfillment:p1" in wanted((*IN_STOCK, shipped(), cancel))
    recalled = done("cancel_fulfillment:p1", answer={"cancelled": "p1"})
    assert "cancel_fulfillment:p1" in wanted((*IN_STOCK, shipped(), cancel, recalled))
    assert "cancel_fulfillment:p1" not in wanted((*OUT, cancel))


def test_a_promise_that_is_broken_is_noticed() -> None:
    released = PLACED_AT + MINUTE  # the capture
    early = decided(PAID, now=released + 3 * DAY - MINUTE)
    assert (exceptions_of(early), early.due_at) == ({}, released + 3 * DAY)
    assert [e.kind for e in exceptions_of(decided(PAID, now=released + 3 * DAY)).values()] == [
        "shipment_late"
    ]
    assert exceptions_of(decided(OUT, now=released + 9 * DAY)) == {}


# --- the shop ------------------------------------------------------------------------------------


def test_the_shop_is_told_once_all_is_out() -> None:
    bodies = (*IN_STOCK, shipped(tracking_number="TN1", tracking_url="https://t.example/1"))
    assert "update_shop_order:completed" not in wanted(bodies)
    out = (*bodies, parcel(P.SHIPPED, carrier="dhl"))
    payload = actions_of(decided(out))["update_shop_order:completed"].payload
    assert payload == {
        "status": "completed",
        "tracking": [{"number": "TN1", "url": "https://t.example/1", "carrier": "dhl"}],
        "system_id": "woo-main",
    }


def test_a_part_is_not_all() -> None:
    """Failure case 34: the status must not jump to completed with the first of two parcels."""
    part = (*PAID, shipped(1, "p1", [("1", 2)]), parcel(P.SHIPPED))
    assert "update_shop_order:completed" not in wanted(part)
    whole = (*part, shipped(2, "p2", [("2", 1)]), parcel(P.SHIPPED, "p2"))
    assert "update_shop_order:completed" in wanted(whole)


def test_a_shop_that_completed_the_order_itself_is_not_told() -> None:
    completed = snapshot(C.COMPLETED, version=2)
    assert "update_shop_order:completed" not in wanted((*OUT, completed))
    ours = done("update_shop_order:completed")
    assert "update_shop_order:completed" in wanted((*OUT, ours, completed))
    setup = setup_with(fulfillment={"complete_in_shop": False})
    assert "update_shop_order:completed" not in wanted(OUT, setup=setup)


def test_a_shop_that_has_got_half_way_is_told_the_rest() -> None:
    """Shopware's answer to "shipped" was lost, its webhook came; the order stayed open for good."""
    half = snapshot(C.COMPLETED, version=2, is_left_open=True)
    assert "update_shop_order:completed" in wanted((*OUT, half))
    by_itself = (snapshot(), payment(), parcel(P.SHIPPED), half)
    assert "update_shop_order:completed" not in wanted(by_itself)
    assert "update_shop_order:completed" not in wanted((snapshot(), payment(), half))


def test_a_free_line_and_odd_shares_are_valued_to_the_cent() -> None:
    book = BOOK
    bodies = (snapshot(lines=(book,)), payment(minor=1070), stocked(line_2=1))
    value = actions_of(decided(bodies))["create_shipment:1"].payload["total_value"]
    assert value == {"amount": "10.70", "currency": "EUR"}
