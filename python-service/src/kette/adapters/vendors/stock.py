"""Pieces per line of an order, from what a shop says of its products after the order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from kette.adapters.vendors.fields import FieldError, line_of_text, objects, whole_number
from kette.domain.facts import ProductReported, StockLine

_MOST_PIECES: Final = 10**9


def lines_in_stock(
    answer: Mapping[str, Any],
    products: Mapping[str, ProductReported],
    key_of: Callable[[Mapping[str, Any]], str | None],
) -> tuple[StockLine, ...]:
    """Pieces that can be shipped of each of `answer.lines`, where the shop has already taken the
    order's pieces out of its count: zero or more covers the order, a negative count says how many
    are missing. key_of: the key of a line's product; lines whose product is not known are left
    out."""
    short = {key: max(0, -(product.stock_quantity or 0)) for key, product in products.items()}
    found: list[StockLine] = []
    # From the last line backwards: earlier lines are served first.
    for line in reversed(objects(answer.get("lines"))):
        line_id, key = line_of_text(line.get("line_id")), key_of(line)
        try:
            quantity = whole_number(line.get("quantity"), "quantity", highest=_MOST_PIECES)
        except FieldError:
            continue
        if not line_id or key is None or key not in products:
            continue
        product = products[key]
        if product.stock_quantity is None:
            found.append(StockLine(line_id, quantity if product.in_stock else 0))
        else:
            missing = min(quantity, short[key])
            short[key] -= missing
            found.append(StockLine(line_id, quantity - missing))
    return tuple(reversed(found))
