"""Back-door adjustment: the treatment was not drawn by lot, but the controls hold all that drives both it and the outcome.

The estimator by default: a dose → partially linear regression; overlap weights where the ATO is asked; anything else →
augmented inverse probability weighting (AIPW). A number is given only for a population with overlap: where the ATE is
asked and the data do not support it, the design moves to the effect on the treated (ATT), or to those who could have
been in either arm (ATO), or refuses.

References
----------
Pearl (1993), Statist. Sci. 8: the back-door criterion.
Imbens (2004), Rev. Econ. Stat. 86: average effects under unconfoundedness.
Crump, Hotz, Imbens and Mitnik (2009), Biometrika 96: limited overlap.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar, Literal, cast

import numpy as np
from pydantic import Field

from leucippus.agents.designs import backdoor_challenges as challenge
from leucippus.agents.designs.base import Design
from leucippus.agents.designs.checks import baseline, common
from leucippus.agents.designs.result import Bounds, Challenge, Check, Estimate
from leucippus.agents.estimators.basis import basis
from leucippus.agents.estimators.bounds import manski
from leucippus.agents.estimators.doubly_robust import Scores, aipw, partially_linear
from leucippus.agents.estimators.influence import Effect
from leucippus.agents.estimators.joint_test import explained
from leucippus.agents.estimators.matching import match
from leucippus.agents.estimators.overlap import (
    Overlap,
    Target,
    balancing_weights,
    overlap,
    propensity,
    weighted_difference,
    weighted_imbalance,
)
from leucippus.agents.estimators.regression import Fit, regress
from leucippus.agents.estimators.second import SecondOpinion, ols_second
from leucippus.agents.estimators.standardise import standardise
from leucippus.errors import DataError
from leucippus.graphs.adjustment import check_adjustment, minimal_adjustment_set, optimal_adjustment_set
from leucippus.graphs.identification import NotIdentified, identify
from leucippus.graphs.remedies import remedies

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from leucippus.agents.designs.study import Floats, Study

Method = Literal["", "aipw", "regression", "g-computation", "matching", "weighting", "partially linear"]

_WORDS: dict[str, str] = {
    "aipw": "augmented inverse probability weighting, cross-fitted logistic and linear regressions",
    "partially linear": "partially linear regression, cross-fitted",
    "regression": "linear regression on treatment and controls (pyfixest)",
    "g-computation": "standardisation of linear regressions in each arm",
    "matching": "nearest-neighbour matching with bias correction",
    "weighting": "inverse probability weighting, logistic propensity",
}
_MODEL: dict[str, str] = {
    "aipw": "Either the model of the treatment or that of the outcome is right, up to squares of the controls.",
    "partially linear": "The outcome is linear in the treatment, and treatment and outcome are in the controls, up to squares.",
    "regression": "The outcome is linear in treatment and controls, with one effect for all.",
    "g-computation": "In each arm the outcome is linear in the controls and their squares.",
    "matching": "Rows with nearly equal controls are comparable.",
    "weighting": "The log odds of treatment are linear in the controls and their squares.",
}
_POPULATION = {
    "ATE": "{rows}",
    "ATT": "the treated among {rows}",
    "ATC": "the untreated among {rows}",
    "ATO": "those among {rows} who could have been in either arm (each weighted by the chance of both)",
}
_ONE_EFFECT = ("regression", "partially linear")
_NO_ATO = ("aipw", "g-computation", "matching")
_BALANCED = 0.1
"""Standard deviations; Austin (2009), Stat. Med. 28."""
_ADDS_UP = 1 - 1e-6
_NO_SPREAD = 1e-9


class Backdoor(Design):
    """Adjustment for measured confounders."""

    estimands: ClassVar[tuple[str, ...]] = ("ATE", "ATT", "ATC", "ATO")
    working_copies: ClassVar[int] = 8

    strategy: Literal["backdoor"] = "backdoor"
    method: Method = Field(
        default="", description="aipw, regression, g-computation, matching, weighting; empty: the rule above."
    )

    def checks(self, study: Study) -> Iterator[Check]:
        for check in common(study):
            bad = check.name == "controls by the graph" and check.verdict == "failed"
            yield replace(check, remedy=remedy_by_graph(study)) if bad else check
        yield something_adjusted(study)
        if study.x.shape[1]:
            yield outcome_no_sum(study)
        if not study.binary:
            if self.estimand != "ATE" or self.method not in ("", "regression", "partially linear"):
                yield dose_has_one_slope(study)
            return
        if self.estimand == "ATO" and self.method in _NO_ATO:
            yield method_knows_estimand(study)
        if self.estimand != "ATE" and self.method in _ONE_EFFECT:
            yield one_effect_for_all(study)
        elif self.method == "matching" and self.cluster is not None:
            yield matching_knows_no_clusters()
        yield overlap_enough(study)
        if study.x.shape[1]:
            yield balance_after_weighting(study)

    def estimate(self, study: Study) -> Estimate:
        method = chosen(study)
        effect = run(study, method)
        if effect.se <= _NO_SPREAD * abs(effect.estimate):
            raise DataError(
                f"treatment and controls fix {self.outcome}: nothing is left to judge chance by",
                next_step=f"See whether {self.outcome} is computed from {self.treatment}.",
            )
        low, high = effect.interval()
        e = scores(study) if study.binary else None
        adjusted = ", ".join(self.controls) or "none: the graph says none is needed"
        return Estimate(
            effect.estimate,
            effect.se,
            low,
            high,
            estimand=self.estimand,
            population=_POPULATION[self.estimand].format(rows=self.subset or "the rows used"),
            units=f"{self.outcome}, {study.contrast}",
            estimator=_WORDS[method],
            inference=effect.inference,
            n_used=study.n,
            assumptions=(
                f"Whatever drives both {self.treatment} and {self.outcome} is among the controls ({adjusted}).",
                "No control was changed by the treatment.",
                "Nobody's outcome depends on the treatment of others.",
                _MODEL[method],
            ),
            p_value=effect.p_value,
            n_treated=study.n_treated,
            n_control=study.n_control,
            clusters=study.n_clusters,
            dropped=study.dropped,
            second=(second_opinion(study, method, effect),),
            details={"method": method, "columns": columns(study).shape[1]}
            | ({} if e is None else {"overlap": _overlap_json(overlap(study.d, e, self._target))}),
        )

    def challenges(self, study: Study, estimate: Estimate) -> Iterator[Challenge]:
        if study.graph is not None:
            yield challenge.other_sets(study, estimate)
        yield challenge.e_value_of(study, estimate, scores(study) if study.binary else None)
        if self.controls:
            yield challenge.robustness(study)
            yield challenge.leave_one_control_out(study)
        if study.binary:
            yield challenge.other_methods(study, estimate, estimate.details["method"], columns(study))
            if estimate.details["method"] == "aipw":
                yield challenge.trimming(study, estimate, doubly_robust(study), scores(study))
        yield challenge.placebo_outcomes(study)

    def bounds(self, study: Study) -> Bounds | None:
        """Manski's, for the average effect of a binary treatment."""
        if not study.binary or self.estimand == "ATO" or not 0 < study.d.mean() < 1:
            return None
        y = study.y
        binary = bool(np.isin(y, (0, 1)).all())
        least, most = (0.0, 1.0) if binary else (float(y.min()), float(y.max()))
        target = cast('Literal["ATE", "ATT", "ATC"]', self.estimand)
        low, high = manski(y, study.d, least, most, target)
        span = f"{self.outcome} lies between {least:g} and {most:g}" + ("" if binary else ", the range observed here")
        return Bounds(
            low,
            high,
            self.estimand,
            (f"{span}.", "Nobody's outcome depends on the treatment of others."),
            f"With no assumption about why some were treated, only that {span}, the {self.estimand} is between "
            f"{low:.4g} and {high:.4g} in these rows (sampling error comes on top).",
        )

    def draw(self, axes: Axes, study: Study, estimate: Estimate) -> None:
        """Propensities of both arms; for a dose, what is left of outcome and dose when the controls are taken out."""
        if study.binary:
            e = scores(study)
            for arm, label in ((1, "treated"), (0, "untreated")):
                axes.hist(e[study.d == arm], bins=40, range=(0, 1), density=True, alpha=0.5, label=label)
            axes.legend()
            axes.set(xlabel="propensity score", ylabel="density", title=f"{self.treatment}: overlap")
            return
        z = np.column_stack([np.ones(study.n), columns(study)])
        left = [values - z @ np.linalg.lstsq(z, values, rcond=None)[0] for values in (study.d, study.y)]
        shown = np.random.default_rng(0).permutation(study.n)[:2000]
        axes.plot(left[0][shown], left[1][shown], ".", alpha=0.4)
        axes.axline((0, 0), slope=estimate.estimate, color="black")
        axes.set(xlabel=f"{self.treatment} | controls", ylabel=f"{self.outcome} | controls", title=estimate.estimator)

    @property
    def _target(self) -> Target:
        return cast("Target", self.estimand)


