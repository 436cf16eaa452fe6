"""Operations: health, metrics, ping, and the sandbox's clock."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import PlainTextResponse, Response
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from kette import __version__
from kette.api.auth import ADMINS, ANYBODY, require
from kette.api.bodies import JsonRoute
from kette.api.problems import ApiError, documented, problem
from kette.api.schemas import ClockIn
from kette.api.service import service_of
from kette.clocks import ShiftableClock
from kette.domain.pull_state import PullState
from kette.domain.pulls import Purpose
from kette.use_cases.keys import Role

router = APIRouter(tags=["operations"], route_class=JsonRoute, responses=documented())


@router.get("/healthz")
def healthz() -> dict[str, str]:
    """The process lives."""
    return {"status": "ok", "version": __version__}


@router.get("/readyz")
def readyz(request: Request) -> Response:
    """The database answers, and so does what the setup needs."""
    service = service_of(request)
    with service.kernel.store.read() as tx:
        tx.value("ready")
    trouble = service.gateway.problem if service.gateway is not None else ""
    if trouble:
        return problem(503, "busy", f"Mails do not leave: {trouble}", retryable=True)
    return PlainTextResponse('{"status":"ready"}', media_type="application/json")


@router.get("/metrics", response_class=PlainTextResponse)
def metrics(request: Request) -> Response:
    """Prometheus text: actions by stage and state, open exceptions, pulls, mails."""
    service = service_of(request)
    registry = CollectorRegistry()
    actions = Gauge("kette_actions", "Actions", ["stage", "state"], registry=registry)
    entries = Gauge("kette_exceptions_open", "Open exceptions", ["kind"], registry=registry)
    with service.kernel.store.read() as tx:
        for (stage, state), count in tx.outbox.by_state().items():
            actions.labels(stage, state).set(count)
        for kind, count in tx.exceptions.open_by_kind().items():
            entries.labels(kind).set(count)
        _pull_metrics(registry, tx.pulls.all(), service.kernel.now())
    if service.gateway is not None:
        mails = Gauge("kette_mails", "Mails in the gateway", ["state"], registry=registry)
        for mail_state, count in service.gateway.counts().items():
            mails.labels(mail_state.value).set(count)
    return Response(generate_latest(registry), media_type="text/plain; version=0.0.4")


def _pull_metrics(registry: CollectorRegistry, states: list[PullState], now: datetime) -> None:
    age = Gauge(
        "kette_pull_age_seconds",
        "Since the last complete pull began",
        ["system"],
        registry=registry,
    )
    failures = Gauge(
        "kette_pull_failures", "Pulls in a row that failed", ["system"], registry=registry
    )
    hooks = Gauge(
        "kette_webhook_problems",
        "Webhooks that the shop does not send",
        ["system"],
        registry=registry,
    )
    for state in states:
        if state.purpose is not Purpose.CHANGES or not state.is_begun:
            continue
        if state.watermark is not None:
            age.labels(state.system_id).set((now - state.watermark).total_seconds())
        failures.labels(state.system_id).set(state.failures + state.mismatches)
        hooks.labels(state.system_id).set(len(state.webhook_problems or ()))


@router.get("/v1/ping")
async def ping(role: Role = Depends(require(ANYBODY))) -> dict[str, Any]:  # noqa: B008 - FastAPI's way
    """Does this key work? Used by n8n's credential test."""
    return {"status": "ok", "roles": [role.value], "version": __version__}


@router.get("/v1/sandbox/clock", dependencies=[Depends(require(ADMINS))])
def get_clock(request: Request) -> dict[str, Any]:
    clock = _sandbox_clock(request)
    return {"now": clock.now().isoformat(), "offset_s": int(clock.offset.total_seconds())}


@router.post("/v1/sandbox/clock", dependencies=[Depends(require(ADMINS))])
def post_clock(request: Request, body: ClockIn) -> dict[str, Any]:
    """Move the service's clock forward and do what has become due. Sandbox only."""
    service = service_of(request)
    clock = _sandbox_clock(request)
    clock.advance(timedelta(seconds=body.advance_s))
    service.kernel.awake_since = clock.now()  # nobody was silent in a time that never was
    offset_s = int(clock.offset.total_seconds())
    with service.kernel.store.write() as tx:
        tx.set_value("sandbox_clock_offset_s", str(offset_s))
    service.pusher.wake(service.tick())
    return {"now": clock.now().isoformat(), "offset_s": offset_s}


@router.get("/v1/sandbox/pending", dependencies=[Depends(require(ADMINS))])
def get_pending(request: Request) -> dict[str, Any]:
    """How much is under way, once what is due by now is done: for tests that wait until everything
    has settled."""
    service = service_of(request)
    _sandbox_clock(request)
    service.pusher.wake(service.tick())
    with service.kernel.store.read() as tx:
        counts: dict[str, Any] = dict(tx.outbox.counts(service.kernel.now()))
    mails = service.gateway.counts() if service.gateway is not None else {}
    counts["mails"] = sum(n for s, n in mails.items() if s.value in ("stored", "sending"))
    return counts


def _sandbox_clock(request: Request) -> ShiftableClock:
    clock = service_of(request).kernel.clock
    if not isinstance(clock, ShiftableClock):
        raise ApiError(404, "not_found", "Only a service with KETTE_SANDBOX_CLOCK=1 has this.")
    return clock
