"""Units over time: which two columns key the rows, and how 0/1 columns switch on within units.

Counts in DuckDB. Says what the data look like; whether the switch was by chance or choice is not to be seen here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal

from leucippus.agents.columns import Column, names_a_time, names_an_identifier
from leucippus.agents.dataset import Dataset
from leucippus.agents.expressions import quote

_MOST_PAIRS = 40
_LISTED_UNITS = 100
_REPEATED = 0.01
"""Share of rows that may share unit and time: real panels have a doubled unit or two."""
_YEARS = (1700, 2100)

Pattern = Literal["staggered", "one date", "everyone at one date"]
_PATTERNS: tuple[Pattern, ...] = ("staggered", "one date", "everyone at one date")


@dataclass(frozen=True)
class Adoption:
    """A 0/1 column that goes to 1 within units and stays there, or a column that holds the date when one does."""

    column: str
    pattern: Pattern
    cohorts: tuple[tuple[str, int], ...]
    """Period of the first 1 → units, in order of time; units treated from their first period on are not in it."""
    always_treated: int
    never_treated: int
    first_treated: tuple[tuple[str, str], ...]
    """Unit → period of its first 1, for the first hundred units that have one."""
    date_column: str | None = None
    """A column, constant within units, that holds the same date."""


@dataclass(frozen=True)
class Panel:
    """Rows are units at times."""

    unit: str
    time: str
    units: int
    periods: int
    balanced: bool
    """Every unit has a row in every period."""
    gaps: int
    """Unit-periods without a row between a unit's first and last."""
    repeated: int
    """Rows that share unit and time with an earlier row."""
    first: str
    last: str
    also: tuple[tuple[str, str], ...] = ()
    """Other pairs of columns that key the rows."""
    adoptions: tuple[Adoption, ...] = ()
    dates: tuple[str, ...] = ()
    """Columns, constant within units, that may hold the first treated period."""


def find_panel(dataset: Dataset, columns: Sequence[Column]) -> Panel | None:
    """The panel the rows form, or None."""
    times = [column for column in columns if _may_be_time(column)]
    units = [column for column in columns if _may_be_unit(column)]
    pairs = [
        (unit, time)
        for unit, time in product(units, times)
        if unit.name != time.name
        and unit.distinct * time.distinct >= dataset.rows * (1 - _REPEATED)
        and (time.distinct > 2 or unit.distinct * time.distinct <= dataset.rows * (1 + _REPEATED))
    ]
    # The nearer to one row for every pair of values, the likelier it is no accident that no pair comes twice.
    pairs.sort(key=lambda pair: (-_named(*pair), pair[0].distinct * pair[1].distinct))
    keyed = [pair for pair in pairs[:_MOST_PAIRS] if _keys(dataset, *pair)]
    if not keyed:
        return None
    unit, time = keyed[0]
    return _panel(dataset, columns, unit, time, tuple((a.name, b.name) for a, b in keyed[1:4]))


def find_series(dataset: Dataset, columns: Sequence[Column]) -> str | None:
    """The time column of a single series: no two rows share its value."""
    found = [
        column
        for column in columns
        if (column.kind == "date" or names_a_time(column.name) or _are_years(column))
        and column.distinct == dataset.rows
        and dataset.rows >= 10
        and column.kind not in ("text", "continuous")
    ]
    return found[0].name if found else None


def _may_be_time(column: Column) -> bool:
    # A time that no two rows share leaves nothing for units to tell apart: that is one series.
    if column.missing > column.rows / 100 or column.kind in ("empty", "constant", "text") or column.distinct < 2:
        return False
    if column.distinct == column.rows:
        return False
    if column.kind == "date" or _are_years(column):
        return True
    return column.kind != "continuous" and names_a_time(column.name)


def _are_years(column: Column) -> bool:
    if column.kind not in ("count", "categorical", "binary") or not isinstance(column.minimum, float):
        return False
    assert isinstance(column.maximum, float)
    inside = _YEARS[0] <= column.minimum and column.maximum <= _YEARS[1]
    return inside and column.distinct >= (column.maximum - column.minimum + 1) / 2 and names_a_time(column.name)


