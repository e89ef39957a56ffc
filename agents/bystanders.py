"""Columns that a design does not name and that can serve to test it: for balance, for continuity, as placebos."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from leucippus.agents.columns import Floats, coded, is_date, is_numeric, names_an_identifier, sample
from leucippus.agents.dataset import Dataset

MOST = 50
_SAMPLED_ROWS = 5_000
_MOST_LEVELS = 20
_SAME = 0.98
_FEWEST_COMMON_ROWS = 10


def bystanders(dataset: Dataset, named: Sequence[str]) -> tuple[str, ...]:
    """At most fifty columns, in the order of the source.

    Numbers and text with few values; no identifiers, constants, dates or free text, and no other forms of the named
    columns (rank correlation of 0.98 or more in a sample of 5,000 rows).
    """
    known = tuple(name for name in named if name in dataset.types)
    others = [
        name
        for name, kind in dataset.types.items()
        if name not in known and not is_date(kind) and not names_an_identifier(name)
    ]
    if not others:
        return ()
    frame = sample(dataset, (*known, *others), _SAMPLED_ROWS)
    ranked = {name: _ranks(frame[name]) for name in known if frame[name].nunique() > 1}
    found = []
    for name in others:
        if not _serves(frame[name], is_numeric(dataset.types[name])):
            continue
        mine = _ranks(frame[name])
        if not any(_alike(mine, theirs) for theirs in ranked.values()):
            found.append(name)
        if len(found) == MOST:
            break
    return tuple(found)


def _serves(values: pd.Series, numeric: bool) -> bool:
    distinct, present = values.nunique(), int(values.notna().sum())
    if distinct < 2:
        return False
    if not numeric:
        return bool(distinct <= _MOST_LEVELS and distinct <= present / 2)
    numbers = values.dropna().to_numpy(dtype=np.float64)
    # A running number of the rows, in their order.
    return not (distinct == present and len(numbers) > _MOST_LEVELS and np.ptp(np.diff(numbers)) == 0)


def _ranks(values: pd.Series) -> Floats:
    return np.asarray(pd.Series(coded(values)).rank().to_numpy(dtype=np.float64))


def _alike(one: Floats, other: Floats) -> bool:
    common = np.isfinite(one) & np.isfinite(other)
    if common.sum() < _FEWEST_COMMON_ROWS:
        return False
    a, b = one[common], other[common]
    if a.std() == 0 or b.std() == 0:
        return False
    return abs(float(np.corrcoef(a, b)[0, 1])) >= _SAME
