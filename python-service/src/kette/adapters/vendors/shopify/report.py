"""What a shop answered to an action, as the canonical fields of the report. Nothing here raises.

GraphQL answers HTTP 200 to refusals as well: throttled calls and broken queries stand in `errors`,
refused changes in the mutation's `userErrors`. Only an answer without either is a success. A
refusal that says the work was done before counts as done: a repeated action asks for what is
there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from kette.adapters.vendors.fields import (
    FieldError,
    line_of_text,
    mapping,
    objects,
    whole_number,
)
from kette.adapters.vendors.shopify import graphql, products
from kette.domain.facts import ActionReported, ProductReported, StockLine

_MOST_PIECES: Final = 10**9
_USER_ERRORS: Final = re.compile(r"[A-Za-z]*[uU]serErrors\Z")
# Another try can help: too many calls at once, or Shopify's own trouble.
_PASSING: Final = frozenset(
    {"THROTTLED", "INTERNAL_SERVER_ERROR", "TIMEOUT", "SERVICE_UNAVAILABLE", "BUSY"}
)
_THROTTLED: Final = re.compile(r"throttl|rate limit|too many requests|\b429\b", re.IGNORECASE)
_DONE_BEFORE: Final = re.compile(
    r"already (?:been )?(?:cancell?ed|closed|fulfilled|archived|on hold)"
    r"|has already been taken|cannot be cancelled.*already",
    re.IGNORECASE,
)
_TRACKED: Final = ("update_shop_order", "create_shipment")


class Refusal(msgspec.Struct, frozen=True):
    code: str
    words: str
    is_users: bool  # of the mutation; else of the call

    @property
    def was_done_before(self) -> bool:
        return self.is_users and bool(_DONE_BEFORE.search(self.words))


def translate_report(report: ActionReported) -> ActionReported:
    """Refusals first; then the reference (refund: of its transaction), tracking and stock."""
    answer = _answer(report.answer)
    refusals = list(_refusals(answer))
    open_ones = [refusal for refusal in refusals if not refusal.was_done_before]
    if open_ones:
        return _refused(report, open_ones)
    if not report.done and not (refusals and mapping(answer.get("data"))):
        return _failed(report)
    report = msgspec.structs.replace(report, done=True)
    if report.kind == "check_stock":
        return msgspec.structs.replace(report, stock=read_stock(answer))
    told = {"reference": report.reference or _reference(answer, report.kind)}
    if report.kind in _TRACKED:
        number, url = _tracking(answer)
        told["tracking_number"] = report.tracking_number or number
        told["tracking_url"] = report.tracking_url or url
    return msgspec.structs.replace(report, **told)


def read_stock(answer: Mapping[str, Any]) -> tuple[StockLine, ...]:
    """Pieces that can be shipped of each line.

    An order takes its pieces out of "available" as soon as it is placed, so a count of zero or more
    covers it and a negative one says how many are missing. A variant that Shopify does not count
    is there. Lines whose variant is not in the answer are left out: nothing is known of them.
    """
    variants = _variants(answer)
    short = {key: max(0, -(variant.stock_quantity or 0)) for key, variant in variants.items()}
    found: list[StockLine] = []
    # From the last line backwards: earlier lines are served first.
    for line in reversed(objects(answer.get("lines"))):
        line_id = line_of_text(line.get("line_id"))
        key = _tail(line.get("product_id"))
        try:
            quantity = whole_number(line.get("quantity"), "quantity", highest=_MOST_PIECES)
        except FieldError:
            continue
        if not line_id or key not in variants:
            continue
        missing = min(quantity, short[key])
        short[key] -= missing
        found.append(StockLine(line_id, quantity - missing))
    return tuple(reversed(found))


def _answer(told: Mapping[str, Any]) -> Mapping[str, Any]:
    """The GraphQL answer, also where the connector kept status and headers beside it."""
    body = mapping(told.get("body"))
    return {**told, **body} if body else told


def _refusals(answer: Mapping[str, Any]) -> Iterator[Refusal]:
    errors = answer.get("errors")
    if isinstance(errors, str):  # REST and a wrong access token
        yield Refusal("", line_of_text(errors)[:300], False)
    for error in objects(errors) if isinstance(errors, list) else ():
        code = line_of_text(mapping(error.get("extensions")).get("code")).upper()
        yield Refusal(code, line_of_text(error.get("message"))[:300], False)
    for mutation in mapping(answer.get("data")).values():
        for name, listed in mapping(mutation).items():
            if _USER_ERRORS.match(name):
                for error in objects(listed):
                    code = line_of_text(error.get("code")).upper()
                    yield Refusal(code, line_of_text(error.get("message"))[:300], True)


def _refused(report: ActionReported, refusals: list[Refusal]) -> ActionReported:
    words = "; ".join(dict.fromkeys(x.words or x.code for x in refusals))[:500]
    passing = all(x.code in _PASSING or _THROTTLED.search(x.words) for x in refusals)
    return msgspec.structs.replace(
        report,
        done=False,
        retryable=passing,
        error=f"Shopify refused: {words or 'no reason given'}",
    )


def _failed(report: ActionReported) -> ActionReported:
    """The call itself failed; a limit that was hit passes."""
    said = f"{report.error} {line_of_text(mapping(report.answer.get('error')).get('message'))}"
    if _THROTTLED.search(said):
        return msgspec.structs.replace(report, retryable=True)
    return report


def _reference(answer: Mapping[str, Any], kind: str) -> str:
    """The id of what was made. A refund is known by its transaction, as its webhook tells it."""
    for mutation in mapping(answer.get("data")).values():
        told = mapping(mutation)
        if kind == "refund_payment":
            rows = _rows(mapping(told.get("refund")).get("transactions"))
            return (
                _tail(rows[0].get("id")) if rows else _tail(mapping(told.get("refund")).get("id"))
            )
        for value in told.values():
            found = mapping(value) or next(iter(objects(value)), {})
            if own := _tail(found.get("id")):
                return own
    for name in ("fulfillment", "refund", "order"):
        if own := _tail(mapping(answer.get(name)).get("id")):
            return own
    return _tail(answer.get("id"))


def _tracking(answer: Mapping[str, Any]) -> tuple[str, str]:
    for mutation in mapping(answer.get("data")).values():
        told = mapping(mutation).get("fulfillment")
        for row in _rows(mapping(told).get("trackingInfo")):
            url = line_of_text(row.get("url"))
            is_web = url.startswith(("https://", "http://"))
            return line_of_text(row.get("number"))[:200], url[:2000] if is_web else ""
    return "", ""


def _variants(answer: Mapping[str, Any]) -> dict[str, ProductReported]:
    told = [*_rows(answer.get("products")), *_rows(mapping(answer.get("data")).get("nodes"))]
    found = {}
    for row in told:
        variant = graphql.as_rest(row)
        if "inventory_quantity" in variant or "inventory_item" in variant:
            try:
                product = products.read_variant(variant, "")
            except FieldError:
                continue
            found[product.product_id] = product
    return found


def _rows(value: object) -> list[dict[str, Any]]:
    """The objects of a list or of a connection."""
    told = mapping(value)
    if "nodes" in told:
        return objects(told["nodes"])
    if "edges" in told:
        return [dict(mapping(edge.get("node"))) for edge in objects(told["edges"])]
    return objects(value) if isinstance(value, list) else []


def _tail(value: object) -> str:
    """The number of a plain or a global id."""
    return line_of_text(value).rsplit("/", 1)[-1].partition("?")[0][:200]
