"""Bodies of requests: bounded, JSON in UTF-8, and what is told about one that is not."""

from __future__ import annotations

import asyncio
import gzip
from typing import Any

import pytest
from kette.logs import configure_logs
from support.api_box import ApiBox, problem_of
from support.service_box import (
    card_order,
)


@pytest.mark.parametrize(
    ("raw", "kind", "status", "told"),
    [
        ("{}".encode("utf-16"), "application/json", 422, "UTF-8"),
        ("{}".encode("utf-32"), "application/json", 422, "UTF-8"),
        (b'{"city": "K\xf6ln"}', "application/json", 422, "UTF-8"),
        (gzip.compress(b"{}"), "application/json", 422, "compression"),
        (b'{"city": }', "application/json", 422, "character 9"),
        (b'{"city": ' + b"9" * 5000 + b"}", "application/json", 422, "digits"),
        (b'{"city": ' + b"[" * 200_000, "application/json", 422, "deeply"),
        (b'{"city": "Bonn"}', "text/plain", 422, "application/json"),
        (b'{"city": "Bonn"}', "application/x-www-form-urlencoded", 422, "application/json"),
        (b'{"city": "Bonn"}', "", 422, "application/json"),
        (b"", "application/json", 422, "required"),
        (b'{"city": "' + b"x" * 5_000_000 + b'"}', "application/json", 413, "5000000"),
    ],
    ids=lambda value: str(value)[:20] if not isinstance(value, int) else str(value),
)
def test_bodies_that_are_no_json_say_why(
    raw: bytes, kind: str, status: int, told: str, api: ApiBox
) -> None:
    answer = api.call(
        "POST", "/v1/addresses/normalize", content=raw, headers={"content-type": kind}
    )
    problem = problem_of(answer)
    assert answer.status_code == status
    assert problem["code"] == ("body_too_large" if status == 413 else "invalid_input")
    assert told in problem["detail"]


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "application/vnd.api+json"])
def test_bodies_are_read_whatever_the_name_of_their_json(kind: str, api: ApiBox) -> None:
    answer = api.call(
        "POST", "/v1/addresses/normalize", content=b"{}", headers={"content-type": kind}
    )
    assert answer.status_code == 200


@pytest.mark.parametrize("path", ["/v1/events/woo-main", "/v1/addresses/normalize"])
def test_a_caller_that_hangs_up_is_no_error_of_ours(
    path: str, api: ApiBox, capsys: pytest.CaptureFixture[str]
) -> None:
    """It was logged as a failure of the service, with two tracebacks."""
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"content-type", b"application/json"), (b"content-length", b"1000")]
    scope = {"type": "http", "method": "POST", "path": path, "raw_path": path.encode(),
             "query_string": b"", "headers": headers, "root_path": "", "scheme": "http",
             "http_version": "1.1", "server": ("127.0.0.1", 80), "client": None,
             "asgi": {"version": "3.0"}}  # fmt: skip
    configure_logs(as_json=True)
    asyncio.run(api.app(scope, receive, send))
    assert sent[0]["status"] == 422
    written = capsys.readouterr().out
    assert "request.done" in written
    assert "request.failed" not in written


def test_half_an_emoji_is_replaced_not_refused(api: ApiBox) -> None:
    """n8n hands on what a vendor cut in the middle of an emoji. Refused as a whole, the report
    was never taken, and its action done again."""
    order_id = api.woo(card_order(102)).json()["order_id"]
    raw = b'{"text": "cut \\ud83d, whole \\ud83d\\ude00, no escape \\\\ud83d", "by": "Ida"}'
    answer = api.call(
        "POST",
        f"/v1/orders/{order_id}/notes",
        content=raw,
        headers={"content-type": "application/json"},
    )
    assert answer.status_code == 200
    last = api.get(f"/v1/orders/{order_id}/history")["items"]
    (note,) = [x for x in last if x.get("kind") == "note"]
    assert note["content"]["text"] == "cut \ufffd, whole \U0001f600, no escape \\ud83d"
