"""What an axiom says of a graph, against the definitions followed path by path, and against networkx."""

from itertools import pairwise

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leucippus.errors import GraphError, InputError
from leucippus.graphs.axioms import SINGLE, UNCONDITIONAL, Axiom, Question, axioms_named, holds
from leucippus.graphs.dag import Graph
from leucippus.graphs.reading import read_graph
from tests.graphs.models import graphs


@st.composite
def asked(draw: st.DrawFn, axiom: Axiom, most: int = 6) -> tuple[Graph, Question]:
    """A graph without hidden causes, and a question of the axiom about it."""
    graph = draw(graphs(least=3, most=most, bidirected=False))
    x, y, *others = draw(st.permutations(graph.nodes))
    fewest = 1 if axiom in SINGLE else 0
    size = draw(st.integers(fewest, 0 if axiom in UNCONDITIONAL else 1 if axiom in SINGLE else len(others)))
    return graph, Question(axiom, x, y, tuple(others[:size]))


def digraph(graph: Graph) -> nx.DiGraph:
    made = nx.DiGraph()
    made.add_nodes_from(graph.nodes)
    made.add_edges_from(graph.directed)
    return made


def directed_path(graph: nx.DiGraph, start: str, end: str, avoided: tuple[str, ...]) -> bool:
    return any(not set(path[1:]) & set(avoided) for path in nx.all_simple_paths(graph, start, end))


def open_behind(graph: nx.DiGraph, x: str, y: str, given_nodes: tuple[str, ...]) -> bool:
    """Whether a path into x is open, by the definition."""
    opened = set(given_nodes).union(*(nx.ancestors(graph, node) for node in given_nodes))
    for path in nx.all_simple_paths(graph.to_undirected(), x, y):
        if not graph.has_edge(path[1], x):
            continue
        for before, node, after in zip(path, path[1:], path[2:], strict=False):
            collider = graph.has_edge(before, node) and graph.has_edge(after, node)
            if node not in opened if collider else node in given_nodes:
                break
        else:
            return True
    return False


@given(asked(Axiom.TRANSITIVITY))
def test_causing_is_transitive(case: tuple[Graph, Question]) -> None:
    graph, question = case
    assert holds(graph, question) == nx.has_path(digraph(graph), question.x, question.y)


@given(asked(Axiom.D_SEPARATION))
def test_d_separation(case: tuple[Graph, Question]) -> None:
    graph, question = case
    apart = nx.is_d_separator(digraph(graph), {question.x}, {question.y}, set(question.given))
    assert holds(graph, question) == apart


@given(asked(Axiom.INTERVENTION))
def test_what_is_set_changes_what_is_not_held_fast(case: tuple[Graph, Question]) -> None:
    graph, question = case
    changes = directed_path(digraph(graph), question.x, question.y, question.given)
    assert holds(graph, question) == changes
    other = Question(Axiom.IRRELEVANCE, question.x, question.y, question.given)
    assert holds(graph, other) != changes


@given(asked(Axiom.COLLIDER))
def test_a_collider_is_a_child_of_both(case: tuple[Graph, Question]) -> None:
    graph, question = case
    node = question.given[0]
    assert holds(graph, question) == ({(question.x, node), (question.y, node)} <= set(graph.directed))


@given(asked(Axiom.CONFOUNDER))
def test_a_confounder_causes_each_without_the_other(case: tuple[Graph, Question]) -> None:
    graph, question = case
    whole, (node,) = digraph(graph), question.given
    assert holds(graph, question) == (
        directed_path(whole, node, question.x, (question.y,)) and directed_path(whole, node, question.y, (question.x,))
    )


@given(asked(Axiom.BACK_DOOR))
def test_the_back_door_criterion(case: tuple[Graph, Question]) -> None:
    graph, question = case
    whole = digraph(graph)
    closed = not open_behind(whole, question.x, question.y, question.given)
    assert holds(graph, question) == (closed and not nx.descendants(whole, question.x) & set(question.given))


@given(asked(Axiom.ADJUSTMENT))
def test_what_meets_the_back_door_criterion_is_valid_for_adjustment(case: tuple[Graph, Question]) -> None:
    graph, question = case
    if holds(graph, Question(Axiom.BACK_DOOR, question.x, question.y, question.given)):
        assert holds(graph, question)
    causal = {
        node
        for path in nx.all_simple_paths(digraph(graph), question.x, question.y)
        for before, node in pairwise(path)
        if before
    }
    forbidden = causal.union(*(nx.descendants(digraph(graph), node) for node in causal))
    if forbidden & set(question.given):
        assert not holds(graph, question)


KNOWN = [
    ("X -> Y; X -> D", Axiom.ADJUSTMENT, "X", "Y", "D", True),  # a descendant of x off the path does no harm
    ("X -> Y; X -> D", Axiom.BACK_DOOR, "X", "Y", "D", False),
    ("X -> M -> Y", Axiom.ADJUSTMENT, "X", "Y", "M", False),
    ("A -> X; A -> M <- B; B -> Y; X -> Y", Axiom.BACK_DOOR, "X", "Y", "M", False),  # the M graph
    ("A -> X; A -> M <- B; B -> Y; X -> Y", Axiom.BACK_DOOR, "X", "Y", "", True),
    ("A -> X; A -> M <- B; B -> Y; X -> Y", Axiom.BACK_DOOR, "X", "Y", "MA", True),
    ("C -> X; C -> M -> Y; X -> Y", Axiom.CONFOUNDER, "X", "Y", "C", True),
    ("C -> X -> Y", Axiom.CONFOUNDER, "X", "Y", "C", False),  # an instrument
    ("X -> M -> Y", Axiom.INTERVENTION, "X", "Y", "M", False),
    ("X -> M -> C; Y -> C", Axiom.COLLIDER, "X", "Y", "C", False),  # not a child of x
]


@pytest.mark.parametrize(("text", "axiom", "x", "y", "given_nodes", "answer"), KNOWN)
def test_known_answers(text: str, axiom: Axiom, x: str, y: str, given_nodes: str, answer: bool) -> None:
    assert holds(read_graph(text), Question(axiom, x, y, tuple(given_nodes))) is answer


@pytest.mark.parametrize(
    ("question", "message"),
    [
        (Question(Axiom.TRANSITIVITY, "X", "X"), "twice"),
        (Question(Axiom.TRANSITIVITY, "X", "Y", ("M",)), "further"),
        (Question(Axiom.COLLIDER, "X", "Y"), "further"),
        (Question(Axiom.CONFOUNDER, "X", "Y", ("M", "N")), "N"),
        (Question(Axiom.D_SEPARATION, "X", "Y", ("Y",)), "twice"),
        (Question(Axiom.BACK_DOOR, "X", "Z"), "Z"),
    ],
)
def test_what_cannot_be_asked(question: Question, message: str) -> None:
    with pytest.raises(GraphError, match=message):
        holds(read_graph("X -> M -> Y"), question)


def test_axioms_have_names() -> None:
    assert axioms_named(["back-door", "transitivity"]) == (Axiom.BACK_DOOR, Axiom.TRANSITIVITY)
    with pytest.raises(InputError, match="gravity"):
        axioms_named(["transitivity", "gravity"])
    with pytest.raises(InputError, match="No axiom"):
        axioms_named([])
