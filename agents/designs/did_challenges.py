"""What a referee asks of a difference-in-differences."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leucippus.agents.designs.did_checks import FEWEST_UNITS
from leucippus.agents.designs.did_estimate import (
    absorbed,
    changes_within_units,
    cluster_of,
    comparison_of,
    estimated,
    usable_rows,
    weights_of,
)
from leucippus.agents.designs.did_layout import Layout
from leucippus.agents.designs.result import Challenge, ChallengeVerdict, Estimate
from leucippus.agents.estimators.group_time import EventStudy, GroupTime, callaway_santanna, imputation
from leucippus.agents.estimators.honest_did import honest_did, largest_lead
from leucippus.agents.estimators.periods import NEVER
from leucippus.agents.estimators.two_way import TwoWay, two_way
from leucippus.errors import DataError

if TYPE_CHECKING:
    from leucippus.agents.designs.study import Floats, Study

_MOST_PERIODS = 60
_MOST_LEFT_OUT = 60
_FAR = 1.96


def own(study: Study, layout: Layout, estimate: Estimate) -> Iterator[Challenge]:
    asked = {"dose": _OF_A_DOSE, "triple": _OF_A_TRIPLE, "staggered": _OF_STAGGERED}.get(layout.kind, _OF_GROUPS)
    for name, ask in asked.items():
        try:
            yield replace(ask(study, layout, estimate), name=name)
        except DataError as error:
            yield Challenge(name, "not testable", f"{error.problem[:1].upper()}{error.problem[1:]}.")


def event_study(study: Study, layout: Layout) -> EventStudy | None:
    """Effects by time since treatment behind which five treated clusters or more stand, or None."""
    if layout.kind in ("dose", "triple") or layout.periods.count > _MOST_PERIODS:
        return None
    if layout.unit is not None and not layout.unit_once_a_period:
        return None
    clusters, _ = cluster_of(study, layout)
    data = layout.adoption(study, clusters, weights_of(study), controls=not changes_within_units(study, layout))
    try:
        events = callaway_santanna(data.keep(usable_rows(layout)), comparison_of(study, layout)).events
    except DataError:
        return None
    events = None if events is None else events.only(events.units >= FEWEST_UNITS)
    return events if events is not None and len(events.time) else None


def _events(study: Study, layout: Layout) -> EventStudy:
    events = event_study(study, layout)
    if events is None:
        raise DataError("too few treated clusters, or too many periods, for an event study")
    return events


def event_study_leads(study: Study, layout: Layout, estimate: Estimate) -> Challenge:
    """The effects before the treatment, all at once."""
    events = _events(study, layout)
    table = tuple(
        {"periods since": int(t), "estimate": float(b), "se": float(s), "clusters": int(n)}
        for t, b, s, n in zip(events.time, events.effects, events.se, events.units, strict=True)
    )
    if not (events.time < 0).any():
        return _said("not testable", "One period before the treatment: no lead to look at.", None, table)
    largest, p = largest_lead(events)
    return _said(
        "doubt" if p < 0.05 else "stands",
        f"Of {int((events.time < 0).sum())} effects before the treatment the largest has |t| = {largest:.2f} (p = {p:.2g} "
        "for all together).",
        figure=p,
        table=table,
    )


def honest(study: Study, layout: Layout, estimate: Estimate) -> Challenge:
    """How far parallel trends may fail before the sign is lost."""
    found = honest_did(_events(study, layout))
    table = tuple({"M": m, "low": low, "high": high} for m, low, high in found.intervals)
    if estimate.ci_low <= 0 <= estimate.ci_high:
        return _said("not testable", "The interval holds zero already; no violation is needed.", None, table)
    most = "ten or more" if found.breakdown > 10 else f"{found.breakdown:.2g}"
    return _said(
        "doubt" if found.breakdown < 0.5 else "stands",
        f"The average effect keeps its sign while trends part after the treatment by up to {most} times the most they did "
        "before it (relative magnitudes).",
        figure=min(found.breakdown, 1e6),
        table=table,
    )


def placebo_date(study: Study, layout: Layout, estimate: Estimate) -> Challenge:
    """The treatment moved to the middle of the periods before it, in those periods alone."""
    starts = layout.starts[layout.starts > 0]
    if not len(starts) or starts[0] < 2:
        return _said("not testable", "Two periods before the first treatment are needed to move it.")
    fake = float(int(starts[0] + 1) // 2)
    rows = layout.period < starts[0]
    moved = replace(
        layout,
        kind="two groups",
        first=np.where(layout.ever, fake, NEVER),
        d=(layout.ever & (layout.period >= fake)).astype(np.float64),
    )
    found = _on(study, moved, rows)
    return _said(
        "doubt" if found.p_value < 0.05 else "stands",
        f"With the treatment moved to {layout.periods.labels[int(fake)]}, before anything happened, the 'effect' is "
        f"{found.estimate:.4g} ({found.se:.3g}, p = {found.p_value:.2g}).",
        figure=found.p_value,
    )


def placebo_population(study: Study, layout: Layout, estimate: Estimate) -> Challenge:
    """In a triple difference: the plain difference-in-differences among those the treatment cannot touch."""
    assert layout.third is not None
    d = (layout.period >= layout.first).astype(np.float64)
    found = _on(study, replace(layout, kind="two groups", d=d, third=None), layout.third == 0)
    return _said(
        "doubt" if found.p_value < 0.05 else "stands",
        f"Among rows that the treatment cannot touch, treated groups changed by {found.estimate:.4g} ({found.se:.3g}, p = "
        f"{found.p_value:.2g}) against the others: what the third difference takes out.",
        figure=found.p_value,
    )


def other_estimator(study: Study, layout: Layout, estimate: Estimate) -> Challenge:
    """The same effect by other estimators."""
    clusters, _ = cluster_of(study, layout)
    weights = weights_of(study)
    x = study.x.to_numpy() if study.x.shape[1] else None
    rows: list[dict[str, Any]] = []
    fit = two_way(study.y, layout.d, x, absorb=absorbed(layout), clusters=clusters, weights=weights, bootstrap=False)
    fixed = {"estimator": "two-way fixed effects", "estimate": fit.estimate, "se": fit.fit.se}
    data = layout.adoption(study, clusters, weights).keep(usable_rows(layout))
    if layout.kind == "staggered":
        rows.append(fixed)
    others = [] if layout.unit is None or not layout.unit_once_a_period else [imputation]
    if others and not changes_within_units(study, layout):
        others.append(lambda data: callaway_santanna(data, comparison_of(study, layout)))
    for other in others:
        try:
            found = other(data)
        except DataError:
            continue
        if found.se > 0 and f"{found.method}" not in estimate.estimator:
            rows.append({"estimator": found.method, "estimate": found.estimate, "se": found.se})
    if not rows:
        return _said("not testable", "No other estimator applies to these rows.")
    far = max(rows, key=lambda row: abs(row["estimate"] - estimate.estimate))
    moved = abs(far["estimate"] - estimate.estimate) / estimate.se
    return _said(
        "doubt" if moved > _FAR else "stands",
        f"The farthest of {len(rows)} other estimators, {far['estimator']}, says {far['estimate']:.4g}: "
        f"{moved:.1f} standard errors away.",
        figure=far["estimate"],
        table=tuple(rows),
    )


def anticipation(study: Study, layout: Layout, estimate: Estimate) -> Challenge:
    """The last period before the treatment left out, in case it was acted on early."""
    rows = ~(layout.ever & (layout.period == layout.first - 1))
    earlier = layout.ever & (layout.period < layout.first - 1)
    if not earlier.any():
        return _said("not testable", "Two periods before the treatment are needed to leave out the last.")
    if layout.kind == "staggered" and not changes_within_units(study, layout):
        clusters, _ = cluster_of(study, layout)
        data = layout.adoption(study, clusters, weights_of(study)).keep(np.asarray(layout.first > 1))
        found: TwoWay | GroupTime = callaway_santanna(data, comparison_of(study, layout), anticipation=1)
    else:
        found = _on(study, layout, rows)
    moved = abs(found.estimate - estimate.estimate) / estimate.se
    return _said(
        "doubt" if moved > _FAR else "stands",
        f"Without the last period before the treatment the estimate is {found.estimate:.4g} ({found.se:.3g}): {moved:.1f} "
        "standard errors away.",
        figure=found.estimate,
    )


def leave_one_out(study: Study, layout: Layout, estimate: Estimate) -> Challenge:
    """Each treated cluster (or group of first treatment, where there are many) left out in turn."""
    clusters, level = cluster_of(study, layout)
    codes = layout.group if clusters is None else clusters
    treated = np.unique(codes[layout.d != 0])
    if len(treated) > _MOST_LEFT_OUT or layout.kind == "staggered":
        codes, level = np.where(layout.ever, layout.first, -1).astype(np.int64), "group of first treatment"
        treated = np.unique(codes[layout.ever & (layout.first > 0)])
    if not 1 < len(treated) <= _MOST_LEFT_OUT:
        return _said("not testable", f"{len(treated)} treated clusters or dates: nothing to leave out in turn.")
    rows: list[dict[str, Any]] = []
    for code in treated:
        keep = codes != code
        at = int(np.flatnonzero(~keep)[0])
        label = layout.periods.labels[int(code)] if level.startswith("group of") else _name(study, level, at)
        starts = np.unique(layout.first[keep & layout.ever])
        kind = "two groups" if layout.kind == "staggered" and len(starts) == 1 else layout.kind
        try:
            found = _on(study, replace(layout, kind=kind), keep)
        except DataError:
            continue
        rows.append({"without": label, "estimate": found.estimate, "se": found.se})
    if not rows:
        return _said("not testable", "Without any one of them nothing can be estimated.")
    values = [row["estimate"] for row in rows]
    flips = min(values) < 0 < max(values)
    return _said(
        "doubt" if flips and not estimate.ci_low <= 0 <= estimate.ci_high else "stands",
        f"Leaving out one {level} at a time moves the estimate between {min(values):.4g} and {max(values):.4g}.",
        figure=max(values, key=lambda value: abs(value - estimate.estimate)),
        table=tuple(rows),
    )


def other_comparison(study: Study, layout: Layout, estimate: Estimate) -> Challenge:
    """Never treated against not yet treated."""
    if layout.ever.all():
        return _said("not testable", "Nobody is never treated.")
    clusters, _ = cluster_of(study, layout)
    data = layout.adoption(study, clusters, weights_of(study), controls=not changes_within_units(study, layout))
    other = "not yet" if comparison_of(study, layout) == "never" else "never"
    found = callaway_santanna(data.keep(usable_rows(layout)), other)  # type: ignore[arg-type]
    moved = abs(found.estimate - estimate.estimate) / estimate.se
    return _said(
        "doubt" if moved > _FAR else "stands",
        f"Compared with the {other} treated, Callaway–Sant'Anna gives {found.estimate:.4g} ({found.se:.3g}): {moved:.1f} "
        "standard errors away.",
        figure=found.estimate,
    )


def lead_of_dose(study: Study, layout: Layout, estimate: Estimate) -> Challenge:
    """Next period's dose does nothing today."""
    assert layout.unit is not None
    doses = pd.DataFrame({"u": layout.unit, "t": layout.period, "d": layout.d}).groupby(["u", "t"])["d"].mean()
    ahead = doses.reindex(pd.MultiIndex.from_arrays([layout.unit, layout.period + 1])).to_numpy()
    rows = np.isfinite(ahead)
    if rows.mean() < 0.3:
        return _said("not testable", "Too few units are seen in two periods in a row.")
    x = np.column_stack([layout.d, study.x.to_numpy()])[rows]
    clusters, _ = cluster_of(study, layout)
    found = two_way(
        study.y[rows],
        ahead[rows],
        x,
        absorb=absorbed(layout)[rows],
        clusters=None if clusters is None else clusters[rows],
    )
    return _said(
        "doubt" if found.p_value < 0.05 else "stands",
        f"Next period's dose, given today's, goes with {found.estimate:.4g} ({found.se:.3g}, p = {found.p_value:.2g}): "
        "an effect before its cause would be a trend.",
        figure=found.p_value,
    )


