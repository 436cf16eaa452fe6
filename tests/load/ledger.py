"""Ledgers of a known size, filled through the service's own use case and kept in the cache.

Filling skips only what waits for the disk (PRAGMA synchronous=OFF); every order goes through
signature, translation, rules and reconciliation like any other. A filled file is used again as long
as the tables and the stored forms are the same.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kette.bootstrap import build
from kette.clocks import ShiftableClock
from kette.settings import Settings
from kette.setup_file import load_setup
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy import event
from templates import RECORDED, START, Shop

_STORED_FORMS = (
    "python-service/src/kette/adapters/database",
    "python-service/src/kette/domain/facts.py",
    "python-service/src/kette/domain/order.py",
    "python-service/src/kette/domain/money.py",
    "tests/load/templates.py",
    str(RECORDED),
)


class Ledgers:
    """Gives out copies, so that a run never changes the kept file."""

    def __init__(self, project: Path, setup: Path, environ: Mapping[str, str]) -> None:
        self._project = project
        self._setup = setup
        self._environ = environ
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kette"
        self._folder = cache / f"bench-{_version(project, setup)}"

    def copy(self, orders: int, target: Path) -> None:
        """Put a ledger with so many orders at target, filling it first if there is none yet."""
        kept = self._folder / f"{orders}.db"
        if not kept.exists():
            self._fill(orders, kept)
        shutil.copyfile(kept, target)
        set_clock(target)

    def _fill(self, orders: int, kept: Path) -> None:
        for other in self._folder.parent.glob("bench-*"):
            if other != self._folder:
                shutil.rmtree(other)
        self._folder.mkdir(parents=True, exist_ok=True)
        unfinished = kept.with_suffix(".unfinished")
        for suffix in ("", "-wal", "-shm"):
            Path(f"{unfinished}{suffix}").unlink(missing_ok=True)
        setup = load_setup(self._setup, self._environ)
        service = build(
            Settings(database=f"sqlite:///{unfinished}", push=False),
            setup,
            environ=self._environ,
            clock=ShiftableClock(START - datetime.now(UTC)),
        )
        service.database.engine.dispose()
        event.listen(
            service.database.engine,
            "connect",
            lambda connection, _: connection.execute("PRAGMA synchronous=OFF"),
        )
        shop = Shop(self._project, self._environ["KETTE_WOO_WEBHOOK_SECRET"])
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, TimeRemainingColumn()) as progress:
            for n in progress.track(range(orders), description=f"Filling {orders:,} orders"):
                service.ingest("woo-main", *shop.order(n))
        service.database.dispose()
        connection = sqlite3.connect(unfinished)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()  # the last one to close removes the log
        unfinished.rename(kept)


def set_clock(database: Path) -> None:
    """Let a service on this ledger begin at START, whatever day it is."""
    offset_s = int((START - datetime.now(UTC)) / timedelta(seconds=1))
    connection = sqlite3.connect(database)
    connection.execute(
        "INSERT INTO service_values (name, value) VALUES ('sandbox_clock_offset_s', ?) "
        "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (str(offset_s),),
    )
    connection.commit()
    connection.close()


def count_orders(database: Path) -> int:
    connection = sqlite3.connect(database)
    count: int = connection.execute("SELECT COUNT(*) FROM orders").fetchone()[0]
    connection.close()
    return count


def _version(project: Path, setup: Path) -> str:
    digest = hashlib.sha256(setup.read_bytes())
    for name in _STORED_FORMS:
        place = project / name
        for file in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
