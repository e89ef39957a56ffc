"""A sheet of an Excel workbook → the table `raw`, every cell as text. Formulas count as the values stored with them."""

from __future__ import annotations

import csv
import datetime
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import duckdb

from leucippus.agents.dataset import check_names
from leucippus.agents.delimited import Layout, insert_rows
from leucippus.errors import DataError

Cells = tuple[Any, ...]


def load_sheet(connection: duckdb.DuckDBPyConnection, path: Path, folder: Path, sheet: str | None = None) -> Layout:
    """Fill `raw` from one sheet.

    Parameters
    ----------
    sheet : its name; may be left out where only one sheet holds anything.

    Raises
    ------
    DataError : no workbook, no such sheet, several to choose from, a header that cannot be used, or formulas whose
        values are not stored.
    """
    book = _open(path, values=True)
    try:
        name = _choose(book, path, sheet)
        source = f"sheet {name!r} of {path}"
        rows = (row for row in _rows(book[name]) if any(cell is not None for cell in row))
        header = next(rows, ())
        while header and header[-1] is None:
            header = header[:-1]
        names = ["" if cell is None else as_text(cell).strip() for cell in header]
        notes = []
        if len(names) > 1 and not names[0]:
            names[0] = "index"
            notes.append("the first column had no name and is called 'index'")
        check_names(names, source)
        copy = folder / "sheet.csv"
        count, gaps = 0, False
        with copy.open("w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL)
            for row in rows:
                if any(cell is not None for cell in row[len(names) :]):
                    raise DataError(
                        f"{source} has cells to the right of its {len(names)} named columns",
                        expected="a header row at the top, with a name over every column",
                    )
                cells = (*row, *(None,) * len(names))[: len(names)]
                gaps = gaps or None in cells
                writer.writerow("" if cell is None else as_text(cell) for cell in cells)
                count += 1
    finally:
        book.close()
    if not count:
        raise DataError(f"{source} has a header and no rows", expected="at least one row of data")
    if gaps:
        _refuse_formulas_without_values(path, name, source)
    insert_rows(connection, names, copy)
    return Layout(",", tuple(names), tuple(notes))


def as_text(cell: Any) -> str:
    """A cell as the text from which its type is found again."""
    if isinstance(cell, datetime.datetime):
        return cell.date().isoformat() if cell.time() == datetime.time() else cell.isoformat(" ", "seconds")
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    return str(cell)


def _open(path: Path, *, values: bool) -> Any:
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        return load_workbook(path, read_only=True, data_only=values)
    except (InvalidFileException, BadZipFile, KeyError, ValueError, OSError) as error:
        raise DataError(
            f"{path} cannot be read as a workbook: {error}",
            expected="an .xlsx file",
            next_step="Save it again as .xlsx.",
        ) from error


def _rows(sheet: Any) -> Iterator[Cells]:
    # The size a file states for itself may be wrong.
    sheet.reset_dimensions()
    try:
        yield from sheet.iter_rows(values_only=True)
    except (SyntaxError, BadZipFile, zlib.error, KeyError, ValueError) as error:  # a parse error is a SyntaxError
        raise DataError(
            f"sheet {sheet.title!r} is damaged: {error}", expected="an .xlsx file", next_step="Save it again as .xlsx."
        ) from error


def _choose(book: Any, path: Path, sheet: str | None) -> str:
    sheets = [one.title for one in book.worksheets]
    if sheet is not None:
        if sheet not in sheets:
            raise DataError(f"{path} has no sheet {sheet!r}", expected=f"one of: {', '.join(sheets)}")
        return sheet
    filled = [
        name for name in sheets if next((True for row in _rows(book[name]) if any(c is not None for c in row)), False)
    ]
    if len(filled) == 1:
        return str(filled[0])
    if not filled:
        raise DataError(f"{path} is empty: no sheet holds anything", expected="a table with a header row")
    raise DataError(
        f"{path} has {len(filled)} sheets: {', '.join(filled)}",
        expected="the name of one",
        next_step=f"Name the table, such as {filled[0]!r}.",
    )


def _refuse_formulas_without_values(path: Path, name: str, source: str) -> None:
    """Files that a program wrote and no spreadsheet has opened have formulas and no values."""
    stored, written = _open(path, values=True), _open(path, values=False)
    try:
        found = [
            f"column {column}, row {number}"
            for number, (values, formulas) in enumerate(zip(_rows(stored[name]), _rows(written[name]), strict=False), 1)
            for column, (value, formula) in enumerate(zip(values, formulas, strict=False), 1)
            if value is None and formula is not None
        ]
    finally:
        stored.close()
        written.close()
    if found:
        raise DataError(
            f"{len(found)} formulas of {source} have no stored value, the first in {found[0]}",
            expected="values; formulas are never calculated here",
            next_step="Open the workbook in a spreadsheet program and save it, or paste the values over the formulas.",
        )
