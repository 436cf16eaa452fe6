"""Where vendors' events come in. The fast path: bytes in, one transaction, a small answer out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from kette.api.auth import INGESTERS, require
from kette.api.bodies import read_body
from kette.api.grouped import GroupedIngest
from kette.api.problems import documented
from kette.api.schemas import EventAnswer
from kette.api.service import Service, service_of
from kette.domain.facts import Fetch
from kette.use_cases.errors import UnknownSystemError
from kette.use_cases.ingest import Ingest

router = APIRouter(tags=["events"], responses=documented(401, 403, 404, 413))

# Systems whose events carry no signature of their own: a key proves the sender.
KEYED_KINDS = frozenset({"n8n"})
_guard = require(INGESTERS)
_UNRECORDED: dict[int | str, dict[str, Any]] = {
    200: {"model": EventAnswer, "description": "Understood; there is nothing to record"}
}


async def post_event(system_id: str, request: Request) -> Response:
    """The raw bytes and the vendor's own headers. 202 once stored and decided; 401 when the
    signature is wrong (nothing is stored); an unreadable payload is stored as `payload_unknown`."""
    service = service_of(request)
    system = service.kernel.setup.systems.get(system_id)
    if system is None:
        raise UnknownSystemError(system_id, sorted(service.kernel.setup.systems))
    if system.kind in KEYED_KINDS:
        await _guard(request)
    return await _taken_in(system_id, request, service.ingest, service.grouped)


_PREFIX = "/v1/events/"
router.add_api_route(
    _PREFIX + "{system_id}",
    post_event,
    methods=["POST"],
    status_code=202,
    response_model=EventAnswer,
    responses=_UNRECORDED,
    summary="Hand in a vendor's event as it came",
)
_ROUTE = router.routes[-1]


class EventsFirst:
    """Leads deliveries to post_event past the framework's router, its stacks of contexts and its
    reading of parameters, which cost as much as a delivery's translation. The route above
    documents the call. handlers: by class of error, as the framework has them."""

    def __init__(self, app: ASGIApp, handlers: Mapping[Any, Callable[..., Any]]) -> None:
        self._app = app
        self._handlers = handlers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        system_id = self._system_id(scope)
        if system_id is None:
            await self._app(scope, receive, send)
            return
        scope["route"] = _ROUTE  # for the request log
        request = Request(scope, receive)
        try:
            response = await post_event(system_id, request)
        except Exception as error:
            handler = next(
                (self._handlers[c] for c in type(error).__mro__ if c in self._handlers), None
            )
            if handler is None:
                raise
            response = await handler(request, error)
        await response(scope, receive, send)

    @staticmethod
    def _system_id(scope: Scope) -> str | None:
        """None: not a delivery."""
        if scope["type"] != "http" or scope["method"] != "POST":
            return None
        path: str = scope["path"]
        system_id = path.removeprefix(_PREFIX)
        return None if system_id in ("", path) or "/" in system_id else system_id


@router.post(
    "/v1/readings/{system_id}",
    status_code=202,
    response_model=EventAnswer,
    responses=_UNRECORDED,
    dependencies=[Depends(_guard)],
    summary="Hand in what was read from a vendor's API",
)
async def post_reading(system_id: str, request: Request) -> Response:
    """The vendor's answer as it came, one object or a list of them. The caller's key stands for
    the vendor's signature, which answers have not. Otherwise like an event."""
    service = service_of(request)
    return await _taken_in(system_id, request, service.readings, service.grouped_readings)


def _with_url(fetch: Fetch, system_id: str, service: Service) -> dict[str, Any]:
    base = service.kernel.setup.systems[system_id].base_url.rstrip("/")
    return {**msgspec.structs.asdict(fetch), "url": base + fetch.path}


async def _taken_in(
    system_id: str, request: Request, ingest: Ingest, grouped: GroupedIngest | None
) -> Response:
    service = service_of(request)
    body = await read_body(request, service.settings.max_body_bytes)
    headers = dict(request.headers.items())
    if grouped is not None:
        result = await grouped(system_id, headers, body)
    else:
        result = await service.run(ingest, system_id, headers, body)
    return Response(
        msgspec.json.encode(
            {
                "fact_ids": result.fact_ids,
                "duplicate": result.is_duplicate,
                "order_id": result.order_id,
                "status": result.statuses,
                "exceptions": result.exceptions,
                "actions": result.actions,
                "note": result.note,
                "fetch": [_with_url(fetch, system_id, service) for fetch in result.fetch],
            }
        ),
        status_code=202 if result.fact_ids else 200,
        media_type="application/json",
    )
