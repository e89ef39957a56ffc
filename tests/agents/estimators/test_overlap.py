"""Overlap and weighting."""

import numpy as np
import pytest

from leucippus.agents.estimators.basis import basis
from leucippus.agents.estimators.overlap import (
    Target,
    balancing_weights,
    effective,
    overlap,
    propensity,
    weighted_difference,
    weighted_imbalance,
)

TARGETS: tuple[Target, ...] = ("ATE", "ATT", "ATC", "ATO")


def _data(seed: int, n: int = 2000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 1, (n, 2))
    d = (rng.random(n) < 1 / (1 + np.exp(-x[:, 0]))).astype(float)
    return x, d, x[:, 0] + d + rng.normal(0, 1, n)


def test_propensity_is_that_of_statsmodels() -> None:
    from statsmodels.discrete.discrete_model import Logit

    x, d, _ = _data(0)
    theirs = Logit(d, np.column_stack([np.ones(len(d)), x])).fit(disp=0).predict()
    assert propensity(d, basis(x, 0)) == pytest.approx(theirs, abs=1e-3)


def test_effective_rows() -> None:
    assert effective(np.ones(7)) == pytest.approx(7)
    assert effective(np.array([1.0, 0.0, 0.0])) == pytest.approx(1)


@pytest.mark.parametrize("target", TARGETS)
def test_weights_balance(target: Target) -> None:
    x, d, _ = _data(1)
    before = np.abs(weighted_imbalance(x, d, np.ones(len(d)))).max()
    after = np.abs(weighted_imbalance(x, d, balancing_weights(d, propensity(d, basis(x, 0)), target))).max()
    assert before > 0.5 and after < 0.1


@pytest.mark.parametrize("target", TARGETS)
def test_standard_error_is_the_spread_over_draws(target: Target) -> None:
    found = [weighted_difference(y, d, basis(x, 0), target) for x, d, y in (_data(seed, 500) for seed in range(150))]
    estimates = np.array([effect.estimate for effect in found])
    assert estimates.mean() == pytest.approx(1, abs=0.05)
    assert np.mean([effect.se for effect in found]) == pytest.approx(estimates.std(), rel=0.2)


def test_a_rare_treatment_drawn_by_lot_has_overlap() -> None:
    """Propensities below 0.01 are no lack of overlap where they are the same for all."""
    rng = np.random.default_rng(0)
    d = (rng.random(20_000) < 0.005).astype(float)
    found = overlap(d, propensity(d, rng.normal(0, 1, (20_000, 3))), "ATE")
    assert found.extreme > 0.9 and found.supported


def test_each_estimand_is_supported_where_its_population_is() -> None:
    """Controls far below have no counterpart, treated rows all do."""
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(-4, 1, 1000), rng.normal(1, 1, 400)])
    d = np.concatenate([np.zeros(1000), rng.integers(0, 2, 400)]).astype(float)
    e = propensity(d, basis(x[:, None], 0))
    supported = {target: overlap(d, e, target).supported for target in TARGETS}
    assert supported == {"ATE": False, "ATT": True, "ATC": False, "ATO": True}
