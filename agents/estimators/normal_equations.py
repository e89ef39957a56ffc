"""Ridge-penalised linear and logistic regression by their normal equations: one pass over the rows for each gram matrix.

Cross-fitting fits the same model on many overlapping parts of the rows. The gram matrix of a part is the sum of those of
its folds, so all its linear fits cost one pass, no copy of the rows is made, and memory stays that of the columns. An
intercept goes first and is not penalised; the columns are standardised, so that the penalty is the same for each.

References
----------
Hoerl and Kennard (1970), Technometrics 12: ridge. le Cessie and van Houwelingen (1992), Appl. Stat. 41: in logistic models.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_BLOCK = 16_384
_ITERATIONS = 100
_CONVERGED = 1e-9


def gram(basis: Floats, weights: Floats) -> Floats:
    """Z' W Z, (p + 1, p + 1), of Z = (1, basis) with basis (n, p) and weights (n,)."""
    p = basis.shape[1]
    total = np.zeros((p + 1, p + 1))
    total[0, 0] = weights.sum()
    total[0, 1:] = total[1:, 0] = weights @ basis
    for start in range(0, len(basis), _BLOCK):
        block = basis[start : start + _BLOCK]
        total[1:, 1:] += (block * weights[start : start + _BLOCK, None]).T @ block
    return total


def moments(basis: Floats, values: Floats) -> Floats:
    """Z' v, (p + 1,), of values (n,)."""
    return np.concatenate([[values.sum()], values @ basis])


def predict(basis: Floats, coefficients: Floats) -> Floats:
    """Z c, (n,)."""
    return np.asarray(coefficients[0] + basis @ coefficients[1:], dtype=np.float64)


def quadratic(basis: Floats, matrix: Floats) -> Floats:
    """z' M z of each row z of (1, basis), (n,): leverages, where M is the inverse of a gram matrix."""
    found = np.empty(len(basis))
    for start in range(0, len(basis), _BLOCK):
        block = basis[start : start + _BLOCK]
        found[start : start + _BLOCK] = matrix[0, 0] + 2 * (block @ matrix[0, 1:])
        found[start : start + _BLOCK] += ((block @ matrix[1:, 1:]) * block).sum(axis=1)
    return found


def ridge(matrix: Floats, right: Floats, penalty: float) -> Floats:
    """Coefficients (p + 1,) that minimise squared errors plus `penalty` times the squared slopes."""
    return np.asarray(np.linalg.lstsq(matrix + _on_slopes(len(right), penalty), right, rcond=None)[0])


def logistic(
    basis: Floats, d: Floats, penalty: float, weights: Floats | None = None, start: Floats | None = None
) -> Floats:
    """Coefficients (p + 1,) that minimise the log loss plus half of `penalty` times the squared slopes (Newton's method).

    Parameters
    ----------
    d : (n,) of 0 and 1.
    weights : (n,), 0 for rows to leave out; all 1 if None.
    start : where to begin, such as the fit to all rows; it changes how long it takes, not where it ends.
    """
    w = np.ones(len(d)) if weights is None else weights
    mean = float(np.clip(w @ d / w.sum(), 1e-12, 1 - 1e-12))
    if start is None:
        start = np.zeros(basis.shape[1] + 1)
        start[0] = np.log(mean / (1 - mean))
    c, ridge_term = start, _on_slopes(len(start), penalty)
    loss = _loss(basis, d, w, c, penalty)
    for _ in range(_ITERATIONS):
        e = expit(predict(basis, c))
        gradient = moments(basis, w * (e - d)) + ridge_term @ c
        hessian = gram(basis, w * e * (1 - e)) + ridge_term
        step = np.linalg.lstsq(hessian, gradient, rcond=None)[0]
        decrement = float(gradient @ step)
        size = 1.0
        # Halve the step until it helps: far from the end a whole Newton step can overshoot.
        while (new := _loss(basis, d, w, c - size * step, penalty)) > loss - 1e-4 * size * decrement and size > 1e-6:
            size /= 2
        c, loss = c - size * step, new
        if decrement <= _CONVERGED * w.sum():
            break
    return np.asarray(c, dtype=np.float64)


def expit(values: Floats) -> Floats:
    """1 / (1 + exp(-v)), (n,), without overflow."""
    return np.asarray(0.5 * (1 + np.tanh(0.5 * values)), dtype=np.float64)


def _loss(basis: Floats, d: Floats, w: Floats, c: Floats, penalty: float) -> float:
    linear = predict(basis, c)
    return float(w @ (np.logaddexp(0, linear) - d * linear)) + penalty / 2 * float(c[1:] @ c[1:])


def _on_slopes(size: int, penalty: float) -> Floats:
    diagonal = np.full(size, penalty)
    diagonal[0] = 0.0
    return np.diag(diagonal)
