"""Everything a graph says about one effect: whether it is identified, by which formulas, or why not and what would help."""

from dataclasses import dataclass

from leucippus.graphs.adjustment import minimal_adjustment_sets, optimal_adjustment_set
from leucippus.graphs.dag import Graph, Nodes
from leucippus.graphs.estimand import Estimand
from leucippus.graphs.front_door import minimal_front_door_sets
from leucippus.graphs.hedge import Hedge
from leucippus.graphs.identification import Identified, NotIdentified, identify
from leucippus.graphs.instruments import Instrument, instruments
from leucippus.graphs.remedies import Remedy, remedies

Nodeset = tuple[str, ...]


@dataclass(frozen=True)
class Findings:
    """What `examine` found."""

    estimand: Estimand | None
    """The effect as a formula of what is observed, or None where no formula exists."""
    hedge: Hedge | None
    """The proof that there is none."""
    remedies: tuple[Remedy, ...]
    """What would identify it; empty where it is identified."""
    adjustment_sets: tuple[Nodeset, ...]
    """Minimal back-door sets, small ones first."""
    optimal_set: Nodeset | None
    """The back-door set with the smallest asymptotic variance, where one exists."""
    front_door_sets: tuple[Nodeset, ...]
    instruments: tuple[Instrument, ...]


def examine(graph: Graph, x: Nodes, y: Nodes, given: Nodes = (), *, limit: int = 10) -> Findings:
    """What `graph` says about P(y | do(x), given).

    Parameters
    ----------
    limit : how many sets to list of each kind.

    Raises
    ------
    GraphError : a node is unknown, or in two of the three sets.
    """
    effect = identify(graph, x, y, given)
    plain = not graph.select(given)
    single = len(graph.select(x)) == len(graph.select(y)) == 1
    sets = minimal_adjustment_sets(graph, x, y)[:limit] if plain else []
    best = optimal_adjustment_set(graph, x, y) if plain and single else None
    doors = minimal_front_door_sets(graph, x, y, limit=limit) if plain else []
    found = instruments(graph, *graph.select(x), *graph.select(y))[:limit] if plain and single else []
    return Findings(
        effect.estimand if isinstance(effect, Identified) else None,
        effect.hedge if isinstance(effect, NotIdentified) else None,
        tuple(remedies(graph, effect)) if isinstance(effect, NotIdentified) else (),
        tuple(map(graph.ordered, sets)),
        None if best is None else graph.ordered(best),
        tuple(map(graph.ordered, doors)),
        tuple(found),
    )
