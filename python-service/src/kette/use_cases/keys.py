"""API keys: made once, shown once, stored as a digest.

The key has 256 random bits, so a plain SHA-256 is enough: there is nothing to guess (ADR 0008).
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from kette.use_cases.errors import InvalidInputError, NotFoundError
from kette.use_cases.ports import NewId, Store

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PREFIX = "kette_"


class Role(StrEnum):
    INGEST = "ingest"  # hand in events of systems without a signature of their own
    AUTOMATION = "automation"  # n8n: events, actions, documents, reading
    AGENT = "agent"  # customer service: reading, notes, corrections, the exception list
    APPROVER = "approver"  # agent, and approvals and cancellations
    ACCOUNTANT = "accountant"  # reading, documents, books
    ADMIN = "admin"  # everything


def digest_of(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def create_key(store: Store, new_id: NewId, role: str, label: str, now: datetime) -> str:
    if role not in set(Role):
        raise InvalidInputError("role", f"must be one of {', '.join(Role)}")
    key = PREFIX + secrets.token_urlsafe(32)
    with store.write() as tx:
        tx.keys.insert(
            {
                "id": new_id("key"),
                "hash": digest_of(key),
                "role": role,
                "label": label[:120],
                "created_us": (now - _EPOCH) // timedelta(microseconds=1),
            }
        )
    return key


def revoke_key(store: Store, key_id: str, now: datetime) -> None:
    with store.write() as tx:
        if not tx.keys.revoke(key_id, now):
            raise NotFoundError("key", key_id)


def list_keys(store: Store) -> list[dict[str, Any]]:
    with store.read() as tx:
        return tx.keys.all()