def chosen(study: Study) -> str:
    """The method: as stated, or by the rule at the top of this file."""
    design = cast("Backdoor", study.design)
    if design.method:
        return design.method
    if not study.binary:
        return "partially linear"
    return "weighting" if design.estimand == "ATO" else "aipw"


def run(study: Study, method: str) -> Effect | Fit:
    """The effect by one of the methods.

    Raises
    ------
    DataError : the rows do not carry it.
    """
    y, d, matrix, clusters = study.y, study.d, columns(study), study.clusters
    parameters = matrix.shape[1] + 1
    if method == "partially linear":
        return partially_linear(y, d, matrix, clusters).effect(parameters, clusters)
    if method == "regression":
        return regress(y, d, study.x.to_numpy(), clusters=clusters)
    target = cast("Target", study.design.estimand)
    if method == "weighting" or target == "ATO":
        return weighted_difference(y, d, matrix, target, clusters)
    if method == "aipw":
        return doubly_robust(study).effect(parameters, clusters)
    if method == "g-computation":
        return standardise(y, d, matrix, target, clusters)
    return match(y, d, study.x.to_numpy(), target)


@lru_cache(maxsize=1)
def columns(study: Study) -> Floats:
    """Controls as the models use them, (n, p)."""
    smaller = min(study.d.sum(), (1 - study.d).sum()) if study.binary else study.n
    return basis(study.x.to_numpy(), int(smaller))


