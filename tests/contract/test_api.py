"""The service's HTTP contract, through the application as a client sees it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kette.api.problems import TITLES
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
from support.vendor_deliveries import recorded_step

ERRORS = Path(__file__).parents[2] / "docs" / "errors"


@pytest.fixture
def api(tmp_path: Path) -> Iterator[ApiBox]:
    opened = ApiBox(ServiceBox(sqlite_url(tmp_path)))
    yield opened
    opened.close()


def facts_and_deliveries(api: ApiBox) -> tuple[int, int]:
    from sqlalchemy import text

    with api.box.service.database.read() as connection:
        return tuple(  # type: ignore[return-value]
            connection.execute(text(f"SELECT COUNT(*) FROM {table}")).scalar_one()
            for table in ("facts", "deliveries")
        )


# --- events --------------------------------------------------------------------------------------


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
    assert facts_and_deliveries(api) == (0, 0)


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
    assert facts_and_deliveries(api) == (0, 0)


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
        assert facts_and_deliveries(api) == (0, 0)
    else:
        assert answer.status_code == 202
        assert answer.json()["exceptions"] == []
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


# --- orders --------------------------------------------------------------------------------------

MINOR = re.compile(r'"minor"')


def test_money_leaves_as_decimal_text_with_currency_everywhere(api: ApiBox) -> None:
    """Lines, taxes and refunds were minor units, because they stand in tuples."""
    body = recorded_step("refund-partial-line", "refund").body
    body["id"], body["number"] = 102, "102"
    order_id = api.woo(body).json()["order_id"]
    view = api.get(f"/v1/orders/{order_id}")
    assert view["order"]["lines"][0]["net"].keys() == {"amount", "currency"}
    assert view["order"]["tax_by_rate"][0]["tax"].keys() == {"amount", "currency"}
    assert view["order"]["refunds"][0]["amount"].keys() == {"amount", "currency"}
    texts = [
        json.dumps(view),
        json.dumps(api.get(f"/v1/orders/{order_id}/history")),
        json.dumps(api.get("/v1/orders", number="102")),
        json.dumps(api.get("/v1/exceptions", status="all")),
        json.dumps(api.post("/v1/actions/lease", {"stage": "customer"})),
        json.dumps(api.post("/v1/orders/validate", {"system_id": "woo-main", "order": body})),
    ]
    assert [text for text in texts if MINOR.search(text)] == []
    amounts = re.findall(r'"amount": ([^,}]+)', " ".join(texts))
    assert amounts
    assert [a for a in amounts if not re.fullmatch(r'"-?\d+\.\d\d"|\{.*', a)] == []


def test_orders_are_found_by_filters(api: ApiBox) -> None:
    for number in (102, 103, 104):
        api.woo(card_order(number, billing={"email": f"c{number}@example.org"}))
    api.stripe(paid_event(103))
    assert {o["number"] for o in api.get("/v1/orders")["items"]} == {"102", "103", "104"}
    (exact,) = api.get("/v1/orders", channel="woo-main", external_id="103")["items"]
    assert exact["order"]["number"] == "103"  # one exact order comes whole
    paid = api.get("/v1/orders", status="payment:paid")["items"]
    assert [o["number"] for o in paid] == ["103"]
    assert api.get("/v1/orders", status="payment:refunded")["items"] == []
    assert api.get("/v1/orders", **{"from": "2027-01-01T00:00:00Z"})["items"] == []
    assert len(api.get("/v1/orders", to="2027-01-01T00:00:00+01:00")["items"]) == 3


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "201"},
        {"limit": "x"},
        {"status": "shoe:size"},
        {"from": "yesterday"},
        {"from": "2026-11-01T00:00:00"},
        {"to": "2026-13-01T00:00:00Z"},
        {"cursor": "nonsense"},
        {"cursor": "9" * 40 + ".x"},
        {"cursor": "-.-"},
    ],
    ids=str,
)
def test_filters_that_make_no_sense_are_refused(query: dict[str, str], api: ApiBox) -> None:
    answer = api.call("GET", "/v1/orders", params=query)
    assert (answer.status_code, problem_of(answer)["code"]) == (422, "invalid_input")


def test_orders_and_exceptions_come_in_pages_newest_first(api: ApiBox) -> None:
    for number in range(200, 225):
        api.box.clock.move(seconds=1)
        api.woo(card_order(number, billing={"email": f"c{number}@example.org"}))
        api.woo(b'{"broken": %d' % number)
    for path, key in (("/v1/orders", "external_id"), ("/v1/exceptions", "id")):
        seen: list[str] = []
        cursor: dict[str, str] = {}
        for _ in range(10):
            page = api.get(path, limit=7, **cursor)
            seen += [item[key] for item in page["items"]]
            if page["next_cursor"] is None:
                break
            cursor = {"cursor": page["next_cursor"]}
        assert len(seen) == len(set(seen)) >= 25
        assert seen == sorted(seen, reverse=True)


def test_the_history_tells_facts_decisions_and_people(api: ApiBox) -> None:
    """Failure case 49: what happened can be read months later, without n8n's logs."""
    api.woo(card_order(102))
    api.stripe(paid_event(102))
    order_id = woo_id(102)
    (action,) = api.post("/v1/actions/lease", {"stage": "fulfillment"})["actions"]
    api.post("/v1/actions/report", {"results": [{"key": action["key"], "status": "done"}]})
    api.post(f"/v1/orders/{order_id}/notes", {"text": "called", "by": "Ida"})
    items = api.get(f"/v1/orders/{order_id}/history")["items"]
    facts = [x for x in items if x["type"] == "fact"]
    assert [x["kind"] for x in facts] == ["order_snapshot", "payment", "action_report", "note"]
    assert [x["source"] for x in facts] == ["woo-main", "stripe-main", "n8n", "people"]
    assert facts[-1]["by"] == "Ida"
    assert facts[2]["content"]["key"] == action["key"]
    assert [x["seq"] for x in facts] == [1, 2, 3, 4]
    assert len({x["hash"] for x in facts}) == 4
    decisions = [x for x in items if x["type"] == "decision"]
    wanted = {a["key"]: a["reasons"] for d in decisions for a in d.get("actions", ())}
    actions = api.box.actions(order_id).values()
    assert set(wanted) == {row.key for row in actions if row.stage != "exceptions"}
    assert all(wanted.values())
    assert {d["cause"] for d in decisions} <= {x["id"] for x in facts}
    assert {d["setup_version"] for d in decisions} == {api.box.setup.version}
    assert [x["at"] for x in items] == sorted(x["at"] for x in items)


