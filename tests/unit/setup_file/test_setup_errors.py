"""Every error of a setup file, with line, column, field and what to do.

Each case changes the smallest good file in one place; the place is found by its text, so a line
added above it does not break the expectations.
"""

from __future__ import annotations

import pytest
from kette.setup_file import SetupError, read_setup
from kette.setup_yaml import MAX_BYTES

GOOD = """\
name: minimal
merchant:
  name: Laden GmbH
  address: {line1: Weg 1, postal_code: "20457", city: Hamburg, country_code: DE}
  tax_number: 48/123/45678
systems:
  shop-a:
    kind: woocommerce
    role: shop
    base_url: https://a.example
    secrets:
      webhook: env:A_SECRET
"""


def problems_of(text: str | bytes, **environ: str) -> list[str]:
    data = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(SetupError) as caught:
        read_setup(data, "f.yaml", environ)
    assert str(caught.value) == "\n".join(p.render("f.yaml") for p in caught.value.problems)
    return [problem.render("f.yaml") for problem in caught.value.problems]


def place(text: str, part: str) -> str:
    """LINE:COL of the first place of a part of the text."""
    before = text[: text.index(part)]
    return f"{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"


def test_the_smallest_good_file_is_good() -> None:
    assert read_setup(GOOD.encode(), "f.yaml", {}).merchant.name == "Laden GmbH"


# (text to append or to replace, marked part, path, message)
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


REPLACED = [
    pytest.param(
        "name: minimal\n", "", 1, 1, 'name: is missing (add "name:" here)', id="no name"
    ),
    pytest.param(
        "name: minimal", "name: ''", 1, 7, "name: is empty (fill it in or remove the key)",
        id="empty name",
    ),
    pytest.param(
        "  tax_number: 48/123/45678\n", "", 2, 1,
        "merchant: neither tax_number nor vat_id is given (an invoice must name one of them)",
        id="neither tax number nor VAT id",
    ),
    pytest.param(
        "tax_number: 48/123/45678", "vat_id: DE123456789", 5, 11,
        "merchant.vat_id: not a valid VAT id: The number's checksum or check digit is invalid."
        " (write it with its prefix, such as DE136695976)",
        id="VAT id with a wrong check digit",
    ),
    pytest.param(
        "tax_number: 48/123/45678", "tax_number: 48/123/45678\n  iban: DE02120300000000202052",
        6, 9,
        "merchant.iban: not a valid IBAN: Invalid checksum digits"
        " (compare it with the bank statement)",
        id="IBAN with a wrong check digit",
    ),
    pytest.param(
        "tax_number: 48/123/45678", "tax_number: 48/123/45678\n  time_zone: Berlin", 6, 14,
        "merchant.time_zone: 'Berlin' is not a time zone (use a name such as Europe/Berlin)",
        id="unknown time zone",
    ),
    pytest.param(
        "country_code: DE", "country_code: D", 4, 78,
        "merchant.address.country_code: 'D' is not a country code"
        " (use two capitals of ISO 3166, such as DE)",
        id="country of the merchant",
    ),
    pytest.param(
        ", city: Hamburg", "", 4, 12,
        'merchant.address.city: is missing (add "city:" here)', id="merchant without city",
    ),
    pytest.param(
        "kind: woocommerce", "kind: woocomerce", 8, 11,
        "systems.shop-a.kind: 'woocomerce' is not known (did you mean woocommerce?)",
        id="unknown kind",
    ),
    pytest.param(
        "  shop-a:", "  Shop A:", 7, 3,
        "systems.Shop A: 'Shop A' is not an id (use small letters, digits and -, such as woo-main)",
        id="system id with blank and capital",
    ),
    pytest.param(
        "    base_url: https://a.example\n", "", 7, 3,
        'systems.shop-a.base_url: is missing for woocommerce (add "base_url:")',
        id="no base URL",
    ),
    pytest.param(
        "https://a.example", "https://user:pw@a.example", 10, 5,
        "systems.shop-a.base_url: 'https://user:pw@a.example' is not an address without query,"
        " user or password (write it like https://shop.example)",
        id="password in the base URL",
    ),
    pytest.param(
        "https://a.example", '"https://[::1"', 10, 5,
        "systems.shop-a.base_url: 'https://[::1' has no host and port that can be read"
        " (check host and port)",
        id="half an IPv6 address in the base URL",
    ),
    pytest.param(
        "https://a.example", "https://a.example:99999", 10, 5,
        "systems.shop-a.base_url: 'https://a.example:99999' has no host and port that can be read"
        " (check host and port)",
        id="port out of range in the base URL",
    ),
    pytest.param(
        "https://a.example", "https://a..example", 10, 5,
        "systems.shop-a.base_url: 'https://a..example' has no host that can be called"
        " (check host and port)",
        id="empty label in the base URL",
    ),
    pytest.param(
        "https://a.example", "${A_URL}", 10, 15,
        "systems.shop-a.base_url: environment variable A_URL is not set and has no default"
        " (set it or write ${A_URL:-...})",
        id="environment variable that is not set",
    ),
    pytest.param(
        "https://a.example", '"${A_URL:-https://a.example"', 10, 15,
        "systems.shop-a.base_url: a ${...} is not closed or not named (write ${NAME:-default})",
        id="placeholder that is not closed",
    ),
    pytest.param(
        "env:A_SECRET", "s3cr3t-value", 12, 16,
        "systems.shop-a.secrets.webhook: is not a reference to a secret"
        " (write env:NAME or file:PATH, never the secret itself)",
        id="secret written down",
    ),
    pytest.param(
        "webhook: env:A_SECRET", "webhok: env:A_SECRET", 12, 7,
        "systems.shop-a.secrets.webhok: unknown for woocommerce (did you mean webhook?)",
        id="misspelt secret",
    ),
    pytest.param(
        "webhook: env:A_SECRET", "webhook: [env:A, env:B, env:C]", 12, 16,
        "systems.shop-a.secrets.webhook: expected 1 to 2 entries, found 3 (add or remove entries)",
        id="three secrets at once",
    ),
    pytest.param(
        "role: shop", "role: shop\n    options: {sites: a}", 10, 15,
        "systems.shop-a.options.sites: unknown for woocommerce"
        " (known: vat_id_keys, time_zone, mode)",
        id="option of another kind",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "column", "expected"), REPLACED)
