import pickle
from itertools import pairwise

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leucippus.errors import GraphError
from leucippus.graphs.dag import Graph
from leucippus.graphs.reading import read_graph
from leucippus.graphs.separation import d_separated
from tests.graphs.models import graphs, queries


def _directed(graph: Graph) -> "nx.DiGraph[str]":
    drawn: nx.DiGraph[str] = nx.DiGraph(graph.directed)
    drawn.add_nodes_from(graph.nodes)
    return drawn


def test_equal_graphs_are_equal_however_their_edges_are_given() -> None:
    one = Graph(("A", "B", "C"), (("A", "B"), ("B", "C"), ("A", "B")), (("C", "A"),))
    two = Graph(("A", "B", "C"), (("B", "C"), ("A", "B")), (("A", "C"), ("C", "A")))
    assert one == two and hash(one) == hash(two) and pickle.loads(pickle.dumps(one)) == one


def test_relatives_are_found() -> None:
    graph = read_graph("A -> B -> C; D -> C; B <-> D; E")
    assert graph.parents("C") == {"B", "D"} and graph.children(["A", "D"]) == {"B", "C"}
    assert graph.siblings("D") == {"B"}
    assert graph.ancestors("C") == {"A", "B", "C", "D"} and graph.descendants("B") == {"B", "C"}
    assert graph.districts == (frozenset("A"), frozenset("BD"), frozenset("C"), frozenset("E"))
    assert graph.ordered({"E", "A", "D"}) == ("A", "D", "E")


def test_a_lone_string_is_one_node() -> None:
    assert read_graph("in -> out; i; n").parents("in") == frozenset()
    assert read_graph("in -> out; i; n").ancestors("out") == {"in", "out"}


def test_arrows_are_cut_on_either_side() -> None:
    graph = read_graph("A -> X -> B; X <-> B; A <-> B")
    assert graph.without_incoming("X") == read_graph("A; X -> B; A <-> B")
    assert graph.without_outgoing("X") == read_graph("A -> X; B <-> X; A <-> B")
    assert graph.subgraph(["A", "B"]) == read_graph("A; B; A <-> B")


PROJECTIONS = [
    ("U -> X; U -> Y; X -> Y", "U", "X -> Y; X <-> Y"),
    ("X -> U -> Y", "U", "X -> Y"),
    ("X -> U; U <-> Y", "U", "X; Y"),
    ("U <-> X; U -> Y", "U", "X; Y; X <-> Y"),
    ("U -> V; V -> X; U -> Y", "U V", "X; Y; X <-> Y"),
    ("X -> U <- Y", "U", "X; Y"),
    ("A -> U; U -> X; U -> Y", "U", "A; X; Y; A -> X; A -> Y; X <-> Y"),
]


@pytest.mark.parametrize(("edges", "latent", "left"), PROJECTIONS, ids=[row[0] for row in PROJECTIONS])
def test_latent_nodes_leave_edges_behind(edges: str, latent: str, left: str) -> None:
    assert read_graph(edges).latent_projection(latent.split()) == read_graph(left)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_projection_keeps_ancestry_and_separation(data: st.DataObject) -> None:
    graph = data.draw(graphs(least=3, most=6))
    latent = frozenset(data.draw(st.lists(st.sampled_from(graph.nodes), max_size=len(graph.nodes) - 2, unique=True)))
    left = graph.latent_projection(latent)
    x, y, z = data.draw(queries(left))
    assert d_separated(left, x, y, z) == d_separated(graph, x, y, z)
    assert left.ancestors(y) == graph.ancestors(y) - latent


@given(graphs(most=7))
def test_relatives_agree_with_networkx(graph: Graph) -> None:
    drawn = _directed(graph)
    place = {node: i for i, node in enumerate(graph.topological_order)}
    assert sorted(place) == sorted(graph.nodes) and all(place[a] < place[b] for a, b in graph.directed)
    for node in graph.nodes:
        assert graph.ancestors(node) == nx.ancestors(drawn, node) | {node}
        assert graph.descendants(node) == nx.descendants(drawn, node) | {node}


@pytest.mark.parametrize(
    ("directed", "named"),
    [
        ((("A", "B"), ("B", "A")), "A -> B -> A"),
        ((("D", "C"), ("C", "B"), ("B", "C"), ("A", "B")), "B -> C -> B"),
        ((("A", "B"), ("B", "C"), ("C", "D"), ("D", "A")), "A -> B -> C -> D -> A"),
    ],
)
def test_a_cycle_is_refused_by_name(directed: tuple[tuple[str, str], ...], named: str) -> None:
    with pytest.raises(GraphError) as met:
        Graph(tuple("ABCD"), directed)
    cycle = met.value.problem.removeprefix("the graph has a cycle: ").split(" -> ")
    expected = named.split(" -> ")
    assert cycle[0] == cycle[-1] and sorted(cycle[1:]) == sorted(expected[1:])
    assert all(edge in directed for edge in pairwise(cycle))


def test_an_unknown_node_is_refused_with_what_may_be_meant() -> None:
    graph = read_graph("Smoking -> Cancer")
    with pytest.raises(GraphError) as met:
        graph.parents("smoknig")
    assert met.value.problem == "the graph has no node 'smoknig'" and met.value.next_step == "Did you mean 'Smoking'?"
    with pytest.raises(GraphError, match="no node 'Z'"):
        Graph(("X",), (("X", "Z"),))


def test_a_self_loop_and_a_repeated_name_are_refused() -> None:
    with pytest.raises(GraphError, match="'A' to itself"):
        Graph(("A",), (("A", "A"),))
    with pytest.raises(GraphError, match="'A' to itself"):
        Graph(("A",), (), (("A", "A"),))
    with pytest.raises(GraphError, match="'A' is named twice"):
        Graph(("A", "B", "A"))


def test_an_error_survives_pickling() -> None:
    with pytest.raises(GraphError) as met:
        read_graph("A -> A")
    assert str(pickle.loads(pickle.dumps(met.value))) == str(met.value)
