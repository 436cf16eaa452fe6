"""Take in the objects of a pulled page: each as a delivery of its own, none harming another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from datetime import datetime

import msgspec

from kette.domain.facts import FactDraft, PayloadUnknown
from kette.domain.policy import System
from kette.domain.pull_state import Counts, PullState
from kette.domain.pulls import PulledObject, Purpose
from kette.use_cases.errors import RULE_ERRORS
from kette.use_cases.ingest import Ingest, Ingested, Prepared, kept_headers
from kette.use_cases.kernel import Kernel
from kette.use_cases.ports import Transaction

OBJECTS_PER_COMMIT = 10  # a long transaction would keep webhooks waiting


class TakeIn:
    def __init__(self, kernel: Kernel, readings: Ingest) -> None:
        self._kernel = kernel
        self._readings = readings

    def __call__(
        self, system: System, state: PullState, objects: Sequence[PulledObject], seen: Set[str]
    ) -> Counts:
        """seen: came on an earlier page of this pull too, and count only if they changed since."""
        new, known = self._without_known(system, state, objects)
        counts = Counts(known=len([one for one in known if one.name not in seen]))
        past_before = self._past_before(state)
        stages: set[str] = set()
        for chunk in self._chunks(new):
            prepared = [(one, self._prepared(system, one, past_before)) for one in chunk]
            with self._kernel.store.write() as tx:
                for one, delivery in prepared:
                    count = Counts(known=1)
                    if delivery.translation.facts:
                        count, due = self._stored(tx, delivery)
                        stages |= due
                    if one.name not in seen or count.fresh:
                        counts = counts.plus(count)
        if stages:
            self._kernel.on_due(stages)
        return counts

    def _without_known(
        self, system: System, state: PullState, objects: Sequence[PulledObject]
    ) -> tuple[list[PulledObject], list[PulledObject]]:
        """A pull reaches back, so most of what it brings is the same to the byte. A backfill reads
        all of it anew: it may follow the repair of a rule that had failed on them."""
        if state.purpose is Purpose.BACKFILL:
            return list(objects), []
        new: list[PulledObject] = []
        known: list[PulledObject] = []
        with self._kernel.store.read() as tx:
            for one in objects:
                is_known = tx.facts.is_delivered(system.id, kept_headers(one.headers), one.body)
                (known if is_known else new).append(one)
        return new, known

    def _past_before(self, state: PullState) -> datetime | None:
        """Also what the very first pull finds may be older than Kette. Later ones find what was
        changed since, as a webhook would have told."""
        told = self._kernel.cutovers.get(state.system_id)
        if state.purpose is Purpose.CHANGES and state.watermark is None:
            return max(told, state.since) if told is not None else state.since
        return told

    def _prepared(
        self, system: System, one: PulledObject, past_before: datetime | None
    ) -> Prepared:
        prepared = self._readings.prepare(system.id, one.headers, one.body)
        facts = prepared.translation.facts
        if prepared.unknown is not None:
            facts = tuple(_named(draft, one.name) for draft in facts)
        translation = msgspec.structs.replace(prepared.translation, facts=facts)
        return msgspec.structs.replace(prepared, translation=translation, past_before=past_before)

    def _stored(self, tx: Transaction, prepared: Prepared) -> tuple[Counts, set[str]]:
        try:
            with tx.savepoint():
                result, stages = self._readings.store(tx, prepared)
            return _count(result, is_unread=prepared.unknown is not None), stages
        except RULE_ERRORS as error:
            with tx.savepoint():
                given_up = self._readings.given_up(prepared, error)
                result, stages = self._readings.store(tx, given_up)
            return _count(result, is_unread=True), stages

    def _chunks(self, objects: Sequence[PulledObject]) -> Iterator[Sequence[PulledObject]]:
        """One by one where several write at a time, or two pages could wait for each other."""
        with self._kernel.store.read() as tx:
            size = 1 if tx.facts.has_other_writers else OBJECTS_PER_COMMIT
        for start in range(0, len(objects), size):
            yield objects[start : start + size]


def _named(draft: FactDraft, name: str) -> FactDraft:
    """Who looks at the entry wants to know which order it is about; the list told its id."""
    body = draft.body
    if not isinstance(body, PayloadUnknown):
        return draft
    reason = f"{name}: {body.reason}"[:500]
    return msgspec.structs.replace(draft, body=msgspec.structs.replace(body, reason=reason))


def _count(result: Ingested, *, is_unread: bool) -> Counts:
    if is_unread:
        return Counts(unread=1)
    return Counts(known=1) if result.is_duplicate else Counts(fresh=1)
