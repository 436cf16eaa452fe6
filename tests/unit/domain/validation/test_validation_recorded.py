"""All orders of the recorded shop: nothing is held that should not be."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from kette.adapters.vendors.base import UnknownPayloadError
from kette.adapters.vendors.woocommerce.translate import translate
from kette.domain.duplicates import find_duplicate_of, fingerprint
from kette.domain.facts import OrderSnapshot
from kette.domain.findings import Severity
from kette.domain.order import Order
from kette.domain.risk import RiskSignals, RiskVerdict, assess_risk
from kette.domain.validation import validate_order
from kette.policies import load_intake_data
from kette.setup_file import load_setup
from support.vendor_deliveries import recorded

SETUP = load_setup(
    Path(__file__).parents[4] / "fixtures" / "setups" / "woocommerce-payment-invoice.yaml", {}
)
# What is blocked, and why: a carrier would refuse it.
BLOCKED = {
    "addr-no-postcode": {"postal_code_missing"},  # REST takes orders without one
}
# What a person is told while the order goes on.
WARNED = {
    "addr-no-number": {
        "house_number_missing"
    },  # "Gutshof Seeblick": a house with a name may be right
    "company-vat-meta": {"vat_id_invalid"},  # DE123456789: the check digit is wrong
    "company-vat-field": {"vat_id_invalid"},
    "high-value": {"phone_invalid"},
    "note-emoji-newlines": {"note_gift"},  # "bitte schön einpacken"
    "note-neighbour": {"note_neighbour"},
}


@cache
def snapshots() -> tuple[tuple[str, Order], ...]:
    found = []
    for delivery in recorded():
        try:
            translation = translate(delivery.delivery)
        except UnknownPayloadError:
            continue  # signed error objects hold no order
        found += [
            (delivery.scenario, fact.body.order)
            for fact in translation.facts
            if isinstance(fact.body, OrderSnapshot)
        ]
    return tuple(found)


def test_all_recorded_orders_are_looked_at() -> None:
    assert len(snapshots()) == 216
    assert len({order.external_id for _, order in snapshots()}) == 71


def findings_of(severity: Severity) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for scenario, order in snapshots():
        for finding in validate_order(order, order.delivery_address, SETUP, load_intake_data()):
            if finding.severity is severity:
                found.setdefault(scenario, set()).add(finding.code)
    return found


def test_only_the_bad_address_is_blocked() -> None:
    assert findings_of(Severity.ERROR) == BLOCKED


def test_warnings_are_the_expected_ones() -> None:
    assert findings_of(Severity.WARNING) == WARNED


def test_only_the_order_posted_twice_is_a_duplicate() -> None:
    last = {order.external_id: (scenario, order) for scenario, order in snapshots()}
    prints = [fingerprint(order, b"key") for _, order in last.values()]
    found = {
        order.external_id: match.original.external_id
        for _, order in last.values()
        if (
            match := find_duplicate_of(
                fingerprint(order, b"key"), prints, SETUP.intake.duplicate_window_s
            )
        )
    }
    twice = [order.external_id for scenario, order in last.values() if scenario == "duplicate-post"]
    assert len(twice) == 2
    assert found == {twice[1]: twice[0]}


@pytest.mark.parametrize("scenario", ["high-value", "shipping-other-country", "b2c-19"])
def test_no_recorded_order_is_risky_by_itself(scenario: str) -> None:
    for name, order in snapshots():
        if name == scenario:
            found = assess_risk(order, RiskSignals(), SETUP.risk, load_intake_data().risk)
            assert found.verdict is RiskVerdict.CLEAR
