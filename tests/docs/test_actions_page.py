"""docs/workflows/actions.md against real items: scenarios are played, every lease is read.

The other direction of the contract, what workflows do with the items, is tested with the real n8n.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import defaultdict
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from kette.api.app import create_app
from kette.bootstrap import build
from kette.settings import Settings
from kette.setup_file import load_setup
from kette.use_cases.keys import create_key
from kette.use_cases.tick import tick
from sandbox.core import Config
from sandbox.inprocess import in_process
from sandbox.scenario import load_all
from sandbox.vies import PATH as VIES_PATH
from support.markdown import DOCS, ROOT, blocks, rows, section

Message = MutableMapping[str, Any]
Items = dict[str, list[dict[str, Any]]]
PAGE = (DOCS / "workflows" / "actions.md").read_text("utf-8")
# One order each: payment link and reminders, questions, cancellation with refund, correction,
# goods that are missing (notices, owners, escalation), a VAT id.
PLAYED = ("03", "05", "08", "09", "12", "15", "50")
# Wanted under settings or payments that these scenarios do not have.
NOT_PLAYED = {"create_task", "hold_order", "release_order"}


class LeaseReader:
    """The service, with every answer to a lease read on its way out."""

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self._app = app
        self.items: Items = defaultdict(list)

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        parts: list[bytes] = []

        async def read(message: Message) -> None:
            if message["type"] == "http.response.body":
                parts.append(message.get("body", b""))
            await send(message)

        is_lease = scope.get("path") == "/v1/actions/lease"
        await self._app(scope, receive, read if is_lease else send)
        if parts:
            for action in json.loads(b"".join(parts)).get("actions", []):
                self.items[action["kind"]].append(action)


async def play(folder: Path) -> Items:
    accounts = Config()
    environ = {
        "KETTE_WOO_URL": f"{accounts.base_url}/woocommerce",
        "KETTE_WOO_WEBHOOK_SECRET": accounts.woo_hook_secret,
        "KETTE_STRIPE_URL": f"{accounts.base_url}/stripe",
        "KETTE_STRIPE_MODE": "live",
        "KETTE_STRIPE_WEBHOOK_SECRET": accounts.stripe_hook_secret,
        "KETTE_SENDCLOUD_URL": f"{accounts.base_url}/sendcloud",
        "KETTE_SENDCLOUD_WEBHOOK_SECRET": accounts.sendcloud_secret,
        "KETTE_VIES_URL": f"{accounts.base_url}/vies{VIES_PATH}",
    }
    fixtures = ROOT / "fixtures"
    setup = load_setup(fixtures / "setups" / "woocommerce-payment-invoice.yaml", environ)
    settings = Settings(database=f"sqlite:///{folder / 'kette.db'}", sandbox_clock=True, push=False)
    service = build(settings, setup, environ=environ)
    kernel = service.kernel
    key = create_key(kernel.store, kernel.new_id, "admin", "docs", datetime.now(UTC))
    app = LeaseReader(create_app(service))

    async def tick_once() -> None:
        await asyncio.to_thread(tick, kernel)

    scenarios = [s for s in load_all(fixtures / "scenarios") if s.name.startswith(PLAYED)]
    assert len(scenarios) == len(PLAYED)
    try:
        async with in_process(app, key, kernel.clock.now, tick_once, accounts) as world:
            await world.timeline.play(scenarios)
    finally:
        service.database.dispose()
    return app.items


@pytest.fixture(scope="module")
def items(tmp_path_factory: pytest.TempPathFactory) -> Items:
    return asyncio.run(play(tmp_path_factory.mktemp("actions")))


def documented() -> dict[str, tuple[set[str], set[str]]]:
    """Kind -> fields that are always there, fields that may be."""
    found = {}
    for kind, text in list(rows(section(PAGE, "Data by kind")))[1:]:
        sometimes = set(re.findall(r"\*`(\w+)`\*", text))
        # Fields stand before the first full stop; inner ones are in brackets and uncoded.
        fields = set(re.findall(r"`(\w+)`", re.sub(r"\([^)]*\)", "", text.split(". ")[0])))
        found[kind] = (fields - sometimes, sometimes)
    return found


def inner(kind: str, field: str) -> set[str]:
    """The names in brackets behind a field."""
    text = dict(list(rows(section(PAGE, "Data by kind")))[1:])[kind]
    match = re.search(rf"`{field}` \(([^)]*)\)", text)
    assert match is not None, (kind, field)
    return set(match[1].split(", "))


def test_what_is_played_and_what_is_not_is_all_that_is_described(items: Items) -> None:
    assert set(items) == set(documented()) - NOT_PLAYED


def test_data_of_each_kind(items: Items) -> None:
    told = documented()
    for kind, actions in items.items():
        always, sometimes = told[kind]
        if kind == "issue_invoice":
            always = set()
        for action in actions:
            assert set(action["data"]) - sometimes == always, kind


def test_the_item_around_the_data(items: Items) -> None:
    example = next(b for b in blocks(PAGE) if b.words == ("json", "action"))
    shape = json.loads(example.text)
    described = set(re.findall(r"`(\w+)`", " ".join(r[0] for r in rows(section(PAGE, "The item")))))
    assert described == set(shape)
    for kind, actions in items.items():
        for action in actions:
            assert set(action) == set(shape), kind
            if action["system"]:
                assert set(action["system"]) == set(shape["system"]), kind
            assert set(action["shop"]) == set(shape["shop"]), kind
            assert set(action["order"]) == set(shape["order"]), kind


def test_lists_inside_the_data(items: Items) -> None:
    for kind, field in (
        ("check_stock", "lines"),
        ("create_shipment", "lines"),
        ("create_shipment", "address"),
        ("cancel_fulfillment", "parcels"),
        ("update_shop_order", "tracking"),
        ("request_correction", "findings"),
    ):
        for action in items[kind]:
            value = action["data"][field]
            for entry in value if isinstance(value, list) else [value]:
                assert set(entry) == inner(kind, field), (kind, field)


def test_a_mail_has_the_parts_that_are_described(items: Items) -> None:
    sentence = re.search(r"`mail` is a mail ready to send: ([^;]*);", PAGE)
    assert sentence is not None
    parts = set(re.findall(r"`(\w+)`", sentence[1]))
    mails = [
        a["data"]["mail"] for actions in items.values() for a in actions if "mail" in a["data"]
    ]
    assert len(mails) > 10
    assert {frozenset(mail) for mail in mails} == {frozenset(parts)}


def test_notices_are_described(items: Items) -> None:
    notices = {action["data"]["notice"] for action in items["notify"]}
    assert notices <= inner("notify", "notice")
