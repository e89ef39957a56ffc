"""What logs say of each text where it was shown: its mean reward, how sure that is, and how texts compare.

An arm is a text in a context (without contexts: a text). A mean over few rows is noise for the most part, so it is
weighed against what the reward model expects of such a text, each by its precision (empirical Bayes).

References
----------
Morris (1983), Parametric empirical Bayes inference, J. Am. Stat. Assoc. 78: shrinking towards a regression.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from leucippus.training.deconfound.logs import Logs

if TYPE_CHECKING:
    from leucippus.training.deconfound.reward import Deconfounded

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_REPLICATES = 30
"""Degrees of freedom within arms from which their own spread is believed."""


@dataclass(frozen=True, eq=False)
class Arms:
    """Texts in contexts, q of them, in the order of contexts."""

    context: Ints
    """(q,), numbers of contexts; 0 where the logs have none."""
    text: Ints
    """(q,), numbers of texts."""
    rows: Ints
    """(N,), the rows of the logs that are counted."""
    of_row: Ints
    """(N,), the arm of each of them."""
    n: Floats
    """(q,), rows."""
    reward: Floats
    """(q,), mean R = Y − γ̂ᵀ(C − C̄) of its rows."""
    c: Floats
    """(q, k), mean C − C̄ of its rows: how far the mean reward moves with γ̂, but for the sign."""
    noise: float
    """Standard deviation of one row's reward within an arm; rows of one user in one arm count as one."""


@dataclass(frozen=True, eq=False)
class Judged:
    """What is to be believed of each arm's reward, within its context."""

    mean: Floats
    """(q,)."""
    variance: Floats
    """(q,), but for the uncertainty of γ̂, which arms share."""
    slope: Floats
    """(q, k), how far the mean moves with γ̂."""
    own: Floats
    """(q,), the share of its own rows in the mean, from 0 (the reward model's word) to 1."""


def arms_of(logs: Logs, found: Deconfounded, rows: Ints | None = None) -> Arms:
    """The arms of some rows, or of all."""
    rows = np.arange(len(logs.y), dtype=np.int64) if rows is None else rows
    context = np.zeros(len(rows), dtype=np.int64) if logs.context_of is None else logs.context_of[rows]
    # One number a pair: 64 bits hold a billion contexts by a billion texts.
    key, of_row = np.unique(context * len(logs.texts) + logs.text_of[rows], return_inverse=True)
    of_row = of_row.astype(np.int64).ravel()
    n = np.bincount(of_row, minlength=len(key)).astype(np.float64)
    centred = logs.c[rows] - logs.c.mean(axis=0)
    r = found.r[rows]
    reward = np.bincount(of_row, weights=r, minlength=len(key)) / n
    c = np.empty((len(key), centred.shape[1]))
    for j, column in enumerate(centred.T):
        c[:, j] = np.bincount(of_row, weights=column, minlength=len(key)) / n
    users = None if logs.user_of is None else logs.user_of[rows]
    return Arms(
        context=key // len(logs.texts),
        text=key % len(logs.texts),
        rows=rows,
        of_row=of_row,
        n=n,
        reward=reward,
        c=c,
        noise=_noise(r - reward[of_row], of_row, n, users, found.noise),
    )


def judge(arms: Arms, predicted: Floats | None = None, predicted_se: Floats | None = None) -> Judged:
    """Each arm's mean reward and the reward model's word, weighed.

    Within a context, arm a has reward f_a = (context) + r̂_a + u_a, u_a ~ N(0, τ²), and its mean over n_a rows has
    variance σ²/n_a. τ² is found by moments; the mean is then k_a r̄_a + (1 − k_a) r̂_a with k_a = τ²/(τ² + σ²/n_a).

    Parameters
    ----------
    predicted, predicted_se : (m,), the reward model's r̂ of every text, and its standard error; None shrinks towards the
        context's mean.
    """
    q = len(arms.n)
    expected = np.zeros(q) if predicted is None else predicted[arms.text]
    doubt = np.zeros(q) if predicted_se is None else predicted_se[arms.text] ** 2
    size = np.bincount(arms.context, weights=arms.n)[arms.context]
    share = arms.n / size
    seen = arms.reward - _within(arms, arms.reward)
    expected = expected - _within(arms, expected)
    v = arms.noise**2 / arms.n
    # E u² of a deviation from a mean that the arm itself is part of.
    crowd = np.bincount(arms.context, weights=share**2)[arms.context]
    left = 1 - 2 * share + crowd
    beyond = (seen - expected) ** 2 - (v - arms.noise**2 / size)
    # 1 - share is nought where an arm is alone in its context: it says nothing of how arms differ.
    weight = arms.n * (share < 1)
    total = float(weight @ left)
    tau2 = max(0.0, float(weight @ beyond) / total) if total > 0 else 0.0
    with np.errstate(invalid="ignore"):
        own = np.where(tau2 + v > 0, tau2 / (tau2 + v), 1.0)
    rounding = 1e-9 * (arms.noise + float(np.abs(arms.reward).max(initial=0.0)))
    return Judged(
        mean=arms.reward - seen + own * seen + (1 - own) * expected,
        variance=own**2 * v + (1 - own) ** 2 * (tau2 + doubt) + rounding**2,
        slope=-own[:, None] * arms.c,
        own=own,
    )


def compare(judged: Judged, gamma_se: Floats, one: Ints, other: Ints) -> tuple[Floats, Floats]:
    """Rewards of arms `one` less those of `other`, (p,) each, and standard errors.

    The error of γ̂ is shared by all rows: where two texts were shown at other values of C it moves their difference, by
    no more than Σ_j |slope_j| se(γ̂_j), which holds whatever the correlations of γ̂.
    """
    difference = judged.mean[one] - judged.mean[other]
    through = np.abs(judged.slope[one] - judged.slope[other]) @ gamma_se
    return difference, np.sqrt(judged.variance[one] + judged.variance[other] + through**2)


def _within(arms: Arms, values: Floats) -> Floats:
    """The mean over the rows of each arm's context, (q,)."""
    rows = np.bincount(arms.context, weights=arms.n)
    return np.asarray((np.bincount(arms.context, weights=arms.n * values) / np.maximum(rows, 1))[arms.context])


def _noise(u: Floats, of_row: Ints, n: Floats, users: Ints | None, otherwise: float) -> float:
    spare = len(u) - len(n)
    if spare < _REPLICATES:
        return otherwise
    variance = float(u @ u) / spare
    if users is not None and variance > 0:
        # Rows of one user in one arm rise and fall together: n of them tell less than n users would.
        _, together = np.unique(of_row * (int(users.max()) + 1) + users, return_inverse=True)
        sums = np.bincount(together.ravel(), weights=u)
        variance *= max(1.0, float(sums @ sums) / float(u @ u))
    return float(variance**0.5)
