"""Plain SQL on the transaction's own driver cursor, for statements that run on every event.

SQLAlchemy opens the connection and owns the transaction; these statements pass by its execution
layer, which costs five times as much as SQLite itself (docs/decisions/0012-text-sql.md).
Parameters are named (":order_id") and always bound, on SQLite and PostgreSQL alike.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Table

_NAMED = re.compile(r"(?<![:\w]):([a-z_]+\d*)")
_LISTED = re.compile(r"\b(IN|VALUES) :([a-z_]+)")


class Sql:
    """One statement, with a list of parameters where it says `IN :name`, or of pairs where it says
    `VALUES :name`."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lists = tuple({n: f"{verb} :{n}" for verb, n in _LISTED.findall(text)}.items())
        self._by_count: dict[tuple[bool, tuple[int, ...]], str] = {}

    def prepared(
        self, is_postgres: bool, params: Mapping[str, Any]
    ) -> tuple[str, Mapping[str, Any]]:
        """Text in the driver's own style, and the parameters with lists taken apart."""
        if not self._lists:
            return self._styled(is_postgres, (), params), params
        counts = tuple(len(params[name]) for name, _ in self._lists)
        text = self._styled(is_postgres, counts, params)
        flat = dict(params)
        for name, _ in self._lists:
            for index, value in enumerate(flat.pop(name)):
                if isinstance(value, tuple):
                    flat[f"{name}_l{index}"], flat[f"{name}_r{index}"] = value
                else:
                    flat[f"{name}_{index}"] = value
        return text, flat

    def _styled(self, is_postgres: bool, counts: tuple[int, ...], params: Mapping[str, Any]) -> str:
        known = self._by_count.get((is_postgres, counts))
        if known is None:
            known = self._text
            for name, place in self._lists:
                verb = place.partition(" ")[0]
                known = known.replace(place, f"{verb} {_placeholders(name, params[name])}")
            if is_postgres:
                known = _NAMED.sub(r"%(\1)s", known.replace("%", "%%"))
            if len(self._by_count) < 64:
                self._by_count[is_postgres, counts] = known
        return known


@lru_cache(maxsize=256)
def update_by(table: Table, key: str, columns: tuple[str, ...]) -> Sql:
    """Set these columns of the row whose `key` is :key_. Names come from our own code."""
    assert {key, *columns} <= set(table.c.keys())
    changes = ", ".join(f"{column} = :{column}" for column in columns)
    return Sql(f"UPDATE {table.name} SET {changes} WHERE {key} = :key_")  # noqa: S608 - see above


def _placeholders(name: str, values: list[Any]) -> str:
    """(:n_0, :n_1), or (:n_l0, :n_r0), (:n_l1, :n_r1) for pairs."""
    if values and isinstance(values[0], tuple):
        return ", ".join(f"(:{name}_l{index}, :{name}_r{index})" for index in range(len(values)))
    return "(" + ", ".join(f":{name}_{index}" for index in range(len(values))) + ")"


class Cursor:
    """Runs statements inside the transaction of a SQLAlchemy connection."""

    def __init__(self, connection: Connection) -> None:
        self.is_postgres = connection.dialect.name == "postgresql"
        self._cursor: Any = connection.connection.cursor()

    def run(self, sql: Sql, params: Mapping[str, Any]) -> int:
        """Number of rows that were touched."""
        text, values = sql.prepared(self.is_postgres, params)
        self._cursor.execute(text, values)
        return int(self._cursor.rowcount)

    def many(self, sql: Sql, rows: Sequence[Mapping[str, Any]]) -> None:
        if len(rows) == 1:
            self.run(sql, rows[0])
        elif rows:
            text, _ = sql.prepared(self.is_postgres, rows[0])
            self._cursor.executemany(text, rows)

    def rows(self, sql: Sql, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        text, values = sql.prepared(self.is_postgres, params)
        self._cursor.execute(text, values)
        found: list[tuple[Any, ...]] = self._cursor.fetchall()
        return found

    def first(self, sql: Sql, params: Mapping[str, Any]) -> tuple[Any, ...] | None:
        found = self.rows(sql, params)
        return found[0] if found else None

    def dicts(self, sql: Sql, params: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Rows by column name."""
        found = self.rows(sql, params)
        if not found:
            return []
        names = [column[0] for column in self._cursor.description]
        return [dict(zip(names, row, strict=True)) for row in found]
