"""How well an extractor reads annotated sentences.

A found pair is right if its cause and its effect each share at least half their words with those of an annotated pair
(F1 of the words ≥ 0.5, small words aside): `overlap50`. Denied claims count like any other here.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from leucippus.store.triples import Sign
from leucippus.training.examples import Example

_WORD = re.compile(r"\w+")
_SMALL = frozenset(
    "the a an of to in on by for and or its their his her this that is are was were be been has had".split()
)


@dataclass(frozen=True)
class Found:
    """One pair as an extractor found it."""

    cause: str
    effect: str
    sign: Sign
    negated: bool
    hedged: bool
    confidence: float


@dataclass(frozen=True)
class Scores:
    """`detection` and `overlap50` are F1; the others are shares of the pairs found: right way round among those found
    in either direction; right sign, negation, hedging among those found."""

    texts: int
    detection: float
    overlap50: float
    direction: float
    sign: float
    negated: float
    hedged: float

    def as_dict(self) -> dict[str, float]:
        return {name: round(value, 4) for name, value in asdict(self).items()}


def evaluate(examples: Sequence[Example], found: Sequence[Sequence[Found]]) -> Scores:
    """Compare what was found in each text with its annotation."""
    counts: Counter[str] = Counter()
    for example, pairs in zip(examples, found, strict=True):
        matched = match(example, pairs)
        counts["causal"] += bool(example.marks)
        counts["called"] += bool(pairs)
        counts["both"] += bool(pairs) and bool(example.marks)
        counts["gold"] += len(example.marks)
        counts["found"] += len(pairs)
        counts["hit"] += len(matched)
        counts["swapped"] += len(match(example, [_swapped(p) for i, p in enumerate(pairs) if i not in matched]))
        for i, j in matched.items():
            mark, pair = example.marks[j], pairs[i]
            counts["sign"] += pair.sign == mark.sign
            counts["negated"] += pair.negated == mark.negated
            counts["hedged"] += pair.hedged == mark.hedged
    hits = max(1, counts["hit"])
    return Scores(
        texts=len(examples),
        detection=2 * counts["both"] / max(1, counts["causal"] + counts["called"]),
        overlap50=2 * counts["hit"] / max(1, counts["gold"] + counts["found"]),
        direction=counts["hit"] / max(1, counts["hit"] + counts["swapped"]),
        sign=counts["sign"] / hits,
        negated=counts["negated"] / hits,
        hedged=counts["hedged"] / hits,
    )


def match(example: Example, pairs: Sequence[Found]) -> dict[int, int]:
    """Which found pair is which annotated one: greedily, each once."""
    matched: dict[int, int] = {}
    for i, pair in enumerate(pairs):
        for j, mark in enumerate(example.marks):
            cause, effect = example.text[slice(*mark.cause)], example.text[slice(*mark.effect)]
            if j not in matched.values() and alike(pair.cause, cause) and alike(pair.effect, effect):
                matched[i] = j
                break
    return matched


def alike(one: str, other: str) -> bool:
    """Whether two spans share at least half their words."""
    a, b = _words(one), _words(other)
    return 2 * sum((a & b).values()) >= 0.5 * (sum(a.values()) + sum(b.values())) > 0


def calibration_error(confidences: Sequence[float], right: Sequence[bool], bins: int = 10) -> float:
    """Expected calibration error: |mean confidence - share right|, over bins of equal width, weighted by size."""
    total = 0.0
    for k in range(bins):
        inside = [i for i, c in enumerate(confidences) if k / bins <= c < (k + 1) / bins or (k == bins - 1 and c == 1)]
        if inside:
            total += abs(sum(confidences[i] for i in inside) - sum(right[i] for i in inside))
    return total / max(1, len(confidences))


def _words(text: str) -> Counter[str]:
    words = [word.lower() for word in _WORD.findall(text)]
    return Counter([word for word in words if word not in _SMALL] or words)


def _swapped(pair: Found) -> Found:
    return Found(pair.effect, pair.cause, pair.sign, pair.negated, pair.hedged, pair.confidence)
