"""Segmented regression of one series, with standard errors for residuals that go together in time.

Ordinary least squares gives the coefficients. In short series the Newey–West error of a shift is too small, because
residuals are less correlated than the errors they stand for. So a second covariance is made: errors of first-order
autoregression, its coefficient corrected for the fit (the one whose residuals would be as correlated as those seen;
cut off at 0 it would make the intervals of independent errors too wide).
The larger of the two standard errors is used, with the degrees of freedom of an independent series as informative.

References
----------
Newey and West (1987), Econometrica 55; (1994), Rev. Econ. Stud. 61: the covariance, and the rule 4 (n / 100)^(2/9).
Wagner, Soumerai, Zhang and Ross-Degnan (2002), J. Clin. Pharm. Ther. 27: segmented regression.
Bayley and Hammersley (1946), Suppl. J. R. Stat. Soc. 8: the effective number of independent observations.
Angrist and Pischke (2009), Mostly Harmless Econometrics, section 8.1: the larger of two standard errors.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from leucippus.agents.estimators.independence import independent
from leucippus.agents.estimators.regression import Floats, t_interval, t_p_value
from leucippus.errors import DataError

_LONG = 1000
"""Rows from which the correction of the autocorrelation for the fit is too small to matter."""
_LEAST_RHO, _MOST_RHO = -0.5, 0.97
_FEWEST_DOF = 3.0


@dataclass(frozen=True, eq=False)
class Segmented:
    """A linear combination of coefficients, and the fit it comes from."""

    estimate: float
    se_hac: float
    """Newey–West."""
    se_ar: float
    """Errors of first-order autoregression."""
    se_iid: float
    dof: float
    """Degrees of freedom: effective number of independent observations − parameters."""
    rho: float
    """First autocorrelation of the errors, corrected for the fit, −0.5 … 0.97."""
    lags: int
    coefficients: Floats
    """(k,), the effects first."""
    covariances: Floats
    """(2, k, k): Newey–West, autoregression."""
    fitted: Floats
    """(n,)."""
    residuals: Floats
    """(n,)."""

    @property
    def se(self) -> float:
        return max(self.se_hac, self.se_ar)

    @property
    def p_value(self) -> float:
        return t_p_value(self.estimate, self.se, self.dof)

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        return t_interval(self.estimate, self.se, self.dof, level)

    @property
    def durbin_watson(self) -> float:
        return float((np.diff(self.residuals) ** 2).sum() / (self.residuals**2).sum())

    def coefficient(self, at: int) -> tuple[float, float]:
        """One coefficient and its standard error."""
        return float(self.coefficients[at]), float(np.sqrt(self.covariances[:, at, at].max()))


def newey_west_lags(n: int) -> int:
    """Newey and West (1994): the whole part of 4 (n / 100)^(2/9), at least 1."""
    return max(1, int(4 * (n / 100) ** (2 / 9)))


def segmented(
    y: Floats, effects: Floats, rest: Floats, contrast: Floats | None = None, *, lags: int | None = None
) -> Segmented:
    """Ordinary least squares of a series in order of time.

    Parameters
    ----------
    y : (n,). effects : (n, q) step, and slope after it. rest : (n, p) trend and controls, without the intercept.
    contrast : (q,) the combination of effects that is wanted; the first of them if None.
    lags : of the Newey–West covariance; by rule if None.

    Raises
    ------
    DataError : the effects are determined by the rest, there are too few rows, or the fit is perfect.
    """
    from statsmodels.regression.linear_model import OLS

    n, q = len(y), effects.shape[1]
    kept = independent(np.column_stack([np.ones(n), rest]))
    x = np.column_stack([effects, np.column_stack([np.ones(n), rest])[:, kept]])
    k = x.shape[1]
    if n - k < 2:
        raise DataError(f"{n} periods for {k} parameters", expected="more periods, or fewer controls")
    if np.linalg.matrix_rank(x / np.linalg.norm(x, axis=0)) < k:
        raise DataError(
            "the shift is determined by the trend and the controls, so its effect cannot be told from theirs",
            next_step="Leave out the control that changes at the same date.",
        )
    lags = min(newey_west_lags(n) if lags is None else lags, n - 2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of the condition number; a trend in years has a large one
        fit = OLS(y, x).fit(cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": True}, use_t=True)
    u = np.asarray(fit.resid, dtype=np.float64)
    if u @ u <= 1e-20 * float(((y - y.mean()) ** 2).sum()):
        raise DataError("trend, shift and controls reproduce every value, so nothing is left to judge the error by")
    basis = np.linalg.qr(x)[0]
    rho = autocorrelation(u, basis)
    bread = np.linalg.pinv(x)
    ar = bread @ _times_ar(rho, bread.T) * _innovation_scale(u, basis, rho)
    covariances = np.stack([np.asarray(fit.cov_params(), dtype=np.float64), ar])
    c = np.zeros(k)
    c[:q] = np.eye(q)[0] if contrast is None else contrast
    variances = np.einsum("i,mij,j->m", c, covariances, c)
    iid = float(u @ u) / (n - k) * float(((c @ bread) ** 2).sum())
    return Segmented(
        float(c @ fit.params),
        se_hac=float(np.sqrt(variances[0])),
        se_ar=float(np.sqrt(variances[1])),
        se_iid=iid**0.5,
        dof=max(n * min(1.0, (1 - rho) / (1 + rho)) - k, _FEWEST_DOF),
        rho=rho,
        lags=lags,
        coefficients=np.asarray(fit.params, dtype=np.float64),
        covariances=covariances,
        fitted=y - u,
        residuals=u,
    )


def autocorrelation(u: Floats, basis: Floats) -> float:
    """First autocorrelation ρ of the errors behind residuals.

    With M the projection off the regressors and Ω the correlations ρ^|i−j|, residuals have the first autocorrelation
    tr(M L M Ω) / tr(M Ω) (L: half the shift and its transpose). The ρ is returned for which that is what is seen.

    Parameters
    ----------
    u : (n,) residuals. basis : (n, k) orthonormal, spanning the regressors.
    """
    n = len(u)
    seen = float(u[1:] @ u[:-1] / (u @ u))
    if n > _LONG:
        return float(np.clip(seen, _LEAST_RHO, _MOST_RHO))
    m = np.eye(n) - basis @ basis.T
    shifted = np.zeros((n, n))
    shifted[1:] += m[:-1] / 2
    shifted[:-1] += m[1:] / 2
    apart = np.abs(np.subtract.outer(np.arange(n), np.arange(n))).ravel()
    top = np.bincount(apart, weights=(m @ shifted).ravel(), minlength=n)
    bottom = np.bincount(apart, weights=m.ravel(), minlength=n)
    grid = np.linspace(_LEAST_RHO, _MOST_RHO, 148)
    powers = grid[:, None] ** np.arange(n)
    return float(np.interp(seen, np.maximum.accumulate((powers @ top) / (powers @ bottom)), grid))


def _innovation_scale(u: Floats, basis: Floats, rho: float) -> float:
    """Variance of the errors: u'u / tr(M Ω)."""
    trace = len(u) - float((basis * _times_ar(rho, basis)).sum())
    return float(u @ u) / trace


