"""The labelled addresses of fixtures/addresses: each is read as its label says."""

from __future__ import annotations

from collections import Counter

import pytest
from kette.domain.vat_territory import EU_STATES
from kette.policies import load_intake_data
from support.labelled_addresses import Labelled, labelled_addresses

RULES = load_intake_data().address
ALL = labelled_addresses()


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.where)
def test_every_labelled_address_is_read_as_its_label_says(one: Labelled) -> None:
    found = one.read(RULES)
    assert one.wrong_fields(found) == {}
    assert one.unmet(found) == []


def test_every_country_has_enough_labelled_addresses() -> None:
    of_country = Counter(one.country for one in ALL)
    assert len(ALL) >= 500
    assert all(of_country[country] >= 50 for country in ("DE", "AT", "CH"))
    too_few = [
        country for country in EU_STATES | {"GB", "NO", "US", "LI"} if of_country[country] < 8
    ]
    assert too_few == []


def test_a_wrong_label_is_seen() -> None:
    one = next(one for one in ALL if one.expected["house_number"])
    other = Labelled(
        one.where, one.country, one.typed, {**one.expected, "house_number": "4711"}, {}
    )
    found = other.read(RULES)
    assert other.wrong_fields(found) == {"house_number": ("4711", found.house_number)}