def _may_be_unit(column: Column) -> bool:
    repeated = 2 <= column.distinct < column.rows and column.missing <= column.rows / 100
    kinds = ("identifier", "categorical", "count", "text", *(() if column.numeric else ("binary",)))
    return repeated and column.kind in kinds and not names_a_time(column.name)


def _named(unit: Column, time: Column) -> int:
    whole = time.kind == "date" or names_a_time(time.name)
    return 4 * whole + 2 * (names_an_identifier(unit.name) or not unit.numeric) + (time.numeric or time.kind == "date")


def _keys(dataset: Dataset, unit: Column, time: Column) -> bool:
    """Whether hardly any two rows share both values, and units do come more than once."""
    u, t = quote(unit.name), quote(time.name)
    row = dataset.connection.execute(
        f"SELECT count(*), count(DISTINCT hash({u}, {t})) FROM data WHERE {u} IS NOT NULL AND {t} IS NOT NULL"
    ).fetchone()
    if row is None or row[0] - row[1] > _REPEATED * row[0] or not row[0]:
        return False
    several = dataset.connection.execute(
        f"SELECT avg(CAST(n > 1 AS INTEGER)) FROM (SELECT count(*) AS n FROM data WHERE {u} IS NOT NULL GROUP BY {u})"
    ).fetchone()
    return several is not None and several[0] >= 0.5


def _panel(
    dataset: Dataset, columns: Sequence[Column], unit: Column, time: Column, also: tuple[tuple[str, str], ...]
) -> Panel:
    u, t = quote(unit.name), quote(time.name)
    row = dataset.connection.execute(
        f"WITH p AS (SELECT {u} AS u, dense_rank() OVER (ORDER BY {t}) AS k, {t} AS t FROM data "
        f"WHERE {u} IS NOT NULL AND {t} IS NOT NULL), "
        "g AS (SELECT u, count(DISTINCT k) AS n, max(k) - min(k) + 1 - count(DISTINCT k) AS gaps FROM p GROUP BY u) "
        "SELECT (SELECT count(*) FROM g), (SELECT max(k) FROM p), (SELECT sum(gaps) FROM g), (SELECT min(n) FROM g), "
        "(SELECT min(t) FROM p), (SELECT max(t) FROM p), (SELECT count(*) FROM p) - (SELECT sum(n) FROM g)"
    ).fetchone()
    assert row is not None
    units, periods, gaps, fewest, first, last, repeated = row
    dates = tuple(column.name for column in columns if _holds_dates(dataset, column, unit, time, first, last))
    adoptions = [
        found
        for column in columns
        if column.kind == "binary" and column.numeric and column.name not in (unit.name, time.name)
        if (found := _adoption(dataset, column.name, unit.name, time.name, periods)) is not None
    ]
    adoptions = [_with_date(dataset, found, dates, unit.name, time.name) for found in adoptions]
    adoptions += [
        found
        for name in dates
        if not any(adoption.date_column == name for adoption in adoptions)
        if (found := _adoption_by_date(dataset, name, unit.name, time.name)) is not None
    ]
    adoptions.sort(key=lambda one: _PATTERNS.index(one.pattern))
    return Panel(
        unit.name,
        time.name,
        units,
        periods,
        fewest == periods and not repeated,
        int(gaps),
        int(repeated),
        str(first),
        str(last),
        also,
        tuple(adoptions),
        dates,
    )


def _adoption(dataset: Dataset, name: str, unit: str, time: str, periods: int) -> Adoption | None:
    """The adoption that a 0/1 column shows, if no unit goes back and some unit switches."""
    x, u, t = map(quote, (name, unit, time))
    rows = dataset.connection.execute(
        f"WITH p AS (SELECT {u} AS u, {t} AS t, CAST({x} AS DOUBLE) AS x FROM data WHERE {u} IS NOT NULL AND "
        f"{t} IS NOT NULL AND {x} IS NOT NULL), m AS (SELECT max(x) AS high FROM p) "
        "SELECT CAST(u AS VARCHAR), min(t) FILTER (x = high), max(t) FILTER (x <> high) FROM p, m GROUP BY u ORDER BY u"
    ).fetchall()
    if any(on is not None and off is not None and on <= off for _, on, off in rows):
        return None
    return _summed(name, rows)


