"""Effects by group and period of first treatment, averaged over the treated: diff-diff under names of our own.

Three ways to the same average effect on the treated, none of which compares with units that are already treated:
Callaway–Sant'Anna (each group's change since its last untreated period), Sun–Abraham (the same comparisons as one
regression), and imputation (untreated outcomes predicted by unit and period effects; takes covariates that change).

References
----------
Callaway and Sant'Anna (2021), J. Econometrics 225: group-time effects; doubly robust with base-period covariates.
Sun and Abraham (2021), J. Econometrics 225: interaction-weighted event study.
Borusyak, Jaravel and Spiess (2024), Rev. Econ. Stud. 91: imputation and its conservative variance.
Goodman-Bacon (2021), J. Econometrics 225: what two-way fixed effects compares with what.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leucippus.agents.estimators.regression import Floats, t_interval, t_p_value
from leucippus.errors import DataError

Comparison = Literal["never", "not yet"]
Ints = NDArray[np.int64]

_UNITS_A_COVARIATE = 10
"""Treated units of the smallest group for each covariate below which a propensity score is noise (Peduzzi et al. 1996)."""


@dataclass(frozen=True, eq=False)
class EventStudy:
    """Effects by time since first treatment, each against the last period before it."""

    time: Ints
    """(K,), in periods; the base period is left out."""
    effects: Floats
    """(K,)."""
    covariance: Floats
    """(K, K)."""
    units: Ints
    """(K,), treated units (or clusters) seen at that time."""

    def only(self, rows: NDArray[np.bool_]) -> EventStudy:
        return EventStudy(self.time[rows], self.effects[rows], self.covariance[np.ix_(rows, rows)], self.units[rows])

    @property
    def se(self) -> Floats:
        return np.asarray(np.sqrt(np.diag(self.covariance)), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class GroupTime:
    """The average effect on the treated and what it is the average of."""

    estimate: float
    se: float
    dof: float
    """Of the t distribution: units (or clusters) − 1."""
    method: str
    events: EventStudy | None = None
    by_group: tuple[tuple[int, float, float], ...] = ()
    """(first treated period, effect, standard error)."""

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        return t_interval(self.estimate, self.se, self.dof, level)

    @property
    def p_value(self) -> float:
        return t_p_value(self.estimate, self.se, self.dof)


@dataclass(frozen=True, eq=False)
class Adoption:
    """Who is observed when, and treated from when.

    Parameters
    ----------
    y : (n,) outcome.
    unit : (n,) codes, or None where every row is another unit (repeated cross-sections).
    period : (n,) from 0.
    first : (n,) the period from which the row's unit is treated; infinite if never.
    x : (n, k) covariates, or None.
    clusters : (n,) codes at or above the unit, or None for the unit itself.
    weights : (n,), or None.
    """

    y: Floats
    unit: Ints | None
    period: Ints
    first: Floats
    x: Floats | None = None
    clusters: Ints | None = None
    weights: Floats | None = None

    def keep(self, rows: NDArray[np.bool_]) -> Adoption:
        """These rows alone."""

        def part(column: Any) -> Any:
            return None if column is None else column[rows]

        return Adoption(*(part(getattr(self, field.name)) for field in fields(self)))

    @property
    def n_clusters(self) -> int:
        groups = self.clusters if self.clusters is not None else self.unit
        return len(self.y) if groups is None else len(np.unique(groups))

    def frame(self) -> pd.DataFrame:
        """Columns y, unit, period (from 1), first (0 = never), x0 …, cluster, weight."""
        columns: dict[str, Any] = {
            "y": self.y,
            "unit": np.arange(len(self.y)) if self.unit is None else self.unit,
            "period": self.period + 1,  # from 1, because 0 means never
            "first": np.where(np.isfinite(self.first), self.first + 1, 0).astype(int),
        }
        if self.x is not None:
            columns |= {f"x{i}": column for i, column in enumerate(self.x.T)}
        if self.clusters is not None:
            columns["cluster"] = self.clusters
        if self.weights is not None:
            columns["weight"] = self.weights
        return pd.DataFrame(columns)


def callaway_santanna(data: Adoption, comparison: Comparison = "never", anticipation: int = 0) -> GroupTime:
    """Average over group-time effects, weighted by the number of treated (the `simple` aggregation).

    With covariates: doubly robust where every group has ten units a covariate, else outcome regression alone; their
    values in the base period are used.

    Raises
    ------
    DataError : no group-time effect can be computed.
    """
    import diff_diff

    covariates = 0 if data.x is None else data.x.shape[1]
    treated = pd.Series(data.first[np.isfinite(data.first)])
    units = treated if data.unit is None else treated.groupby(data.unit[np.isfinite(data.first)]).first()
    smallest = int(units.value_counts().min()) if len(units) else 0
    robust = bool(covariates) and smallest >= _UNITS_A_COVARIATE * covariates
    estimator = diff_diff.CallawaySantAnna(
        control_group="never_treated" if comparison == "never" else "not_yet_treated",
        anticipation=anticipation,
        estimation_method="dr" if robust else "reg",
        base_period="universal",
        panel=data.unit is not None,
        cluster=None if data.clusters is None else "cluster",
        rank_deficient_action="silent",
    )
    with _as_data_error("Callaway–Sant'Anna"):
        found = estimator.fit(data.frame(), "y", "unit", "period", "first", **_extras(data))
        events = found.aggregate("event_study")
        groups = found.aggregate("group")
    wording = "" if not covariates else ", doubly robust" if robust else ", outcome regression on covariates"
    return GroupTime(
        float(found.att),
        float(found.se),
        float(data.n_clusters - 1),
        f"Callaway–Sant'Anna{wording}",
        _events(data, events.event_time, events.att, events.vcov, events.vcov_index),
        tuple(
            (int(group) - 1, float(effect), float(error))
            for group, effect, error in zip(groups.label, groups.att, groups.se, strict=True)
        ),
    )


def sun_abraham(data: Adoption) -> GroupTime:
    """The interaction-weighted estimator against the never treated, averaged over treated unit-periods."""
    import diff_diff

    estimator = diff_diff.SunAbraham(
        cluster=None if data.clusters is None else "cluster", rank_deficient_action="silent"
    )
    with _as_data_error("Sun–Abraham"):
        found = estimator.fit(data.frame(), "y", "unit", "period", "first", **_extras(data))
    return GroupTime(float(found.att), float(found.se), float(data.n_clusters - 1), "Sun–Abraham")


def imputation(data: Adoption) -> GroupTime:
    """Treated outcomes less what unit effects, period effects and covariates of the untreated rows predict."""
    import diff_diff

    estimator = diff_diff.ImputationDiD(
        cluster=None if data.clusters is None else "cluster", rank_deficient_action="silent"
    )
    with _as_data_error("imputation"):
        found = estimator.fit(data.frame(), "y", "unit", "period", "first", **_extras(data))
    return GroupTime(
        float(found.att), float(found.se), float(data.n_clusters - 1), "imputation (Borusyak–Jaravel–Spiess)"
    )


def forbidden_weight(data: Adoption) -> float:
    """Share of the weight of two-way fixed effects on comparisons with units already treated (balanced panels)."""
    import diff_diff

    with _as_data_error("Goodman-Bacon decomposition"):
        found = diff_diff.BaconDecomposition().fit(data.frame(), "y", "unit", "period", "first")
    return float(found.total_weight_later_vs_earlier)


def _extras(data: Adoption) -> dict[str, Any]:
    import diff_diff

    extras: dict[str, Any] = {}
    if data.x is not None and data.x.shape[1]:
        extras["covariates"] = [f"x{i}" for i in range(data.x.shape[1])]
    if data.weights is not None:
        extras["survey_design"] = diff_diff.SurveyDesign(weights="weight")
    return extras


def _events(data: Adoption, time: Any, effects: Any, covariance: Any, index: Any) -> EventStudy | None:
    if covariance is None or index is None:
        return None
    at = {int(t): i for i, t in enumerate(time)}
    since = data.period - np.where(np.isfinite(data.first), data.first, -np.inf)
    group = data.clusters if data.clusters is not None else data.unit
    seen = pd.Series(np.arange(len(data.y)) if group is None else group).groupby(since).nunique()
    found = EventStudy(
        np.asarray(index, dtype=np.int64),
        np.array([float(effects[at[int(t)]]) for t in index]),
        np.asarray(covariance, dtype=np.float64),
        np.array([int(seen.get(float(t), 0)) for t in index], dtype=np.int64),
    )
    return found.only(np.isfinite(found.effects) & (np.diag(found.covariance) > 0))


@contextlib.contextmanager
def _as_data_error(method: str) -> Iterator[None]:
    """The library's refusals as ours, and its warnings silenced: what they warn of, the design's checks say."""
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            yield
    except (ValueError, np.linalg.LinAlgError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(
            f"{method} finds no estimate in these data: {reason}",
            next_step="Bring comparison units, or leave out controls.",
        ) from error
