"""Bytes to text: encodings, plain text, Markdown and HTML. Executes nothing, fetches nothing."""

import re
from pathlib import PurePath

from leucippus.errors import DocumentError
from leucippus.store.triples import Document

_HEAD = 65_536
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r\b\x1b")) + b"\x7f"  # escape: logs are coloured with it
_BOMS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe\0\0": "utf-32", b"\0\0\xfe\xff": "utf-32", b"\xff\xfe": "utf-16",
         b"\xfe\xff": "utf-16"}  # fmt: skip  # UTF-32 first: its mark begins with that of UTF-16
_DECLARED = re.compile(rb"""<(?:meta|\?xml)[^>]{0,200}?(?:charset|encoding)\s*=\s*["']?([\w-]{2,30})""", re.IGNORECASE)
_SURROGATE = re.compile("[\ud800-\udfff]")
_SYMBOL_IN_WORD = re.compile(r"[^\W\d_][¡-¿‚„†‡‰‹›•™×÷]+[^\W\d_]")
_MARKDOWN_HEADING = re.compile(r"^#{1,6}[ \t]+(.*?)[ \t#]*$", re.MULTILINE)
_BLOCKS = ["section", "form", "fieldset", "dl", "dt", "dd", "details", "summary", "center"]
_NOISE = ["noscript", "template", "svg", "iframe", "select", "button", "textarea"]


def document_of(
    text: str, *, media_type: str, name: str, title: str | None = None, published: str | None = None
) -> Document:
    """The document of a text: line ends are \\n, NUL is dropped, what Unicode cannot encode is replaced.

    Without a title, it is the first line with a word in it, else the stem of `name`.

    Raises
    ------
    DocumentError : there is no text.
    """
    text = _SURROGATE.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", ""))
    if not text.strip():
        raise DocumentError("It is empty: there is no text in it.")
    title = " ".join(_SURROGATE.sub("\ufffd", title or "").split())[:300] or _first_line(text) or PurePath(name).stem
    return Document.of(text, media_type=media_type, title=title, published=published)


def looks_binary(data: bytes) -> bool:
    """More than one control character in a hundred, judged by the first 64 KiB; text in UTF-16 needs its mark."""
    head = data[:_HEAD]
    if head.startswith(tuple(_BOMS)):
        return False
    return (len(head) - len(head.translate(None, _CONTROLS))) * 100 > len(head)


def decode(data: bytes) -> str:
    """The text of `data`: by its byte order mark, as UTF-8, as it declares, else in an encoding that surely fits.

    Raises
    ------
    DocumentError : it is binary, damaged UTF-8, or in an encoding we would have to guess.
    """
    if looks_binary(data):
        raise DocumentError(
            "It looks binary.", expected="text, or a format we read: .html .pdf .docx .csv .jsonl .parquet .zip"
        )
    marked = next((encoding for bom, encoding in _BOMS.items() if data.startswith(bom)), None)
    declared = _DECLARED.search(data[:2048])
    for encoding in [marked or "utf-8", *([declared[1].decode("ascii")] if declared else [])]:
        try:
            return data.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
    return _guess(data)


def _guess(data: bytes) -> str:
    loose = data.decode("utf-8", "replace")
    wrong = loose.count("\ufffd")
    if sum(not character.isascii() for character in loose) > 2 * wrong:  # more good sequences than bad ones
        raise DocumentError(
            f"It is UTF-8 with {wrong} damaged places, the first near character {loose.index(chr(0xFFFD))}.",
            next_step="Repair it, or convert it with: iconv -c -f UTF-8 -t UTF-8",
        )
    return _as_western(data) or _as_detected(data)


def _as_western(data: bytes) -> str | None:
    """As Windows-1252, the superset of Latin-1, if it reads like a western language."""
    # Not left to charset-normalizer: it takes French and Spanish in Latin-1 for Baltic and Polish code pages.
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError:
        return None
    letters = sum(character.isalpha() for character in text)
    foreign = sum(not character.isascii() for character in text)
    odd = len(_SYMBOL_IN_WORD.findall(text))  # "spad³o": a letter of another alphabet
    return text if foreign * 2 < letters and odd * 10 <= foreign else None


def _as_detected(data: bytes) -> str:
    from charset_normalizer import from_bytes

    guess = from_bytes(data[:_HEAD]).best()
    # For Latin alphabets its choice among code pages is a coin toss; for other scripts a coherent guess is right.
    if guess is not None and guess.chaos < 0.1 and guess.coherence >= 0.1:
        try:
            text = data.decode(guess.encoding)
        except UnicodeDecodeError:
            text = ""
        if sum(character > "\u036f" for character in text) * 4 > len(text):
            return text
    raise DocumentError("Its encoding cannot be told.", expected="UTF-8", next_step="Convert it to UTF-8.")


def plain(data: bytes, name: str) -> Document:
    """Text as it stands."""
    return document_of(decode(data), media_type="text/plain", name=name)


def markdown(data: bytes, name: str) -> Document:
    """Markdown as it stands, titled by its first heading."""
    text = decode(data)
    heading = _MARKDOWN_HEADING.search(text)
    return document_of(text, media_type="text/markdown", name=name, title=heading[1] if heading else None)


def restructured(data: bytes, name: str) -> Document:
    """reStructuredText as it stands."""
    return document_of(decode(data), media_type="text/x-rst", name=name)


def html(data: bytes, name: str) -> Document:
    """What a page shows, with a blank line between blocks; scripts, styles and form controls are dropped."""
    from copy import deepcopy

    from inscriptis.css_profiles import CSS_PROFILES  # type: ignore[import-untyped]
    from inscriptis.html_engine import Inscriptis  # type: ignore[import-untyped]
    from inscriptis.model.config import ParserConfig  # type: ignore[import-untyped]
    from lxml.etree import ParserError  # type: ignore[import-untyped]
    from lxml.html import HTMLParser, document_fromstring  # type: ignore[import-untyped]

    css = deepcopy(CSS_PROFILES["strict"])
    css |= {tag: deepcopy(css["div"]) for tag in _BLOCKS} | {tag: deepcopy(css["script"]) for tag in _NOISE}
    for tag in [*_BLOCKS, "div", "article", "aside", "main", "header", "footer", "blockquote", "pre", "figcaption"]:
        # A line break alone would read as a wrapped line, and join a heading to the text under it.
        css[tag].margin_before = css[tag].margin_after = 1
    # huge_tree lifts libxml2's limits on depth and on one node's size: our own limit is the size of the file.
    parser = HTMLParser(encoding="utf-8", huge_tree=True)
    try:
        tree = document_fromstring(decode(data).encode("utf-8", "replace"), parser=parser)
    except ParserError:  # its word for "nothing in it"
        return document_of("", media_type="text/html", name=name)
    text = Inscriptis(tree, ParserConfig(css=css)).get_text()
    text = re.sub(r"\n{3,}", "\n\n", re.sub(r"[^\S\n]+$", "", text, flags=re.MULTILINE)).strip("\n")
    heading = tree.find(".//h1")
    title = tree.findtext(".//title") or (heading.text_content() if heading is not None else None)
    return document_of(text, media_type="text/html", name=name, title=title)


def _first_line(text: str) -> str:
    lines = (line.strip() for line in text.splitlines())
    return next((line for line in lines if any(character.isalnum() for character in line)), "")[:120].rstrip()
