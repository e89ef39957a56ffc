"""Local polynomials at a cutoff, against rdrobust (GPL, a test oracle only) and statsmodels."""

import numpy as np
import pytest
import statsmodels.api as sm
from rdrobust import rdrobust
from rdrobust.datasets import rdrobust_RDsenate

from leucippus.agents.estimators.local_polynomial import (
    coverage_bandwidth,
    fit_within,
    jumps,
    ratio_set,
    select_and_fit,
)
from leucippus.agents.estimators.regression import t_p_value
from leucippus.errors import DataError

SENATE = rdrobust_RDsenate().dropna(subset=["vote", "margin", "population", "termshouse"])
Y, Z = SENATE["vote"].to_numpy(float), SENATE["margin"].to_numpy(float)
X = np.column_stack([np.log(SENATE["population"]), SENATE["termshouse"]]).astype(float)
D = ((Z + np.random.default_rng(0).normal(0, 8, len(Z))) * (np.abs(Z) < 15) + Z * (np.abs(Z) >= 15) >= 0).astype(float)
D = np.where(np.random.default_rng(1).uniform(size=len(Z)) < 0.85, (Z >= 0).astype(float), D)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("fuzzy", [False, True])
@pytest.mark.parametrize("with_covariates", [False, True])
def test_selected_bandwidth_as_rdrobust(order: int, fuzzy: bool, with_covariates: bool) -> None:
    takeup, covariates = D if fuzzy else None, X if with_covariates else None
    ours = select_and_fit(Y, Z, takeup=takeup, covariates=covariates, order=order)
    theirs = rdrobust(Y, Z, p=order, fuzzy=takeup, covs=covariates)
    assert ours.bandwidth == pytest.approx(theirs.bws.iloc[0, 0], rel=1e-6)
    assert ours.conventional == pytest.approx(theirs.coef.iloc[0, 0], rel=1e-6)
    assert ours.conventional_se == pytest.approx(theirs.se.iloc[0, 0], rel=1e-5)
    assert ours.corrected == pytest.approx(theirs.coef.iloc[2, 0], rel=1e-6)
    assert ours.interval() == pytest.approx(tuple(theirs.ci.iloc[2]), rel=1e-5)


@pytest.mark.parametrize("kernel", ["triangular", "epanechnikov", "uniform"])
@pytest.mark.parametrize("fuzzy", [False, True])
def test_given_bandwidth_as_rdrobust(kernel: str, fuzzy: bool) -> None:
    takeup = D if fuzzy else None
    ours = fit_within(Y, Z, 20.0, takeup=takeup, kernel=kernel)  # type: ignore[arg-type]
    theirs = rdrobust(Y, Z, h=20.0, fuzzy=takeup, kernel=kernel[:3], vce="hc3")
    assert ours.conventional == pytest.approx(theirs.coef.iloc[0, 0], rel=1e-8)
    assert ours.conventional_se == pytest.approx(theirs.se.iloc[0, 0], rel=1e-8)
    assert ours.corrected == pytest.approx(theirs.coef.iloc[2, 0], rel=1e-8)
    assert ours.robust_se == pytest.approx(theirs.se.iloc[2, 0], rel=1e-8)


def test_covariates_at_a_given_bandwidth_as_rdrobust() -> None:
    ours = fit_within(Y, Z, 20.0, covariates=np.column_stack([X, X[:, 0] * 2]))
    theirs = rdrobust(Y, Z, h=20.0, covs=X, vce="hc3")
    assert ours.left_out == (2,)
    assert ours.conventional == pytest.approx(theirs.coef.iloc[0, 0], rel=1e-8)


def test_clustered_variance_is_that_of_weighted_least_squares() -> None:
    state = np.unique(SENATE["state"], return_inverse=True)[1]
    ours = fit_within(Y, Z, 20.0, clusters=state)
    near = np.abs(Z) < 20
    side = (Z[near] >= 0).astype(float)
    design = np.column_stack([side, side * Z[near], np.ones(near.sum()), Z[near]])
    fit = sm.WLS(Y[near], design, weights=1 - np.abs(Z[near]) / 20).fit(
        cov_type="cluster", cov_kwds={"groups": state[near]}
    )
    assert ours.conventional == pytest.approx(fit.params[0], rel=1e-10)
    assert ours.conventional_se == pytest.approx(fit.bse[0], rel=1e-8)
    assert ours.dof == len(np.unique(state[near])) - 1


def test_order_0_without_correction_is_the_difference_in_means() -> None:
    fit = fit_within(Y, Z, 5.0, order=0, kernel="uniform", correct=False)
    near = np.abs(Z) <= 5
    assert fit.conventional == pytest.approx(Y[near & (Z >= 0)].mean() - Y[near & (Z < 0)].mean())
    assert fit.corrected == pytest.approx(fit.conventional)
    assert np.mean(fit.interval()) == pytest.approx(fit.conventional)


def test_ratio_set_is_the_inversion_of_tests() -> None:
    both = jumps(np.column_stack([Y, D]), Z, 20.0, order=2)
    ((low, high),) = ratio_set(both)
    for end in (low, high):
        at = jumps(Y - end * D, Z, 20.0, order=2)
        assert t_p_value(float(at.estimates[0]), float(at.se[0]), at.dof) == pytest.approx(0.05, abs=1e-9)
    noise = np.random.default_rng(3).integers(0, 2, len(Z)).astype(float)
    weak = ratio_set(jumps(np.column_stack([Y, noise]), Z, 20.0, order=2))
    assert not np.isfinite(weak).all()


def test_leaving_a_row_out_is_its_closed_form() -> None:
    whole = jumps(Y, Z, 20.0)
    row = 7
    without = np.delete(np.arange(len(Z)), whole.rows[row])
    moved = jumps(Y[without], Z[without], 20.0).estimates[0] - whole.estimates[0]
    assert moved == pytest.approx(-whole.weights[row] * whole.residuals[row, 0] / (1 - whole.leverage[row]))


def test_coverage_bandwidth_as_rdrobust() -> None:
    theirs = rdrobust(Y, Z, bwselect="cerrd").bws.iloc[0, 0]
    assert coverage_bandwidth(select_and_fit(Y, Z).bandwidth, len(Y), 1) == pytest.approx(theirs, rel=1e-4)


def test_too_little_near_the_cutoff_is_said() -> None:
    with pytest.raises(DataError, match="different values"):
        fit_within(Y, Z, 0.01)
    with pytest.raises(DataError, match="does not jump"):
        fit_within(Y, Z, 20.0, takeup=np.ones(len(Z)))
    with pytest.raises(DataError, match="single cluster"):
        fit_within(Y, Z, 20.0, clusters=np.zeros(len(Z), dtype=np.int64))
    with pytest.raises(DataError, match="no local polynomial"):
        select_and_fit(Y, Z + 1000)
