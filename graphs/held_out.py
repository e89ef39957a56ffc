"""How well scores of pairs foretell edges that were kept back: which questions are asked, and what the answers are worth.

Arrays in, arrays out. A score is the product of what a node is as a cause and what another is as an effect; nothing is
known here of where the two come from, so everything compared answers the same questions.

Every concept of a store has an edge, so one that is left without any is bound to be the end of one held out: whoever sees
the edges that are kept could tell the true effect by that alone. So a wrong effect has kept edges if the true one has.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WRONG = 50
"""Wrong effects of each kind that a held-out effect has to outscore."""
ASKED = 2_000
"""Held-out edges that are asked after; of more, so many are drawn."""
_RESAMPLES = 1_000
_ROWS_AT_ONCE = 256
_TRIES = 8
"""Draws for a wrong effect before its place is left empty: in a small graph there may be none."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Questions:
    """Held-out edges, each with effects that its cause is not known to have. -1: an empty place."""

    edges: NDArray[np.int64]
    """Shape (q, 2)."""
    random: NDArray[np.int64]
    """Any node, shape (q, WRONG)."""
    plausible: NDArray[np.int64]
    """Half effects of other held-out edges; half those whose features are nearest to the true one. Shape (q, WRONG)."""
    one_way: NDArray[np.bool_]
    """Whether the edge back is not known, so that it is a wrong answer; shape (q,)."""
    linked: NDArray[np.bool_]
    """Whether an end has kept edges, so that messages can tell anything at all; shape (q,)."""


