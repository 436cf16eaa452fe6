"""Engines for SQLite and PostgreSQL, and the transaction scopes on them.

SQLite: WAL, synchronous FULL (a commit is on disk when the caller hears of it), BEGIN IMMEDIATE,
one writer at a time by an in-process lock, so that threads queue here instead of polling the file
lock.
PostgreSQL: READ COMMITTED; writers of one order are kept apart by an advisory lock.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy import exc as sqlalchemy_errors
from sqlalchemy.engine import make_url

from kette.use_cases.errors import StoreBusyError, UnstorableError

SQLITE_BUSY_MS = 15_000
_BUSY = (
    sqlite3.OperationalError,
    psycopg.OperationalError,
    sqlalchemy_errors.OperationalError,
    sqlalchemy_errors.TimeoutError,
)
_UNSTORABLE = (sqlite3.DataError, psycopg.DataError, sqlalchemy_errors.DataError)


def make_engine(url: str) -> Engine:
    """url: sqlite:///FILE or postgresql://USER@HOST/NAME (the psycopg driver is chosen)."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        engine = create_engine(
            parsed,
            connect_args={"check_same_thread": False, "timeout": SQLITE_BUSY_MS / 1000},
            pool_size=12,
            max_overflow=24,
            hide_parameters=True,  # values are customers' data and must not reach the log
        )
        event.listen(engine, "connect", _sqlite_connect)
        event.listen(engine, "begin", _sqlite_begin)
        return engine
    if parsed.get_backend_name() == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
        return create_engine(
            parsed, pool_size=10, max_overflow=20, pool_pre_ping=True, hide_parameters=True
        )
    raise ValueError(
        f"database {parsed.get_backend_name()!r} is not supported; "
        "use sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME"
    )


def _sqlite_connect(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # BEGIN is ours, see _sqlite_begin
    _use_wal(connection)
    for pragma in (
        "synchronous=FULL",
        "foreign_keys=ON",
        "cache_size=-32000",
        "mmap_size=2147418112",
        "wal_autocheckpoint=4000",
        "temp_store=MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _use_wal(connection: sqlite3.Connection) -> None:
    """Of a new file only one connection can change the mode, and SQLite does not let the others
    wait for it, whatever their timeout: a service and a command that start together."""
    ends_at = time.monotonic() + SQLITE_BUSY_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() >= ends_at:
                raise
            time.sleep(0.01)
        else:
            return


def _sqlite_begin(connection: Connection) -> None:
    mode = connection.get_execution_options().get("kette_begin", "IMMEDIATE")
    connection.exec_driver_sql(f"BEGIN {mode}")


@contextmanager
def translated_errors() -> Iterator[None]:
    """Errors of the drivers in our own words."""
    try:
        yield
    except _BUSY as error:
        raise StoreBusyError(type(error).__name__) from error
    except _UNSTORABLE as error:
        raise UnstorableError("a value cannot be stored; text must not hold NUL") from error


class Database:
    """Write and read scopes over one engine."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = make_engine(url)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self._writer = threading.Lock()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        if not self.is_sqlite:
            with translated_errors(), self.engine.begin() as connection:
                yield connection
            return
        with self._writer, translated_errors(), self.engine.begin() as connection:
            yield connection

    def begin(self, *, wait: bool) -> Connection | None:
        """Open a write transaction on SQLite that `commit` or `roll_back` ends, in this thread or
        another. None: somebody else writes, and the caller would not wait."""
        if not self._writer.acquire(blocking=wait):
            return None
        try:
            with translated_errors():
                connection = self.engine.connect()
                try:
                    connection.begin()
                except BaseException:
                    connection.close()
                    raise
        except BaseException:
            self._writer.release()
            raise
        return connection

    def commit(self, connection: Connection) -> None:
        try:
            with translated_errors():
                connection.commit()
        finally:
            self.roll_back(connection)

    def roll_back(self, connection: Connection) -> None:
        """Take back what was not committed, and let the next writer in."""
        try:
            connection.close()
        finally:
            self._writer.release()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        with translated_errors(), self.engine.connect() as raw:
            connection = raw.execution_options(kette_begin="DEFERRED") if self.is_sqlite else raw
            with connection.begin():
                yield connection

    def dispose(self) -> None:
        self.engine.dispose()
