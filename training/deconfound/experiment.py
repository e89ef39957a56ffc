"""Does the reward tell what came of texts that were drawn at random?

In rows of an experiment C and whatever else is not measured have no part in the choice of the text, so E[R | X] there is
f(X) plus a constant, with the right γ̂ or a wrong one. A reward r̂ learned from the other rows is right only if it agrees.
With h(X) the directions in which a wrong one is likely to err, the test is of

    θ = E_exp[h (R − r̂)] − E_obs[α (R − r̂)],   α = φ′ E_obs[φφ′]⁻¹ E_exp[φ h].

The second term takes out what the penalty of r̂ and the noise of observational rows put into the first; θ is 0 where the
two kinds of rows tell of one f, and its variance counts the noise of both and of γ̂.

References
----------
Kallus, Puli and Shalit (2018), NeurIPS: what observational models miss, seen by a small experiment.
Chernozhukov, Newey and Singh (2022), Econometrica 90: the representer α of a functional, and its correction.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from leucippus.training.deconfound.features import Features
from leucippus.training.deconfound.interacted import combined
from leucippus.training.deconfound.linear import Slopes, two_ways
from leucippus.training.deconfound.logs import Floats, tally
from leucippus.training.deconfound.nuisance import Nuisance
from leucippus.training.deconfound.ridge import Sums, blocks_of, solved
from leucippus.training.deconfound.rows import Rows

_MANY_GROUPS = 40
_MOST = 5
"""Confounders whose directions in the text are looked at."""


@dataclass(frozen=True)
class Agreement:
    """How a reward from observational rows fares on randomised ones."""

    correlation: float
    """Of predicted and found rewards, the noise of single rows included."""
    slope: float
    """Of the found rewards on the predicted; about 1 where they agree."""
    statistic: float
    """The largest |z| of θ."""
    p_value: float
    wrong: float
    """Share of the predicted rewards' variance that the experiment contradicts, noise taken off."""
    rows: int


def agreement(
    rows: Rows, r: Floats, model: Nuisance, train: list[Sums], phi: Features, told: Floats, slopes: Slopes
) -> Agreement | None:
    """Compare, or None where there are too few randomised rows.

    Parameters
    ----------
    r : (n,) rewards.
    model : reward of each text, learned from observational rows of other texts.
    train : the sums that each fold of it was learned from.
    told : (m, k) E[C | X] in observational rows: where what is not measured would lead the reward astray, if like C.
    slopes : the effects that were taken out of r.
    """
    from scipy.stats import norm

    logs = rows.logs
    if logs.randomised is None:
        return None
    drawn = logs.randomised
    text, expected = logs.text_of[drawn], model.predicted[:, 0]
    if len(np.unique(text)) < 10 * (2 + min(_MOST, told.shape[1])) or not float(np.ptp(expected[text])):
        return None
    h = _directions(expected[text], told[text])
    alpha = _representer(h, drawn, model, train, phi, rows)
    taught = rows.weight / float(rows.weight.sum())
    # (n, q) what each row's reward is multiplied with in θ.
    side = -alpha[logs.text_of] * taught[:, None]
    side[drawn] = h / len(h)
    d = r - expected[logs.text_of]
    d -= np.where(drawn, d[drawn].mean(), float(taught @ d))
    theta = side.T @ d
    noise = d.copy()
    noise[drawn] -= h @ np.linalg.lstsq(h, d[drawn], rcond=None)[0]
    covariance = _covariance(side * noise[:, None], rows, drawn)
    for_gamma = np.empty((rows.k, h.shape[1]))
    for j in range(rows.k):
        for_gamma[j] = side.T @ (logs.c[:, j] - rows.centre[1 + j])
    covariance += for_gamma.T @ slopes.covariance @ for_gamma
    # One direction at a time: what two that are all but the same differ in is noise of the models.
    variance = np.diag(covariance)
    z = np.abs(theta) / np.sqrt(np.maximum(variance, np.finfo(float).tiny))
    f = expected[text]
    return Agreement(
        float(np.corrcoef(f, r[drawn])[0, 1]),
        float((f - f.mean()) @ (r[drawn] - r[drawn].mean()) / ((f - f.mean()) ** 2).sum()),
        float(z.max()),
        combined((2 * norm.sf(z)).tolist()),
        max(0.0, float((theta**2 - variance).max())) / float(f.var()),
        len(h),
    )


def _directions(expected: Floats, told: Floats) -> Floats:
    """(N, q) of randomised rows: the expected reward, and what their texts tell most of confounders, variance 1 each."""
    spread = told.std(axis=0)
    chosen = [j for j in np.argsort(-spread)[:_MOST] if spread[j] > 1e-9 * float(spread.max(initial=0.0))]
    h = np.column_stack([expected, told[:, chosen]])
    return np.asarray((h - h.mean(axis=0)) / h.std(axis=0))


def _representer(
    h: Floats, drawn: NDArray[np.bool_], model: Nuisance, train: list[Sums], phi: Features, rows: Rows
) -> Floats:
    """(m, q) α of each text, from the features and the penalty of the model and folds that the text is not in.

    The expected reward among the directions is then that of those folds too: one that rows had a part in goes with their
    own noise.
    """
    width, q, m = int(model.width[0]), h.shape[1], len(model.predicted)
    of_text = rows.logs.text_of[drawn]
    count = tally(of_text, np.ones(len(h)), m)
    others = np.empty((m, q - 1))
    for j in range(q - 1):
        others[:, j] = tally(of_text, h[:, 1 + j], m)
    x, xx, xo = np.zeros(width), np.zeros((width, width)), np.zeros((width, q - 1))
    for at in blocks_of(np.flatnonzero(count)):
        block = phi.block(at)[:, :width]
        x += count[at] @ block
        xx += (block * count[at, None]).T @ block
        xo += block.T @ others[at]
    spread = (xx - np.outer(x, x) / len(h)) / float(model.predicted[of_text, 0].std())
    alpha, nothing = np.zeros((m, q)), np.zeros(q)
    for f, part in enumerate(train):
        known = part.narrow(width)
        beta, _ = solved(known, np.array([0]), model.penalty[:1])
        moments = np.column_stack([spread @ beta, xo]) / len(h)
        of_fold = replace(known, xv=known.n * moments, v=nothing, vv=nothing)
        weights, _ = solved(of_fold, np.arange(q), np.full(q, model.penalty[0]))
        for at in blocks_of(np.flatnonzero(model.fold == f)):
            alpha[at] = (phi.block(at)[:, :width] - known.x / known.n) @ weights
    return alpha


def _covariance(scores: Floats, rows: Rows, drawn: NDArray[np.bool_]) -> Floats:
    """(q, q) of summed scores (n, q), clustered by text, or by group where constants of groups were estimated, and user."""
    logs, used = rows.logs, (rows.weight > 0) | drawn
    together = logs.text_of
    if rows.group is not None and len(np.unique(rows.group[used])) >= _MANY_GROUPS:
        together = rows.group
    return two_ways(scores, together, logs.user_of, used)
