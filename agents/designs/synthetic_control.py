"""Synthetic control: one unit (or a few at once) is treated from a date on, and a weighted average of units that never
are says what would have become of it.

Synthetic control takes weights under which the donors' outcome runs level with the treated unit's before the date.
Synthetic difference-in-differences (`method: synthetic did`) asks only for a parallel run, and weighs periods as well.
Several treated units with one date are averaged; with several dates the design is `did`.

References
----------
Abadie, Diamond and Hainmueller (2010), JASA 105; (2015), Am. J. Polit. Sci. 59: the method and its placebo tests.
Abadie (2021), J. Econ. Lit. 59, sections 3 and 5: what the data must be like.
Arkhangelsky, Athey, Hirshberg, Imbens and Wager (2021), Am. Econ. Rev. 111: synthetic difference-in-differences.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field, field_validator

from leucippus.agents.designs.base import Design, Names, Value
from leucippus.agents.designs.checks import common
from leucippus.agents.designs.donor_panel import Panel, panel
from leucippus.agents.designs.result import Challenge, Check, Estimate
from leucippus.agents.designs.synthetic_control_challenges import (
    FEWEST_BEFORE,
    Method,
    backdated,
    leave_one_out,
    other_method,
    placebo_draws,
    placebo_units,
    well_fitted_placebos,
    without_predictors,
)
from leucippus.agents.estimators.placebo import FEWEST_PLACEBOS, placebo_interval, rank_p
from leucippus.agents.estimators.regression import regress
from leucippus.agents.estimators.second import SecondOpinion, compare
from leucippus.agents.estimators.synthetic import SyntheticDid, library_gap

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from leucippus.agents.designs.study import Study

FEW_BEFORE = 10
FEWEST_DONORS = FEWEST_PLACEBOS
FEW_DONORS = 10
DOUBTFUL_FIT = 0.5
NO_FIT = 1.0
"""Prediction error before the treatment in units of the spread between donors; at 1 a donor drawn by lot does as well."""
_OUTSIDE = 1 / 3


class SyntheticControl(Design):
    """A few treated units, one date, and donors that were never treated."""

    estimands: ClassVar[tuple[str, ...]] = ("ATT",)
    aliases: ClassVar[tuple[str, ...]] = ("synthetic_controls", "synthetic_control_method", "scm")
    column_fields: ClassVar[tuple[str, ...]] = ("unit", "time")
    value_or_column_fields: ClassVar[tuple[str, ...]] = ("first_treated",)
    gap_fields: ClassVar[tuple[str, ...]] = ("controls",)
    codes_treatment: ClassVar[bool] = False

    strategy: Literal["synthetic_control"] = "synthetic_control"
    treatment: str = Field(
        description="Column that is 1 for the treated unit from the date on; or any column, such as the unit's, if "
        "treated_group and first_treated say who and when."
    )
    controls: Names = Field(
        default=(), description="Predictors of the outcome; their means before the treatment are matched as well."
    )
    unit: str = Field(description="Column of the units.")
    time: str = Field(description="Column of the periods.")
    treated_group: tuple[Value, ...] = Field(
        default=(), description="The treated unit or units, or the value of the treatment column that they have."
    )
    first_treated: Value | None = Field(
        default=None, description="First period with the treatment, or the column that holds it."
    )
    method: Method = Field(
        default="synthetic control", description="synthetic control, or synthetic did (differences of weighted means)."
    )

    @field_validator("treated_group", mode="before")
    @classmethod
    def _one_or_more(cls, value: object) -> object:
        return () if value in (None, "") else value if isinstance(value, list | tuple) else (value,)

    @field_validator("method", mode="before")
    @classmethod
    def _method_in_other_words(cls, value: object) -> object:
        words = str(value or "").strip().lower().replace("_", " ").replace("-", " ")
        did = {"sdid", "synthetic difference in differences", "synthdid"}
        return "synthetic did" if words in did else "synthetic control" if words in ("", "sc", "scm") else words

    def checks(self, study: Study) -> Iterator[Check]:
        yield from common(study)
        data = panel(study)
        yield who_and_when(study, data)
        yield balanced(data)
        yield donors_enough(data)
        yield periods_before(data)
        if data.donors < FEWEST_DONORS or data.donors <= data.n_treated + 1 or data.pre < FEWEST_BEFORE:
            return
        if data.pre == len(data.periods):
            return
        yield donors_vary(data)
        yield fit_before(self, data)
        yield inside_the_hull(self, data)

    def estimate(self, study: Study) -> Estimate:
        data = panel(study)
        return did_estimate(study, data) if self.method == "synthetic did" else gap_estimate(study, data)

    def challenges(self, study: Study, estimate: Estimate) -> Iterator[Challenge]:
        data = panel(study)
        yield placebo_units(data) if self.method == "synthetic control" else placebo_draws(estimate)
        yield leave_one_out(self.method, data, estimate)
        yield backdated(self.method, data)
        yield other_method(self.method, data, estimate)
        if self.method == "synthetic control":
            yield well_fitted_placebos(data)
        if self.controls:
            yield without_predictors(self.method, data, estimate)

    def draw(self, axes: Axes, study: Study, estimate: Estimate) -> None:
        """The treated unit and its synthetic control, with the date between."""
        data = panel(study)
        treated = data.treated_path
        gaps = np.array([row["gap"] for row in estimate.details["path"]])
        axes.plot(data.positions, treated, label=", ".join(data.treated_names[:3]))
        axes.plot(data.positions, treated - gaps, linestyle="--", label=self.method)
        axes.axvline((data.positions[data.pre - 1] + data.positions[data.pre]) / 2, color="grey", linewidth=0.8)
        axes.set(xlabel=self.time, ylabel=self.outcome, title=estimate.estimator)
        axes.legend()


def gap_estimate(study: Study, data: Panel) -> Estimate:
    found, chance = data.synthetic(), data.placebos()
    low, high = placebo_interval(found.att, chance.se, data.donors)
    library = library_gap(data.treated_path, data.donor_paths, data.pre, data.predictors())
    second = compare(
        "diff-diff SyntheticControl", library.att, chance.se, (found.att, chance.se), "another solver for the weights"
    )
    details = {
        "weights": data.named_weights(found.weights),
        "rmspe_before": found.rmspe_pre,
        "rmspe_after": found.rmspe_post,
        "rmspe_ratio": found.ratio if np.isfinite(found.ratio) else None,
        "least_p": chance.least_p,
        "path": data.path_rows(found.path),
    }
    matched = "outcomes before the date" + (f" and the means of {', '.join(data.controls)}" if data.controls else "")
    return replace(
        _shared(study, data, found.att, chance.se, (low, high)),
        estimator=f"synthetic control, weights from {matched} (non-negative least squares, scipy)",
        inference=f"standard error: standard deviation of the effects found for {len(chance.gaps)} placebos (donors that "
        f"pose as treated); interval: t({data.donors - 1}); p-value: rank of the ratio of prediction errors, "
        f"which cannot be below {chance.least_p:.3f}",
        p_value=chance.p_value(found),
        second=(
            replace(second, note="weights solved again; the standard error is the placebos' for both")
            if second.agrees
            else second,
        ),
        details=details,
    )


def did_estimate(study: Study, data: Panel) -> Estimate:
    found = data.synthetic_did()
    low, high = placebo_interval(found.estimate, found.se, data.donors)
    path = data.treated_path - data.donor_paths @ found.unit_weights
    details = {
        "weights": data.named_weights(found.unit_weights),
        "period_weights": {data.periods[t]: float(w) for t, w in enumerate(found.time_weights) if w > 1e-4},
        "least_p": 1 / (1 + data.donors),
        "path": data.path_rows(path - float(path[: data.pre] @ found.time_weights)),
    }
    return replace(
        _shared(study, data, found.estimate, found.se, (low, high)),
        estimator="synthetic difference-in-differences (diff-diff)",
        inference=f"standard error: standard deviation of the effects found for {len(found.placebos)} draws of donors that "
        f"pose as treated; interval: t({data.donors - 1}); p-value: rank of the effect among them",
        p_value=max(rank_p(abs(found.estimate), np.abs(found.placebos)), 1 / (1 + data.donors)),
        second=() if data.controls else (weighted_regression(data, found),),
        details=details,
    )


def _shared(study: Study, data: Panel, estimate: float, se: float, interval: tuple[float, float]) -> Estimate:
    design = study.design
    assert isinstance(design, SyntheticControl)
    names = ", ".join(data.treated_names[:5]) + (" …" if data.n_treated > 5 else "")
    parallel = design.method == "synthetic did"
    return Estimate(
        estimate,
        se,
        *interval,
        estimand="ATT",
        population=f"{names}, {data.periods[data.pre]} to {data.periods[-1]}",
        units=f"{design.outcome}, mean over the {len(data.periods) - data.pre} periods from the treatment on",
        estimator="",
        inference="",
        n_used=data.y.size,
        assumptions=(
            f"Without the treatment {names} would have gone on "
            + ("parallel to" if parallel else "as")
            + " the weighted average of donors that it resembled before.",
            "The donors were not treated, nor affected by the treatment of others.",
            f"Nothing else happened to {names} alone from {data.periods[data.pre]} on, and nobody acted ahead of it.",
            "Effects found where there are none (placebos) vary as the error of this estimate does.",
        ),
        n_treated=data.n_treated,
        n_control=data.donors,
        dropped=(*study.dropped, *data.left_out),
    )


def weighted_regression(data: Panel, found: SyntheticDid) -> SecondOpinion:
    """Arkhangelsky et al. (2021), equation 1: two-way fixed effects, weighted by unit weight × period weight."""
    after = len(data.periods) - data.pre
    units = np.empty(len(data.treated))
    units[data.treated], units[~data.treated] = 1 / data.n_treated, found.unit_weights
    weights = np.outer(np.append(found.time_weights, np.full(after, 1 / after)), units)
    kept = weights > 0
    on = np.outer(np.arange(len(data.periods)) >= data.pre, data.treated).astype(float)
    effects = np.column_stack([index[kept] for index in np.indices(weights.shape)])
    fit = regress(data.y[kept], on[kept], absorb=effects, weights=weights[kept], robust="iid")
    return replace(
        compare(
            "pyfixest, weighted two-way fixed effects", fit.estimate, found.se, (found.estimate, found.se), "rounding"
        ),
        note="the same weights in a regression; the standard error is the placebos' for both",
    )


def who_and_when(study: Study, data: Panel) -> Check:
    """Who is treated from when, and whether the two ways of saying so agree."""
    agree = data.disagreement == ""
    after = len(data.periods) - data.pre
    sentence = (
        f"{', '.join(data.treated_names[:5])}{' …' if data.n_treated > 5 else ''}: treated from {data.onset} on, with "
        f"{data.pre} periods before and {after} after."
    )
    return Check(
        "treated units",
        "passed" if agree and after else "failed",
        sentence + data.disagreement,
        figure=data.n_treated,
        fatal=after == 0 or not agree,
        remedy=""
        if agree and after
        else "Correct first_treated or the treatment column."
        if after
        else "Bring periods from the treatment on.",
    )


def balanced(data: Panel) -> Check:
    """Every unit is seen in every period; those that are not are left out."""
    gone = sum(row.rows for row in data.left_out)
    return Check(
        "balanced panel",
        "failed" if data.gaps else "passed",
        f"{len(data.treated)} units by {len(data.periods)} periods, each cell with one row"
        + (f"; left out: {data.gaps}." if data.gaps else "."),
        figure=gone,
        remedy="Fill the gaps at the source, leave out a control with missing values, or narrow the subset."
        if data.gaps
        else "",
    )


def donors_enough(data: Panel) -> Check:
    enough = data.donors >= FEW_DONORS
    return Check(
        "donors",
        "passed" if enough else "failed",
        f"{data.donors} donors were never treated"
        + (f" ({data.treated_elsewhere} treated at some time are left out)" if data.treated_elsewhere else "")
        + f"; no placebo p-value can be below {1 / (1 + max(data.donors, 1)):.2f}.",
        figure=data.donors,
        fatal=data.donors < FEWEST_DONORS or data.donors <= data.n_treated + 1,
        remedy="" if enough else "Bring more untreated units, or read the interval as a rough guide.",
    )


def periods_before(data: Panel) -> Check:
    enough = data.pre >= FEW_BEFORE
    return Check(
        "periods before the treatment",
        "passed" if enough else "failed",
        f"{data.pre} periods before the treatment"
        + ("." if enough else f": with fewer than {FEW_BEFORE} a good fit may be chance."),
        figure=data.pre,
        fatal=data.pre < FEWEST_BEFORE,
        remedy="" if enough else "Bring earlier periods.",
    )


def donors_vary(data: Panel) -> Check:
    """The donors differ, so that there is something to weigh."""
    spread = _spread(data)
    return Check(
        "donors differ",
        "passed" if spread > 0 else "failed",
        f"Before the treatment the outcome has a standard deviation of {spread:.3g} between donors.",
        figure=spread,
        fatal=True,
        remedy="" if spread > 0 else "Bring donors whose outcomes differ.",
    )


def fit_before(design: SyntheticControl, data: Panel) -> Check:
    """Whether the synthetic control follows the treated unit while nothing was done to it."""
    path, spread = _path_before(design, data), _spread(data)
    error = float(np.sqrt((path**2).mean()))
    share = error / spread if spread > 0 else float("inf")
    poor = share > DOUBTFUL_FIT
    what = "apart from a constant difference, " if design.method == "synthetic did" else ""
    return Check(
        "fit before the treatment",
        "failed" if poor else "passed",
        f"Before the treatment, {what}the synthetic control misses by {error:.3g} (root mean square): {share:.2f} of the "
        f"standard deviation between donors.",
        figure=share,
        fatal=share > NO_FIT,
        remedy="Use synthetic did, which asks only for a parallel run; other donors; or predictors of the outcome."
        if poor
        else "",
    )


def inside_the_hull(design: SyntheticControl, data: Panel) -> Check:
    """A weighted average cannot leave the donors' range, so a unit outside it is extrapolated to."""
    if design.method == "synthetic did":
        return Check(
            "inside the donors' range", "not testable", "Synthetic did allows the treated unit a level of its own."
        )
    unit, donors = data.treated_path[: data.pre], data.donor_paths[: data.pre]
    share = float(((unit < donors.min(axis=1)) | (unit > donors.max(axis=1))).mean())
    outside = share > _OUTSIDE
    return Check(
        "inside the donors' range",
        "failed" if outside else "passed",
        f"The treated outcome is below or above that of every donor in {share:.0%} of the periods before.",
        figure=share,
        remedy="Use synthetic did, or an outcome in changes or rates." if outside else "",
    )


def _path_before(design: SyntheticControl, data: Panel) -> Any:
    if design.method == "synthetic control":
        return data.synthetic().path[: data.pre]
    found = data.synthetic_did(draws=2)
    path = (data.treated_path - data.donor_paths @ found.unit_weights)[: data.pre]
    return path - path.mean()


def _spread(data: Panel) -> float:
    """Standard deviation between donors, averaged over the periods before."""
    return float(np.sqrt(data.donor_paths[: data.pre].var(axis=1, ddof=1).mean()))
