"""Front door: treatment and outcome share unmeasured causes, but the effect runs through mediators that do not.

Three claims, none of which data can prove: all of the effect runs through the mediators; nothing unmeasured moves both
treatment and mediators; whatever moves both mediators and outcome is the treatment or a control. A graph can refute
them, and what is needed to compute, that every value of a mediator occurs with and without the treatment, is checked.

References
----------
Pearl (1995), Biometrika 82: the criterion. Glynn and Kashin (2018), J. Am. Stat. Assoc. 113: its bias when it fails.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from leucippus.agents.designs.base import Design, Names, plain
from leucippus.agents.designs.checks import common, overlap_of_mediators, overlap_of_treatment, varies
from leucippus.agents.designs.result import Challenge, Check, Estimate
from leucippus.agents.estimators.front_door import discrete_front_door, linear_front_door, product_second
from leucippus.agents.estimators.influence import Effect
from leucippus.agents.estimators.joint_test import explained
from leucippus.agents.estimators.regression import regress
from leucippus.graphs.front_door import check_front_door, goes_around
from leucippus.graphs.separation import open_path

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from leucippus.agents.designs.study import Floats, Study
    from leucippus.agents.estimators.front_door import Codes

_FEW_VALUES = 6
"""A mediator with at most so many values is taken value by value."""
_MOST_CELLS = 12
"""Combinations of the values of several mediators."""
_ROWS_A_CELL = 5
_THE_SAME = 1 - 1e-6


class FrontDoor(Design):
    """A treatment whose whole effect runs through measured mediators."""

    estimands: ClassVar[tuple[str, ...]] = ("ATE",)
    aliases: ClassVar[tuple[str, ...]] = ("front_door",)
    column_fields: ClassVar[tuple[str, ...]] = ("mediator",)

    strategy: Literal["frontdoor"] = "frontdoor"
    mediator: Names = Field(description="Column or columns through which all of the effect runs.")

    @model_validator(mode="after")
    def _columns_of_their_own(self) -> FrontDoor:
        if not self.mediator:
            raise ValueError("a front door needs at least one mediator")
        taken = [name for name in self.mediator if name in (self.treatment, self.outcome)]
        if taken:
            raise ValueError(f"the mediator {taken[0]!r} is the treatment or the outcome; it is a third column")
        return self

    def checks(self, study: Study) -> Iterator[Check]:
        yield from common(study)
        vary = [varies(study, name, "mediator") for name in self.mediator]
        yield from vary
        apart = mediators_are_no_controls(study)
        yield apart
        if any(check.verdict == "failed" for check in (*vary, apart)):
            return
        yield order_in_time(study)
        yield mediators_are_not_the_outcome(study)
        reach = overlap_of_treatment(study)
        if self.controls or not study.binary:
            yield reach
        every = every_value_in_both_arms(study)
        yield every
        if every.verdict == "passed":
            if reach.verdict == "passed":
                yield overlap_of_mediators(study, mediators(study), " × ".join(self.mediator))
            yield treatment_moves_mediators(study)
        if study.graph is not None:
            yield by_the_graph(study)
        through = " and ".join(self.mediator)
        yield Check(
            "no direct effect",
            "not testable",
            f"That all of {self.treatment}'s effect runs through {through}, and that nothing unmeasured moves {through} "
            f"together with {self.treatment} or {self.outcome}, cannot be seen in data.",
        )

    def estimate(self, study: Study) -> Estimate:
        codes = cells(study)
        effect = run(study)
        low, high = effect.interval()
        through = " and ".join(self.mediator)
        return Estimate(
            effect.estimate,
            effect.se,
            low,
            high,
            estimand=self.estimand,
            population=self.subset or "the rows used",
            units=f"{self.outcome}, {study.contrast}, through {through}",
            estimator="front-door formula, linear equations"
            if codes is None
            else f"front-door formula, augmented, over {int(codes.max()) + 1} values of {through}",
            inference=effect.inference,
            n_used=study.n,
            assumptions=(
                f"All of the effect of {self.treatment} runs through {through}.",
                f"Nothing unmeasured moves both {self.treatment} and {through}.",
                f"What moves both {through} and {self.outcome} is {self.treatment} or a control.",
                "Nobody's outcome depends on what others were given.",
            ),
            p_value=effect.p_value,
            n_treated=study.n_treated,
            n_control=study.n_control,
            clusters=study.n_clusters,
            dropped=study.dropped,
            second=(
                product_second(
                    study.y,
                    study.d,
                    mediators(study),
                    study.x.to_numpy(),
                    effect,
                    interaction=study.binary,
                    same=codes is None,
                ),
            ),
            details={"mediators": list(self.mediator), "unadjusted for what is unmeasured": naive(study)},
        )

    def challenges(self, study: Study, estimate: Estimate) -> Iterator[Challenge]:
        bare = naive(study)
        yield Challenge(
            "plain comparison",
            "stands",
            f"Adjusting for the controls alone gives {bare:.4g}, the front door {estimate.estimate:.4g}: the difference is "
            "what unmeasured causes add, or the effect that runs past the mediators.",
            figure=bare,
        )
        if len(self.mediator) > 1:
            yield one_left_out(study)

    def draw(self, axes: Axes, study: Study, estimate: Estimate) -> None:
        """The plain comparison beside the front door's."""
        fit = regress(study.y, study.d, study.x.to_numpy(), clusters=study.clusters, robust="HC2")
        spans = {"plain": (fit.estimate, *fit.interval())}
        spans["front door"] = (estimate.estimate, estimate.ci_low, estimate.ci_high)
        for position, (middle, low, high) in enumerate(spans.values()):
            axes.plot([low, high], [position, position], color="C0")
            axes.plot(middle, position, "o", color="C0")
        axes.axvline(0, color="grey", linewidth=0.8)
        axes.set_yticks(range(len(spans)), list(spans))
        axes.set(xlabel=f"effect of {self.treatment} on {self.outcome}", title=estimate.estimator)


