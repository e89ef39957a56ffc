"""Synthetic control and synthetic difference-in-differences of a complete panel of outcomes: weights, gaps, effects.

Arrays only: which unit is treated and from when is settled before. Synthetic control is solved here, exactly, because
placebo inference repeats it for every donor; diff-diff gives the second opinion, and is the engine of synthetic
difference-in-differences.

References
----------
Abadie, Diamond and Hainmueller (2010), JASA 105: synthetic control, the ratio of root mean squared prediction errors.
Abadie (2021), J. Econ. Lit. 59, section 3.2(a): predictors weighted by the inverse of their variance.
Arkhangelsky, Athey, Hirshberg, Imbens and Wager (2021), Am. Econ. Rev. 111: synthetic difference-in-differences.
Wolfe (1976), Math. Programming 11: the point of a polytope nearest to the origin.
"""

import contextlib
import logging
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leucippus.agents.estimators.regression import Floats
from leucippus.errors import DataError

PLACEBO_DRAWS = 200


@dataclass(frozen=True, eq=False)
class Gap:
    """A unit beside the weighted average of its donors."""

    weights: Floats
    """(J,), none negative, sum 1."""
    path: Floats
    """(T,), outcome of the unit minus that of its synthetic control."""
    pre: int
    """Periods before the treatment: the first `pre` of the path."""

    @property
    def att(self) -> float:
        """Mean gap over the periods from the treatment on."""
        return float(self.path[self.pre :].mean())

    @property
    def rmspe_pre(self) -> float:
        return float(np.sqrt((self.path[: self.pre] ** 2).mean()))

    @property
    def rmspe_post(self) -> float:
        return float(np.sqrt((self.path[self.pre :] ** 2).mean()))

    @property
    def ratio(self) -> float:
        """Prediction error after over prediction error before; infinite where the fit before is perfect."""
        return self.rmspe_post / self.rmspe_pre if self.rmspe_pre > 0 else float("inf")


@dataclass(frozen=True, eq=False)
class SyntheticDid:
    """Arkhangelsky et al. (2021), algorithm 1, with the placebo variance of algorithm 4."""

    estimate: float
    se: float
    unit_weights: Floats
    """(J,)."""
    time_weights: Floats
    """(pre,)."""
    placebos: Floats
    """(draws,), the effects where there are none."""


def simplex_weights(target: Floats, donors: Floats) -> Floats:
    """min ‖target − donors w‖² over w ≥ 0, Σw = 1, exactly.

    With D = donors − target 1ᵀ the problem is min ‖D w‖² on the simplex. The non-negative u that minimises
    ‖D u‖² + (1ᵀu − 1)² is a multiple of that w, so one non-negative least squares solves it.

    Parameters
    ----------
    target : (m,), donors : (m, J).

    Raises
    ------
    DataError : the solver does not end.
    """
    from scipy.optimize import nnls

    distance = donors - target[:, None]
    scale = float(np.abs(distance).max())
    stacked = np.vstack([distance / scale if scale > 0 else distance, np.ones(donors.shape[1])])
    try:
        u, _ = nnls(stacked, np.append(np.zeros(len(target)), 1.0), maxiter=50 * donors.shape[1])
    except RuntimeError as error:
        raise DataError(f"the weights of the donors do not converge: {error}", next_step="Use fewer donors.") from error
    return np.asarray(u / u.sum(), dtype=np.float64)


def synthetic_gap(unit: Floats, donors: Floats, pre: int, predictors: Floats | None = None) -> Gap:
    """A unit beside the donors' average that resembles it most before the treatment.

    Without predictors the weights minimise the squared gaps of the outcome before the treatment. With them, each
    period's outcome and each predictor is a row, divided by its standard deviation over units.

    Parameters
    ----------
    unit : (T,) outcomes. donors : (T, J). pre : periods before the treatment.
    predictors : (p, 1 + J), the unit first, or None.
    """
    rows = np.column_stack([unit, donors])[:pre]
    if predictors is not None:
        rows = np.vstack([rows, predictors])
        spread = rows.std(axis=1, ddof=1, keepdims=True)
        rows = rows / np.where(spread > 0, spread, 1.0)
    weights = simplex_weights(rows[:, 0], rows[:, 1:])
    return Gap(weights, unit - donors @ weights, pre)


