"""What a causal graph proposes for the effect that is asked about: adjustment, instruments, a front door."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from leucippus.agents.designs.registry import parse_design
from leucippus.agents.inquiry.case import Case
from leucippus.agents.inquiry.propose import Candidate, as_controls, parts_of, shared_fields
from leucippus.errors import DesignError
from leucippus.graphs.dag import Graph
from leucippus.graphs.findings import examine

WEIGHT = 0.9
"""A graph somebody drew says more than words from which one is guessed; the data still dispose."""


def propose_from_graph(case: Case, graph: Graph) -> Iterator[Candidate]:
    """One candidate for each way in which the graph identifies the effect; none where it lacks one of the two columns."""
    parts = parts_of(case)
    if parts.treatment not in graph.nodes or parts.outcome not in graph.nodes:
        return
    found = examine(graph, [parts.treatment], [parts.outcome])
    known = set(case.by_name)
    ways: list[tuple[float, str, dict[str, Any], str]] = []
    sets = ([found.optimal_set] if found.optimal_set is not None else []) + list(found.adjustment_sets)
    usable = [list(one) for one in sets if set(one) <= known]
    if usable:
        ways.append((1.0, "backdoor", {"controls": as_controls(case, usable[0])}, "closes every back-door path"))
    for instrument in found.instruments[:1]:
        if {instrument.node, *instrument.given} <= known:
            fields = {"instrument": [instrument.node], "controls": as_controls(case, list(instrument.given))}
            ways.append((0.6, "iv", fields, f"has {instrument.node} as an instrument"))
    for door in found.front_door_sets[:1]:
        if set(door) <= known:
            ways.append((0.5, "frontdoor", {"mediator": list(door)}, "has a front door"))
    for share, strategy, fields, why in ways:
        try:
            design = parse_design({**shared_fields(case, parts), "after_treatment": [], **fields, "strategy": strategy})
        except DesignError:
            continue
        yield Candidate(design, WEIGHT * share, ("graph",), f"the causal graph {why}")
