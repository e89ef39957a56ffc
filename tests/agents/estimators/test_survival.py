"""Restricted means and hazard ratios against closed forms, lifelines and statsmodels."""

import numpy as np
import pytest
from lifelines import KaplanMeierFitter
from lifelines.utils import restricted_mean_survival_time
from numpy.typing import NDArray

from leucippus.agents.estimators.survival import (
    cox,
    cox_second,
    greenwood,
    kaplan_meier,
    longest_horizon,
    pseudo_observations,
    restricted_means,
)
from leucippus.errors import DataError

Floats = NDArray[np.float64]


def _drawn(n: int, ratio: float = 0.5, seed: int = 0) -> tuple[Floats, Floats, Floats, Floats]:
    """Exponential arms with hazards `ratio` and 1, followed up for a time that is exponential too."""
    rng = np.random.default_rng(seed)
    d = (np.arange(n) % 2).astype(float)
    time, lost = rng.exponential(np.where(d == 1, 1 / ratio, 1.0)), rng.exponential(3, n)
    return np.minimum(time, lost), (time <= lost).astype(float), d, rng.normal(size=(n, 2))


def test_exponential_arms() -> None:
    """Restricted mean of an exponential: (1 - exp(-λτ)) / λ; log ratio of the hazards: log 0.5."""
    duration, event, d, _ = _drawn(40_000)
    found = restricted_means(duration, event, d, horizon=1.5)
    treated, control = ((1 - np.exp(-hazard * 1.5)) / hazard for hazard in (0.5, 1.0))
    assert found.treated == pytest.approx(treated, abs=0.015)
    assert found.control == pytest.approx(control, abs=0.015)
    assert found.difference.estimate == found.treated - found.control
    fit = cox(duration[:4000], event[:4000], d[:4000])
    assert abs(fit.log_ratio - np.log(0.5)) < 3 * fit.se


def test_curve_and_area_are_those_of_lifelines() -> None:
    duration, event, _, _ = _drawn(200)
    duration = np.ceil(duration * 5)  # ties
    times, curve, _, _ = kaplan_meier(duration, event)
    theirs = KaplanMeierFitter().fit(duration, event)
    assert curve == pytest.approx(theirs.survival_function_at_times(times).to_numpy())
    area = pseudo_observations(duration, event, 7.5).mean()
    assert area == pytest.approx(float(restricted_mean_survival_time(theirs, t=7.5)))


def test_pseudo_observations_are_those_of_the_jackknife() -> None:
    """n θ − (n − 1) θ without the row, row by row; and without censoring simply the time up to the horizon."""
    duration, event, _, _ = _drawn(150)
    found = pseudo_observations(duration, event, 1.5)
    keep = ~np.eye(150, dtype=bool)
    without = np.array([pseudo_observations(duration[rows], event[rows], 1.5).mean() for rows in keep])
    assert found == pytest.approx(150 * found.mean() - 149 * without, abs=0.03)
    assert pseudo_observations(duration, np.ones(150), 1.5) == pytest.approx(np.minimum(duration, 1.5), abs=0.02)


def test_standard_error_is_greenwoods() -> None:
    duration, event, d, _ = _drawn(300)
    found = restricted_means(duration, event, d, horizon=1.5).difference
    variance = sum(greenwood(duration[d == arm], event[d == arm], 1.5) for arm in (0, 1))
    assert found.se == pytest.approx(np.sqrt(variance), rel=0.01)


def test_controls_of_no_use_change_little_and_clusters_of_copies_nothing() -> None:
    duration, event, d, x = _drawn(400)
    bare = restricted_means(duration, event, d, horizon=1.5).difference
    adjusted = restricted_means(duration, event, d, x, horizon=1.5).difference
    assert adjusted.estimate == pytest.approx(bare.estimate, abs=bare.se / 2)
    five = restricted_means(
        *(np.repeat(z, 5) for z in (duration, event, d)), horizon=1.5, clusters=np.repeat(np.arange(400), 5)
    ).difference
    assert five.estimate == pytest.approx(bare.estimate)
    assert five.se == pytest.approx(bare.se, rel=0.02)


def test_cox_is_that_of_statsmodels_with_ties_and_collinear_controls() -> None:
    duration, event, d, x = _drawn(300)
    duration = np.ceil(duration * 10)
    fit = cox(duration, event, d, np.column_stack([x, x.sum(axis=1)]))
    assert cox_second(duration, event, d, x, fit).agrees
    assert fit.interval()[0] < fit.ratio < fit.interval()[1]


def test_horizon_is_where_both_arms_have_ten_rows() -> None:
    d = np.repeat([0.0, 1.0], 50)
    duration = np.concatenate([np.arange(50.0), np.arange(100.0, 150.0)])
    assert longest_horizon(duration, d) == 40
    assert (duration[d == 0] >= 40).sum() == 10


def test_what_has_no_estimate_is_refused() -> None:
    duration, event, d, _ = _drawn(100)
    with pytest.raises(DataError, match="does not converge"):
        cox(duration, np.where(d == 1, 0.0, event), d)
    with pytest.raises(DataError, match="single cluster"):
        restricted_means(duration, event, d, horizon=1.0, clusters=np.zeros(100, dtype=np.int64))
    few = np.arange(100) < 2
    wide = np.random.default_rng(0).normal(size=(100, 3))
    with pytest.raises(DataError, match="rows in an arm"):
        restricted_means(duration, event, few.astype(float), wide, horizon=1.0)
