import numpy as np
import pytest
from numpy.typing import ArrayLike

from leucippus.errors import InputError, PositivityError
from leucippus.graphs.adjustment import adjusted
from leucippus.graphs.estimand import Estimand
from leucippus.graphs.identification import Identified, identify
from leucippus.graphs.plug_in import plug_in
from leucippus.graphs.reading import read_graph

# Charig et al. (1986), BMJ 292: kidney stones. (treatment, size): (recovered, treated)
STONES = {("A", "small"): (81, 87), ("A", "large"): (192, 263), ("B", "small"): (234, 270), ("B", "large"): (55, 80)}


Columns = dict[str, ArrayLike]


def _stones() -> Columns:
    rows = [
        (treatment, size, int(i < recovered))
        for (treatment, size), (recovered, treated) in STONES.items()
        for i in range(treated)
    ]
    return {
        "treatment": [row[0] for row in rows],
        "size": [row[1] for row in rows],
        "recovered": [row[2] for row in rows],
    }


def _estimand(edges: str, x: str, y: str, given: str = "") -> Estimand:
    answer = identify(read_graph(edges), x.split(), y.split(), given.split())
    assert isinstance(answer, Identified)
    return answer.estimand


CONFOUNDED = "size -> treatment -> recovered; size -> recovered"


def test_simpsons_paradox_is_resolved() -> None:
    estimand = _estimand(CONFOUNDED, "treatment", "recovered")
    a, b = (plug_in(estimand, _stones(), {"treatment": treatment}).mean() for treatment in "AB")
    small, large = 357 / 700, 343 / 700
    assert a == pytest.approx(81 / 87 * small + 192 / 263 * large)
    assert b == pytest.approx(234 / 270 * small + 55 / 80 * large)
    # Against the raw rates 273 / 350 and 289 / 350.
    assert a > b


def test_a_conditional_effect_is_that_of_the_group() -> None:
    estimand = _estimand(CONFOUNDED, "treatment", "recovered", "size")
    found = plug_in(estimand, _stones(), {"treatment": "A"}, {"size": "small"})
    assert found.mean() == pytest.approx(81 / 87) and found.levels == ((0, 1),)


def test_several_outcomes_have_an_axis_each_in_the_order_asked() -> None:
    data: Columns = {"X": [0, 0, 1, 1], "A": [0, 1, 0, 0], "B": ["u", "v", "w", "w"]}
    graph = read_graph("X -> A; X -> B; A <-> B")
    found = plug_in(adjusted(graph, "X", ["A", "B"], ()), data, {"X": 0})
    assert found.names == ("A", "B") and found.levels == ((0, 1), ("u", "v", "w"))
    np.testing.assert_allclose(found.probability, [[0.5, 0, 0], [0, 0.5, 0]])


def test_an_empty_cell_is_named() -> None:
    data: Columns = {"X": [0, 0, 1, 1], "Z": ["a", "b", "a", "a"], "Y": [0, 1, 0, 1]}
    estimand = _estimand("Z -> X -> Y; Z -> Y", "X", "Y")
    with pytest.raises(PositivityError, match="no row has Z = 'b', X = 1"):
        plug_in(estimand, data, {"X": 1})
    assert plug_in(estimand, data, {"X": 0}).mean() == pytest.approx(0.25)


def test_an_empty_cell_inside_a_fraction_is_named() -> None:
    napkin = _estimand("W -> Z -> X -> Y; W <-> X; W <-> Y", "X", "Y")
    data: Columns = {"W": [0, 1, 0, 1], "Z": [0, 0, 1, 1], "X": [0, 0, 0, 0], "Y": [0, 1, 1, 0]}
    with pytest.raises(PositivityError, match="X = 1 does not occur"):
        plug_in(napkin, data, {"X": 1})
    # Z = 1 is never seen with W = 1: any value of Z will do, so the other is used.
    skewed: Columns = {"W": [0, 1, 0, 1, 0], "Z": [0, 0, 0, 0, 1], "X": [0, 0, 1, 1, 0], "Y": [0, 1, 1, 0, 0]}
    assert plug_in(napkin, skewed, {"X": 1}).mean() == pytest.approx(0.6)
    only: Columns = {"W": [0, 1, 0, 1], "Z": [0, 1, 0, 1], "X": [0, 1, 1, 0], "Y": [0, 1, 1, 0]}
    with pytest.raises(PositivityError, match="no row has W = 1, Z = 0"):
        plug_in(napkin, only, {"X": 1})


def test_a_denominator_of_nothing_is_named() -> None:
    napkin = _estimand("W -> Z -> X -> Y; W <-> X; W <-> Y", "X", "Y")
    data: Columns = {"W": [0, 1, 0], "Z": [0, 0, 1], "X": [0, 0, 1], "Y": [0, 1, 0]}
    with pytest.raises(PositivityError, match="the probability of X = 1, Z = 0, and no row supports it"):
        plug_in(napkin, data, {"X": 1})


def test_what_never_occurs_needs_no_cell() -> None:
    # Given X = 1 the mediator is never 0, so what follows M = 0 there does not matter.
    data: Columns = {"X": [0, 0, 1, 1], "M": [0, 0, 1, 1], "Y": [0, 1, 1, 1]}
    chain = _estimand("X -> M -> Y", "X", "Y")
    assert plug_in(chain, data, {"X": 1}).mean() == 1.0


REFUSED = [
    ({"X": [0, 1], "Y": [0, 1]}, {"X": 2}, PositivityError, "X = 2 does not occur"),
    ({"X": [0, 1], "Y": [0, 1]}, {}, InputError, "do has values for nothing"),
    ({"X": [0, 1], "Y": [0, 1]}, {"X": 0, "Z": 1}, InputError, "no column for Z"),
    ({"X": [0, 1]}, {"X": 0}, InputError, "no column for Y"),
    ({"X": [0, 1], "Y": [0, 1, 1]}, {"X": 0}, InputError, "columns of 2, 3 rows"),
    ({"X": [], "Y": []}, {"X": 0}, InputError, "columns of 0, 0 rows"),
    ({"X": [0, 1], "Y": [0.0, float("nan")]}, {"X": 0}, InputError, "'Y' holds missing values"),
    ({"X": [0, 1], "Y": [None, 1]}, {"X": 0}, InputError, "'Y' holds missing values"),
    ({"X": [0, 1], "Y": np.array(["a", 1], dtype=object)}, {"X": 0}, InputError, "'Y' holds missing values, mixed"),
    ({"X": [0, 1], "Y": [[0], [1]]}, {"X": 0}, InputError, "more than one dimension"),
    ({"X": range(3000), "Y": range(3000)}, {"X": 0}, InputError, "9,000,000 combinations"),
]


@pytest.mark.parametrize(("columns", "do", "error", "problem"), REFUSED, ids=[row[3] for row in REFUSED])
def test_unusable_data_are_refused(columns: Columns, do: dict[str, int], error: type[InputError], problem: str) -> None:
    with pytest.raises(error, match=problem):
        plug_in(_estimand("X -> Y", "X", "Y"), columns, do)


def test_there_is_no_mean_of_words() -> None:
    found = plug_in(_estimand("X -> Y", "X", "Y"), {"X": [0, 1], "Y": ["a", "b"]}, {"X": 0})
    with pytest.raises(InputError, match="no mean of Y"):
        found.mean()
