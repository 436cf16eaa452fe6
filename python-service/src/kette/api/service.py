"""What the routes work with: use cases and settings, put together by `bootstrap`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

import structlog
from fastapi import Request
from starlette.concurrency import run_in_threadpool

from kette.adapters.database.engine import Database
from kette.adapters.mail.gateway import MailGateway
from kette.adapters.n8n.push import Pusher
from kette.api.auth import KeyRing
from kette.api.grouped import GroupedIngest
from kette.domain.intake_data import IntakeData
from kette.domain.order import Order
from kette.settings import Settings
from kette.use_cases.documents import IssueDocuments
from kette.use_cases.ingest import Ingest
from kette.use_cases.kernel import Kernel
from kette.use_cases.lease import Lease
from kette.use_cases.people import People
from kette.use_cases.pull import Pulling
from kette.use_cases.tick import redecide_all, refresh_listeners, tick

log = structlog.get_logger("kette.service")

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Service:
    settings: Settings
    database: Database
    kernel: Kernel
    keys: KeyRing
    ingest: Ingest
    readings: Ingest  # takes what a caller with a key read from a vendor's API
    pulling: Pulling
    lease: Lease
    people: People
    documents: IssueDocuments
    pusher: Pusher
    data: IntakeData
    # (system id, vendor order as JSON object) -> canonical order; raises InvalidInputError
    read_order: Callable[[str, dict[str, Any]], Order]
    gateway: MailGateway | None
    grouped: GroupedIngest | None  # SQLite: deliveries of one moment share one commit
    grouped_readings: GroupedIngest | None

    def tick(self) -> set[str]:
        """What time alone brings about; the stages with something due."""
        due = tick(self.kernel)
        self.pusher.refresh()
        return due

    def review_after_setup_change(self) -> int:
        """A changed setup may decide differently: run the rules over every order once."""
        version = self.kernel.setup.version
        with self.kernel.store.read() as tx:
            known = tx.value("setup_version")
        count = redecide_all(self.kernel, "setup") if known not in (None, version) else 0
        with self.kernel.store.write() as tx:
            tx.set_value("setup_version", version)
        if count:
            log.info("setup.changed", orders=count, version=version)
        return count

    def refresh_listeners(self) -> None:
        refresh_listeners(self.kernel)
        self.pusher.refresh()

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do blocking work (the database) beside the event loop."""
        return await run_in_threadpool(work, *args, **kwargs)


def service_of(request: Request) -> Service:
    service: Service = request.app.state.service
    return service
