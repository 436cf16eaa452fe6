"""Orders, their history, the exception list, and what people say about them."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from support.api_box import ApiBox, problem_of
from support.service_box import (
    card_order,
    paid_event,
    woo_id,
)
from support.vendor_deliveries import recorded_step

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
        {"status": "payed"},
        {"status": "payment:"},
        {"status": "payment:shipped"},
        {"from": "2026"},
        {"from": "1795000000"},
        {"to": "0001-01-01T00:00:00+14:00"},
    ],
    ids=str,
)
def test_filters_that_make_no_sense_are_refused(query: dict[str, str], api: ApiBox) -> None:
    answer = api.call("GET", "/v1/orders", params=query)
    assert (answer.status_code, problem_of(answer)["code"]) == (422, "invalid_input")


@pytest.mark.parametrize(
    "query",
    [{"status": "opened"}, {"kind": "adress"}, {"cursor": "x"}, {"limit": "0"}],
    ids=str,
)
def test_exception_filters_that_make_no_sense_are_refused(
    query: dict[str, str], api: ApiBox
) -> None:
    """A typing error answered an empty list, which reads as: all is well."""
    answer = api.call("GET", "/v1/exceptions", params=query)
    assert (answer.status_code, problem_of(answer)["code"]) == (422, "invalid_input")


def test_an_entry_is_snoozed_within_the_calendar(api: ApiBox) -> None:
    """An instant that only its offset leads out of the calendar was a 500."""
    api.woo(b"{")
    (entry,) = api.get("/v1/exceptions")["items"]
    path, who = f"/v1/exceptions/{entry['id']}/snooze", {"by": "Ida", "why": "x"}
    for until in ("9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59Z", 2027, "1795000000", "1e9"):
        answer = api.call("POST", path, {"until": until, **who})
        assert (answer.status_code, problem_of(answer)["code"]) == (422, "invalid_input"), until
    assert api.post(path, {"until": "2999-12-31T23:59:59+14:00", **who})["status"] == "snoozed"


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
    told = problem_of(answer)
    assert (answer.status_code, told["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "GET"
    assert "use GET" in told["detail"]
