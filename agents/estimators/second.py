"""A second engine for least squares: statsmodels on the same rows, and why it may differ."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from leucippus.agents.estimators.regression import Fit, Floats, Robust

CLOSE = 1e-6


@dataclass(frozen=True)
class SecondOpinion:
    """The same estimand from another engine on the same rows."""

    engine: str
    estimate: float
    se: float
    agrees: bool
    note: str
    """Why the two differ, or what agrees to how many digits."""


def compare(engine: str, estimate: float, se: float, first: tuple[float, float], why: str) -> SecondOpinion:
    """Hold a second engine's number against the first (estimate, standard error).

    Estimates of the same formula on the same rows must be equal but for rounding; standard errors may follow another
    convention, which `why` names.
    """
    scale = max(abs(first[0]), first[1])
    same = abs(estimate - first[0]) <= CLOSE * scale
    same_se = abs(se - first[1]) <= CLOSE * first[1]
    if same and same_se:
        note = "estimate and standard error agree to six digits"
    elif same:
        note = f"estimates agree; standard errors differ by {se / first[1] - 1:+.2%}: {why}"
    else:
        note = f"estimates differ by {abs(estimate - first[0]) / first[1]:.2g} standard errors: {why}"
    return SecondOpinion(engine, estimate, se, same, note)


def ols_second(
    y: Floats,
    d: Floats,
    x: ArrayLike | None,
    first: Fit,
    *,
    clusters: ArrayLike | None = None,
    weights: Floats | None = None,
    robust: Robust = "HC1",
) -> SecondOpinion:
    """Ordinary or weighted least squares by statsmodels."""
    from statsmodels.regression.linear_model import WLS

    columns = [np.ones(len(y)), d] + ([] if x is None else [np.asarray(x, dtype=np.float64)])
    model = WLS(y, np.column_stack(columns), 1.0 if weights is None else weights)
    if clusters is None:
        fit = model.fit(cov_type="nonrobust" if robust == "iid" else robust)
        why = "columns that others determine are left out there and pseudo-inverted here"
    else:
        fit = model.fit(cov_type="cluster", cov_kwds={"groups": np.asarray(clusters)})
        why = "another correction for few clusters"
    return compare(
        "statsmodels least squares", float(fit.params[1]), float(fit.bse[1]), (first.estimate, first.se), why
    )
