"""What is no HTTP at all: refused like the rest, by the server that `kette serve` runs."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from kette.api.problems import MEDIA_TYPE
from kette.cli.serving import SERVED
from support.api_box import ApiBox

POST = b"POST /v1/events/woo-main HTTP/1.1\r\nHost: x\r\n"


@pytest.fixture
def port(api: ApiBox) -> Iterator[int]:
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(api.app, lifespan="off", **SERVED))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield listening.getsockname()[1]
    server.should_exit = True
    thread.join(20)
    listening.close()


def answer_to(sent: bytes, port: int) -> tuple[bytes, dict[str, str], Any]:
    deadline = time.monotonic() + 20
    with socket.create_connection(("127.0.0.1", port), timeout=20) as caller:
        caller.sendall(sent)
        received = b""
        while time.monotonic() < deadline and (more := caller.recv(65536)):
            received += more
    head, _, body = received.partition(b"\r\n\r\n")
    first, *rest = head.split(b"\r\n")
    headers = dict(line.decode().lower().split(": ", 1) for line in rest)
    assert len(body) == int(headers["content-length"])
    return first, headers, json.loads(body)


@pytest.mark.parametrize(
    "sent",
    [
        POST + b"Content-Length: many\r\n\r\n",
        POST + b"Content-Length: -1\r\n\r\n",
        POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
        POST + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"FETCH /v1/orders HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
    ],
)
def test_what_is_no_http_is_refused_as_a_problem(sent: bytes, port: int) -> None:
    first, headers, told = answer_to(sent, port)
    assert first == b"HTTP/1.1 400 Bad Request"
    assert headers["content-type"] == MEDIA_TYPE
    assert (told["status"], told["code"]) == (400, "invalid_input")


def test_an_upgrade_is_answered_as_the_plain_request(port: int) -> None:
    upgrade = (
        b"GET /v1/orders HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\n"
        b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    first, headers, told = answer_to(upgrade, port)
    assert first == b"HTTP/1.1 401 Unauthorized"
    assert headers["content-type"] == MEDIA_TYPE
    assert told["code"] == "unauthorized"