@dataclass(frozen=True)
class Interval:
    """A mean with the 95% interval of a bootstrap that draws causes, as edges of one cause go together."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Answers:
    """One number a question, NaN where it could not be asked; shape (q,) each. Chance is 0.5 for the first three."""

    random: Floats
    """Share of random wrong effects that score lower; of equals, half. Its mean is an AUC within causes."""
    plausible: Floats
    """The same, of plausible wrong effects."""
    direction: Floats
    """1 where a → b scores higher than b → a, 0.5 where as high."""
    reciprocal_rank: Floats
    """Of the true effect among all wrong ones of either kind; equals share the middle rank."""


def keep_back(edges: NDArray[np.int64], share: float, seed: int) -> NDArray[np.bool_]:
    """Which edges to hold out: `share` of the pairs of nodes, so a → b and b → a are never on different sides.

    Parameters
    ----------
    edges : shape (m, 2).

    Returns
    -------
    Shape (m,).
    """
    if not len(edges):
        return np.zeros(0, dtype=np.bool_)
    _, pair = np.unique(np.sort(edges, axis=1), axis=0, return_inverse=True)
    pairs = int(pair.max()) + 1
    chosen = np.zeros(pairs, dtype=np.bool_)
    chosen[np.random.default_rng(seed).permutation(pairs)[: round(share * pairs)]] = True
    return chosen[pair.reshape(-1)]


def questions(unit: NDArray[np.float32], edges: NDArray[np.int64], held: NDArray[np.bool_], seed: int) -> Questions:
    """What to ask about the edges in `held`.

    Parameters
    ----------
    unit : features of unit length, shape (n, size); says which effects are near each other.
    edges : every edge that is known, shape (m, 2); none of them is a wrong answer.
    """
    draw = np.random.default_rng(seed)
    nodes = len(unit)
    known = np.sort(edges[:, 0] * nodes + edges[:, 1])
    asked = edges[held]
    if len(asked) > ASKED:
        asked = asked[np.sort(draw.permutation(len(asked))[:ASKED])]
    linked = np.bincount(edges[~held].reshape(-1), minlength=nodes) > 0
    wrong = _Wrong(asked, known, linked, draw)
    plausible = np.concatenate(
        (wrong.drawn(edges[held, 1], WRONG // 2), wrong.nearest(unit, WRONG - WRONG // 2)), axis=1
    )
    one_way = ~_among(known, asked[:, 1] * nodes + asked[:, 0])
    either = linked[asked[:, 0]] | linked[asked[:, 1]]
    return Questions(asked, wrong.drawn(np.arange(nodes), WRONG), plausible, one_way, either)


def answer(asked: Questions, as_cause: NDArray[np.float32], as_effect: NDArray[np.float32]) -> Answers:
    """How the scores `as_cause[a] · as_effect[b]` do, both of shape (n, width)."""
    cause, effect = asked.edges.T
    true = np.einsum("qw,qw->q", as_cause[cause], as_effect[effect])[:, None]
    lower, empty = {}, {}
    for name, wrong in (("random", asked.random), ("plausible", asked.plausible)):
        scores = np.einsum("qw,qkw->qk", as_cause[cause], as_effect[wrong])
        lower[name] = np.where(wrong < 0, 0.0, (true > scores) + 0.5 * (true == scores))
        empty[name] = (wrong < 0).sum(axis=1)
    back = np.einsum("qw,qw->q", as_cause[effect], as_effect[cause])
    there = true[:, 0]
    direction = np.where(asked.one_way, (there > back) + 0.5 * (there == back), np.nan)
    wrongs = {name: values.shape[1] - empty[name] for name, values in lower.items()}
    outscored = {name: values.sum(axis=1) for name, values in lower.items()}
    rank = 1 + sum(wrongs.values()) - sum(outscored.values())
    share = {
        name: np.divide(outscored[name], wrongs[name], out=np.full(len(there), np.nan), where=wrongs[name] > 0)
        for name in lower
    }
    return Answers(share["random"], share["plausible"], direction, np.asarray(1.0 / rank))


def interval(values: Floats, causes: NDArray[np.int64], seed: int = 0) -> Interval:
    """The mean of `values`, NaN left out, and how far it would move with other causes.

    Parameters
    ----------
    values, causes : one a question, shape (q,) each.
    """
    asked = ~np.isnan(values)
    if not asked.any():
        return Interval(float("nan"), float("nan"), float("nan"))
    _, group = np.unique(causes[asked], return_inverse=True)
    sums, counts = np.bincount(group, values[asked]), np.bincount(group)
    draw = np.random.default_rng(seed)
    means = np.empty(_RESAMPLES)
    for at in range(_RESAMPLES):
        drawn = draw.integers(0, len(sums), len(sums))
        means[at] = sums[drawn].sum() / counts[drawn].sum()
    low, high = np.quantile(means, (0.025, 0.975))
    return Interval(float(values[asked].mean()), float(low), float(high))


class _Wrong:
    """Wrong effects for each question: not known to be right, not the cause, and linked if the true one is."""

    def __init__(
        self,
        asked: NDArray[np.int64],
        known: NDArray[np.int64],
        linked: NDArray[np.bool_],
        draw: np.random.Generator,
    ) -> None:
        self._asked, self._known, self._linked, self._draw = asked, known, linked, draw

    def drawn(self, pool: NDArray[np.int64], count: int) -> NDArray[np.int64]:
        """From `pool`, where what is there more often is drawn more often; shape (q, count)."""
        found = np.full((len(self._asked), count), -1, dtype=np.int64)
        for alike in (False, True):
            rows_alike = np.flatnonzero(self._linked[self._asked[:, 1]] == alike)
            some = pool[self._linked[pool] == alike]
            for _ in range(_TRIES if len(some) else 0):
                rows, columns = np.nonzero(found[rows_alike] < 0)
                if not len(rows):
                    break
                rows = rows_alike[rows]
                drawn = some[self._draw.integers(0, len(some), len(rows))]
                found[rows, columns] = np.where(self._refused(rows, drawn), -1, drawn)
        return found

    def nearest(self, unit: NDArray[np.float32], count: int) -> NDArray[np.int64]:
        """The nodes most like the true effect, equals in the order of their numbers; shape (q, count)."""
        found = np.full((len(self._asked), count), -1, dtype=np.int64)
        near = min(4 * count, len(unit))
        for first in range(0, len(self._asked), _ROWS_AT_ONCE):
            rows = np.arange(first, min(first + _ROWS_AT_ONCE, len(self._asked)))
            true = self._asked[rows, 1]
            likeness = unit[true] @ unit.T
            likeness[self._linked[true][:, None] != self._linked[None, :]] = -np.inf
            most = np.sort(np.argpartition(-likeness, near - 1, axis=1)[:, :near], axis=1)
            like = np.take_along_axis(likeness, most, axis=1)
            refused = self._refused(np.repeat(rows, near), most.reshape(-1)).reshape(most.shape) | np.isneginf(like)
            order = np.lexsort((-like, refused), axis=1)[:, :count]
            chosen = np.where(np.take_along_axis(refused, order, 1), -1, np.take_along_axis(most, order, 1))
            found[rows, : chosen.shape[1]] = chosen
        return found

    def _refused(self, rows: NDArray[np.intp], nodes: NDArray[np.int64]) -> NDArray[np.bool_]:
        cause = self._asked[rows, 0]
        return np.asarray(_among(self._known, cause * len(self._linked) + nodes) | (cause == nodes))


def _among(ordered: NDArray[np.int64], keys: NDArray[np.int64]) -> NDArray[np.bool_]:
    if not len(ordered):
        return np.zeros(len(keys), dtype=np.bool_)
    return np.asarray(ordered[np.searchsorted(ordered, keys).clip(max=len(ordered) - 1)] == keys)
