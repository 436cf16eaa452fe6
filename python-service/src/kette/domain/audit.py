"""The hash chain over facts: what a later change would break.

Each fact's hash covers its stream, number, origin, times, the digest of its body and the hash
before it.
The body's digest is salted: an erased body leaves a chain that still verifies, and the digest
cannot be used to guess what was erased (docs/decisions/0004-hash-chain.md).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import msgspec

SCHEMA_VERSION = 1


class Link(msgspec.Struct, frozen=True):
    """One fact as the chain sees it."""

    id: str
    stream: str
    seq: int
    source: str
    external_id: str
    kind: str
    occurred_us: int
    recorded_us: int
    schema_version: int
    body_digest: str
    prev_hash: str
    hash: str


def body_digest(salt: bytes, body: bytes) -> str:
    return hashlib.sha256(salt + body).hexdigest()


def link_hash(link: Link) -> str:
    """SHA-256 over the canonical JSON (sorted keys) of everything but the hash itself."""
    fields = {name: getattr(link, name) for name in link.__struct_fields__ if name != "hash"}
    return hashlib.sha256(msgspec.json.encode(fields, order="sorted")).hexdigest()


class ChainFault(msgspec.Struct, frozen=True):
    fact_id: str
    stream: str
    seq: int
    problem: str


class KnownEnd(msgspec.Struct, frozen=True):
    """What stands elsewhere about the end of a stream: the number and hash of a fact it had."""

    stream: str
    seq: int
    hash: str


def verify_end(end: KnownEnd, found_hash: str | None) -> ChainFault | None:
    """found_hash: of the fact with this number in the stream, None where there is none."""
    if found_hash == end.hash:
        return None
    problem = (
        "the chain ends before it: the end was cut off"
        if found_hash is None
        else "is another fact than the one the order was decided on"
    )
    return ChainFault("", end.stream, end.seq, problem)


def verify_chain(links: Iterable[tuple[Link, bytes, bytes | None]]) -> list[ChainFault]:
    """Recompute streams given in (stream, seq) order, each link with salt and body (None =
    erased)."""
    faults: list[ChainFault] = []
    stream, seq, previous = "", 0, ""
    for link, salt, body in links:
        if link.stream != stream:
            stream, seq, previous = link.stream, 0, ""
        seq += 1

        def fault(problem: str, link: Link = link) -> None:
            faults.append(ChainFault(link.id, link.stream, link.seq, problem))

        if link.seq != seq:
            fault(f"number {link.seq} where {seq} is due: a fact is missing")
            seq = link.seq
        if link.prev_hash != previous:
            fault("does not follow the fact before it")
        if link_hash(link) != link.hash:
            fault("its own hash does not match its content")
        # A forger's UPDATE may leave text where bytes were; SQLite takes any type.
        if body is not None and (
            not isinstance(body, bytes | memoryview)
            or body_digest(salt, bytes(body)) != link.body_digest
        ):
            fault("its body does not match its digest")
        previous = link.hash
    return faults
