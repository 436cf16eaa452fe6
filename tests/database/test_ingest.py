"""Taking deliveries in: once each, whole or not at all, however many come at the same moment."""

from __future__ import annotations

import pytest
from kette.adapters.database.verify import read_chains
from kette.use_cases.ingest import Ingested
from sqlalchemy import text
from support.service_box import ServiceBox, card_order, paid_event, woo_id
from support.threads import at_once


def faults(box: ServiceBox) -> list[object]:
    _, chunks = read_chains(box.service.database)
    return [fault for found, _ in chunks for fault in found]


def count(box: ServiceBox, table: str) -> int:
    with box.service.database.read() as connection:
        return int(connection.execute(text(f"SELECT COUNT(*) FROM {table}")).scalar_one())


def test_the_same_delivery_from_eight_threads_is_one_fact_and_one_set_of_actions(
    box: ServiceBox,
) -> None:
    """Failure case 1: shops send the same webhook two to six times, also in parallel."""
    body = card_order(102)
    answers = at_once([lambda: box.woo(body)] * 8)
    assert {answer.order_id for answer in answers} == {woo_id(102)}
    assert sorted(answer.is_duplicate for answer in answers) == [False] + [True] * 7
    assert len({answer.fact_ids for answer in answers}) == 1
    assert box.fact_count(woo_id(102)) == 1
    paid = paid_event(102)
    at_once([lambda: box.stripe(paid)] * 8)
    assert box.fact_count(woo_id(102)) == 2
    assert [row.kind for row in box.actions(woo_id(102)).values()].count("check_stock") == 1
    assert count(box, "deliveries") == 2
    assert faults(box) == []


def test_the_same_webhook_under_other_delivery_ids_is_the_same_fact(box: ServiceBox) -> None:
    """Failure case 3: order.updated with the very body of order.created."""
    body = card_order(102)
    created = box.woo(body, "order.created", "d1")
    updated = box.woo(body, "order.updated", "d2")
    assert (created.is_duplicate, updated.is_duplicate) == (False, True)
    assert created.fact_ids == updated.fact_ids
    assert count(box, "deliveries") == 2  # both are kept as they came


def test_different_orders_at_the_same_moment(box: ServiceBox) -> None:
    numbers = range(200, 224)
    orders = [card_order(n, billing={"email": f"c{n}@example.org"}) for n in numbers]
    at_once([lambda body=body: box.woo(body) for body in orders])  # type: ignore[misc]
    at_once([lambda n=n: box.stripe(paid_event(n)) for n in numbers])  # type: ignore[misc]
    assert {box.statuses(woo_id(n))["payment"] for n in numbers} == {"paid"}
    assert faults(box) == []


def test_payment_events_of_one_order_at_the_same_moment(box: ServiceBox) -> None:
    box.woo(card_order(102))
    events = [
        *(paid_event(102, created=n) for n in range(3)),
        paid_event(102, "payment_intent_payment_failed"),
    ]
    for n, event in enumerate(events):
        event["id"] = f"evt_{n}"
    at_once([lambda e=e: box.stripe(e) for e in events])  # type: ignore[misc]
    assert box.fact_count(woo_id(102)) == 5
    assert box.statuses(woo_id(102))["payment"] == "paid"
    assert faults(box) == []


def test_two_orders_that_look_alike_at_the_same_moment(box: ServiceBox) -> None:
    """A customer who presses twice: each order asks for its twin, and neither waits for the other
    for ever. On PostgreSQL two such orders locked each other out."""
    for start in range(300, 340, 2):
        pair = [card_order(n, transaction_id="") for n in (start, start + 1)]
        at_once([lambda body=body: box.woo(body) for body in pair])  # type: ignore[misc]
        held = [box.statuses(woo_id(n))["order"] for n in (start, start + 1)]
        assert sorted(held)[0] == "on_hold"
    assert faults(box) == []


