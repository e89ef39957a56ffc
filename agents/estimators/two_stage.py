"""Instrumental variables by two-stage least squares and LIML: linearmodels on arrays, pyfixest as the second engine.

Controls are taken out of outcome, treatment and instruments first (Frisch, Waugh and Lovell), which changes no
estimate and lets everything after work on a few columns. Weak instruments are weak_instruments.py's.

References
----------
Wooldridge (2010), Econometric Analysis of Cross Section and Panel Data, section 5.2: 2SLS and its robust covariance.
Anderson and Rubin (1949), Ann. Math. Stat. 20: LIML.
Hansen (1982), Econometrica 50: the J test of over-identifying restrictions.
Hausman (1978), Econometrica 46; Wooldridge (2010), section 6.3.1: its robust form as a regression.
Conley, Hansen and Rossi (2012), Rev. Econ. Stat. 94: instruments that are plausibly, not exactly, exogenous.
"""

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leucippus.agents.estimators.independence import independent
from leucippus.agents.estimators.regression import Fit, Floats, Robust, _feols, regress, t_interval
from leucippus.agents.estimators.second import SecondOpinion, compare
from leucippus.errors import DataError

Method = Literal["2SLS", "LIML"]
_DETERMINED = 1e-9
"""Share of a column's variance below which it counts as determined by others."""
_MOST_LEFT_OUT = 100
"""Units tried one by one for influence; those with the largest scores come first."""


@dataclass(frozen=True, eq=False)
class Partialled:
    """Outcome, treatment and instruments, each less what the controls explain of it."""

    y: Floats
    """(n,)."""
    d: Floats
    """(n,)."""
    z: Floats
    """(n, K), linearly independent."""
    kept: tuple[int, ...]
    """Positions of those K among the instruments that were given; the others add nothing."""
    shares: Floats
    """Share of each given instrument's variance that the controls leave."""
    basis: Floats
    """(n, k), orthonormal columns that span intercept and controls."""
    clusters: NDArray[np.int64] | None
    """(n,) from 0, or None."""

    @property
    def taken(self) -> int:
        """Parameters that intercept and controls cost."""
        return int(self.basis.shape[1])

    @property
    def groups(self) -> int | None:
        return None if self.clusters is None else int(self.clusters.max()) + 1

    def only(self, columns: list[int]) -> "Partialled":
        """The same with some of the instruments."""
        return replace(self, z=self.z[:, columns], kept=tuple(self.kept[i] for i in columns))

    def with_outcome(self, y: Floats) -> "Partialled":
        """The same for another outcome, (n,)."""
        return replace(self, y=_without(self.basis, y))


def partial_out(
    y: Floats, d: Floats, z: ArrayLike, x: ArrayLike | None = None, clusters: ArrayLike | None = None
) -> Partialled:
    """Take intercept and controls out of outcome, treatment and instruments.

    Parameters
    ----------
    y, d : (n,).
    z : (n, K) instruments.
    x : (n, k) controls, or None.
    clusters : (n,) codes, or None.

    Raises
    ------
    DataError : the controls determine the treatment or every instrument, there are too few rows, or a single cluster.
    """
    n = len(y)
    instruments = np.asarray(z, dtype=np.float64).reshape(n, -1)
    basis = _basis(np.empty((n, 0)) if x is None else np.asarray(x, dtype=np.float64).reshape(n, -1))
    codes = None if clusters is None else np.unique(np.asarray(clusters), return_inverse=True)[1].astype(np.int64)
    if codes is not None and codes.max() == 0:
        raise DataError("a single cluster", expected="two or more, to see how they differ")
    left, spread = _without(basis, instruments), _spread(instruments)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = np.where(spread > 0, _spread(left) / spread, 0.0)
    kept = tuple(independent(left, sizes=np.sqrt(spread), determined=_DETERMINED**0.5))
    if not kept:
        raise DataError(
            "the controls determine every instrument, so none of them moves anything",
            next_step="Leave out the control that coincides with the instrument.",
        )
    treatment = _without(basis, d)
    if float(_spread(treatment)) <= _DETERMINED * float(_spread(d)):
        raise DataError("the controls determine the treatment", next_step="Leave out the control that fixes it.")
    if n <= basis.shape[1] + len(kept) + 1:
        raise DataError(
            f"{n} rows for {basis.shape[1]} controls with their intercept and {len(kept)} instruments",
            expected="more rows than parameters",
        )
    return Partialled(_without(basis, y), treatment, left[:, list(kept)], kept, shares, basis, codes)


