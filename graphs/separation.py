"""Which nodes a graph makes independent: m-separation, an open path where they are not, and minimal separators.

On a graph without bidirected edges m-separation is d-separation.

References
----------
Richardson (2003), Markov properties for acyclic directed mixed graphs: m-separation.
Shachter (1998), Bayes-Ball, UAI: reachability in the direction of travel.
van der Zander, Liskiewicz and Textor (2019), Separators and adjustment sets in causal graphs, Artif. Intell. 270.
Shen and Liang (1997), Efficient enumeration of all minimal separators in a graph, Theor. Comput. Sci. 180.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from leucippus.errors import GraphError
from leucippus.graphs.dag import Graph, Nodes


@dataclass(frozen=True)
class Path:
    """A path, with the edge after each node but the last."""

    nodes: tuple[str, ...]
    edges: tuple[str, ...]
    """`->`, `<-` or `<->`, one fewer than the nodes."""

    @property
    def colliders(self) -> tuple[str, ...]:
        """The inner nodes that both neighbours point at."""
        pairs = zip(self.nodes[1:-1], self.edges[:-1], self.edges[1:], strict=True)
        return tuple(node for node, before, after in pairs if before.endswith(">") and after.startswith("<"))

    def text(self) -> str:
        """As `X <- Z -> Y`."""
        steps = zip(self.edges, self.nodes[1:], strict=True)
        return " ".join((self.nodes[0], *(part for step in steps for part in step)))


def d_separated(graph: Graph, x: Nodes, y: Nodes, given: Nodes = ()) -> bool:
    """Whether `given` blocks every path between `x` and `y`.

    Raises
    ------
    GraphError : a node is unknown, or in two of the three sets.
    """
    return open_path(graph, x, y, given) is None


def open_path(graph: Graph, x: Nodes, y: Nodes, given: Nodes = ()) -> Path | None:
    """A shortest path from `x` to `y` that `given` leaves open, or None.

    Open: every collider on it is an ancestor of `given` (or in it), no other inner node is in `given`.

    Raises
    ------
    GraphError : a node is unknown, or in two of the three sets.
    """
    sources, targets, fixed = apart(graph, x, y, given)
    opened = graph.ancestors(fixed)
    # A state is a node and whether the edge that led there points at it. The shortest walk by these rules repeats no
    # node: whatever lies between two visits can be cut out and what is left is still open.
    start = [(node, False) for node in graph.ordered(sources)]
    came: dict[tuple[str, bool], tuple[tuple[str, bool], str] | None] = dict.fromkeys(start)
    ahead = deque(start)
    while ahead:
        state = ahead.popleft()
        node, pointed_at = state
        if node in targets:
            return _trace(came, state)
        for mark, nexts in (
            ("->", graph.children(node)),
            ("<-", graph.parents(node)),
            ("<->", graph.siblings(node)),
        ):
            collider = pointed_at and mark.startswith("<")
            if came[state] is not None and not (node in opened if collider else node not in fixed):
                continue
            for after in graph.ordered(nexts):
                reached = (after, mark.endswith(">"))
                if reached not in came:
                    came[reached] = (state, mark)
                    ahead.append(reached)
    return None


def minimal_separators(graph: Graph, x: Nodes, y: Nodes, allowed: Nodes | None = None) -> Iterator[frozenset[str]]:
    """All sets of `allowed` nodes that separate `x` from `y` and have no subset that does, those near `y` first.

    Each takes polynomial time; there may be exponentially many. The first is the set nearest `y`.

    Parameters
    ----------
    allowed : where members may come from; all nodes if None.

    Raises
    ------
    GraphError : a node is unknown, or in both `x` and `y`.
    """
    sources, targets, _ = apart(graph, x, y, ())
    usable = frozenset(graph.nodes if allowed is None else graph.select(allowed)) - sources - targets
    near = _moral(graph.subgraph(graph.ancestors(sources | targets)), sources | targets | usable)
    first = _close_to(near, targets, sources)
    if first is None:
        return
    seen, ahead = {first}, deque([first])
    while ahead:
        separator = ahead.popleft()
        yield separator
        side = _side(near, targets, separator)
        for node in graph.ordered(separator):
            # The next separator lets `node` through; every minimal one is reached by such steps (Shen and Liang).
            further = _close_to(near, side | {node}, sources)
            if further is not None and further not in seen:
                seen.add(further)
                ahead.append(further)


def disjoint(
    graph: Graph, *, x: Nodes, y: Nodes, given: Nodes
) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """The three sets of a question about a graph.

    Raises
    ------
    GraphError : `x` or `y` is empty, a node is unknown, or in two of the sets.
    """
    if not graph.select(x) or not graph.select(y):
        raise GraphError("one side of the question is empty", expected="at least one node on each side")
    return apart(graph, x, y, given)


def apart(graph: Graph, one: Nodes, two: Nodes, three: Nodes) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """The three sets, any of which may be empty.

    Raises
    ------
    GraphError : a node is unknown, or in two of the sets.
    """
    a, b, c = graph.select(one), graph.select(two), graph.select(three)
    if twice := (a & b) | (a & c) | (b & c):
        named = ", ".join(graph.ordered(twice))
        raise GraphError(f"{named}: in two of the sets asked about", expected="sets with no node in common")
    return a, b, c


def _trace(came: dict[tuple[str, bool], tuple[tuple[str, bool], str] | None], end: tuple[str, bool]) -> Path:
    nodes, edges = [end[0]], []
    while (step := came[end]) is not None:
        end, mark = step
        nodes.append(end[0])
        edges.append(mark)
    return Path(tuple(reversed(nodes)), tuple(reversed(edges)))


Neighbours = dict[str, set[str]]


def _moral(graph: Graph, kept: frozenset[str]) -> Neighbours:
    """The undirected graph among `kept` in which separation is m-separation in `graph`.

    Nodes meet if an edge or a path of colliders joins them: then both are in one district or point into it. Nodes
    that may not be used go, and their neighbours meet instead.
    """
    near: Neighbours = {node: set() for node in graph.nodes}
    for district in graph.districts:
        _join(near, district | graph.parents(district))
    for node in graph.nodes:
        if node not in kept:
            around = near.pop(node)
            for other in around:
                near[other].discard(node)
            _join(near, around)
    return near


def _join(near: Neighbours, nodes: Iterable[str]) -> None:
    together = set(nodes)
    for node in together:
        near[node] |= together - {node}


def _around(near: Neighbours, nodes: Iterable[str]) -> frozenset[str]:
    inside = frozenset(nodes)
    return frozenset().union(*(near[node] for node in inside)) - inside


def _side(near: Neighbours, start: Iterable[str], walls: frozenset[str]) -> frozenset[str]:
    """What can be reached from `start` without entering `walls`."""
    found = set(start)
    ahead = list(found)
    while ahead:
        fresh = near[ahead.pop()] - found - walls
        found |= fresh
        ahead.extend(fresh)
    return frozenset(found)


def _close_to(near: Neighbours, inside: frozenset[str], outside: frozenset[str]) -> frozenset[str] | None:
    """The minimal separator nearest `inside`: those of its neighbours that `outside` can reach. None if they touch."""
    walls = _around(near, inside)
    if walls & outside:
        return None
    return _around(near, _side(near, outside, walls))
