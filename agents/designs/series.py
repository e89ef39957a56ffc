"""One series in order of time, with the treatment on or off in each period: what an interrupted time series is fitted to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from leucippus.agents.designs.donor_panel import zero_one
from leucippus.agents.designs.study import Floats, Study
from leucippus.agents.estimators.independence import independent
from leucippus.agents.estimators.periods import Periods, read_periods
from leucippus.agents.estimators.segmented import Segmented, segmented
from leucippus.errors import DataError, DesignError

if TYPE_CHECKING:
    from leucippus.agents.designs.time_series import TimeSeries


@dataclass(frozen=True, eq=False)
class Series:
    """A series in order of time."""

    y: Floats
    """(n,)."""
    on: Floats
    """(n,) 0/1."""
    position: Floats
    """(n,) time, one apart for the usual distance between periods."""
    x: Floats
    """(n, p) controls."""
    labels: tuple[str, ...]
    kind: str
    """How the periods were read."""
    order: NDArray[np.int64]
    """(n,) rows of the study's frame in order of time."""
    trend: bool
    slope_change: bool
    averaged: bool
    """Whether the effect is averaged over the treated periods, rather than taken at the date."""
    disagreement: str = ""

    @property
    def change(self) -> int:
        """The first period that differs from the one before in its treatment."""
        return int(np.flatnonzero(np.diff(self.on))[0]) + 1

    @property
    def before(self) -> int:
        return int(np.sum(self.on == 0))

    @property
    def after(self) -> int:
        return int(np.sum(self.on == 1))

    @property
    def effects(self) -> Floats:
        """(n, q) the step and, if wanted, the time since it."""
        since = self.on * (self.position - self.position[self.change])
        return np.column_stack([self.on, since] if self.slope_change else [self.on])

    @property
    def rest(self) -> Floats:
        """(n, …) trend and controls; a trend that the controls hold already is left out by the fit."""
        return np.column_stack([self.x, self.position]) if self.trend else self.x

    @property
    def contrast(self) -> Floats | None:
        return self.effects[self.on == 1].mean(axis=0) if self.averaged else None

    @property
    def spare(self) -> int:
        """Periods beyond parameters."""
        rest = np.column_stack([np.ones(len(self.y)), self.rest])
        return len(self.y) - len(independent(rest)) - int(self.effects.shape[1])

    @property
    def determined(self) -> bool:
        """Whether trend and controls fix the effects."""
        columns = np.column_stack([np.ones(len(self.y)), self.rest])
        base = len(independent(columns))
        return len(independent(np.column_stack([columns, self.effects]))) < base + int(self.effects.shape[1])

    def fit(self, lags: int | None = None) -> Segmented:
        return segmented(self.y, self.effects, self.rest, self.contrast, lags=lags)

    def rows(self, kept: NDArray[np.bool_] | slice) -> Series:
        """Some of the periods."""
        return replace(
            self,
            y=self.y[kept],
            on=self.on[kept],
            position=self.position[kept],
            x=self.x[kept],
            labels=tuple(np.array(self.labels, dtype=object)[kept]),
            order=self.order[kept],
        )


def series(study: Study, design: TimeSeries) -> Series:
    """The series of a study.

    Raises
    ------
    DataError : there are several rows in one period.
    DesignError : nothing says when the treatment began, or it never changes.
    """
    frame = study.frame
    periods = read_periods(frame[design.time], design.time)
    if periods.count < study.n:
        raise DataError(
            f"{study.n} rows in {periods.count} periods of {design.time}",
            expected=f"one series, with one row for each {design.time}",
            next_step="Aggregate to one row a period, narrow the subset to one series, or use strategy: did to compare "
            "several.",
        )
    order = np.argsort(periods.index)
    on, disagreement = _on(study, design, periods, order)
    if len(np.unique(on)) < 2:
        raise DesignError(
            f"the treatment {design.treatment!r} is {'on' if on.all() else 'off'} in every period",
            expected="periods before the treatment and from it on",
        )
    distances = np.diff(periods.keys)
    return Series(
        study.y[order],
        on,
        (periods.keys - periods.keys[0]) / float(np.median(distances)),
        study.x.to_numpy(dtype=np.float64)[order],
        periods.labels,
        "year" if periods.kind == "number" and _years(periods.keys) else periods.kind,
        order,
        design.trend == "linear",
        design.slope_change,
        design.estimand == "ATT",
        disagreement,
    )


def _on(study: Study, design: TimeSeries, periods: Periods, order: NDArray[np.int64]) -> tuple[Floats, str]:
    """(n,) the treatment in order of time, and where first_treated contradicts the column."""
    column = zero_one(study.frame[design.treatment], design.treated_value)
    said = design.first_treated
    if isinstance(said, str) and said in study.frame:
        said = next(iter(study.frame[said].dropna().unique()), None)
    place: float | None = None
    if said is not None:
        try:
            place = periods.place(said)
        except DesignError:
            # A date in words beside a column of month numbers says nothing new where the treatment column says when.
            if column is None or len(np.unique(column)) < 2:
                raise
    if column is not None and len(np.unique(column)) > 1:
        on = column[order]
        change = int(np.flatnonzero(np.diff(on))[0]) + 1
        if place is not None and place != change:
            return on, f" But {design.treatment} changes in {periods.labels[change]}, and first_treated says {said}."
        return on, ""
    if place is None:
        raise DesignError(
            f"{design.treatment!r} is no column of 0 and 1 that changes, and first_treated is not given",
            expected="a treatment column that is 1 from a date on, or first_treated",
            next_step="If it holds two words, name the one that counts as treated: treated_value.",
        )
    return (np.arange(periods.count) >= place).astype(float), ""


def _years(keys: Floats) -> bool:
    return bool((keys == np.round(keys)).all() and keys.min() > 1500 and keys.max() < 2200)
