"""SQL of the exception list, documents, subscriptions and API keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    and_,
    delete,
    func,
    insert,
    select,
    update,
)

from kette.adapters.database.sql import Cursor, Sql, update_by
from kette.adapters.database.tables import (
    api_keys,
    documents,
    exceptions,
    notices,
    subscriptions,
)
from kette.adapters.database.times import from_us, maybe_from_us, maybe_us, to_us
from kette.use_cases.ports import ExceptionRow

_OF_ORDER = Sql("SELECT * FROM exceptions WHERE order_id = :order_id")
_BY_KEY = Sql("SELECT * FROM exceptions WHERE key = :key")
_INSERT = Sql(
    "INSERT INTO exceptions (id, key, order_id, kind, origin, status, summary, context, "
    "suggestion, blocking, owner, opened_us, due_us) VALUES (:id, :key, :order_id, :kind, :origin, "
    ":status, :summary, :context, :suggestion, :blocking, :owner, :opened_us, :due_us)"
)
_NEXT_NUMBER = Sql(
    "INSERT INTO number_ranges (name, last) VALUES (:name, 1) "
    "ON CONFLICT (name) DO UPDATE SET last = number_ranges.last + 1 RETURNING last"
)


def _exception(row: Mapping[str, Any] | RowMapping) -> ExceptionRow:
    return ExceptionRow(
        id=row["id"],
        key=row["key"],
        order_id=row["order_id"],
        kind=row["kind"],
        origin=row["origin"],
        status=row["status"],
        summary=row["summary"],
        context=msgspec.json.decode(row["context"]),
        suggestion=row["suggestion"],
        blocking=bool(row["blocking"]),
        owner=row["owner"],
        opened_at=from_us(row["opened_us"]),
        due_at=from_us(row["due_us"]),
        snoozed_until=maybe_from_us(row["snoozed_until_us"]),
        closed_at=maybe_from_us(row["closed_us"]),
        resolution=row["resolution"],
        openings=row["openings"],
    )


_INSTANTS = ("opened", "due", "snoozed_until", "escalated", "closed", "retry")


def _columns(values: dict[str, Any]) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for name, value in values.items():
        if name in _INSTANTS:
            columns[f"{name}_us"] = maybe_us(value)
        elif name == "context":
            columns[name] = msgspec.json.encode(value).decode()
        else:
            columns[name] = value
    return columns


def _slept_enough(now: datetime) -> ColumnElement[bool]:
    return and_(exceptions.c.status == "snoozed", exceptions.c.snoozed_until_us <= to_us(now))


class ExceptionsTable:
    """See use_cases.ports.Exceptions."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._cursor = Cursor(connection)

    def of_order(self, order_id: str) -> list[ExceptionRow]:
        rows = self._cursor.dicts(_OF_ORDER, {"order_id": order_id})
        return [_exception(row) for row in rows]

    def get(self, exception_id: str) -> ExceptionRow | None:
        query = select(exceptions).where(exceptions.c.id == exception_id)
        row = self._connection.execute(query).mappings().first()
        return _exception(row) if row is not None else None

    def by_key(self, key: str) -> ExceptionRow | None:
        found = self._cursor.dicts(_BY_KEY, {"key": key})
        return _exception(found[0]) if found else None

    def insert(self, row: dict[str, Any]) -> None:
        self._cursor.run(_INSERT, _columns(row))

    def update(self, exception_id: str, **values: Any) -> None:
        columns = _columns(values)
        change = update_by(exceptions, "id", tuple(columns))
        self._cursor.run(change, {**columns, "key_": exception_id})

    def overdue(self, now: datetime, limit: int) -> list[ExceptionRow]:
        query = (
            select(exceptions)
            .where(
                exceptions.c.status == "open",
                exceptions.c.due_us <= to_us(now),
                exceptions.c.escalated_us.is_(None),
            )
            .order_by(exceptions.c.due_us)
            .limit(limit)
        )
        return [_exception(row) for row in self._connection.execute(query).mappings()]

    def is_any_awake(self, now: datetime) -> bool:
        query = select(exceptions.c.id).where(_slept_enough(now)).limit(1)
        return self._connection.execute(query).first() is not None

    def wake(self, now: datetime) -> None:
        change = update(exceptions).where(_slept_enough(now))
        self._connection.execute(change.values(status="open", snoozed_until_us=None))

    def open_by_kind(self) -> dict[str, int]:
        query = (
            select(exceptions.c.kind, func.count())
            .where(exceptions.c.status == "open")
            .group_by(exceptions.c.kind)
        )
        return {row[0]: int(row[1]) for row in self._connection.execute(query)}

    def find(self, **filters: Any) -> tuple[list[ExceptionRow], str | None]:
        """Oldest due first is for people; the list pages by id, newest first."""
        limit = int(filters.get("limit") or 50)
        query: Select[Any] = select(exceptions).order_by(exceptions.c.id.desc()).limit(limit + 1)
        for name in ("status", "kind", "owner", "order_id"):
            if filters.get(name):
                query = query.where(exceptions.c[name] == filters[name])
        if filters.get("cursor"):
            query = query.where(exceptions.c.id < filters["cursor"])
        rows = [_exception(row) for row in self._connection.execute(query).mappings()]
        return rows[:limit], rows[limit - 1].id if len(rows) > limit else None


