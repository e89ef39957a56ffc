from dataclasses import replace

import pytest

from leucippus.graphs.dag import Graph
from leucippus.graphs.hedge import Hedge, is_c_forest, is_hedge
from leucippus.graphs.identification import NotIdentified, identify
from leucippus.graphs.reading import read_graph


def _hedge(edges: str, x: str = "X", y: str = "Y", given: str = "") -> tuple[Graph, Hedge]:
    graph = read_graph(edges)
    answer = identify(graph, x.split(), y.split(), given.split())
    assert isinstance(answer, NotIdentified)
    return graph, answer.hedge


def test_the_hedge_of_the_bow_is_the_bow() -> None:
    graph, hedge = _hedge("X -> Y; X <-> Y; A -> Y")
    assert hedge.forest == read_graph("X -> Y; X <-> Y") and hedge.inner == Graph(("Y",)) and hedge.roots == ("Y",)
    assert is_hedge(graph, hedge)
    assert hedge.text() == (
        "setting X cannot be told from the unmeasured causes X <-> Y: "
        "{Y} and {X, Y} are each held together by them and both lead to Y"
    )


@pytest.mark.parametrize(
    ("edges", "given"),
    [
        ("X -> M -> Y; X <-> M", ""),
        ("X -> Y; X -> M; M -> Y; X <-> M; M <-> Y; X <-> Y", ""),
        ("Z -> X -> Y; Z <-> X; X <-> Y; Z <-> Y", ""),
        ("X -> W -> Y; X <-> W; W <-> Y; X -> Y", "W"),
        ("X -> Y; X <-> Y; Z -> Y", "Z"),
    ],
)
def test_a_hedge_is_a_pair_of_c_forests(edges: str, given: str) -> None:
    graph, hedge = _hedge(edges, given=given)
    assert is_c_forest(hedge.forest, hedge.roots) and is_c_forest(hedge.inner, hedge.roots)
    assert is_hedge(graph, hedge)


def test_what_is_no_hedge_is_told_apart() -> None:
    graph, hedge = _hedge("X -> M -> Y; X <-> M; M <-> Y; X <-> Y")
    assert is_hedge(graph, hedge)
    # Without one of its unmeasured causes it is no district; without its treatments no treatment is in it.
    assert not is_hedge(graph, replace(hedge, forest=replace(hedge.forest, bidirected=())))
    assert not is_hedge(graph, replace(hedge, forest=hedge.inner))
    assert not is_hedge(graph, replace(hedge, inner=hedge.forest))
    assert not is_hedge(graph, replace(hedge, roots=("X",)))
    assert not is_hedge(replace(graph, bidirected=graph.bidirected[:1]), hedge)
    # The outcome has to be an effect of the roots.
    assert not is_hedge(read_graph("Y -> X; X -> M; X <-> M"), Hedge(*_bow("X", "M"), ("M",), ("X",), ("Y",)))


def _bow(x: str, y: str) -> tuple[Graph, Graph]:
    return read_graph(f"{x} -> {y}; {x} <-> {y}"), Graph((y,))


@pytest.mark.parametrize(
    ("edges", "roots", "expected"),
    [
        ("A -> B; A <-> B", "B", True),
        ("A; B; A <-> B", "A B", True),
        ("A -> B", "B", False),
        ("A -> B; A -> C; A <-> B; B <-> C", "B C", False),
        ("A -> C; B -> C; A <-> B; B <-> C; A <-> C", "C", False),
        ("A -> B; A <-> B", "A B", False),
    ],
    ids=["bow", "two roots", "two districts", "two children", "loop of unmeasured causes", "wrong roots"],
)
def test_a_c_forest_is_known_by_its_definition(edges: str, roots: str, expected: bool) -> None:
    assert is_c_forest(read_graph(edges), roots.split()) == expected
