"""A study seen from its cutoff, and which fit the rule in `rd` gives it.

References
----------
As in `rd`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakKeyDictionary

import numpy as np

from leucippus.agents.estimators.local_polynomial import Discontinuity, fit_within, select_and_fit
from leucippus.agents.estimators.regression import regress, t_p_value
from leucippus.agents.estimators.second import SecondOpinion, compare
from leucippus.agents.expressions import compile_expression

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leucippus.agents.designs.rd import Rd
    from leucippus.agents.designs.study import Floats, Study

FEWEST_TO_SELECT = 50
"""Rows on the smaller side below which a data-driven bandwidth holds too few to be fitted and to be judged."""
FEWEST_VALUES = 10
"""Different values of the running variable wanted on each side within the bandwidth."""
NEARLY_SHARP = 0.995
"""Share of rows treated as their side says, from which on the others are taken for slips."""
_NARROW = 0.25
"""Share of the source's rows above which a stated window is not taken for one 'by a hair'."""
_FLAT = 0.05
_FEW_VALUES = 100
"""Different values on a side below which a running variable shared by several rows counts as discrete."""


def design_of(study: Study) -> Rd:
    return cast("Rd", study.design)


@dataclass(frozen=True, eq=False)
class Side:
    """A study seen from its cutoff, without the donut."""

    z: Floats
    """(n,) running variable from the cutoff, mirrored if need be so that rows at the cutoff belong to z ≥ 0."""
    mirror: int
    y: Floats
    d: Floats
    """Treatment, (n,); the side where the treatment is the running variable."""
    takeup: Floats | None
    """`d` in a fuzzy estimate, None in a sharp one."""
    sign: int
    """Effect = sign × jump from z < 0 to z ≥ 0."""
    agreement: float
    """Share of rows whose treatment is that of their side."""
    treated_above: bool
    contrast: str
    is_running: bool
    x: Floats | None
    clusters: NDArray[np.int64] | None
    kept: NDArray[np.int64]
    """Rows of the study."""
    method: str = ""


_fits: WeakKeyDictionary[Study, tuple[Side, Discontinuity]] = WeakKeyDictionary()
"""One fit a study: checks, estimate, challenges and figure all start from it."""


def _side(study: Study) -> Side:
    design = design_of(study)
    z = study.numbers(design.running_variable) - design.cutoff
    kept = np.flatnonzero(np.abs(z) >= design.donut)
    z, y = z[kept], study.y[kept]
    is_running = design.treatment == design.running_variable
    mirror = 1
    if is_running:
        treated_above = design.treated_side != "below"
        d = (z >= 0).astype(np.float64) if treated_above else (z < 0).astype(np.float64)
        words = ("at or above", "below") if treated_above else ("below", "at or above")
        contrast = f"{design.running_variable} {words[0]} {design.cutoff:g} rather than {words[1]} it"
    else:
        d, contrast = study.d[kept], study.contrast
        left, at, right = d[z < 0], d[z == 0], d[z > 0]
        treated_above = bool(np.mean(right if len(right) else at) >= left.mean())
        if len(at) and len(right) and abs(at.mean() - left.mean()) < abs(at.mean() - right.mean()):
            mirror = -1
        z = mirror * z
    if design.estimand == "ITT":
        contrast = (
            f"{'above' if treated_above else 'below'} {design.running_variable} = {design.cutoff:g} rather than not"
        )
    high = (z >= 0) == (treated_above == (mirror > 0))
    agreement = float(np.mean(d == high)) if study.binary or is_running else float("nan")
    # A dose has no 0 and 1 to agree with; it is fuzzy unless each side has one value.
    one_each = len(np.unique(d[z < 0])) == len(np.unique(d[z >= 0])) == 1 and set(np.unique(d)) == {0.0, 1.0}
    fuzzy = design.fuzzy if design.fuzzy is not None else not (one_each or agreement >= NEARLY_SHARP)
    fuzzy = fuzzy and design.estimand != "ITT" and not one_each
    return Side(
        z,
        mirror,
        y,
        d,
        d if fuzzy else None,
        1 if fuzzy or treated_above == (mirror > 0) else -1,
        agreement,
        treated_above,
        contrast,
        is_running,
        study.x.to_numpy()[kept] if design.controls else None,
        None if study.clusters is None else study.clusters[kept],
        kept,
    )


def around(study: Study) -> Side:
    """The study seen from its cutoff."""
    return _fits[study][0] if study in _fits else _side(study)


