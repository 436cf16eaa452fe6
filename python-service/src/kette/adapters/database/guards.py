"""Triggers that make the ledger append-only: the database itself refuses, whoever asks.

facts, decisions, documents: no UPDATE, no DELETE. fact_bodies, deliveries: no DELETE, and the only
UPDATE allowed is the erasure of a body (setting it to NULL and nothing else).
"""

from __future__ import annotations

APPEND_ONLY = ("facts", "decisions", "documents")
ERASABLE = {
    "fact_bodies": ("fact_id", "salt"),
    "deliveries": ("id", "system_id", "digest", "received_us", "headers"),
}
# What makes a row of each table unique, for SQLite's REPLACE (see sqlite_guards).
UNIQUE = {
    "facts": (("id",), ("source", "external_id"), ("stream", "seq")),
    "decisions": (("order_id", "decided_us", "id"),),
    "documents": (("number",), ("action_key",)),
    "fact_bodies": (("fact_id",),),
    "deliveries": (("id",), ("system_id", "digest")),
}


def sqlite_guards() -> list[str]:
    statements = []
    for table in APPEND_ONLY:
        for verb in ("UPDATE", "DELETE"):
            statements.append(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} BEGIN "
                f"SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
    for table, kept in ERASABLE.items():
        changed = " OR ".join(f"NEW.{column} IS NOT OLD.{column}" for column in kept)
        statements.append(
            f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} BEGIN "
            f"SELECT RAISE(ABORT, '{table} is append-only'); END"
        )
        statements.append(
            f"CREATE TRIGGER {table}_only_erase BEFORE UPDATE ON {table} "
            f"WHEN NEW.body IS NOT NULL OR {changed} BEGIN "
            f"SELECT RAISE(ABORT, '{table}: only the erasure of a body is allowed'); END"
        )
    for table, keys in UNIQUE.items():
        # INSERT OR REPLACE removes the row that is in the way past the triggers on DELETE. A
        # delivery that is known already is passed over, which is what its own INSERT wants.
        known = " OR ".join(
            "(" + " AND ".join(f"{column} = NEW.{column}" for column in key) + ")" for key in keys
        )
        refuse = "IGNORE" if table == "deliveries" else f"ABORT, '{table} is append-only'"
        is_there = f"EXISTS (SELECT 1 FROM {table} WHERE {known})"  # noqa: S608 - constant names
        statements.append(
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} WHEN {is_there} "
            f"BEGIN SELECT RAISE({refuse}); END"
        )
    return statements


def postgres_guards() -> list[str]:
    statements = [
        "CREATE FUNCTION kette_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    ]
    for table in APPEND_ONLY:
        statements.append(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION kette_append_only()"
        )
    for table, kept in ERASABLE.items():
        changed = " OR ".join(f"NEW.{column} IS DISTINCT FROM OLD.{column}" for column in kept)
        statements.append(
            f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION kette_append_only()"
        )
        statements.append(
            f"CREATE TRIGGER {table}_only_erase BEFORE UPDATE ON {table} FOR EACH ROW "
            f"WHEN (NEW.body IS NOT NULL OR {changed}) EXECUTE FUNCTION kette_append_only()"
        )
    for table in (*APPEND_ONLY, *ERASABLE):
        # TRUNCATE goes past row triggers.
        statements.append(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION kette_append_only()"
        )
    return statements
