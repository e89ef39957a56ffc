"""PDF and Word files to text. Each function takes the bytes of one file and may raise whatever its parser raises."""

from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING
from zipfile import ZipFile

from leucippus.agents.readers.plain import document_of
from leucippus.errors import DocumentError
from leucippus.store.triples import Document

if TYPE_CHECKING:
    from docx.document import Document as WordDocument
    from docx.table import Table, _Cell

_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_HEADINGS = ("Title", "Heading")
_LARGEST_EXPANSION = 50
# A Word file is a zip of XML, which packs about tenfold; python-docx unpacks all of it into memory.


def pdf(data: bytes, name: str) -> Document:
    """The text layer: lines as they are set, a blank line between pages.

    Raises
    ------
    DocumentError : it needs a password, or is a scan.
    """
    from pypdf import PdfReader

    reader = PdfReader(BytesIO(data))
    if reader.is_encrypted and not reader.decrypt(""):
        raise DocumentError("It is encrypted.", next_step="Save a copy without a password.")
    text = "\n\n".join(page.extract_text().strip() for page in reader.pages)
    if not text.strip():
        raise DocumentError(
            f"It has no text layer: none of its {len(reader.pages)} pages holds text.",
            next_step="If it is a scan, run OCR on it first (ocrmypdf, for example).",
        )
    title = reader.metadata.title if reader.metadata else None
    return document_of(text, media_type="application/pdf", name=name, title=title)


def word(data: bytes, name: str) -> Document:
    """Paragraphs and table rows in the order they stand, blank lines between; a tab parts the cells of a row.

    Raises
    ------
    DocumentError : it unpacks to far more than a Word file does.
    """
    from docx import Document as open_word

    with ZipFile(BytesIO(data)) as parts:
        unpacked = sum(part.file_size for part in parts.infolist())
    if unpacked > max(_LARGEST_EXPANSION * len(data), 10_000_000):
        raise DocumentError(f"It unpacks from {len(data):,} to {unpacked:,} bytes, like a decompression bomb.")
    document = open_word(BytesIO(data))
    text = "\n\n".join(block for block in _blocks(document) if block.strip())
    return document_of(text, media_type=_WORD, name=name, title=document.core_properties.title or _heading(document))


def _blocks(container: "WordDocument | _Cell") -> Iterator[str]:
    from docx.text.paragraph import Paragraph

    for item in container.iter_inner_content():
        if isinstance(item, Paragraph):
            yield item.text
        else:
            yield from _rows(item)


def _rows(table: "Table") -> Iterator[str]:
    for row in table.rows:
        cells = {cell._tc: cell for cell in row.cells}  # a merged cell is listed once for each column it spans
        yield "\t".join(" ".join(_blocks(cell)) for cell in cells.values())


def _heading(document: "WordDocument") -> str | None:
    named = (p.text for p in document.paragraphs if p.style is not None and (p.style.name or "").startswith(_HEADINGS))
    return next((text for text in named if text.strip()), None)
