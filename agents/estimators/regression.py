"""Linear regression with robust and clustered standard errors: pyfixest under names of our own, so that no column name
can break a formula.

References
----------
MacKinnon and White (1985), J. Econometrics 29: HC2, HC3.
MacKinnon, Nielsen and Webb (2023), J. Econometrics 232: cluster-robust inference, CRV1 and the jackknife CRV3.
"""

import contextlib
import warnings
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from leucippus.errors import DataError

Floats = NDArray[np.float64]
Robust = Literal["iid", "HC1", "HC2", "HC3"]
_EXACT = 1e-20
"""Share of the outcome's variance below which residuals are rounding."""


@dataclass(frozen=True, eq=False)
class Fit:
    """Coefficients of interest and their joint uncertainty."""

    coefficients: Floats
    """(q,), one for each column of `d`."""
    covariance: Floats
    """(q, q)."""
    dof: float
    """Degrees of freedom of the t distribution for intervals: clusters − 1, or rows − parameters."""
    n: int
    parameters: int
    residuals: Floats
    """(n,)."""
    inference: str
    """How the covariance was made, in words."""
    left_out: tuple[int, ...] = ()
    """Columns of `x` that others determine, by position; left out of the fit."""

    @property
    def estimate(self) -> float:
        return float(self.coefficients[0])

    @property
    def se(self) -> float:
        return float(np.sqrt(self.covariance[0, 0]))

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Of the first coefficient."""
        return t_interval(self.estimate, self.se, self.dof, level)

    @property
    def p_value(self) -> float:
        """Two-sided, that the first coefficient is 0."""
        return t_p_value(self.estimate, self.se, self.dof)


def t_quantile(level: float, dof: float) -> float:
    """How many standard errors an interval of this level reaches to either side; normal if `dof` is inf."""
    from scipy.special import stdtrit  # scipy.stats would take a second to load

    return float(stdtrit(dof, 0.5 + level / 2))


def t_interval(estimate: float, se: float, dof: float, level: float = 0.95) -> tuple[float, float]:
    half = t_quantile(level, dof) * se
    return estimate - half, estimate + half


def t_p_value(estimate: float, se: float, dof: float) -> float:
    from scipy.special import stdtr

    return float(2 * stdtr(dof, -abs(estimate) / se)) if se > 0 else float("nan")


def regress(
    y: Floats,
    d: Floats,
    x: ArrayLike | pd.DataFrame | None = None,
    *,
    absorb: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    weights: Floats | None = None,
    robust: Robust = "HC1",
) -> Fit:
    """Ordinary (or weighted) least squares of `y` on `d`, `x`, an intercept and absorbed effects.

    Parameters
    ----------
    y : (n,).
    d : (n,) or (n, q), the columns whose coefficients are wanted.
    x : (n, k) controls, or None.
    absorb : (n,) or (n, f) codes of fixed effects taken out before the fit, or None.
    clusters : (n,) codes; if given, the covariance is CRV1 with G/(G−1) correction and clusters − 1 degrees of freedom.
    weights : (n,) analytic weights, or None.
    robust : the covariance without clusters.

    Raises
    ------
    DataError : a column of `d` is determined by the rest, there are too few rows or clusters, or the fit is exact.
    """
    d = d.reshape(len(y), -1)
    matrix = np.empty((len(y), 0)) if x is None else np.asarray(x, dtype=np.float64).reshape(len(y), -1)
    wanted = [f"d{i}" for i in range(d.shape[1])]
    controls = [f"x{i}" for i in range(matrix.shape[1])]
    columns: dict[str, ArrayLike] = {"y": y}
    columns |= dict(zip(wanted, d.T, strict=True)) | {controls[i]: matrix[:, i] for i in _told_apart(matrix)}
    formula = "y ~ " + " + ".join(name for name in columns if name != "y")
    if absorb is not None:
        effects = np.asarray(absorb).reshape(len(y), -1)
        together = _not_alone(effects)
        if not together.any():
            raise DataError(
                "every row is the only one of its unit or period, so nothing is left once their effects are taken out",
                expected="units and periods with two rows or more",
            )
        names = [f"f{i}" for i in range(effects.shape[1])]
        columns |= dict(zip(names, effects.T, strict=True))
        formula += " | " + " + ".join(names)
    vcov: str | dict[str, str] = robust
    words = {"iid": "constant-variance standard error"}.get(
        robust, f"heteroskedasticity-robust standard error ({robust})"
    )
    if clusters is not None:
        columns["g"] = np.asarray(clusters)
        vcov = {"CRV1": "g"}
        n_clusters = len(np.unique(columns["g"]))
        if n_clusters < 2:
            raise DataError("a single cluster", expected="two or more, to see how they differ")
        words = f"standard error clustered in {n_clusters} groups (CRV1)"
    if weights is not None:
        columns["w"] = weights
    determined = DataError(
        "the treatment is determined by the controls or the fixed effects, so its effect cannot be told from theirs",
        next_step="Leave out the control that fixes the treatment.",
    )
    try:
        fit = _feols(formula, pd.DataFrame(columns), vcov, None if weights is None else "w")
    except (np.linalg.LinAlgError, ZeroDivisionError) as error:
        raise DataError(
            f"{len(y)} rows leave nothing to measure the error by", expected="more rows than parameters"
        ) from error
    except ValueError as error:
        if "collinear" not in str(error):
            raise
        raise determined from error
    found = list(fit._coefnames)
    if any(name not in found for name in wanted):
        raise determined
    at = [found.index(name) for name in wanted]
    parameters = int(fit._k) if absorb is None else int(fit._k + sum(len(np.unique(f)) for f in effects.T) - 1)
    dof = n_clusters - 1 if clusters is not None else len(y) - parameters
    if dof < 1:
        raise DataError(f"{len(y)} rows for {parameters} parameters", expected="more rows than parameters")
    residuals = np.asarray(fit._u_hat, dtype=np.float64).ravel()
    if len(residuals) < len(y):  # pyfixest drops rows that are alone in an effect, which fits them exactly
        kept, residuals = residuals, np.zeros(len(y))
        residuals[together] = kept
    if float((residuals**2).sum()) <= _EXACT * float(((y - y.mean()) ** 2).sum()):
        raise DataError("the regression fits every row exactly, so there is nothing to measure its error by")
    covariance = np.asarray(fit._vcov, dtype=np.float64)[np.ix_(at, at)]
    return Fit(
        np.asarray(fit._beta_hat, dtype=np.float64)[at],
        covariance,
        float(dof),
        len(y),
        parameters,
        residuals,
        words,
        tuple(i for i, name in enumerate(controls) if name not in found),
    )


def _not_alone(effects: NDArray[np.generic]) -> NDArray[np.bool_]:
    """(n,), rows left once those alone in an effect are dropped, again and again; of none pyfixest aborts the process."""
    left = np.ones(len(effects), dtype=bool)
    while True:
        alone = np.zeros(len(effects), dtype=bool)
        for codes in effects.T:
            _, where, counts = np.unique(codes[left], return_inverse=True, return_counts=True)
            alone[np.flatnonzero(left)[counts[where] < 2]] = True
        if not alone.any():
            return left
        left &= ~alone


def _told_apart(x: Floats) -> list[int]:
    """Columns that an intercept and those before them do not determine.

    pyfixest looks for these too, but lets some pass, and its robust covariances are then wrong.
    """
    from leucippus.agents.estimators.independence import DETERMINED, independent

    centred = x - x.mean(axis=0)
    gram = centred.T @ centred
    sizes = np.sqrt(np.diag(gram))
    if sizes.all() and (not sizes.size or np.linalg.eigvalsh(gram / np.outer(sizes, sizes))[0] > DETERMINED):
        return list(range(x.shape[1]))
    return independent(x, np.ones((len(x), 1)))


def _feols(formula: str, frame: pd.DataFrame, vcov: str | dict[str, str], weights: str | None):  # type: ignore[no-untyped-def]
    import pyfixest

    with warnings.catch_warnings(), contextlib.redirect_stdout(None):
        warnings.simplefilter("ignore")  # it warns of every collinear column; `left_out` says it in a value
        # HC2 and HC3 are corrections already; pyfixest would put n / (n − k) on top of them.
        small_sample = pyfixest.ssc(k_adj=vcov not in ("HC2", "HC3"))
        return pyfixest.feols(
            formula, frame, vcov, weights=weights, ssc=small_sample, copy_data=False, store_data=False
        )
