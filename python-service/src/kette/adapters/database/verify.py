"""Read the chains for `kette audit verify`, stream by stream, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import text

from kette.adapters.database.engine import Database
from kette.domain.audit import ChainFault, Link, verify_chain

STREAMS_AT_ONCE = 200

_STREAMS = text(
    "SELECT DISTINCT stream FROM facts WHERE stream > :after ORDER BY stream LIMIT :limit"
)
_LINKS = text(
    "SELECT f.id, f.stream, f.seq, f.source, f.external_id, f.kind, f.occurred_us, f.recorded_us, "
    "f.schema_version, f.body_digest, f.prev_hash, f.hash, b.salt, b.body FROM facts f "
    "JOIN fact_bodies b ON b.fact_id = f.id WHERE f.stream > :after AND f.stream <= :last "
    "ORDER BY f.stream, f.seq"
)


def read_chains(database: Database) -> tuple[int, Iterator[tuple[list[ChainFault], int]]]:
    """Number of chunks, and per chunk the faults and how many facts were looked at."""
    with database.read() as connection:
        streams = connection.execute(text("SELECT COUNT(DISTINCT stream) FROM facts")).scalar_one()
    return -(-int(streams) // STREAMS_AT_ONCE), _chunks(database)


def _chunks(database: Database) -> Iterator[tuple[list[ChainFault], int]]:
    after = ""
    while True:
        with database.read() as connection:
            values = {"after": after, "limit": STREAMS_AT_ONCE}
            streams = [row[0] for row in connection.execute(_STREAMS, values)]
            if not streams:
                return
            span = {"after": after, "last": streams[-1]}
            rows = connection.execute(_LINKS, span).all()
        faults = verify_chain((Link(*row[:12]), bytes(row[12]), row[13]) for row in rows)
        yield faults, len(rows)
        after = streams[-1]