def two_stage(data: Partialled, method: Method = "2SLS", robust: Robust = "HC1") -> Fit:
    """The effect of the treatment by 2SLS or LIML.

    Parameters
    ----------
    robust : the covariance without clusters, iid or HC1. With clusters it is CRV1 with G/(G−1)·(n−1)/(n−k) and
        clusters − 1 degrees of freedom.

    Raises
    ------
    DataError : the instruments do not move the treatment at all.
    """
    from linearmodels.iv import IV2SLS, IVLIML

    if np.abs(data.z.T @ data.d).max() <= _DETERMINED * np.sqrt((data.z**2).sum(axis=0).max() * (data.d**2).sum()):
        raise DataError("the instruments are unrelated to the treatment", next_step="Bring another instrument.")
    engine = IV2SLS if method == "2SLS" else IVLIML
    options: dict[str, Any] = {"cov_type": "unadjusted" if robust == "iid" else "robust"}
    dof = len(data.y) - data.taken - 1
    words = {"iid": "constant-variance standard error"}.get(
        robust, f"heteroskedasticity-robust standard error ({robust})"
    )
    if data.clusters is not None and data.groups is not None:
        options = {"cov_type": "clustered", "clusters": data.clusters}
        dof, words = data.groups - 1, f"standard error clustered in {data.groups} groups (CRV1)"
    result = engine(data.y, None, data.d, data.z).fit(debiased=True, extra_df=data.taken, **options)
    estimate = np.asarray(result.params, dtype=np.float64)
    return Fit(
        estimate,
        np.asarray(result.cov, dtype=np.float64),
        float(dof),
        len(data.y),
        data.taken + 1,
        data.y - data.d * estimate[0],
        words,
    )


def second_engine(
    y: Floats, d: Floats, z: Floats, x: ArrayLike | None, first: Fit, clusters: ArrayLike | None = None
) -> SecondOpinion:
    """2SLS by pyfixest with the controls in the equation, HC1 or CRV1."""
    import pandas as pd

    matrix = np.empty((len(y), 0)) if x is None else np.asarray(x, dtype=np.float64).reshape(len(y), -1)
    named = {"y": y, "d": d} | {f"z{i}": column for i, column in enumerate(z.T)}
    named |= {f"x{i}": column for i, column in enumerate(matrix.T)}
    exogenous = " + ".join(name for name in named if name[0] == "x") or "1"
    vcov: str | dict[str, str] = "HC1"
    if clusters is not None:
        named["g"] = np.asarray(clusters)
        vcov = {"CRV1": "g"}
    formula = f"y ~ {exogenous} | d ~ {' + '.join(name for name in named if name[0] == 'z')}"
    fit = _feols(formula, pd.DataFrame(named), vcov, None)
    at = list(fit._coefnames).index("d")
    return compare(
        "pyfixest 2SLS",
        float(fit._beta_hat[at]),
        float(np.sqrt(fit._vcov[at, at])),
        (first.estimate, first.se),
        "both scale the sandwich by n/(n−k); they count columns that others determine differently",
    )


def over_identification(data: Partialled) -> tuple[float, float, int]:
    """Hansen's J (two-step GMM, weights robust, or clustered as the data): statistic, p-value, degrees of freedom."""
    from linearmodels.iv import IVGMM

    options: dict[str, Any] = {} if data.clusters is None else {"clusters": data.clusters}
    kind: Any = "robust" if data.clusters is None else "clustered"
    fit: Any = IVGMM(data.y, None, data.d, data.z, weight_type=kind, **options).fit()
    test = fit.j_stat
    return float(test.stat), float(test.pval), int(test.df)


def endogeneity(data: Partialled) -> tuple[float, Fit]:
    """P-value of the regression form of Hausman's test that least squares would do, and least squares itself."""
    controls = data.basis[:, 1:] if data.taken > 1 else None
    ordinary = regress(data.y, data.d, controls, clusters=data.clusters)
    residual = data.d - data.z @ np.linalg.lstsq(data.z, data.d, rcond=None)[0]
    if float(_spread(residual)) <= _DETERMINED * float(_spread(data.d)):
        return 1.0, ordinary  # the instruments are the treatment: both estimates are one
    augmented = regress(data.y, np.column_stack([residual, data.d]), controls, clusters=data.clusters)
    return augmented.p_value, ordinary


