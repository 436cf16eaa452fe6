"""Errors in a section that is added to the smallest good setup file."""

from __future__ import annotations

import pytest
from kette.setup_file import read_setup
from support.setup_files import GOOD, place, problems_of

# text to append, marked part, path and message
APPENDED = [
    pytest.param(
        "intake:\n  vat_check: warn\n",
        "vat_check",
        "intake.vat_check: nobody can be asked about VAT ids "
        "(add a system of kind vies, or write off)",
        id="a register that is not there",
    ),
    pytest.param(
        "intake:\n  duplicate_windo: 1h\n",
        "duplicate_windo",
        "intake.duplicate_windo: unknown key 'duplicate_windo' (did you mean duplicate_window?)",
        id="unknown key names its nearest match",
    ),
    pytest.param(
        "paiment: {}\n",
        "paiment",
        "paiment: unknown key 'paiment' (did you mean payment?)",
        id="unknown section",
    ),
    pytest.param(
        "intake: [email]\n",
        "[email]",
        "intake: expected keys such as required_fields, duplicate_window, allowed_countries"
        " (indent them below)",
        id="list instead of a section",
    ),
    pytest.param(
        "intake:\n  required_fields: email\n",
        "email\n",
        "intake.required_fields: expected a list (write [a, b] or one - per line)",
        id="value instead of a list",
    ),
    pytest.param(
        "intake:\n  required_fields: [emial]\n",
        "emial",
        "intake.required_fields[0]: 'emial' is not known (did you mean email?)",
        id="required field that does not exist",
    ),
    pytest.param(
        "intake:\n  required_fields: [email, phone, email]\n",
        "email]",
        "intake.required_fields[2]: email is listed twice (remove one)",
        id="listed twice",
    ),
    pytest.param(
        "intake:\n  check_house_number: maybe\n",
        "maybe",
        "intake.check_house_number: 'maybe' is no yes or no (write true/false)",
        id="no boolean",
    ),
    pytest.param(
        "intake:\n  tolerance_minor_per_line: 1.5\n",
        "1.5",
        "intake.tolerance_minor_per_line: '1.5' is not a whole number"
        " (write a number from 0 to 100)",
        id="fraction where a whole number is due",
    ),
    pytest.param(
        "intake:\n  tolerance_minor_per_line: 101\n",
        "101",
        "intake.tolerance_minor_per_line: 101 is out of range (write a number from 0 to 100)",
        id="number out of range",
    ),
    pytest.param(
        "intake:\n  duplicate_window: PT2H\n",
        "PT2H",
        "intake.duplicate_window: 'PT2H' is not a duration"
        " (write it like 30s, 90m, 2h, 3d or 1d12h)",
        id="duration in ISO form",
    ),
    pytest.param(
        "intake:\n  duplicate_window: 60\n",
        "60",
        "intake.duplicate_window: '60' is not a duration"
        " (write it like 30s, 90m, 2h, 3d or 1d12h)",
        id="duration without unit",
    ),
    pytest.param(
        "intake:\n  duplicate_window: 0s\n",
        "0s",
        "intake.duplicate_window: 0s is out of range (use 1s to 10 years)",
        id="duration of nothing",
    ),
    pytest.param(
        "intake:\n  allowed_countries: [DE, de]\n",
        "de]",
        "intake.allowed_countries[1]: 'de' is not a country code"
        " (use two capitals of ISO 3166, such as DE)",
        id="country code in small letters",
    ),
    pytest.param(
        "intake:\n  allowed_countries: [XX]\n",
        "XX",
        "intake.allowed_countries[0]: 'XX' is not a country code"
        " (use two capitals of ISO 3166, such as DE)",
        id="country that does not exist",
    ),
    pytest.param(
        "intake:\n  allowed_countries: [DE]\n  restricted_countries: [AT, DE]\n",
        "DE]\n#",
        "intake.restricted_countries[1]: DE is allowed and restricted (keep it in one list)",
        id="country both allowed and restricted",
    ),
    pytest.param(
        "intake:\n  restricted_postcodes: [35]\n",
        "35]",
        "intake.restricted_postcodes[0]: '35' is not valid here"
        " (write country and how the code begins: ES-35)",
        id="postcode without its country",
    ),
    pytest.param(
        "risk:\n  high_value: 100 Euro\n",
        "100 Euro",
        "risk.high_value: 'Euro' is not a currency (write it like \"100.00 EUR\")",
        id="amount with a word for the currency",
    ),
    pytest.param(
        "risk:\n  high_value: 100.00\n",
        "100.00",
        "risk.high_value: '100.00' is not an amount with currency (write it like \"100.00 EUR\")",
        id="amount without currency",
    ),
    pytest.param(
        "risk:\n  high_value: 100,00 EUR\n",
        "100,00",
        "risk.high_value: amount '100,00' is not a decimal string such as 119.00"
        ' (write it like "100.00 EUR")',
        id="amount with a comma",
    ),
    pytest.param(
        "risk:\n  high_value: 1.999 EUR\n",
        "1.999",
        "risk.high_value: amount '1.999' has more than 2 decimal places"
        ' (write it like "100.00 EUR")',
        id="amount with thousandths",
    ),
    pytest.param(
        "risk:\n  high_value: -1.00 EUR\n",
        "-1.00",
        'risk.high_value: must not be negative (write it like "100.00 EUR")',
        id="negative amount",
    ),
    pytest.param(
        "risk:\n  weights: {hihg_value: 5}\n",
        "hihg_value",
        "risk.weights.hihg_value: 'hihg_value' is not a risk signal (did you mean high_value?)",
        id="weight of an unknown signal",
    ),
    pytest.param(
        "risk:\n  limits: {orders_card: 21}\n",
        "21}",
        "risk.limits.orders_card: 21 is out of range (write a number from 2 to 20)",
        id="more orders than are looked at",
    ),
    pytest.param(
        "risk:\n  limits: {provider_elevated: 80}\n",
        "limits",
        "risk.limits: provider_elevated 80 is above provider_highest"
        " (write the lower score as elevated)",
        id="elevated above highest",
    ),
    pytest.param(
        "risk:\n  review_from: 95\n",
        "review_from",
        "risk.review_from: review_from 95 is above block_from 90"
        " (block only what is also reviewed)",
        id="review above block",
    ),
    pytest.param(
        "payment:\n  reminders_after: [7d, 3d]\n",
        "reminders_after",
        "payment.reminders_after: the times do not rise (write the earliest first)",
        id="reminders in wrong order",
    ),
    pytest.param(
        "payment:\n  cancel_after: 2d\n",
        "payment:",
        "payment.reminders_after: the last reminder is not before cancel_after"
        " (cancel later or remind earlier)",
        id="cancelled before the last reminder",
    ),
    pytest.param(
        "payment:\n  prepaid_methods: [cod]\n",
        "prepaid_methods",
        "payment.prepaid_methods: 'cod' is both prepaid and pay-later (keep it in one list)",
        id="method in both lists",
    ),
    pytest.param(
        "payment:\n  shop_refunds_moved_by: bank\n",
        "bank",
        "payment.shop_refunds_moved_by: 'bank' is not known (known: shop, kette)",
        id="unknown choice lists what is known",
    ),
    pytest.param(
        "accounting:\n  invoice_number: RE-{year}\n",
        "RE-",
        "accounting.invoice_number: has no {n}: documents would share a number"
        ' (write it like "RE-{year}-{n:06d}")',
        id="invoice number without counter",
    ),
    pytest.param(
        "accounting:\n  invoice_number: RE-{n}-{n}\n",
        "RE-",
        "accounting.invoice_number: has {n} twice: documents would share a number"
        ' (write it like "RE-{year}-{n:06d}")',
        id="invoice number with two counters",
    ),
    pytest.param(
        "accounting:\n  invoice_number: RE-{month}-{n}\n",
        "RE-",
        "accounting.invoice_number: {month} is not known"
        ' (write it like "RE-{year}-{n:06d}")',
        id="invoice number with an unknown part",
    ),
    pytest.param(
        "accounting:\n  invoice_number: RE/{n}\n",
        "RE/",
        "accounting.invoice_number: may hold letters, digits, - and _ only"
        ' (write it like "RE-{year}-{n:06d}")',
        id="invoice number that is no file name",
    ),
    pytest.param(
        "accounting:\n  credit_note_number: RE-{year}-{n:04d}\n",
        "credit_note_number",
        "accounting.credit_note_number: makes the same numbers as invoice_number"
        " (use another prefix)",
        id="both ranges make the same numbers",
    ),
    pytest.param(
        "customer:\n  notices: [shiped]\n",
        "shiped",
        "customer.notices[0]: 'shiped' is not known (did you mean shipped?)",
        id="unknown notice",
    ),
    pytest.param(
        "customer:\n  mail_from: shop\n",
        "shop\n#",
        "customer.mail_from: 'shop' is not valid here (write it like shop@example.org)",
        id="no mail address",
    ),
    pytest.param(
        "exceptions:\n  owners: {chargebak: operations}\n",
        "chargebak",
        "exceptions.owners.chargebak: 'chargebak' is not an exception kind"
        " (did you mean chargeback?)",
        id="unknown exception kind",
    ),
    pytest.param(
        "actions:\n  backoff: []\n",
        "[]",
        "actions.backoff: expected 1 to 50 entries, found 0 (add or remove entries)",
        id="empty list where one entry is due",
    ),
    pytest.param(
        "name: again\n",
        "name: again",
        "name: comes twice, first in line 1 (keep one of them)",
        id="key twice",
    ),
    pytest.param(
        "intake:\n", "\n#", "intake: expected keys such as required_fields, duplicate_window,"
        " allowed_countries (indent them below)", id="section without content",
    ),
    pytest.param(
        "approvals:\n  mail_owner:\n",
        "\n#",
        "approvals.mail_owner: has no value (fill it in or remove the key)",
        id="key without value",
    ),
    pytest.param(
        "approvals:\n  mail_owner: [a]\n",
        "[a]",
        "approvals.mail_owner: expected one value, found a list (write one value)",
        id="list where one value is due",
    ),
    pytest.param(
        "? [a]\n: b\n",
        "[a]",
        "a key must be a word (write key: value)",
        id="key that is a list",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("appended", "mark", "expected"), APPENDED)
def test_error_in_an_added_section(appended: str, mark: str, expected: str) -> None:
    text = GOOD + appended + "#\n"
    inside = text[len(GOOD) :]
    where = place(inside, mark).split(":")
    line = int(where[0]) + GOOD.count("\n")
    assert problems_of(text) == [f"f.yaml:{line}:{where[1]} {expected}"]


def test_a_register_gives_no_proof_to_who_has_no_vat_id() -> None:
    register = "  vies: {kind: vies, role: tax, base_url: https://vies.example}\n"
    (problem,) = problems_of(GOOD + register)
    assert problem.partition(" ")[2] == (
        "merchant.vat_id: is missing: without it VIES gives no consultation number, which is the "
        "proof (add it, or set intake.vat_check: off)"
    )
    assert problems_free(GOOD + register + "intake: {vat_check: off}\n")
    assert problems_free(
        GOOD.replace("  tax_number", "  vat_id: DE111111125\n  tax_number") + register
    )


def problems_free(text: str) -> bool:
    return read_setup(text.encode(), "f.yaml", {}).systems["vies"].role == "tax"
