"""Checks that every design shares: something varies, there are rows enough, no control is affected by the treatment.

Each is a function of a study; a design's own `checks` yields from `common` first and adds what is its own.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leucippus.agents.designs.base import plain
from leucippus.agents.designs.result import Check
from leucippus.agents.designs.study import Floats, Study, indicators
from leucippus.agents.estimators.basis import basis, crossed_basis
from leucippus.agents.estimators.joint_test import explained, joint_p
from leucippus.agents.estimators.overlap import NO_COMPARISON, out_of_reach, propensity
from leucippus.agents.estimators.wild_bootstrap import FEW_CLUSTERS
from leucippus.graphs.adjustment import check_adjustment

FEWEST_ROWS = 10
_FEWEST_CLUSTERS = 4
"""Fewer leave one or two degrees of freedom, and a sandwich of that many pieces can be 0 where they follow the arms."""
_DETERMINED = 1 - 1e-9
_COMPONENT = 0.995


def common(study: Study) -> Iterator[Check]:
    """The shared checks that need no more than treatment, outcome, controls and clusters."""
    yield rows_enough(study)
    yield varies(study, study.design.outcome, "outcome")
    if study.design.codes_treatment:
        treatment = varies(study, study.design.treatment, "treatment")
        yield treatment
        if treatment.verdict == "passed" and study.design.controls:
            yield treatment_not_determined(study)
    yield outcome_is_later(study)
    yield from bad_controls(study)
    if study.design.cluster is not None:
        yield enough_clusters(study)


def rows_enough(study: Study) -> Check:
    needed = max(FEWEST_ROWS, study.x.shape[1] + 5)
    return Check(
        "rows",
        "passed" if study.n >= needed else "failed",
        f"{study.n:,} of {study.rows:,} rows are used; at least {needed} are needed for "
        f"{study.x.shape[1]} control columns.",
        figure=study.n,
        fatal=True,
        remedy="Bring more rows, fewer controls, or a wider subset.",
    )


def varies(study: Study, name: str, role: str) -> Check:
    values = study.frame[name].nunique()
    only = study.frame[name].iloc[0]
    return Check(
        f"{role} varies",
        "passed" if values > 1 else "failed",
        f"The {role} {name} takes {values:,} values."
        if values > 1
        else f"The {role} {name} is constant: it is {only} in all {study.n:,} rows, so there is nothing to compare.",
        figure=values,
        fatal=True,
        remedy="" if values > 1 else f"Bring rows in which {name} differs, such as a comparison group.",
    )


def treatment_not_determined(study: Study) -> Check:
    """No control, and no combination of them, fixes the treatment (no overlap at all, or perfect collinearity)."""
    share = explained(study.x.to_numpy(), study.d)[0]
    failed = share > _DETERMINED
    return Check(
        "treatment varies given the controls",
        "failed" if failed else "passed",
        f"The controls explain {share:.1%} of the treatment's variance"
        + (": they fix it (perfect collinearity), so treated and untreated never overlap." if failed else "."),
        figure=share,
        fatal=True,
        remedy=f"Leave out the control that coincides with {study.design.treatment}, or bring data in which it does not."
        if failed
        else "",
    )


def outcome_is_later(study: Study) -> Check:
    timing = study.timing.get(study.design.outcome)
    early = timing is not None and timing.when == "before"
    return Check(
        "outcome is measured after the treatment",
        "failed" if early else "passed" if timing else "not testable",
        f"{study.design.outcome} seems to be measured before the treatment ({timing.why}): a difference in it is a "
        "balance check or a placebo, not an effect."
        if timing and early
        else f"{study.design.outcome} is measured after the treatment ({timing.why})."
        if timing
        else f"Nothing says when {study.design.outcome} was measured.",
        remedy="Use an outcome measured after the treatment." if early else "",
    )


def bad_controls(study: Study) -> Iterator[Check]:
    """Controls that the treatment may have changed, that make up the outcome, or that the graph warns of."""
    design = study.design
    declared = [name for name in map(plain, design.controls) if name in design.after_treatment]
    if declared:
        yield Check(
            "controls precede the treatment",
            "failed",
            f"{', '.join(declared)} came after the treatment: to adjust for what it changed hides part of its effect "
            "or opens a path of its own.",
            fatal=True,
            remedy=f"Leave out {', '.join(declared)}.",
        )
    late = {
        name: study.timing[name].why
        for name in map(plain, design.controls)
        if name in study.timing and study.timing[name].when == "after" and name not in declared
    }
    if late:
        yield Check(
            "controls seem to precede the treatment",
            "failed",
            "; ".join(f"{name} may have been measured after the treatment ({why})" for name, why in late.items()) + ".",
            remedy=f"Leave out {', '.join(late)} unless you know that the treatment cannot have changed it.",
        )
    parts = outcome_components(study)
    if parts:
        name, correlation = max(parts.items(), key=lambda item: item[1])
        yield Check(
            "controls are no part of the outcome",
            "failed",
            f"{', '.join(parts)} nearly is the outcome in another form ({name}: correlation {correlation:.4f}).",
            figure=correlation,
            fatal=True,
            remedy=f"Leave out {', '.join(parts)}.",
        )
    if study.graph is not None:
        yield adjustment_by_graph(study)


def outcome_components(study: Study) -> dict[str, float]:
    """Numeric controls that are nearly a monotone function of the outcome, with their rank correlation."""
    outcome = study.frame[study.design.outcome].rank()
    found = {}
    for name in study.design.controls:
        if name not in study.frame or not pd.api.types.is_numeric_dtype(study.frame[name]):
            continue
        control = study.numbers(name)
        if len(np.unique(control)) < 3:
            continue
        correlation = abs(float(study.frame[name].rank().corr(outcome)))
        if correlation > _COMPONENT:
            found[name] = correlation
    return found


def adjustment_by_graph(study: Study) -> Check:
    """Whether the graph calls the controls a valid adjustment set: no effect of the treatment, no collider, no path."""
    design, graph = study.design, study.graph
    assert graph is not None
    missing = [name for name in (design.treatment, design.outcome) if name not in graph.nodes]
    if missing:
        return Check("controls by the graph", "not testable", f"The graph has no node {' or '.join(missing)}.")
    if design.treatment in graph.descendants(design.outcome):
        sentence = f"By the graph {design.outcome} is a cause of {design.treatment}, so the effect asked for is none."
        remedy = "Exchange treatment and outcome, or correct the graph."
        return Check("controls by the graph", "failed", sentence, fatal=True, remedy=remedy)
    controls = [name for name in map(plain, design.controls) if name in graph.nodes]
    found = check_adjustment(graph, design.treatment, design.outcome, controls)
    if found.valid:
        return Check("controls by the graph", "passed", "By the graph the controls close every back-door path.")
    if not found.forbidden and design.strategy != "backdoor":
        # A design with its own source of variation can live with an open back door, but not with a bad control.
        return Check("controls by the graph", "passed", "By the graph no control is an effect of the treatment.")
    return Check(
        "controls by the graph",
        "failed",
        "By the graph: " + "; ".join(found.reasons()) + ".",
        fatal=True,
        remedy="`leucippus identify` lists the sets of controls that close every path.",
    )


def enough_clusters(study: Study) -> Check:
    assert study.clusters is not None
    groups = int(study.clusters.max()) + 1
    return Check(
        "clusters",
        "passed" if groups >= FEW_CLUSTERS else "failed",
        f"{groups} clusters of {study.design.cluster}"
        + ("." if groups >= FEW_CLUSTERS else f"; fewer than {FEW_CLUSTERS} make clustered intervals too short."),
        figure=groups,
        fatal=groups < _FEWEST_CLUSTERS,
        remedy=""
        if groups >= FEW_CLUSTERS
        else "Bring more clusters; `inference` says whether the interval is that of the wild cluster bootstrap, which "
        "allows for few, or only has fewer degrees of freedom.",
    )


def overlap_of_treatment(study: Study) -> Check:
    """Whether both arms occur at like controls, for designs whose models are read off at the other arm's place."""
    if not study.binary:
        return Check(
            "overlap",
            "not testable",
            f"{study.design.treatment} is a dose, so there are no arms to overlap: that the equations hold wherever they "
            "are read is assumed.",
        )
    rows = int(min(study.d.sum(), (1 - study.d).sum()))
    return _within_reach(study, "overlap", basis(study.x.to_numpy(), rows), "the controls")


