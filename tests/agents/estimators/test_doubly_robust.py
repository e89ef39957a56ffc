"""Doubly robust effects, standardisation, matching and the columns they use, on data whose answer is known."""

import numpy as np
import pytest

from leucippus.agents.estimators.basis import basis
from leucippus.agents.estimators.doubly_robust import aipw, partially_linear
from leucippus.agents.estimators.influence import from_influence
from leucippus.agents.estimators.matching import match
from leucippus.agents.estimators.regression import regress
from leucippus.agents.estimators.standardise import standardise
from leucippus.errors import DataError

Arrays = tuple[np.ndarray, np.ndarray, np.ndarray]


def _data(seed: int, n: int = 600) -> Arrays:
    """Effect 1 + x; the treated have a mean of x above 0."""
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 1, (n, 1))
    d = (rng.random(n) < 1 / (1 + np.exp(-x[:, 0]))).astype(float)
    return x, d, x[:, 0] + d * (1 + x[:, 0]) + rng.normal(0, 1, n)


@pytest.mark.parametrize("target", ["ATE", "ATT", "ATC"])
def test_every_engine_finds_the_effect_on_its_population(target: str) -> None:
    x, d, y = _data(0, 6000)
    over = {"ATE": np.ones(len(d)), "ATT": d, "ATC": 1 - d}[target]
    truth = 1 + float(over @ x[:, 0] / over.sum())
    found = [
        aipw(y, d, basis(x, 1000), target).effect(3),  # type: ignore[arg-type]
        standardise(y, d, basis(x, 1000), target),  # type: ignore[arg-type]
        match(y, d, x, target),  # type: ignore[arg-type]
    ]
    for effect in found:
        assert effect.estimate == pytest.approx(truth, abs=0.1)
        assert 0.02 < effect.se < 0.06


def test_matching_standard_error_is_the_spread_over_draws() -> None:
    for target in ("ATE", "ATT"):
        found = [match(y, d, x, target) for x, d, y in (_data(seed, 300) for seed in range(120))]
        spread = np.array([effect.estimate for effect in found]).std()
        assert np.mean([effect.se for effect in found]) == pytest.approx(spread, rel=0.25)


def test_either_model_suffices() -> None:
    """The outcome is a cube, which the basis lacks; the propensity is right."""
    rng = np.random.default_rng(1)
    x = rng.normal(0, 1, (8000, 1))
    d = (rng.random(8000) < 1 / (1 + np.exp(-x[:, 0]))).astype(float)
    y = x[:, 0] ** 3 + d + rng.normal(0, 1, 8000)
    assert standardise(y, d, basis(x, 0), "ATE").estimate == pytest.approx(1, abs=0.5)
    assert aipw(y, d, basis(x, 0), "ATE").effect(2).estimate == pytest.approx(1, abs=0.15)


def test_standardisation_is_the_regression_with_centred_interactions() -> None:
    x, d, y = _data(2)
    centred = x - x.mean()
    theirs = regress(y, d, np.column_stack([centred, centred * d[:, None]]), robust="HC2")
    ours = standardise(y, d, x, "ATE")
    assert ours.estimate == pytest.approx(theirs.estimate, rel=1e-9)
    # Ours counts that the mean of x is itself estimated: the effect has slope 1 in x.
    assert ours.se**2 == pytest.approx(theirs.se**2 + x.var() / len(x), rel=0.1)


def test_partially_linear_agrees_with_least_squares() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(0, 1, (2000, 2))
    dose = x[:, 0] + rng.normal(0, 1, 2000)
    y = 0.5 * dose + x[:, 0] + rng.normal(0, 1, 2000)
    ours, theirs = partially_linear(y, dose, basis(x, 2000)).effect(5), regress(y, dose, x)
    assert ours.estimate == pytest.approx(theirs.estimate, abs=0.3 * theirs.se)
    assert ours.se == pytest.approx(theirs.se, rel=0.05)


def test_two_runs_give_the_same_number() -> None:
    x, d, y = _data(4)
    first, again = (aipw(y, d, basis(x, 200), "ATT").effect(3) for _ in range(2))
    assert (first.estimate, first.se) == (again.estimate, again.se)


def test_clusters_are_added_up() -> None:
    """Every row three times is three times the rows and the same information."""
    rng = np.random.default_rng(0)
    values = rng.normal(0, 1, 200)
    values -= values.mean()
    once = from_influence(0.0, values, 1)
    thrice = from_influence(0.0, np.repeat(values, 3), 1, np.repeat(np.arange(200), 3))
    assert thrice.se == pytest.approx(once.se)
    with pytest.raises(DataError, match="single cluster"):
        from_influence(0.0, values, 1, np.zeros(200, dtype=int))


def test_an_arm_in_one_cluster_cannot_be_cross_fitted() -> None:
    x, d, y = _data(5, 100)
    clusters = np.where(d == 1, 0, np.arange(100) % 5 + 1)
    with pytest.raises(DataError, match="too few clusters"):
        aipw(y, d, basis(x, 10), "ATE", clusters)


def test_basis_bends_only_where_rows_allow_and_marks_heaps() -> None:
    rng = np.random.default_rng(0)
    earnings = np.where(rng.random(500) < 0.3, 0.0, rng.lognormal(0, 1, 500))
    x = np.column_stack([earnings, rng.integers(0, 2, 500), np.ones(500)])
    assert basis(x, 10).shape == (500, 2)  # the constant is gone
    full = basis(x, 500)
    assert full.shape == (500, 4)  # and a square and a spike of earnings
    assert np.allclose(full.mean(axis=0), 0) and np.allclose(full.std(axis=0), 1)
    assert len(np.unique(full[:, 3])) == 2
