"""What would help where a graph does not identify an effect: what to measure, what to assume, or what is left.

References
----------
Shpitser and Pearl (2006), AAAI: an effect is identifiable if and only if there is no hedge, so what helps breaks every
hedge, and only its unmeasured causes need be looked at.
Balke and Pearl (1997), Bounds on treatment effects from studies with imperfect compliance, JASA 92.
Manski (1990), Nonparametric bounds on treatment effects, Am. Econ. Rev. 80.
"""

from dataclasses import dataclass
from itertools import combinations, islice

from leucippus.graphs.dag import Edge, Graph
from leucippus.graphs.estimand import Estimand
from leucippus.graphs.identification import Identified, NotIdentified, identify
from leucippus.graphs.instruments import Instrument, instruments

_TRIES = 300
"""How many sets of common causes to try; each is one run of ID."""


@dataclass(frozen=True)
class MeasureCauses:
    """Measuring what these pairs have in common identifies the effect, by `estimand`."""

    pairs: tuple[Edge, ...]
    estimand: Estimand

    def text(self) -> str:
        """One sentence."""
        causes = " and ".join(f"the common cause of {a} and {b}" for a, b in self.pairs)
        return f"measure {causes}: then {self.estimand.text()}"


@dataclass(frozen=True)
class UseInstrument:
    """The graph holds an instrument: the effect is identified where it is linear, and bounded otherwise."""

    instrument: Instrument

    def text(self) -> str:
        """One sentence."""
        return f"use {self.instrument.text()} as an instrument, if the effect is linear or goes one way for everyone"


@dataclass(frozen=True)
class FindInstrument:
    """The graph holds no instrument; a new one would do."""

    treatment: str
    outcome: str

    def text(self) -> str:
        """One sentence."""
        return (
            f"find an instrument for {self.treatment}: something that moves it, shares no cause with {self.outcome}, and "
            f"moves {self.outcome} in no other way"
        )


@dataclass(frozen=True)
class BoundsOnly:
    """With the nodes present there is no instrument either: the data bound the effect and do not fix it."""

    def text(self) -> str:
        """One sentence."""
        return "with what is measured now, the data give bounds for the effect and no more"


Remedy = MeasureCauses | UseInstrument | FindInstrument | BoundsOnly


def remedies(graph: Graph, effect: NotIdentified, *, limit: int = 5) -> list[Remedy]:
    """What would help with an effect that `identify` found unidentifiable in `graph`, each checked.

    The fewest causes to measure come first, up to `limit` sets of them; then instruments; or, where the graph holds none,
    that one would help, and that only bounds are left.

    Raises
    ------
    GraphError : `effect` is about nodes that are not in `graph`.
    """
    found: list[Remedy] = list(_causes_to_measure(graph, effect, limit))
    if len(effect.do) == len(effect.outcome) == 1 and not effect.given:
        found.extend(UseInstrument(one) for one in instruments(graph, effect.do[0], effect.outcome[0]))
        if not isinstance(found[-1] if found else None, UseInstrument):
            found.append(FindInstrument(effect.do[0], effect.outcome[0]))
    if not any(isinstance(remedy, UseInstrument) for remedy in found):
        found.append(BoundsOnly())
    return found


def measured_cause(graph: Graph, pairs: tuple[Edge, ...]) -> Graph:
    """The graph in which the unmeasured common cause of each pair is a node: U(a, b)."""
    causes = {pair: _new_name(graph, pair) for pair in pairs}
    known = {frozenset(pair) for pair in pairs}
    return Graph(
        (*graph.nodes, *causes.values()),
        graph.directed + tuple((cause, node) for pair, cause in causes.items() for node in pair),
        tuple(pair for pair in graph.bidirected if frozenset(pair) not in known),
    )


def _causes_to_measure(graph: Graph, effect: NotIdentified, limit: int) -> list[MeasureCauses]:
    """Smallest sets that do. Every hedge has to lose an edge, so each set holds one of those of the hedge at hand."""
    first = set(effect.hedge.forest.bidirected)
    choices = (
        pairs
        for size in range(1, len(graph.bidirected) + 1)
        for pairs in combinations(graph.bidirected, size)
        if first.intersection(pairs)
    )
    found: list[MeasureCauses] = []
    for pairs in islice(choices, _TRIES):
        if found and (len(pairs) > len(found[0].pairs) or len(found) == limit):
            break
        answer = identify(measured_cause(graph, pairs), effect.do, effect.outcome, effect.given)
        if isinstance(answer, Identified):
            found.append(MeasureCauses(pairs, answer.estimand))
    return found


def _new_name(graph: Graph, pair: Edge) -> str:
    name = f"U({pair[0]}, {pair[1]})"
    while name in graph.nodes:
        name = "U" + name
    return name
