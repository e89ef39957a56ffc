"""Instruments: nodes that move the treatment and reach the outcome through it alone, given some covariates.

An instrument fixes the effect where it is linear; otherwise it bounds it, or gives the effect on those it moves
(monotonicity). That is why identification.py, which assumes neither, cannot use one.

References
----------
Brito and Pearl (2002), Generalized instrumental variables, UAI: the criterion.
van der Zander, Textor and Liskiewicz (2015), Efficiently finding conditional instruments for causal inference, IJCAI:
if there is a conditional instrument, there is one whose covariates are the separator nearest the outcome.
"""

from dataclasses import dataclass
from itertools import islice

from leucippus.errors import GraphError
from leucippus.graphs.adjustment import causal_nodes, proper_back_door_graph
from leucippus.graphs.dag import Graph, Nodes
from leucippus.graphs.separation import d_separated, minimal_separators

_SEPARATORS = 8
"""How many covariate sets to try for one candidate; the nearest to the outcome come first."""


@dataclass(frozen=True)
class Instrument:
    """`node` is an instrument given the covariates `given`."""

    node: str
    given: tuple[str, ...]

    def text(self) -> str:
        """As `Z given W, V`."""
        return f"{self.node} given {', '.join(self.given)}" if self.given else self.node


def is_instrument(graph: Graph, x: str, y: str, instrument: str, given: Nodes = ()) -> bool:
    """Whether `instrument` is one for the total effect of `x` on `y`, given `given`.

    Raises
    ------
    GraphError : a node is unknown or named twice.
    """
    fixed = graph.select(given)
    if len({x, y, instrument, *fixed}) < 3 + len(fixed):
        raise GraphError("a node is named twice", expected="treatment, outcome, instrument and covariates, all apart")
    # In a linear model the back-door graph's Y is Y less the effect of X, and nothing else changes but effects of
    # the nodes on causal paths. With Y the only such node this is van der Zander, Textor and Liskiewicz's criterion.
    changed = graph.descendants(causal_nodes(graph, x, y))
    return (
        instrument not in changed
        and fixed.isdisjoint(changed)
        and not d_separated(graph, instrument, x, fixed)
        and d_separated(proper_back_door_graph(graph, x, y), instrument, y, fixed)
    )


def instruments(graph: Graph, x: str, y: str, *, measured: Nodes | None = None) -> list[Instrument]:
    """The instruments for the effect of `x` on `y`, each with one set of covariates: the smallest of those tried.

    If the graph has an instrument at all, one is found. Not listed are nodes that move the treatment only because a
    covariate that is not needed otherwise opens a path to it: finding all of those is NP-hard.

    Parameters
    ----------
    measured : where instruments and covariates may come from; all nodes if None.

    Raises
    ------
    GraphError : a node is unknown, or `x` is `y`.
    """
    cut = proper_back_door_graph(graph, x, y)
    allowed = frozenset(graph.nodes) if measured is None else graph.select(measured)
    usable = allowed - {x, y} - graph.descendants(causal_nodes(graph, x, y))
    found = []
    for node in graph.ordered(usable):
        # The treatment may not be a covariate: given it, nothing else moves it.
        sets = islice(minimal_separators(cut, node, y, usable - {node}), _SEPARATORS)
        valid = [graph.ordered(given) for given in sets if not d_separated(graph, node, x, given)]
        if valid:
            found.append(Instrument(node, min(valid, key=len)))
    return found
