"""First tables, and the guards that make the ledger append-only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from kette.adapters.database.guards import postgres_guards, sqlite_guards

revision = "0001"
down_revision = None


def upgrade() -> None:
    _tables()
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in sqlite_guards() if is_sqlite else postgres_guards():
        # exec_driver_sql: "%" in the function's body is no parameter, ":" no bind
        op.get_bind().exec_driver_sql(statement.replace("%", "%%") if not is_sqlite else statement)


def _tables() -> None:
    op.create_table(
        "actions",
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("order_id", sa.String(length=40), nullable=True),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("stage", sa.String(length=24), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("not_before_us", sa.BigInteger(), nullable=False),
        sa.Column("lease_id", sa.String(length=40), nullable=True),
        sa.Column("leased_until_us", sa.BigInteger(), nullable=True),
        sa.Column("finished_us", sa.BigInteger(), nullable=True),
        sa.Column("reference", sa.String(length=255), server_default="", nullable=False),
        sa.Column("last_error", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_actions")),
    )
    op.create_index(
        "ix_actions_leased",
        "actions",
        ["leased_until_us"],
        unique=False,
        sqlite_where=sa.text("state = 'leased'"),
        postgresql_where=sa.text("state = 'leased'"),
    )
    op.create_index(
        "ix_actions_open",
        "actions",
        ["stage", "not_before_us"],
        unique=False,
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_index("ix_actions_order_id", "actions", ["order_id"], unique=False)
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=24), nullable=False),
        sa.Column("label", sa.String(length=120), server_default="", nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("revoked_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("hash", name=op.f("uq_api_keys_hash")),
    )
    op.create_table(
        "decisions",
        sa.Column("order_id", sa.String(length=40), nullable=False),
        sa.Column("decided_us", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("cause", sa.String(length=80), nullable=False),
        sa.Column("setup_version", sa.String(length=64), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("order_id", "decided_us", "id", name=op.f("pk_decisions")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "deliveries",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("system_id", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("received_us", sa.BigInteger(), nullable=False),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("system_id", "digest", name=op.f("uq_deliveries_system_id_digest")),
    )
    op.create_table(
        "documents",
        sa.Column("number", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("order_id", sa.String(length=40), nullable=False),
        sa.Column("action_key", sa.String(length=255), nullable=False),
        sa.Column("issued_us", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("gross_minor", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("pdf", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_documents")),
        sa.UniqueConstraint("action_key", name=op.f("uq_documents_action_key")),
    )
    op.create_index("ix_documents_order_id", "documents", ["order_id"], unique=False)
    op.create_table(
        "exceptions",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("order_id", sa.String(length=40), nullable=True),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("origin", sa.String(length=12), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("context", sa.Text(), nullable=False),
        sa.Column("suggestion", sa.Text(), nullable=False),
        sa.Column("blocking", sa.Boolean(), nullable=False),
        sa.Column("owner", sa.String(length=80), nullable=False),
        sa.Column("opened_us", sa.BigInteger(), nullable=False),
        sa.Column("due_us", sa.BigInteger(), nullable=False),
        sa.Column("snoozed_until_us", sa.BigInteger(), nullable=True),
        sa.Column("escalated_us", sa.BigInteger(), nullable=True),
        sa.Column("closed_us", sa.BigInteger(), nullable=True),
        sa.Column("resolution", sa.String(length=24), server_default="", nullable=False),
        sa.Column("openings", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exceptions")),
        sa.UniqueConstraint("key", name=op.f("uq_exceptions_key")),
    )
    op.create_index("ix_exceptions_order_id", "exceptions", ["order_id"], unique=False)
    op.create_index("ix_exceptions_status_due_us", "exceptions", ["status", "due_us"], unique=False)
    op.create_table(
        "facts",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("stream", sa.String(length=160), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("external_id", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("occurred_us", sa.BigInteger(), nullable=False),
        sa.Column("recorded_us", sa.BigInteger(), nullable=False),
        sa.Column("schema_version", sa.Integer(), nullable=False),
        sa.Column("body_digest", sa.String(length=64), nullable=False),
        sa.Column("prev_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_facts")),
        sa.UniqueConstraint("source", "external_id", name=op.f("uq_facts_source_external_id")),
        sa.UniqueConstraint("stream", "seq", name=op.f("uq_facts_stream_seq")),
    )
    op.create_table(
        "mails",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("action_key", sa.String(length=255), nullable=True),
        sa.Column("message_id", sa.String(length=255), nullable=False),
        sa.Column("envelope_from", sa.String(length=320), nullable=False),
        sa.Column("recipients", sa.Text(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("next_try_us", sa.BigInteger(), nullable=False),
        sa.Column("claimed_by", sa.String(length=160), server_default="", nullable=False),
        sa.Column("last_error", sa.Text(), server_default="", nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("sent_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mails")),
        sa.UniqueConstraint("action_key", name=op.f("uq_mails_action_key")),
    )
    op.create_index(
        "ix_mails_open",
        "mails",
        ["next_try_us", "id"],
        unique=False,
        sqlite_where=sa.text("state IN ('stored', 'sending')"),
        postgresql_where=sa.text("state IN ('stored', 'sending')"),
    )
    op.create_table(
        "notices",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("subscription_id", sa.String(length=40), nullable=False),
        sa.Column("event", sa.String(length=40), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("leased_until_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
    )
    op.create_index(
        "ix_notices_subscription_id_created_us",
        "notices",
        ["subscription_id", "created_us"],
        unique=False,
    )
    op.create_table(
        "number_ranges",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_number_ranges")),
    )
    op.create_table(
        "orders",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("channel", sa.String(length=64), nullable=False),
        sa.Column("external_id", sa.String(length=160), nullable=False),
        sa.Column("number", sa.String(length=160), server_default="", nullable=False),
        sa.Column("placed_us", sa.BigInteger(), nullable=True),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("updated_us", sa.BigInteger(), nullable=False),
        sa.Column("order_status", sa.String(length=24), nullable=False),
        sa.Column("payment_status", sa.String(length=24), nullable=False),
        sa.Column("risk_status", sa.String(length=24), nullable=False),
        sa.Column("fulfillment_status", sa.String(length=24), nullable=False),
        sa.Column("return_status", sa.String(length=24), nullable=False),
        sa.Column("accounting_status", sa.String(length=24), nullable=False),
        sa.Column("currency", sa.String(length=3), server_default="", nullable=False),
        sa.Column("total_minor", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("customer_key", sa.String(length=64), server_default="", nullable=False),
        sa.Column("address_key", sa.String(length=64), server_default="", nullable=False),
        sa.Column("card_key", sa.String(length=64), server_default="", nullable=False),
        sa.Column("comparison", sa.Text(), server_default="", nullable=False),
        sa.Column("due_us", sa.BigInteger(), nullable=True),
        sa.Column("facts_seq", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("facts_hash", sa.String(length=64), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
        sa.UniqueConstraint("channel", "external_id", name=op.f("uq_orders_channel_external_id")),
    )
    for key in ("address_key", "card_key"):
        op.create_index(
            f"ix_orders_{key}_placed_us",
            "orders",
            [key, "placed_us"],
            unique=False,
            sqlite_where=sa.text(f"{key} <> ''"),
            postgresql_where=sa.text(f"{key} <> ''"),
        )
    op.create_index("ix_orders_created_us", "orders", ["created_us", "id"], unique=False)
    op.create_index(
        "ix_orders_customer_key_placed_us", "orders", ["customer_key", "placed_us"], unique=False
    )
    op.create_index("ix_orders_due_us", "orders", ["due_us"], unique=False)
    op.create_index("ix_orders_number", "orders", ["number"], unique=False)
    op.create_table(
        "pulled_objects",
        sa.Column("system_id", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("list_name", sa.String(length=24), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.PrimaryKeyConstraint(
            "system_id", "purpose", "list_name", "name", name=op.f("pk_pulled_objects")
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "pulls",
        sa.Column("system_id", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("system_id", "purpose", name=op.f("pk_pulls")),
    )
    op.create_table(
        "refs",
        sa.Column("system_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("order_id", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("system_id", "name", name=op.f("pk_refs")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_refs_order_id", "refs", ["order_id"], unique=False)
    op.create_table(
        "service_values",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_service_values")),
    )
    op.create_table(
        "subscriptions",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("topic", sa.String(length=200), nullable=False),
        sa.Column("secret", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=200), server_default="", nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("retry_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscriptions")),
        sa.UniqueConstraint("url", "topic", name=op.f("uq_subscriptions_url_topic")),
    )
    op.create_table(
        "twin_keys",
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("placed_us", sa.BigInteger(), nullable=False),
        sa.Column("order_id", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("key", "placed_us", "order_id", name=op.f("pk_twin_keys")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "fact_bodies",
        sa.Column("fact_id", sa.String(length=40), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["fact_id"], ["facts.id"], name=op.f("fk_fact_bodies_fact_id")),
        sa.PrimaryKeyConstraint("fact_id", name=op.f("pk_fact_bodies")),
    )
