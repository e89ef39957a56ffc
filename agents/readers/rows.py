"""Tables, one document a row: CSV, TSV, JSON, JSON Lines, Parquet."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from io import StringIO
from itertools import chain, islice
from tempfile import NamedTemporaryFile
from typing import Any

from leucippus.agents.readers.plain import decode, document_of
from leucippus.errors import DocumentError
from leucippus.store.triples import Document

Row = Mapping[str, Any]
NumberedRow = tuple[int, Row | Exception]

TEXT_COLUMNS = ("text", "body", "content", "abstract", "document", "summary")
_TITLE_COLUMNS = ("title", "headline", "id")
_DATE_COLUMNS = ("published", "date")
_SAMPLE = 200
_CLEARLY_LONGEST = 3  # times the mean length of the next column
_PROSE = 40  # characters: the mean of a column that holds more than names


def documents(
    rows: Iterator[NumberedRow], *, media_type: str, name: str, text_column: str | None
) -> Iterator[tuple[int, Document | Exception]]:
    """The document in each row, or why there is none, with the number of the row.

    Raises
    ------
    DocumentError : there are no rows, or no column is clearly the text.
    """
    sample = list(islice(rows, _SAMPLE))
    read = [row for _, row in sample if not isinstance(row, Exception)]
    if not read:
        yield from ((number, row) for number, row in sample if isinstance(row, Exception))
        raise DocumentError("It has no rows that can be read.", expected="a header and at least one row")
    column = choose_column(read, text_column)
    for number, row in chain(sample, rows):
        if isinstance(row, Exception):
            yield number, row
            continue
        try:
            yield number, _document(row, column, media_type=media_type, name=f"{name} {number}")
        except DocumentError as error:
            yield number, error


def choose_column(rows: Sequence[Row], text_column: str | None) -> str:
    """The column that holds the text: the one asked for, one so named, the only one, or clearly the longest.

    Raises
    ------
    DocumentError : none of these; the message lists the columns.
    """
    lengths = _mean_lengths(rows)
    by_name = {column.strip().casefold(): column for column in lengths}
    wanted = TEXT_COLUMNS if text_column is None else (text_column.strip().casefold(),)
    if text_column in lengths:
        return text_column
    for name in wanted:
        if name in by_name:
            return by_name[name]
    longest = sorted(lengths, key=lambda column: -lengths[column])[:2]
    if text_column is None and len(longest) == 1:
        return longest[0]
    if text_column is None and longest:
        first, second = (lengths[column] for column in longest)
        if first >= _PROSE and first >= _CLEARLY_LONGEST * second:
            return longest[0]
    columns = ", ".join(dict.fromkeys(repr(column) for row in rows for column in row))
    raise DocumentError(
        "No column is clearly the text." if text_column is None else f"There is no text in a column {text_column!r}.",
        expected=f"a column named {', '.join(TEXT_COLUMNS)}" if text_column is None else "a column with text",
        next_step=f"Name the text column; there are: {columns}",
    )


def _mean_lengths(rows: Sequence[Row]) -> dict[str, float]:
    """Mean length of the strings of each column that holds words: mostly strings, and letters in some of them."""
    lengths: dict[str, float] = {}
    for column in dict.fromkeys(column for row in rows for column in row):
        values = [value for row in rows if (value := row.get(column)) is not None]
        strings = [value for value in values if isinstance(value, str)]
        if 2 * len(strings) > len(values) and any(map(_has_letters, strings)):
            lengths[column] = sum(map(len, strings)) / len(rows)
    return lengths


def _has_letters(value: str) -> bool:
    return any(character.isalpha() for character in value)


def _document(row: Row, column: str, *, media_type: str, name: str) -> Document:
    text = row.get(column)
    if text is not None and not isinstance(text, str):
        raise DocumentError(f"Column {column!r} holds {type(text).__name__}.", expected="text")
    title = _named(row, _TITLE_COLUMNS)
    published = _iso_date(_named(row, _DATE_COLUMNS))
    return document_of(text or "", media_type=media_type, name=name, title=title, published=published)


def _named(row: Row, names: Sequence[str]) -> str | None:
    """The first value, as text, of a column with one of these names."""
    by_name = {column.strip().casefold(): row[column] for column in row}
    return next((str(by_name[name]) for name in names if by_name.get(name) not in (None, "")), None)


def _iso_date(value: str | None) -> str | None:
    try:
        return date.fromisoformat((value or "").strip()[:10]).isoformat()
    except ValueError:
        return None


def delimited(data: bytes, delimiters: str) -> Iterator[NumberedRow]:
    """CSV and its kin; rows count from 1 after the header. The delimiter is the likeliest in the header."""
    text = decode(data)
    header = text.lstrip().partition("\n")[0]
    csv.field_size_limit(2**31 - 1)  # a document is longer than the default; the file's size is limited already
    reader = csv.DictReader(StringIO(text, newline=""), delimiter=max(delimiters, key=header.count))
    for number, row in enumerate(reader, start=1):
        yield number, {column: value for column, value in row.items() if isinstance(column, str)}  # surplus cells


def json_lines(data: bytes) -> Iterator[NumberedRow]:
    """One JSON value a line; rows are numbered by line."""
    for number, line in enumerate(decode(data).split("\n"), start=1):
        if line.strip():
            try:
                yield number, _object(json.loads(line))
            except (ValueError, RecursionError, DocumentError) as error:
                yield number, error


def json_values(data: bytes) -> Iterator[NumberedRow]:
    """A list of objects, or one object."""
    value = json.loads(decode(data))
    for number, item in enumerate(value if isinstance(value, list) else [value], start=1):
        try:
            yield number, _object(item)
        except DocumentError as error:
            yield number, error


def _object(value: Any) -> Row:
    if isinstance(value, dict):
        return value
    raise DocumentError(f"It is a JSON {type(value).__name__}.", expected='an object, like {"text": "…"}')


def parquet(data: bytes) -> Iterator[NumberedRow]:
    """The string columns of a Parquet file, and its title and date whatever their type."""
    import duckdb

    # DuckDB reads files only. It is here already, streams, and keeps to a memory limit; it may fetch no extension.
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": "1GB",
        "threads": 1,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    with NamedTemporaryFile(suffix=".parquet") as file, duckdb.connect(":memory:", config=settings) as connection:
        file.write(data)
        file.flush()
        described = connection.execute("DESCRIBE SELECT * FROM read_parquet(?)", [file.name]).fetchall()
        labels = (*_TITLE_COLUMNS, *_DATE_COLUMNS)
        names = [name for name, kind, *_ in described if kind == "VARCHAR" or name.strip().casefold() in labels]
        if not names:
            raise DocumentError("It has no column of text.", expected=f"one of {', '.join(TEXT_COLUMNS)}")
        # As text, because fetching a time with a zone needs a package we do not require.
        wanted = ", ".join(f'CAST("{name.replace(chr(34), chr(34) * 2)}" AS VARCHAR)' for name in names)
        connection.execute(f"SELECT {wanted} FROM read_parquet(?)", [file.name])
        number = 0
        while rows := connection.fetchmany(_SAMPLE):
            for row in rows:
                number += 1
                yield number, dict(zip(names, row, strict=True))
