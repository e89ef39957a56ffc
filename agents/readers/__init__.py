"""Files to documents: every format we read becomes `Document`s, and what cannot be read becomes a `Failure`.

Knows formats, and nothing of passages, models or the store. Never executes, fetches or writes what it reads.

    files     which files there are          plain    encodings, text, Markdown, HTML
    archive   members of a zip               office   PDF, Word
    rows      tables, one document a row
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePath

from leucippus.agents.readers import office, plain, rows
from leucippus.agents.readers.archive import members
from leucippus.agents.readers.files import BYTES_PER_MB, Found, failure, find_documents, too_large, uri_of
from leucippus.errors import DocumentError, InputError
from leucippus.store.triples import Document, Failure

__all__ = ["SUFFIXES", "Found", "find_documents", "read_documents"]

Read = tuple[Document, str] | Failure

_WHOLE: dict[str, Callable[[bytes, str], Document]] = {
    **dict.fromkeys((".txt", ".text", ".log"), plain.plain),
    **dict.fromkeys((".md", ".markdown"), plain.markdown),
    ".rst": plain.restructured,
    **dict.fromkeys((".html", ".htm", ".xhtml"), plain.html),
    ".pdf": office.pdf,
    ".docx": office.word,
}
_TABLES: dict[str, tuple[str, Callable[[bytes], Iterator[rows.NumberedRow]]]] = {
    ".csv": ("text/csv", lambda data: rows.delimited(data, ",;\t|")),
    ".tsv": ("text/tab-separated-values", lambda data: rows.delimited(data, "\t")),
    **dict.fromkeys((".jsonl", ".ndjson"), ("application/x-ndjson", rows.json_lines)),
    ".json": ("application/json", rows.json_values),
    ".parquet": ("application/vnd.apache.parquet", rows.parquet),
}
SUFFIXES: tuple[str, ...] = (*_WHOLE, *_TABLES, ".zip")
"""Suffixes with a reader of their own. A file with another one is read if it turns out to be text."""


def read_documents(
    paths: Sequence[str | Path], *, max_mb: float, text_column: str | None = None
) -> Iterator[tuple[Document, str] | Failure]:
    """Every document at and under `paths` with where it is: `path`, `path#member` or `path#row=12`.

    Parameters
    ----------
    paths : files and folders.
    max_mb : a larger file is a failure and is not opened. One MB is 1,000,000 bytes.
    text_column : the column of a table that holds the text; chosen by name and content when not given.

    Raises
    ------
    InputError : at the call, one of `paths` does not exist; while reading, there was nothing at all to read.
    """
    return _read_all([Path(path) for path in paths], find_documents(paths, max_mb=max_mb), max_mb, text_column)


def _read_all(
    paths: list[Path], found: Iterator[Found | Failure], max_mb: float, text_column: str | None
) -> Iterator[Read]:
    nothing = True
    for item in found:
        nothing = False
        if isinstance(item, Failure):
            yield item
        else:
            yield from _guarded(item.uri, _read_file(item, max_mb, text_column))
    if nothing:
        raise InputError(
            f"There are no documents in {', '.join(map(uri_of, paths)) or 'an empty list of paths'}.",
            expected=f"at least one file; we read {' '.join(SUFFIXES)} and other text. Hidden files do not count.",
            next_step="Name a folder or files with documents.",
        )


def _guarded(uri: str, documents: Iterator[Read]) -> Iterator[Read]:
    try:
        yield from documents
    # The parsers underneath (pypdf, lxml, python-docx, zipfile, DuckDB) raise dozens of unrelated types on damaged or
    # hostile files, RecursionError and MemoryError among them. None may end a job that has other documents to read.
    except Exception as error:  # noqa: BLE001
        yield failure(uri, error)


def _read_file(found: Found, max_mb: float, text_column: str | None) -> Iterator[Read]:
    limit = int(max_mb * BYTES_PER_MB)
    with found.path.open("rb") as file:
        head = file.read(65_536)
        if found.path.suffix.lower() not in SUFFIXES and not head.startswith(b"%PDF-"):
            _refuse_unknown(head)  # before the rest is read: folders hold images and programs too
        data = head + file.read(limit + 1 - len(head))
    if len(data) > limit:  # it grew after we looked
        raise too_large(found.path.stat().st_size, max_mb)
    yield from _read_bytes(data, found.path.name, found.uri, max_mb, text_column)


def _read_bytes(data: bytes, name: str, uri: str, max_mb: float, text_column: str | None) -> Iterator[Read]:
    suffix = PurePath(name).suffix.lower()
    if suffix == ".zip":
        for member, content in members(data, max_mb):
            member_uri = f"{uri}#{member}"
            if isinstance(content, Exception):
                yield failure(member_uri, content)
            else:
                yield from _guarded(member_uri, _read_bytes(content, member, member_uri, max_mb, text_column))
    elif suffix in _TABLES:
        media_type, parse = _TABLES[suffix]
        numbered = rows.documents(parse(data), media_type=media_type, name=name, text_column=text_column)
        for number, row in numbered:
            row_uri = f"{uri}#row={number}"
            yield failure(row_uri, row) if isinstance(row, Exception) else (row, row_uri)
    elif suffix in _WHOLE:
        yield _WHOLE[suffix](data, name), uri
    elif data.startswith(b"%PDF-"):
        yield office.pdf(data, name), uri
    else:
        _refuse_unknown(data)
        yield plain.plain(data, name), uri


def _refuse_unknown(head: bytes) -> None:
    """Refuse what is no text. Rich Text is: its letters are ASCII, its content is markup."""
    if head.startswith(b"{\\rtf"):
        raise DocumentError("It is Rich Text.", next_step="Save it as .docx or .txt.")
    if plain.looks_binary(head):
        raise DocumentError(f"It looks binary, and its suffix is none of {' '.join(SUFFIXES)}.", expected="text")
