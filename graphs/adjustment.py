"""Adjustment: which covariates make the effect of X on Y readable from `sum over z of P(y | x, z) P(z)`, and why not.

Covers the adjustment criterion, which is complete: a set it refuses is wrong in some model of the graph. Says nothing
about effects that need another formula; see front_door.py and identification.py.

References
----------
Shpitser, VanderWeele and Robins (2010), On the validity of covariate adjustment, UAI: the criterion.
van der Zander, Liskiewicz and Textor (2019), Separators and adjustment sets in causal graphs, Artif. Intell. 270: its
constructive form, the proper back-door graph, and the algorithms.
Henckel, Perkovic and Maathuis (2022), Graphical criteria for efficient total effect estimation, JRSS B 84: the O-set.
"""

from dataclasses import dataclass
from itertools import islice

from leucippus.graphs.dag import Graph, Nodes
from leucippus.graphs.estimand import Estimand, Probability, product, sum_over
from leucippus.graphs.separation import Path, disjoint, minimal_separators, open_path


@dataclass(frozen=True)
class Forbidden:
    """A covariate that may not be adjusted for."""

    node: str
    causal_path: tuple[str, ...]
    """A directed path from a treatment to an outcome."""
    via: str
    """The node on that path that causes `node`, or is it."""

    def text(self) -> str:
        """One sentence."""
        path = " -> ".join(self.causal_path)
        if self.node == self.via:
            return f"{self.node} lies on the causal path {path}: adjusting for it removes part of the effect"
        return f"{self.node} is an effect of {self.via} on the causal path {path}: adjusting for it distorts the effect"


@dataclass(frozen=True)
class Adjustment:
    """Whether a set is a valid adjustment set, and every reason found against it."""

    x: tuple[str, ...]
    y: tuple[str, ...]
    z: tuple[str, ...]
    forbidden: tuple[Forbidden, ...]
    open_path: Path | None
    """A non-causal path that `z` leaves open."""
    opened: tuple[str, ...]
    """The colliders on `open_path`: closed until `z` holds them or an effect of theirs."""

    @property
    def valid(self) -> bool:
        """Whether nothing speaks against the set."""
        return not self.forbidden and self.open_path is None

    def reasons(self) -> tuple[str, ...]:
        """What speaks against the set, one sentence each; empty if it is valid."""
        said = [member.text() for member in self.forbidden]
        if self.open_path is not None:
            because = f": adjusting opens it at the collider {', '.join(self.opened)}" if self.opened else ""
            said.append(f"the non-causal path {self.open_path.text()} stays open{because}")
        return tuple(said)


def check_adjustment(graph: Graph, x: Nodes, y: Nodes, z: Nodes = ()) -> Adjustment:
    """Judge `z` as an adjustment set for the joint effect of `x` on `y`.

    Raises
    ------
    GraphError : a node is unknown, or in two of the three sets.
    """
    treatments, outcomes, members = disjoint(graph, x=x, y=y, given=z)
    causal = causal_nodes(graph, treatments, outcomes)
    forbidden = tuple(
        _forbidden(graph, treatments, outcomes, causal, node)
        for node in graph.ordered(members & graph.descendants(causal))
    )
    path = open_path(proper_back_door_graph(graph, treatments, outcomes), treatments, outcomes, members)
    opened = path.colliders if path else ()
    return Adjustment(
        graph.ordered(treatments), graph.ordered(outcomes), graph.ordered(members), forbidden, path, opened
    )


def minimal_adjustment_sets(
    graph: Graph, x: Nodes, y: Nodes, *, measured: Nodes | None = None, limit: int = 100
) -> list[frozenset[str]]:
    """The valid sets none of whose proper subsets is valid, small ones first; the first `limit` met if there are more.

    Parameters
    ----------
    measured : where members may come from; all nodes if None.

    Raises
    ------
    GraphError : a node is unknown, or in both `x` and `y`.
    """
    found = minimal_separators(proper_back_door_graph(graph, x, y), x, y, _usable(graph, x, y, measured))
    return sorted(islice(found, limit), key=lambda members: (len(members), graph.ordered(members)))


