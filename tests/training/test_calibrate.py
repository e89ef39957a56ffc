"""Lines and thresholds fitted to numbers whose answer is known."""

import math
from collections.abc import Sequence

import numpy as np
import pytest

from leucippus.training.calibrate import best_threshold, fit_line


def _simulated(weights: Sequence[float], bias: float, count: int, seed: int) -> tuple[list[list[float]], list[bool]]:
    """Features and outcomes of a logistic model."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, len(weights)))
    right = rng.random(count) < 1 / (1 + np.exp(-(x @ np.asarray(weights) + bias)))
    return x.tolist(), right.tolist()


def _f1(scores: Sequence[float], wanted: Sequence[bool], threshold: float) -> float:
    kept = [w for s, w in zip(scores, wanted, strict=True) if s >= threshold]
    return 2 * sum(kept) / (len(kept) + sum(wanted))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("weights", "bias"),
    [((1.5, -0.7), 0.4), ((0.8, 0.0, 2.0), -1.5), ((0.0,), 2.0)],
    ids=["two", "three", "bias alone"],
)
def test_a_line_finds_the_coefficients_its_data_were_made_with(
    weights: tuple[float, ...], bias: float, seed: int
) -> None:
    line = fit_line(*_simulated(weights, bias, 20_000, seed))
    assert (*line.weights, line.bias) == pytest.approx((*weights, bias), abs=0.12)


def test_the_probabilities_of_a_line_add_up_to_what_was_right() -> None:
    features, right = _simulated((1.0, -2.0), 0.5, 2000, seed=5)
    line = fit_line(features, right)
    assert sum(line(f) for f in features) == pytest.approx(sum(right), abs=0.1)


@pytest.mark.parametrize("scale", [0.1, 1.0, 100.0])
def test_separable_data_have_a_finite_answer_that_parts_them(scale: float) -> None:
    features = [[scale * k] for k in (-3, -2, -1, 1, 2, 3)]
    right = [False, False, False, True, True, True]
    line = fit_line(features, right)
    assert all(math.isfinite(number) for number in (*line.weights, line.bias))
    assert [line(f) > 0.5 for f in features] == right


@pytest.mark.parametrize("outcome", [True, False])
def test_one_outcome_alone_has_a_finite_answer_near_it(outcome: bool) -> None:
    line = fit_line([[0.1], [0.4], [-0.3]], [outcome] * 3)
    assert all(math.isfinite(number) for number in (*line.weights, line.bias))
    assert abs(line([0.1]) - outcome) < 0.1


def test_a_feature_that_says_nothing_gets_no_weight() -> None:
    line = fit_line([[0.0], [0.0], [0.0], [0.0]], [True, True, True, False])
    assert line.weights == (0.0,) and line([0.0]) == pytest.approx(0.75, abs=0.01)


def test_of_cuts_as_good_as_the_best_but_for_a_slack_the_lowest_is_taken() -> None:
    scores, wanted = [0.9] * 200 + [0.3] + [0.1] * 50, [True] * 200 + [False] * 51
    assert best_threshold(scores, wanted) == pytest.approx(0.6)
    assert best_threshold(scores, wanted, 0.01) == pytest.approx(0.2)
    assert best_threshold(scores[190:], wanted[190:], 0.01) == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("scores", "wanted", "threshold"),
    [
        ([0.9, 0.8, 0.3, 0.1], [True, True, False, False], 0.55),
        ([0.1, 0.8, 0.3, 0.9], [False, True, False, True], 0.55),
        ([0.9, 0.8, 0.6, 0.1], [True, False, True, False], 0.35),
        ([0.9, 0.4], [True, True], 0.2),
        ([0.9, 0.7, 0.5, 0.3, 0.1], [True, False, False, False, False], 0.8),
        ([0.6], [True], 0.3),
    ],
    ids=["parted", "any order", "one too many is worth it", "all wanted", "one wanted", "one score"],
)
def test_the_threshold_lies_halfway_between_the_scores_it_parts(
    scores: list[float], wanted: list[bool], threshold: float
) -> None:
    assert best_threshold(scores, wanted) == pytest.approx(threshold)


@pytest.mark.parametrize("seed", range(5))
def test_no_other_cut_has_a_much_better_f1(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.permutation(np.linspace(0.02, 0.98, 60)).tolist()
    wanted = (rng.random(60) < np.asarray(scores)).tolist()
    best = max(_f1(scores, wanted, cut) for cut in scores)
    assert _f1(scores, wanted, best_threshold(scores, wanted)) >= best - 0.0101


@pytest.mark.parametrize(
    ("scores", "wanted"),
    [([0.9, 0.9, 0.9, 0.2], [True, False, False, True]), ([0.99998, 0.99996], [True, False])],
    ids=["equal", "close"],
)
def test_no_other_cut_has_a_much_better_f1_where_scores_are_equal_or_close(
    scores: list[float], wanted: list[bool]
) -> None:
    best = max(_f1(scores, wanted, cut) for cut in scores)
    assert _f1(scores, wanted, best_threshold(scores, wanted)) >= best - 0.0101
