"""Take in one delivery of a vendor: verified, stored, decided, durable when this returns."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import msgspec
import structlog

from kette.domain.actions import WantedException
from kette.domain.facts import FactDraft, Fetch, PayloadUnknown, RunFailed, Translation
from kette.domain.policy import System
from kette.use_cases.errors import RULE_ERRORS, UnknownSystemError
from kette.use_cases.kernel import Kernel
from kette.use_cases.past import with_past
from kette.use_cases.ports import ExceptionRow, Transaction
from kette.use_cases.reconcile import open_exception
from kette.use_cases.record import Noted, Opened, Recorded, note, recorded, settle
from kette.use_cases.run_failed import run_failed

log = structlog.get_logger("kette.ingest")

# Headers worth keeping beside the raw body; the rest says nothing about the event.
KEPT_HEADER_PREFIXES = ("x-", "stripe-", "sendcloud-", "content-type", "user-agent")
NOT_KEPT = ("x-forwarded", "x-real-ip", "x-api-key")


class Ingested(msgspec.Struct, frozen=True):
    fact_ids: tuple[str, ...]
    is_duplicate: bool
    order_id: str | None
    statuses: dict[str, str] | None
    exceptions: tuple[dict[str, Any], ...]
    actions: tuple[dict[str, Any], ...]
    note: str = ""
    fetch: tuple[Fetch, ...] = ()  # what the sender wants to be read from its API


class Reader(Protocol):
    """A vendor's adapter bound to one system: checks the signature, then reads."""

    def __call__(
        self, system: System, headers: Mapping[str, str], body: bytes, received_at: datetime
    ) -> Translation: ...


class UnknownPayload(Exception):  # noqa: N818 - a verdict on a payload, not a failure of ours
    def __init__(self, topic: str, reason: str) -> None:
        super().__init__(reason)
        self.topic = topic
        self.reason = reason


class Prepared(msgspec.Struct, frozen=True):
    """A delivery that was verified and read, and waits to be stored."""

    system_id: str
    headers: Mapping[str, str]
    body: bytes
    translation: Translation
    unknown: UnknownPayload | None
    received_at: datetime
    # Orders placed before and heard of for the first time are the past (use_cases/past.py).
    past_before: datetime | None = None


class Ingest:
    """read: verifies and translates; raises SignatureInvalidError or UnknownPayload."""

    def __init__(self, kernel: Kernel, read: Reader) -> None:
        self._kernel = kernel
        self._read = read

    def __call__(self, system_id: str, headers: Mapping[str, str], body: bytes) -> Ingested:
        prepared = self.prepare(system_id, headers, body)
        if not prepared.translation.facts:
            return nothing_to_record(prepared)
        try:
            with self._kernel.store.write() as tx:
                result, stages = self.store(tx, prepared)
        except RULE_ERRORS as error:
            with self._kernel.store.write() as tx:
                result, stages = self.store(tx, self.given_up(prepared, error))
        if stages:
            self._kernel.on_due(stages)
        return result

    def prepare(self, system_id: str, headers: Mapping[str, str], body: bytes) -> Prepared:
        """Everything that needs no database. Raises UnknownSystemError, SignatureInvalidError."""
        kernel = self._kernel
        system = kernel.setup.systems.get(system_id)
        if system is None:
            raise UnknownSystemError(system_id, sorted(kernel.setup.systems))
        now = kernel.now()
        unknown: UnknownPayload | None = None
        try:
            translation = self._read(system, headers, body, now)
        except UnknownPayload as error:
            unknown = error
            translation = Translation((_unknown_draft(error, headers, body, now),))
        cutover_at = kernel.cutovers.get(system_id)
        return Prepared(system_id, headers, body, translation, unknown, now, cutover_at)

    def given_up(self, prepared: Prepared, error: Exception) -> Prepared:
        """The delivery as one that we do not understand, where our own rules fail on it: it is kept
        and shown, and the vendor does not switch its webhook off. Handed in again after a repair,
        it is read anew."""
        log.error("ingest.rule_failed", system=prepared.system_id, exc_info=error)
        unknown = UnknownPayload("internal", f"our rules failed on it ({type(error).__name__})")
        now = prepared.received_at
        draft = _unknown_draft(unknown, prepared.headers, prepared.body, now)
        return msgspec.structs.replace(prepared, translation=Translation((draft,)), unknown=unknown)

    def store(self, tx: Transaction, prepared: Prepared) -> tuple[Ingested, set[str]]:
        """Record and decide within a transaction; also the stages with something new to do."""
        answers, stages = self.store_all(tx, [prepared])
        return answers[0], stages

    def store_all(
        self, tx: Transaction, group: Sequence[Prepared]
    ) -> tuple[list[Ingested], set[str]]:
        """The same for deliveries that came together: an order that several of them speak of is
        decided once, on all that they tell, and each is answered with that."""
        opened: Opened = {}
        noted = [self._note(tx, opened, prepared) for prepared in group]
        now = max(prepared.received_at for prepared in group)
        outcomes, stages = settle(self._kernel, tx, opened, now)
        answers = []
        for prepared, written in zip(group, noted, strict=True):
            system_id, facts = prepared.system_id, prepared.translation.facts
            if not written.is_duplicate:
                stages |= self._open_entries(tx, system_id, facts, prepared.received_at)
            result = recorded(written, outcomes, stages)
            answer = _answer(result, _entries_of(tx, system_id, facts))
            fetch = prepared.translation.fetch
            answers.append(msgspec.structs.replace(answer, fetch=fetch) if fetch else answer)
        return answers, stages

    def _note(self, tx: Transaction, opened: Opened, prepared: Prepared) -> Noted:
        system_id, now = prepared.system_id, prepared.received_at
        facts = prepared.translation.facts
        if prepared.past_before is not None:
            facts = with_past(tx, facts, prepared.past_before)
        self._kernel.heard[system_id] = now
        headers = kept_headers(prepared.headers)
        tx.facts.save_delivery(self._kernel.new_id("dlv"), system_id, headers, prepared.body, now)
        return note(tx, opened, system_id, facts, now)

    def _open_entries(
        self,
        tx: Transaction,
        system_id: str,
        drafts: Sequence[FactDraft],
        now: datetime,
    ) -> set[str]:
        """Facts that belong to no order but need a person."""
        stages: set[str] = set()
        for draft in drafts:
            if isinstance(draft.body, RunFailed):
                stages |= run_failed(self._kernel, tx, draft.body, now)
                continue
            entry = _entry(system_id, draft)
            if entry is not None and tx.exceptions.by_key(entry.key) is None:
                stages |= open_exception(self._kernel, tx, None, entry, "intake", now)
        return stages


