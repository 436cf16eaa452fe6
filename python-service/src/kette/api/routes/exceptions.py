"""The exception list."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request

from kette.api import views
from kette.api.auth import PEOPLE, READERS, require
from kette.api.bodies import JsonRoute
from kette.api.problems import documented
from kette.api.schemas import AssignIn, ResolveIn, SnoozeIn
from kette.api.service import service_of
from kette.setup_fields import EXCEPTION_KINDS
from kette.use_cases.errors import InvalidInputError

router = APIRouter(
    tags=["exceptions"], route_class=JsonRoute, responses=documented(401, 403, 404, 422)
)

STATUSES = ("open", "snoozed", "resolved", "closed", "all")
_CURSOR = re.compile(r"exc_[0-9a-f]{1,40}", re.ASCII)


@router.get("/v1/exceptions", dependencies=[Depends(require(READERS))])
def list_exceptions(
    request: Request,
    status: str | None = "open",
    kind: str | None = None,
    owner: str | None = None,
    order_id: str | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: str | None = None,
) -> dict[str, Any]:
    """status: open, snoozed, resolved (by a person), closed (no longer the case), or 'all'."""
    for name, value, known in (("status", status, STATUSES), ("kind", kind, EXCEPTION_KINDS)):
        if value and value not in known:
            raise InvalidInputError(name, f"{value[:80]!r} is none of {', '.join(known)}")
    if cursor and not _CURSOR.fullmatch(cursor):
        raise InvalidInputError("cursor", "must be the next_cursor of an earlier answer")
    service = service_of(request)
    with service.kernel.store.read() as tx:
        rows, more = tx.exceptions.find(
            status=None if status == "all" else status,
            kind=kind,
            owner=owner,
            order_id=order_id,
            limit=limit,
            cursor=cursor,
        )
    return {"items": [views.exception_row(row) for row in rows], "next_cursor": more}


@router.post("/v1/exceptions/{exception_id}/assign", dependencies=[Depends(require(PEOPLE))])
def post_assign(request: Request, exception_id: str, body: AssignIn) -> dict[str, Any]:
    people = service_of(request).people
    return views.exception_row(people.assign(exception_id, body.owner, body.by, body.why))


@router.post("/v1/exceptions/{exception_id}/resolve", dependencies=[Depends(require(PEOPLE))])
def post_resolve(request: Request, exception_id: str, body: ResolveIn) -> dict[str, Any]:
    """accepted: it may stay as it is; fixed: try or look again; done: done by hand."""
    people = service_of(request).people
    return views.exception_row(people.resolve(exception_id, body.resolution, body.by, body.why))


@router.post("/v1/exceptions/{exception_id}/snooze", dependencies=[Depends(require(PEOPLE))])
def post_snooze(request: Request, exception_id: str, body: SnoozeIn) -> dict[str, Any]:
    people = service_of(request).people
    return views.exception_row(people.snooze(exception_id, body.until, body.by, body.why))
