"""The tagger's scheme: what each number it gives a word means, and how those numbers become claims.

A token classifier gives every word `WIDTH` numbers: one linear layer, which any server of token classifiers can run.

*Anchors.* A claim hangs on a word, mostly one that links ("because", "led"): P(a claim of the text hangs on word a) is
a softmax over the words. A text with two claims gives each about half. Where nobody annotated the linking word, the
tagger has learned by itself which word to hang a claim on (a mixture over anchors).

*Spans.* Given the anchor, cause and effect are one span each. A span from word s to word t scores
`start[s] + end[t] + sum(inside[s..t]) + from[s] · to[t]`, where start, end and inside are the word's own number plus
the product of a short vector of the anchor's and one of the word's; all spans of a text share one softmax: a
conditional random field with one segment (Sarawagi and Cohen, 2004, semi-Markov CRFs) with bilinear terms as in Dozat
and Manning (2017, arXiv:1611.01734).

Sign, negation and hedging are read off the means of the two spans and the anchor. The first token ([CLS]) says whether
the text makes a claim at all.

Arrays are (words, WIDTH) float32; words are those of the encoder's own splitting, spans are half-open word ranges.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from leucippus.store.triples import Sign

Floats = NDArray[np.float32]
Words = tuple[int, int]

RANK = 16


class Layer(NamedTuple):
    """The columns of one kind of span. `asked` are the anchor's, `own` the word's: for start, end and inside."""

    start: int
    end: int
    inside: int
    from_: slice
    to: slice
    asked: tuple[slice, slice, slice]
    own: tuple[slice, slice, slice]


def _layer(at: int) -> Layer:
    vectors = [slice(at + 3 + i * RANK, at + 3 + (i + 1) * RANK) for i in range(8)]
    asked, own = vectors[2:5], vectors[5:]
    return Layer(at, at + 1, at + 2, vectors[0], vectors[1], (asked[0], asked[1], asked[2]), (own[0], own[1], own[2]))


_LAYER_WIDTH = 3 + 8 * RANK
CAUSE, EFFECT = _layer(0), _layer(_LAYER_WIDTH)
_REST_AT = 2 * _LAYER_WIDTH
SIGN = slice(_REST_AT, _REST_AT + 3)
NEGATED, HEDGED, LINK, CLAIM, ANCHOR = range(_REST_AT + 3, _REST_AT + 8)
WIDTH = _REST_AT + 8
SIGNS = (Sign.POSITIVE, Sign.NEGATIVE, Sign.NONE)

_CONSIDERED = 160
"""Spans whose probability counts; the rest of thousands share a few per cent."""
_WHOLE = 0.9
"""Weight of holding all of the true span against sharing words with it; chosen on development sentences."""
_DROWNED = 0.4
"""F1 below which a cut has so many other words that holding the span is no merit."""
_EDGES = 8
"""Likely spans whose starts and ends are tried with each other."""
_ANCHORS = 8
"""Words tried as anchors."""


@dataclass(frozen=True, slots=True)
class Tagged:
    """One claim as the tagger reads it. Probabilities are raw: calibration makes them mean something."""

    cause: Words
    effect: Words
    link: Words | None
    sign: Sign
    negated: bool
    hedged: bool
    claim: float
    """P(the text makes a claim)."""
    spans: float
    """What the two spans are worth (see `_likely`): about P(they are the true ones), in a text of one claim."""
    anchor: float
    """P(a claim of the text hangs on this one's anchor)."""


def decode(head: Floats, words: Floats, *, threshold: float = 0.5, another: float = 0.3) -> list[Tagged]:
    """The claims in one text, the likeliest first: none unless it is likely to make one.

    If it is, there is at least one, but for texts whose likely causes all overlap their likely effects.

    Parameters
    ----------
    head : (WIDTH,), the numbers of the first token.
    words : (n, WIDTH), those of the words.
    threshold : on P(the text makes a claim).
    another : how likely a further claim has to be, as a share of the first one's probability.
    """
    claim = claim_chance(head)
    if claim < threshold or len(words) < 2:
        return []
    found: list[_Hung] = []
    for one in _hung(words, another):
        for i, other in enumerate(found):
            if _same(one.cause, other.cause) and _same(one.effect, other.effect):
                found[i] = other._replace(chance=other.chance + one.chance)
                break
        else:
            found.append(one)
    found.sort(key=lambda one: -one.chance * one.worth)
    least = another * found[0].chance * found[0].worth if found else 0.0
    linked = words[:, LINK] > 0
    return [_tagged(words, linked, claim, one) for one in found if one.chance * one.worth >= least]


def _tagged(words: Floats, linked: NDArray[np.bool_], claim: float, hung: "_Hung") -> Tagged:
    attributes = _mean(words, hung.cause) + _mean(words, hung.effect) + words[hung.anchor]
    return Tagged(
        cause=hung.cause,
        effect=hung.effect,
        link=_link(linked, hung.anchor, hung.cause, hung.effect),
        sign=SIGNS[int(attributes[SIGN].argmax())],
        negated=bool(attributes[NEGATED] > 0),
        hedged=bool(attributes[HEDGED] > 0),
        claim=claim,
        spans=hung.worth,
        anchor=hung.chance,
    )


def claim_chance(head: Floats) -> float:
    """P(the text makes a claim)."""
    return float(1 / (1 + np.exp(-np.clip(head[CLAIM], -30, 30))))


def anchor_scores(words: Floats) -> Floats:
    """(n,) log-probabilities of the words as anchors."""
    scores = words[:, ANCHOR] - words[:, ANCHOR].max()
    return np.asarray(scores - np.log(np.exp(scores).sum()), dtype=np.float32)


def span_scores(words: Floats, layer: Layer, anchors: Sequence[int] | NDArray[np.intp]) -> Floats:
    """(anchors, n, n) log-probabilities of the spans from word s to word t inclusive; -inf below the diagonal."""
    scores: Floats = unnormalised(words, layer, anchors)
    scores[:, *np.tril_indices(len(words), -1)] = -np.inf
    scores -= scores.max((1, 2), keepdims=True)
    return np.asarray(scores - np.log(np.exp(scores).sum((1, 2), keepdims=True)), dtype=np.float32)


def unnormalised(words: Any, layer: Layer, anchors: Any) -> Any:
    """(anchors, n, n) scores of the spans, those below the diagonal without meaning.

    `words` is a numpy array, or a torch tensor when the tagger is trained: both know what is asked of them here.
    """
    asking = words[anchors]
    start, end, inside = (
        words[:, column] + asking[:, asked] @ words[:, own].T
        for column, asked, own in zip((layer.start, layer.end, layer.inside), layer.asked, layer.own, strict=True)
    )
    total = inside.cumsum(1)
    pairs = words[:, layer.from_] @ words[:, layer.to].T
    return (start - total + inside)[:, :, None] + (end + total)[:, None] + pairs


class _Hung(NamedTuple):
    """What hangs on one anchor: P(a claim hangs there), what the two spans are worth, and where they are."""

    anchor: int
    chance: float
    worth: float
    cause: Words
    effect: Words


def _hung(words: Floats, least: float) -> list[_Hung]:
    """What hangs on each likely anchor, the likeliest anchor first; `least` as `another` of `decode`."""
    chances = np.exp(anchor_scores(words))
    anchors = np.argsort(-chances, kind="stable")[:_ANCHORS]
    # Squared, because what hangs on an unlikely anchor may be worth more, or add to what hangs on another.
    anchors = anchors[chances[anchors] >= least**2 * chances[anchors[0]]]
    found = []
    for anchor, of_cause, of_effect in zip(
        anchors, span_scores(words, CAUSE, anchors), span_scores(words, EFFECT, anchors), strict=True
    ):
        (causes, cause_worth), (effects, effect_worth) = _likely(of_cause), _likely(of_effect)
        apart = (causes[:, None, 1] <= effects[None, :, 0]) | (effects[None, :, 1] <= causes[:, None, 0])
        worth = np.where(apart, cause_worth[:, None] * effect_worth[None], -1.0)
        i, j = np.unravel_index(int(worth.argmax()), worth.shape)
        if apart[i, j]:
            pair = _span(causes[i]), _span(effects[j])
            found.append(_Hung(int(anchor), float(chances[anchor]), float(worth[i, j]), *pair))
    return found


def _likely(scores: Floats) -> tuple[NDArray[np.int64], Floats]:
    """The spans most worth saying, (k, 2), and what each is worth: a probability, (k,).

    A phrase can be cut in many ways that mean the same, so the likeliest single cut counts for little. A cut is worth
    weighted mean of two expectations over the true span: the share of words they have in common (F1), and whether the
    cut holds all of it without drowning it (words too many cost a reader less than words too few).
    """
    n = len(scores)
    starts, ends = np.triu_indices(n)
    chances = np.exp(scores[starts, ends])
    top = np.argsort(-chances, kind="stable")[:_CONSIDERED]
    p, s, t = chances[top], starts[top], ends[top] + 1
    # Any likely start with any likely end, besides the likeliest spans themselves.
    first, last = np.unique(s[:_EDGES]), np.unique(t[:_EDGES])
    crossed = np.stack(np.meshgrid(first, last, indexing="ij"), -1).reshape(-1, 2)
    spans = np.unique(np.concatenate([crossed[crossed[:, 0] < crossed[:, 1]], np.stack([s, t], 1)[:_EDGES]]), axis=0)
    a, b = spans[:, :1], spans[:, 1:]
    shared = np.minimum(b, t) - np.maximum(a, s)
    common = 2 * np.clip(shared, 0, None) / ((b - a) + (t - s))
    whole = (a <= s) & (t <= b) & (common >= _DROWNED)
    return spans, np.asarray((_WHOLE * whole + (1 - _WHOLE) * common) @ p, dtype=np.float32)


def _span(row: NDArray[np.int64]) -> Words:
    return int(row[0]), int(row[1])


def _same(one: Words, other: Words) -> bool:
    """Whether two spans share at least half of their words."""
    shared = min(one[1], other[1]) - max(one[0], other[0])
    return 4 * shared >= (one[1] - one[0]) + (other[1] - other[0])


def _link(linked: NDArray[np.bool_], anchor: int, cause: Words, effect: Words) -> Words | None:
    """The run of linking words nearest to the anchor, outside of the two spans."""
    free = linked.copy()
    for span in (cause, effect):
        free[slice(*span)] = False
    edges = np.flatnonzero(np.diff(np.concatenate([[0], free.astype(np.int8), [0]])))
    runs = [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]
    return min(runs, key=lambda run: (max(run[0] - anchor, anchor - run[1] + 1, 0), run[0]), default=None)


def _mean(words: Floats, span: Words) -> Floats:
    return np.asarray(words[slice(*span)].mean(0), dtype=np.float32)
