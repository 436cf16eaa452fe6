"""kette audit: recompute every hash chain of the ledger."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.progress import track

from kette.cli.databases import database_faults

app = typer.Typer(no_args_is_help=True)


@app.command()
def verify(
    database: Annotated[str, typer.Option("--database", help="Database URL of the service.")] = (
        "sqlite:///kette.db"
    ),
) -> None:
    """Verify all chains and their ends. Exit code 1 names every fact that does not fit."""
    from kette.adapters.database.verify import read_chains, read_ends
    from kette.bootstrap import open_database

    with database_faults(database):
        opened, _ = open_database(database)
    faults, count = [], 0
    try:
        total, chunks = read_chains(opened)
        for found, size in track(chunks, description="Verifying", total=total):
            faults.extend(found)
            count += size
        faults.extend(read_ends(opened))
    finally:
        opened.dispose()
    for fault in faults:
        name = f"{fault.stream} #{fault.seq} {fault.fact_id}".rstrip()
        typer.echo(f"{name}: {fault.problem}", err=True)
    typer.echo(f"{count} facts verified, {len(faults)} faults")
    if faults:
        raise typer.Exit(1)


@app.callback()
def _audit() -> None:
    """The ledger's own proof."""
