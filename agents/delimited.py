"""CSV, TSV and their kin → the table `raw`, every cell as text. Streamed: memory does not grow with the file."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import duckdb

from leucippus.agents.dataset import check_names
from leucippus.agents.encodings import Text
from leucippus.agents.expressions import quote
from leucippus.errors import DataError

_DELIMITERS = ",;\t|"
_SNIFFED_LINES = 200
_LONGEST_LINE = 1 << 21
"""Bytes. The reader holds some of them in memory for every thread."""


@dataclass(frozen=True)
class Layout:
    """How a file is cut into rows and cells."""

    delimiter: str
    names: tuple[str, ...]
    notes: tuple[str, ...]


def load_delimited(connection: duckdb.DuckDBPyConnection, text: Text, source: str, *, tabs: bool) -> Layout:
    """Fill `raw` from a file in UTF-8.

    Raises
    ------
    DataError : no rows under the header, columns without a name or with the same, rows of different lengths.
    """
    layout = read_layout(text.path, source, tabs=tabs)
    columns = ", ".join(f"{_text(name)}: 'VARCHAR'" for name in layout.names)
    newline = {"\r\n": r"\r\n", "\n": r"\n", "\r": r"\r"}[text.newline]
    try:
        connection.execute(
            f"CREATE TABLE raw AS SELECT * FROM read_csv({_text(str(text.path))}, auto_detect=false, header=true, "
            f"delim={_text(layout.delimiter)}, quote='\"', escape='\"', columns={{{columns}}}, new_line='{newline}', "
            f"max_line_size={_LONGEST_LINE}, buffer_size={_LONGEST_LINE * 4})"
        )
    except duckdb.InvalidInputException as error:
        raise _explained(str(error), source, len(layout.names)) from error
    row = connection.execute("SELECT count(*) FROM raw").fetchone()
    if row is None or not row[0]:
        raise DataError(f"{source} has a header and no rows", expected="at least one row of data")
    return layout


def read_layout(path: Path, source: str, *, tabs: bool) -> Layout:
    """The delimiter and the columns of a file, from its first lines.

    Raises
    ------
    DataError : its header cannot be used.
    """
    delimiter = "\t" if tabs else _delimiter(path)
    csv.field_size_limit(_LONGEST_LINE)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [row for row in islice(csv.reader(file, delimiter=delimiter), _SNIFFED_LINES) if row]
    except csv.Error as error:
        raise DataError(f"{source} cannot be cut into cells: {error}", expected="CSV with quotes closed") from error
    if not rows:
        raise DataError(f"{source} is empty", expected="a table with a header row")
    header, body = [name.strip() for name in rows[0]], rows[1:]
    notes = []
    if header[0] == "" and len(header) > 1:
        header[0] = _free("index", header)
        notes.append(f"the first column had no name and is called {header[0]!r}")
    elif body and all(len(row) == len(header) + 1 for row in body):
        header.insert(0, _free("index", header))
        notes.append(f"rows have one cell more than the header: the first is called {header[0]!r}")
    check_names(header, source)
    if body and len(header) > 1 and all(map(_is_number, header)):
        raise DataError(
            f"the first row of {source} is numbers: {', '.join(header[:5])} …",
            expected="a header row with a name for every column",
            next_step="Put the names of the columns in the first row.",
        )
    return Layout(delimiter, tuple(header), tuple(notes))


def _delimiter(path: Path) -> str:
    """The one that cuts the first lines into the same number of cells, and more than one."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = [line for line in islice(file, _SNIFFED_LINES) if line.strip()]
    best, most = ",", (0.0, 0)
    for delimiter in _DELIMITERS:
        try:
            widths = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
        except csv.Error:
            continue
        cells = widths[0] if widths else 0
        alike = sum(width == cells for width in widths) / max(len(widths), 1)
        if cells > 1 and (round(alike, 1), cells) > most:
            best, most = delimiter, (round(alike, 1), cells)
    return best


def _explained(message: str, source: str, columns: int) -> DataError:
    line = re.search(r"CSV Error on Line: (\d+)", message)
    where = f"line {line[1]} of {source}" if line else source
    found = re.search(r"Expected Number of Columns: \d+ Found: (\d+)", message)
    if found:
        problem = f"{where} has {found[1]} cells under {columns} columns"
    elif "quote" in message.lower():
        problem = f"{where} has a quote that is not closed, or text after one"
    elif "Maximum line size" in message:
        problem = f"{where} is longer than {_LONGEST_LINE:,} bytes"
    else:
        problem = f"{where} cannot be cut into {columns} columns"
    return DataError(
        problem,
        expected="the same number of cells in every row",
        next_step='Put text with separators in it in quotes ("Smith, J."), and double the quotes inside it.',
    )


def _free(name: str, taken: Sequence[str]) -> str:
    lower = {other.lower() for other in taken}
    while name.lower() in lower:
        name += "_"
    return name


def _is_number(cell: str) -> bool:
    return re.fullmatch(r"[+-]?\d*[.,]?\d+([eE][+-]?\d+)?", cell) is not None


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def insert_rows(connection: duckdb.DuckDBPyConnection, names: Sequence[str], path: Path) -> None:
    """Fill `raw` from a file that we wrote ourselves with Python's csv."""
    columns = ", ".join(f"{_text(name)}: 'VARCHAR'" for name in names)
    connection.execute(
        f"CREATE TABLE raw AS SELECT {', '.join(map(quote, names))} FROM read_csv({_text(str(path))}, "
        f"auto_detect=false, header=false, delim=',', quote='\"', escape='\"', columns={{{columns}}}, "
        rf"new_line='\n', max_line_size={_LONGEST_LINE})"
    )
