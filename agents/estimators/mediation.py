"""Causal mediation by two linear models: how much of an effect runs through a mediator, how much past it.

Knows arrays only. Mediator and outcome models are least squares; the uncertainty of their coefficients is joint (each
row's, or cluster's, influence on both), and intervals are quantiles of draws from it, since a product of coefficients
is not normal. For a 0/1 mediator or outcome the models are linear probability models and effects are differences in
probability.

References
----------
Imai, Keele and Tingley (2010), Psychol. Methods 15: average causal mediation effects; the quasi-Bayesian draws.
Imai, Keele and Yamamoto (2010), Stat. Sci. 25: identification; theorem 4, the effect under a correlation of errors.
MacKinnon, Lockwood and Williams (2004), Multivar. Behav. Res. 39: why the interval of a product is not symmetrical.
Sobel (1982), Sociol. Methodol. 13: the delta-method standard error of the product.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leucippus.agents.estimators.second import SecondOpinion, compare
from leucippus.errors import DataError

Floats = NDArray[np.float64]

_DRAWS = 10_000
_DETERMINED = 1e-9


@dataclass(frozen=True)
class Effect:
    """One estimand and its uncertainty."""

    estimate: float
    se: float
    low: float
    high: float
    p_value: float
    """Two-sided, that it is 0; by its place among the draws."""


@dataclass(frozen=True)
class Mediation:
    """Effects of the treatment's upper rather than lower value, averaged over the two values the other path may have."""

    indirect: Effect
    """ACME: the mediator moves as the treatment moves it, the treatment stays."""
    direct: Effect
    """ADE: the treatment moves, the mediator stays."""
    total: Effect
    indirect_at: tuple[float, float]
    """ACME with the treatment held at its lower, at its upper value."""
    direct_at: tuple[float, float]
    on_mediator: Effect
    """Of the treatment on the mediator."""
    of_mediator: Effect
    """Of the mediator on the outcome, halfway between the treatment's two values."""
    interaction: Effect | None
    """By how much `of_mediator` differs between them."""
    rho: float
    """Correlation of the two models' errors at which the indirect effect would be 0."""
    n: int
    dof: float
    inference: str

    @property
    def proportion(self) -> float:
        """Indirect over total effect; of no meaning where the two differ in sign."""
        return self.indirect.estimate / self.total.estimate if self.total.estimate else float("nan")


