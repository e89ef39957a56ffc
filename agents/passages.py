"""Text to sentences to passages, by exact character offsets.

Knows nothing about files or models: it takes `Document.text` as it stands and never changes a character. A blank line
ends a paragraph, so it always ends a sentence; a single line break inside a paragraph is a wrapped line unless the
lines say otherwise (list items, headings, table rows, a line that stops well short of its neighbours).
"""

import re
from collections.abc import Iterator
from itertools import pairwise

from leucippus.store.triples import Document, Passage

LONGEST_SENTENCE = 1200
"""Characters. Longer ones (tables, legal boilerplate, minified text) are cut, so that no unit is unbounded."""

_LONGEST_UNIT = 8000
# sentencex takes quadratic time in unpaired quotation marks: 28 s for a megabyte of them, 0.3 s in pieces of 8000.

Span = tuple[int, int]

_PARAGRAPH_BREAK = re.compile(r"(?:\n[^\S\n]*){2,}|[\f\u2029]")
_SURROGATE = re.compile("[\ud800-\udfff]")
# A list item, heading, table row or code fence. No "A." or "–": a wrapped line may begin with an initial or a dash.
_ITEM = re.compile(
    r"\s*(?:[-*+•◦▪‣]\s|\(?\d{1,3}[.)]\s|\(?[A-Za-z]\)\s|#{1,6}\s|\||```|\[?\d{1,2}:\d\d(?::\d\d)?\]?\s)"
)
_HEADING = re.compile(r"\s*#{1,6}\s")
_WORD = re.compile(r"\w")
# A line ending so is not finished, however short it is.
_CONTINUES = re.compile(
    r"(?:[,–—-]|\b(?:a|an|and|are|as|at|be|because|been|but|by|for|from|had|has|have|if|in|into|is|its|no|not|of|on|or"
    r"|our|over|since|than|that|the|their|this|to|under|was|were|when|where|which|while|who|with))$",
    re.IGNORECASE,
)
_CLAUSE_END = re.compile(r"[;:,.!?。、；](?=\s)|[—。、；]")
_SPACE = re.compile(r"\s")
_MARKS = re.compile(r"(?:[*_]{1,3}(?=\s))?")


def sentences(text: str) -> list[Span]:
    """Spans of the sentences of `text`: in order, disjoint, trimmed; together every character that is not a space."""
    return [span for paragraph in _paragraphs(text) for span in paragraph]


def passages(document: Document, *, max_chars: int) -> list[Passage]:
    """Whole sentences of one paragraph, joined while they span at most `max_chars` characters.

    A longer sentence stands alone. Every character that is not a space is in exactly one passage.
    """
    return [
        Passage.of(document, start, end)
        for paragraph in _paragraphs(document.text)
        for start, end in _joined(paragraph, max_chars)
    ]


def _joined(spans: list[Span], max_chars: int) -> Iterator[Span]:
    start, end = spans[0]
    for next_start, next_end in spans[1:]:
        if next_end - start > max_chars:
            yield start, end
            start = next_start
        end = next_end
    yield start, end


def _paragraphs(text: str) -> Iterator[list[Span]]:
    """The sentences of each paragraph that has any."""
    # sentencex refuses lone surrogates; one replacement character each keeps the offsets.
    safe = _SURROGATE.sub("\ufffd", text)
    start = 0
    for gap in _PARAGRAPH_BREAK.finditer(safe):
        if spans := _paragraph_sentences(safe, start, gap.start()):
            yield spans
        start = gap.end()
    if spans := _paragraph_sentences(safe, start, len(safe)):
        yield spans


def _paragraph_sentences(text: str, start: int, end: int) -> list[Span]:
    from sentencex import get_sentence_boundaries  # type: ignore[import-untyped]

    found: list[Span] = []
    for line_start, line_end in _units(text, start, end):
        marker = _ITEM.match(text, line_start, line_end)
        for unit_start, unit_end in _cut(text, line_start, line_end, _LONGEST_UNIT):
            # The "1." of a list item is no sentence: sentencex sees what follows, and its first sentence gets it back.
            seen = max(unit_start, marker.end() if marker else 0)
            # start_index and end_index count characters, not bytes (checked with non-ASCII text).
            ends = [seen + boundary["end_index"] for boundary in get_sentence_boundaries("en", text[seen:unit_end])]
            # "**Results.** We found": the closing marks belong to what they close.
            ends = [_MARKS.match(text, end, unit_end).end() for end in ends]  # type: ignore[union-attr]
            for sentence_start, sentence_end in pairwise([unit_start, *ends[:-1], unit_end]):
                found += _cut(text, sentence_start, sentence_end, LONGEST_SENTENCE)
    return found


def _units(text: str, start: int, end: int) -> Iterator[Span]:
    """Split a paragraph where one line cannot continue the line before it."""
    lines = _lines(text, start, end)
    written = [text[a:b].strip() for a, b in lines]
    widest = max((len(line) for line in written), default=0)
    listed = _is_list(written, widest)
    unit_start = start
    for (line_start, _), before, line in zip(lines[1:], written, written[1:], strict=False):
        if listed or _starts_unit(before, line, widest):
            yield unit_start, line_start
            unit_start = line_start
    yield unit_start, end


def _lines(text: str, start: int, end: int) -> list[Span]:
    lines: list[Span] = []
    while start < end:
        newline = text.find("\n", start, end)
        stop = end if newline < 0 else newline + 1
        lines.append((start, stop))
        start = stop
    return lines


def _starts_unit(before: str, line: str, widest: int) -> bool:
    if _ITEM.match(line) or _HEADING.match(before) or not _WORD.search(before):
        return True
    # A heading or the last line of a paragraph whose blank line was lost, as in text taken from PDF: wrapping fills
    # lines, so a line well short of the widest was ended on purpose.
    short = widest >= 40 and len(before) < 0.6 * widest
    return short and line[:1].isupper() and not _CONTINUES.search(before)


def _is_list(lines: list[str], widest: int) -> bool:
    """Three lines or more, each beginning like a sentence, that no wrapping made: it would leave even widths."""
    if len(lines) < 3 or all(line.isupper() for line in lines):
        return False
    if any(line[:1].islower() or _CONTINUES.search(line) or not _WORD.search(line) for line in lines):
        return False
    return min(len(line) for line in lines[:-1]) < 0.75 * widest


def _cut(text: str, start: int, end: int, longest: int) -> Iterator[Span]:
    """The trimmed span in pieces of at most `longest`, cut after a clause, else at a space, else anywhere."""
    while end - start > longest:
        half = start + longest // 2
        stop = _last(_CLAUSE_END, text, half, start + longest) or _last(_SPACE, text, half, start + longest)
        stop = stop or start + longest
        yield from _trimmed(text, start, stop)
        start = stop
    yield from _trimmed(text, start, end)


def _last(pattern: re.Pattern[str], text: str, start: int, end: int) -> int:
    """Where the last match ends, 0 if there is none."""
    return max((match.end() for match in pattern.finditer(text, start, end)), default=0)


def _trimmed(text: str, start: int, end: int) -> Iterator[Span]:
    piece = text[start:end]
    if kept := piece.strip():
        start += len(piece) - len(piece.lstrip())
        yield start, start + len(kept)
