"""What shops tell beyond an order's total: parcels they sent, money they have, pieces taken off."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations

import msgspec
import pytest
from kette.domain import facts as f
from kette.domain.fold import fold
from kette.domain.money import Money
from kette.domain.order import LineItem, LineKind, ShopClaim
from kette.domain.status import shipping_of
from support.intake_orders import PLACED_AT
from support.order_facts import fact, file_of, paid_by_shop, parcel, shipped, snapshot

P = f.ParcelState
OURS = shipped(1, "p1", [("1", 2)], tracking_number="0034 0434-1")
TOLD_BY_SHOP = parcel(
    P.SHIPPED, "fulfillment-9", tracking_number="003404341", lines=(f.ShippedLine("1", 2),)
)


def test_a_fulfillment_with_our_tracking_number_is_our_parcel() -> None:
    (told,) = file_of(OURS, TOLD_BY_SHOP).parcels
    assert (told.id, told.number, told.state) == ("p1", 1, P.SHIPPED)
    assert told.lines == (f.ShippedLine("1", 2),)


def test_the_carrier_may_tell_the_tracking_number_later() -> None:
    made = shipped(1, "p1", [("1", 2)])
    carrier = parcel(P.SHIPPED, "p1", tracking_number="003404341")
    (told,) = file_of(made, TOLD_BY_SHOP, carrier).parcels
    assert told.id == "p1"


def test_another_tracking_number_is_another_parcel() -> None:
    other = parcel(P.SHIPPED, "fulfillment-9", tracking_number="99", lines=())
    assert [p.id for p in file_of(OURS, other).parcels] == ["p1", "fulfillment-9"]


def test_a_parcel_that_the_shop_sent_carries_the_lines_it_names() -> None:
    (told,) = file_of(TOLD_BY_SHOP).parcels
    assert (told.number, told.lines) == (0, (f.ShippedLine("1", 2),))


def test_a_withdrawn_fulfillment_never_left() -> None:
    """Shopify: fulfilled by mistake, then cancelled. A carrier's parcel stays what it was."""
    back = parcel(P.CANCELLED, "fulfillment-9", tracking_number="003404341", is_withdrawn=True)
    assert [p.state for p in file_of(TOLD_BY_SHOP, back).parcels] == [P.CANCELLED]
    assert [p.state for p in file_of(back, TOLD_BY_SHOP).parcels] == [P.CANCELLED]
    under_way = parcel(P.SHIPPED, "p1")
    assert [p.state for p in file_of(OURS, under_way, TOLD_BY_SHOP, back).parcels] == [P.SHIPPED]


def test_joining_parcels_does_not_depend_on_the_order_of_events() -> None:
    bodies = (
        OURS,
        TOLD_BY_SHOP,
        parcel(P.DELIVERED, "p1"),
        parcel(P.SHIPPED, "fulfillment-8", tracking_number="77"),
    )
    facts = [fact(body, PLACED_AT + timedelta(hours=n)) for n, body in enumerate(bodies)]
    files = [fold([*order, *order]).parcels for order in permutations(facts)]
    assert all(parcels == files[0] for parcels in files)
    assert [p.id for p in files[0]] == ["p1", "fulfillment-8"]


@pytest.mark.parametrize(
    ("paid", "minor"),
    [(None, 3470), (Money(1000, "EUR"), 1000), (Money(4000, "EUR"), 4000)],
    ids=["only the word", "a part", "more than the order"],
)
def test_the_shops_own_figure_of_what_was_paid_counts(paid: Money | None, minor: int) -> None:
    told = paid_by_shop()
    order = msgspec.structs.replace(told.order, paid_total=paid, total=Money(3470, "EUR"))
    file = file_of(f.OrderSnapshot(order))
    assert file.captured_minor == minor


def test_pieces_taken_off_are_not_shipped() -> None:
    zero = Money.zero("EUR")
    lines = (
        LineItem("1", LineKind.ITEM, "Cup", 2, Money(2000, "EUR"), zero, taken_off=1),
        LineItem("2", LineKind.ITEM, "Plate", 1, Money(1000, "EUR"), zero, taken_off=1),
    )
    file = file_of(snapshot(ShopClaim.PROCESSING, lines=lines))
    shipping = shipping_of(file)
    assert shipping.ordered == {"1": 1}
    assert [(line.id, open_) for line, open_ in shipping.open_lines(lines)] == [("1", 1)]


def test_the_shops_verdict_on_the_risk_stays_until_it_gives_another() -> None:
    levels = ["", "highest", "", "normal", ""]
    told = [snapshot(version=n, risk_level=level) for n, level in enumerate(levels, start=1)]
    found = []
    for n in range(1, len(told) + 1):
        order = file_of(*told[:n]).order
        assert order is not None
        found.append(order.risk_level)
    assert found == ["", "highest", "highest", "normal", "normal"]
