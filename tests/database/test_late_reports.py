"""n8n was killed after it had ordered a parcel: the carrier tells of it before our report does."""

from __future__ import annotations

import json

import pytest
from kette.use_cases.tick import tick
from sandbox.signing import sign_sendcloud
from support.service_box import SENDCLOUD_SECRET, ServiceBox, ready_setup, woo_id
from support.vendor_deliveries import vendor_fixture

SHIPMENT = f"create_shipment:{woo_id(102)}:1"
PIECES = 2  # in the order; one of them is not in stock
ANNOUNCED, IN_TRANSIT = 1000, 3


@pytest.fixture
def box(database_url: str) -> ServiceBox:
    return ServiceBox(database_url, setup=ready_setup(fulfillment={"partial_delivery": True}))


def carrier_tells(box: ServiceBox, status: int, reference: str) -> None:
    event = vendor_fixture("sendcloud", "parcel_status_changed")
    event["timestamp"] += status
    event["parcel"] |= {
        "id": 3178,
        "order_number": "102",
        "external_order_id": "",
        "external_reference": reference,
        "status": {"id": status, "message": "told"},
    }
    raw = json.dumps(event).encode()
    signed = sign_sendcloud(SENDCLOUD_SECRET.decode(), raw)
    box.service.ingest("sendcloud-main", {"sendcloud-signature": signed}, raw)


def leased_shipment(box: ServiceBox) -> str:
    """A parcel for one of two pieces is with n8n; returns the reference that it gets."""
    box.paid_order(102)
    (stock,) = box.lease("fulfillment")
    (line,) = stock["data"]["lines"]
    assert line["quantity"] == PIECES
    product = {"id": int(line["product_id"]), "stock_status": "instock"}
    counted = {"manage_stock": True, "stock_quantity": -1}
    box.report(stock["key"], answer={"products": [product | counted]})
    (shipment,) = box.lease("fulfillment")
    assert [x["quantity"] for x in shipment["data"]["lines"]] == [1]
    return str(shipment["data"]["external_reference"])


def notices(box: ServiceBox) -> set[str]:
    prefix = f"notify:{woo_id(102)}:"
    return {key.removeprefix(prefix) for key in box.actions() if key.startswith(prefix)}


def test_a_parcel_of_ours_carries_what_its_report_will_say(box: ServiceBox) -> None:
    """It counted as carrying everything: the missing piece was invoiced and never sent, and a
    report that came after all made a second "shipped" mail."""
    reference = leased_shipment(box)
    for status in (ANNOUNCED, IN_TRANSIT):
        carrier_tells(box, status, reference)
        assert "issue_invoice" not in {row.kind for row in box.actions().values()}
        assert notices(box) == {"confirmation"}
    assert [x.kind for x in box.exceptions().values()] == ["out_of_stock"]

    box.clock.move(seconds=121)
    tick(box.kernel)
    assert box.action(SHIPMENT).state == "pending"  # it comes again and finds its parcel
    box.clock.move(seconds=10)
    (again,) = box.lease("fulfillment")
    assert (again["key"], again["attempt"]) == (SHIPMENT, 2)
    box.report(SHIPMENT, answer={"parcel": {"id": 3178}})
    assert box.statuses(woo_id(102))["fulfillment"] == "partially_shipped"
    assert notices(box) == {"confirmation", "partially_shipped:1"}


def test_a_parcel_that_nobody_will_report_carries_everything(box: ServiceBox) -> None:
    reference = leased_shipment(box)
    box.report(SHIPMENT, False, error="refused", retryable=False)
    carrier_tells(box, IN_TRANSIT, reference)
    assert box.statuses(woo_id(102))["fulfillment"] == "shipped"


def test_a_person_who_says_done_means_the_parcel_that_the_carrier_told(box: ServiceBox) -> None:
    reference = leased_shipment(box)
    carrier_tells(box, ANNOUNCED, reference)
    box.report(SHIPMENT, False, error="refused", retryable=False)
    (entry,) = (x for x in box.exceptions().values() if x.kind == "action_failed")
    box.service.people.resolve(entry.id, "done", "Ida", "the label lies here")
    carrier_tells(box, IN_TRANSIT, reference)
    assert box.statuses(woo_id(102))["fulfillment"] == "partially_shipped"


def test_it_is_recalled_when_the_order_is_cancelled(box: ServiceBox) -> None:
    reference = leased_shipment(box)
    carrier_tells(box, ANNOUNCED, reference)
    box.service.people.cancel(woo_id(102), "Ida", "the customer called")
    (recall,) = (row for row in box.actions().values() if row.kind == "cancel_fulfillment")
    assert recall.payload["parcels"][0]["id"] == "3178"