class DocumentsTable:
    """See use_cases.ports.Documents."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._cursor = Cursor(connection)

    def next_number(self, range_name: str) -> int:
        return int(self._cursor.rows(_NEXT_NUMBER, {"name": range_name})[0][0])

    def insert(self, row: dict[str, Any]) -> None:
        self._connection.execute(insert(documents).values(**row))

    def by_key(self, action_key: str) -> dict[str, Any] | None:
        query = select(documents).where(documents.c.action_key == action_key)
        row = self._connection.execute(query).mappings().first()
        return dict(row) if row is not None else None

    def get(self, number: str) -> dict[str, Any] | None:
        query = select(documents).where(documents.c.number == number)
        row = self._connection.execute(query).mappings().first()
        return dict(row) if row is not None else None

    def of_order(self, order_id: str) -> list[dict[str, Any]]:
        query = (
            select(documents)
            .where(documents.c.order_id == order_id)
            .order_by(documents.c.issued_us, documents.c.number)
        )
        return [dict(row) for row in self._connection.execute(query).mappings()]


class SubscriptionsTable:
    """See use_cases.ports.Subscriptions."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, row: dict[str, Any]) -> tuple[str, bool]:
        """Insert, or renew the secret of the same url and topic. Returns (id, is new)."""
        same = (subscriptions.c.url == row["url"]) & (subscriptions.c.topic == row["topic"])
        known = self._connection.execute(select(subscriptions.c.id).where(same)).first()
        if known is not None:
            self._connection.execute(
                update(subscriptions)
                .where(same)
                .values(secret=row["secret"], name=row["name"], failures=0, retry_us=None)
            )
            return known[0], False
        self._connection.execute(insert(subscriptions).values(**row))
        return row["id"], True

    def get(self, subscription_id: str) -> dict[str, Any] | None:
        query = select(subscriptions).where(subscriptions.c.id == subscription_id)
        row = self._connection.execute(query).mappings().first()
        return dict(row) if row is not None else None

    def delete(self, subscription_id: str) -> bool:
        self._connection.execute(
            delete(notices).where(notices.c.subscription_id == subscription_id)
        )
        result = self._connection.execute(
            delete(subscriptions).where(subscriptions.c.id == subscription_id)
        )
        return result.rowcount == 1

    def all(self) -> list[dict[str, Any]]:
        query = select(subscriptions).order_by(subscriptions.c.id)
        return [dict(row) for row in self._connection.execute(query).mappings()]

    def update(self, subscription_id: str, **values: Any) -> None:
        self._connection.execute(
            update(subscriptions)
            .where(subscriptions.c.id == subscription_id)
            .values(**_columns(values))
        )

    def add_notices(self, rows: Sequence[dict[str, Any]]) -> None:
        if rows:
            self._connection.execute(insert(notices), list(rows))

    def lease_notices(
        self, subscription_id: str, now: datetime, until: datetime, limit: int
    ) -> list[dict[str, Any]]:
        free = notices.c.leased_until_us.is_(None) | (notices.c.leased_until_us <= to_us(now))
        query = (
            select(notices)
            .where(notices.c.subscription_id == subscription_id, free)
            .order_by(notices.c.created_us, notices.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        rows = [dict(row) for row in self._connection.execute(query).mappings()]
        if rows:
            ids = [row["id"] for row in rows]
            self._connection.execute(
                update(notices).where(notices.c.id.in_(ids)).values(leased_until_us=to_us(until))
            )
        return rows

    def drop_notices(self, ids: Sequence[str]) -> None:
        if ids:
            self._connection.execute(delete(notices).where(notices.c.id.in_(list(ids))))


class KeysTable:
    """See use_cases.ports.Keys."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def insert(self, row: dict[str, Any]) -> None:
        self._connection.execute(insert(api_keys).values(**row))

    def by_hash(self, digest: str) -> dict[str, Any] | None:
        query = select(api_keys).where(api_keys.c.hash == digest, api_keys.c.revoked_us.is_(None))
        row = self._connection.execute(query).mappings().first()
        return dict(row) if row is not None else None

    def all(self) -> list[dict[str, Any]]:
        query = select(api_keys).order_by(api_keys.c.id)
        return [dict(row) for row in self._connection.execute(query).mappings()]

    def revoke(self, key_id: str, now: datetime) -> bool:
        result = self._connection.execute(
            update(api_keys)
            .where(api_keys.c.id == key_id, api_keys.c.revoked_us.is_(None))
            .values(revoked_us=to_us(now))
        )
        return result.rowcount == 1
