"""Where vendors' events come in. The fast path: bytes in, one transaction, a small answer out."""

from __future__ import annotations

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response

from kette.api.auth import INGESTERS, require
from kette.api.bodies import read_body
from kette.api.schemas import EventAnswer
from kette.api.service import service_of
from kette.use_cases.errors import UnknownSystemError

router = APIRouter(tags=["events"])

# Systems whose events carry no signature of their own: a key proves the sender.
KEYED_KINDS = frozenset({"n8n"})
_guard = require(INGESTERS)


@router.post(
    "/v1/events/{system_id}",
    status_code=202,
    response_model=EventAnswer,
    summary="Hand in a vendor's event as it came",
)
async def post_event(system_id: str, request: Request) -> Response:
    """The raw bytes and the vendor's own headers. 202 once stored and decided; 401 when the
    signature is wrong (nothing is stored); an unreadable payload is stored as `payload_unknown`."""
    service = service_of(request)
    system = service.kernel.setup.systems.get(system_id)
    if system is None:
        raise UnknownSystemError(system_id, sorted(service.kernel.setup.systems))
    if system.kind in KEYED_KINDS:
        await _guard(request)
    body = await read_body(request, service.settings.max_body_bytes)
    headers = dict(request.headers.items())
    if service.grouped is not None:
        result = await service.grouped(system_id, headers, body)
    else:
        result = await service.run(service.ingest, system_id, headers, body)
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
            }
        ),
        status_code=202 if result.fact_ids else 200,
        media_type="application/json",
    )
