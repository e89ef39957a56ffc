"""What a graph says about an effect, all at once."""

import pytest

from leucippus.errors import GraphError
from leucippus.graphs.findings import examine
from leucippus.graphs.reading import read_graph


def test_an_identified_effect_comes_with_its_sets() -> None:
    found = examine(read_graph("Z -> X -> M -> Y\nW -> X\nW -> Y"), "X", "Y")
    assert found.estimand is not None and found.hedge is None and not found.remedies
    assert found.adjustment_sets == (("W",),) and found.optimal_set == ("W",)
    assert found.front_door_sets == (("M",),)
    assert [one.node for one in found.instruments] == ["Z"]


def test_the_bow_comes_with_its_hedge_and_what_would_help() -> None:
    found = examine(read_graph("X -> Y\nX <-> Y"), "X", "Y")
    assert found.estimand is None and found.hedge is not None and not found.adjustment_sets
    said = [remedy.text() for remedy in found.remedies]
    assert "measure the common cause of X and Y" in said[0]
    assert said[1].startswith("find an instrument for X") and "bounds" in said[2]


def test_several_treatments_and_conditions() -> None:
    found = examine(read_graph("A -> B -> Y\nA -> Y\nC -> Y"), ["A", "B"], ["Y"], ["C"])
    assert found.estimand is not None and found.optimal_set is None and not found.instruments


def test_an_unknown_node_is_named() -> None:
    with pytest.raises(GraphError, match="'Q'"):
        examine(read_graph("X -> Y"), "X", "Q")
