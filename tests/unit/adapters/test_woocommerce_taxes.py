"""WooCommerce: net and tax per rate, and everything else that a total is made of."""

from __future__ import annotations

from typing import Any

import pytest
from kette.domain.money import Money
from kette.domain.order import LineKind
from support.woo_orders import order_of, priced, rated, row, shares_of


@pytest.mark.parametrize(
    ("currency", "total", "minor"), [("JPY", "5000", 5000), ("KWD", "1.234", 1234)]
)
def test_currencies_keep_their_own_decimals(currency: str, total: str, minor: int) -> None:
    body = priced(total, [row(total, "0")], [], currency=currency, total_tax="0")
    assert order_of(body).total == Money(minor, currency)


class TestTaxes:
    def test_tax_lines_outrank_the_sum_of_lines(self) -> None:
        order = order_of(
            priced("20.01", [row("8.40", "1.60", (1, "1.60"))] * 2, [rated(1, 19, "3.21")])
        )
        assert shares_of(order) == [("0.19", "16.80", "3.21")]
        assert order.rounding is None

    def test_rounding_at_subtotal_is_recorded(self) -> None:
        order = order_of(
            priced("20.00", [row("8.40", "1.60", (1, "1.60"))] * 2, [rated(1, 19, "3.21")])
        )
        assert order.rounding == Money(-1, "EUR")

    @pytest.mark.parametrize(
        ("percent", "rate"),
        [(19, "0.19"), (5.5, "0.055"), ("20.0000", "0.2"), (0, "0"), (8.1, "0.081")],
    )
    def test_rates_are_exact_fractions(self, percent: Any, rate: str) -> None:
        order = order_of(
            priced("10.00", [row("10.00", "0.00", (1, "0.00"))], [rated(1, percent, "0")])
        )
        assert [s.rate for s in order.tax_by_rate] == [rate]
        assert order.lines[0].rate == rate

    def test_zero_rate_is_not_no_rate(self) -> None:
        body = priced(
            "30.00",
            [row("10.00", "0.00", (8, "0.00")), row("20.00", "0.00")],
            [rated(8, 0, "0.00")],
        )
        assert shares_of(order_of(body)) == [("0", "10.00", "0.00"), (None, "20.00", "0.00")]

    def test_rates_that_do_not_apply_to_a_line_are_listed_with_empty_totals(self) -> None:
        body = priced(
            "22.60",
            [
                row("10.00", "1.90", (1, "1.90"), (2, "")),
                row("10.00", "0.70", (1, ""), (2, "0.70")),
            ],
            [rated(1, 19, "1.90"), rated(2, 7, "0.70")],
        )
        assert shares_of(order_of(body)) == [("0.19", "10.00", "1.90"), ("0.07", "10.00", "0.70")]

    def test_shipping_taxed_like_the_goods_is_split(self) -> None:
        """Germanized: 10.00 of shipping, 4.00 under 19 % and 6.00 under 7 %."""
        body = priced(
            "11.18",
            [],
            [rated(1, 19, "0", "0.76"), rated(2, 7, "0", "0.42")],
            shipping_lines=[row("10.00", "1.18", (1, "0.76"), (2, "0.42"), method_id="flat_rate")],
        )
        order = order_of(body)
        assert shares_of(order) == [("0.19", "4.00", "0.76"), ("0.07", "6.00", "0.42")]
        assert [(x.id, x.net.amount, x.rate) for x in order.lines] == [
            ("5/1", "4.00", "0.19"),
            ("5/2", "6.00", "0.07"),
        ]

    def test_taxes_that_stack_are_one_rate(self) -> None:
        """Canada: 5 % GST and 9.975 % QST on the same net."""
        body = priced(
            "114.98",
            [row("100.00", "14.98", (1, "5.00"), (2, "9.98"))],
            [rated(1, 5, "5.00"), rated(2, "9.975", "9.98")],
        )
        order = order_of(body)
        assert shares_of(order) == [("0.14975", "100.00", "14.98")]
        assert order.tax_by_rate[0].label == "Tax 5 + Tax 9.975"

    def test_compound_taxes_multiply(self) -> None:
        body = priced(
            "115.50",
            [row("100.00", "15.50", (1, "5.00"), (2, "10.50"))],
            [rated(1, 5, "5.00"), rated(2, 10, "10.50", compound=True)],
        )
        assert shares_of(order_of(body)) == [("0.155", "100.00", "15.50")]

    def test_old_orders_name_the_rate_only_in_the_label(self) -> None:
        body = priced(
            "10.70",
            [row("10.00", "0.70", (2, "0.70"))],
            [{"id": 1, "rate_id": 2, "label": "MwSt. 7,0 %", "tax_total": "0.70"}],
        )
        assert shares_of(order_of(body)) == [("0.07", "10.00", "0.70")]

    def test_imported_lines_without_a_named_rate_take_the_nearest(self) -> None:
        body = priced(
            "22.60",
            [row("10.00", "1.90"), row("10.00", "0.70")],
            [rated(1, 19, "1.90"), rated(2, 7, "0.70")],
        )
        assert shares_of(order_of(body)) == [("0.19", "10.00", "1.90"), ("0.07", "10.00", "0.70")]

    def test_negative_fees_reduce_their_rate(self) -> None:
        body = priced(
            "5.95",
            [row("10.00", "1.90", (1, "1.90"))],
            [rated(1, 19, "0.95")],
            fee_lines=[row("-5.00", "-0.95", (1, "-0.95"), name="Kundenrabatt")],
        )
        order = order_of(body)
        assert shares_of(order) == [("0.19", "5.00", "0.95")]
        assert [(x.kind, x.name, x.net.amount) for x in order.lines][1] == (
            LineKind.FEE,
            "Kundenrabatt",
            "-5.00",
        )

    def test_six_decimals_are_summed_before_they_are_rounded(self) -> None:
        body = priced(
            "2.98",
            [row("0.834454", "0.158546", (1, "0.158546"))] * 3,
            [rated(1, 19, "0.475638")],
        )
        order = order_of(body)
        assert shares_of(order) == [("0.19", "2.50", "0.48")]
        assert [x.net.amount for x in order.lines] == ["0.83"] * 3


@pytest.mark.parametrize(
    "cards",
    [
        {"gift_cards": [{"id": 1, "code": "ABCD-1234", "amount": 10}]},
        {"meta_data": [{"key": "_ywgc_applied_gift_cards", "value": {"ABCD-1234": "10.00"}}]},
    ],
)
def test_gift_cards_that_explain_the_total_become_lines(cards: dict[str, Any]) -> None:
    body = priced("1.90", [row("10.00", "1.90", (1, "1.90"))], [rated(1, 19, "1.90")], **cards)
    order = order_of(body)
    assert shares_of(order) == [("0.19", "10.00", "1.90"), (None, "-10.00", "0.00")]
    assert order.lines[-1].name == "Gift card 1234"
    assert order.rounding is None


def test_a_total_that_nothing_explains_stays_visible() -> None:
    body = priced(
        "5.00",
        [row("10.00", "1.90", (1, "1.90"))],
        [rated(1, 19, "1.90")],
        gift_cards=[{"code": "A", "amount": "3.00"}],
    )
    assert order_of(body).rounding == Money(-690, "EUR")
