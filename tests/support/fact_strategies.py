"""Hypothesis strategies over all kinds of facts of one order. Ids come from small pools, so that
facts meet: two words on one payment, a report of a wanted action, a resolved exception."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from hypothesis import strategies as st
from kette.domain import facts as f
from kette.domain.decide import Assessment, Duplicate, RiskVerdict
from kette.domain.findings import Finding, Severity
from kette.domain.money import Money
from kette.domain.order import ShopClaim
from kette.domain.status import RiskStatus

from support.intake_orders import ANKE, PLACED_AT
from support.order_facts import (
    BOOK,
    EBOOK,
    MUGS,
    SETUP,
    TOTAL,
    eur,
    fact,
    key_of,
    setup_with,
    shop_refund,
    snapshot,
    without_system,
)

amounts = st.sampled_from([0, 1, 500, 1000, TOTAL - 1, TOTAL, TOTAL + 1, 2 * TOTAL])
instants = st.sampled_from(range(40)).map(lambda n: PLACED_AT + timedelta(hours=11 * n))
money = st.builds(Money, amounts, st.sampled_from(["EUR", "EUR", "EUR", "CHF"]))
payments = st.sampled_from(["pi_1", "pi_2", "ch_1"])
charges = st.sampled_from(["", "ch_1", "ch_2"])
parcels = st.sampled_from(["p1", "p2", "foreign"])
people = st.sampled_from(["Ida", "Jan"])
addresses = st.sampled_from(
    [ANKE, *(msgspec.structs.replace(ANKE, line1=line) for line in ("Weg 2", "Allee 7", ""))]
)
action_keys = st.sampled_from(
    [
        *map(key_of, ("check_stock:1", "check_stock:2", "create_shipment:1", "create_shipment:2")),
        *map(key_of, ("cancel_fulfillment:p1", "cancel_fulfillment:p2", "refund_payment:cancel")),
        *map(key_of, ("refund_payment:shop-501", "notify:confirmation", "cancel_order:unpaid")),
        *map(key_of, ("notify:payment_reminder:1", "offer_alternative_payment:failed")),
        *map(key_of, ("send_payment_reminder:1", "issue_invoice", "update_shop_order:completed")),
        *map(key_of, ("hold_order:x", "release_order:paid", "add_shop_note:x")),
    ]
)
exception_keys = st.sampled_from(
    [
        *map(key_of, ("out_of_stock:1", "out_of_stock:2", "payment_open:processing-unpaid")),
        *map(key_of, ("order_stuck:paid-but-cancelled", "fulfillment_blocked:p1")),
        *map(key_of, ("chargeback:dp_1", "cancelled_after_shipment:out", "order_stuck:no-order")),
        *map(key_of, ("duplicate_order:ord_first", "amount_mismatch:refund-501")),
    ]
)
lines = st.sampled_from([(MUGS, BOOK), (MUGS,), (EBOOK,), (MUGS, EBOOK), ()])
shop_refunds = st.sampled_from(
    [(), (shop_refund(500),), (shop_refund(500), shop_refund(500, "502")), (shop_refund(TOTAL),)]
)
snapshots = st.builds(
    lambda claim, rows, version, method, paid_at, refunds, delivery, total, origin: snapshot(
        claim,
        rows,
        version,
        payment_method=method,
        paid_at=paid_at,
        refunds=refunds,
        shipping=delivery,
        total=eur(total),
        origin=origin,
    ),
    st.sampled_from(ShopClaim),
    lines,
    st.integers(1, 9),
    st.sampled_from(["stripe", "bacs", "cod", ""]),
    st.none() | instants,
    shop_refunds,
    addresses,
    amounts,
    st.sampled_from(["checkout", "admin"]),
)
shipped_lines = st.lists(
    st.builds(f.ShippedLine, st.sampled_from(["1", "2"]), st.integers(0, 2)), max_size=2
).map(tuple)
reports = st.builds(
    lambda key, done, reference, amount, pieces, stock, cancelled: f.ActionReported(
        key,
        key.split(":", 1)[0],
        done,
        reference=reference,
        amount=amount if "refund_payment" in key else None,
        shipped=pieces if "create_shipment" in key else (),
        stock=stock if "check_stock" in key else (),
        answer={"cancelled": cancelled} if "cancel_fulfillment" in key else {},
        error="" if done else "failed",
    ),
    action_keys,
    st.booleans(),
    st.sampled_from(["", "re_1", "p1", "p2"]),
    st.none() | money,
    shipped_lines,
    st.lists(
        st.builds(f.StockLine, st.sampled_from(["1", "2"]), st.integers(0, 2)), max_size=2
    ).map(tuple),
    st.sampled_from(["p1", "p2", "p1,p2", ""]),
)
bodies: st.SearchStrategy[f.FactBody] = st.one_of(
    snapshots,
    st.builds(f.OrderRemoved),
    st.builds(f.OrderRestored),
    st.builds(
        f.OrderBackfilled,
        st.integers(0, 9).map(lambda n: f"2026-11-23T20:{n:02d}:00"),
        instants,
    ),
    st.builds(
        f.PaymentReported,
        payments,
        st.sampled_from(f.PaymentState),
        money,
        charges,
        expires_at=st.none() | instants,
        risk_score=st.none() | st.integers(0, 100),
    ),
    st.builds(
        f.RefundReported,
        st.sampled_from(["re_1", "re_2"]),
        payments,
        st.sampled_from(f.RefundState),
        money,
        action_key=st.just("") | action_keys,
    ),
    st.builds(f.RefundTotalReported, payments, money, charges),
    st.builds(
        f.DisputeReported,
        st.sampled_from(["dp_1", "dp_2"]),
        payments,
        st.sampled_from(f.DisputeState),
        money,
        due_at=st.none() | instants,
    ),
    st.builds(f.PayoutReported, st.just("po_1"), st.just("paid"), money),
    st.builds(f.ParcelReported, parcels, st.sampled_from(f.ParcelState)),
    st.builds(f.ProductReported, st.just("11"), st.just("BECHER"), st.just("1"), st.just(3),
              st.booleans()),
    reports,
    st.builds(f.AddressCorrected, addresses, people, st.just("called")),
    st.builds(f.ApprovalGiven, st.just("risk") | action_keys, st.booleans(), people, st.just("ok")),
    st.builds(f.CancelRequested, people, st.just("no longer wanted")),
    st.builds(f.NoteAdded, people, st.just("note")),
    st.builds(
        f.ExceptionHandled,
        exception_keys,
        st.sampled_from(["resolve", "assign", "snooze"]),
        people,
        st.just("looked"),
        st.sampled_from(["accepted", "fixed", "done"]),
    ),
    st.builds(
        f.DocumentIssued,
        st.sampled_from(["RE-1", "RK-1"]),
        st.sampled_from(f.DocumentKind),
        action_keys,
        money,
        st.just("2026-11-24"),
    ),
    st.builds(f.RunFailed, st.just("w"), st.just("n"), st.just("1"), st.just("x"), st.just("m")),
    st.builds(f.PayloadUnknown, st.just("t"), st.just("r"), st.just("d")),
)  # fmt: skip


@st.composite
def fact_sets(draw: st.DrawFn, max_size: int = 14) -> list[f.Fact]:
    """Facts of one order; several may share an instant."""
    told = draw(st.lists(st.tuples(instants, bodies), max_size=max_size))
    return [
        fact(body, at, f"{n}", draw(st.sampled_from(["woo-main", "stripe-main"])))
        for n, (at, body) in enumerate(told)
    ]


findings = st.builds(
    Finding,
    st.sampled_from(["a", "b"]),
    st.sampled_from(["delivery.line1", "total"]),
    st.sampled_from(Severity),
    st.just("message"),
    exception_kind=st.sampled_from(["", "invalid_address", "tax_mismatch", "special_note"]),
)
assessments = st.builds(
    Assessment,
    st.lists(findings, max_size=3).map(tuple),
    st.builds(RiskVerdict, st.integers(0, 120), st.sampled_from(RiskStatus), st.just(("why",))),
    st.none() | st.just(Duplicate("ord_first", "101", ("same basket",))),
)
setups = st.sampled_from(
    [
        SETUP,
        without_system("mail"),
        without_system("payment"),
        setup_with(payment={"mirror_holds": True, "shop_refunds_moved_by": "kette"}),
        setup_with(approvals={"refund_over": eur(1000)}),
        setup_with(
            fulfillment={"check_stock": False, "ship_on_authorization": True},
            accounting={"invoice_at": "payment"},
        ),
        setup_with(fulfillment={"partial_delivery": False}),
    ]
)
moments: st.SearchStrategy[datetime] = instants
