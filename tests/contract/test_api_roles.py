"""Who may do what: every route with every role, and without any."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kette.use_cases.keys import Role, revoke_key
from support.api_box import ApiBox, problem_of
from support.service_box import ServiceBox, sqlite_url

ANYBODY = frozenset(Role)
READERS = ANYBODY - {Role.INGEST}
MACHINES = frozenset({Role.AUTOMATION, Role.ADMIN})
PEOPLE = frozenset({Role.AGENT, Role.APPROVER, Role.ADMIN, Role.AUTOMATION})
APPROVERS = frozenset({Role.APPROVER, Role.ADMIN})
ADMINS = frozenset({Role.ADMIN})
INGESTERS = frozenset({Role.INGEST, Role.AUTOMATION, Role.ADMIN})
WHO = {"by": "Ida", "why": "test"}

# Method and route as in the OpenAPI document -> roles, and a body that passes validation.
ROUTES: dict[tuple[str, str], tuple[frozenset[Role], Any]] = {
    ("GET", "/v1/ping"): (ANYBODY, None),
    ("GET", "/v1/orders"): (READERS, None),
    ("GET", "/v1/orders/{order_id}"): (READERS, None),
    ("GET", "/v1/orders/{order_id}/history"): (READERS, None),
    ("POST", "/v1/orders/{order_id}/corrections"): (PEOPLE, {"address": {}, **WHO}),
    ("POST", "/v1/orders/{order_id}/approvals"): (
        APPROVERS,
        {"subject": "risk", "approved": True, **WHO},
    ),
    ("POST", "/v1/orders/{order_id}/notes"): (PEOPLE, {"text": "x", "by": "Ida"}),
    ("POST", "/v1/orders/{order_id}/cancel"): (APPROVERS, WHO),
    ("GET", "/v1/exceptions"): (READERS, None),
    ("POST", "/v1/exceptions/{exception_id}/assign"): (PEOPLE, {"owner": "x", **WHO}),
    ("POST", "/v1/exceptions/{exception_id}/resolve"): (PEOPLE, {"resolution": "done", **WHO}),
    ("POST", "/v1/exceptions/{exception_id}/snooze"): (
        PEOPLE,
        {"until": "2027-01-01T00:00:00Z", **WHO},
    ),
    ("POST", "/v1/readings/{system_id}"): (INGESTERS, {"id": 1}),
    ("POST", "/v1/pulls/{system_id}"): (INGESTERS, {}),
    ("GET", "/v1/pulls"): (READERS, None),
    ("POST", "/v1/actions/lease"): (MACHINES, {"stage": "payment"}),
    ("POST", "/v1/actions/report"): (MACHINES, {"results": [{"key": "x", "status": "done"}]}),
    ("POST", "/v1/subscriptions"): (MACHINES, {"url": "http://127.0.0.1/", "stage": "payment"}),
    ("GET", "/v1/subscriptions/{subscription_id}"): (MACHINES, None),
    ("DELETE", "/v1/subscriptions/{subscription_id}"): (MACHINES, None),
    ("POST", "/v1/invoices"): (MACHINES, {"keys": ["x"]}),
    ("GET", "/v1/invoices/{name}"): (READERS, None),
    ("POST", "/v1/addresses/normalize"): (READERS, {"line1": "Hafenstr. 3"}),
    ("POST", "/v1/orders/validate"): (READERS, {"system_id": "woo-main", "order": {}}),
    ("POST", "/v1/risk/assess"): (READERS, {"system_id": "woo-main", "order": {}}),
    ("GET", "/v1/sandbox/clock"): (ADMINS, None),
    ("POST", "/v1/sandbox/clock"): (ADMINS, {"advance_s": 0}),
    ("GET", "/v1/sandbox/pending"): (ADMINS, None),
}
# No key: the vendor's signature (tested in test_api_events.py), health and documentation.
OPEN = {
    ("POST", "/v1/events/{system_id}"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiBox]:
    folder: Path = tmp_path_factory.mktemp("roles")
    opened = ApiBox(ServiceBox(sqlite_url(folder)))
    yield opened
    opened.close()


def routes_of(api: ApiBox) -> set[tuple[str, str]]:
    paths = api.get("/openapi.json", role=None)["paths"]
    return {(method.upper(), path) for path, methods in paths.items() for method in methods}


def test_every_route_is_in_the_table(api: ApiBox) -> None:
    assert routes_of(api) == set(ROUTES) | OPEN


def path_of(route: str) -> str:
    for name in ("order_id", "exception_id", "subscription_id", "name"):
        route = route.replace("{" + name + "}", "none")
    return route


@pytest.mark.parametrize(("method", "route"), ROUTES, ids=" ".join)
@pytest.mark.parametrize("role", Role)
def test_roles(method: str, route: str, role: Role, api: ApiBox) -> None:
    allowed, body = ROUTES[method, route]
    answer = api.call(method, path_of(route), body, role=role.value)
    if role in allowed:
        assert answer.status_code in (200, 201, 404, 422), answer.text
    else:
        told = problem_of(answer)
        assert (answer.status_code, told["code"]) == (403, "forbidden")
        assert role.value in told["detail"]


@pytest.mark.parametrize(("method", "route"), ROUTES, ids=" ".join)
def test_without_a_valid_key_nothing_is_done(method: str, route: str, api: ApiBox) -> None:
    _, body = ROUTES[method, route]
    for header in (
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        "Basic a2V0dGU6a2V0dGU=",
        f"Token {api.keys['admin']}",
        "Bearer " + "x" * 5000,
        b"Bearer k\xc3\xa4se",
        b"Bearer \xff\xfe",
    ):
        headers = {} if header is None else {"authorization": header}
        answer = api.call(method, path_of(route), body, role=None, headers=headers)
        assert (answer.status_code, problem_of(answer)["code"]) == (401, "unauthorized")
        assert answer.headers["www-authenticate"] == "Bearer"


def test_a_key_is_asked_for_before_the_body_is_judged(api: ApiBox) -> None:
    answer = api.call("POST", "/v1/actions/lease", {"stage": 7}, role=None)
    assert answer.status_code == 401


def test_a_revoked_key_ends_within_seconds(api: ApiBox, monkeypatch: pytest.MonkeyPatch) -> None:
    box = api.box
    box.key("agent")
    with box.kernel.store.read() as tx:
        newest = max(tx.keys.all(), key=lambda row: row["id"])
    from kette.api import auth
    from kette.use_cases.keys import create_key

    key = create_key(box.kernel.store, box.kernel.new_id, "agent", "leaver", box.clock.at)
    headers = {"authorization": f"Bearer {key}"}
    assert api.call("GET", "/v1/orders", role=None, headers=headers).status_code == 200
    with box.kernel.store.read() as tx:
        own = next(row for row in tx.keys.all() if row["label"] == "leaver")
    assert own["id"] > newest["id"]
    revoke_key(box.kernel.store, own["id"], box.clock.at)
    import time

    later = time.monotonic() + auth.CACHE_S + 0.1
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert api.call("GET", "/v1/orders", role=None, headers=headers).status_code == 401


def test_keys_are_stored_as_digests_only(api: ApiBox) -> None:
    with api.box.kernel.store.read() as tx:
        stored = str(tx.keys.all())
    assert all(key not in stored and key[8:] not in stored for key in api.keys.values())
