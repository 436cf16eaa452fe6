"""Hand out due actions in batches: to a push, or to the sweep that asks for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import structlog

from kette.domain.actions import STAGE_KINDS, Stage
from kette.domain.facts import FactDraft
from kette.use_cases.decide_order import redecide
from kette.use_cases.errors import RULE_ERRORS, InvalidInputError
from kette.use_cases.kernel import Kernel
from kette.use_cases.ports import ActionRow, Transaction
from kette.use_cases.record import record
from kette.use_cases.report import Report, fail_attempt, reported_fact

log = structlog.get_logger("kette.lease")

# (transaction, action) -> what the workflow gets; raises PresentationError
Present = Callable[[Transaction, ActionRow], dict[str, Any]]


class PresentationError(Exception):
    """An action cannot be put into words for its workflow (no mail address, no target system)."""


class Batch(msgspec.Struct, frozen=True):
    lease_id: str
    actions: tuple[dict[str, Any], ...]


class Lease:
    """A lease that is not reported in time ends by itself, and the action comes again."""

    def __init__(self, kernel: Kernel, present: Present) -> None:
        self._kernel = kernel
        self._present = present

    def __call__(self, stage: str, limit: int | None = None, kinds: Sequence[str] = ()) -> Batch:
        kernel = self._kernel
        known = STAGE_KINDS.get(Stage(stage)) if stage in set(Stage) else None
        if known is None:
            raise InvalidInputError("stage", f"{stage!r} is none of {', '.join(Stage)}")
        wrong = sorted(set(kinds) - set(known))
        if wrong:
            raise InvalidInputError("kinds", f"{', '.join(wrong)} is no action of stage {stage}")
        policy = kernel.setup.actions
        now = kernel.now()
        until = now + timedelta(seconds=policy.lease_s)
        lease_id = kernel.new_id("lse")
        with kernel.store.write() as tx:
            rows = tx.outbox.lease(
                stage, kinds, min(limit or policy.batch_max, policy.batch_max), lease_id, now, until
            )
        actions: list[dict[str, Any]] = []
        broken: list[tuple[ActionRow, str]] = []
        # Presenting reads and renders; it must not keep writers waiting.
        with kernel.store.read() as tx:
            for row in rows:
                try:
                    actions.append(self._present(tx, row))
                except PresentationError as error:
                    broken.append((row, str(error)))
                except RULE_ERRORS as error:  # the other actions of the batch must go out
                    log.exception("lease.presentation_failed", kind=row.kind)
                    broken.append((row, f"{row.kind} cannot be put into words: {error!r}"))
        for row, reason in broken:
            self._refuse(row, reason)
        return Batch(lease_id, tuple(actions))

    def _refuse(self, row: ActionRow, reason: str) -> None:
        kernel = self._kernel
        now = kernel.now()
        stages: set[str] = set()
        with kernel.store.write() as tx:
            fail_attempt(kernel, tx, row, reason, False, now, stages)
            if row.order_id is not None:
                report = Report(row.key, False, error=reason, retryable=False)
                draft = FactDraft(
                    f"{row.key}#{row.lease_id}:refused", now, reported_fact(kernel, row, report)
                )
                stages |= record(kernel, tx, "kette", [draft], now, order_id=row.order_id).stages
        if stages:
            kernel.on_due(stages)

    def give_back(self, lease_id: str, not_before: datetime) -> None:
        """The batch never reached its workflow: the attempt does not count. What is no longer
        wanted by now is withdrawn."""
        kernel = self._kernel
        with kernel.store.write() as tx:
            order_ids = tx.outbox.release(lease_id, not_before)
        for order_id in order_ids:
            with kernel.store.write() as tx:
                redecide(kernel, tx, order_id, kernel.now(), "returned")
