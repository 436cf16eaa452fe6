"""The schema: from nothing, again, by several replicas at once, and the same as the tables say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from kette.adapters.database.engine import Database
from kette.adapters.database.migrate import migrate
from kette.adapters.database.tables import metadata
from sqlalchemy import inspect, text
from support.threads import at_once


@pytest.fixture
def database(database_url: str) -> Any:
    opened = Database(database_url)
    yield opened
    opened.dispose()


def revision(database: Database) -> str:
    with database.read() as connection:
        return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar())


def test_from_nothing_and_again(database: Database) -> None:
    migrate(database)
    first = revision(database)
    migrate(database)
    assert revision(database) == first
    assert set(inspect(database.engine).get_table_names()) == {
        *metadata.tables,
        "alembic_version",
    }


def test_the_tables_are_what_the_migrations_make(database: Database) -> None:
    migrate(database)
    with database.engine.connect() as connection:
        context = MigrationContext.configure(
            # Alembic cannot compare SQLite's empty defaults; PostgreSQL's tell the same.
            connection,
            opts={"compare_type": True, "compare_server_default": not database.is_sqlite},
        )
        assert compare_metadata(context, metadata) == []


def test_the_drift_check_can_tell(database: Database) -> None:
    migrate(database)
    with database.write() as connection:
        connection.execute(text("ALTER TABLE orders ADD COLUMN forgotten INTEGER"))
    with database.engine.connect() as connection:
        changes = compare_metadata(MigrationContext.configure(connection), metadata)
    assert [change[0] for change in changes] == ["remove_column"]


def test_replicas_that_start_together(database_url: str) -> None:
    replicas = [Database(database_url) for _ in range(4)]
    try:
        at_once([lambda r=r: migrate(r) for r in replicas])  # type: ignore[misc]
        assert revision(replicas[0])
    finally:
        for replica in replicas:
            replica.dispose()


def test_many_connections_open_a_new_file_at_once(tmp_path: Path) -> None:
    """SQLite does not wait where two connections turn a new file to its write-ahead log."""
    for number in range(30):
        opened = [Database(f"sqlite:///{tmp_path / f'new-{number}.db'}") for _ in range(6)]

        def read(database: Database) -> int:
            with database.read() as connection:
                return int(connection.execute(text("SELECT 1")).scalar_one())

        assert at_once([lambda d=d: read(d) for d in opened]) == [1] * 6  # type: ignore[misc]
        for database in opened:
            database.dispose()


def test_other_databases_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"mysql.*not supported"):
        Database("mysql://u@h/n")
