"""Regression discontinuity: the treatment changes where a running variable crosses a cutoff, and nothing else does.

Sharp: the side is the treatment. Fuzzy: the side shifts the treatment, and the effect is the jump of the outcome over the
jump of the treatment, for those whose treatment the cutoff decides.

Which rows and which fit, by what is stated and what is there:

    bandwidth stated                     local polynomial with it
    fewer than 50 rows or 10 values      one line a side over all rows that both sides reach (cells of an age, small
        of it on a side                  files)
    `subset` keeps a narrow window       that window: difference in means if the outcome is flat on both sides of it,
                                         with an interval that allows for a slope; otherwise a line a side
    otherwise                            local linear with the bandwidth of least estimated mean squared error

The printed estimate and its standard error are the conventional ones; the interval and the p-value are the robust
bias-corrected ones, so the interval is not centred on the estimate. That is how rdrobust prints, and `inference` says it.

References
----------
Calonico, Cattaneo and Titiunik (2014), Econometrica 82: robust bias-corrected intervals.
Lee and Card (2008), J. Econometrics 142: few values of the running variable force a functional form.
Cattaneo, Frandsen and Titiunik (2015), J. Causal Inference 3: local randomisation in a small window.
Kolesár and Rothe (2018), Am. Econ. Rev. 108: no clusters of equal values of the running variable.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from leucippus.agents.designs.base import Design, plain
from leucippus.agents.designs.checks import baseline, common
from leucippus.agents.designs.rd_challenges import all_challenges
from leucippus.agents.designs.rd_fit import (
    FEWEST_TO_SELECT,
    FEWEST_VALUES,
    NEARLY_SHARP,
    Side,
    around,
    design_of,
    fitted,
    second_engine,
)
from leucippus.agents.designs.result import Challenge, Check, Dropped, Estimate
from leucippus.agents.designs.study import indicators
from leucippus.agents.estimators.density import density_jump
from leucippus.agents.estimators.local_polynomial import Discontinuity, jumps, select_and_fit
from leucippus.agents.estimators.regression import t_p_value
from leucippus.errors import DataError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from leucippus.agents.designs.study import Floats, Study

_FEWEST_A_SIDE = 5
_WEAK_JUMP = 10.0
"""F of the treatment's jump below which a ratio is unreliable (Staiger and Stock 1997)."""
_NO_JUMP = 3.84
_SORTING = 0.01
_OWN_BANDWIDTH = 5_000
"""Rows up to which each covariate is given a bandwidth of its own; with more, the outcome's has power enough."""
_HEAP = 0.05
"""Share of the rows within the bandwidth that one value of the running variable may have."""
_FAR = 0.1
"""Gap next to the cutoff, as a share of the running variable's spread, beyond which a side has no rows near it."""
_ROWS_A_CONTROL = 3


