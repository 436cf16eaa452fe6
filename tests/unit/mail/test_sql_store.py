"""The store on both databases: one row per action, one sender per mail, whoever comes at the same
time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from kette.adapters.mail.sql_store import SqlMailStore
from kette.adapters.mail.store import (
    Acceptance,
    Claim,
    ClaimedMail,
    MailState,
    NewMail,
    SentMail,
)
from kette.adapters.mail.table import define_mails
from sqlalchemy import Engine, MetaData, Table, create_engine, event, select

from .conftest import ENVELOPE, accept, claim

START = datetime(2026, 11, 5, 12, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **delta: float) -> None:
        self.now += timedelta(**delta)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Engine, Table]]:
    url = f"sqlite:///{tmp_path / 'mails.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("fresh_postgres_url")
    engine = create_engine(url)
    table = define_mails(MetaData())
    table.metadata.create_all(engine)
    yield engine, table
    engine.dispose()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(database: tuple[Engine, Table], clock: Clock) -> SqlMailStore:
    return SqlMailStore(*database, name="one", clock=clock)


def test_an_action_is_accepted_once_and_mails_without_action_always(store: SqlMailStore) -> None:
    keys = ["a", "a", "b", None, None]
    outcomes = [accept(store, key) for key in keys]
    assert [outcome.value for outcome in outcomes] == [
        "accepted",
        "duplicate",
        "accepted",
        "accepted",
        "accepted",
    ]
    assert store.counts()[MailState.STORED] == 4


def test_mails_are_due_in_order_of_arrival_with_their_content(store: SqlMailStore) -> None:
    raw = bytes(range(256))
    for key in ("a", "b", "c"):
        accept(store, key, raw + key.encode())
    first, second = store.due(limit=2)
    assert (first.action_key, second.action_key) == ("a", "b")
    assert first.envelope == ENVELOPE
    assert first.created_at == START
    claimed = claim(store, START + timedelta(minutes=5), limit=2)
    assert [one.mail for one in claimed] == [first, second]
    assert [one.raw for one in claimed] == [raw + b"a", raw + b"b"]


def test_a_claimed_mail_is_not_due_until_the_claim_runs_out(
    store: SqlMailStore, clock: Clock
) -> None:
    accept(store, "a")
    [first] = claim(store, clock() + timedelta(minutes=5))
    assert (first.mail.attempts, first.raw) == (0, b"raw")
    assert claim(store, clock() + timedelta(minutes=5)) == []
    assert store.due(10) == []
    clock.advance(minutes=6)
    [again] = claim(store, clock() + timedelta(minutes=5))
    assert (again.mail.attempts, again.raw) == (1, b"raw")


def test_a_claim_is_extended_by_whoever_has_it_and_by_nobody_else(
    store: SqlMailStore, database: tuple[Engine, Table], clock: Clock
) -> None:
    accept(store, "a")
    [first] = claim(store, clock() + timedelta(minutes=5))
    until = clock() + timedelta(minutes=20)
    assert store.extend(first, until) == ClaimedMail(first.mail, b"raw", until)
    clock.advance(minutes=6)
    other = SqlMailStore(*database, name="two", clock=clock)
    assert claim(other, clock() + timedelta(minutes=5)) == []
    clock.advance(minutes=20)
    [taken] = claim(other, clock() + timedelta(minutes=5))
    assert store.extend(first, clock() + timedelta(minutes=5)) is None
    assert other.extend(taken, clock() + timedelta(minutes=5)) is not None


def test_mails_put_back_are_due_at_once_and_no_attempt_is_counted(
    store: SqlMailStore, database: tuple[Engine, Table], clock: Clock
) -> None:
    for key in ("a", "b", "c"):
        accept(store, key)
    hand = claim(store, clock() + timedelta(minutes=5))
    store.put_back(hand[1:])
    assert [mail.action_key for mail in store.due(10)] == ["b", "c"]
    assert [mail.attempts for mail in store.due(10)] == [0, 0]
    # What somebody else has claimed in the meantime stays with him.
    clock.advance(minutes=6)
    other = SqlMailStore(*database, name="two", clock=clock)
    assert len(claim(other, clock() + timedelta(minutes=5))) == 3
    store.put_back(hand)
    assert store.due(10) == []


def test_what_is_written_together_is_written_in_one_transaction(
    store: SqlMailStore, database: tuple[Engine, Table], clock: Clock
) -> None:
    accept(store, "a")
    [first] = claim(store, clock() + timedelta(minutes=5))
    commits: list[object] = []

    def note(connection: object) -> None:
        commits.append(connection)

    event.listen(database[0], "commit", note)
    outcomes = store.write(
        [
            NewMail("b", "<b@x>", ENVELOPE, b"second"),
            SentMail(first.mail),
            NewMail("a", "<a@x>", ENVELOPE, b"again"),
            Claim(10, clock() + timedelta(minutes=5)),
        ]
    )
    event.remove(database[0], "commit", note)
    assert outcomes[:3] == [Acceptance.ACCEPTED, None, Acceptance.DUPLICATE]
    assert [one.raw for one in outcomes[3]] == [b"second"]
    assert len(commits) == 1


def test_of_a_group_that_fails_nothing_is_stored(store: SqlMailStore) -> None:
    with pytest.raises(Exception, match=r"NOT NULL|not-null|null value"):
        store.write(
            [
                NewMail("a", "<a@x>", ENVELOPE, b"raw"),
                NewMail("b", None, ENVELOPE, b"raw"),  # type: ignore[arg-type]
            ]
        )
    assert sum(store.counts().values()) == 0


def test_what_is_due_is_found_without_looking_at_every_mail_ever_sent(
    engine: Engine, mails: Table
) -> None:
    """On SQLite: PostgreSQL reads a small table from front to back, whatever its indexes."""
    store = SqlMailStore(engine, mails, name="one")
    seen: list[tuple[str, object]] = []

    def note(_c: object, _u: object, statement: str, parameters: object, *_rest: object) -> None:
        seen.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    store.due(10)
    claim(store, START)
    event.remove(engine, "before_cursor_execute", note)
    assert len(seen) == 2
    with engine.connect() as connection:
        for statement, parameters in seen:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            assert "ix_mails_open" in str(plan.all())


def test_only_the_same_gateway_puts_back_what_it_was_sending(
    store: SqlMailStore, database: tuple[Engine, Table], clock: Clock
) -> None:
    accept(store, "a", b"raw")
    claim(store, clock() + timedelta(minutes=5))
    assert SqlMailStore(*database, name="two", clock=clock).release() == 0
    assert store.release() == 1
    assert [found.action_key for found in store.due(10)] == ["a"]


def test_retry_failure_and_a_new_mail_for_a_failed_action(
    store: SqlMailStore, clock: Clock
) -> None:
    accept(store, "a", b"first")
    [first] = claim(store, clock() + timedelta(minutes=5))
    store.mark_failed(first.mail, "451 later", clock() + timedelta(seconds=10))
    assert store.due(10) == []
    clock.advance(seconds=11)
    [second] = claim(store, clock() + timedelta(minutes=5))
    assert accept(store, "a", b"second") is Acceptance.DUPLICATE
    store.mark_failed(second.mail, "550 never", None)
    assert store.counts()[MailState.FAILED] == 1
    assert accept(store, "a", b"second") is Acceptance.ACCEPTED
    [anew] = claim(store, clock())
    assert (anew.mail.attempts, anew.raw) == (0, b"second")
    store.write([SentMail(anew.mail)])
    assert accept(store, "a", b"third") is Acceptance.DUPLICATE


def test_contents_are_forgotten_and_the_key_still_stops_a_second_mail(
    store: SqlMailStore, database: tuple[Engine, Table], clock: Clock
) -> None:
    accept(store, "a", b"raw")
    [first] = claim(store, clock() + timedelta(minutes=5))
    store.write([SentMail(first.mail)])
    assert store.forget_contents(START) == 0
    clock.advance(days=30)
    assert store.forget_contents(clock()) == 1
    engine, table = database
    with engine.connect() as connection:
        row = connection.execute(select(table)).one()
    assert (bytes(row.raw), row.recipients, row.state) == (b"", "[]", "sent")
    assert accept(store, "a", b"raw") is Acceptance.DUPLICATE


def test_many_forwarders_at_once_claim_each_mail_once(database: tuple[Engine, Table]) -> None:
    workers = 6
    stores = [SqlMailStore(*database, name=f"w{number}") for number in range(workers)]
    for number in range(40):
        accept(stores[0], f"k{number}")
    claimed: list[int] = []
    barrier = threading.Barrier(workers)

    def work(store: SqlMailStore) -> None:
        barrier.wait()
        while store.due(1):
            for one in claim(store, datetime.now(UTC) + timedelta(minutes=5), limit=3):
                claimed.append(one.mail.id)
                store.write([SentMail(one.mail)])

    threads = [threading.Thread(target=work, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimed) == 40
    assert len(set(claimed)) == 40


def test_the_same_action_from_many_connections_at_once_is_stored_once(
    database: tuple[Engine, Table],
) -> None:
    store = SqlMailStore(*database, name="one")
    outcomes: list[Acceptance] = []
    barrier = threading.Barrier(8)

    def work() -> None:
        barrier.wait()
        outcomes.append(accept(store, "a", b"raw"))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count(Acceptance.ACCEPTED) == 1
    assert outcomes.count(Acceptance.DUPLICATE) == 7
