from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leucippus.graphs.examples import EXAMPLES, Example
from leucippus.graphs.front_door import (
    check_front_door,
    front_door,
    goes_around,
    largest_front_door_set,
    minimal_front_door_sets,
)
from leucippus.graphs.plug_in import evaluate
from leucippus.graphs.reading import read_graph
from tests.graphs.models import chances, graphs, model, queries


@pytest.mark.parametrize("known", EXAMPLES, ids=lambda known: known.name)
def test_known_sets_are_found(known: Example) -> None:
    assert tuple(minimal_front_door_sets(known.graph, "X", "Y")) == known.front_door


REASONS = [
    ("X -> M -> Y; X -> Y", "M", "the causal path X -> Y goes around the set"),
    ("X -> M -> Y; X <-> M", "M", "the back-door path X <-> M from treatment to mediator is open"),
    ("X -> M -> Y; M <-> Y", "M", "the back-door path M <-> Y from mediator to outcome stays open"),
    ("X -> A -> Y; X -> B -> Y", "A", "the causal path X -> B -> Y goes around the set"),
]


@pytest.mark.parametrize(("edges", "members", "reason"), REASONS, ids=[row[0] for row in REASONS])
def test_the_reason_against_a_set_is_given(edges: str, members: str, reason: str) -> None:
    assert check_front_door(read_graph(edges), "X", "Y", members.split()) == (reason,)


def test_a_path_around_is_told_from_an_open_back_door() -> None:
    assert goes_around(read_graph("X -> M -> Y; X -> Y; M <-> Y"), "X", "Y", ["M"]) == (
        "the causal path X -> Y goes around the set"
    )
    assert goes_around(read_graph("X -> M -> Y; M <-> Y"), "X", "Y", ["M"]) is None


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_the_sets_are_all_there_are(data: st.DataObject) -> None:
    graph = data.draw(graphs(least=3, most=6))
    x, y, measured = data.draw(queries(graph))
    every = (frozenset(some) for size in range(len(measured) + 1) for some in combinations(sorted(measured), size))
    valid = [some for some in every if not check_front_door(graph, x, y, some)]
    minimal = {some for some in valid if not any(other < some for other in valid)}
    assert set(minimal_front_door_sets(graph, x, y, measured=measured)) == minimal
    largest = largest_front_door_set(graph, x, y, measured=measured)
    assert largest == (frozenset().union(*valid) if valid else None)
    assert largest is None or largest in valid


@settings(max_examples=300, deadline=None)
@given(st.data(), st.integers(0, 2**32))
def test_a_front_door_set_gives_the_truth(data: st.DataObject, seed: int) -> None:
    graph = data.draw(graphs(least=3, most=5))
    x, y, _ = data.draw(queries(graph))
    for members in minimal_front_door_sets(graph, x, y):
        estimand = front_door(graph, x, y, members)
        for values in product((0, 1), repeat=len(x)):
            do = dict(zip(sorted(x), values, strict=True))
            truth = chances(model(graph, seed, do), estimand.outcome)
            np.testing.assert_allclose(evaluate(estimand, model(graph, seed), do).probability, truth, atol=1e-9)


def test_no_more_sets_are_returned_than_asked_for() -> None:
    graph = read_graph("X -> A -> B -> C -> Y; X <-> Y")
    assert minimal_front_door_sets(graph, "X", "Y", limit=2) == [frozenset("A"), frozenset("B")]


def test_a_set_is_found_where_there_are_too_many_to_try() -> None:
    graph = read_graph("X <-> Y;" + ";".join(f"X -> M{i} -> Y" for i in range(14)))
    everything = frozenset(graph.nodes) - {"X", "Y"}
    assert minimal_front_door_sets(graph, "X", "Y", tries=100) == [everything]
