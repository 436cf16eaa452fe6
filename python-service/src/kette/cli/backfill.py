"""`kette backfill`: bring an existing shop's last days in, without a single effect for the past."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kette.cli.databases import database_faults

if TYPE_CHECKING:
    import httpx

    from kette.api.service import Service
    from kette.domain.policy import System
    from kette.domain.pulls import Answer, Ask
    from kette.use_cases.pull import Turn

REPEATS = 3  # of a pull whose count is not proven
TIMEOUT_S = 60.0
# A service that runs beside looks once a second for a cutover: until then it would take an old
# order that a webhook tells for a new one.
HEARD_AFTER_S = 2.0
SHOPIFY_SHOWS_DAYS = 60


class BackfillError(Exception):
    """It cannot go on; the message says why and what to do."""


def backfill(
    system_id: Annotated[str, typer.Option("--system", help="The shop's id in the setup.")],
    setup_path: Annotated[
        Path, typer.Option("--setup", envvar="KETTE_SETUP", help="The merchant's setup file.")
    ],
    days: Annotated[int, typer.Option(min=1, max=3660, help="How far back.")] = 30,
    database: Annotated[
        str, typer.Option("--database", envvar="KETTE_DATABASE", help="The service's database.")
    ] = "sqlite:///kette.db",
) -> None:
    """Bring the orders of the last DAYS in.

    Orders placed before the first backfill began are the past: they are recorded and have
    statuses, and nobody gets a mail, a refund, a parcel or an invoice for them. What happens to
    them from now on counts. Broken off, the command goes on where it was. The service may run
    meanwhile.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from kette.cli.serving import quiet_service

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
               TimeElapsedColumn())  # fmt: skip
    try:
        with (
            database_faults(database),
            quiet_service(setup_path, database) as service,
            client_for(service, system_id, os.environ) as client,
            Progress(*columns, console=console) as progress,
        ):
            kind = service.kernel.setup.systems[system_id].kind
            task = progress.add_task(f"{system_id}, last {days} days", total=None)

            def show(turn: Turn) -> None:
                total = sum(turn.told.values()) if turn.told else None
                seen = _seen(turn)
                progress.update(
                    task, total=total, completed=seen if total is None else min(seen, total)
                )

            turn = run(service, system_id, days, lambda ask: carried(client, ask), show)
    except BackfillError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    for line in summary(turn, system_id, days):
        typer.echo(line)
    if kind == "shopify" and days > SHOPIFY_SHOWS_DAYS:
        typer.echo("  Shopify shows orders older than 60 days only to tokens with read_all_orders.")


def run(
    service: Service,
    system_id: str,
    days: int,
    carry: Callable[[Ask], Answer],
    show: Callable[[Turn], None],
    sleep: Callable[[float], None] = time.sleep,
) -> Turn:
    """Carry a backfill to its end. Raises BackfillError where it cannot get there."""
    from kette.domain.pull_state import Step
    from kette.domain.pulls import Purpose
    from kette.use_cases.errors import InvalidInputError, UnknownSystemError

    repeats = fresh = 0
    try:
        turn = service.pulling.begin_backfill(system_id, days)
    except UnknownSystemError as error:
        known = ", ".join(error.known)
        raise BackfillError(f"The setup has no system {system_id!r}; it has {known}.") from error
    except InvalidInputError as error:
        raise BackfillError(str(error)) from error
    since = turn.cutover_at
    if since is not None and (service.kernel.now() - since).total_seconds() < HEARD_AFTER_S:
        sleep(HEARD_AFTER_S)
    while turn.step is not Step.COMPLETE:
        if turn.step is Step.ASK:
            assert turn.ask is not None
            sleep(turn.wait_s)
            answer = carry(turn.ask)
            turn = service.pulling.hand_in(system_id, turn.pull_id, answer, Purpose.BACKFILL)
            show(turn)
            continue
        if turn.step is Step.INCOMPLETE:
            repeats += 1
            fresh += turn.counts.fresh
        if turn.step in (Step.FAILED, Step.BUSY) or repeats > REPEATS:
            raise BackfillError(f"{system_id}: {turn.reason}. What came so far is kept; run the "
                                "command again to go on.")  # fmt: skip
        turn = service.pulling.begin_backfill(system_id, days)
    return _with_fresh(turn, fresh)


def _with_fresh(turn: Turn, fresh: int) -> Turn:
    """What came new in a round whose count was not proven is known in the next, and is new all the
    same to who asked."""
    import msgspec

    counts = turn.counts
    moved = min(fresh, counts.known)
    counts = msgspec.structs.replace(counts, fresh=counts.fresh + moved, known=counts.known - moved)
    return msgspec.structs.replace(turn, counts=counts)


def carried(client: httpx.Client, ask: Ask) -> Answer:
    """Send one request. No answer is an answer as well: the pull knows how long to wait."""
    import httpx

    from kette.domain.pulls import Answer

    try:
        got = client.request(ask.method, ask.path, json=ask.body)
    except httpx.TransportError:
        return Answer(0, {}, b"")
    headers = {name.lower(): value for name, value in got.headers.items()}
    return Answer(got.status_code, headers, got.content)


@contextmanager
def client_for(
    service: Service, system_id: str, environ: Mapping[str, str]
) -> Iterator[httpx.Client]:
    """A client with the credentials that the setup names for the shop."""
    import httpx

    system = service.kernel.setup.systems.get(system_id)
    if system is None:
        known = ", ".join(service.kernel.setup.systems)
        raise BackfillError(f"The setup has no system {system_id!r}; it has {known}.")
    # Redirects are not followed: the credentials must not travel to another host.
    with httpx.Client(
        base_url=system.base_url, auth=_auth(system, environ), timeout=TIMEOUT_S
    ) as client:
        yield client


def _auth(system: System, environ: Mapping[str, str]) -> httpx.Auth:
    from kette.adapters.vendors.access import ACCESS
    from kette.setup_file import SecretError, resolve_secret

    access = ACCESS.get(system.kind)
    if access is None:
        raise BackfillError(f"{system.id}: systems of kind {system.kind} are not pulled")
    told: dict[str, str] = {}
    for name in access.secrets:
        references = system.secrets.get(name, ())
        if not references:
            raise BackfillError(
                f'{system.id} needs credentials for its API: add "{name}: env:NAME" below '
                f"systems.{system.id}.secrets of the setup"
            )
        try:
            told[name] = resolve_secret(references[0], environ).decode()
        except SecretError as error:
            raise BackfillError(f"{system.id}: {error}") from error
    return access.make(system, told)


def summary(turn: Turn, system_id: str, days: int) -> list[str]:
    counts = turn.counts
    told = sum(turn.told.values())
    lines = [
        f"{system_id}: the shop counts {told} orders of the last {days} days; all are in.",
        f"  {counts.fresh} new, {counts.known} known already",
    ]
    if counts.unread:
        lines.append(f"  {counts.unread} could not be read; they are on the exception list")
    if turn.cutover_at is not None:
        lines.append(
            f"  Orders placed before {turn.cutover_at:%Y-%m-%d %H:%M:%S} UTC are the past: "
            "recorded, without any effect."
        )
    return lines


def _seen(turn: Turn) -> int:
    return turn.counts.fresh + turn.counts.known + turn.counts.unread
