"""The demo's play: all scenarios side by side in one timeline, and a table of what became of them.

The player belongs to the sandbox in fixtures/, which is no part of the installed service; it is
imported from the checkout when the demo runs.
"""

from __future__ import annotations

import asyncio
import importlib
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from kette.n8n_runtime.child import ProgramError
from kette.n8n_runtime.project import Project
from kette.n8n_runtime.steps import Say
from kette.n8n_runtime.world import World

_AXES = ("order", "payment", "risk", "fulfillment", "return", "accounting")
_TELL_EVERY_S = 10.0
_CALL_TIMEOUT_S = 30.0
_CHANNEL = "woo-main"


@dataclass(frozen=True)
class OrderRow:
    """What became of one order of a scenario."""

    scenario: str
    title: str
    number: str
    status: dict[str, str]
    documents: tuple[str, ...] = ()
    parcels: int = 0
    mails: int = 0
    open_exceptions: tuple[str, ...] = ()
    problems: tuple[str, ...] = field(default=())

    @property
    def went_as_expected(self) -> bool:
        return not self.problems


def play_scenarios(world: World, project: Project, only: str, say: Say) -> list[OrderRow]:
    """Play the scenarios of the checkout, or those whose file name begins with only."""
    sandbox_code = str(project.fixtures / "sandbox")
    if sandbox_code not in sys.path:
        sys.path.insert(0, sandbox_code)
    scenario = importlib.import_module("sandbox.scenario")
    chosen = scenario.load_all(project.fixtures / "scenarios", [only] if only else ())
    if not chosen:
        raise ProgramError(f"There is no scenario that begins with {only!r} in fixtures/scenarios.")
    return asyncio.run(_play(world, chosen, say))


async def _play(world: World, scenarios: Sequence[Any], say: Say) -> list[OrderRow]:
    clients = importlib.import_module("sandbox.clients")
    player_module = importlib.import_module("sandbox.player")
    # Proxies of the machine must not see calls to loopback.
    async with httpx.AsyncClient(timeout=_CALL_TIMEOUT_S, trust_env=False) as client:
        service = clients.ServiceClient(client, world.admin_key, world.service_url)
        sandbox = clients.SandboxClient(client, world.sandbox_url)
        say(f"Playing {len(scenarios)} scenarios side by side ...")
        telling = asyncio.create_task(_tell(sandbox, len(scenarios), say))
        try:
            results = await player_module.Player(service, sandbox, say=say).play(scenarios)
        finally:
            telling.cancel()
        rows = []
        for result in results:
            rows.extend(await _rows(service, sandbox, result))
        return rows


async def _tell(sandbox: Any, count: int, say: Say) -> None:
    """Say every ten seconds that it goes on, and which day it is in the shop."""
    started = time.monotonic()
    while True:
        await asyncio.sleep(_TELL_EVERY_S)
        try:
            now = (await sandbox.get("/time"))["now"]
        except httpx.HTTPError:
            continue
        passed = time.monotonic() - started
        say(f"Playing {count} scenarios: {passed:.0f} s, in the shop it is {now[:16]}")


async def _rows(service: Any, sandbox: Any, result: Any) -> list[OrderRow]:
    problems = list(result.problems)
    if not result.ok and not problems:
        problems = ["nothing was checked"]
    rows = []
    for number in result.order_ids.values():
        order = await service.order(_CHANNEL, str(number)) or {}
        effects = await sandbox.effects(number)
        exceptions = await service.exceptions_of(order["id"]) if order else []
        rows.append(
            OrderRow(
                scenario=result.name,
                title=result.title,
                number=str(number),
                status=order.get("status", {}),
                documents=tuple(str(item["number"]) for item in order.get("documents", [])),
                parcels=len(effects["parcels"]),
                mails=len(effects["mails"]),
                open_exceptions=tuple(
                    item["kind"] for item in exceptions if item["status"] in ("open", "snoozed")
                ),
                problems=tuple(problems),
            )
        )
    if not rows:
        rows.append(
            OrderRow(
                result.name, result.title, "-", {}, problems=tuple(problems or ["no order came in"])
            )
        )
    return rows


def print_rows(console: Console, rows: Sequence[OrderRow]) -> None:
    """Print a line per order and, below, what was not as expected."""
    if not rows:
        return
    table = Table(title="What became of each order")
    for name in ("Scenario", "Order", *_AXES, "Documents", "Parcels", "Mails", "Open", "Expected"):
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(
            escape(row.title),
            row.number,
            *(row.status.get(axis, "") for axis in _AXES),
            "\n".join(row.documents),
            str(row.parcels),
            str(row.mails),
            "\n".join(row.open_exceptions),
            "yes" if row.went_as_expected else "NO",
        )
    console.print(table)
    scenarios = {row.scenario: row for row in rows}
    for row in scenarios.values():
        for problem in row.problems:
            console.print(f"{row.scenario}: {problem}", markup=False, highlight=False)
    good = sum(row.went_as_expected for row in scenarios.values())
    console.print(f"{good} of {len(scenarios)} scenarios went as expected.", highlight=False)
