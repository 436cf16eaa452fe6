"""Orders, their history, and what people say about them."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request

from kette.api import views
from kette.api.auth import APPROVERS, PEOPLE, READERS, require
from kette.api.bodies import JsonRoute
from kette.api.instants import Instant
from kette.api.problems import documented
from kette.api.schemas import ApprovalIn, CancelIn, CorrectionIn, NoteIn
from kette.api.service import Service, service_of
from kette.domain import status as st
from kette.domain.order import Address
from kette.use_cases.decide_order import load_file
from kette.use_cases.errors import InvalidInputError, NotFoundError

router = APIRouter(tags=["orders"], route_class=JsonRoute, responses=documented(401, 403, 404, 422))

_CURSOR = re.compile(r"\d{1,18}\.ord_[0-9a-f]{1,40}\Z")
AXES: dict[str, type[StrEnum]] = {
    "order": st.OrderStatus,
    "payment": st.PaymentStatus,
    "risk": st.RiskStatus,
    "fulfillment": st.FulfillmentStatus,
    "return": st.ReturnStatus,
    "accounting": st.AccountingStatus,
}


@router.get("/v1/orders", dependencies=[Depends(require(READERS))])
def list_orders(
    request: Request,
    channel: str | None = None,
    external_id: str | None = None,
    number: str | None = None,
    status: Annotated[
        list[str] | None,
        Query(description="'paid' of an axis as 'payment:paid'; without axis the order status"),
    ] = None,
    since: Annotated[Instant | None, Query(alias="from")] = None,
    until: Annotated[Instant | None, Query(alias="to")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: str | None = None,
) -> dict[str, Any]:
    """Newest first. `from` and `to` are about the time of the order, `to` exclusive."""
    for condition in status or ():
        axis, _, value = condition.rpartition(":")
        values = AXES.get(axis or "order")
        if values is None:
            known = f"is none of the axes {', '.join(AXES)}"
            raise InvalidInputError("status", f"{axis[:80]!r} {known}")
        if value not in set(values):
            raise InvalidInputError("status", f"{value[:80]!r} is none of {', '.join(values)}")
    if cursor is not None and not _CURSOR.match(cursor):
        raise InvalidInputError("cursor", "must be the next_cursor of an earlier answer")
    service = service_of(request)
    with service.kernel.store.read() as tx:
        rows, more = tx.orders.find(
            channel=channel,
            external_id=external_id,
            number=number,
            statuses=status,
            since=since,
            until=until,
            limit=limit,
            cursor=cursor,
        )
        # One exact order is what an automation asks for: it comes with everything.
        items = (
            [order_view(service, row.id) for row in rows]
            if external_id or number
            else [views.order_row(row) for row in rows]
        )
    return {"items": items, "next_cursor": more}


@router.get("/v1/orders/{order_id}", dependencies=[Depends(require(READERS))])
def get_order(request: Request, order_id: str) -> dict[str, Any]:
    """Statuses, newest snapshot, amounts, parcels, documents, open exceptions, actions."""
    return order_view(service_of(request), order_id)


def order_view(service: Service, order_id: str) -> dict[str, Any]:
    with service.kernel.store.read() as tx:
        row = tx.orders.get(order_id)
        if row is None:
            raise NotFoundError("order", order_id)
        file = load_file(tx, order_id)
        exceptions = [views.exception_row(x) for x in tx.exceptions.of_order(order_id)]
        actions = [views.action_row(x) for x in tx.outbox.of_order(order_id)]
    return {
        **views.order_row(row),
        "order": views.public(file.order) if file.order is not None else None,
        "delivery_address": views.public(file.delivery_address),
        "amounts": {
            "total": file.money(file.due_minor).public(),
            "captured": file.money(file.captured_minor).public(),
            "refunded": file.money(file.refunded_minor).public(),
            "charged_back": file.money(file.charged_back_minor).public(),
        },
        "payments": [
            {"id": p.id, "state": p.state.value, "source": p.source, "method": p.method}
            for p in file.payments
        ],
        "parcels": views.public(file.parcels),
        "documents": views.public(file.documents),
        "exceptions": sorted(exceptions, key=lambda x: x["opened_at"]),
        "actions": sorted(actions, key=lambda x: (x["created_at"], x["key"])),
    }


@router.get("/v1/orders/{order_id}/history", dependencies=[Depends(require(READERS))])
def get_history(request: Request, order_id: str) -> dict[str, Any]:
    """The audit: facts with their hashes, decisions with reasons, in the order they came."""
    service = service_of(request)
    with service.kernel.store.read() as tx:
        if tx.orders.get(order_id) is None:
            raise NotFoundError("order", order_id)
        facts = tx.facts.load(tx.facts.streams_of(order_id))
        decisions = tx.decisions_of(order_id)
    entries = [views.fact_entry(x) for x in facts] + [views.decision_entry(x) for x in decisions]
    return {"items": sorted(entries, key=lambda x: (x["at"], x["type"] == "decision", x["id"]))}


@router.post("/v1/orders/{order_id}/corrections", dependencies=[Depends(require(PEOPLE))])
def post_correction(request: Request, order_id: str, body: CorrectionIn) -> dict[str, Any]:
    """Replace the delivery address; the order is judged again at once."""
    service = service_of(request)
    address = Address(**body.address.model_dump())
    service.people.correct_address(order_id, address, body.by, body.why)
    return order_view(service, order_id)


@router.post("/v1/orders/{order_id}/approvals", dependencies=[Depends(require(APPROVERS))])
def post_approval(request: Request, order_id: str, body: ApprovalIn) -> dict[str, Any]:
    """Approve or refuse an action that waits, or a risk."""
    service = service_of(request)
    service.people.approve(order_id, body.subject, body.approved, body.by, body.why)
    return order_view(service, order_id)


@router.post("/v1/orders/{order_id}/notes", dependencies=[Depends(require(PEOPLE))])
def post_note(request: Request, order_id: str, body: NoteIn) -> dict[str, Any]:
    service = service_of(request)
    service.people.note(order_id, body.text, body.by)
    return order_view(service, order_id)


@router.post("/v1/orders/{order_id}/cancel", dependencies=[Depends(require(APPROVERS))])
def post_cancel(request: Request, order_id: str, body: CancelIn) -> dict[str, Any]:
    """Cancel: before shipping the money goes back; after it a person has to decide."""
    service = service_of(request)
    service.people.cancel(order_id, body.by, body.why)
    return order_view(service, order_id)
