"""The connection of a caller: what is no HTTP is refused in the form of every other refusal."""

from __future__ import annotations

from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from kette.api.problems import problem


class Connection(HttpToolsProtocol):
    """uvicorn's own, which answers a request that it cannot parse with a line of plain text."""

    def send_400_response(self, msg: str) -> None:
        refusal = problem(
            HTTPStatus.BAD_REQUEST, "invalid_input", "This is not a request in HTTP/1.1."
        )
        head = [*refusal.raw_headers, (b"connection", b"close")]
        lines = [b"HTTP/1.1 400 Bad Request", *(name + b": " + value for name, value in head)]
        self.transport.write(b"\r\n".join(lines) + b"\r\n\r\n" + bytes(refusal.body))
        self.transport.close()
