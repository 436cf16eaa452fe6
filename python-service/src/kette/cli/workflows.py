"""`kette workflows`: bring the workflows into an n8n, check them, write them back, upgrade them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.console import Console
from rich.table import Table

from kette.n8n_runtime import deploy as deploying
from kette.n8n_runtime.project import ProjectNotFoundError, find_project
from kette.n8n_runtime.rest import N8nApi, N8nApiError
from kette.n8n_runtime.workflow_files import ManifestError, load_manifest, out_of_date

app = typer.Typer(no_args_is_help=True, help="The n8n workflows: install, check, export, upgrade.")

Url = Annotated[
    str, typer.Option(envvar="KETTE_N8N_URL", help="Address of n8n, e.g. http://127.0.0.1:5678")
]
ApiKey = Annotated[
    str, typer.Option(envvar="KETTE_N8N_API_KEY", help="API key from n8n: Settings, n8n API")
]
Folder = Annotated[
    Path | None, typer.Option(help="Folder with manifest.json; default: the checkout's")
]
Template = Annotated[str | None, typer.Option(help="Only this template and what it calls")]
Use = Annotated[
    list[str] | None,
    typer.Option(help="Alternative workflow to take, e.g. connectors/archive/s3.json"),
]


@app.command()
def install(
    url: Url, api_key: ApiKey, folder: Folder = None, template: Template = None, use: Use = None
) -> None:
    """Install and publish what is missing; what is there stays as it is."""
    _deploy(url, api_key, folder, template, use, upgrading=False)


@app.command()
def upgrade(
    url: Url, api_key: ApiKey, folder: Folder = None, template: Template = None, use: Use = None
) -> None:
    """Install newer versions; connectors that were changed in n8n are kept and named."""
    _deploy(url, api_key, folder, template, use, upgrading=True)


@app.command()
def export(url: Url, api_key: ApiKey, folder: Folder = None) -> None:
    """Write the workflows of n8n back into the files, in their canonical form."""
    with _told_errors():
        written = deploying.export(N8nApi(url, api_key), _folder(folder))
        for file in written:
            typer.echo(f"written: {file}")
        typer.echo(f"{len(written)} files changed")


@app.command()
def check(folder: Folder = None) -> None:
    """Check the workflow files: form, conventions, manifest. Needs no n8n."""
    from kette.n8n_runtime.folder_check import check_folder

    with _told_errors():
        place = _folder(folder)
        problems = [*check_folder(place), *out_of_date(place)]
        for problem in problems:
            typer.echo(problem, err=True)
        if problems:
            raise typer.Exit(1)
        typer.echo(f"{len(load_manifest(place).entries)} workflows checked, no problems")


def _deploy(
    url: str,
    api_key: str,
    folder: Path | None,
    template: str | None,
    use: list[str] | None,
    *,
    upgrading: bool,
) -> None:
    with _told_errors():
        outcomes = deploying.deploy(
            N8nApi(url, api_key),
            _folder(folder),
            template=template,
            upgrading=upgrading,
            use=frozenset(use or ()),
        )
    table = Table("Workflow", "Id", "Version", "Result")
    for outcome in outcomes:
        entry = outcome.entry
        table.add_row(entry.name, entry.id, entry.version, outcome.step.value)
    Console().print(table)


def _folder(folder: Path | None) -> Path:
    return folder or find_project().workflows


@contextmanager
def _told_errors() -> Iterator[None]:
    """Turn the errors a user can do something about into a message and exit code 1."""
    try:
        yield
    except (
        deploying.DeployError,
        ManifestError,
        N8nApiError,
        ProjectNotFoundError,
    ) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    except httpx.TransportError as error:
        typer.echo(f"n8n does not answer at {error.request.url}: {error}", err=True)
        raise typer.Exit(1) from error
