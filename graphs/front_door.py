"""Front-door sets: mediators through which an effect is readable although treatment and outcome are confounded.

References
----------
Pearl (1995), Causal diagrams for empirical research, Biometrika 82: the criterion.
Jeong, Tian and Bareinboim (2022), Finding and listing front-door adjustment sets, NeurIPS: the largest set.
Wienöbst, van der Zander and Liskiewicz (2024), Linear-time algorithms for front-door adjustment in causal graphs,
AAAI: that minimal sets may need nodes off the causal paths.
"""

from itertools import combinations, islice

from leucippus.graphs.dag import Graph, Nodes
from leucippus.graphs.estimand import Estimand, Probability, product, sum_over
from leucippus.graphs.separation import d_separated, disjoint, open_path


def check_front_door(graph: Graph, x: Nodes, y: Nodes, z: Nodes) -> tuple[str, ...]:
    """What speaks against `z` as a front-door set for the effect of `x` on `y`, one sentence each; empty if nothing.

    Raises
    ------
    GraphError : a node is unknown, or in two of the three sets.
    """
    treatments, outcomes, members = disjoint(graph, x=x, y=y, given=z)
    against = []
    # (1) z intercepts all directed paths from x to y.
    if around := goes_around(graph, treatments, outcomes, members):
        against.append(around)
    if members:
        # (2) There is no unblocked back-door path from x to z.
        path = open_path(graph.without_outgoing(treatments), treatments, members)
        if path is not None:
            against.append(f"the back-door path {path.text()} from treatment to mediator is open")
        # (3) All back-door paths from z to y are blocked by x.
        path = open_path(graph.without_outgoing(members), members, outcomes, treatments)
        if path is not None:
            against.append(f"the back-door path {path.text()} from mediator to outcome stays open")
    return tuple(against)


def goes_around(graph: Graph, x: Nodes, y: Nodes, z: Nodes) -> str | None:
    """A causal path from `x` to `y` that `z` does not intercept, in a sentence; None if there is none.

    The one condition of `check_front_door` that is not about back doors, which controls may close.

    Raises
    ------
    GraphError : a node is unknown, or in two of the three sets.
    """
    path = _directed_path(graph, *disjoint(graph, x=x, y=y, given=z))
    return f"the causal path {' -> '.join(path)} goes around the set" if path else None


def largest_front_door_set(graph: Graph, x: Nodes, y: Nodes, *, measured: Nodes | None = None) -> frozenset[str] | None:
    """The front-door set that holds every other one, in polynomial time; None if there is none.

    Parameters
    ----------
    measured : where members may come from; all nodes if None.

    Raises
    ------
    GraphError : a node is unknown, or in both `x` and `y`.
    """
    treatments, outcomes, _ = disjoint(graph, x=x, y=y, given=())
    allowed = frozenset(graph.nodes) if measured is None else graph.select(measured)
    cut = graph.without_outgoing(treatments)
    left = {node for node in graph.ordered(allowed - treatments - outcomes) if d_separated(cut, treatments, node)}
    # A node with an open back-door path has one in every smaller set too: there are more edges then, not fewer.
    while confounded := {
        node for node in left if not d_separated(graph.without_outgoing(left), node, outcomes, treatments)
    }:
        left -= confounded
    found = frozenset(left)
    return None if _directed_path(graph, treatments, outcomes, found) else found


def minimal_front_door_sets(
    graph: Graph, x: Nodes, y: Nodes, *, measured: Nodes | None = None, limit: int = 20, tries: int = 5_000
) -> list[frozenset[str]]:
    """Front-door sets none of whose proper subsets is one, small ones first.

    Parameters
    ----------
    measured : where members may come from; all nodes if None.
    limit : how many to return.
    tries : how many candidate sets to look at; where they end first, the list may be short, but is not empty if
        there is a set at all.

    Raises
    ------
    GraphError : a node is unknown, or in both `x` and `y`.
    """
    treatments, outcomes, _ = disjoint(graph, x=x, y=y, given=())
    largest = largest_front_door_set(graph, treatments, outcomes, measured=measured)
    if largest is None:
        return []
    pool = graph.ordered(largest)
    candidates = (frozenset(chosen) for size in range(len(pool) + 1) for chosen in combinations(pool, size))
    found: list[frozenset[str]] = []
    for chosen in islice(candidates, tries):
        if not any(smaller <= chosen for smaller in found) and not check_front_door(
            graph, treatments, outcomes, chosen
        ):
            found.append(chosen)
            if len(found) == limit:
                break
    return found or [largest]


def front_door(graph: Graph, x: Nodes, y: Nodes, z: Nodes) -> Estimand:
    """P(y | do(x)) through the mediators `z`, whether or not that is valid.

    Raises
    ------
    GraphError : a node is unknown, or in two of the three sets.
    """
    treatments, outcomes, members = (graph.ordered(nodes) for nodes in disjoint(graph, x=x, y=y, given=z))
    # Inside this sum the treatments stand for all their values, not for the one that is set.
    inner = sum_over(
        treatments, product([Probability(outcomes, graph.ordered((*treatments, *members))), Probability(treatments)])
    )
    return Estimand(outcomes, treatments, (), sum_over(members, product([Probability(members, treatments), inner])))


def _directed_path(graph: Graph, x: frozenset[str], y: frozenset[str], without: frozenset[str]) -> tuple[str, ...]:
    """A directed path from `x` to `y` that avoids `without`, or an empty one."""
    came: dict[str, str | None] = dict.fromkeys(graph.ordered(x))
    ahead = list(came)
    for node in ahead:
        if node in y:
            path = [node]
            while (before := came[path[-1]]) is not None:
                path.append(before)
            return tuple(reversed(path))
        for child in graph.ordered(graph.children(node) - without - came.keys()):
            came[child] = node
            ahead.append(child)
    return ()