def mediate(
    y: Floats,
    d: Floats,
    m: Floats,
    x: ArrayLike | None = None,
    *,
    between: tuple[float, float] = (0.0, 1.0),
    interaction: bool = True,
    clusters: NDArray[np.int64] | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> Mediation:
    """Indirect, direct and total effect of the treatment.

    Parameters
    ----------
    y, d, m : (n,) outcome, treatment, mediator.
    x : (n, k) controls, or None.
    between : the two values of the treatment that are compared.
    interaction : whether the mediator's effect may depend on the treatment.
    clusters : (n,) codes from 0, or None for independent rows.

    Raises
    ------
    DataError : too few rows or clusters, or treatment and controls fix the mediator.
    """
    n = len(y)
    low, high = between
    # Halfway between the values compared, every average over the two is a coefficient.
    t = d - (low + high) / 2
    basis = centred_basis(x, n)
    mediator = least_squares(m, np.column_stack([np.ones(n), t, basis]))
    if float(mediator.residuals @ mediator.residuals) <= _DETERMINED * float(((m - m.mean()) ** 2).sum()):
        raise DataError(
            "the treatment and the controls determine the mediator, so its effect cannot be told from theirs",
            next_step="Leave out the control that fixes the mediator.",
        )
    both = np.column_stack([m * t]) if interaction else np.empty((n, 0))
    outcome = least_squares(y, np.column_stack([np.ones(n), t, m, both, basis]))
    # θ = (a₀, α, τ, β, κ): mediator halfway, treatment → mediator, treatment → outcome, mediator → outcome, both.
    kept = 4 if interaction else 3
    theta = np.concatenate([mediator.coefficients[:2], outcome.coefficients[1:kept], [0.0] * (not interaction)])
    influence = np.column_stack([mediator.influence[:, :2], outcome.influence[:, 1:kept]])
    if clusters is not None:
        groups = int(clusters.max()) + 1
        if groups < 2:
            raise DataError("a single cluster", expected="two or more, to see how they differ")
        influence = np.stack([np.bincount(clusters, weights=column) for column in influence.T], axis=1)
        influence = influence * np.sqrt(groups / (groups - 1))
        dof, words = groups - 1.0, f"errors clustered in {groups} groups"
    else:
        dof, words = float(n - 4 - basis.shape[1]), "heteroskedasticity-robust (HC3)"
    if dof < 1:
        raise DataError(f"{n} rows for {n - dof:g} parameters", expected="more rows than parameters")
    normal, heavy = _draws(theta, influence.T @ influence, dof, seed)
    width = high - low

    def effect(formula: Formula) -> Effect:
        found, values = float(formula(*theta)), formula(*heavy)
        ends = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
        beyond = min(int((values <= 0).sum()), int((values >= 0).sum()))
        p_value = min(1.0, 2 * (1 + beyond) / (1 + _DRAWS))
        return Effect(found, float(formula(*normal).std()), float(ends[0]), float(ends[1]), p_value)

    middle, alpha, tau, beta, kappa = map(float, theta)

    def indirect(side: float) -> float:
        return width * alpha * (beta + side * width * kappa)

    def direct(side: float) -> float:
        return width * (tau + kappa * (middle + side * width * alpha))

    return Mediation(
        indirect=effect(lambda a, alpha, tau, beta, kappa: width * alpha * beta),
        direct=effect(lambda a, alpha, tau, beta, kappa: width * (tau + kappa * a)),
        total=effect(lambda a, alpha, tau, beta, kappa: width * (alpha * beta + tau + kappa * a)),
        indirect_at=(indirect(-0.5), indirect(0.5)),
        direct_at=(direct(-0.5), direct(0.5)),
        on_mediator=effect(lambda a, alpha, tau, beta, kappa: width * alpha),
        of_mediator=effect(lambda a, alpha, tau, beta, kappa: beta),
        interaction=effect(lambda a, alpha, tau, beta, kappa: width * kappa) if interaction else None,
        rho=error_correlation(y, d, m, x),
        n=n,
        dof=dof,
        inference=f"quantiles of {_DRAWS:,} draws of the coefficients from their joint t distribution ({words})",
    )


def error_correlation(y: Floats, d: Floats, m: Floats, x: ArrayLike | None = None) -> float:
    """ρ at which the indirect effect vanishes without an interaction: the correlation of `y` and `m` given `d` and `x`."""
    design = np.column_stack([np.ones(len(y)), d, centred_basis(x, len(y))])
    of_y, of_m = least_squares(y, design).residuals, least_squares(m, design).residuals
    return float(of_y @ of_m / np.sqrt((of_y @ of_y) * (of_m @ of_m)))


def indirect_under(rho: Floats, y: Floats, d: Floats, m: Floats, x: ArrayLike | None = None) -> Floats:
    """Indirect effect of one unit of `d`, without an interaction, if the errors of the two models had correlation `rho`
    (Imai, Keele and Yamamoto 2010, theorem 4), (len(rho),)."""
    design = np.column_stack([np.ones(len(y)), d, centred_basis(x, len(y))])
    of_y, of_m = least_squares(y, design), least_squares(m, design)
    observed = error_correlation(y, d, m, x)
    ratio = np.sqrt(of_y.residuals @ of_y.residuals / (of_m.residuals @ of_m.residuals))
    slope = ratio * (observed - rho * np.sqrt((1 - observed**2) / (1 - rho**2)))
    return np.asarray(of_m.coefficients[1] * slope, dtype=np.float64)


def by_statsmodels(
    y: Floats,
    d: Floats,
    m: Floats,
    x: ArrayLike | None,
    first: Mediation,
    *,
    direct: bool,
    between: tuple[float, float] = (0.0, 1.0),
) -> SecondOpinion:
    """The indirect (or direct) effect again: two regressions by statsmodels, and the delta method (Sobel's formula).

    Parameters
    ----------
    first, between : what `mediate` gave, and was given.
    """
    from statsmodels.regression.linear_model import OLS

    t, width = d - sum(between) / 2, between[1] - between[0]
    controls = np.empty((len(y), 0)) if x is None else np.asarray(x, dtype=np.float64).reshape(len(y), -1)
    on_mediator = OLS(m, np.column_stack([t, np.ones(len(y)), controls])).fit(cov_type="HC3")
    alpha = float(on_mediator.params[0])
    # With the mediator centred at its mean halfway between the treatment's values, the direct effect is a coefficient.
    centred = m - (m.mean() - alpha * t.mean())
    both = [centred * t] if first.interaction else []
    on_outcome = OLS(y, np.column_stack([m, t, *both, np.ones(len(y)), controls])).fit(cov_type="HC3")
    beta = float(on_outcome.params[0])
    if direct:
        estimate, se = float(on_outcome.params[1]), float(on_outcome.bse[1])
    else:
        estimate, se = alpha * beta, float(np.hypot(alpha * on_outcome.bse[0], beta * on_mediator.bse[0]))
    mine = first.direct if direct else first.indirect
    return compare(
        "statsmodels OLS",
        width * estimate,
        abs(width) * se,
        (mine.estimate, mine.se),
        "the delta method there takes the two regressions as independent, and knows no clusters",
    )


Formula = Callable[..., Floats]
"""(a, α, τ, β, κ) → an effect, for numbers and arrays alike."""


@dataclass(frozen=True, eq=False)
class LeastSquares:
    """Coefficients and how each row moves them."""

    coefficients: Floats
    """(p,)."""
    influence: Floats
    """(n, p): each row's share in the error of the coefficients, had the fit been made without it (HC3)."""
    residuals: Floats
    """(n,)."""


def least_squares(y: Floats, z: Floats) -> LeastSquares:
    """Least squares of `y` on the columns of `z`.

    Raises
    ------
    DataError : the columns determine one another, or there are not more rows than columns.
    """
    q, r = np.linalg.qr(z)
    diagonal = np.abs(np.diag(r))
    if len(y) <= z.shape[1] or diagonal.min() <= _DETERMINED * max(float(np.linalg.norm(z, axis=0).max()), 1e-300):
        raise DataError(
            "treatment, mediator and controls determine one another, or outnumber the rows, so their effects cannot be "
            "told apart",
            next_step="Leave out the control that coincides with the treatment or the mediator, or bring more rows.",
        )
    coefficients = np.linalg.solve(r, q.T @ y)
    residuals = y - z @ coefficients
    leverage = np.minimum((q**2).sum(axis=1), 1 - 1e-8)
    influence = np.linalg.solve(r, q.T).T * (residuals / (1 - leverage))[:, None]
    return LeastSquares(coefficients, influence, residuals)


def centred_basis(x: ArrayLike | None, n: int) -> Floats:
    """Columns of mean 0 and variance 1 that span the controls but for a constant, whatever their rank."""
    z = np.empty((n, 0)) if x is None else np.asarray(x, dtype=np.float64).reshape(n, -1)
    z = z - z.mean(axis=0)
    scale = z.std(axis=0)
    z = z[:, scale > 0] / scale[scale > 0]
    if z.shape[1] == 0:
        return np.empty((n, 0))
    u, s, _ = np.linalg.svd(z, full_matrices=False)
    return np.asarray(u[:, s > 1e-10 * s.max(initial=0.0)] * np.sqrt(n), dtype=np.float64)


def _draws(theta: Floats, covariance: Floats, dof: float, seed: int) -> tuple[Floats, Floats]:
    """Coefficients from the normal, and from the t distribution with `dof`, about `theta`; (5, draws) each."""
    rng = np.random.default_rng(seed)
    q = len(covariance)
    values, vectors = np.linalg.eigh(covariance)
    spread = np.zeros((len(theta), _DRAWS))
    spread[:q] = (vectors * np.sqrt(np.maximum(values, 0.0))) @ rng.standard_normal((q, _DRAWS))
    return theta[:, None] + spread, theta[:, None] + spread * np.sqrt(dof / rng.chisquare(dof, _DRAWS))
