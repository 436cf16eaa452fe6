"""Every key of a setup file: one table per section, in the order of `kette.domain.policy`.

Durations and amounts are written for people ("3d", "100.00 EUR") and become seconds and Money; a
key whose attribute carries a unit (`cancel_after` -> `cancel_after_s`) names its target here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import msgspec
import yaml

from kette.domain.order import Address
from kette.domain.validation import REQUIRED_FIELD_PATHS
from kette.domain.vat_check import MODES
from kette.setup_schema import (
    INVALID,
    Field,
    Reader,
    Reading,
    boolean,
    choice,
    country,
    did_you_mean,
    duration,
    expandable,
    iban,
    integer,
    list_of,
    mail_address,
    mapping_of,
    money,
    secret_reference,
    section,
    text,
    time_zone,
    vat_id,
)

ROLES = ("shop", "payment", "carrier", "mail", "archive", "automation", "tax")
LANGUAGES = ("de", "en")
EXCEPTION_KINDS = (
    "missing_field",
    "invalid_address",
    "special_note",
    "duplicate_order",
    "amount_mismatch",
    "tax_mismatch",
    "vat_id_invalid",
    "risk_review",
    "dispute_inquiry",
    "payment_open",
    "payment_failed",
    "chargeback",
    "out_of_stock",
    "fulfillment_blocked",
    "shipment_late",
    "changed_after_fulfillment",
    "cancelled_after_shipment",
    "return_overdue",
    "return_differs",
    "refund_needs_approval",
    "invoice_failed",
    "payout_mismatch",
    "payout_unmatched",
    "action_failed",
    "payload_unknown",
    "source_silent",
    "order_stuck",
    "restricted_destination",
)
NOTICES = (
    "confirmation",
    "payment_reminder",
    "shipped",
    "tracking",
    "delayed",
    "partially_shipped",
    "delivered",
    "cancelled",
    "return_received",
    "refunded",
)
_HTTP = r"https?://[^\s/?#@]+(?:/[^\s?#]*)?"
_SMTP = r"smtp(?:s|\+starttls)?://[^\s/?#@]+/?"


class KindRule(msgspec.Struct, frozen=True):
    """What a kind of system needs: role, base URL, names of secrets, names of options."""

    role: str
    base_url: str = ""  # pattern; empty = the kind has none
    needs_base_url: bool = True
    needs_secrets: tuple[str, ...] = ()
    may_have_secrets: tuple[str, ...] = ()
    options: dict[str, str] = {}  # name -> pattern of the value
    needs_options: tuple[str, ...] = ()


KINDS: dict[str, KindRule] = {
    "woocommerce": KindRule(
        role="shop",
        base_url=_HTTP,
        needs_secrets=("webhook",),
        may_have_secrets=("consumer_key", "consumer_secret"),
        options={
            "vat_id_keys": r"[^,\s]{1,100}(?:[,\s]+[^,\s]{1,100}){0,9}",
            "time_zone": r"[A-Za-z]{1,20}(?:/[A-Za-z0-9_+-]{1,30}){0,2}",
            "mode": "live|test",
        },
    ),
    "shopify": KindRule(
        role="shop",
        base_url=_HTTP,
        needs_secrets=("webhook",),
        may_have_secrets=("access_token",),
        options={
            "vat_id_keys": r"[^,\s]{1,100}(?:[,\s]+[^,\s]{1,100}){0,9}",
            "shop_domain": r"[a-z0-9][a-z0-9-]{0,60}\.myshopify\.com",
            "payments_by": "shop|provider",
            "mode": "live|test",
        },
    ),
    "shopware": KindRule(
        role="shop",
        base_url=_HTTP,
        needs_secrets=("webhook",),
        may_have_secrets=("client_id", "client_secret"),
        options={
            "shop_id": r"[A-Za-z0-9]{1,60}(?:[,\s]+[A-Za-z0-9]{1,60}){0,4}",
            "signature_max_age_s": r"[1-9][0-9]{1,6}",
            "storefront_url": _HTTP,
            "offline_methods": r"[^,\s]{1,100}(?:[,\s]+[^,\s]{1,100}){0,19}",
            "test_sales_channels": r"[0-9a-f]{32}(?:[,\s]+[0-9a-f]{32}){0,19}",
            "mode": "live|test",
        },
    ),
    "stripe": KindRule(
        role="payment",
        base_url=_HTTP,
        needs_secrets=("webhook",),
        may_have_secrets=("api_key",),
        options={
            "mode": "live|test",
            "sites": r"[a-z0-9-]+=[^\s,=]+(?:[,\s]+[a-z0-9-]+=[^\s,=]+){0,49}",
        },
    ),
    "sendcloud": KindRule(
        role="carrier",
        base_url=_HTTP,
        needs_secrets=("webhook",),
        may_have_secrets=("public_key", "secret_key"),
        options={"event_auth": "basic|bearer|api_key", "event_auth_header": "[A-Za-z0-9-]{1,60}"},
    ),
    "smtp": KindRule(
        role="mail",
        base_url=_SMTP,
        may_have_secrets=("password",),
        options={
            "security": "none|starttls|ssl",
            "username": r"\S{1,200}",
            "timeout_s": r"[1-9][0-9]{0,2}",
            "ca_file": r"\S.*",
            "hello_name": r"[A-Za-z0-9.-]{1,200}",
        },
    ),
    "folder": KindRule(
        role="archive",
        needs_base_url=False,
        options={"path": r"\S.*"},
        needs_options=("path",),
    ),
    "s3": KindRule(
        role="archive",
        base_url=_HTTP,
        needs_base_url=False,
        may_have_secrets=("access_key", "secret_key"),
        options={
            "bucket": r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
            "region": r"[a-z0-9-]{2,30}",
            "prefix": r"[\w./-]{1,200}",
        },
        needs_options=("bucket",),
    ),
    "n8n": KindRule(role="automation", base_url=_HTTP, needs_base_url=False),
    "vies": KindRule(role="tax", base_url=_HTTP),
}


def known_key(options: Iterable[str], noun: str) -> Callable[[str], str]:
    """For mapping_of: the key must be one of the options."""
    known = tuple(options)

    def check(key: str) -> str:
        return "" if key in known else f"{key!r} is not {noun} | {did_you_mean(key, known)}"

    return check


def _is_id(key: str) -> str:
    if re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", key):
        return ""
    return f"{key!r} is not an id | use small letters, digits and -, such as woo-main"


def _is_word(key: str) -> str:
    if re.fullmatch(r"[A-Za-z][\w-]{0,39}", key):
        return ""
    return f"{key!r} is not a name | use letters, digits, _ and -"


def _cancel_after(node: yaml.Node, path: str, reading: Reading) -> object:
    if isinstance(node, yaml.ScalarNode) and node.value == "never":
        return None
    return duration(node, path, reading)


def _number_pattern(node: yaml.Node, path: str, reading: Reading) -> object:
    """A number range: {n} counts, {year} is the year of issue; nothing else is filled in.

    The signs are those that DATEV takes in Belegfeld 1, less those that a file name must not hold.
    """
    value = text(most=36)(node, path, reading)
    if not isinstance(value, str):
        return INVALID
    hint = 'write it like "RE-{year}-{n:06d}"'
    fields = re.findall(r"\{([^{}]*)\}", value)
    rest = re.sub(r"\{[^{}]*\}", "", value)
    counters = [field for field in fields if re.fullmatch(r"n(?::0[1-9]d)?", field)]
    unknown = [field for field in fields if field not in counters and field != "year"]
    if unknown:
        return reading.report(node, path, f"{{{unknown[0]}}} is not known", hint)
    if len(counters) != 1:
        message = "has no {n}" if not counters else "has {n} twice"
        return reading.report(node, path, f"{message}: documents would share a number", hint)
    if not re.fullmatch(r"[A-Za-z0-9_-]*", rest):
        return reading.report(node, path, "may hold letters, digits, - and _ only", hint)
    longest = value.replace("{year}", "2026")
    if len(re.sub(r"\{n[^{}]*\}", "000000000", longest)) > 36:
        return reading.report(node, path, "makes numbers of more than 36 signs", "shorten it")
    return value


ADDRESS = section(
    {
        "name": Field(text()),
        "company": Field(text()),
        "line1": Field(text(), required=True),
        "line2": Field(text()),
        "postal_code": Field(text(most=20), required=True),
        "city": Field(text(), required=True),
        "region": Field(text()),
        "country_code": Field(country, required=True),
        "phone": Field(text(r"[+0-9][0-9 ()/.-]{3,30}", "write it like +49 40 123456")),
        "email": Field(mail_address),
    }
)


def read_address(node: yaml.Node, path: str, reading: Reading) -> object:
    values = ADDRESS(node, path, reading)
    return INVALID if values is INVALID else Address(**values)


def _silent_after(node: yaml.Node, path: str, reading: Reading) -> object:
    if isinstance(node, yaml.ScalarNode) and node.value == "never":
        return None
    return duration(node, path, reading)


_PULL = section(
    {
        "overlap": Field(duration, "overlap_s"),
        "first_window": Field(duration, "first_window_s"),
        "silent_after": Field(_silent_after, "silent_after_s"),
        "page_size": Field(integer(1, 250)),
    }
)
_SYSTEM = section(
    {
        "kind": Field(choice(KINDS), required=True),
        "role": Field(choice(ROLES), required=True),
        "base_url": Field(expandable()),
        "serves": Field(list_of(text(most=40), or_one=True)),
        "secrets": Field(
            mapping_of(_is_word, list_of(secret_reference, least=1, most=2, or_one=True))
        ),
        "options": Field(mapping_of(_is_word, expandable())),
        "pull": Field(_PULL),
    }
)
_MERCHANT = section(
    {
        "name": Field(text(), required=True),
        "address": Field(read_address, required=True),
        "tax_number": Field(text(r"[0-9 /.-]{8,20}", "write it like 48/123/45678")),
        "vat_id": Field(vat_id),
        "register": Field(text()),
        "iban": Field(iban),
        "bank_name": Field(text()),
        "website": Field(text(_HTTP, "write it like https://shop.example")),
        "language": Field(choice(LANGUAGES)),
        "time_zone": Field(time_zone),
        "small_business": Field(boolean),
    }
)
_INTAKE = section(
    {
        "required_fields": Field(list_of(choice(REQUIRED_FIELD_PATHS))),
        "duplicate_window": Field(duration, "duplicate_window_s"),
        "allowed_countries": Field(list_of(country)),
        "restricted_countries": Field(list_of(country)),
        "restricted_postcodes": Field(
            list_of(text("[A-Z]{2}-[0-9A-Z]{1,10}", "write country and how the code begins: ES-35"))
        ),
        "tolerance_minor_per_line": Field(integer(0, 100)),
        "check_house_number": Field(boolean),
        "vat_check": Field(choice(MODES)),
        "vat_check_wait": Field(duration, "vat_check_wait_s"),
        "vat_check_max_age": Field(duration, "vat_check_max_age_s"),
    }
)
_PAYMENT = section(
    {
        "pay_later_methods": Field(list_of(text(most=80))),
        "prepaid_methods": Field(list_of(text(most=80))),
        "reminders_after": Field(list_of(duration, most=10), "reminders_after_s"),
        "cancel_after": Field(_cancel_after, "cancel_after_s"),
        "timer_exempt_origins": Field(list_of(text(most=80))),
        "shop_refunds_moved_by": Field(choice(("shop", "kette"))),
        "shop_refund_wait": Field(duration, "shop_refund_wait_s"),
        "authorization_alert_before": Field(duration, "authorization_alert_before_s"),
        "mirror_holds": Field(boolean),
    }
)
_FULFILLMENT = section(
    {
        "check_stock": Field(boolean),
        "partial_delivery": Field(boolean),
        "ship_within": Field(duration, "ship_within_s"),
        "ship_on_authorization": Field(boolean),
        "complete_in_shop": Field(boolean),
        "default_weight_g": Field(integer(1, 1_000_000)),
    }
)
_ACCOUNTING = section(
    {
        "invoice_at": Field(choice(("shipment", "payment"))),
        "invoice_number": Field(_number_pattern),
        "credit_note_number": Field(_number_pattern),
        "payment_term_days": Field(integer(0, 365)),
        "oss": Field(boolean),
    }
)
_CUSTOMER = section(
    {
        "notices": Field(list_of(choice(NOTICES))),
        "default_language": Field(choice(LANGUAGES)),
        "mail_from": Field(mail_address),
        "reply_to": Field(mail_address),
    }
)
_APPROVALS = section({"refund_over": Field(money), "mail_owner": Field(text(most=40))})
_EXCEPTIONS = section(
    {
        "owners": Field(mapping_of(known_key(EXCEPTION_KINDS, "an exception kind"), text(most=40))),
        "limits": Field(
            mapping_of(known_key(EXCEPTION_KINDS, "an exception kind"), duration),
            "limits_s",
        ),
        "default_owner": Field(text(most=40)),
        "default_limit": Field(duration, "default_limit_s"),
        "owner_mails": Field(mapping_of(_is_word, mail_address)),
    }
)
_ACTIONS = section(
    {
        "max_attempts": Field(integer(1, 50)),
        "lease": Field(duration, "lease_s"),
        "backoff": Field(list_of(duration, least=1, most=50), "backoff_s"),
        "batch_max": Field(integer(1, 1000)),
        "pushes_in_flight": Field(integer(1, 50)),
    }
)


# At most as many orders as are looked at of one customer, address and card.
_RISK_LIMITS = section(
    {
        "orders_mail": Field(integer(2, 100)),
        "orders_address": Field(integer(2, 20)),
        "orders_card": Field(integer(2, 20)),
        "failed_attempts": Field(integer(1, 50)),
        "known_customer_orders": Field(integer(1, 100)),
        "value_over_median": Field(integer(2, 1000)),
        "provider_elevated": Field(integer(1, 100)),
        "provider_highest": Field(integer(1, 100)),
    }
)


def setup_reader(risk_codes: Iterable[str]) -> Reader:
    """The reader of a whole file. risk_codes: the weights that a setup may override."""
    weights = mapping_of(known_key(risk_codes, "a risk signal"), integer(-100, 100))
    risk = section(
        {
            "review_from": Field(integer(1, 100)),
            "block_from": Field(integer(1, 100)),
            "high_value": Field(money),
            "weights": Field(weights),
            "limits": Field(_RISK_LIMITS),
            "version": Field(text(most=40)),
        }
    )
    return section(
        {
            "name": Field(text(most=80), required=True),
            "merchant": Field(_MERCHANT, required=True),
            "systems": Field(mapping_of(_is_id, _SYSTEM), required=True),
            "intake": Field(_INTAKE),
            "risk": Field(risk),
            "payment": Field(_PAYMENT),
            "fulfillment": Field(_FULFILLMENT),
            "accounting": Field(_ACCOUNTING),
            "customer": Field(_CUSTOMER),
            "approvals": Field(_APPROVALS),
            "exceptions": Field(_EXCEPTIONS),
            "actions": Field(_ACTIONS),
        }
    )