def test_people_need_a_name_and_a_reason(api: ApiBox) -> None:
    api.woo(b"{")
    (entry,) = api.get("/v1/exceptions")["items"]
    order_id = api.woo(card_order(102)).json()["order_id"]
    path, who = f"/v1/orders/{order_id}", {"by": "Ida", "why": "asked to"}
    exception = f"/v1/exceptions/{entry['id']}"
    calls: list[tuple[str, dict[str, Any]]] = [
        (f"{path}/corrections", {"address": {"line1": "Neu 5"}, **who}),
        (f"{path}/approvals", {"subject": "risk", "approved": True, **who}),
        (f"{path}/cancel", who),
        (f"{exception}/assign", {"owner": "fraud", **who}),
        (f"{exception}/snooze", {"until": "2027-01-01T00:00:00Z", **who}),
        (f"{exception}/resolve", {"resolution": "done", **who}),
    ]
    for url, body in calls:
        for missing in ("by", "why"):
            for bad in ({missing: ""}, {missing: "   "}, {missing: None}):
                answer = api.call("POST", url, {**body, **bad})
                assert (answer.status_code, problem_of(answer)["code"]) == (422, "invalid_input")
            left = {name: value for name, value in body.items() if name != missing}
            assert api.call("POST", url, left).status_code == 422
        assert api.call("POST", url, body).status_code == 200, url
    assert api.call("POST", f"{path}/notes", {"text": "called"}).status_code == 422
    assert api.call("POST", f"{path}/notes", {"text": "called", "by": "Ida"}).status_code == 200


