"""Stateless checks: validate an order, normalize an address, assess a risk."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Request

from kette.api import views
from kette.api.auth import READERS, require
from kette.api.bodies import JsonRoute
from kette.api.problems import documented
from kette.api.schemas import AddressIn, RiskIn, ValidateIn
from kette.api.service import service_of
from kette.api.structs import read_signals
from kette.domain.address import normalize_address
from kette.domain.notes import find_wishes
from kette.domain.order import Address
from kette.domain.risk import RiskSignals, assess_risk
from kette.domain.validation import validate_order

router = APIRouter(tags=["checks"], route_class=JsonRoute, responses=documented(401, 403, 404, 422))
_readers = [Depends(require(READERS))]


@router.post("/v1/addresses/normalize", dependencies=_readers)
def post_normalize(request: Request, body: AddressIn) -> dict[str, Any]:
    """Read an address into its parts. What is uncertain is proposed, never changed."""
    data = service_of(request).data
    result: dict[str, Any] = views.public(
        normalize_address(Address(**body.model_dump()), data.address)
    )
    return result


@router.post("/v1/orders/validate", dependencies=_readers)
def post_validate(request: Request, body: ValidateIn) -> dict[str, Any]:
    """Judge an order without recording anything: canonical order, findings, risk."""
    service = service_of(request)
    order = service.read_order(body.system_id, body.order)
    setup = service.kernel.setup
    findings = validate_order(order, order.delivery_address, setup, service.data)
    risk = assess_risk(order, RiskSignals(), setup.risk, service.data.risk)
    placed_on = order.placed_at.astimezone(ZoneInfo(setup.merchant.time_zone)).date()
    return {
        "order": views.public(order),
        "findings": views.public(findings),
        "notes": views.public(find_wishes(order.customer_note, placed_on, service.data.notes)),
        "risk": views.public(risk),
        "valid": not any(finding.is_blocking for finding in findings),
    }


@router.post("/v1/risk/assess", dependencies=_readers)
def post_risk(request: Request, body: RiskIn) -> dict[str, Any]:
    """Score with reasons. `signals`: what is known beside the order, see the documentation."""
    service = service_of(request)
    order = service.read_order(body.system_id, body.order)
    signals = read_signals(body.signals)
    result: dict[str, Any] = views.public(
        assess_risk(order, signals, service.kernel.setup.risk, service.data.risk)
    )
    return result
