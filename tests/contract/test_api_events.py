"""Vendors' events, through the application as a client sees it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.api_box import ApiBox, problem_of
from support.service_box import (
    ENVIRON,
    SENDCLOUD_SECRET,
    ServiceBox,
    card_order,
    paid_event,
    ready_setup,
    sqlite_url,
    woo_id,
    woo_request,
)


def test_an_event_is_answered_with_what_became_of_it(api: ApiBox) -> None:
    answer = api.woo(card_order(102, status="pending"))
    assert answer.status_code == 202
    told = answer.json()
    assert told == {
        "fact_ids": told["fact_ids"],
        "duplicate": False,
        "order_id": woo_id(102),
        "status": {
            "order": "valid",
            "payment": "open",
            "risk": "clear",
            "fulfillment": "none",
            "return": "none",
            "accounting": "none",
        },
        "exceptions": [],
        "actions": [],
        "note": "",
        "fetch": [],
    }
    paid = api.stripe(paid_event(102)).json()
    assert paid["status"]["payment"] == "paid"
    assert {a["kind"] for a in paid["actions"]} == {"check_stock", "notify", "release_order"}


def test_a_repeated_event_is_answered_alike(api: ApiBox) -> None:
    first, again = (api.woo(card_order(102, status="on-hold")).json() for _ in range(2))
    assert again == {**first, "duplicate": True}


def test_a_ping_records_nothing(api: ApiBox) -> None:
    raw = b"webhook_id=7"
    form = {"content-type": "application/x-www-form-urlencoded"}
    answer = api.http.post("/v1/events/woo-main", content=raw, headers=form)
    assert (answer.status_code, answer.json()["note"]) == (200, "ping")
    assert api.facts_and_deliveries() == (0, 0)


@pytest.mark.parametrize(
    "break_it",
    [
        lambda raw, h: (raw + b" ", h),
        lambda raw, h: (raw, {**h, "x-wc-webhook-signature": "AAAA"}),
        lambda raw, h: (raw, {**h, "x-wc-webhook-signature": ""}),
        lambda raw, h: (raw, {**h, "x-wc-webhook-signature": "not base64 \u00e4".encode()}),
        lambda raw, h: (raw, {k: v for k, v in h.items() if k != "x-wc-webhook-signature"}),
        lambda raw, h: (json.dumps(json.loads(raw), indent=1).encode(), h),
    ],
    ids=["changed", "wrong", "empty", "garbage", "missing", "parsed and written again"],
)
def test_a_wrong_signature_stores_nothing(break_it: Any, api: ApiBox) -> None:
    """Failure case 9: the raw bytes are verified, not what a parser makes of them."""
    raw, headers = break_it(*woo_request(card_order(102)))
    answer = api.http.post("/v1/events/woo-main", content=raw, headers=headers)
    assert answer.status_code == 401
    told = problem_of(answer)
    assert (told["code"], told["retryable"]) == ("signature_invalid", False)
    assert "woo-main" in told["detail"]
    assert api.facts_and_deliveries() == (0, 0)


def test_the_signature_of_one_system_proves_nothing_to_another(api: ApiBox) -> None:
    raw, headers = woo_request(card_order(102))
    for system in ("stripe-main", "sendcloud-main"):
        answer = api.http.post(f"/v1/events/{system}", content=raw, headers=headers)
        assert problem_of(answer)["code"] == "signature_invalid"


def test_two_secrets_are_valid_while_one_replaces_the_other(tmp_path: Path) -> None:
    import msgspec

    setup = ready_setup()
    shop = setup.systems["woo-main"]
    both = msgspec.structs.replace(
        shop, secrets={"webhook": ("env:KETTE_WOO_WEBHOOK_SECRET", "env:OLD")}
    )
    environ = {**ENVIRON, "OLD": "the old secret"}
    rotating = msgspec.structs.replace(setup, systems={**setup.systems, "woo-main": both})
    api = ApiBox(ServiceBox(sqlite_url(tmp_path), setup=rotating, environ=environ))
    try:
        assert api.woo(card_order(102), secret=b"the old secret").status_code == 202
        assert api.woo(card_order(103)).status_code == 202
        assert api.woo(card_order(104), secret=b"another").status_code == 401
        del environ["OLD"]  # read each time: no restart is needed
        assert api.woo(card_order(105), secret=b"the old secret").status_code == 401
    finally:
        api.close()


def test_unknown_systems_and_systems_that_send_nothing(api: ApiBox) -> None:
    unknown = api.http.post("/v1/events/nobody", content=b"{}")
    told = problem_of(unknown)
    assert (unknown.status_code, told["code"]) == (404, "unknown_system")
    assert "woo-main" in told["detail"]
    mail = api.http.post("/v1/events/mail", content=b"{}")
    assert (mail.status_code, problem_of(mail)["code"]) == (422, "invalid_input")


@pytest.mark.parametrize("size", [4_999_000, 5_000_001, 9_000_000])
def test_large_bodies(size: int, api: ApiBox) -> None:
    raw = b'{"x":"' + b"a" * (size - 8) + b'"}'
    assert len(raw) == size
    answer = api.woo(raw)
    if size > 5_000_000:
        assert (answer.status_code, problem_of(answer)["code"]) == (413, "body_too_large")
        assert api.facts_and_deliveries() == (0, 0)
    else:
        assert answer.status_code == 202
        assert [x["kind"] for x in answer.json()["exceptions"]] == ["payload_unknown"]
        assert [x.kind for x in api.box.exceptions().values()] == ["payload_unknown"]


def test_a_body_that_lies_about_its_length_is_measured(api: ApiBox) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(60):
            yield b"a" * 100_000

    answer = api.http.post("/v1/events/woo-main", content=chunks())
    assert answer.status_code == 413


def test_reports_of_failed_runs_need_a_key_and_become_exceptions(api: ApiBox) -> None:
    report = {
        "kind": "run_failed",
        "workflow": {"id": "w1", "name": "Kette 30"},
        "execution": {
            "id": "77",
            "url": "http://127.0.0.1:5678/execution/77",
            "error": {"message": "timeout", "node": {"name": "Create Parcel"}},
        },
    }
    assert api.call("POST", "/v1/events/n8n", report, role=None).status_code == 401
    assert api.call("POST", "/v1/events/n8n", report, role="agent").status_code == 403
    assert api.call("POST", "/v1/events/n8n", report, role="automation").status_code == 202
    (entry,) = api.get("/v1/exceptions")["items"]
    assert entry["kind"] == "action_failed"
    assert "Create Parcel" in entry["summary"]


def test_a_sendcloud_event_with_its_signature(api: ApiBox) -> None:
    import hashlib
    import hmac

    from support.vendor_deliveries import vendor_fixture

    raw = json.dumps(vendor_fixture("sendcloud", "parcel_status_changed")).encode()
    signature = hmac.new(SENDCLOUD_SECRET, raw, hashlib.sha256).hexdigest()
    answer = api.http.post(
        "/v1/events/sendcloud-main", content=raw, headers={"Sendcloud-Signature": signature}
    )
    assert answer.status_code == 202
