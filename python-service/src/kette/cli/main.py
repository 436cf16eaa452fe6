"""The `kette` command."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from pydantic import ValidationError

from kette.cli import audit, keys, setup, workflows
from kette.cli.backfill import backfill
from kette.cli.demo import demo
from kette.settings import Settings

app = typer.Typer(
    help="Kette: a shop's chain from order to payout.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # locals may hold customer data
)
app.add_typer(setup.app, name="setup", help="Check a merchant's setup file.")
app.add_typer(workflows.app, name="workflows", help="Install, check, export, upgrade workflows.")
app.add_typer(keys.app, name="keys", help="Make, list and revoke API keys.")
app.add_typer(audit.app, name="audit", help="Verify the ledger.")
app.command()(backfill)
app.command()(demo)


@app.command()
def serve(
    setup_path: Annotated[
        Path, typer.Option("--setup", envvar="KETTE_SETUP", help="The merchant's setup file.")
    ],
    database: Annotated[
        str,
        typer.Option(
            "--database",
            envvar="KETTE_DATABASE",
            help="sqlite:///FILE or postgresql://USER@HOST/NAME",
        ),
    ] = "sqlite:///kette.db",
    port: Annotated[int, typer.Option("--port", envvar="KETTE_PORT", min=1, max=65535)] = 8710,
    host: Annotated[str, typer.Option("--host", envvar="KETTE_HOST")] = "127.0.0.1",
) -> None:
    """Run the service: migrations, API, push, mail gateway."""
    from kette.cli.serving import run_service

    try:
        settings = Settings(setup=setup_path, database=database, port=port, host=host)
    except ValidationError as error:
        for item in error.errors():
            name = "KETTE_" + "_".join(str(part) for part in item["loc"]).upper()
            typer.echo(f"{name}: {item['msg']}", err=True)
        raise typer.Exit(2) from error
    raise typer.Exit(run_service(settings))


@app.command()
def openapi() -> None:
    """Print the service's OpenAPI document."""
    from kette.cli.serving import openapi_document

    document = msgspec.json.encode(openapi_document())
    sys.stdout.write(msgspec.json.format(document, indent=2).decode())
    sys.stdout.write("\n")
