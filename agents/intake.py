"""A file, a table in a DuckDB file, or a query → a `Dataset`. The source is opened for reading only, and never again.

Everything is copied into a DuckDB database in memory, and what is over the limit goes to a temporary folder, which is
removed when the data set is no longer used or the process ends. So data larger than memory can be read, and what happens
later cannot reach the source. Once it is read, the connection is locked: no query can read or write any other file.
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import duckdb

from leucippus.agents.cells import type_columns
from leucippus.agents.dataset import Dataset, check_names, over
from leucippus.agents.delimited import load_delimited
from leucippus.agents.encodings import as_utf8
from leucippus.agents.expressions import quote
from leucippus.agents.statfiles import load_statfile
from leucippus.agents.workbooks import load_sheet
from leucippus.errors import DataError, InputError

TEXT = (".csv", ".tsv", ".tab", ".txt", ".csv.gz", ".tsv.gz")
PARQUET = (".parquet", ".pq")
JSON = (".jsonl", ".ndjson", ".json")
EXCEL = (".xlsx", ".xlsm")
STATISTICS = (".dta", ".sav", ".zsav")
DUCKDB = (".duckdb", ".ddb", ".db")
_NESTED = ("STRUCT", "MAP", "UNION", "JSON")


def read_data(
    source: str | Path, *, table: str | None = None, query: str | None = None, memory_limit: str = "1500MB"
) -> Dataset:
    """Read a data set.

    Parameters
    ----------
    source : CSV, TSV, Parquet, Excel, Stata, SPSS, JSON lines or DuckDB file.
    table : sheet of a workbook or table of a DuckDB file; may be left out where there is but one.
    query : one SQL SELECT, over the tables of a DuckDB file, or over the file given as table `data`.
    memory_limit : what DuckDB may use, such as 2GB; the rest goes to disk. Python takes some 250 MB beside it.

    Raises
    ------
    InputError : there is no such file, or it is a folder.
    DataError : it cannot be read, or is no table; the table or query cannot be used.
    """
    path = Path(source)
    if path.is_dir():
        raise InputError(f"{path} is a folder", expected="one file with a table", next_step="Name a file in it.")
    if not path.exists():
        raise InputError(
            f"{path} does not exist",
            expected="a file with a table",
            next_step="Correct the path; relative paths start in the current folder.",
        )
    folder = Path(tempfile.mkdtemp(prefix="leucippus-"))
    try:
        connection = _connect(folder, memory_limit)
        inside = folder / f"source{_suffix(path)}"  # DuckDB reads [1] in a file's name as a pattern, run=3/ as a column
        inside.symlink_to(path.resolve())
        weakref.finalize(connection, shutil.rmtree, folder, ignore_errors=True)
        return _read(connection, path, inside, folder, table, query)
    except duckdb.OutOfMemoryException as error:
        raise DataError(
            f"{path} does not fit: {_first(error)}", next_step="Free disk space, or allow more memory."
        ) from error
    except (duckdb.Error, OSError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise DataError(f"{path} cannot be read: {_first(error)}", expected=_expected()) from error
    except MemoryError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise DataError(
            f"{path} does not fit: {error or 'no memory is left'}", next_step="Allow more memory."
        ) from error
    except InputError:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _connect(folder: Path, memory_limit: str) -> duckdb.DuckDBPyConnection:
    try:
        connection = duckdb.connect(
            ":memory:",
            config={
                "memory_limit": memory_limit,
                "temp_directory": str(folder),
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
                "allow_community_extensions": "false",
            },
        )
    except (duckdb.ParserException, duckdb.InvalidInputException, duckdb.SyntaxException) as error:
        raise InputError(f"memory limit {memory_limit!r}: {_first(error)}", expected="such as 2GB") from error
    # Otherwise a query could name Python variables as tables.
    connection.execute("SET python_enable_replacements = false")
    return connection


def _read(
    connection: duckdb.DuckDBPyConnection, path: Path, inside: Path, folder: Path, table: str | None, query: str | None
) -> Dataset:
    notes: list[str] = []
    labels: Mapping[str, Mapping[str, str]] = {}
    descriptions: Mapping[str, str] = {}
    suffix = _suffix(path)
    if table is not None and suffix not in (*EXCEL, *DUCKDB):
        raise InputError(f"{path} holds one table, so none can be named", next_step=f"Leave out {table!r}.")
    if suffix in DUCKDB:
        return _read_database(connection, path, table, query)
    if suffix in TEXT:
        text = as_utf8(inside, folder)
        layout = load_delimited(connection, text, str(path), tabs=suffix.startswith((".tsv", ".tab")))
        notes += [*text.notes, *layout.notes]
        notes += type_columns(connection, layout.names, comma=layout.delimiter == ";")
    elif suffix in EXCEL:
        layout = load_sheet(connection, path, folder, table)
        notes += [*layout.notes, *type_columns(connection, layout.names)]
    elif suffix in STATISTICS:
        codebook = load_statfile(connection, path)
        notes += codebook.notes
        labels, descriptions = codebook.labels, codebook.descriptions
    elif suffix in PARQUET:
        _load_parquet(connection, inside, str(path))
    else:
        notes += _load_json(connection, inside, folder)
    notes += _tidy(connection)
    _lock(connection)
    if query is not None:
        _run(connection, query, str(path))
    found = _finished(connection, str(path), notes)
    kept = set(found.columns)
    return replace(
        found,
        labels={name: codes for name, codes in labels.items() if name in kept},
        descriptions={name: words for name, words in descriptions.items() if name in kept},
    )


def _suffix(path: Path) -> str:
    name = path.name.lower()
    for suffix in (*TEXT, *PARQUET, *JSON, *EXCEL, *STATISTICS, *DUCKDB):
        if name.endswith(suffix):
            return suffix
    hint = "Save it as .xlsx." if name.endswith(".xls") else "Rename or convert it."
    raise InputError(f"{path} has an ending we do not read: {path.suffix!r}", expected=_expected(), next_step=hint)


def _expected() -> str:
    return f"a table in {' '.join((*TEXT, *PARQUET, *JSON, *EXCEL, *STATISTICS, *DUCKDB))}"


def _load_parquet(connection: duckdb.DuckDBPyConnection, path: Path, source: str) -> None:
    names = connection.execute("SELECT name FROM parquet_schema(?) WHERE num_children IS NULL", [str(path)]).fetchall()
    top = connection.execute("DESCRIBE SELECT * FROM read_parquet($1)", [str(path)]).fetchall()
    # The schema lists the leaves of nested columns too; names are only doubtful where there are none of those.
    if len(names) == len(top):
        check_names([name for (name,) in names], source)
    connection.execute("CREATE TABLE data AS SELECT * FROM read_parquet($1)", [str(path)])


def _load_json(connection: duckdb.DuckDBPyConnection, path: Path, folder: Path) -> tuple[str, ...]:
    text = as_utf8(path, folder)
    connection.execute(
        "CREATE TABLE data AS SELECT * FROM read_json($1, format='auto', records=true, sample_size=-1)",
        [str(text.path)],
    )
    return text.notes


def _read_database(connection: duckdb.DuckDBPyConnection, path: Path, table: str | None, query: str | None) -> Dataset:
    if table is not None and query is not None:
        raise InputError("both a table and a query are given", expected="one of them")
    connection.execute(f"ATTACH '{str(path).replace(chr(39), chr(39) * 2)}' AS source (READ_ONLY)")
    _lock(connection)
    if query is not None:
        connection.execute("USE source")
        _run(connection, query, str(path))
    else:
        schema, name = _table(connection, path, table)
        connection.execute(f"CREATE TABLE memory.main.data AS SELECT * FROM source.{quote(schema)}.{quote(name)}")
    connection.execute("USE memory")
    connection.execute("DETACH source")
    notes = _tidy(connection)
    return _finished(connection, str(path) if table is None else f"{table} in {path}", notes)


def _table(connection: duckdb.DuckDBPyConnection, path: Path, wanted: str | None) -> tuple[str, str]:
    tables: list[tuple[str, str]] = connection.execute(
        "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = 'source' "
        "UNION ALL SELECT schema_name, view_name FROM duckdb_views() WHERE database_name = 'source' AND NOT internal "
        "ORDER BY ALL"
    ).fetchall()
    listed = ", ".join(name if schema == "main" else f"{schema}.{name}" for schema, name in tables)
    if not tables:
        raise DataError(f"{path} has no tables", expected="a DuckDB file with a table")
    found = [one for one in tables if wanted is None or wanted.lower() in (one[1].lower(), ".".join(one).lower())]
    if len(found) == 1:
        return found[0]
    if wanted is None or found:
        raise DataError(f"{path} has {len(tables)} tables: {listed}", expected="the name of one")
    raise DataError(f"{path} has no table {wanted!r}", expected=f"one of: {listed}")


def _lock(connection: duckdb.DuckDBPyConnection) -> None:
    """From here on no statement can read or write files, load extensions, or undo this."""
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _run(connection: duckdb.DuckDBPyConnection, query: str, source: str) -> None:
    """Replace `data` by the result of a query written by a user.

    Raises
    ------
    DataError : it is not one SELECT, fails, or returns columns that cannot be told apart.
    """
    try:
        statements = connection.extract_statements(query)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise DataError(
                f"the query over {source} is not one SELECT",
                expected="one SELECT; nothing that creates, changes or writes",
            )
        # The line break ends a comment that the query may end in.
        select = f"({statements[0].query.rstrip().rstrip(';')}\n)"
        names = [row[0] for row in connection.execute(f"DESCRIBE {select}").fetchall()]
        check_names(names, "the result of the query")
        connection.execute(f"CREATE TABLE memory.main.result AS {select}")
    except duckdb.Error as error:
        raise DataError(
            f"the query over {source} fails: {_first(error)}",
            expected="one SELECT over its tables, without other files",
        ) from error
    connection.execute("DROP TABLE IF EXISTS memory.main.data")
    connection.execute("ALTER TABLE memory.main.result RENAME TO data")


def _tidy(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Not-a-number becomes missing, nested values become text, in `data`."""
    nested = []
    for name, kind, *_ in connection.execute("DESCRIBE memory.main.data").fetchall():
        column = quote(name)
        if kind in ("FLOAT", "DOUBLE"):
            connection.execute(f"UPDATE memory.main.data SET {column} = NULL WHERE isnan({column})")
        elif kind.startswith(_NESTED) or kind.endswith("]"):
            connection.execute(f"ALTER TABLE memory.main.data ALTER {column} TYPE VARCHAR USING to_json({column})")
            nested.append(name)
    return [f"nested values are kept as JSON text in {', '.join(nested)}"] if nested else []


def _finished(connection: duckdb.DuckDBPyConnection, source: str, notes: Sequence[str]) -> Dataset:
    found = over(connection, source, notes)
    check_names(found.columns, source)
    if not found.rows:
        raise DataError(f"{source} has no rows", expected="at least one row of data")
    return found


def _first(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
