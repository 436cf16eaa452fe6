"""`kette backfill` against a shop that listens on loopback."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from kette.cli.backfill import run as backfill_run
from kette.cli.main import app
from kette.domain.pull_state import Counts
from kette.domain.pulls import Answer, Ask
from kette.n8n_runtime.child import free_port
from sandbox.core import Config, Sandbox, create_app
from support.pulled_shop import BILLING, PulledShop
from support.service_box import ENVIRON, SETUP_FILE, ServiceBox, sqlite_url, woo_id
from typer.testing import CliRunner, Result

KEY, SECRET = "ck_test", "cs_test"


class ServedShop:
    """A sandbox's shop with its own thread and port."""

    def __init__(self) -> None:
        self.config = Config(woo_key=KEY, woo_secret=SECRET)
        self.sandbox = Sandbox(self.config)
        self.port = free_port()
        config = uvicorn.Config(create_app(self.sandbox), port=self.port, log_level="error")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def url(self, kind: str = "woocommerce") -> str:
        return f"http://127.0.0.1:{self.port}/{kind}"

    def place(self, count: int, kind: str = "woocommerce") -> list[int | str]:
        basket = [{"sku": "BECHER-LT-01", "quantity": 1}]
        mails = [f"kunde{n}@example.org" for n in range(count)]
        wishes = ({"basket": basket, "billing": {**BILLING, "email": mail}} for mail in mails)
        return [self.sandbox.actors.place(dict(wish), shop=kind)["id"] for wish in wishes]

    def start(self) -> None:
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(10)


@pytest.fixture
def shop() -> Iterator[ServedShop]:
    served = ServedShop()
    served.start()
    yield served
    served.stop()


def run(folder: Path, shop: ServedShop, *more: str, **environ: str) -> Result:
    arguments = ["backfill", "--setup", str(SETUP_FILE), "--database", sqlite_url(folder)]
    variables = {
        **ENVIRON,
        "KETTE_WOO_URL": shop.url(),
        "KETTE_WOO_CONSUMER_KEY": KEY,
        "KETTE_WOO_CONSUMER_SECRET": SECRET,
        **environ,
    }
    return CliRunner().invoke(app, [*arguments, *more], env=variables)


def test_orders_come_in_and_the_counts_are_told(tmp_path: Path, shop: ServedShop) -> None:
    numbers = shop.place(60)
    done = run(tmp_path, shop, "--system", "woo-main", "--days", "30")
    assert done.exit_code == 0, done.output
    assert "the shop counts 60 orders of the last 30 days; all are in" in done.output
    assert "60 new, 0 known already" in done.output
    assert "without any effect" in done.output
    box = ServiceBox(sqlite_url(tmp_path))
    assert box.statuses(woo_id(int(numbers[0])))["order"] == "valid"
    assert box.actions() == {}
    box.close()
    again = run(tmp_path, shop, "--system", "woo-main", "--days", "30")
    assert "0 new, 60 known already" in again.output


@pytest.mark.parametrize("kind", ["shopify", "shopware"])
def test_the_other_shops_with_credentials_of_their_own(
    tmp_path: Path, shop: ServedShop, kind: str
) -> None:
    """Shopware's token is asked for once and used for every request."""
    shop.place(30, kind)
    environ = {
        "KETTE_SHOPIFY_URL": shop.url("shopify"),
        "KETTE_SHOPIFY_ACCESS_TOKEN": shop.config.shopify_token,
        "KETTE_SHOPWARE_URL": shop.url("shopware"),
        "KETTE_SHOPWARE_CLIENT_ID": shop.config.shopware_id,
        "KETTE_SHOPWARE_CLIENT_SECRET": shop.config.shopware_secret,
    }
    setup = str(SETUP_FILE.with_name("three-shops.yaml"))
    done = run(tmp_path, shop, "--system", f"{kind}-main", "--setup", setup, **environ)
    assert done.exit_code == 0, done.output
    assert "30 new, 0 known already" in done.output
    refused = {"KETTE_SHOPIFY_ACCESS_TOKEN": "x", "KETTE_SHOPWARE_CLIENT_SECRET": "x"}
    done = run(
        tmp_path, shop, "--system", f"{kind}-main", "--setup", setup, **{**environ, **refused}
    )
    assert done.exit_code == 1
    assert "refused the credentials" in done.output


@pytest.mark.parametrize(
    ("system", "environ", "told"),
    [
        ("woo-mian", {}, "has no system 'woo-mian'; it has woo-main"),
        ("stripe-main", {}, "systems of kind stripe are not pulled"),
        ("woo-main", {"KETTE_WOO_CONSUMER_KEY": ""}, "secret env:KETTE_WOO_CONSUMER_KEY"),
        ("woo-main", {"KETTE_WOO_CONSUMER_SECRET": "wrong"}, "refused the credentials"),
    ],
)
def test_what_does_not_work_is_said_in_a_sentence(
    tmp_path: Path, shop: ServedShop, system: str, environ: dict[str, str], told: str
) -> None:
    done = run(tmp_path, shop, "--system", system, **environ)
    assert done.exit_code == 1
    assert told in done.output
    assert "Traceback" not in done.output


def test_a_round_whose_count_is_not_proven_is_repeated_and_counted_once(tmp_path: Path) -> None:
    """Failure case 7: orders of one second move between pages while they are read."""
    box = ServiceBox(sqlite_url(tmp_path))
    shop = PulledShop(box)
    shop.place_many(60)
    rounds = []

    def hiding(ask: Ask) -> Answer:
        answer = shop(ask)
        rows = json.loads(answer.body)
        rounds.append(len(rows))
        hidden = rows[1:] if len(rounds) <= 3 else rows
        return Answer(answer.status, answer.headers, json.dumps(hidden).encode())

    turn = backfill_run(box.service, "woo-main", 30, hiding, lambda _: None, lambda _: None)
    assert turn.counts == Counts(fresh=60)
    assert turn.told == {"orders": 60}
    box.close()


def test_a_setup_that_is_not_right_is_exit_code_two(tmp_path: Path, shop: ServedShop) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("name: x\n")
    done = run(tmp_path, shop, "--system", "woo-main", "--setup", str(bad))
    assert done.exit_code == 2
    assert "is missing" in done.output
