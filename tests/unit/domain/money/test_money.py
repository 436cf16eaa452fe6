"""Money: read exactly, split without loss, never mixed."""

from __future__ import annotations

import pytest
from kette.domain.money import (
    THREE_DECIMAL,
    ZERO_DECIMAL,
    Money,
    MoneyError,
    exponent,
    total_of,
)


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("119.00", "EUR", 11900),
        ("119", "EUR", 11900),
        ("119.5", "EUR", 11950),
        ("0.01", "EUR", 1),
        ("-0.01", "EUR", -1),
        ("-0", "EUR", 0),
        (" 12.30 ", "EUR", 1230),
        ("12.340000", "EUR", 1234),
        ("999999999999999.99", "EUR", 99999999999999999),
        ("1500", "JPY", 1500),
        ("1500.00", "JPY", 1500),
        ("1.234", "KWD", 1234),
        ("1.2", "KWD", 1200),
    ],
)
def test_decimal_strings_are_read_exactly(text: str, currency: str, minor: int) -> None:
    assert Money.parse(text, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "-", ".", ".5", "5.", "+5", "--5", "1,00", "1.000,00", "1 000", "1e3", "1E3"),
        *("0x10", "NaN", "Infinity", "-inf", "٣", "１２", "1_000", "1.0.0", "five", "1\n2"),
        *("12.345", "0.001", "1" * 16, "0." + "0" * 13, "\x00", "1.00 EUR"),
    ],
)
def test_what_is_no_exact_amount_is_refused(text: str) -> None:
    with pytest.raises(MoneyError):
        Money.parse(text, "EUR")


@pytest.mark.parametrize("currency", ["", "eur", "EU", "EURO", "E1R", "€", "EUR\n", "ÄÖÜ"])
def test_what_is_no_currency_is_refused(currency: str) -> None:
    with pytest.raises(MoneyError):
        Money.parse("1.00", currency)
    with pytest.raises(MoneyError):
        Money.parse_rounded("1.00", currency)


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("4.117647", "EUR", 412),
        ("4.114999", "EUR", 411),
        ("4.115", "EUR", 412),
        ("4.1149999999", "EUR", 411),
        ("-4.115", "EUR", -412),  # away from zero, alike on both sides
        ("-4.114", "EUR", -411),
        ("0.5", "JPY", 1),
        ("0.49", "JPY", 0),
        ("1.2345", "KWD", 1235),
        ("9.995", "EUR", 1000),
        ("7", "EUR", 700),
    ],
)
def test_rounding_is_half_away_from_zero(text: str, currency: str, minor: int) -> None:
    assert Money.parse_rounded(text, currency) == Money(minor, currency)


@pytest.mark.parametrize("text", ["", "1e3", "NaN", "1,5", "x"])
def test_rounding_reads_no_more_forms_than_reading(text: str) -> None:
    with pytest.raises(MoneyError):
        Money.parse_rounded(text, "EUR")


@pytest.mark.parametrize(
    ("money", "amount"),
    [
        (Money(11900, "EUR"), "119.00"),
        (Money(5, "EUR"), "0.05"),
        (Money(0, "EUR"), "0.00"),
        (Money(-5, "EUR"), "-0.05"),
        (Money(-11900, "EUR"), "-119.00"),
        (Money(1500, "JPY"), "1500"),
        (Money(-3, "JPY"), "-3"),
        (Money(1, "KWD"), "0.001"),
    ],
)
def test_amounts_leave_as_decimal_strings(money: Money, amount: str) -> None:
    assert money.amount == amount
    assert money.public() == {"amount": amount, "currency": money.currency}
    assert Money.parse(amount, money.currency) == money


def test_exponents_follow_iso_4217() -> None:
    assert [exponent(c) for c in ("EUR", "USD", "CHF", "HUF", "TWD", "XXX")] == [2] * 6
    assert {exponent(c) for c in ZERO_DECIMAL} == {0}
    assert {exponent(c) for c in THREE_DECIMAL} == {3}
    assert not ZERO_DECIMAL & THREE_DECIMAL


@pytest.mark.parametrize(
    ("whole", "weights", "parts"),
    [
        (10_000, (1, 1, 1), (3334, 3333, 3333)),
        (1, (1, 1), (1, 0)),
        (0, (1, 2), (0, 0)),
        (100, (0, 1), (0, 100)),
        (-100, (1, 1, 1), (-34, -33, -33)),
        (1980, (1, 1), (990, 990)),
        (5, (3, 7), (2, 3)),  # 1.5 and 3.5: the tie goes to the first
        (3, (7, 7, 7, 7), (1, 1, 1, 0)),
        (10**14, (10**9, 1), (99999999900000, 100000)),
    ],
)
def test_parts_sum_to_the_whole(
    whole: int, weights: tuple[int, ...], parts: tuple[int, ...]
) -> None:
    split = Money(whole, "EUR").allocate(weights)
    assert tuple(part.minor for part in split) == parts
    assert sum(parts) == whole


@pytest.mark.parametrize("weights", [(), (0,), (0, 0), (1, -1), (-1, 2), (-1, -1)])
def test_weights_that_cannot_split_are_refused(weights: tuple[int, ...]) -> None:
    with pytest.raises(MoneyError):
        Money(100, "EUR").allocate(weights)


def test_currencies_never_mix() -> None:
    euro, franc = Money(100, "EUR"), Money(100, "CHF")
    for mix in (
        lambda: euro + franc,
        lambda: euro - franc,
        lambda: euro < franc,
        lambda: euro <= franc,
        lambda: euro > franc,
        lambda: euro >= franc,
        lambda: total_of([euro, franc], "EUR"),
    ):
        with pytest.raises(MoneyError):
            mix()
    assert euro != franc


def test_sums_and_order() -> None:
    assert Money(150, "EUR") - Money(200, "EUR") == Money(-50, "EUR") == -Money(50, "EUR")
    assert total_of([Money(1, "EUR"), Money(2, "EUR")], "EUR") == Money(3, "EUR")
    assert total_of([], "CHF") == Money.zero("CHF")
    assert Money(1, "EUR") < Money(2, "EUR") <= Money(2, "EUR")
    assert Money(2, "EUR") > Money(1, "EUR") >= Money(1, "EUR")
