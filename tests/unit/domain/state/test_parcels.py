"""Parcels: the furthest state counts, nothing goes back, lines come from what we ordered."""

from __future__ import annotations

import pytest
from kette.domain import facts as f
from kette.domain.actions import idempotency_key
from support.intake_orders import PLACED_AT
from support.order_facts import MINUTE, done, failed, file_of, key_of, parcel, shipped

P = f.ParcelState


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([], P.ANNOUNCED),
        ([P.ANNOUNCED], P.ANNOUNCED),  # "in transit" needs the carrier's word (karrio#478)
        ([P.SHIPPED], P.SHIPPED),
        ([P.SHIPPED, P.ANNOUNCED], P.SHIPPED),
        ([P.DELIVERED, P.SHIPPED], P.DELIVERED),
        ([P.DELIVERED, P.DELAYED], P.DELIVERED),
        ([P.DELAYED], P.SHIPPED),
        ([P.SHIPPED, P.RETURNED], P.RETURNED),
        ([P.RETURNED, P.DELIVERED], P.RETURNED),
        ([P.FAILED], P.FAILED),
        ([P.FAILED, P.ANNOUNCED], P.FAILED),
        ([P.FAILED, P.SHIPPED], P.SHIPPED),
        ([P.CANCELLED, P.SHIPPED], P.SHIPPED),  # cancelled too late: it travels
        ([P.FAILED, P.CANCELLED], P.CANCELLED),
    ],
    ids=lambda states: "+".join(states) or "nothing" if isinstance(states, list) else str(states),
)
def test_the_furthest_state_counts(states: list[P], expected: P) -> None:
    """Failure case 35: delivered then in transit; the status never goes back."""
    file = file_of(shipped(), *(parcel(state) for state in states))
    assert [p.state for p in file.parcels] == [expected]


@pytest.mark.parametrize(
    ("states", "is_delayed"),
    [
        ([P.SHIPPED, P.DELAYED], True),
        ([P.DELAYED, P.SHIPPED], False),  # it moves again
        ([P.DELAYED, P.DELIVERED], False),
        ([P.DELIVERED, P.DELAYED], False),
    ],
)
def test_a_delay_is_the_last_word_of_a_parcel_under_way(states: list[P], is_delayed: bool) -> None:
    (told,) = file_of(shipped(), *(parcel(state) for state in states)).parcels
    assert told.is_delayed is is_delayed


def test_a_parcel_of_ours_has_number_lines_and_tracking() -> None:
    (told,) = file_of(
        shipped(1, "p1", [("1", 2)], tracking_number="TN1", tracking_url="https://t.example/1")
    ).parcels
    assert (told.number, told.lines) == (1, (f.ShippedLine("1", 2),))
    assert (told.tracking_number, told.tracking_url) == ("TN1", "https://t.example/1")


def test_the_carriers_tracking_number_wins_and_is_not_lost_again() -> None:
    (told,) = file_of(
        shipped(tracking_number="TN1"),
        parcel(P.SHIPPED, tracking_number="TN2", carrier="dhl"),
        parcel(P.DELIVERED),
    ).parcels
    assert (told.tracking_number, told.carrier) == ("TN2", "dhl")


def test_several_parcels_keep_their_numbers() -> None:
    """Failure case 34: two shipments with two tracking numbers."""
    file = file_of(
        shipped(2, "p2", [("2", 1)], tracking_number="TN2"),
        shipped(1, "p1", [("1", 2)], tracking_number="TN1"),
        parcel(P.SHIPPED, "p2"),
    )
    assert [(p.id, p.number, p.state, p.tracking_number) for p in file.parcels] == [
        ("p1", 1, P.ANNOUNCED, "TN1"),
        ("p2", 2, P.SHIPPED, "TN2"),
    ]


def test_a_parcel_made_elsewhere_has_no_number() -> None:
    (told,) = file_of(parcel(P.SHIPPED, "foreign")).parcels
    assert (told.id, told.number, told.lines) == ("foreign", 0, ())


def test_a_failed_order_for_a_parcel_is_no_parcel() -> None:
    assert file_of(failed("create_shipment:1", error="no such street")).parcels == ()


@pytest.mark.parametrize(
    ("states", "expected"),
    [([], P.CANCELLED), ([P.FAILED], P.CANCELLED), ([P.SHIPPED], P.SHIPPED)],
)
def test_a_recalled_parcel_is_cancelled_unless_it_left(states: list[P], expected: P) -> None:
    recalled = done("cancel_fulfillment:p1", answer={"cancelled": "p1"})
    (told,) = file_of(shipped(), recalled, *(parcel(s) for s in states)).parcels
    assert told.state is expected


def test_times_of_a_parcel() -> None:
    (told,) = file_of(
        shipped(), parcel(P.ANNOUNCED), parcel(P.SHIPPED), parcel(P.DELIVERED), parcel(P.SHIPPED)
    ).parcels
    assert told.shipped_at == PLACED_AT + 2 * MINUTE
    assert told.delivered_at == PLACED_AT + 3 * MINUTE


def test_the_first_success_of_an_action_stays_and_failures_do_not_hide_it() -> None:
    file = file_of(
        failed("create_shipment:1", error="timeout"),
        shipped(1, "p1"),
        shipped(1, "p-other"),
        failed("create_shipment:1", error="late failure"),
    )
    assert [p.id for p in file.parcels] == ["p1"]
    (report,) = file.reports.values()
    assert (report.done, report.reference) == (True, "p1")


def test_of_failures_the_last_counts() -> None:
    file = file_of(
        failed("create_shipment:1", error="first"), failed("create_shipment:1", error="second")
    )
    assert [r.error for r in file.reports.values()] == ["second"]


OURS = idempotency_key(key_of("create_shipment:1"))


@pytest.mark.parametrize(
    ("case", "reports", "expected"),
    [
        ("nobody has reported yet", (), [("p1", 0, True)]),
        ("tried and to be tried again", (failed("create_shipment:1"),), [("p1", 0, True)]),
        ("given up", (failed("create_shipment:1", retryable=False),), [("p1", 0, False)]),
        ("reported", (shipped(),), [("p1", 1, False)]),
        ("a person's word", (shipped(parcel_id="Ida"),), [("p1", 1, False)]),
        ("another one's report", (shipped(2, "p2"),), [("p2", 2, False), ("p1", 0, True)]),
    ],
)
def test_a_parcel_with_our_reference_waits_for_our_report(
    case: str, reports: tuple[f.ActionReported, ...], expected: list[tuple[str, int, bool]]
) -> None:
    """The carrier was faster, or n8n was killed: its lines are known by the report alone."""
    file = file_of(parcel(P.ANNOUNCED, own_reference=OURS), *reports)
    assert [(p.id, p.number, p.awaits_report) for p in file.parcels] == expected
