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
_MOST_PRODUCTS = 100


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
    spread = x.std(axis=0)
    vary = np.flatnonzero(spread > 1e-12 * np.maximum(1.0, np.abs(x).max(axis=0, initial=0.0)))
    bends = [_bends(x[:, j]) if rows >= ROWS_A_COLUMN * (len(vary) + 1) else (False, None) for j in vary]
    extra = sum(square + (heap is not None) for square, heap in bends)
    bent = rows >= ROWS_A_COLUMN * (len(vary) + extra)
    # Filled column by column: beside the result there is never more than one of them.
    found = np.empty((len(x), len(vary) + (extra if bent else 0)))
    at = len(vary)
    for i, (j, (square, heap)) in enumerate(zip(vary, bends, strict=True)):
        found[:, i] = (x[:, j] - x[:, j].mean()) / spread[j]
        curves = [found[:, i] ** 2] if square and bent else []
        curves += [(x[:, j] == heap).astype(np.float64)] if heap is not None and bent else []
        for curve in curves:
            found[:, at] = (curve - curve.mean()) / curve.std()
            at += 1
    return found


def crossed_basis(m: Floats, x: Floats, rows: int) -> Floats:
    """Columns that span mediators and controls and, where rows allow, the product of each with each, (n, p).

    With the products, a mediator that one arm has only with high controls and the other only with low ones is told apart.

    Parameters
    ----------
    m, x : (n, q) mediators and (n, k) controls.
    rows : as for `basis`.
    """
    alone = basis(np.column_stack([m, x]), rows)
    count = m.shape[1] * x.shape[1]
    if count > _MOST_PRODUCTS or rows < ROWS_A_COLUMN * (alone.shape[1] + count):
        return alone
    # Standardised first: products of columns far from 0 would repeat the columns.
    products = basis(m, 0)[:, :, None] * basis(x, 0)[:, None, :]
    return np.column_stack([alone, basis(products.reshape(len(x), -1), 0)])


def _bends(column: Floats) -> tuple[bool, float | None]:
    """Whether the column has a square of its own, and the value at which it heaps, if it does."""
    values, counts = np.unique(column, return_counts=True)
    if len(values) <= 2:
        return False, None
    heap = counts.max() >= _HEAP * len(column) and len(values) > _MANY_VALUES
    return True, float(values[counts.argmax()]) if heap else None
