"""Health, metrics, the sandbox's clock, documents about the API, logs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from kette.api.problems import TITLES
from starlette.testclient import TestClient
from support.api_box import ApiBox, problem_of
from support.service_box import (
    ServiceBox,
    card_order,
    sqlite_url,
    woo_id,
)
from support.vendor_deliveries import recorded_step

ERRORS = Path(__file__).parents[2] / "docs" / "errors"


def test_health_needs_no_key(api: ApiBox) -> None:
    assert api.get("/healthz", role=None)["status"] == "ok"
    assert api.get("/readyz", role=None) == {"status": "ready"}
    metrics = api.call("GET", "/metrics", role=None)
    assert metrics.status_code == 200
    api.woo(b"{")
    assert 'kette_exceptions_open{kind="payload_unknown"} 1.0' in api.call("GET", "/metrics").text


def test_a_busy_database_says_try_again(api: ApiBox) -> None:
    from kette.use_cases.errors import StoreBusyError

    def busy(*_args: object) -> None:
        raise StoreBusyError("OperationalError")

    api.box.kernel.assess = busy  # type: ignore[assignment]
    answer = api.woo(card_order(102))
    told = problem_of(answer)
    assert (answer.status_code, told["code"], told["retryable"]) == (503, "busy", True)
    assert answer.headers["retry-after"]
    assert api.facts_and_deliveries() == (0, 0)


def test_an_error_of_ours_is_told_and_logged_once(
    api: ApiBox, capsys: pytest.CaptureFixture[str]
) -> None:
    """It went on to the server, which logged it again as plain text and cut the connection."""
    from kette.logs import configure_logs

    def broken(*_args: object, **_more: object) -> None:
        raise OSError("the disk is gone")

    configure_logs(as_json=True)
    object.__setattr__(api.box.service, "read_order", broken)
    with TestClient(api.app, raise_server_exceptions=True) as strict:
        answer = strict.post(
            "/v1/orders/validate",
            json={"system_id": "woo-main", "order": {}},
            headers={"authorization": f"Bearer {api.keys['admin']}"},
        )
    told = problem_of(answer)
    assert (answer.status_code, told["code"], told["retryable"]) == (500, "internal", True)
    written = capsys.readouterr().out
    assert written.count("request.failed") == 1
    assert "Exception in ASGI application" not in written


def test_the_sandbox_clock_exists_only_with_its_switch(api: ApiBox, tmp_path: Path) -> None:
    for method in ("GET", "POST"):
        answer = api.call(
            method, "/v1/sandbox/clock", {"advance_s": 1} if method == "POST" else None
        )
        assert (answer.status_code, problem_of(answer)["code"]) == (404, "not_found")
    assert api.call("GET", "/v1/sandbox/pending").status_code == 404
    folder = tmp_path / "sandbox"
    folder.mkdir()
    box = ServiceBox(sqlite_url(folder), settings={"sandbox_clock": True}, own_clock=False)
    sandbox = ApiBox(box)
    try:
        before = sandbox.get("/v1/sandbox/clock")
        after = sandbox.post("/v1/sandbox/clock", {"advance_s": 3600})
        assert (before["offset_s"], after["offset_s"]) == (0, 3600)
        for bad in (-1, 10**12, "soon", 1.5):
            assert sandbox.call("POST", "/v1/sandbox/clock", {"advance_s": bad}).status_code == 422
    finally:
        sandbox.close()


def test_every_code_is_explained() -> None:
    pages = {page.stem for page in ERRORS.glob("*.md")} - {"README", "index"}
    assert set(TITLES) <= pages


def test_the_openapi_document_lists_every_route(api: ApiBox) -> None:
    document = api.get("/openapi.json", role=None)
    assert {"/v1/events/{system_id}", "/v1/orders", "/v1/actions/lease"} <= set(document["paths"])


def test_logs_hold_no_personal_data(api: ApiBox, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither in the lines of a request nor in the text of an error."""
    from kette.logs import configure_logs

    configure_logs(as_json=True)
    body = recorded_step("b2c-19", "processing").body
    billing = body["billing"]
    api.woo(body)
    api.woo(json.dumps(body).encode()[:-20])
    api.woo({**body, "total": "not a number"})
    api.call("POST", f"/v1/orders/{woo_id(body['id'])}/notes",
             {"text": billing["email"], "by": billing["last_name"]})  # fmt: skip

    def broken(*_args: object) -> None:
        raise ValueError("a rule is broken")

    api.box.kernel.assess = broken  # type: ignore[assignment]
    api.woo({**body, "id": 900})
    api.post("/v1/actions/lease", {"stage": "customer"})
    written = capsys.readouterr().out
    assert "request.done" in written
    assert "ingest.rule_failed" in written
    personal = ("first_name", "last_name", "email", "address_1", "phone", "postcode")
    for value in (billing[name] for name in personal if len(billing[name]) > 3):
        assert value not in written
