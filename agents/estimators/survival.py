"""Times to an event that some rows are not followed up to: restricted mean survival time and the hazard ratio.

Knows arrays only. The restricted mean is the area under the Kaplan–Meier curve of an arm up to a horizon: mean time
without the event, of the first so many units of time. Each row's pseudo-observation (the arm's mean plus the row's
influence on it) stands in for the time that censoring hides; with controls the pseudo-observations are compared by
augmented inverse probability weighting, without by their means, which are the Kaplan–Meier areas.

References
----------
Royston and Parmar (2013), BMC Med. Res. Methodol. 13: the restricted mean as the summary where hazards cross.
Andersen, Hansen and Klein (2004), Lifetime Data Anal. 10: pseudo-observations of the restricted mean.
Parner, Andersen and Overgaard (2023), Stat. Med. 42: their infinitesimal form, used here.
Robins, Rotnitzky and Zhao (1994), J. Am. Stat. Assoc. 89: augmented inverse probability weighting.
Cox (1972), J. R. Stat. Soc. B 34; Grambsch and Therneau (1994), Biometrika 81: proportional hazards and their test.
"""

import contextlib
import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leucippus.agents.estimators.basis import basis
from leucippus.agents.estimators.independence import independent
from leucippus.agents.estimators.influence import Effect, from_influence
from leucippus.agents.estimators.overlap import balancing_weights, propensity
from leucippus.agents.estimators.regression import Floats, t_interval, t_p_value
from leucippus.agents.estimators.second import SecondOpinion, compare
from leucippus.errors import DataError

_AT_RISK = 10


@dataclass(frozen=True, eq=False)
class RestrictedMeans:
    """Mean time without the event, of the time up to the horizon."""

    treated: float
    control: float
    difference: Effect
    horizon: float


@dataclass(frozen=True)
class Cox:
    """The treatment's coefficient in a proportional hazards model."""

    log_ratio: float
    se: float
    """Of `log_ratio`."""
    proportional_p: float
    """Grambsch–Therneau test that the treatment's hazard ratio does not change with time."""
    dof: float
    """Degrees of freedom of the t distribution for intervals: clusters − 1, or infinitely many."""
    inference: str

    @property
    def ratio(self) -> float:
        return float(np.exp(self.log_ratio))

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Of the ratio; symmetrical about its logarithm."""
        low, high = t_interval(self.log_ratio, self.se, self.dof, level)
        return float(np.exp(low)), float(np.exp(high))

    @property
    def p_value(self) -> float:
        """Two-sided, that the ratio is 1."""
        return t_p_value(self.log_ratio, self.se, self.dof)


def kaplan_meier(duration: Floats, event: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Event times in order, share without the event after each, rows at risk at each and events at each; (times,)."""
    times, counts = np.unique(duration[event == 1], return_counts=True)
    at_risk = len(duration) - np.searchsorted(np.sort(duration), times, side="left")
    curve = np.asarray(np.cumprod(1 - counts / at_risk), dtype=np.float64)
    return times, curve, at_risk.astype(np.float64), counts.astype(np.float64)


def pseudo_observations(duration: Floats, event: Floats, horizon: float) -> Floats:
    """Pseudo-observations of the area under the Kaplan–Meier curve up to `horizon`, (n,); their mean is that area.

    With S the curve, A(t) its area from t to the horizon and Y the share at risk, a row's influence is
    −A(T)/Y(T) if its event came by the horizon, plus Σ A(t) dΛ(t)/Y(t) over event times t up to its own time.
    """
    times, curve, at_risk, counts = kaplan_meier(duration, event)
    kept = times <= horizon
    times, curve, at_risk, counts = times[kept], curve[kept], at_risk[kept], counts[kept]
    edges, heights = np.concatenate([[0.0], times, [horizon]]), np.concatenate([[1.0], curve])
    pieces = heights * np.diff(edges)
    area = float(pieces.sum())
    ahead = area - np.cumsum(pieces)[:-1]
    # The share still at risk after the events: with it the influences have Greenwood's variance, and no jackknife is
    # needed in small samples. Where none is left, nothing lies ahead either.
    share = np.maximum(at_risk - counts, 1) / len(duration)
    expected = np.concatenate([[0.0], np.cumsum(ahead * counts / at_risk / share)])
    influence = expected[np.searchsorted(times, duration, side="right")]
    happened = (event == 1) & (duration <= horizon)
    influence[happened] -= (ahead / share)[np.searchsorted(times, duration[happened])]
    return np.asarray(area + influence, dtype=np.float64)


