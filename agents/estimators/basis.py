"""Controls as columns for the models of treatment and outcome: standardised, with squares and spikes where rows allow.

Curvature and heaps of equal values (a third of men with no earnings) are what a straight line in a control misses
most often. Squares of the columns with more than two values, and an indicator of the commonest value where a tenth of
rows share it, are added if the smaller arm has ten rows for each column, and never by looking at the outcome.

References
----------
Hernan and Robins (2020), Causal Inference: What If, ch. 12: squares of the continuous controls.
Dehejia and Wahba (1999), J. Am. Stat. Assoc. 94: indicators of zero earnings.
"""

import numpy as np

from leucippus.agents.estimators.regression import Floats

ROWS_A_COLUMN = 10
_HEAP = 0.1
_MANY_VALUES = 10


def basis(x: Floats, rows: int) -> Floats:
    """Columns that span the controls.

    Parameters
    ----------
    x : (n, k) controls as numbers.
    rows : rows of the smaller arm; how many columns they can carry.

    Returns
    -------
    (n, p), each column with mean 0 and standard deviation 1; columns without variation are gone.
    """
    straight = _standardised(x)
    if rows < ROWS_A_COLUMN * (straight.shape[1] + 1):
        return straight
    if rows < ROWS_A_COLUMN * (straight.shape[1] + 1):
        return straight
    extra = [column for j in range(straight.shape[1]) for column in _curves(straight[:, j])]
    if not extra:
        return straight
    bent = np.column_stack([straight, _standardised(np.column_stack(extra))])
    return bent if rows >= ROWS_A_COLUMN * bent.shape[1] else straight


def _curves(column: Floats) -> list[Floats]:
    values, counts = np.unique(column, return_counts=True)
    if len(values) <= 2:
        return []
    heap = counts.max() >= _HEAP * len(column) and len(values) > _MANY_VALUES
    return [column**2] + ([(column == values[counts.argmax()]).astype(np.float64)] if heap else [])


def _standardised(x: Floats) -> Floats:
    spread = x.std(axis=0)
    vary = spread > 1e-12 * np.maximum(1.0, np.abs(x).max(axis=0, initial=0.0))
    return np.asarray((x[:, vary] - x[:, vary].mean(axis=0)) / spread[vary], dtype=np.float64)
