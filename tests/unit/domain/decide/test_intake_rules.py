"""Order intake: what holds an order, who is asked, and what a person's word changes."""

from __future__ import annotations

import msgspec
import pytest
from kette.domain import facts as f
from kette.domain.decide import Assessment, Duplicate, RiskVerdict
from kette.domain.findings import Finding, Severity
from kette.domain.order import ShopClaim
from kette.domain.status import OrderStatus, RiskStatus
from support.intake_orders import ANKE, PLACED_AT
from support.order_facts import (
    DAY,
    HOUR,
    MINUTE,
    actions_of,
    corrected,
    decided,
    exceptions_of,
    fact,
    payment,
    resolved,
    snapshot,
    told,
    without_system,
)


def finding(
    kind: str, severity: Severity = Severity.ERROR, field: str = "delivery.line1", before: str = ""
) -> Finding:
    return Finding(f"{kind}_code", field, severity, f"{kind} at {field}", before, "", kind)


def judged(*findings: Finding) -> Assessment:
    return Assessment(findings=findings)


BAD = judged(finding("invalid_address"))
PAID = (snapshot(), payment())


def open_key(assessment: Assessment) -> str:
    (key,) = exceptions_of(decided(PAID, assessment=assessment))
    return key


def test_a_blocking_finding_opens_an_exception_notes_it_and_asks_the_customer_once() -> None:
    decision = decided(PAID, assessment=BAD)
    ((key, entry),) = exceptions_of(decision).items()
    assert key.startswith("invalid_address:")
    assert (entry.kind, entry.blocking) == ("invalid_address", True)
    assert entry.context["findings"][0]["field"] == "delivery.line1"
    assert sorted(name.split(":")[0] for name in actions_of(decision)) == [
        "add_shop_note",
        "notify",  # the confirmation: the order was placed
        "request_correction",
    ]
    assert decided(PAID, assessment=BAD) == decision


def test_a_warning_is_shown_and_the_order_goes_on() -> None:
    decision = decided(PAID, assessment=judged(finding("special_note", Severity.WARNING)))
    (entry,) = exceptions_of(decision).values()
    assert (entry.kind, entry.blocking) == ("special_note", False)
    assert decision.statuses.order is OrderStatus.VALID
    assert "add_shop_note" not in {name.split(":")[0] for name in actions_of(decision)}


def test_what_the_customer_cannot_put_right_is_not_asked() -> None:
    actions = actions_of(decided(PAID, assessment=judged(finding("tax_mismatch"))))
    assert {name.split(":")[0] for name in actions} == {"add_shop_note", "notify"}


def test_findings_of_one_kind_are_one_entry() -> None:
    both = judged(finding("invalid_address"), finding("invalid_address", field="delivery.city"))
    decision = decided(PAID, assessment=both)
    (entry,) = exceptions_of(decision).values()
    assert [x["field"] for x in entry.context["findings"]] == ["delivery.line1", "delivery.city"]


def test_without_a_mail_address_or_mail_system_nobody_is_asked() -> None:
    billing = msgspec.structs.replace(ANKE, email="")
    silent = (snapshot(billing=billing), payment())
    for decision in (
        decided(silent, assessment=BAD),
        decided(PAID, without_system("mail"), assessment=BAD),
    ):
        assert "request_correction" not in {name.split(":")[0] for name in actions_of(decision)}


@pytest.mark.parametrize("resolution", ["accepted", "done"])
def test_what_a_person_accepted_stays_accepted(resolution: str) -> None:
    decision = decided((*PAID, resolved(open_key(BAD), resolution)), assessment=BAD)
    assert exceptions_of(decision) == {}
    assert decision.statuses.order is OrderStatus.VALID
    assert "create_shipment" not in str(decided((snapshot(),), assessment=BAD).actions)


def test_fixed_means_look_again() -> None:
    """A person said "fixed" before the shop had sent the better address: the parcel went to the
    old one."""
    decision = decided((*PAID, resolved(open_key(BAD), "fixed")), assessment=BAD)
    assert list(exceptions_of(decision)) == [open_key(BAD)]
    assert decision.statuses.order is OrderStatus.ON_HOLD
    repaired = decided((*PAID, resolved(open_key(BAD), "fixed")), assessment=judged())
    assert exceptions_of(repaired) == {}


