"""A whole large causal model as a folder of Parquet files, and back: the way in and out for millions of claims.

The files are the tables, so DuckDB moves them alone and nothing passes through Python. What is loaded is checked by the
types and constraints of the schema; claims that are known already are passed over.
"""

from pathlib import Path

import duckdb

from leucippus.errors import InputError
from leucippus.store.database import Store

TABLES = (
    "sources",
    "documents",
    "passages",
    "readers",
    "runs",
    "readings",
    "concepts",
    "aliases",
    "concept_vectors",
    "merges",
    "echoes",
    "topics",
    "failures",
    "claims",
)
"""What a store holds that does not follow from the rest of it."""
_WITHOUT_KEY = {"claims": "claim_id", "merges": "merge_id"}


def dump(store: Store, folder: Path) -> dict[str, int]:
    """Write every table into `folder` as Parquet; returns their rows.

    Raises
    ------
    InputError : there is something in the folder.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} is not an empty folder.", next_step="Name a new one.")
    folder.mkdir(parents=True, exist_ok=True)
    counts = {}
    for table in TABLES:
        # COPY takes no parameter for a file's name; the quotes are doubled, and the name is the user's own.
        file = str(folder / f"{table}.parquet").replace("'", "''")
        ((counts[table],),) = store.rows(f"COPY {table} TO '{file}' (FORMAT parquet, COMPRESSION zstd)")
    return counts


def load(store: Store, folder: Path) -> dict[str, int]:
    """Add what `dump` wrote to a store, all of it or nothing; returns how many rows of each table were new.

    Loading twice is loading once. The model is not woven anew.

    Raises
    ------
    InputError : there is no claims.parquet, or a file does not fit its table.
    """
    if not (folder / "claims.parquet").is_file():
        raise InputError(f"There is no claims.parquet in {folder}.", expected="a folder made by `leucippus lcm dump`")
    added = {}
    with store.transaction() as cursor:
        for table in TABLES:
            file = folder / f"{table}.parquet"
            if file.is_file():
                added[table] = _add(cursor, table, file)
    return added


def _add(cursor: duckdb.DuckDBPyConnection, table: str, file: Path) -> int:
    key = _WITHOUT_KEY.get(table)
    unknown = ""
    if key is not None and cursor.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone():
        unknown = f"WHERE {key} NOT IN (SELECT {key} FROM {table})"
    conflict = "" if key else "ON CONFLICT DO NOTHING"
    try:
        # A folder that an earlier version wrote lacks the columns added since.
        told = cursor.execute("DESCRIBE SELECT * FROM read_parquet($1)", [str(file)]).fetchall()
        held = {name for (name, *_) in told}
        columns = [name for (name, *_) in cursor.execute(f"DESCRIBE {table}").fetchall() if name in held]
        named = ", ".join(f'"{name}"' for name in columns)
        row = cursor.execute(
            f"INSERT INTO {table} ({named}) SELECT {named} FROM read_parquet($1) {unknown} {conflict}", [str(file)]
        ).fetchone()
    except (
        duckdb.BinderException,
        duckdb.ConversionException,
        duckdb.ConstraintException,
        duckdb.InvalidInputException,
    ) as error:
        raise InputError(
            f"{file} does not fit the table {table}: {str(error).splitlines()[0]}",
            expected="a folder made by `leucippus lcm dump`",
        ) from error
    return int(row[0]) if row else 0
