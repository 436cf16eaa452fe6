"""The forwarder while the database is away for a moment, which each write of it may find: nobody
gets a mail twice, none waits for the end of a claim, and no loss goes untold."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from kette.adapters.mail.forwarder import Forwarder
from kette.adapters.mail.sql_store import SqlMailStore
from kette.adapters.mail.store import Envelope, MailState
from kette.adapters.mail.upstream import Upstream, UpstreamSettings
from kette.adapters.mail.writer import MailWriter
from sqlalchemy import Engine, Table, create_engine

from .conftest import UpstreamServer, accept, claim, row_of, running, settled, wait_until
from .scripted_server import ScriptedServer

RAW = b"Subject: x\r\n\r\nbody\r\n"
AWAY_S = 1.5


class Lock:
    """Another program that writes: for a while nobody else can."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.times = 0

    def take(self) -> None:
        """Only once; the other program is done after a while."""
        if self.times:
            return
        self.times += 1
        connection = sqlite3.connect(self._path, check_same_thread=False, isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")

        def end() -> None:
            connection.rollback()
            connection.close()

        threading.Timer(AWAY_S, end).start()


@pytest.fixture
def impatient(engine: Engine, mails: Table) -> Iterator[SqlMailStore]:
    """A store that gives up waiting for the database soon."""
    impatient = create_engine(engine.url, connect_args={"timeout": 0.05})
    yield SqlMailStore(impatient, mails, name="gateway-1")
    impatient.dispose()


@pytest.fixture
def lock(tmp_path: Path) -> Lock:
    return Lock(tmp_path / "mails.db")


def test_recipients_that_were_served_are_remembered(
    impatient: SqlMailStore, store: SqlMailStore, upstream: UpstreamServer, lock: Lock
) -> None:
    accept(store, "notify:1", RAW, Envelope("laden@x.example", ("a@x.example", "b@x.example")))
    upstream.inbox.rcpt_answers = {"b@x.example": ["450 Busy"]}
    upstream.inbox.before_answer = lock.take
    with running(impatient, upstream.port, backoff_s=(0.5,)):
        wait_until(settled(store), timeout_s=20)
    assert lock.times == 1
    assert [to for _, to, _ in upstream.inbox.mails] == [["a@x.example"], ["b@x.example"]]


def test_mails_that_were_claimed_and_not_tried_do_not_wait_for_the_claims_end(
    impatient: SqlMailStore,
    store: SqlMailStore,
    upstream: UpstreamServer,
    lock: Lock,
    engine: Engine,
    mails: Table,
) -> None:
    for number in range(4):
        accept(store, f"notify:{number}", RAW)
    upstream.inbox.data_answers = ["421 4.3.2 Going down"]
    upstream.inbox.before_answer = lock.take
    with running(impatient, upstream.port, backoff_s=(0.5,)):
        wait_until(settled(store), timeout_s=20)
    attempts = [row_of(engine, mails, f"notify:{number}").attempts for number in range(4)]
    assert attempts == [2, 1, 1, 1]
    assert len(upstream.inbox.mails) == 4


def test_a_stop_while_the_database_is_away_forgets_no_mail_that_was_sent(
    impatient: SqlMailStore, store: SqlMailStore, upstream: UpstreamServer, lock: Lock
) -> None:
    """After the next start it would have been sent again."""
    accept(store, "notify:1", RAW)
    upstream.inbox.before_answer = lock.take
    with running(impatient, upstream.port):
        wait_until(lambda: len(upstream.inbox.mails) == 1)
        began = time.monotonic()
    assert time.monotonic() - began < 15
    assert store.counts()[MailState.SENT] == 1


def test_a_loss_that_could_not_be_told_is_told_later(
    store: SqlMailStore, upstream: UpstreamServer, engine: Engine, mails: Table
) -> None:
    tries: list[str] = []

    def tell(_mail: object, error: str) -> None:
        tries.append(row_of(engine, mails, "notify:1").state)
        if len(tries) < 3:
            raise OSError("database is away")

    accept(store, "notify:1", RAW)
    upstream.inbox.data_answers = ["554 Spam"]
    with running(store, upstream.port, on_failed=tell, backoff_s=(0.5,)):
        wait_until(settled(store), timeout_s=20)
    # Not yet failed: a gateway that dies between the two finds the mail again.
    assert tries == ["sending"] * 3
    assert store.counts()[MailState.FAILED] == 1


def test_a_loss_that_a_stop_kept_from_being_told_is_told_after_the_next_start(
    store: SqlMailStore, upstream: UpstreamServer
) -> None:
    told: list[str] = []

    def cannot(_mail: object, _error: str) -> None:
        told.append("tried")
        raise OSError("database is away")

    accept(store, "notify:1", RAW)
    upstream.inbox.data_answers = ["554 Spam", "554 Spam"]
    with running(store, upstream.port, on_failed=cannot):
        wait_until(lambda: bool(told))
    told.clear()
    with running(store, upstream.port, on_failed=lambda _mail, error: told.append(error)):
        wait_until(settled(store), timeout_s=20)
    assert told == ["content refused: 554 Spam"]


class Setting:
    """A forwarder without its thread, a server with a script, and a clock that a test moves."""

    def __init__(self, engine: Engine, mails: Table) -> None:
        self.now = datetime(2026, 11, 5, tzinfo=UTC)
        self.server = ScriptedServer()
        self.store = SqlMailStore(engine, mails, name="one", clock=lambda: self.now)
        self.other = SqlMailStore(engine, mails, name="two", clock=lambda: self.now)
        self.writer = MailWriter(self.store)
        self.writer.start()
        settings = UpstreamSettings(host="127.0.0.1", port=self.server.port, timeout_s=5)
        self.forwarder = Forwarder(
            self.store, self.writer, Upstream(settings), 5, clock=lambda: self.now
        )

    def close(self) -> None:
        self.writer.stop()
        self.server.stop()


@pytest.fixture
def setting(engine: Engine, mails: Table) -> Iterator[Setting]:
    setting = Setting(engine, mails)
    yield setting
    setting.close()


def test_a_mail_whose_claim_ran_out_meanwhile_is_left_to_whoever_has_it_now(
    setting: Setting,
) -> None:
    """The record of the mail before may wait for the database for long."""
    accept(setting.store, "notify:1", RAW)

    def late() -> bytes:
        setting.now += timedelta(hours=1)
        return b"250 ok"

    setting.server.answers["RCPT"] = [late]
    setting.forwarder.run_once()
    assert setting.server.contents == []
    assert len(claim(setting.other, setting.now + timedelta(minutes=5))) == 1


def test_nobody_else_gets_a_mail_while_the_server_takes_its_time(setting: Setting) -> None:
    accept(setting.store, "notify:1", b"x" * 2_000_000)
    taken: list[int] = []

    def late() -> bytes:
        # 30 pieces and as many time limits of 5 s for the answer, as they may be used up
        setting.now += timedelta(seconds=5 * (30 + 30))
        taken.append(len(claim(setting.other, setting.now + timedelta(minutes=5))))
        return b"250 ok"

    setting.server.answers["CONTENT"] = [late]
    setting.forwarder.run_once()
    assert taken == [0]
    assert setting.store.counts()[MailState.SENT] == 1


def test_what_a_slow_server_says_after_a_stop_is_still_recorded(
    engine: Engine, mails: Table
) -> None:
    setting = Setting(engine, mails)
    answers = threading.Event()
    setting.server.answers["CONTENT"] = [lambda: b"250 ok" if answers.wait(20) else b""]
    accept(setting.store, "notify:1", RAW)
    setting.forwarder.start()
    wait_until(lambda: len(setting.server.contents) == 1)
    assert setting.forwarder.stop(timeout_s=0.1) is False
    answers.set()
    assert setting.forwarder.stop() is True
    setting.close()
    assert setting.store.counts()[MailState.SENT] == 1
