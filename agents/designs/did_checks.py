"""What the data must show before a difference-in-differences is believed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from leucippus.agents.designs.checks import usable
from leucippus.agents.designs.did_estimate import (
    absorbed,
    changes_within_units,
    cluster_of,
    comparison_of,
    estimated,
    usable_rows,
    weights_of,
)
from leucippus.agents.designs.did_layout import Layout, zero_one
from leucippus.agents.designs.result import Check
from leucippus.agents.designs.study import Floats, as_numbers
from leucippus.agents.estimators.group_time import callaway_santanna, forbidden_weight
from leucippus.agents.estimators.honest_did import largest_lead, power_against_slope
from leucippus.agents.estimators.two_way import FEW_TREATED, TwoWay, cluster_arms, two_way
from leucippus.errors import DataError

if TYPE_CHECKING:
    from leucippus.agents.designs.did import Did
    from leucippus.agents.designs.study import Study

_OVERWHELMING = 0.001
"""P-value of a pre-trend beyond which an estimate that the trend alone explains is withheld."""
FEWEST_UNITS = 5
"""Treated clusters behind a lead below which its standard error means nothing."""
_MOST_PERIODS = 60
_DETERMINED = 1e-9
_OUTCOME = 0.9
"""Rank correlation with the outcome beyond which a column is another form of it."""


def own(study: Study, layout: Layout) -> Iterator[Check]:
    """The gravest first; nothing after a failure that leaves no comparison to look at."""
    yield estimand_fits(study, layout)
    if layout.kind == "dose":
        check = dose_varies(study, layout)
        yield check
        if check.verdict == "passed":
            yield controls_unmoved(study, layout)
            yield treated_clusters(study, layout)
        return
    for look in (treatment_begins, before_exists, comparison_exists):
        check = look(study, layout)
        yield check
        if check.verdict == "failed" and (check.fatal or check.instead):
            return
    if layout.unit is not None:
        timing = timing_is_constant(study, layout)
        yield timing
        yield panel(study, layout)
        if timing.verdict == "failed" and timing.fatal:
            return
    else:
        yield composition(study, layout)
    yield from agrees_with_treatment(study, layout)
    yield treated_clusters(study, layout)
    yield pre_trend(study, layout)
    yield controls_unmoved(study, layout)
    if layout.kind == "staggered":
        yield forbidden_comparisons(study, layout)


def estimand_fits(study: Study, layout: Layout) -> Check:
    wanted = "ATE" if layout.kind == "dose" else "ATT"
    fits = study.design.estimand == wanted
    if layout.kind == "dose":
        sentence = f"{study.design.treatment} is a dose: its estimand is the average slope (ATE)"
    else:
        sentence = "A comparison of changes is about those who were treated (ATT)"
    return Check(
        "estimand",
        "passed" if fits else "failed",
        f"{sentence}; the design is of the kind '{layout.kind}' because {layout.why}.",
        instead=None if fits else {"estimand": wanted},
    )


def dose_varies(study: Study, layout: Layout) -> Check:
    """Something of the dose is left after unit and period effects and the controls."""
    total = float(((layout.d - layout.d.mean()) ** 2).sum())
    x = study.x.to_numpy() if study.x.shape[1] else None
    try:
        fit = two_way(study.y, layout.d, x, absorb=absorbed(layout), bootstrap=False)
        # The residuals of the outcome are orthogonal to the dose, so this sweeps out the effects and controls alone.
        rest = two_way(layout.d, fit.fit.residuals, x, absorb=absorbed(layout), bootstrap=False).fit.residuals
        share = float((rest**2).sum()) / total if total else 0.0
    except DataError:
        share = 0.0
    failed = share < _DETERMINED
    return Check(
        "treatment varies within units over time",
        "failed" if failed else "passed",
        f"{share:.2%} of the variance of {study.design.treatment} is left after unit and period effects"
        + (": nothing to compare." if failed else "."),
        figure=share,
        fatal=True,
        remedy="Bring periods in which the treatment changes in some units and not in others." if failed else "",
    )


def treatment_begins(study: Study, layout: Layout) -> Check:
    starts = layout.starts
    begun = bool(layout.d.any())
    labels = [layout.periods.labels[int(start)] for start in starts]
    return Check(
        "treatment begins within the data",
        "passed" if begun else "failed",
        f"The treatment begins in {len(labels)} period{'s' if len(labels) > 1 else ''}: {_listed(labels)}; "
        f"{int(layout.d.sum()):,} rows are treated."
        if begun
        else "No row is treated: the treatment begins after the last period, or never.",
        figure=float(layout.d.sum()),
        fatal=True,
        remedy="" if begun else "Check first_treated against the periods in the data.",
    )


def before_exists(study: Study, layout: Layout) -> Check:
    """Treated units are seen before their treatment."""
    before = layout.ever & (layout.period < layout.first)
    periods = len(np.unique(layout.period[before]))
    always = layout.ever & (layout.first <= 0)
    units = len(np.unique(layout.group[always]))
    failed = not before.any()
    sentence = f"The treated are seen in {periods} period{'s' if periods != 1 else ''} before their treatment"
    if failed:
        sentence = (
            "No period is seen before the treatment of those who are treated: there is no 'before' to compare with"
        )
    elif always.any():
        sentence += (
            f"; {units} treated from the first period on are left out"
            if layout.kind == "staggered"
            else f"; {units} are treated from the first period on and only lend their level"
        )
    return Check(
        "pre-periods exist",
        "failed" if failed else "passed",
        sentence + ".",
        figure=periods,
        fatal=True,
        remedy="Bring earlier periods, or correct first_treated." if failed else "",
    )


def comparison_exists(study: Study, layout: Layout) -> Check:
    """Some are never treated, or treated later."""
    never = ~layout.ever
    named = study.design.comparison  # type: ignore[attr-defined]
    dates = len(layout.starts[layout.starts > 0])
    enough = bool(never.any()) or (dates > 1 and named != "never")
    if layout.kind != "staggered" and enough:
        # Both the treated and the others before and after: the four cells of the comparison.
        after = layout.period >= layout.starts[0]
        enough = bool((never & after).any() and (never & ~after).any()) or dates > 1
    if enough:
        who = (
            f"{len(np.unique(layout.group[never])):,} units"
            if layout.unit is not None
            else f"{int(never.sum()):,} rows"
        )
        sentence = f"{who} are never treated; the treated are compared with the {comparison_of(study, layout)} treated."
        if layout.kind == "staggered" and not never.any():
            sentence = "Nobody is never treated, so each group is compared with those not yet treated."
    else:
        sentence = "There is no comparison group: nobody is untreated both before and after the treatment began."
    movable = not enough and dates > 1 and named == "never"
    return Check(
        "comparison group exists",
        "passed" if enough else "failed",
        sentence if not movable else "Nobody is never treated; those not yet treated can be compared with.",
        figure=float(never.sum()),
        fatal=not movable,
        remedy="" if enough else "Bring units that stay untreated, or are treated later.",
        instead={"comparison": "not yet"} if movable else None,
    )


def timing_is_constant(study: Study, layout: Layout) -> Check:
    """Each unit has one date of first treatment."""
    assert layout.unit is not None
    units = study.frame[study.design.unit].nunique()  # type: ignore[attr-defined]
    split = bool(layout.mixed) and not (pd.Series(layout.first).groupby(layout.unit).nunique() > 1).any()
    sentence = f"Each of {units:,} units has one date of first treatment, or none."
    if layout.mixed:
        sentence = f"{layout.mixed} of {units:,} units have more than one date of first treatment, or are both treated "
        sentence += "and never treated" + ("; each counts as two units." if split else ".")
    return Check(
        "one treatment date a unit",
        "failed" if layout.mixed else "passed",
        sentence,
        figure=layout.mixed,
        fatal=not split,
        remedy="Correct first_treated or treated_group, which must be the same in all rows of a unit; if units change "
        "group between periods, leave unit out (repeated cross-sections)."
        if layout.mixed
        else "",
    )


def panel(study: Study, layout: Layout) -> Check:
    """Every unit in every period, once."""
    assert layout.unit is not None
    units, periods = int(layout.unit.max()) + 1, layout.periods.count
    cells = len(np.unique(layout.unit * periods + layout.period))
    twice, gaps = study.n - cells, units * periods - cells
    parts = [f"{units:,} units × {periods} periods"]
    if gaps:
        parts.append(f"{gaps:,} of the {units * periods:,} cells are empty ({gaps / (units * periods):.1%})")
    if twice:
        parts.append(f"{twice:,} rows share unit and period with another")
    # A panel that loses treated units after the treatment compares different units before and after.
    failed = gaps > 0.2 * units * periods or (twice > 0 and layout.kind == "staggered")
    return Check(
        "panel",
        "failed" if failed else "passed",
        "; ".join(parts) + ("." if gaps or twice else ", each seen once."),
        figure=gaps / (units * periods),
        fatal=twice > 0 and layout.kind == "staggered",
        remedy="Average the rows of a unit and period, or leave unit out if they are different people."
        if twice and failed
        else "Ask why units are missing, and whether the treatment has to do with it."
        if failed
        else "",
    )


def composition(study: Study, layout: Layout) -> Check:
    """In repeated cross-sections, who is sampled does not change with the treatment."""
    late = {name for name, timing in study.timing.items() if timing.when == "after"} | set(study.design.after_treatment)
    named = {*study.design.columns(), study.design.first_treated, study.design.treated_group}  # type: ignore[attr-defined]
    names = [
        name
        for name in study.bystanders
        if name not in late | named
        and pd.api.types.is_numeric_dtype(study.frame[name])
        and usable(study, name)
        # What is nearly the outcome changes because of the treatment, not because others came in.
        and abs(study.frame[name].corr(study.frame[study.design.outcome], method="spearman")) < _OUTCOME
    ]
    rows = _moves_with_treatment(study, layout, {name: as_numbers(study.frame[name], name) for name in names})
    if not rows:
        return Check("composition", "not testable", "No column beside the outcome to see whether other people came in.")
    worst = min(rows, key=lambda name: rows[name])
    p = min(rows[worst] * len(rows), 1.0)
    return Check(
        "composition",
        "failed" if p < 0.05 else "passed",
        f"Of {len(rows)} further columns, {worst} changes most with the treatment (p = {p:.2g} for all together).",
        figure=p,
        remedy=f"If {worst} is fixed before the treatment, name it as a control." if p < 0.05 else "",
    )


def agrees_with_treatment(study: Study, layout: Layout) -> Iterator[Check]:
    """Where the dates come from `first_treated` and the treatment column is 0/1 over time: that both say the same."""
    design: Did = study.design  # type: ignore[assignment]
    if design.first_treated is None or design.treatment == design.first_treated or layout.unit is None:
        return
    d = zero_one(study.frame[design.treatment])
    if d is None or not (pd.Series(d).groupby(layout.unit).nunique() > 1).any():
        return
    differ = int((d != (layout.period >= layout.first)).sum())
    yield Check(
        "dates agree with the treatment",
        "failed" if differ else "passed",
        f"{design.treatment} and {design.first_treated} disagree in {differ:,} rows about who is treated; the dates of "
        f"{design.first_treated} are used."
        if differ
        else f"{design.treatment} is 1 from {design.first_treated} on and 0 before.",
        figure=differ,
        remedy=f"Leave first_treated out to use {design.treatment} instead." if differ else "",
    )


def treated_clusters(study: Study, layout: Layout) -> Check:
    """How many clusters on either side stand behind the standard error."""
    clusters, level = cluster_of(study, layout)
    if clusters is None:
        return Check(
            "treated clusters",
            "failed",
            "The treatment was given to one group and not to another, and the standard error is that of rows: a shock "
            "common to a whole group is not in it.",
            remedy="Bring several treated and untreated groups, and name their column as cluster.",
        )
    arms = cluster_arms(layout.d, clusters)
    treated, others = sum(arms), len(arms) - sum(arms)
    if layout.kind == "dose":
        failed, said = len(arms) < 2 * FEW_TREATED, f"{len(arms)} clusters ({level})"
    else:
        failed, said = (
            min(treated, others) < FEW_TREATED,
            f"{treated} treated and {others} untreated clusters ({level})",
        )
        if layout.kind == "staggered" and not others:
            failed = treated < 2 * FEW_TREATED
    sentence = f"{said} stand behind the standard error"
    if failed and layout.kind == "two groups" and len(arms) >= 4:
        sentence += ": so few that it rests on how the other side's changes vary, assuming that all vary alike"
    elif failed:
        sentence += ": too few to see how clusters differ, so shocks common to a cluster are not (well) measured"
    return Check(
        "treated clusters",
        "failed" if failed else "passed",
        sentence + ".",
        figure=treated if layout.kind != "dose" else len(arms),
        remedy="With one treated unit, a synthetic control with placebo inference is the usual second look."
        if failed
        else "",
    )


def pre_trend(study: Study, layout: Layout) -> Check:
    """Before the treatment, the treated moved as the others; and what this test could have found.

    The test is of one slope, the treated rows' own linear trend: against the drifts that do harm it has more power, and
    with few clusters a better size, than all leads together. Where nobody is never treated no such slope is
    identified, and the largest lead is tested instead. It withholds the number only where the trend is beyond doubt
    (p < 0.001) and, drawn on, leaves nothing of the effect; any other failure is for HonestDiD to weigh.
    """
    name = "pre-trend"
    if not (~layout.ever).any():
        return _leads(study, layout)
    before = layout.ever & (layout.period < layout.first)
    if len(np.unique(layout.period[before])) < 2:
        return Check(name, "not testable", "One period before the treatment: no trend can be seen before it.")
    rows = before | ~layout.ever
    clusters, _ = cluster_of(study, layout)
    weights = weights_of(study)
    touched = layout.ever if layout.third is None else layout.ever & (layout.third == 1)
    try:
        trend = two_way(
            study.y[rows],
            (touched * layout.period)[rows].astype(np.float64),
            study.x.to_numpy()[rows] if study.x.shape[1] else None,
            absorb=absorbed(layout)[rows],
            clusters=None if clusters is None else clusters[rows],
            profile=layout.period[rows].astype(np.float64) if layout.third is None else None,
            weights=None if weights is None else weights[rows],
            bootstrap=False,
        )
        found = estimated(study, layout, bootstrap=False)
    except DataError as error:
        return Check(name, "not testable", f"The trend before the treatment cannot be estimated: {error.problem}.")
    if not np.isfinite(trend.se) or trend.se <= 0:
        return Check(name, "not testable", "The rows before the treatment leave no error to test a trend with.")
    distance = _distance(layout, average=isinstance(found, TwoWay))
    drift = trend.estimate * distance
    power = power_against_slope(found.estimate / distance, trend.se)
    failed = trend.p_value < 0.05
    fatal = trend.p_value < _OVERWHELMING and abs(found.estimate - drift) < 1.96 * float(np.hypot(found.se, trend.se))
    return Check(
        name,
        "failed" if failed else "passed",
        f"Before the treatment the treated moved by {trend.estimate:+.3g} a period against the others (standard error "
        f"{trend.se:.2g}, p = {trend.p_value:.2g}); drawn on, that is {drift:+.3g} of the {found.estimate:+.3g} found. "
        f"A trend that makes up the whole effect would have been noticed with probability {power:.0%}.",
        figure=trend.p_value,
        fatal=failed and fatal,
        remedy="Read the HonestDiD intervals, bring comparison units that moved alike, or use a synthetic control."
        if failed
        else "",
    )


def _leads(study: Study, layout: Layout) -> Check:
    """All leads together, where no unit is never treated."""
    clusters, _ = cluster_of(study, layout)
    data = layout.adoption(study, clusters, weights_of(study), controls=not changes_within_units(study, layout))
    try:
        if layout.kind != "staggered" or layout.periods.count > _MOST_PERIODS:
            raise DataError("no comparison over time")
        events = callaway_santanna(data.keep(usable_rows(layout)), "not yet").events
        if events is None:
            raise DataError("no leads")
        largest, p = largest_lead(events.only(events.units >= FEWEST_UNITS))
    except DataError as error:
        return Check("pre-trend", "not testable", f"The leads cannot be estimated: {error.problem}.")
    return Check(
        "pre-trend",
        "failed" if p < 0.05 else "passed",
        f"The largest effect before the treatment has |t| = {largest:.2f}, p = {p:.2g} for all leads together. A linear "
        "trend cannot be told from the effects here, because nobody is never treated.",
        figure=p,
        remedy="Read the HonestDiD intervals, or bring never-treated units." if p < 0.05 else "",
    )


def _distance(layout: Layout, *, average: bool) -> float:
    """Periods over which a trend is drawn on: from the mean period before (two-way) or the last (group-time)."""
    after = layout.d > 0
    if not average:
        return float((layout.period - layout.first + 1)[after].mean())
    before = layout.ever & (layout.period < layout.first)
    return float(layout.period[after].mean() - layout.period[before].mean())


def controls_unmoved(study: Study, layout: Layout) -> Check:
    """Controls that change over time do not change with the treatment."""
    name = "controls do not answer to the treatment"
    rows = _moves_with_treatment(study, layout, {str(name): study.x[name].to_numpy() for name in study.x})
    if not rows:
        return Check(name, "not testable", "No control changes over time.")
    worst = min(rows, key=lambda control: rows[control])
    p = min(rows[worst] * len(rows), 1.0)
    return Check(
        name,
        "failed" if p < 0.01 else "passed",
        f"Of {len(rows)} controls that change over time, {worst} moves most with the treatment (p = {p:.2g} for all "
        "together).",
        figure=p,
        remedy=f"Leave {worst} out if the treatment may have changed it." if p < 0.01 else "",
    )


def _moves_with_treatment(study: Study, layout: Layout, columns: dict[str, Floats]) -> dict[str, float]:
    """P-value that a column does not change with the treatment, for each that groups and periods do not determine."""
    clusters, _ = cluster_of(study, layout)
    found: dict[str, float] = {}
    for name, values in columns.items():
        rows = np.isfinite(values)
        column = values[rows] - values[rows].mean()
        try:
            fit = two_way(
                column,
                layout.d[rows],
                absorb=absorbed(layout)[rows],
                clusters=None if clusters is None else clusters[rows],
                profile=layout.post[rows].astype(np.float64) if layout.kind == "two groups" else None,
                bootstrap=False,
            )
        except DataError:
            continue
        # Residuals of rounding mean that the effects and the treatment are all there is to this column.
        if float((fit.fit.residuals**2).sum()) > 1e-9 * float((column**2).sum()) and np.isfinite(fit.p_value):
            found[name] = fit.p_value
    return found


def forbidden_comparisons(study: Study, layout: Layout) -> Check:
    """What two-way fixed effects, which is not used here, would have compared with the already treated."""
    name = "comparisons with the already treated"
    if layout.unit is None or not layout.unit_once_a_period or layout.periods.count > _MOST_PERIODS:
        return Check(name, "not testable", "The decomposition needs each unit once in each of at most 60 periods.")
    try:
        share = forbidden_weight(layout.adoption(study, None, None, controls=False).keep(usable_rows(layout)))
    except DataError as error:
        return Check(name, "not testable", error.problem)
    return Check(
        name,
        "passed",
        f"Two-way fixed effects would put {share:.1%} of its weight on comparisons with units already treated; the "
        "estimator used puts none.",
        figure=share,
    )


def _listed(labels: list[str], most: int = 8) -> str:
    return ", ".join(labels[:most]) + (f" and {len(labels) - most} more" if len(labels) > most else "")
