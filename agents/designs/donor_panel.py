"""A panel with treated units, one date and donors: who is treated from when, and a complete table of outcomes.

Who and when may be said in three ways: a treatment column that is 0 and 1, the fields treated_group and first_treated,
or both, and then they must agree. Gaps are closed by leaving out periods and units, never by filling in.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leucippus.agents.designs.result import Dropped
from leucippus.agents.designs.study import Floats, Study
from leucippus.agents.estimators.periods import NEVER, Periods, read_periods
from leucippus.agents.estimators.placebo import Placebos, in_space
from leucippus.agents.estimators.synthetic import PLACEBO_DRAWS, Gap, SyntheticDid, synthetic_did, synthetic_gap
from leucippus.errors import DataError, DesignError

Bools = NDArray[np.bool_]
_MOSTLY = 0.5


@dataclass(frozen=True, eq=False)
class Panel:
    """T periods by N units, no cell empty."""

    y: Floats
    """(T, N) outcomes."""
    x: Floats
    """(p, T, N) controls."""
    controls: tuple[str, ...]
    """(p,) their names."""
    units: tuple[str, ...]
    """(N,)."""
    treated: Bools
    """(N,)."""
    periods: tuple[str, ...]
    """(T,)."""
    positions: Floats
    """(T,) where the periods stand on an axis."""
    pre: int
    """Periods before the treatment."""
    onset: str
    """The first treated period, as written."""
    left_out: tuple[Dropped, ...] = ()
    gaps: str = ""
    """What was left out because cells were empty, in words."""
    treated_elsewhere: int = 0
    """Units treated at some time that are not the treated ones; left out."""
    disagreement: str = ""
    """Where the treatment column contradicts treated_group or first_treated."""

    @property
    def n_treated(self) -> int:
        return int(self.treated.sum())

    @property
    def donors(self) -> int:
        return int((~self.treated).sum())

    @property
    def treated_names(self) -> tuple[str, ...]:
        return tuple(np.array(self.units, dtype=object)[self.treated])

    @property
    def donor_names(self) -> tuple[str, ...]:
        return tuple(np.array(self.units, dtype=object)[~self.treated])

    @property
    def treated_path(self) -> Floats:
        """(T,), mean over the treated units."""
        return np.asarray(self.y[:, self.treated].mean(axis=1))

    @property
    def donor_paths(self) -> Floats:
        """(T, J)."""
        return self.y[:, ~self.treated]

    def predictors(self) -> Floats | None:
        """(q, 1 + J) means of the controls before the treatment, the treated first; those that vary.

        Raises
        ------
        DataError : a control has no value before the treatment for some unit.
        """
        seen = ~np.isnan(self.x[:, : self.pre])
        counts = seen.sum(axis=1)
        if (counts == 0).any():
            control, unit = np.argwhere(counts == 0)[0]
            raise DataError(
                f"{self.controls[control]} has no value before the treatment for {self.units[unit]}",
                expected="at least one for each unit",
                next_step=f"Leave out that control or that unit ({int((counts == 0).any(axis=0).sum())} units lack one).",
            )
        means = np.where(seen, self.x[:, : self.pre], 0).sum(axis=1) / counts
        rows = np.column_stack([means[:, self.treated].mean(axis=1), means[:, ~self.treated]])
        rows = rows[np.ptp(rows, axis=1) > 0]
        return rows if len(rows) else None

    def covariates(self) -> Floats | None:
        """(p, T, N) controls by period, which synthetic difference-in-differences needs without gaps.

        Raises
        ------
        DataError : they have gaps.
        """
        if np.isnan(self.x).any():
            raise DataError(
                "a control has gaps", expected="a value in each period", next_step="Leave it out, or fill the gaps."
            )
        return self.x if len(self.x) else None

    def synthetic(self) -> Gap:
        """The treated units' mean beside its synthetic control."""
        return synthetic_gap(self.treated_path, self.donor_paths, self.pre, self.predictors())

    def synthetic_did(self, draws: int = PLACEBO_DRAWS) -> SyntheticDid:
        return synthetic_did(self.y, self.treated, self.pre, self.covariates(), draws=draws)

    def placebos(self) -> Placebos:
        """Donors in place of the treated, the treated among nobody's donors."""
        y, means = self.donor_paths, self.predictors()

        def fit(posing: tuple[int, ...], others: tuple[int, ...]) -> Gap:
            rows = None
            if means is not None:
                rows = np.column_stack([means[:, 1:][:, posing].mean(axis=1), means[:, 1:][:, others]])
            return synthetic_gap(y[:, posing].mean(axis=1), y[:, others], self.pre, rows)

        return in_space(self.donors, self.n_treated, fit)

    def without_donor(self, name: str) -> Panel:
        kept = np.array([unit != name for unit in self.units]) | self.treated
        return replace(
            self,
            y=self.y[:, kept],
            x=self.x[:, :, kept],
            treated=self.treated[kept],
            units=tuple(np.array(self.units, dtype=object)[kept]),
        )

    def ending(self, end: int, pre: int) -> Panel:
        """The first `end` periods, the treatment after `pre` of them."""
        return replace(
            self,
            y=self.y[:end],
            x=self.x[:, :end],
            periods=self.periods[:end],
            positions=self.positions[:end],
            pre=pre,
        )

    def named_weights(self, weights: Floats) -> dict[str, float]:
        """Donors with weight, the heaviest first."""
        order = np.argsort(-weights, kind="stable")
        return {self.donor_names[j]: float(weights[j]) for j in order if weights[j] > 1e-4}

    def path_rows(self, path: Floats) -> list[dict[str, Any]]:
        return [{"period": label, "gap": float(value)} for label, value in zip(self.periods, path, strict=True)]


