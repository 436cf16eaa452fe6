"""Shapes of requests and answers where they enter or leave. Money is a decimal string with
currency."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Literal

import httpx
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from kette.api.instants import Instant
from kette.domain.actions import Stage
from kette.domain.pull_state import Step
from kette.domain.pulls import Purpose
from kette.web_address import fault_of_address

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Why = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
Text = Annotated[str, StringConstraints(max_length=10_000)]
Key = Annotated[str, StringConstraints(min_length=1, max_length=255)]


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class MoneyOut(Model):
    amount: str = Field(examples=["119.00"])
    currency: str = Field(examples=["EUR"])


class Statuses(Model):
    order: str
    payment: str
    risk: str
    fulfillment: str
    return_: str = Field(alias="return")
    accounting: str


class FetchOut(Model):
    """POST `body` to `url`, `path` below the system's address; the answer is a reading."""

    resource: str = Field(examples=["order"])
    id: str
    path: str = Field(examples=["/api/search/order"])
    url: str = Field(examples=["https://shop.example/api/search/order"])
    body: dict[str, Any]


class EventAnswer(Model):
    """What became of a delivery. An empty fact list is a ping or a topic that needs no
    recording."""

    fact_ids: list[str]
    duplicate: bool
    order_id: str | None
    status: Statuses | None
    exceptions: list[dict[str, Any]]
    actions: list[dict[str, Any]]
    note: str = ""
    fetch: list[FetchOut] = Field(
        default=[], description="What the event asks to be read from the sender's API"
    )


class PullAnswerIn(Model):
    """What the shop answered, as it came. status 0: it did not answer."""

    status: int = Field(ge=0, le=999)
    headers: dict[str, Any] = {}
    body: str = Field(default="", description="The raw body; parsing would change amounts")


class PullIn(Model):
    """Without an answer a pull begins, or goes on where one broke off."""

    pull_id: Annotated[str, StringConstraints(max_length=40)] = ""
    answer: PullAnswerIn | None = None


class PullAskOut(Model):
    """Send this with the shop's own credentials."""

    method: str = Field(examples=["GET"])
    url: str = Field(examples=["https://shop.example/wp-json/wc/v3/orders?page=1"])
    path: str
    body: dict[str, Any] | None


class PullCountsOut(Model):
    fresh: int = Field(description="Objects that told something new")
    known: int
    unread: int = Field(description="Objects that nobody understands; on the exception list")


class PullOut(Model):
    step: Step
    pull_id: str
    ask: PullAskOut | None
    wait_s: float = Field(description="Wait so long before sending the request")
    counts: PullCountsOut
    told: dict[str, int] = Field(description="How many objects each list has, as the shop counts")
    reason: str = ""


class PullStateOut(Model):
    system_id: str
    purpose: Purpose
    since: datetime
    watermark: datetime | None = Field(description="Everything that changed before is in")
    completed_at: datetime | None
    is_under_way: bool
    failures: int
    last_error: str
    counts: PullCountsOut
    webhook_problems: list[str] | None = Field(description="null: never looked at")


class PullStatesOut(Model):
    items: list[PullStateOut]


class LeaseIn(Model):
    stage: Stage
    max: int | None = Field(default=None, ge=1, le=500)
    kinds: list[str] = []
    worker: str = ""


class LeaseOut(Model):
    lease_id: str
    actions: list[dict[str, Any]]


class ResultIn(Model):
    key: Key
    status: Literal["done", "failed"]
    reference: Annotated[str, StringConstraints(max_length=2000)] | None = None
    answer: dict[str, Any] | list[Any] | str | None = None
    error: str | None = None
    retryable: bool = True
    lease_id: str | None = None


class ReportIn(Model):
    results: list[ResultIn] = Field(min_length=1, max_length=1000)


class ReportOut(Model):
    results: list[dict[str, Any]]


def _callable_url(url: str) -> str:
    """What no client can call would make every push of the stage fail."""
    fault = fault_of_address(url)
    if fault:
        raise ValueError(fault)
    if re.search(r"[\s\x00-\x1f\x7f]", url):
        raise ValueError("holds a blank or a control character")
    try:
        httpx.URL(url).host  # noqa: B018 - the client reads it again, in its own way
    except httpx.InvalidURL as error:
        raise ValueError(f"is no URL: {error}") from error
    return url


class SubscriptionIn(Model):
    url: Annotated[
        str,
        StringConstraints(pattern=r"^https?://", max_length=500),
        AfterValidator(_callable_url),
    ]
    stage: Stage | None = None
    events: list[Literal["exception_opened", "status_changed", "alert"]] = []
    name: Annotated[str, StringConstraints(max_length=200)] = ""


class SubscriptionOut(Model):
    id: str
    url: str
    stage: str | None
    events: list[str]
    secret: str | None = Field(default=None, description="Given once, when subscribing")
    created_at: datetime


class InvoicesIn(Model):
    keys: list[Key] = Field(min_length=1, max_length=500)


class AddressIn(Model):
    """An address as somebody typed it."""

    name: Text = ""
    company: Text = ""
    line1: Text = ""
    line2: Text = ""
    postal_code: Text = ""
    city: Text = ""
    region: Text = ""
    country_code: Text = ""
    phone: Text = ""
    email: Text = ""


class CorrectionIn(Model):
    address: AddressIn
    by: Name
    why: Why


class ApprovalIn(Model):
    subject: Key = Field(description="An action key, or 'risk' for a risk review")
    approved: bool
    by: Name
    why: Why


class NoteIn(Model):
    text: Why
    by: Name


class CancelIn(Model):
    by: Name
    why: Why


class AssignIn(Model):
    owner: Name
    by: Name
    why: Why


class ResolveIn(Model):
    resolution: Literal["accepted", "fixed", "done"]
    by: Name
    why: Why


class SnoozeIn(Model):
    until: Instant
    by: Name
    why: Why


class ValidateIn(Model):
    """A vendor's order (`system_id` says whose shape it has) or a canonical one."""

    system_id: Name
    order: dict[str, Any]


class RiskIn(Model):
    system_id: Name
    order: dict[str, Any]
    signals: dict[str, Any] = {}


class ClockIn(Model):
    advance_s: int = Field(ge=0, le=10 * 366 * 86400)
