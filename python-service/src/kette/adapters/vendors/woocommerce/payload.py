"""WooCommerce's own shapes, as its webhooks and REST interface (wc/v2, wc/v3) send them.

Only what Kette reads is named; msgspec skips the rest without building it. Values are `Any` on
purpose: plugins and PHP change types ("" for 0, [] for {}), and `translate.py` decides per field
whether that matters. Lists of rows must be lists of objects: without them no total can be proven.
"""

from __future__ import annotations

from typing import Any

import msgspec


class TaxOfLine(msgspec.Struct):
    """One tax of a line: id is the rate's id in the shop; total "" means that it does not apply."""

    id: Any = None
    total: Any = None


class Row(msgspec.Struct):
    """A row of line_items, shipping_lines or fee_lines."""

    id: Any = None
    name: Any = None
    method_title: Any = None  # shipping only
    method_id: Any = None  # shipping only
    product_id: Any = None
    variation_id: Any = None
    quantity: Any = None
    sku: Any = None
    total: Any = None
    total_tax: Any = None
    # PHP makes an object of a list with gaps.
    taxes: list[TaxOfLine] | dict[str, TaxOfLine] | None = None
    meta_data: Any = None


class TaxRow(msgspec.Struct):
    """A row of tax_lines: what the shop computed for one rate over the whole order."""

    id: Any = None
    rate_id: Any = None
    rate_code: Any = None
    label: Any = None
    compound: Any = None
    tax_total: Any = None
    shipping_tax_total: Any = None
    rate_percent: Any = None


class RefundRow(msgspec.Struct):
    id: Any = None
    reason: Any = None
    total: Any = None


Rows = list[Row] | dict[str, Row] | None


class OrderPayload(msgspec.Struct):
    """Body of order.created, order.updated, order.restored and GET /orders/<id>.

    order.deleted carries only the id; a webhook whose user lost its rights carries code and data.
    """

    id: Any = None
    code: Any = None
    data: Any = None
    status: Any = None
    currency: Any = None
    number: Any = None
    order_key: Any = None
    prices_include_tax: Any = None
    date_created: Any = None
    date_created_gmt: Any = None
    date_modified: Any = None
    date_modified_gmt: Any = None
    date_paid: Any = None
    date_paid_gmt: Any = None
    date_completed: Any = None
    date_completed_gmt: Any = None
    discount_total: Any = None
    total: Any = None
    total_tax: Any = None
    customer_id: Any = None
    billing: dict[str, Any] | list[Any] | None = None
    shipping: dict[str, Any] | list[Any] | None = None
    payment_method: Any = None
    payment_method_title: Any = None
    transaction_id: Any = None
    payment_url: Any = None
    created_via: Any = None
    customer_note: Any = None
    needs_processing: Any = None
    lang: Any = None  # Polylang for WooCommerce
    meta_data: Any = None
    gift_cards: Any = None  # WooCommerce Gift Cards
    line_items: Rows = None
    shipping_lines: Rows = None
    fee_lines: Rows = None
    tax_lines: list[TaxRow] | dict[str, TaxRow] | None = None
    refunds: list[RefundRow] | dict[str, RefundRow] | None = None


class ProductPayload(msgspec.Struct):
    """Body of product.* and GET /products/<id>, variations included."""

    id: Any = None
    code: Any = None
    data: Any = None
    sku: Any = None
    date_modified: Any = None
    date_modified_gmt: Any = None
    manage_stock: Any = None  # true, false or "parent"
    stock_quantity: Any = None
    stock_status: Any = None
    backorders: Any = None
    backorders_allowed: Any = None


class ErrorPayload(msgspec.Struct):
    """What WooCommerce signs and sends instead of a resource: {"code", "message", "data"}."""

    id: Any = None
    code: Any = None
    data: Any = None


ORDER = msgspec.json.Decoder(OrderPayload, float_hook=str)
PRODUCT = msgspec.json.Decoder(ProductPayload, float_hook=str)
ERROR = msgspec.json.Decoder(ErrorPayload, float_hook=str)
