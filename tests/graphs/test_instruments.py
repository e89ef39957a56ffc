from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leucippus.errors import GraphError
from leucippus.graphs.examples import EXAMPLES, Example
from leucippus.graphs.instruments import instruments, is_instrument
from leucippus.graphs.reading import read_graph
from tests.graphs.models import covariance, graphs, residual


@pytest.mark.parametrize("known", EXAMPLES, ids=lambda known: known.name)
def test_known_instruments_are_found(known: Example) -> None:
    assert tuple(found.text() for found in instruments(known.graph, "X", "Y")) == known.instruments


@settings(max_examples=400, deadline=None)
@given(st.data(), st.integers(0, 2**32))
def test_an_instrument_gives_the_effect_in_linear_models(data: st.DataObject, seed: int) -> None:
    graph = data.draw(graphs(least=3, most=6))
    x, y = data.draw(st.permutations(graph.nodes))[:2]
    sigma, total = covariance(graph, seed)
    for found in instruments(graph, x, y):
        assert is_instrument(graph, x, y, found.node, found.given)
        with_y, with_x = (residual(sigma, graph, {found.node, other}, found.given)[0, 1] for other in (y, x))
        effect = total[graph.nodes.index(y), graph.nodes.index(x)]
        np.testing.assert_allclose(with_y, effect * with_x, atol=1e-8)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_if_there_is_an_instrument_one_is_found(data: st.DataObject) -> None:
    graph = data.draw(graphs(least=3, most=6))
    x, y, *others = data.draw(st.permutations(graph.nodes))
    real = {
        node
        for node in others
        for size in range(len(others))
        for fixed in combinations([other for other in others if other != node], size)
        if is_instrument(graph, x, y, node, fixed)
    }
    found = {instrument.node for instrument in instruments(graph, x, y)}
    assert found <= real and bool(found) == bool(real)


REFUSED = [
    ("Z -> X -> Y; Z -> Y", "Z", "", "reaches the outcome around the treatment"),
    ("X -> Y; Z", "Z", "", "does not move the treatment"),
    ("Z -> X -> Y; Z <-> Y", "Z", "", "shares a cause with the outcome"),
    ("X -> Z -> Y", "Z", "", "is a mediator"),
    ("Z -> X -> Y; Y -> D", "Z", "D", "a covariate is an effect of the outcome"),
]


@pytest.mark.parametrize(("edges", "node", "fixed", "why"), REFUSED, ids=[row[3] for row in REFUSED])
def test_what_is_no_instrument_is_refused(edges: str, node: str, fixed: str, why: str) -> None:
    assert not is_instrument(read_graph(edges), "X", "Y", node, fixed.split()), why


def test_only_measured_nodes_are_used() -> None:
    graph = read_graph("W -> Z -> X -> Y; W -> Y; X <-> Y; A -> X")
    assert [found.node for found in instruments(graph, "X", "Y")] == ["Z", "A"]
    assert [found.node for found in instruments(graph, "X", "Y", measured=["Z", "A"])] == ["A"]
    assert instruments(graph, "X", "Y", measured=["Z"]) == []


def test_a_node_named_twice_is_refused() -> None:
    with pytest.raises(GraphError, match="named twice"):
        is_instrument(read_graph("Z -> X -> Y"), "X", "Y", "X")
