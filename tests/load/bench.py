"""Measure the service and the whole chain beside yardsticks of the same machine and minute.

    bench.py [--only a,b,c] [--orders 200000] [--rounds 12] [--burst 300] [--chain-rounds 3]
             [--quick]

a  events per second into the service, as a share of an echo endpoint of the same stack
b  the same with 1,000 and with many orders in the ledger
c  orders per second through the real n8n, as a share of an empty workflow in the same n8n; in
   rounds, for n8n runs the empty one a third faster after some minutes, the chain hardly
addresses  accuracy of the reading of addresses by field and country, addresses per second
hard  the slowest of 700 naughty, random, foreign and very long texts, in every field

Absolute numbers tell about the machine, ratios about the program. The first run fills the large
ledger, several minutes; it is kept in the cache.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from intake import IntakeResult, Lane, Plan, measure_intake
from kette.cli.progress import elapsed_lines
from kette.n8n_runtime.project import Project, find_project
from machine import describe
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from chain import Round

SMALL = 1_000
SETUP = "woocommerce-payment-invoice.yaml"
INTAKE_GOAL = 0.25
P99_GOAL_MS = 50.0
GROWTH_GOAL = 0.80
CHAIN_GOAL = 0.5
ADDRESS_GOAL = 0.95
ADDRESSES_PER_SECOND_GOAL = 5_000
HARD_GOAL_MS = 50.0
PARTS = ("addresses", "hard", "a", "b", "c")


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    project = find_project()
    console = Console(width=118 if not sys.stdout.isatty() else None)
    say = elapsed_lines()
    # Not the system's temporary folder: where that is memory, a commit costs nothing.
    project.run.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=project.run))
    try:
        console.print(describe(folder))
        if "addresses" in options.only:
            _addresses(project, console, say)
        if "hard" in options.only:
            _hard_input(project, console)
        if options.only & {"a", "b"}:
            _intake(project, folder, options, console, say)
        if "c" in options.only:
            _chain(project, folder, options, console, say)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.py", description=__doc__.partition("\n\n")[0])
    parser.add_argument("--only", default=",".join(PARTS), help="parts to measure, e.g. a,b")
    parser.add_argument("--orders", type=int, default=200_000, help="orders in the large ledger")
    parser.add_argument("--rounds", type=int, default=12, help="slices per server")
    parser.add_argument("--per-slice", type=int, default=1_000, help="events per slice")
    parser.add_argument("--burst", type=int, default=300, help="orders through the chain")
    parser.add_argument("--chain-rounds", type=int, default=3, help="such bursts")
    parser.add_argument(
        "--one-basket", action="store_true", help="every order has one of the recorded baskets"
    )
    parser.add_argument("--quick", action="store_true", help="small figures, for a first look")
    options = parser.parse_args(arguments)
    options.only = set(options.only.split(","))
    if not options.only <= set(PARTS):
        parser.error(f"--only knows {', '.join(PARTS)}")
    if options.quick:
        options.orders = min(options.orders, 10_000)
        options.rounds, options.per_slice = 5, 300
        options.burst, options.chain_rounds = 60, 1
    return options


def _intake(
    project: Project,
    folder: Path,
    options: argparse.Namespace,
    console: Console,
    say: Callable[[str], None],
) -> None:
    sizes = (SMALL, options.orders) if "b" in options.only else (SMALL,)
    plan = Plan(sizes, options.rounds, options.per_slice, one_basket=options.one_basket)
    setup = project.fixtures / "setups" / SETUP
    result = measure_intake(project.root, setup, folder, plan, say)
    console.print(_intake_table(result))
    small, *larger = result.services
    ratio, p99_ms = result.ratio(small, result.echo), small.latency_ms(0.99)
    _verdict(console, "a: share of the echo endpoint", ratio, INTAKE_GOAL)
    _verdict(console, "a: p99 in ms", p99_ms, P99_GOAL_MS, less=True)
    for large in larger:
        growth = result.ratio(large, small)
        _verdict(console, f"b: {large.name} as a share of {small.name}", growth, GROWTH_GOAL)
    console.print(
        f"The sender computed {result.sender_busy:.0%} of the time beside the echo endpoint."
    )


def _intake_table(result: IntakeResult) -> Table:
    table = Table(title="8 connections, recorded orders, each stored (WAL, synchronous FULL)")
    for name in ("", "events/s", "lowest", "highest", "p50 ms", "p99 ms", "CPU ms each", "share"):
        table.add_column(name, justify="right" if name else "left")
    lanes: list[Lane] = [result.echo, *result.services]
    for lane in lanes:
        rates = [one.per_second for one in lane.slices]
        table.add_row(
            lane.name,
            f"{lane.per_second:,.0f}",
            f"{min(rates):,.0f}",
            f"{max(rates):,.0f}",
            f"{lane.latency_ms(0.5):.1f}",
            f"{lane.latency_ms(0.99):.1f}",
            f"{lane.cpu_ms_each:.2f}",
            f"{result.ratio(lane, result.echo):.3f}",
        )
    return table


def _addresses(project: Project, console: Console, say: Callable[[str], None]) -> None:
    sys.path.insert(0, str(project.root / "tests"))
    from addresses import measure_addresses

    result = measure_addresses(say)
    fields = Table(title=f"{result.count} labelled addresses (fixtures/addresses)")
    for name in ("field", "right"):
        fields.add_column(name, justify="right" if name == "right" else "left")
    for field, share in result.fields.items():
        fields.add_row(field, f"{share:.1%}")
    console.print(fields)
    console.print(
        "Exact in all fields, by country: "
        + ", ".join(
            f"{country} {exact}/{all_}" for country, (exact, all_) in result.countries.items()
        )
    )
    for line in result.wrong:
        console.print(line, markup=False)
    exact = result.exact / result.count
    _verdict(console, "addresses: exact in all fields", exact, ADDRESS_GOAL)
    speed = round(result.per_second, -2)
    _verdict(console, "addresses: per second on one core", speed, ADDRESSES_PER_SECOND_GOAL)
    console.print(
        f"Slowest address {result.slowest_ms:.1f} ms; {result.first_ms:.0f} ms where a country is "
        "new and its postal codes are read."
    )


def _hard_input(project: Project, console: Console) -> None:
    sys.path += [str(project.root / "tests"), str(project.fixtures / "sandbox")]
    from support.hard_input import readers, slowest, strings

    texts = strings()
    table = Table(title=f"{len(texts)} texts that break programs, each in every field")
    for name in ("", "slowest ms", "with"):
        table.add_column(name, justify="right" if name == "slowest ms" else "left")
    worst = 0.0
    for name, read in readers():
        took_ms, text = slowest(read, texts)
        worst = max(worst, took_ms)
        table.add_row(name, f"{took_ms:.1f}", ascii(text[:30]))
    console.print(table)
    _verdict(console, "hard: slowest in ms", worst, HARD_GOAL_MS, less=True)


def _chain(
    project: Project,
    folder: Path,
    options: argparse.Namespace,
    console: Console,
    say: Callable[[str], None],
) -> None:
    # The sandbox and what tests share with this are no installed packages.
    sys.path += [str(project.root / "tests"), str(project.fixtures / "sandbox")]
    from chain import measure_chain

    result = measure_chain(folder, options.burst, options.chain_rounds, say)
    table = Table(title=f"{options.burst} paid orders at once through n8n")
    for name in ("", *(f"round {n + 1}" for n in range(len(result.rounds)))):
        table.add_column(name, justify="right" if name else "left")
    rows: dict[str, Callable[[Round], str]] = {
        "empty workflow per second": lambda x: " ".join(
            f"{bare.per_second:.0f}" for bare in (x.before, x.between, x.after)
        ),
        "orders per second: stock, parcel, confirmation": lambda x: (
            f"{x.orders / x.requested_s:.1f}"
        ),
        "  as a share of the empty workflow": lambda x: f"{x.requested_share:.2f}",
        "orders per second: also shop, invoice, archive, shipped mail": lambda x: (
            f"{x.orders / (x.requested_s + x.shipped_s):.1f}"
        ),
        "  as a share": lambda x: f"{x.complete_share:.2f}",
        "CPU in ms of an empty run, n8n alone": lambda x: f"{1000 * x.before.cpu_s:.1f}",
        **{
            f"CPU in ms of an order, both parts: {name}": _parts_of(name)
            for name in result.rounds[0].cpu_s
        },
    }
    for name, say_it in rows.items():
        table.add_row(name, *(say_it(one) for one in result.rounds))
    console.print(table)
    runs = ", ".join(f"{name} {count}" for name, count in result.executions.items())
    console.print(f"Executions: {runs}")
    _verdict(console, "c: orders per empty execution", result.requested_share, CHAIN_GOAL)


def _parts_of(program: str) -> Callable[[Round], str]:
    def parts(one: Round) -> str:
        first, then = one.cpu_s[program]
        return f"{1000 * first / one.orders:.1f} + {1000 * then / one.orders:.1f}"

    return parts


def _verdict(console: Console, name: str, value: float, goal: float, *, less: bool = False) -> None:
    is_met = value <= goal if less else value >= goal
    sign = "<=" if less else ">="
    console.print(
        f"{'reached' if is_met else 'MISSED ':8} {name}: {value:.3g} (goal {sign} {goal:g})"
    )


if __name__ == "__main__":
    sys.exit(main())
