"""The id of an order follows from its shop and the shop's id (docs/decisions/0003-ids.md)."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kette.domain.order_ids import order_id_for

FORM = re.compile(r"ord_[0-9a-f]{32}\Z")


@given(st.text(), st.text())
def test_any_names_give_an_id_of_one_form(channel: str, external_id: str) -> None:
    assert FORM.match(order_id_for(channel, external_id))


@given(st.tuples(st.text(), st.text()), st.tuples(st.text(), st.text()))
def test_other_names_give_other_ids(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert (order_id_for(*one) == order_id_for(*other)) is (one == other)


@given(st.lists(st.integers(0, 16**12 - 1), min_size=2, unique=True))
def test_ids_of_a_shop_that_counts_follow_its_count(numbers: list[int]) -> None:
    ids = [order_id_for("woo-main", str(number)) for number in sorted(numbers)]
    assert ids == sorted(ids)


def test_ids_of_a_shop_with_uuids_that_tell_time_follow_it() -> None:
    earlier, later = "0199a3c2f1e07b3a8d5e0f1a2b3c4d5e", "0199a3c2f1e17a00b0c0d0e0f0a1b2c3"
    assert order_id_for("shopware-main", earlier) < order_id_for("shopware-main", later)


def test_two_shops_with_the_same_number_have_two_orders() -> None:
    assert order_id_for("woo-main", "102") != order_id_for("woo-second", "102")


@pytest.mark.parametrize(
    "number", ["0102", "102 ", "\u0661\u0660\u0662", "9" * 19, str(16**12 + 102)]
)
def test_what_only_looks_like_a_number_of_the_shop_is_another_order(number: str) -> None:
    assert order_id_for("woo-main", number) != order_id_for("woo-main", "102")
