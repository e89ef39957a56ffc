"""Columns of a DuckDB table as arrays, one at a time: numbers, times, codes of texts, indicators of levels."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
from numpy.typing import NDArray

from leucippus.agents.expressions import quote
from leucippus.errors import InputError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

TRUE, FALSE = ("true", "t", "yes", "y", "1", "1.0"), ("false", "f", "no", "n", "0", "0.0")
MOST_LEVELS = 100
"""Of a categorical confounder. An id with more belongs to a group."""
FEWEST_OF_LEVEL = 10
"""Rows of a level; rarer ones are one level together."""
OTHER = "other"
_IN_MEMORY = 1 << 28
"""Bytes of a matrix that are kept in memory; a larger one lies in a file that is removed with the process."""
_TEXTS_AT_A_TIME = 50_000
_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT",
            "UHUGEINT", "FLOAT", "DOUBLE", "DECIMAL", "BOOLEAN")  # fmt: skip
_TIMES = ("DATE", "TIMESTAMP")


@dataclass(frozen=True)
class Coded:
    """A column whose values are few enough to be told apart."""

    levels: tuple[str, ...]
    """The most frequent first; the last is `other` where rare ones were put together."""
    sql: str
    """The position of a row's level."""
    values: tuple[str, ...]
    """Bound to `sql`."""


def is_number(kind: str) -> bool:
    """Whether a DuckDB type counts something."""
    return kind.startswith(_NUMBERS)


def is_time(kind: str) -> bool:
    return kind.startswith(_TIMES)


def number_sql(name: str, kind: str) -> str:
    """SQL of a column as a number: seconds of a time; infinite values are missing."""
    column = f"epoch({quote(name)})" if is_time(kind) else f"CAST({quote(name)} AS DOUBLE)"
    return f"(CASE WHEN isfinite({column}) THEN {column} END)"


def truth_sql(name: str) -> str:
    """SQL of a column of yes and no in any spelling; what is neither is missing."""
    said = f"lower(trim(CAST({quote(name)} AS VARCHAR)))"
    yes, no = (", ".join(f"'{word}'" for word in words) for words in (TRUE, FALSE))
    return f"(CASE WHEN {said} IN ({yes}) THEN true WHEN {said} IN ({no}) THEN false END)"


def fetch(connection: duckdb.DuckDBPyConnection, sql: str, values: Sequence[str] = ()) -> NDArray[np.generic]:
    """The only column of a query as an array; missing numbers become NaN."""
    found = connection.execute(sql, list(values)).fetchnumpy()
    column = next(iter(found.values()))
    return column.filled(np.nan) if isinstance(column, np.ma.MaskedArray) else np.asarray(column)


def levels_of(connection: duckdb.DuckDBPyConnection, table: str, name: str, part: str) -> Coded:
    """The levels of a categorical column.

    Raises
    ------
    InputError : there are more than `MOST_LEVELS`.
    """
    said = f"trim(CAST({quote(name)} AS VARCHAR))"
    counted: list[tuple[str, int]] = connection.execute(
        f"SELECT {said}, count(*) FROM {table} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {10 * MOST_LEVELS}"
    ).fetchall()
    common = [level for level, count in counted if count >= FEWEST_OF_LEVEL] or [level for level, _ in counted]
    if len(common) > MOST_LEVELS:
        raise InputError(
            f"the {part} {name!r} has more than {MOST_LEVELS} levels",
            expected="a number, or a category with fewer levels",
            next_step=f"If {name!r} is an id, give it as the group: its constant effect is removed whatever its levels.",
        )
    rare = len(counted) > len(common)
    levels = (*common, OTHER) if rare else tuple(common)
    known = ", ".join("?" for _ in common)
    sql = f"coalesce(list_position([{known}], {said}), {len(common) + 1}) - 1"
    return Coded(levels, sql, tuple(common))


def matrix(rows: int, columns: int) -> Floats:
    """Room for (rows, columns) numbers, column after column; in a file where it is much."""
    if rows * columns * 8 <= _IN_MEMORY:
        return np.empty((rows, columns), order="F")
    with tempfile.NamedTemporaryFile(prefix="leucippus-", suffix=".confounders") as file:
        # The mapping outlives the name: nothing is left behind, however the process ends.
        return np.memmap(file.name, dtype=np.float64, mode="w+", shape=(rows, columns), order="F")


def code_texts(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    name: str,
    clean: Callable[[Sequence[str]], tuple[list[str], Mapping[str, int]]],
) -> tuple[list[str], Ints, dict[str, int]]:
    """Distinct texts in the order of first appearance, the position of each row's, and what `clean` counted.

    Texts that are the same once they are clean are one. `table` has a column `row` that counts its rows from 0.
    """
    column = quote(name)
    connection.execute(
        f"CREATE OR REPLACE TABLE coding AS SELECT said, row_number() OVER (ORDER BY first) - 1 AS code FROM "
        f"(SELECT trim(CAST({column} AS VARCHAR)) AS said, min(row) AS first FROM {table} GROUP BY 1)"
    )
    at: dict[str, int] = {}
    merged: list[int] = []
    counts: dict[str, int] = {}
    cursor = connection.cursor().execute("SELECT said FROM coding ORDER BY code")
    while piece := cursor.fetchmany(_TEXTS_AT_A_TIME):
        cleaned, counted = clean([said for (said,) in piece])
        for kind, count in counted.items():
            counts[kind] = counts.get(kind, 0) + count
        merged.extend(at.setdefault(text, len(at)) for text in cleaned)
    codes = fetch(
        connection,
        f"SELECT coding.code FROM {table} AS t JOIN coding ON coding.said = trim(CAST(t.{column} AS VARCHAR)) "
        "ORDER BY t.row",
    )
    connection.execute("DROP TABLE coding")
    return list(at), np.asarray(merged, dtype=np.int64)[codes.astype(np.int64)], counts


def code_ids(connection: duckdb.DuckDBPyConnection, table: str, name: str) -> Ints:
    """Codes from 0 of an id's values in the order of their first rows, (n,): rows that are added change none before. Each
    missing one is a value of its own, for it is nobody's twin.
    """
    said = f"coalesce('=' || CAST({quote(name)} AS VARCHAR), '?' || row)"
    first = f"SELECT row, min(row) OVER (PARTITION BY {said}) AS first FROM {table}"
    codes = fetch(connection, f"SELECT dense_rank() OVER (ORDER BY first) - 1 FROM ({first}) ORDER BY row")
    return codes.astype(np.int64)