def library_gap(unit: Floats, donors: Floats, pre: int, predictors: Floats | None = None) -> Gap:
    """The same through diff-diff's SyntheticControl."""
    from diff_diff import SyntheticControl

    periods, units = len(unit), donors.shape[1] + 1
    frame = _long(np.column_stack([unit, donors]), np.arange(units) == 0, pre)
    names = [] if predictors is None else [f"x{i}" for i in range(len(predictors))]
    for name, row in zip(names, [] if predictors is None else predictors, strict=True):
        frame[name] = np.tile(row, periods)
    model = (
        SyntheticControl(v_method="inverse_variance", seed=0)
        if names
        else SyntheticControl(v_method="custom", custom_v=np.ones(pre), standardize="none", seed=0)
    )
    with _quiet():
        found = model.fit(
            frame, "y", "on", "unit", "time", treated_unit=0, predictors=names or None, pre_period_outcomes="all"
        )
    weights = np.array([float(found.donor_weights.get(j, 0.0)) for j in range(1, units)])
    return Gap(weights, unit - donors @ weights, pre)


def synthetic_did(
    y: Floats,
    treated: NDArray[np.bool_],
    pre: int,
    covariates: Floats | None = None,
    *,
    draws: int = PLACEBO_DRAWS,
) -> SyntheticDid:
    """Synthetic difference-in-differences by diff-diff, with placebo standard errors.

    Parameters
    ----------
    y : (T, N) outcomes. treated : (N,). pre : periods before the treatment.
    covariates : (p, T, N), taken out of the outcome first, or None.
    draws : placebos for the standard error; the estimate itself needs none.

    Raises
    ------
    DataError : too few donors to pose as treated, or the library cannot fit.
    """
    from diff_diff import SyntheticDiD

    if int((~treated).sum()) <= int(treated.sum()):
        raise DataError(
            f"{int((~treated).sum())} donors for {int(treated.sum())} treated units",
            expected="more donors than treated",
        )
    frame = _long(y, treated, pre)
    names = [] if covariates is None else [f"x{i}" for i in range(len(covariates))]
    for name, values in zip(names, [] if covariates is None else covariates, strict=True):
        frame[name] = values.ravel()
    try:
        with _quiet():
            found = SyntheticDiD(variance_method="placebo", n_bootstrap=draws, seed=0).fit(
                frame, "y", "group", "unit", "time", list(range(pre, len(y))), covariates=names or None
            )
    except ValueError as error:
        raise DataError(f"synthetic difference-in-differences cannot be fitted: {error}") from error
    return SyntheticDid(
        float(found.att),
        float(found.se),
        np.array([float(found.unit_weights.get(j, 0.0)) for j in np.flatnonzero(~treated)]),
        np.array([float(found.time_weights.get(t, 0.0)) for t in range(pre)]),
        np.asarray(found.variance_effects, dtype=np.float64),
    )


def _long(y: Floats, treated: NDArray[np.bool_], pre: int) -> pd.DataFrame:
    """One row for each period and unit, periods outermost."""
    periods, units = y.shape
    time, unit = np.repeat(np.arange(periods), units), np.tile(np.arange(units), periods)
    group = np.tile(treated, periods).astype(int)
    return pd.DataFrame(
        {"unit": unit, "time": time, "y": y.ravel(), "group": group, "on": group * (time >= pre).astype(int)}
    )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """diff-diff warns of a poor fit before the treatment and of draws it lost; checks of our own say both in values."""
    logger = logging.getLogger("diff_diff")
    level = logger.level
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            logger.setLevel(level)
