import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leucippus.graphs.dag import Graph
from leucippus.graphs.examples import EXAMPLES, Example
from leucippus.graphs.identification import Identified, NotIdentified, identify
from leucippus.graphs.reading import read_graph
from leucippus.graphs.remedies import BoundsOnly, MeasureCauses, Remedy, UseInstrument, measured_cause, remedies
from tests.graphs.models import graphs, queries


def _remedies(graph: Graph, x: str = "X", y: str = "Y") -> list[Remedy]:
    effect = identify(graph, x, y)
    assert isinstance(effect, NotIdentified)
    return remedies(graph, effect)


def test_the_bow_needs_its_common_cause_or_leaves_bounds() -> None:
    found = _remedies(read_graph("X -> Y; X <-> Y"))
    assert [remedy.text() for remedy in found] == [
        "measure the common cause of X and Y: then P(Y | do(X)) = sum_{U(X, Y)} P(Y | X, U(X, Y)) P(U(X, Y))",
        "find an instrument for X: something that moves it, shares no cause with Y, and moves Y in no other way",
        "with what is measured now, the data give bounds for the effect and no more",
    ]


def test_an_instrument_is_offered_where_there_is_one() -> None:
    texts = [remedy.text() for remedy in _remedies(read_graph("W -> Z -> X -> Y; W -> Y; X <-> Y"))]
    assert texts[1:] == ["use Z given W as an instrument, if the effect is linear or goes one way for everyone"]


def test_two_causes_are_named_together_where_one_is_not_enough() -> None:
    found = _remedies(read_graph("X -> M -> Y; X <-> M; M <-> Y; X <-> Y"))
    assert [remedy.pairs for remedy in found if isinstance(remedy, MeasureCauses)] == [
        (("X", "M"), ("X", "Y")),
        (("X", "M"), ("M", "Y")),
    ]


def test_a_measured_cause_is_a_node_with_a_name_of_its_own() -> None:
    graph = measured_cause(Graph(("X", "Y", "U(X, Y)"), (("X", "Y"),), (("X", "Y"),)), (("Y", "X"),))
    assert graph.nodes[-1] == "U(Y, X)" and graph.parents("Y") == {"X", "U(Y, X)"} and not graph.bidirected
    twice = measured_cause(Graph(("X", "Y", "U(X, Y)"), (), (("X", "Y"),)), (("X", "Y"),))
    assert twice.nodes[-1] == "UU(X, Y)"


@pytest.mark.parametrize("known", [known for known in EXAMPLES if not known.identified], ids=lambda known: known.name)
def test_every_unidentified_example_has_a_remedy(known: Example) -> None:
    found = _remedies(known.graph)
    assert isinstance(found[0], MeasureCauses)
    assert any(isinstance(remedy, UseInstrument) for remedy in found) == bool(known.instruments)
    assert any(isinstance(remedy, BoundsOnly) for remedy in found) != bool(known.instruments)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_what_is_offered_identifies_the_effect(data: st.DataObject) -> None:
    graph = data.draw(graphs(most=5))
    x, y, z = data.draw(queries(graph))
    effect = identify(graph, x, y, z)
    if isinstance(effect, Identified):
        return
    measured = [remedy for remedy in remedies(graph, effect) if isinstance(remedy, MeasureCauses)]
    # On graphs this small the search is exhaustive, and measuring every cause always does.
    assert measured
    for remedy in measured:
        answer = identify(measured_cause(graph, remedy.pairs), x, y, z)
        assert isinstance(answer, Identified) and answer.estimand == remedy.estimand
        for pair in remedy.pairs:
            fewer = tuple(other for other in remedy.pairs if other != pair)
            assert isinstance(identify(measured_cause(graph, fewer), x, y, z), NotIdentified)
