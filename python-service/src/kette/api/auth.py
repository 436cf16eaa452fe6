"""Bearer keys with roles. Found by digest, so comparing leaks nothing; cached for seconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from starlette.concurrency import run_in_threadpool

from kette.api.problems import ApiError
from kette.use_cases.keys import Role, digest_of
from kette.use_cases.ports import Store

CACHE_S = 5.0  # a revoked key works this much longer at most

READERS = frozenset({Role.AUTOMATION, Role.AGENT, Role.APPROVER, Role.ACCOUNTANT, Role.ADMIN})
PEOPLE = frozenset({Role.AGENT, Role.APPROVER, Role.ADMIN, Role.AUTOMATION})
APPROVERS = frozenset({Role.APPROVER, Role.ADMIN})
MACHINES = frozenset({Role.AUTOMATION, Role.ADMIN})
INGESTERS = frozenset({Role.INGEST, Role.AUTOMATION, Role.ADMIN})
DOCUMENTS = READERS
ADMINS = frozenset({Role.ADMIN})
ANYBODY = frozenset(Role)

Guard = Callable[..., Coroutine[Any, Any, Role]]


class KeyRing:
    """Looks keys up in the database and remembers the answer for a few seconds."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._seen: dict[str, tuple[float, Role | None]] = {}

    def role_of(self, key: str) -> Role | None:
        digest = digest_of(key)
        now = time.monotonic()
        known = self._seen.get(digest)
        if known is not None and known[0] > now:
            return known[1]
        with self._store.read() as tx:
            row = tx.keys.by_hash(digest)
        role = Role(row["role"]) if row is not None else None
        if len(self._seen) > 1000:  # wrong keys must not fill the memory
            self._seen.clear()
        self._seen[digest] = (now + CACHE_S, role)
        return role

    def may_send_mail(self, key: str) -> bool:
        return self.role_of(key) in MACHINES


# The guard reads the header itself, for refusals in our form; this tells the OpenAPI document.
BEARER = HTTPBearer(auto_error=False, description="An API key, made with `kette keys create`")


def require(roles: frozenset[Role]) -> Guard:
    """A dependency that lets only these roles pass."""

    async def guard(request: Request, _told: Annotated[object, Depends(BEARER)] = None) -> Role:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key:
            raise ApiError(
                401,
                "unauthorized",
                "Send 'Authorization: Bearer <key>'; keys are made with `kette keys create`.",
                headers={"WWW-Authenticate": "Bearer"},
            )
        ring: KeyRing = request.app.state.service.keys
        role = await run_in_threadpool(ring.role_of, key.strip())
        if role is None:
            raise ApiError(
                401,
                "unauthorized",
                "This API key is unknown or revoked.",
                headers={"WWW-Authenticate": "Bearer"},
            )
        if role not in roles:
            allowed = ", ".join(sorted(roles))
            raise ApiError(403, "forbidden", f"Role {role} may not do this; allowed: {allowed}.")
        return role

    return guard
