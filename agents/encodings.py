"""Any text file → the same text as UTF-8 with one kind of line end, streamed; files that already are stay where they are.

Knows nothing about tables.
"""

from __future__ import annotations

import codecs
import gzip
import re
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from leucippus.agents.readers.plain import looks_binary
from leucippus.errors import DataError

_CHUNK = 1 << 20
_SAMPLE = 1 << 16
_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_SYMBOL_IN_WORD = re.compile(r"[^\W\d_][¡-¿‚„†‡‰‹›•™×÷]+[^\W\d_]")
_SIGNATURES = {
    b"PAR1": "a Parquet file (.parquet)",
    b"PK\x03\x04": "an Excel workbook (.xlsx) or a .zip",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls): save it as .xlsx",
    b"<stata_dta>": "a Stata file (.dta)",
    b"$FL2": "an SPSS file (.sav)",
    b"%PDF": "a PDF",
    b"SQLite format 3": "an SQLite database",
}


@dataclass(frozen=True)
class Text:
    """A file in UTF-8."""

    path: Path
    newline: str
    """The line end it uses throughout: \\n, \\r\\n or \\r."""
    notes: tuple[str, ...]


def as_utf8(path: Path, folder: Path) -> Text:
    """The file itself if it is UTF-8, else a copy of it in `folder`.

    Raises
    ------
    DataError : it is empty, or not text.
    """
    packed = path.suffix.lower() == ".gz"
    try:
        with _open(path, packed) as file:
            head = file.read(_SAMPLE)
            _refuse_what_is_no_text(head, path)
            mark = next((name for start, name in _MARKS.items() if head.startswith(start)), None)
            newlines, odd = (set[str](), b"") if mark == "utf-16" else _survey(file, head)
        encoding = mark if mark == "utf-16" else "utf-8" if odd == b"" else _encoding_of(odd, path)
        notes = () if encoding == "utf-8" else (f"read as {_SPOKEN.get(encoding, encoding)}",)
        if encoding == "utf-8" and len(newlines) < 2 and not packed:
            return Text(path, next(iter(newlines), "\n"), notes)
        return Text(_copy(path, packed, "utf-8-sig" if encoding == "utf-8" else encoding, folder), "\n", notes)
    except (gzip.BadGzipFile, EOFError) as error:
        raise DataError(f"{path} is no gzip file, or a damaged one", next_step="Unpack it first.") from error
    except UnicodeError as error:
        raise DataError(f"{path} is damaged: {error}", next_step="Save it again, as UTF-8.") from error


_SPOKEN = {"utf-16": "UTF-16", "cp1252": "Windows-1252 (Latin-1)", "latin-1": "Latin-1"}


def _open(path: Path, packed: bool) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(path, "rb")) if packed else path.open("rb")


def _refuse_what_is_no_text(head: bytes, path: Path) -> None:
    if not head.strip():
        raise DataError(f"{path} is empty", expected="a table with a header row")
    kind = next((kind for start, kind in _SIGNATURES.items() if head.startswith(start)), None)
    if head[8:12] == b"DUCK":
        kind = "a DuckDB database (.duckdb)"
    if kind or looks_binary(head):
        raise DataError(
            f"{path} is no text" + (f": it looks like {kind}" if kind else ": it looks binary"),
            expected="text with one row a line, such as CSV",
            next_step="Give the file the ending of what it is, or export it as CSV in UTF-8.",
        )


def _survey(file: IO[bytes], head: bytes) -> tuple[set[str], bytes]:
    """The kinds of line end, and a sample of lines that are not UTF-8 (empty if all are)."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    crlf = lf = cr = 0
    odd, is_utf8, chunk, last = b"", True, head, b""
    while chunk:
        if is_utf8:
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError:
                is_utf8 = False
        if not is_utf8 and len(odd) < _SAMPLE:
            odd += b"\n".join(line for line in chunk.splitlines() if not line.isascii())[:_SAMPLE]
        crlf += chunk.count(b"\r\n") + (last == b"\r" and chunk.startswith(b"\n"))
        lf, cr, last = lf + chunk.count(b"\n"), cr + chunk.count(b"\r"), chunk[-1:]
        chunk = file.read(_CHUNK)
    if is_utf8:
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            odd = b"\xff"  # cut off in the middle of a character
    counted = {"\r\n": crlf, "\n": lf - crlf, "\r": cr - crlf}
    return {end for end, times in counted.items() if times}, odd


def _encoding_of(sample: bytes, path: Path) -> str:
    """The encoding of lines that are not UTF-8."""
    from charset_normalizer import from_bytes

    # Western first: a detector takes French and Spanish in Latin-1 for Baltic and Polish code pages.
    try:
        text = sample.decode("cp1252")
        letters = sum(character.isalpha() for character in text)
        foreign = sum(not character.isascii() for character in text)
        if foreign * 2 < letters and len(_SYMBOL_IN_WORD.findall(text)) * 10 <= foreign:
            return "cp1252"
    except UnicodeDecodeError:
        pass
    guess = from_bytes(sample).best()
    if guess is not None and guess.chaos < 0.1 and guess.coherence >= 0.1:
        return guess.encoding
    # Every byte is a character in Latin-1, so the numbers come through; names may look odd, and the note says why.
    return "latin-1"


def _copy(path: Path, packed: bool, encoding: str, folder: Path) -> Path:
    target = folder / "utf8.txt"
    decode = codecs.getincrementaldecoder(encoding)(errors="strict")
    with _open(path, packed) as source, target.open("w", encoding="utf-8", newline="") as out:
        held = ""
        while chunk := source.read(_CHUNK):
            text = held + decode.decode(chunk)
            held = "\r" if text.endswith("\r") else ""  # its \n may come with the next chunk
            out.write(text.removesuffix("\r").replace("\r\n", "\n").replace("\r", "\n"))
        out.write((held + decode.decode(b"", final=True)).replace("\r", "\n"))
    return target
