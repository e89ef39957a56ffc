"""A file of logs → DuckDB: what `agents.intake` reads, and tables of SQLite. Nothing is fetched, nothing is written to."""

import csv
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from leucippus.agents.dataset import Dataset
from leucippus.agents.expressions import quote
from leucippus.agents.intake import read_data
from leucippus.errors import DataError

_SQLITE = b"SQLite format 3\x00"


def open_logs(path: Path, table: str | None = None) -> Dataset:
    """The table `data` of a CSV, TSV, Parquet, JSON-lines, Excel, DuckDB or SQLite file.

    Raises
    ------
    InputError : there is no such file, or it is a folder.
    DataError : it cannot be read, or there is no such table.
    """
    if path.is_file():
        with path.open("rb") as file:
            start = file.read(len(_SQLITE))
        if start == _SQLITE:
            return _sqlite(path, table)
    return read_data(path, table=table)


def _sqlite(path: Path, table: str | None) -> Dataset:
    """Through a CSV file, because DuckDB's own reader of SQLite is an extension that would have to be fetched."""
    with tempfile.TemporaryDirectory(prefix="leucippus-") as folder:
        copy = Path(folder) / "table.csv"
        try:
            connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
        except sqlite3.Error as error:
            raise DataError(f"{path} cannot be read: {error}") from error
        try:
            name = _chosen(connection, path, table)
            rows = connection.execute(f"SELECT * FROM {quote(name)}")
            header = [column[0] for column in rows.description]
            with copy.open("w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file)
                writer.writerow(header)
                writer.writerows(_written(rows))
        except sqlite3.Error as error:
            raise DataError(f"{path} cannot be read: {error}", expected="a whole SQLite file") from error
        finally:
            connection.close()
        return read_data(copy)


def _chosen(connection: sqlite3.Connection, path: Path, wanted: str | None) -> str:
    found = connection.execute(
        "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%' ORDER BY name"
    ).fetchall()
    names: Sequence[str] = [name for (name,) in found]
    if wanted is None and len(names) == 1:
        return names[0]
    if wanted is None:
        raise DataError(f"{path} has {len(names)} tables: {', '.join(names)}", expected="the name of one")
    matching = [name for name in names if name.lower() == wanted.lower()]
    if not matching:
        raise DataError(f"{path} has no table {wanted!r}", expected=f"one of: {', '.join(names)}")
    return matching[0]


def _written(rows: sqlite3.Cursor) -> Iterator[Sequence[object]]:
    for row in rows:
        yield ["" if value is None else value.hex() if isinstance(value, bytes) else value for value in row]
