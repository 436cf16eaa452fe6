"""Pulls: n8n asks what to ask a shop next, and hands in what the shop answered."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter, Depends, Request

from kette.api.auth import INGESTERS, READERS, require
from kette.api.bodies import JsonRoute
from kette.api.problems import documented
from kette.api.schemas import PullAnswerIn, PullIn, PullOut, PullStatesOut
from kette.api.service import service_of
from kette.domain.pull_state import Counts, PullState
from kette.domain.pulls import Answer
from kette.use_cases.errors import InvalidInputError
from kette.use_cases.pull import Turn

router = APIRouter(tags=["pulls"], route_class=JsonRoute, responses=documented(401, 403, 404, 422))


@router.post(
    "/v1/pulls/{system_id}",
    response_model=PullOut,
    dependencies=[Depends(require(INGESTERS))],
    summary="Say what to ask a shop next",
)
def post_pull(request: Request, system_id: str, body: PullIn) -> dict[str, Any]:
    """Without an answer: begin. With one: take it in and go on. Anything but the step `ask` ends
    the caller's turn. Handing in twice does no harm."""
    pulling = service_of(request).pulling
    if body.answer is None:
        return _turn(pulling.begin(system_id))
    if not body.pull_id:
        raise InvalidInputError("pull_id", "an answer belongs to a pull")
    return _turn(pulling.hand_in(system_id, body.pull_id, _answer(body.answer)))


@router.get(
    "/v1/pulls",
    response_model=PullStatesOut,
    dependencies=[Depends(require(READERS))],
    summary="How far the pulls are",
)
def get_pulls(request: Request) -> dict[str, Any]:
    with service_of(request).kernel.store.read() as tx:
        return {"items": [_state(state) for state in tx.pulls.all()]}


def _answer(told: PullAnswerIn) -> Answer:
    headers = {name.lower(): _header(value) for name, value in told.headers.items()}
    return Answer(told.status, headers, told.body.encode("utf-8", "replace"))


def _header(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _turn(turn: Turn) -> dict[str, Any]:
    ask = turn.ask
    return {
        "step": turn.step,
        "pull_id": turn.pull_id,
        "ask": None
        if ask is None
        else {"method": ask.method, "url": turn.url, "path": ask.path, "body": ask.body},
        "wait_s": turn.wait_s,
        "counts": _counts(turn.counts),
        "told": turn.told,
        "reason": turn.reason,
    }


def _state(state: PullState) -> dict[str, Any]:
    problems = state.webhook_problems
    return {
        "system_id": state.system_id,
        "purpose": state.purpose,
        "since": state.since,
        "watermark": state.watermark,
        "completed_at": state.completed_at,
        "is_under_way": state.run is not None,
        "failures": state.failures,
        "last_error": state.last_error,
        "counts": _counts(state.last_counts),
        "webhook_problems": None if problems is None else list(problems),
    }


def _counts(counts: Counts) -> dict[str, int]:
    return msgspec.structs.asdict(counts)
