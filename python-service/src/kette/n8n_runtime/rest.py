"""The parts of n8n's HTTP interface that Kette uses: keys, packages, workflows, executions."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx

Json = dict[str, Any]  # n8n's own shapes; they stop at the functions of this package

_TIMEOUT_S = 60.0
# n8n publishes what it imports, one workflow after the other: minutes on a busy machine.
_IMPORT_TIMEOUT_S = 300.0
_PAGE = 100
_MAX_PAGES = 1000
_UNFINISHED = {"new", "running", "waiting"}


class N8nApiError(Exception):
    """n8n refused a request; the message holds what it said."""


@contextmanager
def sign_in(url: str, email: str, password: str) -> Iterator[httpx.Client]:
    """Give a client with the session of a user, for what the public API does not offer."""
    with httpx.Client(base_url=url, timeout=_TIMEOUT_S, trust_env=False) as client:
        _json(client.post("/rest/login", json={"emailOrLdapLoginId": email, "password": password}))
        yield client


def create_api_key(url: str, email: str, password: str, label: str = "kette") -> str:
    """Sign in as the owner and return a new API key with every scope of this n8n.

    A key of the same label is replaced: n8n shows a key only once and refuses equal labels.
    """
    with sign_in(url, email, password) as client:
        listed = _json(client.get("/rest/api-keys"))["data"]
        keys = listed.get("items", []) if isinstance(listed, dict) else listed
        for key in keys:
            if key.get("label") == label:
                _json(client.delete(f"/rest/api-keys/{key['id']}"))
        scopes = _json(client.get("/rest/api-keys/scopes"))["data"]
        body = {"label": label, "expiresAt": None, "scopes": scopes}
        raw: str = _json(client.post("/rest/api-keys", json=body))["data"]["rawApiKey"]
        return raw


def publication_status(session: httpx.Client, workflow_id: str) -> str:
    """Return in_progress, published, partial, failed or, without any trigger, not_published."""
    answer = _json(session.get(f"/rest/workflows/{workflow_id}/publication-status"))
    status: str = answer["data"]["status"]
    return status


class N8nApi:
    """n8n's public API (v1) with an API key."""

    def __init__(self, url: str, api_key: str) -> None:
        self.url = url.rstrip("/")
        self.api_key = api_key
        # Proxies of the machine must not see calls to a local n8n.
        self._client = httpx.Client(
            base_url=f"{self.url}/api/v1",
            headers={"X-N8N-API-KEY": api_key},
            timeout=_TIMEOUT_S,
            trust_env=False,
        )

    def close(self) -> None:
        self._client.close()

    def workflow(self, workflow_id: str) -> Json | None:
        """Return a workflow as n8n holds it now, or None if there is none with this id."""
        answer = self._client.get(f"/workflows/{workflow_id}")
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        return _json(answer)

    def workflows(self) -> Iterator[Json]:
        return self._pages("/workflows", {})

    def update_workflow(self, workflow_id: str, body: Json) -> Json:
        """Replace name, nodes, connections and settings; n8n publishes what was published."""
        return _json(self._client.put(f"/workflows/{workflow_id}", json=body))

    def publish(self, workflow_id: str) -> Json:
        return _json(self._client.post(f"/workflows/{workflow_id}/publish", json={}))

    def unpublish(self, workflow_id: str) -> Json:
        return _json(self._client.post(f"/workflows/{workflow_id}/unpublish", json={}))

    def import_package(self, package: bytes, options: Mapping[str, str]) -> Json:
        """Import a .n8np file and return n8n's report; its states are the caller's to check."""
        files = {"package": ("kette.n8np", package, "application/gzip")}
        answer = self._client.post(
            "/n8n-packages/import", data=dict(options), files=files, timeout=_IMPORT_TIMEOUT_S
        )
        return _json(answer)

    def credentials(self) -> Iterator[Json]:
        """Yield id, name and type of each credential."""
        return self._pages("/credentials", {})

    def create_credential(self, name: str, kind: str, values: Json) -> str:
        body = {"name": name, "type": kind, "data": values}
        created: str = _json(self._client.post("/credentials", json=body))["id"]
        return created

    def test_credential(self, credential_id: str) -> Json:
        return _json(self._client.post(f"/credentials/{credential_id}/test", json={}))

    def executions(
        self, workflow_id: str | None = None, status: str | None = None, *, with_data: bool = False
    ) -> list[Json]:
        """Return executions, newest first."""
        query = {"includeData": str(with_data).lower()}
        if workflow_id:
            query["workflowId"] = workflow_id
        if status:
            query["status"] = status
        return list(self._pages("/executions", query))

    def execution(self, execution_id: str) -> Json:
        return _json(self._client.get(f"/executions/{execution_id}?includeData=true"))

    def retry_execution(self, execution_id: str) -> Json:
        """Run a failed execution again from the node that failed, with the data it had."""
        return _json(self._client.post(f"/executions/{execution_id}/retry", json={}))

    def wait_execution(self, execution_id: str, timeout_s: float = 60.0) -> Json:
        """Return an execution with its data when it has ended. Raises TimeoutError."""
        deadline = time.monotonic() + timeout_s
        while True:
            found = self.execution(execution_id)
            if found["status"] not in _UNFINISHED:
                return found
            if time.monotonic() > deadline:
                raise TimeoutError(f"Execution {execution_id} is {found['status']}.")
            time.sleep(0.2)

    def _pages(self, path: str, query: Mapping[str, str]) -> Iterator[Json]:
        cursor: str | None = None
        for _ in range(_MAX_PAGES):
            params = {**query, "limit": str(_PAGE)}
            if cursor:
                params["cursor"] = cursor
            page = _json(self._client.get(path, params=params))
            yield from page["data"]
            cursor = page.get("nextCursor")
            if not cursor:
                return


def _json(answer: httpx.Response) -> Json:
    if answer.is_error:
        request = answer.request
        raise N8nApiError(
            f"n8n answered {answer.status_code} to {request.method} {request.url.path}: "
            f"{_reason(answer)}"
        )
    if not answer.content:
        return {}
    parsed: Json = answer.json()
    return parsed


def _reason(answer: httpx.Response) -> str:
    try:
        body = answer.json()
    except ValueError:
        return answer.text[:500]
    if not isinstance(body, dict):
        return str(body)[:500]
    parts = [body.get("message"), body.get("description"), body.get("hint")]
    meta = body.get("meta") or {}
    issues = body.get("issues") or (meta.get("issues") if isinstance(meta, dict) else None) or []
    known = ". ".join(str(part) for part in parts if part)
    told = [f"\n  {json.dumps(issue, ensure_ascii=False)}" for issue in issues]
    return "".join([known, *told]) or str(body)[:500]
