"""The ledger's SQL: deliveries, facts with their chain, and the names that lead to orders."""

from __future__ import annotations

import hashlib
import secrets
import zlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache

import msgspec
from sqlalchemy import Connection

from kette.adapters.database.sql import Cursor, Sql
from kette.adapters.database.times import from_us, to_us
from kette.domain.audit import SCHEMA_VERSION, Link, body_digest, link_hash
from kette.domain.facts import BodyErased, Fact, FactBody, FactDraft, Ref
from kette.ids import new_id
from kette.use_cases.ports import StreamFact

_ENCODE = msgspec.json.Encoder()
_DECODE = msgspec.json.Decoder(FactBody)
# Facts never change, and those of an order under way are read with each of its events.
_body_of = lru_cache(maxsize=4096)(_DECODE.decode)
_ERASED = BodyErased()

_SAVE_DELIVERY = Sql(
    "INSERT INTO deliveries (id, system_id, digest, received_us, headers, body) "
    "VALUES (:id, :system_id, :digest, :received_us, :headers, :body) ON CONFLICT DO NOTHING"
)
_IS_DELIVERED = Sql("SELECT 1 FROM deliveries WHERE system_id = :system_id AND digest = :digest")
# CROSS JOIN keeps SQLite from walking the whole table of names.
_REFS = Sql(
    "WITH wanted (system_id, name) AS (VALUES :names) SELECT r.system_id, r.name, r.order_id "
    "FROM wanted w CROSS JOIN refs r WHERE r.system_id = w.system_id AND r.name = w.name"
)
_ADD_REF = Sql(
    "INSERT INTO refs (system_id, name, order_id) VALUES (:system_id, :name, :order_id) "
    "ON CONFLICT DO NOTHING"
)
_ADOPT = Sql("UPDATE refs SET order_id = :order_id WHERE order_id = :group")
_REFS_OF = Sql("SELECT system_id, name FROM refs WHERE order_id = :order_id")
_LOAD = Sql(
    "SELECT f.id, f.stream, f.seq, f.source, f.external_id, f.occurred_us, f.recorded_us, "
    "f.hash, b.body FROM facts f JOIN fact_bodies b ON b.fact_id = f.id "
    "WHERE f.stream IN :streams ORDER BY f.stream, f.seq"
)
_TAIL = Sql("SELECT seq, hash FROM facts WHERE stream = :stream ORDER BY seq DESC LIMIT 1")
_KNOWN = Sql(
    "SELECT external_id, id FROM facts WHERE source = :source AND external_id IN :external_ids"
)
_LOCK = Sql("SELECT pg_advisory_xact_lock(hashtextextended(:order_id, 0))")
_APPEND = Sql(
    "INSERT INTO facts (id, stream, seq, source, external_id, kind, occurred_us, recorded_us, "
    "schema_version, body_digest, prev_hash, hash) VALUES (:id, :stream, :seq, :source, "
    ":external_id, :kind, :occurred_us, :recorded_us, :schema_version, :body_digest, :prev_hash, "
    ":hash)"
)
_APPEND_BODY = Sql("INSERT INTO fact_bodies (fact_id, salt, body) VALUES (:fact_id, :salt, :body)")


def stream_of(ref: Ref) -> str:
    """The stream that keeps facts whose order is not known yet."""
    return f"{ref.system_id}|{ref.name}"[:160]


def _delivery_digest(headers: str, body: bytes) -> str:
    return hashlib.sha256(headers.encode() + b"\n" + body).hexdigest()