def test_people_s_calls_answer_the_order(api: ApiBox) -> None:
    order_id = api.woo(card_order(102)).json()["order_id"]
    answer = api.post(
        f"/v1/orders/{order_id}/corrections",
        {"address": {"name": "Anke Petersen", "line1": "Neu 5", "postal_code": "22767",
                     "city": "Hamburg", "country_code": "DE"}, "by": "Ida", "why": "called"},
    )  # fmt: skip
    assert answer["delivery_address"]["line1"] == "Neu 5"
    cancelled = api.post(f"/v1/orders/{order_id}/cancel", {"by": "Ida", "why": "called"})
    assert cancelled["status"]["order"] == "cancelled"


def test_what_is_over_cannot_be_worked_on_again(api: ApiBox) -> None:
    api.woo(b"{")
    (entry,) = api.get("/v1/exceptions")["items"]
    who = {"by": "Ida", "why": "seen"}
    path = f"/v1/exceptions/{entry['id']}"
    assert api.post(f"{path}/resolve", {"resolution": "done", **who})["status"] == "resolved"
    again = api.call("POST", f"{path}/resolve", {"resolution": "done", **who})
    assert (again.status_code, problem_of(again)["code"]) == (409, "conflict")
    later = {"until": "2027-01-01T00:00:00Z", **who}
    assert api.call("POST", f"{path}/snooze", later).status_code == 409
    past = api.call("POST", f"{path}/snooze", {**later, "until": "2020-01-01T00:00:00Z"})
    assert past.status_code == 422
    naive = api.call("POST", f"{path}/snooze", {**later, "until": "2027-01-01T00:00:00"})
    assert naive.status_code == 422


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/orders/ord_none", None),
        ("GET", "/v1/orders/ord_none/history", None),
        ("POST", "/v1/orders/ord_none/cancel", {"by": "Ida", "why": "x"}),
        ("POST", "/v1/exceptions/exc_none/resolve",
         {"resolution": "done", "by": "Ida", "why": "x"}),
        ("GET", "/v1/subscriptions/sub_none", None),
        ("DELETE", "/v1/subscriptions/sub_none", None),
        ("GET", "/v1/invoices/RE-1", None),
        ("GET", "/v1/invoices/RE-1.pdf", None),
        ("GET", "/v1/nothing", None),
        ("GET", "/", None),
    ],
)  # fmt: skip
def test_what_does_not_exist(method: str, path: str, body: Any, api: ApiBox) -> None:
    answer = api.call(method, path, body)
    assert (answer.status_code, problem_of(answer)["code"]) == (404, "not_found")


def test_a_method_that_a_path_does_not_take(api: ApiBox) -> None:
    answer = api.call("PUT", "/v1/orders")
    assert (answer.status_code, problem_of(answer)["code"]) == (405, "method_not_allowed")


# --- actions and documents -----------------------------------------------------------------------


def test_an_action_carries_what_its_workflow_needs(api: ApiBox) -> None:
    api.woo(card_order(102))
    api.stripe(paid_event(102))
    batch = api.post("/v1/actions/lease", {"stage": "fulfillment", "max": 5}, role="automation")
    (action,) = batch["actions"]
    assert action["lease_id"] == batch["lease_id"]
    assert action["system"] == {"id": "woo-main", "kind": "woocommerce",
                                "base_url": "https://shop.example"}  # fmt: skip
    assert (action["shop"]["order_id"], action["order"]["number"]) == ("102", "102")
    assert action["order"]["total"] == {"amount": "34.70", "currency": "EUR"}
    assert action["idempotency_key"].startswith("kette-")
    assert action["reasons"]
    stock = {
        "products": [
            {"id": line["product_id"], "stock_status": "instock", "manage_stock": False}
            for line in action["data"]["lines"]
        ]
    }
    result = {"key": action["key"], "status": "done", "answer": stock,
              "lease_id": action["lease_id"]}  # fmt: skip
    answer = api.post("/v1/actions/report", {"results": [result, {**result, "key": "x:y"}]})
    assert [(r["accepted"], r["status"]) for r in answer["results"]] == [
        (True, "done"),
        (False, "unknown"),
    ]
    (shipment,) = api.post("/v1/actions/lease", {"stage": "fulfillment"})["actions"]
    data = shipment["data"]
    assert data["external_reference"] == shipment["idempotency_key"]
    assert data["order_ref"] == woo_id(102)
    assert (data["weight_g"], data["weight_kg"]) == (1000, "1.000")
    assert data["address"]["country_code"] == "DE"


