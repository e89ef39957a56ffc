"""Periods as written → whole numbers in order: years, dates, and text such as 2011Q3, Q32011, 1995-04, May 1987, wave 2.

Knows values only. A period counts by its place among those observed: with rows in 1982, 1984 and 1988, 1984 comes one
period after 1982.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leucippus.errors import DesignError

NEVER = np.inf

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_BEFORE = {"before", "pre", "baseline", "pre-treatment", "pretest"}
_AFTER = {"after", "post", "endline", "follow-up", "followup", "post-treatment", "posttest"}
_YEAR = r"(?P<year>\d{4})"
_QUARTER = (rf"{_YEAR}\W*q\W*(?P<part>[1-4])", rf"q\W*(?P<part>[1-4])\W*{_YEAR}", rf"(?P<part>[1-4])\W*q\W*{_YEAR}")
_MONTH = (
    rf"{_YEAR}\W*m\W*(?P<part>\d{{1,2}})",
    rf"{_YEAR}[-/](?P<part>\d{{1,2}})",
    rf"(?P<part>\d{{1,2}})[-/]{_YEAR}",
    rf"(?P<name>[a-z]{{3,9}})\.?[\s\-,/]*{_YEAR}",
    rf"{_YEAR}[\s\-,/]*(?P<name>[a-z]{{3,9}})\.?",
)
_ISO_DATE = r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?"


@dataclass(frozen=True, eq=False)
class Periods:
    """The periods of a column, in order."""

    index: NDArray[np.int64]
    """(n,), the place of each row's period, from 0."""
    labels: tuple[str, ...]
    """(T,), as written."""
    keys: NDArray[np.float64]
    """(T,), what they are ordered by: the number, quarters or months since year 0, nanoseconds, or the place."""
    kind: str
    """How they were read: number, date, quarter, month, …"""

    @cached_property
    def count(self) -> int:
        return len(self.labels)

    def place(self, value: object) -> float:
        """The first observed period at or after `value`; `NEVER` if there is none, 0 if all are.

        Raises
        ------
        DesignError : it is not written as the periods are.
        """
        key = self.key(value)
        return float(np.searchsorted(self.keys, key)) if key <= self.keys[-1] else NEVER

    def key(self, value: object) -> float:
        """What `value` is ordered by among these periods."""
        found = _read(value, self.kind)
        if found is None and self.kind in ("quarter", "month", "date") and (year := _number(value)) is not None:
            # A bare year among quarters, months or dates: its beginning.
            found = year * {"quarter": 4, "month": 12}.get(self.kind, 0) or float(pd.Timestamp(int(year), 1, 1).value)
        if found is None:
            raise DesignError(
                f"the period {value!r} is not written as those in the data", expected=f"such as {self.labels[0]!r}"
            )
        return found


def read_periods(column: pd.Series, name: str) -> Periods:
    """The order of the values of a column.

    Parameters
    ----------
    column : (n,), nothing missing: numbers, dates, or text in one format.

    Raises
    ------
    DesignError : text with no order we can read.
    """
    codes, levels = pd.factorize(column, sort=False)
    values = list(levels)
    for kind in ("number", "date", "quarter", "month", "numbered", "before and after"):
        read = [_read(value, kind) for value in values]
        keys = [key for key in read if key is not None]
        if len(keys) == len(values) and (kind != "numbered" or len({_stem(value) for value in values}) == 1):
            ordered, places = np.unique(np.array(keys, dtype=np.float64), return_inverse=True)
            labels = {int(place): _label(value) for place, value in zip(places, values, strict=True)}
            index = np.asarray(places, dtype=np.int64)[codes]
            return Periods(index, tuple(labels[place] for place in range(len(ordered))), ordered, kind)
    sample = ", ".join(repr(_label(value)) for value in values[:4])
    raise DesignError(
        f"the periods in {name!r} have no order that can be read: {sample}",
        expected="numbers, dates, or text in one format such as 2011Q3, 1995-04 or May 1987",
        next_step=f"Derive a number from {name} that gives the order, and name it as time.",
    )


def _read(value: object, kind: str) -> float | None:
    """What a value is ordered by if it is a period of this kind."""
    text = str(value).strip().lower()
    if kind == "number":
        return _number(value)
    if kind == "date":
        if not isinstance(value, str) and not hasattr(value, "year"):
            return None
        if isinstance(value, str) and not re.fullmatch(_ISO_DATE, value.strip(), re.IGNORECASE):
            return None
        stamp = pd.to_datetime(value, errors="coerce")
        return None if pd.isna(stamp) else float(stamp.tz_localize(None).value)
    if kind == "quarter":
        found = next((match for form in _QUARTER if (match := re.fullmatch(form, text))), None)
        return None if found is None else 4.0 * int(found["year"]) + int(found["part"]) - 1
    if kind == "month":
        return next((month for form in _MONTH if (month := _month(re.fullmatch(form, text))) is not None), None)
    if kind == "numbered":
        found = re.fullmatch(r"[a-z _.\-#]*?(\d+)", text)
        return None if found is None else float(found[1])
    return 0.0 if text in _BEFORE else 1.0 if text in _AFTER else None


def _number(value: object) -> float | None:
    if isinstance(value, bool | np.bool_):
        return float(value)
    try:
        number = float(str(value))
    except ValueError:
        return None
    return number if np.isfinite(number) else None


def _month(found: re.Match[str] | None) -> float | None:
    if found is None:
        return None
    parts = found.groupdict()
    if "name" in parts:
        number = next((i for i, name in enumerate(_MONTHS, 1) if parts["name"].startswith(name)), 0)
    else:
        number = int(parts["part"])
    return 12.0 * int(parts["year"]) + number - 1 if 1 <= number <= 12 else None


def _stem(value: object) -> str:
    return re.sub(r"\d+$", "", str(value).strip().lower())


def _label(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, pd.Timestamp) and value == value.normalize():
        return str(value.date())
    return str(value)
