"""What a referee asks of a discontinuity: other bandwidths, false cutoffs, a hole at the cutoff, other fits, single rows.

Apart from rd.py for its length only. Every re-estimate but the one of order 2 is a weighted regression within a given
bandwidth, so that all of them take a fraction of the time of the estimate itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from leucippus.agents.designs.rd_fit import Side, around, design_of, fitted
from leucippus.agents.designs.result import Challenge, Estimate
from leucippus.agents.estimators.local_polynomial import (
    Discontinuity,
    coverage_bandwidth,
    fit_within,
    jumps,
    ratio_set,
    select_and_fit,
)
from leucippus.agents.estimators.regression import t_p_value
from leucippus.errors import DataError

if TYPE_CHECKING:
    from leucippus.agents.designs.study import Study

_MULTIPLES = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0)
_HOLES = (0.05, 0.1, 0.2)
"""Of the bandwidth."""
_FALSE = (1 / 3, 2 / 3)
"""Quantiles of each side at which false cutoffs are put."""
_ONE_ROW = 0.5
"""Standard errors that no single row should move the estimate."""


def all_challenges(study: Study, estimate: Estimate) -> Iterator[Challenge]:
    side, fit = around(study), fitted(study)
    yield bandwidth_curve(side, fit, estimate)
    yield placebo_cutoffs(study, side, fit)
    yield donut(study, side, fit, estimate)
    yield other_fits(side, fit, estimate)
    if side.x is not None:
        yield without_covariates(side, fit, estimate)
    yield single_rows(study, side, fit)
    if side.takeup is not None:
        yield weak_jump_set(side, fit)


def _again(side: Side, fit: Discontinuity, **changed: Any) -> Discontinuity:
    """The estimate once more, with something changed."""
    given: dict[str, Any] = {
        "bandwidth": fit.bandwidth,
        "takeup": side.takeup,
        "covariates": side.x,
        "clusters": side.clusters,
        "order": fit.order,
        "kernel": fit.kernel,
    }
    return fit_within(side.y, side.z, **(given | changed))


def _row(side: Side, fit: Discontinuity, **said: Any) -> dict[str, Any]:
    low, high = sorted(side.sign * end for end in fit.interval())
    number = {"estimate": side.sign * fit.conventional, "se": fit.conventional_se, "ci_low": low, "ci_high": high}
    return {**said, **number, "rows": fit.n_left + fit.n_right}


def _outside(rows: list[dict[str, Any]], estimate: Estimate) -> int:
    """How many re-estimates lie outside the interval of the estimate."""
    return sum(not estimate.ci_low <= row["estimate"] <= estimate.ci_high for row in rows)


def bandwidth_curve(side: Side, fit: Discontinuity, estimate: Estimate) -> Challenge:
    """Half to double the bandwidth, as far as both sides have rows."""
    reach = min(float(-side.z.min()), float(side.z.max())) * (1 + 1e-9)
    rows = []
    for multiple in _MULTIPLES:
        if multiple > 1 and fit.bandwidth * multiple > reach:
            continue
        try:
            other = _again(side, fit, bandwidth=fit.bandwidth * multiple)
        except DataError:
            continue
        rows.append(_row(side, other, multiple=multiple, bandwidth=fit.bandwidth * multiple))
    if len(rows) < 2:
        return Challenge("bandwidth", "not testable", "There are rows for one bandwidth only.")
    outside = _outside(rows, estimate)
    found = [row["estimate"] for row in rows]
    return Challenge(
        "bandwidth",
        "doubt" if outside else "stands",
        f"From {rows[0]['multiple']:g} to {rows[-1]['multiple']:g} times the bandwidth the estimate runs from "
        f"{min(found):.4g} to {max(found):.4g}; {outside} of {len(rows)} lie outside the interval.",
        figure=max(found) - min(found),
        table=tuple(rows),
    )


def placebo_cutoffs(study: Study, side: Side, fit: Discontinuity) -> Challenge:
    """Jumps of the outcome where nothing changes, each with the rows of its own side only."""
    design = design_of(study)
    rows: list[Mapping[str, Any]] = []
    for where in (side.z < 0, side.z >= 0):
        for quantile in _FALSE:
            z = side.z[where] - float(np.quantile(side.z[where], quantile))
            reach = min(fit.bandwidth, float(-z.min()), float(z.max()))
            if reach <= 0:
                continue
            clusters = None if side.clusters is None else side.clusters[where]
            try:
                found = fit_within(side.y[where], z, reach, order=1, clusters=clusters, kernel=fit.kernel)
            except DataError:
                continue
            at = design.cutoff + side.mirror * (side.z[where][0] - z[0])
            rows.append({"cutoff": float(at), **_row(side, found), "p": found.p_value})
    p_values = [row["p"] for row in rows if np.isfinite(row["p"])]
    if not p_values:
        return Challenge("placebo cutoffs", "not testable", "Too few rows on either side for cutoffs within it.")
    smallest = min(min(p_values) * len(p_values), 1.0)
    return Challenge(
        "placebo cutoffs",
        "doubt" if smallest < 0.05 else "stands",
        f"'Jumps' at {len(p_values)} values where nothing changes: the smallest p-value, times their number, is "
        f"{smallest:.2g}.",
        figure=smallest,
        table=tuple(rows),
    )


def donut(study: Study, side: Side, fit: Discontinuity, estimate: Estimate) -> Challenge:
    """Without the rows nearest to the cutoff, where sorting and rounding would sit."""
    rows = []
    for hole in _HOLES:
        radius = design_of(study).donut + hole * fit.bandwidth
        far = np.abs(side.z) >= radius
        try:
            found = fit_within(
                side.y[far],
                side.z[far],
                fit.bandwidth,
                takeup=None if side.takeup is None else side.takeup[far],
                covariates=None if side.x is None else side.x[far],
                clusters=None if side.clusters is None else side.clusters[far],
                order=fit.order,
                kernel=fit.kernel,
            )
        except DataError:
            continue
        rows.append(_row(side, found, donut=radius, rows_left_out=int((~far).sum())))
    if not rows:
        return Challenge("donut", "not testable", "Too few rows remain once those nearest to the cutoff are left out.")
    outside = _outside(rows, estimate)
    worst = max(rows, key=lambda row: abs(row["estimate"] - estimate.estimate))
    return Challenge(
        "donut",
        "doubt" if outside else "stands",
        f"Without rows within {_HOLES[0]:.0%} to {_HOLES[-1]:.0%} of the bandwidth of the cutoff, the estimate furthest "
        f"from the stated one is {worst['estimate']:.4g} ({worst['se']:.4g}).",
        figure=worst["estimate"],
        table=tuple(rows),
    )


def other_fits(side: Side, fit: Discontinuity, estimate: Estimate) -> Challenge:
    """A higher order, another kernel, a bandwidth chosen for the coverage of intervals."""
    rows = []
    kernel = "uniform" if fit.kernel == "triangular" else "triangular"
    smaller = coverage_bandwidth(fit.bandwidth, len(side.y), max(fit.order, 1))
    for what in (f"order {fit.order + 1}", f"{kernel} kernel", "bandwidth for coverage"):
        try:
            if what.startswith("order") and np.isinf(fit.dof):
                found = select_and_fit(
                    side.y, side.z, takeup=side.takeup, covariates=side.x, order=fit.order + 1, kernel=fit.kernel
                )
            elif what.startswith("order"):
                found = _again(side, fit, order=fit.order + 1)
            elif what.startswith("bandwidth"):
                found = _again(side, fit, bandwidth=smaller)
            else:
                found = _again(side, fit, kernel=kernel)
        except DataError:
            continue
        rows.append(_row(side, found, change=what))
    if not rows:
        return Challenge("other fits", "not testable", "The rows do not carry another order, kernel or bandwidth.")
    outside = _outside(rows, estimate)
    listed = ", ".join(f"{row['change']} {row['estimate']:.4g} ({row['se']:.4g})" for row in rows)
    return Challenge("other fits", "doubt" if outside else "stands", f"With {listed}.", outside, tuple(rows))


def without_covariates(side: Side, fit: Discontinuity, estimate: Estimate) -> Challenge:
    """Covariates that are continuous at the cutoff sharpen the estimate and do not move it."""
    try:
        row = _row(side, _again(side, fit, covariates=None))
    except DataError as error:
        return Challenge("without covariates", "not testable", f"{error.problem}.")
    outside = _outside([row], estimate)
    return Challenge(
        "without covariates",
        "doubt" if outside else "stands",
        f"Without covariates the estimate is {row['estimate']:.4g} ({row['se']:.4g}).",
        figure=row["estimate"],
        table=(row,),
    )


def single_rows(study: Study, side: Side, fit: Discontinuity) -> Challenge:
    """How far the estimate moves without each row in turn, to first order for a ratio."""
    ratio = None if side.takeup is None else fit.conventional
    y = side.y if ratio is None or side.takeup is None else side.y - ratio * side.takeup
    column = np.column_stack([y, side.d])
    found = jumps(column, side.z, fit.bandwidth, covariates=side.x, order=fit.order, kernel=fit.kernel)
    over = 1.0 if ratio is None else float(found.estimates[1])
    # Leaving row i out moves least squares by −weight · residual / (1 − leverage), exactly.
    moved = -found.weights * found.residuals[:, 0] / np.clip(1 - found.leverage, 1e-8, None) / over
    most = np.argsort(-np.abs(moved))[:5]
    design = design_of(study)
    rows = [
        {
            "row": int(side.kept[found.rows[i]]),
            "running_variable": float(design.cutoff + side.mirror * side.z[found.rows[i]]),
            "outcome": float(side.y[found.rows[i]]),
            "change": float(side.sign * moved[i]),
        }
        for i in most
    ]
    share = float(abs(moved[most[0]]) / fit.conventional_se)
    return Challenge(
        "single rows",
        "doubt" if share > _ONE_ROW else "stands",
        f"No row moves the estimate by more than {share:.2f} standard errors; the one that does most is at "
        f"{design.running_variable} = {rows[0]['running_variable']:.4g}.",
        figure=share,
        table=tuple(rows),
    )


def weak_jump_set(side: Side, fit: Discontinuity) -> Challenge:
    """Effects not rejected by a test that stays valid however little the treatment jumps (Anderson and Rubin)."""
    both = np.column_stack([side.y, side.d])
    given: dict[str, Any] = {"covariates": side.x, "clusters": side.clusters, "kernel": fit.kernel}
    try:
        found = jumps(both, side.z, fit.bandwidth, order=fit.order + 1, **given)
    except DataError as error:
        return Challenge("set robust to a weak jump", "not testable", f"{error.problem}.")
    parts = ratio_set(found)
    bounded = len(parts) == 1 and bool(np.isfinite(parts[0]).all())
    words = " and ".join(f"[{low:.4g}, {high:.4g}]" for low, high in parts) or "empty"
    p = t_p_value(float(found.estimates[0]), float(found.se[0]), found.dof)
    return Challenge(
        "set robust to a weak jump",
        "stands" if bounded else "doubt",
        f"Effects that a test without division by the treatment's jump does not reject: {words}; no effect at all has "
        f"p = {p:.2g}.",
        figure=p,
        table=tuple({"low": low, "high": high} for low, high in parts),
    )
