"""Controls from which a treatment or an instrument is computed: experience next to age and schooling."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leucippus.agents.dataset import Dataset
from leucippus.agents.designs.base import Design
from leucippus.agents.designs.study import as_numbers, prepare

_EXACT = 1e-4
"""Share of a variable's variance that is left where controls fix it."""
_SAME_ORDER = 0.995
"""Rank correlation from which one control is another in another form."""


def without_identities(dataset: Dataset, design: Design) -> Design:
    """The design less controls from which its treatment or instrument is computed: experience next to age and schooling.

    Of the controls that fix it the one that goes along with it most is left out, until they fix it no longer.
    """
    while design.strategy in ("backdoor", "iv") and len(design.controls) > 0:
        study = prepare(dataset, design)
        x = study.x.to_numpy(dtype=np.float64)
        moved = [] if study.binary else [study.d]
        moved += [
            as_numbers(study.frame[name], name)
            for name in getattr(design, "instrument", ())
            if pd.api.types.is_numeric_dtype(study.frame[name])
        ]
        d = next((one for one in moved if _fixes(x, one)), None)
        if d is None:
            break
        one_each = [name for name in study.x.columns if name in design.controls]
        x = study.x[one_each].to_numpy(dtype=np.float64)
        freed = [
            (abs(float(np.corrcoef(x[:, at], d)[0, 1])), name)
            for at, name in enumerate(one_each)
            if x[:, at].std() > 0 and not _fixes(study.x.drop(columns=name).to_numpy(dtype=np.float64), d)
        ]
        if not freed:
            break
        computed = max(freed)[1]
        ranks = study.x[one_each].rank()
        gone = {name for name in one_each if name == computed or abs(ranks[name].corr(ranks[computed])) > _SAME_ORDER}
        design = design.model_copy(update={"controls": tuple(c for c in design.controls if c not in gone)})
    return design


def _fixes(x: NDArray[np.float64], d: NDArray[np.float64]) -> bool:
    if len(d) <= x.shape[1] + 2 or d.std() == 0:
        return False
    columns = np.column_stack([np.ones(len(d)), (x - x.mean(axis=0)) / np.where(x.std(axis=0) > 0, x.std(axis=0), 1.0)])
    left = d - columns @ np.linalg.lstsq(columns, d, rcond=None)[0]
    return bool((left**2).mean() < _EXACT * d.var())
