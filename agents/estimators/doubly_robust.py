"""Doubly robust effects with cross-fitting: interactive for two arms, partially linear for a dose.

Two models, of the treatment and of the outcome given the controls, are fitted on four fifths of the rows and used on
the fifth; the effect is consistent if either is right. The learners are a logistic and a linear regression with a
slight ridge penalty on standardised columns: fast, and finite when columns are collinear or separate the arms. DoubleML
computes the same scores from the same folds and learners (a test holds them equal); here all
the fits of a fold share their gram matrices, which costs less time and memory.

References
----------
Robins, Rotnitzky and Zhao (1994), J. Am. Stat. Assoc. 89: augmented inverse probability weighting.
Gruber et al. (2022), Am. J. Epidemiol. 191: how far to keep propensities from 0 and 1.
Chernozhukov et al. (2018), Econometrics J. 21: cross-fitting; eqs. (5.3) and (5.4), partially linear (4.4).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leucippus.agents.estimators.influence import Effect, from_influence
from leucippus.agents.estimators.normal_equations import expit, gram, logistic, moments, predict, ridge
from leucippus.agents.estimators.regression import Floats
from leucippus.errors import DataError

Target = Literal["ATE", "ATT", "ATC"]
Folds = list[NDArray[np.int64]]
FOLDS = 5
PENALTY = 1.0
_ROWS_WORTH_REPEATING = 50_000
_MOST_REPETITIONS = 20


@dataclass(frozen=True, eq=False)
class Scores:
    """What each row contributes: the effect is sum(value) / sum(weight), over all rows or over some."""

    value: Floats
    """(n,)."""
    weight: Floats
    """(n,)."""

    def effect(
        self, parameters: int, clusters: ArrayLike | None = None, keep: NDArray[np.bool_] | None = None
    ) -> Effect:
        """The effect over the rows of the mask `keep`, (n,), or all."""
        rows = np.ones(len(self.value), dtype=bool) if keep is None else np.asarray(keep, dtype=bool)
        value, weight = self.value[rows], self.weight[rows]
        if len(value) < 2 or weight.sum() <= 0:
            raise DataError(f"{len(value)} rows to average over", expected="more")
        estimate = float(value.sum() / weight.sum())
        groups = None if clusters is None else np.unique(np.asarray(clusters)[rows], return_inverse=True)[1]
        # What leaving the row out does to the ratio, exactly: a row of great weight pulls the fit towards itself.
        influence = (value - weight * estimate) / weight.mean() / (1 - weight / weight.sum()).clip(min=0.5)
        return from_influence(estimate, influence, parameters, groups, "jackknife values, ")


def aipw(y: Floats, d: Floats, basis: Floats, target: Target, clusters: ArrayLike | None = None) -> Scores:
    """Augmented inverse probability weighting of two arms.

    Parameters
    ----------
    y, d : (n,); `d` of 0 and 1.
    basis : (n, p) standardised controls.
    clusters : (n,) codes; a cluster is never split between fitting and use.

    Raises
    ------
    DataError : an arm has fewer than two rows, or is missing from a fold.
    """
    # The effect on the untreated is, with the arms' names exchanged, minus the effect on the treated.
    arm, sign = (1 - d, -1.0) if target == "ATC" else (d, 1.0)
    margin = _margin(d)
    whole = logistic(basis, arm, PENALTY)
    value, weight = np.zeros(len(y)), np.zeros(len(y))
    repetitions = folds_of(d, clusters, binary=True)
    for fold in repetitions:
        m = _cross_fit(fold, lambda left: expit(predict(basis, logistic(basis, arm, PENALTY, left, whole))))
        m = np.clip(m, margin if target == "ATE" else 0.0, 1 - margin)
        g0 = cross_fitted_line(y, basis, fold, 1 - arm)
        if target == "ATE":
            g1 = cross_fitted_line(y, basis, fold, arm)
            value += g1 - g0 + arm * (y - g1) / m - (1 - arm) * (y - g0) / (1 - m)
            weight += 1
        else:
            value += (arm - (1 - arm) * m / (1 - m)) * (y - g0)
            weight += arm
    return Scores(sign * value / len(repetitions), weight / len(repetitions))


def partially_linear(y: Floats, d: Floats, basis: Floats, clusters: ArrayLike | None = None) -> Scores:
    """Slope of the outcome in a dose (or two arms), both less what the controls predict of them.

    Raises
    ------
    DataError : fewer than two rows or clusters.
    """
    value, weight = np.zeros(len(y)), np.zeros(len(y))
    repetitions = folds_of(d, clusters, binary=False)
    for fold in repetitions:
        left = d - cross_fitted_line(d, basis, fold)
        value += left * (y - cross_fitted_line(y, basis, fold))
        weight += left**2
    return Scores(value / len(repetitions), weight / len(repetitions))


def cross_fitted_line(y: Floats, basis: Floats, fold: NDArray[np.int64], among: Floats | None = None) -> Floats:
    """Ridge predictions for each row, (n,), from the rows of the other folds (of those with `among` = 1)."""
    used = np.ones(len(y)) if among is None else among
    # Of each fold, not of the rest of them: the rest is the sum less the fold.
    parts = [used * (fold == k) for k in range(int(fold.max()) + 1)]
    grams, rights = [gram(basis, part) for part in parts], [moments(basis, part * y) for part in parts]
    matrix, right = sum(grams), sum(rights)
    predicted = np.empty(len(y))
    for k, (own, own_right) in enumerate(zip(grams, rights, strict=True)):
        rows = fold == k
        predicted[rows] = predict(basis[rows], ridge(matrix - own, right - own_right, PENALTY))
    return predicted


def _cross_fit(fold: NDArray[np.int64], fit: Callable[[Floats], Floats]) -> Floats:
    """What `fit`, given the weights of the rows to learn from, predicts for the rows that it did not learn from, (n,)."""
    predicted = np.empty(len(fold))
    for k in range(int(fold.max()) + 1):
        rows = fold == k
        predicted[rows] = fit((~rows).astype(np.float64))[rows]
    return predicted


def _margin(d: Floats) -> float:
    """How far propensities stay from where weights are infinite: 5 / (sqrt(n) log n).

    That is from 0 and 1 for the ATE; for the ATT and the ATC from 1 only, since nothing is divided by the chance of the
    arm whose population it is. Where few are treated, all propensities are small: the margin stays below their mean.
    """
    return float(min(5 / (np.sqrt(len(d)) * np.log(len(d))), d.mean() / 2, (1 - d.mean()) / 2))


def folds_of(d: Floats, clusters: ArrayLike | None, *, binary: bool) -> Folds:
    """Repetitions of the fold of each row, (n,); small samples are split up to twenty times, since splits matter there.

    Raises
    ------
    DataError : too few rows or clusters of an arm to fit on some and use the fit on others.
    """
    arms = np.unique(d, return_inverse=True)[1] if binary else np.zeros(len(d), dtype=int)
    units = len(d) if clusters is None else len(np.unique(np.asarray(clusters)))
    folds = min(FOLDS, units, int(np.bincount(arms).min()))
    if folds < 2:
        raise DataError(
            f"{units} {'rows' if clusters is None else 'clusters'}, the smaller arm of {np.bincount(arms).min()} rows",
            expected="at least two of each, to fit on some and use the fit on others",
        )
    found = []
    for seed in range(int(np.clip(_ROWS_WORTH_REPEATING // len(d), 1, _MOST_REPETITIONS))):
        fold = _split(arms, folds, seed) if clusters is None else _split_clusters(arms, folds, seed, clusters)
        if any(len(np.unique(arms[fold != k])) < len(np.unique(arms)) for k in range(folds)):
            raise DataError(
                "the rows of one arm lie in too few clusters to fit on some and use the fit on others",
                next_step="Bring more clusters, or state method: regression.",
            )
        found.append(fold)
    return found


def _split(arms: NDArray[np.int64], folds: int, seed: int) -> NDArray[np.int64]:
    """Each arm dealt out in turn, in random order."""
    rng = np.random.default_rng(seed)
    fold = np.empty(len(arms), dtype=np.int64)
    for arm in range(int(arms.max()) + 1):
        rows = np.flatnonzero(arms == arm)
        fold[rng.permutation(rows)] = np.arange(len(rows)) % folds
    return fold


def _split_clusters(arms: NDArray[np.int64], folds: int, seed: int, clusters: ArrayLike) -> NDArray[np.int64]:
    from sklearn.model_selection import StratifiedGroupKFold

    fold = np.zeros(len(arms), dtype=np.int64)
    splits = StratifiedGroupKFold(n_splits=folds, shuffle=True, random_state=seed)
    for k, (_, rows) in enumerate(splits.split(arms, arms, np.asarray(clusters))):
        fold[rows] = k
    return fold
