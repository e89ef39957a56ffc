"""How alike the two sides of a comparison are in what came before it, as numbers: the love plot and the overlap plot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from leucippus.agents.designs.base import plain
from leucippus.agents.designs.checks import baseline
from leucippus.agents.designs.iv import Iv, binary_instrument
from leucippus.agents.designs.study import Floats, Study, indicators
from leucippus.agents.estimators.basis import basis
from leucippus.agents.estimators.overlap import Target, balancing_weights, propensity, weighted_imbalance

_COMPARE_ARMS = ("rct", "backdoor", "iv", "mediation", "frontdoor", "survival")
"""Designs that compare rows of two arms; the others compare periods, or sides of a cutoff."""


@dataclass(frozen=True)
class Contrast:
    """One column in the two arms."""

    column: str
    mean_treated: float
    mean_untreated: float
    before: float
    """Difference in standard deviations, as the rows are."""
    after: float | None
    """The same once rows are weighted by their propensities; None where nothing is adjusted for."""


@dataclass(frozen=True, eq=False)
class Balance:
    """Two arms compared in what was there before."""

    arm: str
    """Column whose two values are the arms: the treatment, or a binary instrument."""
    contrasts: tuple[Contrast, ...]
    d: Floats
    """Arm of each row, (n,) of 0 and 1."""
    propensities: Floats | None
    """(n,), or None where nothing is adjusted for."""


def balance_of(study: Study) -> Balance | None:
    """The balance of a study, or None where it has no two arms or nothing to compare them in.

    Raises
    ------
    ValueError, ArithmeticError, LinAlgError, LeucippusError : the rows do not carry the propensities.
    """
    design = study.design
    if design.strategy not in _COMPARE_ARMS:
        return None
    d, arm = (study.d, design.treatment) if study.binary else (None, design.treatment)
    if isinstance(design, Iv):
        d, arm = binary_instrument(study), plain(design.instrument[0])
    names = [name for name in baseline(study) if name != arm]
    if d is None or not names or not 0 < d.mean() < 1:
        return None
    frame = indicators(study.frame[names].fillna(study.frame[names].median(numeric_only=True)), names)
    x, treated = frame.to_numpy(dtype=np.float64), d == 1
    even = np.ones_like(d)
    before, after, e = weighted_imbalance(x, d, even), None, None
    columns = basis(study.x.to_numpy(dtype=np.float64), int(min(d.sum(), (1 - d).sum())))
    if columns.shape[1]:
        e = propensity(d, columns)
        target = cast("Target", design.estimand if design.strategy == "backdoor" else "ATE")
        after = weighted_imbalance(x, d, balancing_weights(d, e, target))
    contrasts = tuple(
        Contrast(
            str(name),
            float(x[treated, i].mean()),
            float(x[~treated, i].mean()),
            float(before[i]),
            None if after is None else float(after[i]),
        )
        for i, name in enumerate(frame.columns)
    )
    return Balance(arm, tuple(sorted(contrasts, key=lambda one: -abs(one.before))), d, e)
