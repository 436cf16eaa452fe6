"""SQL of the pulls: one row per system and purpose, and what the pull under way has seen."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection

from kette.adapters.database.sql import Cursor, Sql
from kette.domain.pull_state import PullState
from kette.domain.pulls import Purpose

_GET = Sql("SELECT state FROM pulls WHERE system_id = :system_id AND purpose = :purpose")
_ALL = Sql("SELECT state FROM pulls ORDER BY system_id, purpose")
_SAVE = Sql(
    "INSERT INTO pulls (system_id, purpose, state) VALUES (:system_id, :purpose, :state) "
    "ON CONFLICT (system_id, purpose) DO UPDATE SET state = excluded.state"
)
_SEE = Sql(
    "INSERT INTO pulled_objects (system_id, purpose, list_name, name) "
    "VALUES (:system_id, :purpose, :list_name, :name) ON CONFLICT DO NOTHING"
)
_SEEN = Sql(
    "SELECT list_name, COUNT(*) FROM pulled_objects "
    "WHERE system_id = :system_id AND purpose = :purpose GROUP BY list_name"
)
_KNOWN = Sql(
    "SELECT name FROM pulled_objects WHERE system_id = :system_id AND purpose = :purpose "
    "AND list_name = :list_name AND name IN :names"
)
_FORGET = Sql("DELETE FROM pulled_objects WHERE system_id = :system_id AND purpose = :purpose")


class PullsTable:
    """See use_cases.ports.Pulls."""

    def __init__(self, connection: Connection) -> None:
        self._cursor = Cursor(connection)

    def get(self, system_id: str, purpose: Purpose) -> PullState | None:
        row = self._cursor.first(_GET, {"system_id": system_id, "purpose": purpose.value})
        return msgspec.json.decode(row[0], type=PullState) if row is not None else None

    def all(self) -> list[PullState]:
        rows = self._cursor.rows(_ALL, {})
        return [msgspec.json.decode(row[0], type=PullState) for row in rows]

    def save(self, state: PullState) -> None:
        text = msgspec.json.encode(state).decode()
        params = {"system_id": state.system_id, "purpose": state.purpose.value, "state": text}
        self._cursor.run(_SAVE, params)

    def see(self, state: PullState, list_name: str, names: Sequence[str]) -> dict[str, int]:
        own = {"system_id": state.system_id, "purpose": state.purpose.value}
        rows = [{**own, "list_name": list_name, "name": name} for name in names]
        self._cursor.many(_SEE, rows)
        return {row[0]: row[1] for row in self._cursor.rows(_SEEN, own)}

    def seen(self, state: PullState, list_name: str, names: Sequence[str]) -> set[str]:
        if not names:
            return set()
        own = {"system_id": state.system_id, "purpose": state.purpose.value}
        params = {**own, "list_name": list_name, "names": list(names)}
        return {row[0] for row in self._cursor.rows(_KNOWN, params)}

    def forget(self, state: PullState) -> None:
        own = {"system_id": state.system_id, "purpose": state.purpose.value}
        self._cursor.run(_FORGET, own)
