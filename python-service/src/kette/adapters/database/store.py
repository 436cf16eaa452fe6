"""The real Store: repositories bound to one connection per transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, text

from kette.adapters.database.engine import Database, translated_errors
from kette.adapters.database.facts_table import FactsTable
from kette.adapters.database.list_tables import (
    DocumentsTable,
    ExceptionsTable,
    KeysTable,
    SubscriptionsTable,
)
from kette.adapters.database.order_tables import DecisionsTable, OrdersTable
from kette.adapters.database.outbox_table import OutboxTable
from kette.adapters.database.pulls_table import PullsTable
from kette.use_cases.ports import (
    DecisionRow,
    Documents,
    Exceptions,
    Facts,
    Keys,
    Orders,
    Outbox,
    Pulls,
    Subscriptions,
)

_VALUE = text("SELECT value FROM service_values WHERE name = :name")
_SET_VALUE = text(
    "INSERT INTO service_values (name, value) VALUES (:name, :value) "
    "ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)


class SqlTransaction:
    """See use_cases.ports.Transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.facts: Facts = FactsTable(connection)
        self.orders: Orders = OrdersTable(connection)
        self.outbox: Outbox = OutboxTable(connection)
        self.exceptions: Exceptions = ExceptionsTable(connection)
        self.documents: Documents = DocumentsTable(connection)
        self.subscriptions: Subscriptions = SubscriptionsTable(connection)
        self.keys: Keys = KeysTable(connection)
        self.pulls: Pulls = PullsTable(connection)
        self._decisions = DecisionsTable(connection)

    def add_decision(self, row: dict[str, Any]) -> None:
        self._decisions.add(row)

    def decisions_of(self, order_id: str) -> list[DecisionRow]:
        return self._decisions.of_order(order_id)

    def value(self, name: str) -> str | None:
        row = self._connection.execute(_VALUE, {"name": name}).first()
        return row[0] if row is not None else None

    def set_value(self, name: str, value: str) -> None:
        self._connection.execute(_SET_VALUE, {"name": name, "value": value})

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        cursor = self._connection.connection.cursor()
        cursor.execute("SAVEPOINT kette_part")
        try:
            with translated_errors():
                yield
        except BaseException:
            cursor.execute("ROLLBACK TO SAVEPOINT kette_part")
            raise
        finally:
            cursor.execute("RELEASE SAVEPOINT kette_part")


class SqlWrite:
    """See use_cases.ports.OpenWrite."""

    def __init__(self, database: Database, connection: Connection) -> None:
        self._database = database
        self._connection = connection
        self.tx = SqlTransaction(connection)

    def commit(self) -> None:
        self._database.commit(self._connection)

    def roll_back(self) -> None:
        self._database.roll_back(self._connection)


class SqlStore:
    """See use_cases.ports.Store."""

    def __init__(self, database: Database) -> None:
        self.database = database

    @contextmanager
    def write(self) -> Iterator[SqlTransaction]:
        with self.database.write() as connection:
            yield SqlTransaction(connection)

    @contextmanager
    def read(self) -> Iterator[SqlTransaction]:
        with self.database.read() as connection:
            yield SqlTransaction(connection)

    def begin(self, *, wait: bool) -> SqlWrite | None:
        connection = self.database.begin(wait=wait)
        return None if connection is None else SqlWrite(self.database, connection)
