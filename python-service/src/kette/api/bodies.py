"""Bodies of requests: bounded in size, JSON as RFC 8259 has it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from fastapi.responses import Response
from fastapi.routing import APIRoute

from kette.api.problems import ApiError
from kette.use_cases.errors import InvalidInputError

# Of a pair, or alone: only a parser can tell.
_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body, refused as soon as it is too long, whatever its Content-Length says."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise _too_large(limit)
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        chunks.append(chunk)
    return b"".join(chunks)


def _too_large(limit: int) -> ApiError:
    return ApiError(413, "body_too_large", f"A body may have at most {limit} bytes.")


def parse_json(body: bytes) -> Any:
    """The value of a JSON text in UTF-8; Python's own parser guesses at UTF-16 and UTF-32 too.

    Half an emoji, as programs leave when they cut a text at a length, becomes the replacement
    character: n8n sends such answers of vendors, and no database and no answer of ours could
    hold it. Raises InvalidInputError.

    >>> parse_json(b'{"name": "Ida \\\\ud83d"}')
    {'name': 'Ida \ufffd'}
    """
    try:
        value = json.loads(body.decode("utf-8"))
        if _SURROGATE_ESCAPE.search(body):
            units = json.dumps(value, ensure_ascii=False).encode("utf-16-le", "surrogatepass")
            value = json.loads(units.decode("utf-16-le", "replace"))
    except UnicodeDecodeError as error:
        detail = f"JSON must be UTF-8, without compression; byte {error.start} is not"
        raise InvalidInputError("body", detail) from error
    except json.JSONDecodeError as error:
        detail = f"is not JSON at character {error.pos}: {error.msg}"
        raise InvalidInputError("body", detail) from error
    except RecursionError as error:
        raise InvalidInputError("body", "is nested too deeply") from error
    except ValueError as error:  # Python bounds the digits of an integer
        raise InvalidInputError("body", "holds a number with too many digits") from error
    return value


class BoundedRequest(Request):
    """Its body was read and parsed before FastAPI asks for it: what FastAPI itself says about a
    body that cannot be parsed helps nobody."""

    async def take_body(self) -> None:
        limit: int = self.app.state.service.settings.max_body_bytes
        self._body = await read_body(self, limit)
        if self._body:
            _check_content_type(self.headers.get("content-type", ""))
            self._json = parse_json(self._body)


def _check_content_type(given: str) -> None:
    kind = given.partition(";")[0].strip().lower()
    if kind != "application/json" and not re.fullmatch(r"application/[!-~]+\+json", kind):
        raise InvalidInputError("content-type", f"must be application/json, not {given[:80]!r}")


class JsonRoute(APIRoute):
    """A route whose JSON body is bounded in size and read by parse_json."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        if self.body_field is None:
            return handle

        async def with_body(request: Request) -> Response:
            bounded = BoundedRequest(request.scope, request.receive)
            await bounded.take_body()
            return await handle(bounded)

        return with_body
