"""Actions for n8n: lease, report, subscribe; and documents, which finish their action
themselves."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from kette.api import views
from kette.api.auth import DOCUMENTS, MACHINES, require
from kette.api.bodies import JsonRoute
from kette.api.problems import documented
from kette.api.schemas import (
    InvoicesIn,
    LeaseIn,
    LeaseOut,
    ReportIn,
    ReportOut,
    ResultIn,
    SubscriptionIn,
    SubscriptionOut,
)
from kette.api.service import service_of
from kette.use_cases.documents import get_document
from kette.use_cases.errors import InvalidInputError, NotFoundError
from kette.use_cases.report import Report, report_actions

router = APIRouter(
    tags=["actions"], route_class=JsonRoute, responses=documented(401, 403, 404, 422)
)
_machines = [Depends(require(MACHINES))]


@router.post("/v1/actions/lease", response_model=LeaseOut, dependencies=_machines)
def post_lease(request: Request, body: LeaseIn) -> dict[str, Any]:
    """Due actions of a stage, for this caller alone until the lease ends."""
    batch = service_of(request).lease(body.stage.value, body.max, body.kinds)
    return {"lease_id": batch.lease_id, "actions": list(batch.actions)}


@router.post("/v1/actions/report", response_model=ReportOut, dependencies=_machines)
def post_report(request: Request, body: ReportIn) -> dict[str, Any]:
    """What became of actions. Repeating a report is safe; each result is taken on its own."""
    results = report_actions(service_of(request).kernel, [_report(x) for x in body.results])
    return {"results": [views.public(x) for x in results]}


def _report(result: ResultIn) -> Report:
    answer = result.answer
    if not isinstance(answer, dict):
        answer = {} if answer is None else {"answer": answer}
    return Report(
        key=result.key,
        done=result.status == "done",
        reference=result.reference or "",
        answer=answer,
        error=result.error or ("" if result.status == "done" else "no reason was given"),
        retryable=result.retryable,
        lease_id=result.lease_id or "",
    )


@router.post(
    "/v1/subscriptions",
    status_code=201,
    response_model=SubscriptionOut,
    responses={200: {"model": SubscriptionOut, "description": "Known; has a new secret"}},
    dependencies=_machines,
)
def post_subscription(request: Request, body: SubscriptionIn, response: Response) -> dict[str, Any]:
    """Have due actions of a stage, or events, pushed to a URL. The same again renews the secret."""
    if (body.stage is None) == (not body.events):
        raise InvalidInputError("stage", "give either a stage or a list of events")
    service = service_of(request)
    topic = (
        f"stage:{body.stage.value}"
        if body.stage is not None
        else "events:" + ",".join(sorted(set(body.events)))
    )
    now = service.kernel.now()
    secret = secrets.token_urlsafe(32)
    row = {
        "id": service.kernel.new_id("sub"),
        "url": body.url,
        "topic": topic,
        "secret": secret,
        "name": body.name,
        "created_us": (now - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1),
    }
    with service.kernel.store.write() as tx:
        subscription_id, is_new = tx.subscriptions.put(row)
        stored = tx.subscriptions.get(subscription_id)
    assert stored is not None
    response.status_code = 201 if is_new else 200
    service.refresh_listeners()
    if body.stage is not None:
        service.pusher.wake({body.stage.value})
    return _subscription(stored, secret=secret)


@router.get(
    "/v1/subscriptions/{subscription_id}", response_model=SubscriptionOut, dependencies=_machines
)
def get_subscription(request: Request, subscription_id: str) -> dict[str, Any]:
    with service_of(request).kernel.store.read() as tx:
        row = tx.subscriptions.get(subscription_id)
    if row is None:
        raise NotFoundError("subscription", subscription_id)
    return _subscription(row)


@router.delete("/v1/subscriptions/{subscription_id}", status_code=204, dependencies=_machines)
def delete_subscription(request: Request, subscription_id: str) -> Response:
    service = service_of(request)
    with service.kernel.store.write() as tx:
        if not tx.subscriptions.delete(subscription_id):
            raise NotFoundError("subscription", subscription_id)
    service.refresh_listeners()
    return Response(status_code=204)


def _subscription(row: dict[str, Any], secret: str | None = None) -> dict[str, Any]:
    kind, _, names = str(row["topic"]).partition(":")
    created = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(row["created_us"]))
    return {
        "id": row["id"],
        "url": row["url"],
        "stage": names if kind == "stage" else None,
        "events": names.split(",") if kind == "events" else [],
        "secret": secret,
        "created_at": created,
    }


@router.post("/v1/invoices", tags=["documents"], dependencies=_machines)
def post_invoices(request: Request, body: InvoicesIn) -> dict[str, Any]:
    """Issue the documents of issue_invoice and issue_credit_note actions; each completes its
    action. Safe to repeat: a document is issued once."""
    results = service_of(request).documents(body.keys)
    return {"results": [_issued(views.public(x)) for x in results]}


def _issued(item: dict[str, Any]) -> dict[str, Any]:
    number = item.get("number", "")
    if number:
        item["pdf"] = f"/v1/invoices/{number}.pdf"
        item["file_name"] = f"{number}.pdf"
    return item


@router.get(
    "/v1/invoices/{name}",
    tags=["documents"],
    responses={200: {"content": {"application/pdf": {}}}},
    dependencies=[Depends(require(DOCUMENTS))],
)
def get_invoice(request: Request, name: str) -> Response:
    """`RE-2026-000001` answers the document's content, `RE-2026-000001.pdf` the PDF as issued."""
    kernel = service_of(request).kernel
    if name.endswith(".pdf"):
        row = get_document(kernel, name.removesuffix(".pdf"))
        headers = {"Content-Disposition": f'inline; filename="{row["number"]}.pdf"'}
        return Response(bytes(row["pdf"]), media_type="application/pdf", headers=headers)
    row = get_document(kernel, name)
    content = views.money_out(views.decoded(row["content"]))
    return views.json_response(
        {
            "number": row["number"],
            "kind": row["kind"],
            "order_id": row["order_id"],
            "content": content,
            "pdf": f"/v1/invoices/{row['number']}.pdf",
        }
    )
