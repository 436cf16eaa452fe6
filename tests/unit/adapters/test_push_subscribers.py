"""Subscribers that answer slowly, without an end or not at all, on real sockets."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from kette.adapters.n8n import push
from kette.adapters.n8n.push import Pusher, new_client
from support.service_box import ServiceBox

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
Speak = Callable[[asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture
def box(tmp_path: Path) -> Iterator[ServiceBox]:
    box = ServiceBox(f"sqlite:///{tmp_path / 'kette.db'}")
    yield box
    box.close()


class Subscriber:
    """A server that takes each request and then speaks as it is told."""

    def __init__(self, speak: Speak) -> None:
        self._speak = speak
        self.heard = 0
        self.was_asked = asyncio.Event()

    async def __aenter__(self) -> Subscriber:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/webhook"
        return self

    async def __aexit__(self, *_error: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(head.lower().split(b"content-length:")[1].split()[0])
                await reader.readexactly(length)
                self.heard += 1
                self.was_asked.set()
                await self._speak(writer)
                await writer.drain()


async def ok(writer: asyncio.StreamWriter) -> None:
    writer.write(OK)


async def never(_writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(30)


async def drip(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n")
    for _ in range(900):
        writer.write(b".")
        await writer.drain()
        await asyncio.sleep(0.1)


async def endless(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b"." * 10_000)
        await writer.drain()


async def starting(writer: asyncio.StreamWriter) -> None:
    page = b"n8n is starting up. Please wait"
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(page), page))


@pytest.mark.parametrize(
    ("speak", "expected"),
    [(ok, "taken"), (drip, "unclear"), (endless, "taken"), (starting, "refused")],
)
def test_no_answer_holds_a_stage_up(
    speak: Speak, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time limit was for each piece: a drop every few seconds held all later batches up."""
    monkeypatch.setattr(push, "ANSWER_S", 1.0)
    unused: Any = None
    pusher = Pusher(unused, unused, lambda: 1_790_000_000)

    async def talk() -> str:
        pusher._client = new_client()
        async with Subscriber(speak) as server, asyncio.timeout(10):
            outcome = await pusher._post({"url": server.url, "secret": "s"}, {"actions": []})
            await pusher._client.aclose()
        return outcome

    assert asyncio.run(talk()) == expected


def subscribe(box: ServiceBox, name: str, url: str) -> None:
    with box.kernel.store.write() as tx:
        row = {"id": name, "url": url, "topic": f"events:{name}", "secret": "s", "name": ""}
        tx.subscriptions.put({**row, "created_us": 1})
        notice = {"subscription_id": name, "event": "order.changed", "item": '{"a":1}'}
        tx.subscriptions.add_notices([{**notice, "id": f"ntc_{name}", "created_us": 1}])


def subscription(box: ServiceBox, name: str) -> dict[str, Any]:
    with box.kernel.store.read() as tx:
        [row] = [row for row in tx.subscriptions.all() if row["id"] == name]
    return row


def left(box: ServiceBox, name: str) -> int:
    """Notices that are still to be delivered, whoever has them now."""

    later = box.kernel.now() + timedelta(hours=1)
    with box.kernel.store.write() as tx:
        return len(tx.subscriptions.lease_notices(name, later, later, 100))


def test_a_slow_subscriber_does_not_keep_the_others_waiting(box: ServiceBox) -> None:
    async def talk() -> None:
        async with Subscriber(never) as slow, Subscriber(ok) as quick:
            subscribe(box, "a_slow", slow.url)
            subscribe(box, "b_quick", quick.url)
            pusher = Pusher(box.kernel, box.service.lease, time.time)
            await pusher.start()
            pusher.refresh()
            pusher.wake(set())
            async with asyncio.timeout(5):
                await quick.was_asked.wait()
            await pusher.stop()

    asyncio.run(talk())
    assert left(box, "a_slow") == 1


def test_notices_come_again_until_they_are_taken_and_the_subscriber_is_well_again(
    box: ServiceBox,
) -> None:
    """Its failures were never forgotten: after the next it was left alone for longer."""
    answers = [starting, ok]

    async def speak(writer: asyncio.StreamWriter) -> None:
        await answers.pop(0)(writer)

    async def talk() -> None:
        async with Subscriber(speak) as server:
            subscribe(box, "sub", server.url)
            pusher = Pusher(box.kernel, box.service.lease, time.time)
            pusher._client = new_client()
            await pusher._push_notices(subscription(box, "sub"))
            assert subscription(box, "sub")["failures"] == 1
            box.clock.move(minutes=2)
            await pusher._push_notices(subscription(box, "sub"))
            await pusher._client.aclose()
            assert server.heard == 2

    asyncio.run(talk())
    assert left(box, "sub") == 0
    row = subscription(box, "sub")
    assert (row["failures"], row["retry_us"]) == (0, None)


def test_what_was_being_leased_when_the_service_stopped_is_due_at_once(box: ServiceBox) -> None:
    box.paid_order(102)
    with box.kernel.store.write() as tx:
        row = {"id": "sub_1", "url": "http://127.0.0.1:1/", "topic": "stage:fulfillment"}
        tx.subscriptions.put({**row, "secret": "s", "name": "", "created_us": 1})
    leasing, go_on = threading.Event(), threading.Event()
    lease = box.service.lease

    class Slow:
        give_back = staticmethod(lease.give_back)

        def __call__(self, stage: str) -> Any:
            leasing.set()
            go_on.wait(20)
            return lease(stage)

    async def talk() -> None:
        slow: Any = Slow()
        pusher = Pusher(box.kernel, slow, time.time)
        await pusher.start()
        pusher.refresh()
        pusher.wake({"fulfillment"})
        assert await asyncio.to_thread(leasing.wait, 20)
        stopping = asyncio.create_task(pusher.stop())
        await asyncio.sleep(0.1)
        go_on.set()
        await stopping

    asyncio.run(talk())
    [action] = box.lease("fulfillment")
    assert action["attempt"] == 1
