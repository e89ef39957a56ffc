"""The front-door effect: treatment and outcome share unmeasured causes, but all of the effect runs through mediators
that are free of them.

Knows arrays only. Two estimators of the same formula, E[Y | do d] = E_x Σ_m P(m | d, x) Σ_d' E[Y | d', m, x] P(d' | x):
for mediators of a few values, its efficient influence function with one model for each factor (saturated without
controls: then it is the plug-in of the frequencies); for numbers, least squares and the product of coefficients.

References
----------
Pearl (1995), Biometrika 82: the formula.
Fulcher, Shpitser, Marealle and Tchetgen Tchetgen (2020), J. R. Stat. Soc. B 82: the influence function (theorem 1).
"""

import numpy as np
from numpy.typing import NDArray

from leucippus.agents.estimators.basis import basis
from leucippus.agents.estimators.influence import Effect, from_influence
from leucippus.agents.estimators.mediation import centred_basis, least_squares
from leucippus.agents.estimators.overlap import propensity
from leucippus.agents.estimators.regression import Floats
from leucippus.agents.estimators.second import SecondOpinion, compare
from leucippus.errors import DataError

Codes = NDArray[np.int64]

_PENALTY = 0.1
"""Ridge penalty on a standardised coefficient of the mediator's model, in units of one row's information."""


def discrete_front_door(
    y: Floats, d: Floats, m: Codes, x: Floats | None = None, *, clusters: Codes | None = None
) -> Effect:
    """Effect of a 0/1 treatment through a mediator with a few values.

    Parameters
    ----------
    y, d : (n,); `d` of 0 and 1.
    m : (n,) value of the mediator (or combination of values of several), as codes from 0.
    x : (n, k) controls, or None.
    clusters : (n,) codes from 0, or None.

    Raises
    ------
    DataError : a value of the mediator is missing from an arm, or there is a single cluster.
    """
    n, levels = len(y), int(m.max()) + 1
    cells = np.bincount(d.astype(np.int64) * levels + m, minlength=2 * levels).reshape(2, levels)
    if (cells == 0).any():
        raise DataError(
            "a value of the mediator occurs in one arm only, so what it does in the other is unknown",
            next_step="Join rare values of the mediator, or treat it as a number.",
        )
    columns = np.empty((n, 0)) if x is None else basis(x, int(cells.min()))
    treated = propensity(d, columns)
    chance = np.stack([1 - treated, treated], axis=1)  # P(d | x), (n, 2)
    value = np.stack([_chances(m[d == arm], columns[d == arm], columns, levels) for arm in (0, 1)], axis=1)
    mean = _cell_means(y, d, m, columns, levels)  # E[y | d, m, x], (n, 2, levels)
    rows, own = np.arange(n), d.astype(np.int64)
    # η(m, x): mean outcome at a value of the mediator, whoever is treated; (n, levels).
    eta = (mean * chance[:, :, None]).sum(axis=1)
    residual = y - mean[rows, own, m]
    scores = []
    for arm in (1, 0):
        ratio = value[rows, arm, m] / value[rows, own, m]
        moved = (eta[rows, m] - (eta * value[:, arm]).sum(axis=1)) * (own == arm) / chance[rows, arm]
        scores.append(ratio * residual + moved + (mean[rows, own] * value[:, arm]).sum(axis=1))
    influence = scores[0] - scores[1]
    estimate = float(influence.mean())
    parameters = 2 * levels + (1 + levels) * columns.shape[1]
    return from_influence(estimate, influence - estimate, parameters, clusters, "influence values, ")


