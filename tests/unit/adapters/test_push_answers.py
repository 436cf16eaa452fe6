"""What a subscriber's answer to a push means for the actions in it."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from kette.adapters.n8n.push import RETRY_S, Pusher, new_client

SUBSCRIBER = {"id": "sub_1", "url": "http://n8n.test/webhook/1/webhook", "secret": "s3cret"}


def outcome(reply: httpx.Response | Exception) -> str:
    def answer(request: httpx.Request) -> httpx.Response:
        if isinstance(reply, Exception):
            raise reply
        return reply

    async def post() -> str:
        unused: Any = None
        pusher = Pusher(unused, unused, lambda: 1_790_000_000)
        pusher._client = httpx.AsyncClient(transport=httpx.MockTransport(answer))
        return await pusher._post(SUBSCRIBER, {"stage": "payment", "actions": []})

    return asyncio.run(post())


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (httpx.Response(200, json={"message": "Workflow was started"}), "taken"),
        (httpx.Response(204), "taken"),
        # n8n's words for everything before its database is migrated; the batch would wait for the
        # end of its lease and one try be gone.
        (httpx.Response(200, text="n8n is starting up. Please wait"), "refused"),
        (httpx.Response(503, text="n8n is starting up. Please wait"), "refused"),
        (httpx.Response(404, json={"code": 404}), "refused"),
        (httpx.ConnectError("refused"), "refused"),
        (httpx.Response(502), "refused"),
        # n8n may have begun to work.
        (httpx.Response(504), "unclear"),
        (httpx.ReadError("reset"), "unclear"),
        (httpx.ReadTimeout("late"), "unclear"),
    ],
)
def test_the_answer_to_a_push(reply: httpx.Response | Exception, expected: str) -> None:
    assert outcome(reply) == expected


def test_a_subscriber_that_was_away_for_seconds_waits_for_seconds() -> None:
    assert max(RETRY_S) <= 15


def test_a_push_does_not_meet_a_connection_that_the_other_side_is_ending() -> None:
    assert asyncio.run(_push_around_idle_time(idle_s=2.3)) == ["taken", "taken"]


async def _push_around_idle_time(idle_s: float) -> list[str]:
    """Two pushes to a server that ends a connection after some idle time, just when the next
    request arrives on it."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        served_at = loop.time()
        while head := await reader.readuntil(b"\r\n\r\n"):
            if loop.time() - served_at > idle_s - 0.2:
                break
            length = int(head.lower().split(b"content-length:")[1].split()[0])
            await reader.readexactly(length)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            served_at = loop.time()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    subscriber = {**SUBSCRIBER, "url": f"http://127.0.0.1:{port}/webhook"}
    unused: Any = None
    pusher = Pusher(unused, unused, lambda: 1_790_000_000)
    pusher._client = new_client()
    outcomes = []
    for wait_s in (0.0, idle_s):
        await asyncio.sleep(wait_s)
        outcomes.append(await pusher._post(subscriber, {"stage": "payment", "actions": []}))
    await pusher._client.aclose()
    server.close()
    return outcomes
