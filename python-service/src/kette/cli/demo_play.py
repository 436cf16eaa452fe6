"""The demo's play: all scenarios side by side in one timeline, and a table of what became of them.

The player belongs to the sandbox in fixtures/, which is no part of the installed service; it is
imported from the checkout when the demo runs.
"""

from __future__ import annotations

import importlib
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from kette.n8n_runtime.child import ProgramError
from kette.n8n_runtime.project import Project
from kette.n8n_runtime.steps import Say
from kette.n8n_runtime.world import World

_AXES = ("order", "payment", "risk", "fulfillment", "return", "accounting")
_SILENCE_S = 10.0


def play_scenarios(world: World, project: Project, only: str, say: Say) -> list[Any]:
    """Play the scenarios of the checkout, or those whose file name begins with only.

    Returns the player's results: scenario_id, title, passed, failures and orders of each.
    """
    sandbox_code = str(project.fixtures / "sandbox")
    if sandbox_code not in sys.path:
        sys.path.insert(0, sandbox_code)
    player_module = importlib.import_module("sandbox.player")
    chosen = player_module.load_scenarios(project.fixtures / "scenarios", [only] if only else ())
    if not chosen:
        raise ProgramError(f"There is no scenario that begins with {only!r} in fixtures/scenarios.")
    with _never_silent(say, f"Playing {len(chosen)} scenarios side by side") as told:
        player = player_module.Player(
            service_url=world.service_url,
            sandbox_url=world.sandbox_url,
            n8n_url=world.n8n_url,
            admin_key=world.admin_key,
            say=told,
        )
        results: list[Any] = player.play_all(chosen)
    return results


@contextmanager
def _never_silent(say: Say, title: str) -> Iterator[Say]:
    """Give a say() for the block, and say that it goes on where that is silent for ten seconds."""
    started = last = time.monotonic()
    ended = threading.Event()

    def told(text: str) -> None:
        nonlocal last
        last = time.monotonic()
        say(text)

    def watch() -> None:
        while not ended.wait(1.0):
            if time.monotonic() - last >= _SILENCE_S:
                told(f"{title}: still at it after {time.monotonic() - started:.0f} s")

    told(f"{title} ...")
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield told
    finally:
        ended.set()
        watcher.join()


def print_results(console: Console, results: Sequence[Any]) -> None:
    """Print a line per order and, below, what was not as expected."""
    if not results:
        return
    table = Table(title="What became of each order", show_lines=True)
    table.add_column("Scenario", max_width=24)
    table.add_column("Shop")
    table.add_column("Order", justify="right")
    table.add_column("Statuses")
    table.add_column("Exceptions")
    table.add_column("Actions done")
    table.add_column("Mails")
    table.add_column("Effects at the vendors")
    table.add_column("As expected")
    for result in results:
        for row in result.orders:
            table.add_row(
                escape(result.title),
                row.shop,
                row.number,
                "\n".join(f"{axis}: {row.status.get(axis, '?')}" for axis in _AXES),
                "\n".join(row.exceptions),
                _counted(row.actions),
                _counted(row.mails),
                "\n".join(row.effects),
                "yes" if result.passed else "NO",
            )
    console.print(table)
    for result in results:
        reasons = result.failures or ([] if result.passed else ["nothing was checked"])
        for reason in reasons:
            console.print(f"{result.scenario_id}: {reason}", markup=False, highlight=False)
    passed = sum(result.passed for result in results)
    console.print(f"{passed} of {len(results)} scenarios went as expected.", highlight=False)


def _counted(counts: dict[str, int]) -> str:
    """A line per name; how often only where it is more than once."""
    return "\n".join(name if n == 1 else f"{name} x {n}" for name, n in counts.items())
