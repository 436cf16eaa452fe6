"""The OpenAPI document names what the calls answer, refusals included."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from contract.test_api_roles import ROUTES, path_of
from support.api_box import PROBLEM, ApiBox

BODILESS = (204, 304)


def undocumented(answer: httpx.Response, told: dict[str, Any]) -> list[str]:
    """What of an answer the document does not say."""
    status = str(answer.status_code)
    said = told["responses"].get(status) or told["responses"].get("default")
    if said is None:
        return [f"status {status}"]
    kind = answer.headers.get("content-type", "").partition(";")[0]
    kinds = said.get("content", {})
    return [] if answer.status_code in BODILESS or kind in kinds else [f"{status} {kind}"]


@pytest.mark.parametrize(("method", "route"), ROUTES, ids=" ".join)
def test_refusals_are_in_the_document(method: str, route: str, api: ApiBox) -> None:
    told = api.get("/openapi.json", role=None)["paths"][route][method.lower()]
    path, (_, body) = path_of(route), ROUTES[method, route]
    answers = [
        api.call(method, path, body),
        api.call(method, path, body, role=None),
        api.call(method, path, body, role="ingest"),
        api.call(method, path + "%00", body),
    ]
    if method == "POST":
        answers += [
            api.call(method, path, {"no such field": 1}),
            api.call(method, path, content=b'{"', headers={"content-type": "application/json"}),
            api.call(method, path, content=b"[" * 5_000_001),
        ]
    assert [fault for answer in answers for fault in undocumented(answer, told)] == []


def test_a_vendors_events_are_in_the_document(api: ApiBox) -> None:
    told = api.get("/openapi.json", role=None)["paths"]["/v1/events/{system_id}"]["post"]
    answers = [
        api.woo({"id": 1}),
        api.woo({"id": 1}, "coupon.created"),
        api.http.post("/v1/events/woo-main", content=b"{}"),
        api.http.post("/v1/events/nobody", content=b"{}"),
        api.http.post("/v1/events/woo-main", content=b"x" * 5_000_001),
    ]
    assert {answer.status_code for answer in answers} == {200, 202, 401, 404, 413}
    assert [fault for answer in answers for fault in undocumented(answer, told)] == []


def test_a_known_subscription_and_a_pdf_are_in_the_document(api: ApiBox) -> None:
    paths = api.get("/openapi.json", role=None)["paths"]
    body = {"url": "http://127.0.0.1:9/", "stage": "payment"}
    for _ in range(2):
        answer = api.call("POST", "/v1/subscriptions", body)
        assert undocumented(answer, paths["/v1/subscriptions"]["post"]) == []
    assert answer.status_code == 200
    assert "application/pdf" in paths["/v1/invoices/{name}"]["get"]["responses"]["200"]["content"]


def test_the_document_gives_a_problem_the_fields_that_it_has(api: ApiBox) -> None:
    document = api.get("/openapi.json", role=None)
    said = document["paths"]["/v1/orders"]["get"]["responses"]["422"]["content"][PROBLEM]["schema"]
    answer = api.call("GET", "/v1/orders?limit=none")
    assert set(said["required"]) <= set(answer.json()) <= set(said["properties"])
    assert answer.json()["code"] in said["properties"]["code"]["enum"]
    assert "HTTPValidationError" not in document["components"]["schemas"]
