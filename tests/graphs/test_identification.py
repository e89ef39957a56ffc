from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leucippus.errors import GraphError
from leucippus.graphs.examples import EXAMPLES, Example
from leucippus.graphs.hedge import is_hedge
from leucippus.graphs.identification import Identified, NotIdentified, identify
from leucippus.graphs.plug_in import evaluate
from leucippus.graphs.reading import read_graph
from tests.graphs.models import chances, graphs, model, queries


def _formula(edges: str, x: str, y: str, given: str = "") -> str:
    answer = identify(read_graph(edges), x.split(), y.split(), given.split())
    assert isinstance(answer, Identified)
    return answer.estimand.text()


@pytest.mark.parametrize("known", EXAMPLES, ids=lambda known: known.name)
def test_an_effect_is_identified_exactly_where_the_source_says_so(known: Example) -> None:
    answer = identify(known.graph, "X", "Y")
    assert isinstance(answer, Identified) == known.identified
    if isinstance(answer, NotIdentified):
        assert is_hedge(known.graph, answer.hedge)
    elif known.estimand:
        assert answer.estimand.text() == known.estimand


FORMULAS = [
    ("X -> Y", "", "Y", "", "P(Y) = P(Y)"),
    ("X -> Y", "", "Y", "X", "P(Y | X) = P(Y | X)"),
    ("X -> Y", "X", "Y", "", "P(Y | do(X)) = P(Y | X)"),
    ("X <- Y", "X", "Y", "", "P(Y | do(X)) = P(Y)"),
    ("X <-> Y", "X", "Y", "", "P(Y | do(X)) = P(Y)"),
    ("Z -> X -> Y; Z -> Y", "X", "Y", "Z", "P(Y | do(X), Z) = P(Y | Z, X)"),
    ("X -> Z <-> Y", "X", "Y", "Z", "P(Y | do(X), Z) = P(Y | X, Z)"),
    ("X1 -> Y; X2 -> Y; X1 -> X2", "X1 X2", "Y", "", "P(Y | do(X1, X2)) = P(Y | X1, X2)"),
]


@pytest.mark.parametrize(("edges", "x", "y", "z", "formula"), FORMULAS, ids=[f"{row[0]} {row[4]}" for row in FORMULAS])
def test_simple_effects_have_simple_formulas(edges: str, x: str, y: str, z: str, formula: str) -> None:
    assert _formula(edges, x, y, z) == formula


@settings(max_examples=400, deadline=None)
@given(st.data(), st.integers(0, 2**32))
def test_the_estimand_equals_the_truth_in_models_with_hidden_causes(data: st.DataObject, seed: int) -> None:
    graph = data.draw(graphs(most=5))
    x, y, z = data.draw(queries(graph))
    answer = identify(graph, x, y, z)
    if isinstance(answer, NotIdentified):
        assert is_hedge(graph, answer.hedge)
        assert set(answer.hedge.x) >= x and set(answer.hedge.y) >= y
        return
    seen = model(graph, seed)
    for values in product((0, 1), repeat=len(x | z)):
        at = dict(zip(sorted(x | z), values, strict=True))
        do, known = ({name: at[name] for name in side} for side in (x, z))
        truth = chances(model(graph, seed, do), answer.estimand.outcome, known)
        np.testing.assert_allclose(evaluate(answer.estimand, seen, do, known).probability, truth, atol=1e-9)


@pytest.mark.parametrize(
    "edges",
    [
        "W -> Z -> X -> Y; W <-> X; W <-> Y",
        "V -> W -> Z -> X -> Y; W <-> X; W <-> Y; V <-> Z",
        "W -> Z -> X -> Y; W <-> X; W <-> Y; X <-> T; T -> Z",
        "A -> B -> W -> Z -> X -> Y; A <-> W; A <-> X; A <-> Y; W <-> X; W <-> Y",
        "X -> A -> B -> Y; X <-> B; A <-> Y",
    ],
)
def test_nested_formulas_equal_the_truth(edges: str) -> None:
    graph = read_graph(edges)
    answer = identify(graph, "X", "Y")
    assert isinstance(answer, Identified)
    for seed, value in product(range(5), (0, 1)):
        truth = chances(model(graph, seed, {"X": value}), ("Y",))
        found = evaluate(answer.estimand, model(graph, seed), {"X": value})
        np.testing.assert_allclose(found.probability, truth, atol=1e-9)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_the_formula_does_not_depend_on_the_order_of_edges(data: st.DataObject) -> None:
    graph = data.draw(graphs(most=5))
    x, y, z = data.draw(queries(graph))
    turned = type(graph)(
        graph.nodes, graph.directed[::-1], tuple((b, a) for a, b in data.draw(st.permutations(graph.bidirected)))
    )
    assert identify(turned, x, y, z) == identify(graph, x, y, z)


@pytest.mark.parametrize(
    ("x", "y", "given", "problem"),
    [
        ("X", "", "", "no outcome"),
        ("X", "X", "", "in two of the sets"),
        ("X", "Y", "X", "in two of the sets"),
        ("Xs", "Y", "", "no node 'Xs'"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(x: str, y: str, given: str, problem: str) -> None:
    with pytest.raises(GraphError, match=problem):
        identify(read_graph("X -> Y"), x.split(), y.split(), given.split())
