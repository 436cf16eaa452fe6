"""The sandbox as its own process: sockets, a lost answer, mail, and a kill."""

from __future__ import annotations

import http.client
import os
import smtplib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

FOLDER = Path(__file__).parents[3] / "fixtures" / "sandbox"
ORDER = {
    "basket": [{"sku": "BECHER-LT-01", "quantity": 2}],
    "billing": {
        "first_name": "Ole",
        "last_name": "Hansen",
        "address_1": "Am Markt 1",
        "city": "Husum",
        "postcode": "25813",
        "country": "DE",
        "email": "ole@example.org",
    },
}
STRIPE = {"Authorization": "Bearer sk_live_sandbox"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Process:
    def __init__(self, journal: Path) -> None:
        self.http_port, self.smtp_port, self._journal = free_port(), free_port(), journal
        self.url = f"http://127.0.0.1:{self.http_port}"
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "sandbox", "--journal", str(self._journal)]
        command += ["--http-port", str(self.http_port), "--smtp-port", str(self.smtp_port)]
        self._child = subprocess.Popen(command, cwd=FOLDER, env={**os.environ, "PYTHONPATH": "."})
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                httpx.get(f"{self.url}/_control/health", timeout=1, trust_env=False)
                return
            except httpx.TransportError:
                time.sleep(0.1)
        raise TimeoutError("the sandbox did not start")

    def kill(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.wait()

    def do(self, verb: str, **parameters: Any) -> Any:
        answer = httpx.post(f"{self.url}/_control/do/{verb}", json=parameters, trust_env=False)
        answer.raise_for_status()
        return answer.json()


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Process]:
    process = Process(tmp_path / "journal.jsonl")
    process.start()
    yield process
    process.kill()


def test_a_connection_outlives_the_idle_time_of_its_clients(sandbox: Process) -> None:
    idle_s = httpx.Limits().keepalive_expiry
    assert idle_s is not None
    connection = http.client.HTTPConnection("127.0.0.1", sandbox.http_port)
    connection.request("GET", "/_control/health")
    assert connection.getresponse().read()
    connection.sock.settimeout(idle_s + 1)
    with pytest.raises(TimeoutError):  # nothing comes, the end of the connection neither
        connection.sock.recv(1)
    connection.close()


def test_a_lost_answer_is_an_effect_without_an_answer(sandbox: Process) -> None:
    order_id = sandbox.do("place", order=ORDER)["id"]
    intent = sandbox.do("pay", order_id=order_id)["payment_intent"]
    fault = {"route": "POST /stripe/v1/refunds", "kind": "lose"}
    httpx.post(f"{sandbox.url}/_control/faults", json=fault, trust_env=False)
    form = {"payment_intent": intent, "amount": "500"}
    key = {**STRIPE, "Idempotency-Key": "kette-1"}
    url = f"{sandbox.url}/stripe/v1/refunds"
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.post(url, data=form, headers=key, trust_env=False)
    again = httpx.post(url, data=form, headers=key, trust_env=False)
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (200, "true")
    state = httpx.get(f"{sandbox.url}/_control/state", trust_env=False).json()
    assert state["refund_keys"] == {"kette-1": 1}


def test_a_rate_limit_names_the_waiting_time(sandbox: Process) -> None:
    fault = {"route": "GET /stripe/*", "kind": "rate_limit", "retry_after_s": 7}
    httpx.post(f"{sandbox.url}/_control/faults", json=fault, trust_env=False)
    answer = httpx.get(f"{sandbox.url}/stripe/v1/account", headers=STRIPE, trust_env=False)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    answer = httpx.get(f"{sandbox.url}/stripe/v1/account", headers=STRIPE, trust_env=False)
    assert answer.status_code == 200


def send(process: Process, message_id: str) -> None:
    with smtplib.SMTP("127.0.0.1", process.smtp_port) as client:
        client.sendmail(
            "shop@example.org",
            ["Ole@example.org"],
            f"Message-ID: {message_id}\r\nSubject: Unterwegs\r\nContent-Type: text/html\r\n\r\n"
            '<html><head><meta name="kette-action" content="notify:ord_1:shipped:1"></head></html>',
        )


def test_mails_and_effects_outlive_a_kill(sandbox: Process) -> None:
    order_id = sandbox.do("place", order=ORDER)["id"]
    sandbox.do("pay", order_id=order_id)
    send(sandbox, "<1@shop.example.org>")
    sandbox.kill()
    sandbox.start()
    send(sandbox, "<1@shop.example.org>")
    effects = httpx.get(f"{sandbox.url}/_control/orders/{order_id}/effects", trust_env=False).json()
    assert effects["shop"]["status"] == "processing"
    assert [mail["notice"] for mail in effects["mails"]] == ["shipped", "shipped"]
    doubled = httpx.get(f"{sandbox.url}/_control/state", trust_env=False).json()["doubled"]
    assert doubled["mails"] == {
        "message_id": {"ole@example.org <1@shop.example.org>": 2},
        "marker": {"ole@example.org notify:ord_1:shipped:1": 2},
    }


def test_a_mail_fault_is_met_once(sandbox: Process) -> None:
    body = {"answers": ["451 4.3.0 try later"]}
    httpx.post(f"{sandbox.url}/_control/mails/faults", json=body, trust_env=False)
    with pytest.raises(smtplib.SMTPDataError) as caught:
        send(sandbox, "<2@shop.example.org>")
    assert caught.value.smtp_code == 451
    send(sandbox, "<2@shop.example.org>")
    found = httpx.get(f"{sandbox.url}/_control/mails", trust_env=False).json()
    assert len(found["mails"]) == 1