def minimal_adjustment_set(graph: Graph, x: Nodes, y: Nodes, *, measured: Nodes | None = None) -> frozenset[str] | None:
    """One minimal set in polynomial time, the nearest to the outcome; None if no set is valid.

    Raises
    ------
    GraphError : a node is unknown, or in both `x` and `y`.
    """
    found = minimal_separators(proper_back_door_graph(graph, x, y), x, y, _usable(graph, x, y, measured))
    return next(found, None)


def optimal_adjustment_set(graph: Graph, x: Nodes, y: Nodes, *, measured: Nodes | None = None) -> frozenset[str] | None:
    """The valid set of least asymptotic variance (the O-set), or None where the theorem names none.

    It is the set of other parents of the nodes on causal paths. Where one of those shares an unmeasured cause with
    anything, that cause is such a parent itself, and no measured set need be best in every model. Nor does the theorem
    speak of outcomes that the treatments do not affect.

    Raises
    ------
    GraphError : a node is unknown, or in both `x` and `y`.
    """
    treatments, outcomes, _ = disjoint(graph, x=x, y=y, given=())
    causal = causal_nodes(graph, treatments, outcomes)
    if graph.siblings(causal) or not outcomes <= causal:
        return None
    best = graph.parents(causal) - graph.descendants(causal) - treatments
    if measured is not None and not best <= graph.select(measured):
        return None
    return best if check_adjustment(graph, treatments, outcomes, best).valid else None


def adjusted(graph: Graph, x: Nodes, y: Nodes, z: Nodes) -> Estimand:
    """P(y | do(x)) by adjusting for `z`, whether or not that is valid.

    Raises
    ------
    GraphError : a node is unknown, or in two of the three sets.
    """
    treatments, outcomes, members = (graph.ordered(nodes) for nodes in disjoint(graph, x=x, y=y, given=z))
    weights = [Probability(members)] if members else []
    inner = Probability(outcomes, graph.ordered((*treatments, *members)))
    return Estimand(outcomes, treatments, (), sum_over(members, product([inner, *weights])))


def causal_nodes(graph: Graph, x: Nodes, y: Nodes) -> frozenset[str]:
    """The nodes after `x` on proper causal paths to `y`, `y` included where it is an effect: PCP(X, Y).

    Proper: the path meets `x` only where it starts.
    """
    treatments = graph.select(x)
    # (De(X) with no arrow into X, less X) and (An(Y) with no arrow out of X).
    after = graph.without_incoming(treatments).descendants(treatments) - treatments
    return after & graph.without_outgoing(treatments).ancestors(y)


def proper_back_door_graph(graph: Graph, x: Nodes, y: Nodes) -> Graph:
    """The graph less the first edge of every proper causal path: what still joins `x` and `y` is not their effect.

    Raises
    ------
    GraphError : a node is unknown, or in both `x` and `y`.
    """
    treatments, outcomes, _ = disjoint(graph, x=x, y=y, given=())
    causal = causal_nodes(graph, treatments, outcomes)
    return graph.without_edges((a, b) for a, b in graph.directed if a in treatments and b in causal)


def _usable(graph: Graph, x: Nodes, y: Nodes, measured: Nodes | None) -> frozenset[str]:
    allowed = frozenset(graph.nodes) if measured is None else graph.select(measured)
    return allowed - graph.descendants(causal_nodes(graph, x, y))


def _forbidden(graph: Graph, x: frozenset[str], y: frozenset[str], causal: frozenset[str], node: str) -> Forbidden:
    above = graph.ancestors(node) & causal
    via = node if node in causal else next(a for a in reversed(graph.topological_order) if a in above)
    path = [via]
    # Every causal node has a parent that is causal or a treatment, and all but outcomes a child that is causal.
    while path[0] not in x:
        before = graph.parents(path[0])
        path.insert(0, graph.ordered((before & x) or (before & causal))[0])
    while path[-1] not in y:
        path.append(graph.ordered(graph.children(path[-1]) & causal)[0])
    return Forbidden(node, tuple(path), via)
