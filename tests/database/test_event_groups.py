"""Deliveries that come at the same moment share a transaction on SQLite; each stands and falls by
itself, and what comes of them is what would come of one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kette.adapters.database.verify import read_chains
from kette.use_cases import ingest as module
from kette.use_cases.errors import SignatureInvalidError
from kette.use_cases.ingest import Ingested
from sqlalchemy import Connection
from support.service_box import (
    ServiceBox,
    card_order,
    paid_event,
    sqlite_url,
    stripe_request,
    woo_id,
    woo_request,
)

Request = tuple[str, dict[str, str], bytes]


@pytest.fixture
def box(tmp_path: Path) -> Iterator[ServiceBox]:
    opened = ServiceBox(sqlite_url(tmp_path))
    yield opened
    opened.close()


def woo(number: int, topic: str = "order.updated", **fields: Any) -> Request:
    body = card_order(number, **{"billing": {"email": f"c{number}@example.org"}, **fields})
    raw, headers = woo_request(body, topic, f"d{number}")
    return "woo-main", headers, raw


def stripe(number: int) -> Request:
    raw, headers = stripe_request(paid_event(number))
    return "stripe-main", headers, raw


def together(box: ServiceBox, requests: list[Request]) -> list[Ingested | BaseException]:
    grouped = box.service.grouped
    assert grouped is not None

    async def run() -> list[Ingested | BaseException]:
        return await asyncio.gather(
            *(grouped(*request) for request in requests), return_exceptions=True
        )

    return asyncio.run(run())


def told(answers: list[Ingested | BaseException]) -> list[Ingested]:
    assert all(isinstance(answer, Ingested) for answer in answers), answers
    return [answer for answer in answers if isinstance(answer, Ingested)]


def state_of(box: ServiceBox) -> tuple[Any, ...]:
    """What a person or a workflow sees of it now. What was wanted for a moment between two
    deliveries, and messages about entries, whose ids are random, are left out."""
    with box.kernel.store.read() as tx:
        orders, _ = tx.orders.find(limit=1000)
    actions = {
        key: (row.state, row.payload)
        for key, row in box.actions().items()
        if row.state != "withdrawn" and row.stage != "exceptions"
    }
    return {row.id: row.statuses for row in orders}, actions, sorted(box.exceptions())


def decisions_of(box: ServiceBox, number: int) -> int:
    with box.kernel.store.read() as tx:
        return len(tx.decisions_of(woo_id(number)))


def test_a_group_leads_to_what_its_deliveries_lead_to_one_by_one(
    box: ServiceBox, tmp_path: Path
) -> None:
    """Orders, their payments before and after them, repetitions, a twin, something unreadable."""
    requests = [stripe(301), *(woo(n) for n in range(300, 306)), *(stripe(n) for n in (300, 302))]
    requests += [woo(300), stripe(302), woo(306, total="1.00")]
    requests.append(woo(310, billing={"email": "c304@example.org"}))
    raw, headers = woo_request([1, 2], "order.updated", "odd")
    requests.append(("woo-main", headers, raw))
    (tmp_path / "alone").mkdir()
    alone = ServiceBox(sqlite_url(tmp_path / "alone"))
    for request in requests:
        alone.service.ingest(*request)
    answers = told(together(box, requests))
    assert state_of(box) == state_of(alone)
    assert [x.is_duplicate for x in answers].count(True) == 2
    _, chunks = read_chains(box.service.database)
    assert [fault for found, _ in chunks for fault in found] == []
    alone.close()


def test_an_order_that_several_of_a_group_speak_of_is_decided_once(box: ServiceBox) -> None:
    answers = told(together(box, [woo(320, "order.created"), stripe(320), woo(320)]))
    assert {x.order_id for x in answers} == {woo_id(320)}
    # Each is answered with what all of them led to.
    assert [x.statuses["payment"] for x in answers if x.statuses] == ["paid"] * 3
    assert decisions_of(box, 320) == 1
    assert box.fact_count(woo_id(320)) == 2


def test_one_that_our_rules_fail_on_fails_alone(
    box: ServiceBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = module.note

    def note(tx: Any, opened: Any, source: str, drafts: Any, now: Any) -> Any:
        noted = real(tx, opened, source, drafts, now)
        if any("order:331" in draft.external_id for draft in drafts):
            raise LookupError("broken after it has written")
        return noted

    monkeypatch.setattr(module, "note", note)
    answers = told(together(box, [woo(n) for n in (330, 331, 332)]))
    assert [x.order_id for x in answers] == [woo_id(330), None, woo_id(332)]
    kinds = [row.kind for row in box.exceptions().values()]
    assert kinds.count("payload_unknown") == 1


def test_a_failing_commit_is_told_to_all_of_the_group_and_nothing_is_stored(
    box: ServiceBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(Connection, "commit", full)
    answers = together(box, [woo(n) for n in (340, 341)])
    assert [type(x) for x in answers] == [OSError, OSError]
    monkeypatch.undo()
    assert state_of(box) == ({}, {}, [])
    assert [x.order_id for x in told(together(box, [woo(340)]))] == [woo_id(340)]


def test_a_wrong_signature_never_enters_a_group(box: ServiceBox) -> None:
    system, headers, raw = woo(350)
    forged = (system, {**headers, "x-wc-webhook-signature": "AAAA"}, raw)
    answers = together(box, [woo(351), forged])
    assert isinstance(answers[1], SignatureInvalidError)
    assert list(state_of(box)[0]) == [woo_id(351)]


def test_many_groups_follow_each_other_while_others_write(box: ServiceBox) -> None:
    """More than a group holds, a writer of another thread in between: nothing waits for ever."""
    grouped = box.service.grouped
    assert grouped is not None

    async def run() -> list[Any]:
        requests = [woo(n) for n in range(400, 460)]
        writers = [asyncio.to_thread(box.service.ingest, *woo(n)) for n in range(460, 470)]
        return await asyncio.gather(*(grouped(*request) for request in requests), *writers)

    answers = asyncio.run(asyncio.wait_for(run(), 60))
    assert {x.order_id for x in answers} == {woo_id(n) for n in range(400, 470)}
    assert set(state_of(box)[0]) == {woo_id(n) for n in range(400, 470)}