def test_error_in_the_place_of_something_good(
    old: str, new: str, line: int, column: int, expected: str
) -> None:
    assert old in GOOD
    found = problems_of(GOOD.replace(old, new, 1))
    assert f"f.yaml:{line}:{column} {expected}" in found
    assert not any("s3cr3t" in problem for problem in found)


def test_role_that_does_not_fit_the_kind() -> None:
    assert problems_of(GOOD.replace("role: shop", "role: carrier")) == [
        "f.yaml:6:1 systems: no system has the role shop (add the shop)",
        "f.yaml:9:5 systems.shop-a.role: a woocommerce system cannot be 'carrier'"
        " (write role: shop)",
    ]


def test_unknown_system_in_serves() -> None:
    text = GOOD + (
        "  pay:\n    kind: stripe\n    role: payment\n    base_url: https://p.example\n"
        "    serves: [shop-a, shop-b]\n    secrets: {webhook: env:P}\n    options: {mode: demo}\n"
    )
    assert problems_of(text) == [
        "f.yaml:17:22 systems.pay.serves[1]: 'shop-b' is not a shop of this file"
        " (did you mean shop-a?)",
        "f.yaml:19:15 systems.pay.options.mode: 'demo' is not valid here (must match live|test)",
    ]


def test_mail_system_needs_sender_and_owners() -> None:
    text = GOOD + (
        "  mail:\n    kind: smtp\n    role: mail\n    base_url: http://mail.example\n"
        "exceptions:\n  owners: {chargeback: fraud}\n"
    )
    assert problems_of(text) == [
        "f.yaml:1:1 customer.mail_from: is missing: customers get mails"
        ' (add "mail_from:" or set notices: [])',
        "f.yaml:16:5 systems.mail.base_url: 'http://mail.example' is not an address without query,"
        " user or password (write it like smtp://mail.example:587)",
        "f.yaml:17:1 exceptions: the default owner 'operations' has no address in"
        " exceptions.owner_mails (add the address)",
        "f.yaml:18:12 exceptions.owners.chargeback: 'fraud' has no address in"
        " exceptions.owner_mails (add the address)",
    ]


