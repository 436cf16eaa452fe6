"""Read the chains for `kette audit verify`, stream by stream, in bounded memory.

The end of an order's chain is compared with what the order's row says of it; orders that only
decisions or documents still know of are named as well (docs/decisions/0004-hash-chain.md).
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import text

from kette.adapters.database.engine import Database
from kette.domain.audit import ChainFault, KnownEnd, Link, verify_chain, verify_end

STREAMS_AT_ONCE = 200

_STREAMS = text(
    "SELECT DISTINCT stream FROM facts WHERE stream > :after ORDER BY stream LIMIT :limit"
)
_LINKS = text(
    "SELECT f.id, f.stream, f.seq, f.source, f.external_id, f.kind, f.occurred_us, f.recorded_us, "
    "f.schema_version, f.body_digest, f.prev_hash, f.hash, b.salt, b.body FROM facts f "
    "LEFT JOIN fact_bodies b ON b.fact_id = f.id WHERE f.stream > :after AND f.stream <= :last "
    "ORDER BY f.stream, f.seq"
)
_ENDS = text(
    "SELECT o.id, o.facts_seq, o.facts_hash, f.hash FROM orders o "
    "LEFT JOIN facts f ON f.stream = o.id AND f.seq = o.facts_seq "
    "WHERE o.id > :after ORDER BY o.id LIMIT :limit"
)
_LOST = {
    what: text(
        f"SELECT DISTINCT x.order_id FROM {what} x WHERE NOT EXISTS "  # noqa: S608 - constant names
        "(SELECT 1 FROM facts f WHERE f.stream = x.order_id) ORDER BY x.order_id LIMIT 1000"
    )
    for what in ("decisions", "documents")
}


def read_ends(database: Database) -> Iterator[ChainFault]:
    """Facts that were cut off the end of an order's chain, and orders all of whose facts went."""
    after = ""
    while True:
        with database.read() as connection:
            rows = connection.execute(_ENDS, {"after": after, "limit": STREAMS_AT_ONCE}).all()
        if not rows:
            break
        for order_id, seq, known_hash, found_hash in rows:
            if not seq:
                continue
            fault = verify_end(KnownEnd(order_id, seq, known_hash), found_hash)
            if fault is not None:
                yield fault
        after = rows[-1][0]
    for what, query in _LOST.items():
        with database.read() as connection:
            lost = [row[0] for row in connection.execute(query)]
        for order_id in lost:
            yield ChainFault("", order_id, 0, f"{what} tell of the order, and it has no facts")


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
        faults = verify_chain((Link(*row[:12]), bytes(row[12] or b""), row[13]) for row in rows)
        # An erasure empties the row of a body and leaves its salt.
        gone = [row for row in rows if row[12] is None]
        faults += [ChainFault(row[0], row[1], row[2], "its body's row is missing") for row in gone]
        yield faults, len(rows)
        after = streams[-1]
