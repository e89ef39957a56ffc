from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leucippus.errors import GraphError
from leucippus.graphs.adjustment import (
    adjusted,
    check_adjustment,
    minimal_adjustment_set,
    minimal_adjustment_sets,
    optimal_adjustment_set,
)
from leucippus.graphs.dag import Graph
from leucippus.graphs.examples import EXAMPLES, Example
from leucippus.graphs.plug_in import evaluate
from leucippus.graphs.reading import read_graph
from tests.graphs.models import chances, covariance, graphs, model, queries, residual

SETTINGS = settings(max_examples=200, deadline=None)


def _valid_sets(graph: Graph, x: frozenset[str], y: frozenset[str], among: frozenset[str]) -> list[frozenset[str]]:
    every = (frozenset(some) for size in range(len(among) + 1) for some in combinations(sorted(among), size))
    return [some for some in every if check_adjustment(graph, x, y, some).valid]


@pytest.mark.parametrize("known", EXAMPLES, ids=lambda known: known.name)
def test_known_sets_are_found(known: Example) -> None:
    graph = known.graph
    assert tuple(minimal_adjustment_sets(graph, "X", "Y")) == known.adjustment
    assert optimal_adjustment_set(graph, "X", "Y") == known.optimal
    for members in known.invalid:
        assert check_adjustment(graph, "X", "Y", members).reasons()


REASONS = [
    ("X -> M -> Y", "M", "M lies on the causal path X -> M -> Y: adjusting for it removes part of the effect"),
    (
        "X -> M -> Y; M -> D",
        "D",
        "D is an effect of M on the causal path X -> M -> Y: adjusting for it distorts the effect",
    ),
    ("X -> Y -> D", "D", "D is an effect of Y on the causal path X -> Y: adjusting for it distorts the effect"),
    ("Z -> X -> Y; Z -> Y", "", "the non-causal path X <- Z -> Y stays open"),
    ("X -> Y; X <-> Y", "", "the non-causal path X <-> Y stays open"),
    (
        "A -> X; A -> M <- B; B -> Y; X -> Y",
        "M",
        "the non-causal path X <- A -> M <- B -> Y stays open: adjusting opens it at the collider M",
    ),
    ("X -> C <- Y", "C", "the non-causal path X -> C <- Y stays open: adjusting opens it at the collider C"),
]


@pytest.mark.parametrize(("edges", "members", "reason"), REASONS, ids=[f"{row[0]} given {row[1]}" for row in REASONS])
def test_the_reason_against_a_set_is_given(edges: str, members: str, reason: str) -> None:
    assert reason in check_adjustment(read_graph(edges), "X", "Y", members.split()).reasons()


@SETTINGS
@given(st.data())
def test_the_minimal_sets_are_all_there_are(data: st.DataObject) -> None:
    graph = data.draw(graphs(least=3, most=6))
    x, y, measured = data.draw(queries(graph))
    valid = _valid_sets(graph, x, y, measured)
    minimal = {some for some in valid if not any(other < some for other in valid)}
    assert set(minimal_adjustment_sets(graph, x, y, measured=measured)) == minimal
    one = minimal_adjustment_set(graph, x, y, measured=measured)
    assert one in minimal if minimal else one is None


@SETTINGS
@given(st.data(), st.integers(0, 2**32))
def test_adjusting_for_a_valid_set_gives_the_truth_and_for_another_does_not(data: st.DataObject, seed: int) -> None:
    graph = data.draw(graphs(most=5))
    x, y, z = data.draw(queries(graph))
    estimand = adjusted(graph, x, y, z)
    right = []
    for once, values in product((seed, seed + 1, seed + 2), product((0, 1), repeat=len(x))):
        do = dict(zip(sorted(x), values, strict=True))
        truth = chances(model(graph, once, do), estimand.outcome)
        right.append(np.abs(evaluate(estimand, model(graph, once), do).probability - truth).max() < 1e-9)
    # The criterion is complete: a set it refuses fails in almost every model.
    assert all(right) == check_adjustment(graph, x, y, z).valid


@SETTINGS
@given(st.data(), st.integers(0, 2**32))
def test_the_optimal_set_is_valid_and_has_the_least_variance(data: st.DataObject, seed: int) -> None:
    graph = data.draw(graphs(least=3, most=6))
    x, y = (frozenset(node) for node in data.draw(st.permutations(graph.nodes))[:2])
    others = frozenset(graph.nodes) - x - y
    best = optimal_adjustment_set(graph, x, y)
    valid = _valid_sets(graph, x, y, others)
    if best is None:
        assert not valid or graph.bidirected or not graph.descendants(x) & y
        return
    assert best in valid
    # With one treatment and a linear Gaussian model: var(y | x, z) / var(x | z).
    sigma = covariance(graph, seed)[0]

    def variance(members: frozenset[str]) -> float:
        (of_y,) = residual(sigma, graph, y, x | members).flat
        (of_x,) = residual(sigma, graph, x, members).flat
        return float(of_y / of_x)

    assert all(variance(best) <= variance(some) * (1 + 1e-9) for some in valid)


def test_the_optimal_set_has_to_be_measured() -> None:
    graph = read_graph("A -> B -> X -> Y; A -> C -> Y")
    assert optimal_adjustment_set(graph, "X", "Y", measured=["C", "A"]) == frozenset("C")
    assert optimal_adjustment_set(graph, "X", "Y", measured=["A", "B"]) is None


def test_sets_come_small_first_and_no_more_than_asked_for() -> None:
    graph = read_graph(";".join(f"X <- A{i} -> B{i} -> Y" for i in range(20)))
    found = minimal_adjustment_sets(graph, "X", "Y", limit=7)
    assert len(found) == 7 and all(len(members) == 20 for members in found)
    assert minimal_adjustment_set(graph, "X", "Y") == frozenset(f"B{i}" for i in range(20))


@pytest.mark.parametrize(("x", "y", "z"), [("", "Y", ""), ("X", "", ""), ("X", "X", ""), ("X", "Y", "X")])
def test_a_question_that_makes_no_sense_is_refused(x: str, y: str, z: str) -> None:
    with pytest.raises(GraphError):
        check_adjustment(read_graph("X -> Y"), x.split(), y.split(), z.split())
