"""The database itself refuses to change the ledger, whoever asks."""

from __future__ import annotations

import pytest
from kette.adapters.database.verify import read_chains
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError
from support.service_box import ServiceBox

TABLES = ("facts", "decisions", "documents", "fact_bodies", "deliveries")
COLUMN = {
    "facts": "source = 'x'",
    "decisions": "cause = 'x'",
    "documents": "gross_minor = 1",
    "fact_bodies": "body = 'x'",
    "deliveries": "body = 'x'",
}


@pytest.fixture
def filled(box: ServiceBox) -> ServiceBox:
    """Every guarded table has rows: an order that is shipped and invoiced."""
    box.paid_order(102)
    box.do("fulfillment")
    box.do("fulfillment", create_shipment={"reference": "p1"})
    with box.service.database.write() as connection:
        connection.execute(
            text(
                "INSERT INTO documents (number, kind, order_id, action_key, issued_us, currency, "
                "gross_minor, content, pdf) VALUES ('RE-1', 'invoice', 'ord', 'k', 1, 'EUR', 2, "
                "'{}', :pdf)"
            ),
            {"pdf": b"%PDF"},
        )
    return box


def refused(box: ServiceBox, statement: str) -> str:
    with (
        pytest.raises(DatabaseError) as error,
        box.service.database.write() as connection,
    ):
        connection.execute(text(statement))
    return str(error.value.orig)


def rows(box: ServiceBox, table: str) -> int:
    with box.service.database.read() as connection:
        return int(connection.execute(text(f"SELECT COUNT(*) FROM {table}")).scalar_one())


@pytest.mark.parametrize("table", TABLES)
def test_nothing_is_changed_or_removed(table: str, filled: ServiceBox) -> None:
    before = rows(filled, table)
    assert before > 0
    assert table in refused(filled, f"UPDATE {table} SET {COLUMN[table]}")
    assert table in refused(filled, f"DELETE FROM {table}")
    if not filled.service.database.is_sqlite:
        assert table in refused(filled, f"TRUNCATE {table} CASCADE")
    assert rows(filled, table) == before


@pytest.mark.parametrize("table", TABLES)
def test_a_row_cannot_be_replaced(table: str, filled: ServiceBox) -> None:
    """SQLite's REPLACE deletes a row without asking the triggers on DELETE."""
    if not filled.service.database.is_sqlite:
        return
    with filled.service.database.read() as connection:
        row = connection.execute(text(f"SELECT * FROM {table} LIMIT 1")).mappings().one()
    names = ", ".join(row)
    values = ", ".join(f":{name}" for name in row)
    statement = text(f"INSERT OR REPLACE INTO {table} ({names}) VALUES ({values})")
    changed = {**row, "body": b"forged"} if "body" in row else dict(row)

    def replace() -> None:
        with filled.service.database.write() as connection:
            connection.execute(statement, changed)

    if table == "deliveries":
        replace()  # a known one is passed over
    else:
        with pytest.raises(DatabaseError, match="append-only"):
            replace()
    with filled.service.database.read() as connection:
        again = connection.execute(text(f"SELECT * FROM {table} LIMIT 1")).mappings().one()
    assert again == row


@pytest.mark.parametrize("table", ["fact_bodies", "deliveries"])
def test_a_body_can_be_erased_and_nothing_else(table: str, filled: ServiceBox) -> None:
    """Failure case 48: names leave, facts and chain stay."""
    other = "salt" if table == "fact_bodies" else "headers"
    assert table in refused(filled, f"UPDATE {table} SET body = NULL, {other} = ''")
    with filled.service.database.write() as connection:
        connection.execute(text(f"UPDATE {table} SET body = NULL"))
    assert rows(filled, table) > 0
    _, chunks = read_chains(filled.service.database)
    found = list(chunks)
    assert sum(size for _, size in found) == rows(filled, "facts")
    assert [fault for faults, _ in found for fault in faults] == []


def test_the_chain_of_a_real_ledger_verifies_and_a_forged_body_is_found(
    filled: ServiceBox,
) -> None:
    _, chunks = read_chains(filled.service.database)
    assert [fault for faults, _ in chunks for fault in faults] == []
    database = filled.service.database
    with database.write() as connection:
        if database.is_sqlite:
            connection.execute(text("DROP TRIGGER fact_bodies_only_erase"))
        else:
            connection.execute(text("ALTER TABLE fact_bodies DISABLE TRIGGER USER"))
        connection.execute(text("UPDATE fact_bodies SET body = :b"), {"b": b"{}"})
    _, chunks = read_chains(database)
    assert {fault.problem for faults, _ in chunks for fault in faults} == {
        "its body does not match its digest"
    }
