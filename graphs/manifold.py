"""The relational manifold: where each concept lies, by its words alone or by its words and what it is linked to.

Four ways of placing concepts, from the plainest on, and an honest choice between them: each foretells edges that were
kept back, and a more elaborate one is used only where it does so better than chance would explain. Arrays in, arrays out.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from leucippus.errors import InputError
from leucippus.graphs.held_out import Answers, Interval, Questions, answer, interval, keep_back, questions
from leucippus.graphs.link_prediction import Graph, Recipe, train
from leucippus.graphs.triangles import filled_triangles

Method = Literal["embeddings", "directed", "transformer", "triangles"]
"""embeddings: the features, cosine. directed: the features and a trained head that tells cause from effect, no messages.
transformer: messages along edges. triangles: also across filled triangles, which are asked to lie close together."""
METHODS: tuple[Method, ...] = get_args(Method)

_FEWEST_EDGES = 40
"""With fewer, nothing is trained and nothing compared: a held-out fifth would be eight edges."""


@dataclass(frozen=True)
class Manifold:
    """Where concepts lie. `as_cause[a] · as_effect[b]` says how likely a → b is, compared with other pairs."""

    method: Method
    representation: NDArray[np.float32]
    """Shape (n, width), rows of unit length (or 0 where a feature is)."""
    as_cause: NDArray[np.float32]
    as_effect: NDArray[np.float32]
    triangles: int
    epochs: int
    seconds: float


@dataclass(frozen=True)
class Score:
    """How one method foretells held-out edges; see `held_out.Answers` for what each number is."""

    method: Method
    auc_random: Interval
    auc_plausible: Interval
    direction: Interval
    mrr: Interval
    mrr_linked: Interval
    """Of edges both of whose ends have others: all that messages can help with at both ends."""


@dataclass(frozen=True)
class Comparison:
    """All methods on the same held-out edges."""

    asked: int
    linked: int
    scores: tuple[Score, ...]
    gains: dict[tuple[Method, Method], Interval]
    """(other, plainer) → how much higher the reciprocal rank of the first is, question by question."""


@dataclass(frozen=True)
class Chosen:
    """The manifold to use and why. `comparison` is None where there were too few edges to compare by."""

    manifold: Manifold
    comparison: Comparison | None
    reason: str


def choose(
    features: NDArray[np.float32],
    edges: NDArray[np.int64],
    signs: NDArray[np.int8],
    weights: NDArray[np.float32],
    *,
    recipe: Recipe = Recipe(),  # noqa: B008
    methods: Sequence[Method] = METHODS,
) -> Chosen:
    """Compare on held-out edges, then place all concepts by the better method, trained on all edges.

    From the plainest on, a method takes over only if the interval of its gain over the best so far lies above 0.

    Parameters
    ----------
    features : text embeddings, shape (n, size).
    edges : shape (m, 2), cause and effect; no loops, none twice.
    signs : shape (m,), in {-1, 0, 1}.
    weights : shape (m,), positive: credibility, or independent sources.

    Raises
    ------
    InputError : an array has another form, or holds something else.
    """
    _check(features, edges, signs, weights)
    if len(edges) < _FEWEST_EDGES:
        reason = f"the texts alone: {len(edges)} edges are too few to compare by ({_FEWEST_EDGES})"
        return Chosen(learn(features, edges, signs, weights, "embeddings", recipe=recipe), None, reason)
    compared = compare(features, edges, signs, weights, recipe=recipe, methods=methods)
    best = methods[0]
    for method in methods[1:]:
        if compared.gains[method, best].low > 0:
            best = method
    mrr = {score.method: score.mrr for score in compared.scores}
    rivals = "; ".join(f"{name} {value.mean:.3f} [{value.low:.3f}, {value.high:.3f}]" for name, value in mrr.items())
    reason = f"{best}, by the mean reciprocal rank of {compared.asked} held-out edges: {rivals}"
    return Chosen(learn(features, edges, signs, weights, best, recipe=recipe), compared, reason)


def compare(
    features: NDArray[np.float32],
    edges: NDArray[np.int64],
    signs: NDArray[np.int8],
    weights: NDArray[np.float32],
    *,
    share: float = 0.2,
    recipe: Recipe = Recipe(),  # noqa: B008
    methods: Sequence[Method] = METHODS,
) -> Comparison:
    """Hold `share` of the edges out, learn from the rest by every method, and ask all of them after the same edges.

    Nothing learned saw a held-out edge: neither as an example, nor in a message, nor in a triangle.

    Raises
    ------
    InputError : as `choose`; or nothing can be held out.
    """
    _check(features, edges, signs, weights)
    held = keep_back(edges, share, recipe.seed)
    if not held.any():
        raise InputError(f"{len(edges)} edges are too few to hold any out.", expected=f"{_FEWEST_EDGES} or more")
    asked = questions(_unit(features), edges, held, recipe.seed)
    kept = ~held
    answers = {}
    for method in methods:
        learned = learn(features, edges[kept], signs[kept], weights[kept], method, recipe=recipe)
        answers[method] = answer(asked, learned.as_cause, learned.as_effect)
    causes = asked.edges[:, 0]
    gains: dict[tuple[Method, Method], Interval] = {
        (other, plainer): interval(answers[other].reciprocal_rank - answers[plainer].reciprocal_rank, causes)
        for at, plainer in enumerate(methods)
        for other in methods[at + 1 :]
    }
    scores = tuple(_score(method, answers[method], asked) for method in methods)
    return Comparison(len(asked.edges), int(asked.linked.sum()), scores, gains)


def learn(
    features: NDArray[np.float32],
    edges: NDArray[np.int64],
    signs: NDArray[np.int8],
    weights: NDArray[np.float32],
    method: Method,
    *,
    recipe: Recipe = Recipe(),  # noqa: B008
    report: Callable[[int, float, float], None] = lambda epoch, loss, seconds: None,
) -> Manifold:
    """Place concepts by one method. The same input and seed give the same numbers on the same machine.

    Parameters
    ----------
    features, edges, signs, weights : as `choose`.
    report : called after each epoch with its number, the loss of the edges set aside, and the seconds so far.

    Raises
    ------
    InputError : as `choose`.
    """
    _check(features, edges, signs, weights)
    began = time.monotonic()
    if method == "embeddings" or not len(features):
        unit = _unit(features)
        return Manifold(method, unit, unit, unit, 0, 0, time.monotonic() - began)
    import torch

    from leucippus.graphs.transformer import Geometric

    corners = np.empty((0, 3), dtype=np.int64)
    if method == "triangles":
        corners = filled_triangles(edges, len(features), weights=weights)
    graph = Graph(len(features), edges, signs, weights, corners)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        given = torch.from_numpy(_unit(features))
        model = Geometric(given, recipe.width, 0 if method == "directed" else recipe.depth)
        epochs = 0
        if len(edges) >= _FEWEST_EDGES:
            epochs = train(model, given, graph, recipe, lambda at, loss: report(at, loss, time.monotonic() - began))
        model.eval()
        with torch.no_grad():
            placed = model(given, graph.messages(torch.ones(len(edges), dtype=torch.bool)))
            as_cause, as_effect = model.sides(placed)
    return Manifold(
        method,
        placed.numpy(),
        as_cause.numpy(),
        as_effect.numpy(),
        len(corners),
        epochs,
        time.monotonic() - began,
    )


def _score(method: Method, found: Answers, asked: Questions) -> Score:
    causes = asked.edges[:, 0]
    return Score(
        method,
        interval(found.random, causes),
        interval(found.plausible, causes),
        interval(found.direction, causes),
        interval(found.reciprocal_rank, causes),
        interval(np.where(asked.linked, found.reciprocal_rank, np.nan), causes),
    )


def _unit(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows of unit length; a row of zeros stays one."""
    long = np.linalg.norm(features.astype(np.float64), axis=1, keepdims=True)
    return np.asarray(features / np.where(long > 0, long, 1.0), dtype=np.float32)


