"""What a user writes about a data set → what it says of each column, and the sentences around that.

Column lists come as `a = …; b, c = …`, `name: text` a line, bullets, tables, `name (text)`, ranges such as `x1-x6`. Only
names that are columns of the data are looked for, so prose that happens to hold an equals sign defines nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from leucippus.agents.passages import sentences

_JOIN = r"\s*(?:,\s*and\s|,|/|;(?=\s*\S+\s*=)|\band\b|&|\+)\s*"
_RANGE = r"\s*(?:-|–|—|\.\.\.?|…|\bto\b|\bthrough\b)\s*"
_DEFINE = re.compile(
    r"[`*\"'”]*\s*(?:\([^()\n]{1,40}\)\s*)?(?:=|:|\||\s[-–—]+\s|[-–—]+\s|→|(?P<open>\()|(?P<tab>\t)|\bis\b|\bare\b)\s*"
)
_QUOTES = "`*\"'“”"
_HEADING = re.compile(
    r"^[\s#*_]*(?:the\s+)?(?:columns?|variables?|fields?|codebook|data dictionary|features?)"
    r"(?:\s+(?:descriptions?|definitions?|list|names?|in the file|are|include))?[\s:*_]*$|"
    r"\b(?:columns?|variables?|fields?|codebook)(?: descriptions?)?\s*(?:are|include)?:\s*$",
    re.IGNORECASE,
)
_FEWEST_WORDS = 4


@dataclass(frozen=True)
class Description:
    """A description, taken apart."""

    text: str
    columns: Mapping[str, str]
    """Column → what is said of it, in the order of the data; columns of which nothing is said are not in it."""
    sentences: tuple[str, ...]
    """The sentences that are no list of columns."""

    @property
    def prose(self) -> str:
        return " ".join(self.sentences)


@dataclass(frozen=True)
class _Mention:
    start: int
    end: int
    columns: tuple[str, ...]
    notes: Mapping[str, str] = field(default_factory=dict)
    """What stands in brackets behind a name that more names follow: `holes (gaps in employment), school, email = …`."""


def read_description(text: str, columns: Sequence[str]) -> Description:
    """Take a description apart.

    Parameters
    ----------
    text : what the user wrote; may be empty. columns : the columns there are.
    """
    mentions = list(_groups(text, list(_mentions(text, columns)), columns))
    said: dict[str, str] = {}
    taken: list[tuple[int, int]] = []
    for at, mention in enumerate(mentions):
        definer = _DEFINE.match(text, mention.end)
        for column, note in mention.notes.items():
            said.setdefault(column, note)
        if definer is None or not _starts_an_item(text, mention.start, definer):
            continue
        following = mentions[at + 1].start if at + 1 < len(mentions) else len(text)
        start, end = definer.end(), _end(text, definer, following, mentions[at + 1 :])
        words = re.sub(r"\s+", " ", text[start:end].strip(" \t\n|;,.–—-*`"))
        if not words:
            continue
        for column in mention.columns[-1:] if definer["open"] else mention.columns:
            said[column] = f"{words} ({mention.notes[column]})" if column in mention.notes else said.get(column, words)
        taken.append((mention.start, end))
    return Description(
        text, {column: said[column] for column in columns if column in said}, tuple(_prose(text, taken, columns))
    )


def _mentions(text: str, columns: Sequence[str]) -> Iterator[_Mention]:
    """Where column names stand, the longer name first where one is within another."""
    seen: list[tuple[int, int]] = []
    found: list[_Mention] = []
    for column in sorted(columns, key=len, reverse=True):
        flags = re.IGNORECASE if len(column) >= 4 else 0
        for match in re.finditer(rf"(?<![\w.]){re.escape(column)}(?!\w|\.\w)", text, flags):
            if not any(start < match.end() and match.start() < end for start, end in seen):
                seen.append(match.span())
                found.append(_Mention(*match.span(), (column,)))
    yield from sorted(found, key=lambda mention: mention.start)


def _groups(text: str, mentions: list[_Mention], columns: Sequence[str]) -> Iterator[_Mention]:
    """Names that share what follows them: `a, b and c = …`, `x1-x6 = …`."""
    at = 0
    while at < len(mentions):
        group = mentions[at]
        while at + 1 < len(mentions):
            between = text[group.end : mentions[at + 1].start].strip(_QUOTES)
            following, notes = mentions[at + 1], dict(group.notes)
            bracketed = re.match(r"\s*\(([^()\n]{1,60})\)", between)
            if bracketed is not None and re.fullmatch(_JOIN, between[bracketed.end() :]):
                notes[group.columns[-1]] = bracketed[1]
                names = following.columns
            elif re.fullmatch(_RANGE, between) and _numbered(group.columns[-1], following.columns[0], between):
                names = _between(group.columns[-1], following.columns[0], columns)
            elif re.fullmatch(_JOIN, between):
                names = following.columns
            else:
                break
            group = _Mention(group.start, following.end, tuple(dict.fromkeys((*group.columns, *names))), notes)
            at += 1
        yield group
        at += 1


def _numbered(first: str, last: str, between: str) -> bool:
    """Whether a dash runs from one name to another, and does not stand between a name and what is said of it."""
    alike = re.sub(r"\d+", "", first) == re.sub(r"\d+", "", last) and first != last
    return first != last and (
        alike or not re.search(r"\s[-–—]\s", f" {between} ") or "..." in between or "…" in between
    )


def _between(first: str, last: str, columns: Sequence[str]) -> tuple[str, ...]:
    """The columns from one to another, in the order of the data."""
    one, other = columns.index(first), columns.index(last)
    return tuple(columns[one : other + 1]) if one <= other else (last,)


def _starts_an_item(text: str, start: int, definer: re.Match[str]) -> bool:
    """Whether a name in front of a definer is an item of a list, and not a word of a sentence that happens to be a name."""
    before = text[:start].rstrip(" \t" + _QUOTES)
    fresh = not before or before[-1] in "\n;:,.|([-–—•*·" or bool(re.search(r"(\n|^)\s*\d+[.)]$", before))
    if definer["open"]:
        return True
    if definer[0].strip() in ("is", "are"):
        return fresh or bool(re.search(r"\b(and|or|the|a|column|variable|where|with)$", before, re.IGNORECASE))
    if definer[0].strip(_QUOTES + " ").endswith("=") or definer["tab"]:
        return True
    return fresh or bool(re.search(r"\b(and|column|variable)$", before))


def _end(text: str, definer: re.Match[str], following: int, later: Sequence[_Mention]) -> int:
    """Where what is said of an item ends."""
    start = definer.end()
    if definer["open"]:
        depth = 1
        for at in range(start, len(text)):
            depth += (text[at] == "(") - (text[at] == ")")
            if depth == 0:
                return at
    stop = re.search(r";|\n|\.(?=\s|$)(?<!e\.g\.)(?<!i\.e\.)(?<!vs\.)", text[start:])
    end = start + stop.start() if stop else len(text)
    for mention in later:  # an item of its own that comes sooner: `a = one thing, b = another`
        if mention.start >= end:
            break
        ahead = _DEFINE.match(text, mention.end)
        comma = re.search(r"[,;|]\s*(and\s+)?[`*\"'“]*$", text[start : mention.start])
        if ahead is not None and comma is not None:
            return start + comma.start()
    return end


def _prose(text: str, taken: Sequence[tuple[int, int]], columns: Sequence[str]) -> Iterator[str]:
    left, at = [], 0
    for start, end in taken:
        left.append(text[at:start] if start > at else "")
        at = max(at, end)
    left.append(text[at:])
    names = {column.lower() for column in columns}
    for piece in left:
        for line in piece.split("\n"):
            for start, end in sentences(line):
                sentence = line[start:end].strip(" \t;,|•*#-–—")
                sentence = re.sub(
                    r"\s*\b(columns?|variables?)(?: descriptions?)?\s*:\s*$", "", sentence, flags=re.IGNORECASE
                )
                words = re.findall(r"\w+", sentence.lower())
                if len(words) >= _FEWEST_WORDS and not _HEADING.search(sentence) and not set(words) <= names:
                    yield sentence
