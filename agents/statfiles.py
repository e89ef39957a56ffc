"""Stata and SPSS files → the table `data`, with the labels of codes and what the columns are. Read in pieces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from leucippus.agents.dataset import check_names
from leucippus.agents.expressions import quote
from leucippus.errors import DataError

_ROWS_AT_A_TIME = 100_000


@dataclass(frozen=True)
class Codebook:
    """What the file says about its columns."""

    labels: Mapping[str, Mapping[str, str]]
    """Column → code → label."""
    descriptions: Mapping[str, str]
    notes: tuple[str, ...]


def load_statfile(connection: duckdb.DuckDBPyConnection, path: Path) -> Codebook:
    """Fill `data` from a .dta or .sav file.

    Raises
    ------
    DataError : no such file, or damaged; no rows.
    """
    import pyreadstat

    reader = pyreadstat.read_dta if path.suffix.lower() == ".dta" else pyreadstat.read_sav
    notes: tuple[str, ...] = ()
    meta: Any = None
    for encoding in (None, "LATIN1"):
        try:
            meta = _load(connection, reader, path, encoding)
            break
        except (pyreadstat.ReadstatError, UnicodeDecodeError) as error:
            if encoding is None and ("invalid byte" in str(error).lower() or isinstance(error, UnicodeDecodeError)):
                notes = ("read as Latin-1",)
                continue
            raise DataError(f"{path} cannot be read: {error}", expected="a Stata .dta or SPSS .sav file") from error
    labels = {
        name: {_code(code): str(label) for code, label in codes.items()}
        for name, codes in meta.variable_value_labels.items()
        if codes
    }
    if labels:
        notes += (f"codes with labels: {', '.join(labels)}",)
    descriptions = {name: text for name, text in meta.column_names_to_labels.items() if text}
    return Codebook(labels, descriptions, notes)


def _load(connection: duckdb.DuckDBPyConnection, reader: Any, path: Path, encoding: str | None) -> Any:
    import pyreadstat

    connection.execute("DROP TABLE IF EXISTS data")
    meta: Any = None
    frame: Any
    for frame, part in pyreadstat.read_file_in_chunks(
        reader, str(path), chunksize=_ROWS_AT_A_TIME, encoding=encoding, apply_value_formats=False
    ):
        if meta is None:
            meta = part
            check_names(list(frame.columns), str(path))
            columns = ", ".join(f"{quote(name)} {_type(name, meta)}" for name in frame.columns)
            connection.execute(f"CREATE TABLE data ({columns})")
        for name in frame.columns:
            if _type(name, meta) == "VARCHAR":
                frame[name] = frame[name].astype("string").where(frame[name].notna() & (frame[name] != ""))
        connection.register("piece", frame)
        # Dates come as Python objects; the cast makes them one type even where a piece has none.
        values = ", ".join(f"CAST({quote(name)} AS {_type(name, meta)})" for name in frame.columns)
        connection.execute(f"INSERT INTO data SELECT {values} FROM piece")
        connection.unregister("piece")
    if meta is None:
        raise DataError(f"{path} has no rows", expected="at least one row of data")
    _whole_numbers(connection, meta)
    return meta


def _type(name: str, meta: Any) -> str:
    stored, shown = str(meta.readstat_variable_types[name]), str(meta.original_variable_types.get(name, "")).lower()
    if stored == "string":
        return "VARCHAR"
    if shown.startswith(("%tc", "datetime")):
        return "TIMESTAMP"
    if shown.startswith(("%td", "%d", "date", "adate", "edate", "sdate")):
        return "DATE"
    return "TIME" if shown.startswith("time") else "DOUBLE"


def _whole_numbers(connection: duckdb.DuckDBPyConnection, meta: Any) -> None:
    """These formats keep whole numbers as doubles; codes such as 1 should not read 1.0."""
    for name in meta.column_names:
        column = quote(name)
        if _type(name, meta) == "DOUBLE":
            row = connection.execute(
                f"SELECT bool_and({column} = trunc({column}) AND abs({column}) < 9e15) FROM data"
            ).fetchone()
            if row and row[0]:
                connection.execute(f"ALTER TABLE data ALTER {column} TYPE BIGINT")


def _code(code: Any) -> str:
    return str(int(code)) if isinstance(code, float) and code.is_integer() else str(code)