def overlap_of_mediators(study: Study, m: Floats, names: str, otherwise: str = "") -> Check:
    """Whether both arms have like mediators at like controls: what a mediator does is read off within each arm, at the
    values it has in the other.

    Parameters
    ----------
    m : (n, q) mediators, values that are taken one by one as indicators.
    names : the same in words.
    otherwise : what else the user can ask for.
    """
    x, rows = study.x.to_numpy(), int(min(study.d.sum(), (1 - study.d).sum()))
    what = names + (" and the controls" if x.shape[1] else "")
    return _within_reach(study, "overlap of the mediator", crossed_basis(m, x, rows), what, otherwise)


def _within_reach(study: Study, name: str, columns: Floats, what: str, otherwise: str = "") -> Check:
    untreated, treated = out_of_reach(study.d, propensity(study.d, columns))
    share = max(untreated, treated)
    failed = share > NO_COMPARISON
    return Check(
        name,
        "failed" if failed else "passed",
        f"{treated:.1%} of the treated and {untreated:.1%} of the untreated have values of {what} that are over 99 times "
        f"rarer in the other arm; at most {NO_COMPARISON:.0%} of either may"
        + (": what the other arm's outcome is there would be extrapolated." if failed else "."),
        figure=share,
        fatal=True,
        remedy=f"Ask about a subset in which both arms have like values of {what}, or bring such rows{otherwise}."
        if failed
        else "",
    )