def greenwood(duration: Floats, event: Floats, horizon: float) -> float:
    """Greenwood's variance of the area under the Kaplan–Meier curve up to `horizon`."""
    times, curve, at_risk, counts = kaplan_meier(duration, event)
    kept = times <= horizon
    ahead = np.cumsum((curve[kept] * np.diff(np.append(times[kept], horizon)))[::-1])[::-1]
    at_risk, counts = at_risk[kept], counts[kept]
    # Where the last row at risk has the event, the curve is 0 from there on and nothing lies ahead.
    left = at_risk > counts
    return float((ahead[left] ** 2 * counts[left] / (at_risk[left] * (at_risk[left] - counts[left]))).sum())


def longest_horizon(duration: Floats, d: Floats) -> float:
    """The last time at which both arms still have ten rows (half of a small arm) at risk."""
    ends = []
    for arm in (0, 1):
        ordered = np.sort(duration[d == arm])[::-1]
        ends.append(ordered[min(_AT_RISK, (len(ordered) + 1) // 2) - 1])
    return float(min(ends))


def restricted_means(
    duration: Floats,
    event: Floats,
    d: Floats,
    x: Floats | None = None,
    *,
    horizon: float,
    clusters: NDArray[np.int64] | None = None,
) -> RestrictedMeans:
    """Restricted mean of each arm of a 0/1 treatment, averaged over the controls of all rows.

    Parameters
    ----------
    duration, event, d : (n,) time followed up, whether the event ended it, treatment.
    x : (n, k) controls of propensity and outcome model, or None.
    horizon : in the units of `duration`.
    clusters : (n,) codes from 0, or None.

    Raises
    ------
    DataError : an arm has fewer rows than control columns, or there is a single cluster.
    """
    columns = controls(d, x)
    e = propensity(d, columns)
    z = np.column_stack([np.ones(len(d)), columns])
    scores = []
    for arm, chance in ((1, e), (0, 1 - e)):
        inside = d == arm
        if inside.sum() <= z.shape[1]:
            raise DataError(f"{int(inside.sum())} rows in an arm for {z.shape[1] - 1} control columns")
        pseudo = pseudo_observations(duration[inside], event[inside], horizon)
        score = z @ np.linalg.lstsq(z[inside], pseudo, rcond=None)[0]
        score[inside] += (pseudo - score[inside]) / chance[inside]
        scores.append(score)
    treated, control = float(scores[0].mean()), float(scores[1].mean())
    difference = treated - control
    influence = scores[0] - scores[1] - difference
    effect = from_influence(
        difference, influence, 2 * z.shape[1], clusters, "influence values of pseudo-observations, "
    )
    return RestrictedMeans(treated, control, effect, horizon)


def controls(d: Floats, x: Floats | None) -> Floats:
    """Controls as columns for the models of treatment and time, (n, p)."""
    rows = int(min(d.sum(), (1 - d).sum()))
    return np.empty((len(d), 0)) if x is None else basis(x, rows)


def cox(
    duration: Floats,
    event: Floats,
    d: Floats,
    x: Floats | None = None,
    *,
    clusters: NDArray[np.int64] | None = None,
) -> Cox:
    """Cox regression on treatment and controls (lifelines; Efron's ties).

    Raises
    ------
    DataError : the likelihood has no maximum, or the columns determine one another.
    """
    from lifelines import CoxPHFitter
    from lifelines.exceptions import ConvergenceError, ConvergenceWarning
    from lifelines.statistics import proportional_hazard_test

    columns = {"duration": duration, "event": event, "d": d}
    if x is not None:
        columns |= {f"x{i}": column for i, column in enumerate(_columns(d, x).T)}
    frame = pd.DataFrame(columns)
    if clusters is not None:
        frame["cluster"] = clusters
    fitter = CoxPHFitter()
    with warnings.catch_warnings(), contextlib.redirect_stdout(None):
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", ConvergenceWarning)
        try:
            fitter.fit(frame, "duration", "event", cluster_col=None if clusters is None else "cluster")
        except (ConvergenceError, ConvergenceWarning, np.linalg.LinAlgError) as error:
            raise DataError(
                "the Cox regression does not converge: a column may tell rows with the event from those without",
                next_step="Ask for the RMST difference, or leave out the control that separates them.",
            ) from error
        test = proportional_hazard_test(fitter, frame, time_transform="rank")
    p = float(np.ravel(test.summary.loc["d", "p"])[0])
    groups = 0 if clusters is None else len(np.unique(clusters))
    return Cox(
        float(fitter.params_["d"]),
        float(fitter.standard_errors_["d"]),
        p,
        groups - 1.0 if groups else np.inf,
        f"sandwich standard error clustered in {groups} groups (Lin and Wei)"
        if groups
        else "standard error from the partial likelihood",
    )


def cox_second(duration: Floats, event: Floats, d: Floats, x: Floats | None, first: Cox) -> SecondOpinion:
    """The logarithm of the hazard ratio again, by statsmodels."""
    from statsmodels.duration.hazard_regression import PHReg

    z = d[:, None] if x is None else np.column_stack([d, _columns(d, x)])
    fit = PHReg(duration, z, status=event, ties="efron").fit()
    return compare(
        "statsmodels PHReg (log hazard ratio)",
        float(fit.params[0]),
        float(fit.bse[0]),
        (first.log_ratio, first.se),
        "its standard error knows no clusters",
    )


def kaplan_meier_second(
    duration: Floats, event: Floats, d: Floats, x: Floats | None, first: RestrictedMeans
) -> SecondOpinion:
    """The restricted means again, by lifelines: unadjusted, or under inverse probability weights alone."""
    from lifelines import KaplanMeierFitter
    from lifelines.utils import restricted_mean_survival_time

    columns = controls(d, x)
    adjusted = columns.shape[1] > 0
    balancing = balancing_weights(d, propensity(d, columns), "ATE")
    means, variance = [], 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # weights that are no whole numbers
        for arm in (1, 0):
            rows = d == arm
            weights = balancing[rows] if adjusted else None
            curve = KaplanMeierFitter().fit(duration[rows], event[rows], weights=weights)
            means.append(float(restricted_mean_survival_time(curve, t=first.horizon)))
            variance += greenwood(duration[rows], event[rows], first.horizon)
    difference, effect = means[0] - means[1], first.difference
    if not adjusted:
        return compare(
            "lifelines Kaplan–Meier",
            difference,
            float(np.sqrt(variance)),
            (effect.estimate, effect.se),
            "Greenwood's formula knows no clusters and makes no correction for degrees of freedom",
        )
    apart = abs(difference - effect.estimate) / effect.se
    return SecondOpinion(
        "lifelines Kaplan–Meier, inverse probability weights",
        difference,
        float(np.sqrt(variance)),
        apart < 1,
        f"{apart:.2g} standard errors apart: weights alone, without the regression on the controls; its standard error is "
        "Greenwood's, without weights",
    )


def log_rank_p(duration: Floats, event: Floats, d: Floats) -> float:
    """P-value of the log-rank test that both arms have the same hazard."""
    from lifelines.statistics import logrank_test

    treated = d == 1
    found = logrank_test(duration[treated], duration[~treated], event[treated], event[~treated])
    return float(found.p_value)


def _columns(d: Floats, x: Floats) -> Floats:
    """The columns of `x`, standardised, that neither the treatment nor the columns before them determine, (n, p)."""
    columns = basis(x, 0)
    return columns[:, independent(columns, (d - d.mean())[:, None])]
