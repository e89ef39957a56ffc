"""Overlap: who has somebody to be compared with; and weighting, which needs it most.

The propensity score e(x) is the chance of treatment given the controls, by a logistic regression with a slight ridge
penalty, so that it stays finite where the controls separate the arms. An estimand is an average over a target
population, h(x) times the density of x: h = 1 for the ATE, e for the ATT, 1 - e for the ATC, e (1 - e) for the ATO.

References
----------
Rosenbaum and Rubin (1983), Biometrika 70: the propensity score.
Li, Morgan and Zaslavsky (2018), J. Am. Stat. Assoc. 113: target populations (Table 1) and overlap weights.
Lunceford and Davidian (2004), Stat. Med. 23: the influence values of weighting with an estimated score.
Crump, Hotz, Imbens and Mitnik (2009), Biometrika 96: what limited overlap does to the average effect.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from leucippus.agents.estimators.influence import Effect, from_influence
from leucippus.agents.estimators.normal_equations import expit, gram, logistic, moments, predict
from leucippus.agents.estimators.regression import Floats
from leucippus.errors import DataError

Target = Literal["ATE", "ATT", "ATC", "ATO"]
PENALTY = 0.1
"""Ridge penalty on a standardised coefficient, in units of one row's information."""
EXTREME = 0.01
NO_COMPARISON = 0.2
"""Share of the target population outside the other arm's range of propensities, or of an arm out of its reach."""
_THIN = 0.1
"""Effective rows of an arm once weighted to the target, over the rows of the smaller arm."""
_FEWEST = 5


@dataclass(frozen=True)
class Overlap:
    """How well the arms overlap for one target population."""

    target: Target
    extreme: float
    """Share of all rows with a propensity outside [0.01, 0.99]."""
    alone: float
    """Share of the target population with a propensity that no row of the other arm reaches."""
    effective_treated: float
    """Kish's effective number of treated rows when they stand for the target."""
    effective_control: float
    n_treated: int
    n_control: int
    common_treated: int
    """Treated rows within the range of propensities that both arms reach."""
    common_control: int

    @property
    def supported(self) -> bool:
        """Whether the target population has somebody to be compared with in both arms."""
        smaller = min(self.n_treated, self.n_control)
        needed = max(_THIN * smaller, min(_FEWEST, smaller / 2))
        thin = min(self.effective_treated, self.effective_control) < needed
        barely = min(self.common_treated, self.common_control) < _FEWEST
        return not (thin or barely or self.alone > NO_COMPARISON)


def propensity(d: Floats, basis: Floats) -> Floats:
    """Chance of treatment for each row, (n,), strictly between 0 and 1.

    Parameters
    ----------
    d : (n,) of 0 and 1.
    basis : (n, p) standardised controls.
    """
    return np.clip(expit(predict(basis, logistic(basis, d, PENALTY))), 1e-9, 1 - 1e-9)


def overlap(d: Floats, e: Floats, target: Target) -> Overlap:
    """Measure the overlap of two arms, (n,) of 0 and 1, with propensities (n,)."""
    treated, control = e[d == 1], e[d == 0]
    low, high = max(treated.min(), control.min()), min(treated.max(), control.max())
    inside = (e >= low) & (e <= high)
    tilt = _tilt(e, target)
    # A row needs the other arm: a control below every treated row has none, and a treated row above every control.
    needs_other = np.where(d == 1, e > control.max(), e < treated.min())
    if target == "ATT":
        alone = float(needs_other[d == 1].mean())
    elif target == "ATC":
        alone = float(needs_other[d == 0].mean())
    else:
        alone = float((tilt * needs_other).sum() / tilt.sum())
    weights = balancing_weights(d, e, target)
    return Overlap(
        target,
        float(((e < EXTREME) | (e > 1 - EXTREME)).mean()),
        alone,
        effective(weights[d == 1]),
        effective(weights[d == 0]),
        len(treated),
        len(control),
        int(inside[d == 1].sum()),
        int(inside[d == 0].sum()),
    )


