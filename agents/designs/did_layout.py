"""A difference-in-differences specification read against its rows: which kind it is, who is treated, from when.

The kind, by the first rule that applies:
    triple      `third_difference` is named
    staggered   `first_treated` is a column, or the treatment is a 0/1 column that switches on within units, at more
                than one date
    two groups  the same with one date; or a treated group (`treated_group`, or a treatment that is constant within
                units) with two periods, or with the period `first_treated`
    dose        the treatment is a number that rises and falls within units
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leucippus.agents.designs.base import Value
from leucippus.agents.designs.study import Floats, Study, as_numbers
from leucippus.agents.estimators.group_time import Adoption
from leucippus.agents.estimators.periods import NEVER, Periods, read_periods
from leucippus.errors import DesignError

if TYPE_CHECKING:
    from leucippus.agents.designs.did import Did

Kind = Literal["two groups", "staggered", "dose", "triple"]
Ints = NDArray[np.int64]
_YES = {"yes", "true", "treated", "treatment", "y", "t"}
_NO = {"no", "false", "control", "controls", "untreated", "n", "f", "none"}
_FEW_MIXED = 0.05
"""Share of units with two treatment dates up to which each counts as two units."""
_FEWEST_GROUPS = 4
"""Levels of the group column from which it can be clustered by."""


@dataclass(frozen=True, eq=False)
class Layout:
    """Rows arranged by unit, period and treatment."""

    kind: Kind
    why: str
    """What decided the kind."""
    periods: Periods
    unit: Ints | None
    """(n,) codes, or None for repeated cross-sections."""
    group: Ints
    """(n,) codes of the level at which treatment is given: unit, group column, or 0/1 for untreated and treated."""
    first: Floats
    """(n,) the period from which the row's unit or group is treated; infinite if never. All infinite for a dose."""
    d: Floats
    """(n,) treated in this row (0/1), or the dose."""
    mixed: int = 0
    """Units with more than one date of first treatment. Few of them are each split in one unit a date."""
    third: Floats | None = None
    """(n,) the part of the population the treatment can touch (1) or not (0)."""

    @property
    def period(self) -> Ints:
        return self.periods.index

    @property
    def ever(self) -> NDArray[np.bool_]:
        """(n,), rows of units that are treated at some time."""
        return np.isfinite(self.first)

    @property
    def starts(self) -> Floats:
        """The periods in which a treatment begins, in order."""
        return np.unique(self.first[self.ever])

    @property
    def post(self) -> NDArray[np.bool_]:
        """(n,), after the treatment began (anywhere, for a treatment that begins at several dates)."""
        return np.asarray(self.period >= (self.starts[0] if len(self.starts) else NEVER))

    @property
    def unit_once_a_period(self) -> bool:
        """Whether no unit has two rows in one period."""
        return self.unit is not None and not pd.DataFrame({"u": self.unit, "t": self.period}).duplicated().any()

    def keep(self, rows: NDArray[np.bool_]) -> Layout:
        """These rows alone; the periods keep their places."""
        return replace(
            self,
            periods=replace(self.periods, index=self.periods.index[rows]),
            unit=None if self.unit is None else self.unit[rows],
            group=self.group[rows],
            first=self.first[rows],
            d=self.d[rows],
            third=None if self.third is None else self.third[rows],
        )

    def adoption(
        self, study: Study, clusters: Ints | None, weights: Floats | None, *, controls: bool = True
    ) -> Adoption:
        x = study.x.to_numpy() if controls and study.x.shape[1] else None
        above = None if clusters is self.unit else clusters  # the unit is the default
        return Adoption(study.y, self.unit, self.period, self.first, x, above, weights)


