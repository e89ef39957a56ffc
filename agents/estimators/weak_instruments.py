"""How strong instruments are, and what can be said however weak they are: effective F, Anderson–Rubin test and set.

Everything is robust to heteroskedasticity (HC1), or clustered where the data are.

References
----------
Montiel Olea and Pflueger (2013), J. Bus. Econ. Stat. 31: the effective F and its critical value (their simplified,
conservative test, section 4.1, which bounds the worst-case bias by its supremum).
Anderson and Rubin (1949), Ann. Math. Stat. 20: the test. Dufour (1997), Econometrica 65: a valid set must be unbounded
with positive probability; for this one that is when the first stage is not significant.
Andrews, Stock and Sun (2019), Annu. Rev. Econ. 11: both under heteroskedasticity and clustering.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from leucippus.agents.estimators.regression import Floats
from leucippus.agents.estimators.two_stage import Partialled
from leucippus.errors import DataError

WORST_BIAS = 0.10
"""Bias of 2SLS that a strong instrument rules out, as a share of the worst there can be (Nagar approximation)."""


@dataclass(frozen=True, eq=False)
class Stages:
    """Outcome and treatment, each on the instruments: reduced form and first stage with their joint covariance."""

    reduced: Floats
    """Coefficients δ of the outcome, (K,)."""
    first: Floats
    """Coefficients π of the treatment, (K,)."""
    covariance: Floats
    """Of (δ, π), (2K, 2K)."""
    cross: Floats
    """Z′Z, (K, K)."""
    dof: float
    """Of the denominator of F tests: rows − parameters, or clusters − 1."""

    @property
    def k(self) -> int:
        return len(self.first)

    @cached_property
    def f(self) -> float:
        """Robust F statistic of the first stage."""
        return _wald(self.first, self.covariance[self.k :, self.k :]) / self.k

    @cached_property
    def f_p_value(self) -> float:
        from scipy.stats import f

        return float(f.sf(self.f, self.k, self.dof))

    @cached_property
    def reduced_p_value(self) -> float:
        """That the instruments are unrelated to the outcome: Anderson and Rubin's test of no effect."""
        return anderson_rubin(self, 0.0)[1]

    @cached_property
    def effective_f(self) -> float:
        """π′Z′Zπ over the trace of its noise (Montiel Olea and Pflueger, eq. 3); with one instrument the robust F."""
        return float(self.first @ self.cross @ self.first / np.trace(self._noise))

    @cached_property
    def critical_f(self) -> float:
        """What the effective F must exceed for a worst-case bias below `WORST_BIAS`, at 5%."""
        from scipy.stats import ncx2

        x = 1 / WORST_BIAS
        w = self._noise
        trace, largest = float(np.trace(w)), float(np.linalg.eigvalsh(w)[-1])
        # Patnaik's approximation of a sum of chi-squares, Montiel Olea and Pflueger section 4.1.
        k = trace**2 * (1 + 2 * x) / (float((w**2).sum()) + 2 * x * trace * largest)
        return float(ncx2.ppf(0.95, k, k * x)) / k

    @cached_property
    def _noise(self) -> Floats:
        """Covariance of (Z′Z)^½ π, (K, K)."""
        root = np.linalg.cholesky(self.cross)
        return np.asarray(root.T @ self.covariance[self.k :, self.k :] @ root)


@dataclass(frozen=True)
class ConfidenceSet:
    """Values that a test does not reject: no interval, one, or several, some without end."""

    intervals: tuple[tuple[float, float], ...]
    level: float = 0.95

    @property
    def empty(self) -> bool:
        return not self.intervals

    @property
    def bounded(self) -> bool:
        return all(np.isfinite(end) for interval in self.intervals for end in interval)

    def holds(self, value: float) -> bool:
        return any(low <= value <= high for low, high in self.intervals)

    @property
    def hull(self) -> tuple[float, float]:
        """From the lowest end to the highest.

        Raises
        ------
        DataError : the set is empty.
        """
        if self.empty:
            raise DataError("the set is empty: no effect fits all instruments")
        return self.intervals[0][0], self.intervals[-1][1]

    def text(self) -> str:
        if self.empty:
            return "no value at all"
        if self.intervals == ((-np.inf, np.inf),):
            return "every value"
        return " or ".join(
            f"at most {high:.4g}" if low == -np.inf else f"at least {low:.4g}" if high == np.inf
            else f"{low:.4g} to {high:.4g}"
            for low, high in self.intervals
        )  # fmt: skip