def fitted(study: Study) -> Discontinuity:
    """The design's estimate, by the rule the module's docstring states.

    Raises
    ------
    DataError : the rows near the cutoff do not carry it.
    """
    if study not in _fits:
        side = _side(study)
        method, fit = _fit(study, side)
        _fits[study] = (replace(side, method=method), fit)
    return _fits[study][1]


def _fit(study: Study, side: Side) -> tuple[str, Discontinuity]:
    design = design_of(study)
    order = 1 if design.order is None else design.order
    weights, equal = design.kernel or "triangular", design.kernel or "uniform"
    kind = "" if side.takeup is None else "fuzzy "
    data: dict[str, Any] = {"takeup": side.takeup, "covariates": side.x}
    grouped = {**data, "clusters": side.clusters}
    if design.bandwidth is not None:
        fit = fit_within(side.y, side.z, design.bandwidth, order=order, kernel=weights, **grouped)
        return f"{kind}local polynomial of order {order}, stated bandwidth {design.bandwidth:g}", fit
    reach = min(float(-side.z.min()), float(side.z.max()))
    left, right = side.z[side.z < 0], side.z[side.z >= 0]
    few = min(len(left), len(right)) < FEWEST_TO_SELECT
    if few or min(len(np.unique(left)), len(np.unique(right))) < FEWEST_VALUES:
        fit = fit_within(side.y, side.z, reach * (1 + 1e-9), order=order, kernel=equal, **grouped)
        return f"{kind}polynomial of order {order} on each side, all rows within {reach:.4g} of the cutoff", fit
    if window_is_stated(study):
        widest = float(np.abs(side.z).max()) * (1 + 1e-9)
        flat = design.order is None and outcome_is_flat(side)
        order = 0 if flat else order
        fit = fit_within(side.y, side.z, widest, order=order, kernel=equal, **grouped)
        what = "difference in means" if flat else f"polynomial of order {order} on each side"
        return f"{kind}{what} within the stated window", fit
    fit = select_and_fit(side.y, side.z, order=order, kernel=weights, **data)
    if side.clusters is not None or _is_discrete(side.z):
        fit = fit_within(side.y, side.z, fit.bandwidth, order=order, kernel=weights, **grouped)
    return f"{kind}local polynomial of order {order}, bandwidth of least mean squared error", fit


def _is_discrete(z: Floats) -> bool:
    """Few values for many rows: nearest neighbours are then ties, and the bias has to be seen from a few values."""
    values = np.unique(z)
    fewest = min(int((values < 0).sum()), int((values >= 0).sum()))
    return len(values) < len(z) / 2 and fewest < _FEW_VALUES


def window_is_stated(study: Study) -> bool:
    """Whether `subset` cuts the running variable to a narrow window on both sides of the cutoff."""
    design = design_of(study)
    if (
        not design.subset
        or design.running_variable not in compile_expression(design.subset, *design.unit_and_time).columns
    ):
        return False
    left = sum(row.rows for row in study.dropped if row.reason.startswith("outside "))
    z = study.numbers(design.running_variable) - design.cutoff
    reach = sorted((abs(float(z.min())), abs(float(z.max()))))
    return study.rows - left <= _NARROW * study.rows and reach[1] <= 2 * reach[0]


def outcome_is_flat(side: Side) -> bool:
    """No slope of the outcome on either side of a window: what comparing means takes for granted."""
    right = (side.z >= 0).astype(np.float64)
    slopes = np.column_stack([side.z * (1 - right), side.z * right]) / np.abs(side.z).max()
    fit = regress(side.y, slopes, right, clusters=side.clusters, robust="HC3")
    t = np.abs(fit.coefficients) / np.sqrt(np.diag(fit.covariance))
    return all(t_p_value(float(value), 1.0, fit.dof) > _FLAT / 2 for value in t)


def second_engine(side: Side, fit: Discontinuity) -> SecondOpinion:
    """The fit's other route: weighted least squares where diff-diff was first, diff-diff where that was first."""
    data: dict[str, Any] = {"takeup": side.takeup, "covariates": side.x, "order": fit.order, "kernel": fit.kernel}
    if np.isinf(fit.dof):
        engine, other = "weighted least squares (own)", fit_within(side.y, side.z, fit.bandwidth, correct=False, **data)
    else:
        engine, other = "diff-diff", select_and_fit(side.y, side.z, bandwidth=fit.bandwidth, **data)
    first = (side.sign * fit.conventional, fit.conventional_se)
    why = f"{other.variance} there, {fit.variance} here"
    return compare(engine, side.sign * other.conventional, other.conventional_se, first, why)
