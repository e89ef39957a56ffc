"""Effects of confounders that depend on the text: whether they do, and estimates of them.

    Y = f(X) + τ(X)ᵀC + ε,   τ(X) = γ + δ(X)

After Robinson's step Ỹ = τ(X)ᵀC̃ + ε, so δ_j is a ridge regression of uC̃_j/C̃_j² on embeddings with weights C̃_j². The test
asks whether δ̂_j, learned from other texts, tells the residuals of this text. No penalty is chosen for it: p-values of a
few are combined. What δ̂_j is learned from knows nothing of the rows it is tested on: their fold took no part in the
nuisance models of the other folds either, without which the test would reject several times too often.

References
----------
Nie and Wager (2021), Biometrika 108: the R-learner.
Chernozhukov, Demirer, Duflo and Fernández-Val (2018), NBER 24678: the best linear predictor of an effect.
Liu and Xie (2020), J. Am. Stat. Assoc. 115: combining p-values that depend on each other.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leucippus.training.deconfound.features import Features
from leucippus.training.deconfound.linear import Slopes
from leucippus.training.deconfound.logs import Floats, Ints, tally
from leucippus.training.deconfound.nuisance import Residuals
from leucippus.training.deconfound.ridge import PENALTIES, Path, blocks_of, held_out_loss, path, sums_by_fold, total

Others = Callable[[int], Iterator[Residuals]]
"""For each fold the residuals of the other folds' rows in the first columns, by models that the fold took no part in."""
_TRIED = (1e-3, 1e-2, 1e-1, 1.0)
"""Penalties of the test, none of them chosen."""
_MOST_WORK, _MOST_TEXTS, _FEWEST_TEXTS = 200_000, 20_000, 5_000
"""Texts times confounders that the test looks at, and the bounds on texts; more tell it nothing new."""
_PASSES = 2
_BARELY = 1e-12
_BOTH_WAYS = 2.0
"""Any two rows of different folds meet twice, as learner and as test of each other, and both times they agree or both
times they do not: over the folds together the slope varies twice as much as its squared scores say."""


@dataclass(frozen=True)
class Additivity:
    """Whether confounders do the same to every text."""

    p_value: float
    """That they do."""
    statistic: float
    """Largest of the t statistics combined."""
    worst: int
    """The confounder it belongs to."""
    spread: float
    """Of that confounder's effect over texts, the part that is found: for one standard deviation of the confounder, in
    residual standard deviations of the outcome."""


