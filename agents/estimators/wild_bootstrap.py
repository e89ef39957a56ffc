"""The restricted wild cluster bootstrap of one coefficient of a linear regression: a test and an interval that hold
with few clusters, where clustered standard errors with t quantiles reject too often.

Knows arrays only. With everything but the treatment partialled out, numerator and variance of a bootstrap
t-statistic are a linear and a quadratic form in the G cluster weights, both polynomials in the tested value; so draws
cost G × G algebra whatever the rows, and inverting the test costs one pass over the draws a step.

References
----------
Cameron, Gelbach and Miller (2008), Rev. Econ. Stat. 90: the test; residuals under the null, Rademacher weights.
Webb (2014), Queen's Economics Department WP 1315: six-point weights, for when 2^G sign patterns are too few.
Roodman, MacKinnon, Nielsen and Webb (2019), Stata J. 19: the algebra (section 5) and the inverted interval.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from leucippus.errors import DataError

Floats = NDArray[np.float64]
Weights = Literal["rademacher", "webb"]

FEW_CLUSTERS = 40
"""Below this, the normal approximation behind clustered standard errors is doubtful (Cameron and Miller 2015)."""
_FEW = 12
"""Below this many clusters 2^G sign patterns make for a coarse distribution of the statistic."""
_SIX_POINTS = np.sqrt([0.5, 1.0, 1.5])
_TIE = 1e-9
"""Draws whose statistic equals the observed one but for rounding (all weights alike) count as at least as large."""
_DEMEANED = 1e-10
_MOST_DOUBLINGS = 60


@dataclass(frozen=True)
class WildBootstrap:
    """What the bootstrap says of the coefficient."""

    p_value: float
    """Two-sided, that the coefficient is 0."""
    ci_low: float
    ci_high: float
    """The values that are not rejected; not symmetrical about the estimate in general."""
    weights: Weights
    draws: int
    """Of the weights; 2^G where every pattern of signs was used."""


def wild_bootstrap(
    y: Floats,
    d: Floats,
    x: ArrayLike | None,
    clusters: ArrayLike,
    *,
    absorb: ArrayLike | None = None,
    draws: int = 9999,
    seed: int = 0,
    level: float = 0.95,
) -> WildBootstrap:
    """Test and interval for the coefficient on `d` in least squares of `y` on `d`, `x`, an intercept and `absorb`.

    Parameters
    ----------
    y, d : (n,).
    x : (n, k) controls, or None.
    clusters : (n,) codes of any kind.
    absorb : (n,) or (n, f) codes of fixed effects, or None.
    draws : of the weights; with fewer patterns of signs than this, each is used once.

    Raises
    ------
    DataError : too few clusters to reject anything at this level, or `d` is determined by the rest.
    """
    group, names = pd.factorize(np.asarray(clusters).ravel())
    n_groups = len(names)
    if n_groups < 2:
        raise DataError("a single cluster", expected="two or more, to see how they differ")
    weights: Weights = "webb" if n_groups < _FEW else "rademacher"
    v = _weights(n_groups, weights, draws, seed)
    estimate, scores = _scores(np.asarray(y, float), np.asarray(d, float), x, group, n_groups, absorb)
    p_value = _test(scores, v, exact=len(v) < draws)
    alpha = 1 - level
    if p_value(np.inf) > alpha:
        raise DataError(
            f"{n_groups} clusters are too few for the wild cluster bootstrap to reject any value at {alpha:.0%}",
            expected="more clusters, with treated and untreated ones among them",
        )
    low, high = (estimate + _bound(p_value, step, alpha) for step in (-scores.se, scores.se))
    return WildBootstrap(p_value(-estimate), low, high, weights, len(v))


@dataclass(frozen=True, eq=False)
class _Scores:
    """The bootstrap world of the null β = β̂ + δ: weights v give the numerator (a − δ b)·v and the cluster scores
    (A − δ B) v, whose sum of squares is the variance of the numerator but for a constant."""

    a: Floats
    """(G,)."""
    b: Floats
    """(G,); sums to the variation of the treatment, so b·1 = d̃'d̃."""
    A: Floats
    """(G, G)."""
    B: Floats
    """(G, G)."""

    @property
    def se(self) -> float:
        """Of the estimate, clustered, without a correction for few clusters."""
        return float(np.linalg.norm(self.A.sum(axis=1)) / self.b.sum())


