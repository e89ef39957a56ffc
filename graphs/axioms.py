"""Axioms of causal reasoning as questions about a graph, and their answers.

A question names an axiom and the nodes it is about; whether it holds is computed from the graph by the same code that
identifies effects, never by whatever put the question into words.

References
----------
Vashishtha et al. (2025), Teaching transformers causal reasoning through axiomatic training: transitivity, d-separation.
Galles and Pearl (1997), Axioms of causal relevance, Artif. Intell. 97: causal irrelevance, definition 8.
Pearl (2009), Causality, 2nd ed.: back-door criterion, definition 3.3.1; d-separation, definition 1.2.3.
Shpitser, VanderWeele and Robins (2010), On the validity of covariate adjustment, UAI: adjustment criterion.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from leucippus.errors import GraphError, InputError
from leucippus.graphs.adjustment import check_adjustment
from leucippus.graphs.dag import Graph
from leucippus.graphs.separation import d_separated


class Axiom(StrEnum):
    """What is asked of `x`, `y` and the set `given`."""

    TRANSITIVITY = "transitivity"
    """x causes y, through others or not."""
    D_SEPARATION = "d-separation"
    """x and y are d-separated given the set."""
    INTERVENTION = "intervention"
    """Setting x changes y, while the set is held fixed by intervention too."""
    IRRELEVANCE = "irrelevance"
    """Setting x leaves y as it is, while the set is held fixed by intervention."""
    COLLIDER = "collider"
    """The one node of the set is a child of both x and y."""
    CONFOUNDER = "confounder"
    """The one node of the set causes x by a path without y, and y by a path without x."""
    BACK_DOOR = "back-door"
    """The set meets the back-door criterion for the effect of x on y."""
    ADJUSTMENT = "adjustment"
    """The set is valid for adjustment, by the complete criterion, for the effect of x on y."""


SINGLE = frozenset({Axiom.COLLIDER, Axiom.CONFOUNDER})
"""Ask about exactly one node besides x and y."""
UNCONDITIONAL = frozenset({Axiom.TRANSITIVITY})
"""Ask about no node besides x and y."""


@dataclass(frozen=True)
class Question:
    """What is asked of a graph."""

    axiom: Axiom
    x: str
    y: str
    given: tuple[str, ...] = ()


def axioms_named(names: Iterable[str]) -> tuple[Axiom, ...]:
    """Axioms by their names.

    Raises
    ------
    InputError : there is no axiom of such a name, or none was named.
    """
    asked = tuple(names)
    for name in asked:
        if name not in set(Axiom):
            raise InputError(f"There is no axiom {name!r}.", expected=f"one of {', '.join(Axiom)}")
    if not asked:
        raise InputError("No axiom was named.", expected=f"some of {', '.join(Axiom)}")
    return tuple(Axiom(name) for name in asked)


def holds(graph: Graph, question: Question) -> bool:
    """Whether what is asked is so.

    Raises
    ------
    GraphError : a node is unknown or named twice, or the set has a size that the axiom does not ask about.
    """
    axiom, x, y, given = question.axiom, question.x, question.y, question.given
    graph.select((x, y, *given))
    if len({x, y, *given}) < 2 + len(given):
        raise GraphError(f"{axiom}: a node is named twice among {x}, {y}, {', '.join(given)}", expected="other nodes")
    if (axiom in SINGLE and len(given) != 1) or (axiom in UNCONDITIONAL and given):
        wanted = "one further node" if axiom in SINGLE else "no further node"
        raise GraphError(f"{axiom} was asked about {len(given)} further nodes", expected=wanted)
    match axiom:
        case Axiom.TRANSITIVITY:
            return y in graph.descendants(x)
        case Axiom.INTERVENTION:
            return y in graph.without_incoming(given).descendants(x)
        case Axiom.IRRELEVANCE:
            return y not in graph.without_incoming(given).descendants(x)
        case Axiom.D_SEPARATION:
            return d_separated(graph, x, y, given)
        case Axiom.COLLIDER:
            return given[0] in graph.children(x) & graph.children(y)
        case Axiom.CONFOUNDER:
            return all(end in graph.without_incoming(avoided).descendants(given) for end, avoided in ((x, y), (y, x)))
        case Axiom.BACK_DOOR:
            apart = d_separated(graph.without_outgoing(x), x, y, given)
            return apart and graph.descendants(x).isdisjoint(given)
        case Axiom.ADJUSTMENT:
            return check_adjustment(graph, x, y, given).valid