@lru_cache(maxsize=1)
def scores(study: Study) -> Floats:
    """Propensity scores, (n,)."""
    return propensity(study.d, columns(study))


@lru_cache(maxsize=1)
def doubly_robust(study: Study) -> Scores:
    target = cast('Literal["ATE", "ATT", "ATC"]', study.design.estimand)
    return aipw(study.y, study.d, columns(study), target, study.clusters)


def second_opinion(study: Study, method: str, first: Effect | Fit) -> SecondOpinion:
    """Another way to the same estimand: equal up to rounding for a regression, otherwise judged in standard errors."""
    if isinstance(first, Fit):
        independent = np.delete(study.x.to_numpy(), list(first.left_out), axis=1)
        return ols_second(study.y, study.d, independent, first, clusters=study.clusters)
    if method == "partially linear":
        engine, other = "linear regression (pyfixest)", run(study, "regression")
        why = "that regression has no squares of the controls and no cross-fitting"
    elif study.design.estimand == "ATO":
        engine, other = "partially linear regression, cross-fitted", run(study, "partially linear")
        why = "that weighs by the variance of the treatment given the controls as linear regressions see it"
    elif method == "aipw":
        engine, other = "standardisation", run(study, "g-computation")
        why = "that models the outcome alone, without weights"
    else:
        engine, other = "AIPW, cross-fitted", run(study, "aipw")
        why = "that uses a model of the treatment and one of the outcome"
    apart = abs(other.estimate - first.estimate) / first.se
    return SecondOpinion(engine, other.estimate, other.se, apart <= 1, f"{apart:.2g} standard errors apart: {why}")


def something_adjusted(study: Study) -> Check:
    """An observational comparison without controls is an effect only if a graph says that none is needed."""
    design, graph, name = study.design, study.graph, "confounders are adjusted for"
    if columns(study).shape[1]:
        return Check(name, "passed", f"Adjusted for {', '.join(design.controls)}.", figure=len(design.controls))
    if graph is not None and {design.treatment, design.outcome} <= set(graph.nodes):
        if check_adjustment(graph, design.treatment, design.outcome).valid:
            return Check(name, "passed", "By the graph, no control is needed.", figure=0)
        remedy = remedy_by_graph(study)
    else:
        usable = baseline(study)[:8]
        remedy = "State as controls what was fixed before the treatment and drives both it and the outcome" + (
            f" (the data hold {', '.join(usable)})." if usable else "; the data hold no such column."
        )
        remedy += " If the treatment was drawn by lot, state an rct design; if nothing drives both, give a graph."
    stated = "The controls are constant" if design.controls else "No controls are stated"
    return Check(
        name,
        "failed",
        f"{stated}, and {design.treatment} was not drawn by lot: the difference between the arms is an "
        "association, and nothing says that it is an effect.",
        figure=0,
        fatal=True,
        remedy=remedy,
    )


def remedy_by_graph(study: Study) -> str:
    """What the graph says to do: adjust for a set that is valid, use another formula, or measure something."""
    design, graph = study.design, study.graph
    assert graph is not None
    treatment, outcome = design.treatment, design.outcome
    measured = [node for node in graph.nodes if node in study.frame.columns]
    best = optimal_adjustment_set(graph, treatment, outcome, measured=measured)
    found = minimal_adjustment_set(graph, treatment, outcome, measured=measured) if best is None else best
    if found is not None:
        return f"Adjust for {', '.join(graph.ordered(found)) or 'nothing'}: by the graph that closes every path."
    hidden = [node for node in graph.nodes if node not in measured]
    seen = graph.latent_projection(hidden)
    effect = identify(seen, [treatment], [outcome])
    if isinstance(effect, NotIdentified):
        ways = "; or ".join(remedy.text() for remedy in remedies(seen, effect, limit=2))
        return f"By the graph no set of measured columns closes every path: {ways}."
    return (
        "By the graph no set of measured columns closes every path, but the effect is identified in another way: "
        f"{effect.estimand.text()}."
    )


