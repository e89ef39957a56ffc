"""Least squares with two (or more) sets of fixed effects, and inference that fits the number of treated clusters.

Knows arrays only. The interval is, in this order,
    from rows                where there are no clusters, or too few of them to be compared;
    from changes of clusters where fewer than six clusters are treated, or untreated: sandwich and bootstrap see too little
                             of the treated side there, so the untreated clusters' changes stand for both (Donald–Lang);
    wild cluster bootstrap   below forty clusters;
    clustered with t quantiles otherwise.

References
----------
Bertrand, Duflo and Mullainathan (2004), Q. J. Econ. 119: one difference a cluster removes serial correlation.
Donald and Lang (2007), Rev. Econ. Stat. 89: t with clusters − 2 degrees of freedom.
Conley and Taber (2011), Rev. Econ. Stat. 93: the untreated groups' shocks as the distribution of the treated group's.
MacKinnon and Webb (2018), Econometrics J. 21: few treated clusters break the wild bootstrap.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from leucippus.agents.estimators.independence import independent
from leucippus.agents.estimators.regression import Fit, Floats, regress, t_interval, t_p_value
from leucippus.agents.estimators.second import SecondOpinion, compare
from leucippus.agents.estimators.wild_bootstrap import FEW_CLUSTERS, wild_bootstrap
from leucippus.errors import DataError

Ints = NDArray[np.int64]
FEW_TREATED = 6
"""Clusters on one side below which clustered standard errors and the bootstrap fail (MacKinnon and Webb 2018)."""
_FEWEST_CHANGES = 4
"""Clusters with which two groups of changes can be compared at all: two degrees of freedom."""
_DUMMIES = 60
"""Fixed effects that are worth their own columns, for the sake of HC2."""


@dataclass(frozen=True, eq=False)
class TwoWay:
    """A coefficient with its interval."""

    estimate: float
    se: float
    ci_low: float
    ci_high: float
    p_value: float
    inference: str
    clusters: int | None
    """How many the interval rests on; None where it rests on rows."""
    fit: Fit


def two_way(
    y: Floats,
    d: Floats,
    x: Floats | None = None,
    *,
    absorb: Ints,
    clusters: Ints | None = None,
    profile: Floats | None = None,
    weights: Floats | None = None,
    bootstrap: bool = True,
    level: float = 0.95,
) -> TwoWay:
    """Coefficient of `d` given `x` and the effects in `absorb`.

    Parameters
    ----------
    y, d : (n,).
    x : (n, k), or None.
    absorb : (n, f) codes of fixed effects.
    clusters : (n,) codes, or None.
    profile : (n,), where `d` is a group indicator times something that depends on time alone: that something, such as
        0 before and 1 after, or the period. Makes changes of clusters possible.
    weights : (n,), or None.

    Raises
    ------
    DataError : the effects or controls determine `d`, or there are too few rows.
    """
    arms = () if clusters is None else cluster_arms(d, clusters)
    if (
        clusters is not None
        and profile is None
        and len(arms) >= _FEWEST_CHANGES
        and 0 < sum(arms) < len(arms)
        and _few(arms)
    ):
        raise DataError(
            f"only {min(sum(arms), len(arms) - sum(arms))} of {len(arms)} clusters are "
            f"{'treated' if sum(arms) < len(arms) / 2 else 'untreated'}, too few to tell the effect from what else befell them",
            expected=f"{FEW_TREATED} or more on either side",
            next_step="State a plain did (without third_difference), whose interval can rest on changes of clusters.",
        )
    if clusters is None or len(arms) < _FEWEST_CHANGES:
        fit = _by_rows(y, d, x, absorb, weights, iid=clusters is not None)
        low, high = fit.interval(level)
        return TwoWay(fit.estimate, fit.se, low, high, fit.p_value, fit.inference, None, fit)
    fit = regress(y, d, x, absorb=absorb, clusters=clusters, weights=weights)
    if profile is not None and _few(arms):
        se = _by_changes(fit.residuals, d, profile, clusters, weights)
        dof = len(arms) - 2
        low, high = t_interval(fit.estimate, se, dof, level)
        words = (
            f"standard error from the changes of {len(arms)} clusters, {sum(arms)} of them treated, with a common "
            f"variance (Donald–Lang) and t({dof}) quantiles"
        )
        return TwoWay(fit.estimate, se, low, high, t_p_value(fit.estimate, se, dof), words, len(arms), fit)
    low, high = fit.interval(level)
    result = TwoWay(fit.estimate, fit.se, low, high, fit.p_value, fit.inference, len(arms), fit)
    if len(arms) >= FEW_CLUSTERS or weights is not None or not bootstrap:
        return result
    # The shortest effect goes in as columns: it sweeps faster than two absorbed ones, and there is always a control.
    shortest = int(np.argmin([len(np.unique(effect)) for effect in absorb.T]))
    columns = _indicators(absorb[:, shortest])
    wild = wild_bootstrap(
        y,
        d,
        columns if x is None else np.column_stack([x, columns]),
        clusters,
        absorb=np.delete(absorb, shortest, axis=1),
        level=level,
    )
    return replace(
        result,
        ci_low=wild.ci_low,
        ci_high=wild.ci_high,
        p_value=wild.p_value,
        inference=f"{fit.inference}; interval by the wild cluster bootstrap",
    )


def cluster_arms(d: Floats, clusters: Ints) -> tuple[bool, ...]:
    """Whether each cluster is ever treated, in order of its code."""
    codes = np.unique(clusters, return_inverse=True)[1]
    ever = np.zeros(int(codes.max()) + 1, dtype=bool)
    np.logical_or.at(ever, codes, d != 0)
    return tuple(map(bool, ever))


def _few(arms: tuple[bool, ...]) -> bool:
    return min(sum(arms), len(arms) - sum(arms)) < FEW_TREATED


def _by_rows(y: Floats, d: Floats, x: Floats | None, absorb: Ints, weights: Floats | None, *, iid: bool) -> Fit:
    """HC2 where the effects are few enough for columns of their own. Constant variance for a handful of clusters: a
    few long series, in which a robust variance would rest on a few rows."""
    if iid:
        return regress(y, d, x, absorb=absorb, weights=weights, robust="iid")
    columns = [np.empty((len(y), 0)) if x is None else x]
    for effect in absorb.T:
        if len(np.unique(effect)) + sum(column.shape[1] for column in columns) > _DUMMIES:
            return regress(y, d, x, absorb=absorb, weights=weights, robust="HC1")
        columns.append(_indicators(effect))
    return regress(y, d, np.column_stack(columns), weights=weights, robust="HC2")


def _indicators(effect: Ints) -> Floats:
    """A column for every level but the first, (n, levels − 1)."""
    return np.asarray(effect[:, None] == np.unique(effect)[1:], dtype=np.float64)


def _by_changes(residuals: Floats, d: Floats, profile: Floats, clusters: Ints, weights: Floats | None) -> float:
    """Standard error of the difference between the mean changes of treated and untreated clusters.

    The change of a cluster is the slope of its residuals on the profile: after less before, where that is 0 and 1.
    """
    codes = np.unique(clusters, return_inverse=True)[1]
    w = np.ones(len(d)) if weights is None else weights

    def total(values: Floats) -> Floats:
        return np.bincount(codes, w * values).astype(np.float64)

    size = total(np.ones(len(d)))
    centred = profile - (total(profile) / size)[codes]
    moves = total(centred**2)
    both = moves > 0
    change = total(centred * residuals)[both] / moves[both]
    treated, size = np.array(cluster_arms(d, clusters))[both], size[both]
    dof = len(change) - 2
    if dof < 1 or not treated.any() or treated.all():
        raise DataError("too few clusters are seen before and after", expected="treated and untreated ones in both")
    spread = scale = 0.0
    for arm in (treated, ~treated):
        spread += float(((change[arm] - np.average(change[arm], weights=size[arm])) ** 2).sum())
        scale += float((size[arm] ** 2).sum() / size[arm].sum() ** 2)
    return float(np.sqrt(spread / dof * scale))


def second_two_way(
    y: Floats,
    d: Floats,
    x: Floats | None,
    first: TwoWay,
    *,
    absorb: Ints,
    clusters: Ints | None,
    weights: Floats | None,
) -> SecondOpinion:
    """The same regression by linearmodels."""
    import pandas as pd
    from linearmodels.iv.absorbing import AbsorbingLS

    exogenous = np.column_stack([d] if x is None else [d, x])
    # What others determine is dropped on this side too; the treatment stands first and stays.
    kept = independent(exogenous - exogenous.mean(axis=0))
    effects = pd.DataFrame({str(i): pd.Categorical(effect) for i, effect in enumerate(absorb.T)})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = AbsorbingLS(y, exogenous[:, kept], absorb=effects, weights=weights, drop_absorbed=True).fit(
            **({"cov_type": "robust"} if clusters is None else {"cov_type": "clustered", "clusters": clusters})
        )
    why = "another correction for few rows or clusters"
    if "changes" in first.inference or "constant" in first.inference:
        why = f"there {'clustered' if clusters is not None else 'robust'}, here {first.inference.split(',')[0]}"
    return compare(
        "linearmodels AbsorbingLS",
        float(np.asarray(fit.params)[0]),
        float(np.asarray(fit.std_errors)[0]),
        (first.estimate, first.se),
        why,
    )
