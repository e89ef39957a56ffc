"""What a user writes about a data set → what it says of each column, and the sentences around that.

Column lists come as `a = …; b, c = …`, `name: text` a line, bullets, tables, `name (text)`, ranges such as `x1-x6`. Only
names that are columns of the data are looked for, so prose that happens to hold an equals sign defines nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from leucippus.agents.passages import sentences

_JOIN = r"\s*(?:,\s*and\s|,|/|;(?=\s*\S+\s*=)|\band\b|&|\+)\s*"
_RANGE = r"\s*(?:-|–|—|\.\.\.?|…|\bto\b|\bthrough\b)\s*"
_DEFINE = re.compile(
    r"[`*\"'”]*[ \t]*(?:\([^()\n]{1,40}\)[ \t]*)?"
    r"(?:=|:|\||[ \t][-–—]+\s|(?<=\S)[-–—]+\s|→|(?P<open>\()|(?P<tab>\t)|\bis\b|\bare\b)\s*"
)
_QUOTES = "`*\"'“”"
_HEADING = re.compile(
    r"^[\s#*_]*(?:the\s+)?(?:columns?|variables?|fields?|codebook|data dictionary|features?)"
    r"(?:\s+(?:descriptions?|definitions?|list|names?|in the file|are|include))?[\s:*_]*$|"
    r"\b(?:columns?|variables?|fields?|codebook)(?: descriptions?)?\s*(?:are|include)?:\s*$",
    re.IGNORECASE,
)
_FEWEST_WORDS = 4
_FEWEST_LETTERS = 3


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
    if _parted_by_commas(text, mentions):
        mentions = [alone for mention in mentions for alone in _alone(text, mention)]
    said: dict[str, str] = {}
    taken: list[tuple[int, int]] = []
    last: Sequence[str] = ()
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
        alone = definer["open"] or re.match(r"its? ", words)
        shared = _alike(mention.columns) if alone else mention.columns
        for at_once, (column, own) in enumerate(zip(shared, _shares(words, len(shared)), strict=True)):
            within = [
                one for one in said if len(one) >= _FEWEST_LETTERS and one.lower() in column.lower() and one != column
            ]
            pointed_at = max(within, key=len, default=last[min(at_once, len(last) - 1)] if last else "")
            own = _spelt_out(own, said.get(pointed_at, ""))
            place = mention.columns.index(column)
            if place and not own.startswith("their") and _ONLY_LOG.fullmatch(own):
                own = f"log of {said.get(mention.columns[place - 1], mention.columns[place - 1])}"
            said[column] = f"{own} ({mention.notes[column]})" if column in mention.notes else said.get(column, own)
        taken.append((mention.start, end))
        last = shared
    said |= dict(_forms(said, columns))
    return Description(
        text, {column: said[column] for column in columns if column in said}, tuple(_prose(text, taken, columns))
    )


_SAME = re.compile(r"(?:the )?(?:same|ditto|idem|likewise)\b,?\s*", re.IGNORECASE)


def _spelt_out(words: str, before: str) -> str:
    """What is said by pointing to the column before: `same at week 20` after `cells per mm3 at entry`."""
    found = _SAME.match(words)
    if found is None or not before:
        return words
    rest = words[found.end() :]
    if when := re.match(rf"{_PREPOSITION}|after|before", rest):
        before = re.sub(rf"\s+{when[0]}\b.*$", "", before)
    return f"{before} {rest}".strip()


def _alike(columns: Sequence[str]) -> Sequence[str]:
    """The last columns whose names differ by their numbers alone: `wind1, wind2 (knots)`."""
    stem = re.sub(r"\d+", "", columns[-1])
    first = len(columns) - 1
    while first > 0 and re.sub(r"\d+", "", columns[first - 1]) == stem:
        first -= 1
    return columns[first:]


_LIST = re.compile(r"\s*(?:,\s*and\b|,|/|;|\band\b|&)\s*(?![^()]*\))")


def _shares(words: str, names: int) -> list[str]:
    """What is said of several names, parted where it lists as many things: `husband's schooling and wage`."""
    parts = _LIST.split(words)
    if names < 2 or len(parts) != names or not all(parts):
        return [words] * names
    head = re.match(rf"(.*\b{_PREPOSITION}\s+|\w+'s\s+|log (?:of )?)\S", parts[0], re.IGNORECASE)
    tail = re.search(rf"\s{_PREPOSITION}\s.*", parts[-1], re.IGNORECASE)
    if len(parts[0].split()) == 1 < len(last := parts[-1].split()) and not re.match(_PREPOSITION, last[1]):
        return [*(" ".join((part, *last[1:])) for part in parts[:-1]), parts[-1]]  # violent and property crime
    if head and not _ONLY_LOG.fullmatch(parts[-1]) and len(parts[-1].split()) < len(parts[0].split()):
        return [parts[0], *(head[1] + part for part in parts[1:])]
    if tail and not re.search(rf"\s{_PREPOSITION}\s", parts[0], re.IGNORECASE):
        return [*(part + tail[0] for part in parts[:-1]), parts[-1]]
    return parts


_PREPOSITION = r"(?:in|of|per|on|at|by|for|from|under|over|to|with)"
_ITS_LOG = re.compile(
    r"(?:,|\band\b|\(|\s)*\b(?:its|their|the|in|and) (?:natural )?log(?:s|arithms?)?\b\)?.*", re.IGNORECASE
)


def _forms(said: Mapping[str, str], columns: Sequence[str]) -> Iterator[tuple[str, str]]:
    """What is said of logarithms and squares that nothing, or only "its log", is said of: `lwage` next to `wage`."""
    by_name = {column.lower(): column for column in columns}
    for column in columns:
        short = column.lower()
        of = next((by_name[rest] for rest in _without_mark(short) if rest in by_name and rest != short), None)
        if of is None:
            continue
        mark = "log of" if short.startswith("l") and not short.startswith(of.lower()) else "square of"
        words = _ITS_LOG.sub("", said.get(of, "")).strip(" ,;") or re.sub(r"[\W_]+", " ", of)
        own = said.get(column, "")
        if not _LOG_OR_SQUARE.search(own) or own == said.get(of) or _ONLY_LOG.fullmatch(own):
            yield column, f"{mark} {words}"
            if of in said:
                yield of, words


_ONLY_LOG = re.compile(
    r"(?:(?:its|their|the|in) )?(?:natural )?log(?:s|arithms?)?(?: of (?:it|that|this))?", re.IGNORECASE
)
_LOG_OR_SQUARE = re.compile(r"\b(?:log|ln\b|squared?\b)", re.IGNORECASE)


def is_logarithm(name: str, said: str) -> bool:
    """Whether a column is a logarithm, by its name and what is said of it."""
    return bool(re.search(r"^(?:natural )?logs?\b|\blog(?:arithm)? of|natural log|^ln\b", said, re.IGNORECASE)) or bool(
        re.match(r"(?:log|ln)_", name, re.IGNORECASE)
    )


def _without_mark(name: str) -> Iterator[str]:
    yield from (name[len(mark) :] for mark in ("log_", "ln_", "l_", "log", "ln", "l") if name.startswith(mark))
    yield from (name[: -len(mark)] for mark in ("_sq", "_squared", "squared", "sq", "_2") if name.endswith(mark))


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


def _parted_by_commas(text: str, mentions: Sequence[_Mention]) -> bool:
    """Whether commas, not semicolons or lines, stand between what is said of one column and the next name."""
    defined = [m for m in mentions if (found := _DEFINE.match(text, m.end)) and not found["open"]]
    between = [text[one.end : other.start] for one, other in pairwise(defined)]
    apart = sum(bool(re.search(r"[;\n|]|\.\s", piece)) for piece in between)
    return bool(between) and apart < len(between) / 2


def _alone(text: str, group: _Mention) -> Iterator[_Mention]:
    """The names of a group, of which what follows says something of the last alone, and of what "and" joins to it."""
    names = list(
        re.finditer(
            "|".join(rf"(?<![\w.]){re.escape(name)}(?!\w)" for name in group.columns),
            text[group.start : group.end],
            re.IGNORECASE,
        )
    )
    if len(names) != len(group.columns):
        yield group
        return
    first = len(names) - 1
    while first > 0 and "," not in text[group.start + names[first - 1].end() : group.start + names[first].start()]:
        first -= 1
    for at in range(first):
        start, end = names[at].span()
        yield _Mention(
            group.start + start, group.start + end, (group.columns[at],), _noted(group, group.columns[at : at + 1])
        )
    yield _Mention(
        group.start + names[first].start(), group.end, group.columns[first:], _noted(group, group.columns[first:])
    )


def _noted(group: _Mention, columns: Sequence[str]) -> dict[str, str]:
    return {name: note for name, note in group.notes.items() if name in columns}


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
    for mention in later:  # an item of its own that comes sooner: `a = one thing, b = another`, `a = one thing, b; c`
        if mention.start >= end:
            break
        ahead = _DEFINE.match(text, mention.end) or re.match(r"[`*\"'”]*\s*(?:[;,\n]|\.?\s*$)", text[mention.end :])
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
