"""Whether any of several columns predicts another: the F test of all at once, and the share they explain.

References
----------
Hansen and Bowers (2008), Statist. Sci. 23: one test for the balance of many covariates.
"""

import numpy as np

from leucippus.agents.estimators.normal_equations import Floats, gram, moments


def explained(x: Floats, target: Floats) -> tuple[float, int]:
    """Share of the variance of `target`, (n,), that a linear function of `x`, (n, k), explains; and the rank of `x`."""
    spread = x.std(axis=0)
    centre, scale = x.mean(axis=0), np.where(spread > 0, spread, 1.0)
    away = target - target.mean()
    # Of standardised columns, without a standardised copy of them: (x - m) / s is linear in x.
    matrix = gram(x, np.ones(len(x)))[1:, 1:] / np.outer(scale, scale)
    matrix -= len(x) * np.outer(centre / scale, centre / scale)
    right = moments(x, away)[1:] / scale
    inverse = np.linalg.pinv(matrix, rcond=1e-10, hermitian=True)
    return float(right @ inverse @ right / (away @ away)), round(float(np.trace(inverse @ matrix)))


def joint_p(x: Floats, target: Floats, lost: int = 0, least: int = 1) -> float:
    """P-value of the F test that no column of `x`, (n, k), predicts `target`, (n,); nan where there is nothing to test.

    Parameters
    ----------
    lost : degrees of freedom taken before, such as by the means of blocks.
    least : how many must be left.
    """
    from scipy.special import fdtrc

    if x.shape[1] == 0 or np.ptp(target) == 0:
        return float("nan")
    share, q = explained(x, target)
    rest = len(target) - q - 1 - lost
    if q == 0 or rest < least:
        return float("nan")
    return float(fdtrc(q, rest, share / q / ((1 - share) / rest))) if 1 - share > 1e-12 else 0.0
