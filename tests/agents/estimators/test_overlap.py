"""Overlap and weighting."""

import numpy as np
import pytest

from leucippus.agents.estimators.basis import basis, crossed_basis
from leucippus.agents.estimators.overlap import (
    Target,
    balancing_weights,
    effective,
    out_of_reach,
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


@pytest.mark.parametrize(
    ("rows", "apart", "least", "most"),
    [(60, 1.0, 0.0, 0.2), (5000, 1.0, 0.0, 0.01), (60, 4.0, 0.5, 1), (5000, 4.0, 0.5, 1)],
)
def test_reach_is_no_matter_of_how_many_rows_there_are(rows: int, apart: float, least: float, most: float) -> None:
    """Two normals `apart` in arms of unequal size: odds pass 99 at `apart` / 2 + log(99) / `apart` from the middle."""
    rng = np.random.default_rng(0)
    d = (rng.random(rows) < 0.3).astype(float)
    m = apart * d + rng.normal(0, 1, rows)
    assert least <= max(out_of_reach(d, propensity(d, basis(m[:, None], 0)))) <= most


def test_a_stray_row_brings_no_arm_into_reach() -> None:
    d = (np.arange(200) % 2).astype(np.float64)
    m = 100 * d + np.random.default_rng(0).normal(0, 1, 200)
    m[0] = 100.0
    assert max(out_of_reach(d, propensity(d, basis(m[:, None], 0)))) > 0.9


def test_products_tell_apart_what_sums_do_not() -> None:
    """The mediator rises with the control in one arm and falls with it in the other."""
    rng = np.random.default_rng(0)
    d, x = rng.integers(0, 2, 400).astype(float), rng.normal(5, 1, (400, 1))
    m = ((2 * d - 1) * 9 * (x[:, 0] - 5) + rng.normal(0, 1, 400))[:, None]
    assert max(out_of_reach(d, propensity(d, crossed_basis(m, x, 200)))) > 0.4
    assert max(out_of_reach(d, propensity(d, basis(np.column_stack([m, x]), 200)))) < 0.2
    assert crossed_basis(m, x, 10).shape == (400, 2), "no products where rows are few"
