"""Annotated texts to learn from: written for this project, generated, and public corpora whose licence allows it.

What a source does not annotate is `None` and teaches nothing: public corpora mark spans only.
"""

import json
import random
import re
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from leucippus.errors import InputError
from leucippus.store.triples import Sign, stable_id

Span = tuple[int, int]
DATA = Path(__file__).parent / "data"
LICENSED = {
    "causal_news_corpus_v2": "CC0",
    "semeval2010t8": "CC BY 3.0",
    "because2": "MIT (annotations)",
}
"""Public sources whose result we may ship, by the name in their file, and their licences."""


_PUBLIC = frozenset({"text", "source", "triples"})


@dataclass(frozen=True, slots=True)
class Mark:
    """One annotated claim; spans are character offsets into the text."""

    cause: Span
    effect: Span
    link: Span | None = None
    sign: Sign | None = None
    negated: bool | None = None
    hedged: bool | None = None


@dataclass(frozen=True, slots=True)
class Example:
    text: str
    marks: tuple[Mark, ...]
    source: str

    @property
    def fully_annotated(self) -> bool:
        """Whether linking words, sign, negation and hedging were annotated too."""
        return self.source not in LICENSED


def written(name: str = "written") -> list[Example]:
    """The sentences written for this project: `written` to learn from, `heldout` to measure with."""
    return [_own(row) for row in _rows(DATA / f"{name}.jsonl", {"text", "claims"})]


def public(path: Path) -> list[Example]:
    """The rows of a file of annotated sentences (`{text, source, triples: [{cause, effect}]}`) that we may learn from.

    A pair whose spans are not both in the text, or overlap, is left out; so is every sentence we measure with.
    """
    never = never_learned()
    return [
        _public(row)
        for row in _rows(path, _PUBLIC)
        if row["source"] in LICENSED and fingerprint(row["text"]) not in never
    ]


def fingerprint(text: str) -> str:
    """Of the words of a text, whatever its case, spacing and punctuation."""
    return stable_id("text", *re.findall(r"\w+", text.casefold()))


def never_learned() -> frozenset[str]:
    """Fingerprints of the public sentences that we measure with."""
    return frozenset((DATA / "never_learned.txt").read_text().split())


def apart(examples: Sequence[Example], share: float) -> tuple[list[Example], list[Example]]:
    """Two parts, the second about `share` of the whole; a text's own letters decide where it goes, run after run."""
    taken = [int(stable_id(example.text), 16) % 1000 < 1000 * share for example in examples]
    return [e for e, t in zip(examples, taken, strict=True) if not t], [
        e for e, t in zip(examples, taken, strict=True) if t
    ]


def joined(examples: Sequence[Example], count: int, seed: int) -> list[Example]:
    """`count` passages made of two fully annotated texts each: documents are read in passages, not in sentences."""
    rng = random.Random(seed)
    whole = [example for example in examples if example.fully_annotated]
    return [_join(*rng.sample(whole, 2)) for _ in range(count if len(whole) > 1 else 0)]


def _join(one: Example, other: Example) -> Example:
    text = one.text + ("" if one.text[-1] in ".?!" else ".") + " "
    moved = [
        replace(
            mark,
            cause=_moved(mark.cause, len(text)),
            effect=_moved(mark.effect, len(text)),
            link=_moved(mark.link, len(text)) if mark.link else None,
        )
        for mark in other.marks
    ]
    return Example(text + other.text, (*one.marks, *moved), one.source)


def _moved(span: Span, by: int) -> Span:
    return span[0] + by, span[1] + by


def _own(row: dict[str, Any]) -> Example:
    text = row["text"]
    marks = []
    for claim in row["claims"]:
        cause = _nth(text, claim["cause"], claim.get("cause_at", 1))
        effect = _nth(text, claim["effect"], claim.get("effect_at", 1))
        marks.append(
            Mark(
                cause,
                effect,
                link=_link(text, claim["relation"], cause, effect),
                sign=Sign(claim["sign"]),
                negated=claim["negated"],
                hedged=claim["hedged"],
            )
        )
    return Example(text, tuple(marks), row.get("source", "written"))


def _public(row: dict[str, Any]) -> Example:
    pairs = (_nearest(row["text"], triple["cause"], triple["effect"]) for triple in row["triples"])
    return Example(row["text"], tuple(Mark(*pair) for pair in pairs if pair), row["source"])


def _nth(text: str, phrase: str, n: int) -> Span:
    return list(_occurrences(text, phrase))[n - 1]


def _link(text: str, relation: str, cause: Span, effect: Span) -> Span | None:
    """The occurrence of `relation` nearest to the two spans and outside of both."""
    free = [
        span
        for span in _occurrences(text, relation)
        if all(span[1] <= s[0] or s[1] <= span[0] for s in (cause, effect))
    ]
    middle = (min(cause[1], effect[1]) + max(cause[0], effect[0])) / 2
    return min(free, key=lambda s: abs((s[0] + s[1]) / 2 - middle), default=None)


def _nearest(text: str, cause: str, effect: str) -> tuple[Span, Span] | None:
    apart = [
        (c, e) for c in _occurrences(text, cause) for e in _occurrences(text, effect) if c[1] <= e[0] or e[1] <= c[0]
    ]
    return min(apart, key=lambda p: max(p[0][0], p[1][0]) - min(p[0][1], p[1][1]), default=None)


def _occurrences(text: str, phrase: str) -> Iterator[Span]:
    """Where `phrase` stands in `text`; where it stands as whole words anywhere, only there."""
    found = [(at, at + len(phrase)) for at in range(len(text)) if phrase and text.startswith(phrase, at)]
    whole = [s for s in found if not _letter(text, s[0] - 1, s[0]) and not _letter(text, s[1] - 1, s[1])]
    yield from whole or found


def _letter(text: str, i: int, j: int) -> bool:
    """Whether a word goes on from `i` to `j`."""
    return i >= 0 and j < len(text) and text[i].isalnum() and text[j].isalnum()


def _rows(path: Path, needed: AbstractSet[str]) -> Iterable[dict[str, Any]]:
    if not path.is_file():
        raise InputError(f"{path} is not a file.", expected="JSON lines of annotated sentences")
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        if line.strip():
            try:
                row = json.loads(line)
            except ValueError as error:
                raise InputError(f"{path}, line {number}: {error}", expected="one JSON object a line") from error
            if not isinstance(row, dict) or not row.keys() >= needed:
                raise InputError(f"{path}, line {number}: {str(row)[:80]}", expected=f"an object with {sorted(needed)}")
            yield row