def _design(study: Study) -> FrontDoor:
    assert isinstance(study.design, FrontDoor)
    return study.design


def cells(study: Study) -> Codes | None:
    """Combination of mediator values of each row, (n,), where they are few and the treatment is two values."""
    names = list(_design(study).mediator)
    if not study.binary or any(study.frame[name].nunique() > _FEW_VALUES for name in names):
        return None
    codes = np.asarray(study.frame.groupby(names, sort=True).ngroup().to_numpy(), dtype=np.int64)
    return codes if codes.max() < _MOST_CELLS else None


def mediators(study: Study) -> Floats:
    """Mediators as numbers, (n, q): values that are taken one by one as indicators of all but the first."""
    codes = cells(study)
    if codes is not None:
        return np.asarray(codes[:, None] == np.arange(1, codes.max() + 1), dtype=np.float64)
    return np.column_stack([study.numbers(name) for name in _design(study).mediator])


def run(study: Study) -> Effect:
    codes, x = cells(study), study.x.to_numpy()
    if codes is not None:
        return discrete_front_door(study.y, study.d, codes, x, clusters=study.clusters)
    return linear_front_door(study.y, study.d, mediators(study), x, interaction=study.binary, clusters=study.clusters)


def naive(study: Study) -> float:
    return regress(study.y, study.d, study.x.to_numpy(), robust="HC2").estimate


def mediators_are_no_controls(study: Study) -> Check:
    design = _design(study)
    among = [name for name in design.mediator if name in map(plain, design.controls)]
    return Check(
        "mediators are no controls",
        "failed" if among else "passed",
        f"{', '.join(among)} is both mediator and control." if among else "No mediator is among the controls.",
        fatal=True,
        remedy=f"Leave {', '.join(among)} out of the controls." if among else "",
    )


def order_in_time(study: Study) -> Check:
    """Treatment, then mediators, then outcome."""
    design = _design(study)
    declared = [name for name in design.mediator if name in design.before_treatment]
    seem = {
        name: study.timing[name].why
        for name in design.mediator
        if name in study.timing and study.timing[name].when == "before"
    }
    if declared or seem:
        why = "stated in the design" if declared else "; ".join(seem.values())
        return Check(
            "mediators follow the treatment",
            "failed",
            f"{', '.join(declared or seem)} was measured before the treatment ({why}), so the treatment cannot have moved "
            "it.",
            fatal=bool(declared),
            remedy="Use mediators measured after the treatment and before the outcome.",
        )
    known = all(name in study.timing or name in design.after_treatment for name in design.mediator)
    return Check(
        "mediators follow the treatment",
        "passed" if known else "not testable",
        f"{', '.join(design.mediator)} followed the treatment."
        if known
        else f"Nothing says when {', '.join(design.mediator)} came about.",
    )


def mediators_are_not_the_outcome(study: Study) -> Check:
    share = explained(mediators(study), study.y)[0]
    same = share > _THE_SAME
    names = ", ".join(_design(study).mediator)
    return Check(
        "mediators are not the outcome",
        "failed" if same else "passed",
        f"{names} explain{'s' if len(_design(study).mediator) == 1 else ''} {share:.1%} of {study.design.outcome}"
        + (": that is the outcome in another form, and the front door becomes a plain comparison." if same else "."),
        figure=share,
        fatal=True,
        remedy="Name what the effect runs through, measured before the outcome." if same else "",
    )


