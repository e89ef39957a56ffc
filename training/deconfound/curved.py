"""Does a straight line do for the confounders? Score test of their squares and products.

References
----------
Ramsey (1969), JRSS B 31: powers as a test of a linear form. Wooldridge (1991), J. Econometrics 47: its robust score.
"""

from dataclasses import dataclass

import numpy as np

from leucippus.training.deconfound.linear import Slopes, middle
from leucippus.training.deconfound.nuisance import Residuals

_SAME = 1e-8
"""Eigenvalue, of the largest, below which columns say the same."""


@dataclass(frozen=True)
class Curvature:
    """What squares and products of confounders tell of the outcome beyond text and straight lines."""

    statistic: float
    p_value: float
    """That they tell nothing."""
    worst: tuple[int, int]
    """The confounders of the product that tells most; twice the same for a square."""


def curvature(left: Residuals, slopes: Slopes) -> Curvature:
    """Test the scores of the curves, text and confounders taken out, on the residuals of straight lines."""
    from scipy.stats import chi2

    rows = left.rows
    cross = left.cross()
    onto = np.linalg.lstsq(cross[np.ix_(rows.c_at, rows.c_at)], cross[np.ix_(rows.c_at, rows.curves_at)], rcond=None)[0]
    scores = np.empty((rows.n, len(rows.curves)), order="F")
    for piece in rows.slices():
        block = left.block(piece)
        free = block[:, rows.curves_at] - block[:, rows.c_at] @ onto
        scores[piece] = free * (rows.weight[piece] * slopes.u[piece])[:, None]
    total = scores.sum(axis=0)
    meat = middle(scores, left, rows.k)
    size = np.sqrt(np.maximum(np.diag(meat), 1e-300))
    meat, total = meat / np.outer(size, size), total / size
    rank = int(np.linalg.matrix_rank(meat, tol=_SAME, hermitian=True))
    statistic = float(total @ np.linalg.pinv(meat, rcond=_SAME, hermitian=True) @ total)
    p_value = float(chi2.sf(statistic, rank)) if rank else 1.0
    return Curvature(statistic, p_value, rows.curves[int(np.abs(total).argmax())])
