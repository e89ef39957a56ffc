"""Local-polynomial estimates of a jump at a cutoff, with bias-corrected intervals. Knows arrays, no design.

Two routes. `select_and_fit` is diff-diff's port of rdrobust: a data-driven bandwidth, nearest-neighbour variance, normal
quantiles. `fit_within` is for a bandwidth that is given, few rows, or clusters: one weighted regression, HC3 or clustered
variance, t quantiles. In the second the bias is estimated with the same bandwidth as the effect (ρ = 1), so that the
corrected estimate is the fit of one order more (Calonico, Cattaneo and Titiunik 2014, Remark 7).

Throughout the running variable `z` is measured from the cutoff, and rows with z ≥ 0 are the right side.

References
----------
Calonico, Cattaneo and Titiunik (2014), Econometrica 82: bias correction and the variance that goes with it; section 3.2,
    the fuzzy ratio.
Calonico, Cattaneo, Farrell and Titiunik (2019), Rev. Econ. Stat. 101: covariates with one coefficient on both sides.
Calonico, Cattaneo and Farrell (2020), Econometrics J. 23: the bandwidth best for the coverage of intervals.
Kolesár and Rothe (2018), Am. Econ. Rev. 108: robust rather than clustered variance for a discrete running variable.
Feir, Lemieux and Marmer (2016), J. Bus. Econ. Stat. 34: tests that do not divide by a weak jump of the treatment.
"""

import warnings
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leucippus.agents.estimators.independence import independent
from leucippus.agents.estimators.regression import Floats, t_p_value, t_quantile
from leucippus.errors import DataError

Kernel = Literal["triangular", "epanechnikov", "uniform"]

_FULL_LEVERAGE = 1 - 1e-8