def _times_ar(rho: float, x: Floats) -> Floats:
    """Ω x for the correlations Ω = ρ^|i−j|."""
    from scipy.linalg import matmul_toeplitz

    return np.asarray(matmul_toeplitz(rho ** np.arange(len(x)), x), dtype=np.float64)


def gls_ar1(y: Floats, effects: Floats, rest: Floats, contrast: Floats | None = None) -> tuple[float, float, float]:
    """Feasible generalised least squares with first-order autoregressive errors (statsmodels GLSAR).

    Returns
    -------
    estimate, standard error, autoregressive coefficient.
    """
    from statsmodels.regression.linear_model import GLSAR

    with_one = np.column_stack([np.ones(len(y)), rest])
    x = np.column_stack([effects, with_one[:, independent(with_one)]])
    model = GLSAR(y, x, rho=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = model.iterative_fit(maxiter=50)
    c = np.zeros(x.shape[1])
    c[: effects.shape[1]] = np.eye(effects.shape[1])[0] if contrast is None else contrast
    variance = float(c @ np.asarray(fit.cov_params()) @ c)
    return float(c @ fit.params), float(np.sqrt(variance)), float(np.atleast_1d(model.rho)[0])


def ljung_box(residuals: Floats, lags: int, parameters: int = 0) -> float:
    """P-value that the first autocorrelations are all 0 (Ljung and Box 1978)."""
    from scipy.stats import chi2

    n, total = len(residuals), float(residuals @ residuals)
    r = np.array([residuals[lag:] @ residuals[:-lag] / total for lag in range(1, lags + 1)])
    statistic = n * (n + 2) * float((r**2 / (n - np.arange(1, lags + 1))).sum())
    return float(chi2.sf(statistic, max(lags - parameters, 1)))
