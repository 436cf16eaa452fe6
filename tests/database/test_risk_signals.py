"""Risk signals that come from other orders: found by keys that tell nobody whose they are."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from kette.adapters.database.order_tables import RELATED
from kette.domain.duplicates import fingerprint, twin_keys
from kette.domain.facts import ApprovalGiven
from kette.domain.money import Money
from kette.use_cases.decide_order import load_file
from kette.use_cases.usual_totals import UsualTotals
from support.service_box import (
    ServiceBox,
    card_order,
    paid_event,
    sqlite_url,
    stripe_request,
    woo_id,
)
from support.vendor_deliveries import vendor_fixture
from support.woo_orders import changed

BILLING = changed()["billing"]


def customer(number: int, **more: str) -> dict[str, str]:
    """Everybody has an own name and mail address, and lives elsewhere."""
    return BILLING | {
        "first_name": f"Person{number}",
        "email": f"person{number}@example.org",
        "address_1": f"Lange Reihe {number}",
        **more,
    }


def place(box: ServiceBox, number: int, card: str = "", **more: Any) -> str:
    """An order at the clock's time, paid by a card of this fingerprint."""
    at = box.clock.at.strftime("%Y-%m-%dT%H:%M:%S")
    billing = more.pop("billing", customer(number))
    shipping = {k: v for k, v in billing.items() if k != "email"}
    fields = {
        "billing": billing,
        "shipping": shipping,
        "date_created_gmt": at,
        "date_modified_gmt": at,
        **more,
    }
    box.woo(card_order(number, **fields), delivery=f"d{number}")
    event = paid_event(number, "charge_succeeded")
    told = event["data"]["object"]
    told["payment_intent"] = f"pi_{number}"
    told["id"] = f"ch_{number}"
    told["payment_method_details"]["card"] |= {"fingerprint": card or f"Fp{number}"}
    tell_stripe(box, event)
    return woo_id(number)


def tell_stripe(box: ServiceBox, event: dict[str, Any]) -> None:
    raw, headers = stripe_request(event, box.clock.at)
    box.service.ingest("stripe-main", headers, raw)


def review(box: ServiceBox, order_id: str) -> list[str]:
    entry = box.exceptions().get(f"risk_review:{order_id}")
    return [] if entry is None else [str(reason) for reason in entry.context["reasons"]]


def fail(box: ServiceBox, number: int, charge: str, name: str) -> None:
    event = paid_event(number, name)
    told = event["data"]["object"]
    told |= {"id": f"pi_{number}", "latest_charge": charge}
    told["last_payment_error"] = {**(told.get("last_payment_error") or {}), "charge": charge}
    event["id"] = f"evt_{charge}"
    box.clock.move(minutes=1)
    tell_stripe(box, event)


@pytest.mark.parametrize(("tries", "told"), [(2, False), (3, True)])
def test_cards_that_failed_before_one_was_taken_count(
    tries: int, told: bool, box: ServiceBox
) -> None:
    """Who tries stolen cards does so at one checkout: the provider tells of one payment, that
    fails again and again and succeeds at last."""
    throw_away = customer(211, email="x@mailinator.com")  # 35 of the 40 that need a person
    order_id = box.woo(card_order(211, billing=throw_away)).order_id
    assert order_id is not None
    for n in range(tries):
        fail(box, 211, f"ch_try{n}", "payment_intent_payment_failed")
    box.clock.move(minutes=1)
    box.stripe_at(paid_event(211))
    assert box.statuses(order_id)["payment"] == "paid"
    assert ("3 payments failed before (+30)" in review(box, order_id)) is told


def test_the_third_order_with_one_card_in_a_day_waits_for_a_person(box: ServiceBox) -> None:
    first, second, third = (place(box, number, "FpShared") for number in (201, 202, 203))
    assert (review(box, first), review(box, second)) == ([], [])
    assert "3 orders with this card in 24 hours (+40)" in review(box, third)
    assert box.statuses(third)["risk"] == "review"


