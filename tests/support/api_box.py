"""The HTTP face of a service for tests: a client per role, requests as a vendor sends them."""

from __future__ import annotations

from typing import Any

import httpx
from kette.api.app import create_app
from kette.use_cases.keys import Role
from sqlalchemy import text
from starlette.testclient import TestClient

from support.service_box import Headers, ServiceBox, stripe_request, woo_request

PROBLEM = "application/problem+json"


class ApiBox:
    """Answers come as over HTTP: an error of ours is a 500, not an exception."""

    def __init__(self, box: ServiceBox) -> None:
        self.box = box
        self.app = create_app(box.service)
        self.http = TestClient(self.app, raise_server_exceptions=False)
        self.keys = {role.value: box.key(role.value) for role in Role}

    def call(
        self, method: str, path: str, body: Any = None, role: str | None = "admin", **more: Any
    ) -> httpx.Response:
        headers: Headers = dict(more.pop("headers", {}))
        if role is not None:
            headers["authorization"] = f"Bearer {self.keys[role]}"
        if body is not None:
            more["json"] = body
        return self.http.request(method, path, headers=headers, **more)

    def get(self, path: str, role: str | None = "admin", **query: Any) -> Any:
        answer = self.call("GET", path, role=role, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: Any, role: str = "admin") -> Any:
        answer = self.call("POST", path, body, role)
        assert answer.status_code in (200, 201, 202), answer.text
        return answer.json()

    def woo(self, body: Any, topic: str = "order.updated", **more: Any) -> httpx.Response:
        raw, headers = woo_request(body, topic, **more)
        return self.http.post("/v1/events/woo-main", content=raw, headers=headers)

    def stripe(self, event: Any) -> httpx.Response:
        raw, headers = stripe_request(event)
        return self.http.post("/v1/events/stripe-main", content=raw, headers=headers)

    def facts_and_deliveries(self) -> tuple[int, ...]:
        """How many of each are stored."""
        with self.box.service.database.read() as connection:
            return tuple(
                connection.execute(text(f"SELECT COUNT(*) FROM {table}")).scalar_one()
                for table in ("facts", "deliveries")
            )

    def close(self) -> None:
        self.http.close()
        self.box.close()


def problem_of(answer: httpx.Response) -> dict[str, Any]:
    """The problem document of an answer, checked for its form."""
    assert answer.headers["content-type"] == PROBLEM, (answer.status_code, answer.text[:300])
    told: dict[str, Any] = answer.json()
    assert told["status"] == answer.status_code
    assert told["type"].endswith(told["code"])
    assert told["title"]
    assert isinstance(told["detail"], str)
    assert isinstance(told["retryable"], bool)
    return told
