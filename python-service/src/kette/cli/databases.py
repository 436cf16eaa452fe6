"""Databases on the command line: what is wrong with one is said in a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

FORMS = "write sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME"


@contextmanager
def database_faults(url: str) -> Iterator[None]:
    """Ends the command with exit code 2 where the database at url cannot be used."""
    from sqlalchemy.exc import SQLAlchemyError

    from kette.use_cases.errors import StoreBusyError

    shown = _without_password(url)
    try:
        yield
    except StoreBusyError as error:
        reason = _first_line(error.__cause__ or error)
        advice = "does the folder exist, does the server run, may this user use it?"
        typer.echo(f"{shown}: {reason} ({advice})", err=True)
        raise typer.Exit(2) from error
    except SQLAlchemyError as error:
        typer.echo(f"{shown}: {_first_line(error)} (is it the database of Kette?)", err=True)
        raise typer.Exit(2) from error


def _without_password(url: str) -> str:
    """The URL for messages. Ends the command where it is none that Kette can use."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except (ArgumentError, ValueError) as error:
        # Not shown: it may hold a password in a place where nobody can tell.
        typer.echo(f"the database URL cannot be read; {FORMS}", err=True)
        raise typer.Exit(2) from error
    shown = parsed.render_as_string(hide_password=True)
    if backend not in ("sqlite", "postgresql") or not parsed.database:
        typer.echo(f"{shown}: no such database; {FORMS}", err=True)
        raise typer.Exit(2)
    return shown


def _first_line(error: BaseException) -> str:
    told = str(getattr(error, "orig", None) or error).strip()
    return told.splitlines()[0][:200] if told else type(error).__name__