def test_a_day_later_the_card_is_forgotten(box: ServiceBox) -> None:
    for number in (201, 202):
        place(box, number, "FpShared")
    box.clock.move(hours=25)
    assert review(box, place(box, 203, "FpShared")) == []


def test_orders_to_one_address_under_many_names(box: ServiceBox) -> None:
    where = {"address_1": "Sammelweg 1"}
    risky = {"email": "x@mailinator.com"}
    for number in (201, 202, 203):
        place(box, number, billing=customer(number, **where))
    found = review(box, place(box, 204, billing=customer(204, **where, **risky)))
    assert "4 orders to this address in 24 hours (+20)" in found


def test_orders_without_a_mail_address_have_no_customer_in_common(box: ServiceBox) -> None:
    """An empty mail address used to be a key like any other: four orders that the shop's staff
    made for different people without mail looked like one person ordering four times."""
    for number in (201, 202, 203):
        place(box, number, billing=customer(number, email=""))
    with box.kernel.store.read() as tx:
        rows, _ = tx.orders.find(limit=10)
        assert {row.customer_key for row in rows} == {""}
    assert review(box, place(box, 204, billing=customer(204, email=""))) == []


def test_express_to_a_new_address_counts_once(box: ServiceBox) -> None:
    express = [{"id": 9, "method_id": "flat_rate", "method_title": "DHL Express", "total": "0.00",
                "total_tax": "0.00", "taxes": [], "meta_data": []}]  # fmt: skip
    risky = {"email": "x@mailinator.com"}
    first = place(box, 201, shipping_lines=express, billing=customer(201, **risky))
    assert "express delivery to an address that is new (+20)" in review(box, first)
    box.clock.move(hours=30)
    again = place(box, 202, shipping_lines=express, billing=customer(201, **risky))
    assert "express delivery to an address that is new (+20)" not in review(box, again)


def test_a_chargeback_with_the_card_is_remembered_under_another_name(box: ServiceBox) -> None:
    place(box, 201, "FpShared")
    event = vendor_fixture("stripe", "dispute_created")
    event["data"]["object"] |= {"payment_intent": "pi_201", "charge": "ch_201"}
    tell_stripe(box, event)
    assert box.statuses(woo_id(201))["payment"] == "chargeback"
    box.clock.move(days=40)
    assert "1 earlier chargeback (+60)" in review(box, place(box, 202, "FpShared"))


def usual(box: ServiceBox, channel: str = "woo-main", currency: str = "EUR") -> Money | None:
    with box.kernel.store.read() as tx:
        return UsualTotals().total_of(tx, channel, currency, box.clock.at)


def test_the_usual_order_of_a_shop_is_known_after_twenty(box: ServiceBox) -> None:
    for number in range(201, 220):
        place(box, number)
    box.clock.move(days=1)
    assert usual(box) is None, "19 orders"
    place(box, 220)
    assert usual(box) is None, "today's orders do not change today's judgement"
    box.clock.move(days=1)
    assert usual(box) == Money.parse(card_order()["total"], "EUR")
    assert usual(box, currency="USD") is None
    assert usual(box, channel="woo-other") is None


def test_keys_are_no_names(box: ServiceBox) -> None:
    """Neither a mail address nor an address nor a card can be found out by trying them."""
    place(box, 201)
    with box.service.database.engine.connect() as connection:
        row = connection.exec_driver_sql(
            "SELECT customer_key, address_key, card_key FROM orders"
        ).one()
    assert len(set(row)) == 3
    assert all(len(key) == 40 and set(key) <= set("0123456789abcdef") for key in row)
    digests = {
        hashlib.sha256(text.encode()).hexdigest()[:40]
        for text in ("person201@example.org", "Fp201", "stripe-main\x1fFp201")
    }
    assert not digests & set(row)


