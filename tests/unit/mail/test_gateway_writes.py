"""What the gateway writes, when, and together with what: the store, the writer and the forwarder
in one. What it promises by that: test_gateway.py."""

from __future__ import annotations

import smtplib
import threading
from collections.abc import Sequence

import pytest
from kette.adapters.mail.sql_store import SqlMailStore
from kette.adapters.mail.store import Acceptance, MailState, NewMail, Outcome, SentMail, Write
from kette.adapters.mail.writer import MailWriter
from sqlalchemy import Engine, Table, select

from .conftest import (
    ENVELOPE,
    UpstreamServer,
    accept,
    action_mail,
    row_of,
    running,
    send,
    settled,
    wait_until,
)


class FullDisk(SqlMailStore):
    """A store whose next commit fails."""

    is_full = True

    def write(self, writes: Sequence[Write]) -> Sequence[Outcome]:
        if self.is_full:
            raise OSError("no space left on device")
        return super().write(writes)


def test_a_store_that_fails_is_answered_451_so_that_the_sender_tries_again(
    upstream: UpstreamServer, engine: Engine, mails: Table
) -> None:
    store = FullDisk(engine, mails, name="gateway-1")
    with running(store, upstream.port) as gateway:
        with pytest.raises(smtplib.SMTPDataError) as refused:
            send(gateway, action_mail("notify:ord_1"))
        assert refused.value.smtp_code == 451
        store.is_full = False
        send(gateway, action_mail("notify:ord_1"))
        wait_until(lambda: len(upstream.inbox.mails) == 1)


def test_mails_that_come_in_the_same_moment_share_a_commit(
    upstream: UpstreamServer, engine: Engine, mails: Table
) -> None:
    """The disk is slow: while the first mail is being stored, the others come."""
    groups: list[int] = []
    began, others_are_here = threading.Event(), threading.Event()

    class SlowDisk(SqlMailStore):
        def write(self, writes: Sequence[Write]) -> Sequence[Outcome]:
            new = sum(isinstance(write, NewMail) for write in writes)
            if new and not groups:
                began.set()
                others_are_here.wait(30)
            if new:
                groups.append(new)
            return super().write(writes)

    with running(SlowDisk(engine, mails, name="gateway-1"), upstream.port) as gateway:
        clients = [
            threading.Thread(target=send, args=(gateway, action_mail(f"notify:ord_{number}")))
            for number in range(6)
        ]
        try:
            clients[0].start()
            assert began.wait(30)
            for client in clients[1:]:
                client.start()
            wait_until(lambda: gateway._writer._queue.qsize() == 5, timeout_s=9)
        finally:
            others_are_here.set()
        for client in clients:
            client.join(30)
        wait_until(lambda: len(upstream.inbox.mails) == 6)
        assert groups == [1, 5]


def test_a_mail_is_not_sent_before_it_is_recorded_that_the_one_before_was(
    upstream: UpstreamServer, engine: Engine, mails: Table
) -> None:
    """Otherwise a crash could leave many mails of which nobody knows whether they were sent."""
    seen: list[int] = []

    def look() -> None:
        # The server has a mail and has not answered yet: those before it are recorded.
        with engine.connect() as connection:
            states = connection.execute(select(mails.c.state)).scalars().all()
        seen.append(list(states).count("sent"))

    store = SqlMailStore(engine, mails, name="gateway-1")
    for number in range(20):
        accept(store, f"notify:ord_{number}", b"Subject: x\r\n\r\nbody\r\n")
    upstream.inbox.before_answer = look
    with running(store, upstream.port):
        wait_until(settled(store))
    assert seen == list(range(20))


def test_a_connection_that_breaks_costs_only_the_mail_at_hand_an_attempt(
    upstream: UpstreamServer, engine: Engine, mails: Table, store: SqlMailStore
) -> None:
    for number in range(5):
        accept(store, f"notify:ord_{number}", b"Subject: x\r\n\r\nbody\r\n")
    upstream.inbox.data_answers = ["250 OK", "421 4.3.2 Going down"]
    with running(store, upstream.port):
        wait_until(lambda: len(upstream.inbox.mails) == 4)
    attempts = [row_of(engine, mails, f"notify:ord_{number}").attempts for number in range(5)]
    assert attempts == [1, 1, 1, 1, 1]
    assert row_of(engine, mails, "notify:ord_1").state == "stored"


def test_a_database_that_is_away_for_a_moment_lets_no_mail_be_sent_twice(
    upstream: UpstreamServer, engine: Engine, mails: Table
) -> None:
    class Away(SqlMailStore):
        refusals = 2

        def write(self, writes: Sequence[Write]) -> Sequence[Outcome]:
            if self.refusals and any(isinstance(write, SentMail) for write in writes):
                self.refusals -= 1
                raise OSError("database is locked")
            return super().write(writes)

    store = Away(engine, mails, name="gateway-1")
    for number in range(3):
        accept(store, f"notify:ord_{number}", b"Subject: x\r\n\r\nbody\r\n")
    with running(store, upstream.port):
        wait_until(settled(store))
    assert store.refusals == 0
    assert len(upstream.inbox.mails) == 3


def test_clients_that_hang_up_do_not_end_the_writer(store: SqlMailStore) -> None:
    """aiosmtpd cancels what it waits for when a connection is lost."""
    busy, go_on = threading.Event(), threading.Event()
    plain = store.write

    def slow(writes: Sequence[Write]) -> Sequence[Outcome]:
        busy.set()
        go_on.wait(30)
        return plain(writes)

    store.write = slow  # type: ignore[method-assign]
    writer = MailWriter(store)
    writer.start()
    new = [NewMail(f"notify:ord_{n}", f"<{n}@x>", ENVELOPE, b"raw") for n in range(3)]
    try:
        first = writer.accept(new[0])
        assert busy.wait(30)
        second = writer.accept(new[1])
        assert (first.cancel(), second.cancel()) == (False, True)
        go_on.set()
        assert writer.accept(new[2]).result(30) is Acceptance.ACCEPTED
    finally:
        go_on.set()
        writer.stop()
    assert store.counts()[MailState.STORED] == 2
