"""Random causal graphs, and random models of them with everything known: the truth to hold estimates against."""

import random
from collections.abc import Iterable, Mapping
from itertools import combinations

import numpy as np
from hypothesis import strategies as st

from leucippus.graphs.dag import Graph
from leucippus.graphs.joint import Floats, Joint

NAMES = "ABCDEFGHIJ"
EDGES = ("", "", "->", "->", "<->", "both")


@st.composite
def graphs(draw: st.DrawFn, *, least: int = 2, most: int = 5, bidirected: bool = True) -> Graph:
    """A graph in which names come in any order."""
    size = draw(st.integers(least, most))
    order = draw(st.permutations(NAMES[:size]))
    kinds = EDGES if bidirected else ("", "->")
    pairs = [(pair, draw(st.sampled_from(kinds))) for pair in combinations(order, 2)]
    return _graph(NAMES[:size], pairs)


@st.composite
def queries(draw: st.DrawFn, graph: Graph, sides: int = 3) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """Three sets of the graph's nodes with none in common; the first two have members."""
    order = draw(st.permutations(graph.nodes))
    side = [0, 1] + [draw(st.integers(0, sides)) for _ in order[2:]]
    x, y, z = (frozenset(node for node, at in zip(order, side, strict=True) if at == i) for i in range(3))
    return x, y, z


def random_graph(chance: random.Random, size: int, directed: float, bidirected: float) -> Graph:
    """A graph whose pairs have each kind of edge with that probability."""
    order = list(NAMES[:size])
    chance.shuffle(order)
    pairs = []
    for pair in combinations(order, 2):
        one, two = chance.random() < directed, chance.random() < bidirected
        pairs.append((pair, "both" if one and two else "->" if one else "<->" if two else ""))
    return _graph(NAMES[:size], pairs)


def model(graph: Graph, seed: int, do: Mapping[str, int] | None = None) -> Joint:
    """The joint distribution of the nodes in a random model of `graph`, with some of them set.

    Everything is binary, each bidirected edge a hidden variable. The same seed is the same model whatever is set.
    """
    rng = np.random.default_rng(seed)
    hidden = [f"{a} and {b}" for a, b in graph.bidirected]
    names = [*graph.nodes, *hidden]
    whole: Floats = np.ones((1,) * len(names))
    for name in names:
        causes = sorted(graph.parents(name)) if name in graph.nodes else []
        causes += [pair for pair in hidden if name in pair.split(" and ")]
        chances = rng.uniform(0.05, 0.95, (2,) * len(causes))
        table = np.stack([1 - chances, chances], axis=-1)
        if do and name in do:
            table = np.zeros_like(table)
            table[..., do[name]] = 1.0
        axes = [names.index(cause) for cause in (*causes, name)]
        ordered = table.transpose(np.argsort(axes))
        whole = whole * ordered.reshape(tuple(2 if i in axes else 1 for i in range(len(names))))
    observed = np.broadcast_to(whole, (2,) * len(names)).sum(axis=tuple(range(len(graph.nodes), len(names))))
    return Joint(graph.nodes, ((0, 1),) * len(graph.nodes), observed)


def chances(joint: Joint, of: tuple[str, ...], given: Mapping[str, int] | None = None) -> Floats:
    """P(of | given), an axis for each of `of`."""
    at = tuple((given or {}).get(name, slice(None)) for name in joint.names)
    left = [name for name in joint.names if name not in (given or {})]
    table = joint.probability[at]
    table = table.sum(axis=tuple(i for i, name in enumerate(left) if name not in of))
    kept = [name for name in left if name in of]
    return np.asarray(table.transpose([kept.index(name) for name in of]) / table.sum())


def covariance(graph: Graph, seed: int) -> tuple[Floats, Floats]:
    """The covariance of the nodes in a random linear model of `graph`, and the effect of column on row, (n, n) each."""
    rng = np.random.default_rng(seed)
    at = graph.nodes.index
    direct = np.zeros((len(graph.nodes), len(graph.nodes)))
    for a, b in graph.directed:
        direct[at(b), at(a)] = rng.uniform(0.3, 1.2) * rng.choice((-1, 1))
    noise = np.diag(rng.uniform(0.5, 1.5, len(graph.nodes)))
    for a, b in graph.bidirected:
        load = np.zeros(len(graph.nodes))
        load[[at(a), at(b)]] = rng.uniform(0.3, 1.2, 2) * rng.choice((-1, 1), 2)
        noise += np.outer(load, load)
    total = np.linalg.inv(np.eye(len(graph.nodes)) - direct)
    return np.asarray(total @ noise @ total.T, dtype=np.float64), np.asarray(total, dtype=np.float64)


def residual(sigma: Floats, graph: Graph, of: Iterable[str], given: Iterable[str]) -> Floats:
    """The covariance of `of` given `given`."""
    a, b = (list(map(graph.nodes.index, graph.ordered(names))) for names in (of, given))
    cross = sigma[np.ix_(a, b)]
    return np.asarray(sigma[np.ix_(a, a)] - cross @ np.linalg.solve(sigma[np.ix_(b, b)], cross.T))


def _graph(names: str, pairs: list[tuple[tuple[str, str], str]]) -> Graph:
    return Graph(
        tuple(names),
        tuple(pair for pair, kind in pairs if kind in ("->", "both")),
        tuple(pair for pair, kind in pairs if kind in ("<->", "both")),
    )