def leave_out(data: Partialled) -> tuple[float, float, int]:
    """Smallest and largest 2SLS estimate with one unit (cluster or row) left out, and how many units were tried.

    Rows leave exactly, controls and first stage refitted, by the block form of the leverage formula; only the units
    with the largest scores are tried.
    """
    z = np.linalg.qr(data.z)[0]
    fitted = z @ (z.T @ data.d)
    residual = data.y - data.d * float(fitted @ data.y) / float(fitted @ data.d)
    groups = np.arange(len(data.y)) if data.clusters is None else data.clusters
    score = np.abs(np.bincount(groups, weights=fitted * residual))
    stacked = np.column_stack([z, data.d, data.y])
    cross = stacked.T @ stacked
    found = []
    for unit in np.argsort(score)[::-1][:_MOST_LEFT_OUT]:
        rows = np.flatnonzero(groups == unit)
        q, block = data.basis[rows], stacked[rows]
        # (I − QQ′)⁻¹ = I + Q (I − Q′Q)⁻¹ Q′: what the left-out rows took part in fitting is given back.
        hat = np.eye(q.shape[1]) - q.T @ q
        without = cross - block.T @ block - (block.T @ q) @ np.linalg.pinv(hat, hermitian=True) @ (q.T @ block)
        zz, zd, zy = without[:-2, :-2], without[:-2, -2], without[:-2, -1]
        weights = np.linalg.lstsq(zz, zd, rcond=None)[0]
        if abs(weights @ zd) > _DETERMINED * cross[-2, -2]:
            found.append(float(weights @ zy / (weights @ zd)))
    if not found:
        raise DataError("the first stage rests on a single unit", next_step="Bring more units.")
    return min(found), max(found), len(found)


@dataclass(frozen=True)
class DirectEffects:
    """2SLS when the instruments act on the outcome themselves (Conley et al. 2012, the union of intervals).

    A direct effect has a size: standard deviations of the outcome for one standard deviation of each instrument, both
    as the controls leave them, each in the direction that moves the estimate most. Estimate and residuals are linear
    in it, so the variance is a parabola.
    """

    estimate: float
    shift: float
    """Of the estimate, for size 1."""
    variance: tuple[float, float, float]
    """At size s it is v₀ − 2 v₁ s + v₂ s²."""
    dof: float

    def interval(self, size: float) -> tuple[float, float]:
        """Union of the 95% intervals over direct effects up to this size, either sign."""
        ends: list[float] = []
        for s in (size, -size):
            variance = self.variance[0] - 2 * self.variance[1] * s + self.variance[2] * s**2
            ends.extend(t_interval(self.estimate - s * self.shift, max(variance, 0.0) ** 0.5, self.dof))
        return min(ends), max(ends)

    def tolerated(self, most: float = 1.0) -> float:
        """The size at which the interval first reaches 0, at most `most`; 0 if it holds 0 already."""
        from scipy.optimize import brentq

        def nearest(size: float) -> float:
            low, high = self.interval(size)
            return low if self.estimate > 0 else -high

        if nearest(0.0) <= 0:
            return 0.0
        return float(brentq(nearest, 0.0, most, xtol=1e-6)) if nearest(most) < 0 else most


def direct_effects(data: Partialled) -> DirectEffects:
    """How 2SLS moves with a direct effect of the instruments, with the covariance of `two_stage`."""
    fit = two_stage(data)
    fitted = data.z @ np.linalg.lstsq(data.z, data.d, rcond=None)[0]
    gamma = np.sign(fitted @ data.z) * data.y.std() / data.z.std(axis=0)
    own = data.z @ gamma
    shift = float(fitted @ own / (fitted @ data.d))
    scores = np.column_stack([fitted * fit.residuals, fitted * (own - data.d * shift)])
    if data.clusters is not None:
        scores = np.column_stack([np.bincount(data.clusters, weights=column) for column in scores.T])
    meat = scores.T @ scores
    # The small-sample factor is that of the fit, whose variance the first entry must be.
    v = meat * fit.se**2 / meat[0, 0]
    return DirectEffects(fit.estimate, shift, (float(v[0, 0]), float(v[0, 1]), float(v[1, 1])), fit.dof)


def _basis(x: Floats) -> Floats:
    """Orthonormal columns spanning an intercept and `x`, (n, rank)."""
    from scipy.linalg import qr

    n = len(x)
    centred = x - x.mean(axis=0)
    size = np.sqrt((centred**2).sum(axis=0))
    usable = size > _DETERMINED * np.maximum(np.sqrt((x**2).sum(axis=0)), np.finfo(float).tiny)
    intercept = np.full((n, 1), n**-0.5)
    if not usable.any():
        return intercept
    q, r, _ = qr(centred[:, usable] / size[usable], mode="economic", pivoting=True)
    rank = int((np.abs(np.diag(r)) > 1e-8).sum())
    return np.column_stack([intercept, q[:, :rank]])


def _without(basis: Floats, columns: Floats) -> Floats:
    return np.asarray(columns - basis @ (basis.T @ columns), dtype=np.float64)


def _spread(columns: Floats) -> Floats:
    return np.asarray(((columns - columns.mean(axis=0)) ** 2).sum(axis=0))