def _entries_of(tx: Transaction, system_id: str, drafts: Sequence[FactDraft]) -> list[ExceptionRow]:
    """Open entries about what could not be read."""
    wanted = [entry for draft in drafts if (entry := _entry(system_id, draft)) is not None]
    rows = [tx.exceptions.by_key(entry.key) for entry in wanted]
    return [row for row in rows if row is not None and row.status in ("open", "snoozed")]


def nothing_to_record(prepared: Prepared) -> Ingested:
    note = prepared.translation.note or "nothing to record"
    return Ingested((), False, None, None, (), (), note, prepared.translation.fetch)


def _unknown_draft(
    error: UnknownPayload, headers: Mapping[str, str], body: bytes, now: datetime
) -> FactDraft:
    digest = hashlib.sha256(body).hexdigest()
    topic = error.topic[:120]
    return FactDraft(
        f"unknown:{topic}:{digest[:32]}", now, PayloadUnknown(topic, error.reason[:500], digest)
    )


def _entry(system_id: str, draft: FactDraft) -> WantedException | None:
    """Also for one object among many that could be read, as in a page of a shop's list."""
    body = draft.body
    if isinstance(body, PayloadUnknown):
        return WantedException(
            key=f"payload_unknown:{system_id}:{body.digest[:24]}",
            kind="payload_unknown",
            summary=f"{system_id} sent something we do not understand: {body.reason[:300]}",
            context={"system": system_id, "topic": body.topic, "digest": body.digest},
            suggestion="Look at the stored delivery; check the sender's webhook settings.",
        )
    return None


def kept_headers(headers: Mapping[str, str]) -> str:
    """What is kept of a delivery's headers, as JSON."""
    kept = {
        name: value
        for name, value in headers.items()
        if name.startswith(KEPT_HEADER_PREFIXES) and not name.startswith(NOT_KEPT)
    }
    return msgspec.json.encode(kept, order="sorted").decode()


def _answer(result: Recorded, unread: Sequence[ExceptionRow]) -> Ingested:
    outcome = result.outcome
    entries = (*(outcome.exceptions if outcome is not None else ()), *unread)
    shown = tuple(
        {"id": x.id, "kind": x.kind, "summary": x.summary, "blocking": x.blocking} for x in entries
    )
    if outcome is None:
        return Ingested(result.fact_ids, result.is_duplicate, None, None, shown, ())
    return Ingested(
        result.fact_ids,
        result.is_duplicate,
        outcome.order_id,
        outcome.statuses,
        shown,
        tuple({"key": key, "kind": kind, "state": state} for key, kind, state in outcome.actions),
    )
