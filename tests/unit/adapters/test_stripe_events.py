"""Stripe: events of API versions 2017 to 2026 as facts, and what is refused."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from kette.adapters.vendors.stripe.amounts import to_stripe
from kette.domain import facts as f
from kette.domain.money import Money
from support.stripe_events import ADAPTER, bodies, drafts, event, refusal
from support.vendor_deliveries import STRIPE, plain_delivery, vendor_fixture

AT = 1795464000  # of the fixtures
EUR = "EUR"
CARD: dict[str, Any] = {
    "method": "card",
    "card_country": "DE",
    "fingerprint": "FpOrder102",
    "risk_score": 12,
    "risk_level": "normal",
    "expires_at": datetime.fromtimestamp(AT + 7 * 86400, UTC),
}
PAID = f.PaymentReported(
    "pi_3Order102", f.PaymentState.CAPTURED, Money(3470, EUR), "ch_3Order102", **CARD
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "payment_intent_succeeded",
            [
                f.PaymentReported(
                    "pi_3Order102",
                    f.PaymentState.CAPTURED,
                    Money(3470, EUR),
                    "ch_3Order102",
                    method="card",
                )
            ],
        ),
        (
            "payment_intent_payment_failed",
            [
                f.PaymentReported(
                    "pi_3Order102",
                    f.PaymentState.FAILED,
                    Money(3470, EUR),
                    "ch_3Order102a",
                    method="card",
                    code="insufficient_funds",
                    message="Your card has insufficient funds.",
                )
            ],
        ),
        ("charge_succeeded", [PAID]),
        (
            "charge_authorized",
            [msgspec.structs.replace(PAID, state=f.PaymentState.AUTHORIZED)],
        ),
        ("charge_captured_in_part", [msgspec.structs.replace(PAID, amount=Money(2000, EUR))]),
        ("charge_expired", [msgspec.structs.replace(PAID, state=f.PaymentState.VOIDED)]),
        (
            "charge_refunded_2026",
            [
                PAID,
                f.RefundTotalReported("pi_3Order102", Money(1490, EUR), "ch_3Order102"),
            ],
        ),
        (
            "charge_refunded_2020",
            [
                PAID,
                f.RefundReported(
                    "re_3Order102",
                    "pi_3Order102",
                    f.RefundState.SUCCEEDED,
                    Money(1490, EUR),
                    "ch_3Order102",
                    "refund_payment:ord_1:shop-141",
                    "requested_by_customer",
                ),
            ],
        ),
        (
            "charge_succeeded_2017",
            [
                f.PaymentReported(
                    "ch_1Old",
                    f.PaymentState.CAPTURED,
                    Money(5900, EUR),
                    "ch_1Old",
                    method="card",
                    card_country="FR",
                    fingerprint="FpOld",
                    risk_level="elevated",
                )
            ],
        ),
        (
            "refund_failed",
            [
                f.RefundReported(
                    "re_3Order102",
                    "pi_3Order102",
                    f.RefundState.FAILED,
                    Money(1490, EUR),
                    "ch_3Order102",
                    "refund_payment:ord_1:shop-141",
                    "lost_or_stolen_card",
                )
            ],
        ),
        (
            "dispute_created",
            [
                f.DisputeReported(
                    "dp_3Order102",
                    "pi_3Order102",
                    f.DisputeState.NEEDS_RESPONSE,
                    Money(3470, EUR),
                    "ch_3Order102",
                    "fraudulent",
                    datetime.fromtimestamp(AT + 8 * 86400, UTC),
                )
            ],
        ),
        (
            "checkout_session_completed",
            [f.PaymentReported("pi_3Link102", f.PaymentState.CAPTURED, Money(3470, EUR))],
        ),
        ("payout_paid", [f.PayoutReported("po_1Nov", "paid", Money(154320, EUR), "2026-11-25")]),
        (
            "review_opened",
            [f.NoteAdded("stripe-main", "A review of the payment is open at the provider: rule")],
        ),
    ],
)
def test_events_as_facts(name: str, expected: list[Any]) -> None:
    assert expected == bodies(vendor_fixture("stripe", name))


@pytest.mark.parametrize(
    ("status", "more", "state"),
    [
        ("requires_payment_method", {}, f.PaymentState.PENDING),
        ("requires_confirmation", {}, f.PaymentState.PENDING),
        (
            "requires_action",
            {},
            f.PaymentState.PENDING,
        ),  # 3-D Secure is a state (worldmonitor#4436)
        ("processing", {}, f.PaymentState.PROCESSING),
        ("requires_capture", {"amount_capturable": 3470}, f.PaymentState.AUTHORIZED),
        ("succeeded", {"amount_received": 3470}, f.PaymentState.CAPTURED),
        ("canceled", {}, f.PaymentState.VOIDED),
        ("canceled", {"latest_charge": None}, f.PaymentState.FAILED),
        ("requires_source", {"latest_charge": None}, f.PaymentState.PENDING),  # before 2019
    ],
)
def test_the_state_is_read_off_the_object(
    status: str, more: dict[str, Any], state: f.PaymentState
) -> None:
    body = event("payment_intent_succeeded", "payment_intent.created", status=status, **more)
    (told,) = bodies(body)
    assert (told.state, told.amount) == (state, Money(3470, EUR))


def test_a_part_of_a_reservation_taken_is_the_amount() -> None:
    (told,) = bodies(event("payment_intent_succeeded", amount_received=2000))
    assert told.amount == Money(2000, EUR)


def test_old_intents_list_their_charges_and_the_newest_counts() -> None:
    old, new = ({"id": f"ch_{n}", "created": n, "status": "succeeded"} for n in (1, 2))
    body = event("payment_intent_succeeded", latest_charge=None, charges={"data": [new, old]})
    assert [told.charge_id for told in bodies(body)] == ["ch_2"]


def test_the_rest_let_go_at_a_partial_capture_is_no_refund() -> None:
    body = event("charge_captured_in_part", amount_refunded=1470 + 500, type="charge.refunded")
    body["type"] = "charge.refunded"
    paid, total = bodies(body)
    assert (paid.amount, total.refunded) == (Money(2000, EUR), Money(500, EUR))


def test_a_capture_in_part_before_2020_is_told_by_the_refunded_amount() -> None:
    body = event("charge_captured_in_part")
    del body["data"]["object"]["amount_captured"]
    (told,) = bodies(body)
    assert told.amount == Money(2000, EUR)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("pending", f.RefundState.PENDING),
        ("requires_action", f.RefundState.PENDING),
        ("succeeded", f.RefundState.SUCCEEDED),
        ("failed", f.RefundState.FAILED),
        ("canceled", f.RefundState.FAILED),
        (None, f.RefundState.SUCCEEDED),  # before refunds had a status
    ],
)
def test_refund_states(status: str | None, state: f.RefundState) -> None:
    for event_type in ("refund.updated", "charge.refund.updated"):
        (told,) = bodies(event("refund_updated", event_type, status=status))
        assert told.state is state


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("warning_needs_response", f.DisputeState.INQUIRY),
        ("warning_under_review", f.DisputeState.INQUIRY),
        ("warning_closed", f.DisputeState.INQUIRY_CLOSED),
        ("prevented", f.DisputeState.INQUIRY_CLOSED),
        ("needs_response", f.DisputeState.NEEDS_RESPONSE),
        ("under_review", f.DisputeState.UNDER_REVIEW),
        ("won", f.DisputeState.WON),
        ("lost", f.DisputeState.LOST),
    ],
)
def test_dispute_states(status: str, state: f.DisputeState) -> None:
    for verb in ("created", "updated", "closed", "funds_withdrawn", "funds_reinstated"):
        (told,) = bodies(event("dispute_created", f"charge.dispute.{verb}", status=status))
        assert told.state is state


@pytest.mark.parametrize(
    ("event_type", "changes", "state"),
    [
        ("completed", {"payment_status": "unpaid"}, f.PaymentState.PROCESSING),
        ("async_payment_succeeded", {}, f.PaymentState.CAPTURED),
        ("async_payment_failed", {"payment_status": "unpaid"}, f.PaymentState.FAILED),
        ("expired", {"payment_status": "unpaid", "payment_intent": None}, f.PaymentState.FAILED),
    ],
)
def test_checkout_sessions(event_type: str, changes: dict[str, Any], state: f.PaymentState) -> None:
    body = event("checkout_session_completed", f"checkout.session.{event_type}", **changes)
    assert [told.state for told in bodies(body)] == [state]


@pytest.mark.parametrize(
    "changes",
    [{"payment_status": "no_payment_required"}, {"mode": "setup"}, {"mode": "subscription"}],
)
def test_sessions_without_a_payment_record_nothing(changes: dict[str, Any]) -> None:
    assert drafts(event("checkout_session_completed", **changes)) == ()


@pytest.mark.parametrize(
    ("currency", "amount", "money"),
    [
        ("eur", 3470, Money(3470, "EUR")),
        ("jpy", 500, Money(500, "JPY")),
        ("kwd", 5120, Money(5120, "KWD")),
        ("isk", 500, Money(5, "ISK")),  # two decimals for compatibility, always 00
        ("ugx", 500, Money(5, "UGX")),
        ("huf", 1045, Money(1045, "HUF")),
        ("twd", 80045, Money(80045, "TWD")),
        ("mga", 5, Money(500, "MGA")),  # no decimals at Stripe, two in ISO 4217
        ("vnd", 5000, Money(5000, "VND")),
    ],
)
def test_minor_units_by_stripes_own_list(currency: str, amount: int, money: Money) -> None:
    body = event(
        "payment_intent_succeeded", currency=currency, amount=amount, amount_received=amount
    )
    assert [told.amount for told in bodies(body)] == [money]
    # And back: a refund of the whole is told in the same integer.
    assert to_stripe(money) == amount


@pytest.mark.parametrize(
    ("amount", "currency", "reason"),
    [
        (550, "isk", "amount: 550 ISK is not a whole number of minor units"),
        (-1, "eur", "amount: -1 is not a whole number"),
        ("12.5", "eur", "amount: 12.5 is not a whole number"),
        (None, "eur", "amount: missing or not an amount"),
        (100, "euro", "currency: missing or not a currency"),
    ],
)
def test_amounts_that_cannot_be_are_refused(amount: Any, currency: str, reason: str) -> None:
    body = event("payment_intent_succeeded", amount=amount, currency=currency)
    assert refusal(body).startswith(reason)


def test_payouts_may_take_money_back() -> None:
    (told,) = bodies(event("payout_paid", amount=-500, status="failed"))
    assert (told.amount, told.state) == (Money(-500, EUR), "failed")


class TestTestEvents:
    LIVE = msgspec.structs.replace(STRIPE, options={})

    def test_a_live_system_refuses_them(self) -> None:
        reason = refusal(vendor_fixture("stripe", "charge_succeeded"), self.LIVE)
        assert reason.startswith("livemode: a test event, refused")

    def test_live_events_pass(self) -> None:
        body = vendor_fixture("stripe", "charge_succeeded") | {"livemode": True}
        assert len(drafts(body, self.LIVE)) == 1


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({}, "type: missing"),
        ({"id": "evt_1", "type": "charge.succeeded"}, "data.object: missing"),
        ({"id": "evt_1", "type": "brand.new", "created": AT}, "no such type of event is known"),
        ({"id": "evt_1", "type": "charge.succeeded", "data": 5}, "unexpected shape"),
        (event("charge_succeeded", status="melted"), "status: 'melted' is not a known status"),
        (event("refund_updated", status="melted"), "status: 'melted' is not a known status"),
        (event("dispute_created", status="melted"), "status: 'melted' is not a known status"),
        (event("refund_updated", charge=None, payment_intent=None), "charge: neither charge nor"),
        (event("charge_succeeded") | {"id": None}, "id: missing or not an id"),
    ],
)
def test_refused_events(body: Any, reason: str) -> None:
    assert refusal(body).startswith(reason)


@pytest.mark.parametrize(
    "event_type", ["customer.created", "invoice.paid", "balance.available", "payment_link.created"]
)
def test_events_without_consequence(event_type: str) -> None:
    told = ADAPTER.translate(plain_delivery(STRIPE, {"id": "evt_1", "type": event_type}))
    assert (told.facts, told.note) == ((), f"{event_type} is of no concern here")


SAMPLES = Path(
    os.environ.get("KETTE_VENDOR_SAMPLES", Path(__file__).parents[4] / "shared" / "samples")
)


@pytest.mark.skipif(not (SAMPLES / "stripe").is_dir(), reason="no folder of vendor samples here")
def test_published_samples_are_all_understood() -> None:
    kinds = {}
    for path in sorted((SAMPLES / "stripe").glob("event_*.json")):
        told = ADAPTER.translate(plain_delivery(STRIPE, path.read_bytes()))
        kinds[path.stem] = [type(draft.body).__name__ for draft in told.facts]
    assert kinds == {
        "event_balance_available": [],
        "event_charge_dispute_created": ["DisputeReported"],
        "event_charge_refunded": ["PaymentReported", "RefundReported"],
        "event_charge_succeeded": ["PaymentReported"],
        "event_checkout_session_completed_payment_mode": ["PaymentReported"],
        "event_payment_intent_created": ["PaymentReported"],
        "event_payment_intent_payment_failed": ["PaymentReported"],
        "event_payment_intent_processing": ["PaymentReported"],
        "event_payment_intent_succeeded": ["PaymentReported"],
        "event_payout_created": ["PayoutReported"],
        "event_payout_paid": ["PayoutReported"],
    }
