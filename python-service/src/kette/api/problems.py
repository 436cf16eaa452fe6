"""Errors as RFC 9457 problem+json: the one table from error class to status, code and words."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from kette.use_cases.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    SignatureInvalidError,
    StoreBusyError,
    UnknownSystemError,
    UnstorableError,
)

log = structlog.get_logger("kette.api")
MEDIA_TYPE = "application/problem+json"
TYPE_BASE = "https://kette.example/errors/"


class ApiError(Exception):
    """An error that the API layer itself raises (keys, body size)."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        retryable: bool = False,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.retryable = retryable
        self.headers = headers or {}


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    reasons: list[dict[str, Any]] | None = None,
    retryable: bool = False,
    headers: dict[str, str] | None = None,
) -> Response:
    body: dict[str, Any] = {
        "type": TYPE_BASE + code,
        "title": TITLES.get(code, HTTPStatus(status).phrase),
        "status": status,
        "detail": detail,
        "code": code,
        "retryable": retryable,
    }
    if reasons:
        body["reasons"] = reasons
    # By json, which writes whatever a text may hold: a problem must be told, not become another.
    content = json.dumps(body, separators=(",", ":"))
    return Response(content, status_code=status, media_type=MEDIA_TYPE, headers=headers)


# Every code has a page in docs/errors; a test holds the two together.
TITLES = {
    "unauthorized": "A valid API key is needed",
    "forbidden": "The API key's role does not allow this",
    "signature_invalid": "The vendor's signature is not valid",
    "unknown_system": "No system of this name is in the setup",
    "not_found": "There is no such thing",
    "method_not_allowed": "This address does not take that method",
    "conflict": "The present state does not allow this",
    "invalid_input": "The request is not understood",
    "body_too_large": "The body is too large",
    "busy": "The database is busy",
    "internal": "Something went wrong on our side",
}


_SCHEMA: dict[str, Any] = {
    "title": "Problem",
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "retryable"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "enum": sorted(TITLES)},
        "retryable": {"type": "boolean", "description": "The same call may succeed later"},
        "reasons": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Problem answers for the OpenAPI document; `default` stands for every other problem."""
    content = {MEDIA_TYPE: {"schema": _SCHEMA}}
    answers: dict[int | str, dict[str, Any]] = {
        status: {"description": HTTPStatus(status).phrase, "content": content}
        for status in statuses
    }
    answers["default"] = {"description": "A problem; its code says which", "content": content}
    return answers


def install(app: FastAPI) -> None:
    @app.exception_handler(ApiError)
    async def _api(_request: Request, error: ApiError) -> Response:
        return problem(
            error.status,
            error.code,
            error.detail,
            retryable=error.retryable,
            headers=error.headers,
        )

    @app.exception_handler(UnknownSystemError)
    async def _system(_request: Request, error: UnknownSystemError) -> Response:
        known = ", ".join(error.known) or "none"
        detail = f"The setup has no system {error.system_id[:80]!r}. Known systems: {known}."
        return problem(404, "unknown_system", detail)

    @app.exception_handler(SignatureInvalidError)
    async def _signature(_request: Request, error: SignatureInvalidError) -> Response:
        detail = (
            f"{error.reason}. Compare the webhook secret at the vendor with the one that the "
            f"setup names for {error.system_id}. Nothing was stored."
        )
        return problem(401, "signature_invalid", detail)

    @app.exception_handler(NotFoundError)
    async def _missing(_request: Request, error: NotFoundError) -> Response:
        return problem(404, "not_found", f"There is no {error.what} {error.name[:120]!r}.")

    @app.exception_handler(ConflictError)
    async def _conflict(_request: Request, error: ConflictError) -> Response:
        return problem(409, "conflict", f"{error.detail}. {error.advice}")

    @app.exception_handler(InvalidInputError)
    async def _input(_request: Request, error: InvalidInputError) -> Response:
        reason = {"field": error.field, "message": error.detail}
        return problem(422, "invalid_input", str(error), reasons=[reason])

    @app.exception_handler(RequestValidationError)
    async def _validation(_request: Request, error: RequestValidationError) -> Response:
        reasons = [
            {"field": ".".join(str(part) for part in item["loc"]), "message": item["msg"]}
            for item in error.errors()[:50]
        ]
        first = reasons[0] if reasons else {"field": "body", "message": "not valid"}
        detail = f"{first['field']}: {first['message']}"
        return problem(422, "invalid_input", detail, reasons=reasons)

    @app.exception_handler(UnstorableError)
    async def _unstorable(_request: Request, error: UnstorableError) -> Response:
        return problem(422, "invalid_input", str(error))

    @app.exception_handler(StoreBusyError)
    async def _database(request: Request, error: StoreBusyError) -> Response:
        log.error("database.unavailable", error=str(error), cause=str(error.__cause__)[:300])
        headers = {"Retry-After": "2"}
        return problem(
            503, "busy", "The database does not answer. Try again.", retryable=True, headers=headers
        )

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        codes = {404: "not_found", 405: "method_not_allowed"}
        code = codes.get(error.status_code, "invalid_input")
        headers = dict(error.headers or {})
        detail = str(error.detail)
        if code == "not_found":
            detail = f"There is nothing at {request.url.path[:200]}; /docs lists every call."
        elif code == "method_not_allowed":
            allowed = headers.get("Allow", "")
            detail = f"{request.method[:20]} is not taken here; use {allowed}."
        return problem(error.status_code, code, detail, headers=headers)

    @app.exception_handler(ClientDisconnect)
    async def _gone(_request: Request, _error: ClientDisconnect) -> Response:
        """Nobody reads this answer: the caller hung up before its request was complete."""
        return problem(422, "invalid_input", "The body broke off.")


def unexpected(path: str, error: Exception) -> Response:
    """The answer to an error of our own, which is logged."""
    log.error("request.failed", path=path, exc_info=error)
    detail = "The error is logged. Trying again is safe; nothing was half done."
    return problem(500, "internal", detail, retryable=True)
