"""Agreement with y0 (BSD-3), another implementation of ID and IDC, on thousands of random graphs."""

import random

import networkx as nx
import pytest

from leucippus.graphs.dag import Graph
from leucippus.graphs.hedge import is_hedge
from leucippus.graphs.identification import Identified, identify
from tests.graphs.models import random_graph

pytest.importorskip("y0")

from y0.algorithm.identify import identify_outcomes  # pyright: ignore[reportMissingImports]
from y0.dsl import Variable  # pyright: ignore[reportMissingImports]
from y0.graph import NxMixedGraph  # pyright: ignore[reportMissingImports]

QUERIES = 2_500


def _theirs(graph: Graph, x: list[str], y: list[str], z: list[str]) -> bool:
    drawn = NxMixedGraph.from_edges(
        nodes=[Variable(node) for node in graph.nodes],
        directed=[(Variable(a), Variable(b)) for a, b in graph.directed],
        undirected=[(Variable(a), Variable(b)) for a, b in graph.bidirected],
    )
    treatments, outcomes, conditions = ({Variable(name) for name in side} for side in (x, y, z))
    return identify_outcomes(drawn, treatments, outcomes, conditions or None) is not None


@pytest.mark.parametrize("conditions", [0, 1], ids=["ID", "IDC"])
def test_y0_finds_the_same_effects_identifiable(conditions: int) -> None:
    chance, compared, identified = random.Random(conditions), 0, 0
    for _ in range(QUERIES):
        graph = random_graph(chance, chance.randint(3, 7), chance.uniform(0.2, 0.7), chance.uniform(0.1, 0.4))
        drawn = chance.sample(graph.nodes, 2 + conditions + chance.randint(0, len(graph.nodes) - 3) * (1 - conditions))
        x, y, z = [drawn[0], *drawn[3:]], [drawn[1], *drawn[2:3]][: 2 - conditions], drawn[2:3] * conditions
        answer = identify(graph, x, y, z)
        try:
            theirs = _theirs(graph, x, y, z)
        except (nx.NetworkXError, KeyError):
            # y0 0.2 loses nodes that are left without edges when it cuts some.
            continue
        assert isinstance(answer, Identified) == theirs, (graph, x, y, z)
        compared += 1
        identified += theirs
        assert isinstance(answer, Identified) or is_hedge(graph, answer.hedge)
    assert compared >= 2_000 and 0.5 * compared < identified < 0.9 * compared
