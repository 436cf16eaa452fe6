"""What a subscriber's answer to a push means for the actions in it."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from kette.adapters.n8n.push import RETRY_S, Pusher

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
        # n8n may have begun to work.
        (httpx.ReadError("reset"), "unclear"),
        (httpx.ReadTimeout("late"), "unclear"),
    ],
)
def test_the_answer_to_a_push(reply: httpx.Response | Exception, expected: str) -> None:
    assert outcome(reply) == expected


def test_a_subscriber_that_was_away_for_seconds_waits_for_seconds() -> None:
    assert max(RETRY_S) <= 15