def linear_front_door(
    y: Floats,
    d: Floats,
    m: Floats,
    x: Floats | None = None,
    *,
    interaction: bool = False,
    clusters: Codes | None = None,
) -> Effect:
    """Effect of one unit of the treatment through mediators that are numbers, all equations linear.

    Parameters
    ----------
    y, d : (n,).
    m : (n, q) mediators.
    x : (n, k) controls, or None.
    interaction : whether what a mediator does may depend on the treatment; it is averaged over the rows.
    clusters : (n,) codes from 0, or None.

    Raises
    ------
    DataError : mediators, treatment and controls determine one another, too few rows, or a single cluster.
    """
    n, q = m.shape
    around, t = centred_basis(x, n), d - d.mean()
    first = [least_squares(column, np.column_stack([np.ones(n), t, around])) for column in m.T]
    both = m * t[:, None] if interaction else np.empty((n, 0))
    second = least_squares(y, np.column_stack([np.ones(n), m, t, both, around]))
    alpha = np.array([fit.coefficients[1] for fit in first])
    beta = second.coefficients[1 : 1 + q]
    influence = second.influence[:, 1 : 1 + q] @ alpha + sum(
        (b * fit.influence[:, 1] for b, fit in zip(beta, first, strict=True)), np.zeros(n)
    )
    if interaction:
        # The treatment's mean, at which β is taken, is itself estimated.
        influence = influence + t / n * float(alpha @ second.coefficients[2 + q : 2 + 2 * q])
    parameters = 3 + q + both.shape[1] + around.shape[1]
    return from_influence(float(alpha @ beta), n * influence, parameters, clusters, "delta method (HC3), ")


def product_second(
    y: Floats, d: Floats, m: Floats, x: Floats | None, first: Effect, *, interaction: bool, same: bool
) -> SecondOpinion:
    """The products of coefficients again, by statsmodels, equation by equation.

    Parameters
    ----------
    same : whether the first number came from the linear equations too; otherwise the two may differ a little.
    """
    from statsmodels.regression.linear_model import OLS

    n, q = m.shape
    around, t = (np.empty((n, 0)) if x is None else x), d - d.mean()
    ones = np.ones(n)
    first_stage = [OLS(column, np.column_stack([t, ones, around])).fit(cov_type="HC3") for column in m.T]
    both = m * t[:, None] if interaction else np.empty((n, 0))
    outcome = OLS(y, np.column_stack([m, t, both, ones, around])).fit(cov_type="HC3")
    alpha = np.array([fit.params[0] for fit in first_stage])
    of_alpha = np.array([fit.bse[0] for fit in first_stage])
    beta = np.asarray(outcome.params[:q])
    covariance = np.asarray(outcome.cov_params())[:q, :q]
    se = float(np.sqrt(alpha @ covariance @ alpha + ((beta * of_alpha) ** 2).sum()))
    engine, estimate = "statsmodels OLS, products of coefficients", float(alpha @ beta)
    if same:
        why = "here the equations count as independent, without clusters"
        return compare(engine, estimate, se, (first.estimate, first.se), why)
    apart = abs(estimate - first.estimate) / first.se
    note = f"{apart:.2g} standard errors apart: additive linear equations instead of a mean for every combination"
    return SecondOpinion(engine, estimate, se, apart < 1, note)


def _chances(m: Codes, fitted_on: Floats, columns: Floats, levels: int) -> Floats:
    """P(m | arm, x) for every row, from the rows of one arm, (n, levels)."""
    if columns.shape[1] == 0:
        return np.tile(np.bincount(m, minlength=levels) / len(m), (len(columns), 1))
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1 / _PENALTY, max_iter=500).fit(fitted_on, m)
    return np.asarray(model.predict_proba(columns), dtype=np.float64)


def _cell_means(y: Floats, d: Floats, m: Codes, columns: Floats, levels: int) -> Floats:
    """E[y | d, m, x] for every row at every treatment and mediator: a mean a cell, shifted by the controls in a line."""
    cell = d.astype(np.int64) * levels + m
    size = np.bincount(cell, minlength=2 * levels)

    def centre(z: Floats) -> Floats:
        return np.asarray(np.bincount(cell, weights=z, minlength=2 * levels) / size)

    centre_y = centre(y)
    centre_x = np.array([centre(column) for column in columns.T]).reshape(columns.shape[1], 2 * levels).T
    slope = np.linalg.lstsq(columns - centre_x[cell], y - centre_y[cell], rcond=None)[0]
    level = centre_y - centre_x @ slope
    return np.asarray((columns @ slope)[:, None] + level, dtype=np.float64).reshape(len(y), 2, levels)
