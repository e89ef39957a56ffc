"""The words of graph notation: names, arrows, punctuation, each with its line. Knows no grammar (reading.py does)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from leucippus.errors import GraphError

LONGEST_NAME = 200
_SHOWN = 40

_ARROWS = {"→": "->", "←": "<-", "↔": "<->"}
_PATTERN = re.compile(
    r"""
      (?P<blank>[^\S\n]+)
    | (?P<newline>\n)
    | (?P<comment>\#[^\n]*|//[^\n]*|/\*.*?\*/)
    | (?P<arrow><->|->|<-(?!-)|[→←↔]|--(?!>))
    | (?P<quoted>"(?:[^"\\]|\\.)*")
    | (?P<name>(?:\w|[.$%&'?!+°]|/(?![/*])|-(?![->]))+)
    | (?P<mark>[][{}();,=:])
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class Token:
    """One word of the text."""

    kind: str
    """`name`, `arrow`, `newline`, `end`, or the punctuation mark itself."""
    text: str
    line: int
    quoted: bool = False

    def means(self, keyword: str) -> bool:
        """Whether this is that keyword; a quoted one is a name."""
        return self.kind == "name" and not self.quoted and self.text.lower() == keyword


def tokens(text: str) -> Iterator[Token]:
    """The words of `text`, then an `end`.

    Raises
    ------
    GraphError : something is none of them; the message names the line.
    """
    at, line = 0, 1
    while at < len(text):
        found = _PATTERN.match(text, at)
        kind, word = (found.lastgroup, found[0]) if found else (None, "")
        if kind is None:
            raise _unknown(text, at, line)
        if kind == "quoted":
            yield Token("name", _named(re.sub(r'\\(["\\])', r"\1", word[1:-1]), line), line, quoted=True)
        elif kind == "name":
            yield Token("name", _named(word, line), line)
        elif kind == "arrow":
            yield Token("arrow", _ARROWS.get(word, word), line)
        elif kind in ("newline", "mark"):
            yield Token("newline" if kind == "newline" else word, word, line)
        line += word.count("\n")
        at += len(word)
    yield Token("end", "", line)


def malformed(token: Token, expected: str) -> GraphError:
    """The error for a token that does not belong where it stands."""
    shown = {"end": "the end of the text", "newline": "the end of the line"}.get(token.kind, repr(token.text[:_SHOWN]))
    return GraphError(f"line {token.line}: found {shown}", expected=expected)


def _named(name: str, line: int) -> str:
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise malformed(Token("name", name, line), f"a name of 1 to {LONGEST_NAME} printable characters")
    return name


def _unknown(text: str, at: int, line: int) -> GraphError:
    expected = {
        '"': "a closing quote",
        "/": "a closing */",
        "<": "-> or <- or <->",
        ">": "-> or <- or <->",
        "-": "-> or <- or <->",
    }.get(text[at], "names, arrows (->, <-, <->), ; and quotes around unusual names")
    rest = text[at : at + _SHOWN].splitlines()[0]
    return GraphError(f"line {line}: cannot read {rest!r}", expected=expected)
