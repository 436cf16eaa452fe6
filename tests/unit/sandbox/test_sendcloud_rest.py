"""The carrier platform's checks, its duplicate guard and its cancellations."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from support.sandbox_box import Box

PARCEL = {
    "name": "Ole Hansen",
    "address": "Am Markt",
    "house_number": "1",
    "city": "Husum",
    "postal_code": "25813",
    "country": "DE",
    "weight": "1.000",
    "order_number": "101",
    "request_label": True,
    "external_reference": "kette-1",
}
VENDORS = Path(__file__).parents[3] / "fixtures" / "vendors" / "sendcloud"


@pytest.fixture
def box() -> Box:
    return Box()


async def create(box: Box, **changes: Any) -> tuple[int, Any]:
    parcel = {key: value for key, value in {**PARCEL, **changes}.items() if value is not None}
    answer = await box.carrier("POST", "/parcels", json={"parcel": parcel})
    return answer.status_code, answer.json()


def test_a_parcel_has_label_and_tracking(box: Box) -> None:
    status, body = asyncio.run(create(box))
    parcel = body["parcel"]
    assert (status, parcel["status"]["id"]) == (200, 1000)
    assert parcel["tracking_number"] in parcel["tracking_url"]
    known = json.loads((VENDORS / "parcel_created_answer.json").read_text(encoding="utf-8"))
    missing = set(known.get("parcel", known)) - set(parcel)
    # fields of carriers that the sandbox does not play
    assert missing <= {"awb_tracking_number", "box_number", "length", "width", "height"} | {
        "shipping_method_checkout_name",
        "insured_value",
        "total_insured_value",
        "to_service_point",
        "to_state",
        "customs_information",
        "customs_invoice_nr",
        "customs_shipment_type",
        "type",
        "note",
        "errors",
    }


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"house_number": None}, "house_number: 'This field cannot be blank.'"),
        ({"name": None}, "name: 'This field is required.'"),
        ({"postal_code": "2581"}, "postal_code: 'Invalid postal code.'"),
        ({"country": "XX"}, "country: 'Invalid country: XX'"),
        ({"weight": 1}, "weight: 'Not a valid string.'"),
        ({"address": "Packstation", "house_number": "123"}, "to_post_number"),
        ({"request_label": "yes"}, "request_label"),
    ],
    ids=["no number", "no name", "short postcode", "no land", "weight a number", "locker", "label"],
)
def test_refusals_have_sendclouds_error_object(
    box: Box, changes: dict[str, Any], text: str
) -> None:
    status, body = asyncio.run(create(box, **changes))
    assert (status, body["error"]["code"], body["error"]["request"]) == (400, 400, "api/v2/parcels")
    assert text in body["error"]["message"]
    assert box.sandbox.sendcloud.parcels() == []


def test_an_external_reference_is_used_once_and_can_be_looked_up(box: Box) -> None:
    async def twice() -> tuple[int, int, int]:
        first, _ = await create(box)
        second, _ = await create(box)
        query = {"external_reference": "kette-1"}
        found = await box.carrier("GET", "/parcels", params=query)
        return first, second, len(found.json()["parcels"])

    assert asyncio.run(twice()) == (200, 400, 1)


@pytest.mark.parametrize(
    ("scan", "status"), [("", 200), ("in_transit", 400), ("delivered", 400), ("cancelled", 400)]
)
def test_only_a_parcel_that_has_not_left_is_cancelled(box: Box, scan: str, status: int) -> None:
    parcel_id = asyncio.run(create(box))[1]["parcel"]["id"]
    if scan:
        box.sandbox.sendcloud.scan(parcel_id, scan)
    answer = asyncio.run(box.carrier("POST", f"/parcels/{parcel_id}/cancel"))
    assert answer.status_code == status


def test_a_stranger_is_refused(box: Box) -> None:
    box.carrier_auth = ("somebody", "else")
    assert asyncio.run(create(box))[0] == 401
