"""Columns that look drawn by lot, and columns that look like instruments.

A 0/1 column is lottery-like when traits that a treatment cannot change (age, sex, origin, what is called baseline) do
not predict it together. That is what a lot does, but other things do so too: it is a reason to ask, not a finding.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from leucippus.agents.columns import Column, Floats, coded, names_a_time, names_an_identifier, sample, zero_one
from leucippus.agents.dataset import Dataset
from leucippus.agents.estimators.joint_test import joint_p

SAMPLED_ROWS = 50_000
_FEWEST_TRAITS = 3
_MOST_TRAITS = 40
_MOST_LEVELS = 12
_MOST_ARMS = 5
_LEAST_DOF = 10
_FEWEST_ROWS = 50
_BALANCED = 0.01
_STRONG = 10.0
"""First-stage F; Staiger and Stock (1997)."""
_SAME = 0.95

_TRAIT = re.compile(
    r"age\d{0,4}|agec?at|birth(year|month)?|byear|sex|gender|male|female|woman|women|girl|boy|race|ethnic(ity)?|black|white|"
    r"hisp(anic)?|latino|asian|cauc(asian)?|nonwhite|minority|hawaiian|educ(ation)?(yrs|years)?|school(ing)?|edlevel|"
    r"nodegree|hsorged|college|degree|marr(ied)?|marital|mstat|fatheduc|motheduc|religion|region|urban|rural|literacy|"
    r"height|parity|kids\w*|nchild(ren)?|hhsize|agpop|occup?p?(ation)?|nonmarried|surname|household|"
    r"lunch|risk|risk_averse|ideology|party|partyid|conservative|liberal"
)
_EARLIER = re.compile(r"(^|_)(base(line)?|bl|pre|prior|before|initial|t0)(_|$)|^prev?wage$")


@dataclass(frozen=True)
class Lottery:
    """A 0/1 column that no trait predicts."""

    column: str
    p_value: float
    """Of the F test that none of the traits predicts it."""
    traits: tuple[str, ...]
    rows: int


@dataclass(frozen=True)
class Instrument:
    """A lottery-like column that moves another candidate treatment."""

    column: str
    treatment: str
    f: float
    """First-stage F."""
    effect: float
    """Difference of the treatment's mean between the two values."""


def looks_like_a_trait(name: str) -> bool:
    """Whether the name says something fixed before any treatment of adults or households."""
    lower = name.lower()
    words = re.split(r"[_.\s]+", lower)
    return bool(_EARLIER.search(lower)) or any(_TRAIT.fullmatch(word) for word in words)


def find_lotteries(dataset: Dataset, columns: Sequence[Column]) -> tuple[tuple[Lottery, ...], tuple[Instrument, ...]]:
    """Lottery-like columns, and which of them move other candidate treatments."""
    usable = [column for column in columns if column.missing <= column.rows / 10]
    traits = [column for column in usable if looks_like_a_trait(column.name) and _is_trait(column)][:_MOST_TRAITS]
    switches = [
        column
        for column in usable
        if (column.kind == "binary" or (column.kind == "categorical" and column.distinct <= _MOST_ARMS))
        and column not in traits
        and not names_a_time(column.name)
    ]
    if len(traits) < _FEWEST_TRAITS or not switches:
        return (), ()
    frame = sample(dataset, tuple(column.name for column in (*traits, *switches)), SAMPLED_ROWS)
    matrix = traits_as_numbers(frame[[column.name for column in traits]])
    lotteries, others = [], dict[str, Floats]()
    names = tuple(column.name for column in traits)
    for column in switches:
        values = coded(frame[column.name])
        kept = np.isfinite(values)
        p = arms_p(matrix[kept], values[kept]) if kept.sum() >= _FEWEST_ROWS else float("nan")
        if p >= _BALANCED:
            lotteries.append(Lottery(column.name, p, names, int(kept.sum())))
        if column.kind == "binary":
            others[column.name] = zero_one(values)
    lotteries.sort(key=lambda one: -one.p_value)
    drawn = {one.column for one in lotteries}
    instruments = [
        Instrument(column, name, *first)
        for column in sorted(drawn & set(others))
        for name, values in others.items()
        if name not in drawn and (first := first_stage(others[column], values)) is not None
    ]
    return tuple(lotteries), tuple(sorted(instruments, key=lambda one: -one.f))


def _is_trait(column: Column) -> bool:
    return column.kind in ("binary", "categorical", "count", "continuous") and not names_an_identifier(column.name)


def traits_as_numbers(frame: pd.DataFrame) -> Floats:
    """Traits as numbers, (n, k): levels of text as indicators, missing values as the mean."""
    parts = []
    for name in frame.columns:
        values = coded(frame[name])
        if not pd.api.types.is_numeric_dtype(frame[name]):
            frequent = pd.Series(values).value_counts().index[:_MOST_LEVELS]
            parts += [(values == level).astype(np.float64) for level in frequent[1:]]
        else:
            parts.append(np.where(np.isfinite(values), values, np.nanmean(values)))
    return np.column_stack(parts) if parts else np.empty((len(frame), 0))


def arms_p(x: Floats, arms: Floats) -> float:
    """P-value that no column of `x` (n, k) predicts any of the arms (n,); the smallest of one test an arm, times them."""
    levels = np.unique(arms)
    if len(levels) < 3:
        return joint_p(x, arms, least=_LEAST_DOF)
    return min(
        1.0, len(levels) * min(joint_p(x, (arms == level).astype(np.float64), least=_LEAST_DOF) for level in levels)
    )


def first_stage(z: Floats, d: Floats) -> tuple[float, float] | None:
    """(F, difference in means) where 0/1 column z moves d strongly without being d in another form; else None."""
    kept = np.isfinite(z) & np.isfinite(d)
    z, d = z[kept], d[kept]
    if len(z) < _FEWEST_ROWS or d.std() == 0 or z.std() == 0:
        return None
    correlation = float(np.corrcoef(z, d)[0, 1])
    f = correlation**2 / (1 - correlation**2) * (len(z) - 2) if abs(correlation) < 1 else float("inf")
    return None if f < _STRONG or abs(correlation) > _SAME else (f, float(d[z == 1].mean() - d[z == 0].mean()))