def lay_out(study: Study) -> Layout:
    """Read the specification against the rows.

    Raises
    ------
    DesignError : periods without an order, a treated group or period that is not there, or no way to tell who was
        treated when.
    """
    design: Did = study.design  # type: ignore[assignment]
    frame = study.frame
    if design.treatment not in frame:  # the column of first treated periods, which `prepare` does not insist on
        raise DesignError(f"no column {design.treatment!r} in the data", expected="the column of the treatment")
    periods = read_periods(frame[design.time], design.time)
    unit = None if design.unit is None else study.codes(design.unit)
    first, group, why = _adoption(study, design, periods, unit)
    if first is None or group is None:
        if unit is None:
            raise DesignError("nothing says which rows are treated", expected="treated_group, or first_treated")
        dose = as_numbers(frame[design.treatment], design.treatment)
        return Layout("dose", why, periods, unit, unit, np.full(study.n, NEVER), dose)
    mixed = 0
    if unit is not None:
        units = int(unit.max()) + 1
        mixed = int((pd.Series(first).groupby(unit).nunique() > 1).sum())
        if 0 < mixed <= _FEW_MIXED * units:
            unit = pd.factorize(pd.MultiIndex.from_arrays([unit, first]), sort=True)[0].astype(np.int64)
            group = unit
    d = (periods.index >= first).astype(np.float64)
    if design.third_difference is not None:
        third = as_indicator(frame[design.third_difference], design.third_difference)
        why = f"{design.third_difference} is a third difference; {why}"
        return Layout("triple", why, periods, unit, group, first, d * third, mixed, third)
    dates = len(np.unique(first[np.isfinite(first)]))
    return Layout("staggered" if dates > 1 else "two groups", why, periods, unit, group, first, d, mixed)


def _adoption(study: Study, design: Did, periods: Periods, unit: Ints | None) -> tuple[Floats | None, Ints | None, str]:
    """First treated period and group of each row and what says so; None twice for a dose."""
    frame, name = study.frame, design.first_treated
    if name in frame:
        assert isinstance(name, str)
        first = _first_from_column(frame[name], periods)
        group = unit if unit is not None else group_codes(study, design, np.isfinite(first))
        return first, group, f"{name} holds the first treated period"
    treated, said = treated_rows(study, design, unit)
    if treated is None:
        d = zero_one(frame[design.treatment])
        if d is None or unit is None or not _absorbing(d, unit, periods.index):
            return None, None, f"{design.treatment} is a number that goes up and down within {design.unit}"
        first = _first_within(d, unit, periods.index)
        return first, unit, f"{design.treatment} switches on within {design.unit}"
    if name is not None:
        start = periods.place(name)
    elif periods.count == 2:
        start = 1.0
    else:
        start = _switch(study, design, treated, periods)
    group = unit if unit is not None else group_codes(study, design, treated)
    return np.where(treated, start, NEVER), group, f"{said} is treated from {_label(periods, start)}"


def _first_from_column(column: pd.Series, periods: Periods) -> Floats:
    """0, missing, infinite and periods past the last mean never."""
    levels = {value: NEVER for value in column.dropna().unique()}
    for value in levels:
        number = pd.to_numeric(value, errors="coerce") if not hasattr(value, "year") else np.nan
        if str(value).strip().lower() in ("never", "none", "inf", "") or (pd.notna(number) and not 0 < number < np.inf):
            continue
        levels[value] = periods.place(value)
    return np.asarray(column.map(levels).fillna(NEVER), dtype=np.float64)


def treated_rows(study: Study, design: Did, unit: Ints | None) -> tuple[NDArray[np.bool_] | None, str]:
    """Rows of the treated group, and its name; None where the treatment changes within units."""
    frame = study.frame
    wanted = design.treated_group if design.treated_group is not None else design.treated_value
    if wanted is not None:
        column, value = group_column_and_value(design)
        if isinstance(wanted, str) and wanted in frame and column is None:
            return as_indicator(frame[wanted], wanted) == 1, wanted
        candidates = [column] if column else [design.treatment, design.unit, design.cluster]
        for name in dict.fromkeys(name for name in candidates if name in frame):
            rows = _equal_to_any(frame[name], value)
            if rows is not None:
                if rows.all():
                    raise DesignError(f"every row has {name} = {value}", expected="untreated rows as well")
                return rows, f"{name} = {value}"
        sample = ", ".join(map(str, frame[candidates[0] or design.treatment].unique()[:8]))
        raise DesignError(
            f"no row has the treated group {wanted!r}", expected=f"a value of {candidates[0]}, such as {sample}"
        )
    d = zero_one(frame[design.treatment])
    if d is None or (unit is not None and _switches(d, unit, frame[design.time])):
        if d is None and unit is None:
            raise DesignError(
                f"{design.treatment!r} is not 0 or 1, and nothing says which of its values is treated",
                expected="treated_group (a value of the treatment), or unit for a dose",
            )
        return None, ""
    return d == 1, f"{design.treatment} = 1"


