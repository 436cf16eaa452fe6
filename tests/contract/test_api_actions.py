"""Actions, documents and subscriptions: what workflows work with."""

from __future__ import annotations

from typing import Any

import pytest
from support.api_box import ApiBox, problem_of
from support.service_box import (
    card_order,
    paid_event,
    woo_id,
)


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
        {"url": "http://[::1", "stage": "payment"},
        {"url": "http://h:0/", "stage": "payment"},
        {"url": "http://h:99999/", "stage": "payment"},
        {"url": "http://a..b/", "stage": "payment"},
        {"url": "http://-a/", "stage": "payment"},
        {"url": "http://" + "a" * 64 + ".example/", "stage": "payment"},
        {"url": "http://%41/", "stage": "payment"},
        {"url": "http://h\\x/", "stage": "payment"},
        {"url": "http://user@/", "stage": "payment"},
        {"url": "http://xn--a/", "stage": "payment"},
        {"url": "http://h/a b", "stage": "payment"},
        {"url": "http://h/a\n", "stage": "payment"},
    ],
    ids=lambda wish: str(wish)[:60],
)
def test_subscriptions_that_cannot_be_served_are_refused(wish: Any, api: ApiBox) -> None:
    """A URL that no client can call made every push of the stage fail and burn its tries."""
    answer = api.call("POST", "/v1/subscriptions", wish)
    assert (answer.status_code, problem_of(answer)["code"]) == (422, "invalid_input")


@pytest.mark.parametrize(
    "url",
    [
        "http://n8n:5678/webhook/kette-payment",
        "http://n8n_main:5678/webhook/x",
        "https://automation.example.org/webhook/x?a=b%20c",
        "https://user:word@automation.example.org./webhook/x",
        "http://[::1]:5678/webhook/x",
        "https://m\u00fcnchen.example/x",
    ],
)
def test_subscriptions_of_every_host_that_can_be_called(url: str, api: ApiBox) -> None:
    answer = api.call("POST", "/v1/subscriptions", {"url": url, "stage": "payment"})
    assert (answer.status_code, answer.json()["url"]) == (201, url)
