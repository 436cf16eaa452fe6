"""A PostgreSQL cluster of the tests' own: real server, temporary folder, free port."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg
from kette.n8n_runtime.child import free_port

_START_TIMEOUT_S = 60.0
_USER = "postgres"


class PostgresMissingError(Exception):
    """No PostgreSQL server programs were found."""


def find_binaries() -> Path:
    """Return the folder of initdb and postgres, of the newest version if there are several."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    installed = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda file: int(file.parts[-3])
    )
    if not installed:
        raise PostgresMissingError("PostgreSQL is not installed. Debian: apt install postgresql")
    return installed[-1].parent


class PostgresCluster:
    """A running server; create_database() gives each caller a database of its own."""

    def __init__(self) -> None:
        self._binaries = find_binaries()
        self._folder = Path(tempfile.mkdtemp(prefix="kette-postgres-"))
        self._count = 0
        # PostgreSQL refuses to run as root.
        self._as_user: dict[str, object] = {}
        if os.geteuid() == 0:
            account = pwd.getpwnam(_USER)
            os.chown(self._folder, account.pw_uid, account.pw_gid)
            self._as_user = {
                "user": account.pw_uid,
                "group": account.pw_gid,
                "extra_groups": [],
            }
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        options = ["-U", _USER, "-A", "trust", "-E", "UTF8", "--locale=C"]
        self._run("initdb", "-D", str(self._folder / "data"), *options)
        self.start_server()

    def start_server(self) -> None:
        """Start the server on the data there is; after kill() this is a crash recovery."""
        log = (self._folder / "server.log").open("ab")
        self._process = subprocess.Popen(  # type: ignore[call-overload]
            [
                str(self._binaries / "postgres"),
                *("-D", str(self._folder / "data")),
                *("-p", str(self._port)),
                *("-c", "listen_addresses=127.0.0.1"),
                *("-c", f"unix_socket_directories={self._folder}"),
            ],
            cwd=self._folder,
            stdout=log,
            stderr=subprocess.STDOUT,
            **self._as_user,
        )
        log.close()
        self._wait_ready()

    def stop(self) -> None:
        """Stop at once and remove everything: what is removed needs no checkpoint."""
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def kill(self) -> None:
        """End the server as a power cut would."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            try:
                self._process.wait(timeout=_START_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(timeout=_START_TIMEOUT_S)

    def create_database(self) -> str:
        """Return the URL of a new empty database."""
        self._count += 1
        name = f"kette_{self._count}"
        with psycopg.connect(self._dsn("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return f"postgresql+psycopg://{_USER}@127.0.0.1:{self._port}/{name}"

    def _dsn(self, database: str) -> str:
        return f"host=127.0.0.1 port={self._port} user={_USER} dbname={database}"

    def _wait_ready(self) -> None:
        deadline = time.monotonic() + _START_TIMEOUT_S
        while True:
            try:
                psycopg.connect(self._dsn("postgres"), connect_timeout=2).close()
            except psycopg.OperationalError:
                assert self._process is not None
                if self._process.poll() is not None or time.monotonic() > deadline:
                    log = (self._folder / "server.log").read_text(errors="replace")
                    raise RuntimeError(f"PostgreSQL did not start:\n{log[-2000:]}") from None
                time.sleep(0.05)
            else:
                return

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(  # type: ignore[call-overload]
            [str(self._binaries / program), *arguments],
            cwd=self._folder,
            check=True,
            capture_output=True,
            **self._as_user,
        )
