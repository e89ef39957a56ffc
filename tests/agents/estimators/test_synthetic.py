"""Synthetic control and synthetic did: exact weights, agreement with diff-diff, no donor outside the simplex."""

import numpy as np
import pytest
from numpy.typing import NDArray

from leucippus.agents.estimators.synthetic import library_gap, simplex_weights, synthetic_did, synthetic_gap
from leucippus.errors import DataError

Floats = NDArray[np.float64]


def panel(seed: int, donors: int = 8, periods: int = 20) -> Floats:
    rng = np.random.default_rng(seed)
    walks = np.cumsum(rng.normal(size=(periods, 2)), axis=0)
    return 100 + walks @ rng.uniform(-1, 1, (2, donors + 1)) + rng.normal(0, 0.3, (periods, donors + 1))


def test_weights_of_a_known_mixture() -> None:
    donors = panel(0)[:, 1:]
    mixture = np.array([0.5, 0.3, 0.2, 0, 0, 0, 0, 0])
    assert simplex_weights(donors @ mixture, donors) == pytest.approx(mixture, abs=1e-8)


@pytest.mark.parametrize("seed", range(20))
def test_weights_meet_the_conditions_of_the_optimum(seed: int) -> None:
    """Karush, Kuhn and Tucker: on the simplex the gradient is least, and equal, where there is weight."""
    y = panel(seed)
    target, donors = y[:, 0], y[:, 1:]
    weights = simplex_weights(target, donors)
    assert weights.min() >= 0 and weights.sum() == pytest.approx(1)
    gradient = donors.T @ (donors @ weights - target)
    slack = gradient - gradient @ weights
    assert slack.min() > -1e-6 * np.abs(gradient).max()
    assert slack[weights > 0] == pytest.approx(0, abs=1e-6 * np.abs(gradient).max())


def test_a_unit_outside_the_hull_gets_its_nearest_donor() -> None:
    donors = np.array([[1.0, 2.0, 3.0]] * 4)
    assert simplex_weights(np.full(4, 9.0), donors) == pytest.approx([0, 0, 1], abs=1e-9)


@pytest.mark.parametrize("predictors", [None, np.random.default_rng(9).normal(size=(2, 9))])
def test_the_library_agrees(predictors: Floats | None) -> None:
    y = panel(3)
    one = synthetic_gap(y[:, 0], y[:, 1:], 14, predictors)
    other = library_gap(y[:, 0], y[:, 1:], 14, predictors)
    assert other.weights == pytest.approx(one.weights, abs=1e-6)
    assert one.att == pytest.approx((y[:, 0] - y[:, 1:] @ one.weights)[14:].mean())


def test_synthetic_did_is_the_weighted_difference() -> None:
    """Arkhangelsky et al. (2021), equation 1 in its double-difference form."""
    y = panel(4)
    treated = np.arange(9) == 0
    found = synthetic_did(y, treated, 14)
    gap = y[:, 0] - y[:, 1:] @ found.unit_weights
    assert found.unit_weights.sum() == pytest.approx(1) and found.time_weights.sum() == pytest.approx(1)
    assert found.estimate == pytest.approx(gap[14:].mean() - gap[:14] @ found.time_weights)
    assert found.estimate == synthetic_did(y, treated, 14, draws=2).estimate
    assert found.se == synthetic_did(y, treated, 14).se


def test_synthetic_did_ignores_a_level_of_its_own() -> None:
    y = panel(5)
    lifted = y + 50 * (np.arange(9) == 0)
    treated = np.arange(9) == 0
    assert synthetic_did(lifted, treated, 14, draws=2).estimate == pytest.approx(
        synthetic_did(y, treated, 14, draws=2).estimate, abs=1e-6
    )


def test_more_treated_than_donors_is_an_error() -> None:
    with pytest.raises(DataError, match="3 donors for 6 treated"):
        synthetic_did(panel(6), np.arange(9) < 6, 14)
