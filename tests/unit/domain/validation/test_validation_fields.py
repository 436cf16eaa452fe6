"""Required fields, delivery or not, destinations, amounts."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from kette.domain.findings import Finding, Severity
from kette.domain.money import Money
from kette.domain.order import Address, LineKind, Order
from kette.domain.policy import Setup
from kette.domain.validation import REQUIRED_FIELD_PATHS, needs_delivery, validate_order
from kette.policies import load_intake_data
from support.intake_orders import ANKE, MUG, SETUP, address, order, row, setup

PICKUP = row(0, 0, None, LineKind.SHIPPING, attributes=(("method", "local_pickup"),))
FLAT = row(412, 78, kind=LineKind.SHIPPING, attributes=(("method", "flat_rate"),))
EBOOK = row(934, 65, "0.07", is_physical=False)


def findings(found: Order, rules: Setup = SETUP) -> list[Finding]:
    return list(validate_order(found, found.delivery_address, rules, load_intake_data()))


def codes(found: Order, rules: Setup = SETUP) -> list[tuple[str, str, str]]:
    return [(f.code, f.field, f.severity.value) for f in findings(found, rules)]


def test_a_usual_order_has_no_findings() -> None:
    assert findings(order(MUG, FLAT)) == []


REQUIRED: list[tuple[str, dict[str, Any]]] = [
    ("email", {"billing": address(email=""), "shipping": address(email="")}),
    ("phone", {"billing": address(phone=""), "shipping": address(phone="")}),
    ("delivery.phone", {"shipping": address(phone="")}),
    ("delivery.name", {"shipping": address(name=" ")}),
    ("delivery.company", {}),
    ("billing.company", {}),
    ("billing.name", {"billing": address(name="")}),
    ("vat_id", {}),
    ("payment_method", {}),
    ("customer_note", {}),
]


@pytest.mark.parametrize(("path", "changes"), REQUIRED)
def test_required_field_that_is_missing(path: str, changes: dict[str, Any]) -> None:
    found = findings(order(**changes), setup(required_fields=(path,)))
    assert [(f.code, f.field, f.severity, f.exception_kind) for f in found] == [
        ("field_missing", path, Severity.ERROR, "missing_field")
    ]


def test_missing_line_is_told_once() -> None:
    """The setup requires it and the address cannot do without: one finding is enough."""
    found = codes(order(shipping=address(line1="")), setup(required_fields=("delivery.line1",)))
    assert found == [("field_missing", "delivery.line1", "error")]


def test_missing_line_that_no_setup_requires_is_an_address_finding() -> None:
    found = codes(order(shipping=address(line1="")), setup(required_fields=()))
    assert found == [("street_missing", "delivery.line1", "error")]


def test_mail_address_of_the_bill_serves_a_postfiliale() -> None:
    shop = address(line1="Postfiliale 501", email="")
    assert codes(order(shipping=shop)) == [("post_number_missing", "delivery.line2", "warning")]
    without = setup(required_fields=())
    assert codes(order(shipping=shop, billing=address(email="")), without) == [
        ("post_number_missing", "delivery.line2", "error")
    ]


def test_company_stands_for_a_name() -> None:
    place = address(name="", company="Kruse & Söhne")
    assert codes(order(shipping=place), setup(required_fields=("delivery.name",))) == []


@pytest.mark.parametrize("mail", ["anke@", "anke", "a b@c.de", "a@b", "@b.de", "a@b..de"])
def test_mail_address_that_is_none(mail: str) -> None:
    assert codes(order(billing=address(email=mail))) == [("email_invalid", "email", "error")]


@pytest.mark.parametrize("mail", ["a@b.de", "größe@müller.example", "a+b@mail.x.example"])
def test_mail_address_that_is_one(mail: str) -> None:
    assert codes(order(billing=address(email=mail))) == []


def test_every_path_that_a_setup_may_require_is_understood() -> None:
    empty = order(billing=Address(), shipping=Address(), payment_method="")
    for path in REQUIRED_FIELD_PATHS:
        found = codes(empty, setup(required_fields=(path,)))
        assert ("field_missing", path, "error") in found


def test_digital_orders_need_no_delivery_address() -> None:
    digital = order(EBOOK, shipping=Address(), billing=Address(country_code="DE", email="a@b.de"))
    assert codes(digital) == []
    assert not needs_delivery(digital)


def test_pick_up_in_the_shop_needs_no_delivery_address() -> None:
    picked_up = order(MUG, PICKUP, shipping=Address(), billing=address(line1="", postal_code=""))
    assert codes(picked_up) == []
    assert not needs_delivery(picked_up)


def test_pick_up_of_a_part_needs_an_address_for_the_rest() -> None:
    assert needs_delivery(order(MUG, PICKUP, FLAT))
    assert needs_delivery(order(MUG))


def test_the_corrected_address_is_what_counts() -> None:
    wrong = order(shipping=address(line1="Seeblick"))
    found = validate_order(wrong, ANKE, SETUP, load_intake_data())
    assert found == ()


DESTINATIONS = [
    ({"restricted_countries": ("AT",)}, "AT", True),
    ({"restricted_countries": ("AT",)}, "DE", False),
    ({"allowed_countries": ("DE", "CH")}, "AT", True),
    ({"allowed_countries": ("DE", "AT")}, "AT", False),
    ({}, "AT", False),
]


@pytest.mark.parametrize(("intake", "country", "refused"), DESTINATIONS)
def test_destinations(intake: dict[str, Any], country: str, refused: bool) -> None:
    code = "6020" if country == "AT" else "22767"
    place = address(country_code=country, postal_code=code, phone="")
    line = row(1664, 333, "0.20") if country == "AT" else MUG
    found = findings(order(line, shipping=place), setup(**intake))
    expected = [("destination_restricted", "restricted_destination", True)] if refused else []
    assert [(f.code, f.exception_kind, f.is_blocking) for f in found] == expected


POSTCODES = [
    (("ES-35", "ES-38"), "ES", "35001", True),
    (("ES-35", "ES-38"), "ES", "38400", True),
    (("ES-35", "ES-38"), "ES", "28035", False),
    (("DE-35",), "ES", "35001", False),
    (("DE-27498",), "DE", "27498", True),
    (("DE-27498",), "DE", "27499", False),
    (("GB-BT",), "GB", "bt1 5gs", True),
    (("GB-BT",), "GB", "B1 1BB", False),
    (("PT-9",), "PT", "9000-123", True),
    ((), "ES", "35001", False),
]


@pytest.mark.parametrize(("restricted", "country", "code", "refused"), POSTCODES)
def test_places_within_a_country(
    restricted: tuple[str, ...], country: str, code: str, refused: bool
) -> None:
    place = address(country_code=country, postal_code=code, phone="")
    found = findings(order(MUG, shipping=place), setup(restricted_postcodes=restricted))
    told = [(f.field, f.is_blocking) for f in found if f.code == "destination_restricted"]
    assert told == ([("delivery.postal_code", True)] if refused else [])


def test_restricted_country_does_not_matter_for_downloads() -> None:
    assert codes(order(EBOOK), setup(restricted_countries=("DE",))) == []


# total (cents), tolerance per line -> finding about the two rows of 1980 + 490
AMOUNTS = [
    (2470, 1, []),
    (2471, 1, ["info", "info"]),
    (2472, 1, ["info", "info"]),
    (2473, 1, ["error", "error"]),
    (2468, 1, ["info", "info"]),
    (2467, 1, ["error", "error"]),
    (2471, 0, ["error", "error"]),
    (2570, 1, ["error", "error"]),
]


@pytest.mark.parametrize(("total", "tolerance", "severities"), AMOUNTS)
def test_total_against_lines_and_rates(total: int, tolerance: int, severities: list[str]) -> None:
    found = findings(
        order(MUG, FLAT, total=Money(total, "EUR")), setup(tolerance_minor_per_line=tolerance)
    )
    assert [f.severity.value for f in found] == severities
    kinds = {f.exception_kind for f in found}
    assert kinds <= ({"amount_mismatch"} if "error" in severities else {""})


@pytest.mark.parametrize(
    ("currency", "said"),
    [("EUR", "by -1.00 EUR"), ("JPY", "by -100 JPY"), ("BHD", "by -0.100 BHD")],
)
def test_a_difference_is_said_in_the_orders_currency(currency: str, said: str) -> None:
    """It was said in cents, which not every currency has."""
    line = msgspec.structs.replace(MUG, net=Money(1664, currency), tax=Money(316, currency))
    told = order(
        MUG,
        **{"currency": currency, "lines": (line,), "tax_by_rate": ()},
        **{"total": Money(1880, currency), "total_tax": Money(316, currency)},
    )
    (found,) = [f for f in findings(told) if f.code == "total_differs_from_lines"]
    assert found.message.endswith(said)


@pytest.mark.parametrize(
    ("total", "step", "severity"),
    [
        # The parts sum to 24.70; one line more or less may be a cent off, two lines two.
        (2470, 5, None),
        (2475, 5, "error"),  # five cents cannot come from rounding to five cents
        (2474, 5, "error"),  # not on the step, so the step explains nothing
        (2480, 20, "info"),
        (2500, 100, "info"),
        (2400, 100, "error"),  # rounding would have gone up
    ],
)
def test_rounding_to_a_coin_explains_half_of_it(
    total: int, step: int, severity: str | None
) -> None:
    """Switzerland has no coin below 0.05: a total of 24.70 out of 24.68 is right."""
    made = order(MUG, FLAT, total=Money(total, "EUR"), total_step=Money(step, "EUR"))
    found = findings(made)
    assert {f.severity.value for f in found} == ({severity} if severity else set())
    if severity == "info":
        assert found[0].message.endswith(f"the shop rounds totals to {step / 100:.2f} EUR")


def test_negative_total() -> None:
    refund = row(-1664, -316)
    found = [f for f in findings(order(refund)) if f.code == "total_negative"]
    assert [(f.severity, f.exception_kind) for f in found] == [(Severity.ERROR, "amount_mismatch")]


def test_mixed_currencies_are_said_and_not_summed() -> None:
    dollars = msgspec.structs.replace(MUG, net=Money(1664, "USD"))
    found = findings(order(MUG, lines=(MUG, dollars)))
    assert [(f.code, f.before, f.exception_kind) for f in found] == [
        ("currency_mixed", "USD", "amount_mismatch")
    ]


def test_order_without_items() -> None:
    found = findings(order(FLAT))
    assert [(f.code, f.field, f.exception_kind) for f in found] == [
        ("no_items", "lines", "missing_field")
    ]


def test_findings_of_all_checks_come_together() -> None:
    found = order(
        MUG,
        shipping=address(line1="Seeblick", postal_code="1"),
        total=Money(9999, "EUR"),
        customer_note="Bitte stornieren",
    )
    assert [f.exception_kind for f in findings(found)] == [
        "invalid_address", "invalid_address", "amount_mismatch", "amount_mismatch", "special_note",
    ]  # fmt: skip
