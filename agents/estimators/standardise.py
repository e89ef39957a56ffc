"""Standardisation (g-computation): predict everyone's outcome in both arms, average over the target population.

The outcome is linear in the controls, with its own slopes in each arm.

References
----------
Robins (1986), Math. Modelling 7: the g-formula.
Lin (2013), Ann. Appl. Stat. 7: the same number as the coefficient of a regression with centred interactions.
"""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from leucippus.agents.estimators.influence import Effect, from_influence
from leucippus.agents.estimators.regression import Floats
from leucippus.errors import DataError

_FULL_LEVERAGE = 1 - 1e-8


def standardise(
    y: Floats, d: Floats, basis: Floats, target: Literal["ATE", "ATT", "ATC"], clusters: ArrayLike | None = None
) -> Effect:
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
    z = np.column_stack([np.ones(n), basis])
    over = {"ATE": np.ones(n), "ATT": d, "ATC": 1 - d}[target]
    mean = over @ z / over.sum()
    influence, predictions, parameters = np.zeros(n), [], 0
    for arm, sign in ((1, 1.0), (0, -1.0)):
        inside = d == arm
        # Over its own rows an arm's regression averages to its mean outcome, so that needs no slopes.
        used = z[:, :1] if target == ("ATT" if arm else "ATC") else z
        rows = used[inside]
        inverse = np.linalg.pinv(rows.T @ rows, rcond=1e-10, hermitian=True)
        coefficients = inverse @ (rows.T @ y[inside])
        rank = round(float(np.trace(inverse @ (rows.T @ rows))))
        if len(rows) <= rank:
            raise DataError(
                f"{len(rows)} {'treated' if arm else 'untreated'} rows for {rank} parameters",
                expected="more rows than parameters in each arm",
                next_step="State fewer controls.",
            )
        residual = y[inside] - rows @ coefficients
        leverage = np.einsum("ij,ij->i", rows @ inverse, rows)
        # HC2; a row that alone fixes its own level has residual 0 whatever its outcome was.
        residual = np.where(leverage < _FULL_LEVERAGE, residual / np.sqrt(1 - leverage.clip(max=_FULL_LEVERAGE)), 0.0)
        influence[inside] += sign * n * (rows @ (inverse @ mean[: used.shape[1]])) * residual
        predictions.append(used @ coefficients)
        parameters += rank
    effects = predictions[0] - predictions[1]
    estimate = float(over @ effects / over.sum())
    influence += over * (effects - estimate) / over.mean()
    return from_influence(estimate, influence, parameters, clusters, "influence values, ")
