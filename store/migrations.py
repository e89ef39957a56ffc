"""Numbered changes to the schema, each applied once and recorded in the store. Knows tables, not what fills them.

A later change is a new function at the end of `MIGRATIONS`; an applied one is never edited.
"""

from collections.abc import Callable
from pathlib import Path

import duckdb

from leucippus.errors import StoreError, StoreTooNew


def _first_schema(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(Path(__file__).with_name("schema.sql").read_text(encoding="utf-8"))


def _large_causal_model(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(Path(__file__).with_name("lcm.sql").read_text(encoding="utf-8"))


def _tuning(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(Path(__file__).with_name("tuning.sql").read_text(encoding="utf-8"))


MIGRATIONS: tuple[tuple[int, str, Callable[[duckdb.DuckDBPyConnection], None]], ...] = (
    (1, "first schema", _first_schema),
    (2, "large causal model", _large_causal_model),
    (3, "tuning", _tuning),
)
NEWEST = MIGRATIONS[-1][0]


def schema_number(connection: duckdb.DuckDBPyConnection) -> int:
    """The number of the newest migration applied; 0 for an empty database.

    Raises
    ------
    StoreError : the database holds tables, and they are not ours.
    StoreTooNew : a later version of Leucippus has migrated it.
    """
    tables = {name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    if not tables:
        return 0
    if "migrations" not in tables:
        raise StoreError(
            f"This DuckDB database holds other tables: {', '.join(sorted(tables)[:5])}.",
            expected="an empty database or a Leucippus store",
            next_step="Name another file.",
        )
    row = connection.execute("SELECT coalesce(max(number), 0) FROM migrations").fetchone()
    assert row is not None  # an aggregate always has one row
    number = int(row[0])
    if number > NEWEST:
        raise StoreTooNew(
            f"The store is at migration {number}; this version of Leucippus knows {NEWEST}.",
            next_step="Upgrade Leucippus, or use another store.",
        )
    return number


def migrate(connection: duckdb.DuckDBPyConnection) -> None:
    """Apply what is missing, all or nothing.

    Raises
    ------
    StoreError, StoreTooNew : as `schema_number`.
    """
    number = schema_number(connection)
    if number == NEWEST:
        return
    connection.execute("BEGIN")
    try:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY, name VARCHAR, applied_at TIMESTAMP)"
        )
        for this, name, apply in MIGRATIONS:
            if this > number:
                apply(connection)
                connection.execute("INSERT INTO migrations VALUES (?, ?, now() AT TIME ZONE 'UTC')", [this, name])
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