def test_a_note_that_was_dealt_with_needs_no_second_look() -> None:
    """It will always stand in the order."""
    note = judged(finding("special_note"))
    decision = decided((*PAID, resolved(open_key(note), "fixed")), assessment=note)
    assert exceptions_of(decision) == {}


def test_a_new_odd_address_is_a_new_entry() -> None:
    other = judged(finding("invalid_address", before="Rosenweg"))
    decision = decided((*PAID, resolved(open_key(BAD))), assessment=other)
    assert list(exceptions_of(decision)) == [open_key(other)]


@pytest.mark.parametrize("claim", [ShopClaim.CANCELLED, ShopClaim.REFUNDED, ShopClaim.COMPLETED])
def test_an_order_that_is_over_is_not_checked(claim: ShopClaim) -> None:
    decision = decided((snapshot(claim),), assessment=BAD)
    assert exceptions_of(decision) == {}


def test_a_duplicate_waits_and_is_not_confirmed() -> None:
    twin = Assessment(duplicate=Duplicate("ord_first", "101", ("same basket",)))
    decision = decided(PAID, assessment=twin)
    assert list(exceptions_of(decision)) == ["duplicate_order:ord_first"]
    assert decision.statuses.order is OrderStatus.ON_HOLD
    assert actions_of(decision) == {}
    accepted = decided((*PAID, resolved("duplicate_order:ord_first")), assessment=twin)
    assert accepted.statuses.order is OrderStatus.VALID


def test_a_risk_waits_for_a_person() -> None:
    risky = Assessment(risk=RiskVerdict(55, RiskStatus.REVIEW, ("high value",)))
    (entry,) = exceptions_of(decided(PAID, assessment=risky)).values()
    assert (entry.kind, entry.blocking, entry.context["score"]) == ("risk_review", True, 55)
    approved = f.ApprovalGiven("risk", True, "Ida", "known")
    assert exceptions_of(decided((*PAID, approved), assessment=risky)) == {}
    refused = f.ApprovalGiven("risk", False, "Ida", "stolen card")
    (entry,) = exceptions_of(decided((*PAID, refused), assessment=risky)).values()
    assert entry.summary == "Refused by Ida: stolen card"


def test_resolving_the_entry_does_not_decide_the_risk() -> None:
    """Only an approval does: the goods stay here."""
    risky = Assessment(risk=RiskVerdict(55, RiskStatus.REVIEW, ("high value",)))
    decision = decided((*PAID, resolved(open_key(risky))), assessment=risky)
    assert decision.statuses.risk is RiskStatus.REVIEW
    assert not any(action.kind == "create_shipment" for action in decision.actions)


def test_a_payment_without_its_order_is_noticed_after_an_hour() -> None:
    """Failure cases 4 and 23: the payment is known, the order's webhook was lost."""
    early = decided((payment(),), now=PLACED_AT + HOUR - MINUTE)
    assert (exceptions_of(early), early.due_at) == ({}, PLACED_AT + HOUR)
    late = decided((payment(),), now=PLACED_AT + HOUR)
    assert list(exceptions_of(late)) == ["order_stuck:no-order"]
    assert actions_of(late) == {}
    assert exceptions_of(decided((payment(), snapshot()), now=PLACED_AT + DAY)) == {}


def test_an_unknown_order_in_the_bin_is_not_missed() -> None:
    """A shop that was connected late tidies up: each old order opened an entry."""
    assert exceptions_of(decided((f.OrderRemoved(),), now=PLACED_AT + DAY)) == {}
    paid = exceptions_of(decided((f.OrderRemoved(), payment()), now=PLACED_AT + DAY))
    assert list(paid) == ["order_stuck:no-order"]


def test_an_order_cancelled_before_it_came_is_not_missed() -> None:
    cancelled = (payment(), f.CancelRequested("Ida", "customer called"))
    assert exceptions_of(decided(cancelled, now=PLACED_AT + DAY)) == {}


def test_a_correction_is_what_is_judged() -> None:
    """decide sees the file; that the checks get the corrected address is assess's matter."""
    facts = [*told(*PAID), fact(corrected(line1="Neu 5"), PLACED_AT + HOUR, "fix")]
    assert exceptions_of(decided(facts)) == {}
