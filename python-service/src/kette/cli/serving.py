"""Start the service under uvicorn."""

from __future__ import annotations

import gc
import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import structlog
import typer
import uvicorn

from kette.api.app import create_app
from kette.api.connection import Connection
from kette.api.service import Service
from kette.bootstrap import build
from kette.cli.databases import database_faults
from kette.domain.order import Address
from kette.domain.policy import Merchant, Setup
from kette.logs import configure_logs
from kette.settings import Settings
from kette.setup_file import SecretError, SetupError, load_setup

SERVED: Final[dict[str, Any]] = {
    "http": Connection,
    "ws": "none",  # there are no WebSockets here: an upgrade is answered as the plain request
    "log_config": None,
    "access_log": False,
    "server_header": False,
    "proxy_headers": False,  # nothing here depends on the client's address
    "timeout_keep_alive": 65,
    "timeout_graceful_shutdown": 10,
}


def run_service(settings: Settings) -> int:
    """Exit code: 0 after a clean stop, 2 for a setup or secret that is not right."""
    configure_logs(as_json=settings.log_json and not sys.stdout.isatty())
    assert settings.setup is not None
    try:
        setup = load_setup(settings.setup, os.environ)
        with database_faults(settings.database):
            service = build(settings, setup)
    except SetupError as error:
        typer.echo(str(error), err=True)
        return 2
    except SecretError as error:
        typer.echo(str(error), err=True)
        return 2
    # What was built at the start stays for good: the collector need not look at it again, and not
    # at every few hundred objects of an event either.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    # Threads that store reports and lease batches give the interpreter up at every statement;
    # beside a busy loop each would wait five milliseconds to get it back.
    sys.setswitchinterval(0.0005)
    uvicorn.run(create_app(service), host=settings.host, port=settings.port, **SERVED)
    return 0


@contextmanager
def quiet_service(setup_path: Path, database: str) -> Iterator[Service]:
    """The service's parts for one command, beside a service that may be running: no API, no
    pushes, errors only in the log. Ends the command with exit code 2 for a setup that is not
    right."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    try:
        setup = load_setup(setup_path, os.environ)
        settings = Settings(setup=setup_path, database=database, push=False, mail_gateway_port=0)
        service = build(settings, setup)
    except (SetupError, SecretError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    try:
        yield service
    finally:
        service.database.dispose()


def openapi_document() -> dict[str, Any]:
    """Made from an app without systems on an empty database: the routes do not depend on a
    setup."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(database=f"sqlite:///{Path(folder) / 'empty.db'}", push=False)
        setup = Setup(name="openapi", merchant=Merchant("", Address()), systems={})
        service = build(settings, setup, environ={})
        try:
            return create_app(service).openapi()
        finally:
            service.database.dispose()
