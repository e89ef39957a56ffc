"""Which estimator a difference-in-differences layout gets, on which rows, clustered how."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from leucippus.agents.designs.did_layout import Ints, Layout
from leucippus.agents.estimators.group_time import Comparison, GroupTime, callaway_santanna, imputation, sun_abraham
from leucippus.agents.estimators.second import SecondOpinion, compare
from leucippus.agents.estimators.two_way import TwoWay, second_two_way, two_way
from leucippus.errors import DataError

if TYPE_CHECKING:
    from leucippus.agents.designs.did import Did
    from leucippus.agents.designs.study import Floats, Study

_FEWEST_GROUPS = 4
"""Levels of the group column from which they can serve as clusters."""


def cluster_of(study: Study, layout: Layout) -> tuple[Ints | None, str]:
    """Clusters of the standard error: the one named, else the unit, else the level of the treated group."""
    design: Did = study.design  # type: ignore[assignment]
    if design.cluster is not None:
        return study.clusters, design.cluster
    if layout.unit is not None:
        return layout.unit, str(design.unit)
    if len(np.unique(layout.group)) >= _FEWEST_GROUPS:
        return layout.group, "the level of the treated group"
    return None, ""


def weights_of(study: Study) -> Floats | None:
    """The weights, (n,), or None.

    Raises
    ------
    DataError : one is not positive.
    """
    name = study.design.weights  # type: ignore[attr-defined]
    if name is None:
        return None
    weights = study.numbers(name)
    if (weights <= 0).any():
        raise DataError(
            f"{int((weights <= 0).sum())} weights in {name!r} are zero or negative",
            expected="positive weights",
            next_step=f"Add subset: {name} > 0 if those rows do not count.",
        )
    return weights


def comparison_of(study: Study, layout: Layout) -> Comparison:
    """As named; else the never treated where there are any."""
    named = study.design.comparison  # type: ignore[attr-defined]
    if named:
        return named  # type: ignore[no-any-return]
    return "not yet" if layout.ever.all() else "never"


def changes_within_units(study: Study, layout: Layout) -> bool:
    """Whether a control differs between periods of one unit."""
    if layout.unit is None or not study.x.shape[1]:
        return False
    return bool((study.x.groupby(layout.unit).nunique() > 1).any(axis=None))


def usable_rows(layout: Layout) -> NDArray[np.bool_]:
    """All but the rows of units treated from the first period on: they have no before, and cannot be compared with."""
    return np.asarray(layout.first > 0)


def estimated(study: Study, layout: Layout, *, bootstrap: bool = True) -> TwoWay | GroupTime:
    """The estimate of this kind of design.

    Raises
    ------
    DataError : the data do not carry it.
    """
    if layout.kind == "staggered":
        data = layout.adoption(study, cluster_of(study, layout)[0], weights_of(study)).keep(usable_rows(layout))
        if changes_within_units(study, layout):
            return imputation(data)
        return callaway_santanna(data, comparison_of(study, layout))
    # A triple difference and a dose have no one date before and after which whole clusters could be compared.
    profile = layout.post.astype(np.float64) if layout.kind == "two groups" else None
    return two_way(
        study.y,
        layout.d,
        study.x.to_numpy() if study.x.shape[1] else None,
        absorb=absorbed(layout),
        clusters=cluster_of(study, layout)[0],
        profile=profile,
        weights=weights_of(study),
        bootstrap=bootstrap,
    )


def second_opinion(study: Study, layout: Layout, found: TwoWay | GroupTime) -> tuple[SecondOpinion, ...]:
    """linearmodels beside pyfixest; Sun–Abraham beside Callaway–Sant'Anna, where they are the same number."""
    clusters, _ = cluster_of(study, layout)
    weights = weights_of(study)
    if isinstance(found, TwoWay):
        x = study.x.to_numpy() if study.x.shape[1] else None
        rows_alone = found.clusters is None
        return (
            second_two_way(
                study.y,
                layout.d,
                x,
                found,
                absorb=absorbed(layout),
                clusters=None if rows_alone else clusters,
                weights=weights,
            ),
        )
    data = layout.adoption(study, clusters, weights).keep(usable_rows(layout))
    # Without the never treated, Sun–Abraham compares with the group treated last alone: another estimand.
    if data.x is not None or not layout.unit_once_a_period or comparison_of(study, layout) == "not yet":
        return ()
    other = sun_abraham(data)
    why = "regression standard errors there, influence functions here; gaps in the panel weigh differently"
    return (compare("diff-diff SunAbraham", other.estimate, other.se, (found.estimate, found.se), why),)


def absorbed(layout: Layout) -> Ints:
    """Codes of the fixed effects, (n, f): unit (or group) and period; for a triple difference each pair of the three."""
    who = layout.group if layout.unit is None else layout.unit
    if layout.third is None:
        return np.column_stack([who, layout.period])
    third = layout.third.astype(np.int64)
    arm = layout.group if len(np.unique(layout.first)) > 2 or layout.unit is None else layout.ever.astype(np.int64)
    pairs = [pair(arm, layout.period), pair(third, layout.period), pair(arm, third)]
    return np.column_stack(pairs if layout.unit is None else [*pairs, layout.unit])


def pair(a: Ints, b: Ints) -> Ints:
    """One code for each combination."""
    return np.asarray(np.unique(a * (int(b.max()) + 1) + b, return_inverse=True)[1], dtype=np.int64)
