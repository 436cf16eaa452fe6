"""What a shop answered to an action, as the canonical fields of the report. Nothing here raises.

Shopware refuses with `{"errors": [{"status", "code", "title", "detail", "meta"}]}`. An order state
that cannot be left by the transition we asked for may be the very state that we wanted: then the
work is done, if no other transition follows it. Where one does, the connector is to look again: it
reads the present states first and makes what is missing. Sources: StateMachineRegistry and
StateMachineException of shopware/shopware (6.7).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from kette.adapters.vendors.fields import (
    line_of_text,
    mapping,
    objects,
)
from kette.adapters.vendors.shopware.payload import entities
from kette.adapters.vendors.shopware.products import read_product
from kette.adapters.vendors.stock import lines_in_stock
from kette.domain.facts import ActionReported, ProductReported, StockLine

_ILLEGAL: Final = "SYSTEM__ILLEGAL_STATE_TRANSITION"
_REFUSED = re.compile(
    r'transition "([^"]*)" from state "([^"]*)"\. Possible transitions are: ([^.]*)'
)
# Further states count too: an order that is completed has been processed.
_REACHED_BY: Final[Mapping[str, frozenset[str]]] = {
    "process": frozenset({"in_progress", "completed"}),
    "complete": frozenset({"completed"}),
    "cancel": frozenset({"cancelled"}),
    "ship": frozenset({"shipped", "returned", "returned_partially"}),
}
# On the way to a completed order these come before others, so that their end is not the end.
_STEPS: Final = frozenset({"process", "ship"})
# Shopware names the present state by an id that means nothing outside of the shop. Where the
# transitions that it offers belong to one state only, they tell which it is. "reopen" alone does
# not: it leads out of completed and out of cancelled.
_OFFERED_BY_STATE: Final = {
    frozenset({"complete", "cancel"}): "in_progress",
    frozenset({"cancel", "reopen", "retour", "retour_partially"}): "shipped",
    frozenset({"reopen", "retour"}): "returned_partially",
}
_RETRYABLE_STATUS: Final = frozenset({"401", "408", "409", "423", "425", "429"})


def translate_report(report: ActionReported) -> ActionReported:
    """check_stock: pieces per line. Everything else: the id that the shop answered with becomes the
    reference. A refusal: done before, worth another try, or final."""
    if not report.done:
        return _read_refusal(report)
    if report.kind == "check_stock":
        return msgspec.structs.replace(report, stock=read_stock(report.answer))
    if report.reference:
        return report
    for told in (report.answer, *map(mapping, (report.answer.get(k) for k in ("body", "data")))):
        if reference := line_of_text(told.get("id")):
            return msgspec.structs.replace(report, reference=reference[:200])
    return report


def _read_refusal(report: ActionReported) -> ActionReported:
    errors = list(_errors(report.answer))
    reached = {wanted for error in errors if (wanted := _made_before(error))}
    if reached - _STEPS:
        return msgspec.structs.replace(report, done=True, error="", retryable=True)
    if reached or any(_can_pass(error) for error in errors):
        return msgspec.structs.replace(report, retryable=True)
    return report


def _errors(answer: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    for told in (answer, *map(mapping, (answer.get(k) for k in ("body", "error", "data")))):
        yield from objects(told.get("errors"))


def _made_before(error: Mapping[str, Any]) -> str:
    """A transition that is refused because its end is reached, or passed; else ""."""
    if line_of_text(error.get("code")) != _ILLEGAL:
        return ""
    told = mapping(mapping(error.get("meta")).get("parameters"))
    said = _REFUSED.search(line_of_text(error.get("detail"))[:1000])
    spoken = said.groups() if said else ("", "", "")
    wanted = line_of_text(told.get("transition")) or spoken[0]
    current = line_of_text(told.get("currentState")) or spoken[1]
    offered = told.get("possibleTransitions") or told.get("possibleTransitionsString") or spoken[2]
    current = _OFFERED_BY_STATE.get(_words(offered), current)
    return wanted if current in _REACHED_BY.get(wanted, frozenset()) else ""


def _words(value: object) -> frozenset[str]:
    words = value if isinstance(value, list) else line_of_text(value).split(",")
    return frozenset(line_of_text(word) for word in words) - {""}


def _can_pass(error: Mapping[str, Any]) -> bool:
    """The token ran out (10 minutes), the shop is busy, locked or broken: later it may work."""
    status = line_of_text(error.get("status"))
    return status in _RETRYABLE_STATUS or (len(status) == 3 and status.startswith("5"))


def read_stock(answer: Mapping[str, Any]) -> tuple[StockLine, ...]:
    """Pieces that can be shipped of each line.

    The order has already taken its pieces out of the count (see `products.py`). A count of zero or
    more therefore covers it; a negative one says how many are missing. Lines whose product is not
    in the answer are left out: nothing is known of them.
    """
    products = _products(answer)
    return lines_in_stock(answer, products, lambda line: line_of_text(line.get("product_id")))


def _products(answer: Mapping[str, Any]) -> dict[str, ProductReported]:
    found: dict[str, ProductReported] = {}
    for frame in (answer, *objects(answer.get("products")), *objects(answer.get("items"))):
        for entity in entities(dict(frame)):
            product_id = line_of_text(entity.fields.get("id"))
            if entity.name == "product" and product_id:
                found[product_id] = read_product(entity.fields, product_id, "")
    return found
