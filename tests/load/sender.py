"""The load: a process of its own that sends prepared requests over a few kept connections.

It must cost little beside the server it measures, so it waits in one epoll, sends prepared bytes
and reads no more of an answer than status and length. Commands and results are JSON lines:

    {"do": "prepare", "system": "woo-main", "first": 0, "count": 1000, ...}
    {"do": "send", "port": 8710, "path": "/v1/events/woo-main", "connections": 8}
"""

from __future__ import annotations

import gc
import json
import re
import select
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from templates import Shop

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_ANSWER_TIMEOUT_S = 30.0


class NoAnswerError(Exception):
    """The server did not answer in time or closed a connection."""


@dataclass
class Sent:
    """What came of one slice."""

    seconds: float
    latencies_ms: list[float]
    statuses: dict[str, int]
    cpu_s: float  # of the sender itself

    @property
    def per_second(self) -> float:
        return len(self.latencies_ms) / self.seconds


@dataclass
class _Connection:
    socket: socket.socket
    started: float = 0.0
    received: bytearray = field(default_factory=bytearray)

    def take(self) -> int | None:
        """Read what is there; the status once the answer is complete."""
        got = self.socket.recv(1 << 18)
        if not got:
            raise NoAnswerError("the server closed a connection")
        self.received += got
        head = self.received.find(b"\r\n\r\n")
        if head < 0:
            return None
        length = _LENGTH.search(self.received, 0, head)
        if length is None:
            raise NoAnswerError(f"an answer without length: {bytes(self.received[:head])!r}")
        if len(self.received) < head + 4 + int(length[1]):
            return None
        return int(self.received[9:12])


def request_bytes(path: str, headers: dict[str, str], body: bytes) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "host: 127.0.0.1", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def send_all(requests: list[bytes], port: int, connections: int) -> Sent:
    """Send every request once, with at most one under way per connection."""
    open_ones = [
        _Connection(socket.create_connection(("127.0.0.1", port))) for _ in range(connections)
    ]
    by_number = {connection.socket.fileno(): connection for connection in open_ones}
    poll = select.epoll()
    for connection in open_ones:
        connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        poll.register(connection.socket, select.EPOLLIN)
    latencies: list[float] = []
    statuses: dict[str, int] = {}
    waiting = iter(requests)
    now = time.perf_counter
    gc.disable()
    started, cpu = now(), time.process_time()
    under_way = sum(_send_next(connection, waiting, now) for connection in open_ones)
    while under_way:
        events = poll.poll(_ANSWER_TIMEOUT_S)
        if not events:
            raise NoAnswerError(f"no answer within {_ANSWER_TIMEOUT_S:.0f} s")
        for number, _ in events:
            connection = by_number[number]
            status = connection.take()
            if status is None:
                continue
            latencies.append((now() - connection.started) * 1000)
            statuses[str(status)] = statuses.get(str(status), 0) + 1
            under_way += _send_next(connection, waiting, now) - 1
    result = Sent(now() - started, latencies, statuses, time.process_time() - cpu)
    gc.enable()
    poll.close()
    for connection in open_ones:
        connection.socket.close()
    return result


def _send_next(connection: _Connection, waiting: Any, now: Any) -> int:
    request = next(waiting, None)
    if request is None:
        return 0
    connection.received.clear()
    connection.started = now()
    connection.socket.sendall(request)
    return 1


class Sender:
    """The process, seen from the benchmark."""

    def __init__(self, project: Path, secret: str, *, one_basket: bool = False) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._ask(do="shop", project=str(project), secret=secret, one_basket=one_basket)

    def prepare(self, first: int, count: int) -> None:
        """Make the orders first to first + count - 1; nothing is sent."""
        self._ask(do="prepare", first=first, count=count)

    def send(self, port: int, path: str, connections: int) -> Sent:
        """Send the prepared orders."""
        return Sent(**self._ask(do="send", port=port, path=path, connections=connections))

    def stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=10)

    def _ask(self, **command: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline() or '{"error": "ended"}')
        if "error" in answer:
            raise NoAnswerError(answer["error"])
        return answer


def main() -> None:
    shop: Shop | None = None
    prepared: list[tuple[dict[str, str], bytes]] = []
    for line in sys.stdin:
        command = json.loads(line)
        answer: dict[str, Any] = {}
        try:
            if command["do"] == "shop":
                one_basket = command["one_basket"]
                shop = Shop(Path(command["project"]), command["secret"], one_basket=one_basket)
            elif command["do"] == "prepare":
                assert shop is not None
                numbers = range(command["first"], command["first"] + command["count"])
                prepared = [shop.order(n) for n in numbers]
            else:
                path = command["path"]
                requests = [request_bytes(path, headers, body) for headers, body in prepared]
                answer = vars(send_all(requests, command["port"], command["connections"]))
        except (OSError, NoAnswerError) as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