def logs(study: Study, layout: Layout, estimate: Estimate) -> Challenge:
    """Trends that are parallel in levels are not so in logs."""
    if (study.y <= 0).any():
        return _said("not testable", "The outcome is not positive everywhere; it may be a logarithm already.")
    found = _on(study, layout, np.ones(study.n, dtype=bool), np.log(study.y))
    against = found.estimate * estimate.estimate < 0 and min(found.p_value, estimate.p_value or 1) < 0.05
    return _said(
        "doubt" if against else "stands",
        f"With the logarithm of the outcome the estimate is {found.estimate:.4g} ({found.se:.3g}): about "
        f"{np.expm1(found.estimate):+.1%}.",
        figure=found.estimate,
    )


def _said(
    verdict: ChallengeVerdict, sentence: str, figure: float | None = None, table: tuple[dict[str, Any], ...] = ()
) -> Challenge:
    """A challenge that `own` gives its name."""
    return Challenge("", verdict, sentence, figure, table)


def _on(study: Study, layout: Layout, rows: NDArray[np.bool_], y: Floats | None = None) -> TwoWay | GroupTime:
    """The design's own estimate on some of its rows, or of another outcome."""
    frame = study.frame if y is None else study.frame.assign(**{study.design.outcome: y})
    part = replace(study, frame=frame[rows].reset_index(drop=True))
    return estimated(part, layout.keep(rows), bootstrap=False)


def _name(study: Study, column: str, row: int) -> str:
    return str(study.frame[column].iloc[row]) if column in study.frame else str(row)


_Ask = Callable[["Study", Layout, Estimate], Challenge]
_OF_GROUPS: dict[str, _Ask] = {
    "event study": event_study_leads,
    "HonestDiD": honest,
    "placebo date": placebo_date,
    "other estimators": other_estimator,
    "anticipation": anticipation,
    "leave one out": leave_one_out,
    "logs": logs,
}
_OF_STAGGERED: dict[str, _Ask] = {**_OF_GROUPS, "other comparison group": other_comparison}
_OF_A_DOSE: dict[str, _Ask] = {"lead of the dose": lead_of_dose, "leave one out": leave_one_out, "logs": logs}
_OF_A_TRIPLE: dict[str, _Ask] = {
    "those it cannot touch": placebo_population,
    "leave one out": leave_one_out,
    "logs": logs,
}
