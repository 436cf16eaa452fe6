"""Addresses and VAT ids of a Shopware order."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from kette.adapters.vendors.fields import FieldError, line_of_text, mapping, objects
from kette.domain.order import Address

Row = Mapping[str, Any]

_NOT_IN_VAT_ID = re.compile(r"[\s.\-/]")


def billing_address(order: Row) -> Address:
    """The billing address with the customer's mail address; the customer's name where the address
    has none."""
    customer = mapping(order.get("orderCustomer"))
    told = mapping(order.get("billingAddress")) or _by_id(order, order.get("billingAddressId"))
    email = line_of_text(customer.get("email"))
    found = _address(told, email)
    if found.name or found.company:
        return found
    return msgspec.structs.replace(
        found, name=_name(customer), company=line_of_text(customer.get("company"))
    )


def shipping_address(order: Row, delivery: Row) -> Address:
    """Where the main delivery goes. Empty for an order of downloads. Raises FieldError for an
    address that the delivery names and nothing tells: it need not be the billing address."""
    named = delivery.get("shippingOrderAddressId")
    told = mapping(delivery.get("shippingOrderAddress")) or _by_id(order, named)
    if line_of_text(named) and not told:
        where = "deliveries.shippingOrderAddress"
        raise FieldError(where, "missing; the association was not asked for")
    return _address(told, "")


def vat_id(order: Row) -> str:
    """The customer's VAT id as it was at the order; before 6.4 it stood in the address."""
    told = mapping(order.get("orderCustomer")).get("vatIds")
    ids = told if isinstance(told, list) else list(mapping(told).values())
    address = mapping(order.get("billingAddress")) or _by_id(order, order.get("billingAddressId"))
    for value in (*ids, address.get("vatId")):
        found = _NOT_IN_VAT_ID.sub("", line_of_text(value)).upper()
        if 4 <= len(found) <= 20 and any(c.isdigit() for c in found):
            return found
    return ""


def _by_id(order: Row, address_id: object) -> Row:
    wanted = line_of_text(address_id)
    rows = objects(order.get("addresses"))
    return next((row for row in rows if wanted and line_of_text(row.get("id")) == wanted), {})


def _address(told: Row, email: str) -> Address:
    extra = ("department", "additionalAddressLine1", "additionalAddressLine2")
    lines = [line for name in extra if (line := line_of_text(told.get(name)))]
    country = line_of_text(mapping(told.get("country")).get("iso")).upper()
    return Address(
        name=_name(told),
        company=line_of_text(told.get("company")),
        line1=line_of_text(told.get("street")),
        line2=", ".join(lines),
        postal_code=line_of_text(told.get("zipcode")),
        city=line_of_text(told.get("city")),
        region=_region(told, country),
        country_code=country,
        phone=line_of_text(told.get("phoneNumber")),
        email=email,
    )


def _name(told: Row) -> str:
    names = (line_of_text(told.get(name)) for name in ("title", "firstName", "lastName"))
    return " ".join(name for name in names if name)


def _region(told: Row, country: str) -> str:
    """ "DE-NW" is region NW of DE; other shops give the region alone."""
    code = line_of_text(mapping(told.get("countryState")).get("shortCode"))
    return code.removeprefix(f"{country}-")
