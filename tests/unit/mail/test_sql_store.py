"""The store on both databases: one row per action, one sender per mail, whoever comes at the same
time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from kette.adapters.mail.sql_store import SqlMailStore
from kette.adapters.mail.store import Acceptance, Envelope, MailState
from kette.adapters.mail.table import define_mails
from sqlalchemy import Engine, MetaData, Table, create_engine, select

ENVELOPE = Envelope("laden@nordlicht.example", ("anke@example.org",))
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
    outcomes = [store.accept(key, "<id@x>", ENVELOPE, b"raw") for key in keys]
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
        store.accept(key, f"<{key}@x>", ENVELOPE, raw + key.encode())
    first, second = store.due(limit=2)
    assert (first.action_key, second.action_key) == ("a", "b")
    assert first.envelope == ENVELOPE
    assert first.created_at == START
    assert store.mark_sending(second, START + timedelta(minutes=5)) == raw + b"b"


def test_a_claimed_mail_is_not_due_until_the_claim_runs_out(
    store: SqlMailStore, clock: Clock
) -> None:
    store.accept("a", "<a@x>", ENVELOPE, b"raw")
    [mail] = store.due(10)
    assert store.mark_sending(mail, clock() + timedelta(minutes=5)) == b"raw"
    assert store.mark_sending(mail, clock() + timedelta(minutes=5)) is None
    assert store.due(10) == []
    clock.advance(minutes=6)
    [again] = store.due(10)
    assert again.attempts == 1
    assert store.mark_sending(mail, clock() + timedelta(minutes=5)) is None
    assert store.mark_sending(again, clock() + timedelta(minutes=5)) == b"raw"


def test_only_the_same_gateway_puts_back_what_it_was_sending(
    store: SqlMailStore, database: tuple[Engine, Table], clock: Clock
) -> None:
    store.accept("a", "<a@x>", ENVELOPE, b"raw")
    [mail] = store.due(10)
    store.mark_sending(mail, clock() + timedelta(minutes=5))
    assert SqlMailStore(*database, name="two", clock=clock).release() == 0
    assert store.release() == 1
    assert [found.action_key for found in store.due(10)] == ["a"]


def test_retry_failure_and_a_new_mail_for_a_failed_action(
    store: SqlMailStore, clock: Clock
) -> None:
    store.accept("a", "<a@x>", ENVELOPE, b"first")
    [mail] = store.due(10)
    store.mark_sending(mail, clock() + timedelta(minutes=5))
    store.mark_failed(mail, "451 later", clock() + timedelta(seconds=10))
    assert store.due(10) == []
    clock.advance(seconds=11)
    [mail] = store.due(10)
    store.mark_sending(mail, clock() + timedelta(minutes=5))
    assert store.accept("a", "<a@x>", ENVELOPE, b"second") is Acceptance.DUPLICATE
    store.mark_failed(mail, "550 never", None)
    assert store.counts()[MailState.FAILED] == 1
    assert store.accept("a", "<a@x>", ENVELOPE, b"second") is Acceptance.ACCEPTED
    [mail] = store.due(10)
    assert (mail.attempts, store.mark_sending(mail, clock())) == (0, b"second")
    store.mark_sent(mail)
    assert store.accept("a", "<a@x>", ENVELOPE, b"third") is Acceptance.DUPLICATE


def test_contents_are_forgotten_and_the_key_still_stops_a_second_mail(
    store: SqlMailStore, database: tuple[Engine, Table], clock: Clock
) -> None:
    store.accept("a", "<a@x>", ENVELOPE, b"raw")
    [mail] = store.due(10)
    store.mark_sending(mail, clock() + timedelta(minutes=5))
    store.mark_sent(mail)
    assert store.forget_contents(START) == 0
    clock.advance(days=30)
    assert store.forget_contents(clock()) == 1
    engine, table = database
    with engine.connect() as connection:
        row = connection.execute(select(table)).one()
    assert (bytes(row.raw), row.recipients, row.state) == (b"", "[]", "sent")
    assert store.accept("a", "<a@x>", ENVELOPE, b"raw") is Acceptance.DUPLICATE


def test_many_forwarders_at_once_claim_each_mail_once(database: tuple[Engine, Table]) -> None:
    workers = 6
    stores = [SqlMailStore(*database, name=f"w{number}") for number in range(workers)]
    for number in range(40):
        stores[0].accept(f"k{number}", "<id@x>", ENVELOPE, b"raw")
    claimed: list[int] = []
    barrier = threading.Barrier(workers)

    def work(store: SqlMailStore) -> None:
        barrier.wait()
        while mails := store.due(10):
            for mail in mails:
                until = datetime.now(UTC) + timedelta(minutes=5)
                if store.mark_sending(mail, until) is not None:
                    claimed.append(mail.id)
                    store.mark_sent(mail)

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
        outcomes.append(store.accept("a", "<a@x>", ENVELOPE, b"raw"))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count(Acceptance.ACCEPTED) == 1
    assert outcomes.count(Acceptance.DUPLICATE) == 7