class Rd(Design):
    """A cutoff in a running variable."""

    estimands: ClassVar[tuple[str, ...]] = ("effect at the cutoff", "LATE", "ITT")
    working_copies: ClassVar[int] = 16
    column_fields: ClassVar[tuple[str, ...]] = ("running_variable",)

    strategy: Literal["rd"] = "rd"
    running_variable: str = Field(description="Column whose crossing of the cutoff decides or shifts the treatment.")
    cutoff: float = Field(description="Value of the running variable at which the treatment changes.")
    fuzzy: bool | None = Field(
        default=None, description="Whether the cutoff only shifts the treatment; left out: as the data show."
    )
    treated_side: Literal["above", "below"] | None = Field(
        default=None,
        description="Side that is treated, where no column says it: above (at the cutoff or above; the default), below.",
    )
    bandwidth: float | None = Field(
        default=None, gt=0, description="Half-width of the window, instead of a chosen one."
    )
    order: int | None = Field(default=None, ge=0, le=3, description="Order of the polynomial; 1 unless stated.")
    kernel: Literal["triangular", "epanechnikov", "uniform"] | None = Field(
        default=None,
        description="Weights within the bandwidth; triangular, or uniform where all rows or a window count.",
    )
    donut: float = Field(default=0.0, ge=0, description="Rows nearer to the cutoff than this are left out.")

    @model_validator(mode="after")
    def _roles_fit(self) -> Rd:
        if self.outcome in (self.running_variable, self.treatment):
            raise ValueError("the outcome is also the running variable or the treatment")
        if self.treatment == self.running_variable and (self.treated_value, self.control_value) != (None, None):
            raise ValueError("the treatment is the running variable: state treated_side, not treated_value")
        if self.bandwidth is not None and self.donut >= self.bandwidth:
            raise ValueError(f"a donut of {self.donut:g} leaves nothing of a bandwidth of {self.bandwidth:g}")
        # The running variable is in every fit already, on each side.
        object.__setattr__(self, "controls", tuple(c for c in self.controls if plain(c) != self.running_variable))
        return self

    def checks(self, study: Study) -> Iterator[Check]:
        sides = rows_on_both_sides(study)
        yield sides
        yield from common(study)
        if sides.verdict == "failed":
            return
        yield running_variable_unaffected(study)
        if self.cluster == self.running_variable:
            yield clustered_on_running_variable(self)
        side = around(study)
        yield side_of_the_treated(study, side)
        try:
            fit = fitted(study)
        except DataError as error:
            yield Check("local fit", "failed", f"{error.problem}.", fatal=True, remedy=error.next_step)
            return
        yield treatment_jumps(study, side, fit)
        density, continuity = density_continuous(study, side), covariates_continuous(study, side, fit)
        # Either alone has innocent causes (rounding, an unlucky covariate); together they are people choosing a side.
        yield replace(density, fatal=density.verdict == continuity.verdict == "failed")
        yield continuity
        yield values_enough(study, side, fit)

    def estimate(self, study: Study) -> Estimate:
        side, fit = around(study), fitted(study)
        sign = side.sign
        low, high = sorted(sign * end for end in fit.interval())
        within = np.abs(side.z) <= fit.bandwidth
        used = fit.n_left + fit.n_right
        if used < _ROWS_A_CONTROL * study.x.shape[1]:
            raise DataError(
                f"{used} rows within the bandwidth for {study.x.shape[1]} control columns",
                expected=f"{_ROWS_A_CONTROL} rows a column",
                next_step="Leave controls out: a discontinuity needs none.",
            )
        donut = int(study.n - len(side.z))
        dropped = [Dropped(f"within {self.donut:g} of the cutoff", donut)] if donut else []
        if used < len(side.z):
            dropped.append(Dropped(f"further than {fit.bandwidth:.4g} from the cutoff (weight 0)", len(side.z) - used))
        treated = side.d[within] if study.binary and not side.is_running else (side.z[within] >= 0) == (sign > 0)
        return Estimate(
            sign * fit.conventional,
            fit.conventional_se,
            low,
            high,
            estimand=self.estimand,
            population=f"those at {self.running_variable} = {self.cutoff:g}"
            + (f" whose {self.treatment} the cutoff decides" if side.takeup is not None else "")
            + (f", among {self.subset}" if self.subset else ""),
            units=f"{self.outcome}, {side.contrast}",
            estimator=f"{side.method} ({'diff-diff' if np.isinf(fit.dof) else 'weighted least squares'})",
            inference=f"{fit.variance}; the standard error is that of the printed estimate, interval and p-value are "
            "robust bias-corrected (not centred on the estimate)",
            n_used=used,
            assumptions=assumptions(self, side, fit),
            p_value=fit.p_value,
            n_treated=int(treated.sum()) if study.binary or side.is_running else None,
            n_control=int((1 - treated.astype(int)).sum()) if study.binary or side.is_running else None,
            clusters=None if side.clusters is None else len(np.unique(side.clusters[within])),
            dropped=(*study.dropped, *dropped),
            second=(second_engine(side, fit),),
            details={
                "fuzzy": side.takeup is not None,
                "conventional": {"estimate": sign * fit.conventional, "se": fit.conventional_se},
                "bias_corrected": {"estimate": sign * fit.corrected, "robust_se": fit.robust_se},
                "bandwidth": fit.bandwidth,
                "bias_bandwidth": fit.bias_bandwidth,
                "order": fit.order,
                "kernel": fit.kernel,
                "rows_left": fit.n_left,
                "rows_right": fit.n_right,
                "first_stage": fit.first_stage,
                "first_stage_se": fit.first_stage_se,
                "first_stage_f": fit.effective_f,
                "controls_left_out": [study.x.columns[i] for i in fit.left_out],
            },
        )

    def challenges(self, study: Study, estimate: Estimate) -> Iterator[Challenge]:
        yield from all_challenges(study, estimate)

    def draw(self, axes: Axes, study: Study, estimate: Estimate) -> None:
        """Means of the outcome in bins, and the polynomial of each side within the bandwidth."""
        side, fit = around(study), fitted(study)
        x = self.cutoff + side.mirror * side.z
        for left in (True, False):
            rows = (side.z < 0) if left else (side.z >= 0)
            bins = min(20, max(3, int(rows.sum()) // 20))
            edges = np.quantile(x[rows], np.linspace(0, 1, bins + 1))
            which = np.clip(np.searchsorted(edges, x[rows], side="right") - 1, 0, bins - 1)
            filled = np.unique(which)
            means = [(x[rows][which == b].mean(), side.y[rows][which == b].mean()) for b in filled]
            axes.plot(*zip(*means, strict=True), "o", markersize=4, color="0.5")
            near = rows & (np.abs(side.z) <= fit.bandwidth)
            weights = np.ones(near.sum()) if fit.kernel == "uniform" else 1 - np.abs(side.z[near]) / fit.bandwidth
            line = np.polynomial.Polynomial.fit(x[near], side.y[near], fit.order, w=np.sqrt(np.clip(weights, 0, None)))
            grid = np.linspace(x[near].min(), x[near].max(), 50)
            axes.plot(grid, line(grid), color="C0")
        axes.axvline(self.cutoff, linestyle=":", color="0.3")
        axes.set(xlabel=self.running_variable, ylabel=f"mean {self.outcome}", title=estimate.estimator)


def assumptions(design: Rd, side: Side, fit: Discontinuity) -> tuple[str, ...]:
    found = [
        f"Without the treatment, {design.outcome} would not jump at {design.running_variable} = {design.cutoff:g}.",
        f"Nothing else changes at that value, and nobody sets {design.running_variable} to fall on one side of it.",
    ]
    if side.takeup is not None:
        found.append(f"The side moves {design.treatment} in one direction only, and the outcome only through it.")
    if fit.order == 0:
        found.append(
            "Within the window it is as good as chance which side a row fell on (the interval allows for a slope)."
        )
    return tuple(found)


def rows_on_both_sides(study: Study) -> Check:
    """The cutoff lies inside the data, with rows next to it on either side."""
    design = design_of(study)
    name = "rows on both sides of the cutoff"
    x = study.numbers(design.running_variable)
    z = x - design.cutoff
    z = z[np.abs(z) >= design.donut]
    below, above = z[z < 0], z[z >= 0]
    words = f"{len(below):,} rows below {design.running_variable} = {design.cutoff:g} and {len(above):,} at or above it"
    remedy = "Bring rows from both sides of the cutoff and close to it, or correct the cutoff."
    fewest = min(len(below), len(above))
    if fewest < _FEWEST_A_SIDE:
        lacking = "too few" if fewest else "there is only one side of the cutoff, and nothing can be compared there"
        sentence = f"{words} ({design.running_variable} runs from {x.min():.4g} to {x.max():.4g}): {lacking}."
        return Check(name, "failed", sentence, fewest, fatal=True, remedy=remedy)
    low, high = np.quantile(z, [0.05, 0.95])
    for side, distances in (("below", -below), ("above", above)):
        values = np.unique(distances)
        nearest = float(values[0])
        step = float(np.median(np.diff(values[:20]))) if len(values) > 1 else np.inf
        if nearest > max(_FAR * float(high - low), 10 * step, 2 * design.donut):
            sentence = (
                f"There are no observations near the cutoff on the side {side} it: the nearest is {nearest:.4g} away"
            )
            return Check(name, "failed", f"{sentence} ({words}).", nearest, fatal=True, remedy=remedy)
    return Check(name, "passed", f"{words}.", fewest, fatal=True)


def running_variable_unaffected(study: Study) -> Check:
    design = design_of(study)
    name, timing = "running variable precedes the treatment", study.timing.get(design.running_variable)
    if timing is None or design.treatment == design.running_variable:
        return Check(name, "not testable", f"Nothing says when {design.running_variable} was measured.")
    late = timing.when == "after"
    return Check(
        name,
        "failed" if late else "passed",
        f"{design.running_variable} seems to be measured {timing.when} the treatment ({timing.why})"
        + (", so it cannot have decided it." if late else "."),
        remedy="Use the running variable as it was when the treatment was decided." if late else "",
    )


def clustered_on_running_variable(design: Rd) -> Check:
    return Check(
        "clusters",
        "failed",
        f"The clusters are the values of {design.running_variable}: such intervals are too short (Kolesár and Rothe "
        "2018), so the variance robust to unequal spread is used.",
        remedy="Leave `cluster` out, or name the groups that were sampled or treated together.",
        instead={"cluster": None},
    )


def side_of_the_treated(study: Study, side: Side) -> Check:
    """Whether stated `fuzzy` and `treated_side` are what the treatment column shows."""
    design = design_of(study)
    name = "sharp or fuzzy"
    if side.is_running:
        return Check(name, "passed", f"The treatment is the side of {design.running_variable}, by definition.")
    above = "above" if side.treated_above else "below"
    if design.treated_side not in (None, above):
        return Check(
            name,
            "failed",
            f"{design.treatment} is more common {above} the cutoff, not {design.treated_side} it.",
            remedy=f"State treated_side: {above}, or correct the cutoff.",
            instead={"treated_side": above},
        )
    sharp = side.agreement >= NEARLY_SHARP
    found = (
        f"{design.treatment} is that of the side {above} the cutoff for {side.agreement:.1%} of rows"
        if study.binary
        else f"{design.treatment} is a dose, higher on average {above} the cutoff"
    )
    if design.fuzzy is not None and design.fuzzy == sharp and design.estimand != "ITT":
        return Check(
            name,
            "failed",
            f"{found}, so the design is {'sharp' if sharp else 'fuzzy'}, not {'fuzzy' if sharp else 'sharp'}.",
            figure=side.agreement,
            remedy=f"State fuzzy: {str(not sharp).lower()}; for the effect of the side itself, estimand: ITT.",
            instead={"fuzzy": not sharp},
        )
    return Check(name, "passed", f"{found}: {'sharp' if sharp else 'fuzzy'}.", figure=side.agreement)


def treatment_jumps(study: Study, side: Side, fit: Discontinuity) -> Check:
    design, name = study.design, "treatment jumps at the cutoff"
    f = fit.effective_f
    if side.takeup is None or f is None or fit.first_stage is None:
        if side.agreement >= NEARLY_SHARP:
            return Check(name, "passed", f"{design.treatment} changes with the side for {side.agreement:.1%} of rows.")
        first = jumps(side.d, side.z, fit.bandwidth, clusters=side.clusters, order=fit.order, kernel=fit.kernel)
        jump, f = float(first.estimates[0]), float(first.estimates[0] ** 2 / max(first.covariance[0, 0], 1e-300))
    else:
        jump = fit.first_stage
    weak = f < _WEAK_JUMP
    return Check(
        name,
        "failed" if weak else "passed",
        f"{design.treatment} jumps by {side.mirror * jump:+.3g} at the cutoff (F = {f:.3g})"
        + (", which is no different from 0." if f < _NO_JUMP else f"; below {_WEAK_JUMP:g} is weak." if weak else "."),
        figure=f,
        fatal=f < _NO_JUMP and design.estimand != "ITT",
        remedy="Check cutoff and treatment; where the jump is only weak, read the set that is robust to that."
        if weak
        else "",
    )


def density_continuous(study: Study, side: Side) -> Check:
    design = design_of(study)
    name = "density of the running variable"
    values = min(len(np.unique(side.z[side.z < 0])), len(np.unique(side.z[side.z >= 0])))
    if values < FEWEST_TO_SELECT or design.donut:
        why = "rows at the cutoff are left out" if design.donut else f"one side has only {values} different values"
        return Check(name, "not testable", f"No density can be estimated at the cutoff: {why}.")
    try:
        found = density_jump(side.z)
    except DataError as error:
        return Check(name, "not testable", f"{error.problem}.")
    sorted_out = found.either_p < _SORTING
    low, high = (found.left, found.right)[:: side.mirror]
    return Check(
        name,
        "failed" if sorted_out else "passed",
        f"The density of {design.running_variable} is {low:.3g} just below the cutoff and {high:.3g} just above "
        f"(p = {found.either_p:.2g})" + (": rows seem to have chosen their side." if sorted_out else "."),
        figure=found.either_p,
        remedy="Find out who sets the running variable and how; a `donut` leaves out rows at the cutoff itself."
        if sorted_out
        else "",
    )


def covariates_continuous(study: Study, side: Side, fit: Discontinuity) -> Check:
    """No column from before the treatment jumps."""
    name = "continuity of covariates"
    p_values: dict[str, float] = {}
    for column in covariate_names(study, side):
        there = study.frame.loc[side.kept, column].notna().to_numpy()
        matrix = indicators(study.frame.loc[side.kept[there]], [column]).to_numpy()
        try:
            found = [_jump_p(values, there, side, fit) for values in matrix.T]
        except DataError:  # it does not vary near the cutoff, or is missing there
            continue
        finite = [value for value in found if np.isfinite(value)]
        if finite:
            p_values[column] = min(min(finite) * len(finite), 1.0)
    if not p_values:
        return Check(name, "not testable", "No column from before the treatment to look for a jump in.")
    worst = min(p_values, key=lambda column: p_values[column])
    p = min(p_values[worst] * len(p_values), 1.0)
    failed = p < 0.05
    return Check(
        name,
        "failed" if failed else "passed",
        f"Of {len(p_values)} columns from before the treatment {worst} jumps most at the cutoff (p = {p:.2g}, corrected "
        "for their number).",
        figure=p,
        remedy=f"Find out why {worst} changes there: something else may change at the cutoff too." if failed else "",
    )


def covariate_names(study: Study, side: Side) -> list[str]:
    """Columns that ought to be continuous: none that is the running variable or the side in another form."""
    from scipy.stats import spearmanr

    found = []
    for name in baseline(study):
        if name == design_of(study).running_variable:
            continue
        column = study.frame.loc[side.kept, name]
        if column.groupby(side.z >= 0).nunique().max() <= 1:
            continue
        if column.dtype != object and abs(spearmanr(column, side.z, nan_policy="omit").statistic) > 0.999:
            continue
        found.append(name)
    return found


def _jump_p(values: Floats, rows: NDArray[np.bool_], side: Side, fit: Discontinuity) -> float:
    """P-value of a column's jump, with a bandwidth of its own where that is quick, else with the outcome's."""
    z = side.z[rows]
    if np.isinf(fit.dof) and len(z) <= _OWN_BANDWIDTH:
        return select_and_fit(values, z, order=fit.order).p_value
    clusters = None if side.clusters is None else side.clusters[rows]
    found = jumps(values, z, fit.bandwidth, clusters=clusters, order=fit.order + 1, kernel=fit.kernel)
    return t_p_value(float(found.estimates[0]), float(found.se[0]), found.dof)


def values_enough(study: Study, side: Side, fit: Discontinuity) -> Check:
    """Enough different values of the running variable near the cutoff, none of them a heap."""
    design = design_of(study)
    near = side.z[np.abs(side.z) <= fit.bandwidth]
    values, counts = np.unique(near, return_counts=True)
    fewest = int(min((values < 0).sum(), (values >= 0).sum()))
    top = int(counts.argmax())
    heap = len(values) > FEWEST_VALUES and counts[top] > max(5 * np.median(counts), _HEAP * len(near), 10)
    few = fewest < FEWEST_VALUES
    return Check(
        "values of the running variable",
        "failed" if few or heap else "passed",
        f"Within the bandwidth {design.running_variable} takes {fewest} different values on the side with fewer"
        + ("; the estimate leans on the functional form between them and the cutoff" if few else "")
        + (f"; {counts[top]} rows heap at {design.cutoff + side.mirror * values[top]:g}" if heap else "")
        + ".",
        figure=fewest,
        remedy="State a wider bandwidth and look at the figure; a `donut` leaves out a heap at the cutoff."
        if few or heap
        else "",
    )
