"""Hedges: the shape in a graph that makes an effect unidentifiable, small enough to check by eye or by `is_hedge`.

References
----------
Shpitser and Pearl (2006), Identification of joint interventional distributions in recursive semi-Markovian causal
models, AAAI: C-forests and hedges, and that a hedge is all that can stand in the way.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from leucippus.graphs.dag import Edge, Graph, Nodes


@dataclass(frozen=True)
class Hedge:
    """Two R-rooted C-forests F and F' of a graph, which form a hedge for P(y | do(x)).

    Two models can agree on everything observed and differ in what setting `x` does to the roots, because the part of F
    outside of F', which holds treatments, is tied to F' by unmeasured causes only.
    """

    forest: Graph
    """F: the forest that the treatments are in."""
    inner: Graph
    """F': its part without treatments."""
    roots: tuple[str, ...]
    """R: the nodes without a child in either."""
    x: tuple[str, ...]
    y: tuple[str, ...]

    def text(self) -> str:
        """One sentence for people."""
        tied = ", ".join(f"{a} <-> {b}" for a, b in self.forest.bidirected)
        inner, outer = (", ".join(graph.nodes) for graph in (self.inner, self.forest))
        return (
            f"setting {', '.join(self.x)} cannot be told from the unmeasured causes {tied}: "
            f"{{{inner}}} and {{{outer}}} are each held together by them and both lead to {', '.join(self.roots)}"
        )


def hedge_within(graph: Graph, inner: Iterable[str], x: Iterable[str], y: Iterable[str]) -> Hedge:
    """Cut the pair (G, S) that ID fails with down to a hedge.

    Parameters
    ----------
    graph : G, one district, all of it ancestors of `inner`.
    inner : S, one district of G without the treatments.
    x, y : the query that the hedge is for.
    """
    kept = frozenset(inner)
    # R is the root set of G_S: its nodes without a child in S.
    roots = tuple(node for node in graph.nodes if node in kept and not graph.children(node) & kept)
    # One child each, towards R: inside S by any edge (it stays in S until it ends), outside of it towards S.
    directed: list[Edge] = []
    reached, ahead = set(kept), list(graph.ordered(kept))
    for node in graph.ordered(kept - set(roots)):
        directed.append((node, graph.ordered(graph.children(node) & kept)[0]))
    for node in ahead:
        for parent in graph.ordered(graph.parents(node) - reached):
            directed.append((parent, node))
            reached.add(parent)
            ahead.append(parent)
    # A tree of bidirected edges that spans S, then one that goes on to span G.
    tree = _spanning_tree(graph.subgraph(kept), roots[:1])
    whole = tree + _spanning_tree(graph, kept)
    forest = Graph(graph.nodes, tuple(directed), tuple(whole))
    return Hedge(forest, forest.subgraph(kept), roots, tuple(x), tuple(y))


def is_c_forest(graph: Graph, roots: Nodes) -> bool:
    """Whether the graph is one district by a tree of bidirected edges, each node has at most one child, and those
    without are exactly `roots`.
    """
    return (
        len(graph.districts) == 1
        and len(graph.bidirected) == len(graph.nodes) - 1
        and all(len(graph.children(node)) <= 1 for node in graph.nodes)
        and frozenset(node for node in graph.nodes if not graph.children(node)) == graph.select(roots)
    )


def is_hedge(graph: Graph, hedge: Hedge) -> bool:
    """Whether `hedge` is one for P(y | do(x)) in `graph`: then that effect is not identifiable.

    Raises
    ------
    GraphError : it mentions a node that is not in the graph.
    """
    x, y, outer = graph.select(hedge.x), graph.select(hedge.y), graph.select(hedge.forest.nodes)
    inner = frozenset(hedge.inner.nodes)
    return (
        is_c_forest(hedge.forest, hedge.roots)
        and is_c_forest(hedge.inner, hedge.roots)
        and _is_part(hedge.inner, hedge.forest)
        and _is_part(hedge.forest, graph)
        and bool(outer & x)
        and not inner & x
        and graph.select(hedge.roots) <= graph.without_incoming(x).ancestors(y)
    )


def _is_part(small: Graph, large: Graph) -> bool:
    both_ways = {pair for a, b in large.bidirected for pair in ((a, b), (b, a))}
    return (
        set(small.nodes) <= set(large.nodes)
        and set(small.directed) <= set(large.directed)
        and set(small.bidirected) <= both_ways
    )


def _spanning_tree(graph: Graph, start: Iterable[str]) -> list[Edge]:
    """Bidirected edges that tie every other node of the district to `start`, without a loop."""
    reached = set(start)
    ahead, edges = list(graph.ordered(reached)), []
    for node in ahead:
        for other in graph.ordered(graph.siblings(node) - reached):
            edges.append((node, other))
            reached.add(other)
            ahead.append(other)
    return edges
