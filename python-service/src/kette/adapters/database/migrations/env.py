"""Alembic environment: runs on the connection that `migrate` passes in."""

from __future__ import annotations

from alembic import context
from kette.adapters.database.tables import metadata

connection = context.config.attributes.get("connection")
if connection is None:
    raise SystemExit("migrations run through `kette serve` or `kette.adapters.database.migrate`")
context.configure(connection=connection, target_metadata=metadata, render_as_batch=False)
with context.begin_transaction():
    context.run_migrations()
