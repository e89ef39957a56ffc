"""Two-way effects: known answers and inference that fits the number of treated clusters."""

import numpy as np
import pytest

from leucippus.agents.estimators.regression import Floats, regress
from leucippus.agents.estimators.two_way import cluster_arms, second_two_way, two_way
from leucippus.errors import DataError

UNITS, PERIODS = 30, 4


def _panel(treated: int, seed: int = 0) -> tuple[Floats, Floats, Floats, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    unit, period = np.repeat(np.arange(UNITS), PERIODS), np.tile(np.arange(PERIODS), UNITS)
    post = (period >= 2).astype(float)
    d = (unit < treated) * post
    y = rng.normal(0, 1, UNITS)[unit] + period + 0.5 * d + rng.normal(0, 1, len(unit))
    return y, d, post, unit, period


def test_a_balanced_panel_is_a_difference_in_mean_changes() -> None:
    y, d, post, unit, period = _panel(10)
    found = two_way(y, d, absorb=np.column_stack([unit, period]), clusters=unit, profile=post)
    change = y[post == 1].reshape(UNITS, 2).mean(axis=1) - y[post == 0].reshape(UNITS, 2).mean(axis=1)
    assert found.estimate == pytest.approx(change[:10].mean() - change[10:].mean())
    assert "wild cluster bootstrap" in found.inference
    assert found.ci_low < found.estimate < found.ci_high


def test_one_treated_unit_borrows_the_spread_of_the_others() -> None:
    """Conley and Taber's logic in closed form: the pooled variance of the controls' changes, times 1 + 1/controls."""
    y, d, post, unit, period = _panel(1)
    absorb = np.column_stack([unit, period])
    found = two_way(y, d, absorb=absorb, clusters=unit, profile=post)
    change = y[post == 1].reshape(UNITS, 2).mean(axis=1) - y[post == 0].reshape(UNITS, 2).mean(axis=1)
    variance = change[1:].var(ddof=1)  # UNITS − 2 degrees of freedom
    assert found.se == pytest.approx(np.sqrt(variance * (1 + 1 / (UNITS - 1))))
    assert "Donald–Lang" in found.inference
    sandwich = regress(y, d, absorb=absorb, clusters=unit)
    assert sandwich.se < found.se / 2  # what one treated cluster does to a clustered standard error


def test_without_clusters_is_neymans_variance() -> None:
    rng = np.random.default_rng(1)
    group, after = rng.integers(0, 2, 200), rng.integers(0, 2, 200)
    y = rng.normal(0, 1 + group, 200)
    found = two_way(y, (group * after).astype(float), absorb=np.column_stack([group, after]))
    cells = [y[(group == g) & (after == t)] for g in (0, 1) for t in (0, 1)]
    assert found.se == pytest.approx(np.sqrt(sum(cell.var(ddof=1) / len(cell) for cell in cells)))


def test_two_engines_agree_with_controls_and_weights() -> None:
    y, d, post, unit, period = _panel(12)
    rng = np.random.default_rng(2)
    x, weights = rng.normal(0, 1, (len(y), 2)), rng.uniform(0.5, 2, len(y))
    x = np.column_stack([x, x.sum(axis=1)])  # collinear
    absorb = np.column_stack([unit, period])
    found = two_way(y, d, x, absorb=absorb, clusters=unit, profile=post, weights=weights)
    second = second_two_way(y, d, x, found, absorb=absorb, clusters=unit, weights=weights)
    assert second.agrees


def test_arms_and_too_few_rows() -> None:
    assert cluster_arms(np.array([0.0, 1.0, 0.0]), np.array([7, 7, 9])) == (True, False)
    y, d, _, unit, period = _panel(1)
    with pytest.raises(DataError):
        two_way(y[:4], d[:4], absorb=np.column_stack([unit, period])[:4])