def panel(study: Study) -> Panel:
    """The panel of a study.

    Raises
    ------
    DataError : a unit has several rows in one period.
    DesignError : nobody, or nobody we can find, is treated; or nothing says when.
    """
    design, frame = study.design, study.frame
    unit, time = design.unit_and_time
    assert unit is not None and time is not None
    periods = read_periods(frame[time], time)
    labels = frame[unit].astype(str)
    codes, units = pd.factorize(labels, sort=True)
    cells = periods.index * len(units) + codes
    repeated = len(cells) - len(np.unique(cells))
    if repeated:
        raise DataError(
            f"{repeated} further rows for a {unit} and {time} that has one already",
            expected=f"one row for each {unit} in each {time}",
            next_step="Aggregate to one row a unit and period, or narrow the subset.",
        )

    def table(values: Floats) -> Floats:
        cube = np.full(periods.count * len(units), np.nan)
        cube[cells] = values
        return cube.reshape(periods.count, len(units))

    y, x = table(study.y), [table(column) for column in study.x.to_numpy().T]
    on = zero_one(frame[design.treatment], design.treated_value)
    switch = None if on is None else table(on)
    treated, elsewhere = _who(study, codes, list(map(str, units)), switch, periods)
    pre, disagreement = _when(study, treated[codes], treated, switch, periods)
    kept_periods, kept_units, gaps = _complete(y, treated, ~elsewhere, pre)
    left_out = [
        Dropped("units treated at some time that are not the treated ones", int(elsewhere[codes].sum())),
        Dropped(
            "units or periods with gaps",
            int((~elsewhere[codes] & ~(kept_periods[periods.index] & kept_units[codes])).sum()),
        ),
    ]
    if not (treated & kept_units).any() or not kept_periods.any():
        raise DataError("the treated units have no period in which they are all seen", expected="a series of each")
    keys = periods.keys[kept_periods] / (8.64e13 if periods.kind == "date" else 1)
    return Panel(
        y[np.ix_(kept_periods, kept_units)],
        np.array([column[np.ix_(kept_periods, kept_units)] for column in x]).reshape(
            len(x), int(kept_periods.sum()), int(kept_units.sum())
        ),
        tuple(map(str, study.x.columns)),
        tuple(str(name) for name in units[kept_units]),
        treated[kept_units],
        tuple(np.array(periods.labels, dtype=object)[kept_periods]),
        keys,
        int(kept_periods[:pre].sum()),
        periods.labels[pre],
        tuple(row for row in left_out if row.rows),
        gaps,
        int(elsewhere.sum()),
        disagreement,
    )


def zero_one(column: pd.Series, treated_value: object) -> Floats | None:
    """(n,) 0/1 where the column says so, or None if it holds something else."""
    if treated_value is not None:
        return np.asarray(column.astype(str) == str(treated_value), dtype=np.float64)
    try:
        numbers = column.to_numpy(dtype=np.float64)
    except (TypeError, ValueError):
        return None
    return np.asarray(numbers, dtype=np.float64) if set(np.unique(numbers)) <= {0.0, 1.0} else None