def _check(
    features: NDArray[np.float32], edges: NDArray[np.int64], signs: NDArray[np.int8], weights: NDArray[np.float32]
) -> None:
    if features.ndim != 2:
        raise InputError(f"Features of shape {features.shape}.", expected="one row a node")
    if not np.isfinite(features).all():
        bad = int(np.flatnonzero(~np.isfinite(features).all(axis=1))[0])
        raise InputError(f"The features of node {bad} hold something that is no number.", next_step="Encode it again.")
    if edges.ndim != 2 or edges.shape[1] != 2 or not np.issubdtype(edges.dtype, np.integer):
        raise InputError(f"Edges of shape {edges.shape} and type {edges.dtype}.", expected="pairs of node numbers")
    if signs.shape != (len(edges),) or weights.shape != (len(edges),):
        raise InputError(
            f"{len(edges)} edges, signs of shape {signs.shape}, weights of shape {weights.shape}.",
            expected="one of each an edge",
        )
    if not len(edges):
        return
    if edges.min() < 0 or edges.max() >= len(features):
        raise InputError(
            f"Edges name nodes {edges.min()} to {edges.max()}.",
            expected=f"0 to {len(features) - 1}, as there are features",
        )
    if (edges[:, 0] == edges[:, 1]).any():
        raise InputError("An edge leads from a node to itself.", next_step="Leave such edges out.")
    if len(np.unique(edges[:, 0] * len(features) + edges[:, 1])) < len(edges):
        raise InputError("An edge is there twice.", next_step="Merge the two.")
    if not np.isin(signs, (-1, 0, 1)).all():
        raise InputError("A sign is neither -1, 0 nor 1.")
    if not (np.isfinite(weights).all() and (weights > 0).all()):
        raise InputError("The weight of an edge is not a positive number.")
