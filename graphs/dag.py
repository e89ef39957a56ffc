"""Causal graphs with unmeasured common causes, as values: acyclic directed mixed graphs (ADMGs).

`a -> b` says that a is a direct cause of b; `a <-> b` that they share a cause nobody measured. A graph knows nothing
about data. Nodes keep the order they were given in, and every answer that is a sequence follows it, so that the same
graph always gives the same formula.

References
----------
Richardson (2003), Markov properties for acyclic directed mixed graphs, Scand. J. Statist. 30.
Verma (1993), Graphical aspects of causal models, UCLA R-191: the latent projection.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from heapq import heapify, heappop, heappush

from leucippus.errors import GraphError

Edge = tuple[str, str]
Nodes = str | Iterable[str]
"""One node or several: a lone string is a name, not a sequence of letters."""

_NAMED_IN_ERRORS = 12


@dataclass(frozen=True)
class Graph:
    """An acyclic directed mixed graph.

    Parameters
    ----------
    nodes : names, in the order that answers will follow.
    directed : (cause, effect) pairs; repeated ones count once.
    bidirected : pairs with an unmeasured common cause, in either order.

    Raises
    ------
    GraphError : a node is named twice, an edge leads to an unknown node or back to itself, or there is a cycle.
    """

    nodes: tuple[str, ...] = ()
    directed: tuple[Edge, ...] = ()
    bidirected: tuple[Edge, ...] = ()

    def __post_init__(self) -> None:
        if len(self._position) < len(self.nodes):
            twice = next(node for i, node in enumerate(self.nodes) if node in self.nodes[:i])
            raise GraphError(f"the node {twice!r} is named twice", expected="every node once")
        for a, b in (*self.directed, *self.bidirected):
            self.select((a, b))
            if a == b:
                raise GraphError(f"an edge leads from {a!r} to itself", expected="edges between two nodes")
        # One form for equal graphs: edges in the order of their nodes.
        at = self._position
        object.__setattr__(self, "directed", self._ordered_edges(self.directed))
        turned = ((a, b) if at[a] < at[b] else (b, a) for a, b in self.bidirected)
        object.__setattr__(self, "bidirected", self._ordered_edges(turned))
        if len(self.topological_order) < len(self.nodes):
            cycle = self._cycle()
            raise GraphError(
                f"the graph has a cycle: {' -> '.join(cycle)}",
                expected="no node that causes itself",
                next_step="Drop or turn one of these edges; where both are effects of something unmeasured write "
                f"{cycle[0]} <-> {cycle[1]}.",
            )

    def select(self, nodes: Nodes) -> frozenset[str]:
        """`nodes` as a set.

        Raises
        ------
        GraphError : one of them is not in the graph; the message says which one may be meant.
        """
        chosen = frozenset((nodes,) if isinstance(nodes, str) else nodes)
        for unknown in sorted(chosen.difference(self._position)):
            shown = ", ".join(self.nodes[:_NAMED_IN_ERRORS]) + (" …" if len(self.nodes) > _NAMED_IN_ERRORS else "")
            close = get_close_matches(unknown.casefold(), [node.casefold() for node in self.nodes], n=1)
            meant = next((node for node in self.nodes if close and node.casefold() == close[0]), None)
            raise GraphError(
                f"the graph has no node {unknown!r}",
                expected=f"one of {shown}" if self.nodes else "a graph with nodes",
                next_step=f"Did you mean {meant!r}?" if meant else "",
            )
        return chosen

    def ordered(self, nodes: Nodes) -> tuple[str, ...]:
        """`nodes` in the order of the graph."""
        return tuple(sorted(self.select(nodes), key=self._position.__getitem__))

    def parents(self, nodes: Nodes) -> frozenset[str]:
        """Direct causes of any of `nodes`; one of them may itself be among `nodes`."""
        return _union(self._parents, self.select(nodes))

    def children(self, nodes: Nodes) -> frozenset[str]:
        """Direct effects of any of `nodes`."""
        return _union(self._children, self.select(nodes))

    def siblings(self, nodes: Nodes) -> frozenset[str]:
        """Nodes that share an unmeasured cause with any of `nodes`."""
        return _union(self._siblings, self.select(nodes))

    def ancestors(self, nodes: Nodes) -> frozenset[str]:
        """`nodes` and all that cause them: An(nodes)."""
        return _closure(self._parents, self.select(nodes))

    def descendants(self, nodes: Nodes) -> frozenset[str]:
        """`nodes` and all that they cause: De(nodes)."""
        return _closure(self._children, self.select(nodes))

    @cached_property
    def districts(self) -> tuple[frozenset[str], ...]:
        """The c-components: sets of nodes connected by bidirected edges, by their first node."""
        found: list[frozenset[str]] = []
        seen: set[str] = set()
        for node in self.nodes:
            if node not in seen:
                found.append(_closure(self._siblings, {node}))
                seen |= found[-1]
        return tuple(found)

    @cached_property
    def topological_order(self) -> tuple[str, ...]:
        """Causes before effects, otherwise as given."""
        missing = {node: len(self._parents[node]) for node in self.nodes}
        ready = [i for i, node in enumerate(self.nodes) if not missing[node]]
        heapify(ready)
        order: list[str] = []
        while ready:
            order.append(self.nodes[heappop(ready)])
            for child in self._children[order[-1]]:
                missing[child] -= 1
                if not missing[child]:
                    heappush(ready, self._position[child])
        return tuple(order)

    def subgraph(self, nodes: Nodes) -> "Graph":
        """The graph among `nodes` alone."""
        kept = self.select(nodes)
        return Graph(
            tuple(node for node in self.nodes if node in kept),
            tuple(edge for edge in self.directed if kept.issuperset(edge)),
            tuple(edge for edge in self.bidirected if kept.issuperset(edge)),
        )

    def without_incoming(self, nodes: Nodes) -> "Graph":
        """The graph after setting `nodes` by hand: no arrow points at them (G with a bar over X)."""
        cut = self.select(nodes)
        return Graph(
            self.nodes,
            tuple(edge for edge in self.directed if edge[1] not in cut),
            tuple(edge for edge in self.bidirected if cut.isdisjoint(edge)),
        )

    def without_outgoing(self, nodes: Nodes) -> "Graph":
        """The graph in which `nodes` cause nothing (G with a bar under X)."""
        cut = self.select(nodes)
        return self.without_edges(edge for edge in self.directed if edge[0] in cut)

    def without_edges(self, directed: Iterable[Edge]) -> "Graph":
        """The graph less some of its directed edges."""
        cut = frozenset(directed)
        return Graph(self.nodes, tuple(edge for edge in self.directed if edge not in cut), self.bidirected)

    def latent_projection(self, latent: Nodes) -> "Graph":
        """The graph among the other nodes, when `latent` are not measured.

        a -> b remains where a reaches b through latent nodes alone, a <-> b where a latent node reaches both.
        """
        hidden = self.select(latent)
        parents, children, siblings = (
            {node: set(near) for node, near in side.items()} for side in (self._parents, self._children, self._siblings)
        )
        # One latent node at a time: every walk through it becomes an edge between its ends.
        for node in self.ordered(hidden):
            above, below, beside = parents.pop(node), children.pop(node), siblings.pop(node)
            for a in above:
                children[a] = (children[a] - {node}) | below
            for b in below:
                parents[b] = (parents[b] - {node}) | above
                siblings[b] |= (below | beside) - {b}
            for c in beside:
                siblings[c] = (siblings[c] - {node}) | (below - {c})
        return Graph(
            tuple(parents),
            tuple((a, b) for a, effects in children.items() for b in effects),
            tuple((a, b) for a, near in siblings.items() for b in near),
        )

    @cached_property
    def _position(self) -> dict[str, int]:
        return {node: i for i, node in enumerate(self.nodes)}

    @cached_property
    def _parents(self) -> dict[str, frozenset[str]]:
        return self._neighbours((b, a) for a, b in self.directed)

    @cached_property
    def _children(self) -> dict[str, frozenset[str]]:
        return self._neighbours(self.directed)

    @cached_property
    def _siblings(self) -> dict[str, frozenset[str]]:
        return self._neighbours(pair for a, b in self.bidirected for pair in ((a, b), (b, a)))

    def _neighbours(self, pairs: Iterable[Edge]) -> dict[str, frozenset[str]]:
        found: dict[str, set[str]] = {node: set() for node in self.nodes}
        for a, b in pairs:
            found[a].add(b)
        return {node: frozenset(near) for node, near in found.items()}

    def _ordered_edges(self, edges: Iterable[Edge]) -> tuple[Edge, ...]:
        at = self._position
        return tuple(sorted(set(edges), key=lambda edge: (at[edge[0]], at[edge[1]])))

    def _cycle(self) -> list[str]:
        """One cycle, its first node repeated at the end. What the topological order left out has a cycle upstream."""
        left = frozenset(self.nodes) - frozenset(self.topological_order)
        walk = [self.ordered(left)[0]]
        while walk[-1] not in walk[:-1]:
            walk.append(self.ordered(self._parents[walk[-1]] & left)[0])
        return walk[walk.index(walk[-1]) :][::-1]


def _union(neighbours: Mapping[str, frozenset[str]], nodes: Iterable[str]) -> frozenset[str]:
    return frozenset().union(*(neighbours[node] for node in nodes))


def _closure(neighbours: Mapping[str, frozenset[str]], nodes: Iterable[str]) -> frozenset[str]:
    found = set(nodes)
    ahead = list(found)
    while ahead:
        fresh = neighbours[ahead.pop()] - found
        found |= fresh
        ahead.extend(fresh)
    return frozenset(found)
