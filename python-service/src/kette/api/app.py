"""The FastAPI application: routes, problems, request log, and what runs beside them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import structlog
from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kette import __version__
from kette.api import problems
from kette.api.routes import actions, checks, events, exceptions, operations, orders, pulls
from kette.api.service import Service

log = structlog.get_logger("kette.api")

DESCRIPTION = """The head of the chain: facts in, state and decisions out, actions for n8n.

Money is a decimal string with currency, rates are strings, times are RFC 3339. Errors are
application/problem+json with a stable `code`."""


def create_app(service: Service) -> FastAPI:
    # FastAPI's own pages load their scripts from the internet; a shop's network may have none.
    app = FastAPIOffline(
        static_url="/docs/assets",
        title="Kette",
        version=__version__,
        description=DESCRIPTION,
        lifespan=_lifespan(service),
    )
    app.state.service = service
    problems.install(app)
    for module in (events, orders, exceptions, actions, pulls, checks, operations):
        app.include_router(module.router)
    app.add_middleware(events.EventsFirst, handlers=app.exception_handlers)
    app.add_middleware(RequestLog)
    return app


def _lifespan(service: Service) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        if service.gateway is not None:
            await asyncio.to_thread(service.gateway.start)
        if service.settings.push:
            await service.pusher.start()
        ticker = asyncio.create_task(_tick_loop(service))
        review = asyncio.create_task(asyncio.to_thread(service.review_after_setup_change))
        try:
            yield
        finally:
            ticker.cancel()
            await asyncio.gather(ticker, review, return_exceptions=True)
            if service.settings.push:
                await service.pusher.stop()
            if service.gateway is not None:
                await asyncio.to_thread(service.gateway.stop)
            service.database.dispose()

    return lifespan


async def _tick_loop(service: Service) -> None:
    while True:
        try:
            service.pusher.wake(await asyncio.to_thread(service.tick))
        except Exception:  # time goes on; the next tick tries again
            log.exception("tick.failed")
        await asyncio.sleep(service.settings.tick_s)


class RequestLog:
    """One line per request: method, route, status, milliseconds. No query, no body, no address."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 0

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except Exception as error:
            # Answered here: further out it would be logged once more, in no form of ours, and the
            # connection cut.
            answer = problems.unexpected(scope["path"], error)
            if status:
                raise  # half an answer must not look like a whole one
            await answer(scope, receive, watch)
        finally:
            route = scope.get("route")
            path = getattr(route, "path", "unmatched")
            if not path.startswith(("/healthz", "/readyz", "/metrics")):
                log.info(
                    "request.done",
                    method=scope["method"],
                    route=path,
                    status=status,
                    ms=round((time.perf_counter() - started) * 1000, 1),
                )
