"""Build the service: the one place that knows which parts are used."""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import structlog

from kette.adapters.database.engine import Database
from kette.adapters.database.migrate import migrate
from kette.adapters.database.store import SqlStore
from kette.adapters.database.tables import mails
from kette.adapters.documents.pdf import render_pdf
from kette.adapters.mail.gateway import MailGateway
from kette.adapters.mail.sql_store import SqlMailStore
from kette.adapters.mail.upstream import settings_of
from kette.adapters.mail.write import write_mail
from kette.adapters.n8n.adapter import N8nAdapter
from kette.adapters.n8n.present import Presenter
from kette.adapters.n8n.push import Pusher
from kette.adapters.vendors.base import (
    Adapter,
    Delivery,
    PullAdapter,
    SignatureError,
    UnknownPayloadError,
)
from kette.adapters.vendors.sendcloud import SendcloudAdapter
from kette.adapters.vendors.shopify import ShopifyAdapter
from kette.adapters.vendors.shopify.pull import ShopifyPull
from kette.adapters.vendors.shopware import ShopwareAdapter
from kette.adapters.vendors.shopware.pull import ShopwarePull
from kette.adapters.vendors.stripe import StripeAdapter
from kette.adapters.vendors.vies import ViesAdapter
from kette.adapters.vendors.woocommerce import WooCommerceAdapter
from kette.adapters.vendors.woocommerce.pull import WooCommercePull
from kette.api.auth import KeyRing
from kette.api.grouped import GroupedIngest
from kette.api.service import Service
from kette.api.structs import read_struct
from kette.clocks import ShiftableClock, SystemClock
from kette.domain.facts import ActionReported, OrderSnapshot, Translation
from kette.domain.order import Order
from kette.domain.policy import Setup, System
from kette.ids import new_id
from kette.policies import load_intake_data
from kette.settings import Settings
from kette.setup_file import SecretError, resolve_secret
from kette.use_cases.assess import Assessor
from kette.use_cases.documents import IssueDocuments
from kette.use_cases.errors import (
    InvalidInputError,
    SignatureInvalidError,
    UnknownSystemError,
)
from kette.use_cases.ingest import Ingest, UnknownPayload
from kette.use_cases.kernel import Kernel
from kette.use_cases.lease import Lease
from kette.use_cases.mail_lost import mail_lost
from kette.use_cases.people import People
from kette.use_cases.ports import Clock, Store
from kette.use_cases.pull import Pulling
from kette.use_cases.sources import know_cutovers

log = structlog.get_logger("kette.bootstrap")

ADAPTERS: dict[str, Adapter] = {
    adapter.kind: adapter
    for adapter in (
        WooCommerceAdapter(),
        ShopifyAdapter(),
        ShopwareAdapter(),
        StripeAdapter(),
        SendcloudAdapter(),
        ViesAdapter(),
        N8nAdapter(),
    )
}


PULLS: dict[str, PullAdapter] = {
    adapter.kind: adapter for adapter in (WooCommercePull(), ShopifyPull(), ShopwarePull())
}


