"""Stock of Shopware products.

Since 6.6 an order takes its pieces out of `stock` when it is placed; before, out of
`availableStock` only. Both say what is left after all open orders. A product that is no clearance
sale may be ordered beyond its stock: the count then goes below zero.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from math import floor
from typing import Any

import msgspec

from kette.adapters.vendors import fields
from kette.adapters.vendors.fields import FieldError, line_of_text
from kette.adapters.vendors.shopware.numbers import number
from kette.adapters.vendors.shopware.payments import changed_at
from kette.domain.facts import FactDraft, ProductReported


def read_product(row: Mapping[str, Any], product_id: str, version: str) -> ProductReported:
    """A count that cannot be read is no count."""
    quantity = _count(row.get("availableStock"))
    if quantity is None:
        quantity = _count(row.get("stock"))
    beyond = row.get("isCloseout") is False
    return ProductReported(
        product_id=product_id,
        sku=line_of_text(row.get("productNumber")),
        version=version,
        stock_quantity=quantity,
        in_stock=row.get("active") is not False and (beyond or quantity is None or quantity > 0),
        backorders_allowed=beyond,
    )


def product_draft(row: Mapping[str, Any]) -> FactDraft:
    """Raises FieldError."""
    product_id = fields.required_name(row.get("id"), "id")
    modified = changed_at(row)
    if modified is None:
        raise FieldError("updatedAt", "missing or not a time, and createdAt as well")
    body = read_product(row, product_id, "")
    digest = hashlib.sha256(msgspec.json.encode(body)).hexdigest()[:12]
    moment = f"{modified:%Y-%m-%dT%H:%M:%S}.{modified.microsecond:06}Z"
    told = msgspec.structs.replace(body, version=f"{moment}.{digest}")
    return FactDraft(f"product:{product_id}@{moment}#{digest}", modified, told)


def erased_product(product_id: str, at: datetime) -> ProductReported:
    """What is not there any more cannot be sold."""
    return ProductReported(
        product_id=product_id,
        sku="",
        version=f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond:06}Z.deleted",
        stock_quantity=None,
        in_stock=False,
    )


def _count(value: object) -> int | None:
    try:
        return floor(number(value, "stock"))
    except FieldError:
        return None
