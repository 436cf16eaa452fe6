"""The gateway's process is killed in the middle: nothing is lost, and a repeat can be told by its
Message-ID."""

from __future__ import annotations

import random
import signal
import smtplib
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path

import pytest
from kette.adapters.mail.message import message_id_of
from kette.adapters.mail.sql_store import SqlMailStore
from kette.adapters.mail.store import MailState
from sqlalchemy import Engine, Table

from .conftest import KEY, UpstreamServer, action_mail, free_port

SCRIPT = Path(__file__).with_name("gateway_process.py")


class KillableGateway:
    def __init__(self, engine: Engine, upstream_port: int) -> None:
        self.port = free_port()
        self._arguments = [str(engine.url), str(upstream_port), str(self.port)]
        self.process: subprocess.Popen[bytes] | None = None
        self.kills = 0

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(SCRIPT), *self._arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if line.strip() == b"ready":
                return
        pytest.fail("the gateway's process did not start")

    def kill(self) -> None:
        if self.process is None:
            return
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        assert self.process.stderr is not None
        self.process.stderr.close()
        self.process = None
        self.kills += 1

    def send(self, key: str) -> None:
        with smtplib.SMTP("127.0.0.1", self.port, timeout=10) as client:
            client.login("kette", KEY)
            client.send_message(action_mail(key))


@pytest.fixture
def killable(engine: Engine, upstream: UpstreamServer) -> Iterator[KillableGateway]:
    gateway = KillableGateway(engine, upstream.port)
    yield gateway
    gateway.kill()


def arrived(upstream: UpstreamServer) -> Counter[str]:
    return Counter(message_from_bytes(raw)["Message-ID"] for raw in upstream.inbox.contents)


def wait_until_settled(store: SqlMailStore, sent: int) -> None:
    ends_at = time.monotonic() + 90
    while store.counts()[MailState.SENT] < sent:
        assert time.monotonic() < ends_at, store.counts()
        time.sleep(0.05)


def test_killed_after_250_and_before_forwarding_the_mail_arrives_once(
    killable: KillableGateway, upstream: UpstreamServer, store: SqlMailStore
) -> None:
    upstream.stop()
    killable.start()
    killable.send("notify:ord_1")
    killable.kill()
    upstream.start()
    killable.start()
    wait_until_settled(store, 1)
    assert list(arrived(upstream).values()) == [1]


def test_killed_before_the_upstreams_answer_is_recorded_repeats_with_the_same_message_id(
    killable: KillableGateway, upstream: UpstreamServer, store: SqlMailStore, mails: Table
) -> None:
    killed = threading.Event()

    def kill_once() -> None:
        if not killed.is_set():
            killable.kill()
            killed.set()

    upstream.inbox.before_answer = kill_once
    killable.start()
    killable.send("notify:ord_1")
    assert killed.wait(60)
    assert store.counts()[MailState.SENDING] == 1
    killable.start()
    wait_until_settled(store, 1)
    # The one window that SMTP leaves open. Both copies carry one Message-ID.
    assert arrived(upstream) == {message_id_of("notify:ord_1", "nordlicht.example"): 2}


def test_killed_again_and_again_under_load_every_mail_arrives(
    killable: KillableGateway, upstream: UpstreamServer, store: SqlMailStore
) -> None:
    keys = [f"notify:ord_{number}" for number in range(40)]
    chance = random.Random(7)
    killable.start()
    for key in keys:
        while True:  # n8n's own repetition: the action comes again until the mail was taken over
            try:
                killable.send(key)
                break
            except (OSError, smtplib.SMTPException):
                killable.kill()
                killable.start()
        if chance.random() < 0.2:
            killable.kill()
            killable.start()
    wait_until_settled(store, len(keys))
    counted = arrived(upstream)
    assert set(counted) == {message_id_of(key, "nordlicht.example") for key in keys}
    assert killable.kills > 3
    assert sum(counted.values()) - len(keys) <= killable.kills
