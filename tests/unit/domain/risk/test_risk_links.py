"""What makes two orders of one customer, one place, one card; and what does not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from kette.domain import facts as f
from kette.domain.fold import fold
from kette.domain.order import Order
from kette.domain.risk_links import links_of
from support.intake_orders import PLACED_AT, address, order, row
from support.order_facts import file_of, payment, snapshot

PLACE = address(line1="Hafenstraße 3", postal_code="22767")


def place(**changes: str) -> str:
    made = order(shipping=address(**changes))
    return links_of(made, made.delivery_address, ()).place


@pytest.mark.parametrize(
    "changes",
    [
        {"line1": "Hafenstr. 3"},
        {"line1": "HAFENSTRASSE  3"},
        {"line1": "Hafen-Straße", "line2": "3"},
        {"line1": "Hafenstr.3", "postal_code": "22 767"},
        {"line1": "Hafenstraße 3", "name": "Somebody Else"},
    ],
)
def test_one_place(changes: dict[str, str]) -> None:
    assert place(**changes) == place(line1="Hafenstraße 3")


@pytest.mark.parametrize(
    "changes",
    [
        {"line1": "Hafenstraße 31"},
        {"line1": "Hafenstraße 3a"},
        {"line1": "Hafenstraße 3", "postal_code": "20457"},
        {"line1": "Hafenstraße 3", "country_code": "AT"},
    ],
)
def test_another_place(changes: dict[str, str]) -> None:
    assert place(**changes) != place(line1="Hafenstraße 3")


def test_a_parcel_locker_is_one_place_for_each_person() -> None:
    locker = {"line1": "Packstation 123"}
    assert place(**locker, name="Anke Petersen") != place(**locker, name="Ole Hansen")
    assert place(**locker, name="Anke Petersen") == place(**locker, name="ANKE PETERSEN")


@pytest.mark.parametrize("changes", [{"line1": ""}, {"postal_code": " "}])
def test_half_an_address_is_no_place(changes: dict[str, str]) -> None:
    assert place(**changes) == ""


def test_downloads_go_nowhere() -> None:
    made = order(row(934, 65, "0.07", is_physical=False))
    assert links_of(made, made.delivery_address, ()).place == ""


def mail(text: str) -> str:
    made: Order = order(billing=address(email=text))
    return links_of(made, made.delivery_address, ()).mail


def test_mail_addresses_are_compared_without_case() -> None:
    assert mail(" Anke@Example.ORG ") == mail("anke@example.org") == "anke@example.org"
    assert mail("") == ""


CAPTURED, FAILED = f.PaymentState.CAPTURED, f.PaymentState.FAILED


@pytest.mark.parametrize(
    ("payments", "expected"),
    [
        ([], ""),
        ([(CAPTURED, "")], ""),
        ([(FAILED, "a")], "a"),
        ([(FAILED, "a"), (CAPTURED, "b")], "b"),
        ([(CAPTURED, "b"), (FAILED, "a")], "b"),
        ([(FAILED, "a"), (f.PaymentState.AUTHORIZED, "c")], "c"),
        ([(CAPTURED, ""), (FAILED, "a")], "a"),
    ],
)
def test_the_card_that_counts(payments: list[tuple[f.PaymentState, str]], expected: str) -> None:
    told: list[Any] = [
        payment(state, payment_id=f"pi_{n}", fingerprint=print_)
        for n, (state, print_) in enumerate(payments)
    ]
    file = file_of(snapshot(), *told)
    assert file.order is not None
    card = links_of(file.order, file.delivery_address, file.payments).card
    assert card.rpartition("\x1f")[2] == expected


def test_the_same_fingerprint_of_two_providers_is_two_cards() -> None:
    def card(source: str) -> str:
        body = payment(fingerprint="Fp1")
        at = PLACED_AT + timedelta(minutes=1)
        told = f.Fact("fct_1", source, "1", at, at, body)
        return links_of(order(), PLACE, fold([told]).payments).card

    assert card("stripe-main") != card("stripe-other")
