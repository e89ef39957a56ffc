"""What a model says when asked for a list, line by line: what is kept, and why the rest is not. Pure text.

Models, small ones above all, repeat themselves, the question and the examples, talk about their answer, and stop in the
middle of a line. And what one says comes back in the next prompt: so a line is taken as if it were hostile.
"""

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from leucippus.store.concepts import concept_name, concept_words

Kind = Literal["topic", "question", "statement"]
Reason = Literal[
    "unprintable", "no words", "too long", "too short", "markup", "about the answer", "echo", "no question",
    "cut off", "duplicate", "too many",
]  # fmt: skip
LONGEST = {"topic": 60, "question": 160, "statement": 300}
"""Characters and, so that the tokens of a prompt can be foreseen, bytes of a topic or a question."""
_SHORTEST = {"topic": 3, "question": 10, "statement": 15}
_MOST_WORDS = {"topic": 8, "question": 40, "statement": 60}
_MOST_LINES = 200
"""Lines of one answer that are looked at; a megabyte of line breaks is one remark, not a million."""
_SHOWN = 200

_BREAK = re.compile(r"[\n\r\v\f\x85\u2028\u2029]+")
_MARK = re.compile(
    r"(?:[-*+•–—]+\s+|\(?\d{1,3}[.):]\s*(?!\d)|[A-Za-z][.)]\s+|(?:sub-?topic|topic|question|statement|answer)\s*\d{0,3}\s*:\s*)",
    re.IGNORECASE,
)
_WRAPPED = "\"“”„«»'‘’*_` "
_MARKUP = re.compile(r"[<>{}|`\\]|^[\[\]#=~]|https?:|www\.", re.IGNORECASE)
_SENTENCE = re.compile(r"[.;:?!=]")
_REMARK = re.compile(
    r"(?:here(?:'s| are| is)|sure|certainly|of course|note|as an? (?:ai|language model|assistant|expert)|"
    r"i(?:'m|'ll| am| cannot| can| can't| will| would| think| hope| do)|the following|these are|below (?:are|is)|please|"
    r"you (?:are|should|can|have|must)|let me|for example|examples?:|sub-?topics?$|(?:assistant|user|system)\b)\b",
    re.IGNORECASE,
)
_ABOUT = re.compile(
    r"\b(?:the (?:answer|question|topic|statement|original (?:text|sentence))s?\b(?= (?:is|are|of|to|above|below|:))|"
    r"language model|(?:ignore|disregard|forget|override)\b.{0,60}\b(?:instructions?|prompts?|rules|messages?|above)|"
    r"system prompt)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Rejected:
    """A line that is not used, its first 200 characters, and why."""

    line: str
    reason: Reason


@dataclass(frozen=True)
class Lines:
    kept: tuple[str, ...]
    rejected: tuple[Rejected, ...]


@dataclass(frozen=True)
class Shown:
    """What a model was shown, so that its echo is known.

    Parameters
    ----------
    lines : keys (`key`) of the lines of the examples and of the question itself.
    foreign : beginnings of words that only the examples are about.
    """

    lines: frozenset[str] = frozenset()
    foreign: frozenset[str] = frozenset()


def read_lines(
    text: str,
    kind: Kind,
    most: int,
    *,
    known: Collection[str] = (),
    shown: Shown | None = None,
    cut: bool = False,
) -> Lines:
    """The usable lines of an answer, at most `most`, and the others with the reason against each.

    Parameters
    ----------
    known : keys (`key`) of lines that were kept before; the lines of this answer count as well.
    cut : whether the answer was cut off, so that its last line may be half a line.
    """
    raw = [line for line in _BREAK.split(text, maxsplit=_MOST_LINES) if line.strip()]
    kept: dict[str, str] = {}
    rejected: list[Rejected] = []
    for at, line in enumerate(raw):
        last = at == len(raw) - 1
        line = _bare(line)
        overlong = last and at == _MOST_LINES
        reason: Reason | None = "too many" if overlong else _against(line, kind, shown or Shown())
        name = key(line, kind) if reason is None else ""
        if reason is None and last and cut and not line.endswith((".", "?", "!", "。")):
            reason = "cut off"
        elif reason is None and (name in kept or name in known):
            reason = "duplicate"
        elif reason is None and len(kept) == most:
            reason = "too many"
        if reason is None:
            kept[name] = line
        else:
            rejected.append(Rejected(_printable(line[:_SHOWN]), reason))
    return Lines(tuple(kept.values()), tuple(rejected))


def key(line: str, kind: Kind) -> str:
    """Two lines with one key say the same: the concept of a topic, else the words."""
    return concept_name(line) if kind == "topic" else " ".join(concept_words(line))


def _bare(line: str) -> str:
    """Without the marks of a list, quotation marks around it and a comma after it."""
    line = line.strip()
    while (mark := _MARK.match(line)) and mark.end() < len(line):
        line = line[mark.end() :].strip()
    return line.rstrip(",").strip(_WRAPPED)


def _against(line: str, kind: Kind, shown: Shown) -> Reason | None:
    if len(line) > LONGEST[kind]:
        return "too long"
    if not line.isprintable() or any(unicodedata.category(sign) == "Co" for sign in line):
        return "unprintable"
    if kind != "statement" and len(line.encode()) > LONGEST[kind]:
        return "too long"
    words = concept_words(line)
    if not any(map(str.isalpha, line)) or not words:
        return "no words"
    if len(words) > _MOST_WORDS[kind]:
        return "too long"
    if len(line) < _SHORTEST[kind] and line.isascii():
        return "too short"
    if _MARKUP.search(line):
        return "markup"
    if _REMARK.match(line) or _ABOUT.search(line) or (kind == "topic" and _SENTENCE.search(line)):
        return "about the answer"
    if kind == "question" and not line.endswith(("?", "？")):
        return "no question"
    if key(line, kind) in shown.lines or any(word.startswith(tuple(shown.foreign)) for word in words):
        return "echo"
    return None


def _printable(line: str) -> str:
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in line)
