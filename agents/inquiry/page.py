"""A page as values, and its two renderings: Markdown and HTML. What a user, a data set or a model wrote is text in both."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Literal


@dataclass(frozen=True)
class Paragraph:
    text: str
    kind: Literal["plain", "lead", "quote"] = "plain"
    """A lead is the answer itself; a quote is somebody else's words."""


@dataclass(frozen=True)
class Items:
    """A list; the label of an item may be empty."""

    items: tuple[tuple[str, str], ...]
    """(label, text)"""


@dataclass(frozen=True)
class Table:
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Picture:
    file: str
    """Name of a PNG beside the page."""
    caption: str


Block = Paragraph | Items | Table | Picture


@dataclass(frozen=True)
class Section:
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Page:
    title: str
    sections: tuple[Section, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        """Every piece of text, as it was before anything was escaped."""
        return (self.title, *(text for section in self.sections for text in (section.title, *_texts(section))))


def texts_of(block: Block) -> tuple[str, ...]:
    """Every piece of text of a block."""
    match block:
        case Paragraph(text):
            return (text,)
        case Items(items):
            return tuple(part for item in items for part in item)
        case Table(head, rows):
            return (*head, *(cell for row in rows for cell in row))
        case Picture(_, caption):
            return (caption,)


def _texts(section: Section) -> Iterator[str]:
    for block in section.blocks:
        yield from texts_of(block)


def markdown(page: Page) -> str:
    """The page as CommonMark with tables; pictures are files beside it."""
    parts = [f"# {as_markdown(page.title)}"]
    for section in page.sections:
        parts.append(f"## {as_markdown(section.title)}")
        parts.extend(_markdown(block) for block in section.blocks)
    return "\n\n".join(parts) + "\n"


def _markdown(block: Block) -> str:
    match block:
        case Paragraph(text, kind):
            said = as_markdown(text)
            return f"> {said}" if kind == "quote" else f"**{said}**" if kind == "lead" else said
        case Items(items):
            return "\n".join(
                f"- **{as_markdown(label)}:** {as_markdown(text)}" if label else f"- {as_markdown(text)}"
                for label, text in items
            )
        case Table(head, rows):
            lines = (head, ("---",) * len(head), *rows)
            cells = [[cell if i == 1 else as_markdown(cell) for cell in line] for i, line in enumerate(lines)]
            return "\n".join(f"| {' | '.join(line)} |" for line in cells)
        case Picture(file, caption):
            return f"![{as_markdown(caption)}]({file})\n\n{as_markdown(caption)}"


_SPECIAL = re.compile(r"[\\`*\[\]<>&|~#$]|(?<!\w)_+|_+(?!\w)")
_STARTS = re.compile(r"^(?:([-+=])|(\d+)([.)])(?=\s|$))")


def as_markdown(text: str) -> str:
    """Text that Markdown shows as it is: on one line, with nothing in it that is syntax."""
    line = " ".join(_printable(text).split())
    line = _SPECIAL.sub(lambda found: "".join(f"\\{mark}" for mark in found[0]), line)
    line = line.replace("://", "\\://").replace("@", "\\@")  # GitHub makes links of bare addresses
    line = re.sub(r"(?i)\bwww\.", lambda found: f"{found[0][:-1]}\\.", line)
    return _STARTS.sub(lambda found: f"\\{found[1]}" if found[1] else f"{found[2]}\\{found[3]}", line)


_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1c1c1c; background: #fff; max-width: 52rem; margin: 2rem auto;
  padding: 0 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.2rem; border-bottom: 1px solid #ddd; }
.lead { font-size: 1.15rem; font-weight: 600; }
blockquote { margin-left: 0; padding-left: 1rem; border-left: 3px solid #bbb; color: #444; }
table { border-collapse: collapse; display: block; overflow-x: auto; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .25rem .7rem; border-bottom: 1px solid #e2e2e2; }
figure { margin: 1.5rem 0; } img { max-width: 100%; } figcaption { color: #444; font-size: .9rem; }
""".strip()
# Whatever slipped through: nothing is loaded, nothing runs.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def html(page: Page, pictures: Mapping[str, bytes]) -> str:
    """The page as one HTML file.

    Parameters
    ----------
    pictures : file name → PNG, for every `Picture` of the page.
    """
    body = [f"<h1>{as_html(page.title)}</h1>"]
    for section in page.sections:
        body.append(f"<section>\n<h2>{as_html(section.title)}</h2>")
        body.extend(_html(block, pictures) for block in section.blocks)
        body.append("</section>")
    head = (
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{as_html(page.title)}</title>",
        f"<style>\n{_STYLE}\n</style>",
    )
    return "\n".join(
        ('<!DOCTYPE html>\n<html lang="en">\n<head>', *head, "</head>\n<body>", *body, "</body>\n</html>\n")
    )


def _html(block: Block, pictures: Mapping[str, bytes]) -> str:
    match block:
        case Paragraph(text, kind):
            said = f'<p class="lead">{as_html(text)}</p>' if kind == "lead" else f"<p>{as_html(text)}</p>"
            return f"<blockquote>{said}</blockquote>" if kind == "quote" else said
        case Items(items):
            labels = (f"<strong>{as_html(label)}:</strong> " if label else "" for label, _ in items)
            points = (f"<li>{label}{as_html(text)}</li>" for label, (_, text) in zip(labels, items, strict=True))
            return "<ul>\n" + "\n".join(points) + "\n</ul>"
        case Table(head, rows):
            lines = [f"<tr>{''.join(f'<td>{as_html(cell)}</td>' for cell in row)}</tr>" for row in rows]
            top = f"<thead><tr>{''.join(f'<th>{as_html(cell)}</th>' for cell in head)}</tr></thead>"
            return f"<table>\n{top}\n<tbody>\n" + "\n".join(lines) + "\n</tbody>\n</table>"
        case Picture(file, caption):
            said, data = as_html(caption), b64encode(pictures[file]).decode("ascii")
            image = f'<img alt="{said}" src="data:image/png;base64,{data}">'
            return f"<figure>\n{image}\n<figcaption>{said}</figcaption>\n</figure>"


def as_html(text: str) -> str:
    """Text that HTML shows as it is."""
    return escape(" ".join(_printable(text).split()))


def _printable(text: str) -> str:
    """Without what is no character (lone surrogates, controls) or turns the direction of writing."""
    return "".join(
        " "
        if mark in "\n\r\t\v\f\x85\u2028\u2029"
        else "\ufffd"
        if not mark.isprintable() and not mark.isspace()
        else mark
        for mark in text
    )