def test_nor_are_those_of_the_duplicate_check(box: ServiceBox) -> None:
    """Plain digests of a mail address are found by trying all addresses of a list."""
    order_id = place(box, 201)
    with box.kernel.store.read() as tx:
        order = load_file(tx, order_id).order
    assert order is not None
    with box.service.database.engine.connect() as connection:
        (told,) = connection.exec_driver_sql("SELECT comparison FROM orders").one()
        keys = {key for (key,) in connection.exec_driver_sql("SELECT key FROM twin_keys")}
    stored, tried = json.loads(told), fingerprint(order, b"")
    assert stored["mail"]
    assert stored["person"]
    assert not {stored["mail"], stored["person"]} & {tried.mail, tried.person}
    assert len(keys) > 1
    assert not keys & set(twin_keys(tried))
    plain = hashlib.sha256(b"person201@example.org").hexdigest()
    assert plain[:32] not in told


def test_the_lookup_goes_by_index(tmp_path: Path) -> None:
    opened = ServiceBox(sqlite_url(tmp_path))
    values = {"customer": "a", "address": "b", "card": "c", "placed_us": 1, "but": "x"}
    text, prepared = RELATED.prepared(False, values)
    with opened.service.database.engine.connect() as connection:
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", prepared).all()
    opened.close()
    plan = " ".join(row[-1] for row in rows)
    for name in ("customer_key", "address_key", "card_key"):
        assert f"ix_orders_{name}_placed_us" in plan
    assert "SCAN orders" not in plan


RISKY = {"billing": customer(201, email="x@mailinator.com", phone="+1 212 555 0123")}


def under_review(box: ServiceBox) -> str:
    order_id = place(box, 201, "FpRisky", **RISKY)
    assert box.statuses(order_id)["risk"] == "review"
    return order_id


def test_a_passed_deadline_tells_somebody_else_and_decides_nothing(box: ServiceBox) -> None:
    order_id = under_review(box)
    (entry,) = (x for x in box.exceptions().values() if x.kind == "risk_review")
    box.clock.move(days=10)
    box.service.tick()
    actions = box.actions()
    assert f"escalate:{entry.id}" in actions
    assert not {row.kind for row in actions.values()} & {"cancel_order", "refund_payment"}
    assert box.statuses(order_id)["order"] == "on_hold"
    assert box.statuses(order_id)["risk"] == "review"


def test_more_signals_are_told_in_the_same_entry_with_the_same_deadline(box: ServiceBox) -> None:
    """Each new reason used to close the entry and open another one, with a new deadline."""
    order_id = under_review(box)
    (entry,) = (x for x in box.exceptions().values() if x.kind == "risk_review")
    box.clock.move(hours=1)
    for number in (202, 203):
        place(box, number, "FpOther", billing=customer(number, email="x@mailinator.com"))
    event = paid_event(201, "charge_succeeded")
    event["id"] = "evt_more"
    told = event["data"]["object"]
    told |= {"payment_intent": "pi_201", "id": "ch_201"}
    told["outcome"] |= {"risk_score": 80}
    tell_stripe(box, event)
    (now,) = (x for x in box.exceptions().values() if x.order_id == order_id)
    assert (now.id, now.due_at) == (entry.id, entry.due_at)
    assert now.context["score"] > entry.context["score"]


@pytest.mark.parametrize(("approved", "risk"), [(True, "clear"), (False, "blocked")])
def test_a_persons_word_ends_the_review_and_is_kept(
    box: ServiceBox, approved: bool, risk: str
) -> None:
    order_id = under_review(box)
    box.service.people.approve(order_id, "risk", approved, "Nele Reviewer", "called back")
    assert box.statuses(order_id)["risk"] == risk
    with box.kernel.store.read() as tx:
        facts = [item.fact for item in tx.facts.load(tx.facts.streams_of(order_id))]
    (word,) = (x.body for x in facts if isinstance(x.body, ApprovalGiven))
    assert (word.by, word.why, word.approved) == ("Nele Reviewer", "called back", approved)
    open_kinds = [x.kind for x in box.exceptions().values()]
    assert open_kinds.count("risk_review") == (0 if approved else 1)
    assert "cancel_order" not in {row.kind for row in box.actions(order_id).values()}


def test_an_order_out_of_time_is_compared_with_nothing(box: ServiceBox) -> None:
    began = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))
    with box.kernel.store.read() as tx:
        assert UsualTotals().total_of(tx, "woo-main", "EUR", began) is None
