"""Pulls over HTTP: what n8n sends and gets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.api_box import ApiBox, problem_of
from support.service_box import ServiceBox, card_order, sqlite_url

CHANGES = "/v1/pulls/woo-main"


@pytest.fixture
def api(tmp_path: Path) -> Iterator[ApiBox]:
    box = ApiBox(ServiceBox(sqlite_url(tmp_path)))
    box.box.service.tick()
    yield box
    box.close()


def page(*rows: Any, **headers: Any) -> dict[str, Any]:
    told = {"X-WP-Total": str(len(rows)), "X-WP-TotalPages": "1", **headers}
    return {"status": 200, "headers": told, "body": json.dumps(rows)}


def test_a_pull_from_the_first_request_to_the_end(api: ApiBox) -> None:
    turn = api.post(CHANGES, {"pull_id": ""}, role="automation")
    assert turn["step"] == "ask"
    assert turn["ask"]["method"] == "GET"
    assert turn["ask"]["url"].endswith(turn["ask"]["path"])
    assert "modified_after=2026-11-22T20%3A29%3A59" in turn["ask"]["path"]
    assert turn["ask"]["body"] is None
    order = card_order(102, date_modified_gmt="2026-11-23T20:00:00")
    for answer in (page(order), page(), page()):
        body = {"pull_id": turn["pull_id"], "answer": answer}
        turn = api.post(CHANGES, body, role="ingest")
    assert turn["step"] == "complete"
    assert turn["ask"] is None
    assert turn["counts"] == {"fresh": 1, "known": 0, "unread": 0}
    assert turn["told"] == {"orders": 1, "trash": 0}
    (state,) = api.get("/v1/pulls", role="agent")["items"]
    assert state["watermark"] == state["completed_at"] == "2026-11-23T20:30:00Z"
    # No webhook is there: the pull has noticed.
    (entry,) = api.get("/v1/exceptions")["items"]
    assert entry["kind"] == "source_silent"
    metrics = api.http.get("/metrics").text
    assert 'kette_pull_age_seconds{system="woo-main"} 0.0' in metrics
    assert 'kette_webhook_problems{system="woo-main"} 2.0' in metrics


def test_two_carriers_do_not_get_into_each_others_way(api: ApiBox) -> None:
    turn = api.post(CHANGES, {"pull_id": ""})
    assert api.post(CHANGES, {"pull_id": ""})["step"] == "busy"
    body = {"pull_id": "pul_of_somebody_else", "answer": page()}
    assert api.post(CHANGES, body)["step"] == "busy"
    assert api.post(CHANGES, {**body, "pull_id": turn["pull_id"]})["step"] == "ask"


@pytest.mark.parametrize(
    "body",
    [
        {"answer": {"status": 200}},
        {"pull_id": "p", "answer": {"status": "ok"}},
        {"pull_id": "p", "answer": {"status": 200, "body": ["parsed"]}},
        {"pull_id": "p", "since": "2026-01-01"},
        {"pull_id": "p" * 41},
    ],
)
def test_what_makes_no_sense_is_refused(api: ApiBox, body: dict[str, Any]) -> None:
    assert problem_of(api.call("POST", CHANGES, body))["code"] == "invalid_input"


@pytest.mark.parametrize(
    ("path", "code"),
    [("/v1/pulls/nobody", "unknown_system"), ("/v1/pulls/mail", "invalid_input")],
)
def test_what_is_no_shop_is_not_pulled(api: ApiBox, path: str, code: str) -> None:
    assert problem_of(api.call("POST", path, {"pull_id": ""}))["code"] == code


@pytest.mark.parametrize("role", ["agent", "approver", "accountant"])
def test_people_do_not_pull(api: ApiBox, role: str) -> None:
    assert problem_of(api.call("POST", CHANGES, {"pull_id": ""}, role))["code"] == "forbidden"


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 200, "body": "<html>login</html>"},
        {"status": 200, "body": '{"code": "rest_no_route"}'},
        {"status": 200, "body": '[{"id": 1}'},
        {"status": 200, "body": "[" * 10_000},
        {"status": 200, "headers": {"X-WP-Total": ["many", None], "X-WP-TotalPages": -1}},
        {"status": 404, "body": "\U0001f600"},
        {"status": 302},
        {"status": 999},
    ],
)
def test_no_answer_breaks_a_pull(api: ApiBox, answer: dict[str, Any]) -> None:
    turn = api.post(CHANGES, {"pull_id": ""})
    ended = api.post(CHANGES, {"pull_id": turn["pull_id"], "answer": answer})
    assert ended["step"] in ("failed", "ask")
    assert api.post(CHANGES, {"pull_id": ""})["step"] in ("ask", "busy")