def test_archive_folder_needs_a_path() -> None:
    text = GOOD + "  archive: {kind: folder, role: archive, base_url: https://x.example}\n"
    assert problems_of(text) == [
        "f.yaml:13:3 systems.archive.options.path: is missing for folder"
        ' (add "path:" below options)',
        "f.yaml:13:42 systems.archive.base_url: a folder system has no base_url (remove it)",
    ]


def test_missing_secret_names_the_kind() -> None:
    text = GOOD.replace("    secrets:\n      webhook: env:A_SECRET\n", "")
    assert problems_of(text) == [
        "f.yaml:7:3 systems.shop-a.secrets.webhook: is missing for woocommerce"
        ' (add "webhook: env:NAME" below secrets)'
    ]


def test_all_errors_come_in_one_go_sorted_by_line() -> None:
    text = (
        GOOD.replace("minimal", "''").replace("kind: woo", "kind: wuu") + "risk: {block_from: x}\n"
    )
    found = problems_of(text)
    assert [problem.split(" ")[0] for problem in found] == [
        "f.yaml:1:7", "f.yaml:8:11", "f.yaml:13:20",
    ]  # fmt: skip


BOMB = "a: &a [x]\nb: &b [*a, *a, *a, *a]\nc: [*b, *b, *b, *b]\n"
UNREADABLE = [
    pytest.param(b"", "1:1 the file is empty (start from a ready setup)", id="empty file"),
    pytest.param(b"# only\n",
                 "1:1 the file is empty (start from a ready setup)", id="comments only"),
    pytest.param(b"null\n", "1:1 expected keys such as name, merchant, systems (indent them below)",
                 id="null document"),
    pytest.param(b"name: M\xfcller\n",
                 "1:8 byte 0xfc is not UTF-8 (save the file with encoding UTF-8)",
                 id="Latin-1"),
    pytest.param(BOMB.encode(), "1:4 anchor &a is not allowed (write the value out in each place)",
                 id="alias bomb"),
    pytest.param(b"a: *x\n", "1:4 alias *x is not allowed (write the value out in each place)",
                 id="alias without anchor"),
    pytest.param(b"a: !!python/object:os.system x\n",
                 "1:4 tag tag:yaml.org,2002:python/object:os.system is not allowed"
                 " (write a plain value)", id="tag"),
    pytest.param(b"a: b\n---\nc: d\n", "2:1 a second document begins here"
                 " (keep one document per file, without ---)", id="two documents"),
    pytest.param(b"[" * 5000, "1:13 nested deeper than 12 levels (a setup has at most five levels)",
                 id="deep nesting"),
    pytest.param(b"a: [1\nb: 2\n", "2:2 not readable as YAML: expected ',' or ']', but got ':'"
                 " (check indent and quotes)", id="bracket not closed"),
    pytest.param(b"a:\n\tb: 1\n", "2:1 a tab cannot indent (indent with blanks)", id="tab"),
    pytest.param(b"name: a\x00b\n", "1:8 a control character is not allowed in YAML"
                 " (delete the character)", id="zero byte"),
    pytest.param(b"a" * (MAX_BYTES + 1), f"1:1 the file has {MAX_BYTES + 1} bytes, more than"
                 f" {MAX_BYTES} (a setup has some hundred lines: is it the file?)", id="too large"),
    pytest.param(b"a: [" + b"1," * 60_000 + b"1]", "1:99997 more than 50000 values"
                 " (a setup has some hundred lines: is it the file?)", id="too many values"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "expected"), UNREADABLE)
def test_file_that_cannot_be_read(data: bytes, expected: str) -> None:
    assert problems_of(data) == [f"f.yaml:{expected}"]
