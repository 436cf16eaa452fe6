"""Where vendors' events come in. The fast path: bytes in, one transaction, a small answer out."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute

from kette.api.auth import INGESTERS, require
from kette.api.bodies import read_body
from kette.api.grouped import GroupedIngest
from kette.api.schemas import EventAnswer
from kette.api.service import Service, service_of
from kette.domain.facts import Fetch
from kette.use_cases.errors import UnknownSystemError
from kette.use_cases.ingest import Ingest


class RawRoute(APIRoute):
    """Documented like any other; the framework's reading of parameters, a third of what a request
    costs there, is left out."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        endpoint = self.endpoint

        async def handle(request: Request) -> Response:
            response: Response = await endpoint(request.path_params["system_id"], request)
            return response

        return handle


router = APIRouter(tags=["events"])

# Systems whose events carry no signature of their own: a key proves the sender.
KEYED_KINDS = frozenset({"n8n"})
_guard = require(INGESTERS)


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


router.add_api_route(
    "/v1/events/{system_id}",
    post_event,
    methods=["POST"],
    status_code=202,
    response_model=EventAnswer,
    summary="Hand in a vendor's event as it came",
    route_class_override=RawRoute,
)


@router.post(
    "/v1/readings/{system_id}",
    status_code=202,
    response_model=EventAnswer,
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
