"""Segmented regression: agreement with statsmodels, the correction of the autocorrelation, exact cases."""

import numpy as np
import pytest
from numpy.typing import NDArray
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.diagnostic import acorr_ljungbox
from statsmodels.stats.stattools import durbin_watson

from leucippus.agents.estimators.independence import independent
from leucippus.agents.estimators.segmented import (
    autocorrelation,
    gls_ar1,
    ljung_box,
    newey_west_lags,
    segmented,
)
from leucippus.errors import DataError

Floats = NDArray[np.float64]


def draw(seed: int, n: int = 60, rho: float = 0.5) -> tuple[Floats, Floats, Floats]:
    rng = np.random.default_rng(seed)
    e = rng.normal(size=n)
    e[0] /= (1 - rho**2) ** 0.5
    for t in range(1, n):
        e[t] += rho * e[t - 1]
    time = np.arange(n, dtype=float)
    on = (time >= n // 2).astype(float)
    return 1 + 0.1 * time + 2 * on + e, on[:, None], time[:, None]


def test_estimate_and_errors_are_statsmodels() -> None:
    y, effects, rest = draw(0)
    found = segmented(y, effects, rest)
    model = OLS(y, np.column_stack([effects, np.ones(60), rest]))
    hac = model.fit(cov_type="HAC", cov_kwds={"maxlags": newey_west_lags(60), "use_correction": True})
    assert found.estimate == pytest.approx(hac.params[0])
    assert found.se_hac == pytest.approx(hac.bse[0])
    assert found.se_iid == pytest.approx(model.fit().bse[0])
    assert found.durbin_watson == pytest.approx(durbin_watson(hac.resid))
    assert ljung_box(found.residuals, 8) == pytest.approx(float(acorr_ljungbox(hac.resid, [8])["lb_pvalue"].iloc[0]))


def test_autoregressive_error_by_hand() -> None:
    """x (x'x)⁻¹ around σ²Ω, written out in full."""
    y, effects, rest = draw(1)
    found = segmented(y, effects, rest)
    x = np.column_stack([effects, np.ones(60), rest])
    omega = found.rho ** np.abs(np.subtract.outer(np.arange(60), np.arange(60)))
    bread = np.linalg.inv(x.T @ x) @ x.T
    residual_maker = np.eye(60) - x @ bread
    scale = found.residuals @ found.residuals / np.trace(residual_maker @ omega)
    assert found.se_ar == pytest.approx(np.sqrt((scale * bread @ omega @ bread.T)[0, 0]))


def test_autocorrelation_is_corrected_for_the_fit() -> None:
    corrected, raw = [], []
    for seed in range(200):
        y, effects, rest = draw(seed, n=40)
        found = segmented(y, effects, rest)
        u = found.residuals
        corrected.append(found.rho)
        raw.append(u[1:] @ u[:-1] / (u @ u))
    assert np.median(corrected) == pytest.approx(0.5, abs=0.06)
    assert np.median(raw) < 0.4


def test_negative_autocorrelation_is_believed_up_to_a_half() -> None:
    """Cut off at 0, the intervals of independent errors would be too wide; far below it lies over-differencing."""
    u = np.tile([1.0, -1.0], 20)
    assert autocorrelation(u, np.full((40, 1), 40**-0.5)) == -0.5
    found = [segmented(*draw(seed, n=96, rho=-0.3)) for seed in range(100)]
    assert np.median([one.rho for one in found]) == pytest.approx(-0.3, abs=0.06)
    assert all(one.dof <= 93 for one in found)


def test_long_series_are_taken_as_seen() -> None:
    y, effects, rest = draw(3, n=1500)
    assert segmented(y, effects, rest).rho == pytest.approx(0.5, abs=0.08)


def test_columns_that_others_determine_are_left_out() -> None:
    time = np.arange(10.0)
    assert independent(np.column_stack([np.ones(10), time, 2 * time + 1, time**2])) == [0, 1, 3]


def test_a_shift_the_controls_fix_is_an_error() -> None:
    y, effects, rest = draw(4)
    with pytest.raises(DataError, match="determined by the trend and the controls"):
        segmented(y, effects, np.column_stack([rest, 1 - effects]))


def test_a_perfect_fit_is_an_error() -> None:
    _, effects, rest = draw(5)
    with pytest.raises(DataError, match="reproduce every value"):
        segmented(3 * effects[:, 0] + rest[:, 0], effects, rest)


def test_generalised_least_squares_finds_the_shift() -> None:
    y, effects, rest = draw(6, n=400)
    estimate, se, rho = gls_ar1(y, effects, rest)
    assert abs(estimate - 2) < 3 * se
    assert rho == pytest.approx(0.5, abs=0.15)
