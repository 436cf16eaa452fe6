"""Stock of a product's variants. A variant is what is sold and counted."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from math import floor
from typing import Any

import msgspec

from kette.adapters.vendors.fields import (
    FieldError,
    decimal,
    line_of_text,
    mapping,
    objects,
    required_name,
)
from kette.domain.facts import FactDraft, ProductReported


def read_product(told: Mapping[str, Any], modified: datetime) -> tuple[FactDraft, ...]:
    """One fact for each variant. Raises FieldError."""
    second = f"{modified:%Y-%m-%dT%H:%M:%SZ}"
    drafts = []
    for row in objects(told.get("variants")):
        body = read_variant(row, "")
        digest = hashlib.sha256(msgspec.json.encode(body)).hexdigest()[:12]
        report = msgspec.structs.replace(body, version=f"{second}.{digest}")
        name = f"product:{body.product_id}@{second}#{digest}"
        drafts.append(FactDraft(name, modified, report))
    return tuple(drafts)


def read_variant(told: Mapping[str, Any], version: str) -> ProductReported:
    """REST ({"inventory_management": "shopify", "inventory_policy": "deny"}) or GraphQL in REST's
    names ({"inventory_item": {"tracked": true}}). A count that cannot be read is no count."""
    item = mapping(told.get("inventory_item"))
    is_counted = item.get("tracked") is True or bool(line_of_text(told.get("inventory_management")))
    quantity = None
    if is_counted:
        try:
            quantity = floor(decimal(told.get("inventory_quantity"), "inventory_quantity"))
        except FieldError:
            quantity = None
    sells_on = line_of_text(told.get("inventory_policy")).lower() == "continue"
    return ProductReported(
        product_id=required_name(told.get("id"), "variants.id"),
        sku=line_of_text(told.get("sku")),
        version=version,
        stock_quantity=quantity,
        in_stock=quantity is None or quantity > 0 or sells_on,
        backorders_allowed=sells_on,
    )
