"""Notices, invoices and filing: each once per order, kind and shipment, never for an event."""

from __future__ import annotations

import msgspec
import pytest
from kette.domain import facts as f
from kette.domain.decide import Assessment, Decision, Duplicate
from kette.domain.findings import Finding, Severity
from kette.domain.order import ShopClaim
from kette.domain.policy import Setup
from support.intake_orders import ANKE, PLACED_AT
from support.order_facts import (
    DAY,
    SETUP,
    TOTAL,
    actions_of,
    decided,
    digital_order,
    dispute,
    document,
    done,
    eur,
    failed,
    file_of,
    paid_by_shop,
    parcel,
    payment,
    refund,
    setup_with,
    shipped,
    shop_refund,
    snapshot,
    stocked,
    told,
    without_system,
)

C, P, S, R = ShopClaim, f.ParcelState, f.PaymentState, f.RefundState
CANCEL = f.CancelRequested("Ida", "no longer wanted")
PAID = (snapshot(), payment())
OUT = (*PAID, stocked(line_1=2, line_2=1), shipped(), parcel(P.SHIPPED))
SENT = done("notify:confirmation")
Bodies = tuple[f.FactBody, ...]


def notices(decision: Decision) -> set[str]:
    return {
        name.removeprefix("notify:")
        for name, action in actions_of(decision).items()
        if action.kind == "notify"
    }


def documents_wanted(bodies: Bodies, setup: Setup = SETUP) -> set[str]:
    kinds = ("issue_invoice", "issue_credit_note", "archive_document")
    decision = decided(bodies, setup)
    return {name for name, a in actions_of(decision).items() if a.kind in kinds}


# --- notices -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("why", "bodies", "expected"),
    [
        ("at the provider's page", (snapshot(C.PENDING),), set()),
        ("the card was refused", (snapshot(C.FAILED), payment(S.FAILED)), set()),
        ("prepayment", (snapshot(C.ON_HOLD, payment_method="bacs"),), {"confirmation"}),
        ("paid", PAID, {"confirmation"}),
        ("paid, shop behind", (snapshot(C.PENDING), payment()), {"confirmation"}),
        ("reserved", (snapshot(C.PENDING), payment(S.AUTHORIZED)), {"confirmation"}),
        ("cash on delivery", (snapshot(payment_method="cod"),), {"confirmation"}),
        ("the order never came", (payment(),), set()),
        ("cancelled at once", (snapshot(C.CANCELLED),), set()),
        ("label made", (*PAID, shipped()), {"confirmation"}),
        ("handed over", OUT, {"confirmation", "shipped:1"}),
        ("late", (*OUT, parcel(P.DELAYED)), {"confirmation", "shipped:1", "delayed:1"}),
        ("arrived", (*OUT, parcel(P.DELIVERED)), {"confirmation", "shipped:1", "delivered"}),
        ("came back", (*OUT, parcel(P.RETURNED)), {"confirmation", "shipped:1"}),
        ("foreign parcel", (*PAID, parcel(P.SHIPPED, "x9")), {"confirmation", "shipped:x9"}),
        ("money back", (*PAID, refund(minor=500)), {"confirmation", "refunded:re_1"}),
        ("refund pending", (*PAID, refund(R.PENDING)), {"confirmation"}),
        ("refund failed", (*PAID, refund(R.FAILED)), {"confirmation"}),
        ("cancelled, told before", (*PAID, SENT, CANCEL), {"confirmation", "cancelled"}),
        ("cancelled before anything was told", (*PAID, CANCEL), set()),
        ("cancelled under way", (*OUT, SENT, CANCEL), {"confirmation", "shipped:1"}),
    ],
)
def test_what_the_customer_hears(why: str, bodies: Bodies, expected: set[str]) -> None:
    assert notices(decided(bodies)) == expected, why


def test_every_notice_once_however_often_it_is_told() -> None:
    """Failure cases 3, 15, 36 and 37: one mail per order, kind and shipment."""
    story: Bodies = (*OUT, parcel(P.DELAYED), parcel(P.DELIVERED), refund(minor=500))
    once = told(*story)
    again = [*once, *told(*story[::-1], since=PLACED_AT + DAY)]
    assert notices(decided(once)) == notices(decided(again + once))


