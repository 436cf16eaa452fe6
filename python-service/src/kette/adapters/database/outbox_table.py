"""SQL of the outbox. A lease is one UPDATE over rows that nobody else holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, RowMapping, Select, func, select, text, update

from kette.adapters.database.sql import Cursor, Sql, update_by
from kette.adapters.database.tables import actions
from kette.adapters.database.times import from_us, maybe_from_us, maybe_us, to_us
from kette.use_cases.ports import ActionRow

_OF_ORDER = Sql("SELECT * FROM actions WHERE order_id = :order_id")
_GET = Sql("SELECT * FROM actions WHERE key IN :keys")
_INSERT = Sql(
    "INSERT INTO actions (key, order_id, kind, stage, state, payload, reasons, attempt, "
    "created_us, not_before_us) VALUES (:key, :order_id, :kind, :stage, 'pending', :payload, "
    ":reasons, 0, :created_us, :not_before_us)"
)
_RELEASE = Sql(
    "UPDATE actions SET state = 'pending', attempt = attempt - 1, lease_id = NULL, "
    "leased_until_us = NULL, not_before_us = :not_before_us "
    "WHERE lease_id = :lease_id AND state = 'leased' RETURNING order_id"
)
_WITHDRAW = Sql(
    "UPDATE actions SET state = 'withdrawn', finished_us = :now "
    "WHERE state = 'pending' AND key IN :keys RETURNING key"
)
_EXPIRED = Sql(
    "SELECT * FROM actions WHERE state = 'leased' AND leased_until_us <= :now "
    "ORDER BY leased_until_us LIMIT :limit"
)
_IN_FLIGHT = Sql(
    "SELECT COUNT(DISTINCT lease_id) FROM actions WHERE state = 'leased' AND stage = :stage "
    "AND leased_until_us > :now"
)
_DUE_STAGES = Sql(
    "SELECT stage, COUNT(*) FROM actions WHERE state = 'pending' AND not_before_us <= :now "
    "GROUP BY stage"
)
_COUNTS = Sql(
    "SELECT "
    "COALESCE(SUM(CASE WHEN state = 'pending' AND not_before_us <= :now THEN 1 ELSE 0 END), 0), "
    "COALESCE(SUM(CASE WHEN state = 'pending' AND not_before_us > :now THEN 1 ELSE 0 END), 0), "
    "COALESCE(SUM(CASE WHEN state = 'leased' THEN 1 ELSE 0 END), 0) "
    "FROM actions WHERE state IN ('pending', 'leased')"
)


def _action(row: Mapping[str, Any] | RowMapping) -> ActionRow:
    return ActionRow(
        key=row["key"],
        order_id=row["order_id"],
        kind=row["kind"],
        stage=row["stage"],
        state=row["state"],
        payload=msgspec.json.decode(row["payload"]),
        reasons=msgspec.json.decode(row["reasons"]),
        attempt=row["attempt"],
        created_at=from_us(row["created_us"]),
        not_before=from_us(row["not_before_us"]),
        lease_id=row["lease_id"],
        leased_until=maybe_from_us(row["leased_until_us"]),
        finished_at=maybe_from_us(row["finished_us"]),
        reference=row["reference"],
        last_error=row["last_error"],
    )


def _text(value: Any) -> str:
    return msgspec.json.encode(value).decode()


class OutboxTable:
    """See use_cases.ports.Outbox."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._cursor = Cursor(connection)

    def of_order(self, order_id: str) -> list[ActionRow]:
        rows = self._cursor.dicts(_OF_ORDER, {"order_id": order_id})
        return [_action(row) for row in rows]

    def get(self, keys: Sequence[str]) -> dict[str, ActionRow]:
        if not keys:
            return {}
        rows = self._cursor.dicts(_GET, {"keys": list(keys)})
        return {row["key"]: _action(row) for row in rows}

    def insert(self, rows: Sequence[dict[str, Any]]) -> None:
        self._cursor.many(
            _INSERT,
            [
                {
                    "key": row["key"],
                    "order_id": row["order_id"],
                    "kind": row["kind"],
                    "stage": row["stage"],
                    "payload": _text(row["payload"]),
                    "reasons": _text(row["reasons"]),
                    "created_us": to_us(row["created_at"]),
                    "not_before_us": to_us(row["not_before"]),
                }
                for row in rows
            ],
        )

    def update(self, key: str, **values: Any) -> None:
        """values: column names without _us for instants; payload and reasons as objects."""
        columns: dict[str, Any] = {}
        for name, value in values.items():
            if name in ("not_before", "leased_until", "finished"):
                columns[f"{name}_us"] = maybe_us(value)
            elif name in ("payload", "reasons"):
                columns[name] = _text(value)
            else:
                columns[name] = value
        self._cursor.run(update_by(actions, "key", tuple(columns)), {**columns, "key_": key})

    def lease(
        self,
        stage: str,
        kinds: Sequence[str],
        limit: int,
        lease_id: str,
        now: datetime,
        until: datetime,
    ) -> list[ActionRow]:
        due: Select[Any] = (
            select(actions.c.key)
            .where(
                actions.c.state == text("'pending'"),  # literal: lets the partial index serve
                actions.c.stage == stage,
                actions.c.not_before_us <= to_us(now),
            )
            .order_by(actions.c.not_before_us, actions.c.key)
            .limit(limit)
            # Replicas on one PostgreSQL pass over rows that another is leasing right now.
            .with_for_update(skip_locked=True)
        )
        if kinds:
            due = due.where(actions.c.kind.in_(list(kinds)))
        keys = [row[0] for row in self._connection.execute(due)]
        if not keys:
            return []
        self._connection.execute(
            update(actions)
            .where(actions.c.key.in_(keys))
            .values(
                state="leased",
                attempt=actions.c.attempt + 1,
                lease_id=lease_id,
                leased_until_us=to_us(until),
            )
        )
        leased = self.get(keys)
        return [leased[key] for key in keys]

    def release(self, lease_id: str, not_before: datetime) -> list[str]:
        values = {"lease_id": lease_id, "not_before_us": to_us(not_before)}
        rows = self._cursor.rows(_RELEASE, values)
        return sorted({row[0] for row in rows if row[0] is not None})

    def withdraw(self, keys: Sequence[str], now: datetime) -> list[str]:
        if not keys:
            return []
        rows = self._cursor.rows(_WITHDRAW, {"now": to_us(now), "keys": list(keys)})
        return sorted(row[0] for row in rows)

    def expired(self, now: datetime, limit: int) -> list[ActionRow]:
        rows = self._cursor.dicts(_EXPIRED, {"now": to_us(now), "limit": limit})
        return [_action(row) for row in rows]

    def leases_in_flight(self, stage: str, now: datetime) -> int:
        values = {"stage": stage, "now": to_us(now)}
        return int(self._cursor.rows(_IN_FLIGHT, values)[0][0])

    def due_stages(self, now: datetime) -> dict[str, int]:
        rows = self._cursor.rows(_DUE_STAGES, {"now": to_us(now)})
        return {row[0]: int(row[1]) for row in rows}

    def counts(self, now: datetime) -> dict[str, int]:
        row = self._cursor.rows(_COUNTS, {"now": to_us(now)})[0]
        return {"due": int(row[0]), "scheduled": int(row[1]), "leased": int(row[2])}

    def find(self, **filters: Any) -> list[ActionRow]:
        query: Select[Any] = (
            select(actions).order_by(actions.c.created_us).limit(int(filters.get("limit") or 200))
        )
        for name in ("state", "stage", "kind", "order_id"):
            if filters.get(name):
                query = query.where(actions.c[name] == filters[name])
        return [_action(row) for row in self._connection.execute(query).mappings()]

    def by_state(self) -> dict[tuple[str, str], int]:
        query = select(actions.c.stage, actions.c.state, func.count()).group_by(
            actions.c.stage, actions.c.state
        )
        return {(row[0], row[1]): int(row[2]) for row in self._connection.execute(query)}
