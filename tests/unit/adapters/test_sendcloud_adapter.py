"""Sendcloud: every status id, phase and exception, who proved the delivery, and answers."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from kette.adapters.vendors.base import Delivery, SignatureError, UnknownPayloadError
from kette.adapters.vendors.sendcloud import SendcloudAdapter, vocabulary
from kette.domain.facts import ActionReported, FactDraft, ParcelReported, ParcelState, Ref
from support.vendor_deliveries import NOW, SENDCLOUD, plain_delivery, vendor_fixture

ADAPTER = SendcloudAdapter()
NUMBER = "00340434161094042557"
URL = f"https://tracking.example.org/forward?code={NUMBER}"


def changed(**parcel: Any) -> Any:
    told = vendor_fixture("sendcloud", "parcel_status_changed")
    told["parcel"] |= parcel
    return told


def event(**changes: Any) -> Any:
    told = vendor_fixture("sendcloud", "parcel_event_in_transit")
    told["data"]["event"] |= changes
    return told


def drafts(body: Any) -> tuple[FactDraft, ...]:
    return ADAPTER.translate(plain_delivery(SENDCLOUD, body)).facts


def state_of(body: Any) -> ParcelState | None:
    found = [draft.body for draft in drafts(body)]
    if not found:
        return None
    (told,) = found
    assert isinstance(told, ParcelReported)
    return told.state


def refusal(body: Any) -> str:
    with pytest.raises(UnknownPayloadError) as refused:
        ADAPTER.translate(plain_delivery(SENDCLOUD, body))
    return refused.value.reason


def test_a_status_webhook_as_a_fact() -> None:
    (draft,) = drafts(vendor_fixture("sendcloud", "parcel_status_changed"))
    assert draft == FactDraft(
        external_id="parcel:412345678:91:1795514400123",
        occurred_at=datetime(2026, 11, 24, 9, 55, tzinfo=UTC),
        body=ParcelReported(
            parcel_id="412345678",
            state=ParcelState.SHIPPED,
            vendor_status="91",
            tracking_number=NUMBER,
            tracking_url=URL,
            carrier="dhl_de",
            message="Parcel en route",
            own_reference="kette-0a1b2c3d4e5f",
        ),
        refs=(
            Ref("sendcloud-main", "parcel:412345678"),
            Ref("kette", "ord_1"),
            Ref("kette", "kette-0a1b2c3d4e5f"),
            Ref("sendcloud-main", f"tracking:{NUMBER}"),
            Ref("woo-main", "number:102"),
        ),
    )


def test_an_event_as_a_fact() -> None:
    (draft,) = drafts(vendor_fixture("sendcloud", "parcel_event_returned"))
    assert draft == FactDraft(
        external_id="parcel:412345678:in_transit/returned_sender:2026-11-27T08:00:00Z",
        occurred_at=datetime(2026, 11, 27, 8, 0, tzinfo=UTC),
        body=ParcelReported(
            parcel_id="412345678",
            state=ParcelState.RETURNED,
            vendor_status="in_transit/returned_sender",
            tracking_number=NUMBER,
            carrier="dhl_de",
            message="Parcel is going back",
        ),
        refs=(
            Ref("sendcloud-main", "parcel:412345678"),
            Ref("sendcloud-main", f"tracking:{NUMBER}"),
        ),
    )


@pytest.mark.parametrize("status", sorted(vocabulary.STATUS_BY_ID))
def test_every_status_id(status: int) -> None:
    body = changed(status={"id": status, "message": "words change"})
    assert state_of(body) is vocabulary.STATUS_BY_ID[status]


@pytest.mark.parametrize("code", sorted(vocabulary.STATUS_BY_CODE))
def test_every_status_code(code: str) -> None:
    assert state_of(changed(status={"code": code})) is vocabulary.STATUS_BY_CODE[code]


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (1, ParcelState.ANNOUNCED),  # a label is no shipment (karrio#478)
        (13, ParcelState.ANNOUNCED),
        (1002, ParcelState.FAILED),
        (3, ParcelState.SHIPPED),
        (4, ParcelState.DELAYED),
        (12, ParcelState.SHIPPED),
        (11, ParcelState.DELIVERED),
        (93, ParcelState.DELIVERED),
        (62992, ParcelState.RETURNED),
        (2000, ParcelState.CANCELLED),
        (1337, None),
    ],
)
def test_statuses_that_matter_most(status: int, state: ParcelState | None) -> None:
    assert state_of(changed(status={"id": status})) is state


@pytest.mark.parametrize("phase", sorted(vocabulary.PHASES))
def test_every_phase(phase: str) -> None:
    assert state_of(event(phase=phase)) is vocabulary.PHASES[phase]


@pytest.mark.parametrize("exception", sorted(vocabulary.EXCEPTIONS))
def test_every_exception_before_and_after_the_carrier_has_it(exception: str) -> None:
    before, after = vocabulary.EXCEPTIONS[exception]
    announced = event(phase="announced", exception=exception)
    assert state_of(announced) is (before or ParcelState.ANNOUNCED)
    assert state_of(event(exception=exception)) is (after or ParcelState.SHIPPED)


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"is_returned": True}, ParcelState.RETURNED),
        ({"phase": "delivered", "is_returned": True}, ParcelState.RETURNED),  # back at the shop
        ({"phase": "delivered", "exception": "damaged"}, ParcelState.DELIVERED),
        ({"phase": "delivered", "exception": "delivery_delay"}, ParcelState.DELIVERED),
        ({"phase": "announced", "exception": "address_error"}, ParcelState.FAILED),
        ({"phase": "in_transit", "exception": "address_error"}, ParcelState.DELAYED),
        ({"phase": "IN_TRANSIT", "exception": None}, ParcelState.SHIPPED),
    ],
)
def test_phase_and_exception_together(changes: dict[str, Any], state: ParcelState) -> None:
    assert state_of(event(**changes)) is state


def test_a_return_parcel_says_nothing_about_the_delivery() -> None:
    """Its "delivered" means that it reached the merchant."""
    told = ADAPTER.translate(plain_delivery(SENDCLOUD, changed(is_return=True, status={"id": 11})))
    assert (told.facts, told.note) == ((), "parcel 412345678 is a return parcel")


@pytest.mark.parametrize(
    ("timestamp", "carrier", "expected"),
    [
        (1795514400, None, "2026-11-24T10:00:00+00:00"),  # seconds
        (1795514400000, None, "2026-11-24T10:00:00+00:00"),  # milliseconds
        (1795514400000000, None, "2026-11-24T10:00:00+00:00"),
        (1795514400000, 1795514100, "2026-11-24T09:55:00+00:00"),  # the carrier's time is truer
        (1795514400000, 0, "2026-11-24T10:00:00+00:00"),
        (123, 123, NOW.isoformat()),  # the documentation's example
    ],
)
def test_times_are_told_apart_by_size(timestamp: int, carrier: Any, expected: str) -> None:
    body = changed() | {"timestamp": timestamp, "carrier_status_change_timestamp": carrier}
    (draft,) = drafts(body)
    assert draft.occurred_at.isoformat() == expected


def test_the_same_change_told_twice_is_one_fact() -> None:
    """Sendcloud repeats up to ten times and has no id of an event."""
    first, again = drafts(changed()), drafts(changed(weight="2.000"))
    assert [d.external_id for d in first] == [d.external_id for d in again]
    other = drafts(changed(status={"id": 92, "message": "Driver en route"}))
    assert first[0].external_id != other[0].external_id


def test_orders_of_sendclouds_own_shop_connection_are_found_by_the_shops_id() -> None:
    (draft,) = drafts(changed(external_order_id="102", external_reference=None))
    assert Ref("woo-main", "order:102") in draft.refs


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({}, "action: missing"),
        ({"action": "parcel_teleported"}, "no such action is known"),
        ({"event_type": "orders.event.created"}, "no such action is known"),
        ({"action": "parcel_status_changed"}, "parcel.id: missing or not an id"),
        ({"action": "parcel_status_changed", "parcel": []}, "unexpected shape"),
        (changed(status={"id": 77, "message": "Melted"}), "parcel.status.id: 77 ('Melted')"),
        (changed(status={"code": "MELTED"}), "parcel.status.code: 'MELTED'"),
        (changed(status=None), "parcel.status.id: missing"),
        (changed() | {"timestamp": None}, "timestamp: missing or not an id"),
        (event(phase="melted"), "data.event.phase: 'melted' is not a known phase"),
        (event(exception="melted"), "data.event.exception: 'melted' is not a known exception"),
        (event(timestamp="yesterday"), "data.event.timestamp: missing or not a time"),
        ({"event_type": "parcels.event.created", "data": []}, "data: missing or not an object"),
    ],
)
def test_refused_payloads(body: Any, reason: str) -> None:
    assert refusal(body).startswith(reason)


@pytest.mark.parametrize(
    "action",
    ["integration_connected", "integration_updated", "integration_deleted", "return_created"],
)
def test_actions_without_consequence(action: str) -> None:
    told = ADAPTER.translate(plain_delivery(SENDCLOUD, {"action": action, "integration": {}}))
    assert (told.facts, told.note) == ((), f"{action} is of no concern here")


class TestSignature:
    VECTOR = vendor_fixture("sendcloud", "signature_vector")

    def verify(self, headers: dict[str, str], *secrets: bytes, **options: str) -> None:
        system = msgspec.structs.replace(SENDCLOUD, options=options)
        body = self.VECTOR["raw_body"].encode()
        ADAPTER.verify(Delivery(system, headers, body, NOW), secrets)

    def test_the_documentations_vector(self) -> None:
        header = {"sendcloud-signature": self.VECTOR["expected_hex"]}
        self.verify(header, self.VECTOR["secret"].encode())
        self.verify(header, b"the next secret", self.VECTOR["secret"].encode())

    @pytest.mark.parametrize(
        ("headers", "secrets", "reason"),
        [
            ({}, [b"secretkey"], "no Sendcloud-Signature header"),
            ({"sendcloud-signature": "00"}, [b"secretkey"], "the signature does not match"),
            ({"sendcloud-signature": "ä"}, [b"secretkey"], "the signature does not match"),
            ({"sendcloud-signature": "00"}, [], "no webhook secret is set up"),
            ({"authorization": "Bearer secretkey"}, [b"secretkey"], "no Sendcloud-Signature"),
        ],
    )
    def test_refused(self, headers: dict[str, str], secrets: list[bytes], reason: str) -> None:
        with pytest.raises(SignatureError) as refused:
            self.verify(headers, *secrets)
        assert refused.value.reason.startswith(reason)

    def test_one_changed_byte(self) -> None:
        body = self.VECTOR["raw_body"].encode()
        signature = hmac.new(b"secretkey", body, hashlib.sha256).hexdigest()
        forged = Delivery(SENDCLOUD, {"sendcloud-signature": signature}, body + b" ", NOW)
        with pytest.raises(SignatureError):
            ADAPTER.verify(forged, [b"secretkey"])

    @pytest.mark.parametrize(
        ("options", "headers"),
        [
            ({"event_auth": "bearer"}, {"authorization": "Bearer token"}),
            (
                {"event_auth": "basic"},
                {"authorization": "Basic " + base64.b64encode(b"kette:token").decode()},
            ),
            ({"event_auth": "api_key"}, {"x-api-key": "token"}),
            ({"event_auth": "api_key", "event_auth_header": "X-Own"}, {"x-own": "token"}),
        ],
    )
    def test_event_connections_that_the_setup_allows(
        self, options: dict[str, str], headers: dict[str, str]
    ) -> None:
        self.verify(headers, b"token", **options)
        with pytest.raises(SignatureError, match="credential of the event connection is wrong"):
            self.verify(headers, b"other", **options)
        with pytest.raises(SignatureError, match=r"no .* credential in the headers"):
            self.verify({"authorization": "Digest x"}, b"token", **options)


class TestReports:
    @pytest.mark.parametrize("shape", ["parcel", "bare", "list", "data"])
    def test_a_parcel_that_was_made(self, shape: str) -> None:
        parcel = vendor_fixture("sendcloud", "parcel_created_answer")["parcel"]
        answers = {
            "parcel": {"parcel": parcel},
            "bare": parcel,
            "list": {"parcels": [parcel], "next": None},
            "data": {"data": {"parcels": [parcel]}},
        }
        report = ActionReported(
            key="create_shipment:ord_1:1", kind="create_shipment", done=True, answer=answers[shape]
        )
        told = ADAPTER.translate_report(report)
        assert (told.reference, told.tracking_number, told.tracking_url) == (
            "412345678",
            NUMBER,
            URL,
        )

    def test_what_the_workflow_named_is_kept(self) -> None:
        report = ActionReported(
            key="k", kind="create_shipment", done=True, reference="7", answer={"id": 8}
        )
        assert ADAPTER.translate_report(report).reference == "7"

    @staticmethod
    def refused(kind: str, answer: dict[str, Any], error: str = "400") -> ActionReported:
        report = ActionReported(
            key="k", kind=kind, done=False, retryable=False, error=error, answer=answer
        )
        return ADAPTER.translate_report(report)

    @pytest.mark.parametrize(
        ("answer", "error"),
        [
            ({"status": "failed", "message": "This parcel is already cancelled"}, "400"),
            ({"status": "deleted", "message": "Parcel has been deleted"}, "410"),
            ({"status": "queued", "message": "Cancellation has been queued"}, "409"),
            ({"error": {"code": 400, "message": "Parcel was already cancelled."}}, "400"),
            ({}, "Bad request: This parcel has already been cancelled"),
        ],
    )
    def test_a_parcel_that_was_cancelled_before_is_cancelled(
        self, answer: dict[str, Any], error: str
    ) -> None:
        """A run was killed before it reported, or staff cancelled in Sendcloud's panel."""
        told = self.refused("cancel_fulfillment", answer | {"cancelled": "412345678"}, error)
        assert (told.done, told.error) == (True, "")

    @pytest.mark.parametrize(
        ("kind", "answer"),
        [
            (
                "cancel_fulfillment",
                {"status": "failed", "message": "Shipped parcels can not be cancelled"},
            ),
            ("cancel_fulfillment", {"error": {"message": "No Parcel matches the given query."}}),
            ("create_shipment", {"error": {"message": "postal_code: 'Invalid postal code.'"}}),
            ("create_shipment", {"error": {"message": "external_reference: 'Too long.'"}}),
            ("create_shipment", {"status": "failed", "message": "already cancelled"}),
        ],
    )
    def test_what_sendcloud_refuses_for_good_stays_refused(
        self, kind: str, answer: dict[str, Any]
    ) -> None:
        told = self.refused(kind, answer)
        assert (told.done, told.retryable, told.error) == (False, False, "400")

    def test_one_of_several_parcels_says_nothing_of_the_others(self) -> None:
        answer = {"status": "failed", "message": "This parcel is already cancelled"}
        told = self.refused("cancel_fulfillment", answer | {"cancelled": "412345678,412345679"})
        assert not told.done

    def test_a_reference_that_is_known_is_looked_up_by_the_next_try(self) -> None:
        """Two runs had the same action: the other one's parcel is found under its reference."""
        text = "external_reference: 'Parcel with this external reference already exists.'"
        told = self.refused("create_shipment", {"error": {"code": 400, "message": text}})
        assert (told.done, told.retryable) == (False, True)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"external_reference": "kette-0123abcd"}, "kette-0123abcd"),
        ({"external_reference": None, "reference": "kette-0123abcd"}, "kette-0123abcd"),
        ({"external_reference": "kette-", "reference": "0"}, ""),
        ({"external_reference": "4711", "reference": None}, ""),
    ],
)
def test_a_parcel_that_we_asked_for_is_known_by_its_reference(
    fields: dict[str, Any], expected: str
) -> None:
    (draft,) = drafts(changed(**fields))
    assert isinstance(draft.body, ParcelReported)
    assert draft.body.own_reference == expected


SAMPLES = Path(
    os.environ.get("KETTE_VENDOR_SAMPLES", Path(__file__).parents[4] / "shared" / "samples")
)


@pytest.mark.skipif(not (SAMPLES / "sendcloud").is_dir(), reason="no folder of vendor samples here")
@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("v2_v3_webhook_parcel_status_changed", ParcelState.ANNOUNCED),
        ("v3_event_parcel_in_transit", ParcelState.SHIPPED),
        ("v3_event_parcel_delivered", ParcelState.DELIVERED),
    ],
)
def test_published_samples(name: str, state: ParcelState) -> None:
    assert state_of((SAMPLES / "sendcloud" / f"{name}.json").read_bytes()) is state
