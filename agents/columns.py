"""What is in each column of a data set: type, kind, missing values, distribution. Sums are made in DuckDB, not in Python.

Looks at one column at a time; how columns hang together is for `panel`, `thresholds` and `lottery`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leucippus.agents.dataset import Dataset
from leucippus.agents.expressions import quote

Floats = NDArray[np.float64]
Kind = Literal["binary", "categorical", "count", "continuous", "date", "text", "identifier", "constant", "empty"]

FEW = 10
"""Whole numbers with at most this many values are read as codes, more as counts."""
_MOST_CATEGORIES = 50
_TOP = 5
_EXACT_ROWS = 2_000_000
_NUMERIC = re.compile(r"(TINY|SMALL|BIG|HUGE|U\w*)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL.*|BOOLEAN")
_WHOLE = re.compile(r"(TINY|SMALL|BIG|HUGE|U\w*)?INT(EGER)?|BOOLEAN")
_IDENTIFIER = re.compile(r"(.*_)?(id|ids|uid|uuid|guid|pid|fips|zip|zipcode|index|rownum|key|nr)\d?(_.*)?")
_ENDS_IN_ID = re.compile(r"\w+(?<!pa)(?<!a)(?<!b)(?<!k)(?<!cov)(?<!flu)(?<!gr)(?<!val)(?<!rap)(?<!ol)id")
_TIME = re.compile(
    r"(.*_)?(t|year|yr|years|month|mon|quarter|qtr|quarters|week|wk|day|date|time|period|wave|round|season|semester|term|"
    r"decade|post|after|yearmonth|quarter_num|ym|yq)(\.\w|_(num|no|nr|id))?\d{0,4}|y\d{2}|year\d+|yr\d+"
)


@dataclass(frozen=True)
class Column:
    """One column. Figures are None where the column holds no numbers."""

    name: str
    type: str
    """DuckDB type."""
    kind: Kind
    rows: int
    missing: int
    distinct: int
    """Different values; exact up to two million rows, else within a few per cent."""
    infinite: int = 0
    """Infinite values; they are left out of the figures below."""
    minimum: float | str | None = None
    q25: float | None = None
    median: float | None = None
    q75: float | None = None
    maximum: float | str | None = None
    mean: float | None = None
    sd: float | None = None
    top: tuple[tuple[str, int], ...] = ()
    """The most frequent values and their counts, where there are few values."""
    description: str = ""

    @property
    def numeric(self) -> bool:
        return is_numeric(self.type)


def is_numeric(kind: str) -> bool:
    return _NUMERIC.fullmatch(kind) is not None


def is_date(kind: str) -> bool:
    return kind == "DATE" or kind.startswith("TIMESTAMP")


def names_an_identifier(name: str) -> bool:
    lower = name.strip().lower()
    return bool(_IDENTIFIER.fullmatch(lower) or _ENDS_IN_ID.fullmatch(lower)) and not names_a_time(name)


def names_a_time(name: str) -> bool:
    return _TIME.fullmatch(name.strip().lower().replace(" ", "_")) is not None


def describe(dataset: Dataset) -> tuple[Column, ...]:
    """Every column, in the order of the source; one query (or two) for each, so memory holds one column at a time."""
    return tuple(_describe(dataset, name, kind) for name, kind in dataset.types.items())


def _describe(dataset: Dataset, name: str, type_: str) -> Column:
    column = quote(name)
    exact = dataset.rows <= _EXACT_ROWS
    distinct = "count(DISTINCT v)" if exact else "approx_count_distinct(v)"
    facts: dict[str, Any] = {}
    if is_numeric(type_):
        number = f"CAST({column} AS DOUBLE)"
        value = f"CASE WHEN isfinite({number}) THEN {number} END AS v, isinf({number}) AS i"
        quantile = "quantile_cont" if exact else "approx_quantile"
        count, different, infinite, low, quartiles, high, mean, sd, whole = _row(
            dataset,
            f"SELECT count(v), {distinct}, count(*) FILTER (i), min(v), {quantile}(v, [0.25, 0.5, 0.75]), max(v), avg(v), "
            f"stddev_samp(v), coalesce(bool_and(v = trunc(v)), FALSE) FROM (SELECT {value} FROM data)",
        )
        q25, median, q75 = quartiles or (None, None, None)
        facts = {"minimum": low, "q25": q25, "median": median, "q75": q75, "maximum": high, "mean": mean, "sd": sd}
        facts["infinite"] = infinite
        count, different = count + infinite, different + (infinite > 0)
        width = 0.0
    else:
        row = _row(
            dataset,
            f"SELECT count(v), {distinct}, min(v), max(v), avg(strlen(CAST(v AS VARCHAR))) "
            f"FROM (SELECT {column} AS v FROM data)",
        )
        count, different, whole, width = row[0], row[1], False, row[4] or 0.0
        if is_date(type_) and count:
            facts = {"minimum": str(row[2]), "maximum": str(row[3])}
    different = min(different, count)
    kind = _kind(name, type_, count, different, whole, width, name in dataset.labels, facts)
    if kind in ("binary", "categorical", "constant") or (different <= FEW and count):
        facts["top"] = tuple(
            (str(value), times)
            for value, times in dataset.connection.execute(
                f"SELECT {column}, count(*) FROM data WHERE {column} IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {_TOP}"
            ).fetchall()
        )
    description = dataset.descriptions.get(name, "")
    return Column(name, type_, kind, dataset.rows, dataset.rows - count, different, description=description, **facts)


def _kind(
    name: str, type_: str, count: int, distinct: int, whole: bool, width: float, coded: bool, facts: dict[str, Any]
) -> Kind:
    if count == 0:
        return "empty"
    if distinct == 1:
        return "constant"
    if is_date(type_):
        return "date"
    if distinct == 2:
        return "binary"
    if not is_numeric(type_):
        repeated = distinct <= count / 2
        if repeated and (distinct <= _MOST_CATEGORIES or width <= 40):
            return "categorical"
        return "identifier" if width <= 40 and (distinct == count or names_an_identifier(name)) else "text"
    if not whole:
        return "continuous"
    numbered = distinct == count and facts["maximum"] - facts["minimum"] == count - 1
    if not names_a_time(name) and distinct > FEW and (numbered or names_an_identifier(name)):
        return "identifier"
    if coded or distinct <= FEW:
        return "categorical"
    return "count" if facts["minimum"] >= 0 else "continuous"


def _row(dataset: Dataset, query: str) -> tuple[Any, ...]:
    found = dataset.connection.execute(query).fetchone()
    assert found is not None, "an aggregate has one row"
    return found


def duplicate_rows(dataset: Dataset) -> int:
    """Rows that repeat an earlier row in every column (told by a 64-bit hash of the row)."""
    row = ", ".join(map(quote, dataset.columns))
    return int(_row(dataset, f"SELECT count(*) - count(DISTINCT hash({row})) FROM data")[0])


def sample(dataset: Dataset, columns: tuple[str, ...], most: int) -> pd.DataFrame:
    """About so many rows at most, spread over the data by a hash of their place, so the same every time.

    Columns of text, dates and yes/no stay as they are; the rest are floats, with infinite values missing.
    """
    step = max(1, -(-dataset.rows // most))
    parts = [
        f"CASE WHEN isfinite(CAST({quote(name)} AS DOUBLE)) THEN CAST({quote(name)} AS DOUBLE) END AS {quote(name)}"
        if is_numeric(dataset.types[name])
        else quote(name)
        for name in columns
    ]
    return dataset.connection.execute(
        f'SELECT {", ".join(parts)} FROM (SELECT {", ".join(map(quote, columns))}, row_number() OVER () AS "row number" '
        f'FROM data) WHERE hash("row number") % {step} = 0'
        if step > 1
        else f"SELECT {', '.join(parts)} FROM data"
    ).df()


def coded(values: pd.Series) -> Floats:
    """Numbers as they are; anything else as 0, 1, … by sorted value; missing is NaN. Shape (n,)."""
    if pd.api.types.is_numeric_dtype(values):
        return np.asarray(values.to_numpy(dtype=np.float64, na_value=np.nan))
    codes = pd.factorize(values, sort=True)[0].astype(np.float64)
    codes[codes < 0] = np.nan
    return np.asarray(codes)


def zero_one(values: Floats) -> Floats:
    """Two values as 0 and 1, the higher as 1; missing stays NaN. Shape (n,)."""
    present = values[np.isfinite(values)]
    high = present.max() if len(present) else 1.0
    return np.where(np.isfinite(values), (values == high).astype(np.float64), np.nan)
