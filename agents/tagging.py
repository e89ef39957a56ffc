"""The tagger's scheme: what each number it gives a word means, and how those numbers become claims.

A token classifier gives every word `WIDTH` numbers: one linear layer, which any server of token classifiers can run.

*Spans.* Causes and effects are two layers, so that the effect of one claim can be the cause of the next. In each layer
a span from word s to word t scores `start[s] + end[t] + sum(inside[s..t]) + from[s] · to[t]`, and the spans of a text
share one softmax: a conditional random field with one segment (Sarawagi and Cohen, 2004, semi-Markov CRFs) with a
bilinear term as in Dozat and Manning (2017, arXiv:1611.01734). A text with two causes gives each about half.

*Pairs.* Which cause goes with which effect is the product of two short vectors; sign, negation and hedging are read
off the two spans' means. The first token ([CLS]) says whether the text makes a claim at all.

Arrays are (words, WIDTH) float32; words are those of the encoder's own splitting, spans are half-open word ranges.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from leucippus.store.triples import Sign

Floats = NDArray[np.float32]
Words = tuple[int, int]

RANK = 16


class Layer(NamedTuple):
    """The columns of one span layer."""

    start: int
    end: int
    inside: int
    from_: slice
    to: slice


def _layer(at: int) -> Layer:
    return Layer(at, at + 1, at + 2, slice(at + 3, at + 3 + RANK), slice(at + 3 + RANK, at + 3 + 2 * RANK))


_LAYER_WIDTH = 3 + 2 * RANK
CAUSE, EFFECT = _layer(0), _layer(_LAYER_WIDTH)
_PAIRS_AT = 2 * _LAYER_WIDTH
CAUSE_SIDE, EFFECT_SIDE = slice(_PAIRS_AT, _PAIRS_AT + RANK), slice(_PAIRS_AT + RANK, _PAIRS_AT + 2 * RANK)
_REST_AT = _PAIRS_AT + 2 * RANK
SIGN = slice(_REST_AT, _REST_AT + 3)
NEGATED, HEDGED, LINK, CLAIM = range(_REST_AT + 3, _REST_AT + 7)
WIDTH = _REST_AT + 7
SIGNS = (Sign.POSITIVE, Sign.NEGATIVE, Sign.NONE)

_CONSIDERED = 160
"""Spans whose probability counts; the rest of thousands share a few per cent."""
_WHOLE = 0.65
"""Weight of holding all of the true span against sharing words with it; chosen on development sentences."""
_DROWNED = 0.4
"""F1 below which a cut has so many other words that holding the span is no merit."""
_EDGES = 8
"""Likely spans whose starts and ends are tried with each other."""


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
    pair: float
    """P(these two belong together)."""


def decode(head: Floats, words: Floats, *, threshold: float = 0.5, another: float = 0.3) -> list[Tagged]:
    """The claims in one text: none unless it is likely to make one.

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
    linked = words[:, LINK] > 0
    found: list[Tagged] = []
    for spans, pair, cause, effect in _ranked(words):
        if found and spans * pair < another * found[0].spans * found[0].pair:
            break
        if any(_crosses(cause, other.cause) or _crosses(effect, other.effect) for other in found):
            continue
        if any((cause, effect) == (other.cause, other.effect) for other in found):
            continue
        attributes = _mean(words, cause) + _mean(words, effect)
        found.append(
            Tagged(
                cause=cause,
                effect=effect,
                link=_link(linked, cause, effect),
                sign=SIGNS[int(attributes[SIGN].argmax())],
                negated=bool(attributes[NEGATED] > 0),
                hedged=bool(attributes[HEDGED] > 0),
                claim=claim,
                spans=spans,
                pair=pair,
            )
        )
    return found


def claim_chance(head: Floats) -> float:
    """P(the text makes a claim)."""
    return float(_sigmoid(head[CLAIM]))


def span_scores(words: Floats, layer: Layer) -> Floats:
    """(n, n) log-probabilities of the spans from word s to word t inclusive; -inf below the diagonal."""
    n = len(words)
    total = np.concatenate([[0.0], np.cumsum(words[:, layer.inside])])
    scores = (
        words[:, layer.start, None]
        + words[None, :, layer.end]
        + (total[None, 1:] - total[:-1, None])
        + words[:, layer.from_] @ words[:, layer.to].T
    )
    scores[np.tril_indices(n, -1)] = -np.inf
    scores -= scores.max()
    return np.asarray(scores - np.log(np.exp(scores).sum()), dtype=np.float32)


def _ranked(words: Floats) -> list[tuple[float, float, Words, Words]]:
    """Pairs of likely spans that do not overlap, the best first: (what the spans are worth, P(they belong together))."""
    (causes, cause_worth), (effects, effect_worth) = (_likely(span_scores(words, layer)) for layer in (CAUSE, EFFECT))
    pair = _sigmoid(_means(words, causes)[:, CAUSE_SIDE] @ _means(words, effects)[:, EFFECT_SIDE].T)
    worth = cause_worth[:, None] * effect_worth[None]
    apart = (causes[:, None, 1] <= effects[None, :, 0]) | (effects[None, :, 1] <= causes[:, None, 0])
    order = sorted(zip(*np.nonzero(apart), strict=True), key=lambda ij: (-worth[ij] * pair[ij], ij))
    return [(float(worth[i, j]), float(pair[i, j]), _span(causes[i]), _span(effects[j])) for i, j in order]


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


def _means(words: Floats, spans: NDArray[np.int64]) -> Floats:
    total = np.concatenate([np.zeros((1, words.shape[1]), np.float32), words.cumsum(0)])
    return np.asarray((total[spans[:, 1]] - total[spans[:, 0]]) / (spans[:, 1] - spans[:, 0])[:, None], np.float32)


def _crosses(one: Words, other: Words) -> bool:
    return one != other and one[0] < other[1] and other[0] < one[1]


def _link(linked: NDArray[np.bool_], cause: Words, effect: Words) -> Words | None:
    """The run of linking words nearest to the two spans, outside of both."""
    free = linked.copy()
    for span in (cause, effect):
        free[slice(*span)] = False
    edges = np.flatnonzero(np.diff(np.concatenate([[0], free.astype(np.int8), [0]])))
    runs = [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]

    first, second = sorted((cause, effect))

    def distance(run: Words) -> tuple[int, bool, int]:
        gap = min(max(span[0] - run[1], run[0] - span[1]) for span in (cause, effect))
        return gap, not first[1] <= run[0] < second[0], run[0]

    return min(runs, key=distance, default=None)


def _mean(words: Floats, span: Words) -> Floats:
    return np.asarray(words[slice(*span)].mean(0), dtype=np.float32)


def _sigmoid(x: Floats | np.float32 | float) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(x, -30, 30))), dtype=np.float32)
