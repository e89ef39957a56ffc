"""Difference-in-differences: the treated would have changed as the untreated did.

Four kinds, told apart by the rule in `did_layout.py`: two groups (before and after, at one date), staggered adoption
(groups treated at different dates), a dose under two-way fixed effects, and the triple difference. Staggered adoption
is estimated by group and time, never by two-way fixed effects, which compares with units already treated. Covariates
there are taken in the base period (Callaway–Sant'Anna, doubly robust); those that change within units over time are
adjusted for by imputation, whose model has a place for them in every period.

References
----------
Callaway and Sant'Anna (2021), J. Econometrics 225. Sun and Abraham (2021), J. Econometrics 225.
Borusyak, Jaravel and Spiess (2024), Rev. Econ. Stud. 91. Goodman-Bacon (2021), J. Econometrics 225.
Olden and Møen (2022), Econometrics J. 25: the triple difference.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from leucippus.agents.designs import did_challenges, did_checks
from leucippus.agents.designs.base import Design, Name, Value
from leucippus.agents.designs.checks import common
from leucippus.agents.designs.did_estimate import cluster_of, comparison_of, estimated, second_opinion
from leucippus.agents.designs.did_layout import Layout, group_column_and_value, lay_out
from leucippus.agents.designs.result import Challenge, Check, Estimate
from leucippus.agents.estimators.group_time import GroupTime
from leucippus.agents.estimators.two_way import TwoWay

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from leucippus.agents.designs.study import Study


class Did(Design):
    """A comparison of changes."""

    estimands: ClassVar[tuple[str, ...]] = ("ATT", "ATE")
    column_fields: ClassVar[tuple[str, ...]] = ("unit", "time", "third_difference", "weights")
    value_or_column_fields: ClassVar[tuple[str, ...]] = ("first_treated", "treated_group")
    codes_treatment: ClassVar[bool] = False

    strategy: Literal["did"] = "did"
    time: str = Field(description="Column of the period: number, date, or text such as 2011Q3.")
    unit: Name = Field(default=None, description="Column of the unit observed again; empty for new ones each period.")
    treated_group: Value | None = Field(
        default=None, description="Value of the treatment (or unit) that is treated: California, or nearinc == 1."
    )
    first_treated: Value | None = Field(
        default=None, description="First treated period, or the column that holds it (0 or blank: never)."
    )
    comparison: Literal["", "never", "not yet"] = Field(
        default="", description="Compare with the never treated, or also with those not yet treated."
    )
    third_difference: Name = Field(
        default=None, description="0/1 column: rows the treatment can touch, for a triple difference."
    )
    weights: Name = Field(default=None, description="Column of weights, such as population.")

    @model_validator(mode="after")
    def _groups_not_values(self) -> Did:
        if self.treated_value is not None or self.control_value is not None:
            raise ValueError("did names its groups by treated_group; leave other groups out with subset")
        return self

    def columns(self) -> tuple[str, ...]:
        names = dict.fromkeys(super().columns())
        column, _ = group_column_and_value(self)
        if column is not None:
            names[column] = None
        # A column of first treated periods is blank for the never treated: blanks there cost no rows.
        return tuple(name for name in names if name != self.first_treated)

    def checks(self, study: Study) -> Iterator[Check]:
        yield from common(study)
        layout = lay_out(study)
        yield from did_checks.own(study, layout)

    def estimate(self, study: Study) -> Estimate:
        layout = lay_out(study)
        clusters, level = cluster_of(study, layout)
        found = estimated(study, layout)
        low, high = found.interval() if isinstance(found, GroupTime) else (found.ci_low, found.ci_high)
        dose = layout.kind == "dose"
        treated = layout.d != 0
        return Estimate(
            found.estimate,
            found.se,
            low,
            high,
            estimand="ATE" if dose else "ATT",
            population=self.subset or ("the rows used" if dose else whom(found)),
            units=f"{self.outcome}, " + (f"one more unit of {self.treatment}" if dose else "treated rather than not"),
            estimator=estimator_name(study, layout, found),
            inference=inference_words(found, level),
            n_used=study.n,
            assumptions=assumptions(self, layout),
            p_value=found.p_value,
            n_treated=None if dose else int(treated.sum()),
            n_control=None if dose else int((~treated).sum()),
            clusters=found.clusters
            if isinstance(found, TwoWay)
            else None
            if clusters is None
            else len(np.unique(clusters)),
            dropped=study.dropped,
            second=second_opinion(study, layout, found),
            details=details(study, layout, found),
        )

    def challenges(self, study: Study, estimate: Estimate) -> Iterator[Challenge]:
        yield from did_challenges.own(study, lay_out(study), estimate)

    def draw(self, axes: Axes, study: Study, estimate: Estimate) -> None:
        """The event study; group means over time where there is none."""
        layout = lay_out(study)
        events = did_challenges.event_study(study, layout)
        if events is not None:
            axes.axhline(0, color="grey", linewidth=0.8)
            axes.axvline(-0.5, color="grey", linestyle=":")
            axes.errorbar(events.time, events.effects, yerr=1.96 * events.se, fmt="o", capsize=3)
            axes.plot(-1, 0, "o", markerfacecolor="white", color="grey")
            axes.set(xlabel="periods since the first treated one", ylabel=f"effect on {self.outcome}")
        else:
            high = layout.ever if layout.kind != "dose" else layout.d > np.median(layout.d)
            for rows, label in ((high, "treated" if layout.kind != "dose" else "high dose"), (~high, "others")):
                means = pd.Series(study.y[rows]).groupby(layout.period[rows]).mean()
                axes.plot(means.index, means.to_numpy(), marker="o", label=label)
            axes.set(xlabel=self.time, ylabel=f"mean {self.outcome}")
            axes.legend()
        axes.set_title(estimate.estimator)


def estimator_name(study: Study, layout: Layout, found: TwoWay | GroupTime) -> str:
    if isinstance(found, GroupTime):
        if found.method.startswith("imputation"):
            return f"{found.method} (diff-diff)"
        return f"{found.method}, compared with the {comparison_of(study, layout)} treated (diff-diff)"
    kinds = {
        "two groups": "difference-in-differences, two-way fixed effects",
        "dose": "two-way fixed effects",
        "triple": "triple difference",
    }
    return f"{kinds[layout.kind]}{' with controls' if study.x.shape[1] else ''} (pyfixest)"


def whom(found: TwoWay | GroupTime) -> str:
    if isinstance(found, GroupTime) and not found.method.startswith("imputation"):
        return "units such as the treated, after their treatment began"
    return "the treated at hand, after their treatment began"


def inference_words(found: TwoWay | GroupTime, level: str) -> str:
    if isinstance(found, GroupTime):
        kind = "conservative" if found.method.startswith("imputation") else "influence-function"
        return f"{kind} standard error clustered by {level or 'row'}, t({found.dof:.0f}) quantiles"
    return found.inference + (f"; clusters: {level}" if found.clusters else "")


def assumptions(design: Did, layout: Layout) -> tuple[str, ...]:
    given = " given the controls" if design.controls else ""
    if layout.kind == "dose":
        return (
            f"What moves {design.treatment} within {design.unit}, period effects apart, is unrelated to what else moves "
            + f"{design.outcome}{given}.",
            "One more unit does the same everywhere, at every time, and at once.",
        )
    trend = (
        "The gap between the rows that can and cannot be touched would have changed alike in treated and other groups"
        if layout.kind == "triple"
        else f"Without the treatment, {design.outcome} of the treated would have changed as that of the others did"
    )
    return (
        f"{trend}{given}.",
        "Nobody acted on the treatment before it began, and it did not spill over to the others.",
        "Nothing else befell the treated groups, and no others, at the time the treatment began.",
    )


def details(study: Study, layout: Layout, found: TwoWay | GroupTime) -> dict[str, Any]:
    """The kind and what decided it, effects by group, the regression's own standard error."""
    said: dict[str, Any] = {"kind": layout.kind, "why": layout.why, "periods": layout.periods.count}
    if layout.kind != "dose":
        said["first_treated"] = [layout.periods.labels[int(start)] for start in layout.starts]
    if isinstance(found, TwoWay):
        return {**said, "regression_se": found.fit.se}
    said["comparison"] = comparison_of(study, layout)
    said["effect_by_first_treated"] = [
        {"first_treated": layout.periods.labels[group], "estimate": effect, "se": se}
        for group, effect, se in found.by_group
    ]
    return said
