"""The hash chain: whatever is changed, left out, put in or moved, is found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from kette.domain.audit import Link, body_digest, link_hash, verify_chain

Row = tuple[Link, bytes, bytes | None]


def chain(stream: str = "ord_a", length: int = 4) -> list[Row]:
    rows: list[Row] = []
    previous = ""
    for seq in range(1, length + 1):
        salt, body = b"salt%d" % seq, b'{"fact":"note","text":"%d"}' % seq
        link = Link(
            id=f"fct_{stream}_{seq}",
            stream=stream,
            seq=seq,
            source="people",
            external_id=f"say_{seq}",
            kind="note",
            occurred_us=1_000_000 * seq,
            recorded_us=1_000_000 * seq + 5,
            schema_version=1,
            body_digest=body_digest(salt, body),
            prev_hash=previous,
            hash="",
        )
        previous = link_hash(link)
        rows.append((msgspec.structs.replace(link, hash=previous), salt, body))
    return rows


def changed(rows: list[Row], at: int, **fields: Any) -> list[Row]:
    link, salt, body = rows[at]
    return [*rows[:at], (msgspec.structs.replace(link, **fields), salt, body), *rows[at + 1 :]]


def rehashed(rows: list[Row], at: int, **fields: Any) -> list[Row]:
    """A cleverer forger: the changed link's own hash is made right."""
    link = msgspec.structs.replace(rows[at][0], **fields)
    return changed(rows, at, **fields, hash=link_hash(link))


def problems(rows: list[Row]) -> list[tuple[int, str]]:
    return [(fault.seq, fault.problem) for fault in verify_chain(rows)]


def test_whole_chains_verify() -> None:
    assert verify_chain([*chain("ord_a"), *chain("ord_b", 1), *chain("ord_c", 7)]) == []
    assert verify_chain([]) == []


def test_a_body_that_is_no_bytes_any_more_is_found() -> None:
    """SQLite's replace() turns bytes into text: the proof ended in a TypeError."""
    rows = chain()
    link, salt, body = rows[1]
    assert body is not None
    forged: Any = body.decode()
    rows[1] = (link, salt, forged)
    assert problems(rows) == [(2, "its body does not match its digest")]


def test_an_erased_body_leaves_a_chain_that_verifies() -> None:
    """Failure case 48: names leave the ledger, the proof stays."""
    rows = chain()
    rows[1] = (rows[1][0], rows[1][1], None)
    assert verify_chain(rows) == []


OWN_HASH = "its own hash does not match its content"
FOLLOWS = "does not follow the fact before it"
BODY = "its body does not match its digest"


@pytest.mark.parametrize(
    "field",
    [f for f in Link.__struct_fields__ if f not in ("hash", "stream", "seq", "prev_hash")],
)
def test_a_changed_field_is_found(field: str) -> None:
    value = getattr(chain()[1][0], field)
    other = value + 1 if isinstance(value, int) else value + "x"
    found = problems(changed(chain(), 1, **{field: other}))
    assert (2, OWN_HASH) in found
    # Making its own hash right again breaks the next one.
    assert (3, FOLLOWS) in problems(rehashed(chain(), 1, **{field: other}))


TAMPERING: list[tuple[str, Callable[[list[Row]], list[Row]], list[tuple[int, str]]]] = [
    ("a changed body", lambda r: [r[0], (r[1][0], r[1][1], b"{}"), *r[2:]], [(2, BODY)]),
    ("an emptied body", lambda r: [r[0], (r[1][0], r[1][1], b""), *r[2:]], [(2, BODY)]),
    ("another salt", lambda r: [r[0], (r[1][0], b"x", r[1][2]), *r[2:]], [(2, BODY)]),
    (
        "two bodies exchanged",
        lambda r: [(r[0][0], r[1][1], r[1][2]), (r[1][0], r[0][1], r[0][2]), *r[2:]],
        [(1, BODY), (2, BODY)],
    ),
    (
        "a fact left out",
        lambda r: [r[0], *r[2:]],
        [(3, "number 3 where 2 is due: a fact is missing"), (3, FOLLOWS)],
    ),
    (
        "the first fact left out",
        lambda r: r[1:],
        [(2, "number 2 where 1 is due: a fact is missing"), (2, FOLLOWS)],
    ),
    (
        "left out and numbered anew",
        lambda r: [r[0], *rehashed(r, 2, seq=2)[2:3], *rehashed(r, 3, seq=3)[3:]],
        [(2, FOLLOWS), (3, FOLLOWS)],
    ),
    (
        "a fact put in",
        lambda r: [*r[:2], *rehashed(r, 1, seq=3, external_id="new")[1:2], *r[2:]],
        [
            (3, FOLLOWS),
            (3, "number 3 where 4 is due: a fact is missing"),
            (3, FOLLOWS),
        ],
    ),
    (
        "two facts exchanged",
        lambda r: [r[0], r[2], r[1], r[3]],
        [
            (3, "number 3 where 2 is due: a fact is missing"),
            (3, FOLLOWS),
            (2, "number 2 where 4 is due: a fact is missing"),
            (2, FOLLOWS),
            (4, "number 4 where 3 is due: a fact is missing"),
            (4, FOLLOWS),
        ],
    ),
    ("a fact from another order", lambda r: [*r[:3], *chain("ord_b")[3:]], [
        (4, "number 4 where 1 is due: a fact is missing"), (4, FOLLOWS)]),
    ("a broken link", lambda r: rehashed(r, 2, prev_hash="0" * 64), [(3, FOLLOWS), (4, FOLLOWS)]),
    ("another hash", lambda r: changed(r, 3, hash="0" * 64), [(4, OWN_HASH)]),
]  # fmt: skip


@pytest.mark.parametrize(("why", "tamper", "expected"), TAMPERING, ids=[t[0] for t in TAMPERING])
def test_tampering_is_found(
    why: str, tamper: Callable[[list[Row]], list[Row]], expected: list[tuple[int, str]]
) -> None:
    assert problems(tamper(chain())) == expected


def test_a_fault_in_one_stream_does_not_spread_to_the_next() -> None:
    rows = [*changed(chain("ord_a"), 3, source="x"), *chain("ord_b")]
    assert [(x.stream, x.seq, x.fact_id) for x in verify_chain(rows)] == [
        ("ord_a", 4, "fct_ord_a_4")
    ]


def test_the_digest_of_a_body_tells_nothing_without_its_salt() -> None:
    assert body_digest(b"a", b"same") != body_digest(b"b", b"same")
