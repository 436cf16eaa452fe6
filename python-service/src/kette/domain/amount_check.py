"""Do the shop's own numbers add up? The gross that the customer paid is the truth; a difference is
recorded, never corrected. Up to a cent per line is rounding (shops that round at
the subtotal), and half of the step to which a shop rounds totals (0.05 CHF where no smaller coin
exists); more is a case for a person. Works on integer minor units throughout.
"""

from __future__ import annotations

from collections.abc import Iterator

from kette.domain.findings import Finding, Severity
from kette.domain.money import Money
from kette.domain.order import LineKind, Order

_KIND = "amount_mismatch"


def check_amounts(order: Order, tolerance_minor_per_line: int) -> Iterator[Finding]:
    """Findings about totals, sums and currencies; the first broken basis ends the comparison."""
    foreign = _foreign_currency(order)
    if foreign:
        message = f"amounts in {foreign} stand in an order in {order.currency}"
        yield _error("currency_mixed", "currency", message, foreign)
        return
    if order.total.minor < 0:
        yield _error("total_negative", "total", "the total is negative", order.total.amount)
    if not any(line.kind is LineKind.ITEM for line in order.lines):
        message = "the order has no item"
        yield Finding("no_items", "lines", Severity.ERROR, message, exception_kind="missing_field")
    tolerance = tolerance_minor_per_line * max(1, len(order.lines)) + _cash_rounding(order)
    sums = (
        ("lines", sum(line.net.minor + line.tax.minor for line in order.lines)),
        ("tax_by_rate", sum(share.net.minor + share.tax.minor for share in order.tax_by_rate)),
    )
    for field, total in sums:
        if field == "tax_by_rate" and not order.tax_by_rate:
            continue
        yield from _compare(order, field, total, tolerance)


def _compare(order: Order, field: str, total: int, tolerance: int) -> Iterator[Finding]:
    difference = order.total.minor - total
    if difference == 0:
        return
    by = f"{Money(difference, order.currency).amount} {order.currency}"
    what = "the lines" if field == "lines" else "net and tax per rate"
    message = f"the total differs from the sum of {what} by {by}"
    if order.total_step is not None and _cash_rounding(order):
        message += f"; the shop rounds totals to {order.total_step.amount} {order.currency}"
    if abs(difference) <= tolerance:
        before = str(difference)
        yield Finding("rounding_difference", field, Severity.INFO, message, before=before)
    else:
        yield _error(f"total_differs_from_{field}", "total", message, order.total.amount)


def _cash_rounding(order: Order) -> int:
    """By how much rounding to a step may move a total that lies on the step: half of it."""
    step = order.total_step
    if step is None or step.currency != order.currency or step.minor <= 1:
        return 0
    return step.minor // 2 if order.total.minor % step.minor == 0 else 0


def _foreign_currency(order: Order) -> str:
    currency = order.currency
    if order.total.currency != currency:
        return order.total.currency
    if order.total_tax.currency != currency:
        return order.total_tax.currency
    amounts = [(line.net, line.tax) for line in order.lines]
    amounts += [(share.net, share.tax) for share in order.tax_by_rate]
    for net, tax in amounts:
        if net.currency != currency or tax.currency != currency:
            return net.currency if net.currency != currency else tax.currency
    return ""


def _error(code: str, field: str, message: str, before: str) -> Finding:
    return Finding(code, field, Severity.ERROR, message, before=before, exception_kind=_KIND)
