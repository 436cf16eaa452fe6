"""The tax that the shop charged against destination, day and buyer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from kette.domain.money import Money
from kette.domain.order import Address, LineKind, Order, TaxShare
from kette.domain.policy import Setup
from kette.domain.tax_check import supply_date
from kette.domain.validation import validate_order
from kette.policies import load_intake_data
from support.intake_orders import MERCHANT, MUG, SETUP, order, row, to

SMALL = msgspec.structs.replace(
    SETUP, merchant=msgspec.structs.replace(MERCHANT, small_business=True)
)
DE_ID, AT_ID, FR_ID = "DE136695976", "ATU13585627", "FR83404833048"


def tax_codes(found: Order, setup: Setup = SETUP) -> list[tuple[str, str]]:
    """Code and severity of what is said about tax and VAT id."""
    return [
        (finding.code, finding.severity.value)
        for finding in validate_order(found, found.delivery_address, setup, load_intake_data())
        if finding.field in ("tax", "vat_id")
    ]


def day(year: int, month: int, number: int) -> dict[str, Any]:
    return {"placed_at": datetime(year, month, number, 12, tzinfo=UTC)}


NONE = row(1664, 0, None)
ZERO = row(1664, 0, "0")
AT20, AT10 = row(1664, 333, "0.20"), row(1664, 166, "0.1")
DE16 = row(1664, 266, "0.16")

PLACES = [
    # home
    ("DE", "22767", MUG, {}, []),
    ("DE", "22767", row(1000, 70, "0.07"), {}, []),
    ("DE", "22767", ZERO, {}, []),
    ("DE", "22767", AT20, {}, [("tax_rate_wrong", "error")]),
    ("DE", "22767", NONE, {}, [("tax_missing", "error")]),
    # rates have days
    ("DE", "22767", DE16, {}, [("tax_rate_wrong", "error")]),
    ("DE", "22767", DE16, day(2020, 12, 31), []),
    ("DE", "22767", MUG, day(2020, 12, 31), [("tax_rate_wrong", "error")]),
    ("DE", "22767", DE16, day(2021, 1, 1), [("tax_rate_wrong", "error")]),
    ("EE", "10111", row(1000, 220, "0.22"), day(2025, 6, 30), []),
    ("EE", "10111", row(1000, 220, "0.22"), day(2025, 7, 1), [("tax_rate_wrong", "error")]),
    ("EE", "10111", row(1000, 240, "0.24"), day(2025, 7, 1), []),
    ("FI", "00550", row(1000, 255, "0.255"), {}, []),
    ("RO", "010011", row(1000, 210, "0.21"), {}, []),
    ("SK", "811 01", row(1000, 230, "0.23"), {}, []),
    # other states of the EU: rates of the destination
    ("AT", "1060", AT20, {}, []),
    ("AT", "1060", AT10, {}, []),
    ("AT", "1060", MUG, {}, [("origin_rate", "error")]),
    ("AT", "1060", NONE, {}, [("tax_missing", "error")]),
    ("FR", "75011", row(1000, 55, "0.055"), {}, []),
    ("NL", "1015 CJ", row(1000, 210, "0.21"), {}, []),
    ("CY", "1010", row(1000, 190, "0.19"), {}, []),
    ("MC", "98000", row(1000, 200, "0.20"), {}, []),
    # businesses of other states
    ("AT", "1060", NONE, {"vat_id": AT_ID}, [("intra_eu_supply", "info")]),
    ("AT", "1060", ZERO, {"vat_id": AT_ID}, [("intra_eu_supply", "info")]),
    ("AT", "1060", NONE, {"vat_id": FR_ID}, [("intra_eu_supply", "info")]),
    ("AT", "1060", AT20, {"vat_id": AT_ID}, []),
    ("AT", "1060", NONE, {"vat_id": DE_ID}, [("tax_missing", "error")]),
    ("AT", "1060", NONE, {"vat_id": "ATU1"},
     [("vat_id_invalid", "error"), ("tax_missing", "error")]),
    ("DE", "22767", MUG, {"vat_id": "DE 123 456 789"}, [("vat_id_invalid", "warning")]),
    ("DE", "22767", MUG, {"vat_id": DE_ID}, []),
    ("DE", "22767", NONE, {"vat_id": DE_ID}, [("tax_missing", "error")]),
    # outside
    ("CH", "8001", NONE, {}, []),
    ("CH", "8001", ZERO, {}, []),
    ("CH", "8001", MUG, {}, [("tax_on_export", "error")]),
    ("CH", "8001", row(1000, 81, "0.081"), {}, [("foreign_vat", "warning")]),
    ("US", "10118", NONE, {}, []),
    ("GB", "EC1Y 8SY", MUG, {}, [("tax_on_export", "error")]),
    ("GB", "EC1Y 8SY", row(1000, 200, "0.20"), {}, [("foreign_vat", "warning")]),
    # territories
    ("DE", "27498", NONE, {}, []),
    ("DE", "27498", ZERO, {}, []),
    ("DE", "27498", MUG, {}, [("tax_on_export", "error")]),
    ("DE", "78266", ZERO, {}, []),
    ("DE", "78266", MUG, {}, [("tax_on_export", "error")]),
    ("IT", "23041", NONE, {}, []),
    ("IT", "22061", NONE, {}, []),
    ("IT", "00144", row(1000, 220, "0.22"), {}, []),
    ("ES", "35001", NONE, {}, []),
    ("ES", "35001", row(1000, 210, "0.21"), {}, [("tax_on_export", "error")]),
    ("ES", "51001", NONE, {}, []),
    ("ES", "28013", row(1000, 210, "0.21"), {}, []),
    ("GR", "63086", NONE, {}, []),
    ("FI", "22100", NONE, {}, []),
    ("AX", "22150", NONE, {}, []),
    ("FR", "97110", NONE, {}, []),
    ("GP", "97110", NONE, {}, []),
    ("FR", "20000", row(1000, 100, "0.10"), {}, []),
    ("AT", "6691", row(1000, 190, "0.19"), {}, []),
    ("AT", "6992", row(1000, 190, "0.19"), {}, []),
    ("AT", "6990", row(1000, 190, "0.19"), {}, [("origin_rate", "error")]),
    ("PT", "9000-001", row(1000, 220, "0.22"), {}, []),
    ("PT", "9500-001", row(1000, 160, "0.16"), {}, []),
    ("PT", "1000-001", row(1000, 160, "0.16"), {}, [("tax_rate_wrong", "error")]),
    ("GB", "BT1 5GS", row(1000, 200, "0.20"), {}, []),
    ("GB", "BT1 5GS", NONE, {}, [("tax_missing", "error")]),
]  # fmt: skip


@pytest.mark.parametrize(("country", "postcode", "line", "changes", "expected"), PLACES)
def test_rate_of_the_place(
    country: str, postcode: str, line: Any, changes: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert tax_codes(order(line, **{**to(country, postcode), **changes})) == expected


def test_small_business_charges_no_tax_anywhere() -> None:
    assert tax_codes(order(NONE), SMALL) == []
    assert tax_codes(order(NONE, **to("AT", "1060")), SMALL) == []
    assert tax_codes(order(MUG), SMALL) == [("tax_by_small_business", "error")]


def test_below_the_threshold_own_rates_are_right_abroad() -> None:
    accounting = msgspec.structs.replace(SETUP.accounting, oss=False)
    setup = msgspec.structs.replace(SETUP, accounting=accounting)
    assert tax_codes(order(MUG, **to("AT", "1060")), setup) == []
    assert tax_codes(order(AT20, **to("AT", "1060")), setup) == []
    assert tax_codes(order(NONE, **to("AT", "1060")), setup) == [("tax_missing", "error")]
    assert tax_codes(order(MUG, **to("CH", "8001")), setup) == [("tax_on_export", "error")]


def test_greek_vat_ids_begin_with_el() -> None:
    greek = msgspec.structs.replace(MERCHANT.address, country_code="GR")
    setup = msgspec.structs.replace(
        SETUP, merchant=msgspec.structs.replace(MERCHANT, address=greek)
    )
    found = order(NONE, vat_id="EL094259216", **to("AT", "1060"))
    assert tax_codes(found, setup) == [("tax_missing", "error")]
    assert tax_codes(found) == [("intra_eu_supply", "info")]


def test_digital_goods_are_taxed_where_the_customer_is_billed() -> None:
    ebook = row(1000, 200, "0.20", is_physical=False)
    place = to("AT", "1060")
    assert tax_codes(order(ebook, billing=place["billing"])) == []


PICKUP = row(0, 0, None, LineKind.SHIPPING, attributes=(("method", "local_pickup:3"),))


def test_what_is_fetched_in_the_shop_is_taxed_there() -> None:
    """Customers from across the border come to the shop: its own tax is right for them."""
    for country, code in (("AT", "6020"), ("CH", "8001"), ("DE", "78266")):
        assert tax_codes(order(MUG, PICKUP, **to(country, code))) == []
    french = row(1664, 333, "0.20")
    wrong = order(french, PICKUP, **to("FR", "67000"))
    assert tax_codes(wrong) == [("tax_rate_wrong", "error")]
    # A business that fetches it and takes it home (§ 6a UStG) is charged nothing.
    taken = order(NONE, PICKUP, vat_id=AT_ID, **to("AT", "6020"))
    assert tax_codes(taken) == [("intra_eu_supply", "info")]


def test_voucher_without_tax_beside_goods_is_only_noted() -> None:
    voucher = row(5000, 0, None, name="Geschenkgutschein 50 €")
    assert tax_codes(order(MUG, voucher)) == [("voucher_untaxed", "info")]
    assert tax_codes(order(voucher)) == [("voucher_untaxed", "info")]
    marked = row(5000, 0, None, name="50 €", attributes=(("gift_card", "true"),), is_physical=False)
    assert tax_codes(order(MUG, marked)) == [("voucher_untaxed", "info")]


def test_voucher_is_not_taxed_across_the_border_either() -> None:
    """It is taxed when it is redeemed (§ 3 (15) UStG): nothing to hold an order for."""
    voucher = row(5000, 0, None, name="Carte cadeau 50 €", is_physical=False)
    assert tax_codes(order(voucher, **to("FR", "75011"))) == [("voucher_untaxed", "info")]
    wine = row(1000, 200, "0.2")
    assert tax_codes(order(wine, voucher, **to("FR", "75011"))) == [("voucher_untaxed", "info")]


def test_download_is_no_voucher() -> None:
    ebook = row(1000, 0, None, name="Strickmuster (PDF)", is_physical=False)
    assert tax_codes(order(ebook)) == [("tax_missing", "error")]
    assert tax_codes(order(MUG, ebook)) == [("line_untaxed", "warning")]


ITALIAN = msgspec.structs.replace(MERCHANT.address, country_code="IT")
ITALIAN_SHOP = msgspec.structs.replace(
    SETUP, merchant=msgspec.structs.replace(MERCHANT, address=ITALIAN)
)
IT22 = row(1000, 220, "0.22")


def test_zero_is_only_right_where_it_is_a_rate() -> None:
    """Goods of the tax class "zero rate", which shops come with and Italy has not."""
    wrong = [("tax_rate_wrong", "error")]
    assert tax_codes(order(ZERO, **to("IT", "20121")), ITALIAN_SHOP) == wrong
    assert tax_codes(order(IT22, ZERO, **to("IT", "20121")), ITALIAN_SHOP) == wrong
    assert tax_codes(order(IT22, ZERO, **to("IT", "20121"))) == wrong
    assert tax_codes(order(IT22, row(0, 0, "0"), **to("IT", "20121"))) == []
    assert tax_codes(order(row(1000, 210, "0.21"), ZERO, **to("NL", "1015 CJ"))) == []


def test_one_line_without_tax_is_a_warning() -> None:
    assert tax_codes(order(MUG, NONE)) == [("line_untaxed", "warning")]
    assert tax_codes(order(AT20, NONE, **to("AT", "1060"))) == [("line_untaxed", "warning")]


TIP = row(300, 0, None, LineKind.TIP)


@pytest.mark.parametrize(
    ("why", "found", "more"),
    [
        ("beside taxed goods", order(MUG, TIP), []),
        ("beside goods for another state", order(AT20, TIP, **to("AT", "1060")), []),
        ("beside a voucher", order(row(5000, 0, None, name="Gutschein"), TIP), ["voucher_untaxed"]),
        ("beside goods without tax", order(NONE, TIP), ["tax_missing"]),
        ("beside goods, one without tax", order(MUG, NONE, TIP), ["line_untaxed"]),
        ("alone", order(TIP), []),
    ],
)
def test_a_tip_needs_no_tax_and_excuses_no_other_line(
    why: str, found: Order, more: list[str]
) -> None:
    assert sorted(code for code, _ in tax_codes(found)) == sorted(["tip_untaxed", *more]), why


def test_a_taxed_tip_is_a_line_like_others() -> None:
    assert tax_codes(order(MUG, row(252, 48, kind=LineKind.TIP))) == []


def test_shipping_without_price_needs_no_tax() -> None:
    assert tax_codes(order(MUG, row(0, 0, None, LineKind.SHIPPING))) == []


# net, tax of one line at 19 %; pieces; accepted
RECOMPUTED = [
    (1664, 316, 1, True),
    (1664, 317, 1, True),
    (1664, 315, 1, True),
    (1664, 318, 1, False),
    (1664, 300, 1, False),
    (2517, 480, 3, True),  # 3 x 9.99, rounded per piece: 8.39 + 1.60 each
    (2517, 480, 1, False),
    (2518, 479, 3, True),  # the same, rounded per line
    (1411, 272, 17, True),  # 17 x 0.99 per piece: 0.83 + 0.16 each
    (1411, 289, 17, False),
]


@pytest.mark.parametrize(("net", "tax", "pieces", "accepted"), RECOMPUTED)
def test_tax_is_recomputed_per_rate(net: int, tax: int, pieces: int, accepted: bool) -> None:
    expected = [] if accepted else [("tax_differs", "error")]
    assert tax_codes(order(row(net, tax, quantity=pieces))) == expected


def test_total_tax_must_be_the_sum_of_the_rates() -> None:
    assert tax_codes(order(MUG, total_tax=Money(317, "EUR"))) == []
    assert tax_codes(order(MUG, total_tax=Money(416, "EUR"))) == [("total_tax_differs", "error")]


def test_orders_without_a_summary_are_checked_by_their_lines() -> None:
    assert tax_codes(order(MUG, tax_by_rate=())) == []
    assert tax_codes(order(row(1664, 300), tax_by_rate=())) == [("tax_differs", "error")]


@pytest.mark.parametrize("rate", ["x", "NaN", "1.9", "-0.19", "19", "9" * 500])
def test_rate_that_cannot_be_read(rate: str) -> None:
    share = TaxShare(rate, "", Money(1664, "EUR"), Money(316, "EUR"))
    assert ("tax_rate_unreadable", "error") in tax_codes(order(MUG, tax_by_rate=(share,)))


def test_tax_without_a_rate() -> None:
    share = TaxShare(None, "", Money(1664, "EUR"), Money(316, "EUR"))
    assert ("tax_without_rate", "error") in tax_codes(order(MUG, tax_by_rate=(share,)))


def test_destination_without_country_is_left_to_the_address_check() -> None:
    nowhere = Address(line1="Weg 1", city="Hamburg", postal_code="22767")
    assert tax_codes(order(MUG, billing=nowhere, shipping=nowhere)) == []


def test_day_of_supply_is_the_business_day() -> None:
    """23:30 UTC on the last day of a rate is already the next day in Berlin (woocommerce#44340)."""
    late = datetime(2020, 12, 31, 23, 30, tzinfo=UTC)
    assert supply_date(late, "Europe/Berlin").isoformat() == "2021-01-01"
    assert supply_date(late, "nowhere").isoformat() == "2020-12-31"
    assert tax_codes(order(MUG, placed_at=late)) == []
