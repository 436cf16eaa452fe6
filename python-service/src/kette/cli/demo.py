"""`kette demo`: real orders through the service, a real n8n and a sandbox of the vendors.

Every run starts from empty databases, so the scenarios can be played again; what is slow to make
(n8n, the node package) comes from the cache. DEMO_EXIT=1 ends the program after the table.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import typer
from rich.console import Console

from kette.cli.demo_play import play_scenarios, print_results
from kette.cli.progress import elapsed_lines
from kette.n8n_runtime.child import (
    ProgramError,
    end_leftover,
    is_alive,
    is_port_taken,
    write_pid_file,
)
from kette.n8n_runtime.deploy import DeployError
from kette.n8n_runtime.node import NodeMissingError
from kette.n8n_runtime.project import Project, ProjectNotFoundError, find_project
from kette.n8n_runtime.rest import N8nApiError
from kette.n8n_runtime.steps import StepFailedError
from kette.n8n_runtime.workflow_files import ManifestError
from kette.n8n_runtime.world import Ports, World

_PORT_VARIABLES = {
    "service": "KETTE_PORT_SERVICE",
    "mail_gateway": "KETTE_PORT_MAIL",
    "n8n": "KETTE_PORT_N8N",
    "sandbox": "KETTE_PORT_SANDBOX",
    "sandbox_smtp": "KETTE_PORT_SANDBOX_SMTP",
}
_HIGHEST_PORT = 65535
_PORTS_FREE_AFTER_S = 10.0
_WIDTH_WITHOUT_TERMINAL = 180
_KNOWN_ERRORS = (
    DeployError,
    ManifestError,
    N8nApiError,
    NodeMissingError,
    ProgramError,
    ProjectNotFoundError,
    StepFailedError,
)


class PortError(Exception):
    """A port cannot be used; the message names it and the variable that changes it."""


def demo(
    only: str = typer.Option("", help="Play only the scenario whose file begins like this"),
    play: bool = typer.Option(True, help="Play the scenarios; --no-play only starts everything"),
) -> None:
    """Start service, n8n and sandbox, play the scenarios, show what happened."""
    ends_itself = os.environ.get("DEMO_EXIT") == "1"
    try:
        project = find_project()
        ports = ports_from(os.environ)
        folder = project.run / "demo"
        _end_earlier_run(folder, ports)
        refuse_taken_ports(ports)
        all_passed = _run(project, folder, ports, only=only, play=play, ends_itself=ends_itself)
    except PortError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    except _KNOWN_ERRORS as error:
        typer.echo(f"The demo could not go on. {error}", err=True)
        raise typer.Exit(1) from error
    if not all_passed:
        raise typer.Exit(1)


def ports_from(environ: Mapping[str, str]) -> Ports:
    """Return the ports, each of which an environment variable may change. Raises PortError."""
    chosen = {}
    for name, variable in _PORT_VARIABLES.items():
        text = environ.get(variable, "")
        if not text:
            continue
        if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= _HIGHEST_PORT:
            raise PortError(f"{variable}={text} is no port; give a number up to {_HIGHEST_PORT}.")
        chosen[name] = int(text)
    return Ports(**chosen)


def refuse_taken_ports(ports: Ports) -> None:
    """Raise PortError naming each taken port and the variable that changes it."""
    taken = [
        f"Port {getattr(ports, name)} is taken. "
        f"Set another one with {_PORT_VARIABLES[name]}=<port>."
        for name in taken_ports(ports)
    ]
    if taken:
        raise PortError("\n".join(taken))


def taken_ports(ports: Ports) -> list[str]:
    """Return the names of the ports on which another program listens."""
    return [name for name in _PORT_VARIABLES if is_port_taken(getattr(ports, name))]


def _run(
    project: Project, folder: Path, ports: Ports, *, only: str, play: bool, ends_itself: bool
) -> bool:
    say = elapsed_lines()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    write_pid_file(folder / "pids" / "demo", os.getpid())
    world = World(folder, ports=ports, say=say, password=f"Demo-{secrets.token_urlsafe(9)}1")
    asked_to_end = _end_on_signals()
    try:
        world.start()
        say("Everything is running")
        results = play_scenarios(world, project, only, say) if play else []
        print_results(_console(), results)
        _print_places(world)
        if not ends_itself:
            world.start_pulls()
            typer.echo("Everything stays up until you press Ctrl-C.")
            asked_to_end.wait()
        return all(result.passed for result in results)
    except KeyboardInterrupt:
        # Ending it is what the user wanted, at whatever point.
        return True
    finally:
        say("Stopping ...")
        world.stop()


def _end_on_signals() -> threading.Event:
    """Return an event that Ctrl-C or SIGTERM sets; before it is waited for, they interrupt."""
    event = threading.Event()

    def end(_number: int, _frame: object) -> None:
        event.set()
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
    return event


def _end_earlier_run(folder: Path, ports: Ports) -> None:
    """End what a killed demo left running. Raises ProgramError when a demo still runs."""
    pid_files = folder / "pids"
    demo_itself = pid_files / "demo"
    if is_alive(demo_itself):
        raise ProgramError("A demo is running in this checkout already; end it first.")
    demo_itself.unlink(missing_ok=True)
    ended = [end_leftover(file) for file in pid_files.glob("*")]
    deadline = time.monotonic() + _PORTS_FREE_AFTER_S
    while any(ended) and taken_ports(ports) and time.monotonic() < deadline:
        time.sleep(0.1)


def _console() -> Console:
    """A console as wide as the terminal; without one, wide enough for the table."""
    console = Console()
    return console if console.is_terminal else Console(width=_WIDTH_WITHOUT_TERMINAL)


def _print_places(world: World) -> None:
    """Print where to look, in lines that can be copied whole."""
    place = world.n8n.place
    typer.echo("Where to look:")
    for what, where in (
        ("n8n, workflows and runs", world.n8n_url),
        ("  sign in", f"{place.email}  {place.password}"),
        ("Service, API", f"{world.service_url}/docs"),
        ("  key", world.admin_key),
        ("Sandbox, what the vendors saw", f"{world.sandbox_url}/_control/state"),
        ("Sandbox, mails", f"{world.sandbox_url}/_control/mails"),
        ("Archived invoices", place.archive),
        ("Logs", world.folder),
    ):
        typer.echo(f"  {what:<31} {where}")