def outcome_no_sum(study: Study) -> Check:
    """The controls together do not make up the outcome, as two test scores make up their mean."""
    share = explained(study.x.to_numpy(), study.y)[0]
    adds_up = share > _ADDS_UP and study.n > 2 * (study.x.shape[1] + 1)
    return Check(
        "controls do not add up to the outcome",
        "failed" if adds_up else "passed",
        f"The controls explain {share:.1%} of {study.design.outcome}"
        + (": together they are the outcome, so nothing is left for an effect." if adds_up else "."),
        figure=share,
        fatal=True,
        remedy="Leave out the controls that the outcome is computed from." if adds_up else "",
    )


def dose_has_one_slope(study: Study) -> Check:
    return Check(
        "method and estimand fit the treatment",
        "failed",
        f"{study.design.treatment} is a dose, not two arms: the data give the average slope (ATE) by a partially linear "
        "regression.",
        fatal=True,
        remedy="State treated_value and control_value to compare two values.",
        instead={"estimand": "ATE", "method": ""},
    )


def method_knows_estimand(study: Study) -> Check:
    return Check(
        "method and estimand fit the treatment",
        "failed",
        "The effect among those who could have been in either arm (ATO) is estimated by overlap weights.",
        fatal=True,
        remedy="State method: weighting.",
        instead={"method": "weighting"},
    )


def matching_knows_no_clusters() -> Check:
    return Check(
        "method and estimand fit the treatment",
        "failed",
        "The standard error of matching takes rows as independent, and a cluster is stated: AIPW heeds it.",
        fatal=True,
        remedy="State method: aipw.",
        instead={"method": "aipw"},
    )


def one_effect_for_all(study: Study) -> Check:
    return Check(
        "method and estimand fit the treatment",
        "failed",
        f"{cast('Backdoor', study.design).method} gives one coefficient for everyone, which is the {study.design.estimand} "
        "only if the effect is the same for all.",
        fatal=True,
        remedy="Leave `method` empty, or ask for the ATE.",
        instead={"method": ""},
    )


def overlap_enough(study: Study) -> Check:
    """The gate: whether those the estimand is about have somebody to be compared with."""
    asked = cast("Target", study.design.estimand)
    e, d = scores(study), study.d
    found = overlap(d, e, asked)
    figures = (
        f"{found.extreme:.0%} of rows have a propensity outside [0.01, 0.99], {found.alone:.0%} of those the {asked} is "
        f"about have nobody comparable in the other arm, and weighted to them the {found.n_treated:,} treated count as "
        f"{found.effective_treated:,.1f} rows and the {found.n_control:,} untreated as {found.effective_control:,.1f}"
    )
    if found.supported:
        return Check("overlap", "passed", f"{figures}.", figure=found.alone)
    fallbacks: tuple[Target, ...] = {"ATE": ("ATT", "ATO"), "ATO": ()}.get(asked, ("ATO",))  # type: ignore[assignment]
    other = next((target for target in fallbacks if overlap(d, e, target).supported), None)
    moved = f"; they do support the {other}" if other else " nor any other average effect"
    return Check(
        "overlap",
        "failed",
        f"{figures}: the data do not support the {asked}{moved}.",
        figure=found.alone,
        fatal=True,
        remedy="Ask about those who have a comparison (a subset, the ATT or the ATO), or bring comparable rows.",
        instead={"estimand": other} if other else None,
    )


def balance_after_weighting(study: Study) -> Check:
    x, d = study.x.to_numpy(), study.d
    apart = np.abs(weighted_imbalance(x, d, balancing_weights(d, scores(study), cast("Target", study.design.estimand))))
    worst = int(apart.argmax())
    failed = float(apart[worst]) > _BALANCED
    return Check(
        "balance after weighting",
        "failed" if failed else "passed",
        f"Weighted by the propensity, the arms differ by at most {apart[worst]:.2f} standard deviations "
        f"({study.x.columns[worst]}).",
        figure=float(apart[worst]),
        remedy="The estimate leans on the outcome model there; read the trimming curve." if failed else "",
    )


def _overlap_json(found: Overlap) -> dict[str, float]:
    return {
        "share outside [0.01, 0.99]": found.extreme,
        "share without comparison": found.alone,
        "effective treated": found.effective_treated,
        "effective control": found.effective_control,
    }
