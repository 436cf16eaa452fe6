"""kette keys: make, list and revoke API keys."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from kette.cli.databases import database_faults
from kette.ids import new_id
from kette.use_cases.errors import InvalidInputError, NotFoundError
from kette.use_cases.keys import Role, create_key, list_keys, revoke_key

app = typer.Typer(no_args_is_help=True)
Url = Annotated[str, typer.Option("--database", help="Database URL of the service.")]
_DEFAULT = "sqlite:///kette.db"


@app.command()
def create(
    role: Annotated[str, typer.Option(help=", ".join(Role))],
    database: Url = _DEFAULT,
    label: Annotated[str, typer.Option(help="What the key is for.")] = "",
) -> None:
    """Make a key and print it. It is shown this once; only its digest is stored."""
    from kette.bootstrap import open_database

    with database_faults(database):
        opened, store = open_database(database)
    try:
        typer.echo(create_key(store, new_id, role, label, datetime.now(UTC)))
    except InvalidInputError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    finally:
        opened.dispose()


@app.command(name="list")
def list_(database: Url = _DEFAULT) -> None:
    """List keys by id, role, label and age. Keys themselves are not stored."""
    from kette.bootstrap import open_database

    with database_faults(database):
        opened, store = open_database(database)
    table = Table("id", "role", "label", "created", "revoked")
    for row in list_keys(store):
        times = [_day(row["created_us"]), _day(row["revoked_us"])]
        table.add_row(row["id"], row["role"], row["label"], *times)
    Console().print(table)
    opened.dispose()


def _day(us: int | None) -> str:
    if us is None:
        return ""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)).date().isoformat()


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(help="Id as `kette keys list` shows it.")],
    database: Url = _DEFAULT,
) -> None:
    """Revoke a key; it stops working within seconds."""
    from kette.bootstrap import open_database

    with database_faults(database):
        opened, store = open_database(database)
    try:
        revoke_key(store, key_id, datetime.now(UTC))
    except NotFoundError as error:
        typer.echo(f"There is no valid key {key_id!r}; see `kette keys list`.", err=True)
        raise typer.Exit(1) from error
    finally:
        opened.dispose()
