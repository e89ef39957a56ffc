"""Mediation: how much of a treatment's effect runs through a mediator, and how much past it.

Two assumptions, not one: the treatment is as good as random given the controls, and so is the mediator given the
treatment and the controls (sequential ignorability). A lottery of the treatment gives the first and never the second,
which no data can test; the answer carries how strong a confounder of mediator and outcome would have to be.

References
----------
Imai, Keele and Tingley (2010), Psychol. Methods 15: definitions, estimation, sensitivity.
Pearl (2001), Direct and indirect effects, UAI: the same effects under their natural names.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from leucippus.agents.designs.base import Design, plain
from leucippus.agents.designs.checks import common, overlap_of_mediators, overlap_of_treatment, varies
from leucippus.agents.designs.result import Challenge, Check, Estimate
from leucippus.agents.estimators.mediation import Mediation as Mediated
from leucippus.agents.estimators.mediation import by_statsmodels, error_correlation, indirect_under, mediate
from leucippus.agents.estimators.regression import regress
from leucippus.graphs.adjustment import check_adjustment

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from leucippus.agents.designs.study import Study

_COMPONENT = 0.995
_FRAGILE = 0.1
"""A correlation of errors this small that would undo the effect is easily brought about by one confounder."""
_RHOS = np.round(np.arange(-0.9, 0.91, 0.1), 1)
_OUTSIDE = 0.05
_TOTAL = "; the total effect, by a backdoor or an rct design, does without"


class Mediation(Design):
    """A treatment, a mediator it moves, and an outcome both may move."""

    estimands: ClassVar[tuple[str, ...]] = ("indirect effect", "direct effect")
    column_fields: ClassVar[tuple[str, ...]] = ("mediator",)

    strategy: Literal["mediation"] = "mediation"
    mediator: str = Field(description="Column between treatment and outcome; a number, measured between the two.")
    interaction: bool | None = Field(
        default=None,
        description="Whether the mediator may work differently with and without the treatment. Left out: yes for a "
        "treatment of two values, no for a dose.",
    )

    @model_validator(mode="after")
    def _three_columns(self) -> Mediation:
        if self.mediator in (self.treatment, self.outcome):
            raise ValueError(f"the mediator {self.mediator!r} is the treatment or the outcome; it is a third column")
        return self

    def checks(self, study: Study) -> Iterator[Check]:
        yield from common(study)
        mediator = varies(study, self.mediator, "mediator")
        yield mediator
        apart = mediator_is_no_control(study)
        yield apart
        if "failed" in (mediator.verdict, apart.verdict):
            return
        yield order_in_time(study)
        reach = overlap_of_treatment(study)
        if self.controls or not study.binary:
            yield reach
        alone = mediator_is_its_own(study)
        yield alone
        if alone.verdict == "passed":
            if reach.verdict == "passed":
                yield overlap_of_mediators(study, study.numbers(self.mediator)[:, None], self.mediator, _TOTAL)
            yield treatment_moves_mediator(study)
            yield within_range(study)
        if study.graph is not None:
            yield by_the_graph(study)
        yield Check(
            "sequential ignorability",
            "not testable",
            f"That nothing left out moves both {self.mediator} and {self.outcome}, and that no such thing is itself moved "
            f"by {self.treatment}, cannot be seen in data, even where {self.treatment} was drawn by lot.",
        )

    def estimate(self, study: Study) -> Estimate:
        found = mediated(study)
        effect = found.indirect if self.estimand == "indirect effect" else found.direct
        path = f"through {self.mediator}" if self.estimand == "indirect effect" else f"past {self.mediator}"
        binary = [name for name in (self.mediator, self.outcome) if _two_valued(study, name)]
        return Estimate(
            effect.estimate,
            effect.se,
            effect.low,
            effect.high,
            estimand=self.estimand,
            population=self.subset or "the rows used",
            units=f"{self.outcome}, {study.contrast}, {path}",
            estimator="linear models of mediator and outcome"
            + (", with interaction" if found.interaction else "")
            + (f" (linear probability for {' and '.join(binary)})" if binary else ""),
            inference=found.inference,
            n_used=found.n,
            assumptions=(
                f"Given the controls, {self.treatment} is as good as drawn by lot.",
                f"Given the controls and {self.treatment}, {self.mediator} is as good as drawn by lot.",
                f"Nothing that {self.treatment} moves moves both {self.mediator} and {self.outcome}.",
                f"{self.mediator} and {self.outcome} are linear in what stands before them.",
                "Nobody's outcome depends on what others were given.",
            ),
            p_value=effect.p_value,
            n_treated=study.n_treated,
            n_control=study.n_control,
            clusters=study.n_clusters,
            dropped=study.dropped,
            second=(
                by_statsmodels(
                    study.y,
                    study.d,
                    study.numbers(self.mediator),
                    study.x.to_numpy(),
                    found,
                    direct=self.estimand == "direct effect",
                    between=between(study),
                ),
            ),
            details=details(found),
        )

    def challenges(self, study: Study, estimate: Estimate) -> Iterator[Challenge]:
        yield confounded_mediator(study)
        yield interaction_matters(study)
        if self.controls:
            yield without_controls(study, estimate)

    def draw(self, axes: Axes, study: Study, estimate: Estimate) -> None:
        """Indirect, direct and total effect with their intervals."""
        found = mediated(study)
        effects = {"total": found.total, "direct": found.direct, "indirect": found.indirect}
        for position, effect in enumerate(effects.values()):
            axes.plot([effect.low, effect.high], [position, position], color="C0")
            axes.plot(effect.estimate, position, "o", color="C0")
        axes.axvline(0, color="grey", linewidth=0.8)
        axes.set_yticks(range(3), list(effects))
        axes.set(xlabel=f"effect of {self.treatment} on {self.outcome}", title=estimate.estimator)


def between(study: Study) -> tuple[float, float]:
    """The two values of the treatment that are compared: a dose, half a unit below and above its mean."""
    middle = 0.5 if study.binary else float(study.d.mean())
    return middle - 0.5, middle + 0.5


def mediated(study: Study, *, interaction: bool | None = None, controls: bool = True) -> Mediated:
    design = study.design
    assert isinstance(design, Mediation)
    asked = design.interaction if interaction is None else interaction
    return mediate(
        study.y,
        study.d,
        study.numbers(design.mediator),
        study.x.to_numpy() if controls else None,
        between=between(study),
        interaction=study.binary if asked is None else asked,
        clusters=study.clusters,
    )


def details(found: Mediated) -> dict[str, object]:
    parts = {
        "indirect effect": found.indirect,
        "direct effect": found.direct,
        "total effect": found.total,
        "treatment on mediator": found.on_mediator,
        "mediator on outcome": found.of_mediator,
    }
    if found.interaction is not None:
        parts["treatment × mediator"] = found.interaction
    return {
        "effects": {
            name: {"estimate": part.estimate, "se": part.se, "ci_low": part.low, "ci_high": part.high}
            for name, part in parts.items()
        },
        "indirect effect with the treatment at its lower and its upper value": list(found.indirect_at),
        "direct effect with the mediator as without and as with the treatment": list(found.direct_at),
        "share mediated": found.proportion,
        "correlation of errors at which the indirect effect is 0": found.rho,
    }


def mediator_is_no_control(study: Study) -> Check:
    design = study.design
    assert isinstance(design, Mediation)
    among = design.mediator in map(plain, design.controls)
    return Check(
        "mediator is no control",
        "failed" if among else "passed",
        f"The mediator {design.mediator} is among the controls: to adjust for it takes away the path that is asked about."
        if among
        else f"The mediator {design.mediator} is not among the controls.",
        fatal=True,
        remedy=f"Leave {design.mediator} out of the controls." if among else "",
    )


def order_in_time(study: Study) -> Check:
    """Treatment, then mediator, then outcome."""
    design = study.design
    assert isinstance(design, Mediation)
    declared, seems = design.mediator in design.before_treatment, study.timing.get(design.mediator)
    if declared or (seems is not None and seems.when == "before"):
        why = "stated in the design" if declared or seems is None else seems.why
        return Check(
            "mediator lies between treatment and outcome",
            "failed",
            f"{design.mediator} was measured before the treatment ({why}), so the treatment cannot have moved it.",
            fatal=declared,
            remedy="Use a mediator measured after the treatment and before the outcome.",
        )
    if seems is None and design.mediator not in design.after_treatment:
        return Check(
            "mediator lies between treatment and outcome",
            "not testable",
            f"Nothing says when {design.mediator} was measured; were it after {design.outcome}, it could not have moved it.",
        )
    why = "stated in the design" if seems is None else seems.why
    return Check(
        "mediator lies between treatment and outcome",
        "passed",
        f"{design.mediator} was measured after the treatment ({why}); that it came before {design.outcome} is assumed.",
    )


def mediator_is_its_own(study: Study) -> Check:
    """Neither treatment and controls fix the mediator, nor is it the outcome in another form."""
    from scipy.stats import spearmanr

    design = study.design
    assert isinstance(design, Mediation)
    m = study.numbers(design.mediator)
    z = np.column_stack([study.d, study.x.to_numpy()])
    z, target = z - z.mean(axis=0), m - m.mean()
    rest = target - z @ np.linalg.lstsq(z, target, rcond=None)[0]
    explained = 1 - float(rest @ rest) / float(target @ target)
    fixed = explained > 1 - 1e-9
    correlation = abs(float(spearmanr(m, study.y).statistic)) if len(np.unique(study.y)) > 2 else float("nan")
    same = correlation > _COMPONENT
    return Check(
        "mediator stands by itself",
        "failed" if fixed or same else "passed",
        f"Treatment and controls explain {explained:.1%} of {design.mediator}'s variance"
        + (": they fix it, so what it does cannot be told from what they do." if fixed else ".")
        + (
            f" It nearly is {design.outcome} in another form (rank correlation {correlation:.4f})."
            if same and not fixed
            else ""
        ),
        figure=explained,
        fatal=True,
        remedy="Use a mediator that is neither the treatment, a control nor the outcome in another form."
        if fixed or same
        else "",
    )


def treatment_moves_mediator(study: Study) -> Check:
    design = study.design
    assert isinstance(design, Mediation)
    fit = regress(study.numbers(design.mediator), study.d, study.x.to_numpy(), clusters=study.clusters, robust="HC3")
    moved = fit.p_value < 0.05
    return Check(
        "treatment moves the mediator",
        "passed" if moved else "failed",
        f"{study.contrast} moves {design.mediator} by {fit.estimate:.3g} (standard error {fit.se:.2g}, "
        f"p = {fit.p_value:.2g})" + ("." if moved else ": nothing is seen to pass this way."),
        figure=fit.p_value,
        remedy="" if moved else "Read the interval, not the number: the first half of the path may not be there.",
    )


def within_range(study: Study) -> Check:
    """Linear models of 0/1 columns predict probabilities that are some."""
    design = study.design
    assert isinstance(design, Mediation)
    m = study.numbers(design.mediator)
    x = study.x.to_numpy()
    equations = {
        design.mediator: (m, np.column_stack([study.d, x])),
        design.outcome: (study.y, np.column_stack([study.d, m, x])),
    }
    outside = {}
    for name, (target, z) in equations.items():
        if _two_valued(study, name):
            z = np.column_stack([np.ones(study.n), z])
            fitted = z @ np.linalg.lstsq(z, target, rcond=None)[0]
            outside[name] = float(((fitted < target.min()) | (fitted > target.max())).mean())
    if not outside:
        return Check(
            "linear models fit", "not testable", "Mediator and outcome are no probabilities, so any value is one."
        )
    name, worst = max(outside.items(), key=lambda item: item[1])
    return Check(
        "linear models fit",
        "failed" if worst > _OUTSIDE else "passed",
        f"The linear probability model of {name} leaves the possible range in {worst:.1%} of rows.",
        figure=worst,
        remedy="Read the number as a rough average; a rare outcome or a strong control bends the true curve."
        if worst > _OUTSIDE
        else "",
    )


def by_the_graph(study: Study) -> Check:
    """Sequential ignorability in the graph that is given."""
    design, graph = study.design, study.graph
    assert isinstance(design, Mediation) and graph is not None
    missing = [name for name in (design.treatment, design.mediator, design.outcome) if name not in graph.nodes]
    if missing:
        return Check("mediation by the graph", "not testable", f"The graph has no node {' or '.join(missing)}.")
    controls = [name for name in map(plain, design.controls) if name in graph.nodes and name != design.mediator]
    steps = (
        (design.treatment, design.mediator, controls),
        (design.treatment, design.outcome, controls),
        (design.mediator, design.outcome, [*controls, design.treatment]),
    )
    against = [
        f"{cause} → {effect}: {reason}"
        for cause, effect, given in steps
        for reason in check_adjustment(graph, cause, effect, given).reasons()
    ]
    return Check(
        "mediation by the graph",
        "failed" if against else "passed",
        "By the graph: " + "; ".join(against) + "."
        if against
        else "By the graph, treatment and mediator are as good as random given the controls.",
        fatal=bool(against),
        remedy="Measure what moves both mediator and outcome, or ask for the total effect with a backdoor design."
        if against
        else "",
    )


def confounded_mediator(study: Study) -> Challenge:
    """How strong a confounder of mediator and outcome would have to be to undo the indirect effect."""
    design = study.design
    assert isinstance(design, Mediation)
    data = (study.y, study.d, study.numbers(design.mediator), study.x.to_numpy())
    rho, effects = error_correlation(*data), indirect_under(_RHOS, *data)
    return Challenge(
        "confounded mediator",
        "doubt" if abs(rho) < _FRAGILE else "stands",
        f"Were the errors of {design.mediator} and {design.outcome} correlated at {rho:+.2f}, the indirect effect (without "
        f"interaction) would be 0. A confounder does that whose shares of what is left unexplained of the two multiply to "
        f"{rho**2:.2g}.",
        figure=rho,
        table=tuple(
            {"rho": float(value), "indirect effect": float(effect)}
            for value, effect in zip(_RHOS, effects, strict=True)
        ),
    )


def interaction_matters(study: Study) -> Challenge:
    """Whether the mediator works differently with and without the treatment, and what assuming otherwise does."""
    with_it, without = mediated(study, interaction=True), mediated(study, interaction=False)
    assert with_it.interaction is not None
    p = with_it.interaction.p_value
    return Challenge(
        "treatment × mediator",
        "doubt" if p < 0.05 else "stands",
        f"Interaction {with_it.interaction.estimate:.3g} (p = {p:.2g}); the indirect effect is {with_it.indirect.estimate:.4g} "
        f"with it and {without.indirect.estimate:.4g} without.",
        figure=p,
        table=tuple(
            {
                "interaction": kind,
                "indirect effect": found.indirect.estimate,
                "direct effect": found.direct.estimate,
                "total effect": found.total.estimate,
            }
            for kind, found in (("yes", with_it), ("no", without))
        ),
    )


def without_controls(study: Study, estimate: Estimate) -> Challenge:
    bare = mediated(study, controls=False)
    effect = bare.indirect if study.design.estimand == "indirect effect" else bare.direct
    moved = abs(effect.estimate - estimate.estimate) / effect.se
    return Challenge(
        "without controls",
        "doubt" if moved > 1.96 else "stands",
        f"Without controls the {study.design.estimand} is {effect.estimate:.4g} ({effect.se:.4g}), {moved:.1f} standard "
        "errors away: how much the controls explain, and a hint of what further ones might.",
        figure=effect.estimate,
    )


def _two_valued(study: Study, name: str) -> bool:
    return bool(study.frame[name].nunique() == 2)