def every_value_in_both_arms(study: Study) -> Check:
    """What a value of the mediator does is read off within each arm, so it must occur there."""
    codes, names = cells(study), " × ".join(_design(study).mediator)
    if codes is None:
        m, z = mediators(study), np.column_stack([np.ones(study.n), study.d, study.x.to_numpy()])
        rest = m - z @ np.linalg.lstsq(z, m, rcond=None)[0]
        left = float(np.min((rest**2).sum(axis=0) / ((m - m.mean(axis=0)) ** 2).sum(axis=0)))
        together = int(np.linalg.matrix_rank(rest / m.std(axis=0), tol=1e-6 * study.n**0.5)) < m.shape[1]
        failed = left < 1e-9 or together
        return Check(
            "mediators vary at a given treatment",
            "failed" if failed else "passed",
            f"{left:.1%} of the variance of {names} is left at a given treatment and given controls (the least of them)"
            + (": nothing to read its effect off." if failed else "."),
            figure=left,
            fatal=True,
            remedy="Leave out the mediator that the treatment or the others determine." if failed else "",
        )
    table = np.stack([np.bincount(codes[study.d == arm], minlength=codes.max() + 1) for arm in (0, 1)])
    fewest = int(table.min())
    return Check(
        "mediators vary at a given treatment",
        "passed" if fewest >= _ROWS_A_CELL else "failed",
        f"Each of the {codes.max() + 1} values of {names} occurs in at least {fewest} rows of each arm; "
        f"{_ROWS_A_CELL} are needed.",
        figure=fewest,
        fatal=True,
        remedy="" if fewest >= _ROWS_A_CELL else "Join rare values, or bring rows in which the mediator takes them.",
    )


def treatment_moves_mediators(study: Study) -> Check:
    """Some mediator differs with the treatment; otherwise the effect through them is 0."""
    m = mediators(study)
    p = min(
        regress(column, study.d, study.x.to_numpy(), clusters=study.clusters, robust="HC2").p_value for column in m.T
    )
    p = min(1.0, p * m.shape[1])
    names = ", ".join(_design(study).mediator)
    return Check(
        "treatment moves the mediators",
        "passed" if p < 0.05 else "failed",
        f"Smallest p-value, times their number, that {study.contrast} leaves {names} as it is: {p:.2g}.",
        figure=p,
        remedy="" if p < 0.05 else "Read the interval, not the number: little is seen to pass through the mediators.",
    )


def by_the_graph(study: Study) -> Check:
    design, graph = _design(study), study.graph
    assert graph is not None
    d, y, m = design.treatment, design.outcome, design.mediator
    missing = [name for name in (d, y, *m) if name not in graph.nodes]
    if missing:
        return Check("front door by the graph", "not testable", f"The graph has no node {' or '.join(missing)}.")
    given = [name for name in map(plain, design.controls) if name in graph.nodes and name not in m]
    if not given:
        against = list(check_front_door(graph, d, y, m))
    else:
        # The same criterion within levels of the controls: back doors may be closed by them.
        around = goes_around(graph, d, y, m)
        against = [] if around is None else [around]
        for start, end, known in ((d, m, given), (m, y, [*given, d])):
            path = open_path(graph.without_outgoing(start), start, end, known)
            if path is not None:
                against.append(f"the back-door path {path.text()} is open")
    return Check(
        "front door by the graph",
        "failed" if against else "passed",
        "By the graph " + "; ".join(against) + "."
        if against
        else "By the graph the mediators take up the whole effect and are free of the unmeasured causes.",
        fatal=bool(against),
        remedy="`leucippus identify` lists the front-door sets and other ways to the effect." if against else "",
    )


def one_left_out(study: Study) -> Challenge:
    """The effect through all mediators but one: what each carries."""
    m, x = np.column_stack([study.numbers(name) for name in _design(study).mediator]), study.x.to_numpy()
    rows = []
    for j, name in enumerate(_design(study).mediator):
        rest = linear_front_door(
            study.y, study.d, np.delete(m, j, axis=1), x, interaction=study.binary, clusters=study.clusters
        )
        rows.append({"without": name, "estimate": rest.estimate, "se": rest.se})
    return Challenge(
        "one mediator left out",
        "stands",
        "Linear estimates without " + ", ".join(f"{row['without']}: {row['estimate']:.4g}" for row in rows) + ".",
        table=tuple(rows),
    )
