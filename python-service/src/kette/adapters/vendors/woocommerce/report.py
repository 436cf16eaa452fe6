"""What a shop answered to an action, as the canonical fields of the report. Nothing here raises."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from kette.adapters.vendors.fields import (
    line_of_text,
    mapping,
    objects,
)
from kette.adapters.vendors.stock import lines_in_stock
from kette.adapters.vendors.woocommerce import payload
from kette.adapters.vendors.woocommerce.translate import read_product
from kette.domain.facts import ActionReported, ProductReported, StockLine

_NO_PRODUCT: Final = ("", "0")


def translate_report(report: ActionReported) -> ActionReported:
    """check_stock: pieces per line from `answer.products` and `answer.lines`. Everything else: the
    id of the order, note or refund that the shop answered with becomes the reference."""
    if not report.done:
        return report
    if report.kind == "check_stock":
        return msgspec.structs.replace(report, stock=read_stock(report.answer))
    if report.reference:
        return report
    for told in (report.answer, *map(mapping, (report.answer.get(k) for k in ("body", "data")))):
        if reference := line_of_text(told.get("id")):
            return msgspec.structs.replace(report, reference=reference[:200])
    return report


def read_stock(answer: Mapping[str, Any]) -> tuple[StockLine, ...]:
    """Pieces that can be shipped of each line.

    The order has already taken its pieces out of the count (WooCommerce reduces stock when an
    order turns on-hold or processing). A count of zero or more therefore means that this order is
    covered; a negative one, that so many pieces are missing. Lines whose product is not in the
    answer are left out: nothing is known of them.
    """
    products = _products(answer)
    return lines_in_stock(answer, products, lambda line: _product_key(line, products))


def _products(answer: Mapping[str, Any]) -> dict[str, ProductReported]:
    found = {}
    for told in objects(answer.get("products")):
        product_id = line_of_text(told.get("id"))
        if product_id and line_of_text(told.get("stock_status")):
            shape = payload.ProductPayload(
                **{name: told[name] for name in _PRODUCT_FIELDS if name in told}
            )
            found[product_id] = read_product(shape, product_id, "")
    return found


_PRODUCT_FIELDS: Final = payload.ProductPayload.__struct_fields__


def _product_key(line: Mapping[str, Any], products: Mapping[str, ProductReported]) -> str | None:
    for name in ("variation_id", "product_id"):
        key = line_of_text(line.get(name))
        if key not in _NO_PRODUCT and key in products:
            return key
    return None