def test_a_delay_that_was_told_stays_told() -> None:
    """The parcel moves again: the mail is neither withdrawn nor sent anew."""
    bodies = (*OUT, parcel(P.DELAYED), done("notify:delayed:1"), parcel(P.SHIPPED))
    assert "delayed:1" in notices(decided(bodies))


def test_a_second_dispute_of_the_same_cancellation_sends_no_second_mail() -> None:
    """Failure case 37: shop, person and timer all cancel; one key, one mail."""
    bodies = (*PAID, SENT, CANCEL, snapshot(C.CANCELLED, version=2), f.OrderRemoved())
    decision = decided(bodies)
    assert [a.key for a in decision.actions if ":cancelled" in a.key] == [
        "notify:ord_test:cancelled"
    ]


def test_partial_shipments_are_told_by_parcel() -> None:
    """Failure case 34: the first of two is a part, the last makes it whole."""
    first = (*PAID, shipped(1, "p1", [("1", 2)]), parcel(P.SHIPPED, "p1"))
    assert notices(decided(first)) == {"confirmation", "partially_shipped:1"}
    both = (*first, shipped(2, "p2", [("2", 1)]), parcel(P.SHIPPED, "p2"))
    assert notices(decided(both)) == {"confirmation", "partially_shipped:1", "shipped:2"}
    one_there = (*both, parcel(P.DELIVERED, "p1"))
    assert "delivered" not in notices(decided(one_there))
    assert "delivered" in notices(decided((*one_there, parcel(P.DELIVERED, "p2"))))


def test_a_repeated_order_is_not_confirmed() -> None:
    twin = Assessment(duplicate=Duplicate("ord_first", "101", ("same basket",)))
    assert notices(decided(PAID, assessment=twin)) == set()


def test_an_order_with_a_question_is_confirmed_all_the_same() -> None:
    bad = Finding("x", "delivery.line1", Severity.ERROR, "no street", "", "", "invalid_address")
    assert notices(decided(PAID, assessment=Assessment(findings=(bad,)))) == {"confirmation"}


def test_nobody_to_write_to() -> None:
    nameless = (snapshot(billing=msgspec.structs.replace(ANKE, email="")), payment())
    assert notices(decided(nameless)) == set()
    assert notices(decided(PAID, without_system("mail"))) == set()
    quiet = setup_with(customer={"notices": ("shipped",)})
    assert notices(decided(OUT, quiet)) == {"shipped:1"}


def test_reminders_of_a_card_order_wait_for_their_link() -> None:
    unpaid: Bodies = (snapshot(C.PENDING),)
    at = PLACED_AT + 3 * DAY
    assert notices(decided(unpaid, now=at)) == set()
    ready = (*unpaid, done("send_payment_reminder:1", link="https://pay.example/1"))
    decision = decided(ready, now=at)
    assert notices(decision) == {"payment_reminder:1"}
    payload = actions_of(decision)["notify:payment_reminder:1"].payload
    assert (payload["link"], payload["n"]) == ("https://pay.example/1", "1")
    broken = (*unpaid, failed("send_payment_reminder:1", error="rate limit"))
    assert notices(decided(broken, now=at)) == set()


def test_reminders_of_a_transfer_need_none() -> None:
    unpaid: Bodies = (snapshot(C.ON_HOLD, payment_method="bacs"),)
    assert "payment_reminder:1" in notices(decided(unpaid, now=PLACED_AT + 3 * DAY))
    assert "payment_reminder:2" in notices(decided(unpaid, now=PLACED_AT + 7 * DAY))
    over = notices(decided(unpaid, now=PLACED_AT + 14 * DAY))
    assert not any(name.startswith("payment_reminder") for name in over)


def test_a_reminder_that_was_sent_stays_and_a_paid_order_gets_no_other() -> None:
    sent = (
        snapshot(C.ON_HOLD, payment_method="bacs"),
        done("notify:payment_reminder:1"),
        paid_by_shop(version=2),
    )
    decision = decided(sent, now=PLACED_AT + 9 * DAY)
    reminders = {name for name in notices(decision) if name.startswith("payment_reminder")}
    assert reminders == {"payment_reminder:1"}


