"""Placebo inference in space: every donor poses as the treated unit, and what is found there is chance.

References
----------
Abadie, Diamond and Hainmueller (2010), JASA 105, section 2.4: the rank of the ratio of prediction errors.
Abadie and L'Hour (2021), JASA 116; Arkhangelsky et al. (2021), Am. Econ. Rev. 111, algorithm 4: the placebo variance.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from leucippus.agents.estimators.regression import Floats, t_interval
from leucippus.agents.estimators.synthetic import PLACEBO_DRAWS, Gap
from leucippus.errors import DataError

FEWEST_PLACEBOS = 3

Fitter = Callable[[tuple[int, ...], tuple[int, ...]], Gap]
"""(columns that pose as treated, columns that are their donors) → their gap."""


@dataclass(frozen=True, eq=False)
class Placebos:
    """Gaps of donors that were never treated."""

    groups: tuple[tuple[int, ...], ...]
    """Donors (by position) that pose as treated in each placebo."""
    gaps: tuple[Gap, ...]

    @property
    def effects(self) -> Floats:
        return np.array([gap.att for gap in self.gaps])

    @property
    def se(self) -> float:
        """Standard deviation of the placebo effects."""
        return float(self.effects.std(ddof=1))

    @property
    def least_p(self) -> float:
        """No rank among them can give a smaller p-value."""
        return 1 / (1 + len(self.gaps))

    def p_value(self, gap: Gap) -> float:
        """Share of all units, the treated one among them, whose ratio of prediction errors is as large."""
        return rank_p(gap.ratio, np.array([placebo.ratio for placebo in self.gaps]))


def in_space(donors: int, treated: int, fit: Fitter) -> Placebos:
    """Refit with donors in place of the treated.

    Parameters
    ----------
    donors : how many there are. treated : how many treated units were averaged; with one, every donor takes its turn,
        with more, groups of that size are drawn (seed 0).

    Raises
    ------
    DataError : there are too few donors to leave some for the placebo's own comparison.
    """
    if donors - treated < 2 or donors < FEWEST_PLACEBOS:
        raise DataError(
            f"{donors} donors for {treated} treated units",
            expected="donors enough to pose as treated with others left to compare them with",
        )
    if treated == 1:
        groups: list[tuple[int, ...]] = [(j,) for j in range(donors)]
    else:
        rng = np.random.default_rng(0)
        drawn = (rng.choice(donors, treated, replace=False) for _ in range(PLACEBO_DRAWS))
        groups = sorted({tuple(sorted(map(int, group))) for group in drawn})
    everyone = range(donors)
    return Placebos(tuple(groups), tuple(fit(group, tuple(j for j in everyone if j not in group)) for group in groups))


def rank_p(figure: float, placebos: Floats) -> float:
    """(1 + placebos at least as large) / (1 + placebos)."""
    return float((1 + (placebos >= figure * (1 - 1e-12)).sum()) / (1 + len(placebos)))


def placebo_interval(estimate: float, se: float, units: int) -> tuple[float, float]:
    """Estimate ± t(units − 1) × se: a standard deviation over few donors is itself uncertain."""
    return t_interval(estimate, se, units - 1)