def stages(data: Partialled, *, robust: bool = True) -> Stages:
    """Reduced form and first stage.

    Parameters
    ----------
    robust : HC1, or the covariance of constant variance; clusters, where there are some, come before either.

    Raises
    ------
    DataError : fewer clusters than instruments and controls leave free.
    """
    n, k = data.z.shape
    inverse = np.linalg.inv(data.z.T @ data.z)
    both = np.column_stack([data.y, data.d])
    coefficients = inverse @ data.z.T @ both
    residuals = both - data.z @ coefficients
    free = n - k - data.taken
    dof = float(free)
    if data.clusters is None and not robust:
        covariance = np.kron(residuals.T @ residuals / free, inverse)
        return Stages(coefficients[:, 0], coefficients[:, 1], covariance, data.z.T @ data.z, dof)
    influence = data.z @ inverse
    scores = np.concatenate([influence * residuals[:, [0]], influence * residuals[:, [1]]], axis=1)
    scale = n / free
    if data.clusters is not None and data.groups is not None:
        groups = data.groups
        if groups <= 2 * k:
            raise DataError(
                f"{groups} clusters for {k} instruments",
                expected="more than twice as many clusters as instruments",
                next_step="Use fewer instruments.",
            )
        scores = np.column_stack([np.bincount(data.clusters, weights=column) for column in scores.T])
        scale, dof = groups / (groups - 1) * (n - 1) / free, float(groups - 1)
    return Stages(coefficients[:, 0], coefficients[:, 1], scale * scores.T @ scores, data.z.T @ data.z, dof)


def anderson_rubin(of: Stages, beta: float) -> tuple[float, float]:
    """F statistic and p-value of δ = β π: that the effect is β, however weak the instruments."""
    from scipy.stats import f

    contrast = np.concatenate([np.eye(of.k), -beta * np.eye(of.k)], axis=1)
    statistic = _wald(of.reduced - beta * of.first, contrast @ of.covariance @ contrast.T) / of.k
    return statistic, float(f.sf(statistic, of.k, of.dof))


def anderson_rubin_set(of: Stages, level: float = 0.95) -> ConfidenceSet:
    """Every effect that the Anderson–Rubin test does not reject, exactly: no grid.

    With m(β) = δ − βπ of covariance Ω(β) the set is {β : m′Ω⁻¹m ≤ K c}. Its ends are the real roots of
    det(K c Ω(β) − m m′), a quadratic eigenvalue problem in β.
    """
    from scipy.linalg import eig
    from scipy.stats import f

    k, critical = of.k, float(f.ppf(level, of.k, of.dof))
    # In units in which outcome and treatment are of one size, so that the roots are of moderate size too.
    s, t = np.sqrt(np.trace(of.covariance[:k, :k])), np.sqrt(np.trace(of.covariance[k:, k:]))
    if not (s > 0 and t > 0):
        raise DataError("the instruments fit outcome or treatment without error")
    dd, dp, pp = of.covariance[:k, :k] / s**2, of.covariance[:k, k:] / (s * t), of.covariance[k:, k:] / t**2
    delta, pi, c = of.reduced / s, of.first / t, critical * k
    constant = c * dd - np.outer(delta, delta)
    linear = -c * (dp + dp.T) + np.outer(delta, pi) + np.outer(pi, delta)
    square = c * pp - np.outer(pi, pi)
    zero, one = np.zeros((k, k)), np.eye(k)
    roots = eig(np.block([[zero, one], [-constant, -linear]]), np.block([[one, zero], [zero, square]]), right=False)
    finite = roots[np.isfinite(roots)]
    ends = np.sort(finite.real[np.abs(finite.imag) <= 1e-7 * (1 + np.abs(finite.real))]) * s / t
    if of.k == 1 and len(ends) not in (0, 2):
        ends = np.array([])
    probes = [*(ends[:1] - 1 - abs(ends[:1])), *((ends[1:] + ends[:-1]) / 2), *(ends[-1:] + 1 + abs(ends[-1:]))] or [
        0.0
    ]
    limits = [-np.inf, *ends, np.inf]
    found: list[tuple[float, float]] = []
    for low, high, probe in zip(limits[:-1], limits[1:], probes, strict=True):
        if anderson_rubin(of, float(probe))[0] > critical:
            continue
        if found and found[-1][1] == low:
            found[-1] = (found[-1][0], float(high))
        else:
            found.append((float(low), float(high)))
    return ConfidenceSet(tuple(found), level)


def _wald(value: Floats, covariance: Floats) -> float:
    try:
        return float(value @ np.linalg.solve(covariance, value))
    except np.linalg.LinAlgError as error:
        raise DataError("the instruments' coefficients have a singular covariance") from error
