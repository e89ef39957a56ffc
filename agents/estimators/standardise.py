"""Standardisation (g-computation): predict everyone's outcome in both arms, average over the target population.

The outcome is linear in the controls, with its own slopes in each arm.

References
----------
Robins (1986), Math. Modelling 7: the g-formula.
Lin (2013), Ann. Appl. Stat. 7: the same number as the coefficient of a regression with centred interactions.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from leucippus.agents.estimators.influence import Effect, from_influence
from leucippus.agents.estimators.normal_equations import gram, moments, predict, quadratic
from leucippus.agents.estimators.regression import Floats
from leucippus.errors import DataError

Target = Literal["ATE", "ATT", "ATC"]
_FULL_LEVERAGE = 1 - 1e-8


def standardise(y: Floats, d: Floats, basis: Floats, target: Target, clusters: ArrayLike | None = None) -> Effect:
    """Effect by outcome regression in each arm, averaged over the rows of the target.

    Parameters
    ----------
    y, d : (n,); `d` of 0 and 1.
    basis : (n, p) controls; collinear columns do no harm.

    Raises
    ------
    DataError : an arm has no more rows than independent columns, or there is a single cluster.
    """
    n = len(y)
    over = _over(d, target)
    mean = moments(basis, over) / over.sum()
    influence, effects, parameters = np.zeros(n), np.zeros(n), 0
    for arm, sign in ((1, 1.0), (0, -1.0)):
        inside = d == arm
        # Over its own rows an arm's regression averages to its mean outcome, so that needs no slopes.
        used = basis[:, :0] if target == ("ATT" if arm else "ATC") else basis
        weights = inside.astype(np.float64)
        matrix = gram(used, weights)
        inverse: Floats = np.asarray(np.linalg.pinv(matrix, rcond=1e-10, hermitian=True), dtype=np.float64)
        coefficients = inverse @ moments(used, weights * y)
        rank = round(float(np.trace(inverse @ matrix)))
        if inside.sum() <= rank:
            raise DataError(
                f"{inside.sum()} {'treated' if arm else 'untreated'} rows for {rank} parameters",
                expected="more rows than parameters in each arm",
                next_step="State fewer controls.",
            )
        predicted = predict(used, coefficients)
        leverage = quadratic(used, inverse)
        # HC2; a row that alone fixes its own level has residual 0 whatever its outcome was.
        scale = np.sqrt(1 - leverage.clip(max=_FULL_LEVERAGE))
        residual = np.where(inside & (leverage < _FULL_LEVERAGE), (y - predicted) / scale, 0.0)
        influence += sign * n * predict(used, inverse @ mean[: len(coefficients)]) * residual
        effects += sign * predicted
        parameters += rank
    estimate = float(over @ effects / over.sum())
    influence += over * (effects - estimate) / over.mean()
    return from_influence(estimate, influence, parameters, clusters, "influence values, ")


def without_each(y: Floats, d: Floats, basis: Floats, groups: Sequence[Sequence[int]], target: Target) -> list[float]:
    """The effect with each group of columns left out in turn, from the same sums over rows.

    Parameters
    ----------
    groups : positions of columns in `basis`.
    """
    over = _over(d, target)
    mean = moments(basis, over) / over.sum()
    arms = [(sign, gram(basis, inside), moments(basis, inside * y)) for sign, inside in ((1, d), (-1, 1 - d))]
    found = []
    for group in groups:
        kept = np.delete(np.arange(len(mean)), [position + 1 for position in group])
        found.append(
            sum(
                sign
                * float(mean[kept] @ np.linalg.pinv(matrix[np.ix_(kept, kept)], 1e-10, hermitian=True) @ right[kept])
                for sign, matrix, right in arms
            )
        )
    return found


def _over(d: Floats, target: Target) -> Floats:
    """Weights of the rows that the effect is averaged over, (n,)."""
    return {"ATE": np.ones(len(d)), "ATT": d, "ATC": 1 - d}[target]
