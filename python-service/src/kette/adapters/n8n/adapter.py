"""n8n as a source of facts: its error workflow tells of failed runs. Authenticated by API key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from kette.adapters.vendors.base import Delivery, UnknownPayloadError
from kette.domain.facts import ActionReported, FactDraft, RunFailed, Translation


class _Named(msgspec.Struct):
    id: str | int = ""
    name: str = ""


class _Error(msgspec.Struct):
    message: str = ""
    node: dict[str, Any] | str | None = None


class _Execution(msgspec.Struct):
    id: str | int = ""
    url: str = ""
    error: _Error = msgspec.field(default_factory=_Error)
    lastNodeExecuted: str = ""  # noqa: N815 - n8n's word


class _Report(msgspec.Struct):
    kind: str = ""
    workflow: _Named = msgspec.field(default_factory=_Named)
    execution: _Execution = msgspec.field(default_factory=_Execution)


class N8nAdapter:
    kind = "n8n"

    def verify(self, delivery: Delivery, secrets: Sequence[bytes]) -> None:
        """The API key has proven the sender (api/routes/events.py)."""

    def translate(self, delivery: Delivery) -> Translation:
        try:
            report = msgspec.json.decode(delivery.body, type=_Report, strict=False)
        except (msgspec.DecodeError, msgspec.ValidationError, RecursionError) as error:
            raise UnknownPayloadError("run_failed", f"not a failed run: {error}") from error
        if report.kind != "run_failed":
            raise UnknownPayloadError(report.kind or "none", "kind must be run_failed")
        execution = report.execution
        node = execution.error.node
        named = str(node.get("name", "")) if isinstance(node, dict) else (node or "")
        body = RunFailed(
            workflow_id=str(report.workflow.id)[:64],
            workflow_name=report.workflow.name[:200],
            execution_id=str(execution.id)[:64],
            node=(named or execution.lastNodeExecuted)[:200],
            message=execution.error.message[:2000],
            url=execution.url[:500],
        )
        external_id = f"run:{body.workflow_id}:{body.execution_id or execution.error.message[:80]}"
        return Translation((FactDraft(external_id, delivery.received_at, body),))

    def translate_report(self, report: ActionReported) -> ActionReported:
        return report
