"""Doubly robust effects with cross-fitting, through DoubleML: interactive for two arms, partially linear for a dose.

Two models, of the treatment and of the outcome given the controls, are fitted on four fifths of the rows and used on
the fifth; the effect is consistent if either is right. The learners are a logistic and a linear regression with a
slight ridge penalty on standardised columns: fast, and finite when columns are collinear or separate the arms.

References
----------
Robins, Rotnitzky and Zhao (1994), J. Am. Stat. Assoc. 89: augmented inverse probability weighting.
Gruber et al. (2022), Am. J. Epidemiol. 191: how far to keep propensities from 0 and 1.
Chernozhukov et al. (2018), Econometrics J. 21: cross-fitting; eqs. (5.3) and (5.4), partially linear (4.4).
"""

import warnings
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leucippus.agents.estimators.influence import Effect, from_influence
from leucippus.agents.estimators.regression import Floats
from leucippus.errors import DataError

FOLDS = 5
_RIDGE = 1.0
_ROWS_WORTH_REPEATING = 10_000


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


def aipw(
    y: Floats, d: Floats, basis: Floats, target: Literal["ATE", "ATT", "ATC"], clusters: ArrayLike | None = None
) -> Scores:
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
    from doubleml import DoubleMLIRM
    from doubleml.utils import PSProcessorConfig
    from sklearn.linear_model import Ridge

    # The effect on the untreated is, with the arms' names exchanged, minus the effect on the treated.
    arm, sign = (1 - d, -1.0) if target == "ATC" else (d, 1.0)
    model = _fit(
        DoubleMLIRM,
        (y, arm, basis),
        (Ridge(_RIDGE), _bounded_logistic(arm, target)),
        _folds(d, clusters, binary=True),
        score="ATE" if target == "ATE" else "ATTE",
        ps_processor_config=PSProcessorConfig(clipping_threshold=1e-12),
    )
    return _scores(model, sign * float(y.std()))


def partially_linear(y: Floats, d: Floats, basis: Floats, clusters: ArrayLike | None = None) -> Scores:
    """Slope of the outcome in a dose (or two arms), both less what the controls predict of them.

    Raises
    ------
    DataError : fewer than two rows or clusters.
    """
    from doubleml import DoubleMLPLR
    from sklearn.linear_model import Ridge

    model = _fit(DoubleMLPLR, (y, d, basis), (Ridge(_RIDGE), Ridge(_RIDGE)), _folds(d, clusters, binary=False))
    return _scores(model, float(y.std()))


def _bounded_logistic(d: Floats, target: str) -> Any:
    """Logistic regression whose probabilities stay 5 / (sqrt(n) log n) away from where weights are infinite.

    That is 0 and 1 for the ATE; for the ATT and the ATC only 1, since nothing is divided by the chance of the arm
    whose population it is.
    """
    from sklearn.linear_model import LogisticRegression

    # Where few are treated, all propensities are small: the margin stays below their mean.
    margin = min(5 / (np.sqrt(len(d)) * np.log(len(d))), d.mean() / 2, (1 - d.mean()) / 2)

    class Bounded(LogisticRegression):  # type: ignore[misc]
        def predict_proba(self, X: Floats) -> Floats:
            treated = np.clip(super().predict_proba(X)[:, 1], margin if target == "ATE" else 0.0, 1 - margin)
            return np.column_stack([1 - treated, treated])

    return Bounded(C=1 / _RIDGE, solver="newton-cholesky", max_iter=200)


def _fit(
    kind: Any, data: tuple[Floats, Floats, Floats], learners: tuple[Any, Any], folds: list[Any], **how: Any
) -> Any:
    from doubleml import DoubleMLData
    from sklearn import config_context

    y, d, basis = data
    # A model needs a column: without controls it is a constant, and the models are means.
    columns = basis if basis.shape[1] else np.zeros((len(y), 1))
    # In standard deviations: DoubleML refuses an outcome of 0 and 1 that is the same in all of an arm.
    scaled = (y - y.mean()) / (y.std() or 1.0)
    # Checked once by `Study`; scikit-learn would check again at every fit.
    checked = config_context(assume_finite=True, skip_parameter_validation=True)
    with warnings.catch_warnings(), checked:
        warnings.simplefilter("ignore")  # of propensities near 0 or 1, which the overlap check measures
        model = kind(DoubleMLData.from_arrays(columns, scaled, d), *learners, draw_sample_splitting=False, **how)
        model.set_sample_splitting(folds)
        return model.fit(store_predictions=False)


def _scores(model: Any, unit: float) -> Scores:
    """Averaged over repetitions, the outcome's standard deviation `unit` put back."""
    elements = model.psi_elements
    return Scores(unit * elements["psi_b"].mean(axis=(1, 2)), -elements["psi_a"].mean(axis=(1, 2)))


def _folds(d: Floats, clusters: ArrayLike | None, *, binary: bool) -> list[list[tuple[Any, Any]]]:
    """Repetitions of (fit, use) pairs of row numbers; small samples are split three times, since splits matter there."""
    from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold

    arms = np.unique(d, return_inverse=True)[1] if binary else np.zeros(len(d), dtype=int)
    units = len(d) if clusters is None else len(np.unique(np.asarray(clusters)))
    folds = min(FOLDS, units, int(np.bincount(arms).min()))
    if folds < 2:
        raise DataError(
            f"{units} {'rows' if clusters is None else 'clusters'}, the smaller arm of {np.bincount(arms).min()} rows",
            expected="at least two of each, to fit on some and use the fit on others",
        )
    found = []
    for seed in range(int(np.clip(_ROWS_WORTH_REPEATING // len(d), 1, 3))):
        how = {"n_splits": folds, "shuffle": True, "random_state": seed}
        if clusters is None:
            split = (StratifiedKFold if binary else KFold)(**how).split(arms, arms)
        else:
            split = (StratifiedGroupKFold if binary else GroupKFold)(**how).split(arms, arms, np.asarray(clusters))
        pairs = list(split)
        if any(len(np.unique(arms[fit])) < len(np.unique(arms)) for fit, _ in pairs):
            raise DataError(
                "the rows of one arm lie in too few clusters to fit on some and use the fit on others",
                next_step="Bring more clusters, or state method: regression.",
            )
        found.append(pairs)
    return found