@dataclass(frozen=True, eq=False)
class Discontinuity:
    """The jump of the outcome at the cutoff; over the jump of the treatment, in the fuzzy case."""

    conventional: float
    conventional_se: float
    corrected: float
    """Without the estimated bias."""
    robust_se: float
    """Of `corrected`, with the noise of the bias estimate in it."""
    dof: float
    """Of the t distribution; inf for normal quantiles."""
    bandwidth: float
    bias_bandwidth: float
    n_left: int
    """Rows within the bandwidth."""
    n_right: int
    order: int
    kernel: Kernel
    variance: str
    first_stage: float | None = None
    """Jump of the treatment, bias-corrected; None in the sharp case."""
    first_stage_se: float | None = None
    left_out: tuple[int, ...] = ()
    """Covariates that others determine within the bandwidth, by position."""

    @property
    def effective_f(self) -> float | None:
        """Squared t of the first stage: with one instrument the effective F."""
        if self.first_stage is None or self.first_stage_se is None:
            return None
        return (self.first_stage / self.first_stage_se) ** 2 if self.first_stage_se > 0 else float("inf")

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Robust, around the corrected estimate."""
        half = t_quantile(level, self.dof) * self.robust_se
        return self.corrected - half, self.corrected + half

    @property
    def p_value(self) -> float:
        return t_p_value(self.corrected, self.robust_se, self.dof)


@dataclass(frozen=True, eq=False)
class Jumps:
    """Jumps of several columns at once, from one weighted regression."""

    estimates: Floats
    """(k,)."""
    covariance: Floats
    """(k, k)."""
    dof: float
    weights: Floats
    """(m,) weight of each row within the bandwidth in the jump: estimates = weights @ columns."""
    residuals: Floats
    """(m, k)."""
    leverage: Floats
    """(m,)."""
    rows: NDArray[np.int64]
    """(m,) which rows those are."""
    left_out: tuple[int, ...]

    @property
    def se(self) -> Floats:
        return np.asarray(np.sqrt(np.diag(self.covariance)), dtype=np.float64)


def select_and_fit(
    y: Floats,
    z: Floats,
    *,
    takeup: Floats | None = None,
    covariates: Floats | None = None,
    order: int = 1,
    bandwidth: float | None = None,
    kernel: Kernel = "triangular",
) -> Discontinuity:
    """Local polynomials with the bandwidth that minimises the estimated mean squared error, by diff-diff.

    Parameters
    ----------
    y, z : (n,) outcome, and running variable measured from the cutoff.
    takeup : (n,) treatment received, for the fuzzy ratio; None if the side is the treatment.
    covariates : (n, k) or None.
    bandwidth : use this one, for effect and bias alike, instead of choosing; same units as `z`.

    Raises
    ------
    DataError : no bandwidth can be chosen, or the local fit is singular.
    """
    from diff_diff import RegressionDiscontinuity

    columns = {"y": y, "z": z}
    if takeup is not None:
        columns["d"] = takeup
    matrix = np.empty((len(y), 0)) if covariates is None else covariates.reshape(len(y), -1)
    names = [f"x{i}" for i in range(matrix.shape[1])]
    columns |= dict(zip(names, matrix.T, strict=True))
    model = RegressionDiscontinuity(cutoff=0.0, p=order, kernel=kernel, h=bandwidth)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # ties and weak jumps of the treatment are checks of the design
        try:
            fit = model.fit(
                pd.DataFrame(columns), "y", "z", takeup=None if takeup is None else "d", covariates=names or None
            )
        except (ValueError, TypeError, np.linalg.LinAlgError) as error:
            # TypeError: with hardly any values of z it compares a bandwidth that has become a complex number.
            raise DataError(
                f"no local polynomial of order {order} can be fitted at the cutoff: {str(error).splitlines()[0]}",
                next_step="State a wider bandwidth, or bring more rows near the cutoff.",
            ) from error
    dropped = set(fit.covariates_dropped or ())
    return Discontinuity(
        float(fit.att_conventional),
        float(fit.se_conventional),
        float(fit.att),
        float(fit.se_robust),
        float("inf"),
        float(fit.h_left),
        float(fit.b_left),
        int(fit.n_h_left),
        int(fit.n_h_right),
        order,
        kernel,
        "nearest-neighbour variance",
        None if fit.first_stage is None else float(fit.first_stage),
        None if fit.first_stage_se is None else float(fit.first_stage_se),
        tuple(i for i, name in enumerate(names) if name in dropped),
    )


def fit_within(
    y: Floats,
    z: Floats,
    bandwidth: float,
    *,
    takeup: Floats | None = None,
    covariates: Floats | None = None,
    clusters: NDArray[np.int64] | None = None,
    order: int = 1,
    kernel: Kernel = "triangular",
    correct: bool = True,
) -> Discontinuity:
    """One weighted regression within a given bandwidth; see `select_and_fit` for the arrays.

    Parameters
    ----------
    clusters : (n,) codes, or None.
    correct : estimate the bias by the next order and take it out; False where only the conventional estimate is wanted.

    Raises
    ------
    DataError : too few rows or different values of the running variable within the bandwidth, or one cluster.
    """
    right = (z >= 0).astype(np.float64)
    columns = np.column_stack([y, right if takeup is None else takeup])
    first = jumps(columns, z, bandwidth, covariates=covariates, clusters=clusters, order=order, kernel=kernel)
    if takeup is not None and abs(first.estimates[1]) <= 1e-12 * max(1.0, float(np.abs(takeup).max())):
        raise DataError("the treatment does not jump at the cutoff, so there is no ratio")
    at_first = 1.0 if takeup is None else float(first.estimates[1])
    effect = float(first.estimates[0]) / at_first
    # The linearised ratio: what is left of the jump of y − effect·d at the next order is the bias (2014, section 3.2).
    kept = first
    if correct:
        kept = jumps(columns, z, bandwidth, covariates=covariates, clusters=clusters, order=order + 1, kernel=kernel)
    gradient = np.array([1.0, 0.0 if takeup is None else -effect])
    near = first.rows
    return Discontinuity(
        effect,
        _spread(gradient, first.covariance) / abs(at_first),
        effect + float(kept.estimates @ gradient) / at_first - (effect if takeup is None else 0.0),
        _spread(gradient, kept.covariance) / abs(at_first),
        kept.dof,
        bandwidth,
        bandwidth,
        int((z[near] < 0).sum()),
        int((z[near] >= 0).sum()),
        order,
        kernel,
        "variance robust to unequal spread (HC3)"
        if clusters is None
        else f"variance clustered in {len(np.unique(clusters[near]))} groups (CRV1)",
        None if takeup is None else float(kept.estimates[1]),
        None if takeup is None else float(kept.se[1]),
        first.left_out,
    )


def jumps(
    columns: Floats,
    z: Floats,
    bandwidth: float,
    *,
    covariates: Floats | None = None,
    clusters: NDArray[np.int64] | None = None,
    order: int = 1,
    kernel: Kernel = "triangular",
) -> Jumps:
    """Jump of each column at z = 0: weighted least squares, one polynomial a side, covariates with one coefficient.

    Parameters
    ----------
    columns : (n, k), or (n,) for one.
    z : (n,); rows beyond `bandwidth` have weight 0.

    Raises
    ------
    DataError : the regression is singular, or has more parameters than rows.
    """
    u = z / bandwidth
    kernel_weight = {
        "triangular": np.clip(1 - np.abs(u), 0, None),
        "epanechnikov": np.clip(1 - u**2, 0, None),
        "uniform": (np.abs(u) <= 1).astype(np.float64),
    }[kernel]
    rows = np.flatnonzero(kernel_weight > 0)
    w, u, target = kernel_weight[rows], u[rows], np.atleast_2d(columns.T).T[rows]
    powers = u[:, None] ** np.arange(order + 1)
    right = (u >= 0).astype(np.float64)[:, None]
    design = np.column_stack([powers * right, powers])
    for side, where in (("left", u < 0), ("right", u >= 0)):
        values = len(np.unique(u[where]))
        if values <= order:
            raise DataError(
                f"{values} different values of the running variable on the {side} side within {bandwidth:g} of the "
                f"cutoff, for a polynomial of order {order}",
                expected=f"at least {order + 1}",
                next_step="State a wider bandwidth or a lower order.",
            )
    left_out: tuple[int, ...] = ()
    if covariates is not None and covariates.size:
        x = covariates.reshape(len(z), -1)[rows]
        kept = independent(x - x.mean(axis=0), design)
        left_out = tuple(i for i in range(x.shape[1]) if i not in kept)
        design = np.column_stack([design, x[:, kept] - x[:, kept].mean(axis=0)])
    root = np.sqrt(w)[:, None]
    q, r = np.linalg.qr(design * root)
    n, parameters = design.shape
    if n <= parameters:
        raise DataError(
            f"{n} rows within {bandwidth:g} of the cutoff, for {parameters} parameters",
            next_step="State a wider bandwidth, a lower order or fewer controls.",
        )
    coefficients = np.linalg.solve(r, q.T @ (target * root))
    residuals = target - design @ coefficients
    # The jump is a weighted sum of the rows: row 0 of (X'WX)⁻¹X'W.
    weights = np.linalg.solve(r, q.T)[0] * root[:, 0]
    leverage = np.asarray((q**2).sum(axis=1), dtype=np.float64)
    if clusters is None:
        # A row with full leverage is fitted exactly and says nothing about spread.
        shrunk = np.where(leverage < _FULL_LEVERAGE, 1 - leverage, np.inf)
        scores = residuals * (weights / shrunk)[:, None]
        covariance, dof = scores.T @ scores, float(n - parameters)
    else:
        codes = np.unique(clusters[rows], return_inverse=True)[1]
        groups = int(codes.max()) + 1
        if groups < 2:
            raise DataError("a single cluster within the bandwidth", expected="two or more, to see how they differ")
        scores = np.zeros((groups, target.shape[1]))
        np.add.at(scores, codes, residuals * weights[:, None])
        covariance = scores.T @ scores * (groups / (groups - 1)) * ((n - 1) / (n - parameters))
        dof = float(groups - 1)
    return Jumps(coefficients[0], covariance, dof, weights, residuals, leverage, rows, left_out)


def ratio_set(fit: Jumps, level: float = 0.95) -> tuple[tuple[float, float], ...]:
    """Values of the ratio (column 0 over column 1) that the data do not reject, however weak the denominator.

    β is in the set where (y − β d)² ≤ c² Var(y − β d): a quadratic inequality in β.

    Returns
    -------
    No, one or two intervals, with infinite ends where nothing bounds them.
    """
    c2 = t_quantile(level, fit.dof) ** 2
    (y, d), v = fit.estimates, fit.covariance
    a, b, c = float(d**2 - c2 * v[1, 1]), float(-2 * (y * d - c2 * v[0, 1])), float(y**2 - c2 * v[0, 0])
    inside = b**2 - 4 * a * c
    if inside < 0:
        return () if a > 0 else ((-np.inf, np.inf),)
    low, high = sorted(((-b - np.sqrt(inside)) / (2 * a), (-b + np.sqrt(inside)) / (2 * a)))
    return ((low, high),) if a > 0 else ((-np.inf, low), (high, np.inf))


def coverage_bandwidth(bandwidth: float, n: int, order: int) -> float:
    """The bandwidth best for the coverage of intervals, from the one best for mean squared error (2020, section 4)."""
    return bandwidth * float(np.power(n, -order / ((3 + order) * (3 + 2 * order))))


def _spread(gradient: Floats, covariance: Floats) -> float:
    return float(np.sqrt(gradient @ covariance @ gradient))
