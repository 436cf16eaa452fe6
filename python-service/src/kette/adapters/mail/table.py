"""The mails that the gateway has taken over. One row per mail; the action key makes it unique.

Conventions of adapters/database/tables.py: instants as microseconds since the epoch, JSON as text.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)

# Written out: SQLite uses a partial index only where a query repeats its condition literally.
IS_OPEN = text("state IN ('stored', 'sending')")

ADDRESS_LENGTH = 320


def define_mails(metadata: MetaData) -> Table:
    """Add the table to the service's tables. States: stored, sending, sent, failed."""
    return Table(
        "mails",
        metadata,
        # Grows in order of arrival, which is the order of sending.
        Column(
            "id",
            BigInteger().with_variant(Integer, "sqlite"),
            primary_key=True,
            autoincrement=True,
        ),
        # NULL: a mail of the merchant's own workflows, without a marker
        Column("action_key", String(255), unique=True),
        Column("message_id", String(255), nullable=False),
        Column("envelope_from", String(ADDRESS_LENGTH), nullable=False),
        Column("recipients", Text, nullable=False),
        Column("raw", LargeBinary, nullable=False),  # empty once forgotten
        Column("state", String(8), nullable=False),
        Column("attempts", Integer, nullable=False, server_default=text("0")),
        Column("next_try_us", BigInteger, nullable=False),
        Column("claimed_by", String(160), nullable=False, server_default=""),
        Column("last_error", Text, nullable=False, server_default=""),
        Column("created_us", BigInteger, nullable=False),
        Column("sent_us", BigInteger),
        Index("ix_mails_open", "next_try_us", "id", sqlite_where=IS_OPEN, postgresql_where=IS_OPEN),
    )
