"""The intake checks of an order: fields, address, destination, amounts, tax, note.

All findings are collected, none stops the next. Pure and total: any order gives findings. What
follows from them is decided elsewhere (domain/stages/intake.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from kette.domain.address import NormalizedAddress, normalize_address
from kette.domain.amount_check import check_amounts
from kette.domain.bank_data import bank_data_findings
from kette.domain.findings import Finding, Severity
from kette.domain.intake_data import IntakeData
from kette.domain.notes import note_findings
from kette.domain.order import Address, Order
from kette.domain.policy import Setup
from kette.domain.tax_check import check_tax, supply_date

_ADDRESS_FIELDS = Address.__struct_fields__
# What a setup may require. "email" and "phone" may stand in either address.
REQUIRED_FIELD_PATHS: tuple[str, ...] = (
    "email",
    "phone",
    "vat_id",
    "payment_method",
    "customer_note",
    *(f"delivery.{field}" for field in _ADDRESS_FIELDS),
    *(f"billing.{field}" for field in _ADDRESS_FIELDS),
)
_MAIL = re.compile(r"[^\s@<>,;]{1,64}@[^\s@<>,;.]{1,63}(?:\.[^\s@<>,;.]{1,63}){1,8}")
_NOT_IN_CODE = re.compile(r"[^0-9A-Z]")
# The field that an address finding speaks about when it says "missing".
_MISSING = {
    "city_missing": "delivery.city",
    "postal_code_missing": "delivery.postal_code",
    "street_missing": "delivery.line1",
    "country_missing": "delivery.country_code",
}


def validate_order(
    order: Order, delivery: Address, setup: Setup, data: IntakeData
) -> tuple[Finding, ...]:
    """Everything that is to be said about an order. delivery: where the goods shall go, a person's
    correction included."""
    address: NormalizedAddress | None = None
    if needs_delivery(order):
        # Shops ask for one mail address, with the bill; it serves the delivery as well.
        reached = msgspec.structs.replace(delivery, email=delivery.email or order.billing.email)
        address = normalize_address(
            reached, data.address, check_house_number=setup.intake.check_house_number
        )
    findings = list(_tested(order, setup))
    findings += list(_required(order, delivery, setup, is_delivered=address is not None))
    if address is not None:
        missing = {finding.field for finding in findings}
        findings += [
            msgspec.structs.replace(finding, field=f"delivery.{finding.field}")
            for finding in address.findings
            if _MISSING.get(finding.code) not in missing
        ]
        findings += _destination(address.country_code, address.postal_code, setup)
    amounts = list(check_amounts(order, setup.intake.tolerance_minor_per_line))
    findings += amounts
    if not any(finding.code == "currency_mixed" for finding in amounts):
        findings += check_tax(order, _ends_at(order, delivery, setup), setup, data.tax)
    if order.customer_note:
        placed_on = supply_date(order.placed_at, setup.merchant.time_zone)
        findings += note_findings(order.customer_note, placed_on, data.notes)
        findings += bank_data_findings(order.customer_note)
    return tuple(findings)


def _tested(order: Order, setup: Setup) -> Iterator[Finding]:
    if order.is_test and not setup.is_trial(order.channel):
        message = "the shop marks this order as a test; nothing is done for it"
        yield Finding("test_order", "is_test", Severity.INFO, message)


def needs_delivery(order: Order) -> bool:
    """Whether a parcel must find the customer: something physical, not picked up in the shop."""
    return bool(order.physical_lines) and not order.is_picked_up


def _ends_at(order: Order, delivery: Address, setup: Setup) -> Address:
    """Where the supply ends. What is fetched in the shop ends there, whatever the customer's
    address: the shop's own tax is right. Without tax the buyer takes it across the border."""
    is_taxed_here = order.is_picked_up and order.total_tax.minor
    return setup.merchant.address if is_taxed_here else delivery


def _required(
    order: Order, delivery: Address, setup: Setup, *, is_delivered: bool
) -> Iterator[Finding]:
    for path in setup.intake.required_fields:
        if path.startswith("delivery.") and not is_delivered:
            continue
        value = _value(order, delivery, path)
        if value is None:
            continue  # the setup file was checked; a path that is not known requires nothing
        if not value.strip():
            message = f"{path} is missing"
            yield Finding(
                "field_missing", path, Severity.ERROR, message, exception_kind="missing_field"
            )
        elif path.endswith("email") and not _MAIL.fullmatch(value.strip()[:400]):
            yield Finding(
                "email_invalid",
                path,
                Severity.ERROR,
                "this is not a mail address",
                before=value[:100],
                exception_kind="missing_field",
            )


def _value(order: Order, delivery: Address, path: str) -> str | None:
    if path == "email":
        return order.billing.email or delivery.email
    if path == "phone":
        return delivery.phone or order.billing.phone
    if path in ("vat_id", "payment_method", "customer_note"):
        return str(getattr(order, path))
    place, _, field = path.partition(".")
    if field not in _ADDRESS_FIELDS or place not in ("delivery", "billing"):
        return None
    address = delivery if place == "delivery" else order.billing
    # A company without a person's name is a name as well.
    if field == "name" and not address.name:
        return address.company
    return str(getattr(address, field))


def _destination(country: str, postal_code: str, setup: Setup) -> Iterator[Finding]:
    if not country:
        return
    intake = setup.intake
    is_allowed = not intake.allowed_countries or country in intake.allowed_countries
    field, where = "country_code", country
    if is_allowed and country not in intake.restricted_countries:
        # As people write them: "BT1 5GS", "9000-123", "D-27498".
        code = f"{country}-" + _NOT_IN_CODE.sub("", postal_code.upper()).removeprefix(country)
        if not any(code.startswith(one) for one in intake.restricted_postcodes):
            return
        field, where = "postal_code", f"{country} {postal_code}"
    yield Finding(
        "destination_restricted",
        f"delivery.{field}",
        Severity.ERROR,
        f"the setup allows no delivery to {where[:80]}",
        before=where[:80],
        exception_kind="restricted_destination",
    )
