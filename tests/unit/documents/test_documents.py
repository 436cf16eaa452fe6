"""What an invoice says and refuses: mandatory contents, tax reasons, payment, numbers."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest
from kette.domain.documents import (
    DocumentError,
    InvoiceDocument,
    format_number,
    number_pattern_problem,
)
from kette.domain.order import Address, LineKind, Order, TaxShare
from kette.domain.policy import AccountingPolicy

from .samples import MERCHANT, SETUP, eur, invoice_of, line, order_of, recorded_orders

BECHER = line("1", "100.00", "19.00")
UNTAXED = line("1", "100.00", "0.00", rate=None)
replace = msgspec.structs.replace


def to(country: str, postal_code: str = "1000", **changes: object) -> dict[str, Address]:
    address = Address(
        name="Jo Doe",
        line1="Street 1",
        postal_code=postal_code,
        city="Town",
        country_code=country,
    )
    return {"billing": address, "shipping": replace(address, **changes)}


def test_everything_that_the_law_requires_is_on_the_document() -> None:
    document = invoice_of(order_of(BECHER, line("2", "4.12", "0.78", kind=LineKind.SHIPPING)))
    assert document.seller.name == "Nordlicht Laden GmbH"
    assert document.seller.lines == ("Speicherweg 7", "20457 Hamburg")
    assert (document.seller.tax_number, document.seller.vat_id) == ("00/000/00000", "DE000000000")
    assert document.buyer.lines == ("Anke Petersen", "Hafenstr. 3", "22767 Hamburg")
    assert (document.number, document.issued_on) == ("RE-2026-000123", date(2026, 11, 5))
    assert document.supplied_on == date(2026, 11, 4)
    assert [(row.text, row.quantity) for row in document.lines] == [("Becher", 1), ("Becher", 1)]
    assert [(row.rate, row.net, row.tax) for row in document.tax_rows] == [
        ("0.19", eur("104.12"), eur("19.78"))
    ]


def test_the_order_date_is_a_day_of_the_merchants_time_zone() -> None:
    # Placed at 23:30 UTC on the third, which is half past midnight in Hamburg.
    assert invoice_of(order_of(BECHER)).ordered_on == date(2026, 11, 4)


def test_a_document_survives_json_unchanged() -> None:
    document = invoice_of(recorded_orders()["voucher-no-tax"])
    assert msgspec.json.decode(msgspec.json.encode(document), type=InvoiceDocument) == document


@pytest.mark.parametrize(
    ("order", "words"),
    [
        (order_of(UNTAXED, **to("CH")), "Steuerfreie Ausfuhrlieferung"),
        (order_of(UNTAXED, **to("DE", "27498")), "Steuerfreie Ausfuhrlieferung"),
        (order_of(UNTAXED, **to("ES", "35001")), "Steuerfreie Ausfuhrlieferung"),
        (order_of(replace(UNTAXED, is_physical=False), **to("US")), "Leistungsort außerhalb"),
        (order_of(UNTAXED, vat_id="ATU00000000", **to("AT")), "innergemeinschaftliche Lieferung"),
        (
            order_of(replace(UNTAXED, is_physical=False), vat_id="ATU00000000", **to("AT")),
            "Steuerschuldnerschaft des Leistungsempfängers",
        ),
        (order_of(replace(UNTAXED, name="Geschenkgutschein 50 €")), "Mehrzweck-Gutscheine"),
        (order_of(UNTAXED), "keine Umsatzsteuer berechnet"),
        (order_of(UNTAXED, **to("AT")), "keine Umsatzsteuer berechnet"),
        (
            order_of(line("1", "100.00", "20.00", rate="0.2"), **to("AT")),
            "Umsatzsteuer des Bestimmungslandes Österreich",
        ),
    ],
    ids=[
        "Switzerland: export",
        "Helgoland: export",
        "Canaries: export",
        "download to the US: not taxable here",
        "Austrian firm: intra-EU supply",
        "service to an Austrian firm: reverse charge",
        "voucher",
        "at home without reason: no claim",
        "Austrian consumer without tax: no claim",
        "Austrian consumer: one-stop shop",
    ],
)
def test_the_reason_for_the_tax_treatment_is_named(order: Order, words: str) -> None:
    notes = invoice_of(order).notes
    assert len(notes) == 1
    assert words in notes[0]


def test_both_vat_ids_stand_on_an_intra_eu_supply() -> None:
    [note] = invoice_of(order_of(UNTAXED, vat_id="ATU00000000", **to("AT"))).notes
    assert "ATU00000000" in note
    assert "DE000000000" in note


@pytest.mark.parametrize("rate", ["0.19", "0.07"])
def test_home_rate_across_the_border_is_no_one_stop_shop(rate: str) -> None:
    document = invoice_of(order_of(line("1", "100.00", "19.00", rate=rate), **to("AT")))
    assert document.notes == ()
    assert document.tax_rows[0].country_code == ""


def test_small_business_has_its_note_and_refuses_charged_tax() -> None:
    setup = replace(SETUP, merchant=replace(MERCHANT, small_business=True))
    [note] = invoice_of(order_of(UNTAXED), setup=setup).notes
    assert "§ 19 UStG" in note
    with pytest.raises(DocumentError, match="small_business_with_tax"):
        invoice_of(order_of(BECHER), setup=setup)


@pytest.mark.parametrize(
    ("paid", "changes", "notes"),
    [
        ("119.00", {}, ["vollständig bezahlt. Zahlungsart: Kreditkarte."]),
        ("0.00", {}, ["überweisen Sie 119,00\u00a0€ bis zum 19.11.2026", ""]),
        ("19.00", {}, ["19,00\u00a0€ bereits bezahlt", "überweisen Sie 100,00\u00a0€"]),
        ("120.00", {}, ["1,00\u00a0€ mehr als berechnet"]),
        ("0.00", {"payment_method": "cod"}, ["bei der Lieferung zu zahlen"]),
    ],
    ids=["paid", "open", "partly paid", "overpaid", "on delivery"],
)
def test_how_to_pay(paid: str, changes: dict[str, object], notes: list[str]) -> None:
    document = invoice_of(order_of(BECHER, **changes), paid=eur(paid))
    for words, note in zip(
        [words for words in notes if words], document.payment_notes, strict=True
    ):
        assert words in note
    assert (document.due_on is not None) == (eur(paid) < document.total)


def test_an_order_over_nothing_needs_no_payment() -> None:
    document = invoice_of(recorded_orders()["zero-total"])
    assert document.payment_notes == (
        "Der Rechnungsbetrag ist 0,00\u00a0€; es ist keine Zahlung erforderlich.",
    )
    assert document.due_on is None


def test_an_invoice_before_delivery_says_so() -> None:
    document = invoice_of(order_of(BECHER), supplied_on=None)
    assert document.supplied_on is None
    assert document.remarks == ("Die Lieferung steht noch aus; berechnet nach Zahlungseingang.",)


def test_a_corrected_delivery_address_is_printed_and_decides_the_notes() -> None:
    swiss = to("CH", "8001")["billing"]
    document = invoice_of(order_of(UNTAXED), delivery=swiss)
    assert document.deliver_to is not None
    assert document.deliver_to.lines == ("Jo Doe", "Street 1", "8001 Town", "SCHWEIZ")
    assert "Ausfuhrlieferung" in document.notes[0]


def test_the_delivery_address_stands_in_for_an_empty_billing_address() -> None:
    order = order_of(BECHER)
    order = replace(order, billing=Address(name="Bo Firma", email="bo@example.org"))
    document = invoice_of(order)
    assert document.buyer.lines == ("Bo Firma", "Hafenstr. 3", "22767 Hamburg")


@pytest.mark.parametrize(
    ("total", "refused"), [("250.00", False), ("250.01", True)], ids=["small amount", "above"]
)
def test_the_buyer_may_be_missing_on_small_amounts_only(total: str, refused: bool) -> None:
    nobody = Address(email="x@example.org")
    big = line("1", total, "0.00", rate=None)
    order = replace(order_of(big), billing=nobody, shipping=nobody)
    if refused:
        with pytest.raises(DocumentError, match="buyer_incomplete"):
            invoice_of(order)
    else:
        assert invoice_of(order).buyer.lines == ()


@pytest.mark.parametrize(
    "merchant",
    [
        replace(MERCHANT, name=" "),
        replace(MERCHANT, vat_id="", tax_number=""),
        replace(MERCHANT, address=Address(city="Hamburg", country_code="DE")),
    ],
    ids=["no name", "no tax number", "no street"],
)
def test_an_incomplete_seller_issues_nothing(merchant: object) -> None:
    with pytest.raises(DocumentError, match="seller_incomplete"):
        invoice_of(order_of(BECHER), setup=replace(SETUP, merchant=merchant))


@pytest.mark.parametrize(
    ("total", "refused"),
    [("119.01", False), ("118.99", False), ("119.02", True), ("110.00", True)],
)
def test_only_rounding_may_stand_between_the_sums(total: str, refused: bool) -> None:
    order = order_of(BECHER, total=total)
    if refused:
        with pytest.raises(DocumentError, match="sums_differ"):
            invoice_of(order)
    else:
        document = invoice_of(order)
        assert document.rounding == eur(total) - eur("119.00")
        assert document.net + document.tax + document.rounding == document.total


def test_two_rows_of_one_rate_become_one() -> None:
    shares = (
        TaxShare(rate="0.19", label="MwSt", net=eur("60.00"), tax=eur("11.40")),
        TaxShare(rate="0.19", label="Versand", net=eur("40.00"), tax=eur("7.60")),
    )
    document = invoice_of(order_of(BECHER, tax_by_rate=shares))
    assert [(row.net, row.tax) for row in document.tax_rows] == [(eur("100.00"), eur("19.00"))]


def test_sums_come_from_the_lines_where_the_shop_states_none() -> None:
    document = invoice_of(order_of(BECHER, line("2", "10.00", "0.70", rate="0.07"), tax_by_rate=()))
    assert [(row.rate, row.gross) for row in document.tax_rows] == [
        ("0.19", eur("119.00")),
        ("0.07", eur("10.70")),
    ]


@pytest.mark.parametrize(
    ("said", "default", "language"),
    [
        ("de", "en", "de"),
        ("de_AT", "en", "de"),
        ("en", "de", "en"),
        ("fr", "de", "en"),
        ("", "de", "de"),
    ],
)
def test_the_language_is_the_orders(said: str, default: str, language: str) -> None:
    setup = replace(SETUP, customer=replace(SETUP.customer, default_language=default))
    assert invoice_of(order_of(BECHER, language=said), setup=setup).language == language


@pytest.mark.parametrize(("said", "tip"), [("de", "Trinkgeld"), ("en", "Tip")])
def test_charges_without_a_name_of_the_shop_are_named_in_its_language(said: str, tip: str) -> None:
    rows = (
        line("1", "100.00", "19.00", name="Tip"),  # goods keep the name that the shop gave them
        line("2", "5.00", "0.00", rate=None, kind=LineKind.TIP, name="Tip"),
    )
    document = invoice_of(order_of(*rows, language=said))
    assert [row.text for row in document.lines] == ["Tip", tip]


@pytest.mark.parametrize(
    ("pattern", "number"),
    [
        ("RE-{year}-{n:06d}", "RE-2026-000042"),
        ("{n}", "42"),
        ("R{year}_{n:04}", "R2026_0042"),
    ],
)
def test_numbers_follow_the_pattern(pattern: str, number: str) -> None:
    assert number_pattern_problem(pattern) == ""
    assert format_number(pattern, 2026, 42) == number


@pytest.mark.parametrize(
    "pattern",
    [
        "RE-{year}",
        "RE/{n}",
        "RE {n}",
        "{n!r}",
        "{n.__class__}",
        "{n:x}",
        "{n:>{year}}",
        "{month}-{n}",
        "{n",
        "",
        "R" * 40 + "{n}",
        "RE-{n:099d}",
    ],
)
def test_patterns_that_make_no_good_number_are_refused(pattern: str) -> None:
    assert number_pattern_problem(pattern) != ""
    with pytest.raises(DocumentError, match="number_pattern_invalid"):
        format_number(pattern, 2026, 1)


def test_a_number_that_outgrows_its_field_is_refused() -> None:
    with pytest.raises(DocumentError):
        format_number("R" * 34 + "{n}", 2026, 1000)
    assert AccountingPolicy().invoice_number == "RE-{year}-{n:06d}"