class Reading:
    """Verify and translate deliveries: binds adapters to the setup's systems and secrets."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def secrets_of(self, system: System) -> list[bytes]:
        """Webhook secrets that are valid now; two while a merchant changes them. Read each time,
        so that a changed file takes effect without a restart."""
        found: list[bytes] = []
        for reference in system.secrets.get("webhook", ()):
            try:
                found.append(resolve_secret(reference, self._environ))
            except SecretError as error:
                log.error("secret.missing", system=system.id, reason=str(error))
        return found

    def __call__(
        self, system: System, headers: Mapping[str, str], body: bytes, received_at: datetime
    ) -> Translation:
        delivery = Delivery(system, headers, body, received_at)
        try:
            _adapter_of(system).verify(delivery, self.secrets_of(system))
        except SignatureError as error:
            raise SignatureInvalidError(system.id, error.reason) from error
        return read_keyed(system, headers, body, received_at)


def read_keyed(
    system: System, headers: Mapping[str, str], body: bytes, received_at: datetime
) -> Translation:
    """What a caller whose API key was checked read from the vendor; nothing else proves it."""
    try:
        return _adapter_of(system).translate(Delivery(system, headers, body, received_at))
    except UnknownPayloadError as error:
        raise UnknownPayload(error.topic, error.reason) from error


def _adapter_of(system: System) -> Adapter:
    adapter = ADAPTERS.get(system.kind)
    if adapter is None:
        raise InvalidInputError("system", f"systems of kind {system.kind} send no events")
    return adapter


def translate_report(setup: Setup, system_id: str, report: ActionReported) -> ActionReported:
    system = setup.systems.get(system_id)
    adapter = ADAPTERS.get(system.kind) if system is not None else None
    return adapter.translate_report(report) if adapter is not None else report


def privacy_key(settings: Settings, store: Store) -> bytes:
    """From the environment, else made once and kept in the database."""
    given = settings.privacy_key.get_secret_value()
    if given:
        return given.encode()
    with store.write() as tx:
        kept = tx.value("privacy_key")
        if kept is None:
            kept = secrets.token_hex(32)
            tx.set_value("privacy_key", kept)
    return kept.encode()


def make_clock(settings: Settings, store: Store) -> Clock:
    if not settings.sandbox_clock:
        return SystemClock()
    with store.read() as tx:
        offset_s = int(tx.value("sandbox_clock_offset_s") or 0)
    return ShiftableClock(timedelta(seconds=offset_s))


def open_database(url: str) -> tuple[Database, SqlStore]:
    """Connect and migrate."""
    database = Database(url)
    migrate(database)
    return database, SqlStore(database)


def build(
    settings: Settings,
    setup: Setup,
    *,
    environ: Mapping[str, str] | None = None,
    clock: Clock | None = None,
) -> Service:
    environ = os.environ if environ is None else environ
    database, store = open_database(settings.database)
    clock = clock or make_clock(settings, store)
    data = load_intake_data()
    pusher: Pusher
    kernel = Kernel(
        setup=setup,
        store=store,
        clock=clock,
        new_id=new_id,
        assess=Assessor(data),
        translate_report=lambda system_id, report: translate_report(setup, system_id, report),
        on_due=lambda stages: pusher.wake(stages),
        privacy_key=privacy_key(settings, store),
        url=settings.url or f"http://{settings.host}:{settings.port}",
        pulled_kinds=frozenset(PULLS),
    )
    know_cutovers(kernel)
    lease = Lease(kernel, Presenter(kernel, data, write_mail))
    pusher = Pusher(kernel, lease, time.time)
    keys = KeyRing(store)
    ingest = Ingest(kernel, Reading(environ))
    readings = Ingest(kernel, read_keyed)
    return Service(
        settings=settings,
        database=database,
        kernel=kernel,
        keys=keys,
        ingest=ingest,
        readings=readings,
        pulling=Pulling(kernel, readings, PULLS),
        lease=lease,
        people=People(kernel),
        documents=IssueDocuments(kernel, render_pdf),
        pusher=pusher,
        data=data,
        read_order=lambda system_id, order: read_order(setup, clock, system_id, order),
        gateway=make_gateway(settings, kernel, database, keys, environ),
        grouped=GroupedIngest(kernel, ingest) if database.is_sqlite else None,
        grouped_readings=GroupedIngest(kernel, readings) if database.is_sqlite else None,
    )


def make_gateway(
    settings: Settings,
    kernel: Kernel,
    database: Database,
    keys: KeyRing,
    environ: Mapping[str, str],
) -> MailGateway | None:
    """The mail gateway, where a port is given and the setup has a mail system."""
    system = next((s for s in kernel.setup.systems.values() if s.role == "mail"), None)
    if not settings.mail_gateway_port or system is None:
        return None
    references: Sequence[str] = system.secrets.get("password", ())
    password = resolve_secret(references[0], environ).decode() if references else ""
    name = f"{socket.gethostname()}:{settings.mail_gateway_port}"
    return MailGateway(
        SqlMailStore(database.engine, mails, name, scopes=database),
        settings_of(system, password),
        keys.may_send_mail,
        host=settings.mail_gateway_host,
        port=settings.mail_gateway_port,
        on_failed=lambda mail, error: mail_lost(kernel, mail.action_key, error),
    )


def read_order(setup: Setup, clock: Clock, system_id: str, order: dict[str, Any]) -> Order:
    """A vendor's order, or a canonical one (it has a "channel"), as canonical order."""
    system = setup.systems.get(system_id)
    if system is None:
        raise UnknownSystemError(system_id, sorted(setup.systems))
    if "channel" in order:
        return read_struct(Order, order, "order")
    adapter = ADAPTERS.get(system.kind)
    if adapter is None or system.role != "shop":
        raise InvalidInputError("system_id", f"{system_id} is no shop")
    headers = {"x-wc-webhook-topic": "order.updated", "content-type": "application/json"}
    delivery = Delivery(system, headers, msgspec.json.encode(order), clock.now())
    try:
        translation = adapter.translate(delivery)
    except UnknownPayloadError as error:
        raise InvalidInputError("order", error.reason) from error
    for draft in translation.facts:
        if isinstance(draft.body, OrderSnapshot):
            return draft.body.order
    raise InvalidInputError("order", "holds no order")