def test_unreadable_payloads_at_the_same_moment(box: ServiceBox) -> None:
    """They share one stream. On PostgreSQL the second of two took the same number in the chain."""
    bodies = [b'{"broken": %d' % n for n in range(8)]
    answers = at_once([lambda b=b: box.woo(b) for b in bodies])  # type: ignore[misc]
    assert all(answer.fact_ids for answer in answers)
    same = at_once([lambda: box.woo(b"{")] * 8)
    assert sum(not answer.is_duplicate for answer in same) == 1
    assert len([e for e in box.exceptions().values() if e.kind == "payload_unknown"]) == 9
    assert faults(box) == []


def test_people_who_resolve_entries_without_order_at_the_same_moment(box: ServiceBox) -> None:
    for n in range(8):
        box.woo(b'{"broken": %d' % n)
    ids = [entry.id for entry in box.exceptions().values()]
    people = box.service.people
    at_once([lambda i=i: people.resolve(i, "done", "Ida", "seen") for i in ids])  # type: ignore[misc]
    assert box.exceptions() == {}
    assert faults(box) == []


def test_products_at_the_same_moment(box: ServiceBox) -> None:
    def product(n: int) -> Ingested:
        body = {"id": n, "sku": f"S{n}", "date_modified_gmt": "2026-11-23T20:00:00"}
        return box.woo(body | {"stock_status": "instock"}, "product.updated", f"d{n}")

    answers = at_once([lambda n=n: product(n) for n in range(8)])  # type: ignore[misc]
    assert not any(answer.is_duplicate for answer in answers)
    assert faults(box) == []


def test_orders_of_one_number_in_two_shops_are_two_orders(database_url: str) -> None:
    """Failure case 8: the key is the shop and its id."""
    import msgspec
    from support.service_box import ready_setup, woo_request

    setup = ready_setup()
    second = msgspec.structs.replace(setup.systems["woo-main"], id="woo-outlet")
    both = msgspec.structs.replace(setup, systems={**setup.systems, "woo-outlet": second})
    box = ServiceBox(database_url, setup=both)
    try:
        raw, headers = woo_request(card_order(102))
        main = box.service.ingest("woo-main", headers, raw)
        outlet = box.service.ingest("woo-outlet", headers, raw)
        assert main.order_id != outlet.order_id
        assert (main.is_duplicate, outlet.is_duplicate) == (False, False)
        with box.kernel.store.read() as tx:
            rows, _ = tx.orders.find(number="102")
        assert sorted(row.channel for row in rows) == ["woo-main", "woo-outlet"]
    finally:
        box.close()


def test_two_orders_that_share_a_payment_stay_two_orders(box: ServiceBox) -> None:
    """The second order of a customer carried the first one's transaction id and was filed as a
    newer state of the first."""
    for number in (102, 103):
        answer = box.woo(card_order(number, transaction_id="ch_shared"))
        assert answer.order_id == woo_id(number)
    assert [box.fact_count(woo_id(n)) for n in (102, 103)] == [1, 1]


def test_a_failure_in_the_middle_leaves_nothing_behind(
    box: ServiceBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies between facts and actions: the delivery comes again and goes in whole."""

    class Died(BaseException):
        pass

    def die(*_args: object) -> None:
        raise Died

    assess = box.kernel.assess
    box.kernel.assess = die  # type: ignore[assignment]
    with pytest.raises(Died):
        box.woo(card_order(102))
    assert (count(box, "facts"), count(box, "deliveries"), count(box, "orders")) == (0, 0, 0)
    box.kernel.assess = assess
    assert not box.woo(card_order(102)).is_duplicate
    assert count(box, "facts") == 1


def test_an_order_that_breaks_a_rule_is_kept_for_a_person(box: ServiceBox) -> None:
    """Nothing is dropped: where our own rules fail on an order, the delivery is stored and shown.
    The shop got an error, gave up after five tries, and switched its webhook off."""

    def break_down(*_args: object) -> None:
        raise ZeroDivisionError("a rule is broken")

    assess = box.kernel.assess
    box.kernel.assess = break_down  # type: ignore[assignment]
    answer = box.woo(card_order(102))
    assert answer.fact_ids
    (entry,) = box.exceptions().values()
    assert entry.kind == "payload_unknown"
    assert "ZeroDivisionError" in entry.summary
    box.kernel.assess = assess
    repaired = box.woo(card_order(102))
    assert (repaired.order_id, repaired.is_duplicate) == (woo_id(102), False)