def _adoption_by_date(dataset: Dataset, name: str, unit: str, time: str) -> Adoption | None:
    """The adoption that a column of dates states."""
    g, u, t = map(quote, (name, unit, time))
    rows = dataset.connection.execute(
        f"SELECT CAST({u} AS VARCHAR), CASE WHEN max({g}) BETWEEN (SELECT min({t}) FROM data) AND max({t}) "
        f"THEN CAST(max({g}) AS BIGINT) WHEN max({g}) < min({t}) AND max({g}) > 0 THEN min({t}) END AS on_, "
        f"max({t}) FILTER (coalesce({g}, 0) = 0 OR {t} < {g}) FROM data WHERE {u} IS NOT NULL GROUP BY {u} ORDER BY {u}"
    ).fetchall()
    found = _summed(name, rows)
    return None if found is None else Adoption(**{**vars(found), "date_column": name})


def _summed(name: str, rows: list[tuple[Any, ...]]) -> Adoption | None:
    switching = [(unit, on) for unit, on, off in rows if on is not None and off is not None]
    always = sum(on is not None and off is None for _, on, off in rows)
    never = sum(on is None for _, on, off in rows)
    if not switching:
        return None
    cohorts: dict[Any, int] = {}
    for _, on in switching:
        cohorts[on] = cohorts.get(on, 0) + 1
    pattern: Pattern = "staggered" if len(cohorts) > 1 else "one date" if never or always else "everyone at one date"
    return Adoption(
        name,
        pattern,
        tuple((str(on), cohorts[on]) for on in sorted(cohorts)),
        always,
        never,
        tuple((unit, str(on)) for unit, on in switching[:_LISTED_UNITS]),
    )


def _holds_dates(dataset: Dataset, column: Column, unit: Column, time: Column, first: Any, last: Any) -> bool:
    """Whole numbers on the scale of time, constant within units, that differ between them or are missing in some."""
    if not (column.numeric and time.numeric) or column.name in (unit.name, time.name):
        return False
    if column.kind in ("empty", "continuous", "identifier") or not isinstance(column.maximum, float):
        return False
    words = ("first", "treat", "start", "adopt", "eff", "cohort", "year", "date", "begin", "since", "group", "g")
    named = any(word == column.name.lower() or (len(word) > 1 and word in column.name.lower()) for word in words)
    # Where periods are numbered 1, 2, …, any code might be a date; years do not come by accident.
    if not (named or first > _YEARS[0]):
        return False
    x, u = quote(column.name), quote(unit.name)
    row = dataset.connection.execute(
        f"WITH g AS (SELECT min({x}) AS low, max({x}) AS high, count({x}) AS n, count(*) AS rows FROM data "
        f"WHERE {u} IS NOT NULL GROUP BY {u}) SELECT bool_and(low IS NULL OR (low = high AND n = rows)), "
        f"count(*) FILTER (low > 0 AND low < 9000), count(*) FILTER (low BETWEEN ? AND ?), count(DISTINCT low) FROM g",
        [first, last],
    ).fetchone()
    if row is None:
        return False
    constant, dated, inside, different = row
    return bool(constant) and dated > 0 and inside >= 0.5 * dated and (different > 1 or dated < unit.distinct)


def _with_date(dataset: Dataset, adoption: Adoption, dates: tuple[str, ...], unit: str, time: str) -> Adoption:
    """The adoption with the column that holds the same dates, if one does."""
    for name in dates:
        stated = _adoption_by_date(dataset, name, unit, time)
        if stated is None:
            continue
        # Where a unit has no row in the stated year, its first 1 comes later.
        seen, said = dict(adoption.first_treated), dict(stated.first_treated)
        if sum(seen.get(one) == said.get(one) for one in seen | said) >= 0.9 * len(seen | said):
            return Adoption(**{**vars(adoption), "date_column": name})
    return adoption
