from itertools import combinations

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leucippus.errors import GraphError
from leucippus.graphs.dag import Graph
from leucippus.graphs.reading import read_graph
from leucippus.graphs.separation import Path, d_separated, minimal_separators, open_path
from tests.graphs.models import graphs, queries


def _subsets(nodes: frozenset[str]) -> list[frozenset[str]]:
    return [frozenset(some) for size in range(len(nodes) + 1) for some in combinations(sorted(nodes), size)]


def _is_open(graph: Graph, path: Path, fixed: frozenset[str]) -> bool:
    """By the definition, edge by edge."""
    there = {"->": graph.directed, "<-": [edge[::-1] for edge in graph.directed]}
    there["<->"] = [*graph.bidirected, *(edge[::-1] for edge in graph.bidirected)]
    inner = frozenset(path.nodes[1:-1])
    return (
        all((a, b) in there[mark] for a, b, mark in zip(path.nodes[:-1], path.nodes[1:], path.edges, strict=True))
        and len(set(path.nodes)) == len(path.nodes)
        and frozenset(path.colliders) <= graph.ancestors(fixed)
        and fixed.isdisjoint(inner - frozenset(path.colliders))
    )


KNOWN = [
    ("X -> M -> Y", "", "X -> M -> Y"),
    ("X -> M -> Y", "M", None),
    ("X <- M -> Y", "M", None),
    ("X -> M <- Y", "", None),
    ("X -> M <- Y", "M", "X -> M <- Y"),
    ("X -> M <- Y; M -> D", "D", "X -> M <- Y"),
    ("X <-> M <-> Y", "", None),
    ("X <-> M <-> Y", "M", "X <-> M <-> Y"),
    ("X <-> Y", "", "X <-> Y"),
    ("A -> X; A -> M; B -> M; B -> Y", "M", "X <- A -> M <- B -> Y"),
    ("A -> X; A -> M; B -> M; B -> Y", "M A", None),
]


@pytest.mark.parametrize(("edges", "fixed", "path"), KNOWN, ids=[f"{row[0]} given {row[1]}" for row in KNOWN])
def test_an_open_path_is_shown(edges: str, fixed: str, path: str | None) -> None:
    found = open_path(read_graph(edges), "X", "Y", fixed.split())
    assert (found.text() if found else None) == path


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_separation_is_networkx_separation_with_hidden_nodes_for_bidirected_edges(data: st.DataObject) -> None:
    graph = data.draw(graphs(most=6))
    x, y, z = data.draw(queries(graph))
    canonical: nx.DiGraph[str] = nx.DiGraph(graph.directed)
    canonical.add_nodes_from(graph.nodes)
    canonical.add_edges_from((f"{a} and {b}", node) for a, b in graph.bidirected for node in (a, b))
    assert d_separated(graph, x, y, z) == nx.is_d_separator(canonical, set(x), set(y), set(z))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_separation_is_symmetric_and_its_witness_is_open(data: st.DataObject) -> None:
    graph = data.draw(graphs(most=6))
    x, y, z = data.draw(queries(graph))
    path = open_path(graph, x, y, z)
    assert d_separated(graph, y, x, z) == (path is None)
    if path:
        assert path.nodes[0] in x and path.nodes[-1] in y and _is_open(graph, path, z)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_minimal_separators_are_all_there_are(data: st.DataObject) -> None:
    graph = data.draw(graphs(least=3, most=6))
    x, y, allowed = data.draw(queries(graph))
    separating = [some for some in _subsets(allowed) if d_separated(graph, x, y, some)]
    minimal = {some for some in separating if not any(other < some for other in separating)}
    found = list(minimal_separators(graph, x, y, allowed))
    assert len(found) == len(set(found)) and set(found) == minimal


def test_the_first_separator_is_the_nearest_to_the_second_side() -> None:
    graph = read_graph("X -> A -> B -> C -> Y")
    assert next(minimal_separators(graph, "X", "Y")) == {"C"}
    assert next(minimal_separators(graph, "X", "Y", ["A", "B"])) == {"B"}
    assert list(minimal_separators(read_graph("X -> Y"), "X", "Y")) == []


def test_separators_come_one_by_one_where_there_are_too_many_to_wait_for() -> None:
    # Two choices on each of 60 paths.
    graph = read_graph(";".join(f"X <- A{i} -> B{i} -> Y" for i in range(60)))
    found = minimal_separators(graph, "X", "Y")
    assert len({next(found) for _ in range(50)}) == 50


def test_sets_that_overlap_are_refused() -> None:
    graph = read_graph("X -> M -> Y")
    for x, y, z in (("X", "X", ""), ("X", "Y", "Y"), ("X", "Y", "X")):
        with pytest.raises(GraphError, match="in two of the sets"):
            d_separated(graph, x, y, z.split())
    assert d_separated(graph, [], "Y") and d_separated(graph, "X", [])
