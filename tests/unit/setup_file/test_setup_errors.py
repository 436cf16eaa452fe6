"""Every error of a setup file, with line, column, field and what to do.

Each case changes the smallest good file in one place; the place is found by its text, so a line
added above it does not break the expectations.
"""

from __future__ import annotations

import pytest
from kette.setup_file import read_setup
from kette.setup_yaml import MAX_BYTES
from support.setup_files import GOOD, problems_of


def test_the_smallest_good_file_is_good() -> None:
    assert read_setup(GOOD.encode(), "f.yaml", {}).merchant.name == "Laden GmbH"


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


def test_unknown_system_in_serves_that_is_no_list() -> None:
    """It was reported for the line of the system."""
    text = GOOD + (
        "  pay:\n    kind: stripe\n    role: payment\n    base_url: https://p.example\n"
        "    secrets: {webhook: env:P}\n    serves: shop-b\n"
    )
    assert problems_of(text) == [
        "f.yaml:18:5 systems.pay.serves[0]: 'shop-b' is not a shop of this file"
        " (did you mean shop-a?)",
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