def assignment_level(study: Study, assigned: Floats | None = None, what: str = "") -> Check:
    """Whether the treatment was given to groups of rows: columns within whose groups it never differs.

    Parameters
    ----------
    assigned : what was assigned, (n,), and in `what` its name, where that is not the treatment.
    """
    d = study.d if assigned is None else assigned
    found: list[tuple[int, str]] = []
    for name in (*(plain(control) for control in study.design.controls), *study.bystanders):
        column = study.frame[name]
        if pd.api.types.is_float_dtype(column) or study.design.cluster == name:
            continue
        codes = pd.factorize(column)[0]
        groups = int(codes.max()) + 1
        if not 2 < groups <= study.n / 2 or (codes < 0).any():
            continue
        size = np.bincount(codes)
        mean = np.bincount(codes, weights=d) / size
        within = float(np.bincount(codes, weights=d**2).sum() - (size * mean**2).sum())
        if within < 1e-9:
            found.append((groups, name))
    if study.design.cluster is not None:
        found = [item for item in found if item[0] < len(np.unique(study.frame[study.design.cluster]))]
    if not found:
        return Check("level of assignment", "passed", "No column groups rows that were all treated alike.")
    groups, name = max(found)
    return Check(
        "level of assignment",
        "failed",
        f"{what or study.design.treatment} never differs within the {groups} groups of {name}: it seems to have been "
        "given to groups, so rows of a group are not independent draws.",
        figure=groups,
        remedy=f"Add cluster: {name}.",
    )


def balance(study: Study, blocks: NDArray[np.int64] | None = None) -> tuple[dict[str, float], float, int]:
    """Differences between the arms in every `baseline` column, and the p-value of all of them at once.

    What was drawn is compared: clusters where the treatment never differs within them, otherwise rows; and within the
    blocks in which it was drawn, (n,) codes.

    Returns
    -------
    differences (column → difference in standard deviations), p-value of the F test of treatment on all of them
    (nan if there are none), and how many columns that test has.
    """
    names = baseline(study)
    if not names or not study.binary:
        return {}, float("nan"), 0
    frame = indicators(study.frame[names].fillna(study.frame[names].median(numeric_only=True)), names)
    x, d = frame.to_numpy(), study.d
    if study.clusters is not None:
        size = np.bincount(study.clusters)
        share = np.bincount(study.clusters, d) / size
        if np.isin(share, (0, 1)).all():
            first = np.unique(study.clusters, return_index=True)[1]
            x = np.column_stack([np.bincount(study.clusters, column) / size for column in x.T])
            d, blocks = share, None if blocks is None else blocks[first]
    spread = np.sqrt((x[d == 1].var(axis=0) + x[d == 0].var(axis=0)) / 2)
    lost = 0
    if blocks is not None:
        size = np.bincount(blocks)
        x = x - np.column_stack([np.bincount(blocks, column) / size for column in x.T])[blocks]
        d = d - (np.bincount(blocks, d) / size)[blocks]
        lost = int((size > 0).sum()) - 1
    away = d - d.mean()
    if not away.any():
        return {}, float("nan"), 0
    apart = away @ x / (away @ away)  # the slope on the treatment: without blocks, the difference in means
    with np.errstate(divide="ignore", invalid="ignore"):
        # A column that never varies within the arms, and differs between them, differs without limit.
        difference = np.where(np.abs(apart) > 1e-12 * np.abs(x).max(axis=0, initial=1.0), apart / spread, 0.0)
    return dict(zip(frame.columns, map(float, difference), strict=True)), joint_p(x, d, lost), x.shape[1]


def baseline(study: Study) -> list[str]:
    """Columns known to precede the treatment that can be tested for balance: controls, those the design names, and those
    whose name or description says so. A column of which nothing is known may be an effect, so it proves nothing."""
    design = study.design
    names = dict.fromkeys((*map(plain, design.controls), *design.before_treatment, *study.bystanders))
    known = {*map(plain, design.controls), *design.before_treatment}
    early = {name for name, timing in study.timing.items() if timing.when == "before"}
    late = {name for name, timing in study.timing.items() if timing.when == "after"} | set(design.after_treatment)
    return [name for name in names if name in known | early and name not in late and usable(study, name)]


def usable(study: Study, name: str) -> bool:
    """A numeric or few-valued column that varies, is nearly complete, and is neither treatment nor outcome."""
    column = study.frame[name]
    if name in (study.design.treatment, study.design.outcome) or column.isna().mean() > 0.1:
        return False
    if pd.api.types.is_numeric_dtype(column):
        return bool(column.nunique() > 1)
    return bool(column.dtype == object and 1 < column.nunique() <= 20)
