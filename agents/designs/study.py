"""A design brought together with its data: the rows it is about, as numbers, and a count of those left out and why.

Rows leave in this order: outside `subset`, other values of the treatment than the two compared, missing values. What
cannot be turned into numbers by a rule the user can see is an error, never a guess.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leucippus.agents.dataset import Dataset
from leucippus.agents.designs.base import MOST_LEVELS, Design, Value, plain
from leucippus.agents.designs.memory import room_for
from leucippus.agents.designs.result import Dropped
from leucippus.agents.expressions import compile_expression, quote
from leucippus.errors import DataError, DesignError
from leucippus.graphs.dag import Graph

Floats = NDArray[np.float64]
LARGEST = 1e100
_EXACT_INTEGERS = 2**53

_YES = {"yes", "true", "t", "y", "1", "treated", "treatment"}
_NO = {"no", "false", "f", "n", "0", "control", "controls", "placebo", "untreated", "none"}


@dataclass(frozen=True)
class Timing:
    """When a column was measured, as far as its name, its description or the data say."""

    when: Literal["before", "after"]
    """Before or after the treatment."""
    why: str


@dataclass(frozen=True)
class Attrition:
    """Rows without an outcome, in each arm of a binary treatment."""

    treated: int
    treated_missing: int
    control: int
    control_missing: int


@dataclass(frozen=True, eq=False)
class Study:
    """A design and its rows."""

    design: Design
    frame: pd.DataFrame
    """(n, columns): the columns the design names, complete rows only, index 0 … n-1. The treatment is 0/1 where two
    values are compared; outcome and treatment are floats."""
    rows: int
    """Rows of the source."""
    dropped: tuple[Dropped, ...]
    binary: bool
    """Whether the treatment is two values; otherwise it is a dose."""
    contrast: str
    """What is compared with what, in words: `treat = 1 rather than 0`, `one more unit of educ`."""
    graph: Graph | None = None
    timing: Mapping[str, Timing] = field(default_factory=dict)
    """Column → whether it seems to have been measured before or after the treatment, where anything says so."""
    attrition: Attrition | None = None
    bystanders: tuple[str, ...] = ()
    """Columns of `frame` that the design does not name: to test balance and continuity with. May have missing values."""
    unseen: tuple[str, ...] = ()
    """Bystanders that were left behind, since with so many rows they would take too much memory."""

    @property
    def n(self) -> int:
        return len(self.frame)

    @property
    def y(self) -> Floats:
        """Outcome, (n,)."""
        return self.numbers(self.design.outcome)

    @property
    def d(self) -> Floats:
        """Treatment, (n,)."""
        return self.numbers(self.design.treatment)

    @cached_property
    def x(self) -> pd.DataFrame:
        """Controls as numbers, (n, k): text and `C(column)` as indicators of every level but the first."""
        return indicators(self.frame, self.design.controls)

    @cached_property
    def clusters(self) -> NDArray[np.int64] | None:
        """Cluster of each row, (n,) from 0, or None."""
        return None if self.design.cluster is None else self.codes(self.design.cluster)

    @property
    def n_treated(self) -> int | None:
        """Treated rows, of two arms."""
        return int(self.d.sum()) if self.binary else None

    @property
    def n_control(self) -> int | None:
        """Untreated rows, of two arms."""
        return int((1 - self.d).sum()) if self.binary else None

    @property
    def n_clusters(self) -> int | None:
        return None if self.clusters is None else int(self.clusters.max()) + 1

    def numbers(self, name: str) -> Floats:
        """A column as floats, (n,).

        Raises
        ------
        DesignError : it holds text.
        """
        return as_numbers(self.frame[name], name)

    def codes(self, name: str) -> NDArray[np.int64]:
        """A column as whole numbers from 0, one for each value in sorted order, (n,)."""
        return np.asarray(pd.factorize(self.frame[name], sort=True)[0], dtype=np.int64)


def prepare(
    dataset: Dataset,
    design: Design,
    graph: Graph | None = None,
    timing: Mapping[str, Timing] | None = None,
    bystanders: Iterable[str] = (),
) -> Study:
    """The study of a design over a data set.

    Parameters
    ----------
    bystanders : further columns to bring along; those the design names already are passed over, and so are the last
        ones where there are too many rows for all.

    Raises
    ------
    DataError : a column is missing, a value is infinite, no row is left, or there is no room for the rows in memory.
    DesignError : an expression, or the coding of treatment or outcome, cannot be used.
    """
    for name in design.columns():
        dataset.require(name, "named by the design", tuple(design.derived))
    named = named_columns(dataset, design)
    wanted = tuple(dict.fromkeys(name for name in bystanders if name not in named))
    rows = _rows(dataset, design)
    beside = _with_room(dataset, design, named, wanted, timing or {}, rows)
    frame = rows.fetch(map(quote, (*named, *beside)))
    dropped = [Dropped(f"outside {design.subset!r}", dataset.rows - len(frame))] if len(frame) < dataset.rows else []
    binary, contrast = False, ""
    if design.codes_treatment:
        frame, binary, contrast = _code_treatment(frame, design, dropped)
    frame[design.outcome] = _code_outcome(frame[design.outcome], design.outcome)
    for name in named:
        _refuse_unusable_numbers(frame[name], name)
    for name in beside:  # nobody named these: what cannot be used is as good as missing
        if pd.api.types.is_float_dtype(frame[name]):
            frame[name] = frame[name].astype(float).where(lambda column: column.abs() < LARGEST)
    attrition = _attrition(frame, design) if binary else None
    frame = _complete(frame, design, dropped)
    if frame.empty:
        lost = "; ".join(f"{row.rows} {row.reason}" for row in dropped) or "the source has none"
        raise DataError(f"no rows are left: {lost}", expected="rows with every column the design names")
    unseen = tuple(name for name in wanted if name not in beside)
    return Study(
        design,
        frame,
        dataset.rows,
        tuple(dropped),
        binary,
        contrast,
        graph,
        dict(timing or {}),
        attrition,
        beside,
        unseen,
    )


def _with_room(
    dataset: Dataset,
    design: Design,
    named: Sequence[str],
    wanted: Sequence[str],
    timing: Mapping[str, Timing],
    rows: _Rows,
) -> tuple[str, ...]:
    """The bystanders there is room for, in their order; those known to come before the treatment have precedence."""

    def count(columns: Sequence[str]) -> tuple[int, list[int]]:
        asked = ("count(*)", *(f"approx_count_distinct({quote(name)})" for name in columns))
        total, *distinct = map(int, rows.fetch(asked).iloc[0])
        return total, distinct

    stated = set(design.before_treatment)
    early = {name for name, when in timing.items() if when.when == "before"}
    by_use = sorted(wanted, key=lambda name: 0 if name in stated else 1 if name in early else 2)
    taken = set(by_use[: room_for(dataset, design, named, by_use, len(stated.intersection(wanted)), count)])
    return tuple(name for name in wanted if name in taken)


def _refuse_unusable_numbers(column: pd.Series, name: str) -> None:
    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        return
    largest = column.abs().max()
    if pd.api.types.is_float_dtype(column) and float(largest) > LARGEST:
        count = int(np.isinf(column).sum())
        raise DataError(
            f"{count} infinite values in {name!r}" if count else f"{name!r} has values as large as {largest:.3g}",
            expected="finite numbers" if count else f"numbers below {LARGEST:g}",
            next_step=f"Leave those rows out with subset, such as abs(`{name}`) < 1e9, or repair the source.",
        )
    if pd.api.types.is_integer_dtype(column) and largest > _EXACT_INTEGERS:
        raise DataError(
            f"{name!r} has whole numbers as large as {largest}, more than can be told apart as numbers",
            expected="numbers below 2^53",
            next_step="Derive one with its origin taken off, such as (time - start) / 1e9; leave out identifiers.",
        )


def named_columns(dataset: Dataset, design: Design) -> tuple[str, ...]:
    """The columns the design names, with those fields that may hold a column or a value."""
    known = (*dataset.columns, *design.derived)
    perhaps = (getattr(design, field) for field in design.value_or_column_fields)
    return tuple(dict.fromkeys((*design.columns(), *(name for name in perhaps if name in known))))


@dataclass(frozen=True)
class _Rows:
    """The rows that the subset keeps, with the derived columns: a query still without its columns."""

    connection: duckdb.DuckDBPyConnection
    source: str
    parameters: Sequence[Value]

    def fetch(self, columns: Iterable[str]) -> pd.DataFrame:
        try:
            return self.connection.execute(f"SELECT {', '.join(columns)} FROM {self.source}", self.parameters).df()
        except duckdb.OutOfMemoryException:
            raise
        except duckdb.Error as error:
            raise DesignError(
                f"the data refuse subset or derived columns: {str(error).splitlines()[0]}",
                expected="numbers compared with numbers, text with text",
            ) from error


def _rows(dataset: Dataset, design: Design) -> _Rows:
    unit, time = design.unit_and_time
    source = "data"
    parameters: list[Value] = []
    known = list(dataset.columns)
    for name, text in design.derived.items():
        compiled = compile_expression(text, unit, time)
        for column in compiled.columns:
            dataset.require(column, f"in the definition of {name}", known)
        if name.lower() in {column.lower() for column in known}:  # SQL takes Wage and wage for one
            raise DesignError(f"the derived column {name!r} is in the data already", next_step="Give it another name.")
        if compiled.looks_back:
            _refuse_doubtful_order(dataset, unit, time)
        # Inner queries come first in the text, so their parameters do too: the new expression stands before them.
        source = f"(SELECT *, {compiled.sql} AS {quote(name)} FROM {source})"
        parameters = [*compiled.constants, *parameters]
        known.append(name)
    where = ""
    if design.subset:
        compiled = compile_expression(design.subset, unit, time)
        for column in compiled.columns:
            dataset.require(column, "in subset", known)
        if compiled.looks_back:
            _refuse_doubtful_order(dataset, unit, time)
        where = f" WHERE {compiled.sql}"
        parameters = [*parameters, *compiled.constants]
    return _Rows(dataset.connection, source + where, parameters)


def _refuse_doubtful_order(dataset: Dataset, unit: str | None, time: str | None) -> None:
    """`lag` and `diff` follow the order of the time column, which text does not have, and need one row a period."""
    assert time is not None
    if dataset.types.get(time, "VARCHAR") == "VARCHAR":
        raise DesignError(
            f"lag and diff cannot follow {time!r}, which is text", expected="a time column of numbers or dates"
        )
    keys = ", ".join(quote(name) for name in (unit, time) if name is not None)
    distinct = dataset.connection.execute(f"SELECT count(*) FROM (SELECT DISTINCT {keys} FROM data)").fetchall()[0][0]
    repeated = dataset.rows - distinct
    if repeated:
        raise DesignError(
            f"{repeated} rows share {keys} with another, so lag and diff have no one row to look back to",
            expected="one row for each unit and period",
            next_step="Name the unit column, or aggregate.",
        )


def _code_treatment(frame: pd.DataFrame, design: Design, dropped: list[Dropped]) -> tuple[pd.DataFrame, bool, str]:
    """The treatment as 0/1 where two values are compared, else as a dose."""
    column, name = frame[design.treatment], design.treatment
    present = column.dropna()
    values = sorted(present.unique().tolist(), key=str)
    treated, control = design.treated_value, design.control_value
    if treated is None and control is None and len(values) == 2:
        treated, control = _which_is_treated(values, name)
    if treated is None and control is None:
        if len(values) > 2 or pd.api.types.is_numeric_dtype(column):
            return frame.assign(**{name: _code_outcome(column, name)}), False, f"one more unit of {name}"
        raise DesignError(f"the treatment {name!r} is {values[0]!r} in every row" if values else f"{name!r} is empty")
    is_treated = _equals(column, treated) if treated is not None else column.notna() & ~_equals(column, control)
    is_control = _equals(column, control) if control is not None else column.notna() & ~is_treated
    for value, rows in ((treated, is_treated), (control, is_control)):
        if value is not None and not rows.any():
            raise DesignError(f"{name!r} is never {value!r}", expected=f"one of {', '.join(map(repr, values[:12]))}")
    other = column.notna() & ~is_treated & ~is_control
    if other.any():
        dropped.append(Dropped(f"{name} is neither of the two values compared", int(other.sum())))
    coded = pd.Series(np.where(column.isna(), np.nan, is_treated.to_numpy(dtype=float)), index=frame.index)
    words = f"{name} = {treated if treated is not None else 'anything else'}"
    words += f" rather than {control if control is not None else 'anything else'}"
    return frame.assign(**{name: coded})[~other].reset_index(drop=True), True, words


def _which_is_treated(values: list[Value], name: str) -> tuple[Value, Value]:
    """(treated, control) of two values, where their names say it."""
    first, second = values
    if isinstance(first, int | float) and isinstance(second, int | float):
        return max(first, second), min(first, second)
    for treated, control in ((first, second), (second, first)):
        if str(control).strip().lower() in _NO or str(treated).strip().lower() in _YES:
            return treated, control
    raise DesignError(
        f"the treatment {name!r} is {first!r} or {second!r}, and neither says which is treated",
        expected="treated_value",
        next_step=f"Add treated_value: {first} (or {second}) to the specification.",
    )


def _equals(column: pd.Series, value: Value | None) -> pd.Series:
    """Rows equal to a value, which a specification may have written as text."""
    if pd.api.types.is_bool_dtype(column) and isinstance(value, str):
        return column.astype(str).str.lower() == value.strip().lower()
    if pd.api.types.is_numeric_dtype(column) and isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return pd.Series(False, index=column.index)
    if not pd.api.types.is_numeric_dtype(column) and column.dtype != object and not isinstance(value, str):
        return column.astype(str) == str(value)
    same = column == value
    return same if same.any() else column.astype(str) == str(value)


def _code_outcome(column: pd.Series, name: str) -> pd.Series:
    """A column as floats; two words that mean yes and no become 1 and 0."""
    words = set(column.dropna().astype(str).str.strip().str.lower().unique()[:3]) if column.dtype == object else set()
    if words and words <= _YES | _NO and len(words) <= 2:
        coded = (
            column.astype("string").str.strip().str.lower().map(lambda word: float(word in _YES), na_action="ignore")
        )
        return coded.astype(float)
    return pd.Series(as_numbers(column, name), index=column.index)


def as_numbers(column: pd.Series, name: str) -> Floats:
    """A column as floats, missing values as NaN.

    Raises
    ------
    DesignError : it holds text or dates.
    """
    if (
        column.dtype.kind in "mM"
        or pd.api.types.is_datetime64_any_dtype(column)
        or isinstance(column.dtype, pd.CategoricalDtype)
    ):
        column = column.astype(object)
    try:
        return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))
    except (TypeError, ValueError) as error:
        sample = ", ".join(repr(value) for value in column.dropna().astype(str).unique()[:3])
        raise DesignError(
            f"{name!r} holds text ({sample} …)",
            expected="numbers",
            next_step=f"Derive a number from it, such as derived: {{is_it: `{plain(name)}` == {sample.split(', ')[0]}}}.",
        ) from error


def _attrition(frame: pd.DataFrame, design: Design) -> Attrition:
    d, missing = frame[design.treatment], frame[design.outcome].isna()
    return Attrition(*(int(rows.sum()) for arm in (d == 1, d == 0) for rows in (arm, arm & missing)))


def _complete(frame: pd.DataFrame, design: Design, dropped: list[Dropped]) -> pd.DataFrame:
    """Rows without missing values in what the design names; each lost row counts once, under the first that misses."""
    left = np.ones(len(frame), dtype=bool)
    gaps = {plain(name) for field in design.gap_fields for name in getattr(design, field)}
    for name in design.columns():
        if name in gaps:
            continue
        missing = frame[name].isna().to_numpy() & left
        if missing.any():
            dropped.append(Dropped(f"missing {name}", int(missing.sum())))
            left &= ~missing
    return frame[left].reset_index(drop=True)


def indicators(frame: pd.DataFrame, controls: Iterable[str]) -> pd.DataFrame:
    """Controls as numbers, (n, k).

    Raises
    ------
    DesignError : a control has more than 500 levels.
    """
    parts: dict[str, Floats] = {}
    for control in controls:
        name = plain(control)
        column = frame[name]
        if control == name and pd.api.types.is_numeric_dtype(column):
            parts[name] = as_numbers(column, name)
            continue
        levels = sorted(column.unique().tolist(), key=str)
        if len(levels) > MOST_LEVELS:
            raise DesignError(
                f"the control {name!r} has {len(levels)} different values",
                expected=f"a number, or at most {MOST_LEVELS} levels",
                next_step="Leave it out if it identifies rows; name it as `unit` or `cluster` if it groups them.",
            )
        for level in levels[1:]:
            parts[f"{name}={level}"] = (column == level).to_numpy(dtype=np.float64)
    return pd.DataFrame(parts, index=frame.index)
