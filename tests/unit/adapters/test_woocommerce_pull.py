"""How a WooCommerce shop is asked for what changed, and where its list ends."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from kette.adapters.vendors.woocommerce.pull import WooCommercePull
from kette.domain.policy import System
from kette.domain.pulls import Answer, Purpose, Window

WOO = System(id="woo-main", kind="woocommerce", role="shop")
WINDOW = Window(Purpose.CHANGES, datetime(2026, 11, 26, 9, 30, tzinfo=UTC))
PULL = WooCommercePull()


def test_the_second_that_the_window_begins_with_is_in_it() -> None:
    """`modified_after` leaves its own second out."""
    ask = PULL.ask(WOO, PULL.begin(WINDOW))
    query = parse_qs(urlsplit(ask.path).query)
    assert query["modified_after"] == ["2026-11-26T09:29:59"]
    assert query["status"] == ["any"]


@pytest.mark.parametrize(("pages", "is_last"), [("2", False), ("1", True), ("", True)])
def test_a_short_page_is_the_last_only_where_the_shop_says_so(pages: str, is_last: bool) -> None:
    """The shop leaves orders out that the key's user may not see, and counts them all the same."""
    rows = [{"id": 7, "date_modified_gmt": "2026-11-26T09:30:00"}]
    headers = {"x-wp-total": "51", "x-wp-totalpages": pages}
    answer = Answer(200, headers, json.dumps(rows).encode())
    page = PULL.read(WOO, WINDOW, PULL.begin(WINDOW), answer)
    assert [one.name for one in page.objects] == ["7"]
    assert page.next is not None
    assert (page.next["list"] != "orders") is is_last