def _who(
    study: Study, codes: NDArray[np.int64], units: list[str], switch: Floats | None, periods: Periods
) -> tuple[Bools, Bools]:
    """(N,) the treated units, and (N,) those treated at some time that are not among them."""
    design = study.design
    named = tuple(getattr(design, "treated_group", ()))
    first = getattr(design, "first_treated", None)
    ever = np.zeros(len(units), dtype=bool)
    if switch is not None:
        seen = np.nan_to_num(switch)
        # A column that is 1 for everybody from a date on says when, not who.
        ever = np.asarray(seen.any(axis=0)) & (not seen.any(axis=0).all())
    elif isinstance(first, str) and first in study.frame:
        starts = study.frame.groupby(codes)[first].first().reindex(range(len(units)))
        ever = np.array([not _is_never(start) and 0 < periods.place(start) < NEVER for start in starts])
    if not named:
        if not ever.any():
            raise DesignError(
                f"nothing says which {design.unit_and_time[0]} is treated",
                expected="a treatment column that is 1 for some units from a date on, or treated_group",
            )
        return ever, np.zeros_like(ever)
    chosen = _named(named, units)
    by_value = study.frame[design.treatment].astype(str).isin(_spellings(named)).to_numpy()
    if (chosen is None or (ever.any() and not (chosen & ever).any())) and by_value.any() and not by_value.all():
        chosen = np.isin(np.arange(len(units)), codes[by_value])
    if chosen is None:
        wanted = str(named[0])
        close = get_close_matches(wanted, units, n=3)
        raise DesignError(
            f"no {design.unit_and_time[0]} and no value of {design.treatment} is {wanted!r}",
            expected=f"treated_group: one of {', '.join(units[:8])}{' …' if len(units) > 8 else ''}",
            next_step=f"Did you mean {', '.join(map(repr, close))}?" if close else "",
        )
    return chosen, ever & ~chosen


def _named(named: tuple[object, ...], units: list[str]) -> Bools | None:
    """Units of these names, or None if one is missing. A text with commas may be one name or several."""
    if not all(set(_spellings((name,))) & set(units) for name in named):
        parts = [part.strip() for name in named for part in str(name).split(",")]
        if len(parts) == len(named):
            folded = {unit.strip().casefold() for unit in units}
            if not all(str(name).strip().casefold() in folded for name in named):
                return None
            wanted = {str(name).strip().casefold() for name in named}
            return np.array([unit.strip().casefold() in wanted for unit in units])
        return _named(tuple(parts), units)
    return np.isin(units, _spellings(named))


def _spellings(values: Iterable[object]) -> list[str]:
    """How a value may stand in a column read as text: 3 as 3 or 3.0."""
    found = []
    for value in values:
        found.append(str(value))
        try:
            number = float(str(value))
        except ValueError:
            continue
        found.extend([str(number), *([str(int(number))] if number.is_integer() else [])])
    return found


def _when(study: Study, rows: Bools, treated: Bools, switch: Floats | None, periods: Periods) -> tuple[int, str]:
    """How many periods come before the treatment, and how the two ways of saying so contradict each other."""
    design = study.design
    said = getattr(design, "first_treated", None)
    stated: set[float] = set()
    if isinstance(said, str) and said in study.frame:
        stated = {
            periods.place(value) for value in study.frame.loc[rows, said].dropna().unique() if not _is_never(value)
        }
    elif said is not None:
        stated = {periods.place(said)}
    switched: set[float] = set()
    if switch is not None:
        seen = np.nan_to_num(switch[:, treated])
        always = seen.all(axis=0)
        switched = {float(start) for start in seen[:, ~always].argmax(axis=0) if seen.any()}
        if not seen.any():
            switched = set()
    found = stated or switched
    if not found:
        raise DesignError(
            "nothing says when the treatment began",
            expected="first_treated, or a treatment column that turns from 0 to 1",
        )
    if len(found) > 1:
        dates = ", ".join(periods.labels[int(place)] for place in sorted(found) if place < NEVER)
        raise DesignError(
            f"the treated units begin at different dates ({dates})",
            expected="one date for all of them",
            next_step="Use strategy: did for staggered dates, or name one unit as treated_group.",
        )
    pre = next(iter(found))
    if pre >= NEVER or pre == 0:
        raise DesignError(
            f"the treatment begins {'after the last' if pre else 'with the first'} period in the data, "
            f"{periods.labels[-1 if pre else 0]}",
            expected="periods before it and from it on",
        )
    if stated and switched and stated != switched:
        other = periods.labels[int(next(iter(switched)))]
        return int(pre), f" But {design.treatment} turns to 1 in {other}, and first_treated says {said}."
    return int(pre), ""


def _is_never(value: object) -> bool:
    """How data write that a unit was never treated: missing, 0 or infinite."""
    if bool(pd.isna(value)):
        return True
    return isinstance(value, int | float | np.number) and (float(value) == 0 or bool(np.isinf(float(value))))


def _complete(y: Floats, treated: Bools, candidates: Bools, pre: int) -> tuple[Bools, Bools, str]:
    """Periods and units whose cells are all there: first periods that most units lack or a treated one lacks, then
    donors with a gap in what is left."""
    missing = np.isnan(y)
    lacking = (missing[:, candidates].mean(axis=1) > _MOSTLY) | missing[:, treated].any(axis=1)
    periods = ~lacking
    units = candidates & ~missing[periods].any(axis=0)
    words = []
    if lacking.any():
        words.append(f"{int(lacking.sum())} periods that the treated or most other units lack")
    if (candidates & ~units).any():
        words.append(f"{int((candidates & ~units).sum())} donors with missing periods")
    return periods, units, " and ".join(words)