def additivity(
    left: Residuals, slopes: Slopes, phi: Features, fold: Ints, others: Others | None, seed: int
) -> Additivity:
    """Test that no effect depends on the text.

    Parameters
    ----------
    phi : (m, D) features of the texts.
    fold : (m,) of each text.
    others : None where a text's residuals rest on its own rows alone.
    """
    rows = left.rows
    k, texts = rows.k, len(rows.logs.texts)
    some = np.ones(texts, dtype=bool)
    most = int(np.clip(_MOST_WORK // max(1, k), _FEWEST_TEXTS, _MOST_TEXTS))
    if texts > most:
        some[np.random.default_rng(seed).permutation(texts)[most:]] = False
    tested = [_moments(left, slopes.u, j, some) for j in range(k)]
    guesses = np.zeros((k, len(_TRIED), texts))
    effects = np.concatenate([slopes.gamma, slopes.bends])
    learned = others(1 + len(effects)) if others is not None else None
    for f in range(int(fold.max()) + 1):
        members = np.flatnonzero((fold == f) & some)
        from_others, u = left, slopes.u
        if learned is not None:
            from_others = next(learned)
            u = from_others.column(0)
            for j, effect in enumerate(effects):
                u = u - effect * from_others.column(1 + j)
        for j in range(k):
            weight, moment = _moments(from_others, u, j, some & (fold != f))
            fit = _fit(phi, weight, moment)
            for at_penalty, penalty in enumerate(_TRIED):
                beta = fit.weights(penalty, 0)
                for at in blocks_of(members):
                    guesses[j, at_penalty, at] = (phi.block(at) - fit.x_mean) @ beta
    found = [(*_told(guesses[j, p], *tested[j]), j) for j in range(k) for p in range(len(_TRIED))]
    if not found:
        return Additivity(1.0, 0.0, 0, 0.0)
    from scipy.stats import norm

    p_value = combined([float(norm.sf(t)) for t, _, _ in found])
    t, spread, worst = max(found)
    return Additivity(p_value, t, worst, spread * float(rows.scale[1 + worst]) / max(slopes.noise, _BARELY))


def varying_effects(left: Residuals, slopes: Slopes, phi: Features, fold: Ints) -> Floats:
    """(m, k) δ̂ of each text, out of fold, its weighted mean 0; one confounder after the other, twice."""
    rows = left.rows
    text_of, texts, folds = rows.logs.text_of, len(rows.logs.texts), int(fold.max()) + 1
    delta, u = np.zeros((texts, rows.k)), slopes.u.copy()
    for _ in range(_PASSES):
        for j in range(rows.k):
            c = left.column(rows.c_at[j])
            u += c * delta[text_of, j]
            weight, moment = _moments(left, u, j, np.ones(texts, dtype=bool))
            ratio = np.divide(moment, weight, out=np.zeros_like(moment), where=weight > _BARELY)
            squares = tally(fold, weight * ratio**2, folds)[:, None]
            parts = sums_by_fold(phi, weight, moment[:, None], squares, fold, folds)
            whole = total(parts)
            fits = [path(whole - part) for part in parts]
            losses = np.sum([held_out_loss(fit, part) for fit, part in zip(fits, parts, strict=True)], axis=0)[:, 0]
            delta[:, j] = 0.0
            if float(losses.min()) < float(squares.sum() - whole.v[0] ** 2 / whole.n):
                penalty = float(PENALTIES[int(losses.argmin())])
                for f, fit in enumerate(fits):
                    beta = fit.weights(penalty, 0)
                    for at in blocks_of(np.flatnonzero(fold == f)):
                        delta[at, j] = (phi.block(at) - fit.x_mean) @ beta
                delta[:, j] -= float(weight @ delta[:, j]) / float(weight.sum())
            u -= c * delta[text_of, j]
    return delta


def combined(p_values: list[float]) -> float:
    """One p-value of many that may depend on each other (Cauchy combination)."""
    p = np.clip(np.array(p_values), 1e-300, 1 - 1e-12)
    small = p < 1e-15
    terms = np.where(small, 1 / (p * np.pi), np.tan((0.5 - np.where(small, 0.5, p)) * np.pi))
    mean = float(terms.mean())
    return float(1 / (mean * np.pi)) if mean > 1e15 else float(0.5 - np.arctan(mean) / np.pi)


def _moments(left: Residuals, u: Floats, j: int, some: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """ΣwC̃_j² and ΣwC̃_ju over the rows of each text, (m,) both; 0 where a text takes no part."""
    rows = left.rows
    c = left.column(rows.c_at[j])
    weight = tally(rows.logs.text_of, rows.weight * c**2, len(some))
    moment = tally(rows.logs.text_of, rows.weight * c * u, len(some))
    return weight * some, moment * some


def _fit(phi: Features, weight: Floats, moment: Floats) -> Path:
    one = np.zeros(len(weight), dtype=np.int64)
    return path(sums_by_fold(phi, weight, moment[:, None], np.zeros((1, 1)), one, 1)[0])


def _told(guess: Floats, weight: Floats, moment: Floats) -> tuple[float, float]:
    """t of the slope of u on C̃δ̂, clustered by text, if effects do not vary; the standard deviation of what δ̂ finds."""
    total = float(weight.sum())
    centred = guess - float(weight @ guess) / max(total, _BARELY)
    inner = float(weight @ centred**2)
    if inner <= _BARELY * total:
        return 0.0, 0.0
    slope = float(centred @ moment) / inner
    score = centred * (moment - weight * slope * centred)
    t = slope * inner / max(float(np.sqrt(_BOTH_WAYS * (score**2).sum())), _BARELY)
    return t, max(0.0, slope) * (inner / total) ** 0.5