def _switches(d: Floats, unit: Ints, time: pd.Series) -> bool:
    """Whether the treatment changes within units over time. A few units with both of its values in one period are two
    units that share a code."""
    rows = pd.DataFrame({"d": d, "unit": unit, "time": time.to_numpy()})
    changed = rows.groupby("unit")["d"].nunique() > 1
    if not changed.any():
        return False
    at_once = (rows.groupby(["unit", "time"])["d"].nunique() > 1).groupby("unit").any()
    return bool(changed.mean() > _FEW_MIXED or (changed & ~at_once).any())


def group_column_and_value(design: Did) -> tuple[str | None, Value | None]:
    """`nearinc == 1`, `New Jersey (state == 1)` → the column and its value; `California` → (None, "California")."""
    wanted = design.treated_group if design.treated_group is not None else design.treated_value
    if isinstance(wanted, str):
        inner = re.search(r"\((.+==.+)\)\s*$", wanted)
        found = re.fullmatch(r"\s*(.+?)\s*={1,2}\s*(.+?)\s*", inner[1] if inner else wanted)
        if found:
            return found[1].strip("'\"` "), found[2].strip("'\"` ")
    return None, wanted


def _switch(study: Study, design: Did, treated: NDArray[np.bool_], periods: Periods) -> float:
    """Where the treatment column is 0/1 and switches on among the treated rows: when."""
    d = zero_one(study.frame[design.treatment])
    if d is not None and design.treated_group is not None and 0 < d[treated].mean() < 1:
        start = periods.index[treated & (d == 1)].min()
        if np.array_equal(d[treated] == 1, periods.index[treated] >= start):
            return float(start)
    raise DesignError(
        f"{design.time!r} has {periods.count} periods and nothing says in which the treatment began",
        expected="first_treated: the first treated period, such as " + periods.labels[periods.count // 2],
    )


def group_codes(study: Study, design: Did, treated: NDArray[np.bool_]) -> Ints:
    """The level of the treated group without units: the treatment's values where there are several, else the two arms."""
    column, _ = group_column_and_value(design)
    for name in (design.cluster, column, design.treatment):
        if name is not None and name in study.frame and study.frame[name].nunique() >= _FEWEST_GROUPS:
            codes = study.codes(name)
            if (pd.Series(treated).groupby(codes).nunique() == 1).all():
                return codes
    return treated.astype(np.int64)


def zero_one(column: pd.Series) -> Floats | None:
    """A column of 0 and 1, true and false, or yes and no as floats, (n,); None for any other."""
    words = {str(value).strip().lower() for value in column.dropna().unique()[:3]}
    if words and words <= _YES | _NO:
        return np.array([float(str(value).strip().lower() in _YES) for value in column])
    values = pd.to_numeric(column, errors="coerce")
    return values.to_numpy(dtype=np.float64) if values.isin([0, 1]).all() else None


def as_indicator(column: pd.Series, name: str) -> Floats:
    """A column that must be 0/1.

    Raises
    ------
    DesignError : it is not.
    """
    found = zero_one(column)
    if found is None:
        sample = ", ".join(map(str, column.unique()[:4]))
        raise DesignError(
            f"{name!r} is not 0 or 1 ({sample})",
            expected="1 where the treatment applies, 0 elsewhere",
            next_step=f"Derive it, such as derived: {{affected: {name} == {sample.split(',')[0]}}}.",
        )
    return found


def _equal_to_any(column: pd.Series, value: Value | None) -> NDArray[np.bool_] | None:
    """Rows equal to the value, or to one of several parted by commas; None if there are none."""
    text = column.map(_plain_text)
    for wanted in ({_plain_text(value)}, {_plain_text(part) for part in str(value).split(",")}):
        rows = text.isin(wanted).to_numpy(dtype=bool)
        if rows.any():
            return np.asarray(rows)
    return None


def _plain_text(value: object) -> str:
    """1, 1.0 and "1" alike; True as 1; words without regard to case."""
    text = str(int(value) if isinstance(value, bool | np.bool_) else value).strip().lower()
    return text.removesuffix(".0")


def _absorbing(d: Floats, unit: Ints, period: Ints) -> bool:
    """Once treated, a unit stays so."""
    first = _first_within(d, unit, period)
    return bool(np.array_equal(d == 1, period >= first))


def _first_within(d: Floats, unit: Ints, period: Ints) -> Floats:
    """Each unit's first treated period, (n,)."""
    first = np.full(int(unit.max()) + 1, NEVER)
    np.minimum.at(first, unit[d == 1], period[d == 1].astype(np.float64))
    return np.asarray(first[unit])


def _label(periods: Periods, start: float) -> str:
    return periods.labels[int(start)] if np.isfinite(start) else "after the last period"