def test_a_refused_card_is_told_with_its_link() -> None:
    refused: Bodies = (snapshot(C.FAILED), payment(S.FAILED))
    link = done("offer_alternative_payment:failed", link="https://pay.example/9")
    decision = decided((*refused, link))
    payload = actions_of(decision)["notify:payment_reminder:failed"].payload
    assert payload["link"] == "https://pay.example/9"


# --- documents -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("why", "bodies", "is_due"),
    [
        ("paid, still here", PAID, False),
        ("label made", (*PAID, shipped()), False),
        ("first of two parcels", (*PAID, shipped(1, "p1", [("1", 2)]), parcel(P.SHIPPED)), False),
        ("handed over", OUT, True),
        ("cash on delivery, handed over", (snapshot(payment_method="cod"), *OUT[2:]), True),
        ("digital and paid", (digital_order(), payment(minor=1070)), True),
        ("digital and unpaid", (digital_order(claim=C.PENDING),), False),
        ("digital and free", (digital_order(total=eur(0)),), True),
        ("cancelled", (*PAID, CANCEL), False),
        ("refunded before shipping", (*PAID, refund()), False),
        ("refunded after shipping", (*OUT, refund()), True),
        ("disputed after shipping", (*OUT, dispute(f.DisputeState.NEEDS_RESPONSE)), True),
        ("disputed before shipping", (*PAID, dispute(f.DisputeState.NEEDS_RESPONSE)), False),
        ("too little money", (snapshot(), payment(minor=TOTAL - 1)), False),
        ("shipped by the shop", (paid_by_shop(C.COMPLETED),), True),
    ],
)
def test_when_the_invoice_is_due(why: str, bodies: Bodies, is_due: bool) -> None:
    assert ("issue_invoice" in documents_wanted(bodies)) is is_due, why


def test_the_invoice_comes_with_the_money_where_the_merchant_wants_it() -> None:
    setup = setup_with(accounting={"invoice_at": "payment"})
    assert "issue_invoice" in documents_wanted(PAID, setup)
    assert "issue_invoice" not in documents_wanted((snapshot(C.PENDING),), setup)


def test_an_issued_invoice_stays_and_is_filed() -> None:
    """Failure case 15: two events set "paid" twice; the key is the order's, so is the invoice."""
    assert documents_wanted((*OUT, document())) == {
        "issue_invoice",
        "archive_document:RE-2026-000001",
    }
    assert "issue_invoice" in documents_wanted((*OUT, document(), refund(), CANCEL))
    assert documents_wanted((*OUT, document()), without_system("archive")) == {"issue_invoice"}


def test_each_refund_corrects_the_invoice_once() -> None:
    bodies = (*OUT, document(), refund(minor=500), refund(minor=200, refund_id="re_2"))
    wanted = documents_wanted(bodies)
    assert {"issue_credit_note:re_1", "issue_credit_note:re_2"} <= wanted
    payload = actions_of(decided(bodies))["issue_credit_note:re_1"].payload
    assert payload == {
        "refund_id": "re_1",
        "amount": {"amount": "5.00", "currency": "EUR"},
        "corrects": "RE-2026-000001",
    }
    recorded_in_shop_too = (*bodies, snapshot(version=2, refunds=(shop_refund(500),)))
    assert documents_wanted(recorded_in_shop_too) == wanted


@pytest.mark.parametrize("state", [R.PENDING, R.FAILED])
def test_money_that_did_not_move_corrects_nothing(state: R) -> None:
    """Failure case 26."""
    assert "issue_credit_note:re_1" not in documents_wanted((*OUT, document(), refund(state)))


def test_without_an_invoice_there_is_nothing_to_correct() -> None:
    assert documents_wanted((*PAID, refund(minor=500))) == set()


def test_the_file_of_the_story_holds_what_the_rules_saw() -> None:
    assert len(file_of(*OUT, document()).documents) == 1
