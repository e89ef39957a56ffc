"""How far parallel trends may fail before an event study says nothing: HonestDiD through diff-diff.

Relative magnitudes: between neighbouring periods after the treatment the trends may part by at most M̄ times the most
they did before it. The breakdown value is the largest M̄ at which the robust interval still excludes zero.

References
----------
Rambachan and Roth (2023), Rev. Econ. Stud. 90, sections 2.4.1 and 3.
Roth (2022), Am. Econ. Rev.: Insights 4: what a pre-trend test has the power to find.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from leucippus.agents.estimators.group_time import EventStudy
from leucippus.agents.estimators.regression import Floats
from leucippus.errors import DataError

GRID = (0.25, 0.5, 1.0, 1.5, 2.0)
_DRAWS = 20_000


@dataclass(frozen=True)
class Honest:
    """Robust intervals of the average effect over the periods after the treatment."""

    breakdown: float
    """The largest M̄ with an interval that excludes zero, to 0.01; 0 where none does."""
    intervals: tuple[tuple[float, float, float], ...]
    """(M̄, low, high)."""
    method: str


def honest_did(events: EventStudy, level: float = 0.95) -> Honest:
    """The sensitivity of an event study to trends that part.

    Raises
    ------
    DataError : fewer than one period on either side of the base period, or a gap among them.
    """
    from diff_diff import HonestDiD, MultiPeriodDiDResults
    from diff_diff.results import PeriodEffect

    before, after = _around_base(events)
    if not before or not after:
        raise DataError("no estimated period on one side of the treatment", expected="one or more leads and lags")
    kept = [*before, *after]
    at = {int(t): i for i, t in enumerate(events.time)}
    rows = [at[t] for t in kept]
    effects, covariance = events.effects[rows], events.covariance[np.ix_(rows, rows)]
    nan = float("nan")
    se = np.sqrt(np.diag(covariance))
    results = MultiPeriodDiDResults(
        period_effects={
            t: PeriodEffect(t, float(b), float(s), float(b / s), nan, (nan, nan))
            for t, b, s in zip(kept, effects, se, strict=True)
        },
        avg_att=nan,
        avg_se=nan,
        avg_t_stat=nan,
        avg_p_value=nan,
        avg_conf_int=(nan, nan),
        n_obs=0,
        n_treated=0,
        n_control=0,
        pre_periods=before,
        post_periods=after,
        vcov=covariance,
        interaction_indices={t: i for i, t in enumerate(kept)},
    )
    honest = HonestDiD(method="relative_magnitude", alpha=1 - level)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            found = [(m, honest.fit(results, M=m)) for m in GRID]
            breakdown = honest.breakdown_value(results)
    except (ValueError, np.linalg.LinAlgError) as error:
        raise DataError(f"the bounds cannot be computed: {str(error).splitlines()[0]}") from error
    # The library says None where even a very large M̄ leaves the interval on one side of zero.
    return Honest(
        float("inf") if breakdown is None else float(breakdown),
        tuple((m, float(fit.ci_lb), float(fit.ci_ub)) for m, fit in found),
        str(found[0][1].ci_method),
    )


def largest_lead(events: EventStudy, seed: int = 0) -> tuple[float, float]:
    """The largest |t| among the effects before the treatment, and the p-value of all of them together (sup-t).

    Raises
    ------
    DataError : there is no lead beside the base period.
    """
    leads = events.time < 0
    if not leads.any():
        raise DataError("no period before the base period", expected="two or more untreated periods")
    covariance = events.covariance[np.ix_(leads, leads)]
    se = np.sqrt(np.diag(covariance))
    largest = float(np.abs(events.effects[leads] / se).max())
    values, vectors = np.linalg.eigh(covariance / np.outer(se, se))
    root: Floats = vectors * np.sqrt(np.maximum(values, 0.0))
    draws = np.abs(np.random.default_rng(seed).standard_normal((_DRAWS, len(se))) @ root.T).max(axis=1)
    return largest, float((draws >= largest).mean())


def power_against_slope(slope: float, se: float, level: float = 0.95) -> float:
    """Chance that a two-sided test of a zero trend finds one of this slope, by the normal distribution."""
    from scipy.stats import norm

    critical = norm.ppf(0.5 + level / 2)
    return float(norm.cdf(abs(slope) / se - critical) + norm.cdf(-abs(slope) / se - critical))


def _around_base(events: EventStudy) -> tuple[list[int], list[int]]:
    """The leads and lags next to the base period −1 without a gap."""
    have = {int(t) for t in events.time}
    before, after = list[int](), list[int]()
    t = -2
    while t in have:
        before.insert(0, t)
        t -= 1
    t = 0
    while t in have:
        after.append(t)
        t += 1
    return before, after