class FactsTable:
    """See use_cases.ports.Facts."""

    def __init__(self, connection: Connection) -> None:
        self._cursor = Cursor(connection)
        self.has_other_writers = self._cursor.is_postgres

    def save_delivery(
        self, delivery_id: str, system_id: str, headers: str, body: bytes, received_at: datetime
    ) -> bool:
        touched = self._cursor.run(
            _SAVE_DELIVERY,
            {
                "id": delivery_id,
                "system_id": system_id,
                "digest": _delivery_digest(headers, body),
                "received_us": to_us(received_at),
                "headers": headers,
                "body": zlib.compress(body, 1),
            },
        )
        return touched == 1

    def is_delivered(self, system_id: str, headers: str, body: bytes) -> bool:
        params = {"system_id": system_id, "digest": _delivery_digest(headers, body)}
        return self._cursor.first(_IS_DELIVERED, params) is not None

    def orders_of(self, refs: Sequence[Ref]) -> dict[tuple[str, str], str]:
        if not refs:
            return {}
        names = sorted({(ref.system_id, ref.name) for ref in refs})
        rows = self._cursor.rows(_REFS, {"names": names})
        return {(row[0], row[1]): row[2] for row in rows}

    def add_refs(self, refs: Iterable[Ref], order_id: str) -> None:
        rows = [
            {"system_id": ref.system_id, "name": ref.name, "order_id": order_id} for ref in refs
        ]
        self._cursor.many(_ADD_REF, rows)

    def adopt(self, group: str, order_id: str) -> None:
        self._cursor.run(_ADOPT, {"group": group, "order_id": order_id})

    def streams_of(self, order_id: str) -> list[str]:
        rows = self._cursor.rows(_REFS_OF, {"order_id": order_id})
        return [order_id, *(f"{system}|{name}"[:160] for system, name in rows)]

    def lock_order(self, order_id: str) -> None:
        if self.has_other_writers:
            self._cursor.rows(_LOCK, {"order_id": order_id})

    def load(self, streams: Sequence[str]) -> list[StreamFact]:
        rows = self._cursor.rows(_LOAD, {"streams": list(streams)})
        return [
            StreamFact(
                Fact(
                    id=row[0],
                    source=row[3],
                    external_id=row[4],
                    occurred_at=from_us(row[5]),
                    recorded_at=from_us(row[6]),
                    body=_ERASED if row[8] is None else _body_of(bytes(row[8])),
                ),
                stream=row[1],
                seq=row[2],
                hash=row[7],
            )
            for row in rows
        ]

    def tail(self, stream: str) -> tuple[int, str]:
        row = self._cursor.first(_TAIL, {"stream": stream})
        return (row[0], row[1]) if row is not None else (0, "")

    def known(self, source: str, external_ids: Sequence[str]) -> dict[str, str]:
        if not external_ids:
            return {}
        rows = self._cursor.rows(_KNOWN, {"source": source, "external_ids": list(external_ids)})
        return {row[0]: row[1] for row in rows}

    def append(
        self,
        stream: str,
        source: str,
        drafts: Sequence[FactDraft],
        seq: int,
        prev_hash: str,
        recorded_at: datetime,
    ) -> list[StreamFact]:
        links, bodies, recorded = [], [], []
        recorded_us = to_us(recorded_at)
        for draft in drafts:
            seq += 1
            body = _ENCODE.encode(draft.body)
            salt = secrets.token_bytes(16)
            link = Link(
                id=new_id("fct"),
                stream=stream,
                seq=seq,
                source=source,
                external_id=draft.external_id[:255],
                kind=draft.body.__struct_config__.tag,  # type: ignore[arg-type]
                occurred_us=to_us(draft.occurred_at),
                recorded_us=recorded_us,
                schema_version=SCHEMA_VERSION,
                body_digest=body_digest(salt, body),
                prev_hash=prev_hash,
                hash="",
            )
            prev_hash = link_hash(link)
            links.append({**msgspec.structs.asdict(link), "hash": prev_hash})
            bodies.append({"fact_id": link.id, "salt": salt, "body": body})
            fact = Fact(
                link.id, source, link.external_id, draft.occurred_at, recorded_at, draft.body
            )
            recorded.append(StreamFact(fact, stream, seq, prev_hash))
        self._cursor.many(_APPEND, links)
        self._cursor.many(_APPEND_BODY, bodies)
        return recorded
