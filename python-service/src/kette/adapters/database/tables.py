"""All tables. SQL types are the common ground of SQLite and PostgreSQL.

Instants are stored as whole microseconds since the epoch (columns ending in _us): sortable, exact
and alike on both databases. JSON is stored as text, written by msgspec. Append-only tables are
guarded by triggers, which the migrations create (adapters/database/guards.py).
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from kette.adapters.mail.table import define_mails

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)

# A vendor's request as it came. body: zlib; NULL after an erasure.
deliveries = Table(
    "deliveries",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("system_id", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("received_us", BigInteger, nullable=False),
    Column("headers", Text, nullable=False),
    Column("body", LargeBinary),
    UniqueConstraint("system_id", "digest"),
)

# The ledger. `stream` is an order id, or "<system>|<name>" while the order is not known.
facts = Table(
    "facts",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("stream", String(160), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("source", String(64), nullable=False),
    Column("external_id", String(255), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("occurred_us", BigInteger, nullable=False),
    Column("recorded_us", BigInteger, nullable=False),
    Column("schema_version", Integer, nullable=False),
    Column("body_digest", String(64), nullable=False),
    Column("prev_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    UniqueConstraint("source", "external_id"),
    UniqueConstraint("stream", "seq"),
)

# Apart from the facts, so that personal data can be erased and the chain still verifies.
fact_bodies = Table(
    "fact_bodies",
    metadata,
    Column("fact_id", String(40), ForeignKey("facts.id"), primary_key=True),
    Column("salt", LargeBinary, nullable=False),
    Column("body", LargeBinary),
)


def _linking_index(name: str) -> Index:
    """Only of orders that have the key: digital ones go nowhere, transfers have no card."""
    given = text(f"{name} <> ''")
    return Index(
        f"ix_orders_{name}_placed_us",
        name,
        "placed_us",
        sqlite_where=given,
        postgresql_where=given,
    )


orders = Table(
    "orders",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("channel", String(64), nullable=False),
    Column("external_id", String(160), nullable=False),
    Column("number", String(160), nullable=False, server_default=""),
    Column("placed_us", BigInteger),
    Column("created_us", BigInteger, nullable=False),
    Column("updated_us", BigInteger, nullable=False),
    Column("order_status", String(24), nullable=False),
    Column("payment_status", String(24), nullable=False),
    Column("risk_status", String(24), nullable=False),
    Column("fulfillment_status", String(24), nullable=False),
    Column("return_status", String(24), nullable=False),
    Column("accounting_status", String(24), nullable=False),
    Column("currency", String(3), nullable=False, server_default=""),
    Column("total_minor", BigInteger, nullable=False, server_default=text("0")),
    # keyed digest of the customer's mail address; finds other orders of the same customer
    Column("customer_key", String(64), nullable=False, server_default=""),
    # the same of the delivery address and of the card, for the risk signals
    Column("address_key", String(64), nullable=False, server_default=""),
    Column("card_key", String(64), nullable=False, server_default=""),
    # what the duplicate check compares (domain/duplicates.py)
    Column("comparison", Text, nullable=False, server_default=""),
    Column("due_us", BigInteger),  # decide again at this instant
    # number and hash of the newest fact that was decided on: the end that its chain must have
    Column("facts_seq", Integer, nullable=False, server_default=text("0")),
    Column("facts_hash", String(64), nullable=False, server_default=""),
    UniqueConstraint("channel", "external_id"),
    Index("ix_orders_customer_key_placed_us", "customer_key", "placed_us"),
    _linking_index("address_key"),
    _linking_index("card_key"),
    Index("ix_orders_due_us", "due_us"),
    Index("ix_orders_created_us", "created_us", "id"),
    Index("ix_orders_number", "number"),
)

# Foreign names of an order: shop ids, payment ids, parcel ids.
refs = Table(
    "refs",
    metadata,
    Column("system_id", String(64), primary_key=True),
    Column("name", String(200), primary_key=True),
    Column("order_id", String(40), nullable=False),
    Index("ix_refs_order_id", "order_id"),
    sqlite_with_rowid=False,
)

# Same basket, same customer: finds orders that may repeat each other, however popular a basket
# may be. The time in the key: where one account orders for everybody (a marketplace), only those of
# the duplicate check's window are looked at.
twin_keys = Table(
    "twin_keys",
    metadata,
    Column("key", String(40), primary_key=True),
    Column("placed_us", BigInteger, primary_key=True),
    Column("order_id", String(40), primary_key=True),
    sqlite_with_rowid=False,
)

# What was decided, when it changed anything: the answer to "why did this happen".
decisions = Table(
    "decisions",
    metadata,
    Column("order_id", String(40), primary_key=True),
    Column("decided_us", BigInteger, primary_key=True, autoincrement=False),
    Column("id", String(40), primary_key=True),
    Column("cause", String(80), nullable=False),  # fact id, or "due", "setup", "sweep"
    Column("setup_version", String(64), nullable=False),
    Column("outcome", Text, nullable=False),
    sqlite_with_rowid=False,
)

# The outbox. state: pending, leased, done, failed, withdrawn.
actions = Table(
    "actions",
    metadata,
    Column("key", String(255), primary_key=True),
    Column("order_id", String(40)),
    Column("kind", String(40), nullable=False),
    Column("stage", String(24), nullable=False),
    Column("state", String(12), nullable=False),
    Column("payload", Text, nullable=False),
    Column("reasons", Text, nullable=False),
    Column("attempt", Integer, nullable=False, server_default=text("0")),
    Column("created_us", BigInteger, nullable=False),
    Column("not_before_us", BigInteger, nullable=False),
    Column("lease_id", String(40)),
    Column("leased_until_us", BigInteger),
    Column("finished_us", BigInteger),
    Column("reference", String(255), nullable=False, server_default=""),
    Column("last_error", Text, nullable=False, server_default=""),
    Index("ix_actions_order_id", "order_id"),
    Index(
        "ix_actions_open",
        "stage",
        "not_before_us",
        sqlite_where=text("state = 'pending'"),
        postgresql_where=text("state = 'pending'"),
    ),
    Index(
        "ix_actions_leased",
        "leased_until_us",
        sqlite_where=text("state = 'leased'"),
        postgresql_where=text("state = 'leased'"),
    ),
)

# The exception list. status: open, snoozed, resolved (by a person), closed (no longer the case).
exceptions = Table(
    "exceptions",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("key", String(255), nullable=False, unique=True),
    Column("order_id", String(40)),
    Column("kind", String(40), nullable=False),
    Column("origin", String(12), nullable=False),  # decide | outbox | intake
    Column("status", String(12), nullable=False),
    Column("summary", Text, nullable=False),
    Column("context", Text, nullable=False),
    Column("suggestion", Text, nullable=False),
    Column("blocking", Boolean, nullable=False),
    Column("owner", String(80), nullable=False),
    Column("opened_us", BigInteger, nullable=False),
    Column("due_us", BigInteger, nullable=False),
    Column("snoozed_until_us", BigInteger),
    Column("escalated_us", BigInteger),
    Column("closed_us", BigInteger),
    Column("resolution", String(24), nullable=False, server_default=""),
    Column("openings", Integer, nullable=False, server_default="1"),
    Index("ix_exceptions_order_id", "order_id"),
    Index("ix_exceptions_status_due_us", "status", "due_us"),
)

documents = Table(
    "documents",
    metadata,
    Column("number", String(80), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("order_id", String(40), nullable=False),
    Column("action_key", String(255), nullable=False, unique=True),
    Column("issued_us", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("gross_minor", BigInteger, nullable=False),
    Column("content", Text, nullable=False),  # InvoiceDocument as JSON
    Column("pdf", LargeBinary, nullable=False),
    Index("ix_documents_order_id", "order_id"),
)

number_ranges = Table(
    "number_ranges",
    metadata,
    Column("name", String(80), primary_key=True),  # e.g. "invoice:2026"
    Column("last", Integer, nullable=False),
)

subscriptions = Table(
    "subscriptions",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("url", String(500), nullable=False),
    Column(
        "topic", String(200), nullable=False
    ),  # "stage:payment" or "events:alert,exception_opened"
    Column("secret", String(100), nullable=False),
    Column("name", String(200), nullable=False, server_default=""),
    Column("created_us", BigInteger, nullable=False),
    Column("failures", Integer, nullable=False, server_default=text("0")),
    Column("retry_us", BigInteger),
    UniqueConstraint("url", "topic"),
)

# Event messages for subscribers (exception_opened, status_changed, alert).
notices = Table(
    "notices",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("subscription_id", String(40), nullable=False),
    Column("event", String(40), nullable=False),
    Column("item", Text, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("leased_until_us", BigInteger),
    Index("ix_notices_subscription_id_created_us", "subscription_id", "created_us"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("hash", String(64), nullable=False, unique=True),
    Column("role", String(24), nullable=False),
    Column("label", String(120), nullable=False, server_default=""),
    Column("created_us", BigInteger, nullable=False),
    Column("revoked_us", BigInteger),
)

# Few named values of the service itself, such as the sandbox clock's offset.
service_values = Table(
    "service_values",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("value", Text, nullable=False),
)

# How far the pulls of one system are (domain/pull_state.py), as JSON: it is only read as a whole.
pulls = Table(
    "pulls",
    metadata,
    Column("system_id", String(64), primary_key=True),
    Column("purpose", String(16), primary_key=True),  # changes | backfill
    Column("state", Text, nullable=False),
)

# The objects that the pull under way has seen, so that each is counted once.
pulled_objects = Table(
    "pulled_objects",
    metadata,
    Column("system_id", String(64), primary_key=True),
    Column("purpose", String(16), primary_key=True),
    Column("list_name", String(24), primary_key=True),
    Column("name", String(100), primary_key=True),
    sqlite_with_rowid=False,
)

mails = define_mails(metadata)
