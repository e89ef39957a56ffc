"""Which columns of a matrix add anything to those before them: one rule for every fit that leaves out what others fix."""

import numpy as np

from leucippus.agents.estimators.regression import Floats

DETERMINED = 1e-7
"""Length of what is left of a column, over its own, below which it is rounding."""


def independent(
    x: Floats, beside: Floats | None = None, sizes: Floats | None = None, determined: float = DETERMINED
) -> list[int]:
    """Positions of the columns that those before them, and those of `beside`, do not determine.

    Parameters
    ----------
    x : (n, k).
    beside : (n, m), which come first; they may determine each other.
    sizes : (k,) lengths that what is left is compared with; those of the columns if None.
    """
    kept: list[int] = []
    basis = np.empty((len(x), 0))
    first = 0 if beside is None else beside.shape[1]
    for at, column in enumerate((x if beside is None else np.column_stack([beside, x])).T):
        rest = column - basis @ (basis.T @ column)
        rest = rest - basis @ (basis.T @ rest)  # twice is enough (Kahan; Parlett 1980)
        left = float(np.linalg.norm(rest))
        size = float(np.linalg.norm(column)) if sizes is None or at < first else float(sizes[at - first])
        if left > determined * size and left > 0:
            basis = np.column_stack([basis, rest / left])
            if at >= first:
                kept.append(at - first)
    return kept