def _scores(
    y: Floats, d: Floats, x: ArrayLike | None, group: NDArray[np.intp], n_groups: int, absorb: ArrayLike | None
) -> tuple[float, _Scores]:
    """The estimate, and what the statistic of any null is made of."""
    n = len(y)
    controls = np.empty((n, 0)) if x is None else np.asarray(x, dtype=np.float64).reshape(n, -1)
    sweep = _without(absorb, n)
    basis = _basis(np.column_stack([controls, np.ones(n)]) if absorb is None else sweep(controls))
    rest_d, rest_y = (z - basis @ (basis.T @ z) for z in sweep(np.column_stack([d, y])).T)
    dd = float(rest_d @ rest_d)
    if dd <= 1e-10 * float(((d - d.mean()) ** 2).sum()):
        raise DataError(
            "the treatment is determined by the controls or the fixed effects, so its effect cannot be told from theirs",
            next_step="Leave out the control that fixes the treatment.",
        )
    estimate = float(rest_d @ rest_y) / dd
    residual = rest_y - estimate * rest_d
    if float(residual @ residual) <= 1e-20 * float(rest_y @ rest_y):
        raise DataError("the regression fits every row exactly, so there is nothing to measure its error by")

    def by_group(z: Floats) -> Floats:
        """Sums within clusters, (n, m) → (G, m)."""
        sums = [np.bincount(group, weights=column, minlength=n_groups) for column in z.T]
        return np.stack(sums, axis=1) if sums else np.empty((n_groups, 0))

    # Row g: the treatment of cluster g alone, with the fixed effects swept out of it.
    alone = sweep(np.where(group[:, None] == np.arange(n_groups), rest_d[:, None], 0.0))
    on_basis = by_group(basis * rest_d[:, None])
    own = by_group(rest_d[:, None] ** 2)[:, 0]

    def forms(u: Floats) -> tuple[Floats, Floats]:
        """Numerator and cluster scores, as forms in the weights on u."""
        scores = by_group(alone * u[:, None]).T - on_basis @ by_group(basis * u[:, None]).T
        numerator = scores.sum(axis=0)
        return numerator, scores - np.outer(own / dd, numerator)

    a, A = forms(residual)
    b, B = forms(rest_d)
    return estimate, _Scores(a, b, A, B)


def _without(absorb: ArrayLike | None, n: int) -> Callable[[Floats], Floats]:
    """A function that sweeps fixed effects out of the columns of an (n, m) matrix."""
    if absorb is None:
        return lambda z: z
    from pyfixest.estimation import demean

    effects = np.asarray(absorb).reshape(n, -1)
    codes = np.column_stack([pd.factorize(column)[0] for column in effects.T]).astype(np.uint64)

    def sweep(z: Floats) -> Floats:
        if z.shape[1] == 0:
            return z
        swept, converged = demean(z, codes, np.ones(n), tol=_DEMEANED)
        if not converged:
            raise DataError("the fixed effects could not be swept out", next_step="Absorb fewer, or fewer rare ones.")
        return np.asarray(swept, dtype=np.float64)

    return sweep


def _basis(z: Floats) -> Floats:
    """Orthonormal columns with the span of `z`, whatever its rank."""
    if z.shape[1] == 0:
        return z
    scale = np.linalg.norm(z, axis=0)
    u, s, _ = np.linalg.svd(z / np.where(scale > 0, scale, 1.0), full_matrices=False)
    return np.asarray(u[:, s > 1e-10 * s.max(initial=0.0)])


def _weights(n_groups: int, kind: Weights, draws: int, seed: int) -> Floats:
    """(draws, G), or (2^G, G) with every pattern of signs if those are fewer."""
    if kind == "rademacher" and n_groups < 63 and 2**n_groups <= draws:
        bits = (np.arange(2**n_groups)[:, None] >> np.arange(n_groups)) & 1
        return np.asarray(1.0 - 2.0 * bits, dtype=np.float64)
    rng = np.random.default_rng(seed)
    if kind == "rademacher":
        return rng.choice([-1.0, 1.0], size=(draws, n_groups))
    return rng.choice(np.concatenate([-_SIX_POINTS, _SIX_POINTS]), size=(draws, n_groups))


def _test(scores: _Scores, v: Floats, *, exact: bool) -> Callable[[float], float]:
    """δ → p-value of β = β̂ + δ; at infinity its limit."""
    numerator_a, numerator_b = v @ scores.a, v @ scores.b
    from_a, from_b = v @ scores.A.T, v @ scores.B.T
    constant, linear, square = (from_a**2).sum(1), (from_a * from_b).sum(1), (from_b**2).sum(1)
    observed_a, observed_b = scores.A.sum(axis=1), float(scores.b.sum())
    variance = float(observed_a @ observed_a)

    def p_value(delta: float) -> float:
        if np.isinf(delta):
            # The residuals under the null are all treatment: the observed statistic is infinite, as are those of
            # draws that weight every cluster alike.
            as_large = int((square <= _TIE * scores.b.sum() ** 2 * (v**2).mean(axis=1)).sum())
        else:
            t2 = (delta * observed_b) ** 2 / variance
            top = (numerator_a - delta * numerator_b) ** 2
            bottom = np.maximum(constant - 2 * delta * linear + delta**2 * square, 0.0)
            as_large = int((top >= t2 * bottom * (1 - _TIE)).sum())
        # Among all patterns of signs the one that was observed is counted already.
        return as_large / len(v) if exact else (1 + as_large) / (1 + len(v))

    return p_value


def _bound(p_value: Callable[[float], float], step: float, alpha: float) -> float:
    """The distance from the estimate, in the direction of `step`, at which the p-value falls to alpha; to a
    thousandth of `step`."""
    inside, outside = 0.0, step
    for _ in range(_MOST_DOUBLINGS):
        if p_value(outside) <= alpha:
            break
        inside, outside = outside, 2 * outside
    else:
        raise DataError(
            "the wild cluster bootstrap rejects no value: its interval has no end", expected="more clusters"
        )
    while abs(outside - inside) > 1e-3 * abs(step):
        middle = (inside + outside) / 2
        inside, outside = (inside, middle) if p_value(middle) <= alpha else (middle, outside)
    return outside
