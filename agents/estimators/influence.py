"""From influence values to a standard error: one rule for every estimator that averages over rows.

An estimator with influence values psi_i is, for large n, the truth plus their mean; its variance is that of the mean.
Rows that go together (clusters) are added up first.

References
----------
Hampel (1974), J. Am. Stat. Assoc. 69: the influence curve.
Liang and Zeger (1986), Biometrika 73: sums within clusters.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from leucippus.agents.estimators.regression import Floats, t_interval, t_p_value
from leucippus.errors import DataError


@dataclass(frozen=True, eq=False)
class Effect:
    """An effect and its uncertainty."""

    estimate: float
    se: float
    dof: float
    """Degrees of freedom of the t distribution for intervals."""
    inference: str
    """How the standard error was made, in words."""

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        return t_interval(self.estimate, self.se, self.dof, level)

    @property
    def p_value(self) -> float:
        """Two-sided, that the effect is 0."""
        return t_p_value(self.estimate, self.se, self.dof)


def from_influence(
    estimate: float, influence: Floats, parameters: int, clusters: ArrayLike | None = None, words: str = ""
) -> Effect:
    """The effect whose influence values these are.

    Parameters
    ----------
    influence : (n,), in units of the estimate, with mean 0.
    parameters : columns fitted along the way; they cost degrees of freedom.
    clusters : (n,) codes from 0, or None.

    Raises
    ------
    DataError : a single cluster, or no more rows than parameters.
    """
    n = len(influence)
    if clusters is not None:
        sums = np.bincount(np.asarray(clusters), weights=influence)
        groups = len(np.unique(np.asarray(clusters)))
        if groups < 2:
            raise DataError("a single cluster", expected="two or more, to see how they differ")
        variance = groups / (groups - 1) * float(sums @ sums) / n**2
        return Effect(estimate, variance**0.5, groups - 1, f"{words}standard error clustered in {groups} groups")
    if n <= parameters:
        raise DataError(f"{n} rows for {parameters} parameters", expected="more rows than parameters")
    variance = float(influence @ influence) / n / (n - 1)
    return Effect(estimate, variance**0.5, n - parameters, f"{words}heteroskedasticity-robust standard error")
