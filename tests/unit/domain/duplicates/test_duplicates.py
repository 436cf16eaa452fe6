"""Orders that repeat another, and pairs that only look like it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from kette.domain.duplicates import find_duplicate_of, fingerprint, twin_keys
from kette.domain.money import Money
from kette.domain.order import Order, ShopClaim
from support.intake_orders import MUG, PLACED_AT, address, order, row

HOUR_S = 3600
FIRST = order(external_id="109", number="109")


def later(seconds: int = 2, **changes: Any) -> Order:
    lines = changes.pop("lines", (MUG,))
    values = {"external_id": "110", "number": "110", **changes}
    return order(*lines, placed_at=PLACED_AT + timedelta(seconds=seconds), **values)


def original_of(second: Order, *neighbours: Order, window_s: int = HOUR_S) -> str:
    match = find_duplicate_of(
        fingerprint(second, b"key"), [fingerprint(other, b"key") for other in neighbours], window_s
    )
    return match.original.external_id if match else ""


def test_same_order_again() -> None:
    match = find_duplicate_of(fingerprint(later(), b"key"), [fingerprint(FIRST, b"key")], HOUR_S)
    assert match is not None
    assert match.original.number == "109"
    assert match.reasons == (
        "same mail address", "same name and address", "same basket and total", "2 s apart",
    )  # fmt: skip


def test_the_first_is_no_duplicate_of_the_second() -> None:
    assert original_of(FIRST, later()) == ""


def test_who_tries_the_checkout_out_and_then_buys_has_bought_once() -> None:
    tested = order(external_id="109", number="109", is_test=True)
    assert original_of(later(), tested) == ""
    assert original_of(later(is_test=True), FIRST) == ""
    assert original_of(later(is_test=True), tested) == "109"


def test_an_order_is_no_duplicate_of_itself() -> None:
    assert original_of(FIRST, FIRST) == ""


def test_same_second_is_decided_by_the_number() -> None:
    nine, hundred = order(external_id="99"), order(external_id="100")
    assert original_of(hundred, nine) == "99"
    assert original_of(nine, hundred) == ""


def test_the_earliest_of_several_is_the_original() -> None:
    third = later(5, external_id="111")
    assert original_of(third, later(), FIRST, third) == "109"


@pytest.mark.parametrize(("seconds", "found"), [(3600, "109"), (3601, "")])
def test_window(seconds: int, found: str) -> None:
    assert original_of(later(seconds), FIRST) == found


SAME = {
    "mail in capitals": {"billing": address(email="ANKE@Example.org ")},
    "other name, same mail": {"billing": address(name="A. P.")},
    "no mail, address written otherwise": {
        "billing": address(email="", name="anke petersen", line1="Hafenstraße 3")
    },
    "other mail, same phone": {"billing": address(email="b@example.org", phone="+49-40-1234567")},
    "other delivery address": {"shipping": address(line1="Anderswo 1")},
}


@pytest.mark.parametrize("changes", SAME.values(), ids=SAME.keys())
def test_same_customer(changes: dict[str, Any]) -> None:
    assert original_of(later(**changes), FIRST) == "109"


def test_same_account_with_everything_else_changed() -> None:
    other = {"billing": address(email="b@example.org", name="B", line1="C 1", phone="")}
    assert original_of(later(customer_ref="7", **other), order(external_id="1", customer_ref="7"))
    # "0" is what shops write for guests.
    assert not original_of(
        later(customer_ref="0", **other), order(external_id="1", customer_ref="0")
    )


OTHER: dict[str, dict[str, Any]] = {
    "other shop with the same number": {"channel": "woo-outlet", "external_id": "109"},
    "another mail address at the same door": {"billing": address(email="b@example.org", phone="")},
    "nobody known": {"billing": address(email="", name="", phone="")},
    "other total": {"total": Money(1979, "EUR")},
    "other currency": {"currency": "CHF"},
    "other article": {"lines": (row(1664, 316, name="Teller"),)},
    "other size": {"lines": (row(1664, 316, attributes=(("size", "L"),)),)},
    "two pieces": {"lines": (row(1664, 316, quantity=2),)},
    "cancelled itself": {"claim": ShopClaim.CANCELLED},
}


@pytest.mark.parametrize("changes", OTHER.values(), ids=OTHER.keys())
def test_not_the_same(changes: dict[str, Any]) -> None:
    assert original_of(later(**changes), FIRST) == ""


@pytest.mark.parametrize("claim", [ShopClaim.CANCELLED, ShopClaim.FAILED, ShopClaim.REFUNDED])
def test_an_order_that_came_to_nothing_is_no_original(claim: ShopClaim) -> None:
    assert original_of(later(), order(external_id="109", claim=claim)) == ""


def test_a_checkout_left_unpaid_and_done_again() -> None:
    left = order(external_id="109", claim=ShopClaim.PENDING)
    assert original_of(later(paid_at=PLACED_AT), left) == ""
    assert original_of(later(), left) == "109"


OMA = {"name": "Hilde Petersen", "line1": "Deichweg 4", "postal_code": "25980"}


def test_the_same_present_to_two_people_is_bought_twice() -> None:
    """One buyer, one mail address, the same basket within minutes: not a slip of the finger."""
    to_mia = order(external_id="109", shipping=address(name="Mia Kruse", line1="Weg 1"))
    assert original_of(later(shipping=address(**OMA)), to_mia) == ""
    assert original_of(later(shipping=address(**OMA)), FIRST) == ""
    again = later(external_id="111", shipping=address(**OMA))
    assert original_of(again, to_mia, later(1, shipping=address(**OMA))) == "110"


@pytest.mark.parametrize(
    "second",
    [
        {"shipping": address(line1="Hafenstr. 5")},  # a house number put right
        {"shipping": address(name="A. Petersen")},
        {"shipping": address(name="", line1="Deichweg 4")},
    ],
)
def test_an_address_put_right_is_the_same_order_again(second: dict[str, Any]) -> None:
    assert original_of(later(**second), FIRST) == "109"


def test_pieces_on_two_lines_are_the_same_basket() -> None:
    two = order(row(2000, 380, product_id="7", quantity=2), external_id="109")
    one = row(1000, 190, product_id="7")
    assert original_of(later(lines=(one, one)), two) == "109"
    assert original_of(later(lines=(one, row(1000, 190, product_id="8"))), two) == ""
    blue = (("Farbe", "blau"), ("Größe", "M"))
    chosen = order(row(1000, 190, product_id="7", attributes=blue), external_id="109")
    other_way = later(lines=(row(1000, 190, product_id="7", attributes=blue[::-1]),))
    assert original_of(other_way, chosen) == "109"


def test_lines_in_another_order_are_the_same_basket() -> None:
    plate = row(1000, 190, name="Teller")
    assert original_of(later(lines=(plate, MUG)), order(MUG, plate, external_id="109")) == "109"


def test_index_key_is_short_and_equal_for_candidates() -> None:
    one, two = fingerprint(FIRST, b"key"), fingerprint(later(), b"key")
    assert one.lookup_key == two.lookup_key
    assert len(one.lookup_key) == 32


def test_personal_data_are_digests() -> None:
    shown = repr(fingerprint(FIRST, b"key"))
    assert "anke" not in shown.casefold()
    assert "Hafenstr" not in shown


def test_without_the_key_nobody_can_test_whose_digests_these_are() -> None:
    ours, tried = fingerprint(FIRST, b"ours"), fingerprint(FIRST, b"")
    for name in ("lookup_key", "account", "mail", "person", "phone"):
        told = getattr(ours, name)
        assert told != getattr(tried, name) or not told
    assert not set(twin_keys(ours)) & set(twin_keys(tried))


def test_instants_without_zone_are_taken_as_utc() -> None:
    naive = order(external_id="110", placed_at=datetime(2026, 11, 23, 20, 16))  # noqa: DTZ001
    assert original_of(naive, FIRST) == "109"
