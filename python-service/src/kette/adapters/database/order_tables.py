"""SQL of orders and decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, RowMapping, Select, select, tuple_

from kette.adapters.database.sql import Cursor, Sql
from kette.adapters.database.tables import orders
from kette.adapters.database.times import from_us, maybe_from_us, maybe_us, to_us
from kette.domain.risk_links import OrderKeys
from kette.domain.status import Statuses
from kette.use_cases.ports import (
    ChainEnd,
    DecisionRow,
    Founding,
    OrderRow,
    Place,
    Related,
    RelatedOrder,
    Twin,
)

_COLUMNS = (
    "id, channel, external_id, number, placed_us, created_us, updated_us, order_status, "
    "payment_status, risk_status, fulfillment_status, return_status, accounting_status, currency, "
    "total_minor, customer_key, comparison, due_us"
)
_GET = Sql(f"SELECT {_COLUMNS} FROM orders WHERE id = :id")  # noqa: S608 - constant text
_INSERT = Sql(
    "INSERT INTO orders (id, channel, external_id, created_us, updated_us, order_status, "
    "payment_status, risk_status, fulfillment_status, return_status, accounting_status, due_us, "
    "number, placed_us, currency, total_minor, customer_key, address_key, card_key, comparison, "
    "facts_seq, facts_hash) VALUES (:id, :channel, "
    ":external_id, :now, :now, :order, :payment, :risk, :fulfillment, :return, :accounting, "
    ":due_us, :number, :placed_us, :currency, :total_minor, :customer_key, :address_key, "
    ":card_key, :comparison, :facts_seq, :facts_hash)"
)
_UPDATE = Sql(
    "UPDATE orders SET order_status = :order, payment_status = :payment, risk_status = :risk, "
    "fulfillment_status = :fulfillment, return_status = :return, accounting_status = :accounting, "
    "due_us = :due_us, updated_us = :now, facts_seq = :facts_seq, facts_hash = :facts_hash "
    "WHERE id = :id"
)
_UPDATE_SNAPSHOT = Sql(
    "UPDATE orders SET order_status = :order, payment_status = :payment, risk_status = :risk, "
    "fulfillment_status = :fulfillment, return_status = :return, accounting_status = :accounting, "
    "due_us = :due_us, updated_us = :now, number = :number, placed_us = :placed_us, "
    "currency = :currency, total_minor = :total_minor, customer_key = :customer_key, "
    "address_key = :address_key, card_key = :card_key, comparison = :comparison, "
    "facts_seq = :facts_seq, facts_hash = :facts_hash WHERE id = :id"
)
_SAME = (
    "SELECT DISTINCT o.id, o.comparison, o.placed_us, LENGTH(o.external_id) AS length, "
    "o.external_id FROM twin_keys t JOIN orders o ON o.id = t.order_id AND "
    "o.placed_us = t.placed_us WHERE o.order_status <> 'cancelled' AND t.key IN :keys "
    "AND t.placed_us BETWEEN "
)
# The order of placing; orders of one second follow the shop's count (domain/duplicates.py).
_PLACE = "(o.placed_us, LENGTH(o.external_id), o.external_id)"
_OWN = "(:placed_us, :length, :external_id)"
_BY_PLACE = "ORDER BY o.placed_us, LENGTH(o.external_id), o.external_id LIMIT 10"
_TWINS = Sql(
    f"SELECT id, comparison, 0 FROM ({_SAME} :since AND :placed_us "  # noqa: S608 - constant text
    f"AND {_PLACE} < {_OWN} {_BY_PLACE}) AS earlier UNION ALL "
    f"SELECT id, comparison, 1 FROM ({_SAME} :placed_us AND :until "
    f"AND {_PLACE} > {_OWN} {_BY_PLACE}) AS later"
)
# Nearly no order has a twin: this is asked first, on the keys alone.
_HAS_TWINS = Sql(
    "SELECT 1 FROM twin_keys WHERE key IN :keys AND placed_us BETWEEN :since AND :until LIMIT 1"
)
_ADD_TWIN_KEY = Sql(
    "INSERT INTO twin_keys (key, placed_us, order_id) VALUES (:key, :placed_us, :order_id) "
    "ON CONFLICT DO NOTHING"
)
_SHARING = (
    "SELECT id, placed_us, payment_status FROM orders WHERE {key}_key = :{key} "
    "AND {key}_key <> '' AND placed_us {when} AND id <> :but ORDER BY placed_us DESC LIMIT {limit}"
)
_BY_CUSTOMER = _SHARING.format(key="customer", when="IS NOT NULL", limit=100)
_BY_ADDRESS = _SHARING.format(key="address", when="<= :placed_us", limit=20)
_BY_CARD = _SHARING.format(key="card", when="<= :placed_us", limit=20)
RELATED = Sql(
    f"SELECT 0, c.* FROM ({_BY_CUSTOMER}) AS c UNION ALL "  # noqa: S608 - constant text
    f"SELECT 1, a.* FROM ({_BY_ADDRESS}) AS a UNION ALL SELECT 2, k.* FROM ({_BY_CARD}) AS k"
)
_TOTALS_BEFORE = Sql(
    "SELECT channel, currency, total_minor FROM orders WHERE created_us < :before "
    "ORDER BY created_us DESC, id DESC LIMIT :limit"
)
_DUE = Sql(
    "SELECT id FROM orders WHERE due_us IS NOT NULL AND due_us <= :now ORDER BY due_us LIMIT :limit"
)
_POSTPONE = Sql("UPDATE orders SET due_us = :until WHERE id = :id")
_IDS = Sql("SELECT id FROM orders WHERE id > :after ORDER BY id LIMIT :limit")
_ADD_DECISION = Sql(
    "INSERT INTO decisions (id, order_id, decided_us, cause, setup_version, outcome) "
    "VALUES (:id, :order_id, :decided_us, :cause, :setup_version, :outcome)"
)
_DECISIONS = Sql(
    "SELECT id, decided_us, cause, setup_version, outcome FROM decisions "
    "WHERE order_id = :order_id ORDER BY decided_us, id"
)

_NO_SNAPSHOT = {
    "number": "",
    "placed_at": None,
    "currency": "",
    "total_minor": 0,
    "customer_key": "",
    "address_key": "",
    "card_key": "",
    "comparison": "",
}

AXES = ("order", "payment", "risk", "fulfillment", "return", "accounting")


def _order(row: Mapping[str, Any] | RowMapping) -> OrderRow:
    return OrderRow(
        id=row["id"],
        channel=row["channel"],
        external_id=row["external_id"],
        number=row["number"],
        placed_at=maybe_from_us(row["placed_us"]),
        statuses={axis: row[f"{axis}_status"] for axis in AXES},
        currency=row["currency"],
        total_minor=row["total_minor"],
        customer_key=row["customer_key"],
        comparison=row["comparison"],
        due_at=maybe_from_us(row["due_us"]),
        created_at=from_us(row["created_us"]),
        updated_at=from_us(row["updated_us"]),
    )


class OrdersTable:
    """See use_cases.ports.Orders."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._cursor = Cursor(connection)

    def get(self, order_id: str) -> OrderRow | None:
        found = self._cursor.dicts(_GET, {"id": order_id})
        return _order(found[0]) if found else None

    def insert(
        self,
        order_id: str,
        place: Founding,
        statuses: Statuses,
        due_at: datetime | None,
        now: datetime,
        end: ChainEnd,
        snapshot: dict[str, Any] | None,
    ) -> None:
        values = {
            **statuses.public(),
            **(snapshot or _NO_SNAPSHOT),
            "id": order_id,
            "channel": place.channel,
            "external_id": place.external_id,
            "due_us": maybe_us(due_at),
            "now": to_us(now),
            "facts_seq": end.seq,
            "facts_hash": end.hash,
        }
        self._cursor.run(_INSERT, {**values, "placed_us": maybe_us(values["placed_at"])})

    def update(
        self,
        order_id: str,
        statuses: Statuses,
        due_at: datetime | None,
        now: datetime,
        end: ChainEnd,
        snapshot: dict[str, Any] | None,
    ) -> None:
        values = {
            **statuses.public(),
            "id": order_id,
            "due_us": maybe_us(due_at),
            "now": to_us(now),
            "facts_seq": end.seq,
            "facts_hash": end.hash,
        }
        if snapshot is None:
            self._cursor.run(_UPDATE, values)
        else:
            placed_us = to_us(snapshot["placed_at"])
            self._cursor.run(_UPDATE_SNAPSHOT, {**values, **snapshot, "placed_us": placed_us})

    def add_twin_keys(self, order_id: str, keys: Sequence[str], placed_at: datetime) -> None:
        if keys:
            placed_us = to_us(placed_at)
            rows = [{"key": key, "placed_us": placed_us, "order_id": order_id} for key in keys]
            self._cursor.many(_ADD_TWIN_KEY, rows)

    def twins(
        self, keys: Sequence[str], own: Place, window: timedelta
    ) -> tuple[list[Twin], list[Twin]]:
        if not keys:
            return [], []
        values = {
            "keys": list(keys),
            "since": to_us(own.placed_at - window),
            "until": to_us(own.placed_at + window),
            "placed_us": to_us(own.placed_at),
            "length": len(own.external_id),
            "external_id": own.external_id,
        }
        twins: tuple[list[Twin], list[Twin]] = ([], [])
        near = {name: values[name] for name in ("keys", "since", "until")}
        if not self._cursor.rows(_HAS_TWINS, near):
            return twins
        for row in self._cursor.rows(_TWINS, values):
            twins[row[2]].append(Twin(row[0], row[1]))
        return twins

    def related(self, keys: OrderKeys, placed_at: datetime, but: str) -> Related:
        values = {
            "customer": keys.customer,
            "address": keys.address,
            "card": keys.card,
            "placed_us": to_us(placed_at),
            "but": but,
        }
        found: tuple[list[RelatedOrder], ...] = ([], [], [])
        for row in self._cursor.rows(RELATED, values):
            found[row[0]].append(RelatedOrder(row[1], from_us(row[2]), row[3]))
        return Related(*map(tuple, found))

    def totals_before(self, before: datetime, limit: int) -> list[tuple[str, str, int]]:
        rows = self._cursor.rows(_TOTALS_BEFORE, {"before": to_us(before), "limit": limit})
        return [(row[0], row[1], row[2]) for row in rows]

    def due(self, now: datetime, limit: int) -> list[str]:
        rows = self._cursor.rows(_DUE, {"now": to_us(now), "limit": limit})
        return [row[0] for row in rows]

    def postpone(self, order_id: str, until: datetime) -> None:
        self._cursor.run(_POSTPONE, {"id": order_id, "until": to_us(until)})

    def ids(self, after: str, limit: int) -> list[str]:
        rows = self._cursor.rows(_IDS, {"after": after, "limit": limit})
        return [row[0] for row in rows]

    def find(self, **filters: Any) -> tuple[list[OrderRow], str | None]:
        """Newest first, by id (ids are time-ordered). filters: channel, external_id, number,
        status ("payment:paid" or an order status), since, until, cursor, limit."""
        limit = int(filters.get("limit") or 50)
        newest_first = (orders.c.created_us.desc(), orders.c.id.desc())
        query: Select[Any] = select(orders).order_by(*newest_first).limit(limit + 1)
        for name in ("channel", "external_id", "number", "customer_key"):
            if filters.get(name):
                query = query.where(orders.c[name] == filters[name])
        for condition in filters.get("statuses") or ():
            axis, _, value = condition.rpartition(":")
            query = query.where(orders.c[f"{axis or 'order'}_status"] == value)
        if filters.get("since"):
            query = query.where(orders.c.placed_us >= to_us(filters["since"]))
        if filters.get("until"):
            query = query.where(orders.c.placed_us < to_us(filters["until"]))
        if filters.get("cursor"):
            created_us, _, order_id = str(filters["cursor"]).partition(".")
            place = tuple_(orders.c.created_us, orders.c.id)
            query = query.where(place < (int(created_us or 0), order_id))
        rows = [_order(row) for row in self._connection.execute(query).mappings()]
        if len(rows) <= limit:
            return rows, None
        last = rows[limit - 1]
        return rows[:limit], f"{to_us(last.created_at)}.{last.id}"


class DecisionsTable:
    """Append-only: why things happened."""

    def __init__(self, connection: Connection) -> None:
        self._cursor = Cursor(connection)

    def add(self, row: dict[str, Any]) -> None:
        self._cursor.run(
            _ADD_DECISION,
            {
                **{k: row[k] for k in ("id", "order_id", "cause", "setup_version")},
                "decided_us": to_us(row["decided_at"]),
                "outcome": msgspec.json.encode(row["outcome"]).decode(),
            },
        )

    def of_order(self, order_id: str) -> list[DecisionRow]:
        rows = self._cursor.rows(_DECISIONS, {"order_id": order_id})
        return [
            DecisionRow(row[0], from_us(row[1]), row[2], row[3], msgspec.json.decode(row[4]))
            for row in rows
        ]
