"""What is cut off the end of a chain, and what is left of an order whose facts are gone.

A chain without its last facts is a valid, shorter chain: removing the record of a refund or of a
person's word was not noticed.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from kette.adapters.database.verify import read_chains, read_ends
from kette.cli.main import app
from kette.domain.facts import FactDraft
from sqlalchemy import text
from support.service_box import ServiceBox, card_order, woo_id
from typer.testing import CliRunner

TABLES = ("facts", "fact_bodies", "orders", "decisions", "documents")


@pytest.fixture
def filled(box: ServiceBox) -> ServiceBox:
    """Two orders with some history."""
    for number in (102, 103):
        billing = {**card_order()["billing"], "email": f"c{number}@example.org"}
        box.paid_order(number, billing=billing)
        box.do("fulfillment")
        box.do("fulfillment", create_shipment={"reference": f"p{number}"})
        box.service.people.note(woo_id(number), "the customer called", "Ida")
    return box


def tampered(box: ServiceBox, *statements: str) -> None:
    """As somebody does who may write the file: without the triggers."""
    database = box.service.database
    with database.write() as connection:
        if database.is_sqlite:
            query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            for name in [row[0] for row in connection.execute(text(query))]:
                connection.execute(text(f"DROP TRIGGER {name}"))
        else:
            for table in TABLES:
                connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        for statement in statements:
            connection.execute(text(statement), {"order": woo_id(102)})


def facts_of(box: ServiceBox) -> int:
    with box.kernel.store.read() as tx:
        return tx.facts.tail(woo_id(102))[0]


def links(box: ServiceBox) -> list[str]:
    _, chunks = read_chains(box.service.database)
    return [fault.problem for faults, _ in chunks for fault in faults]


def ends(box: ServiceBox) -> list[tuple[str, int, str]]:
    return [(x.stream, x.seq, x.problem) for x in read_ends(box.service.database)]


CUT = (
    "DELETE FROM fact_bodies WHERE fact_id IN (SELECT id FROM facts WHERE stream = :order "
    "AND seq > {keep})",
    "DELETE FROM facts WHERE stream = :order AND seq > {keep}",
)


def cut(keep: int) -> Sequence[str]:
    return [statement.format(keep=keep) for statement in CUT]


def test_an_honest_ledger_has_all_its_ends(filled: ServiceBox) -> None:
    assert (links(filled), ends(filled)) == ([], [])


@pytest.mark.parametrize("left", [1, -1], ids=["all but the first", "the last one"])
def test_a_cut_off_end_is_found(filled: ServiceBox, left: int) -> None:
    count = facts_of(filled)
    tampered(filled, *cut(left if left > 0 else count - 1))
    assert links(filled) == [], "what is left is a valid chain"
    problem = "the chain ends before it: the end was cut off"
    assert ends(filled) == [(woo_id(102), count, problem)]


def test_the_command_says_so(filled: ServiceBox) -> None:
    count = facts_of(filled)
    url = filled.service.database.engine.url.render_as_string(hide_password=False)
    good = CliRunner().invoke(app, ["audit", "verify", "--database", url])
    assert (good.exit_code, "0 faults" in good.output) == (0, True)
    tampered(filled, *cut(count - 1))
    bad = CliRunner().invoke(app, ["audit", "verify", "--database", url])
    assert bad.exit_code == 1
    assert f"{woo_id(102)} #{count}: the chain ends before it" in bad.output


def test_a_rewritten_end_is_found(filled: ServiceBox) -> None:
    """Cut off, and another end put there that fits the chain."""
    count = facts_of(filled)
    tampered(filled, *cut(count - 1))
    with filled.kernel.store.write() as tx:
        seq, prev_hash = tx.facts.tail(woo_id(102))
        (other,) = [x for x in tx.facts.load([woo_id(103)]) if x.fact.source == "people"]
        draft = FactDraft("forged", filled.clock.at, other.fact.body)
        tx.facts.append(woo_id(102), "people", [draft], seq, prev_hash, filled.clock.at)
    assert links(filled) == []
    problem = "is another fact than the one the order was decided on"
    assert ends(filled) == [(woo_id(102), count, problem)]


def test_an_order_that_went_altogether_is_missed_by_its_decisions(filled: ServiceBox) -> None:
    gone = "DELETE FROM orders WHERE id = :order"
    tampered(filled, *cut(0), gone)
    assert links(filled) == []
    problem = "decisions tell of the order, and it has no facts"
    assert ends(filled) == [(woo_id(102), 0, problem)]


def test_a_body_that_is_gone_with_its_row_is_not_erased(filled: ServiceBox) -> None:
    last = "fact_id = (SELECT id FROM facts WHERE stream = :order ORDER BY seq DESC LIMIT 1)"
    tampered(filled, f"DELETE FROM fact_bodies WHERE {last}")
    assert links(filled) == ["its body's row is missing"]


def test_an_order_with_erased_bodies_takes_further_facts(filled: ServiceBox) -> None:
    """The next number of the chain was read off the bodies that were left, and taken twice."""
    before = facts_of(filled)
    with filled.service.database.write() as connection:
        connection.execute(
            text(
                "UPDATE fact_bodies SET body = NULL WHERE fact_id IN (SELECT id FROM facts "
                "WHERE stream = :order AND kind IN ('note', 'action_report'))"
            ),
            {"order": woo_id(102)},
        )
    filled.service.people.note(woo_id(102), "called again", "Ida")
    filled.woo(card_order(102, billing={**card_order()["billing"], "email": "c102@example.org"}))
    assert facts_of(filled) == before + 1, "and what is known is known"
    assert (links(filled), ends(filled)) == ([], [])
    with filled.kernel.store.read() as tx:
        kinds = [type(x.fact.body).__name__ for x in tx.facts.load([woo_id(102)])]
    assert kinds.count("BodyErased") >= 2