def test_invoices_are_issued_once_and_kept(api: ApiBox) -> None:
    api.woo(
        card_order(102, status="completed", payment_method="bacs",
                   date_paid_gmt="2026-11-23T20:20:00")
    )  # fmt: skip
    key = f"issue_invoice:{woo_id(102)}"
    first, again = (
        api.post("/v1/invoices", {"keys": [key, "x"]}, role="automation") for _ in range(2)
    )
    assert first == again
    issued, unknown = first["results"]
    assert issued == {
        "key": key,
        "status": "done",
        "number": "RE-2026-000001",
        "document": "invoice",
        "gross": {"amount": "34.70", "currency": "EUR"},
        "pdf": "/v1/invoices/RE-2026-000001.pdf",
        "file_name": "RE-2026-000001.pdf",
    }
    assert unknown["status"] == "unknown"
    content = api.get("/v1/invoices/RE-2026-000001", role="accountant")
    assert content["content"]["total"] == {"amount": "34.70", "currency": "EUR"}
    pdf = api.call("GET", issued["pdf"], role="accountant")
    assert (pdf.status_code, pdf.headers["content-type"]) == (200, "application/pdf")
    assert pdf.content.startswith(b"%PDF")
    assert pdf.content == api.call("GET", issued["pdf"]).content


def test_subscriptions_same_again_renews_the_secret(api: ApiBox) -> None:
    wish = {"url": "http://127.0.0.1:5678/webhook/a", "stage": "payment", "name": "chain"}
    first = api.call("POST", "/v1/subscriptions", wish, "automation")
    again = api.call("POST", "/v1/subscriptions", wish, "automation")
    assert (first.status_code, again.status_code) == (201, 200)
    one, two = first.json(), again.json()
    assert one["id"] == two["id"]
    assert one["secret"] != two["secret"]
    assert len(one["secret"]) >= 32
    shown = api.get(f"/v1/subscriptions/{one['id']}", role="automation")
    assert shown == {**one, "secret": None}
    other = api.post("/v1/subscriptions", {**wish, "stage": "customer"})
    assert other["id"] != one["id"]
    events = api.post("/v1/subscriptions", {"url": wish["url"], "events": ["alert"]})
    assert (events["stage"], events["events"]) == (None, ["alert"])
    gone = api.call("DELETE", f"/v1/subscriptions/{one['id']}")
    assert (gone.status_code, gone.content) == (204, b"")
    assert api.call("DELETE", f"/v1/subscriptions/{one['id']}").status_code == 404


@pytest.mark.parametrize(
    "wish",
    [
        {"url": "http://127.0.0.1/"},
        {"url": "http://127.0.0.1/", "stage": "payment", "events": ["alert"]},
        {"url": "ftp://127.0.0.1/", "stage": "payment"},
        {"url": "http://", "stage": "payment"},
        {"url": "http://[", "stage": "payment"},
        {"url": "http://host:port/", "stage": "payment"},
        {"url": "http://a b/", "stage": "payment"},
        {"url": "javascript:alert(1)", "stage": "payment"},
        {"url": "http://127.0.0.1/", "stage": "nonsense"},
        {"url": "http://127.0.0.1/", "events": ["nonsense"]},
        {"url": "http://127.0.0.1/" + "a" * 500, "stage": "payment"},
    ],
    ids=lambda wish: str(wish)[:60],
)
def test_subscriptions_that_cannot_be_served_are_refused(wish: Any, api: ApiBox) -> None:
    """A URL that no client can call made every push of the stage fail and burn its tries."""
    answer = api.call("POST", "/v1/subscriptions", wish)
    assert (answer.status_code, problem_of(answer)["code"]) == (422, "invalid_input")


# --- operations ----------------------------------------------------------------------------------


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
    assert facts_and_deliveries(api) == (0, 0)


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