def out_of_reach(d: Floats, e: Floats) -> tuple[float, float]:
    """Share of the untreated, and of the treated, whose like is over 99 times rarer in the other arm: were the arms equally
    large, their propensities would lie outside [0.01, 0.99] on their own side.

    For models that read an outcome off the other arm at the place of this one. `Overlap.alone` goes by the range of
    propensities, which a single stray row widens and a small sample narrows: at 100 rows it refuses a third of the draws
    in which a mediator differs by one standard deviation, and there is no other population to move to.

    Parameters
    ----------
    d : (n,) of 0 and 1.
    e : (n,) propensities, of everything that stands beside the treatment in the model.
    """
    odds = e / (1 - e) * (1 - d).sum() / d.sum()
    rarer = np.where(d == 1, odds, 1 / odds) > (1 - EXTREME) / EXTREME
    return float(rarer[d == 0].mean()), float(rarer[d == 1].mean())


def effective(weights: Floats) -> float:
    """Kish's effective number of rows of weights (m,): (sum w)^2 / sum w^2."""
    return float(weights.sum() ** 2 / (weights**2).sum())


def balancing_weights(d: Floats, e: Floats, target: Target) -> Floats:
    """Weights (n,) that make each arm look like the target: h / e for the treated, h / (1 - e) for the others."""
    return np.asarray(_tilt(e, target) / np.where(d == 1, e, 1 - e), dtype=np.float64)


def weighted_imbalance(x: Floats, d: Floats, weights: Floats) -> Floats:
    """Difference of weighted means of each column, (k,), in standard deviations of the unweighted arms pooled."""
    treated, control = d == 1, d == 0
    pooled = np.sqrt((x[treated].var(axis=0) + x[control].var(axis=0)) / 2)
    apart = np.average(x[treated], axis=0, weights=weights[treated]) - np.average(
        x[control], axis=0, weights=weights[control]
    )
    return np.asarray(np.divide(apart, pooled, out=np.zeros_like(apart), where=pooled > 0), dtype=np.float64)


def weighted_difference(
    y: Floats, d: Floats, basis: Floats, target: Target, clusters: ArrayLike | None = None
) -> Effect:
    """Difference of weighted mean outcomes (Hajek), with the estimation of the propensity in its standard error.

    Raises
    ------
    DataError : an arm is empty, a single cluster, or no more rows than parameters.
    """
    if not 0 < d.mean() < 1:
        raise DataError("one arm has no rows", expected="treated and untreated rows")
    e = propensity(d, basis)
    weights = balancing_weights(d, e, target)
    information = gram(basis, e * (1 - e))
    information[1:, 1:] += PENALTY * np.eye(basis.shape[1])
    inverse = np.linalg.pinv(information / len(d), hermitian=True)
    influence, means = np.zeros(len(d)), []
    for arm, sign in ((1, 1.0), (0, -1.0)):
        share = weights * (d == arm)
        mean = float(share @ y / share.sum())
        slope = moments(basis, _weight_slope(e, target, arm) * (d == arm) * (y - mean)) / share.sum()
        # The influence of the propensity's coefficients, times what they change in the mean.
        influence += sign * (share * (y - mean) / share.mean() + (d - e) * predict(basis, inverse @ slope))
        means.append(mean)
    return from_influence(means[0] - means[1], influence, basis.shape[1] + 1, clusters, "influence values, ")


def _tilt(e: Floats, target: Target) -> Floats:
    """h(x) at each row, (n,)."""
    return {"ATE": np.ones_like(e), "ATT": e, "ATC": 1 - e, "ATO": e * (1 - e)}[target]


def _weight_slope(e: Floats, target: Target, arm: int) -> Floats:
    """Derivative of the weight in the linear predictor of the propensity, (n,)."""
    zero = np.zeros_like(e)
    treated = {"ATE": -(1 - e) / e, "ATT": zero, "ATC": -(1 - e) / e, "ATO": -e * (1 - e)}
    control = {"ATE": e / (1 - e), "ATT": e / (1 - e), "ATC": zero, "ATO": e * (1 - e)}
    return (treated if arm == 1 else control)[target]
