"""How orders, exceptions and history look outside."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from fastapi.responses import Response

from kette.domain.facts import Fact
from kette.domain.money import Money
from kette.use_cases.ports import ActionRow, DecisionRow, ExceptionRow, OrderRow, StreamFact


def instant(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")


def money_out(value: Any) -> Any:
    """Replace minor-unit amounts by decimal strings, however deep."""
    if isinstance(value, dict):
        if value.keys() == {"minor", "currency"}:
            return Money(value["minor"], value["currency"]).public()
        return {key: money_out(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):  # tuples of a struct stay tuples on the way out
        return [money_out(item) for item in value]
    return value


def public(struct: Any) -> Any:
    """A frozen struct as JSON objects with outside money."""
    return money_out(msgspec.to_builtins(struct))


def order_row(row: OrderRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "channel": row.channel,
        "external_id": row.external_id,
        "number": row.number,
        "placed_at": instant(row.placed_at),
        "status": row.statuses,
        "total": Money(row.total_minor, row.currency).public() if row.currency else None,
        "due_at": instant(row.due_at),
        "created_at": instant(row.created_at),
        "updated_at": instant(row.updated_at),
    }


def action_row(row: ActionRow) -> dict[str, Any]:
    return {
        "key": row.key,
        "kind": row.kind,
        "stage": row.stage,
        "state": row.state,
        "order_id": row.order_id,
        "attempt": row.attempt,
        "reasons": row.reasons,
        "reference": row.reference,
        "last_error": row.last_error,
        "created_at": instant(row.created_at),
        "not_before": instant(row.not_before),
        "finished_at": instant(row.finished_at),
        "leased_until": instant(row.leased_until),
        "payload": row.payload,
    }


def exception_row(row: ExceptionRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "key": row.key,
        "kind": row.kind,
        "order_id": row.order_id,
        "status": row.status,
        "summary": row.summary,
        "context": row.context,
        "suggestion": row.suggestion,
        "blocking": row.blocking,
        "owner": row.owner,
        "opened_at": instant(row.opened_at),
        "openings": row.openings,
        "due_at": instant(row.due_at),
        "snoozed_until": instant(row.snoozed_until),
        "closed_at": instant(row.closed_at),
        "resolution": row.resolution,
    }


def fact_entry(item: StreamFact) -> dict[str, Any]:
    fact: Fact = item.fact
    content = public(fact.body)
    kind = content.pop("fact")
    person = getattr(fact.body, "by", "") or None
    return {
        "type": "fact",
        "id": fact.id,
        "kind": kind,
        "source": fact.source,
        "by": person,
        "at": instant(fact.recorded_at),
        "occurred_at": instant(fact.occurred_at),
        "external_id": fact.external_id,
        "content": content,
        "seq": item.seq,
        "hash": item.hash,
    }


def decision_entry(row: DecisionRow) -> dict[str, Any]:
    return {
        "type": "decision",
        "id": row.id,
        "at": instant(row.decided_at),
        "cause": row.cause,
        "setup_version": row.setup_version,
        **row.outcome,
    }


def decoded(text: str) -> Any:
    return msgspec.json.decode(text)


def json_response(content: Any) -> Response:
    return Response(msgspec.json.encode(content), media_type="application/json")
