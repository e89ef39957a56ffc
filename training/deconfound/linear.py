"""γ̂ from residuals: least squares of outcome on confounders, and standard errors that allow rows to belong together.

References
----------
Robinson (1988), Econometrica 56: eq. (9). White (1980), Econometrica 48.
Arellano (1987), Oxf. Bull. Econ. Stat. 49: clusters after means are taken out.
Cameron, Gelbach and Miller (2011), J. Bus. Econ. Stat. 29: clusters in two ways.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leucippus.errors import InputError
from leucippus.training.deconfound.logs import Floats, Ints, tally
from leucippus.training.deconfound.nuisance import Residuals

_DETERMINED = 1e-8
"""Share of a confounder's variance that text and other confounders must leave."""
_SAME = 1e-10
"""Eigenvalue, of the largest, below which columns say the same."""


@dataclass(frozen=True, eq=False)
class Slopes:
    """Effects of the confounders."""

    gamma: Floats
    """(k,)."""
    covariance: Floats
    """(k, k)."""
    u: Floats
    """(n,) outcome less what text and confounders tell of it."""
    noise: float
    """Standard deviation of u, corrected for degrees of freedom."""
    left: Floats
    """(k,) share of each confounder's variance that the text leaves."""
    bends: Floats
    """(c,) effects of the curves of `Rows`; none where lines are straight."""

    @property
    def se(self) -> Floats:
        return np.asarray(np.sqrt(np.diag(self.covariance)))


def least_squares(residuals: Residuals, *, curved: bool = False) -> Slopes:
    """γ̂ = (C̃′C̃)⁻¹ C̃′Ỹ with the sandwich covariance.

    Parameters
    ----------
    curved : whether squares and products of confounders have effects too. They are of standardised confounders, so that γ̂
        stays the average effect; of those that say the same, each has a part.

    Raises
    ------
    InputError : text, or the other confounders, determine a confounder.
    """
    rows = residuals.rows
    at = [*rows.c_at, *(rows.curves_at if curved else [])]
    cross = residuals.cross()
    inner = cross[np.ix_(at, at)]
    check_rank(inner[: rows.k, : rows.k], residuals)
    size = np.sqrt(np.maximum(np.diag(inner), np.finfo(float).tiny))
    sizes = np.outer(size, size)
    bread = np.asarray(np.linalg.pinv(inner / sizes, rcond=_SAME, hermitian=True) / sizes, dtype=np.float64)
    return with_errors(residuals, at, np.asarray(bread @ cross[at, 0]), bread, lambda block: block[:, at])


def with_errors(
    residuals: Residuals, at: list[int], effects: Floats, bread: Floats, regressors: Callable[[Floats], Floats]
) -> Slopes:
    """Slopes with the residuals and the sandwich of an estimate.

    Parameters
    ----------
    at : the q columns that have effects, confounders first.
    effects : (q,).
    bread : (q, q) what the moments of scores are multiplied with on both sides.
    regressors : from a block of residuals (b, p) to what multiplies u in the scores, (b, q).
    """
    rows = residuals.rows
    u, spread = np.empty(rows.n), np.zeros(rows.k)
    scores = np.empty((rows.n, len(at)), order="F")
    for piece in rows.slices():
        block, weight = residuals.block(piece), rows.weight[piece]
        u[piece] = block[:, 0] - block[:, at] @ effects
        scores[piece] = regressors(block) * (weight * u[piece])[:, None]
        spread += weight @ block[:, rows.c_at] ** 2
    used = rows.weight > 0
    free = max(1.0, used.sum() - len(at) - residuals.taken)
    noise = float(np.sqrt((u[used] ** 2).sum() / free))
    covariance = (bread @ middle(scores, residuals, len(at)) @ bread.T)[: rows.k, : rows.k]
    total = rows.scale[rows.c_at] ** 2 * rows.weight.sum()
    return Slopes(effects[: rows.k], covariance, u, noise, np.asarray(spread / total), effects[rows.k :])


def check_rank(inner: Floats, residuals: Residuals) -> None:
    """Raise InputError where a confounder's residuals have no variation of their own."""
    rows = residuals.rows
    size = rows.scale[rows.c_at] * np.sqrt(rows.weight.sum())
    values, vectors = np.linalg.eigh(inner / np.outer(size, size))
    if len(values) and values[0] <= _DETERMINED:
        named = ", ".join(repr(rows.logs.names[j]) for j in np.flatnonzero(np.abs(vectors[:, 0]) > 0.1))
        raise InputError(
            f"nothing varies in {named} beyond what the text and the other confounders tell",
            expected="confounders that differ between rows of the same, or of like, texts",
            next_step="Leave one of them out if two say the same; or bring logs in which the text was not chosen by that "
            "confounder alone.",
        )


def middle(scores: Floats, residuals: Residuals, k: int) -> Floats:
    """(q, q) the middle of the sandwich of scores (n, q): clustered by text, whose model errs for all its rows alike,
    and by user.

    Means of texts cost no degrees of freedom within texts (Arellano); they do between users.
    """
    logs, used = residuals.rows.logs, residuals.rows.weight > 0
    n = int(used.sum())
    full = n / max(1.0, n - k - residuals.taken)
    lone = n / max(1.0, n - k) if residuals.group_mean is None else full
    return two_ways(scores, logs.text_of, logs.user_of, used, (lone, full))


def two_ways(
    scores: Floats, one: Ints, other: Ints | None, used: NDArray[np.bool_], scale: tuple[float, float] = (1.0, 1.0)
) -> Floats:
    """(q, q) covariance of the sum of scores (n, q) whose clusters are `one`, and `other` where there is such.

    Parameters
    ----------
    one, other : (n,) codes.
    scale : corrections for degrees of freedom, of `one` and of what has to do with `other`.
    """
    first = cluster_sums(scores, one, used) * scale[0]
    if other is None:
        return first
    second = cluster_sums(scores, other, used) * scale[1]
    pairs = np.unique(one * (int(other.max()) + 1) + other, return_inverse=True)[1].astype(np.int64)
    both = first + second - cluster_sums(scores, pairs, used) * scale[1]
    # Two ways can subtract too much; their sum is too large rather than too small.
    return np.asarray(both if np.linalg.eigvalsh((both + both.T) / 2).min(initial=0.0) >= 0 else first + second)


def cluster_sums(scores: Floats, code: Ints, used: NDArray[np.bool_]) -> Floats:
    """(q, q) sum over clusters of the products of their summed scores, times G / (G − 1)."""
    groups = int(code.max()) + 1
    count = len(np.unique(code[used]))
    sums = np.empty((groups, scores.shape[1]))
    for j in range(scores.shape[1]):
        sums[:, j] = tally(code, scores[:, j], groups)
    return np.asarray(sums.T @ sums * count / max(1, count - 1))
