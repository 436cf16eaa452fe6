"""`kette setup check FILE`: is the setup file right, and what does it say?"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from kette.domain.policy import Setup
from kette.setup_file import SetupError, load_setup

app = typer.Typer(help="Check setup files.", no_args_is_help=True)


@app.callback()
def setup_group() -> None:
    """Check setup files."""


@app.command()
def check(file: Annotated[Path, typer.Argument(help="Setup file (YAML).")]) -> None:
    """Print every problem of FILE as FILE:LINE:COL field: message, or a summary when it is fine.

    Exit code 1 if there is a problem. Secrets are not looked up.
    """
    try:
        setup = load_setup(file, os.environ)
    except SetupError as error:
        for problem in error.problems:
            typer.echo(problem.render(str(file)))
        count = len(error.problems)
        typer.echo(f"{file}: {count} {'problem' if count == 1 else 'problems'}")
        raise typer.Exit(1) from error
    for line in summary(setup):
        typer.echo(line)


def summary(setup: Setup) -> list[str]:
    """What the file says, in the order in which a reader wants to check it."""
    lines = [
        f"Setup {setup.name}, version {setup.version}",
        f"  merchant    {setup.merchant.name}, {setup.merchant.address.city}",
    ]
    for system in setup.systems.values():
        serves = f" for {', '.join(system.serves)}" if system.serves else ""
        where = f" at {system.base_url}" if system.base_url else ""
        lines.append(f"  {system.role:<11} {system.id} ({system.kind}){where}{serves}")
        for name, references in system.secrets.items():
            lines.append(f"  {'':<11} {name} from {', '.join(references)}")
    accounting = setup.accounting
    lines.append(f"  invoices    {accounting.invoice_number} at {accounting.invoice_at}")
    lines.append(f"  risk        review from {setup.risk.review_from}, block from "
                 f"{setup.risk.block_from}")  # fmt: skip
    return lines
