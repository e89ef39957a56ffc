"""Survival: time until something happens, for rows some of which are not followed up until it does.

The outcome is the time followed up; `event` says whether what is waited for happened then (1) or the row was only
followed that far (0). The default estimand is the difference in restricted mean survival time: mean time without the
event, out of the first `horizon` units of time. It needs no model of how hazards relate. The hazard ratio does: where
proportional hazards fail it is an average over times that depends on who is censored when, and the design moves to the
restricted mean. A hazard ratio is reported as a ratio (1 is no effect), with an interval that is symmetrical about its
logarithm; `details` has the logarithm and its standard error.

References
----------
Hernán (2010), The hazards of hazard ratios, Epidemiology 21.
Tian et al. (2020), On the empirical choice of the time window for restricted mean survival time, Biometrics 76.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from leucippus.agents.designs.base import Design
from leucippus.agents.designs.checks import common
from leucippus.agents.designs.rct import lottery_against_balance
from leucippus.agents.designs.result import Challenge, Check, Estimate
from leucippus.agents.estimators.overlap import overlap, propensity
from leucippus.agents.estimators.survival import (
    RestrictedMeans,
    controls,
    cox,
    cox_second,
    kaplan_meier,
    kaplan_meier_second,
    log_rank_p,
    longest_horizon,
    restricted_means,
)
from leucippus.errors import DataError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from leucippus.agents.designs.study import Floats, Study

_FEWEST_EVENTS = 5
"""In an arm."""
_EVENTS_A_COVARIATE = 10
"""Peduzzi et al. (1995), J. Clin. Epidemiol. 48."""
_DOUBTFUL = 0.01
_CHANGING = 0.005
"""To be asked one question and answer another takes stronger evidence than a warning."""
_HAZARD_RATIO, _RMST = "hazard ratio", "RMST difference"


class Survival(Design):
    """Time to an event in two arms, drawn by lot or alike given the controls."""

    estimands: ClassVar[tuple[str, ...]] = (_RMST, _HAZARD_RATIO)
    column_fields: ClassVar[tuple[str, ...]] = ("event",)

    strategy: Literal["survival"] = "survival"
    outcome: str = Field(description="Column with the time followed up, until the event or until it was lost sight of.")
    event: str = Field(description="Column that is 1 where the event ended that time, 0 where it was not seen.")
    horizon: float | None = Field(
        default=None,
        gt=0,
        description="Time up to which survival is counted, in units of the outcome. Left out: the last at which both "
        "arms have ten rows at risk.",
    )

    @model_validator(mode="after")
    def _own_column(self) -> Survival:
        if self.event in (self.treatment, self.outcome, *self.controls):
            raise ValueError(
                f"the event {self.event!r} is the treatment, the outcome or a control; it is its own column"
            )
        return self

    def checks(self, study: Study) -> Iterator[Check]:
        yield from common(study)
        coded = event_and_time_coded(study)
        yield coded
        if coded.verdict == "failed":
            return
        yield two_arms(study)
        yield events_enough(study)
        if study.binary:
            yield follow_up(study)
            yield censoring_alike(study)
            if self.controls:
                yield arms_overlap(study)
            else:
                yield lottery_against_balance(study)
        if self.estimand == _HAZARD_RATIO:
            yield proportional_hazards(study)
        yield Check(
            "as good as random",
            "not testable",
            f"That arms {'with equal controls ' if self.controls else ''}differ by {self.treatment} and chance alone, and "
            "that rows lost sight of would have gone on like those that were not, cannot be seen in data.",
        )

    def estimate(self, study: Study) -> Estimate:
        event, x = study.numbers(self.event), study.x.to_numpy()
        common_parts: dict[str, Any] = {
            "population": self.subset or "the rows used",
            "n_used": study.n,
            "n_treated": int(study.d.sum()) if study.binary else None,
            "n_control": int((1 - study.d).sum()) if study.binary else None,
            "clusters": study.n_clusters,
            "dropped": study.dropped,
        }
        assumptions = (
            f"{self.treatment} is as good as drawn by lot" + (" given the controls." if self.controls else "."),
            "When a row was lost sight of says nothing about when its event would have come"
            + (" given the arm." if study.binary else "."),
            "Nobody's time depends on what others were given.",
        )
        if self.estimand == _HAZARD_RATIO:
            fit = cox(study.y, event, study.d, x, clusters=study.clusters)
            low, high = fit.interval()
            return Estimate(
                fit.ratio,
                fit.ratio * fit.se,
                low,
                high,
                estimand=self.estimand,
                units=f"ratio of hazards (1: no effect), {study.contrast}",
                estimator="Cox regression (lifelines, Efron's ties)",
                inference=f"{fit.inference} of the logarithm; the interval is its exponential",
                assumptions=(*assumptions, "The ratio of the hazards is the same at all times."),
                p_value=fit.p_value,
                second=(cox_second(study.y, event, study.d, x, fit),),
                details={
                    "log hazard ratio": fit.log_ratio,
                    "se of the log hazard ratio": fit.se,
                    "events": int(event.sum()),
                    "p-value of proportional hazards": fit.proportional_p,
                },
                **common_parts,
            )
        means = restricted(study)
        effect = means.difference
        low, high = effect.interval()
        return Estimate(
            effect.estimate,
            effect.se,
            low,
            high,
            estimand=self.estimand,
            units=f"time without the event, out of the first {means.horizon:g} of {self.outcome}, {study.contrast}",
            estimator="pseudo-observations of the Kaplan–Meier area, augmented inverse probability weighting"
            if self.controls
            else "areas under the Kaplan–Meier curves",
            inference=effect.inference,
            assumptions=assumptions,
            p_value=effect.p_value,
            second=(kaplan_meier_second(study.y, event, study.d, x, means),),
            details={
                "horizon": means.horizon,
                "restricted mean, treated": means.treated,
                "restricted mean, control": means.control,
                "events, treated": int(event[study.d == 1].sum()),
                "events, control": int(event[study.d == 0].sum()),
            },
            **common_parts,
        )

    def challenges(self, study: Study, estimate: Estimate) -> Iterator[Challenge]:
        if study.binary:
            yield other_horizons(study)
            if not self.controls and study.clusters is None:
                yield log_rank(study, estimate)
        if self.estimand == _RMST:
            yield hazards(study)
        elif study.binary:
            yield as_times(study)
        if self.controls and study.binary:
            yield without_controls(study, estimate)

    def draw(self, axes: Axes, study: Study, estimate: Estimate) -> None:
        """Kaplan–Meier curves of the arms, with the horizon."""
        event = study.numbers(self.event)
        for arm in np.unique(study.d)[:6]:
            rows = study.d == arm
            times, curve, _, _ = kaplan_meier(study.y[rows], event[rows])
            end = float(study.y[rows].max())
            axes.step([0, *times, end], [1, *curve, curve[-1] if len(curve) else 1], where="post", label=f"{arm:g}")
        if "horizon" in estimate.details:
            axes.axvline(estimate.details["horizon"], color="grey", linewidth=0.8, linestyle=":")
        axes.legend(title=self.treatment)
        axes.set(xlabel=self.outcome, ylabel="share without the event", ylim=(0, 1.02), title=estimate.estimator)


def _event(study: Study) -> Floats:
    assert isinstance(study.design, Survival)
    return study.numbers(study.design.event)


def _horizon(study: Study) -> float:
    assert isinstance(study.design, Survival)
    return study.design.horizon or longest_horizon(study.y, study.d)


def restricted(study: Study, *, horizon: float | None = None, controls: bool = True) -> RestrictedMeans:
    return restricted_means(
        study.y,
        _event(study),
        study.d,
        study.x.to_numpy() if controls else None,
        horizon=horizon or _horizon(study),
        clusters=study.clusters,
    )


def event_and_time_coded(study: Study) -> Check:
    """Times that are not negative, and an event that is 0 or 1 and sometimes happens."""
    design = study.design
    assert isinstance(design, Survival)
    values = np.unique(study.numbers(design.event))
    negative = int((study.y < 0).sum())
    odd = [f"{value:g}" for value in values if value not in (0, 1)][:5]
    never = not odd and values.max() == 0
    problem = (
        f"{negative} rows of {design.outcome} are negative, which no time is."
        if negative
        else f"{design.event} holds {', '.join(odd)}, so it is unclear which rows had the event."
        if odd
        else f"{design.event} is 0 in every row: nothing happened that could be compared."
        if never
        else ""
    )
    return Check(
        "times and events",
        "failed" if problem else "passed",
        problem or f"{int(study.numbers(design.event).sum()):,} events in {study.n:,} rows; no time is negative.",
        figure=float((study.numbers(design.event) == 1).sum()),
        fatal=True,
        remedy=f"Derive the event, such as derived: {{happened: {design.event} == 2}}."
        if odd
        else "Repair the times, or bring rows with events."
        if problem
        else "",
    )


def two_arms(study: Study) -> Check:
    if study.binary or study.design.estimand == _HAZARD_RATIO:
        return Check("two arms", "passed", f"Compared is {study.contrast}.")
    return Check(
        "two arms",
        "failed",
        f"{study.design.treatment} is a dose, and a difference in restricted means needs two arms; the hazard ratio of one "
        "more unit does not.",
        remedy="Name treated_value and control_value, or ask for the hazard ratio.",
        instead={"estimand": _HAZARD_RATIO},
    )


def events_enough(study: Study) -> Check:
    event, columns = _event(study), study.x.shape[1]
    total = int(event.sum())
    arms = [int(event[study.d == arm].sum()) for arm in (1, 0)] if study.binary else [total]
    few_in_arm, few_a_column = min(arms) < _FEWEST_EVENTS, columns > 0 and total < _EVENTS_A_COVARIATE * columns
    # With no event at all in an arm the likelihood has no maximum.
    fatal = study.design.estimand == _HAZARD_RATIO and min(arms) == 0
    return Check(
        "events",
        "failed" if few_in_arm or few_a_column else "passed",
        (f"{arms[0]} events among the treated and {arms[1]} among the others" if study.binary else f"{total} events")
        + (f", {total / columns:.1f} a control column." if columns else "."),
        figure=min(arms),
        fatal=fatal,
        remedy=f"Bring rows with more events; {_FEWEST_EVENTS} in each arm and {_EVENTS_A_COVARIATE} a control column are "
        "the least." + (" Or ask for the RMST difference." if fatal else "")
        if few_in_arm or few_a_column
        else "",
    )


def follow_up(study: Study) -> Check:
    """Both arms are followed as long as survival is counted."""
    design = study.design
    assert isinstance(design, Survival)
    ends = [float(study.y[study.d == arm].max()) for arm in (1, 0)]
    event = _event(study)
    # An arm whose last row has the event has a curve at 0 from there on; it needs no further follow-up.
    last = [
        np.inf if event[(study.d == arm) & (study.y == end)].all() else end
        for arm, end in zip((1, 0), ends, strict=True)
    ]
    longest = min(last)
    first = float(study.y[event == 1].min()) if event.any() else 0.0
    if design.estimand == _RMST and design.horizon is not None and design.horizon <= first:
        return Check(
            "follow-up",
            "failed",
            f"No event happens before the horizon of {design.horizon:g}; the first is at {first:g}.",
            figure=first,
            fatal=True,
            remedy=f"Give a horizon beyond {first:g}, or none.",
        )
    too_far = design.estimand == _RMST and design.horizon is not None and design.horizon > longest
    supported = longest_horizon(study.y, study.d)
    return Check(
        "follow-up",
        "failed" if too_far else "passed",
        f"The treated are followed up to {ends[0]:g} and the others up to {ends[1]:g} of {design.outcome}"
        + (
            f"; the horizon of {design.horizon:g} lies beyond what both were, so survival is counted up to {supported:g}."
            if too_far
            else f"; both have rows enough at risk up to {supported:g}."
        ),
        figure=supported,
        remedy=f"Give a horizon of at most {supported:g}." if too_far else "",
        instead={"horizon": supported} if too_far else None,
    )


def censoring_alike(study: Study) -> Check:
    """Rows are lost sight of as early in one arm as in the other."""
    censored = 1 - _event(study)
    if not censored.any():
        return Check("censoring", "passed", "Every row was followed up to its event.")
    p = log_rank_p(study.y, censored, study.d)
    failed = p < _DOUBTFUL
    return Check(
        "censoring",
        "failed" if failed else "passed",
        f"{censored[study.d == 1].mean():.0%} of the treated and {censored[study.d == 0].mean():.0%} of the others were lost "
        f"sight of before the event; log-rank test that this came as early in both arms: p = {p:.2g}.",
        figure=p,
        remedy="Find out why rows were lost: had they been about to have the event, or safe from it, the number is off."
        if failed
        else "",
    )


def arms_overlap(study: Study) -> Check:
    """No controls at which practically all are treated, or none."""
    found = overlap(study.d, propensity(study.d, controls(study.d, study.x.to_numpy())), "ATE")
    return Check(
        "overlap",
        "passed" if found.supported else "failed",
        f"{found.alone:.1%} of rows have a chance of treatment that no row of the other arm reaches; weighted alike, "
        f"{found.n_treated:,} treated rows count for {found.effective_treated:.0f} and {found.n_control:,} others for "
        f"{found.effective_control:.0f}.",
        figure=found.alone,
        fatal=True,
        remedy="" if found.supported else "Narrow the subset to rows that could have been in either arm.",
    )


def proportional_hazards(study: Study) -> Check:
    try:
        p = cox(study.y, _event(study), study.d, study.x.to_numpy(), clusters=study.clusters).proportional_p
    except DataError as error:
        return Check("proportional hazards", "not testable", f"{error.problem[0].upper()}{error.problem[1:]}.")
    failed = p < _CHANGING
    movable = failed and study.binary
    return Check(
        "proportional hazards",
        "failed" if failed else "passed",
        f"Test of Schoenfeld residuals against time: p = {p:.2g}."
        + (" The hazard ratio changes with time, so no one number is it" if failed else "")
        + ("; the restricted mean needs no such constancy." if movable else "." if failed else ""),
        figure=p,
        fatal=failed and not movable,
        remedy="Ask for the RMST difference between two values of the treatment." if failed else "",
        instead={"estimand": _RMST} if movable else None,
    )


def other_horizons(study: Study) -> Challenge:
    """The difference in restricted means up to earlier times: the default is the last of them."""
    rows = []
    for share in (0.25, 0.5, 0.75, 1.0):
        means = restricted(study, horizon=share * _horizon(study))
        low, high = means.difference.interval()
        rows.append(
            {"horizon": means.horizon, "RMST difference": means.difference.estimate, "ci_low": low, "ci_high": high}
        )
    signs = {np.sign(row["RMST difference"]) for row in rows if row["ci_low"] > 0 or row["ci_high"] < 0}
    return Challenge(
        "other horizons",
        "doubt" if len(signs) > 1 else "stands",
        "RMST differences up to "
        + ", ".join(f"{row['horizon']:.3g}: {row['RMST difference']:.3g}" for row in rows)
        + ("; early and late gains have different signs." if len(signs) > 1 else "."),
        table=tuple(rows),
    )


def log_rank(study: Study, estimate: Estimate) -> Challenge:
    """The usual test of equal hazards, which may see what an average over time does not."""
    p = log_rank_p(study.y, _event(study), study.d)
    differs = estimate.p_value is not None and (p < 0.05) != (estimate.p_value < 0.05)
    return Challenge(
        "log-rank test",
        "doubt" if differs else "stands",
        f"Log-rank test of equal hazards: p = {p:.2g}, beside {estimate.p_value:.2g} of the estimate.",
        figure=p,
    )


def hazards(study: Study) -> Challenge:
    """The hazard ratio, and whether it is one number."""
    try:
        fit = cox(study.y, _event(study), study.d, study.x.to_numpy(), clusters=study.clusters)
    except DataError as error:
        return Challenge("hazard ratio", "not testable", f"{error.problem[0].upper()}{error.problem[1:]}.")
    low, high = fit.interval()
    return Challenge(
        "hazard ratio",
        "stands",
        f"Hazard ratio {fit.ratio:.3g} ({low:.3g} to {high:.3g}); test that it is the same at all times: "
        f"p = {fit.proportional_p:.2g}.",
        figure=fit.ratio,
    )


def as_times(study: Study) -> Challenge:
    """The same comparison in units of time."""
    means = restricted(study)
    low, high = means.difference.interval()
    return Challenge(
        "restricted means",
        "stands",
        f"Out of the first {means.horizon:g}, the treated have {means.difference.estimate:.3g} ({low:.3g} to {high:.3g}) more time "
        "without the event.",
        figure=means.difference.estimate,
    )


def without_controls(study: Study, estimate: Estimate) -> Challenge:
    if study.design.estimand == _RMST:
        bare = restricted(study, controls=False).difference
        value, distance = bare.estimate, abs(bare.estimate - estimate.estimate) / bare.se
    else:
        fit = cox(study.y, _event(study), study.d, clusters=study.clusters)
        value, distance = fit.ratio, abs(fit.log_ratio - float(np.log(estimate.estimate))) / fit.se
    return Challenge(
        "without controls",
        "doubt" if distance > 1.96 else "stands",
        f"Without controls the {study.design.estimand} is {value:.4g}, {distance:.1f} standard errors away: how much the "
        "controls explain, and a hint of what further ones might.",
        figure=value,
    )
